/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * breaker - many clients with the same complaint at once: the fault is ours
 *
 * When our resolver is down every sender seems to have no domain; when our table of
 * users is lost every recipient is unknown. A rule is suspended, its hits do not count,
 * while within a minute of log time
 *
 *   - BREAKER_CLIENTS or more different clients hit it, and they are half or more of
 * all clients of the jail; only for rules about misconfiguration, since attacks come
 * from many clients too; or
 *   - two clients with credit hit it; any rule. Of one about abuse they are a quarter
 *     or more of those who hit it, or two good servers would be cover for an attack.
 *
 * It is lifted when that has not been so for five minutes: clients that we turned away
 * come back after minutes, and show then whether the fault lasts. A rule about abuse is
 * suspended for an hour at most, and then not again within an hour; several times that
 * are less than that apart add up to the hour. Or who owns two good servers could
 * switch it off. One a jail; memory is bounded by the number of its rules.
 */

#include "base/cleanup.h"
#include "base/clock.h"
#include "decide/crowd.h"
#include "flow/hit.h"

#define BREAKER_CLIENTS 10
#define BREAKER_CREDITED 2
#define BREAKER_CREDITED_PART 4 /* a quarter */
#define BREAKER_ROOM 64
#define BREAKER_SPAN_SEC 60
#define BREAKER_HOLD_SEC 300
#define BREAKER_LONGEST_SEC 3600 /* of a rule about abuse */

struct breaker;

struct breaker *breaker_new(uint16_t n_ids); /* NULL: out of memory */
struct breaker *breaker_free(struct breaker *b);
DEFINE_CLEANUP(struct breaker *, breaker_free)

enum {
	BREAKER_OPEN = 1, /* suspended */
	BREAKER_TRIPPED,  /* the same, since this hit */
};

/**
 * breaker_feed() - somebody hits a rule
 * @id:  of the rule, below n_ids
 * @who: net_hash(); of IPv6 the /64
 *
 * Call breaker_lift() before it. Return: 0: the hit counts; or one of the above.
 */
int breaker_feed(struct breaker *b, uint16_t id, enum hit_class class, uint64_t who,
    bool has_credit, wall_t at);

/* Lift one rule whose time is over at @now. Return: false: there is none. */
bool breaker_lift(struct breaker *b, wall_t now, uint16_t *out_id);

/* A clock has been put right: nothing was seen, nothing is suspended. */
void breaker_clear(struct breaker *b);

/* When the first of them may be lifted; WALL_NEVER: none is suspended. */
wall_t breaker_next(const struct breaker *b);

struct breaker_state {
	wall_t since, until; /* as far as is known now */
	size_t n_clients;    /* within the minute before @now */
	size_t n_credited;
};
/* Return: false: it is not suspended. */
bool breaker_get(
    const struct breaker *b, uint16_t id, wall_t now, struct breaker_state *out);
