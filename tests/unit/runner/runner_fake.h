/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * runner_fake - the runner's jails without a shell: commands that the test ends
 *
 * It stands for runner/command: command_start() records what is to be run, and nothing
 * happens until the test says how that ended. Actions are given as texts of the form
 * "option=value", one a line.
 */

#include "runner/runner.h"

#define FAKE_MAX_JAILS 4
#define FAKE_MAX_ACTIONS 8
#define FAKE_MAX_OPTIONS 24
#define FAKE_MAX_RUNNING RUNNER_MAX_RUNNING

struct fake_setup {
	struct setup setup;
	struct setup_jail jails[FAKE_MAX_JAILS];
	struct setup_command commands[FAKE_MAX_JAILS][FAKE_MAX_ACTIONS];
	struct action_option options[FAKE_MAX_JAILS][FAKE_MAX_ACTIONS]
				    [FAKE_MAX_OPTIONS];
	char *texts[1024]; /* what the options point into */
	size_t n_texts;
};

void fake_setup_init(struct fake_setup *s);
void fake_setup_deinit(struct fake_setup *s);
/* Return: the jail's index. */
uint32_t fake_setup_jail(struct fake_setup *s, const char *name);
/* To the jail that was added last. */
void fake_setup_action(struct fake_setup *s, const char *name, const char *options);

enum fake_end { FAKE_OK, FAKE_FAILS, FAKE_LATE };

/* Commands that run now, the oldest first. */
size_t fake_n_running(void);
const char *fake_running(size_t i);
/* End one; what it makes due is begun before this returns. */
void fake_end(size_t i, enum fake_end how);
size_t fake_n_begun(void); /* since the program began */

struct order fake_order(enum order_op op, uint32_t jail, const char *ip, int64_t until);
