/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_sieve - every line through every filter, and through the sieve in blocks: the
 * same. tests/compat/sieve.py does it with all filters of fail2ban.
 */
#include "match/sieve.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/scan.h"

#define NOW INT64_C(1795518000) /* 2026-11-24 12:00:00 in Berlin */
#define N_FILTERS 5
#define N_ROUNDS 60
#define N_LINES 400

static const char *const rejected[] = {"reject: RCPT from \\S*\\[<HOST>\\]: 55[04] ",
    "^\\s*lost connection .* from <HOST>"};
static const char *const several[] = {"begin <F-USER>\\w+</F-USER>\\n.*bad <HOST>$"};
static const char *const numbers[] = {"^\\s*\\d+ <HOST>$"}; /* no literal */
static const char *const content[] = {"^bad <HOST>", "^worse .*<HOST>"};

static const struct filter_options options[N_FILTERS] = {
    {.failregex = rejected, .n_failregex = 2},
    {.failregex = several, .n_failregex = 1, .maxlines = 4},
    {.failregex = numbers, .n_failregex = 1},
    {.prefregex = "^ prog: <F-CONTENT>.+</F-CONTENT>$",
	.failregex = content,
	.n_failregex = 2},
    {.prefregex = "^ prog: <F-CONTENT>.+</F-CONTENT>$",
	.failregex = content,
	.n_failregex = 2,
	.maxlines = 3},
};

static const char *const words[] = {"Nov 24 11:59:%02d", "2026-11-24 11:59:%02d",
    " reject: RCPT from x[192.0.2.1]: 554 ", " lost connection with from 192.0.2.2",
    "begin joe", "bad 192.0.2.3", " prog: bad 192.0.2.4", " prog: worse x 192.0.2.5",
    " prog: ", "17 192.0.2.6", "", " ", "nothing", "\xff", "reject: RC"};

static size_t draw(uint64_t *seed, size_t n)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return (size_t)(*seed >> 33) % n;
}

/* @date_in: one word that may be a date in so many is one. */
static void add_line(struct buf *b, size_t date_in, uint64_t *seed)
{
	size_t n = draw(seed, 4);

	for (size_t i = 0; i < n; i++) {
		size_t w = draw(seed, ARRAY_LEN(words));

		if (w < 2 && draw(seed, date_in))
			w += 2;

		if (w < 2)
			buf_printf(b,
			    w ? "2026-11-24 11:59:%02zu" : "Nov 24 11:59:%02zu",
			    draw(seed, 60));
		else
			buf_add_str(b, words[w]);
	}
	buf_add_char(b, '\n');
}

static void open_all(struct filter *filters[N_FILTERS])
{
	struct err e;

	for (size_t i = 0; i < N_FILTERS; i++) {
		filters[i] = filter_new(&options[i], &e);
		assert_non_null(filters[i]);
	}
}

static void free_all(struct filter *filters[N_FILTERS])
{
	for (size_t i = 0; i < N_FILTERS; i++)
		filter_free(filters[i]);
}

static struct line line_of(struct span text)
{
	return (struct line){
	    .text = text, .stamp = WALL_NONE, .read_at = wall_from_sec(NOW)};
}

/* @at: where the line stands; @end: behind its '\n', in a block. */
static void feed(struct filter *f, size_t i, size_t at, struct span text,
    const char *end, const uint64_t *rules, struct buf *told)
{
	struct line l = line_of(text);
	struct filter_failure x;
	int r;

	l.end = end;
	l.is_plain = end && text.n && scan_is_ascii(text);
	r = filter_feed(f, &l, rules, l.read_at, &x);

	assert_true(r >= 0);
	if (r == FILTER_MISS)
		return;
	buf_printf(told, "%zu at %zu: %d", i, at, r);
	if (r == FILTER_FAILURE)
		buf_printf(told, " rule %u at %lld " SPAN_FMT, x.rule,
		    (long long)x.at.us, SPAN_ARG(x.id));
	buf_add_char(told, '\n');
}

static void by_line(struct span log, struct buf *told)
{
	struct filter *filters[N_FILTERS];
	struct span rest = log, text;

	open_all(filters);
	while (span_next_line(&rest, &text)) {
		for (size_t i = 0; i < N_FILTERS; i++)
			feed(filters[i], i, (size_t)(text.p - log.p), text, NULL, NULL,
			    told);
	}
	free_all(filters);
}

