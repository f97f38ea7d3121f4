/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * From parts to a time: calendar, local zone, abbreviations, numbers, guesses.
 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "match/stamp_fields.h"
#include "match/stamp_local.h"
#include "match/stamp_number.h"
#include "match/stamp_zone.h"

static void set_zone(const char *zone)
{
	assert_int_equal(setenv("TZ", zone, 1), 0);
	tzset();
}

static void test_days(void **state)
{
	int64_t days = stamp_days(1, 1, 1);

	(void)state;
	assert_int_equal(stamp_days(1970, 1, 1), 0);
	assert_int_equal(stamp_days(2000, 2, 29), 11016);
	assert_int_equal(stamp_days(1, 1, 1), -719162);
	/* Every day of the calendar there and back. */
	for (int year = 1; year <= 9999; year++) {
		for (int month = 1; month <= 12; month++) {
			for (int day = 1; stamp_is_date(year, month, day);
			     day++, days++) {
				struct stamp_day d = stamp_day_of(days);

				if (stamp_days(year, month, day) != days ||
				    d.year != year || d.month != month || d.day != day)
					fail_msg("%d-%d-%d", year, month, day);
			}
		}
	}
	assert_int_equal(days, stamp_days(9999, 12, 31) + 1);
}

static void test_dates(void **state)
{
	(void)state;
	assert_true(stamp_is_date(2004, 2, 29));
	assert_true(stamp_is_date(2000, 2, 29));
	assert_false(stamp_is_date(2005, 2, 29));
	assert_false(stamp_is_date(2100, 2, 29));
	assert_false(stamp_is_date(2004, 2, 30));
	assert_false(stamp_is_date(2004, 4, 31));
	assert_false(stamp_is_date(2004, 0, 1));
	assert_false(stamp_is_date(2004, 13, 1));
	assert_false(stamp_is_date(2004, 1, 0));
	assert_false(stamp_is_date(2004, 1, 32));
	assert_false(stamp_is_date(0, 1, 1));
	assert_false(stamp_is_date(10000, 1, 1));
}

/* Like mktime(), but where the clock changes, which mktime() does not define. */
static void compare_with_libc(const char *zone)
{
	struct stamp_local l = {0};
	int64_t sec = 1000000000, step = 86400 * 11 + 3671;

	set_zone(zone);
	for (int i = 0; i < 1200; i++, sec += step) {
		time_t t = (time_t)sec;
		struct tm tm;
		int64_t civil;

		assert_non_null(localtime_r(&t, &tm));
		civil =
		    stamp_days(tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday) * 86400 +
		    tm.tm_hour * 3600 + tm.tm_min * 60 + tm.tm_sec;
		assert_int_equal(stamp_local_civil(&l, sec), civil);
		assert_int_equal(stamp_local_civil(&l, sec), civil);
		assert_int_equal(stamp_local_epoch(&l, civil, sec), sec);
		assert_int_equal(stamp_local_epoch(&l, civil, sec), sec);
	}
}

static void test_local(void **state)
{
	static const char *const zones[] = {"UTC", "Europe/Berlin", "America/New_York",
	    "America/St_Johns", "Australia/Lord_Howe", "Asia/Kathmandu",
	    "Pacific/Kiritimati", "CET-01CEST-02,M3.5.0,M10.5.0", "XYZ12"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(zones); i++)
		compare_with_libc(zones[i]);
}

static int64_t civil(int month, int day, int hour, int minute)
{
	return stamp_days(2026, month, day) * 86400 + hour * 3600 + minute * 60;
}

