/* SPDX-License-Identifier: GPL-2.0-or-later */

/* examine: every regex that matches is told, with groups, lines and sessions */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "match/examine.h"

#define NOW_SEC 1600000000

/* What was told, as text: one event a line. */
struct told {
	struct buf text;
	bool with_groups, with_lines;
};

static const char kind_letters[] = {
    [EXAMINE_FAILURE] = 'F',
    [EXAMINE_NO_FAILURE] = 'N',
    [EXAMINE_WAITS] = 'W',
    [EXAMINE_REFUSED] = 'R',
};

static void on_hit(void *ctx, const struct examine_hit *hit)
{
	struct told *t = ctx;

	buf_printf(&t->text, "%c%u " SPAN_FMT, kind_letters[hit->kind],
	    hit->failure.rule, SPAN_ARG(hit->failure.id));
	for (size_t i = 0; t->with_groups && i < hit->n_groups; i++)
		buf_printf(&t->text, " %s=" SPAN_FMT, hit->groups[i].name,
		    SPAN_ARG(hit->groups[i].text));
	for (size_t i = 0; t->with_lines && i < hit->n_lines; i++)
		buf_printf(&t->text, " [" SPAN_FMT "|" SPAN_FMT "|" SPAN_FMT "]",
		    SPAN_ARG(hit->lines[i].before), SPAN_ARG(hit->lines[i].date),
		    SPAN_ARG(hit->lines[i].after));
	buf_add_char(&t->text, '\n');
}

static void on_ignored(void *ctx, size_t ignoreregex)
{
	struct told *t = ctx;

	buf_printf(&t->text, "I%zu\n", ignoreregex);
}

static int feed(struct filter *f, struct told *t, bool all, const char *text)
{
	struct examine how = {.all = all,
	    .tells_waiting = all,
	    .on_hit = on_hit,
	    .on_ignored = on_ignored,
	    .ctx = t};
	struct line l = {.text = span_of(text), .stamp = WALL_NONE};

	buf_clear(&t->text);
	return filter_examine(
	    f, &l, (struct span){"", 0}, wall_from_sec(NOW_SEC), &how);
}

static struct filter *filter_of(const struct filter_options *o)
{
	struct err e = {""};
	struct filter *f = filter_new(o, &e);

	if (!f)
		fail_msg("%s", e.text);
	return f;
}

static void test_all(void **state)
{
	static const char *const regexes[] = {
	    "from <ADDR>", "<F-USER>\\w+</F-USER> from <ADDR>", "never <ADDR>"};
	static const char *const ignored[] = {"mallory"};
	struct filter_options o = {.failregex = regexes,
	    .n_failregex = 3,
	    .ignoreregex = ignored,
	    .n_ignoreregex = 1,
	    .datepattern = "EPOCH"};
	CLEANUP(filter_freep) struct filter *f = filter_of(&o);
	struct told t = {.text = BUF_INIT(4096)};

	(void)state;
	assert_int_equal(
	    feed(f, &t, true, "1500000000 bob from 192.0.2.1"), FILTER_FAILURE);
	assert_string_equal(buf_str(&t.text), "F0 192.0.2.1\nF1 192.0.2.1\n");
	assert_int_equal(
	    feed(f, &t, false, "1500000000 bob from 192.0.2.1"), FILTER_FAILURE);
	assert_string_equal(buf_str(&t.text), "F0 192.0.2.1\n");
	assert_int_equal(
	    feed(f, &t, true, "1500000000 mallory from 192.0.2.1"), FILTER_IGNORED);
	assert_string_equal(buf_str(&t.text), "I0\nI0\n");
	assert_int_equal(feed(f, &t, true, "1500000000 bob"), FILTER_MISS);
	assert_int_equal(feed(f, &t, true, "x from 300.1.1.1"), FILTER_FAILURE);
	assert_string_equal(buf_str(&t.text), "R0 300.1.1.1\nR1 300.1.1.1\n");
	buf_deinit(&t.text);
}

/* Few ignoreregexes are asked before all others, also of lines that would be missed. */
static void test_early(void **state)
{
	static const char *const regexes[] = {
	    "a <ADDR>", "b <ADDR>", "c <ADDR>", "d <ADDR>"};
	static const char *const ignored[] = {"noise"};
	struct filter_options o = {.failregex = regexes,
	    .n_failregex = 4,
	    .ignoreregex = ignored,
	    .n_ignoreregex = 1,
	    .datepattern = "EPOCH"};
	CLEANUP(filter_freep) struct filter *f = filter_of(&o);
	struct told t = {.text = BUF_INIT(4096)};

	(void)state;
	assert_int_equal(feed(f, &t, true, "noise"), FILTER_IGNORED);
	assert_string_equal(buf_str(&t.text), "I0\n");
	assert_int_equal(feed(f, &t, false, "noise"), FILTER_MISS);
	buf_deinit(&t.text);
}

