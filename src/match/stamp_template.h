/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * stamp_template - one way a date may be written: found in a line, made into a time
 *
 * The regex of a default template is compiled when first needed, for most never are.
 */

#include "base/clock.h"
#include "base/err.h"
#include "match/regex.h"
#include "match/stamp_draft.h"
#include "match/stamp_fields.h"

struct stamp_part {
	uint8_t group;
	char key;
};

struct stamp_template {
	struct stamp_draft draft;
	char *pattern;       /* as it was given */
	struct regex *regex; /* NULL: not compiled yet */
	bool is_broken;      /* could not be compiled; never matches */
	unsigned int factor; /* in the weight */
	struct stamp_part parts[REGEX_MAX_GROUPS];
	size_t n_parts;
	size_t value_group; /* of the number, if no STAMP_DATE */

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

/**
 * stamp_template_new()
 * @pattern: one pattern, without {DATE}
 * @lazily:  known to be right: compile it when it is first needed
 *
 * Return: NULL with @e.
 */
struct stamp_template *stamp_template_new(
    struct span pattern, bool lazily, struct err *e);
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
