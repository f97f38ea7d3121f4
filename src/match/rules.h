/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * rules - all regexes of one filter, compiled
 */

#include "match/filter.h"
#include "match/rule.h"

/* Slots of the fields that a rule goes by. */
#define RULE_NO_SLOT UINT8_MAX
struct rule_use {
	uint8_t distinct, account, bind, via;
};

struct rules {
	struct group_names names;
	struct rule *prefregex;  /* NULL: none */
	struct rule **failregex; /* and those of [Rule]s behind them */
	size_t n_failregex;
	struct rule_use *uses; /* of each; NULL: there is no [Rule] */
	bool has_joins;        /* one of them binds */
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
int rules_check_rule(const struct filter_rule *rule, enum filter_rule_part part,
    const char *prefregex, bool with_names, struct err *e);
int rules_check_regex(const char *regex, bool with_names, struct err *e);
