/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * engine: what becomes of hits
 */
#include <stdio.h>

#include "engine_fixture.h"

static void test_bans_at_maxretry(void **state)
{
	FIXTURE(f);

	(void)state;
	assert_int_equal(feed(&f, 0, "192.0.2.1", 0), ENGINE_COUNTED);
	assert_int_equal(feed(&f, 0, "192.0.2.1", 10), ENGINE_COUNTED);
	assert_int_equal(feed(&f, 0, "192.0.2.2", 11), ENGINE_COUNTED);
	assert_int_equal(feed(&f, 1, "192.0.2.1", 12), ENGINE_COUNTED);
	assert_int_equal(f.orders.n, 0);
	assert_int_equal(feed(&f, 0, "192.0.2.1", 20.5), ENGINE_BANNED);
	assert_int_equal(f.orders.n, 1);

	const struct order *o = last_order(&f);
	struct net who = net("192.0.2.1");

	assert_int_equal(o->op, ORDER_BAN);
	assert_int_equal(o->cause, ORDER_BY_RULE);
	assert_int_equal(o->jail, 0);
	assert_true(net_eq(&o->net, &who));
	assert_int_equal(o->at.us, t(20.5).us);
	assert_int_equal(o->until.us, t(620.5).us);
	assert_int_equal(o->failures, 3);
}

static void test_window_is_closed_at_both_ends(void **state)
{
	FIXTURE(f);

	(void)state;
	(void)feed(&f, 0, "192.0.2.1", 0);
	(void)feed(&f, 0, "192.0.2.1", 1);
	assert_int_equal(feed(&f, 0, "192.0.2.1", 60), ENGINE_BANNED);

	(void)feed(&f, 0, "192.0.2.2", 0);
	(void)feed(&f, 0, "192.0.2.2", 1);
	assert_int_equal(feed(&f, 0, "192.0.2.2", 60.000001), ENGINE_COUNTED);
	assert_int_equal(feed(&f, 0, "192.0.2.2", 61), ENGINE_BANNED);
}

static void test_findtime_may_be_fractional(void **state)
{
	CLEANUP(fixture_deinit) struct fixture f;

	(void)state;
	fixture_init(&f);
	f.jails[1].findtime_sec = 0.5;
	fixture_start(&f);
	(void)feed(&f, 1, "192.0.2.1", 0);
	assert_int_equal(feed(&f, 1, "192.0.2.1", 0.500001), ENGINE_COUNTED);
	assert_int_equal(feed(&f, 1, "192.0.2.1", 1), ENGINE_BANNED);
}

static void test_late_failures_count(void **state)
{
	FIXTURE(f);

	(void)state;
	(void)feed(&f, 0, "192.0.2.1", 50);
	(void)feed(&f, 0, "192.0.2.1", 100);
	/* 50, 70, 100 */
	assert_int_equal(feed_late(&f, 0, "192.0.2.1", 70, 100), ENGINE_BANNED);
	assert_int_equal(last_order(&f)->at.us, t(100).us);
	assert_int_equal(last_order(&f)->failures, 3);
}

/* Failures too old for the newest still count for one that comes late. */
static void test_late_failure_reaches_back(void **state)
{
	FIXTURE(f);

	(void)state;
	(void)feed(&f, 0, "192.0.2.1", 0);
	(void)feed(&f, 0, "192.0.2.1", 1);
	assert_int_equal(feed(&f, 0, "192.0.2.1", 90), ENGINE_COUNTED);
	assert_int_equal(feed_late(&f, 0, "192.0.2.1", 40, 90), ENGINE_BANNED);
	/* The window is 0, 1, 40, and the ban counts from there. */
	assert_int_equal(last_order(&f)->at.us, t(40).us);
	assert_int_equal(last_order(&f)->until.us, t(640).us);
}

static void test_stale(void **state)
{
	FIXTURE(f);

	(void)state;
	(void)feed(&f, 0, "192.0.2.1", 100);
	assert_int_equal(feed_late(&f, 0, "192.0.2.1", 40, 100), ENGINE_COUNTED);
	assert_int_equal(feed_late(&f, 0, "192.0.2.1", 39.999999, 100), ENGINE_STALE);
	/* Only for the same address and jail. */
	assert_int_equal(feed_late(&f, 0, "192.0.2.2", 0, 100), ENGINE_COUNTED);
	assert_int_equal(feed_late(&f, 2, "192.0.2.1", 0, 100), ENGINE_COUNTED);
}

static void test_times_no_clock_shows(void **state)
{
	FIXTURE(f);
	const int64_t times[] = {
	    INT64_MIN, -ENGINE_MAX_TIME_US - 1, ENGINE_MAX_TIME_US + 1, INT64_MAX};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(times); i++) {
		struct hit h = {.net = net("192.0.2.1"), .weight = 1, .at = {times[i]}};

		assert_int_equal(
		    engine_feed(f.engine, &h, t(0), &f.orders), ENGINE_STALE);
	}
}

