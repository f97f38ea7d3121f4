/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * engine_private - what the engine is made of; only engine*.c include this
 */

#include "decide/account.h"
#include "decide/ban_table.h"
#include "decide/breaker.h"
#include "decide/credits.h"
#include "decide/distinct.h"
#include "decide/engine.h"
#include "decide/escalate.h"
#include "decide/evidence.h"
#include "decide/group.h"
#include "decide/ignore.h"
#include "decide/offenders.h"
#include "decide/pressure.h"
#include "decide/tally.h"

struct jail {
	char *name;
	double findtime_sec;
	int64_t bantime_sec;
	uint32_t maxretry;
	uint32_t maxmatches;
	struct steps steps;
	uint16_t unit;             /* of weights; at least 1 */
	struct engine_rule *rules; /* by hit.rule; NULL: a plain jail */
	char **names;              /* of rules, owned */
	uint32_t n_rules;
	struct breaker *breaker;   /* with rules */
	struct pressure *pressure; /* with adapt: the jail's, then by id of rules */
	uint32_t n_pressures;
	uint16_t group;
	uint8_t groupprefix4, groupprefix6;
	struct escalate *escalate; /* NULL: every ban lasts for bantime */
	bool overalljails;
	uint32_t offender;           /* its number in engine.offenders */
	struct engine_counts counts; /* all but failed_now */
};

/* How many are failing, per jail, as of engine.n_changes == counted_at. */
struct failing {
	uint64_t counted_at;
	uint64_t n[];
};

/* What one set of options leads to; replaced as a whole by engine_reload(). */
struct set_up {
	struct jail *jails;
	struct tally_jail *tally_jails;
	struct ignore *ignore;
	struct failing *failing;
	uint32_t n_jails;
	size_t max_tracked;
	size_t max_bans;
	size_t text_bytes;
	size_t max_offenders;
	double offenders_keep_sec;
};

struct engine {
	struct set_up set;
	struct tally *tally;
	struct ban_table *bans;
	struct offenders *offenders;
	struct credits *credits;
	struct distinct *distinct;
	struct accounts *accounts;
	struct group *group;
	struct tally *nets; /* failures by network, of jails with a group */
	struct engine_event events[ENGINE_MAX_EVENTS];
	size_t n_events;
	struct evidence_ring *tally_lines;
	struct evidence_ring *ban_lines;
	wall_t clock;    /* the latest time told; never WALL_NEVER or WALL_NONE */
	wall_t swept_at; /* the clock at the last sweep of a tick */
	bool may_lift;   /* some rule is suspended, as far as is known */
	uint64_t n_refused;
	uint64_t n_unescalated;
	uint64_t n_lengths; /* asked of a formula: each has a chance of its own */
	uint8_t seed[16];
	uint64_t n_changes; /* calls that may have changed something */
};

/* NULL members and n_jails 0 when it fails. Return: 0 or -ENOMEM. */
int set_up_init(struct set_up *s, const struct engine_options *o);
void set_up_deinit(struct set_up *s);

/* The latest time told: never runs backward but for a big step of engine_tick(). */
void engine_set_clock(struct engine *e, wall_t now);

/* Its newest failures in @part, at most @max, oldest first; texts stay in the ring. */
#define WHY_MAX ENGINE_MAX_WINDOW
size_t engine_why_of_tally(const struct engine *e, uint32_t id, const struct window *w,
    const struct window_part *part, uint32_t max, struct evidence out[WHY_MAX]);
size_t engine_why_of_ban(
    const struct engine *e, const struct ban *b, struct evidence out[WHY_MAX]);

/* Weight of a part in whole failures: good evidence does not make it less than nothing.
 */
uint32_t engine_failures(const struct window_part *part, uint16_t unit);

wall_t engine_end(wall_t at, int64_t bantime_sec);
bool engine_is_after(wall_t end, wall_t now);

/* Append a copy of @verdict with copies of @why. Return: 0 or -ENOMEM. */
int engine_announce(const struct order *verdict, const struct evidence *why,
    size_t n_why, struct orders *out);
