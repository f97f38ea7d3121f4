/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <time.h>

static int set_zone(void **state)
{
	(void)state;
	setenv("TZ", "Europe/Berlin", 1);
	tzset();
	return 0;
}

static void clocks_run(void **state)
{
	mono_t a = mono_now(), b = mono_now();

	(void)state;
	assert_true(b.us >= a.us);
	assert_true(wall_now().us > wall_from_sec(1700000000).us);
}

static void adds_and_saturates(void **state)
{
	wall_t t = wall_from_sec(100);

	(void)state;
	assert_true(wall_add_sec(t, 1.5).us == 101500000);
	assert_true(wall_add_sec(t, -100.25).us == -250000);
	assert_true(wall_add_sec(t, 0.0000004).us == t.us);
	assert_true(wall_add_sec(t, 0.0000006).us == t.us + 1);
	assert_true(wall_add_sec(WALL_NEVER, -1).us == WALL_NEVER.us);
	assert_true(wall_add_sec(WALL_NONE, 1).us == WALL_NONE.us);
	assert_true(wall_add_sec(t, 1e300).us == WALL_NEVER.us);
	assert_true(wall_add_sec(t, 9.3e12).us == WALL_NEVER.us);
	assert_true(wall_add_sec(t, -1e300).us == INT64_MIN + 1);
	assert_true(wall_add_sec((wall_t){-100}, -0x1p63 / 1e6).us == INT64_MIN + 1);
	assert_true(wall_add_sec((wall_t){0}, -0x1p63 / 1e6).us == INT64_MIN + 1);
	assert_true(wall_add_sec((wall_t){INT64_MAX - 5}, 1).us == WALL_NEVER.us);
	assert_true(wall_add_sec(t, (double)__builtin_nan("")).us == t.us);
	assert_true(wall_to_sec((wall_t){1500000}) == 1.5);
}

