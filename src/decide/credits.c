/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * credits - a pool chained under a keyed hash, as offenders is
 */
#include "decide/credits.h"

#include <errno.h>
#include <math.h>

#include "base/hash.h"
#include "decide/pool.h"

#define FIRST_HEADS 64
#define EVICT_SAMPLE 8
#define EVICT_DRAWS 64
#define SWEEP_PER_ADD 4
#define HOUR_US (INT64_C(3600) * US_PER_SEC)
#define DAY_US (INT64_C(86400) * US_PER_SEC)

struct slot {
	uint32_t next; /* in the chain of its hash */
	bool is_used;
	uint32_t spoiled_day; /* the last on which it has offended; 0: none */
	struct credit c;
};

struct credits {
	struct pool slots;
	uint32_t *heads;
	uint32_t n_heads; /* a power of 2 */
	size_t n, max;
	uint32_t hand;
	uint64_t n_evicted;
};

static struct slot *slot_at(const struct credits *t, uint32_t id)
{
	return pool_at(&t->slots, id);
}

struct credits *credits_new(size_t max)
{
	CLEANUP(credits_freep) struct credits *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	pool_init(&t->slots, sizeof(struct slot));
	t->max = max ? max : 1;
	t->n_heads = FIRST_HEADS;
	t->heads = calloc(t->n_heads, sizeof(*t->heads));
	return t->heads ? TAKE(t) : NULL;
}

struct credits *credits_free(struct credits *t)
{
	if (!t)
		return NULL;
	pool_deinit(&t->slots);
	free(t->heads);
	free(t);
	return NULL;
}

/* --- points ------------------------------------------------------------------------
 */

uint32_t credits_decayed(uint32_t points, wall_t at, wall_t now)
{
	double age_sec = ((double)now.us - (double)at.us) / (double)US_PER_SEC;

	if (age_sec <= 0)
		return points;
	return (uint32_t)((double)points * exp2(-age_sec / CREDITS_HALF_LIFE_SEC));
}

static uint32_t points_then(const struct credit *c)
{
	uint32_t sum = 0;

	for (uint8_t i = 0; i < c->n_kinds; i++)
		sum += c->kinds[i].points;
	return sum;
}

uint32_t credits_points(const struct credit *c, wall_t now)
{
	return credits_decayed(points_then(c), c->at, now);
}

bool credits_suffice(const struct credit *c, wall_t now)
{
	uint32_t points = credits_points(c, now);

	return (points >= CREDITS_NEED && c->n_days >= 2) ||
	       (points >= CREDITS_NEED_AT_ONCE && c->n_kinds >= 2);
}

/* The points as of @now. One that is given late has lost some on the way. */
static void age(struct credit *c, wall_t now)
{
	if (now.us <= c->at.us)
		return;
	for (uint8_t i = 0; i < c->n_kinds; i++)
		c->kinds[i].points = credits_decayed(c->kinds[i].points, c->at, now);
	c->at = now;
}

static struct credit_kind *kind_of(struct credit *c, uint32_t kind)
{
	for (uint8_t i = 0; i < c->n_kinds; i++)
		if (c->kinds[i].kind == kind)
			return &c->kinds[i];
	if (c->n_kinds < CREDIT_KINDS)
		c->kinds[c->n_kinds++] = (struct credit_kind){.kind = kind};
	return &c->kinds[c->n_kinds - 1];
}

static uint32_t day_of(wall_t at)
{
	return at.us > 0 ? (uint32_t)(at.us / DAY_US) : 0;
}

static uint32_t hour_of(wall_t at)
{
	return at.us > 0 ? (uint32_t)(at.us / HOUR_US) : 0;
}

/* Two days with midnight in between, and most of a day: the one before it and the one
 * after are a quarter of an hour's work. */
static bool is_next_day(uint32_t before, uint32_t hour)
{
	return hour / 24 > before / 24 && hour - before >= CREDITS_APART_HOURS;
}

