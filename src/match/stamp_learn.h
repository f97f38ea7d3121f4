/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * stamp_learn - which template a log uses, and where in the line
 *
 * fail2ban's rules: the template of the line before is tried first, at the same place.
 * Templates that are hit move up the list. A date further right than usual counts only
 * when no other can be found: it may be a stranger's text.
 */

#include "match/stamp_list.h"

struct stamp_learn {
	struct stamp_list list;
	size_t last;         /* index of the one used last; none: list.n */
	size_t first_unused; /* no template before it is without hits */
	/* Of the match before: its place, and the bytes at and next to its ends. */
	size_t start, end;
	int before, first, final, after;
	struct stamp_match match, reserve;
};

/* @l->list is filled. Return: 0 or -ENOMEM; deinit it in any case. */
int stamp_learn_init(struct stamp_learn *l);
void stamp_learn_deinit(struct stamp_learn *l);

/**
 * stamp_learn_find()
 *
 * Return: the template whose match is in l->match, or NULL: no date.
 */
struct stamp_template *stamp_learn_find(
    struct stamp_learn *l, struct stamp_subject *s, wall_t now);

/* The line begins with the same anchored match as the one before: count it. */
void stamp_learn_repeat(struct stamp_learn *l, wall_t now);

/* By which @t competes for a place further up. */
double stamp_learn_weight(const struct stamp_template *t);
