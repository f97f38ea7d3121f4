/* SPDX-License-Identifier: GPL-2.0-or-later */

/* scan: the same answers at any size, place and content, and nothing read beside it */

#include "base/scan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdlib.h>

#include "base/cleanup.h"

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

static void line_is(
    struct span text, size_t from, size_t at, size_t start, size_t end, bool is_ascii)
{
	struct scan_line line = scan_line_around(text, from, at);

	assert_ptr_equal(line.whole.p, text.p + start);
	assert_int_equal(line.whole.n, end - start);
	assert_int_equal(line.is_ascii, is_ascii);
}

/* Three lines, the one in the middle @n bytes long; beside it are bytes above 127. */
static void finds_the_line_around(void **state)
{
	static const size_t sides[] = {1, 2, 63, 64, 65, 200};

	(void)state;
	for (size_t n = 1; n < 300; n++) {
		for (size_t k = 0; k < ARRAY_LEN(sides); k++) {
			size_t side = sides[k], start = side, end = side + n;
			char *text = malloc(2 * side + n); /* of exact size */
			struct span all = {text, 2 * side + n};

			assert_non_null(text);
			memset(text, '\xe4', all.n);
			memset(text + start, 'x', n);
			text[start - 1] = text[end - 1] = '\n';
			for (size_t at = start; at < end; at++) {
				line_is(all, 0, at, start, end, true);
				line_is(all, start, at, start, end, true);
			}
			for (size_t i = start; i < end - 1; i++) {
				text[i] = '\x80';
				line_is(all, 0, start + i % n, start, end, false);
				line_is(all, start, start, start, end, false);
				line_is(all, i + 1, end - 1, i + 1, end, true);
				text[i] = 'x';
			}
			free(text);
		}
	}
	line_is(SPAN("abc"), 0, 1, 0, 3, true);
	line_is(SPAN("\n\n"), 0, 1, 1, 2, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(counts_lines),
	    cmocka_unit_test(counts_many_lines),
	    cmocka_unit_test(knows_ascii),
	    cmocka_unit_test(finds_the_line_around),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
