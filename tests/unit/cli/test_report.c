/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report: bars, rows over time, and foreign text in a page */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "cli/bars.h"
#include "cli/report.h"

#define HOUR INT64_C(3600)
#define T0 INT64_C(1795651200) /* 2026-11-26 00:00 UTC */

static void bar(
    size_t width, int64_t passed, int64_t stopped, int64_t max, const char *wanted)
{
	const struct bars_style plain = {false, false};
	struct buf b = BUF_INIT(512);

	bars_add(&b, &plain, width, passed, stopped, max);
	assert_string_equal(buf_str(&b), wanted);
	buf_deinit(&b);
}

static void bars_are_as_long_as_they_should_be(UNUSED void **state)
{
	bar(10, 0, 0, 100, "          ");
	bar(10, 50, 20, 100, "#####--   ");
	bar(10, 100, 0, 100, "##########");
	bar(10, 0, 100, 100, "----------");
	bar(10, 1, 1, 1000000, "#-        ");
	bar(10, 999999, 1, 1000000, "#########-");
	bar(10, 1, 999999, 1000000, "#---------");
	bar(10, 55, 45, 100, "#####-----");
	/* What is more than all, or senseless. */
	bar(10, 500, 500, 100, "##########");
	bar(10, -5, INT64_MAX, 1, "----------");
	bar(10, 5, 5, 0, "          ");
	bar(1, 5, 5, 10, "#");
	bar(0, 5, 5, 10, "");
}

static void bars_in_blocks_and_colours(UNUSED void **state)
{
	const struct bars_style s = {true, true};
	struct buf b = BUF_INIT(512);

	bars_add(&b, &s, 4, 1, 2, 4);
	assert_string_equal(buf_str(&b), "\033[33m█\033[0m\033[32m░░\033[0m ");
	buf_deinit(&b);
}

static void number(int64_t n, const char *wanted)
{
	struct buf b = BUF_INIT(64);

	bars_add_number(&b, n);
	assert_string_equal(buf_str(&b), wanted);
	buf_deinit(&b);
}

static void numbers_are_easily_read(UNUSED void **state)
{
	number(0, "0");
	number(999, "999");
	number(1000, "1,000");
	number(63012, "63,012");
	number(1234567, "1,234,567");
	number(-1000, "-1,000");
	number(-100, "-100");
	number(INT64_MIN, "-9,223,372,036,854,775,808");
}

static void escaped(struct span text, const char *wanted)
{
	struct buf b = BUF_INIT(512);

	report_html_escape(&b, text);
	assert_string_equal(buf_str(&b), wanted);
	buf_deinit(&b);
}

static void foreign_text_stays_text(UNUSED void **state)
{
	escaped(SPAN(""), "");
	escaped(SPAN("plain \xc3\xa4 \xe2\x82\xac"), "plain \xc3\xa4 \xe2\x82\xac");
	escaped(SPAN("<script>alert('x')</script>"),
	    "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;");
	escaped(SPAN("\" onload=\"x&y"), "&quot; onload=&quot;x&amp;y");
	escaped(SPAN("&lt;"), "&amp;lt;");
	escaped(SPAN("a\0b\x01\x7f\tc"), "a\xef\xbf\xbd"
					 "b\xef\xbf\xbd\xef\xbf\xbd\tc");
	escaped(SPAN("\xff<\xc3"), "\xef\xbf\xbd&lt;\xef\xbf\xbd");
}

static json_t *row_at(int64_t at, int64_t passed, int64_t stopped)
{
	return json_pack("{s:I,s:I,s:I,s:I}", "at", (json_int_t)at, "passed",
	    (json_int_t)passed, "stopped", (json_int_t)stopped, "bans", (json_int_t)1);
}

static void rows(json_t *hours, int64_t until, size_t max_bars, const char *wanted)
{
	struct buf b = BUF_INIT(1 << 16);
	struct report_series s = {0};

	assert_int_equal(
	    report_series_of(hours, wall_from_sec(until), max_bars, &s), 0);
	for (size_t i = 0; i < s.n; i++) {
		report_series_name(&s, i, &b);
		buf_printf(
		    &b, " %d %d; ", (int)s.bars[i].passed, (int)s.bars[i].stopped);
	}
	assert_string_equal(buf_str(&b), wanted);
	report_series_deinit(&s);
	buf_deinit(&b);
	json_decref(hours);
}

