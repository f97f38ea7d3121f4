/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * engine: new jails while it runs
 */
#include <stdio.h>

#include "engine_fixture.h"

static int reload(struct fixture *f, double now)
{
	return engine_reload(f->engine, &f->options, t(now), &f->orders);
}

static void test_jails_keep_what_is_theirs(void **state)
{
	FIXTURE(f);
	struct engine_jail sshd = f.jails[0];
	struct engine_counts counts;

	(void)state;
	assert_int_equal(feed_ban(&f, 0, "192.0.2.1", 0), ENGINE_BANNED);
	assert_int_equal(feed_ban(&f, 1, "192.0.2.1", 0), ENGINE_BANNED);
	(void)feed(&f, 0, "192.0.2.2", 0);
	(void)feed(&f, 1, "192.0.2.2", 0);
	orders_clear(&f.orders);

	/* postfix goes, sshd moves to the end. */
	f.jails[0] = f.jails[2];
	f.jails[1] = sshd;
	f.options.n_jails = 2;
	assert_int_equal(reload(&f, 1), 0);
	assert_int_equal(f.orders.n, 1);
	assert_int_equal(last_order(&f)->op, ORDER_UNBAN);
	assert_int_equal(last_order(&f)->cause, ORDER_JAIL_GONE);
	assert_int_equal(last_order(&f)->jail, 1);
	assert_int_equal(last_order(&f)->at.us, t(1).us);

	engine_counts(f.engine, 1, &counts);
	assert_int_equal(counts.banned_now, 1);
	assert_int_equal(counts.banned_total, 1);
	assert_int_equal(counts.failed_total, 4);
	assert_int_equal(counts.failed_now, 1);
	engine_counts(f.engine, 0, &counts);
	assert_int_equal(counts.banned_now, 0);
	assert_int_equal(counts.failed_total, 0);
	(void)feed(&f, 1, "192.0.2.2", 2);
	assert_int_equal(feed(&f, 1, "192.0.2.2", 3), ENGINE_BANNED);
	assert_int_equal(feed_ban(&f, 1, "192.0.2.1", 4), ENGINE_PROLONGED);
	tick(&f, 1000);
	assert_int_equal(last_order(&f)->jail, 1);
}

static void test_a_jail_that_comes_back_is_new(void **state)
{
	FIXTURE(f);
	struct engine_counts counts;

	(void)state;
	(void)feed(&f, 2, "192.0.2.1", 0);
	f.options.n_jails = 2;
	assert_int_equal(reload(&f, 1), 0);
	f.options.n_jails = 3;
	assert_int_equal(reload(&f, 1), 0);
	engine_counts(f.engine, 2, &counts);
	assert_int_equal(counts.failed_total, 0);
	assert_int_equal(counts.failed_now, 0);
}

static void test_new_options_hold_from_now_on(void **state)
{
	FIXTURE(f);
	struct net own = net("203.0.113.1"), friend = net("198.51.100.1");

	(void)state;
	assert_int_equal(engine_set_own(f.engine, &own, 1), 0);
	(void)feed_ban(&f, 0, "192.0.2.1", 0);
	(void)feed(&f, 0, "192.0.2.2", 0);
	f.jails[0].maxretry = 2;
	f.jails[0].bantime_sec = 5;
	f.jails[0].ignore = &friend;
	f.jails[0].n_ignore = 1;
	assert_int_equal(reload(&f, 1), 0);
	/* The end of a ban stays. */
	assert_int_equal(engine_next(f.engine).us, t(600).us);
	assert_int_equal(feed(&f, 0, "192.0.2.2", 2), ENGINE_BANNED);
	assert_int_equal(last_order(&f)->until.us, t(7).us);
	assert_int_equal(feed(&f, 0, "198.51.100.1", 2), ENGINE_IGNORED);
	assert_int_equal(feed(&f, 0, "203.0.113.1", 2), ENGINE_IGNORED);
}

/* Two jails with one name are a bug elsewhere; one net must not be banned twice by it.
 */
static void test_two_of_one_name(void **state)
{
	FIXTURE(f);

	(void)state;
	f.jails[1].name = "sshd";
	assert_int_equal(reload(&f, 0), 0);
	(void)ban(&f, 0, "192.0.2.1", 0, 60);
	(void)ban(&f, 1, "192.0.2.1", 0, 60);
	f.options.n_jails = 1;
	assert_int_equal(reload(&f, 0), 0);
	assert_int_equal(last_order(&f)->cause, ORDER_JAIL_GONE);
	assert_int_equal(last_order(&f)->jail, 1);
	assert_int_equal(n_found(&f, "192.0.2.1"), 1);
}

static void test_lower_caps(void **state)
{
	FIXTURE(f);
	struct engine_bounds bounds;
	char who[32];

	(void)state;
	for (int i = 0; i < 200; i++) {
		snprintf(who, sizeof(who), "192.0.2.%d", i);
		(void)feed(&f, 0, who, i * 0.1);
	}
	(void)ban(&f, 0, "2001:db8::1", 20, 60);
	(void)ban(&f, 0, "2001:db8::2", 20, 60);
	f.options.max_tracked = 10;
	f.options.max_bans = 1;
	assert_int_equal(reload(&f, 60), 0);
	engine_bounds(f.engine, &bounds);
	assert_int_equal(bounds.n_tracked, 200);
	assert_int_equal(bounds.n_bans, 2);
	for (int i = 0; i < 100; i++) {
		snprintf(who, sizeof(who), "198.51.100.%d", i);
		(void)feed(&f, 0, who, 60);
	}
	engine_bounds(f.engine, &bounds);
	assert_int_equal(bounds.n_tracked, 10);
	assert_int_equal(ban(&f, 0, "2001:db8::3", 60, 60), ENGINE_FULL);
}

static void test_lines_go_with_their_cap(void **state)
{
	FIXTURE(f);

	(void)state;
	(void)feed(&f, 0, "192.0.2.1", 0);
	(void)feed_ban(&f, 0, "192.0.2.2", 0);
	assert_int_equal(reload(&f, 1), 0);
	f.options.text_bytes = 1000;
	(void)feed(&f, 0, "192.0.2.1", 1);
	assert_int_equal(reload(&f, 1), 0);
	assert_int_equal(feed(&f, 0, "192.0.2.1", 2), ENGINE_BANNED);
	assert_int_equal(last_order(&f)->n_why, 3);
	assert_null(last_order(&f)->why[1].text);
	assert_string_equal(last_order(&f)->why[2].text, "line 2");
}

static void test_too_many_jails(void **state)
{
	FIXTURE(f);

	(void)state;
	f.options.n_jails = ENGINE_MAX_JAILS + (size_t)1;
	assert_null(engine_new(&f.options));
	assert_true(reload(&f, 0) < 0);
	assert_int_equal(feed(&f, 0, "192.0.2.1", 0), ENGINE_COUNTED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_jails_keep_what_is_theirs),
	    cmocka_unit_test(test_a_jail_that_comes_back_is_new),
	    cmocka_unit_test(test_new_options_hold_from_now_on),
	    cmocka_unit_test(test_two_of_one_name),
	    cmocka_unit_test(test_lower_caps),
	    cmocka_unit_test(test_lines_go_with_their_cap),
	    cmocka_unit_test(test_too_many_jails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
