/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * stamp - find the date in a log line, cut it out, turn it into a time
 *
 * fail2ban's date detection: default templates or a datepattern, anchored before free
 * ones, learning from the lines that count which template fits. The common case, the
 * same template at the same place as in the line before, is parsed by hand without a
 * regex.
 */

#include "base/clock.h"
#include "base/err.h"
#include "base/str.h"

struct stamp;

struct stamp_options {
	const char *datepattern; /* one pattern per line; NULL or "": the defaults;
				    {NONE} alone: no line has a date */
	const char *timezone; /* logtimezone, or NULL: local time; the C library reads
				 its zone at tzset() or first use, so do the one
				 before a sandbox closes */
};

struct stamp_result {
	size_t start, end; /* the bytes to cut out (group 1 of the template) */
	wall_t at;         /* WALL_NONE: looked like a date, is none (30 February) */
	bool is_whole;     /* for Python a whole number: a date with a zone, TAI64N */
};

/* Return: NULL with @e. */
struct stamp *stamp_new(const struct stamp_options *o, struct err *e);
struct stamp *stamp_free(struct stamp *s);
DEFINE_CLEANUP(struct stamp *, stamp_free)

/**
 * stamp_find()
 * @now: settles missing years, days and centuries
 *
 * Learns nothing: how often it is called, and for which lines, changes no result.
 *
 * Return: true and @out, or false: the line has no date.
 */
bool stamp_find(
    struct stamp *s, struct span line, wall_t now, struct stamp_result *out);

/* The line of the last stamp_find(), read at @now, counts: learn from what was found.
 */
void stamp_keep(struct stamp *s, wall_t now);

/*
 * What stamp_find() gave last it gives for that line to any stamp of these options
 * whose stamp_last_kept() is the same, whatever else that has learnt. -1: it may
 * depend.
 */
int stamp_found_by(const struct stamp *s);
int stamp_last_kept(const struct stamp *s); /* -1: nothing was learnt, find is pure */

/*
 * Does no word character ([A-Za-z0-9_]) ever stand next to what is cut out of a line,
 * but for what is cut out at its begin? A text with a word character in each two that
 * follow each other is then whole in a line if it is in what stamp_find() leaves of it.
 */
bool stamp_keeps_words(const struct stamp *s);

/* fail2ban's name of the template that was used last, for people; NULL before. */
const char *stamp_template_name(const struct stamp *s);

/* The name of the first template when a datepattern asks for one or two; NULL: they are
 * the default ones. *@is_pattern: it is made of directives (EPOCH is not). */
const char *stamp_first_name(const struct stamp *s, bool *is_pattern);

/* What is known of a template, for people. */
struct stamp_template_view {
	const char *name;
	const char *pattern; /* "" for EPOCH and its kin */
	const char *regex;
	uint64_t n_hits;
	double weight; /* by which it moves up the list */
	double factor; /* in it */
};

/* The @i-th in the order in which they are tried now. Return: false: not so many. */
bool stamp_template_at(
    const struct stamp *s, size_t i, struct stamp_template_view *out);

/* Off: every line goes through the regexes, with the same results. For tests. */
void stamp_use_hand(struct stamp *s, bool yes);
