/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_tail - a file that grows, shrinks, is renamed, rewritten and found again
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/hash.h"
#include "source/split.h"
#include "source/tail.h"
#include "tests/unit/source/temp.h"

#define ALL SIZE_MAX

struct got {
	struct buf text; /* "number:line|" each */
	size_t n_lines;
	struct tail *tail; /* for its cursor */
	bool asks;         /* it moves with each call */
	uint64_t offset;
	uint64_t number;
};

static void on_lines(void *ctx, struct span lines, size_t n_lines)
{
	struct got *g = ctx;
	struct cursor c;
	struct span text;

	tail_cursor(g->tail, &c);
	g->number = c.lines - n_lines;
	while (span_next_line(&lines, &text)) {
		buf_printf(&g->text, "%d:" SPAN_FMT "|", (int)++g->number,
		    (int)(text.n < 40 ? text.n : 40), text.p);
		g->n_lines++;
	}
	assert_int_equal(g->number, c.lines);
	if (g->asks) {
		assert_true(c.offset > g->offset);
		g->offset = c.offset;
	}
}

static int read_lines(struct tail *t, size_t budget, struct got *g)
{
	g->tail = t;
	return tail_read(t, budget, on_lines, g);
}

static void expect(struct tail *t, int outcome, const char *lines)
{
	struct got g = {.text = BUF_INIT(1 << 20)};

	assert_int_equal(read_lines(t, ALL, &g), outcome);
	assert_string_equal(buf_str(&g.text), lines);
	buf_deinit(&g.text);
}

static struct tail *open_tail(
    struct temp *tmp, const char *name, const struct cursor *resume, bool at_end)
{
	struct tail *t =
	    tail_new(open(temp_path(tmp, name), O_RDONLY | O_CLOEXEC), resume, at_end);

	assert_non_null(t);
	return t;
}

static struct cursor cursor_of(const struct tail *t)
{
	struct cursor c;

	tail_cursor(t, &c);
	return c;
}

static void test_grows(void **state)
{
	struct tail *t;

	temp_put(*state, "log", "one\ntwo\npart");
	t = open_tail(*state, "log", NULL, false);
	expect(t, 0, "1:one|2:two|");
	expect(t, 0, "");
	temp_append(*state, "log", "ial\r\n");
	expect(t, 0, "3:partial|");
	temp_append(*state, "log", "x");
	temp_append(*state, "log", "y");
	expect(t, 0, "");
	temp_append(*state, "log", "\n");
	expect(t, 0, "4:xy|");
	assert_int_equal(cursor_of(t).lines, 4);
	assert_null(tail_free(t));
}

static void test_byte_by_byte(void **state)
{
	const char *text = "ab\n\r\n\nlast\n";
	struct got g = {.text = BUF_INIT(4096)};
	struct tail *t;

	temp_put(*state, "log", "");
	t = open_tail(*state, "log", NULL, true);
	g.asks = true;
	for (const char *p = text; *p; p++) {
		temp_write(*state, "log", O_APPEND, p, 1);
		assert_int_equal(read_lines(t, ALL, &g), 0);
	}
	assert_string_equal(buf_str(&g.text), "1:ab|2:|3:|4:last|");
	assert_int_equal(g.offset, strlen(text));
	buf_deinit(&g.text);
	tail_free(t);
}

static void test_one_byte_budget(void **state)
{
	struct got g = {.text = BUF_INIT(4096)};
	struct tail *t;
	int n_calls = 0;

	temp_put(*state, "log", "one\ntwo\n");
	t = open_tail(*state, "log", NULL, false);
	while (read_lines(t, 1, &g) == TAIL_MORE)
		n_calls++;
	assert_int_equal(n_calls, 8);
	assert_string_equal(buf_str(&g.text), "1:one|2:two|");
	buf_deinit(&g.text);
	tail_free(t);
}

static void test_big_file(void **state)
{
	struct got g = {.text = BUF_INIT(1 << 24)};
	struct buf b = BUF_INIT(1 << 24);
	struct tail *t;

	for (int i = 0; i < 30000; i++)
		buf_printf(&b, "this is line number %d\n", i);
	temp_write(*state, "log", O_TRUNC, b.p, b.n);
	t = open_tail(*state, "log", NULL, false);
	assert_int_equal(read_lines(t, 300000, &g), TAIL_MORE);
	assert_true(g.n_lines > 300000 / 30 && g.n_lines < 30000);
	assert_int_equal(read_lines(t, ALL, &g), 0);
	assert_int_equal(g.n_lines, 30000);
	assert_int_equal(cursor_of(t).offset, b.n);
	assert_non_null(strstr(buf_str(&g.text), "|30000:this is line number 29999|"));
	buf_deinit(&b);
	buf_deinit(&g.text);
	tail_free(t);
}