/* Groups in their order, those that took no part too; what came before, too. */
static void test_groups(void **state)
{
	static const char *const regexes[] = {
	    "^<F-USER>\\w+</F-USER>(?: as <F-WHO>\\w+</F-WHO>)? from <HOST>"};
	struct filter_options o = {.prefregex = "^ \\[<F-PID>\\d+</F-PID>\\] "
						"<F-CONTENT>.+</F-CONTENT>$",
	    .failregex = regexes,
	    .n_failregex = 1,
	    .datepattern = "^EPOCH"};
	CLEANUP(filter_freep) struct filter *f = filter_of(&o);
	struct told t = {
	    .text = BUF_INIT(4096), .with_groups = true, .with_lines = true};

	(void)state;
	assert_int_equal(
	    feed(f, &t, true, "1500000000 [7] bob from 192.0.2.1"), FILTER_FAILURE);
	assert_string_equal(buf_str(&t.text),
	    "F0 192.0.2.1 pid=7 user=bob who= ip4=192.0.2.1 ip6= dns= "
	    "[|1500000000| [7] bob from 192.0.2.1]\n");
	buf_deinit(&t.text);
}

static void test_session(void **state)
{
	static const char *const regexes[] = {
	    "^<F-MLFID>\\d+</F-MLFID> <F-NOFAIL>hello</F-NOFAIL> <ADDR>",
	    "^<F-MLFID>\\d+</F-MLFID> <F-USER>\\w+</F-USER> failed"};
	struct filter_options o = {
	    .failregex = regexes, .n_failregex = 2, .datepattern = "EPOCH"};
	CLEANUP(filter_freep) struct filter *f = filter_of(&o);
	CLEANUP(filter_freep) struct filter *g = filter_of(&o);
	struct told t = {
	    .text = BUF_INIT(4096), .with_groups = true, .with_lines = true};

	(void)state;
	assert_int_equal(feed(f, &t, true, "1 hello 192.0.2.1"), FILTER_FAILURE);
	assert_int_equal(*buf_str(&t.text), 'N');
	assert_int_equal(feed(f, &t, true, "1 bob failed"), FILTER_FAILURE);
	assert_string_equal(buf_str(&t.text),
	    "F1 192.0.2.1 mlfid=1 ip4=192.0.2.1 ip6= users=bob user=bob "
	    "[||1 hello 192.0.2.1] [||1 bob failed]\n");
	/* Without all, what is no failure is not told. */
	assert_int_equal(feed(g, &t, false, "2 hello 192.0.2.1"), FILTER_MISS);
	assert_int_equal(feed(g, &t, true, "3 bob failed"), FILTER_FAILURE);
	assert_int_equal(*buf_str(&t.text), 'W');
	buf_deinit(&t.text);
}

/* With maxlines: which lines a failure took, which are still there. */
static void test_maxlines(void **state)
{
	static const char *const regexes[] = {"^begin$<SKIPLINES>^end <ADDR>$"};
	struct filter_options o = {.failregex = regexes,
	    .n_failregex = 1,
	    .datepattern = "EPOCH",
	    .maxlines = 3};
	CLEANUP(filter_freep) struct filter *f = filter_of(&o);
	struct told t = {.text = BUF_INIT(4096), .with_lines = true};
	const uint64_t *ids;
	size_t n;

	(void)state;
	assert_int_equal(feed(f, &t, true, "before"), FILTER_MISS);
	assert_int_equal(feed(f, &t, true, "begin"), FILTER_MISS);
	assert_int_equal(feed(f, &t, true, "other"), FILTER_MISS);
	assert_int_equal(feed(f, &t, true, "end 192.0.2.1"), FILTER_FAILURE);
	assert_string_equal(
	    buf_str(&t.text), "F0 192.0.2.1 [||begin] [||end 192.0.2.1]\n");
	ids = filter_kept_lines(f, &n);
	assert_int_equal(n, 1);
	assert_int_equal(ids[0], 3);
	buf_deinit(&t.text);
}

/* A line without a date is shown with the last one; the first with none. */
static void test_dates(void **state)
{
	static const char *const regexes[] = {"<ADDR>"};
	struct filter_options o = {
	    .failregex = regexes, .n_failregex = 1, .datepattern = "^EPOCH"};
	CLEANUP(filter_freep) struct filter *f = filter_of(&o);
	struct told t = {.text = BUF_INIT(4096), .with_lines = true};
	struct stamp_template_view v;

	(void)state;
	(void)feed(f, &t, true, "192.0.2.1");
	assert_string_equal(buf_str(&t.text), "F0 192.0.2.1 [||192.0.2.1]\n");
	(void)feed(f, &t, true, "1600000000 192.0.2.1");
	(void)feed(f, &t, true, "192.0.2.1");
	assert_string_equal(buf_str(&t.text), "F0 192.0.2.1 [|1600000000|192.0.2.1]\n");
	assert_true(filter_template(f, 0, &v));
	assert_int_equal(v.n_hits, 1);
	assert_false(filter_template(f, 1, &v));
	buf_deinit(&t.text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_all),
	    cmocka_unit_test(test_early),
	    cmocka_unit_test(test_groups),
	    cmocka_unit_test(test_session),
	    cmocka_unit_test(test_maxlines),
	    cmocka_unit_test(test_dates),
	};

	return cmocka_run_group_tests_name("examine", tests, NULL, NULL);
}
