/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Many random storms; see storm.h.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bytes.h"
#include "storm.h"

static void test_bounds_hold(void **state)
{
	static uint8_t storm[3000];

	(void)state;
	for (uint64_t seed = 1; seed <= 200; seed++) {
		bytes_fill(seed, storm, sizeof(storm));
		storm_run(storm, sizeof(storm));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_bounds_hold)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
