/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * scan_setup - a configuration for verbs that replay logs
 *
 * What only the running daemon needs is not told. Jails that read the journal take
 * their dates from the lines of the logs.
 */

#include "cli/cli.h"
#include "cli/inputs.h"
#include "pipeline/setup.h"

/**
 * scan_setup_load()
 * @jails: only these, enabled or not, ended by NULL; or NULL: all that are enabled
 * @out:   may have no jail at all
 *
 * Prints what is wrong with it, jails that are missing not among that.
 * Return: 0 or -EINVAL.
 */
int scan_setup_load(const char *dir, const char *const *jails, struct setup **out);

/* The dates by which lines are put in order: those on which all jails agree. */
void scan_setup_dates(const struct setup *s, struct inputs_options *io);
