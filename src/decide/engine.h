/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * engine - evidence in, orders out: the pure heart of bandog
 *
 * No clock, no I/O, no globals: time comes with each call. The live daemon, `bandog
 * scan`, tests and fuzzers run this very code. Everything in it is bounded, because
 * strangers choose what goes in; what happens when a bound is reached is said at the
 * option and counted.
 *
 * Windows are true sliding windows over log time: an address is banned when the weights
 * of its failures within [t - findtime, t] reach maxretry, t being the time of any of
 * them, whatever the order the lines came in. A failure may come up to one findtime
 * after a newer one of the same address and jail and is counted as if in order; later
 * than that it is stale. An address is forgotten two findtimes after its newest failure
 * or after the @now that came with its last one, whichever is later.
 *
 * "Failures" in orders and accounts is the sum of the weights in the window: with plain
 * rules, their number; where failures have parts, rounded up. Lines kept for explaining
 * are cut to 512 bytes.
 *
 * A jail with rules, or with adapt, weighs (engine_weigh.c); any other decides exactly
 * as fail2ban does. What a rule says of class and weight holds, whatever the hit says:
 *
 *   abuse             counts
 *   misconfiguration  counts for a quarter of the threshold at most, however often
 *   local fault       never counts
 *   neutral           never counts
 *   good              is no part of any window; it gives credit (decide/credits.h)
 *
 * The threshold is maxretry; three times as much for an address with credit; for others
 * a half or a quarter while an attack is broad (decide/pressure.h). A rule may count
 * distinct values (decide/distinct.h), is suspended while the fault seems to be ours
 * (decide/breaker.h), and weighs other than it says about accounts (decide/account.h).
 * A ban lasts for the longest that any abuse in its window asks for.
 *
 * An id (base/net.h) is counted and banned like an address; orders about it have its
 * text. In ignoreip it is never.
 *
 * The calls that take a jail index want one of the running set-up; anything else is a
 * bug. At most ENGINE_MAX_JAILS jails; more are refused as if memory were missing.
 */

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/net.h"
#include "decide/steps.h"
#include "flow/credit.h"
#include "flow/hit.h"
#include "flow/offender.h"
#include "flow/order.h"

struct engine;
struct escalate;

/* What a match of a regex means; regexes of one rule share its id. */
struct engine_rule {
	enum hit_class class;
	uint16_t id;
	int16_t weight;      /* in 1/engine_jail.unit; of a plain failregex unit */
	int64_t bantime_sec; /* 0: the jail's */
	bool distinct;       /* each hit.value counts once a day, */
	uint16_t free;       /* and the first so many of them not at all */
	bool is_steady;      /* many who do it lower its threshold to a half only */
	/* Of the rule; NULL: a plain failregex. Credit of rules with one name is of one
	 * kind, in all jails and after a restart. Copied. */
	const char *name;
};

struct engine_jail {
	const char *name;
	double findtime_sec;
	uint32_t maxretry;   /* sum of weights that bans; at least 1 */
	int64_t bantime_sec; /* negative: permanent */
	uint32_t maxmatches; /* lines kept to explain, at most ENGINE_MAX_WINDOW */
	bool ignoreself;
	const struct net *ignore;
	size_t n_ignore;
	/* Who was banned before is banned for so long, and fails with more weight: see
	 * decide/escalate.h. NULL: every ban lasts for bantime. Copied. */
	const struct escalate *escalate;
	bool overalljails;  /* the length depends on the bans of all jails */
	struct steps steps; /* graduated answers; then bantime counts for nobody */
	uint16_t unit;      /* weights are in 1/unit of a failure; 0 is taken as 1 */
	/* By hit.rule; NULL: all are plain failregexes. Copied. */
	const struct engine_rule *rules;
	size_t n_rules;
	bool adapt; /* the threshold follows how broad an attack is */
	/* So many banned addresses of a network are banned as one, or so many that have
	 * failed as often as would have banned all of them: see decide/group.h; 0:
	 * never; at most ENGINE_MAX_GROUP. Networks are no wider than that; 0: /24,
	 * /48. */
	uint16_t group;
	uint8_t groupprefix4, groupprefix6;
};

