/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * setup_filter - a jail's filter, checked; part of setup_build()
 */

#include "pipeline/setup.h"

/**
 * setup_take_filter() - fill what @j says of its filter
 * @d: all that is wrong, each regex with its place
 *
 * Return: 0, 1 if the jail cannot run, -ENOMEM.
 */
int setup_take_filter(const struct conf_jail *c, struct diag *d, struct setup_jail *j);
