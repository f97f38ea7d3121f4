/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Dates in lines, by the table data/stamp.tsv, in all default formats, and in sequences
 * where several dates compete.
 */

#include "match/stamp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include <cmocka.h>

#include "base/buf.h"

#define NOW 1124013600 /* 2005-08-14 12:00:00 in the zone below */
#define ZONE "CET-01CEST-02,M3.5.0,M10.5.0"
#define SEEN 1106513999 /* 2005-01-23 21:59:59 */

static const char *table_path;

static struct stamp *make(const char *datepattern, const char *zone)
{
	struct stamp_options o = {.datepattern = datepattern, .timezone = zone};
	struct err e;
	struct stamp *s = stamp_new(&o, &e);

	if (!s)
		fail_msg("%s", e.text);
	return s;
}

static void refuse(const char *datepattern, const char *zone, const char *why)
{
	struct stamp_options o = {.datepattern = datepattern, .timezone = zone};
	struct err e = {""};

	assert_null(stamp_new(&o, &e));
	if (!strstr(e.text, why))
		fail_msg("'%s' says nothing of '%s'", e.text, why);
}

/* @cut NULL: no date is found. */
static void check_at(
    struct stamp *s, const char *line, int64_t now_sec, const char *cut, wall_t at)
{
	struct span text = span_of(line);
	struct stamp_result r = {0};
	bool is_found = stamp_find(s, text, wall_from_sec(now_sec), &r);

	stamp_keep(s, wall_from_sec(now_sec));
	if (!cut) {
		if (is_found)
			fail_msg("'%s' has no date, but '%.*s' is found", line,
			    (int)(r.end - r.start), line + r.start);
		return;
	}
	if (!is_found)
		fail_msg("no date in '%s'", line);
	assert_true(r.start <= r.end && r.end <= text.n);
	if (!span_eq((struct span){line + r.start, r.end - r.start}, span_of(cut)))
		fail_msg("'%.*s' is cut out of '%s', not '%s'", (int)(r.end - r.start),
		    line + r.start, line, cut);
	if (r.at.us != at.us)
		fail_msg("'%s' is at %lld, not %lld us", line, (long long)r.at.us,
		    (long long)at.us);
}

static void check(struct stamp *s, const char *line, const char *cut, int64_t sec)
{
	check_at(s, line, NOW, cut, wall_from_sec(sec));
}

static wall_t read_time(const char *text)
{
	double sec;

	if (strcmp(text, "none") == 0 || strcmp(text, "-") == 0)
		return WALL_NONE;
	sec = strtod(text, NULL);
	return (wall_t){(int64_t)(sec * 1e6 + 0.5)};
}

static const char *unless_dash(const char *s)
{
	return strcmp(s, "-") == 0 ? NULL : s;
}

static void table_row(char *row)
{
	char *part[6];

	for (size_t i = 0; i < ARRAY_LEN(part); i++) {
		part[i] = strsep(&row, "\t");
		assert_non_null(part[i]);
	}
	for (int by_hand = 0; by_hand < 2; by_hand++) {
		CLEANUP(stamp_freep)
		struct stamp *s = make(unless_dash(part[0]), unless_dash(part[1]));

		stamp_use_hand(s, by_hand);
		for (int again = 0; again < 3; again++)
			check_at(s, part[3], strtoll(part[2], NULL, 10),
			    unless_dash(part[4]), read_time(part[5]));
	}
}

static void test_table(void **state)
{
	FILE *f = fopen(table_path, "re");
	char *row = NULL;
	size_t room = 0;
	ssize_t n;

	(void)state;
	assert_non_null(f);
	while ((n = getline(&row, &room, f)) > 0) {
		row[n - 1] = '\0';
		if (row[0] != '#')
			table_row(row);
	}
	free(row);
	(void)fclose(f);
}

