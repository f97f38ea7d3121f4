/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * scanner_masks - from bit masks of blocks to survivors, for units that filter by window
 *
 * A file that includes this has defined filter_chunk().
 */

#include "match/scanner_body.h"

#define CHUNK_BLOCKS (CHUNK / SCANNER_BLOCK)

/* The blocks of a chunk in which the filter left something. */
struct left {
	size_t n;
	uint64_t masks[CHUNK_BLOCKS + 1];
	uint32_t at[CHUNK_BLOCKS + 1];
};

/* Fill @out with blocks of [@from, @end), which are multiples of SCANNER_BLOCK. */
static void filter_chunk(const struct scanner_plan *p, const char *text, size_t from,
    size_t end, struct left *out);

static inline void left_add(struct left *l, size_t at, uint64_t mask)
{
	l->masks[l->n] = mask;
	l->at[l->n] = (uint32_t)at;
	l->n += mask != 0;
}

static inline size_t look_up(const struct scanner_plan *p, const char *text,
    uint32_t at, struct survivor *out, size_t n)
{
	uint32_t entry = p->slots[scanner_slot(p, text + at)];

	out[n] = (struct survivor){at, entry};
	return n + (entry != 0);
}

/* Most blocks have one or two bits: so many are taken without a question. */
static inline size_t expand(const struct scanner_plan *p, const char *text,
    uint32_t at, uint64_t mask, struct survivor *out, size_t n)
{
	while (mask) {
		n = look_up(p, text, at + (uint32_t)__builtin_ctzll(mask), out, n);
		mask &= mask - 1;
	}
	return n;
}

static size_t filter(const struct scanner_plan *p, const char *text, size_t from,
    size_t end, struct survivor *out)
{
	size_t begin = from - from % SCANNER_BLOCK, n = 0;
	struct left left;

	left.n = 0;
	filter_chunk(p, text, begin, end, &left);
	if (left.n > 0 && left.at[0] == begin)
		left.masks[0] &= ~UINT64_C(0) << (from - begin);
	for (size_t i = 0; i < left.n; i++)
		n = expand(p, text, left.at[i], left.masks[i], out, n);
	return n;
}
