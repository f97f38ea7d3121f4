/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "proc/sums_private.h"

#define FIRST_ROOM 64u
#define KEPT_ROOM 1024u /* when all is taken; more is given back */

struct sums *sums_new(void)
{
	return calloc(1, sizeof(struct sums));
}

static void free_who(struct sums *s)
{
	free(s->who);
	free(s->slots);
	s->who = NULL;
	s->slots = NULL;
	s->n_who = s->who_room = s->n_slots = 0;
}

void sums_clear(struct sums *s)
{
	struct sum *a, *next;

	HASH_ITER (hh, s->sums, a, next) {
		HASH_DEL(s->sums, a);
		free(a);
	}
	s->last = NULL;
	s->n_sums = 0;
	if (s->who_room > KEPT_ROOM)
		free_who(s);
	else if (s->n_who)
		memset(s->slots, 0, s->n_slots * sizeof(*s->slots));
	s->n_who = s->last_who = 0;
}

struct sums *sums_free(struct sums *s)
{
	if (!s)
		return NULL;
	sums_clear(s);
	free_who(s);
	free(s);
	return NULL;
}

bool sums_is_empty(const struct sums *s)
{
	return !s->n_sums && !s->n_who;
}

uint64_t sums_n_lost(const struct sums *s)
{
	return s->n_lost;
}

static void add(struct db_numbers *to, const struct db_numbers *n)
{
	to->passed += n->passed;
	to->bans += n->bans;
	to->attempts += n->attempts;
	to->packets += n->packets;
	to->bytes += n->bytes;
}

/* --- by rule -----------------------------------------------------------------------
 */

static struct sum *find_sum(struct sums *s, const struct sum_key *key)
{
	struct sum *a = s->last;

	if (a && !memcmp(&a->key, key, sizeof(*key)))
		return a;
	HASH_FIND(hh, s->sums, key, sizeof(*key), a);
	return a;
}

static struct sum *make_sum(struct sums *s, const struct sum_key *key)
{
	struct sum *a = s->n_sums < SUMS_MAX ? calloc(1, sizeof(*a)) : NULL;

	if (!a)
		return NULL;
	a->key = *key;
	HASH_ADD(hh, s->sums, key, sizeof(*key), a);
	if (!a->hh.tbl) {
		free(a);
		return NULL;
	}
	s->n_sums++;
	return a;
}

/* --- by who ------------------------------------------------------------------------
 */

/* The keyed hash of the address is what strangers cannot choose. */
static uint32_t slot_of(const struct sums *s, const struct who *w)
{
	uint64_t hash = net_hash(&w->net);

	hash ^= ((uint64_t)w->hour << 32 | w->jail) * UINT64_C(0x9e3779b97f4a7c15);
	return (uint32_t)(hash ^ hash >> 32) & (s->n_slots - 1);
}

static bool is_same(const struct who *a, const struct who *b)
{
	return a->hour == b->hour && a->jail == b->jail && net_eq(&a->net, &b->net);
}

/* Where @w is, or is to be. */
static uint32_t *find_slot(const struct sums *s, const struct who *w)
{
	uint32_t at = slot_of(s, w);

	while (s->slots[at] && !is_same(&s->who[s->slots[at] - 1], w))
		at = (at + 1) & (s->n_slots - 1);
	return &s->slots[at];
}

static bool grow_who(struct sums *s)
{
	uint32_t room = s->who_room ? 2 * s->who_room : FIRST_ROOM;
	struct who *who = NULL;
	uint32_t *slots = NULL;

	if (room > SUMS_MAX_WHO)
		return false;
	slots = calloc(2 * (size_t)room, sizeof(*slots));
	who = slots ? reallocarray(s->who, room, sizeof(*who)) : NULL;
	if (!who) {
		free(slots);
		return false;
	}
	free(s->slots);
	s->who = who;
	s->who_room = room;
	s->slots = slots;
	s->n_slots = 2 * room;
	for (uint32_t i = 0; i < s->n_who; i++)
		*find_slot(s, &s->who[i]) = i + 1;
	return true;
}

/* Return: NULL: there is no room. */
static struct who *get_who(struct sums *s, const struct who *key)
{
	if (s->last_who && is_same(&s->who[s->last_who - 1], key))
		return &s->who[s->last_who - 1];

	uint32_t *slot = s->n_slots ? find_slot(s, key) : NULL;

	if (slot && *slot)
		return &s->who[(s->last_who = *slot) - 1];
	if (s->n_who == s->who_room) {
		if (!grow_who(s))
			return NULL;
		slot = find_slot(s, key);
	}
	s->who[s->n_who] = *key;
	*slot = s->last_who = ++s->n_who;
	return &s->who[s->n_who - 1];
}

void sums_add(struct sums *s, wall_t at, uint32_t jail, int rule, const struct net *who,
    const struct db_numbers *n)
{
	if (at.us < 0 || at.us / SUMS_HOUR_US > UINT32_MAX)
		return;
	struct sum_key key = {(uint32_t)(at.us / SUMS_HOUR_US), jail, rule};
	struct who who_key = {.hour = key.hour, .jail = jail, .net = *who};
	struct sum *a = find_sum(s, &key);
	struct who *b;

	if (!a)
		a = make_sum(s, &key);
	if (!a) {
		s->n_lost++;
		return;
	}
	add(&a->n, n);
	s->last = a;
	b = get_who(s, &who_key);
	if (b)
		add(&b->n, n);
}
