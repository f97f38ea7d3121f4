/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "decide/breaker.h"

static wall_t t(double sec)
{
	return (wall_t){INT64_C(1795000000) * US_PER_SEC + (int64_t)(sec * 1e6)};
}

static int soft(struct breaker *b, uint64_t who, double at)
{
	return breaker_feed(b, 1, HIT_MISCONFIGURATION, who, false, t(at));
}

static int abuse(struct breaker *b, uint64_t who, bool has_credit, double at)
{
	return breaker_feed(b, 2, HIT_ABUSE, who, has_credit, t(at));
}

static bool is_lifted(struct breaker *b, double at, uint16_t id)
{
	uint16_t got;

	return breaker_lift(b, t(at), &got) && got == id;
}

static void test_many_clients_at_once(void **state)
{
	CLEANUP(breaker_freep) struct breaker *b = breaker_new(3);
	struct breaker_state s;

	(void)state;
	for (uint64_t i = 1; i < BREAKER_CLIENTS; i++)
		assert_int_equal(soft(b, i, (double)i), 0);
	assert_int_equal(soft(b, 1, 10), 0); /* one of them again */
	assert_int_equal(soft(b, BREAKER_CLIENTS, 11), BREAKER_TRIPPED);
	assert_int_equal(soft(b, 1, 12), BREAKER_OPEN);
	assert_true(breaker_get(b, 1, t(12), &s));
	assert_int_equal(s.n_clients, BREAKER_CLIENTS);
	assert_int_equal(s.since.us, t(11).us);
	assert_false(breaker_get(b, 2, t(12), &s));
	/* One alone does not keep it open. */
	assert_int_equal(soft(b, 1, 73), BREAKER_OPEN);
	assert_int_equal(soft(b, 1, 300), BREAKER_OPEN);
	assert_int_equal(breaker_next(b).us, t(312).us + 1);
	assert_false(is_lifted(b, 312, 1));
	assert_true(is_lifted(b, 312.1, 1));
	assert_int_equal(breaker_next(b).us, WALL_NEVER.us);
	assert_false(is_lifted(b, 320, 1));
	assert_int_equal(soft(b, 1, 320), 0);
}

static void test_a_minute_apart_is_not_at_once(void **state)
{
	CLEANUP(breaker_freep) struct breaker *b = breaker_new(3);

	(void)state;
	for (uint64_t i = 1; i <= 100; i++)
		assert_int_equal(soft(b, i, 7 * (double)i), 0);
}

/* Ten of a hundred are ten badly kept servers. */
static void test_half_of_all_clients(void **state)
{
	CLEANUP(breaker_freep) struct breaker *b = breaker_new(3);

	(void)state;
	for (uint64_t i = 100; i < 130; i++)
		assert_int_equal(breaker_feed(b, 0, HIT_NEUTRAL, i, false, t(0)), 0);
	for (uint64_t i = 1; i <= 29; i++)
		assert_int_equal(soft(b, i, 1), 0);
	assert_int_equal(soft(b, 30, 1), BREAKER_TRIPPED);
}

/* Attacks come from many, too. */
static void test_abuse_by_many_counts(void **state)
{
	CLEANUP(breaker_freep) struct breaker *b = breaker_new(3);

	(void)state;
	for (uint64_t i = 1; i <= 60; i++)
		assert_int_equal(abuse(b, i, false, 1), 0);
}

static void test_two_with_credit(void **state)
{
	CLEANUP(breaker_freep) struct breaker *b = breaker_new(3);

	(void)state;
	assert_int_equal(abuse(b, 1, true, 0), 0);
	assert_int_equal(abuse(b, 1, true, 1), 0);
	assert_int_equal(abuse(b, 2, true, 62), 0);
	assert_int_equal(abuse(b, 3, true, 70), BREAKER_TRIPPED);
	assert_int_equal(abuse(b, 9, false, 71), BREAKER_OPEN);
	assert_true(is_lifted(b, 371, 2));
}

/* Two users mistype their passwords while very many others guess. */
static void test_cover_for_an_attack(void **state)
{
	CLEANUP(breaker_freep) struct breaker *b = breaker_new(3);
	struct breaker_state s;

	(void)state;
	for (uint64_t i = 100; i < 120; i++)
		assert_int_equal(abuse(b, i, false, 1), 0);
	for (uint64_t i = 1; i <= 6; i++)
		assert_int_equal(abuse(b, i, true, 2), 0);
	/* A quarter of all is no chance. */
	assert_int_equal(abuse(b, 7, true, 3), BREAKER_TRIPPED);
	assert_true(breaker_get(b, 2, t(3), &s));
	assert_int_equal(s.n_clients, 27);
	assert_int_equal(s.n_credited, 7);
	/* Misconfiguration bans nobody; so two are enough. */
	for (uint64_t i = 100; i < 108; i++)
		assert_int_equal(soft(b, i, 1), 0);
	assert_int_equal(breaker_feed(b, 1, HIT_MISCONFIGURATION, 1, true, t(2)), 0);
	assert_int_equal(
	    breaker_feed(b, 1, HIT_MISCONFIGURATION, 2, true, t(2)), BREAKER_TRIPPED);
}

/* Who owns two good servers does not switch a rule off for good. */
static void test_abuse_is_not_suspended_for_ever(void **state)
{
	CLEANUP(breaker_freep) struct breaker *b = breaker_new(3);
	uint16_t id;
	int n_open = 0;

	(void)state;
	for (int i = 0; i < 1440; i++) {
		while (breaker_lift(b, t(i * 10), &id))
			;
		n_open += abuse(b, 1 + (uint64_t)(i & 1), true, i * 10) != 0;
	}
	/* An hour, an hour's pause, an hour, and so on for four hours. */
	assert_in_range(n_open, 700, 740);
}

/* Nor by waiting a little before each hour is over. */
static void test_abuse_is_not_suspended_by_turns(void **state)
{
	CLEANUP(breaker_freep) struct breaker *b = breaker_new(3);
	uint16_t id;
	int n_open = 0;

	(void)state;
	for (int i = 0; i < 8640; i++) {
		double at = i * 10;
		bool trips = (int)at % 3600 < 3250; /* it ends by itself at 3540 */

		while (breaker_lift(b, t(at), &id))
			;
		n_open += abuse(b, 1 + (uint64_t)(i & 1), trips, at) != 0;
	}
	assert_in_range(n_open, 2000, 4900);
}

/* A fault that comes and goes is ours as long as it does not last for hours. */
static void test_a_fault_in_parts(void **state)
{
	CLEANUP(breaker_freep) struct breaker *b = breaker_new(3);
	uint16_t id;

	(void)state;
	for (int i = 0; i < 5; i++) {
		double at = i * 400;

		(void)breaker_lift(b, t(at), &id);
		assert_int_equal(abuse(b, 1, true, at), 0);
		assert_int_equal(abuse(b, 2, true, at + 1), BREAKER_TRIPPED);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_many_clients_at_once),
	    cmocka_unit_test(test_a_minute_apart_is_not_at_once),
	    cmocka_unit_test(test_half_of_all_clients),
	    cmocka_unit_test(test_abuse_by_many_counts),
	    cmocka_unit_test(test_two_with_credit),
	    cmocka_unit_test(test_cover_for_an_attack),
	    cmocka_unit_test(test_abuse_is_not_suspended_for_ever),
	    cmocka_unit_test(test_abuse_is_not_suspended_by_turns),
	    cmocka_unit_test(test_a_fault_in_parts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