static void test_changes_of_the_clock(void **state)
{
	struct stamp_local l = {0};
	const int64_t summer = 1774746000; /* 2026-03-29 01:00 UTC */
	const int64_t winter = 1792890000; /* 2026-10-25 01:00 UTC */

	(void)state;
	set_zone("CET-1CEST,M3.5.0,M10.5.0/3");
	for (int again = 0; again < 2; again++) {
		assert_int_equal(
		    stamp_local_epoch(&l, civil(3, 29, 1, 59), summer), summer - 60);
		assert_int_equal(
		    stamp_local_epoch(&l, civil(3, 29, 3, 0), summer), summer);
		/* 02:30 does not exist: half an hour after 02:00, which is 03:00. */
		assert_int_equal(
		    stamp_local_epoch(&l, civil(3, 29, 2, 30), summer), summer + 1800);
		/* 02:30 is twice: the nearer to now. */
		assert_int_equal(
		    stamp_local_epoch(&l, civil(10, 25, 2, 30), winter - 1800),
		    winter - 1800);
		assert_int_equal(
		    stamp_local_epoch(&l, civil(10, 25, 2, 30), winter + 1800),
		    winter + 1800);
		assert_int_equal(
		    stamp_local_epoch(&l, civil(10, 25, 1, 59), winter + 1800),
		    winter - 3660);
		assert_int_equal(
		    stamp_local_epoch(&l, civil(10, 25, 3, 0), winter), winter + 3600);
		assert_int_equal(
		    stamp_local_civil(&l, winter - 1), civil(10, 25, 3, 0) - 1);
		assert_int_equal(stamp_local_civil(&l, winter), civil(10, 25, 2, 0));
	}
}

/* The clocks of Lord Howe move by half an hour, those of Newfoundland did at 00:01. */
static void test_hours_that_are_not_whole(void **state)
{
	struct stamp_local l = {0};

	(void)state;
	set_zone("LHST-10:30LHDT-11,M10.1.0,M4.1.0");
	/* 2026-04-05 02:00 becomes 01:30, at 15:00 UTC. */
	for (int again = 0; again < 2; again++) {
		assert_int_equal(
		    stamp_local_civil(&l, 1775314800 - 1), civil(4, 5, 2, 0) - 1);
		assert_int_equal(stamp_local_civil(&l, 1775314800), civil(4, 5, 1, 30));
		assert_int_equal(stamp_local_epoch(&l, civil(4, 5, 1, 29), 1775314800),
		    1775314800 - 1860);
		assert_int_equal(stamp_local_epoch(&l, civil(4, 5, 1, 45), 1775318400),
		    1775314800 + 900);
	}
	set_zone("NST3:30NDT,M3.2.0/0:01,M11.1.0/0:01");
	l = (struct stamp_local){0};
	/* 2026-03-08 00:01 becomes 01:01, at 03:31 UTC. */
	for (int again = 0; again < 2; again++) {
		assert_int_equal(stamp_local_epoch(&l, civil(3, 8, 0, 0), 1772940660),
		    1772940660 - 60);
		assert_int_equal(
		    stamp_local_epoch(&l, civil(3, 8, 1, 1), 1772940660), 1772940660);
		assert_int_equal(stamp_local_epoch(&l, civil(3, 8, 1, 30), 1772940660),
		    1772940660 + 29 * 60);
	}
}

static const struct {
	const char *text;
	int minutes; /* 9999: refused */
} zones[] = {
    {"Z", 0},
    {"UTC", 0},
    {"GMT", 0},
    {"A", 60},
    {"Y", -720},
    {"CET", 60},
    {"CEST", 120},
    {"MSK", 180},
    {"NFT", 690},
    {"NPT", 345},
    {"NST", -210},
    {"MIT", -570},
    {"AEDT", 660},
    {"CST", -360},
    {"CLST", -180},
    {"YAKST", 600},
    {"+01", 60},
    {"-01", -60},
    {"+0100", 60},
    {"+01:00", 60},
    {"-0430", -270},
    {"-04:30", -270},
    {"+1959", 1199},
    {"CET+0100", 120},
    {"CEST-01", 60},
    {"GMT+12", 720},
    {"UTC-04:30", -270},
    {"Z+19:99", 1239},
    {"", 9999},
    {"cet", 9999},
    {"XYZ", 9999},
    {"BST", 9999},
    {"PT", 9999},
    {"ABCDEF", 9999},
    {"+1", 9999},
    {"+2000", 9999},
    {"+01:", 9999},
    {"+010", 9999},
    {"+01:0", 9999},
    {"+01000", 9999},
    {"CET ", 9999},
    {"CET+", 9999},
    {"J", 9999},
    {"+01:000", 9999},
    {"CETx", 9999},
    {"01", 9999},
};

