/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>

static const struct span empty = {NULL, 0};

static void compares(void **state)
{
	(void)state;
	assert_true(span_eq(SPAN("ab"), SPAN("ab")));
	assert_false(span_eq(SPAN("ab"), SPAN("aB")));
	assert_false(span_eq(SPAN("ab"), SPAN("abc")));
	assert_true(span_eq(empty, SPAN("")));
	assert_true(span_eq(SPAN("a\0b"), SPAN("a\0b")));
	assert_false(span_eq(SPAN("a\0b"), SPAN("a\0c")));
	assert_true(span_eq_nocase(SPAN("aZ@["), SPAN("Az@[")));
	assert_false(span_eq_nocase(SPAN("@"), SPAN("`")));
	assert_false(span_eq_nocase(SPAN("["), SPAN("{")));
	assert_false(span_eq_nocase(SPAN("\xc4"), SPAN("\xe4")));
	assert_false(span_eq_nocase(SPAN("a"), SPAN("")));
	assert_true(span_eq(span_of(NULL), empty));
	assert_true(span_eq(span_of("x"), SPAN("x")));
}

static void starts_and_ends(void **state)
{
	(void)state;
	assert_true(span_starts(SPAN("abc"), SPAN("ab")));
	assert_true(span_starts(SPAN("abc"), SPAN("abc")));
	assert_false(span_starts(SPAN("ab"), SPAN("abc")));
	assert_true(span_starts(SPAN("ab"), SPAN("")));
	assert_true(span_starts(empty, empty));
	assert_true(span_ends(SPAN("abc"), SPAN("bc")));
	assert_true(span_ends(SPAN("abc"), SPAN("abc")));
	assert_false(span_ends(SPAN("bc"), SPAN("abc")));
	assert_false(span_ends(SPAN("abc"), SPAN("ab")));
	assert_true(span_ends(SPAN("abc"), SPAN("")));
}

static void skips_and_trims(void **state)
{
	(void)state;
	assert_true(span_eq(span_skip(SPAN("abc"), 1), SPAN("bc")));
	assert_true(span_eq(span_skip(SPAN("abc"), 3), SPAN("")));
	assert_true(span_eq(span_skip(SPAN("abc"), 9), SPAN("")));
	assert_true(span_eq(span_trim(SPAN(" \t\r\n\v\fa b \n")), SPAN("a b")));
	assert_true(span_eq(span_trim(SPAN(" \n ")), SPAN("")));
	assert_true(span_eq(span_trim(SPAN("")), SPAN("")));
	assert_true(span_eq(span_trim(empty), empty));
	/* Neither a NUL nor the no-break space of Latin-1 is a blank. */
	assert_true(span_eq(span_trim(SPAN("\0x\xa0")), SPAN("\0x\xa0")));
}

static void finds(void **state)
{
	(void)state;
	assert_int_equal(span_index(SPAN("abca"), 'a'), 0);
	assert_int_equal(span_index(SPAN("abca"), 'c'), 2);
	assert_int_equal(span_index(SPAN("abca"), 'x'), -1);
	assert_int_equal(span_index(SPAN("ab\0c"), '\0'), 2);
	assert_int_equal(span_index(empty, '\0'), -1);
	assert_int_equal(span_find(SPAN("abcabd"), SPAN("abd")), 3);
	assert_int_equal(span_find(SPAN("abc"), SPAN("abc")), 0);
	assert_int_equal(span_find(SPAN("abc"), SPAN("abcd")), -1);
	assert_int_equal(span_find(SPAN("abc"), SPAN("")), 0);
	assert_int_equal(span_find(empty, SPAN("")), 0);
	assert_int_equal(span_find(empty, SPAN("a")), -1);
	assert_int_equal(span_find(SPAN("a\0bc"), SPAN("\0b")), 1);
}

static void cuts_words(void **state)
{
	struct span rest = SPAN(" one,,two\tthree "), word = SPAN("untouched");

	(void)state;
	assert_true(span_next_word(&rest, ",", &word));
	assert_true(span_eq(word, SPAN("one")));
	assert_true(span_next_word(&rest, ",", &word));
	assert_true(span_eq(word, SPAN("two")));
	assert_true(span_next_word(&rest, ",", &word));
	assert_true(span_eq(word, SPAN("three")));
	assert_false(span_next_word(&rest, ",", &word));
	assert_true(span_eq(word, SPAN("three")));
	assert_int_equal(rest.n, 0);

	rest = SPAN("a\0b");
	assert_true(span_next_word(&rest, ",", &word));
	assert_true(span_eq(word, SPAN("a\0b")));
	rest = SPAN(" , ");
	assert_false(span_next_word(&rest, ",", &word));
	assert_int_equal(rest.n, 0);
	rest = SPAN("a,b");
	assert_true(span_next_word(&rest, "", &word));
	assert_true(span_eq(word, SPAN("a,b")));
}

