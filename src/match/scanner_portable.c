/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * scanner_portable - no filter but the lookup itself, at each stride-th position
 *
 * Each literal stands in the table with as many keys, one beside the other, as a stride
 * has positions: one of them is met wherever the literal stands.
 */

#include "match/scanner_body.h"

#define GROUP 4

/* The first entries of a group's positions, or-ed: 0 when there is none. */
static inline unsigned group(
    const struct scanner_keys *k, const char *text, size_t stride)
{
	return k->slots[scanner_slot(k, text)] |
	       k->slots[scanner_slot(k, text + stride)] |
	       k->slots[scanner_slot(k, text + 2 * stride)] |
	       k->slots[scanner_slot(k, text + 3 * stride)];
}

static inline uint64_t filter_block(
    const struct scanner_plan *p, const char *text, size_t n_groups)
{
	const size_t stride = p->stride;
	uint64_t mask = 0;

	for (size_t i = 0; i < n_groups; i++, text += GROUP * stride)
		mask |= (uint64_t)(group(&p->keys[0], text, stride) != 0) << i;
	return mask;
}

/* Strides of groups divide SCANNER_BLOCK, so no group goes beyond the end. */
static void filter(const struct scanner_plan *p, const char *text, size_t from,
    size_t end, struct chunk *out)
{
	const size_t step = GROUP * p->stride;
	size_t left = (end - from) / step;

	out->any = 0;
	for (size_t i = 0; left > 0; i++) {
		size_t n = left < SCANNER_BLOCK ? left : SCANNER_BLOCK;
		uint64_t mask =
		    filter_block(p, text + from + i * SCANNER_BLOCK * step, n);

		out->masks[i] = mask;
		out->any |= (uint64_t)(mask != 0) << i;
		left -= n;
	}
}

_Static_assert(SCANNER_BLOCK % (GROUP * SCANNER_STRIDE_MAX) == 0, "groups in blocks");

static bool is_same(const char *text, const struct scanner_entry *e)
{
	uint64_t differs = 0;

	for (size_t i = 0; i < SCANNER_LITERAL_BYTES_MAX; i += sizeof(uint64_t)) {
		uint64_t t, mask, want;

		memcpy(&t, text + i, sizeof(t));
		memcpy(&mask, e->mask + i, sizeof(mask));
		memcpy(&want, e->text + i, sizeof(want));
		differs |= (t & mask) ^ want;
	}
	return differs == 0;
}

static size_t find(const struct scanner_plan *p, const char *text, size_t *from,
    size_t end, struct scan_hit *hits, size_t max)
{
	return scanner_find_with((struct scanner_parts){filter, is_same, GROUP}, p,
	    text, from, end, hits, max);
}

static bool is_here(void)
{
	return true;
}

static struct scanner_shape shape(size_t n)
{
	(void)n;
	return (struct scanner_shape){0, false};
}

static const struct scanner_unit unit = {"portable", is_here, shape, find};
const struct scanner_unit *const scanner_portable = &unit;
