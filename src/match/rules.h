/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * rules - all regexes of one filter, compiled
 */

#include "match/filter.h"
#include "match/rule.h"

struct rules {
	struct group_names names;
	struct rule *prefregex; /* NULL: none */
	struct rule **failregex;
	size_t n_failregex;
	struct rule **ignoreregex;
	size_t n_ignoreregex;
};

/**
 * rules_init()
 * @cut: what is cut out of lines before they are searched
 * @r: may not move afterwards; to be freed by rules_deinit() also after a failure
 *
 * Return: 0, or a negative errno with @e, which names the regex.
 */
int rules_init(struct rules *r, const struct filter_options *o, enum literals_cut cut,
    struct err *e);
void rules_deinit(struct rules *r);

/* See filter_check_failregex() and filter_check_regex(). */
int rules_check_failregex(
    const char *regex, const char *prefregex, bool with_names, struct err *e);
int rules_check_regex(const char *regex, bool with_names, struct err *e);
