/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * schema - every option that is known, in one table
 *
 * Typing, ranges, defaults, the hint for a misspelt name and the manual all read the
 * same lines. An option that is not here is no mistake: it may be material for %(...)s.
 */

#include <stdbool.h>
#include <stdint.h>

#include "conf/text.h"

/* Where an option may stand. */
enum {
	SCHEMA_GLOBAL = 1 << 0, /* [Definition] of bandog.conf */
	SCHEMA_JAIL = 1 << 1, /* a jail's option, seen by its filter and actions too */
	SCHEMA_MATERIAL = 1 << 2, /* only used inside other values of a jail */
	SCHEMA_FILTER = 1 << 3,
	SCHEMA_ACTION = 1 << 4,
	SCHEMA_RULE = 1 << 5, /* [Rule NAME] of a filter */
};

enum schema_type {
	SCHEMA_TEXT,
	SCHEMA_LINES, /* one item a line */
	SCHEMA_WORDS, /* items between blanks and commas */
	SCHEMA_BOOL,
	SCHEMA_COUNT,    /* a whole number */
	SCHEMA_DURATION, /* 600, 10m, 1h30m */
};

struct schema_option {
	const char *name;
	unsigned int where; /* SCHEMA_GLOBAL | ... */
	enum schema_type type;
	const char *unit;    /* "seconds", or NULL */
	const char *initial; /* when nothing is said; NULL: nothing */
	int64_t min, max;    /* of a count */
	const char *help;    /* a sentence */
};

extern const struct schema_option schema_options[];
extern const size_t schema_n_options;

const struct schema_option *schema_find(struct span name, unsigned int where);

/* The known option that @name is probably meant to be, or NULL. */
const struct schema_option *schema_find_near(struct span name, unsigned int where);

/*
 * The value of option @o, reported when it is wrong. Return: 0, or -EINVAL and *@out is
 * untouched. schema_read_bool() only warns: a word it does not know means no, as in
 * fail2ban.
 */
void schema_read_bool(
    struct diag *d, const struct schema_option *o, const struct text *t, bool *out);
int schema_read_count(
    struct diag *d, const struct schema_option *o, const struct text *t, int64_t *out);
int schema_read_duration(struct diag *d, const struct schema_option *o,
    const struct text *t, double *out_sec);
