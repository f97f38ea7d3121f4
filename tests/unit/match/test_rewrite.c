/* SPDX-License-Identifier: GPL-2.0-or-later */

/* rewrite: each piece of Python that reads differently in PCRE2, and what stays */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <errno.h>

#include "match/rewrite.h"

static const struct {
	const char *python, *pcre2;
} rewrite_pairs[] = {
    {"", ""},
    {"^abc$", "^abc$"},
    {"\\d{,3}", "\\d{0,3}"},
    {"x{,}y", "x{0,}y"},
    {"x{1,3}y{2}z{4,}", "x{1,3}y{2}z{4,}"},
    {"x{}y{,z}y{,3", "x{}y{,z}y{,3"},
    {"\\{,3}", "\\{,3}"},
    {"[{,3}]", "[{,3}]"},
    {"[]{,3}]{,3}", "[]{,3}]{0,3}"},
    {"[^]{,3}]{,3}", "[^]{,3}]{0,3}"},
    {"[\\]{,3}]{,3}", "[\\]{,3}]{0,3}"},
    {"(?:a){,5}", "(?:a){0,5}"},
    {"a\\Z|\\\\Z", "a\\z|\\\\Z"},
    {"\\v[\\v]", "\\x0b[\\x0b]"},
    {"\\u00e9[\\u00E9]", "\\x{00e9}[\\x{00E9}]"},
    {"\\U0001F600", "\\x{0001F600}"},
    {"\\u12", "\\u12"},
    {"(?iu)x", "(?i)x"},
    {"(?u)x", "x"},
    {"(?i)x", "(?i)x"},
    {"(?u:x)(?iu:y)(?:z)", "(?:x)(?i:y)(?:z)"},
    {"(?i-s:x)", "(?i-s:x)"},
    {"(?a:x)", "(?a:x)"},
    {"(?P<u>x)(?P=u)(?=y)(?!z)", "(?P<u>x)(?P=u)(?=y)(?!z)"},
    {"(?#a [ (* {,3})x{,3}", "(?#a [ (* {,3})x{0,3}"},
    {"(?#never", "(?#never"},
    {"[[:alpha:]]", "[\\[:alpha:]]"},
    {"[a(*)]\\(*", "[a(*)]\\(*"},
    {"trailing\\", "trailing\\"},
    {"[open", "[open"},
};

static void test_pairs(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rewrite_pairs); i++) {
		struct buf b = BUF_INIT(1024);
		struct err e = {""};
		bool is_ascii = true;

		assert_int_equal(
		    rewrite_python(span_of(rewrite_pairs[i].python), &b, &is_ascii, &e),
		    0);
		assert_string_equal(buf_str(&b), rewrite_pairs[i].pcre2);
		assert_false(is_ascii);
		buf_deinit(&b);
	}
}

static void test_ascii(void **state)
{
	struct buf b = BUF_INIT(64);
	bool is_ascii = false;

	(void)state;
	assert_int_equal(rewrite_python(SPAN("(?ai)\\w"), &b, &is_ascii, NULL), 0);
	assert_true(is_ascii);
	assert_string_equal(buf_str(&b), "(?i)\\w");
	buf_deinit(&b);
}

static void test_refused(void **state)
{
	struct buf b = BUF_INIT(8);
	struct err e = {""};
	bool is_ascii;

	(void)state;
	assert_int_equal(rewrite_python(SPAN("ab(*F)"), &b, &is_ascii, &e), -EINVAL);
	assert_string_equal(e.text, "(* is not supported, at offset 2");
	buf_clear(&b);
	assert_int_equal(rewrite_python(SPAN("abcdefghi"), &b, &is_ascii, &e), -EINVAL);
	buf_deinit(&b);
}

static void test_origin(void **state)
{
	struct span p = SPAN("a{,3}\\u00e9)");

	(void)state;
	/* a{0,3}\x{00e9}) */
	assert_int_equal(rewrite_origin(p, 0), 0);
	assert_int_equal(rewrite_origin(p, 14), 11);
	assert_int_equal(rewrite_origin(p, 15), 12);
	assert_int_equal(rewrite_origin(p, 1000), 12);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_pairs),
	    cmocka_unit_test(test_ascii),
	    cmocka_unit_test(test_refused),
	    cmocka_unit_test(test_origin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
