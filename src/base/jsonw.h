/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * jsonw - write JSON (RFC 8259) into a buf, without building a tree
 *
 * Commas are placed by the writer. Text that is not valid UTF-8 gets U+FFFD for each
 * bad byte. Reading JSON is jansson's work, in the roles that may link it.
 */

#include "base/buf.h"
#include "base/clock.h"
#include "base/net.h"

struct jsonw {
	struct buf *b;
	bool need_comma;
};

static inline struct jsonw jsonw_of(struct buf *b)
{
	return (struct jsonw){.b = b};
}

void jsonw_object(struct jsonw *j);     /* { */
void jsonw_object_end(struct jsonw *j); /* } */
void jsonw_array(struct jsonw *j);      /* [ */
void jsonw_array_end(struct jsonw *j);  /* ] */
void jsonw_key(struct jsonw *j, const char *name);
void jsonw_span(struct jsonw *j, struct span v);
void jsonw_str(struct jsonw *j, const char *v); /* NULL gives null */
void jsonw_i64(struct jsonw *j, int64_t v);
/* The shortest text that reads back; whole numbers get ".0", inf and nan give null. */
void jsonw_f64(struct jsonw *j, double v);
void jsonw_bool(struct jsonw *j, bool v);
void jsonw_null(struct jsonw *j);
void jsonw_net(struct jsonw *j, const struct net *v);
/* Unix seconds, with @fraction as jsonw_f64() has it; WALL_NEVER -1, WALL_NONE null. */
void jsonw_wall(struct jsonw *j, wall_t v, bool fraction);
void jsonw_raw(struct jsonw *j, struct span v); /* already JSON */