static void test_at_end(void **state)
{
	struct tail *t;
	char *long_line = malloc(40001);

	temp_put(*state, "log", "old\nolder\nhalf");
	t = open_tail(*state, "log", NULL, true);
	assert_int_equal(cursor_of(t).offset, 10);
	expect(t, 0, "");
	temp_append(*state, "log", " done\n");
	expect(t, 0, "1:half done|");
	tail_free(t);

	temp_put(*state, "none", "no line end at all");
	t = open_tail(*state, "none", NULL, true);
	assert_int_equal(cursor_of(t).offset, 0);
	tail_free(t);

	memset(long_line, 'x', 40000);
	long_line[40000] = '\0';
	temp_append(*state, "log", long_line);
	t = open_tail(*state, "log", NULL, true);
	assert_int_equal(cursor_of(t).offset, 20);
	tail_free(t);
	free(long_line);
}

static void test_resume(void **state)
{
	struct cursor c;
	struct tail *t;

	temp_put(*state, "log", "one\ntwo\nhalf");
	t = open_tail(*state, "log", NULL, false);
	expect(t, 0, "1:one|2:two|");
	c = cursor_of(t);
	tail_free(t);
	assert_int_equal(c.offset, 8);
	assert_int_equal(c.head_bytes, 8);
	assert_int_equal(c.head_hash, hash_stable("one\ntwo\n", 8));

	temp_append(*state, "log", " three\nfour\n");
	t = open_tail(*state, "log", &c, true);
	assert_true(tail_fits(t, &c));
	expect(t, 0, "3:half three|4:four|");
	tail_free(t);

	/* The same content elsewhere is the same log: copied, or restored. */
	temp_put(*state, "copy", "one\ntwo\nhalf three\n");
	t = open_tail(*state, "copy", &c, false);
	expect(t, 0, "3:half three|");
	tail_free(t);
}

static void test_resume_refused(void **state)
{
	struct cursor good, bad;
	struct tail *t;

	temp_put(*state, "log", "one\ntwo\n");
	t = open_tail(*state, "log", NULL, false);
	expect(t, 0, "1:one|2:two|");
	good = cursor_of(t);
	assert_true(tail_fits(t, &good));
	bad = good;
	bad.offset = 9;
	assert_false(tail_fits(t, &bad));
	bad = good;
	bad.head_hash++;
	assert_false(tail_fits(t, &bad));
	bad = good;
	bad.head_bytes = 0;
	assert_false(tail_fits(t, &bad));
	bad = good;
	bad.head_bytes = CURSOR_HEAD_MAX + 1;
	assert_false(tail_fits(t, &bad));
	bad = (struct cursor){.offset = 5, .head_bytes = 4};
	bad.head_hash = hash_stable("one\n", 4);
	assert_false(tail_fits(t, &bad)); /* amid a line */
	bad.offset = 4;
	assert_true(tail_fits(t, &bad));
	assert_true(tail_fits(t, &(struct cursor){0}));
	tail_free(t);

	temp_put(*state, "log", "ONE\ntwo\nthree\n");
	t = open_tail(*state, "log", &good, false);
	expect(t, 0, "1:ONE|2:two|3:three|");
	tail_free(t);
	t = open_tail(*state, "log", &good, true);
	expect(t, 0, "");
	tail_free(t);
}

static void test_truncated(void **state)
{
	struct tail *t;

	temp_put(*state, "log", "one\ntwo\nhalf");
	t = open_tail(*state, "log", NULL, false);
	expect(t, 0, "1:one|2:two|");
	temp_put(*state, "log", "");
	expect(t, TAIL_RESTARTED, "");
	expect(t, 0, "");
	temp_append(*state, "log", "new\n");
	expect(t, 0, "1:new|");
	temp_put(*state, "log", "n\n");
	expect(t, TAIL_RESTARTED, "1:n|");
	tail_free(t);
}

static void test_rewritten_and_grown(void **state)
{
	struct tail *t;

	temp_put(*state, "log", "one\ntwo\n");
	t = open_tail(*state, "log", NULL, false);
	expect(t, 0, "1:one|2:two|");
	temp_put(*state, "log", "ein\nzwei\ndrei\nvier\n"); /* longer than before */
	expect(t, TAIL_RESTARTED, "1:ein|2:zwei|3:drei|4:vier|");
	temp_put(*state, "log", "EIN\nzwei\ndrei\nvier\n"); /* just as long */
	expect(t, TAIL_RESTARTED, "1:EIN|2:zwei|3:drei|4:vier|");
	expect(t, 0, "");
	tail_free(t);
}

