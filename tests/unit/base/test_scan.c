/* SPDX-License-Identifier: GPL-2.0-or-later */

/* scan: the same answers at any size, place and content, and nothing read beside it */

#include "base/scan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdlib.h>

static void counts_lines(void **state)
{
	(void)state;
	assert_int_equal(scan_count_lines(SPAN("")), 0);
	assert_int_equal(scan_count_lines(SPAN("a")), 0);
	assert_int_equal(scan_count_lines(SPAN("\na\n\n")), 3);
	for (size_t n = 0; n < 1000; n++) {
		char *text = malloc(n + !n); /* of exact size, for the sanitizer */
		size_t want = 0;

		assert_non_null(text);
		for (size_t i = 0; i < n; i++) {
			text[i] = i * 7 % 11 == 3 ? '\n' : i % 5 ? '\x8a' : 'x';
			want += text[i] == '\n';
		}
		assert_int_equal(scan_count_lines((struct span){text, n}), want);
		free(text);
	}
}

/* More than a byte can count in each of its counters. */
static void counts_many_lines(void **state)
{
	size_t n = 200000;
	char *text = malloc(n);

	(void)state;
	assert_non_null(text);
	memset(text, '\n', n);
	assert_int_equal(scan_count_lines((struct span){text, n}), n);
	free(text);
}

static void knows_ascii(void **state)
{
	(void)state;
	assert_true(scan_is_ascii(SPAN("")));
	assert_true(scan_is_ascii(SPAN("a\0\x7f")));
	assert_false(scan_is_ascii(SPAN("\x80")));
	for (size_t n = 1; n < 400; n++) {
		char *text = calloc(n, 1);

		assert_non_null(text);
		assert_true(scan_is_ascii((struct span){text, n}));
		for (size_t i = 0; i < n; i++) {
			text[i] = '\xff';
			assert_false(scan_is_ascii((struct span){text, n}));
			text[i] = '\x7f';
		}
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(counts_lines),
	    cmocka_unit_test(counts_many_lines),
	    cmocka_unit_test(knows_ascii),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
