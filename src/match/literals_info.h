/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * literals_info - what is known of a piece of a regex, and how pieces are put together
 *
 * Either all texts that it can match, or some with which each of its matches begins and
 * ends ("" when nothing is known), and the best literals found so far. All of it may
 * say too little, never too much.
 */

#include "match/literals_pick.h"

struct literals_info {
	bool is_exact;                /* matches nothing but .prefix */
	struct literals_texts prefix; /* never empty */
	struct literals_texts suffix; /* when not is_exact */
	struct literals_pick whole;   /* a match has one of these (or a cut is in it) */
	struct literals_pick halved;  /* ... whatever one cut does to it */
};

struct literals_way {
	enum literals_cut cut;
	bool is_in_option; /* in a group that may be left out: no literal will count */
	struct literals_fuel fuel;
};

/* What there is of it: most of the room is free. */
void literals_info_copy(struct literals_info *to, const struct literals_info *from);

void literals_info_set_empty(struct literals_info *x); /* matches "" */
void literals_info_set_any(struct literals_info *x);   /* nothing is known */
void literals_info_set_char(struct literals_info *x, char c, bool is_nocase);

/* Look for literals in the texts of @x. */
void literals_info_settle(struct literals_info *x, struct literals_way *way);

/* Can @b be joined to @a so that the result is exact? */
bool literals_info_is_joinable(
    const struct literals_info *a, const struct literals_info *b);

/* *a becomes a and then b. */
void literals_info_concat(
    struct literals_info *a, struct literals_info *b, struct literals_way *way);

/* *a becomes a or b. */
void literals_info_alternate(
    struct literals_info *a, struct literals_info *b, struct literals_way *way);

/* *x becomes @min to @max of it. */
void literals_info_repeat(
    struct literals_info *x, size_t min, size_t max, struct literals_way *way);

/* *x becomes a look at what it matches: no text of its own, literals of the line. */
void literals_info_look(struct literals_info *x, struct literals_way *way);
