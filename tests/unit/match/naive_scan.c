/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "naive_scan.h"

#include <assert.h>

size_t naive_scan(const struct scanner_literal *l, size_t n, struct span text,
    size_t from, struct scan_hit *out, size_t max)
{
	size_t n_hits = 0;

	for (size_t at = from; at < text.n; at++) {
		for (size_t i = 0; i < n; i++) {
			struct span want = l[i].text, there = span_skip(text, at);

			if (want.n > there.n)
				continue;
			there.n = want.n;
			if (l[i].is_nocase ? !span_eq_nocase(there, want)
					   : !span_eq(there, want))
				continue;
			assert(n_hits < max);
			out[n_hits++] = (struct scan_hit){(uint32_t)at, (uint32_t)i};
		}
	}
	return n_hits;
}

static int by_place(const void *a, const void *b)
{
	const struct scan_hit *x = a, *y = b;

	if (x->at != y->at)
		return x->at < y->at ? -1 : 1;
	return x->literal < y->literal ? -1 : x->literal > y->literal;
}

size_t scan_all(const struct scanner *s, struct span text, size_t from, size_t step,
    struct scan_hit *out, size_t max)
{
	CLEANUP(freep) struct scan_hit *hits = calloc(step, sizeof(*hits));
	size_t n = 0;

	assert(hits);
	while (from < text.n) {
		size_t before = from;
		size_t more = scanner_find(s, text, &from, hits, step);

		assert(more <= step && n + more <= max);
		assert(from > before || more > 0);
		memcpy(out + n, hits, more * sizeof(*hits));
		n += more;
	}
	qsort(out, n, sizeof(*out), by_place);
	return n;
}
