/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * scanner_portable - no filter but the lookup itself, at each stride-th position
 *
 * Each literal stands in the table with as many keys, one beside the other, as a stride
 * has positions: one of them is met wherever the literal stands.
 */

#include "match/scanner_body.h"

static inline uint64_t filter_block(
    const struct scanner_plan *p, const char *text, size_t n)
{
	uint64_t mask = 0;

	for (size_t i = 0; i < n; i++, text += p->stride)
		mask |= (uint64_t)(p->slots[scanner_slot(p, text)] != 0) << i;
	return mask;
}

static void filter(const struct scanner_plan *p, const char *text, size_t from,
    size_t end, struct chunk *out)
{
	size_t left = (end - from + p->stride - 1) / p->stride;

	out->any = 0;
	for (size_t i = 0; left > 0; i++) {
		size_t n = left < SCANNER_BLOCK ? left : SCANNER_BLOCK;
		uint64_t mask =
		    filter_block(p, text + from + i * SCANNER_BLOCK * p->stride, n);

		out->masks[i] = mask;
		out->any |= (uint64_t)(mask != 0) << i;
		left -= n;
	}
}

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

static bool is_here(void)
{
	return true;
}

static unsigned window(size_t n)
{
	(void)n;
	return 0;
}

static const struct scanner_unit unit = {"portable", is_here, window, find};
const struct scanner_unit *const scanner_portable = &unit;
