/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "decide/credits.h"

#include <errno.h>
#include <math.h>

#include "decide/net_table.h"

#define SWEEP_PER_ADD 4
#define HOUR_US (INT64_C(3600) * US_PER_SEC)
#define DAY_US (INT64_C(86400) * US_PER_SEC)

struct slot {
	struct net_item item;
	uint32_t spoiled_day; /* the last on which it has offended; 0: none */
	struct credit c;
};

struct credits {
	struct net_table slots;
	size_t max;
};

static struct slot *slot_at(const struct credits *t, uint32_t id)
{
	return net_table_at(&t->slots, id);
}

struct credits *credits_new(size_t max)
{
	CLEANUP(credits_freep) struct credits *t = calloc(1, sizeof(*t));

	if (!t || !net_table_init(
		      &t->slots, sizeof(struct slot), offsetof(struct slot, c.net)))
		return NULL;
	t->max = max ? max : 1;
	return TAKE(t);
}

struct credits *credits_free(struct credits *t)
{
	if (!t)
		return NULL;
	net_table_deinit(&t->slots);
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

/* --- who has them ------------------------------------------------------------------
 */

static bool is_poorer(const void *now, const void *a, const void *b)
{
	const struct slot *x = a, *y = b;
	const wall_t *at = now;

	return credits_points(&x->c, *at) < credits_points(&y->c, *at);
}

static uint32_t add_slot(struct credits *t, const struct net *who, wall_t now)
{
	uint32_t id;

	credits_sweep(t, now, SWEEP_PER_ADD);
	if (t->slots.n >= t->max) {
		id = net_table_draw(&t->slots, is_poorer, &now);
		if (id != POOL_NONE)
			net_table_delete(&t->slots, id);
	}
	id = net_table_add(&t->slots, who);
	if (id != POOL_NONE)
		slot_at(t, id)->c.at = now;
	return id;
}

void credits_sweep(struct credits *t, wall_t now, size_t n_slots)
{
	if (n_slots > t->slots.pool.n_made)
		n_slots = t->slots.pool.n_made;
	for (size_t i = 0; i < n_slots; i++) {
		uint32_t id = net_table_turn(&t->slots);

		if (id != POOL_NONE &&
		    credits_points(&slot_at(t, id)->c, now) < CREDITS_LEAST)
			net_table_delete(&t->slots, id);
	}
}

static bool is_spoiled(const struct slot *s, wall_t at)
{
	uint32_t day = day_of(at);

	return s->spoiled_day && day >= s->spoiled_day && day <= s->spoiled_day + 1;
}

void credits_spoil(struct credits *t, const struct net *who, wall_t at)
{
	uint32_t id = net_table_find(&t->slots, who);

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
	id = net_table_find(&t->slots, who);
	if (id != POOL_NONE && points <= CREDIT_POINT && is_spoiled(slot_at(t, id), at))
		return CREDITS_SPOILED;
	if (id == POOL_NONE)
		id = add_slot(t, who, at);
	if (id == POOL_NONE)
		return -ENOMEM;
	r = give(&slot_at(t, id)->c, kind, points, at);
	if (!r)
		pool_mark(&t->slots.pool, id, true);
	return r;
}

const struct credit *credits_find(const struct credits *t, const struct net *who)
{
	uint32_t id = net_table_find(&t->slots, who);

	return id != POOL_NONE ? &slot_at(t, id)->c : NULL;
}

bool credits_has(const struct credits *t, const struct net *who, wall_t now)
{
	const struct credit *c = credits_find(t, who);

	return c && credits_suffice(c, now);
}

struct credits_sum credits_within(
    const struct credits *t, const struct net *n, wall_t now)
{
	struct credits_sum sum = {.points = 0};

	for (uint32_t id = 1; id <= t->slots.pool.n_made; id++) {
		const struct slot *s = slot_at(t, id);

		if (!s->item.is_used || !net_contains(n, &s->c.net))
			continue;
		sum.any |= credits_suffice(&s->c, now);
		sum.points += credits_points(&s->c, now);
	}
	return sum;
}

size_t credits_n(const struct credits *t)
{
	return t->slots.n;
}

int credits_restore(struct credits *t, const struct credit *c)
{
	uint32_t id;

	if (!c->n_kinds || !net_is_host(&c->net) || net_is_id(&c->net))
		return 0;
	id = net_table_find(&t->slots, &c->net);
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
	for (uint32_t id = pool_next_marked(&t->slots.pool, POOL_NONE); id != POOL_NONE;
	     id = pool_next_marked(&t->slots.pool, id)) {
		fn(ctx, &slot_at(t, id)->c);
		pool_mark(&t->slots.pool, id, false);
	}
}

void credits_mark_dirty(struct credits *t)
{
	net_table_mark(&t->slots);
}
