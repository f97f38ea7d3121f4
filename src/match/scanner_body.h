/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * scanner_body - from what the filter left to hits; compiled into each unit
 *
 * A file that includes this defines filter(), is_same(), and before that GROUP: how
 * many positions beside each other share a bit of what the filter tells.
 *
 * The filter writes to places that do not depend on what it finds: a store whose
 * address is known late holds up the loads behind it, which was seen to halve the
 * speed.
 */

#include "match/scanner_private.h"

#define CHUNK_BLOCKS 64

/*
 * What the filter left of a chunk: bit b of mask i stands for the position
 * (i * SCANNER_BLOCK + b) * stride * group from the chunk's begin on.
 */
struct chunk {
	uint64_t any; /* bit i: mask i is not 0; others need not be looked at */
	uint64_t masks[CHUNK_BLOCKS];
};

/* What makes a unit. */
struct scanner_parts {
	/* Fill @out for the chunk [@from, @end). */
	void (*filter)(const struct scanner_plan *p, const char *text, size_t from,
	    size_t end, struct chunk *out);
	/* SCANNER_LITERAL_BYTES_MAX bytes can be read at @text. */
	bool (*is_same)(const char *text, const struct scanner_entry *e);
	unsigned group; /* positions that share a bit of what the filter leaves */
};

/* What a call of scanner_find_with() works with. */
struct search {
	struct scanner_parts parts;
	const struct scanner_plan *plan;
	const char *text;
	size_t from;
	struct scan_hit *hits;
	size_t n, max;
};

#define ALWAYS_INLINE inline __attribute__((always_inline))

/* Add the hits among the entries that @keys leads to. Return: false when there is no
 * room for another. */
static ALWAYS_INLINE bool add_hits(
    struct search *s, const struct scanner_keys *keys, size_t at)
{
	const struct scanner_entry *e =
	    &s->plan->entries[keys->slots[scanner_slot(keys, s->text + at)]];

	do {
		if (e->offset > at || !s->parts.is_same(s->text + at - e->offset, e))
			continue;
		if (s->n == s->max)
			return false;
		s->hits[s->n++] =
		    (struct scan_hit){(uint32_t)(at - e->offset), e->literal};
	} while (!e++->is_last);
	return true;
}

/* Return: false and nothing added when there is no room for all of this position. */
static ALWAYS_INLINE bool add_position(struct search *s, size_t at)
{
	size_t n = s->n;

	for (unsigned k = 0; k < s->plan->n_keys; k++) {
		if (!add_hits(s, &s->plan->keys[k], at)) {
			s->n = n;
			return false;
		}
	}
	return true;
}

static ALWAYS_INLINE bool add_group(struct search *s, size_t at)
{
	for (unsigned i = 0; i < s->parts.group; i++, at += s->plan->stride) {
		if (at >= s->from && !add_position(s, at)) {
			s->from = at;
			return false;
		}
	}
	return true;
}

/* Return: false with s->from where to go on when there is no more room. */
static ALWAYS_INLINE bool add_chunk(
    struct search *s, size_t begin, const struct chunk *c)
{
	const size_t step = s->plan->stride * s->parts.group;

	for (uint64_t any = c->any; any; any &= any - 1) {
		size_t i = (size_t)__builtin_ctzll(any);
		size_t block = begin + i * SCANNER_BLOCK * step;

		for (uint64_t mask = c->masks[i]; mask; mask &= mask - 1) {
			size_t bit = (size_t)__builtin_ctzll(mask);

			if (!add_group(s, block + bit * step))
				return false;
		}
	}
	return true;
}

static ALWAYS_INLINE size_t scanner_find_with(struct scanner_parts parts,
    const struct scanner_plan *p, const char *text, size_t *from, size_t end,
    struct scan_hit *hits, size_t max)
{
	const size_t bytes =
	    (size_t)CHUNK_BLOCKS * SCANNER_BLOCK * p->stride * parts.group;
	struct search s = {parts, p, text, *from, hits, 0, max};
	struct chunk c;

	while (s.from < end) {
		size_t begin = s.from - s.from % SCANNER_BLOCK;
		size_t to = end - begin < bytes ? end : begin + bytes;

		parts.filter(p, text, begin, to, &c);
		if (!add_chunk(&s, begin, &c))
			break;
		s.from = to;
	}
	*from = s.from;
	return s.n;
}
