/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void starts_empty(void **state)
{
	struct buf b = BUF_INIT(8);

	(void)state;
	assert_string_equal(buf_str(&b), "");
	assert_int_equal(buf_span(&b).n, 0);
	assert_non_null(buf_span(&b).p);
	buf_consume(&b, 3);
	buf_clear(&b);
	buf_deinit(&b);
}

static void fills_up_to_its_cap(void **state)
{
	struct buf b = BUF_INIT(8);

	(void)state;
	buf_add_str(&b, "1234567");
	buf_add_char(&b, '8');
	assert_false(b.failed);
	assert_string_equal(buf_str(&b), "12345678");
	buf_add(&b, "", 0);
	assert_false(b.failed);
	buf_add_char(&b, '9');
	assert_true(b.failed);
	assert_string_equal(buf_str(&b), "12345678");
	buf_consume(&b, 8);
	buf_add_char(&b, 'x');
	assert_true(b.failed);
	assert_string_equal(buf_str(&b), "");
	buf_clear(&b);
	buf_add_char(&b, 'x');
	assert_false(b.failed);
	assert_string_equal(buf_str(&b), "x");
	buf_deinit(&b);
	assert_int_equal(b.cap, 8);
}

static void a_zero_cap_takes_nothing(void **state)
{
	struct buf b = BUF_INIT(0);

	(void)state;
	buf_add(&b, NULL, 0);
	assert_false(b.failed);
	buf_add_char(&b, 'x');
	assert_true(b.failed);
	assert_string_equal(buf_str(&b), "");
	buf_deinit(&b);
}

static void an_absurd_size_is_refused(void **state)
{
	struct buf b = BUF_INIT(SIZE_MAX);

	(void)state;
	buf_add(&b, "x", SIZE_MAX);
	assert_true(b.failed);
	buf_clear(&b);
	buf_add_char(&b, 'x');
	buf_add(&b, "x", SIZE_MAX - 1);
	assert_true(b.failed);
	assert_string_equal(buf_str(&b), "x");
	buf_deinit(&b);
}

static void grows(void **state)
{
	struct buf b = BUF_INIT(100000);

	(void)state;
	for (int i = 0; i < 10000; i++)
		buf_printf(&b, "%05d", i);
	assert_false(b.failed);
	assert_int_equal(b.n, 50000);
	assert_memory_equal(b.p + 49990, "0999809999", 11);
	buf_consume(&b, 49995);
	assert_string_equal(buf_str(&b), "09999");
	buf_consume(&b, 99);
	assert_int_equal(b.n, 0);
	buf_deinit(&b);
}

static void printf_is_all_or_nothing(void **state)
{
	struct buf b = BUF_INIT(5);

	(void)state;
	buf_printf(&b, "%s", "ab");
	buf_printf(&b, "%s", "cdef");
	assert_true(b.failed);
	assert_string_equal(buf_str(&b), "ab");
	buf_clear(&b);
	buf_printf(&b, "%s", "abcde");
	assert_false(b.failed);
	assert_string_equal(buf_str(&b), "abcde");
	buf_deinit(&b);
}

static void hands_over(void **state)
{
	struct buf b = BUF_INIT(4);
	char *p;

	(void)state;
	p = buf_take(&b);
	assert_string_equal(p, "");
	free(p);
	buf_add_str(&b, "abcd");
	p = buf_take(&b);
	assert_string_equal(p, "abcd");
	free(p);
	assert_null(b.p);
	buf_add_str(&b, "abcde");
	assert_null(buf_take(&b));
	assert_false(b.failed);
	assert_null(b.p);
}

static void quotes(void **state)
{
	static const struct {
		struct span in;
		const char *out;
	} cases[] = {
	    {{NULL, 0}, "\"\""},
	    {{"plain ~", 7}, "\"plain ~\""},
	    {{"a\"b\\c", 5}, "\"a\\\"b\\\\c\""},
	    {{"\0\n\r\t\x1b[0m\x7f", 9}, "\"\\x00\\x0a\\x0d\\x09\\x1b[0m\\x7f\""},
	    {{"K\xc3\xb6ln \xe2\x82\xac \xf0\x9f\x90\x95", 14},
		"\"K\xc3\xb6ln \xe2\x82\xac \xf0\x9f\x90\x95\""},
	    {{"\xc2\x80\xc2\x9f\xc2\xa0", 6},
		"\"\\xc2\\x80\\xc2\\x9f\xc2\xa0\""}, /* C1, then a no-break space */
	    {{"\xff\xc3", 2}, "\"\\xff\\xc3\""},
	    {{"\xc3(", 2}, "\"\\xc3(\""},
	    {{"\xed\xa0\x80", 3}, "\"\\xed\\xa0\\x80\""},
	    {{"\xf0\x9f\x90", 3}, "\"\\xf0\\x9f\\x90\""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf b = BUF_INIT(200);

		buf_quote(&b, cases[i].in, 100);
		assert_string_equal(buf_str(&b), cases[i].out);
		buf_deinit(&b);
	}
}

static void quoting_ends_at_its_limit(void **state)
{
	struct buf b = BUF_INIT(200);

	(void)state;
	buf_quote(&b, SPAN("abc"), 3);
	assert_string_equal(buf_str(&b), "\"abc\"");
	buf_clear(&b);
	buf_quote(&b, SPAN("abcd"), 3);
	assert_string_equal(buf_str(&b), "\"abc…\"");
	buf_clear(&b);
	buf_quote(&b, SPAN("ab\xe2\x82\xac"), 4); /* no half character */
	assert_string_equal(buf_str(&b), "\"ab…\"");
	buf_clear(&b);
	buf_quote(&b, SPAN("a"), 0);
	assert_string_equal(buf_str(&b), "\"…\"");
	buf_clear(&b);
	buf_quote(&b, SPAN(""), 0);
	assert_string_equal(buf_str(&b), "\"\"");
	buf_deinit(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(starts_empty),
	    cmocka_unit_test(fills_up_to_its_cap),
	    cmocka_unit_test(a_zero_cap_takes_nothing),
	    cmocka_unit_test(an_absurd_size_is_refused),
	    cmocka_unit_test(grows),
	    cmocka_unit_test(printf_is_all_or_nothing),
	    cmocka_unit_test(hands_over),
	    cmocka_unit_test(quotes),
	    cmocka_unit_test(quoting_ends_at_its_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
