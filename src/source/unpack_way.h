/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* unpack_way - by which library it is done; for unpack.c alone */

#include "source/unpack.h"

struct unpack_way {
	/* All as their namesakes of unpack.h; create() is new(), and gives the state.
	 */
	void *(*create)(
	    enum unpack_kind kind, unpack_source_fn fn, void *ctx, struct err *e);
	void (*destroy)(void *state);
	int (*read)(void *state, struct span *out, struct err *e);
};

extern const struct unpack_way unpack_gzip;
/* Built without it (option "archive"), unpack_none.c stands for it and refuses. */
extern const struct unpack_way unpack_archive;
