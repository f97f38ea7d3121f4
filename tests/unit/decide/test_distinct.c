/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "decide/distinct.h"

#define DAY INT64_C(86400)

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

static void test_each_value_counts_once_a_day(void **state)
{
	CLEANUP(distinct_freep) struct distinct *d = distinct_new(100);
	struct net a = net("192.0.2.1"), b = net("192.0.2.2");

	(void)state;
	assert_int_equal(distinct_feed(d, 0, 1, &a, 5, t(0), 0), 0);
	assert_int_equal(distinct_feed(d, 0, 1, &a, 5, t(10), 0), DISTINCT_KNOWN);
	assert_int_equal(distinct_feed(d, 0, 1, &a, 6, t(20), 0), 0);
	/* Another address, rule or jail. */
	assert_int_equal(distinct_feed(d, 0, 1, &b, 5, t(30), 0), 0);
	assert_int_equal(distinct_feed(d, 0, 2, &a, 5, t(30), 0), 0);
	assert_int_equal(distinct_feed(d, 1, 1, &a, 5, t(30), 0), 0);
	/* Another day; and a line of the day before that comes late. */
	assert_int_equal(distinct_feed(d, 0, 1, &a, 5, t(DAY), 0), 0);
	assert_int_equal(distinct_feed(d, 0, 1, &a, 6, t(DAY - 1), 0), DISTINCT_KNOWN);
}

static void test_the_first_are_free(void **state)
{
	CLEANUP(distinct_freep) struct distinct *d = distinct_new(100);
	struct net a = net("2001:db8::1");

	(void)state;
	assert_int_equal(distinct_feed(d, 0, 1, &a, 5, t(0), 2), DISTINCT_FREE);
	assert_int_equal(distinct_feed(d, 0, 1, &a, 5, t(1), 2), DISTINCT_KNOWN);
	assert_int_equal(distinct_feed(d, 0, 1, &a, 6, t(2), 2), DISTINCT_FREE);
	assert_int_equal(distinct_feed(d, 0, 1, &a, 7, t(3), 2), 0);
	assert_int_equal(distinct_feed(d, 0, 1, &a, 8, t(4), 2), 0);
	assert_int_equal(distinct_feed(d, 0, 1, &a, 8, t(DAY), 2), DISTINCT_FREE);
}

static void test_a_flood_is_forgotten(void **state)
{
	CLEANUP(distinct_freep) struct distinct *d = distinct_new(50);
	struct net a = net("192.0.2.1");

	(void)state;
	assert_int_equal(distinct_feed(d, 0, 1, &a, 1, t(0), 0), 0);
	for (uint64_t v = 2; v < 1000; v++)
		assert_int_equal(distinct_feed(d, 0, 1, &a, v, t(0), 0), 0);
	assert_int_equal(distinct_feed(d, 0, 1, &a, 1, t(0), 0), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_each_value_counts_once_a_day),
	    cmocka_unit_test(test_the_first_are_free),
	    cmocka_unit_test(test_a_flood_is_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
