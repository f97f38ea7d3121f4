/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz_split - blocks of any size give the same lines as the whole at once
 *
 * The first byte is the cap, the next four seed the sizes of the blocks.
 */

#include <assert.h>
#include <stdlib.h>

#include "base/hash.h"
#include "fuzz.h"
#include "source/split.h"

struct lines {
	size_t cap;
	size_t n;
	size_t bytes;
	uint64_t hash;
};

static void on_line(void *ctx, struct span text, size_t whole_bytes)
{
	struct lines *l = ctx;
	uint64_t mixed[4] = {l->hash, hash_stable(text.p, text.n), whole_bytes, text.n};

	assert(text.n <= l->cap && text.n <= whole_bytes);
	assert(!memchr(text.p, '\n', text.n));
	l->n++;
	l->bytes += whole_bytes;
	l->hash = hash_stable(mixed, sizeof(mixed));
}

static void feed(struct split *s, struct lines *l, struct span block)
{
	/* Of exact size, so that reading beyond it is noticed. */
	char *copy = malloc(block.n + !block.n);

	assert(copy);
	memcpy(copy, block.p, block.n);
	assert(split_feed(s, (struct span){copy, block.n}, on_line, l) == 0);
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct lines whole = {0}, parts = {0};
	struct split *a, *b;
	struct span in;
	uint32_t seed;

	if (n < 5)
		return 0;
	whole.cap = parts.cap = (size_t)bytes[0] + 1;
	memcpy(&seed, bytes + 1, sizeof(seed));
	in = (struct span){(const char *)bytes + 5, n - 5};
	a = split_new(whole.cap);
	b = split_new(parts.cap);
	assert(a && b);
	feed(a, &whole, in);
	for (struct span rest = in; rest.n;) {
		size_t step = (seed >> 16) % 41;

		seed = seed * 1103515245 + 12345;
		feed(b, &parts, (struct span){rest.p, step < rest.n ? step : rest.n});
		rest = span_skip(rest, step);
		assert(parts.bytes + split_pending_bytes(b) == (size_t)(rest.p - in.p));
	}
	split_finish(a, on_line, &whole);
	split_finish(b, on_line, &parts);
	assert(whole.n == parts.n && whole.bytes == parts.bytes && whole.bytes == in.n);
	assert(whole.hash == parts.hash && split_n_cut(a) == split_n_cut(b));
	split_free(a);
	split_free(b);
	return 0;
}
