/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * scanner_body - from what the filter left to hits; compiled into each unit
 *
 * A file that includes this has defined before
 *
 *   size_t filter(const struct scanner_plan *p, const char *text, size_t from,
 *       size_t end, struct survivor *out);
 *   bool is_same(const char *text, const struct scanner_entry *e);
 *
 * The work is done in chunks, each step for the whole chunk, and without branches that
 * depend on the text where that can be: where candidates stand is nothing that a
 * processor could guess, and a wrong guess costs as much as 100 bytes of scanning.
 */

#include "match/scanner_private.h"

#define CHUNK 4096

/* A position whose key has a slot. */
struct survivor {
	uint32_t at;
	uint32_t entry;
};

/* Two may be written beyond those that count. */
#define SURVIVORS_MAX (CHUNK + SCANNER_BLOCK)

static size_t filter(const struct scanner_plan *p, const char *text, size_t from,
    size_t end, struct survivor *out);
static bool is_same(const char *text, const struct scanner_entry *e);

/* Append the hits of one survivor. Return: how many hits there are then, or SIZE_MAX
 * when there was no room for all of them. */
static inline size_t check(const struct scanner_plan *p, const char *text,
    struct survivor s, struct scan_hit *hits, size_t n, size_t max)
{
	const struct scanner_entry *e = &p->entries[s.entry];

	do {
		if (n == max)
			return SIZE_MAX;
		if (e->offset > s.at)
			continue;
		hits[n] = (struct scan_hit){s.at - e->offset, e->literal};
		n += is_same(text + s.at - e->offset, e);
	} while (!e++->is_last);
	return n;
}

static size_t find(const struct scanner_plan *p, const char *text, size_t *from,
    size_t end, struct scan_hit *hits, size_t max)
{
	struct survivor survivors[SURVIVORS_MAX];
	size_t n_hits = 0;

	while (*from < end) {
		size_t to = *from - *from % CHUNK + CHUNK;
		size_t n = filter(p, text, *from, to < end ? to : end, survivors);

		for (size_t i = 0; i < n; i++) {
			size_t n_then =
			    check(p, text, survivors[i], hits, n_hits, max);

			if (n_then == SIZE_MAX) {
				*from = survivors[i].at;
				return n_hits;
			}
			n_hits = n_then;
		}
		*from = to < end ? to : end;
	}
	return n_hits;
}