#define ENGINE_MAX_GROUP 16
#define ENGINE_MAX_RULES 32767
#define ENGINE_NO_RULE 32767   /* as hit.rule: a plain failure, times hit.weight */
#define ENGINE_CREDIT_FACTOR 3 /* of the threshold of an address with credit */

struct engine_options {
	const struct engine_jail *jails; /* copied */
	size_t n_jails;
	/*
	 * Addresses with failures. Full: the one whose newest failure is the oldest of
	 * 8 drawn at random is forgotten. This, the next two and
	 * max_offenders: 0 is the number below.
	 */
	size_t max_tracked;
	size_t max_bans; /* full: the ban is refused, and counted */
	/* Lines kept, half of it for lines of bans. Full: the oldest are forgotten. */
	size_t text_bytes;
	/* Networks that were banned; beyond, as with max_tracked. */
	size_t max_offenders;
	double offenders_keep_sec; /* see decide/offenders.h; 0: for ever */
};

#define ENGINE_MAX_TRACKED 1000000
#define ENGINE_MAX_BANS 2000000
#define ENGINE_TEXT_BYTES (4u << 20)
#define ENGINE_MAX_OFFENDERS 500000
#define ENGINE_MAX_NETS 100000 /* with failures; as max_tracked */
#define ENGINE_MAX_JAILS 65535

/*
 * Failures remembered per address and jail, at most, and at most 2 * maxretry + 8.
 * Beyond, those that are nearest in time become one, with the sum of their weights: a
 * greater maxretry is reached too, but the windows are less sharp.
 */
#define ENGINE_MAX_WINDOW 256
#define ENGINE_MAX_TIME_US (INT64_C(1) << 60) /* a hit beyond is no time: stale */

enum {
	ENGINE_COUNTED = 0,
	ENGINE_BANNED = 1,     /* a ban order was appended */
	ENGINE_PROLONGED,      /* it was banned; now it ends later */
	ENGINE_ALREADY_BANNED, /* for as long, or a network around it is */
	ENGINE_IGNORED,        /* ignoreip or ignoreself */
	ENGINE_STALE,          /* over one findtime before the newest of its address */
	ENGINE_OVER,           /* enough failures, but the ban would be over by now */
	ENGINE_FULL,           /* max_bans */
	ENGINE_ABSENT,         /* unban: was not banned */
	ENGINE_NOTED,     /* good, neutral or a local fault: it speaks against nobody */
	ENGINE_REPEATED,  /* distinct: it was counted today, or is one of the free */
	ENGINE_SUSPENDED, /* that rule does not count now: the fault may be ours */
};

struct engine *engine_new(const struct engine_options *o); /* NULL: out of memory */
struct engine *engine_free(struct engine *e);
DEFINE_CLEANUP(struct engine *, engine_free)

/* What chance in the length of bans comes from; without it the same bans every time. */
void engine_set_seed(struct engine *e, const uint8_t seed[16]);

/* These hits (the first ENGINE_EXPECT_MAX of them) are about to be fed, one after the
 * other: what they touch is brought near, and their .hash is filled. */
#define ENGINE_EXPECT_MAX 32
void engine_expect(const struct engine *e, struct hit *hits, size_t n);

/**
 * engine_feed() - weigh one hit
 * @now: bans that would already be over at this time are not made (ENGINE_OVER)
 * @out: orders are appended
 *
 * A banned address is counted like any other and begins anew at each verdict: when it
 * reaches maxretry again and the new end is later, its ban is prolonged. When a ban is
 * refused (ENGINE_FULL), or memory is missing, the failures stay and the next one asks
 * again.
 *
 * In a jail that escalates, a failure of somebody who was banned there before weighs
 * more, if it is later than that ban. The longer length is known before the ban is
 * made; a ban that is only prolonged is as long as bantime says, and no ban more.
 *
 * Return: an ENGINE_* outcome or -ENOMEM.
 */
