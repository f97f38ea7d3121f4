/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * stamp_directive - what %Y, %ExH and the like of a datepattern stand for
 *
 * fail2ban's directives with C names of months and days. Digits are ASCII digits. %ExY
 * takes the whole century, while fail2ban stops a few years ahead of its start.
 */

#include "base/str.h"

struct stamp_directive {
	const char *key;   /* without the percent sign */
	const char *regex; /* groups are named by the part of the date */
	const char *word;  /* fail2ban's word in names of templates */
	const char *first; /* the inside of a class: what it may begin with */
	bool is_word;      /* letters: the whole pattern ignores case */
};

/* The directive that @rest (behind a percent sign) begins with, or NULL. */
const struct stamp_directive *stamp_directive_find(struct span rest);
