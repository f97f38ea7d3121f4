/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * offenders - a pool chained under a keyed hash of the network
 *
 * By the network alone, so that all jails of one network are in one chain. One that was
 * to be forgotten on request stays as an empty, marked slot until the store has heard
 * of it; one that went by itself goes from the store by the store's own purge.
 */
#include "decide/offenders.h"

#include <errno.h>
#include <string.h>

#include "base/hash.h"
#include "decide/pool.h"

#define FIRST_HEADS 64
#define EVICT_SAMPLE 8
#define EVICT_DRAWS 64
#define SWEEP_PER_ADD 4

struct slot {
	uint32_t next; /* in the chain of its hash */
	uint16_t jail;
	bool is_used;
	struct offender o; /* count 0: empty */
};

struct offenders {
	struct pool slots;
	uint32_t *heads;
	uint32_t n_heads; /* a power of 2 */
	size_t n, max;    /* n: empty ones too */
	uint32_t hand;
	uint64_t n_evicted;
	double keep_sec;
	char **jails;
	uint32_t n_jails;
};

static struct slot *slot_at(const struct offenders *t, uint32_t id)
{
	return pool_at(&t->slots, id);
}

struct offenders *offenders_new(size_t max)
{
	CLEANUP(offenders_freep) struct offenders *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	pool_init(&t->slots, sizeof(struct slot));
	t->n_heads = FIRST_HEADS;
	t->heads = calloc(t->n_heads, sizeof(*t->heads));
	if (!t->heads)
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
	pool_deinit(&t->slots);
	free(t->heads);
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

/* --- the chains --------------------------------------------------------------------
 */

static uint32_t *head_of(const struct offenders *t, const struct net *n)
{
	return &t->heads[hash_keyed(n, sizeof(*n)) & (t->n_heads - 1)];
}

static uint32_t find_slot(const struct offenders *t, uint32_t jail, const struct net *n)
{
	uint32_t id = *head_of(t, n);

	while (id != POOL_NONE &&
	       (slot_at(t, id)->jail != jail || !net_eq(&slot_at(t, id)->o.net, n)))
		id = slot_at(t, id)->next;
	return id;
}

static void link_slot(struct offenders *t, uint32_t id)
{
	uint32_t *head = head_of(t, &slot_at(t, id)->o.net);

	slot_at(t, id)->next = *head;
	*head = id;
}

static void delete_slot(struct offenders *t, uint32_t id)
{
	uint32_t *link = head_of(t, &slot_at(t, id)->o.net);

	while (*link != id)
		link = &slot_at(t, *link)->next;
	*link = slot_at(t, id)->next;
	pool_release(&t->slots, id);
	t->n--;
}

/* Longer chains are slower, not wrong: without memory the heads stay as few. */
static void grow(struct offenders *t)
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
	if (n_slots > t->slots.n_made)
		n_slots = t->slots.n_made;
	for (size_t i = 0; i < n_slots; i++) {
		const struct slot *s;

		t->hand = t->hand < t->slots.n_made ? t->hand + 1 : 1;
		s = slot_at(t, t->hand);
		/* An empty one waits for the store. */
		if (s->is_used && s->o.count && is_forgotten(t, &s->o, now))
			delete_slot(t, t->hand);
	}
}

/* Keyed, so that nobody outside can tell who will be drawn. */
static uint32_t draw_id(struct offenders *t, uint32_t i)
{
	uint64_t seed[2] = {t->n_evicted, i};

	return (uint32_t)(hash_keyed(seed, sizeof(seed)) % t->slots.n_made) + 1;
}

static void evict_one(struct offenders *t)
{
	uint32_t oldest = POOL_NONE, n_seen = 0;

	for (uint32_t i = 0; i < EVICT_DRAWS && n_seen < EVICT_SAMPLE; i++) {
		uint32_t id = t->slots.n_made <= EVICT_SAMPLE ? i % t->slots.n_made + 1
							      : draw_id(t, i);

		if (!slot_at(t, id)->is_used)
			continue;
		n_seen++;
		if (oldest == POOL_NONE ||
		    slot_at(t, id)->o.at.us < slot_at(t, oldest)->o.at.us)
			oldest = id;
	}
	t->n_evicted++;
	if (oldest != POOL_NONE)
		delete_slot(t, oldest);
}

static uint32_t add_slot(struct offenders *t, uint32_t jail, const struct net *n)
{
	uint32_t id;

	/* More than one only after max was lowered: little by little then. */
	for (int i = 0; i < 4 && t->n >= t->max; i++)
		evict_one(t);
	id = pool_alloc(&t->slots);
	if (id == POOL_NONE)
		return id;
	*slot_at(t, id) =
	    (struct slot){.jail = (uint16_t)jail, .is_used = true, .o.net = *n};
	link_slot(t, id);
	t->n++;
	grow(t);
	return id;
}

static void empty_slot(struct offenders *t, uint32_t id)
{
	slot_at(t, id)->o.count = 0;
	pool_mark(&t->slots, id, true);
}

void offenders_forget(struct offenders *t, int64_t jail, const struct net *n)
{
	if (n && net_is_host(n)) {
		for (uint32_t id = *head_of(t, n); id != POOL_NONE;
		     id = slot_at(t, id)->next) {
			const struct slot *s = slot_at(t, id);

			if (net_eq(&s->o.net, n) && (jail < 0 || s->jail == jail))
				empty_slot(t, id);
		}
		return;
	}
	for (uint32_t id = 1; id <= t->slots.n_made; id++) {
		const struct slot *s = slot_at(t, id);

		if (s->is_used && (jail < 0 || s->jail == jail) &&
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

	for (uint32_t id = *head_of(t, n); id != POOL_NONE; id = slot_at(t, id)->next) {
		const struct offender *o = &slot_at(t, id)->o;

		if (net_eq(&o->net, n) && !is_forgotten(t, o, now))
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
	pool_mark(&t->slots, id, true);
	return 0;
}

void offenders_take_back(struct offenders *t, uint32_t jail, const struct net *n)
{
	uint32_t id = find_slot(t, jail, n);

	if (id == POOL_NONE || slot_at(t, id)->o.count == 0)
		return;
	slot_at(t, id)->o.count--;
	pool_mark(&t->slots, id, true);
}

size_t offenders_n(const struct offenders *t)
{
	return t->n;
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
	pool_mark(&t->slots, id, true);
	return 0;
}

void offenders_each_dirty(struct offenders *t, offender_fn fn, void *ctx)
{
	for (uint32_t id = pool_next_marked(&t->slots, POOL_NONE); id != POOL_NONE;
	     id = pool_next_marked(&t->slots, id)) {
		const struct slot *s = slot_at(t, id);

		fn(ctx, t->jails[s->jail], &s->o);
		if (s->o.count)
			pool_mark(&t->slots, id, false);
		else
			delete_slot(t, id);
	}
}

void offenders_mark_dirty(struct offenders *t)
{
	for (uint32_t id = 1; id <= t->slots.n_made; id++)
		if (slot_at(t, id)->is_used)
			pool_mark(&t->slots, id, true);
}
