/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * scanner_avx512 - the filter with whole tables in registers
 *
 * vpermi2b looks 64 bytes up in a table of 128 at once, so each byte of the window
 * costs one instruction, and nothing is lost as with tables by nibble. The highest bit
 * of a byte is not looked at: what is no ASCII may survive here, never in the
 * comparison.
 */

#include <immintrin.h>

#include "match/scanner_body.h"

/* Measured: where what a longer window keeps out is worth what it costs. */
#define FEW 100
#define WINDOW_FEW 5
#define WINDOW_MANY 8

/* gcc's address sanitizer may put a local that wants 64 bytes of alignment where there
 * are but 32 (seen with gcc 12). clang's looks at these functions too. */
#if defined(__SANITIZE_ADDRESS__) && !defined(__clang__)
#define NO_ASAN __attribute__((no_sanitize_address))
#else
#define NO_ASAN
#endif

struct tables {
	__m512i low[SCANNER_WINDOW_MAX], high[SCANNER_WINDOW_MAX];
};

static NO_ASAN ALWAYS_INLINE void filter_blocks(const struct scanner_plan *p,
    const char *text, size_t from, size_t end, struct chunk *out, const unsigned window)
{
	struct tables t;
	uint64_t any = 0;

#pragma GCC unroll 8
	for (unsigned j = 0; j < window; j++) {
		t.low[j] = _mm512_load_si512(p->bytes[j]);
		t.high[j] = _mm512_load_si512(p->bytes[j] + 64);
	}
	for (size_t i = 0; i < (end - from) / SCANNER_BLOCK; i++) {
		const char *at = text + from + i * SCANNER_BLOCK;
		__m512i all = _mm512_permutex2var_epi8(
		    t.low[0], _mm512_loadu_si512(at), t.high[0]);

#pragma GCC unroll 8
		for (unsigned j = 1; j < window; j++)
			all = _mm512_and_si512(
			    all, _mm512_permutex2var_epi8(
				     t.low[j], _mm512_loadu_si512(at + j), t.high[j]));
		uint64_t mask = _mm512_test_epi8_mask(all, all);

		out->masks[i] = mask;
		any |= (uint64_t)(mask != 0) << i;
	}
	out->any = any;
}

static NO_ASAN void filter(const struct scanner_plan *p, const char *text, size_t from,
    size_t end, struct chunk *out)
{
	if (p->shape.window == WINDOW_FEW)
		filter_blocks(p, text, from, end, out, WINDOW_FEW);
	else
		filter_blocks(p, text, from, end, out, WINDOW_MANY);
}

static bool is_same(const char *text, const struct scanner_entry *e)
{
	__m256i differs = _mm256_ternarylogic_epi64(
	    _mm256_loadu_si256((const __m256i *)(const void *)text),
	    _mm256_load_si256((const __m256i *)(const void *)e->mask),
	    _mm256_load_si256((const __m256i *)(const void *)e->text), 0x6a);

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
	return __builtin_cpu_supports("avx512f") &&
	       __builtin_cpu_supports("avx512bw") &&
	       __builtin_cpu_supports("avx512vl") &&
	       __builtin_cpu_supports("avx512vbmi") && __builtin_cpu_supports("bmi");
}

static struct scanner_shape shape(size_t n)
{
	return (struct scanner_shape){n <= FEW ? WINDOW_FEW : WINDOW_MANY, false};
}

static const struct scanner_unit unit = {"avx512vbmi", is_here, shape, find};
const struct scanner_unit *const scanner_avx512 = &unit;
