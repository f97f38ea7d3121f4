/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * examine - a filter that tells all it sees in a line, for those who write filters
 *
 * The same filter, fed with the same lines, as filter_feed() has; but every failregex
 * may be tried, each one that matches is told with its groups as fail2ban's ticket has
 * them (in order, also those that took no part), and so is each ignoreregex. A filter
 * is either fed or examined, not both in turn.
 *
 * With @all, two things are as in fail2ban-regex and not as in the daemon: where the
 * ignoreregexes are few they are asked first, and a helping line without an address
 * leaves its session waiting for one.
 */

#include "match/filter.h"
#include "match/stamp.h"

/* A line as it was cut: what stood before the date, the date, what stood behind it. */
struct examine_line {
	struct span before, date, after;
};

enum examine_value {
	EXAMINE_NONE, /* the group took no part; text is empty */
	EXAMINE_TEXT,
	EXAMINE_TUPLE, /* put together: "('a', 'b')" */
	EXAMINE_USERS, /* names, each ended by '\n' but the last */
};

struct examine_group {
	const char *name;
	enum examine_value kind;
	struct span text;
};

enum examine_kind {
	EXAMINE_FAILURE,
	EXAMINE_NO_FAILURE, /* nofail, gained */
	EXAMINE_WAITS,      /* the session has no address yet */
	EXAMINE_REFUSED,    /* what stands at <HOST> is no address */
};

struct examine_hit {
	enum examine_kind kind;
	struct filter_failure failure; /* without fields; at may be WALL_NONE */
	bool is_at_whole;              /* as in struct stamp_result */
	const struct examine_group *groups;
	size_t n_groups;
	const struct examine_line *lines; /* that belong to it */
	size_t n_lines;
};

struct examine {
	bool all; /* every failregex and ignoreregex; else up to the first that decides
		   */
	bool tells_waiting; /* also EXAMINE_WAITS */
	/* Spans die when they return. */
	void (*on_hit)(void *ctx, const struct examine_hit *hit);
	void (*on_ignored)(void *ctx, size_t ignoreregex);
	void (*on_prefregex)(void *ctx, const struct examine_group *groups, size_t n);
	void *ctx;
};

/**
 * filter_examine()
 * @date: the text of the date where the source tells it apart (journal), else empty
 *
 * Return: FILTER_FAILURE when something was told to on_hit, FILTER_IGNORED when nothing
 * but on_ignored, else FILTER_MISS; or -ENOMEM.
 */
int filter_examine(struct filter *f, const struct line *l, struct span date, wall_t now,
    const struct examine *how);

/* How the last line was cut; lives until the next. */
void filter_examined_line(const struct filter *f, struct examine_line *out);

/*
 * With maxlines: how many lines are kept for the next, and which, numbered from 1 in
 * the order in which they were given. The last one examined has the highest number.
 */
const uint64_t *filter_kept_lines(const struct filter *f, size_t *out_n);

/* Date template @i, see stamp_template_at(); false also when lines carry no date. */
bool filter_template(const struct filter *f, size_t i, struct stamp_template_view *out);
