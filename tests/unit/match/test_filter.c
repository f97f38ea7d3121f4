/* SPDX-License-Identifier: GPL-2.0-or-later */

/* filter: each outcome, dates and their absence, fields, ignoreregex, several lines */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "match/filter.h"
#include "match/ring.h"

#define T0 1124013600 /* 2005-08-14 12:00:00 in Berlin */

struct fixture {
	struct filter_options o;
	struct filter *f;
	struct filter_failure x;
	wall_t now;
	bool live;
};

static int set_up(void **state)
{
	struct fixture *t = calloc(1, sizeof(*t));

	*state = t;
	t->now = wall_from_sec(T0);
	t->o.no_date = true;
	return t ? 0 : -1;
}

static int tear_down(void **state)
{
	struct fixture *t = *state;

	filter_free(t->f);
	free(t);
	return 0;
}

/* The last list is of @regexes, ended by NULL. */
static void make(struct fixture *t, const char *const *regexes)
{
	struct err e = {""};

	t->o.failregex = regexes;
	for (t->o.n_failregex = 0; regexes[t->o.n_failregex];)
		t->o.n_failregex++;
	filter_free(t->f);
	t->f = filter_new(&t->o, &e);
	if (!t->f)
		fail_msg("%s", e.text);
}
#define MAKE(t, ...) make(t, (const char *const[]){__VA_ARGS__, NULL})

static int feed_span(struct fixture *t, struct span text)
{
	struct line l = {.text = text, .stamp = WALL_NONE, .live = t->live};

	t->x = (struct filter_failure){0};
	return filter_feed(t->f, &l, NULL, t->now, &t->x);
}

static int feed(struct fixture *t, const char *text)
{
	return feed_span(t, span_of(text));
}

static void assert_span(struct span got, const char *want)
{
	if (!span_eq(got, span_of(want)))
		fail_msg("'" SPAN_FMT "' is not '%s'", SPAN_ARG(got), want);
}

/* @want NULL: there is no such field. */
static void assert_field(const struct fixture *t, const char *name, const char *want)
{
	const struct filter_field *fields;
	size_t n = filter_fields(t->f, &fields);

	for (size_t i = 0; i < n; i++) {
		if (strcmp(fields[i].name, name) != 0)
			continue;
		assert_non_null(want);
		assert_span(fields[i].value, want);
		return;
	}
	assert_null(want);
}

static void test_failure(void **state)
{
	struct fixture *t = *state;
	const struct filter_field *fields;

	MAKE(t, "^never <HOST>$",
	    "^failed for <F-USER>\\S*</F-USER> from <HOST>(?: port <F-PORT/>)?$");
	assert_int_equal(feed(t, "all is well"), FILTER_MISS);
	assert_int_equal(feed(t, ""), FILTER_MISS);
	assert_int_equal(
	    feed(t, "failed for root from 192.0.2.1 port 22\r\n"), FILTER_FAILURE);
	assert_span(t->x.id, "192.0.2.1");
	assert_span(t->x.host, "192.0.2.1");
	assert_true(t->x.has_net);
	assert_false(t->x.is_name);
	assert_int_equal(t->x.rule, 1);
	assert_int_equal(t->x.attempts, 1);
	assert_int_equal(t->x.at.us, t->now.us);
	assert_field(t, "user", "root");
	assert_field(t, "fport", "22");
	assert_field(t, "ip4", "192.0.2.1");
	assert_field(t, "ip6", NULL);
	assert_field(t, "users", NULL);
	assert_int_equal(filter_fields(t->f, &fields), 3);
	assert_int_equal(feed(t, "failed for  from a.example"), FILTER_FAILURE);
	assert_true(t->x.is_name);
	assert_field(t, "user", "");
	assert_field(t, "fport", NULL);
	assert_int_equal(filter_n_rules(t->f), 2);
	assert_int_equal(filter_n_hits(t->f, 0), 0);
	assert_int_equal(filter_n_hits(t->f, 1), 2);
}