static void formats(void **state)
{
	static const struct {
		wall_t t;
		const char *plain;
		const char *iso;
	} cases[] = {
	    {{1795489506 * US_PER_SEC}, "2026-11-24 04:05:06",
		"2026-11-24T04:05:06+01:00"},
	    {{1795489506 * US_PER_SEC + 999999}, "2026-11-24 04:05:06",
		"2026-11-24T04:05:06+01:00"},
	    {{1782266706 * US_PER_SEC}, "2026-06-24 04:05:06",
		"2026-06-24T04:05:06+02:00"},
	    {{0}, "1970-01-01 01:00:00", "1970-01-01T01:00:00+01:00"},
	    {{-1}, "1970-01-01 00:59:59", "1970-01-01T00:59:59+01:00"},
	    {{INT64_MAX}, "never", "never"},
	    {{INT64_MIN}, "-", "-"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf b = BUF_INIT(100);

		wall_format(&b, cases[i].t);
		assert_string_equal(buf_str(&b), cases[i].plain);
		buf_clear(&b);
		wall_format_iso(&b, cases[i].t);
		assert_string_equal(buf_str(&b), cases[i].iso);
		buf_deinit(&b);
	}
}

static void formats_odd_offsets(void **state)
{
	struct buf b = BUF_INIT(100);

	setenv("TZ", "<-0330>3:30", 1);
	tzset();
	wall_format_iso(&b, wall_from_sec(0));
	assert_string_equal(buf_str(&b), "1969-12-31T20:30:00-03:30");
	buf_clear(&b);
	setenv("TZ", "<-0030>0:30", 1);
	tzset();
	wall_format_iso(&b, wall_from_sec(0));
	assert_string_equal(buf_str(&b), "1969-12-31T23:30:00-00:30");
	buf_deinit(&b);
	(void)set_zone(state);
}

static void formats_the_far_ends(void **state)
{
	struct buf b = BUF_INIT(100);

	(void)state;
	wall_format(&b, (wall_t){INT64_MAX - 1});
	wall_format(&b, (wall_t){INT64_MIN + 1});
	wall_format_iso(&b, (wall_t){INT64_MIN + 1});
	assert_false(b.failed);
	buf_deinit(&b);
}

static void parses(void **state)
{
	static const wall_t now = {1000000000 * US_PER_SEC};
	static const struct {
		const char *text;
		int64_t us;
	} cases[] = {
	    {"2026-11-24", 1795474800 * US_PER_SEC},
	    {"2026-11-24 04:05", 1795489500 * US_PER_SEC},
	    {"2026-11-24 04:05:06", 1795489506 * US_PER_SEC},
	    {" 2026-11-24T04:05:06.5 ", 1795489506 * US_PER_SEC + 500000},
	    {"2026-11-24T04:05:06.1234567", 1795489506 * US_PER_SEC + 123456},
	    {"2026-11-24T04:05:06Z", 1795493106 * US_PER_SEC},
	    {"2026-11-24 04:05 Z", 1795493100 * US_PER_SEC},
	    {"2026-11-24T04:05:06.5+01:00", 1795489506 * US_PER_SEC + 500000},
	    {"2026-11-24T04:05:06-0130", 1795498506 * US_PER_SEC},
	    {"2026-06-24 04:05:06", 1782266706 * US_PER_SEC},
	    {"2024-02-29T00:00Z", 1709164800 * US_PER_SEC},
	    {"2000-02-29T00:00Z", 951782400 * US_PER_SEC},
	    {"1969-12-31T23:59:59Z", -US_PER_SEC},
	    {"1970-01-01T00:59:59", -US_PER_SEC},
	    {"9999-12-31T23:59:59Z", INT64_C(253402300799) * US_PER_SEC},
	    {"@1795420764", 1795420764 * US_PER_SEC},
	    {"@1795420764.5", 1795420764 * US_PER_SEC + 500000},
	    {"@0", 0},
	    {"@99999999999", INT64_C(99999999999) * US_PER_SEC},
	    {"-2h", 999992800 * US_PER_SEC},
	    {"-2h 30m", 999991000 * US_PER_SEC},
	    {"-1h-30m", 999998200 * US_PER_SEC},
	    {"-0", 1000000000 * US_PER_SEC},
	    {"- 0.5", 1000000000 * US_PER_SEC - 500000},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		wall_t t = WALL_NONE;
		int r = wall_parse(span_of(cases[i].text), now, &t);

		if (r != 0 || t.us != cases[i].us)
			fail_msg("'%s': %d, %lld", cases[i].text, r, (long long)t.us);
	}
}

static void refuses(void **state)
{
	static const char *const bad[] = {"", "-", "@", "@-1", "@x", "@1.", "@1.5x",
	    "@100000000000", "2026", "2026-11", "2026-1-24", "2026-11-24x",
	    "2026-11-24T", "2026-11-24 4:05", "2026-11-24 04", "2026-11-24 04:5",
	    "2026-11-24 24:00", "2026-11-24 04:60", "2026-11-24 04:05:60",
	    "2026-11-24 04:05:06.", "2026-11-24 04:05:06+1", "2026-11-24 04:05:06+01:0",
	    "2026-11-24 04:05+24:00", "2026-11-24 04:05+00:60", "2026-11-24 04:05 ZZ",
	    "2026-11-24Z", "2026-00-01", "2026-13-01", "2026-01-00", "2026-01-32",
	    "2026-04-31", "2026-02-29", "1900-02-29", "12026-01-01", "2h", "+2h",
	    "--2h", "-1h-2h", "-x", "yesterday"};
	wall_t t = {7};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (wall_parse(span_of(bad[i]), wall_from_sec(0), &t) != -EINVAL)
			fail_msg("'%s' was taken", bad[i]);
	assert_int_equal(wall_parse(SPAN("@1\0"), wall_from_sec(0), &t), -EINVAL);
	assert_true(t.us == 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(clocks_run),
	    cmocka_unit_test(adds_and_saturates),
	    cmocka_unit_test(formats),
	    cmocka_unit_test(formats_odd_offsets),
	    cmocka_unit_test(formats_the_far_ends),
	    cmocka_unit_test(parses),
	    cmocka_unit_test(refuses),
	};

	return cmocka_run_group_tests(tests, set_zone, NULL);
}
