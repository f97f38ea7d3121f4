/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * setup_shown - what a jail was configured with, in its own words, for who asks
 *
 * Nothing is decided by these texts; clients of fail2ban's protocol are shown them.
 */

#include "pipeline/setup.h"

/* @jail: index in @c. Return: 0 or -ENOMEM. */
int setup_take_shown(const struct conf *c, size_t jail, struct setup_jail *j);
void setup_shown_deinit(struct setup_jail *j);