int engine_feed(struct engine *e, const struct hit *h, wall_t now, struct orders *out);

/*
 * Time has come to @now: bans that ended become unban orders (at = their end), in order
 * of the end; old failures go, a few at each call. Return: 0, or -ENOMEM, and then the
 * rest of the bans ends at the next call.
 */
int engine_tick(struct engine *e, wall_t now, struct orders *out);

/* When engine_tick() has something to do next; WALL_NEVER: no ban will end, nor a rule
 * be lifted. */
wall_t engine_next(const struct engine *e);

/**
 * engine_ban() - somebody asks for a ban (no ignore check, as fail2ban does)
 * @id:  the text, if @n is an id; or NULL. No address stands beside it
 * @sec: its length; negative: permanent; 0: the jail's bantime, escalated; only such a
 *       ban counts among those before the next
 *
 * The failures counted so far are forgotten. Inside a banned network it is made only if
 * it ends later than that.
 *
 * Return: ENGINE_BANNED, _PROLONGED, _ALREADY_BANNED, _OVER (the jail's bantime is 0),
 * _FULL, or -ENOMEM.
 */
int engine_ban(struct engine *e, uint32_t jail, const struct net *n, const char *id,
    wall_t now, int64_t sec, struct orders *out);

/**
 * engine_unban() - lift bans of @n and, if it is a network, of all inside it; the
 * failures and the bans counted so far are forgotten too
 * @jail: index, or -1 for all
 * @n:    NULL for all
 *
 * Return: how many bans were lifted (0..INT_MAX), or -ENOMEM.
 */
int engine_unban(
    struct engine *e, int jail, const struct net *n, wall_t now, struct orders *out);

/**
 * engine_refuse() - that ban was not let through: it goes, and nothing else does
 *
 * Unlike engine_unban() it leaves alone what is banned inside a network, and the
 * failures: who asks for too wide a network must not free those inside. It was no ban.
 *
 * Return: 1 with an unban order (ORDER_REFUSED), 0 if there is no such ban, -ENOMEM.
 */
int engine_refuse(struct engine *e, uint32_t jail, const struct net *n, wall_t now,
    struct orders *out);

/*
 * A ban or count from the store, before the first line is fed. A ban that is over ends
 * at the next engine_tick(). Return: 0, ENGINE_FULL, -ENOMEM; for a tally -EBADMSG if
 * @state is not one (damaged, or of another version): nothing is lost but that count.
 */
int engine_restore_ban(struct engine *e, const struct order *o);
int engine_restore_tally(
    struct engine *e, uint32_t jail, const struct net *n, struct span state);
/* The jail by name, as it may not run now. Return: 0 or -ENOMEM. */
int engine_restore_offender(
    struct engine *e, const char *jail, const struct offender *o);

/*
 * The addresses of this machine, for ignoreself; replaces the earlier ones.
 * Return: 0, -ENOMEM, or -ENOSPC (more than NETSET_MAX): the earlier ones stay.
 */
int engine_set_own(struct engine *e, const struct net *own, size_t n_own);

/*
 * What the jail ignores beyond engine_jail.ignore; replaces what was said earlier, and
 * is gone after a reload. Return: as engine_set_own().
 */
int engine_set_ignore(
    struct engine *e, uint32_t jail, const struct net *nets, size_t n);

/**
 * engine_reload() - new jails, by name: bans and counts of jails that stay are kept,
 * those of jails that went become unban orders (ORDER_JAIL_GONE, jail = the OLD index)
 *
 * New options hold for what is decided from now on; ends of bans stay. Counts of jails
 * that went are not told by engine_each_dirty(): their index means nothing any more. If
 * text_bytes changes, the lines kept are forgotten; lower caps are reached by and by.
 *
 * Return: 0 or -ENOMEM (nothing changed).
 */
int engine_reload(
    struct engine *e, const struct engine_options *o, wall_t now, struct orders *out);

