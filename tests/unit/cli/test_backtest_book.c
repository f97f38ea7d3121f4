/* SPDX-License-Identifier: GPL-2.0-or-later */
/* backtest_book: facts of addresses, fates under policies; backtest_hours: both in time
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "cli/backtest_book.h"

#define T0 INT64_C(1795651200) /* 2026-11-26 00:00 UTC */
#define HOUR 3600
#define DAY 86400

static wall_t at(int64_t sec)
{
	return wall_from_sec(T0 + sec);
}

static struct net net(const char *text)
{
	struct net n;

	assert_int_equal(net_parse(span_of(text), &n), 0);
	return n;
}

static int n_sessions;

static struct backtest_address *attempt(
    struct backtest_book *b, const char *ip, int64_t sec, bool is_stopped)
{
	/* In sessions of their own. */
	const struct backtest_sign sign = {
	    .who = net(ip), .at = at(sec), .session = (uint64_t)++n_sessions};
	struct backtest_address *a;

	assert_true(backtest_book_attempt(b, &sign, &a));
	backtest_book_judge(b, 0, a, at(sec), is_stopped);
	return a;
}

static void order(struct backtest_book *b, enum order_op op, const char *ip,
    int64_t sec, int64_t until_sec)
{
	const struct order o = {.op = op,
	    .net = net(ip),
	    .at = at(sec),
	    .until = until_sec < 0 ? WALL_NEVER : at(until_sec),
	    .jail = 3};

	backtest_book_order(b, 0, &o, 7, span_of("the line"));
}

static void what_a_policy_came_to(UNUSED void **state)
{
	struct backtest_book *b = backtest_book_new(2);
	const struct backtest_sums *s = backtest_book_sums(b, 0);
	struct backtest_address *a;

	(void)attempt(b, "192.0.2.1", 0, false);
	(void)attempt(b, "192.0.2.1", 10, false);
	order(b, ORDER_BAN, "192.0.2.1", 10, 110);
	a = attempt(b, "192.0.2.1", 20, true);
	order(b, ORDER_PROLONG, "192.0.2.1", 30, 210);
	order(b, ORDER_UNBAN, "192.0.2.1", 210, 210);
	order(b, ORDER_BAN, "192.0.2.1", 300, 400);
	order(b, ORDER_BAN, "2001:db8::/64", 300, -1);
	assert_int_equal(backtest_book_n_attempts(b), 3);
	assert_int_equal(s->n_passed, 2);
	assert_int_equal(s->n_stopped, 1);
	assert_int_equal(s->n_addresses, 1);
	assert_int_equal(s->n_networks, 1);
	assert_int_equal(s->n_bans, 3);
	assert_int_equal(s->n_permanent, 1);
	assert_true(s->total_sec > 299.9 && s->total_sec < 300.1);
	assert_int_equal(a->n_attempts, 3);
	assert_int_equal(a->fates[0].n_stopped, 1);
	assert_int_equal(a->fates[0].ban.at.us, at(10).us);
	assert_int_equal(a->fates[0].ban.n_attempts, 2);
	assert_int_equal(a->fates[0].ban.jail, 3);
	assert_int_equal(a->fates[0].ban.rule, 7);
	assert_string_equal(a->fates[0].ban.line, "the line");
	/* The other policy did nothing. */
	assert_int_equal(a->fates[1].n_bans, 0);
	assert_int_equal(backtest_book_sums(b, 1)->n_bans, 0);
	backtest_book_free(b);
}

static struct backtest_address *good(
    struct backtest_book *b, const char *ip, int64_t sec, unsigned int kind)
{
	const struct backtest_sign sign = {.who = net(ip), .at = at(sec), .kind = kind};

	return backtest_book_good(b, &sign);
}

static void good_signs_are_told_apart_by_day_and_kind(UNUSED void **state)
{
	struct backtest_book *b = backtest_book_new(1);
	struct backtest_address *a = good(b, "192.0.2.1", 0, 1);

	assert_int_equal(a->n_good_days, 1);
	(void)good(b, "192.0.2.1", HOUR, 1);
	(void)good(b, "192.0.2.1", DAY, 3);
	(void)good(b, "192.0.2.1", HOUR, 1);
	assert_int_equal(a->n_good, 4);
	assert_int_equal(a->n_good_days, 2);
	assert_int_equal(a->good_kinds, 2 | 8);
	assert_int_equal(a->n_attempts, 0);
	backtest_book_free(b);
}

static bool is_new(
    struct backtest_book *b, uint64_t session, int64_t sec, unsigned int kind)
{
	const struct backtest_sign sign = {
	    .who = net("192.0.2.1"), .at = at(sec), .kind = kind, .session = session};
	struct backtest_address *a;

	return backtest_book_attempt(b, &sign, &a);
}

