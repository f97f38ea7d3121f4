/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * override - options that were changed at run time, as the last of all layers
 *
 * Their values are plain texts: a '%' in them refers to nothing.
 */

#include "conf/conf.h"
#include "conf/ini.h"

struct override_list {
	const struct conf_override *items;
	size_t n;
};

/* Add those of the jails (or the global ones) to @into. Return: 0 or -ENOMEM. */
int override_merge(struct arena *a, const struct override_list *list, bool is_global,
    struct ini *into);
