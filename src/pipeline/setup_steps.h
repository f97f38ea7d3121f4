/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * setup_steps - graduated answers: from a configuration to steps and to what carries
 * them out
 *
 * A step that answers otherwise than the jail's actions gets copies of their firewall
 * targets: `reject` the same ports with a reset, `dropall` every port.
 */

#include "conf/conf.h"
#include "pipeline/setup.h"

/* To be called when the jail's actions are known. Return: 0, 1 if the jail cannot run
 * (said why), -ENOMEM. */
int setup_take_steps(const struct conf_jail *c, struct diag *d, struct setup_jail *j);

/* Says what is wrong with the socket's path. */
void setup_check_policy(const struct conf_global *g, struct diag *d);

void setup_put_steps(struct buf *b, const struct setup_jail *j);
void setup_get_steps(struct unpack *u, struct setup_jail *j);
