/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * stamp_template - one way a date may be written: found in a line, made into a time
 *
 * Its form is what was written, and does not change; the rest is what was learnt.
 */

#include "base/clock.h"
#include "base/err.h"
#include "match/stamp_fields.h"
#include "match/stamp_form.h"

struct stamp_template {
	struct stamp_form *form;
	unsigned int factor; /* in the weight */

	/* What was learnt; see stamp_learn.c. */
	size_t id;          /* its first index in the list, which changes */
	uint64_t n_hits;    /* it gave the date */
	uint64_t n_matches; /* it fitted, also when another one was preferred */
	int64_t used_sec;
	size_t distance;
};

struct stamp_match {
	size_t start, end;         /* the whole match */
	size_t cut_start, cut_end; /* what is to be cut out */
	size_t seen;  /* the first so many bytes of the line decided; 0: all of it */
	bool by_hand; /* fields are filled in, groups are not */
	struct stamp_fields fields;
	struct regex_match *groups;
};

/* One pattern, without {DATE}. Return: NULL with @e. */
struct stamp_template *stamp_template_new(struct span pattern, struct err *e);
/* The @i-th default, as it is or only at the line's start. Return: NULL with @e. */
struct stamp_template *stamp_template_default(
    size_t i, bool is_anchored, struct err *e);
struct stamp_template *stamp_template_free(struct stamp_template *t);
DEFINE_CLEANUP(struct stamp_template *, stamp_template_free)

/* What is to be looked into, and by which means. */
struct stamp_subject {
	struct span line;
	bool is_checked, is_valid, is_ascii; /* UTF-8; looked at when first needed */
	bool use_hand;
};

/* Search the whole line; true and @out filled (but for out->groups, which is used). */
bool stamp_template_find(
    struct stamp_template *t, struct stamp_subject *s, struct stamp_match *out);

/* Search [from, to) only, as if the line ended there. */
bool stamp_template_find_in(struct stamp_template *t, struct stamp_subject *s,
    size_t from, size_t to, struct stamp_match *out);

/* The time of a match, WALL_NONE if there is no such date. */
wall_t stamp_template_time(const struct stamp_template *t, struct stamp_match *m,
    struct stamp_home *home, wall_t now);