static void test_no_address(void **state)
{
	struct fixture *t = *state;

	t->o.usedns = FILTER_DNS_NO;
	MAKE(t, "^from <HOST>$", "^name <DNS>$", "^maybe(?: <ADDR>)?$");
	assert_int_equal(feed(t, "from a.example"), FILTER_MISS);
	assert_int_equal(feed(t, "name a.example"), FILTER_NO_ADDRESS);
	assert_span(t->x.host, "a.example");
	assert_int_equal(feed(t, "from 300.1.1.1"), FILTER_NO_ADDRESS);
	assert_span(t->x.host, "300.1.1.1");
	assert_int_equal(feed(t, "from 192.000.2.1"), FILTER_NO_ADDRESS);
	assert_int_equal(feed(t, "maybe"), FILTER_NO_ADDRESS);
	assert_int_equal(t->x.host.n, 0);
	assert_int_equal(feed(t, "from [::ffff:192.0.2.1]"), FILTER_FAILURE);
	assert_span(t->x.id, "192.0.2.1");
}

static void test_first_rule_wins(void **state)
{
	struct fixture *t = *state;

	MAKE(t, "a <HOST>", "b <HOST>");
	assert_int_equal(feed(t, "b 192.0.2.2 a 192.0.2.1"), FILTER_FAILURE);
	assert_int_equal(t->x.rule, 0);
	assert_span(t->x.id, "192.0.2.1");
}

static void test_prefregex(void **state)
{
	struct fixture *t = *state;

	t->o.prefregex = "^<F-HOSTNAME>\\S+</F-HOSTNAME> <F-USER>\\w+</F-USER>: "
			 "<F-CONTENT>.+</F-CONTENT>$";
	MAKE(t, "^fail <HOST>(?: <F-USER>\\w+</F-USER>)?$",
	    "^<F-HOSTNAME></F-HOSTNAME>x <HOST>$");
	assert_int_equal(feed(t, "fail 192.0.2.1"), FILTER_MISS);
	assert_int_equal(feed(t, "srv root: fail 192.0.2.1"), FILTER_FAILURE);
	assert_field(t, "hostname", "srv");
	assert_field(t, "user", "root"); /* a group that took no part hides nothing */
	assert_field(t, "content", NULL);
	assert_int_equal(feed(t, "srv root: fail 192.0.2.1 admin"), FILTER_FAILURE);
	assert_field(t, "user", "admin");
	assert_int_equal(feed(t, "srv root: x 192.0.2.1"), FILTER_FAILURE);
	assert_field(t, "hostname", "");

	/* The content need not reach to the end of the line. */
	t->o.prefregex = "^<F-CONTENT>\\w+ <ADDR></F-CONTENT> end$";
	MAKE(t, "^fail .*\\n$");
	assert_int_equal(feed(t, "fail 192.0.2.1 end"), FILTER_FAILURE);
	assert_span(t->x.id, "192.0.2.1");

	/* Without content the failregexes see all. */
	t->o.prefregex = "^srv";
	MAKE(t, "^srv <HOST>$");
	assert_int_equal(feed(t, "srv 192.0.2.1"), FILTER_FAILURE);
}

static void test_ignoreregex(void **state)
{
	static const char *const ignore[] = {"^user nagios ", "^srv2"};
	struct fixture *t = *state;

	t->o.ignoreregex = ignore;
	t->o.n_ignoreregex = 2;
	t->o.prefregex = "^\\S+ <F-CONTENT>.+</F-CONTENT>$";
	MAKE(t, "^user \\S+ from <HOST>$");
	assert_int_equal(feed(t, "srv1 user root from 192.0.2.1"), FILTER_FAILURE);
	assert_int_equal(feed(t, "srv1 user nagios from 192.0.2.1"), FILTER_IGNORED);
	assert_int_equal(feed(t, "srv2 user root from 192.0.2.1"), FILTER_IGNORED);
	assert_int_equal(feed(t, "srv2 hello"), FILTER_MISS);
	assert_int_equal(filter_n_hits(t->f, 0), 3);
}

