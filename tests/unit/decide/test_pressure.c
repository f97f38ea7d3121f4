/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "decide/pressure.h"

static wall_t t(double sec)
{
	return (wall_t){INT64_C(1795000000) * US_PER_SEC + (int64_t)(sec * 1e6)};
}

static void add(struct pressure *p, uint64_t from, uint64_t to, double at)
{
	for (uint64_t i = from; i <= to; i++)
		pressure_add(p, i, t(at));
}

static void test_levels(void **state)
{
	struct pressure p = {0};

	(void)state;
	add(&p, 1, 9, 0);
	add(&p, 1, 9, 1);
	assert_int_equal(pressure_level(&p, t(1)), 0);
	add(&p, 10, 10, 2);
	assert_int_equal(pressure_level(&p, t(2)), 1);
	add(&p, 11, 19, 3);
	assert_int_equal(pressure_level(&p, t(3)), 1);
	add(&p, 20, 20, 4);
	assert_int_equal(pressure_level(&p, t(4)), 2);
	assert_int_equal(pressure_count(&p, t(4)), 20);
	add(&p, 21, 1000, 5);
	assert_int_equal(pressure_count(&p, t(5)), PRESSURE_ROOM);
	assert_int_equal(pressure_level(&p, t(5)), 2);
}

/* Who is banned offends no more; the rest of his addresses is still to come. */
static void test_goes_back_after_a_while(void **state)
{
	struct pressure p = {0};

	(void)state;
	add(&p, 1, 20, 0);
	assert_int_equal(pressure_level(&p, t(3601)), 2);
	assert_int_equal(pressure_count(&p, t(3601)), 0);
	add(&p, 21, 27, 4000);
	assert_int_equal(pressure_level(&p, t(PRESSURE_HOLD_SEC)), 2);
	assert_int_equal(pressure_level(&p, t(PRESSURE_HOLD_SEC + 1)), 0);
	add(&p, 31, 39, 50000);
	assert_int_equal(pressure_level(&p, t(50000)), 0);
}

/* Less keeps it than raises it. */
static void test_is_kept_by_less(void **state)
{
	struct pressure p = {0};

	(void)state;
	add(&p, 1, 20, 0);
	add(&p, 21, 34, 10000);
	assert_int_equal(pressure_level(&p, t(PRESSURE_HOLD_SEC + 1)), 1);
	add(&p, 41, 48, 20000);
	assert_int_equal(pressure_level(&p, t(20000 + PRESSURE_HOLD_SEC)), 1);
	assert_int_equal(pressure_level(&p, t(20001 + PRESSURE_HOLD_SEC)), 0);
	add(&p, 51, 58, 50000);
	assert_int_equal(pressure_level(&p, t(50000)), 0);
}

static void test_need(void **state)
{
	(void)state;
	assert_int_equal(pressure_need(0, 500, 100), 500);
	assert_int_equal(pressure_need(1, 500, 100), 250);
	assert_int_equal(pressure_need(2, 500, 100), 125);
	assert_int_equal(pressure_need(2, 300, 100), 100);
	assert_int_equal(pressure_need(2, 5, 1), 1);
	assert_int_equal(pressure_need(2, 50, 100), 50);
}

/* One by one, three an hour: only a rule's pressure counts the day. */
static void test_a_slow_attack(void **state)
{
	struct pressure rule = {.counts_days = true}, jail = {0};

	(void)state;
	for (uint64_t i = 1; i <= 60; i++) {
		pressure_add(&rule, i, t((double)i * 1200));
		pressure_add(&jail, i, t((double)i * 1200));
		assert_int_equal(pressure_level(&rule, t((double)i * 1200)), i < 30 ? 0
									     : i < 60
										 ? 1
										 : 2);
		assert_int_equal(pressure_level(&jail, t((double)i * 1200)), 0);
	}
	assert_int_equal(pressure_level(&rule, t(72000 + PRESSURE_HOLD_SEC)), 2);
	assert_int_equal(pressure_level(&rule, t(72001 + PRESSURE_HOLD_SEC)), 0);
	pressure_clear(&rule);
	assert_int_equal(pressure_level(&rule, t(72000)), 0);
	assert_true(rule.counts_days);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_levels),
	    cmocka_unit_test(test_goes_back_after_a_while),
	    cmocka_unit_test(test_is_kept_by_less),
	    cmocka_unit_test(test_need),
	    cmocka_unit_test(test_a_slow_attack),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
