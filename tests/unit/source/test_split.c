/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_split - lines out of bytes, however the bytes come
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "source/split.h"

struct got {
	struct buf text; /* "line|" each, NUL shown as 0 */
	size_t bytes;
	size_t n_lines;
	struct span last;
};

static void on_line(void *ctx, struct span text, size_t whole_bytes)
{
	struct got *g = ctx;

	for (size_t i = 0; i < text.n; i++)
		buf_add_char(&g->text, text.p[i] ? text.p[i] : '0');
	buf_add_char(&g->text, '|');
	g->bytes += whole_bytes;
	g->n_lines++;
	g->last = text;
}

static void feed_by(struct split *s, struct got *g, struct span in, size_t step)
{
	for (size_t i = 0; i < in.n; i += step) {
		size_t n = in.n - i < step ? in.n - i : step;
		/* A copy of exact size, so that reading beyond it is noticed. */
		char *copy = malloc(n);

		memcpy(copy, in.p + i, n);
		assert_int_equal(split_feed(s, (struct span){copy, n}, on_line, g), 0);
		free(copy);
	}
}

static void on_run(void *ctx, struct span lines, size_t n_lines, size_t whole_bytes)
{
	struct got *g = ctx;
	size_t before = g->n_lines;
	struct span line;

	assert_int_equal(lines.p[lines.n - 1], '\n');
	while (span_next_line(&lines, &line))
		on_line(g, line, 0);
	assert_int_equal(g->n_lines - before, n_lines);
	g->bytes += whole_bytes;
}

/* The same input as runs. */
static void check_runs(struct span in, size_t cap, size_t step, const char *lines,
    const char *rest, uint64_t n_cut)
{
	struct split *s = split_new(cap);
	struct got g = {.text = BUF_INIT(65536)};

	for (size_t i = 0; i < in.n; i += step) {
		size_t n = in.n - i < step ? in.n - i : step;
		char *copy = malloc(n);

		memcpy(copy, in.p + i, n);
		split_feed_runs(s, (struct span){copy, n}, on_run, &g);
		free(copy);
	}
	assert_string_equal(buf_str(&g.text), lines);
	assert_int_equal(g.bytes + split_pending_bytes(s), in.n);
	buf_clear(&g.text);
	split_finish_runs(s, on_run, &g);
	assert_string_equal(buf_str(&g.text), rest);
	assert_int_equal(split_n_cut(s), n_cut);
	split_free(s);
	buf_deinit(&g.text);
}

static void check(
    struct span in, size_t cap, const char *lines, const char *rest, uint64_t n_cut)
{
	for (size_t step = 1; step <= in.n; step++) {
		struct split *s = split_new(cap);
		struct got g = {.text = BUF_INIT(65536)};

		check_runs(in, cap, step, lines, rest, n_cut);
		feed_by(s, &g, in, step);
		assert_string_equal(buf_str(&g.text), lines);
		assert_int_equal(g.bytes + split_pending_bytes(s), in.n);
		buf_clear(&g.text);
		split_finish(s, on_line, &g);
		assert_string_equal(buf_str(&g.text), rest);
		assert_int_equal(g.bytes, in.n);
		assert_int_equal(split_pending_bytes(s), 0);
		assert_int_equal(split_n_cut(s), n_cut);
		buf_deinit(&g.text);
		assert_null(split_free(s));
	}
}

static void test_line_ends(void **state)
{
	(void)state;
	check(SPAN("one\ntwo\r\nthree\n"), 100, "one|two|three|", "", 0);
	check(SPAN("\n\r\n\n"), 100, "|||", "", 0);
	check(SPAN("a\rb\r\r\nc"), 100, "a\rb\r|", "c|", 0);
	check(SPAN("no end"), 100, "", "no end|", 0);
	check(SPAN("no end\r"), 100, "", "no end|", 0);
}

static void test_any_byte(void **state)
{
	(void)state;
	check(SPAN("a\0b\n\0\n\xff\xfe\n"), 100, "a0b|0|\xff\xfe|", "", 0);
}

static void test_cap(void **state)
{
	(void)state;
	check(SPAN("1234\n"), 4, "1234|", "", 0);
	check(SPAN("1234\r\n"), 4, "1234|", "", 0);
	check(SPAN("12345\n"), 4, "1234|", "", 1);
	check(SPAN("1234\rx\n"), 4, "1234|", "", 1);
	check(SPAN("12345678901234567890\nab\n123456\r\n"), 4, "1234|ab|1234|", "", 2);
	check(SPAN("ab\n123456"), 4, "ab|", "1234|", 1);
	check(SPAN("1\n\n22\n"), 1, "1||2|", "", 1);
}

static void test_default_cap(void **state)
{
	struct split *s = split_new(0);
	struct got g = {.text = BUF_INIT(65536)};
	char *in = malloc(SPLIT_LINE_CAP + 2);

	(void)state;
	memset(in, 'x', SPLIT_LINE_CAP + 1);
	in[SPLIT_LINE_CAP + 1] = '\n';
	split_feed(s, (struct span){in + 1, SPLIT_LINE_CAP + 1}, on_line, &g);
	assert_int_equal(g.last.n, SPLIT_LINE_CAP);
	assert_int_equal(split_n_cut(s), 0);
	split_feed(s, (struct span){in, SPLIT_LINE_CAP + 2}, on_line, &g);
	assert_int_equal(g.last.n, SPLIT_LINE_CAP);
	assert_int_equal(split_n_cut(s), 1);
	free(in);
	buf_deinit(&g.text);
	split_free(s);
}

static void test_not_copied(void **state)
{
	struct split *s = split_new(0);
	struct got g = {.text = BUF_INIT(65536)};
	struct span in = SPAN("first\nsecond\n");

	(void)state;
	split_feed(s, in, on_line, &g);
	assert_ptr_equal(g.last.p, in.p + 6);
	buf_deinit(&g.text);
	split_free(s);
}

static void test_reset(void **state)
{
	struct split *s = split_new(4);
	struct got g = {.text = BUF_INIT(65536)};

	(void)state;
	split_feed(s, SPAN("half of a lo"), on_line, &g);
	assert_int_equal(split_pending_bytes(s), 12);
	split_reset(s);
	assert_int_equal(split_pending_bytes(s), 0);
	split_feed(s, SPAN(""), on_line, &g);
	split_feed(s, SPAN("new\n"), on_line, &g);
	assert_string_equal(buf_str(&g.text), "new|");
	assert_int_equal(split_n_cut(s), 0);
	buf_deinit(&g.text);
	split_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_line_ends),
	    cmocka_unit_test(test_any_byte),
	    cmocka_unit_test(test_cap),
	    cmocka_unit_test(test_default_cap),
	    cmocka_unit_test(test_not_copied),
	    cmocka_unit_test(test_reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
