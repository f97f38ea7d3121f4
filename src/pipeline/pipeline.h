/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * pipeline - where line, hit and order meet: the filters of all jails and one engine
 *
 * The live daemon, `bandog scan`, tests and fuzzers feed lines to this one piece, so
 * they decide alike. No clock and no I/O.
 */

#include "decide/engine.h"
#include "flow/line.h"
#include "pipeline/setup.h"

struct pipeline;

/* A live line whose date is further off than this is taken to be of now: a clock or
 * time zone is wrong, and bans that end in the past would protect nobody (fail2ban: 60
 * s). */
#define PIPELINE_MAX_SKEW_SEC 60

struct pipeline_counts {
	uint64_t lines;      /* lines shown to the jail */
	uint64_t failures;   /* lines that count */
	uint64_t others;     /* evidence of other classes than abuse */
	uint64_t helped;     /* matched, but no failure */
	uint64_t ignored;    /* ignoreregex */
	uint64_t no_address; /* matched, but named nobody who can be banned */
	uint64_t limits;     /* a regex gave up */
	uint64_t skewed;     /* date replaced by the clock */
	uint64_t undecoded;  /* lines with bytes that mean nothing in logencoding */
};

/* @s must outlive the pipeline, or be replaced by pipeline_reload(). NULL with @e. */
struct pipeline *pipeline_new(const struct setup *s, struct err *e);
struct pipeline *pipeline_free(struct pipeline *p);
DEFINE_CLEANUP(struct pipeline *, pipeline_free)

/**
 * pipeline_feed() - show a line to one jail
 * @l:   read_at settles dates without a year
 * @now: live: the clock. WALL_NONE: a replay, whose clock is the log itself: bans start
 *       and end at the times of the failures, and those that ended by then are lifted
 *       before a failure is weighed
 * @out: orders are appended
 *
 * Return: 0, or -ENOMEM (the line was not counted).
 */
int pipeline_feed(struct pipeline *p, uint32_t jail, const struct line *l, wall_t now,
    struct orders *out);

/* Lines of one log, all read at one time. */
struct pipeline_block {
	struct span lines; /* each with its '\n' */
	size_t n_lines;
	const uint32_t *jails; /* they see each line in this order */
	uint32_t n_jails;
	wall_t read_at;
	bool live;
};

/**
 * pipeline_feed_block() - show lines to jails; as pipeline_feed() for each of the
 * lines, and for each of the jails, but fast
 *
 * Return: 0, or -ENOMEM (some line was not counted).
 */
int pipeline_feed_block(
    struct pipeline *p, const struct pipeline_block *b, wall_t now, struct orders *out);

/*
 * The work of a block in two halves that need not be in one process: searching lines,
 * which needs no other line, and what follows from it, which needs all before it.
 */
struct pipeline_known {
	uint32_t offset, n_bytes; /* the line in its block, with its end */
	uint32_t jail;
	struct filter_known found;
};

/* Can lines of this jail be searched apart? Not with maxlines or logencoding. */
bool pipeline_is_separable(const struct pipeline *p, uint32_t jail);

/* Lines that were looked at, in their order, jail by jail. Non-zero: no more of it. */
typedef int (*pipeline_known_fn)(void *ctx, const struct pipeline_known *k);

/**
 * pipeline_search_block() - the first half
 * @b: its jails are separable
 *
 * The pipeline is of no other use then: what it learns of dates is a guess.
 *
 * Return: 0, -ENOMEM, or what @fn gave.
 */
int pipeline_search_block(struct pipeline *p, const struct pipeline_block *b,
    pipeline_known_fn fn, void *ctx);

struct pipeline_found {
	const struct pipeline_known *items;
	size_t n;
	const uint32_t *jails; /* those that were asked */
	uint32_t n_jails;
};

