/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "decide/credits.h"

#define DAY INT64_C(86400)
#define POINT CREDIT_POINT

static struct net net(const char *text)
{
	struct net n;

	assert_int_equal(net_parse(span_of(text), &n), 0);
	return n;
}

static wall_t t(int64_t sec)
{
	return wall_from_sec(20000 * DAY + sec);
}

static void test_each_kind_once_a_day(void **state)
{
	CLEANUP(credits_freep) struct credits *c = credits_new(100);
	struct net a = net("192.0.2.1");

	(void)state;
	assert_int_equal(credits_give(c, &a, 1, POINT, t(0)), 0);
	assert_int_equal(credits_give(c, &a, 1, POINT, t(100)), CREDITS_KNOWN);
	assert_int_equal(credits_points(credits_find(c, &a), t(0)), POINT);
	assert_int_equal(credits_give(c, &a, 2, POINT, t(0)), 0);
	assert_int_equal(credits_points(credits_find(c, &a), t(0)), 2 * POINT);
	assert_int_equal(credits_find(c, &a)->n_days, 1);
	assert_int_equal(credits_give(c, &a, 1, POINT, t(DAY)), 0);
	assert_int_equal(credits_find(c, &a)->n_days, 2);
	/* A day that was booked, or one before it, comes again after a restart. */
	assert_int_equal(credits_give(c, &a, 1, POINT, t(0)), CREDITS_KNOWN);
}

/* Just before midnight and just after is one day. */
static void test_midnight_is_no_day(void **state)
{
	CLEANUP(credits_freep) struct credits *c = credits_new(100);
	struct net a = net("192.0.2.1");

	(void)state;
	for (uint32_t kind = 1; kind <= 2; kind++) {
		assert_int_equal(credits_give(c, &a, kind, POINT, t(-600)), 0);
		assert_int_equal(
		    credits_give(c, &a, kind, POINT, t(600)), CREDITS_KNOWN);
	}
	assert_int_equal(credits_give(c, &a, 3, POINT / 10, t(600)), 0);
	assert_int_equal(credits_find(c, &a)->n_days, 1);
	assert_false(credits_has(c, &a, t(600)));
	/* Twice in one day is no day, either. */
	assert_int_equal(credits_give(c, &a, 3, POINT, t(DAY - 600)), CREDITS_KNOWN);
	assert_int_equal(credits_give(c, &a, 1, POINT, t(12 * 3600)), 0);
	assert_int_equal(credits_find(c, &a)->n_days, 2);
	assert_true(credits_has(c, &a, t(12 * 3600)));
}

static void test_one_message_is_no_credit(void **state)
{
	CLEANUP(credits_freep) struct credits *c = credits_new(100);
	struct net a = net("192.0.2.1"), b = net("192.0.2.2"), d = net("192.0.2.3");

	(void)state;
	/* However many kinds it is at once, unless they weigh much. */
	credits_give(c, &a, 1, POINT, t(0));
	credits_give(c, &a, 2, POINT, t(0));
	assert_false(credits_has(c, &a, t(1)));
	credits_give(c, &a, 1, POINT, t(DAY));
	assert_true(credits_has(c, &a, t(DAY)));

	credits_give(c, &b, 1, 3 * POINT, t(0));
	assert_false(credits_has(c, &b, t(0)));
	credits_give(c, &b, 2, POINT / 100, t(0));
	assert_true(credits_has(c, &b, t(0)));

	/* Two days of next to nothing. */
	credits_give(c, &d, 1, POINT / 4, t(0));
	credits_give(c, &d, 1, POINT / 4, t(DAY));
	assert_false(credits_has(c, &d, t(DAY)));
	for (int i = 2; i < 6; i++)
		credits_give(c, &d, 1, POINT / 4, t(i * DAY));
	assert_true(credits_has(c, &d, t(6 * DAY)));
}

static void test_decays(void **state)
{
	CLEANUP(credits_freep) struct credits *c = credits_new(100);
	struct net a = net("192.0.2.1");

	(void)state;
	credits_give(c, &a, 1, POINT, t(0));
	credits_give(c, &a, 1, 2 * POINT, t(14 * DAY));
	assert_int_equal(
	    credits_points(credits_find(c, &a), t(14 * DAY)), 5 * POINT / 2);
	assert_int_equal(
	    credits_points(credits_find(c, &a), t(28 * DAY)), 5 * POINT / 4);
	assert_true(credits_has(c, &a, t(28 * DAY)));
	assert_false(credits_has(c, &a, t(35 * DAY)));
	/* Ten half-lives on nothing is left. */
	credits_sweep(c, t(140 * DAY), SIZE_MAX);
	assert_null(credits_find(c, &a));
	assert_int_equal(credits_n(c), 0);
}

/* A line that comes late is worth what is left of it. */
static void test_late_evidence(void **state)
{
	CLEANUP(credits_freep) struct credits *c = credits_new(100);
	struct net a = net("192.0.2.1");

	(void)state;
	credits_give(c, &a, 1, POINT, t(14 * DAY));
	credits_give(c, &a, 2, POINT, t(0));
	assert_int_equal(
	    credits_points(credits_find(c, &a), t(14 * DAY)), 3 * POINT / 2);
}

