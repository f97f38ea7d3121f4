/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * bytes - a byte string as a source of choices: from a fuzzer, or from a seeded
 * generator
 */

#include <stddef.h>
#include <stdint.h>

struct bytes {
	const uint8_t *p;
	size_t n;
};

static inline uint8_t bytes_next(struct bytes *b)
{
	if (b->n == 0)
		return 0;
	b->n--;
	return *b->p++;
}

/* 0 .. n-1 */
static inline unsigned int bytes_pick(struct bytes *b, unsigned int n)
{
	return bytes_next(b) % n;
}

static inline uint64_t bytes_u64(struct bytes *b)
{
	uint64_t v = 0;

	for (int i = 0; i < 8; i++)
		v = v << 8 | bytes_next(b);
	return v;
}

/* Xorshift64*: the same bytes for the same seed everywhere. */
static inline void bytes_fill(uint64_t seed, uint8_t *out, size_t n)
{
	uint64_t x = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;

	for (size_t i = 0; i < n; i++) {
		x ^= x >> 12;
		x ^= x << 25;
		x ^= x >> 27;
		out[i] = (uint8_t)(x * UINT64_C(0x2545f4914f6cdd1d) >> 56);
	}
}