static void add_points(struct credit_kind *k, uint32_t points)
{
	uint32_t most = CREDIT_MAX_POINTS / CREDIT_KINDS;

	/* What the store had may be more. */
	if (k->points < most)
		k->points = points < most - k->points ? k->points + points : most;
}

static void count_day(uint16_t *io_n)
{
	if (*io_n < UINT16_MAX)
		++*io_n;
}

static int give(struct credit *c, uint32_t kind, uint32_t points, wall_t at)
{
	uint32_t hour = hour_of(at);
	struct credit_kind *k = kind_of(c, kind);

	if (k->n_days && !is_next_day(k->hour, hour))
		return CREDITS_KNOWN;
	age(c, at);
	add_points(k, credits_decayed(points, at, c->at));
	k->hour = hour;
	count_day(&k->n_days);
	if (!c->n_days || is_next_day(c->hour, hour)) {
		c->hour = hour;
		count_day(&c->n_days);
	}
	return 0;
}

/* --- the table ---------------------------------------------------------------------
 */

static uint32_t *head_of(const struct credits *t, const struct net *n)
{
	return &t->heads[net_hash(n) & (t->n_heads - 1)];
}

static uint32_t find_slot(const struct credits *t, const struct net *n)
{
	uint32_t id = *head_of(t, n);

	while (id != POOL_NONE && !net_eq(&slot_at(t, id)->c.net, n))
		id = slot_at(t, id)->next;
	return id;
}

static void link_slot(struct credits *t, uint32_t id)
{
	uint32_t *head = head_of(t, &slot_at(t, id)->c.net);

	slot_at(t, id)->next = *head;
	*head = id;
}

static void delete_slot(struct credits *t, uint32_t id)
{
	uint32_t *link = head_of(t, &slot_at(t, id)->c.net);

	while (*link != id)
		link = &slot_at(t, *link)->next;
	*link = slot_at(t, id)->next;
	pool_release(&t->slots, id);
	t->n--;
}

/* Longer chains are slower, not wrong: without memory the heads stay as few. */
static void grow(struct credits *t)
{
	uint32_t *heads, *old = t->heads;
	uint32_t n_old = t->n_heads;

	if (t->n < n_old || n_old > UINT32_MAX / 4)
		return;
	heads = calloc(n_old * (size_t)2, sizeof(*heads));
	if (!heads)
		return;
	t->heads = heads;
	t->n_heads = n_old * 2;
	for (uint32_t i = 0; i < n_old; i++) {
		for (uint32_t id = old[i], next; id != POOL_NONE; id = next) {
			next = slot_at(t, id)->next;
			link_slot(t, id);
		}
	}
	free(old);
}

/* Keyed, so that nobody outside can tell who will be drawn. */
static uint32_t draw_id(const struct credits *t, uint32_t i)
{
	uint64_t seed[2] = {t->n_evicted, i};

	return (uint32_t)(hash_keyed(seed, sizeof(seed)) % t->slots.n_made) + 1;
}

static void evict_one(struct credits *t, wall_t now)
{
	uint32_t poorest = POOL_NONE, n_seen = 0;

	for (uint32_t i = 0; i < EVICT_DRAWS && n_seen < EVICT_SAMPLE; i++) {
		uint32_t id = t->slots.n_made <= EVICT_SAMPLE ? i % t->slots.n_made + 1
							      : draw_id(t, i);

		if (!slot_at(t, id)->is_used)
			continue;
		n_seen++;
		if (poorest == POOL_NONE ||
		    credits_points(&slot_at(t, id)->c, now) <
			credits_points(&slot_at(t, poorest)->c, now))
			poorest = id;
	}
	t->n_evicted++;
	if (poorest != POOL_NONE)
		delete_slot(t, poorest);
}

static uint32_t add_slot(struct credits *t, const struct net *who, wall_t now)
{
	uint32_t id;

	credits_sweep(t, now, SWEEP_PER_ADD);
	if (t->n >= t->max)
		evict_one(t, now);
	id = pool_alloc(&t->slots);
	if (id == POOL_NONE)
		return id;
	*slot_at(t, id) = (struct slot){.is_used = true, .c.net = *who, .c.at = now};
	link_slot(t, id);
	t->n++;
	grow(t);
	return id;
}

