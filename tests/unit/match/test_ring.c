/* SPDX-License-Identifier: GPL-2.0-or-later */

/* ring: which lines a match takes, what stays, and the bounds */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>

#include "match/ring.h"

static struct ring *ring_of(size_t max_lines, const char *const lines[])
{
	struct ring *r = ring_new(max_lines);

	for (size_t i = 0; lines[i]; i++)
		assert_int_equal(ring_add(r, SPAN(""), span_of(lines[i])), 0);
	return r;
}

/* Takes the part of the ring's text that reads @match; gives what was taken. */
static struct span take(
    struct ring *r, const char *match, const char *skipped, int want)
{
	struct ring_match m = {.subject = ring_text(r), .skipped = span_of(skipped)};
	struct span taken;

	m.start = (size_t)span_find(m.subject, span_of(match));
	m.end = m.start + strlen(match);
	assert_int_equal(ring_take(r, &m, &taken), want);
	return taken;
}

static void assert_text(struct span got, const char *want)
{
	if (!span_eq(got, span_of(want)))
		fail_msg("'" SPAN_FMT "' is not '%s'", SPAN_ARG(got), want);
}

static void test_add(void **state)
{
	CLEANUP(ring_freep) struct ring *r = ring_new(2);

	(void)state;
	assert_int_equal(ring_add(r, SPAN("[] "), SPAN("one")), 0);
	assert_text(ring_text(r), "[] one\n");
	assert_int_equal(ring_add(r, SPAN(""), SPAN("two")), 0);
	assert_text(ring_text(r), "[] one\ntwo\n");
	assert_int_equal(ring_add(r, SPAN(""), SPAN("three")), 0);
	assert_text(ring_text(r), "two\nthree\n");
	assert_int_equal(ring_add(r, SPAN(""), SPAN("a\nb\nc")), 0);
	assert_text(ring_text(r), "b\nc\n");
	assert_int_equal(ring_n_lines(r), 2);
	assert_int_equal(ring_reset(r, SPAN("x")), 0);
	assert_text(ring_text(r), "x\n");
	assert_int_equal(ring_n_lines(r), 1);
}

static void test_take(void **state)
{
	const char *const lines[] = {"one", "two", "three", "four", NULL};
	CLEANUP(ring_freep) struct ring *r = ring_of(10, lines);

	(void)state;
	assert_text(take(r, "wo\nth", "", 2), "two\nthree\n");
	assert_text(ring_text(r), "one\nfour\n");
	assert_text(take(r, "one\nfour\n", "", 2), "one\nfour\n");
	assert_int_equal(ring_n_lines(r), 0);
	assert_text(ring_text(r), "");
}

/* A match that begins with a newline begins in the line behind it. */
static void test_edges(void **state)
{
	const char *const lines[] = {"one", "two", "three", NULL};
	CLEANUP(ring_freep) struct ring *r = ring_of(10, lines);

	(void)state;
	assert_text(take(r, "\ntwo", "", 1), "two\n");
	assert_text(take(r, "one\n", "", 1), "one\n");
	assert_text(take(r, "", "", 1), "three\n");
}

static void test_skipped(void **state)
{
	const char *const lines[] = {"a", "x", "b", "x", "c", "x", NULL};
	CLEANUP(ring_freep) struct ring *r = ring_of(10, lines);

	(void)state;
	assert_text(take(r, "a\nx\nb\nx\nc\n", "x\nnot there\nx\n", 3), "a\nb\nc\n");
	assert_text(ring_text(r), "x\nx\nx\n");
}

/* The subject may be another text with fewer or more lines than the ring has. */
static void test_foreign_subject(void **state)
{
	const char *const lines[] = {"one", "two", NULL};
	CLEANUP(ring_freep) struct ring *r = ring_of(10, lines);
	struct ring_match m = {.subject = SPAN("a\nb\nc\nd\n"), .start = 4, .end = 7};
	struct span taken;

	(void)state;
	assert_int_equal(ring_take(r, &m, &taken), 0);
	assert_text(ring_text(r), "one\ntwo\n");
	m.start = 0;
	assert_int_equal(ring_take(r, &m, &taken), 2);
	assert_text(taken, "one\ntwo\n");
}

static void test_bytes(void **state)
{
	CLEANUP(ring_freep) struct ring *r = ring_new(RING_LINES_MAX);
	size_t n = RING_BYTES_MAX / 3;
	CLEANUP(freep) char *long_line = malloc(n);

	(void)state;
	memset(long_line, 'x', n);
	for (int i = 0; i < 10; i++)
		assert_int_equal(ring_add(r, (struct span){long_line, n}, SPAN("")), 0);
	assert_int_equal(ring_n_lines(r), 2);
	for (int i = 0; i < 2 * RING_LINES_MAX; i++)
		assert_int_equal(ring_add(r, SPAN(""), SPAN("y")), 0);
	assert_int_equal(ring_n_lines(r), RING_LINES_MAX);
	assert_int_equal(ring_text(r).n, 2 * RING_LINES_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_add),
	    cmocka_unit_test(test_take),
	    cmocka_unit_test(test_edges),
	    cmocka_unit_test(test_skipped),
	    cmocka_unit_test(test_foreign_subject),
	    cmocka_unit_test(test_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
