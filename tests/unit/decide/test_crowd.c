/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "decide/crowd.h"

static void test_counts_different_ones(void **state)
{
	struct crowd_one ones[4] = {0};

	(void)state;
	crowd_add(ones, 4, 11, 100);
	crowd_add(ones, 4, 12, 200);
	crowd_add(ones, 4, 11, 150);
	crowd_add(ones, 4, 12, 50); /* late: the latest stays */
	assert_int_equal(crowd_count(ones, 4, 0), 2);
	assert_int_equal(crowd_count(ones, 4, 150), 1);
	assert_int_equal(crowd_count(ones, 4, 200), 0);
	crowd_remove(ones, 4, 12);
	assert_int_equal(crowd_count(ones, 4, 0), 1);
}

static void test_the_oldest_makes_room(void **state)
{
	struct crowd_one ones[3] = {0};

	(void)state;
	for (uint64_t i = 1; i <= 3; i++)
		crowd_add(ones, 3, i, 100 * (int64_t)i);
	crowd_add(ones, 3, 9, 90); /* older than all: not at all */
	assert_int_equal(crowd_count(ones, 3, 99), 3);
	crowd_add(ones, 3, 4, 400);
	assert_int_equal(crowd_count(ones, 3, 0), 3);
	assert_int_equal(crowd_count(ones, 3, 100), 3);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_counts_different_ones),
	    cmocka_unit_test(test_the_oldest_makes_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
