/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * backtest_policy - a set-up to be tried, found by name or folder
 *
 *   bandog     the configuration of --config-dir
 *   fail2ban   /etc/fail2ban with the jails for mail and ssh, enabled or not
 *   NAME       a folder of that name in the folder of profiles that come along
 *   DIR        a configuration folder: anything with a '/'
 *   NAME=DIR   the same, called NAME
 */

#include "cli/cli.h"
#include "pipeline/setup.h"

#define BACKTEST_FAIL2BAN_DIR "/etc/fail2ban"

struct backtest_policy {
	char *name;
	char *dir;
	struct setup *setup; /* with at least one jail that has a filter */
};

/* Is it one that is there? Prints nothing. */
bool backtest_policy_exists(const struct cli_options *o, const char *spec);

/**
 * backtest_policy_load()
 * @jails: only these, as far as the policy has them, ended by NULL; or NULL
 *
 * Says in words what is wrong. Return: 0 or negative errno.
 */
int backtest_policy_load(const struct cli_options *o, const char *spec,
    const char *const *jails, struct backtest_policy *out);
void backtest_policy_deinit(struct backtest_policy *p);