static void time_goes_on_without_gaps(UNUSED void **state)
{
	json_t *hours = json_array();

	(void)json_array_append_new(hours, row_at(T0 + 2 * HOUR, 5, 0));
	(void)json_array_append_new(hours, row_at(T0, 1, 2));
	(void)json_array_append_new(hours, row_at(-5, 100, 100)); /* no time */
	rows(json_incref(hours), T0 + 3 * HOUR + 10, 24,
	    "2026-11-26 00:00 1 2; 2026-11-26 01:00 0 0; 2026-11-26 02:00 5 0; "
	    "2026-11-26 03:00 0 0; ");
	rows(json_incref(hours), T0 + 3 * HOUR + 10, 3, "2026-11-26 6 2; ");
	(void)json_array_append_new(hours, row_at(T0 - 30 * 24 * HOUR, 1, 0));
	rows(json_incref(hours), T0 + 3 * HOUR, 24, "2026-10 1 0; 2026-11 6 2; ");
	rows(hours, T0 - 30 * 24 * HOUR, 24, "2026-10-27 00:00 7 2; ");
}

static void no_time_is_no_row(UNUSED void **state)
{
	struct report_series s;
	json_t *hours = json_array();

	assert_int_equal(report_series_of(hours, wall_from_sec(T0), 10, &s), -EINVAL);
	assert_int_equal(report_series_of(NULL, wall_from_sec(T0), 10, &s), -EINVAL);
	(void)json_array_append_new(hours, json_string("x"));
	(void)json_array_append_new(hours, row_at(T0 + HOUR, 1, 1)); /* later */
	assert_int_equal(report_series_of(hours, wall_from_sec(T0), 10, &s), -EINVAL);
	json_decref(hours);
}

static void a_long_time_is_bounded(UNUSED void **state)
{
	struct report_series s;
	json_t *hours = json_array();

	(void)json_array_append_new(hours, row_at(1, 1, 1));
	(void)json_array_append_new(hours, row_at(INT64_C(253402300799), 2, 2));
	assert_int_equal(
	    report_series_of(hours, wall_from_sec(INT64_C(253402300799)), 10, &s), 0);
	assert_true(s.n <= 1000);
	assert_int_equal(s.bars[s.n - 1].passed, 2);
	report_series_deinit(&s);
	json_decref(hours);
}

/* Whoever names a jail, and whatever stands in a regex: no tag comes of it. */
static void a_page_holds_no_foreign_tags(UNUSED void **state)
{
	json_t *row = json_pack("{s:s,s:i,s:s,s:i,s:i,s:i}", "jail", "<b>\x01", "rule",
	    3, "reason", "</code><script>\n", "hits", 3, "passed", 1, "stopped", 2);
	json_t *a = json_pack("{s:[O],s:[O],s:[o]}", "jails", row, "reasons", row,
	    "addresses", json_pack("{s:s}", "ip", "<i>"));
	struct report_view v = {.answer = a, .now = wall_from_sec(T0)};
	struct buf b = BUF_INIT(1 << 20);

	report_html(&v, &b);
	assert_false(b.failed);
	assert_int_equal(span_find(buf_span(&b), SPAN("<b>\\")), -1);
	assert_int_equal(span_find(buf_span(&b), SPAN("<script")), -1);
	assert_int_equal(span_find(buf_span(&b), SPAN("<i>")), -1);
	assert_true(span_find(buf_span(&b), SPAN("&lt;script&gt;")) > 0);
	assert_true(span_find(buf_span(&b), SPAN("&lt;i&gt;")) > 0);
	buf_clear(&b);
	report_text(&v, &b);
	assert_int_equal(span_find(buf_span(&b), SPAN("\x01")), -1);
	assert_true(span_find(buf_span(&b), SPAN("\"<b>\\x01\" 3")) > 0);
	buf_deinit(&b);
	json_decref(row);
	json_decref(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(bars_are_as_long_as_they_should_be),
	    cmocka_unit_test(bars_in_blocks_and_colours),
	    cmocka_unit_test(numbers_are_easily_read),
	    cmocka_unit_test(foreign_text_stays_text),
	    cmocka_unit_test(time_goes_on_without_gaps),
	    cmocka_unit_test(no_time_is_no_row),
	    cmocka_unit_test(a_long_time_is_bounded),
	    cmocka_unit_test(a_page_holds_no_foreign_tags),
	};

	setenv("TZ", "UTC0", 1);
	tzset();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