/**
 * pipeline_feed_found() - the second half: as pipeline_feed_block() with all jails
 * @b:     its jails are those that were not asked elsewhere
 * @found: what pipeline_search_block() of any pipeline of this set-up made of the same
 *         lines; both lists of jails ascend
 *
 * Names are not resolved, and orders of these jails have no fields.
 *
 * Return: 0, -ENOMEM (some line was not counted), or -EINVAL: @found makes no sense,
 * and nothing has been fed.
 */
int pipeline_feed_found(struct pipeline *p, const struct pipeline_block *b,
    const struct pipeline_found *found, wall_t now, struct orders *out);

/* A failure whose client is a name (usedns = yes or warn); or one with its id. */
struct pipeline_name {
	uint32_t jail;
	uint16_t rule;
	uint64_t value, account; /* as in struct hit */
	wall_t at;
	struct span name; /* as it stood in the line; spans die after the callback */
	struct span text; /* the line */
	const char *id;   /* what counts instead of the address; NULL: nothing does */
	struct net ip;    /* beside an id: flow/id.h */
	const struct filter_field *fields; /* for a jail with commands; may be NULL */
	size_t n_fields;
};

/* Return: true if it will be resolved and fed again; false: it counts as no address. */
typedef bool (*pipeline_name_fn)(void *ctx, const struct pipeline_name *n);
void pipeline_on_name(struct pipeline *p, pipeline_name_fn fn, void *ctx);

/* A failure names an id, but the jail has no action for ids: told once per jail, until
 * pipeline_reload(). */
typedef void (*pipeline_useless_fn)(void *ctx, uint32_t jail);
void pipeline_on_useless_id(struct pipeline *p, pipeline_useless_fn fn, void *ctx);

/* What became of each failure: an ENGINE_* outcome of engine_feed(). */
typedef void (*pipeline_verdict_fn)(void *ctx, const struct hit *h, int outcome);
void pipeline_on_verdict(struct pipeline *p, pipeline_verdict_fn fn, void *ctx);

/*
 * Asked before a hit is weighed, when bans that are over by then are lifted. Return:
 * false: it is not weighed, and its line might as well not have come.
 */
typedef bool (*pipeline_hit_fn)(void *ctx, const struct hit *h);
void pipeline_on_hit(struct pipeline *p, pipeline_hit_fn fn, void *ctx);

/*
 * Asked before a failure of a jail with ignorecommand is weighed, unless ignoreip
 * tells. Return: true: it is dealt with, or comes again by pipeline_feed_asked();
 * false: it counts. Without one, as in a replay, nobody is asked.
 */
typedef bool (*pipeline_ask_fn)(
    void *ctx, const struct pipeline_name *n, const struct net *net);
void pipeline_on_ask(struct pipeline *p, pipeline_ask_fn fn, void *ctx);
int pipeline_feed_asked(struct pipeline *p, const struct pipeline_name *n,
    const struct net *net, wall_t now, struct orders *out);

/* One address of the name, or the id. Return: 0 or -ENOMEM. */
int pipeline_feed_name(struct pipeline *p, const struct pipeline_name *n,
    const struct net *net, wall_t now, struct orders *out);

/* Failures outside of [since, until] do not count (WALL_NONE, WALL_NEVER: no bound). */
void pipeline_set_window(struct pipeline *p, wall_t since, wall_t until);

/**
 * pipeline_reload() - go on with another set-up
 *
 * Filters whose options are the same keep their state. Orders for bans of jails that
 * are gone carry the OLD index. All or nothing.
 */
int pipeline_reload(struct pipeline *p, const struct setup *s, wall_t now,
    struct orders *out, struct err *e);

/* An idle jail judges no lines: those that come meanwhile are passed over. A jail
 * stays idle over a reload of the set-up. */
void pipeline_set_idle(struct pipeline *p, uint32_t jail, bool is_idle);
bool pipeline_is_idle(const struct pipeline *p, uint32_t jail);

struct engine *pipeline_engine(struct pipeline *p);
const struct filter *pipeline_filter(
    const struct pipeline *p, uint32_t jail); /* or NULL */
void pipeline_counts(
    const struct pipeline *p, uint32_t jail, struct pipeline_counts *out);