static void cuts_lines(void **state)
{
	struct span rest = SPAN("a\r\n\nb\rc\n\r\nlast\r"), line;

	(void)state;
	assert_true(span_next_line(&rest, &line));
	assert_true(span_eq(line, SPAN("a")));
	assert_true(span_next_line(&rest, &line));
	assert_true(span_eq(line, SPAN("")));
	assert_true(span_next_line(&rest, &line));
	assert_true(span_eq(line, SPAN("b\rc")));
	assert_true(span_next_line(&rest, &line));
	assert_true(span_eq(line, SPAN("")));
	assert_true(span_next_line(&rest, &line));
	assert_true(span_eq(line, SPAN("last\r")));
	assert_false(span_next_line(&rest, &line));
}

static void cuts_whole_lines(void **state)
{
	struct span rest = SPAN("a\r\n\nlast"), line;

	(void)state;
	assert_true(span_next_whole_line(&rest, &line));
	assert_true(span_eq(line, SPAN("a\r\n")));
	assert_true(span_next_whole_line(&rest, &line));
	assert_true(span_eq(line, SPAN("\n")));
	assert_true(span_next_whole_line(&rest, &line));
	assert_true(span_eq(line, SPAN("last")));
	assert_false(span_next_whole_line(&rest, &line));
}

static void reads_numbers(void **state)
{
	static const struct {
		const char *text;
		int r;
		int64_t value;
	} cases[] = {
	    {"0", 0, 0},
	    {"-0", 0, 0},
	    {"+7", 0, 7},
	    {"007", 0, 7},
	    {"9223372036854775807", 0, INT64_MAX},
	    {"-9223372036854775808", 0, INT64_MIN},
	    {"9223372036854775808", -ERANGE, 0},
	    {"-9223372036854775809", -ERANGE, 0},
	    {"99999999999999999999999999", -ERANGE, 0},
	    {"99999999999999999999999999x", -EINVAL, 0},
	    {"", -EINVAL, 0},
	    {"-", -EINVAL, 0},
	    {"+-1", -EINVAL, 0},
	    {" 1", -EINVAL, 0},
	    {"1 ", -EINVAL, 0},
	    {"0x1", -EINVAL, 0},
	    {"1.0", -EINVAL, 0},
	    {"\xd9\xa1", -EINVAL, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int64_t v = 0;

		assert_int_equal(span_to_i64(span_of(cases[i].text), &v), cases[i].r);
		assert_true(v == cases[i].value);
	}
	assert_int_equal(span_to_i64(SPAN("1\0"), &(int64_t){0}), -EINVAL);
	assert_int_equal(span_to_i64(empty, &(int64_t){0}), -EINVAL);
}

static void duplicates(void **state)
{
	char *s = span_dup(SPAN("a\0b"));

	(void)state;
	assert_memory_equal(s, "a\0b", 4);
	free(s);
	s = span_dup(empty);
	assert_string_equal(s, "");
	free(s);
}

static void knows_utf8(void **state)
{
	(void)state;
	assert_int_equal(span_utf8_len(empty), 0);
	assert_int_equal(span_utf8_len(SPAN("\0")), 1);
	assert_int_equal(span_utf8_len(SPAN("\x7f")), 1);
	assert_int_equal(span_utf8_len(SPAN("\x80")), 0);
	assert_int_equal(span_utf8_len(SPAN("\xc1\xbf")), 0); /* overlong */
	assert_int_equal(span_utf8_len(SPAN("\xc2\x80")), 2);
	assert_int_equal(span_utf8_len(SPAN("\xc2")), 0);
	assert_int_equal(span_utf8_len(SPAN("\xc2\x7f")), 0);
	assert_int_equal(span_utf8_len(SPAN("\xdf\xbfz")), 2);
	assert_int_equal(span_utf8_len(SPAN("\xe0\x9f\xbf")), 0); /* overlong */
	assert_int_equal(span_utf8_len(SPAN("\xe0\xa0\x80")), 3);
	assert_int_equal(span_utf8_len(SPAN("\xe0\xa0")), 0);
	assert_int_equal(span_utf8_len(SPAN("\xed\x9f\xbf")), 3);
	assert_int_equal(span_utf8_len(SPAN("\xed\xa0\x80")), 0); /* surrogate */
	assert_int_equal(span_utf8_len(SPAN("\xef\xbf\xbd")), 3);
	assert_int_equal(span_utf8_len(SPAN("\xef\xbf\xc0")), 0);
	assert_int_equal(span_utf8_len(SPAN("\xf0\x8f\xbf\xbf")), 0); /* overlong */
	assert_int_equal(span_utf8_len(SPAN("\xf0\x90\x80\x80")), 4);
	assert_int_equal(span_utf8_len(SPAN("\xf4\x8f\xbf\xbf")), 4);
	assert_int_equal(span_utf8_len(SPAN("\xf4\x90\x80\x80")), 0); /* beyond */
	assert_int_equal(span_utf8_len(SPAN("\xf5\x80\x80\x80")), 0);
	assert_int_equal(span_utf8_len(SPAN("\xff")), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(compares),
	    cmocka_unit_test(starts_and_ends),
	    cmocka_unit_test(skips_and_trims),
	    cmocka_unit_test(finds),
	    cmocka_unit_test(cuts_words),
	    cmocka_unit_test(cuts_lines),
	    cmocka_unit_test(cuts_whole_lines),
	    cmocka_unit_test(reads_numbers),
	    cmocka_unit_test(duplicates),
	    cmocka_unit_test(knows_utf8),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
