/* SPDX-License-Identifier: GPL-2.0-or-later */
/* backtest_reach: what a ban closes, and what it does not */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "cli/backtest_reach.h"

enum { MAIL, SSH, ALL, COMMANDS, GRADUAL, N_JAILS };

static struct nft_target mail = {.n_ports = 2, .ports = {{25, 25}, {465, 587}}};
static struct nft_target ssh = {.n_ports = 1, .ports = {{22, 22}}};
static struct nft_target all = {.n_ports = 0};
/* The third step closes everything, by a copy. */
static struct nft_target gradual[] = {
    {.n_ports = 1, .ports = {{22, 22}}, .steps = 1 << 2},
    {.n_ports = 0, .steps = 1 << 3, .is_copy = true},
};
static struct setup_jail jails[N_JAILS] = {
    [MAIL] = {.targets = &mail, .n_targets = 1},
    [SSH] = {.targets = &ssh, .n_targets = 1},
    [ALL] = {.targets = &all, .n_targets = 1},
    [GRADUAL] = {.targets = gradual,
	.n_targets = 2,
	.steps = {3, {{STEP_REFUSE, 60}, {STEP_DROP, 60}, {STEP_DROP_ALL, 60}}}},
};
static const struct setup setup = {.jails = jails, .n_jails = N_JAILS};

static bool reaches(uint32_t by, uint8_t step, int through)
{
	const struct order o = {.jail = by, .step = step};

	return backtest_reach(&setup, &o, &jails[through]);
}

static void ports_must_meet(UNUSED void **state)
{
	static const struct nft_target submission = {
	    .n_ports = 1, .ports = {{587, 587}}};
	struct nft_target t = submission;
	const struct setup_jail other = {.targets = &t, .n_targets = 1};
	const struct order by_mail = {.jail = MAIL};

	assert_true(reaches(MAIL, 0, MAIL));
	assert_false(reaches(SSH, 0, MAIL));
	assert_false(reaches(MAIL, 0, SSH));
	assert_true(backtest_reach(&setup, &by_mail, &other));
	t.ports[0] = (struct nft_ports){588, 600};
	assert_false(backtest_reach(&setup, &by_mail, &other));
}

static void what_is_not_known_is_all(UNUSED void **state)
{
	assert_true(reaches(ALL, 0, SSH));
	assert_true(reaches(SSH, 0, ALL));
	assert_true(reaches(COMMANDS, 0, SSH));
	assert_true(reaches(SSH, 0, COMMANDS));
}

static void steps_go_from_words_to_silence(UNUSED void **state)
{
	assert_false(reaches(GRADUAL, 1, SSH));
	assert_true(reaches(GRADUAL, 2, SSH));
	assert_false(reaches(GRADUAL, 2, MAIL));
	assert_true(reaches(GRADUAL, 3, MAIL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(ports_must_meet),
	    cmocka_unit_test(what_is_not_known_is_all),
	    cmocka_unit_test(steps_go_from_words_to_silence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
