/* SPDX-License-Identifier: GPL-2.0-or-later */

/* scanner: each kind finds what a naive search finds, and reads nothing else */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "match/scanner.h"
#include "naive_scan.h"

#define MANY 4096

static const enum scanner_kind kinds[] = {
    SCANNER_BEST, SCANNER_PORTABLE, SCANNER_AVX2, SCANNER_AVX512, SCANNER_VECTORSCAN};

/* A page that ends where reading must end, and begins where it must begin. */
struct page {
	char *p;
	size_t n;
};

static struct page page_new(void)
{
	size_t n = (size_t)sysconf(_SC_PAGESIZE);
	char *p = mmap(NULL, 3 * n, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	assert_true(p != MAP_FAILED);
	assert_int_equal(mprotect(p + n, n, PROT_READ | PROT_WRITE), 0);
	return (struct page){p + n, n};
}

static void page_free(struct page p)
{
	munmap(p.p - p.n, 3 * p.n);
}

static uint32_t next_random(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

/* All kinds that are here, with an array of so few hits that it fills in the middle. */
static void agree(const struct scanner_literal *l, size_t n, struct span text)
{
	static struct scan_hit want[MANY], got[MANY];
	size_t n_want = naive_scan(l, n, text, 0, want, MANY);

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		struct err e;
		CLEANUP(scanner_freep)
		struct scanner *s = scanner_new(l, n, kinds[i], &e);

		if (!s) {
			assert_int_equal(errno, ENOTSUP);
			continue;
		}
		for (size_t more = 0; more < 3; more++) {
			size_t n_got = scan_all(s, text, 0,
			    scanner_hits_min(s) + more * more * 20, got, MANY);

			assert_int_equal(n_got, n_want);
			assert_memory_equal(got, want, n_want * sizeof(*want));
		}
	}
}

static void finds_what_is_there(void **state)
{
	const struct scanner_literal l[] = {
	    {SPAN("reject: RCPT"), false},
	    {SPAN("SASL "), false},
	    {SPAN("failed"), true},
	    {SPAN("ect: "), false},
	    {SPAN("reject"), false},
	};
	struct span text =
	    SPAN("x: reject: RCPT from\nSASL FAILED\nSASl fAiled reject");
	static const struct scan_hit want[] = {
	    {3, 0}, {3, 4}, {6, 3}, {21, 1}, {26, 2}, {38, 2}, {45, 4}};
	struct scan_hit hits[20];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		struct err e;
		CLEANUP(scanner_freep)
		struct scanner *s = scanner_new(l, ARRAY_LEN(l), kinds[i], &e);

		if (!s)
			continue;
		assert_int_equal(scan_all(s, text, 0, 20, hits, 20), ARRAY_LEN(want));
		assert_memory_equal(hits, want, sizeof(want));
		/* From a line on: nothing of the line before. */
		assert_int_equal(scan_all(s, text, 21, 20, hits, 20), 4);
		assert_memory_equal(hits, want + 3, 4 * sizeof(*want));
	}
}

static void has_a_name(void **state)
{
	const struct scanner_literal l = {SPAN("some"), false};
	struct err e;

	(void)state;
	CLEANUP(scanner_freep)
	struct scanner *s = scanner_new(&l, 1, SCANNER_PORTABLE, &e);
	CLEANUP(scanner_freep)
	struct scanner *best = scanner_new(&l, 1, SCANNER_BEST, &e);

	assert_non_null(s);
	assert_non_null(best);
	assert_string_equal(scanner_name(s), "portable");
#ifdef __x86_64__
	if (__builtin_cpu_supports("avx2"))
		assert_string_not_equal(scanner_name(best), "portable");
#endif
}

static void refuses_what_is_no_literal(void **state)
{
	static const struct scanner_literal bad[] = {
	    {{"", 0}, false},
	    {SPAN("a"), false},
	    {SPAN("123456789 123456789 123456789 123"), false},
	    {SPAN("a\nb"), false},
	    {SPAN("a\0b"), false},
	    {SPAN("a\xc3"), false},
	};
	static struct scanner_literal many[SCANNER_LITERALS_MAX + 1];
	struct err e;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_null(scanner_new(&bad[i], 1, SCANNER_BEST, &e));
		assert_int_equal(errno, EINVAL);
	}
	for (size_t i = 0; i < ARRAY_LEN(many); i++)
		many[i].text = SPAN("same text");
	assert_null(scanner_new(many, ARRAY_LEN(many), SCANNER_BEST, &e));
	assert_int_equal(errno, E2BIG);
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		CLEANUP(scanner_freep)
		struct scanner *s =
		    scanner_new(many, SCANNER_LITERALS_MAX, kinds[i], &e);

		if (s)
			assert_in_range(
			    scanner_hits_min(s), 1, 8 * SCANNER_LITERALS_MAX);
	}
}

static void finds_nothing_for_nothing(void **state)
{
	struct scan_hit hit;

	(void)state;
	agree(NULL, 0, SPAN("some text"));
	agree(NULL, 0, SPAN(""));
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		struct err e;
		CLEANUP(scanner_freep)
		struct scanner *s = scanner_new(NULL, 0, kinds[i], &e);
		size_t from = 2;

		if (!s)
			continue;
		assert_int_equal(scanner_find(s, SPAN("text"), &from, &hit, 1), 0);
		assert_int_equal(from, 4);
	}
}