static void test_sessions(void **state)
{
	struct fixture *t = *state;

	t->o.prefregex = "^<F-MLFID>\\w+</F-MLFID>: <F-CONTENT>.+</F-CONTENT>$";
	MAKE(t, "^<F-NOFAIL>connect</F-NOFAIL> from <ADDR>$",
	    "^failed for <F-USER>\\S+</F-USER>$",
	    "^<F-MLFGAINED>welcome</F-MLFGAINED>$");
	assert_int_equal(feed(t, "A1: failed for root"), FILTER_HELPED);
	assert_int_equal(feed(t, "A2: connect from 192.0.2.2"), FILTER_HELPED);
	assert_int_equal(feed(t, "A2: failed for one"), FILTER_FAILURE);
	assert_span(t->x.id, "192.0.2.2");
	assert_int_equal(t->x.attempts, 2);
	assert_field(t, "users", NULL);
	assert_field(t, "mlfid", NULL);
	assert_field(t, "nofail", NULL);
	assert_int_equal(feed(t, "A2: failed for two"), FILTER_FAILURE);
	assert_int_equal(t->x.attempts, 1);
	assert_field(t, "user", "two");
	assert_field(t, "users", "one\ntwo");
	assert_int_equal(feed(t, "A1: connect from 192.0.2.1"), FILTER_FAILURE);
	assert_field(t, "user", "root");
	assert_int_equal(feed(t, "A3: connect from 192.0.2.3"), FILTER_HELPED);
	assert_int_equal(feed(t, "A3: welcome"), FILTER_HELPED);
	t->now = wall_from_sec(T0 + 301);
	assert_int_equal(feed(t, "A2: failed for three"), FILTER_HELPED);
}

/* A helper line outside of any session is none either. */
static void test_nofail_alone(void **state)
{
	struct fixture *t = *state;

	MAKE(t, "^<F-NOFAIL>hello</F-NOFAIL> <ADDR>$");
	assert_int_equal(feed(t, "hello 192.0.2.1"), FILTER_HELPED);
}

static void test_maxlines(void **state)
{
	static const char *const ignore[] = {"spare"};
	struct fixture *t = *state;

	t->o.maxlines = 3;
	t->o.ignoreregex = ignore;
	t->o.n_ignoreregex = 1;
	MAKE(t, "^begin (\\w+) <HOST>$<SKIPLINES>^failed \\1$");
	assert_int_equal(feed(t, "begin x 192.0.2.1"), FILTER_MISS);
	assert_int_equal(feed(t, "noise"), FILTER_MISS);
	assert_int_equal(feed(t, "failed x"), FILTER_FAILURE);
	assert_int_equal(t->x.attempts, 2);
	assert_field(t, "skiplines0", NULL);
	assert_int_equal(feed(t, "failed x"), FILTER_MISS); /* they are used up */
	assert_int_equal(feed(t, "begin y 192.0.2.1"), FILTER_MISS);
	assert_int_equal(feed(t, "1"), FILTER_MISS);
	assert_int_equal(feed(t, "2"), FILTER_MISS);
	assert_int_equal(feed(t, "failed y"), FILTER_MISS); /* too far apart */
	assert_int_equal(feed(t, "begin spare 192.0.2.1"), FILTER_MISS);
	assert_int_equal(feed(t, "failed spare"), FILTER_IGNORED);
	assert_int_equal(feed(t, "failed spare"), FILTER_MISS);
	/* what is spared is a matched line, not one that stands near */
	assert_int_equal(feed(t, "spare"), FILTER_MISS);
	assert_int_equal(feed(t, "begin z 192.0.2.1"), FILTER_MISS);
	assert_int_equal(feed(t, "failed z"), FILTER_FAILURE);
}

static void test_maxlines_content(void **state)
{
	struct fixture *t = *state;

	t->o.maxlines = 5;
	t->o.prefregex = "(?s)^<F-CONTENT>a.*b</F-CONTENT>";
	MAKE(t, "^<HOST> b$");
	assert_int_equal(feed(t, "a"), FILTER_MISS);
	assert_int_equal(feed(t, "b"), FILTER_MISS); /* the ring is now "a\nb" */
	assert_int_equal(feed(t, "192.0.2.1 b"), FILTER_FAILURE);
}

