/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * tags - <tag> replaced by the value of the option "tag" when a filter or action is
 * read
 *
 * fail2ban-compat 1.4: innermost first, so that <mdre-<mode>> works, and again until
 * nothing changes. Unknown tags stay, they are for run time. Bounded by replacements of
 * one tag, by different tags, and by the size of the value.
 */

#include "conf/text.h"

struct tags {
	struct arena *arena;
	struct diag *d;
	/* Return: 0 and *@out, 1: unknown, or negative errno. */
	int (*find)(void *ctx, struct span tag, struct text *out);
	bool (*is_kept)(void *ctx, struct span tag); /* stays for run time */
	void *ctx;
};

/**
 * conf_tags_expand()
 * @name: the option that @in belongs to; it must not lead back to itself
 * @out:  in @t's arena, or @in itself when it has nothing to replace
 *
 * Return: 0, -EINVAL (reported), or -ENOMEM.
 */
int conf_tags_expand(
    const struct tags *t, struct span name, const struct text *in, struct text *out);
