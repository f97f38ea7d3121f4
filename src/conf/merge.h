/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * merge - one file's sections and options into those of the files before it
 *
 * The option that is overwritten stays reachable as ini_option.prev. The options of a
 * section [NAME?cond] go to [NAME] as "option?cond".
 */

#include "conf/ini.h"

/* Return: 0 or -ENOMEM. */
int merge_file(struct arena *a, struct ini *into, const struct ini *from);
