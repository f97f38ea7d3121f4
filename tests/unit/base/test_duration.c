/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The time expressions: what fail2ban was seen to make of them, and the limits. */
#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

static const struct {
	const char *text;
	double sec;
} good[] = {
    /* As measured with fail2ban. */
    {"600", 600},
    {"1d12h", 129600},
    {"1h30", 3630},
    {"30 1h", 3630},
    {"1.5h", 5400},
    {"1h-30m", 1800},
    {"10 * 60", 600},
    {"1y", 31557600},
    {"1mo", 2629800},
    {"-1", -1},
    {"1y6mo30w15d12h35m25s", 66821725},
    {"1 year + 1 month - 1 week + 1 day", 33669000},
    {"2 * 1h", 7200},
    /* Every spelling of a unit. */
    {"1s", 1},
    {"1ss", 1},
    {"1sec", 1},
    {"1second", 1},
    {"2seconds", 2},
    {"1m", 60},
    {"1mm", 60},
    {"1min", 60},
    {"1minute", 60},
    {"2minutes", 120},
    {"1h", 3600},
    {"1hh", 3600},
    {"1hou", 3600},
    {"1hour", 3600},
    {"2hours", 7200},
    {"1d", 86400},
    {"1dd", 86400},
    {"1da", 86400},
    {"1day", 86400},
    {"2days", 172800},
    {"1w", 604800},
    {"1ww", 604800},
    {"1wee", 604800},
    {"1week", 604800},
    {"2weeks", 1209600},
    {"1mon", 2629800},
    {"1month", 2629800},
    {"2months", 5259600},
    {"1yy", 31557600},
    {"1yea", 31557600},
    {"1year", 31557600},
    {"2years", 63115200},
    {"1D 1HOUR 1Min", 90060},
    /* A unit multiplies what stands left of it. */
    {"6/2h", 10800},
    {"2**1h", 7200},
    {"2**-1h", 1800},
    {"(1+1)h", 7200},
    {"(1h)m", 216000},
    {"1d h", 311040000},
    {"2*(1d 12h)", 259200},
    {"-1d 2h", -79200},
    {"-(1d 2h)", -93600},
    /* Arithmetic. */
    {" \t1 + 2 * 3 - 4 / 8\n", 6.5},
    {"2**3**2", 512},
    {"-2**2", -4},
    {"(-2)**2", 4},
    {"--1", 1},
    {"-+-1", 1},
    {"2*-3", -6},
    {".5", 0.5},
    {"5.", 5},
    {"1.h", 3600},
    {"0.1", 0.1},
    {"010", 10},
    {"((((1))))", 1},
    {"0", 0},
    {"100000000000000000000", 1e20},
};

static const char *const bad[] = {"", " ", "h", "1e3", "1x", "1hm", "1 fortnight",
    "1d_", "1..2", ".", "1.2.3", "1 .5", "1. 5", "1d.5h", "()", "(1", "1)", "(1)(2)",
    "1(2)", "(1) 2", "1+", "*1", "/1", "1//2", "1***2", "1* *2", "1%2", "1/0", "0/0",
    "9**9**9", "(-8)**.5", "inf", "nan", "0x10", "1,5", "1_000", "+", "1 h 2 x",
    "forever", "none", "1\v2", "1;2", "\xd9\xa1", "1\xc2\xa0h"};

static void good_ones(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		double sec = -99;
		int r = duration_parse(span_of(good[i].text), &sec);

		if (r != 0 || sec != good[i].sec)
			fail_msg("'%s': %d, %.17g", good[i].text, r, sec);
	}
}

static void bad_ones(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		double sec = -99;
		int r = duration_parse(span_of(bad[i]), &sec);

		if (r != -EINVAL || sec != -99)
			fail_msg("'%s': %d, %.17g", bad[i], r, sec);
	}
	assert_int_equal(duration_parse(SPAN("1\0"), &(double){0}), -EINVAL);
	assert_int_equal(duration_parse(SPAN("1\0h"), &(double){0}), -EINVAL);
}

static void length_is_bounded(void **state)
{
	char text[300];
	double sec = 0;

	(void)state;
	memset(text, '1', sizeof(text));
	for (size_t i = 1; i < sizeof(text); i += 2)
		text[i] = '+';
	assert_int_equal(duration_parse((struct span){text, 255}, &sec), 0);
	assert_true(sec == 128);
	text[255] = ' ';
	assert_int_equal(duration_parse((struct span){text, 256}, &sec), 0);
	text[256] = ' ';
	assert_int_equal(duration_parse((struct span){text, 257}, &sec), -EINVAL);
	memset(text, '(', sizeof(text));
	assert_int_equal(duration_parse((struct span){text, 256}, &sec), -EINVAL);
	memset(text, '-', sizeof(text));
	assert_int_equal(duration_parse((struct span){text, 256}, &sec), -EINVAL);
	memset(text, '9', sizeof(text));
	assert_int_equal(duration_parse((struct span){text, 256}, &sec), 0);
}

static void formats(void **state)
{
	static const struct {
		int64_t sec;
		const char *text;
	} cases[] = {
	    {0, "0s"},
	    {1, "1s"},
	    {59, "59s"},
	    {60, "1m"},
	    {61, "1m 1s"},
	    {3600, "1h"},
	    {3599, "59m 59s"},
	    {86400, "1d"},
	    {86401, "1d 1s"},
	    {183845, "2d 3h 4m"}, /* the 5 seconds are a fourth unit */
	    {172800 + 245, "2d 4m 5s"},
	    {400 * INT64_C(86400), "400d"},
	    {-1, "forever"},
	    {INT64_MIN, "forever"},
	    {INT64_MAX, "106751991167300d 15h 30m"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf b = BUF_INIT(64);

		duration_format(&b, cases[i].sec);
		assert_string_equal(buf_str(&b), cases[i].text);
		buf_deinit(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(good_ones),
	    cmocka_unit_test(bad_ones),
	    cmocka_unit_test(length_is_bounded),
	    cmocka_unit_test(formats),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
