/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * filter_private - what filter and examine share: the way of a line up to the regexes
 *
 * filter_feed() takes the first failregex that matches, filter_examine() may try all;
 * what comes before is the same code for both.
 */

#include "base/buf.h"
#include "match/examine.h"
#include "match/failid.h"
#include "match/filter.h"
#include "match/join.h"
#include "match/ring.h"
#include "match/rules.h"
#include "match/session.h"
#include "match/stamp.h"

struct examine_state;

/* So many lines behind it a date serves lines without one; further on that of the last
 * line that matched does. */
#define FILTER_DATE_REACH (RECENT_LINES - 1)

/* Lines that were skipped in blocks that are gone. */
struct filter_earlier {
	const struct recent *recent; /* NULL: there are none */
	uint64_t from, to;
	wall_t now;
};

struct filter {
	struct rules rules;
	uint64_t *n_hits; /* of each failregex */
	enum filter_usedns usedns;

	struct stamp *stamp; /* NULL: lines carry no date */
	wall_t last_date;
	unsigned int last_date_age; /* lines since then, up to FILTER_DATE_REACH + 1 */
	wall_t match_date;          /* of the last line that matched and has one */
	/* Lines that were skipped and not yet looked at: see filter_skip(). */
	struct span skipped_lines;
	struct line skipped_line;
	wall_t skipped_now;
	struct filter_earlier earlier; /* directly before them */
	struct buf skipped_repaired;
	unsigned int context;  /* maxlines - 1: so far a match may reach back */
	unsigned int n_wanted; /* next lines that must be fed */
	bool is_last_date_whole;
	/* Of the line that was fed last: see filter_known. */
	uint32_t cut_start, cut_n;
	int cut_by;
	bool is_cut_fresh;
	struct regex_match *match;
	struct regex_match *ignore_match; /* the other one is still needed then */
	struct sessions *sessions;
	struct ring *ring; /* NULL: one line at a time */
	struct join *join; /* NULL: no rule binds */
	uint64_t n_unbound;
	bool is_used; /* what the last match led to depends on more than its address */

	struct buf repaired; /* the line, when it was no UTF-8 */
	struct buf subject;  /* the line without date, and '\n' */
	struct buf content;  /* what <F-CONTENT> took, and '\n' */
	struct buf skipped;  /* what <SKIPLINES> took */
	struct buf users;
	struct buf folded;             /* a field in lower case */
	struct groups groups;          /* of the whole failure */
	const struct session *session; /* of the failure that was found; NULL: none */
	bool has_fields;
	struct filter_field fields[GROUPS_MAX + 1];
	char id_text[NET_TEXT_BYTES];
	struct examine_state *examine; /* NULL: nobody asked filter_examine() */
};

/* The texts that are searched on the way of one line. */
struct filter_texts {
	struct span whole; /* without the date; the last lines of it if maxlines > 1 */
	struct span content; /* what failregexes see: the same, or <F-CONTENT> */
	bool has_content;    /* they are not the same */
	struct rule_subject_is is;
	size_t first_rule; /* failregexes before it are known not to match */
	const struct line *line;
	struct span clean; /* the line in valid UTF-8 */
};

struct filter_date {
	wall_t at;
	bool is_whole; /* as in struct stamp_result */
	bool is_known; /* false: no date, and none that was shortly before; at is now */
	bool is_open;  /* it has none of its own: see filter_close_date() */
	/* The line in three parts; date.p is NULL where a date before stands in. */
	struct span before, date, after;
};

struct examine_state *examine_state_free(struct examine_state *s);

/* Line ends go, and the text becomes valid UTF-8, in @repaired where it must. Return: 0
 * or -ENOMEM. */
int filter_clean(
    struct span text, struct buf *repaired, struct span *out, bool *out_ascii);

/* Has the line a date of its own? It serves later lines too. */
bool filter_own_date(
    struct filter *f, struct span text, wall_t now, struct stamp_result *out);

/* @n more lines have none. */
void filter_age_date(struct filter *f, unsigned int n);

/* When the line was written, and what it says before and after its date. Return: 0 or
 * -ENOMEM. */
int filter_date(struct filter *f, struct span text, const struct line *l, wall_t now,
    struct filter_date *out);

/*
 * The same, but .is_open where nothing is cut out and only lines before can tell the
 * date, which nobody may want to know: filter_close_date() looks at them. Of the two
 * that, or filter_skip_open() when nothing matched, must follow.
 */
int filter_date_soon(struct filter *f, struct span text, const struct line *l,
    wall_t now, struct filter_date *out);
int filter_close_date(struct filter *f, struct span text, const struct line *l,
    wall_t now, struct filter_date *out);
void filter_skip_open(struct filter *f, const struct line *l, wall_t now);

/* Those that were skipped will not be asked for. */
static inline void filter_forget_skipped(struct filter *f)
{
	f->skipped_lines.n = 0;
	f->earlier.recent = NULL;
}

/* A line up to its date, which is cut out; it stands for those that were skipped.
 * Return: 0 or -ENOMEM. */
int filter_cut_date(struct filter *f, const struct line *l, wall_t now,
    struct filter_texts *t, struct filter_date *date);

/* A failregex matched: its line's date is one to go by. */
void filter_learn(struct filter *f, wall_t now_of_date);

/* The line has been made ready as @t, its date as @d; that may be open. Return: as
 * filter_feed(). */
int filter_search(struct filter *f, struct filter_texts *t, struct filter_date *d,
    const uint64_t *rules, wall_t now, struct filter_failure *out);

/* @out: the text to search. Return: 0 or -ENOMEM. */
int filter_set_subject(
    struct filter *f, struct span before, struct span after, struct span *out);

/* Return: 0, REGEX_MISS, REGEX_LIMIT or -ENOMEM. The groups go to f->groups. */
int filter_run_prefregex(struct filter *f, struct filter_texts *t);

/* Take the lines of f->match out of the ring. Return: how many, or -ENOMEM. */
int filter_take_lines(
    struct filter *f, const struct rule *rule, struct filter_texts *t);

/* Does ignoreregex @i match what the failregex saw, or the whole line? */
bool filter_ignores(struct filter *f, size_t i, const struct filter_texts *t);

/*
 * What the rule of a match does beyond finding an address: f->groups has what the line
 * said. Only where f->rules.uses is.
 * @found: FAILID_*, of the line alone
 * @io:    .at and .rule are set
 *
 * Return: FAILID_*, or -ENOMEM.
 */
int filter_use(struct filter *f, int found, struct filter_failure *io);

/* No failregex matched: what a prefregex cut out of the ring replaces it for good. */
int filter_keep_content(struct filter *f, struct filter_texts *t);