static const struct format {
	const char *date;
	const char *cut;    /* NULL: all of it */
	bool is_anchored;   /* found at the line's start only */
	bool needs_no_word; /* is not found behind a letter */
} formats[] = {
    {"Jan 23 21:59:59", NULL, false, true},
    {"Sun Jan 23 21:59:59 2005", NULL, false, false},
    {"Sun Jan 23 21:59:59", NULL, false, false},
    {"Sun Jan 23 2005 21:59:59", NULL, false, false},
    {"2005/01/23 21:59:59", NULL, false, true},
    {"2005.01.23 21:59:59", NULL, false, true},
    {"23/01/2005 21:59:59", NULL, false, true},
    {"23/01/05 21:59:59", NULL, false, true},
    {"23/Jan/2005:21:59:59", NULL, false, true},
    {"23/Jan/2005:21:59:59 +0100", NULL, false, true},
    {"01/23/2005:21:59:59", NULL, false, true},
    {"2005-01-23 21:59:59", NULL, false, true},
    {"2005-01-23 21:59:59,000", NULL, false, true},
    {"23-Jan-2005 21:59:59", NULL, false, true},
    {"23-Jan-2005 21:59:59.02", NULL, false, true},
    {"23-Jan-2005 21:59:59 +0100", NULL, false, true},
    {"23-01-2005 21:59:59", NULL, false, true},
    {"01-23-2005 21:59:59.252", NULL, false, true},
    {"@4000000041f4104f00000000", NULL, false, false},
    {"2005-01-23T20:59:59.252Z", NULL, false, true},
    {"2005-01-23T15:59:59-05:00", NULL, false, true},
    {"20050123T215959", NULL, false, true},
    {"20050123 215959", NULL, false, true},
    {"<01/23/05@21:59:59>", NULL, true, true},
    {"050123 21:59:59", NULL, false, true},
    {"Jan-23-05 21:59:59", NULL, true, true},
    {"Jan 23, 2005 9:59:59 PM", NULL, false, true},
    {"1106513999", NULL, true, true},
    {"1106513999.000", NULL, true, true},
    {"[1106513999.000]", "1106513999.000", true, true},
    {"audit(1106513999.000:987)", "1106513999.000", false, true},
};

static void format_lines(struct stamp *s, const struct format *f)
{
	const char *cut = f->cut ? f->cut : f->date;
	char line[128];

	(void)snprintf(line, sizeof(line), "%s[sshd] error: PAM", f->date);
	check(s, line, cut, SEEN);
	(void)snprintf(line, sizeof(line), "bogus-prefix %s[sshd] error", f->date);
	check(s, line, f->is_anchored ? NULL : cut, SEEN);
	if (!f->needs_no_word)
		return;
	(void)snprintf(line, sizeof(line), "word-boundary%s[sshd] error", f->date);
	check(s, line, NULL, 0);
}

static void test_default_formats(void **state)
{
	CLEANUP(stamp_freep) struct stamp *all = make(NULL, NULL);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(formats); i++) {
		CLEANUP(stamp_freep) struct stamp *fresh = make("", NULL);

		format_lines(fresh, &formats[i]);
		format_lines(all, &formats[i]);
		format_lines(all, &formats[i]);
	}
}

static void test_a_year_in_front_and_behind(void **state)
{
	CLEANUP(stamp_freep) struct stamp *s = make(NULL, NULL);
	const int64_t at = 1349915837;

	(void)state;
	check(s, "2012/10/11 02:37:17 [error] 18434#0", "2012/10/11 02:37:17", at);
	for (int i = 0; i < 10; i++)
		check(s, "11/10/2012 02:37:17 [error] 18434#0", "11/10/2012 02:37:17",
		    at);
	check(s, "2012/10/11 02:37:17 [error] 18434#0", "2012/10/11 02:37:17", at);
}

static void repeat(
    struct stamp *s, int n, const char *line, const char *cut, int64_t at)
{
	for (int i = 0; i < n; i++)
		check(s, line, cut, at);
}

/* The first date of a line counts, whatever the log looked like before. */
static void test_competition(void **state)
{
	CLEANUP(stamp_freep) struct stamp *s = make(NULL, NULL);

	(void)state;
	repeat(s, 1, "some free text 030324  0:03:59 -- 2003-03-07 17:05:01 ...",
	    "030324  0:03:59", 1048460639);
	repeat(s, 15, "some free text 2003-03-07 17:05:01 test ...",
	    "2003-03-07 17:05:01", 1047053101);
	repeat(s, 10,
	    "server mysqld[1000]: 030324  0:04:00 [Warning] Access denied ... "
	    "foreign-input just some free text 2003-03-07 17:05:01 test",
	    "030324  0:04:00", 1048460640);
	repeat(s, 15,
	    "server mysqld[1020]: Sep 16 21:30:26 server mysqld: 030916 21:30:26 x",
	    "Sep 16 21:30:26", 1095363026);
	repeat(s, 20, "server mysqld[5906]: 2005-10-07 06:09:42 5907 [Warning] x",
	    "2005-10-07 06:09:42", 1128658182);
	repeat(s, 20, "server mysqld[5906]: 2005-10-08T15:26:18.237955 6 [Note] x",
	    "2005-10-08T15:26:18.237955", 1128777978);
	repeat(s, 50, "server mysqld[1000]: 051009 10:05:30 [Warning] x",
	    "051009 10:05:30", 1128845130);
}

