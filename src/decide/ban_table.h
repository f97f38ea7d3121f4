/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * ban_table - what is banned now, by (jail, network) and in order of the end
 *
 * Memory only; the engine turns what happens here into orders. The order is a red-black
 * tree and not a heap, as bans are also shown in order of their end, and a heap would
 * have to be sorted each time, which takes memory and may fail. 120 bytes a ban and a
 * chain head. Bounded by max_bans, and the texts of ids by BAN_TABLE_NAMES_BYTES:
 * beyond, a new ban is refused.
 */

#include <bsd/sys/tree.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "flow/order.h"

struct ban_id {
	struct net ip; /* beside it, or none */
	char text[];
};

struct ban {
	RB_ENTRY(ban) by_end;
	wall_t at; /* time of the last failure, or of the request */
	wall_t until;
	struct ban_id *name; /* owned; NULL of an address */
	uint32_t failures;
	uint32_t count; /* it is the so-many-th ban of its network; 0: not known */
	uint32_t
	    text;    /* its newest line in the evidence_ring, which may be gone; or 0 */
	uint32_t id; /* in the table */
	uint32_t next; /* in the chain of its hash */
	struct stopped stopped;
	struct net net;
	uint8_t cause; /* enum order_cause; 0: a free one */
	uint8_t step;  /* of the jail's graduated answers, or 0 */
	uint16_t jail;
};

struct ban_table;

#define BAN_TABLE_NAMES_BYTES (32u << 20)

enum { BAN_TABLE_FULL = 1 };

struct ban_table *ban_table_new(size_t max_bans); /* NULL: out of memory */
struct ban_table *ban_table_free(struct ban_table *t);
DEFINE_CLEANUP(struct ban_table *, ban_table_free)

void ban_table_set_max(struct ban_table *t, size_t max_bans);
size_t ban_table_count(const struct ban_table *t);

struct ban *ban_table_find(
    const struct ban_table *t, uint32_t jail, const struct net *n);

/* The longest banned network that holds @n and is not @n, or NULL; if it ends after
 * @now. */
struct ban *ban_table_find_around(
    const struct ban_table *t, uint32_t jail, const struct net *n, wall_t now);

/**
 * ban_table_add() - a ban that must not be there yet
 *
 * Taken from @o are jail, net, until, cause, id and ip; the others are the caller's to
 * fill. Return: 0 and *@out, BAN_TABLE_FULL, or -ENOMEM.
 */
int ban_table_add(struct ban_table *t, const struct order *o, struct ban **out);
void ban_table_set_until(struct ban_table *t, struct ban *b, wall_t until);
void ban_table_remove(struct ban_table *t, struct ban *b);

/* In order of the end; bans that end together by network. NULL: no more. */
struct ban *ban_table_first(const struct ban_table *t);
struct ban *ban_table_after(const struct ban *b);

/* The one with the next number behind @id (0 to begin), which may be walked while bans
 * come and go. NULL: no more. */
struct ban *ban_table_next(const struct ban_table *t, uint32_t id);

/* Jail i becomes map[i]. All bans of jails that go must have been removed. */
void ban_table_remap(struct ban_table *t, const uint32_t *map);
