/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/scan.h"

static size_t count_lines_plain(struct span text)
{
	size_t n = 0;

	for (size_t i = 0; i < text.n; i++)
		n += text.p[i] == '\n';
	return n;
}

static bool is_ascii_plain(struct span text)
{
	uint64_t all = 0, word;
	size_t i = 0;

	for (; i + sizeof(word) <= text.n; i += sizeof(word)) {
		memcpy(&word, text.p + i, sizeof(word));
		all |= word;
	}
	for (; i < text.n; i++)
		all |= (uint8_t)text.p[i];
	return !(all & UINT64_C(0x8080808080808080));
}

#ifdef __x86_64__
#include <immintrin.h>

#define VECTOR 32
#define STEP (4 * VECTOR)
#define AVX2 __attribute__((target("avx2")))

static inline AVX2 __m256i load(const char *p)
{
	return _mm256_loadu_si256((const __m256i *)(const void *)p);
}

/* Four counters of a byte each, which each step lowers by at most one. */
static AVX2 __m256i count_steps(const char *p, size_t n_steps)
{
	__m256i newline = _mm256_set1_epi8('\n'), zero = _mm256_setzero_si256();
	__m256i a = zero, b = zero, c = zero, d = zero;

	for (size_t i = 0; i < n_steps; i++, p += STEP) {
		a = _mm256_sub_epi8(a, _mm256_cmpeq_epi8(load(p), newline));
		b = _mm256_sub_epi8(b, _mm256_cmpeq_epi8(load(p + VECTOR), newline));
		c = _mm256_sub_epi8(
		    c, _mm256_cmpeq_epi8(load(p + 2 * VECTOR), newline));
		d = _mm256_sub_epi8(
		    d, _mm256_cmpeq_epi8(load(p + 3 * VECTOR), newline));
	}
	return _mm256_add_epi64(
	    _mm256_add_epi64(_mm256_sad_epu8(a, zero), _mm256_sad_epu8(b, zero)),
	    _mm256_add_epi64(_mm256_sad_epu8(c, zero), _mm256_sad_epu8(d, zero)));
}

static AVX2 size_t count_lines_avx2(struct span text)
{
	__m256i sum = _mm256_setzero_si256();
	uint64_t parts[4];

	while (text.n >= STEP) {
		size_t n = text.n / STEP;

		n = n < UINT8_MAX ? n : UINT8_MAX;
		sum = _mm256_add_epi64(sum, count_steps(text.p, n));
		text = span_skip(text, n * STEP);
	}
	_mm256_storeu_si256((__m256i *)(void *)parts, sum);
	return (size_t)(parts[0] + parts[1] + parts[2] + parts[3]) +
	       count_lines_plain(text);
}

static AVX2 bool is_ascii_avx2(struct span text)
{
	__m256i a = _mm256_setzero_si256(), b = a;

	for (; text.n >= STEP; text = span_skip(text, STEP)) {
		a = _mm256_or_si256(
		    a, _mm256_or_si256(load(text.p), load(text.p + VECTOR)));
		b = _mm256_or_si256(b, _mm256_or_si256(load(text.p + 2 * VECTOR),
					   load(text.p + 3 * VECTOR)));
	}
	for (; text.n >= VECTOR; text = span_skip(text, VECTOR))
		a = _mm256_or_si256(a, load(text.p));
	return !_mm256_movemask_epi8(_mm256_or_si256(a, b)) && is_ascii_plain(text);
}

size_t scan_count_lines(struct span text)
{
	return __builtin_cpu_supports("avx2") ? count_lines_avx2(text)
					      : count_lines_plain(text);
}

bool scan_is_ascii(struct span text)
{
	return __builtin_cpu_supports("avx2") ? is_ascii_avx2(text)
					      : is_ascii_plain(text);
}
#else
size_t scan_count_lines(struct span text)
{
	return count_lines_plain(text);
}

bool scan_is_ascii(struct span text)
{
	return is_ascii_plain(text);
}
#endif