/* What a stranger writes into a line never becomes its date while it has one. */
static void test_strangers_dates(void **state)
{
	static const char *const strangers[] = {"2004-02-03T04:05:06Z",
	    "Feb  3 04:05:06", "03/Feb/2004:04:05:06 +0000", "1075781106",
	    "@40000000401f1c3200000000", "[1075781106]", "20040203T040506"};
	char line[256];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(strangers); i++) {
		CLEANUP(stamp_freep) struct stamp *s = make(NULL, NULL);

		for (int k = 0; k < 30; k++) {
			(void)snprintf(line, sizeof(line),
			    "Aug 14 11:59:%02d h sshd: user %s %s", k, strangers[i],
			    strangers[(i + (size_t)k) % ARRAY_LEN(strangers)]);
			line[15] = '\0';
			{
				char date[16];

				memcpy(date, line, sizeof(date));
				line[15] = ' ';
				check(s, line, date, NOW - 60 + k);
			}
		}
	}
}

/* Also not where the log's own date is not at the line's start. */
static void test_strangers_dates_after_a_prefix(void **state)
{
	CLEANUP(stamp_freep) struct stamp *s = make(NULL, NULL);

	(void)state;
	repeat(s, 5, "1.2.3.4 - - [14/Aug/2005:12:00:00 +0200] \"GET /\"",
	    "14/Aug/2005:12:00:00 +0200", NOW);
	repeat(s, 5,
	    "1.2.3.4 - - [14/Aug/2005:12:00:00 +0200] \"GET /2004-02-03T04:05:06Z\"",
	    "14/Aug/2005:12:00:00 +0200", NOW);
	repeat(s, 5,
	    "101.102.103.104 - x [14/Aug/2005:12:00:00 +0200] \"GET / "
	    "2004-02-03T04:05:06Z\" Feb  3 04:05:06",
	    "14/Aug/2005:12:00:00 +0200", NOW);
}

static void test_none_is_the_last_resort(void **state)
{
	CLEANUP(stamp_freep)
	struct stamp *s = make("{^LN-BEG}%b %d %H:%M:%S\n\n{NONE}\n", NULL);

	(void)state;
	check(s, "Jan 23 21:59:59 h", "Jan 23 21:59:59", SEEN);
	check(s, "no date", NULL, 0);
	check(s, "Jan 23 21:59:59 h", "Jan 23 21:59:59", SEEN);
	check(s, "", NULL, 0);
}

static void test_defaults_after_own(void **state)
{
	CLEANUP(stamp_freep)
	struct stamp *s = make("at %d.%m.%Y %H:%M\n{DEFAULT}", NULL);

	(void)state;
	check(s, "at 23.01.2005 21:59 x", "at 23.01.2005 21:59", SEEN - 59);
	check(s, "Jan 23 21:59:59 x", "Jan 23 21:59:59", SEEN);
}

/* A memory of the last line must not outlive a new year, nor a change of the log. */
static void test_the_same_text_again(void **state)
{
	CLEANUP(stamp_freep) struct stamp *s = make(NULL, NULL);
	const char *line = "Jan  1 00:00:10 h";
	const int64_t new_year = 1104534000; /* 2005-01-01 00:00:00 here */

	(void)state;
	check_at(s, line, new_year - 90001, "Jan  1 00:00:10",
	    wall_from_sec(new_year + 10 - 366 * 86400));
	check_at(s, line, new_year - 20, "Jan  1 00:00:10",
	    wall_from_sec(new_year + 10 - 366 * 86400));
	check_at(s, line, new_year, "Jan  1 00:00:10", wall_from_sec(new_year + 10));
	check_at(
	    s, line, new_year + 5, "Jan  1 00:00:10", wall_from_sec(new_year + 10));
	check(s, "2005-08-14 12:00:00 x", "2005-08-14 12:00:00", NOW);
	check(s, "2005-08-14 12:00:00 y", "2005-08-14 12:00:00", NOW);
	check(
	    s, "2005-08-14 12:00:00 +0000 y", "2005-08-14 12:00:00 +0000", NOW + 7200);
	check(s, "2005-08-14 12:00:00 y", "2005-08-14 12:00:00", NOW);
	check(s, "2005-08-14 12:00:00.5 y", "2005-08-14 12:00:00.5", NOW);
	check(s, "2005-08-14 12:00:00", "2005-08-14 12:00:00", NOW);
	check(s, "2005-08-14 12:00:00 y", "2005-08-14 12:00:00", NOW);
}