/* @at: where the block stands. Whatever is read behind its end or later is noticed. */
static void feed_block(struct filter *filters[N_FILTERS], struct sieve *s, size_t at,
    struct span text, struct recent *recent, struct buf *told)
{
	struct line meta = line_of((struct span){"", 0});
	char *copy = malloc(text.n);
	const char *seen[N_FILTERS];
	const uint64_t *rules;
	struct scan_line line;
	size_t i;

	assert_non_null(copy);
	memcpy(copy, text.p, text.n);
	for (i = 0; i < N_FILTERS; i++)
		seen[i] = copy;
	sieve_begin(s, (struct span){copy, text.n});
	while (sieve_next_line(s, &line)) {
		while (sieve_next_filter(s, &i, &rules)) {
			struct span whole = line.whole;
			const char *end = whole.p + whole.n;

			filter_skip(filters[i], span_from(seen[i], whole.p), &meta,
			    meta.read_at);
			seen[i] = end;
			feed(filters[i], i, at + (size_t)(whole.p - copy),
			    (struct span){whole.p, whole.n - 1}, end, rules, told);
		}
	}
	assert_int_equal(recent_add(recent, text), 0);
	for (i = 0; i < N_FILTERS; i++) {
		filter_skip(
		    filters[i], span_from(seen[i], copy + text.n), &meta, meta.read_at);
		assert_int_equal(filter_carry(filters[i], recent), 0);
	}
	free(copy);
}

/* The blocks come from one of two groups of logs, now this, now that. */
static void by_block(struct span log, uint64_t *seed, struct buf *told)
{
	struct filter *filters[N_FILTERS];
	CLEANUP(recent_freep) struct recent *one = recent_new();
	CLEANUP(recent_freep) struct recent *other = recent_new();
	struct span rest = log, line;
	struct err e;

	open_all(filters);
	CLEANUP(sieve_freep) struct sieve *s = sieve_new(filters, N_FILTERS, &e);

	assert_non_null(s);
	assert_true(one && other);
	while (rest.n) {
		struct span block = {rest.p, 0};
		size_t n = 1 + draw(seed, draw(seed, 2) ? 3 : 100);

		while (n-- && rest.n) {
			(void)span_next_line(&rest, &line);
			block.n = (size_t)(rest.p - block.p);
		}
		feed_block(filters, s, (size_t)(block.p - log.p), block,
		    draw(seed, 8) ? one : other, told);
	}
	free_all(filters);
}

static void test_same(void **state)
{
	uint64_t seed = 20261126;
	size_t n_told = 0;

	(void)state;
	for (int round = 0; round < N_ROUNDS; round++) {
		struct buf log = BUF_INIT(1 << 20), a = BUF_INIT(1 << 20),
			   b = BUF_INIT(1 << 20);

		for (int i = 0; i < N_LINES; i++)
			add_line(&log, round % 2 ? 1 : 40, &seed);
		by_line(buf_span(&log), &a);
		by_block(buf_span(&log), &seed, &b);
		assert_string_equal(buf_str(&a), buf_str(&b));
		n_told += a.n;
		buf_deinit(&log);
		buf_deinit(&a);
		buf_deinit(&b);
	}
	assert_true(n_told > 10000);
}

/* A line without a literal is nobody's, one with a literal its regexes' alone. */
static void test_who_looks(void **state)
{
	struct filter *filters[2];
	struct scan_line line;
	const uint64_t *rules;
	struct err e;
	size_t i;

	(void)state;
	filters[0] = filter_new(&options[0], &e);
	filters[1] = NULL;
	CLEANUP(sieve_freep) struct sieve *s = sieve_new(filters, 2, &e);

	assert_non_null(s);
	assert_true(sieve_n_literals(s) >= 2);
	sieve_begin(s, SPAN("nothing here\nx lost connection y\nmore\n"));
	assert_true(sieve_next_line(s, &line));
	assert_true(span_eq(line.whole, SPAN("x lost connection y\n")));
	assert_true(sieve_next_filter(s, &i, &rules));
	assert_int_equal(i, 0);
	assert_int_equal(rules[0], 2);
	assert_false(sieve_next_filter(s, &i, &rules));
	assert_false(sieve_next_line(s, &line));
	sieve_begin(s, SPAN(""));
	assert_false(sieve_next_line(s, &line));
	filter_free(filters[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_same),
	    cmocka_unit_test(test_who_looks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
