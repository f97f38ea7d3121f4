/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * scanner_avx2 - the filter with tables by nibble
 *
 * A byte is in a bucket's set when both its halves are in what the set's bytes have as
 * halves: some bytes too many pass. Longer windows would let less pass, but they cost
 * more than they save, also with hundreds of literals.
 */

#include <immintrin.h>

#include "match/scanner_body.h"

#define WINDOW 4

struct tables {
	__m256i low[WINDOW], high[WINDOW];
};

static __m256i both_lanes(const uint8_t *half)
{
	return _mm256_broadcastsi128_si256(
	    _mm_loadu_si128((const __m128i *)(const void *)half));
}

/* Of a byte that is no ASCII vpshufb makes 0, as of one that no literal has. */
static ALWAYS_INLINE __m256i buckets_of(
    const struct tables *t, const char *text, unsigned j)
{
	__m256i v = _mm256_loadu_si256((const __m256i *)(const void *)(text + j));
	__m256i upper = _mm256_and_si256(
	    _mm256_srli_epi16(v, 4), _mm256_set1_epi8(SCANNER_HALVES - 1));

	return _mm256_and_si256(
	    _mm256_shuffle_epi8(t->low[j], v), _mm256_shuffle_epi8(t->high[j], upper));
}

static ALWAYS_INLINE uint32_t filter_half(
    const struct scanner_plan *p, const struct tables *t, const char *text)
{
	__m256i all = buckets_of(t, text, 0);

#pragma GCC unroll 4
	for (unsigned j = 1; j < WINDOW; j++) {
		__m256i now = buckets_of(t, text, j);

		/* Behind the end of a short literal anything may stand. */
		if (j >= SCANNER_LITERAL_BYTES_MIN)
			now = _mm256_or_si256(
			    now, _mm256_set1_epi8((char)p->any_byte[j]));
		all = _mm256_and_si256(all, now);
	}
	return ~(uint32_t)_mm256_movemask_epi8(
	    _mm256_cmpeq_epi8(all, _mm256_setzero_si256()));
}

static void filter(const struct scanner_plan *p, const char *text, size_t from,
    size_t end, struct chunk *out)
{
	struct tables t;
	uint64_t any = 0;

#pragma GCC unroll 4
	for (unsigned j = 0; j < WINDOW; j++) {
		t.low[j] = both_lanes(p->low[j]);
		t.high[j] = both_lanes(p->high[j]);
	}
	for (size_t i = 0; i < (end - from) / SCANNER_BLOCK; i++) {
		const char *at = text + from + i * SCANNER_BLOCK;
		uint64_t low = filter_half(p, &t, at);
		uint64_t mask = (uint64_t)filter_half(p, &t, at + 32) << 32 | low;

		out->masks[i] = mask;
		any |= (uint64_t)(mask != 0) << i;
	}
	out->any = any;
}

static bool is_same(const char *text, const struct scanner_entry *e)
{
	__m256i differs = _mm256_xor_si256(
	    _mm256_and_si256(_mm256_loadu_si256((const __m256i *)(const void *)text),
		_mm256_load_si256((const __m256i *)(const void *)e->mask)),
	    _mm256_load_si256((const __m256i *)(const void *)e->text));

	return _mm256_testz_si256(differs, differs);
}

HOT static size_t find(const struct scanner_plan *p, const char *text, size_t *from,
    size_t end, struct scan_hit *hits, size_t max)
{
	return scanner_find_with(
	    (struct scanner_parts){filter, is_same, 1}, p, text, from, end, hits, max);
}

static bool is_here(void)
{
	return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi");
}

static struct scanner_shape shape(size_t n)
{
	(void)n;
	return (struct scanner_shape){WINDOW, true};
}

static const struct scanner_unit unit = {"avx2", is_here, shape, find};
const struct scanner_unit *const scanner_avx2 = &unit;