/* The lines that a match takes are counted from the head of the ring. */
static void test_maxlines_ignored_content(void **state)
{
	static const char *const ignore[] = {"root"};
	struct fixture *t = *state;

	t->o.maxlines = 3;
	t->o.prefregex = "p: <F-CONTENT>.+</F-CONTENT>$";
	t->o.ignoreregex = ignore;
	t->o.n_ignoreregex = 1;
	MAKE(t, "^failed \\w+ <HOST>$");
	assert_int_equal(feed(t, "noise"), FILTER_MISS);
	assert_int_equal(feed(t, "p: failed root 192.0.2.1"), FILTER_IGNORED);
}

static void test_dates(void **state)
{
	struct fixture *t = *state;

	t->o.no_date = false;
	MAKE(t, "^ <HOST>$");
	assert_int_equal(feed(t, " 192.0.2.1"), FILTER_FAILURE); /* none yet: now */
	assert_int_equal(t->x.at.us, t->now.us);
	t->live = true;
	assert_int_equal(feed(t, "2005-08-14 11:59:00 192.0.2.1"), FILTER_FAILURE);
	assert_int_equal(t->x.at.us, wall_from_sec(T0 - 60).us);
	assert_int_equal(feed(t, " 192.0.2.1"), FILTER_FAILURE); /* 60 s are too old */
	assert_int_equal(t->x.at.us, t->now.us);
	assert_int_equal(feed(t, "2005-08-14 11:59:01 192.0.2.1"), FILTER_FAILURE);
	assert_int_equal(feed(t, " 192.0.2.1"), FILTER_FAILURE);
	assert_int_equal(t->x.at.us, wall_from_sec(T0 - 59).us);
}

/* A log of last week knows nothing of the clock on the wall. */
static void test_dates_of_an_old_log(void **state)
{
	struct fixture *t = *state;

	t->o.no_date = false;
	MAKE(t, "^ <HOST>$");
	assert_int_equal(feed(t, "2005-08-07 11:59:00 192.0.2.1"), FILTER_FAILURE);
	assert_int_equal(feed(t, " 192.0.2.1"), FILTER_FAILURE);
	assert_int_equal(t->x.at.us, wall_from_sec(T0 - 7 * 86400 - 60).us);
}

/* The number of a process comes again: after five minutes it is another session. */
static void test_sessions_of_an_old_log(void **state)
{
	struct fixture *t = *state;

	t->o.no_date = false;
	t->o.prefregex = "^ <F-MLFID>\\w+</F-MLFID>: <F-CONTENT>.+</F-CONTENT>$";
	MAKE(t, "^<F-NOFAIL>connect</F-NOFAIL> from <ADDR>$",
	    "^failed for <F-USER>\\S+</F-USER>$");
	assert_int_equal(
	    feed(t, "2005-08-07 10:00:00 A1: connect from 192.0.2.1"), FILTER_HELPED);
	assert_int_equal(
	    feed(t, "2005-08-07 10:04:59 A1: failed for one"), FILTER_FAILURE);
	assert_int_equal(
	    feed(t, "2005-08-07 10:05:00 A1: failed for two"), FILTER_HELPED);
}

/* The source knows better: nothing is cut out of the line. */
static void test_no_date(void **state)
{
	struct fixture *t = *state;
	struct line l = {
	    .text = SPAN("2005-08-14 11:59:00 192.0.2.1"), .stamp = wall_from_sec(42)};

	MAKE(t, "^2005-08-14 11:59:00 <HOST>$");
	assert_int_equal(filter_feed(t->f, &l, NULL, t->now, &t->x), FILTER_FAILURE);
	assert_int_equal(t->x.at.us, wall_from_sec(42).us);
	l.stamp = WALL_NONE;
	assert_int_equal(filter_feed(t->f, &l, NULL, t->now, &t->x), FILTER_FAILURE);
	assert_int_equal(t->x.at.us, t->now.us);
}

static void test_bad_bytes(void **state)
{
	struct fixture *t = *state;
	const struct filter_field *fields;
	size_t n;

	MAKE(t, "^<F-USER>.+</F-USER> from <HOST>$");
	assert_int_equal(feed(t, "caf\xe9 from 192.0.2.1"), FILTER_FAILURE);
	assert_field(t, "user", "caf\xef\xbf\xbd");
	assert_int_equal(feed_span(t, SPAN("a\0b from 192.0.2.1")), FILTER_FAILURE);
	n = filter_fields(t->f, &fields);
	assert_int_equal(fields[n - 1].value.n, 3);
}

