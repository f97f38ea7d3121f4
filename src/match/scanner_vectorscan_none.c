/* SPDX-License-Identifier: GPL-2.0-or-later */
/* scanner_vectorscan_none - built without Vectorscan */

#include <errno.h>

#include "match/scanner_private.h"

int scanner_vectorscan_new(const struct scanner_literal *l, size_t n,
    struct scanner_vectorscan **out, struct err *e)
{
	(void)l;
	(void)n;
	(void)out;
	return err_set(e, -ENOTSUP, "built without Vectorscan");
}

struct scanner_vectorscan *scanner_vectorscan_free(struct scanner_vectorscan *v)
{
	(void)v;
	return NULL;
}

size_t scanner_vectorscan_find(struct scanner_vectorscan *v, struct span text,
    size_t *from, struct scan_hit *hits, size_t max)
{
	(void)v;
	(void)hits;
	(void)max;
	*from = text.n;
	return 0;
}
