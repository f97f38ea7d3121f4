/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * stamp_learn - which template a log uses, and where in the line
 *
 * Finding and learning are two steps: what was found is learnt only when the caller
 * says so, so that lines that mean nothing to a filter need not be looked at.
 *
 * fail2ban's rules: the template of the line before is tried first, at the same place.
 * Templates that are hit move up the list. A date further right than usual counts only
 * when no other can be found: it may be a stranger's text.
 */

#include "match/stamp_list.h"

/* What a search found, until it is kept: the place and bytes as in stamp_learn. */
struct stamp_found {
	struct stamp_template *template;
	size_t start, end;
	int before, first, final, after;
	uint64_t
	    fitted[(STAMP_TEMPLATES_MAX + 63) / 64]; /* bits of ids: see n_matches */
};

struct stamp_learn {
	struct stamp_list list;
	struct stamp_template **by_id;
	size_t last;         /* index of the one used last; none: list.n */
	size_t first_unused; /* no template before it is without hits */
	/* Of the match before: its place, and the bytes at and next to its ends. */
	size_t start, end;
	int before, first, final, after;
	struct stamp_match match, reserve;
	struct stamp_found found;
};

/* @l->list is filled. Return: 0 or -ENOMEM; deinit it in any case. */
int stamp_learn_init(struct stamp_learn *l);
void stamp_learn_deinit(struct stamp_learn *l);

/**
 * stamp_learn_find()
 *
 * Return: the template whose match is in l->match, and what can be learnt from it in
 * l->found; or NULL: no date.
 */
struct stamp_template *stamp_learn_find(struct stamp_learn *l, struct stamp_subject *s);

/* Learn from what a search found in a line read at @now. */
void stamp_learn_keep(struct stamp_learn *l, const struct stamp_found *f, wall_t now);

/* By which @t competes for a place further up. */
double stamp_learn_weight(const struct stamp_template *t);
