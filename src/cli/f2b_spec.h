/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * f2b_spec - `name[opt=value, opt2="..."]` on a command line, as fail2ban reads it
 *
 * Only for telling what was given and what is wrong with it in fail2ban's words: the
 * configuration reads such texts itself.
 */

#include "base/err.h"
#include "base/str.h"

#define F2B_SPEC_MAX 100 /* options; more are refused */

struct f2b_spec {
	struct span name;
	struct {
		struct span name, value;
	} options[F2B_SPEC_MAX];
	size_t n_options;
	struct span rest; /* from the first bracket on */
};

/* Could @text be the name or path of a filter, rather than a regex? */
bool f2b_spec_is_one(struct span text);

/* Return: 0, or -EINVAL with @e. Spans point into @text. */
int f2b_spec_parse(struct span text, struct f2b_spec *out, struct err *e);

/* The value of an option; false: not given. */
bool f2b_spec_find(const struct f2b_spec *s, struct span name, struct span *out);