void credits_sweep(struct credits *t, wall_t now, size_t n_slots)
{
	if (n_slots > t->slots.n_made)
		n_slots = t->slots.n_made;
	for (size_t i = 0; i < n_slots; i++) {
		const struct slot *s;

		t->hand = t->hand < t->slots.n_made ? t->hand + 1 : 1;
		s = slot_at(t, t->hand);
		if (s->is_used && credits_points(&s->c, now) < CREDITS_LEAST)
			delete_slot(t, t->hand);
	}
}

static bool is_spoiled(const struct slot *s, wall_t at)
{
	uint32_t day = day_of(at);

	return s->spoiled_day && day >= s->spoiled_day && day <= s->spoiled_day + 1;
}

void credits_spoil(struct credits *t, const struct net *who, wall_t at)
{
	uint32_t id = t->n ? find_slot(t, who) : POOL_NONE;

	if (id != POOL_NONE)
		slot_at(t, id)->spoiled_day = day_of(at);
}

int credits_give(
    struct credits *t, const struct net *who, uint32_t kind, uint32_t points, wall_t at)
{
	uint32_t id;
	int r;

	if (!net_is_host(who) || net_is_id(who))
		return CREDITS_KNOWN;
	id = find_slot(t, who);
	if (id != POOL_NONE && points <= CREDIT_POINT && is_spoiled(slot_at(t, id), at))
		return CREDITS_SPOILED;
	if (id == POOL_NONE)
		id = add_slot(t, who, at);
	if (id == POOL_NONE)
		return -ENOMEM;
	r = give(&slot_at(t, id)->c, kind, points, at);
	if (!r)
		pool_mark(&t->slots, id, true);
	return r;
}

const struct credit *credits_find(const struct credits *t, const struct net *who)
{
	uint32_t id = find_slot(t, who);

	return id != POOL_NONE ? &slot_at(t, id)->c : NULL;
}

bool credits_has(const struct credits *t, const struct net *who, wall_t now)
{
	const struct credit *c = t->n ? credits_find(t, who) : NULL;

	return c && credits_suffice(c, now);
}

struct credits_sum credits_within(
    const struct credits *t, const struct net *n, wall_t now)
{
	struct credits_sum sum = {.points = 0};

	for (uint32_t id = 1; id <= t->slots.n_made; id++) {
		const struct slot *s = slot_at(t, id);

		if (!s->is_used || !net_contains(n, &s->c.net))
			continue;
		sum.any |= credits_suffice(&s->c, now);
		sum.points += credits_points(&s->c, now);
	}
	return sum;
}

size_t credits_n(const struct credits *t)
{
	return t->n;
}

int credits_restore(struct credits *t, const struct credit *c)
{
	uint32_t id;

	if (!c->n_kinds || !net_is_host(&c->net) || net_is_id(&c->net))
		return 0;
	id = find_slot(t, &c->net);
	if (id != POOL_NONE && slot_at(t, id)->c.hour >= c->hour)
		return 0;
	if (id == POOL_NONE)
		id = add_slot(t, &c->net, c->at);
	if (id == POOL_NONE)
		return -ENOMEM;
	slot_at(t, id)->c = *c;
	return 0;
}

void credits_each_dirty(struct credits *t, credit_fn fn, void *ctx)
{
	for (uint32_t id = pool_next_marked(&t->slots, POOL_NONE); id != POOL_NONE;
	     id = pool_next_marked(&t->slots, id)) {
		fn(ctx, &slot_at(t, id)->c);
		pool_mark(&t->slots, id, false);
	}
}

void credits_mark_dirty(struct credits *t)
{
	for (uint32_t id = 1; id <= t->slots.n_made; id++)
		if (slot_at(t, id)->is_used)
			pool_mark(&t->slots, id, true);
}