static void test_more_kinds_than_fit(void **state)
{
	CLEANUP(credits_freep) struct credits *c = credits_new(100);
	struct net a = net("192.0.2.1");

	(void)state;
	for (uint32_t k = 1; k <= CREDIT_KINDS; k++)
		assert_int_equal(credits_give(c, &a, k, POINT, t(0)), 0);
	assert_int_equal(credits_give(c, &a, 99, POINT, t(0)), CREDITS_KNOWN);
	assert_int_equal(credits_give(c, &a, 99, POINT, t(DAY)), 0);
	assert_int_equal(credits_find(c, &a)->n_kinds, CREDIT_KINDS);
}

static void test_points_are_bounded(void **state)
{
	CLEANUP(credits_freep) struct credits *c = credits_new(100);
	struct net a = net("192.0.2.1");

	(void)state;
	for (int i = 0; i < 100; i++)
		credits_give(c, &a, 1, UINT32_MAX, t(i * DAY));
	assert_true(credits_points(credits_find(c, &a), t(0)) <= CREDIT_MAX_POINTS);
}

static void test_only_addresses(void **state)
{
	CLEANUP(credits_freep) struct credits *c = credits_new(100);
	struct net n = net("192.0.2.0/24"), id;

	(void)state;
	assert_int_equal(net_parse_id(span_of("alice"), &id), 0);
	assert_int_equal(credits_give(c, &n, 1, POINT, t(0)), CREDITS_KNOWN);
	assert_int_equal(credits_give(c, &id, 1, POINT, t(0)), CREDITS_KNOWN);
	assert_int_equal(credits_n(c), 0);
}

static void test_within(void **state)
{
	CLEANUP(credits_freep) struct credits *c = credits_new(100);
	struct net a = net("192.0.2.9"), b = net("192.0.2.10"), n = net("192.0.2.0/24");
	struct net other = net("198.51.100.0/24"), v6 = net("::/0");

	(void)state;
	credits_give(c, &a, 1, POINT, t(0));
	assert_false(credits_within(c, &n, t(0)).any);
	assert_int_equal(credits_within(c, &n, t(0)).points, POINT);
	credits_give(c, &a, 1, POINT, t(DAY));
	credits_give(c, &b, 1, POINT, t(DAY));
	assert_true(credits_within(c, &n, t(DAY)).any);
	assert_true(credits_within(c, &n, t(DAY)).points > 5 * POINT / 2);
	assert_false(credits_within(c, &other, t(DAY)).any);
	assert_int_equal(credits_within(c, &v6, t(DAY)).points, 0);
}

static void test_the_poorest_go(void **state)
{
	CLEANUP(credits_freep) struct credits *c = credits_new(50);
	struct net rich = net("192.0.2.1");

	(void)state;
	credits_give(c, &rich, 1, 10 * POINT, t(0));
	for (uint32_t i = 0; i < 2000; i++) {
		struct net n = net_from_v4(i * 2654435761u | 1);

		assert_int_equal(credits_give(c, &n, 1, POINT, t(0)), 0);
		assert_true(credits_n(c) <= 50);
	}
	assert_non_null(credits_find(c, &rich));
}

struct seen {
	struct credit last;
	int n;
};

static void see(void *ctx, const struct credit *c)
{
	struct seen *s = ctx;

	s->last = *c;
	s->n++;
}

static void test_tells_what_changed(void **state)
{
	CLEANUP(credits_freep) struct credits *c = credits_new(100);
	CLEANUP(credits_freep) struct credits *again = credits_new(100);
	struct net a = net("192.0.2.1");
	struct seen s = {.n = 0};

	(void)state;
	credits_give(c, &a, 1, POINT, t(0));
	credits_give(c, &a, 1, POINT, t(DAY));
	credits_each_dirty(c, see, &s);
	assert_int_equal(s.n, 1);
	credits_give(c, &a, 1, POINT, t(DAY + 5));
	credits_each_dirty(c, see, &s);
	assert_int_equal(s.n, 1);
	credits_mark_dirty(c);
	credits_each_dirty(c, see, &s);
	assert_int_equal(s.n, 2);

	assert_int_equal(credits_restore(again, &s.last), 0);
	assert_true(credits_has(again, &a, t(DAY)));
	assert_int_equal(credits_give(again, &a, 1, POINT, t(DAY)), CREDITS_KNOWN);
	/* What came after it stays. */
	credits_give(again, &a, 1, POINT, t(2 * DAY));
	assert_int_equal(credits_restore(again, &s.last), 0);
	assert_int_equal(credits_find(again, &a)->n_days, 3);
	credits_each_dirty(again, see, &s);
	assert_int_equal(s.n, 3);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_each_kind_once_a_day),
	    cmocka_unit_test(test_midnight_is_no_day),
	    cmocka_unit_test(test_one_message_is_no_credit),
	    cmocka_unit_test(test_decays),
	    cmocka_unit_test(test_late_evidence),
	    cmocka_unit_test(test_more_kinds_than_fit),
	    cmocka_unit_test(test_points_are_bounded),
	    cmocka_unit_test(test_only_addresses),
	    cmocka_unit_test(test_within),
	    cmocka_unit_test(test_the_poorest_go),
	    cmocka_unit_test(test_tells_what_changed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
