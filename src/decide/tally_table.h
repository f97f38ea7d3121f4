/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * tally_table - the hash table under tally; only tally*.c include this
 *
 * Slots sit in a pool and never move; chains go through them by number. With one 32-bit
 * chain head per slot that is as compact as open addressing at its usual load, but
 * takes deletions without tombstones and visits fewer slots, each of which is a cache
 * miss.
 */

#include "decide/pool.h"
#include "decide/tally.h"
#include "decide/tally_slot.h"

struct tally {
	struct pool slots;
	uint32_t *heads;
	uint32_t n_heads; /* a power of 2 */
	uint32_t n_linked;
	uint32_t n_tracked; /* linked and with failures */
	uint32_t hand;      /* the slot that was swept last */
	size_t max_tracked;
	size_t block_bytes;
	uint64_t n_forgotten;
	const struct tally_jail *jails;
};

bool tally_table_init(struct tally *t);
void tally_table_deinit(struct tally *t);

static inline struct slot *tally_slot(const struct tally *t, uint32_t id)
{
	return pool_at(&t->slots, id);
}

/* With or without failures; @hash: net_hash(). Return: POOL_NONE if there is no such
 * slot. */
uint32_t tally_table_find(
    const struct tally *t, uint32_t jail, const struct net *n, uint64_t hash);
/* Bring near what a look for these @n (at most ENGINE_EXPECT_MAX) is going to touch,
 * and fill their hashes. */
void tally_table_expect(const struct tally *t, struct hit *hits, size_t n);
/* A slot without failures, new. Return: POOL_NONE: out of memory. */
uint32_t tally_table_add(struct tally *t, uint32_t jail, const struct net *n);
void tally_table_delete(struct tally *t, uint32_t id);
/* After the jails of slots were changed. */
void tally_table_rehash(struct tally *t);

static inline bool tally_is_live(const struct slot *s)
{
	return (s->state & SLOT_COUNT) != 0;
}

static inline int64_t tally_block_max(const struct tally *t)
{
	return (int64_t)t->max_tracked * TALLY_BLOCK_BYTES;
}

/* Forgotten: the clock is two findtimes beyond. */
static inline bool tally_is_over(
    const struct tally *t, const struct slot *s, wall_t clock)
{
	return clock.us > slot_heard_us(s) + 2 * t->jails[s->jail].findtime_us;
}

static inline uint16_t tally_unit(const struct tally *t, uint32_t jail)
{
	return t->jails[jail].unit ? t->jails[jail].unit : 1;
}

/*
 * Items remembered for a jail: two findtimes of plain failures, each of which holds
 * less than maxretry, and some room for good evidence. Where failures have parts, as
 * many as there may be.
 */
static inline size_t tally_max_items(const struct tally *t, uint32_t jail)
{
	uint32_t n = t->jails[jail].maxretry;

	if (tally_unit(t, jail) > 1)
		return ENGINE_MAX_WINDOW;
	return n < ENGINE_MAX_WINDOW / 2 - 4 ? 2 * (size_t)n + 8 : ENGINE_MAX_WINDOW;
}
