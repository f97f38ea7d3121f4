/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "decide/account.h"

static wall_t t(double sec)
{
	return (wall_t){INT64_C(1795000000) * US_PER_SEC + (int64_t)(sec * 1e6)};
}

static void test_tried_by_many(void **state)
{
	CLEANUP(accounts_freep) struct accounts *a = accounts_new(100);

	(void)state;
	for (uint64_t who = 1; who < ACCOUNT_ATTACKERS; who++)
		assert_int_equal(
		    accounts_feed(a, 0, who, who, 7, t((double)who)), ACCOUNT_PLAIN);
	assert_int_equal(accounts_feed(a, 0, 1, 1, 7, t(5)), ACCOUNT_PLAIN);
	assert_int_equal(
	    accounts_feed(a, 0, ACCOUNT_ATTACKERS, ACCOUNT_ATTACKERS, 7, t(6)),
	    ACCOUNT_ATTACKED);
	assert_int_equal(accounts_feed(a, 0, 1, 1, 8, t(7)), ACCOUNT_PLAIN);
	/* An hour on it is over. */
	assert_int_equal(accounts_feed(a, 0, 1, 1, 7, t(3700)), ACCOUNT_PLAIN);
}

static void test_a_program_that_polls(void **state)
{
	CLEANUP(accounts_freep) struct accounts *a = accounts_new(100);

	(void)state;
	assert_int_equal(accounts_feed(a, 0, 1, 1, 7, t(0)), ACCOUNT_PLAIN);
	assert_int_equal(accounts_feed(a, 0, 1, 1, 7, t(300)), ACCOUNT_PLAIN);
	for (int i = 2; i < 20; i++)
		assert_int_equal(
		    accounts_feed(a, 0, 1, 1, 7, t(300 * i + i % 3)), ACCOUNT_STALE);
	/* Twice in a row, each time; not three times. */
	assert_int_equal(accounts_feed(a, 0, 1, 1, 7, t(6000)), ACCOUNT_STALE);
	assert_int_equal(accounts_feed(a, 0, 1, 1, 7, t(6001)), ACCOUNT_STALE);
	assert_int_equal(accounts_feed(a, 0, 1, 1, 7, t(6002)), ACCOUNT_PLAIN);
	assert_int_equal(accounts_feed(a, 0, 1, 1, 7, t(6300)), ACCOUNT_STALE);
	/* Asleep. */
	assert_int_equal(accounts_feed(a, 0, 1, 1, 7, t(9999)), ACCOUNT_STALE);
	/* Somebody looked by hand; then as before. */
	assert_int_equal(accounts_feed(a, 0, 1, 1, 7, t(10100)), ACCOUNT_PLAIN);
	assert_int_equal(accounts_feed(a, 0, 1, 1, 7, t(10400)), ACCOUNT_STALE);
	/* Faster, and faster again: it begins anew. */
	assert_int_equal(accounts_feed(a, 0, 1, 1, 7, t(10500)), ACCOUNT_PLAIN);
	assert_int_equal(accounts_feed(a, 0, 1, 1, 7, t(10620)), ACCOUNT_PLAIN);
	assert_int_equal(accounts_feed(a, 0, 1, 1, 7, t(11000)), ACCOUNT_PLAIN);
	assert_int_equal(accounts_feed(a, 0, 1, 1, 7, t(11300)), ACCOUNT_PLAIN);
	assert_int_equal(accounts_feed(a, 0, 1, 1, 7, t(11600)), ACCOUNT_STALE);
	/* Another service has a rhythm of its own. */
	assert_int_equal(accounts_feed(a, 1, 1, 1, 7, t(11660)), ACCOUNT_PLAIN);
	assert_int_equal(accounts_feed(a, 0, 1, 1, 7, t(11900)), ACCOUNT_STALE);
}

static void test_who_guesses_is_no_program(void **state)
{
	CLEANUP(accounts_freep) struct accounts *a = accounts_new(100);

	(void)state;
	/* Faster than anybody looks for mail. */
	for (int i = 0; i < 100; i++)
		assert_int_equal(
		    accounts_feed(a, 0, 1, 1, 7, t(30 * i)), ACCOUNT_PLAIN);
	/* Another account, and then one in step. */
	assert_int_equal(accounts_feed(a, 0, 2, 2, 8, t(0)), ACCOUNT_PLAIN);
	for (int i = 1; i < 200; i++)
		assert_int_equal(
		    accounts_feed(a, 0, 2, 2, 7, t(300 * i)), ACCOUNT_PLAIN);
	/* A day later that is forgiven. */
	assert_int_equal(accounts_feed(a, 0, 2, 2, 7, t(90000)), ACCOUNT_STALE);
}

static void test_a_program_whose_account_is_attacked(void **state)
{
	CLEANUP(accounts_freep) struct accounts *a = accounts_new(100);

	(void)state;
	for (int i = 0; i < 3; i++)
		(void)accounts_feed(a, 0, 1, 1, 7, t(300 * i));
	for (uint64_t who = 2; who < 10; who++)
		(void)accounts_feed(a, 0, who, who, 7, t(700));
	assert_int_equal(accounts_feed(a, 0, 1, 1, 7, t(900)), ACCOUNT_STALE);
	assert_int_equal(accounts_feed(a, 0, 1, 1, 7, t(910)), ACCOUNT_ATTACKED);
	assert_int_equal(accounts_feed(a, 0, 1, 1, 7, t(1210)), ACCOUNT_STALE);
	/* One of the attackers, at a rhythm as well. */
	for (int i = 0; i < 20; i++)
		assert_int_not_equal(
		    accounts_feed(a, 0, 2, 2, 7, t(1300 + 120 * i)), ACCOUNT_STALE);
}

static void test_weights(void **state)
{
	(void)state;
	assert_int_equal(account_weight(ACCOUNT_PLAIN, 100), 100);
	assert_int_equal(account_weight(ACCOUNT_ATTACKED, 100), 200);
	assert_int_equal(account_weight(ACCOUNT_ATTACKED, 30000), INT16_MAX);
	assert_int_equal(account_weight(ACCOUNT_STALE, 100), 12);
	assert_int_equal(account_weight(ACCOUNT_STALE, 1), 1);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_tried_by_many),
	    cmocka_unit_test(test_a_program_that_polls),
	    cmocka_unit_test(test_who_guesses_is_no_program),
	    cmocka_unit_test(test_a_program_whose_account_is_attacked),
	    cmocka_unit_test(test_weights),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