static void test_zones(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(zones); i++) {
		int minutes = 9999;
		int r = stamp_zone_parse(span_of(zones[i].text), &minutes);

		if (minutes != zones[i].minutes || r != (minutes == 9999 ? -EINVAL : 0))
			fail_msg("'%s' is %d", zones[i].text, minutes);
	}
}

static void test_numbers(void **state)
{
	static const struct {
		const char *text;
		bool is_long;
		int64_t us;
	} table[] = {
	    {"1106513999", false, 1106513999000000},
	    {"1106513999.5", false, 1106513999500000},
	    {"1106513999.123456", false, 1106513999123456},
	    {"11065139991", false, 11065139991000000},
	    {"1106513999", true, 1106513999000000},
	    {"11065139991", true, 11065139991000000},
	    {"1106513999123", true, 1106513999123000},
	    {"1106513999123.4567", true, 1106513999123456},
	    {"1106513999123456", true, 1106513999123456},
	    {"11065139991234", true, 11065139991234000},
	    {"11065139991234567", true, 11065139991234567},
	    {"99999999999999999", true, 99999999999999999},
	    {"999999999999", false, INT64_MIN},
	    {"99999999999999999999", true, INT64_MIN},
	    {"x", false, INT64_MIN},
	    {"", false, INT64_MIN},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		assert_int_equal(
		    stamp_number_epoch(span_of(table[i].text), table[i].is_long).us,
		    table[i].us);
	assert_int_equal(stamp_number_tai64n(SPAN("@4000000041f4104f12345678")).us,
	    1106513999000000);
	assert_int_equal(
	    stamp_number_tai64n(SPAN("@4000000041f4104f1234567")).us, INT64_MIN);
	assert_int_equal(
	    stamp_number_tai64n(SPAN("@4000000041F4104f12345678")).us, INT64_MIN);
	assert_int_equal(
	    stamp_number_tai64n(SPAN("@4fffffffffffffff00000000")).us, INT64_MIN);
}

/* Parts as "Y2005 m01 d23", each a key and its text. */
static wall_t time_of(const char *parts, int64_t now_sec)
{
	struct stamp_home home = {0};
	struct stamp_fields f;
	struct span rest = span_of(parts), part;

	stamp_fields_init(&f);
	while (span_next_word(&rest, "", &part))
		stamp_fields_set(&f, part.p[0], span_skip(part, 1));
	return stamp_fields_time(&f, &home, wall_from_sec(now_sec));
}

static void check(const char *parts, int64_t sec)
{
	wall_t at = time_of(parts, 1124013600); /* 2005-08-14 10:00:00, a Sunday */

	if (at.us != (sec == INT64_MIN ? INT64_MIN : sec * US_PER_SEC))
		fail_msg("'%s' is at %lld us", parts, (long long)at.us);
}

static void test_parts(void **state)
{
	const int64_t day = 1106438400; /* 2005-01-23 */
	const int64_t none = INT64_MIN;

	(void)state;
	set_zone("UTC");
	check("Y2005 m1 d23", day);
	check("y05 m01 d23 H21 M59 S59", day + 79199);
	check("y00 m01 d01", 946684800);
	check("y99 m12 d31", 4102358400);
	check("Y2005 bJAN d23", day);
	check("Y2005 BJanuary d23", day);
	check("Y2005 bJanu d23", none);
	check("Y2005 BJan d23", none);
	check("Y2005 m1 d23 I12", day);
	check("Y2005 m1 d23 I12 pam", day);
	check("Y2005 m1 d23 I12 pPM", day + 43200);
	check("Y2005 m1 d23 pPM I9", day + 75600);
	check("Y2005 m1 d23 I9 pAM", day + 32400);
	check("Y2005 m1 d23 I13 pPM", none);
	check("Y2005 m1 d23 I9 pxx", day + 32400);
	check("Y2005 m1 d23 I9 pPM H7", day + 25200);
	check("Y2005 m1 d23 z+0100", day - 3600);
	check("Y2005 m1 d23 ZEST", day + 18000);
	check("Y2005 m1 d23 Zest", none);
	check("Y2005 m1 d23 f999999", day);
	check("Y2005 j23", day);
	check("Y2005 j023 H1", day + 3600);
	check("Y2005 j366", 1136073600);
	check("Y2005 m2 j23", day);
	check("Y2005 m2 d3 j23", 1107388800);
	check("Y2005 U04 w0", day);
	check("Y2005 W03 w0", day);
	check("Y2005 W03 aSun", day);
	check("Y2005 W3 ASunday", day);
	check("Y2005 U04", 1123977600);
	check("Y2005 aXyz U04", none);
	check("Y2005 m2 d29", none);
	check("Y2005 m2", none);
	check("Y2005 d2", none);
	check("Y0 m1 d1", none);
	check("Y2005 m1 d23 H24", none);
	check("Y2005 m1 d23 M60", none);
	check("Y2005 m1 d23 S60", none);
	check("Yx m1 d1", none);
	check("Y2005 m1234567 d1", none);
	check("Y-5 m1 d1", none);
	check("Y9999 m12 d31", INT64_C(253402214400));
	check("Y10000 m1 d1", none);
	check("Y9999 j366", none);
}

static void test_guesses(void **state)
{
	const int64_t today = 1123977600; /* 2005-08-14 */

	(void)state;
	set_zone("UTC");
	check("", today);
	check("H10", today + 36000);
	check("H10 S1", today + 36001 - 86400);
	check("H12 z+0200", today + 36000);
	check("H13 z+0200", today + 39600 - 86400);
	check("m8 d15 H10", today + 86400 + 36000);
	check("m8 d15 H10 S1", today + 86400 + 36001 - 365 * 86400);
	check("j366", INT64_C(1136073600) - 365 * 86400);
	assert_int_equal(
	    time_of("m2 d29", 1075000000).us, 0 + INT64_MIN); /* January 2004 */
	assert_int_equal(time_of("m2 d29", 1078012800).us, INT64_C(1078012800000000));
	assert_int_equal(time_of("m2 d29", 1105000000).us, INT64_MIN); /* 2005 */
	/* The zone's evening is our next morning: still the year it says. */
	assert_int_equal(
	    time_of("m12 d31 H22 ZEST", 1104535000).us, INT64_C(1104548400000000));
}

/* Whatever the clock says, nothing overflows. */
static void test_strange_nows(void **state)
{
	struct stamp_home home = {0};
	struct stamp_fields f;

	(void)state;
	stamp_fields_init(&f);
	assert_int_equal(stamp_fields_time(&f, &home, WALL_NONE).us, INT64_MIN);
	assert_int_equal(stamp_fields_time(&f, &home, WALL_NEVER).us, INT64_MIN);
	stamp_fields_set(&f, 'Y', SPAN("2005"));
	stamp_fields_set(&f, 'j', SPAN("1"));
	assert_int_equal(
	    stamp_fields_time(&f, &home, WALL_NONE).us, INT64_C(1104537600000000));
	assert_int_equal(
	    stamp_fields_time(&f, &home, WALL_NEVER).us, INT64_C(1104537600000000));
}

static void test_home_zone(void **state)
{
	struct stamp_home home = {.has_zone = true, .zone_minutes = 90};
	struct stamp_fields f;

	(void)state;
	stamp_fields_init(&f);
	stamp_fields_set(&f, 'Y', SPAN("2005"));
	stamp_fields_set(&f, 'm', SPAN("1"));
	stamp_fields_set(&f, 'd', SPAN("23"));
	assert_int_equal(stamp_fields_time(&f, &home, (wall_t){0}).us,
	    INT64_C(1106438400000000) - 5400 * US_PER_SEC);
	stamp_fields_set(&f, 'z', SPAN("Z"));
	assert_int_equal(
	    stamp_fields_time(&f, &home, (wall_t){0}).us, INT64_C(1106438400000000));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_days),
	    cmocka_unit_test(test_dates),
	    cmocka_unit_test(test_local),
	    cmocka_unit_test(test_changes_of_the_clock),
	    cmocka_unit_test(test_hours_that_are_not_whole),
	    cmocka_unit_test(test_zones),
	    cmocka_unit_test(test_numbers),
	    cmocka_unit_test(test_parts),
	    cmocka_unit_test(test_guesses),
	    cmocka_unit_test(test_strange_nows),
	    cmocka_unit_test(test_home_zone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
