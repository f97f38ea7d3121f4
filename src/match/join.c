/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * join - a chained hash table over one array, and a list from old to new through it
 *
 * The array doubles up to the bound. With each binding up to two that are over go from
 * the old end; so the table is as large as the last hour was busy.
 */

#include "match/join.h"

#include <errno.h>
#include <stdlib.h>

#include "base/hash.h"

#define ROOM_MIN 64
#define NONE UINT32_MAX
#define SWEEP_MAX 2

struct binding {
	uint64_t id;
	wall_t at;
	struct net net;
	uint32_t next; /* in its bucket, or among those that are free */
	uint32_t older, newer;
};

struct join {
	struct binding *items;
	uint32_t *buckets; /* as many as items */
	uint32_t room, n, max;
	uint32_t free, oldest, newest;
	uint64_t n_forgotten;
};

struct join *join_new(size_t max)
{
	struct join *j = calloc(1, sizeof(*j));

	if (!j)
		return NULL;
	j->max = max && max < JOIN_MAX ? (uint32_t)max : JOIN_MAX;
	j->free = j->oldest = j->newest = NONE;
	return j;
}

struct join *join_free(struct join *j)
{
	if (!j)
		return NULL;
	free(j->items);
	free(j->buckets);
	free(j);
	return NULL;
}

uint64_t join_id(uint8_t slot, struct span text)
{
	return hash_keyed(text.p, text.n) + slot * UINT64_C(0x9e3779b97f4a7c15);
}

static uint32_t *bucket_of(const struct join *j, uint64_t id)
{
	return &j->buckets[id & (j->room - 1)];
}

static void enter(struct join *j, uint32_t i)
{
	uint32_t *bucket = bucket_of(j, j->items[i].id);

	j->items[i].next = *bucket;
	*bucket = i;
}

static void set_free(struct join *j, uint32_t i)
{
	j->items[i].next = j->free;
	j->free = i;
}

/* Twice the room. Return: 0 or -ENOMEM: all is as before. */
static int grow(struct join *j)
{
	uint32_t room = j->room ? j->room * 2 : ROOM_MIN;
	uint32_t *buckets = reallocarray(NULL, room, sizeof(*buckets));
	struct binding *items = NULL;

	if (buckets)
		items = reallocarray(j->items, room, sizeof(*items));
	if (!items) {
		free(buckets);
		return -ENOMEM;
	}
	free(j->buckets);
	j->items = items;
	j->buckets = buckets;
	for (uint32_t i = 0; i < room; i++)
		buckets[i] = NONE;
	for (uint32_t i = j->room; i < room; i++)
		set_free(j, i);
	j->room = room;
	for (uint32_t i = j->oldest; i != NONE; i = items[i].newer)
		enter(j, i);
	return 0;
}

static uint32_t find(const struct join *j, uint64_t id)
{
	uint32_t i = j->room ? *bucket_of(j, id) : NONE;

	while (i != NONE && j->items[i].id != id)
		i = j->items[i].next;
	return i;
}

static void unlink_age(struct join *j, const struct binding *b)
{
	*(b->older == NONE ? &j->oldest : &j->items[b->older].newer) = b->newer;
	*(b->newer == NONE ? &j->newest : &j->items[b->newer].older) = b->older;
}

static void link_newest(struct join *j, uint32_t i)
{
	struct binding *b = &j->items[i];

	b->older = j->newest;
	b->newer = NONE;
	*(j->newest == NONE ? &j->oldest : &j->items[j->newest].newer) = i;
	j->newest = i;
}

static void forget(struct join *j, uint32_t i)
{
	uint32_t *link = bucket_of(j, j->items[i].id);

	while (*link != i)
		link = &j->items[*link].next;
	*link = j->items[i].next;
	unlink_age(j, &j->items[i]);
	set_free(j, i);
	j->n--;
}

static bool is_old(const struct binding *b, wall_t at)
{
	return wall_add_sec(b->at, JOIN_LIFE_SEC).us < at.us;
}

/* Of a time that is an hour away, either way: a clock may have been wrong. */
static bool is_over(const struct binding *b, wall_t at)
{
	return is_old(b, at) || wall_add_sec(at, JOIN_LIFE_SEC).us < b->at.us;
}

static void sweep(struct join *j, wall_t at)
{
	for (int n = 0;
	     n < SWEEP_MAX && j->oldest != NONE && is_old(&j->items[j->oldest], at);
	     n++)
		forget(j, j->oldest);
}

static int add(struct join *j, uint64_t id, const struct net *net, wall_t at)
{
	uint32_t i;

	sweep(j, at);
	if (j->n == j->max) {
		j->n_forgotten++;
		forget(j, j->oldest);
	}
	if (j->free == NONE && grow(j) < 0)
		return -ENOMEM;
	i = j->free;
	j->free = j->items[i].next;
	j->items[i] = (struct binding){.id = id, .at = at, .net = *net};
	enter(j, i);
	link_newest(j, i);
	j->n++;
	return 0;
}

int join_bind(struct join *j, uint64_t id, const struct net *net, wall_t at)
{
	uint32_t i = find(j, id);
	struct binding *b;

	if (i == NONE)
		return add(j, id, net, at);
	b = &j->items[i];
	if (at.us < b->at.us && !is_over(b, at)) {
		/* It says nothing new, or what was true before. */
		return memcmp(&b->net, net, sizeof(*net)) ? JOIN_YOUNGER : 0;
	}
	b->net = *net;
	b->at = at;
	unlink_age(j, b);
	link_newest(j, i);
	return 0;
}

bool join_find(const struct join *j, uint64_t id, wall_t at, struct net *out)
{
	uint32_t i = find(j, id);

	if (i == NONE || is_over(&j->items[i], at) ||
	    wall_add_sec(at, JOIN_EARLY_SEC).us < j->items[i].at.us)
		return false;
	*out = j->items[i].net;
	return true;
}

size_t join_count(const struct join *j)
{
	return j->n;
}

uint64_t join_n_forgotten(const struct join *j)
{
	return j->n_forgotten;
}