/* Texts of every size up to some blocks, at the end and at the beginning of a page. */
static void reads_nothing_beside_the_text(void **state)
{
	const struct scanner_literal l[] = {
	    {SPAN("ab"), false},
	    {SPAN("bca"), true},
	    {SPAN("abcabcabcabcabcabcabcabcabcabcab"), false},
	};
	struct page page = page_new();

	(void)state;
	for (size_t n_literals = 1; n_literals <= ARRAY_LEN(l); n_literals++) {
		for (size_t n = 0; n <= 300; n++) {
			for (size_t i = 0; i < page.n; i++)
				page.p[i] = "abc"[i % 3];
			agree(l, n_literals, (struct span){page.p, n});
			agree(l, n_literals, (struct span){page.p + page.n - n, n});
		}
	}
	page_free(page);
}

struct game {
	char bytes[8][SCANNER_LITERAL_BYTES_MAX];
	struct scanner_literal l[8];
	size_t n;
};

static char letter(uint32_t *r, bool is_literal)
{
	static const char some[] = "abAB ab.1";
	static const char rare[] = "\xe1\xc2\n\0\x7f\x01\x21\xe2\xa0";
	const char *from = !is_literal && next_random(r) % 8 == 0 ? rare : some;

	return from[next_random(r) % (sizeof(some) - 1)];
}

static void deal(struct game *g, uint32_t *r)
{
	static const size_t shortest[] = {2, 3, 4, 7, 12};
	size_t least = shortest[next_random(r) % ARRAY_LEN(shortest)];

	g->n = 1 + next_random(r) % ARRAY_LEN(g->l);
	for (size_t i = 0; i < g->n; i++) {
		size_t n = least + next_random(r) % 6;

		for (size_t k = 0; k < n; k++)
			g->bytes[i][k] = letter(r, true);
		/* Often the beginning of another. */
		if (i > 0 && next_random(r) % 3 == 0)
			memcpy(g->bytes[i], g->bytes[i - 1], n);
		g->l[i] =
		    (struct scanner_literal){{g->bytes[i], n}, next_random(r) % 2 == 0};
		for (size_t k = 0; k < n; k++)
			g->bytes[i][k] += g->bytes[i][k] ? 0 : 'a';
	}
}

static size_t fill(const struct game *g, char *p, size_t n, uint32_t *r)
{
	for (size_t i = 0; i < n; i++)
		p[i] = letter(r, false);
	/* Some of the literals, the last of them at the very end. */
	for (size_t i = 0; i < n / 20 + 1; i++) {
		struct span text = g->l[next_random(r) % g->n].text;

		if (text.n > n)
			continue;
		memcpy(p + (i == 0 ? n - text.n : next_random(r) % (n - text.n + 1)),
		    text.p, text.n);
	}
	return n;
}

static void agrees_with_the_naive_search(void **state)
{
	struct page page = page_new();
	uint32_t r = 2463534242;
	struct game g = {0};

	(void)state;
	for (int i = 0; i < 1500; i++) {
		size_t n = next_random(&r) % 400;

		deal(&g, &r);
		fill(&g, page.p + page.n - n, n, &r);
		agree(g.l, g.n, (struct span){page.p + page.n - n, n});
	}
	page_free(page);
}

/* More literals than a bucket or a slot each, over several chunks. */
static void finds_many_literals(void **state)
{
	static char bytes[300][12], text[20000];
	static struct scanner_literal l[300];
	uint32_t r = 88172645;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(l); i++) {
		size_t n = 4 + next_random(&r) % 8;

		for (size_t k = 0; k < n; k++)
			bytes[i][k] = (char)('a' + next_random(&r) % 20);
		l[i] = (struct scanner_literal){{bytes[i], n}, i % 3 == 0};
	}
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = i % 150 == 149 ? '\n' : (char)('a' + next_random(&r) % 20);
	for (size_t i = 0; i < 500; i++) {
		struct span one = l[next_random(&r) % ARRAY_LEN(l)].text;

		memcpy(text + next_random(&r) % (sizeof(text) - one.n), one.p, one.n);
	}
	agree(l, ARRAY_LEN(l), (struct span){text, sizeof(text)});
}

/* All hits of a line come before those of the next. */
static void goes_line_by_line(void **state)
{
	const struct scanner_literal l[] = {
	    {SPAN("abcdefghijklmnopqrstuvwxyz"), false},
	    {SPAN("yz"), false},
	    {SPAN("bc"), false},
	};
	struct span line = SPAN("abcdefghijklmnopqrstuvwxyz\nbc yz\n");
	char text[4000];
	struct scan_hit hits[1000];

	(void)state;
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = line.p[i % line.n];
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		struct err e;
		CLEANUP(scanner_freep)
		struct scanner *s = scanner_new(l, ARRAY_LEN(l), kinds[i], &e);
		size_t from = 0, end = 0;

		if (!s)
			continue;
		size_t n = scanner_find(
		    s, (struct span){text, sizeof(text)}, &from, hits, 1000);

		assert_int_equal(from, sizeof(text));
		for (size_t k = 0; k < n; k++) {
			assert_true(k == 0 || hits[k].at >= end ||
				    !memchr(text + hits[k].at, '\n', end - hits[k].at));
			end = hits[k].at;
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(finds_what_is_there),
	    cmocka_unit_test(has_a_name),
	    cmocka_unit_test(refuses_what_is_no_literal),
	    cmocka_unit_test(finds_nothing_for_nothing),
	    cmocka_unit_test(reads_nothing_beside_the_text),
	    cmocka_unit_test(agrees_with_the_naive_search),
	    cmocka_unit_test(finds_many_literals),
	    cmocka_unit_test(goes_line_by_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
