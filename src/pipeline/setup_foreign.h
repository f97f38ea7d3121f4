/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * setup_foreign - tells whose commands get values from logs in a reduced form only
 *
 * See enforce/shell_plain.h. A warning for each action, not an error: the command runs,
 * and safely, but a user name in it may not be what its author expects.
 */

#include "conf/conf.h"

void setup_tell_foreign_action(
    const char *jail, const struct conf_action *a, struct diag *d);

/* @what: as in "ignorecommand" */
void setup_tell_foreign(const char *jail, const char *what, const char *command,
    struct conf_place at, struct diag *d);
