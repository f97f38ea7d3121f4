/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * offenders - an item for each jail of a network
 *
 * One that was to be forgotten on request stays as an empty, marked slot until the
 * store has heard of it; one that went by itself goes from the store by the store's own
 * purge.
 */
#include "decide/offenders.h"

#include <errno.h>
#include <string.h>

#include "decide/net_table.h"

#define SWEEP_PER_ADD 4

struct slot {
	struct net_item item; /* .part: the jail */
	struct offender o;    /* count 0: empty */
};

struct offenders {
	struct net_table slots; /* empty ones too */
	size_t max;
	double keep_sec;
	char **jails;
	uint32_t n_jails;
};

static struct slot *slot_at(const struct offenders *t, uint32_t id)
{
	return net_table_at(&t->slots, id);
}

struct offenders *offenders_new(size_t max)
{
	CLEANUP(offenders_freep) struct offenders *t = calloc(1, sizeof(*t));

	if (!t || !net_table_init(
		      &t->slots, sizeof(struct slot), offsetof(struct slot, o.net)))
		return NULL;
	offenders_set_bounds(t, max, 0);
	return TAKE(t);
}

struct offenders *offenders_free(struct offenders *t)
{
	if (!t)
		return NULL;
	for (uint32_t i = 0; i < t->n_jails; i++)
		free(t->jails[i]);
	free(t->jails);
	net_table_deinit(&t->slots);
	free(t);
	return NULL;
}

void offenders_set_bounds(struct offenders *t, size_t max, double keep_sec)
{
	t->max = max ? max : 1;
	t->keep_sec = keep_sec;
}

int offenders_jail(struct offenders *t, const char *name, uint32_t *out)
{
	CLEANUP(freep) char *copy = NULL;
	char **more;

	for (uint32_t i = 0; i < t->n_jails; i++) {
		if (strcmp(t->jails[i], name))
			continue;
		*out = i;
		return 0;
	}
	if (t->n_jails == OFFENDERS_MAX_JAILS)
		return -ENOMEM;
	copy = strdup(name);
	more = reallocarray(t->jails, t->n_jails + (size_t)1, sizeof(*more));
	if (more)
		t->jails = more;
	if (!more || !copy)
		return -ENOMEM;
	t->jails[t->n_jails] = TAKE(copy);
	*out = t->n_jails++;
	return 0;
}

static uint32_t find_slot(const struct offenders *t, uint32_t jail, const struct net *n)
{
	uint32_t id = net_table_find(&t->slots, n);

	while (id != POOL_NONE && slot_at(t, id)->item.part != jail)
		id = net_table_find_next(&t->slots, id, n);
	return id;
}

/* --- forgetting --------------------------------------------------------------------
 */

/* See the head of the header. Doubles: three times a length may not fit. */
static bool is_forgotten(
    const struct offenders *t, const struct offender *o, wall_t now)
{
	double age_sec = ((double)now.us - (double)o->at.us) / (double)US_PER_SEC;
	double length_sec =
	    ((double)o->until.us - (double)o->at.us) / (double)US_PER_SEC;

	if (o->count == 0)
		return true;
	if (t->keep_sec <= 0 || o->until.us == WALL_NEVER.us)
		return false;
	return age_sec > t->keep_sec &&
	       age_sec - OFFENDERS_LENGTHS * length_sec > t->keep_sec;
}

void offenders_sweep(struct offenders *t, wall_t now, size_t n_slots)
{
	if (n_slots > t->slots.pool.n_made)
		n_slots = t->slots.pool.n_made;
	for (size_t i = 0; i < n_slots; i++) {
		uint32_t id = net_table_turn(&t->slots);
		const struct offender *o = id != POOL_NONE ? &slot_at(t, id)->o : NULL;

		/* An empty one waits for the store. */
		if (o && o->count && is_forgotten(t, o, now))
			net_table_delete(&t->slots, id);
	}
}

static bool is_older(const void *ctx, const void *a, const void *b)
{
	const struct slot *x = a, *y = b;

	(void)ctx;
	return x->o.at.us < y->o.at.us;
}

static uint32_t add_slot(struct offenders *t, uint32_t jail, const struct net *n)
{
	uint32_t id;

	/* More than one only after max was lowered: little by little then. */
	for (int i = 0; i < 4 && t->slots.n >= t->max; i++) {
		id = net_table_draw(&t->slots, is_older, NULL);
		if (id != POOL_NONE)
			net_table_delete(&t->slots, id);
	}
	id = net_table_add(&t->slots, n);
	if (id != POOL_NONE)
		slot_at(t, id)->item.part = (uint16_t)jail;
	return id;
}

