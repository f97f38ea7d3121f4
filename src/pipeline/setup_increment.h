/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * setup_increment - bantime.increment and its kin: from a configuration, and as bytes
 */

#include "conf/conf.h"
#include "pipeline/setup.h"

/*
 * Mistakes are errors where it is asked for, else warnings: nothing follows from them.
 * Return: 0, 1 if the jail cannot run, -ENOMEM.
 */
int setup_take_increment(
    const struct conf_jail *c, struct diag *d, struct setup_jail *j);
void setup_increment_deinit(struct setup_increment *x);

void setup_put_increment(struct buf *b, const struct setup_increment *x);
void setup_get_increment(struct unpack *u, struct setup_increment *out);
