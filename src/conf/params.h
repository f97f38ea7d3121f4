/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * params - `name[opt=val, opt2="val"]`, the way filters, actions and backends are named
 *
 * fail2ban-compat 1.6. Quotes have no escape; groups may follow each other as [..][..];
 * an option name may have a condition, as in port?family=inet6=value.
 */

#include "conf/text.h"

#define PARAMS_MAX 1000 /* in one item */

struct params_item {
	const char *name; /* lower case */
	struct text value;
};

struct params {
	const char *name;
	struct conf_place at;
	struct params_item *items;
	size_t n;
};

enum {
	PARAMS_END = 1, /* nothing but blanks was left */
};

/**
 * params_next() - read the next item of a list that is separated by blanks
 * @what: for messages: "action"
 * @pos:  0 at first; moved, behind a mistake to the next line
 *
 * Return: 0, PARAMS_END, -EINVAL (reported), or -ENOMEM.
 */
int params_next(struct arena *a, struct diag *d, const char *what, const struct text *t,
    size_t *pos, struct params *out);

/* As params_next(), for a text that must be exactly one item. */
int params_parse(struct arena *a, struct diag *d, const char *what,
    const struct text *t, struct params *out);