static void test_old_logs_count_like_new_ones(void **state)
{
	FIXTURE(f);

	(void)state;
	/* A week behind the clock; jail 2 bans for good. */
	for (int i = 0; i < 4; i++)
		assert_int_equal(
		    feed_late(&f, 2, "192.0.2.1", i, 604800), ENGINE_COUNTED);
	tick(&f, 604801);
	assert_int_equal(feed_late(&f, 2, "192.0.2.1", 5, 604802), ENGINE_BANNED);
}

static void test_over(void **state)
{
	FIXTURE(f);

	(void)state;
	for (int i = 0; i < 2; i++)
		(void)feed_late(&f, 0, "192.0.2.1", 0, 600);
	/* The end is at 600. */
	assert_int_equal(feed_late(&f, 0, "192.0.2.1", 0, 600), ENGINE_OVER);
	assert_int_equal(f.orders.n, 0);
	/* And the failures are gone. */
	for (int i = 0; i < 2; i++)
		assert_int_equal(feed_late(&f, 0, "192.0.2.1", 0, 599), ENGINE_COUNTED);
	assert_int_equal(feed_late(&f, 0, "192.0.2.1", 0, 599.999999), ENGINE_BANNED);
}

static void test_permanent(void **state)
{
	FIXTURE(f);

	(void)state;
	assert_int_equal(feed_ban(&f, 2, "192.0.2.1", 0), ENGINE_BANNED);
	assert_int_equal(last_order(&f)->until.us, WALL_NEVER.us);
	assert_int_equal(engine_next(f.engine).us, WALL_NEVER.us);
	tick(&f, 1e9);
	assert_int_equal(f.orders.n, 1);
	assert_int_equal(feed_ban(&f, 2, "192.0.2.1", 1e9), ENGINE_ALREADY_BANNED);
}

static void test_prolongs_when_it_fails_again(void **state)
{
	FIXTURE(f);

	(void)state;
	assert_int_equal(feed_ban(&f, 0, "192.0.2.1", 0), ENGINE_BANNED);
	assert_int_equal(feed(&f, 0, "192.0.2.1", 100), ENGINE_COUNTED);
	assert_int_equal(feed(&f, 0, "192.0.2.1", 100), ENGINE_COUNTED);
	assert_int_equal(feed(&f, 0, "192.0.2.1", 101), ENGINE_PROLONGED);
	assert_int_equal(last_order(&f)->op, ORDER_PROLONG);
	assert_int_equal(last_order(&f)->until.us, t(701).us);
	assert_int_equal(engine_next(f.engine).us, t(701).us);
	/* Late ones that lead to no later end change nothing, and begin anew. */
	assert_int_equal(feed_late(&f, 0, "192.0.2.1", 99, 102), ENGINE_COUNTED);
	assert_int_equal(feed_late(&f, 0, "192.0.2.1", 100, 102), ENGINE_COUNTED);
	assert_int_equal(
	    feed_late(&f, 0, "192.0.2.1", 101, 102), ENGINE_ALREADY_BANNED);
	assert_int_equal(feed_late(&f, 0, "192.0.2.1", 102, 102), ENGINE_COUNTED);
	assert_int_equal(f.orders.n, 2);
}

static void test_ended_ban_ends_before_the_next(void **state)
{
	FIXTURE(f);

	(void)state;
	(void)feed_ban(&f, 0, "192.0.2.1", 0);
	assert_int_equal(feed_ban(&f, 0, "192.0.2.1", 600), ENGINE_BANNED);
	assert_int_equal(f.orders.n, 3);
	assert_int_equal(f.orders.items[1].op, ORDER_UNBAN);
	assert_int_equal(f.orders.items[1].cause, ORDER_EXPIRED);
	assert_int_equal(f.orders.items[1].at.us, t(600).us);
	assert_int_equal(f.orders.items[2].op, ORDER_BAN);
}

static void test_banned_network_covers(void **state)
{
	FIXTURE(f);

	(void)state;
	assert_int_equal(ban(&f, 0, "192.0.2.0/24", 0, 100), ENGINE_BANNED);
	assert_int_equal(feed_ban(&f, 0, "192.0.2.1", 50), ENGINE_ALREADY_BANNED);
	assert_int_equal(feed_ban(&f, 0, "192.0.3.1", 50), ENGINE_BANNED);
	assert_int_equal(feed_ban(&f, 1, "192.0.2.1", 50), ENGINE_BANNED);
	/* Over, though no tick has come by. */
	assert_int_equal(feed_ban(&f, 0, "192.0.2.1", 100), ENGINE_BANNED);
}