static void test_bytes_that_are_no_text(void **state)
{
	CLEANUP(stamp_freep) struct stamp *s = make(NULL, NULL);

	(void)state;
	for (int i = 0; i < 3; i++) {
		check(s, "Jan 23 21:59:59 \xff\xfe h", "Jan 23 21:59:59", SEEN);
		check(s, "\xff\xfeJan 23 21:59:59 h", "Jan 23 21:59:59", SEEN);
		check(s, "\xc3 Jan 23 21:59:59 \xe2\x82", "Jan 23 21:59:59", SEEN);
		check(s, "Jan 23 21:59:59\xff", "Jan 23 21:59:59", SEEN);
		check(s, "Jan 23 21:59:59\xc3\xa9", NULL, 0);
		check(s, "2005-01-23 21:59:59\xc2\xa0Z", "2005-01-23 21:59:59\xc2\xa0Z",
		    SEEN + 3600);
		check(s, "\xff\xff\xff", NULL, 0);
	}
}

static void test_names(void **state)
{
	CLEANUP(stamp_freep) struct stamp *s = make(NULL, NULL);

	(void)state;
	assert_null(stamp_template_name(s));
	check(s, "nothing", NULL, 0);
	assert_null(stamp_template_name(s));
	check(s, "Jan 23 21:59:59 h", "Jan 23 21:59:59", SEEN);
	assert_string_equal(stamp_template_name(s),
	    "{^LN-BEG}(?:DAY )?MON Day "
	    "%k:Minute:Second(?:\\.Microseconds)?(?: ExYear)?");
	check(s, "x @4000000041f4104f00000000", "@4000000041f4104f00000000", SEEN);
	assert_string_equal(stamp_template_name(s), "TAI64N");
	check(s, "1106513999", "1106513999", SEEN);
	assert_string_equal(stamp_template_name(s), "{^LN-BEG}Epoch");
}

static void test_mistakes(void **state)
{
	(void)state;
	refuse("%Y-%q", NULL, "'%q'");
	refuse("%Y-%", NULL, "'%'");
	refuse("%Y-%m\n(%d", NULL, "(%d");
	refuse("%Y %Y", NULL, "%Y %Y");
	refuse("%Y\n%H:%M\n%Y", NULL, "twice");
	refuse("{DEFAULT}\n{DEFAULT}\n%H:%M:%S\n{^LN-BEG}%H:%M:%S", NULL, "twice");
	refuse("[(]foo", NULL, "group");
	refuse(NULL, "WRONG-TZ", "WRONG-TZ");
	refuse(NULL, "cet", "logtimezone");
	refuse(NULL, "Europe/Berlin", "logtimezone");
	refuse(NULL, "+2", "logtimezone");
}

static int setup(void **state)
{
	(void)state;
	if (setenv("TZ", ZONE, 1) < 0)
		return -1;
	tzset();
	return 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_table),
	    cmocka_unit_test(test_default_formats),
	    cmocka_unit_test(test_a_year_in_front_and_behind),
	    cmocka_unit_test(test_competition),
	    cmocka_unit_test(test_strangers_dates),
	    cmocka_unit_test(test_strangers_dates_after_a_prefix),
	    cmocka_unit_test(test_none_is_the_last_resort),
	    cmocka_unit_test(test_defaults_after_own),
	    cmocka_unit_test(test_the_same_text_again),
	    cmocka_unit_test(test_bytes_that_are_no_text),
	    cmocka_unit_test(test_names),
	    cmocka_unit_test(test_mistakes),
	};

	if (argc < 2)
		return 2;
	table_path = argv[1];
	return cmocka_run_group_tests(tests, setup, NULL);
}
