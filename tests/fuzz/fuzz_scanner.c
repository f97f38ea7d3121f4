/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz_scanner - all kinds of scanner find what a naive search finds
 *
 * The first byte says in how small steps hits are taken. Then come literals, each after
 * a byte that is its length and, with the highest bit, that case does not count; a
 * length of 0 ends them. The rest is the text.
 */

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "../unit/match/naive_scan.h"
#include "fuzz.h"

#define MAX_LITERALS 40
#define MAX_TEXT_BYTES 12000
#define MAX_HITS (MAX_LITERALS * MAX_TEXT_BYTES)
#define NOCASE 0x80

static const enum scanner_kind kinds[] = {
    SCANNER_PORTABLE, SCANNER_AVX2, SCANNER_AVX512, SCANNER_VECTORSCAN};

static size_t read_literals(struct span *in, struct scanner_literal *l)
{
	size_t n = 0;

	while (in->n > 0 && n < MAX_LITERALS) {
		uint8_t head = (uint8_t)in->p[0];
		size_t bytes = head & ~NOCASE;

		*in = span_skip(*in, 1);
		if (bytes == 0)
			break;
		if (bytes > in->n)
			bytes = in->n;
		l[n++] = (struct scanner_literal){{in->p, bytes}, head & NOCASE};
		*in = span_skip(*in, bytes);
	}
	return n;
}

static bool is_literal(struct span text)
{
	for (size_t i = 0; i < text.n; i++)
		if (!text.p[i] || text.p[i] == '\n' || (uint8_t)text.p[i] > 127)
			return false;
	return text.n >= SCANNER_LITERAL_BYTES_MIN &&
	       text.n <= SCANNER_LITERAL_BYTES_MAX;
}

static bool are_literals(const struct scanner_literal *l, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!is_literal(l[i].text))
			return false;
	return true;
}

static void compare(const struct scanner *s, size_t step, struct span text,
    const struct scan_hit *want, size_t n_want)
{
	static struct scan_hit got[MAX_HITS];
	size_t n = scan_all(s, text, 0, scanner_hits_min(s) + step, got, MAX_HITS);

	assert(n == n_want);
	assert(n == 0 || memcmp(got, want, n * sizeof(*got)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	static struct scan_hit want[MAX_HITS];
	struct scanner_literal l[MAX_LITERALS];
	struct span in = {(const char *)bytes, n};
	size_t step, n_literals, n_want;

	if (n < 1)
		return 0;
	step = bytes[0];
	in = span_skip(in, 1);
	n_literals = read_literals(&in, l);
	if (in.n > MAX_TEXT_BYTES)
		in.n = MAX_TEXT_BYTES;
	bool is_fine = are_literals(l, n_literals);

	n_want = is_fine ? naive_scan(l, n_literals, in, 0, want, MAX_HITS) : 0;
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		struct err e;
		CLEANUP(scanner_freep)
		struct scanner *s = scanner_new(l, n_literals, kinds[i], &e);

		assert(s || errno == (is_fine ? ENOTSUP : EINVAL));
		assert(!s || is_fine);
		if (s)
			compare(s, step, in, want, n_want);
	}
	return 0;
}
