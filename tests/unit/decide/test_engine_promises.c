/* SPDX-License-Identifier: GPL-2.0-or-later */
/* engine: what the classes of rules promise, held against chance */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "promises.h"

#define N_BYTES 60000

static void test_promises(void **state)
{
	static uint8_t bytes[N_BYTES];
	struct promises_stats stats = {0};
	uint64_t random = 1;

	(void)state;
	for (int round = 0; round < 16; round++) {
		for (size_t i = 0; i < N_BYTES; i++) {
			random = random * UINT64_C(6364136223846793005) + 1;
			bytes[i] = (uint8_t)(random >> 40);
		}
		promises_run(bytes, N_BYTES, &stats);
	}
	assert_true(stats.n_hits > 20000);
	assert_true(stats.n_bans > 500);
	assert_true(stats.n_nets > 20);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_promises),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
