/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * setup_rules - the sections [Rule NAME] of a jail's filter: taken over, checked,
 * carried over the wire, and laid out for the stages
 *
 * A regex of a jail has a number: failregexes first, then those of the rules, in order.
 */

#include "base/pack.h"
#include "pipeline/setup.h"

#define SETUP_RULES_MAX INT16_MAX /* regexes of a jail that has rules */

/* Return: 0, -E2BIG or -ENOMEM. */
int setup_take_rules(const struct conf_filter *f, struct setup_jail *j);
void setup_rules_deinit(struct setup_jail *j);

/* What is wrong with them, each with its place. Return: whether all are good. */
bool setup_check_rules(
    const struct conf_filter *f, const struct setup_jail *j, struct diag *d);

void setup_put_rules(struct buf *b, const struct setup_jail *j);
/* Behind the failregexes. What does not fit together makes @u bad. */
void setup_get_rules(struct unpack *u, struct setup_jail *j);

/* Would the filters of both make the same of a line? Weights may differ. */
bool setup_same_rules(const struct setup_jail *a, const struct setup_jail *b);
