/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * credits - the ledger of good evidence, per address
 *
 * Each kind of evidence (a rule) gives its points once a day of the log, whatever the
 * number of lines; so a flood of them is worth no more than one, and lines read again
 * give nothing. Days are by UTC, and CREDITS_APART_HOURS apart: who comes before and
 * after midnight has come on one. Points halve every two weeks. An address has credit
 * when it has
 *
 *   - points worth one failure, given on two different days or more; or
 *   - points worth three failures, of two kinds or more.
 *
 * One delivered message is weak proof, for those who send spam from a fresh network
 * deliver one, too, and with a proper name and a clean verdict that is several kinds at
 * once: so either another day must have come, or kinds that cannot be had by sending
 * mail (we deliver to it, a login, a public list of good senders) must weigh much. Such
 * days are counted until nothing is left of the points.
 *
 * Light evidence, of a failure or less, can be had by connecting, or by a message that
 * has us answer it. So who has done what is heavy gets none of it on that day and the
 * next: a guesser of passwords that passes postscreen each time is no better known for
 * it. In memory only.
 *
 * An address is forgotten when its points are worth less than a twentieth of a failure.
 * Bounded by max: beyond, the one with the fewest points of eight drawn at random goes.
 * Networks and ids have no credit.
 */

#include "base/cleanup.h"
#include "flow/credit.h"

#define CREDITS_MAX 100000 /* 15 MB at most */
#define CREDITS_HALF_LIFE_SEC (14 * 86400)
#define CREDITS_NEED CREDIT_POINT               /* on two days */
#define CREDITS_NEED_AT_ONCE (3 * CREDIT_POINT) /* of two kinds */
#define CREDITS_APART_HOURS 12
#define CREDITS_LEAST (CREDIT_POINT / 20)

struct credits;

struct credits *credits_new(size_t max); /* NULL: out of memory */
struct credits *credits_free(struct credits *t);
DEFINE_CLEANUP(struct credits *, credits_free)

enum {
	CREDITS_KNOWN = 1, /* that kind was given that day, or later */
	CREDITS_SPOILED,   /* light, and it has offended */
};

/* Good evidence. Return: 0, one of the above, or -ENOMEM. */
int credits_give(struct credits *t, const struct net *who, uint32_t kind,
    uint32_t points, wall_t at);

/* @who did what no honest server does. Of one without any points nothing is kept. */
void credits_spoil(struct credits *t, const struct net *who, wall_t at);

/* NULL: nothing is known. Good until the next change. */
const struct credit *credits_find(const struct credits *t, const struct net *who);

/* Points that were @points at @at, at @now; of all kinds of @c. */
uint32_t credits_decayed(uint32_t points, wall_t at, wall_t now);
uint32_t credits_points(const struct credit *c, wall_t now);
bool credits_suffice(const struct credit *c, wall_t now);

bool credits_has(const struct credits *t, const struct net *who, wall_t now);

struct credits_sum {
	bool any;        /* has any of them credit? */
	uint64_t points; /* of all of them */
};
/* Of the addresses of network @n. A walk over all. */
struct credits_sum credits_within(
    const struct credits *t, const struct net *n, wall_t now);

/* Look at @n_slots and forget those with too few points. */
void credits_sweep(struct credits *t, wall_t now, size_t n_slots);
size_t credits_n(const struct credits *t);

/* From the store; what was given meanwhile is newer and stays. Return: 0 or -ENOMEM. */
int credits_restore(struct credits *t, const struct credit *c);

/* What changed since the last call, for the store. What is forgotten is not told: the
 * store forgets it by itself, see db_purge(). */
typedef void (*credit_fn)(void *ctx, const struct credit *c);
void credits_each_dirty(struct credits *t, credit_fn fn, void *ctx);
void credits_mark_dirty(struct credits *t);