struct engine_counts {
	uint64_t failed_now;   /* addresses with failures in the last findtime */
	uint64_t failed_total; /* failures counted since start */
	uint64_t banned_now;
	uint64_t banned_total; /* bans made since start, without restored ones */
	uint64_t ignored_total;
	uint64_t unescalated_total; /* bans to which the formula gave no length */
};
void engine_counts(const struct engine *e, uint32_t jail, struct engine_counts *out);

/* Its unescalated_total alone, which costs nothing. */
uint64_t engine_unescalated(const struct engine *e, uint32_t jail);

struct engine_bounds {
	uint64_t n_tracked, n_bans;
	uint64_t n_forgotten; /* addresses dropped because max_tracked was reached */
	uint64_t n_refused;   /* bans refused because max_bans was reached */
	uint64_t n_offenders;
	uint64_t n_unescalated; /* of all jails */
	uint64_t n_credits;     /* addresses for which something speaks */
};
void engine_bounds(const struct engine *e, struct engine_bounds *out);

/* Every ban (jail -1) or those of one jail, by end. @o dies after the callback. */
typedef void (*engine_ban_fn)(void *ctx, const struct order *o);
void engine_each_ban(const struct engine *e, int jail, engine_ban_fn fn, void *ctx);

/**
 * engine_next_bans() - at most @max bans of a walk that others may interrupt
 * @io_at: 0 to begin; where to go on
 *
 * A ban that is there during the whole walk is shown once; one that comes or goes
 * meanwhile perhaps. Return: false: that was the end.
 */
bool engine_next_bans(
    const struct engine *e, uint32_t *io_at, size_t max, engine_ban_fn fn, void *ctx);

/* Bans of @n itself, or of a network around it, or inside it. */
void engine_find_bans(
    const struct engine *e, const struct net *n, engine_ban_fn fn, void *ctx);

/*
 * What bans have stopped is counted elsewhere; here it is kept how much of that was
 * booked, for who asks. @o has neither lines nor the text of an id.
 */
typedef void (*engine_stopped_fn)(
    void *ctx, const struct order *o, struct stopped *stopped);
/* The next @max bans behind number @from (0 to begin), in no order. Return: where to go
 * on, 0 at the end. */
uint32_t engine_each_stopped(
    struct engine *e, uint32_t from, uint32_t max, engine_stopped_fn fn, void *ctx);
/* Up to @max of those that end before @before and are not marked as final. */
void engine_each_ending(
    struct engine *e, wall_t before, uint32_t max, engine_stopped_fn fn, void *ctx);
/* Of that very ban; NULL: there is none. */
struct stopped *engine_find_stopped(
    struct engine *e, uint32_t jail, const struct net *n);

/* Why the threshold of a jail is what it is for an address. Weights in 1/unit. */
struct engine_threshold {
	bool is_weighed;    /* else it is maxretry, and nothing below matters */
	uint32_t need;      /* the weight that bans */
	uint16_t unit;      /* of a failure */
	bool has_credit;    /* then it is three times maxretry */
	uint8_t pressure;   /* so often it is halved, for strangers */
	uint32_t offenders; /* addresses that offended there within the hour */
};
/* As the next failure by that rule meets it. */
void engine_threshold(const struct engine *e, uint32_t jail, const struct net *n,
    uint16_t rule, struct engine_threshold *out);

/* Where strangers meet the lowest one. */
struct engine_pressure {
	uint8_t level;      /* so often it is halved */
	const char *rule;   /* NULL: for all of them */
	uint32_t offenders; /* addresses that offended within the hour */
};
/* False: the jail's threshold is always maxretry. */
bool engine_pressure(
    const struct engine *e, uint32_t jail, struct engine_pressure *out);

/* What speaks against @n now, per jail in which something does. */
struct engine_account {
	uint32_t jail;
	uint32_t failures; /* weight in the window that ends at the newest */
	uint32_t maxretry;
	struct engine_threshold threshold;
	int64_t sum;  /* in 1/unit: what failures is rounded from; */
	int64_t soft; /* of it misconfiguration, after its cap */
	/* Under pressure: of it distinct values, which only count towards maxretry. */
	int64_t distinct;
	double findtime_sec;
	wall_t first, last;
	const struct evidence *why;
	size_t n_why;
};
typedef void (*engine_account_fn)(void *ctx, const struct engine_account *a);
void engine_account(
    const struct engine *e, const struct net *n, engine_account_fn fn, void *ctx);

