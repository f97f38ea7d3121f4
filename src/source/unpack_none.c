/* SPDX-License-Identifier: GPL-2.0-or-later */
/* unpack, in a build without libarchive. */
#include <errno.h>
#include <stddef.h>

#include "source/unpack_way.h"

static void *create(
    enum unpack_kind kind, UNUSED unpack_source_fn fn, UNUSED void *ctx, struct err *e)
{
	err_set(e, -ENOSYS,
	    "it is compressed (%s), which this bandog was built without "
	    "(meson option 'archive')",
	    unpack_kind_name(kind));
	return NULL;
}

/* create() never succeeds: nobody comes to the others. */
const struct unpack_way unpack_archive = {create, NULL, NULL};
