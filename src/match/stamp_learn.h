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

/* What a search found, until it is kept. */
struct stamp_found {
	struct stamp_template *template;
	struct stamp_place place;
	uint64_t
	    fitted[(STAMP_TEMPLATES_MAX + 63) / 64]; /* bits of ids: see n_matches */
};

struct stamp_learn {
	struct stamp_list list;
	struct stamp_template **by_id;
	size_t last;              /* index of the one used last; none: list.n */
	size_t first_unused;      /* no template before it is without hits */
	struct stamp_place place; /* of the match before */
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

/**
 * stamp_learn_early() - those that the next search tries first, each of which would end
 * it: the template used last, or before there is one those that are read by hand
 * @i: 0, 1 and so on
 *
 * Return: NULL: there are no more.
 */
struct stamp_template *stamp_learn_early(const struct stamp_learn *l, size_t i);
/* As if a search had ended with that one: it fits there. */
void stamp_learn_find_early(
    struct stamp_learn *l, struct stamp_template *t, const struct stamp_place *p);

/* Learn from what a search found in a line read at @now. */
void stamp_learn_keep(struct stamp_learn *l, const struct stamp_found *f, wall_t now);

/* By which @t competes for a place further up. */
double stamp_learn_weight(const struct stamp_template *t);