/* The class and the weight that @jail gives a rule (evidence.rule), its name or NULL.
 */
struct engine_rule engine_rule(const struct engine *e, uint32_t jail, uint16_t rule);
uint16_t engine_unit(const struct engine *e, uint32_t jail);

bool engine_has_credit(const struct engine *e, const struct net *n);
/* What speaks for @n, with points as of now; false: nothing is known. */
bool engine_credit(const struct engine *e, const struct net *n, struct credit *out);
/* The name of a kind of credit, or NULL: no jail has such a rule now. */
const char *engine_credit_name(const struct engine *e, uint32_t kind);

/* Rules that do not count now. */
struct engine_suspended {
	uint32_t jail;
	uint16_t rule; /* its first regex, as hit.rule */
	const char *name;
	wall_t since;
	uint32_t n_clients, n_credited; /* within the last minute */
};
typedef void (*engine_suspended_fn)(void *ctx, const struct engine_suspended *s);
void engine_each_suspended(const struct engine *e, engine_suspended_fn fn, void *ctx);

/* A rule was suspended, or lifted; each is told once. At most ENGINE_MAX_EVENTS wait,
 * beyond the oldest are forgotten. Return: false: there is none. */
struct engine_event {
	bool is_suspended; /* else lifted */
	wall_t at;
	struct engine_suspended what; /* its name dies with the next reload */
};
#define ENGINE_MAX_EVENTS 16
bool engine_next_event(struct engine *e, struct engine_event *out);

/* Who has failures that count at @now, with the time of the newest. A walk over all
 * that is tracked. */
typedef void (*engine_failing_fn)(
    void *ctx, uint32_t jail, const struct net *n, wall_t newest);
void engine_each_failing(
    const struct engine *e, wall_t now, engine_failing_fn fn, void *ctx);

/* What is remembered of @n per jail that banned it or counts the bans of all jails. */
struct engine_offence {
	uint32_t jail;
	uint32_t count;  /* bans before the next, as its length counts them */
	wall_t at;       /* the last one in this jail, or WALL_NONE */
	double next_sec; /* the next one, without chance; negative: for good */
	uint8_t step;    /* the next one's, of graduated answers; 0: there are none */
	int16_t weight;  /* of the next failure */
};
typedef void (*engine_offence_fn)(void *ctx, const struct engine_offence *o);
void engine_offences(
    const struct engine *e, const struct net *n, engine_offence_fn fn, void *ctx);

/* Is @n ignored in @jail, and through which network? One that reaches over it: @n. */
bool engine_is_ignored(
    const struct engine *e, uint32_t jail, const struct net *n, struct net *by);

/**
 * engine_each_dirty() - counts that changed since the last call, for the store
 *
 * @state is what engine_restore_tally() takes; empty: the count is gone. Clears the
 * marks. engine_mark_dirty() sets them all, after the store was lost.
 */
typedef void (*engine_tally_fn)(
    void *ctx, uint32_t jail, const struct net *n, struct span state);
void engine_each_dirty(struct engine *e, engine_tally_fn fn, void *ctx);
void engine_mark_dirty(struct engine *e);
/* Credit that changed; what is forgotten is not told, the store forgets by itself. */
typedef void (*engine_credit_fn)(void *ctx, const struct credit *c);
void engine_each_dirty_credit(struct engine *e, engine_credit_fn fn, void *ctx);
int engine_restore_credit(struct engine *e, const struct credit *c); /* 0 or -ENOMEM */
/* The same for bans remembered; count 0: forgotten. Jails that do not run now too. */
typedef void (*engine_offender_fn)(
    void *ctx, const char *jail, const struct offender *o);
void engine_each_dirty_offender(struct engine *e, engine_offender_fn fn, void *ctx);