static void test_limit(void **state)
{
	struct fixture *t = *state;
	char text[5000];

	memset(text, 'a', sizeof(text));
	text[sizeof(text) - 1] = 'b';
	MAKE(t, "^(?:a+)+[bc] <HOST>$", "^(?:a+)+[bc]$<HOST>", "(?P<fid>c)");
	assert_int_equal(feed_span(t, (struct span){text, sizeof(text)}), FILTER_LIMIT);
	text[0] = 'c';
	assert_int_equal(
	    feed_span(t, (struct span){text, sizeof(text)}), FILTER_FAILURE);
	assert_int_equal(filter_n_limits(t->f, 0) + filter_n_limits(t->f, 1) > 0, 1);
	assert_int_equal(filter_n_limits(t->f, 2), 0);
	assert_int_equal(filter_n_limits(t->f, 3), 0);
}

static void refuse(struct fixture *t, const char *want)
{
	struct err e = {""};

	assert_null(filter_new(&t->o, &e));
	assert_string_equal(e.text, want);
}

static void test_refused(void **state)
{
	static const char *const good = "<HOST>", *const broken[] = {"<HOST>", "a("};
	static const char *const nobody = "x";
	struct fixture *t = *state;

	t->o.failregex = broken;
	t->o.n_failregex = 2;
	refuse(
	    t, "failregex[1]: missing closing parenthesis, at offset 2, after \"a(\"");
	t->o.failregex = &nobody;
	t->o.n_failregex = 1;
	refuse(t,
	    "failregex[0]: nothing in it says who it was: <HOST>, <ADDR>, <F-ID>, "
	    "... is missing");
	t->o.failregex = &good;
	t->o.prefregex = "[";
	refuse(t, "prefregex: missing terminating ] for character class, at offset 1, "
		  "after \"[\"");
	t->o.prefregex = "";
	t->o.ignoreregex = broken;
	t->o.n_ignoreregex = 2;
	refuse(t,
	    "ignoreregex[1]: missing closing parenthesis, at offset 2, after \"a(\"");
	t->o.n_ignoreregex = 0;
	t->o.maxlines = RING_LINES_MAX + 1;
	refuse(t, "maxlines: no more than 1000");
}

static void test_check(void **state)
{
	struct err e = {""};

	(void)state;
	assert_int_equal(filter_check_failregex("<HOST>", NULL, FILTER_DNS_NO, &e), 0);
	assert_int_equal(filter_check_failregex("x", "<ADDR>", FILTER_DNS_NO, &e), 0);
	assert_true(filter_check_failregex("x", NULL, FILTER_DNS_NO, &e) < 0);
	assert_true(filter_check_failregex("<HOST>", "(", FILTER_DNS_NO, &e) < 0);
	assert_true(filter_check_failregex("<HOST><ADDR>", "", FILTER_DNS_NO, &e) < 0);
	assert_int_equal(filter_check_regex("x", FILTER_DNS_NO, &e), 0);
	assert_true(filter_check_regex("", FILTER_DNS_NO, &e) < 0);
	assert_string_equal(e.text, "an empty regex");
}

