/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_recent - what is kept of many lines, and for how long
 */
#include "match/recent.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void add(struct recent *r, const char *text)
{
	assert_int_equal(recent_add(r, span_of(text)), 0);
}

static void assert_part(
    const struct recent *r, uint64_t from, uint64_t to, const char *want)
{
	struct span part = recent_part(r, from, to);

	assert_int_equal(part.n, strlen(want));
	assert_memory_equal(part.p, want, part.n);
}

static void test_parts(void **state)
{
	CLEANUP(recent_freep) struct recent *r = recent_new();

	(void)state;
	assert_non_null(r);
	assert_part(r, 0, 0, "");
	add(r, "one\ntwo\n");
	add(r, "");
	add(r, "three\n");
	assert_int_equal(r->end, 14);
	assert_part(r, 0, 14, "one\ntwo\nthree\n");
	assert_part(r, 4, 8, "two\n");
	assert_part(r, 14, 14, "");
	assert_part(r, 8, 15, "");
}

/* Line by line and in blocks of all sizes: the last lines are there, and not many more.
 */
static void test_last_lines(void **state)
{
	enum { N = 5000, LINE = 10 };
	struct buf all = BUF_INIT(N * LINE);
	CLEANUP(recent_freep) struct recent *r = recent_new();
	size_t at = 0, n = 1;

	(void)state;
	for (int i = 0; i < N; i++)
		buf_printf(&all, "line %04d\n", i);
	assert_non_null(r);
	for (; at < N; n = n % 90 + 1) {
		size_t n_lines = n < N - at ? n : N - at;
		size_t n_kept;

		assert_int_equal(
		    recent_add(r, (struct span){all.p + at * LINE, n_lines * LINE}), 0);
		at += n_lines;
		struct span kept = recent_part(r, 0, r->end);

		n_kept = kept.n / LINE;
		assert_true(n_kept >= (at < RECENT_LINES ? at : RECENT_LINES));
		assert_true(kept.n < 32 * 1024);
		assert_memory_equal(kept.p, all.p + (at - n_kept) * LINE, kept.n);
	}
	buf_deinit(&all);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_parts),
	    cmocka_unit_test(test_last_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
