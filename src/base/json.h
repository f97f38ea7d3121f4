/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * json - write JSON (RFC 8259) into a buf, without building a tree
 *
 * Commas are placed by the writer. Text that is not valid UTF-8 gets U+FFFD for each
 * bad byte. Reading JSON is jansson's work, in the roles that may link it.
 */

#include "base/buf.h"
#include "base/clock.h"
#include "base/net.h"

struct json {
	struct buf *b;
	bool need_comma;
};

static inline struct json json_of(struct buf *b)
{
	return (struct json){.b = b};
}

void json_object(struct json *j);     /* { */
void json_object_end(struct json *j); /* } */
void json_array(struct json *j);      /* [ */
void json_array_end(struct json *j);  /* ] */
void json_key(struct json *j, const char *name);
void json_span(struct json *j, struct span v);
void json_str(struct json *j, const char *v); /* NULL gives null */
void json_i64(struct json *j, int64_t v);
/* The shortest text that reads back; whole numbers get ".0", inf and nan give null. */
void json_f64(struct json *j, double v);
void json_bool(struct json *j, bool v);
void json_null(struct json *j);
void json_net(struct json *j, const struct net *v);
/* Unix seconds, with @fraction as json_f64() has it; WALL_NEVER -1, WALL_NONE null. */
void json_wall(struct json *j, wall_t v, bool fraction);
void json_raw(struct json *j, struct span v); /* already JSON */
