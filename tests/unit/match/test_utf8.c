/* SPDX-License-Identifier: GPL-2.0-or-later */

/* utf8: validity at each table edge, repair as Python's decode(errors="replace") does
 * it */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "match/utf8.h"

static const struct {
	struct span bytes;
	const char *repaired;
} utf8_bad[] = {
    {SPAN("\x80"), "\xef\xbf\xbd"},
    {SPAN("a\xffz"), "a\xef\xbf\xbdz"},
    {SPAN("\xc0\x80"), "\xef\xbf\xbd\xef\xbf\xbd"},
    {SPAN("\xc1\xbf"), "\xef\xbf\xbd\xef\xbf\xbd"},
    {SPAN("\xc3"), "\xef\xbf\xbd"},
    {SPAN("\xc3("), "\xef\xbf\xbd("},
    {SPAN("\xe0\x9f\xbf"), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
    {SPAN("\xe2\x82"), "\xef\xbf\xbd"},
    {SPAN("\xe2\x82x"), "\xef\xbf\xbdx"},
    {SPAN("\xed\xa0\x80"), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
    {SPAN("\xf0\x90\x80"), "\xef\xbf\xbd"},
    {SPAN("\xf0\x8f\xbf\xbf"), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
    {SPAN("\xf4\x90\x80\x80"), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
    {SPAN("\xf5"), "\xef\xbf\xbd"},
    {SPAN("0123456789012345678901234567890123456789\xe9"),
	"0123456789012345678901234567890123456789\xef\xbf\xbd"},
};

static const struct span utf8_good[] = {
    SPAN(""),
    SPAN("plain"),
    SPAN("a\0b"),
    SPAN("\x7f"),
    SPAN("\xc2\x80"),
    SPAN("\xdf\xbf"),
    SPAN("\xe0\xa0\x80"),
    SPAN("\xed\x9f\xbf"),
    SPAN("\xee\x80\x80"),
    SPAN("\xef\xbf\xbf"),
    SPAN("\xf0\x90\x80\x80"),
    SPAN("\xf4\x8f\xbf\xbf"),
    SPAN("a long line of plain text, then caf\xc3\xa9 and then a bit more of it"),
};

static void test_good(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(utf8_good); i++) {
		struct buf b = BUF_INIT(1024);

		assert_true(utf8_is_valid(utf8_good[i]));
		utf8_repair(utf8_good[i], &b);
		assert_true(span_eq(buf_span(&b), utf8_good[i]));
		buf_deinit(&b);
	}
}

static void test_bad(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(utf8_bad); i++) {
		struct buf b = BUF_INIT(1024);

		assert_false(utf8_is_valid(utf8_bad[i].bytes));
		utf8_repair(utf8_bad[i].bytes, &b);
		assert_string_equal(buf_str(&b), utf8_bad[i].repaired);
		assert_true(utf8_is_valid(buf_span(&b)));
		buf_deinit(&b);
	}
}

/* A bad byte is seen wherever it stands relative to the steps of the fast path. */
static void test_each_place(void **state)
{
	char text[100];

	(void)state;
	memset(text, 'x', sizeof(text));
	for (size_t i = 0; i < sizeof(text); i++) {
		assert_true(utf8_is_valid((struct span){text, sizeof(text)}));
		text[i] = '\xfe';
		assert_false(utf8_is_valid((struct span){text, sizeof(text)}));
		assert_true(utf8_is_valid((struct span){text, i}));
		text[i] = 'x';
	}
}

static void test_char_len(void **state)
{
	(void)state;
	assert_int_equal(utf8_char_len(SPAN("")), 0);
	assert_int_equal(utf8_char_len(SPAN("ab")), 1);
	assert_int_equal(utf8_char_len(SPAN("\xe2\x82\xac!")), 3);
	assert_int_equal(utf8_char_len(SPAN("\xe2\x82")), 0);
	assert_int_equal(utf8_char_len(SPAN("\x82")), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_good),
	    cmocka_unit_test(test_bad),
	    cmocka_unit_test(test_each_place),
	    cmocka_unit_test(test_char_len),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