/* No failregex at all: a jail that only people fill. */
static void test_empty(void **state)
{
	struct fixture *t = *state;

	t->f = filter_new(&t->o, NULL);
	assert_non_null(t->f);
	assert_int_equal(feed(t, "x"), FILTER_MISS);
	assert_null(filter_free(NULL));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

/* --- lines that another filter has searched */

/* What @by makes of the line, for @t. */
static int feed_known(struct fixture *t, struct fixture *by, const char *text)
{
	struct line l = {.text = span_of(text), .stamp = WALL_NONE};
	struct filter_known k;
	int r = feed(by, text);

	filter_tell(by->f, r, &by->x, &k);
	assert_true(filter_is_plausible(t->f, &k));
	return filter_feed_known(t->f, &l, &k, t->now, &t->x);
}

static void what_was_searched_elsewhere_holds_here(void **state)
{
	struct fixture *t = *state, by = {.o = t->o, .now = t->now};

	t->o.no_date = by.o.no_date = false;
	MAKE(t, "never <HOST>", "from <HOST>$");
	MAKE(&by, "never <HOST>", "from <HOST>$");
	assert_int_equal(
	    feed_known(t, &by, "2005-08-14 11:59:00 from 192.0.2.1"), FILTER_FAILURE);
	assert_true(t->x.has_net);
	assert_int_equal(t->x.rule, 1);
	assert_int_equal(t->x.at.us, by.x.at.us);
	assert_int_equal(filter_n_hits(t->f, 1), 1);
	assert_int_equal(
	    feed_known(t, &by, "2005-08-14 11:59:00 to 192.0.2.1"), FILTER_MISS);
	filter_free(by.f);
}

static void where_another_date_is_cut_out_the_line_is_searched_again(void **state)
{
	struct fixture *t = *state, by = {.o = t->o, .now = t->now};
	const char *line = "2005-08-14 11:59:00 at 1124013599 from 192.0.2.1";

	t->o.no_date = false; /* the other one cuts nothing out */
	MAKE(t, "^ at \\d+ from <HOST>$");
	MAKE(&by, "^ at \\d+ from <HOST>$");
	assert_int_equal(feed(&by, line), FILTER_MISS);
	assert_int_equal(feed_known(t, &by, line), FILTER_FAILURE);
	assert_true(t->x.has_net);
	filter_free(by.f);
}

static void a_session_goes_by_the_lines_of_here(void **state)
{
	struct fixture *t = *state, by = {.o = t->o, .now = t->now};
#define SESSION                                                        \
	"^<F-MLFID>\\d+</F-MLFID>: <F-NOFAIL>peer</F-NOFAIL> <HOST>$", \
	    "^<F-MLFID>\\d+</F-MLFID>: refused$"

	MAKE(t, SESSION);
	MAKE(&by, SESSION);
	assert_int_equal(feed(t, "7: peer 192.0.2.1"), FILTER_HELPED);
	/* The other one has not seen that line, and knows no address. */
	assert_int_equal(feed_known(t, &by, "7: refused"), FILTER_FAILURE);
	assert_int_equal(by.x.has_net, false);
	assert_true(t->x.has_net);
	filter_free(by.f);
}

static void a_miss_is_sure_by_the_same_template_only(void **state)
{
	struct fixture *t = *state, by = {.o = t->o, .now = t->now};
	struct filter_known k;

	t->o.no_date = by.o.no_date = false;
	MAKE(t, "from <HOST>$");
	MAKE(&by, "from <HOST>$");
	filter_tell(by.f, feed(&by, "2005-08-14 11:59:00 nothing"), &by.x, &k);
	assert_true(filter_is_sure_miss(t->f, &k)); /* neither has learnt anything */
	(void)feed(t, "Aug 14 11:59:00 from 192.0.2.1");
	assert_false(filter_is_sure_miss(t->f, &k));
	(void)feed(t, "2005-08-14 11:59:00 from 192.0.2.1");
	assert_true(filter_is_sure_miss(t->f, &k));
	filter_free(by.f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_failure),
	    TEST(test_no_address),
	    TEST(test_first_rule_wins),
	    TEST(test_prefregex),
	    TEST(test_ignoreregex),
	    TEST(test_sessions),
	    TEST(test_nofail_alone),
	    TEST(test_maxlines),
	    TEST(test_maxlines_content),
	    TEST(test_maxlines_ignored_content),
	    TEST(test_dates),
	    TEST(test_dates_of_an_old_log),
	    TEST(test_sessions_of_an_old_log),
	    TEST(test_no_date),
	    TEST(test_bad_bytes),
	    TEST(test_limit),
	    TEST(test_refused),
	    TEST(test_check),
	    TEST(test_empty),
	    TEST(what_was_searched_elsewhere_holds_here),
	    TEST(where_another_date_is_cut_out_the_line_is_searched_again),
	    TEST(a_session_goes_by_the_lines_of_here),
	    TEST(a_miss_is_sure_by_the_same_template_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
