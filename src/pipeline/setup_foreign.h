/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * setup_foreign - tells whose commands get values from logs in a reduced form only
 *
 * See enforce/shell_plain.h. A warning for each action, not an error: the command runs,
 * and safely, but a user name in it may not be what its author expects. Where the
 * filter names ids that are no addresses, <ip> and <fid> are such values too.
 */

#include "conf/conf.h"
#include "pipeline/setup.h"

/* The jail has its name and filter already. */
void setup_tell_foreign_action(
    const struct setup_jail *j, const struct conf_action *a, struct diag *d);

/* @what: as in "ignorecommand" */
void setup_tell_foreign(const struct setup_jail *j, const char *what,
    const char *command, struct conf_place at, struct diag *d);
