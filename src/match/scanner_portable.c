/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * scanner_portable - no filter but the lookup itself, at each stride-th position
 *
 * Each literal stands in the table with as many keys, one beside the other, as a stride
 * has positions: one of them is met wherever the literal stands.
 */

#include "match/scanner_body.h"

static size_t filter(const struct scanner_plan *p, const char *text, size_t from,
    size_t end, struct survivor *out)
{
	const size_t stride = p->stride;
	size_t n = 0;

	for (size_t at = (from + stride - 1) / stride * stride; at < end; at += stride) {
		uint32_t entry = p->slots[scanner_slot(p, text + at)];

		out[n] = (struct survivor){(uint32_t)at, entry};
		n += entry != 0;
	}
	return n;
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
