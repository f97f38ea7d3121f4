/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Many random days in the life of the engine, each judged by a model; see duel.h.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bytes.h"
#include "duel.h"

#define N_DAYS 300
#define DAY_BYTES 4000

static void test_agrees_with_model(void **state)
{
	static uint8_t day[DAY_BYTES];
	struct duel_stats stats = {0};

	(void)state;
	for (uint64_t seed = 1; seed <= N_DAYS; seed++) {
		bytes_fill(seed, day, sizeof(day));
		duel_run(day, sizeof(day), &stats);
	}
	print_message("# %zu hits, %zu bans, %zu prolonged, %zu stale, %zu restarts, "
		      "%zu reloads\n",
	    stats.n_hits, stats.n_bans, stats.n_prolonged, stats.n_stale,
	    stats.n_restarts, stats.n_reloads);
	/* The days are eventful enough to prove something. */
	assert_true(stats.n_bans > N_DAYS * 10);
	assert_true(stats.n_prolonged > N_DAYS);
	assert_true(stats.n_stale > N_DAYS);
	assert_true(stats.n_restarts > N_DAYS);
	assert_true(stats.n_reloads > N_DAYS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_agrees_with_model)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