static void test_full(void **state)
{
	CLEANUP(fixture_deinit) struct fixture f;
	struct engine_bounds bounds;

	(void)state;
	fixture_init(&f);
	f.options.max_bans = 1;
	fixture_start(&f);
	assert_int_equal(feed_ban(&f, 0, "192.0.2.1", 0), ENGINE_BANNED);
	assert_int_equal(feed_ban(&f, 0, "192.0.2.2", 1), ENGINE_FULL);
	assert_int_equal(ban(&f, 0, "192.0.2.3", 1, 10), ENGINE_FULL);
	assert_int_equal(f.orders.n, 1);
	engine_bounds(f.engine, &bounds);
	assert_int_equal(bounds.n_bans, 1);
	assert_int_equal(bounds.n_refused, 2);
	/* The failures were kept: with room, the next one bans. */
	assert_int_equal(unban(&f, 0, "192.0.2.1", 2), 1);
	assert_int_equal(feed(&f, 0, "192.0.2.2", 2), ENGINE_BANNED);
	assert_int_equal(last_order(&f)->failures, 4);
}

static void test_weights(void **state)
{
	FIXTURE(f);

	(void)state;
	assert_int_equal(feed_weight(&f, 0, "192.0.2.1", 0, 0, 2), ENGINE_COUNTED);
	assert_int_equal(feed_weight(&f, 0, "192.0.2.1", 1, 1, 0), ENGINE_COUNTED);
	assert_int_equal(feed_weight(&f, 0, "192.0.2.1", 2, 2, 2), ENGINE_BANNED);
	assert_int_equal(last_order(&f)->failures, 4);
	assert_int_equal(
	    feed_weight(&f, 0, "192.0.2.2", 0, 0, INT16_MAX), ENGINE_BANNED);
}

static void test_good_evidence(void **state)
{
	FIXTURE(f);

	(void)state;
	assert_int_equal(feed_weight(&f, 0, "192.0.2.1", 0, 0, 2), ENGINE_COUNTED);
	assert_int_equal(feed_weight(&f, 0, "192.0.2.1", 1, 1, -1), ENGINE_COUNTED);
	assert_int_equal(feed_weight(&f, 0, "192.0.2.1", 2, 2, 1), ENGINE_COUNTED);
	assert_int_equal(feed_weight(&f, 0, "192.0.2.1", 3, 3, 1), ENGINE_BANNED);
	/* Its window passes too. */
	assert_int_equal(feed_weight(&f, 0, "192.0.2.2", 0, 0, -100), ENGINE_COUNTED);
	assert_int_equal(feed_weight(&f, 0, "192.0.2.2", 59, 59, 2), ENGINE_COUNTED);
	assert_int_equal(feed_weight(&f, 0, "192.0.2.2", 61, 61, 1), ENGINE_BANNED);
}

static void test_maxretry_beyond_the_window(void **state)
{
	CLEANUP(fixture_deinit) struct fixture f;
	int n = 0;

	(void)state;
	fixture_init(&f);
	f.jails[2].maxretry = 1000;
	fixture_start(&f);
	while (feed(&f, 2, "192.0.2.1", n) == ENGINE_COUNTED)
		n++;
	assert_int_equal(n, 999);
	assert_int_equal(last_order(&f)->failures, 1000);
}

static void test_ignored(void **state)
{
	CLEANUP(fixture_deinit) struct fixture f;
	struct net friends[] = {net("198.51.100.0/24"), net("2001:db8::1")};
	struct net own = net("203.0.113.1"), n, by;
	struct engine_counts counts;

	(void)state;
	fixture_init(&f);
	f.jails[0].ignore = friends;
	f.jails[0].n_ignore = ARRAY_LEN(friends);
	fixture_start(&f);
	assert_int_equal(engine_set_own(f.engine, &own, 1), 0);
	assert_int_equal(feed(&f, 0, "198.51.100.7", 0), ENGINE_IGNORED);
	assert_int_equal(feed(&f, 0, "2001:db8::1", 0), ENGINE_IGNORED);
	assert_int_equal(feed(&f, 0, "2001:db8::2", 0), ENGINE_COUNTED);
	/* A network that holds a friend. */
	assert_int_equal(feed(&f, 0, "2001:db8::/64", 0), ENGINE_IGNORED);
	assert_int_equal(feed(&f, 1, "198.51.100.7", 0), ENGINE_COUNTED);
	/* Our own, where the jail says so. */
	assert_int_equal(feed(&f, 0, "203.0.113.1", 0), ENGINE_IGNORED);
	assert_int_equal(feed(&f, 1, "203.0.113.1", 0), ENGINE_COUNTED);
	engine_counts(f.engine, 0, &counts);
	assert_int_equal(counts.ignored_total, 4);
	assert_int_equal(counts.failed_total, 1);

	n = net("198.51.100.7");
	assert_true(engine_is_ignored(f.engine, 0, &n, &by));
	assert_true(net_eq(&by, &friends[0]));
	n = net("2001:db8::/64");
	assert_true(engine_is_ignored(f.engine, 0, &n, &by));
	assert_true(net_eq(&by, &n));
	assert_false(engine_is_ignored(f.engine, 2, &n, &by));
	/* Somebody who asks is obeyed. */
	assert_int_equal(ban(&f, 0, "198.51.100.7", 0, 60), ENGINE_BANNED);
	/* Addresses that are no longer ours. */
	assert_int_equal(engine_set_own(f.engine, NULL, 0), 0);
	assert_int_equal(feed(&f, 0, "203.0.113.1", 0), ENGINE_COUNTED);
}

