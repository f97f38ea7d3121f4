/* SPDX-License-Identifier: GPL-2.0-or-later */

/* f2b_repr: as Python 3.11 shows the same values */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <math.h>

#include "cli/f2b_repr.h"

static void test_str(void **state)
{
	static const struct {
		struct span in;
		const char *want;
	} cases[] = {
	    {{"", 0}, "''"},
	    {{"a b", 3}, "'a b'"},
	    {{"it's", 4}, "\"it's\""},
	    {{"'\"", 2}, "'\\'\"'"},
	    {{"\\", 1}, "'\\\\'"},
	    {{"\n\r\t\0\x7f", 5}, "'\\n\\r\\t\\x00\\x7f'"},
	    {{"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", 9},
		"'\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80'"},
	    {{"\xc2\xa0\xe2\x80\x83\xe2\x80\xa8", 8}, "'\\xa0\\u2003\\u2028'"},
	    {{"\xff", 1}, "'\xef\xbf\xbd'"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf b = BUF_INIT(100);

		f2b_repr_str(&b, cases[i].in);
		assert_string_equal(buf_str(&b), cases[i].want);
		buf_deinit(&b);
	}
}

static void test_float(void **state)
{
	static const struct {
		double in;
		const char *want;
	} cases[] = {
	    {0, "0.0"},
	    {1, "1.0"},
	    {-31583, "-31583.0"},
	    {0.1, "0.1"},
	    {1591983743.667, "1591983743.667"},
	    {1516469849551000, "1516469849551000.0"},
	    {1e16, "1e+16"},
	    {1.5e-7, "1.5e-07"},
	    {0.0001, "0.0001"},
	    {1e300, "1e+300"},
	    {INFINITY, "inf"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf b = BUF_INIT(100);

		f2b_repr_float(&b, cases[i].in);
		assert_string_equal(buf_str(&b), cases[i].want);
		buf_deinit(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_str),
	    cmocka_unit_test(test_float),
	};

	return cmocka_run_group_tests_name("f2b_repr", tests, NULL, NULL);
}