/* Append an order that lifts @b, which stays until engine_drop_ban(). */
int engine_announce_end(
    const struct ban *b, enum order_cause cause, wall_t at, struct orders *out);
void engine_drop_ban(struct engine *e, struct ban *b);
/* Take back what was appended behind the first @n. */
void engine_unsay(struct orders *out, size_t n);

/* A ban of @n that ended without a tick in between ends first. Return: 0 or -ENOMEM. */
int engine_end_if_over(struct engine *e, uint32_t jail, const struct net *n, wall_t now,
    struct orders *out);

/**
 * engine_place_announced() - make the ban, or the longer one, that the last order tells
 *
 * Return: ENGINE_BANNED, ENGINE_PROLONGED; or ENGINE_FULL, -ENOMEM: the order is taken
 * back.
 */
int engine_place_announced(struct engine *e, struct orders *out);

/* --- engine_again.c: those who come back */

/* Its jails as @e numbers them for good. Return: 0 or -ENOMEM. */
int engine_name_offenders(struct engine *e, struct set_up *s);

/* As how many failures this one counts, for those who come back. */
int16_t engine_again(const struct engine *e, const struct hit *h);
/* The same of a plain one; other weights were meant as they are. */
int16_t engine_weight(const struct engine *e, const struct hit *h);

/* What the evidence asks of the length of a ban. */
struct engine_asked {
	int64_t longest_sec; /* negative: for good; 0: nothing */
	bool also_usual;     /* some of it asks for nothing */
};

/* Fill until, ban_count and step of a ban that has jail, net and at.
 * @c: what is known of the one banned, but for .before and .goes_on
 * @asked: NULL: nothing */
void engine_set_length(struct engine *e, struct order *ban, const struct steps_case *c,
    const struct engine_asked *asked, wall_t now);

/* Is what he did under way already when the step began that refuses him? */
bool engine_is_in_grace(const struct engine *e, const struct hit *h);

/* A ban was made that counts. */
void engine_remember(struct engine *e, const struct order *ban);

/* --- engine_weigh.c: jails with rules, or that adapt */

static inline bool engine_weighs(const struct jail *j)
{
	return j->rules || j->pressure;
}

/* A hit that is not ignored, with a time that makes sense. As engine_feed(). */
int engine_weigh(struct engine *e, const struct hit *h, wall_t now, struct orders *out);

/* What misconfiguration adds to @need at most. */
int64_t engine_soft_cap(int64_t need);

/* Leave out what rules that count distinct values have added. Return: its weight. */
int64_t engine_take_distinct(const struct jail *j, struct window *io);

/* By the abuse in @part. */
struct engine_asked engine_asked(
    const struct jail *j, const struct window *w, const struct window_part *part);

/* Rules whose time is over are lifted; breakers of all jails. */
void engine_lift(struct engine *e, wall_t now);
wall_t engine_next_lift(const struct engine *e); /* WALL_NEVER: none */

/* The clock was far ahead, and is @now: forget what lies in its future. */
void engine_forget_ahead(struct engine *e, wall_t now);

/* --- engine_group.c: networks of which many are banned */

/* The last order banned an address of a jail with a group: is it the whole network's
 * turn? What fails here is tried again with the next one. */
void engine_group_banned(struct engine *e, wall_t now, struct orders *out);
/* An address of a jail with a group has offended, and is not banned. Return: as
 * engine_feed(), ENGINE_COUNTED where nothing follows for itself. */
int engine_group_offended(
    struct engine *e, const struct hit *h, wall_t now, struct orders *out);
/* A ban was there before; nothing follows from it now. */
void engine_group_restored(struct engine *e, const struct order *o);
/* Bans of @n (NULL: all) in @jail (-1: all) were lifted by people. */
void engine_group_lifted(struct engine *e, int jail, const struct net *n);

/* --- engine.c */

/* Maxretry is reached: what now? */
int engine_judge(struct engine *e, const struct hit *h, uint32_t id,
    const struct window *w, const struct window_part *part, wall_t now,
    struct orders *out);
/* Keep the line, if the jail wants lines and there is one. */
void engine_keep_line(struct engine *e, uint32_t id, const struct hit *h);
