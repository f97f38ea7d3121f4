/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/jsonw.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <float.h>
#include <math.h>

static struct buf out = BUF_INIT(1000);

static int clear(void **state)
{
	(void)state;
	buf_clear(&out);
	return 0;
}

static int drop(void **state)
{
	(void)state;
	buf_deinit(&out);
	return 0;
}

static void places_commas(void **state)
{
	struct jsonw j = jsonw_of(&out);

	(void)state;
	jsonw_object(&j);
	jsonw_key(&j, "a");
	jsonw_i64(&j, 1);
	jsonw_key(&j, "b");
	jsonw_array(&j);
	jsonw_array(&j);
	jsonw_array_end(&j);
	jsonw_object(&j);
	jsonw_object_end(&j);
	jsonw_bool(&j, true);
	jsonw_bool(&j, false);
	jsonw_null(&j);
	jsonw_raw(&j, SPAN("{\"x\":1}"));
	jsonw_array_end(&j);
	jsonw_key(&j, "c\"");
	jsonw_object(&j);
	jsonw_key(&j, "d");
	jsonw_str(&j, NULL);
	jsonw_object_end(&j);
	jsonw_object_end(&j);
	assert_string_equal(buf_str(&out),
	    "{\"a\":1,\"b\":[[],{},true,false,null,{\"x\":1}],\"c\\\"\":{\"d\":null}}");
}

static void escapes(void **state)
{
	static const struct {
		struct span in;
		const char *want;
	} cases[] = {
	    {{NULL, 0}, "\"\""},
	    {{"a\"b\\c/", 6}, "\"a\\\"b\\\\c/\""},
	    {{"\b\f\n\r\t", 5}, "\"\\b\\f\\n\\r\\t\""},
	    {{"\0\x01\x1f\x20\x7f", 5}, "\"\\u0000\\u0001\\u001f \\u007f\""},
	    {{"\xc3\xb6\xe2\x82\xac\xf0\x9f\x90\x95", 9},
		"\"\xc3\xb6\xe2\x82\xac\xf0\x9f\x90\x95\""},
	    {{"a\xff\xfe", 3}, "\"a\xef\xbf\xbd\xef\xbf\xbd\""},
	    {{"\xc3", 1}, "\"\xef\xbf\xbd\""},
	    {{"\xc3(", 2}, "\"\xef\xbf\xbd(\""},
	    {{"\xed\xa0\x80", 3}, "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct jsonw j = jsonw_of(&out);

		buf_clear(&out);
		jsonw_span(&j, cases[i].in);
		assert_string_equal(buf_str(&out), cases[i].want);
	}
}

static void whole_numbers(void **state)
{
	struct jsonw j = jsonw_of(&out);

	(void)state;
	jsonw_array(&j);
	jsonw_i64(&j, INT64_MIN);
	jsonw_i64(&j, INT64_MAX);
	jsonw_array_end(&j);
	assert_string_equal(
	    buf_str(&out), "[-9223372036854775808,9223372036854775807]");
}

static void doubles(void **state)
{
	static const struct {
		double in;
		const char *want;
	} cases[] = {
	    {0, "0.0"},
	    {-0.0, "-0.0"},
	    {1, "1.0"},
	    {0.5, "0.5"},
	    {0.1, "0.1"},
	    {0.1 + 0.2, "0.30000000000000004"},
	    {1795420764.5, "1795420764.5"},
	    {1795420764.123456, "1795420764.123456"},
	    {123456789012345, "123456789012345.0"},
	    {1e22, "1e+22"},
	    {1e-7, "1e-07"},
	    {DBL_MAX, "1.7976931348623157e+308"},
	    {5e-324, "4.94065645841247e-324"},
	    {INFINITY, "null"},
	    {-INFINITY, "null"},
	    {NAN, "null"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct jsonw j = jsonw_of(&out);

		buf_clear(&out);
		jsonw_f64(&j, cases[i].in);
		assert_string_equal(buf_str(&out), cases[i].want);
		if (isfinite(cases[i].in))
			assert_true(strtod(buf_str(&out), NULL) == cases[i].in);
	}
}

static void networks_and_times(void **state)
{
	struct jsonw j = jsonw_of(&out);
	struct net n;

	(void)state;
	assert_int_equal(net_parse(SPAN("192.0.2.0/24"), &n), 0);
	jsonw_array(&j);
	jsonw_net(&j, &n);
	jsonw_net(&j, &n);
	jsonw_wall(&j, wall_from_sec(5), false);
	jsonw_wall(&j, wall_from_sec(5), true);
	jsonw_wall(&j, (wall_t){5999999}, false);
	jsonw_wall(&j, (wall_t){5500000}, true);
	jsonw_wall(&j, (wall_t){-1}, false);
	jsonw_wall(&j, WALL_NEVER, true);
	jsonw_wall(&j, WALL_NONE, false);
	jsonw_array_end(&j);
	assert_string_equal(buf_str(&out),
	    "[\"192.0.2.0/24\",\"192.0.2.0/24\",5,5.0,5,5.5,-1,-1,null]");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(places_commas, clear),
	    cmocka_unit_test_setup(escapes, clear),
	    cmocka_unit_test_setup(whole_numbers, clear),
	    cmocka_unit_test_setup(doubles, clear),
	    cmocka_unit_test_setup(networks_and_times, clear),
	};

	return cmocka_run_group_tests(tests, NULL, drop);
}