static void test_lines_explain(void **state)
{
	CLEANUP(fixture_deinit) struct fixture f;
	const struct order *o;

	(void)state;
	fixture_init(&f);
	f.jails[0].maxretry = 5;
	fixture_start(&f);
	for (int i = 0; i < 5; i++)
		(void)feed(&f, 0, "192.0.2.1", i < 3 ? i : 3);
	o = last_order(&f);
	/* The newest three, oldest first. */
	assert_int_equal(o->n_why, 3);
	assert_string_equal(o->why[0].text, "line 2");
	assert_string_equal(o->why[1].text, "line 3");
	assert_string_equal(o->why[2].text, "line 3");
	assert_int_equal(o->why[0].at.us, t(2).us);
	assert_int_equal(o->why[0].rule, 7);
	assert_int_equal(o->why[0].weight, 1);
	/* Not in a jail without maxmatches. */
	assert_int_equal(feed_ban(&f, 1, "192.0.2.1", 0), ENGINE_BANNED);
	assert_int_equal(last_order(&f)->n_why, 0);
	assert_null(last_order(&f)->why);
}

static void test_long_lines_are_cut(void **state)
{
	CLEANUP(fixture_deinit) struct fixture f;
	static char text[2000];
	struct hit h;

	(void)state;
	memset(text, 'x', sizeof(text));
	text[5] = '\0';
	fixture_init(&f);
	f.jails[0].maxretry = 1;
	fixture_start(&f);
	h = (struct hit){.net = net("192.0.2.1"),
	    .weight = 1,
	    .at = t(0),
	    .text = {text, sizeof(text)}};
	assert_int_equal(engine_feed(f.engine, &h, t(0), &f.orders), ENGINE_BANNED);
	assert_int_equal(last_order(&f)->n_why, 1);
	assert_int_equal(strlen(last_order(&f)->why[0].text), 512);
	assert_int_equal(last_order(&f)->why[0].text[5], '?');
}

static void test_forgets_the_oldest(void **state)
{
	CLEANUP(fixture_deinit) struct fixture f;
	struct engine_bounds bounds;

	(void)state;
	fixture_init(&f);
	f.options.max_tracked = 2;
	fixture_start(&f);
	(void)feed(&f, 0, "192.0.2.1", 1);
	(void)feed(&f, 0, "192.0.2.2", 0);
	(void)feed(&f, 0, "192.0.2.1", 2);
	(void)feed(&f, 0, "192.0.2.3", 3);
	engine_bounds(f.engine, &bounds);
	assert_int_equal(bounds.n_tracked, 2);
	assert_int_equal(bounds.n_forgotten, 1);
	/* The second went; the first still has its two. */
	assert_int_equal(feed(&f, 0, "192.0.2.1", 4), ENGINE_BANNED);
	engine_bounds(f.engine, &bounds);
	assert_int_equal(bounds.n_tracked, 1);
	assert_int_equal(bounds.n_bans, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_bans_at_maxretry),
	    cmocka_unit_test(test_window_is_closed_at_both_ends),
	    cmocka_unit_test(test_findtime_may_be_fractional),
	    cmocka_unit_test(test_late_failures_count),
	    cmocka_unit_test(test_late_failure_reaches_back),
	    cmocka_unit_test(test_stale),
	    cmocka_unit_test(test_times_no_clock_shows),
	    cmocka_unit_test(test_old_logs_count_like_new_ones),
	    cmocka_unit_test(test_over),
	    cmocka_unit_test(test_permanent),
	    cmocka_unit_test(test_prolongs_when_it_fails_again),
	    cmocka_unit_test(test_ended_ban_ends_before_the_next),
	    cmocka_unit_test(test_banned_network_covers),
	    cmocka_unit_test(test_full),
	    cmocka_unit_test(test_weights),
	    cmocka_unit_test(test_good_evidence),
	    cmocka_unit_test(test_maxretry_beyond_the_window),
	    cmocka_unit_test(test_ignored),
	    cmocka_unit_test(test_lines_explain),
	    cmocka_unit_test(test_long_lines_are_cut),
	    cmocka_unit_test(test_forgets_the_oldest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
