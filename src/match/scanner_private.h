/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * scanner_private - what the rooms behind scanner.h agree on
 *
 * A struct scanner_unit is one of our own scanners. Each is compiled with the flags of
 * its processor in a file of its own, and called only where the processor has it.
 */

#include "match/scanner_plan.h"

#define SCANNER_BLOCK 64 /* positions that are filtered together */
#define SCANNER_SLACK 64 /* bytes that can be read behind the last position */

struct scanner_unit {
	const char *name;
	bool (*is_here)(void);
	/* For so many literals. */
	struct scanner_shape (*shape)(size_t n);
	/**
	 * As scanner_find(), for keys that begin in [*from, end). @end is a multiple of
	 * SCANNER_BLOCK, and SCANNER_SLACK bytes behind it can be read.
	 */
	size_t (*find)(const struct scanner_plan *p, const char *text, size_t *from,
	    size_t end, struct scan_hit *hits, size_t max);
};

/* NULL where the build has none. */
extern const struct scanner_unit *const scanner_portable;
extern const struct scanner_unit *const scanner_avx2;
extern const struct scanner_unit *const scanner_avx512;

/* A foreign library, loaded when it is asked for. */
struct scanner_vectorscan;

/* Return: 0, -ENOTSUP when it is not to be had, -ENOMEM, -EINVAL. */
int scanner_vectorscan_new(const struct scanner_literal *l, size_t n,
    struct scanner_vectorscan **out, struct err *e);
struct scanner_vectorscan *scanner_vectorscan_free(struct scanner_vectorscan *v);
size_t scanner_vectorscan_find(struct scanner_vectorscan *v, struct span text,
    size_t *from, struct scan_hit *hits, size_t max);