static void a_session_leaves_several_lines(UNUSED void **state)
{
	struct backtest_book *b = backtest_book_new(1);

	assert_true(is_new(b, 7, 0, 1));
	assert_false(is_new(b, 7, 5, 2)); /* another rule on the same */
	assert_true(is_new(b, 7, 6, 2));  /* again */
	assert_false(is_new(b, 7, 7, 1));
	assert_true(is_new(b, 7, 8, 1));
	assert_true(is_new(b, 8, 9, 2));  /* another session */
	assert_true(is_new(b, 8, 70, 3)); /* it was long ago */
	assert_false(is_new(b, 8, 130, 4));
	assert_int_equal(backtest_book_n_attempts(b), 5);
	backtest_book_free(b);
}

static const struct backtest_ban *ban_of(
    struct backtest_book *b, const char *ip, const char *wanted)
{
	struct backtest_address *a = good(b, ip, 0, 1);
	struct net by, n = net(wanted);
	const struct backtest_ban *ban = backtest_book_ban_of(b, 0, a, &by);

	assert_true(net_eq(&by, &n));
	return ban;
}

static void a_ban_of_the_network_is_one_of_the_address(UNUSED void **state)
{
	struct backtest_book *b = backtest_book_new(1);

	order(b, ORDER_BAN, "192.0.2.0/24", 5, 50);
	order(b, ORDER_BAN, "192.0.2.1", 7, 50);
	assert_int_equal(ban_of(b, "192.0.2.1", "192.0.2.1")->at.us, at(7).us);
	assert_int_equal(ban_of(b, "192.0.2.2", "192.0.2.0/24")->at.us, at(5).us);
	assert_null(ban_of(b, "192.0.3.1", "192.0.3.1"));
	backtest_book_free(b);
}

static void delays_are_of_those_who_were_seen(UNUSED void **state)
{
	struct backtest_book *b = backtest_book_new(1);
	struct backtest_delays d;

	assert_int_equal(backtest_book_delays(b, 0, &d), 0);
	assert_int_equal(d.n, 0);
	for (int i = 1; i <= 10; i++) {
		char ip[20];

		snprintf(ip, sizeof(ip), "192.0.2.%d", i);
		for (int k = 0; k < i; k++)
			(void)attempt(b, ip, 0, false);
		order(b, ORDER_BAN, ip, 100 * i, 100000);
	}
	order(b, ORDER_BAN, "192.0.2.99", 5, 100000);
	(void)attempt(b, "192.0.2.98", 0, false);
	assert_int_equal(backtest_book_delays(b, 0, &d), 0);
	assert_int_equal(d.n, 10);
	assert_int_equal((int)d.median_sec, 500);
	assert_int_equal((int)d.p90_sec, 900);
	assert_int_equal((int)d.median_attempts, 5);
	assert_int_equal(d.n_unseen, 1);
	backtest_book_free(b);
}

static void hours_come_in_any_order(UNUSED void **state)
{
	struct backtest_hours h = {0};
	uint64_t lasting = 0;
	wall_t from;

	backtest_hours_at(&h, at(5 * HOUR))->passed = 5;
	backtest_hours_at(&h, at(7 * HOUR + 3599))->ended = 1;
	backtest_hours_at(&h, at(2 * HOUR))->begun = 2;
	assert_int_equal(h.n, 6);
	assert_int_equal(h.rows[3].passed, 5);
	assert_int_equal(backtest_hours_row(&h, 0, &from, &lasting), 2);
	assert_int_equal(from.us, at(2 * HOUR).us);
	assert_int_equal(backtest_hours_row(&h, 5, &from, &lasting), 2);
	assert_int_equal(lasting, 1);
	assert_int_equal(from.us, at(7 * HOUR).us);
	/* A date of 1970, and one too late. */
	assert_null(backtest_hours_at(&h, wall_from_sec(0)));
	assert_null(
	    backtest_hours_at(&h, at((BACKTEST_MAX_HOURS + 2) * INT64_C(3600))));
	assert_non_null(
	    backtest_hours_at(&h, at((BACKTEST_MAX_HOURS + 1) * INT64_C(3600))));
	assert_null(backtest_hours_at(&h, at(HOUR)));
	assert_int_equal(h.n, BACKTEST_MAX_HOURS);
	assert_int_equal(h.n_beyond, 3);
	backtest_hours_deinit(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_a_policy_came_to),
	    cmocka_unit_test(good_signs_are_told_apart_by_day_and_kind),
	    cmocka_unit_test(a_session_leaves_several_lines),
	    cmocka_unit_test(a_ban_of_the_network_is_one_of_the_address),
	    cmocka_unit_test(delays_are_of_those_who_were_seen),
	    cmocka_unit_test(hours_come_in_any_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
