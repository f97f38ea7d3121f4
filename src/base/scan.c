/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/scan.h"

#include "base/cleanup.h"

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

static struct scan_line line_around_plain(struct span text, size_t from, size_t at)
{
	const char *p = text.p;
	const char *before = at > from ? memrchr(p + from, '\n', at - from) : NULL;
	const char *end = memchr(p + at, '\n', text.n - at);
	struct span whole =
	    span_from(before ? before + 1 : p + from, end ? end + 1 : p + text.n);

	return (struct scan_line){whole, is_ascii_plain(whole)};
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

/* A bit for each of 64 bytes. */
struct bits {
	uint64_t newline, high;
};

static inline AVX2 struct bits bits_at(const char *p)
{
	__m256i newline = _mm256_set1_epi8('\n'), a = load(p), b = load(p + VECTOR);
	uint32_t a_is = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(a, newline));
	uint32_t b_is = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(b, newline));
	uint32_t a_high = (uint32_t)_mm256_movemask_epi8(a);
	uint32_t b_high = (uint32_t)_mm256_movemask_epi8(b);

	return (struct bits){
	    (uint64_t)b_is << VECTOR | a_is, (uint64_t)b_high << VECTOR | a_high};
}

/* From the middle of the line outwards; near the ends of the text as without AVX2. */
HOT static AVX2 struct scan_line line_around_avx2(
    struct span text, size_t from, size_t at)
{
	size_t start = at, end = at;
	uint64_t high = 0;
	struct bits b;

	do {
		if (text.n - end < 64)
			return line_around_plain(text, from, at);
		b = bits_at(text.p + end);
		/* Up to and with the first '\n'; all, if there is none. */
		high |= b.high & (b.newline ^ (b.newline - 1));
		end += b.newline ? (size_t)__builtin_ctzll(b.newline) + 1 : 64;
	} while (!b.newline);
	do {
		if (start < 64)
			return line_around_plain(text, from, at);
		start -= 64;
		b = bits_at(text.p + start);
		if (from > start)
			b.newline |= UINT64_C(1) << (from - start - 1);
		if (b.newline) {
			size_t last = 63 - (size_t)__builtin_clzll(b.newline);

			high |= b.high >> last >> 1;
			start += last + 1;
		} else {
			high |= b.high;
		}
	} while (!b.newline);
	return (struct scan_line){span_from(text.p + start, text.p + end), !high};
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

HOT struct scan_line scan_line_around(struct span text, size_t from, size_t at)
{
	return __builtin_cpu_supports("avx2") ? line_around_avx2(text, from, at)
					      : line_around_plain(text, from, at);
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

struct scan_line scan_line_around(struct span text, size_t from, size_t at)
{
	return line_around_plain(text, from, at);
}
#endif