static void test_rewritten_before_a_line_was_whole(void **state)
{
	struct tail *t;

	temp_put(*state, "log", "hal");
	t = open_tail(*state, "log", NULL, false);
	expect(t, 0, "");
	assert_int_equal(cursor_of(t).head_bytes, 0);
	temp_put(*state, "log", "another\n");
	expect(t, TAIL_RESTARTED, "1:another|");
	tail_free(t);
}

static void test_head_grows(void **state)
{
	char line[65] = "";
	struct tail *t;

	memset(line, 'a', 63);
	line[63] = '\n';
	temp_put(*state, "log", "");
	t = open_tail(*state, "log", NULL, false);
	for (uint32_t i = 1; i <= 6; i++) {
		struct cursor c;

		temp_append(*state, "log", line);
		assert_true(read_lines(t, ALL, &(struct got){0}) == 0);
		c = cursor_of(t);
		assert_int_equal(c.offset, i * 64);
		assert_int_equal(c.head_bytes, i < 4 ? i * 64 : CURSOR_HEAD_MAX);
		assert_true(tail_fits(t, &c));
	}
	tail_free(t);
}

static void test_renamed_and_deleted(void **state)
{
	struct tail *t;

	temp_put(*state, "log", "one\n");
	t = open_tail(*state, "log", NULL, false);
	expect(t, 0, "1:one|");
	temp_rename(*state, "log", "log.1");
	temp_append(*state, "log.1", "two\n");
	temp_put(*state, "log", "other\n");
	expect(t, 0, "2:two|");
	temp_append(*state, "log.1", "three\n");
	temp_unlink(*state, "log.1");
	expect(t, 0, "3:three|");
	tail_free(t);
}

static void test_line_over_cap(void **state)
{
	size_t n = SPLIT_LINE_CAP * 3;
	char *x = malloc(n);
	struct got g = {.text = BUF_INIT(1 << 20)};
	struct tail *t;

	memset(x, 'x', n);
	temp_write(*state, "log", O_TRUNC, x, n);
	t = open_tail(*state, "log", NULL, false);
	expect(t, 0, "");
	assert_int_equal(cursor_of(t).offset, 0);
	temp_write(*state, "log", O_APPEND, x, n);
	expect(t, 0, "");
	temp_append(*state, "log", "\nnext\n");
	assert_int_equal(read_lines(t, ALL, &g), 0);
	assert_int_equal(g.n_lines, 2);
	assert_non_null(strstr(buf_str(&g.text), "|2:next|"));
	assert_int_equal(tail_n_cut(t), 1);
	assert_int_equal(cursor_of(t).offset, 2 * n + 6);
	buf_deinit(&g.text);
	tail_free(t);
	free(x);
}

static void test_nul_bytes(void **state)
{
	struct got g = {.text = BUF_INIT(4096)};
	struct tail *t;

	temp_write(*state, "log", O_TRUNC, "a\0b\n\0\0\nc\n", 9);
	t = open_tail(*state, "log", NULL, false);
	assert_int_equal(read_lines(t, ALL, &g), 0);
	assert_int_equal(g.n_lines, 3);
	assert_int_equal(cursor_of(t).offset, 9);
	buf_deinit(&g.text);
	tail_free(t);
}

static void test_refused(void **state)
{
	int fd = open(temp_path(*state, "."), O_RDONLY | O_DIRECTORY);

	assert_null(tail_new(fd, NULL, false));
	assert_int_equal(errno, EINVAL);
	assert_int_equal(fcntl(fd, F_GETFD), -1); /* owned also on failure */
	assert_null(tail_new(-1, NULL, false));
	assert_int_equal(errno, EBADF);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(fn) cmocka_unit_test_setup_teardown(fn, temp_setup, temp_teardown)
	    T(test_grows),
	    T(test_byte_by_byte),
	    T(test_one_byte_budget),
	    T(test_big_file),
	    T(test_at_end),
	    T(test_resume),
	    T(test_resume_refused),
	    T(test_truncated),
	    T(test_rewritten_and_grown),
	    T(test_rewritten_before_a_line_was_whole),
	    T(test_head_grows),
	    T(test_renamed_and_deleted),
	    T(test_line_over_cap),
	    T(test_nul_bytes),
	    T(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