static void empty_slot(struct offenders *t, uint32_t id)
{
	slot_at(t, id)->o.count = 0;
	pool_mark(&t->slots.pool, id, true);
}

void offenders_forget(struct offenders *t, int64_t jail, const struct net *n)
{
	if (n && net_is_host(n)) {
		for (uint32_t id = net_table_find(&t->slots, n); id != POOL_NONE;
		     id = net_table_find_next(&t->slots, id, n)) {
			if (jail < 0 || slot_at(t, id)->item.part == jail)
				empty_slot(t, id);
		}
		return;
	}
	for (uint32_t id = 1; id <= t->slots.pool.n_made; id++) {
		const struct slot *s = slot_at(t, id);

		if (s->item.is_used && (jail < 0 || s->item.part == jail) &&
		    (!n || net_contains(n, &s->o.net)))
			empty_slot(t, id);
	}
}

/* --- what is known -----------------------------------------------------------------
 */

const struct offender *offenders_find(
    const struct offenders *t, uint32_t jail, const struct net *n, wall_t now)
{
	uint32_t id = find_slot(t, jail, n);

	if (id == POOL_NONE || is_forgotten(t, &slot_at(t, id)->o, now))
		return NULL;
	return &slot_at(t, id)->o;
}

uint32_t offenders_count_all(const struct offenders *t, const struct net *n, wall_t now)
{
	uint64_t sum = 0;

	for (uint32_t id = net_table_find(&t->slots, n); id != POOL_NONE;
	     id = net_table_find_next(&t->slots, id, n)) {
		const struct offender *o = &slot_at(t, id)->o;

		if (!is_forgotten(t, o, now))
			sum += o->count;
	}
	return sum < UINT32_MAX ? (uint32_t)sum : UINT32_MAX;
}

int offenders_add(struct offenders *t, uint32_t jail, const struct net *n, wall_t at,
    wall_t until, wall_t now)
{
	uint32_t id;
	struct offender *o;

	offenders_sweep(t, now, SWEEP_PER_ADD);
	id = find_slot(t, jail, n);
	if (id == POOL_NONE)
		id = add_slot(t, jail, n);
	if (id == POOL_NONE)
		return -ENOMEM;
	o = &slot_at(t, id)->o;
	if (is_forgotten(t, o, now))
		o->count = 0;
	if (o->count < UINT32_MAX)
		o->count++;
	o->at = at;
	o->until = until;
	pool_mark(&t->slots.pool, id, true);
	return 0;
}

void offenders_take_back(struct offenders *t, uint32_t jail, const struct net *n)
{
	uint32_t id = find_slot(t, jail, n);

	if (id == POOL_NONE || slot_at(t, id)->o.count == 0)
		return;
	slot_at(t, id)->o.count--;
	pool_mark(&t->slots.pool, id, true);
}

size_t offenders_n(const struct offenders *t)
{
	return t->slots.n;
}

int offenders_restore(struct offenders *t, uint32_t jail, const struct offender *o)
{
	struct offender *known;
	uint32_t id;

	if (o->count == 0)
		return 0;
	id = find_slot(t, jail, &o->net);
	if (id == POOL_NONE)
		id = add_slot(t, jail, &o->net);
	if (id == POOL_NONE)
		return -ENOMEM;
	known = &slot_at(t, id)->o;
	if (known->count == 0 || known->at.us <= o->at.us) {
		*known = *o;
		return 0;
	}
	/* Banned again before the store had answered. */
	if (__builtin_add_overflow(known->count, o->count, &known->count))
		known->count = UINT32_MAX;
	pool_mark(&t->slots.pool, id, true);
	return 0;
}

void offenders_each_dirty(struct offenders *t, offender_fn fn, void *ctx)
{
	for (uint32_t id = pool_next_marked(&t->slots.pool, POOL_NONE); id != POOL_NONE;
	     id = pool_next_marked(&t->slots.pool, id)) {
		const struct slot *s = slot_at(t, id);

		fn(ctx, t->jails[s->item.part], &s->o);
		if (s->o.count)
			pool_mark(&t->slots.pool, id, false);
		else
			net_table_delete(&t->slots, id);
	}
}

void offenders_mark_dirty(struct offenders *t)
{
	net_table_mark(&t->slots);
}
