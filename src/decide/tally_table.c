/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tally_table - chains of slots under a keyed hash
 */
#include "decide/tally_table.h"

#include <string.h>

#define FIRST_HEADS 256
#define MANY_HEADS (1u << 18) /* a megabyte */

/* @hash: net_hash(). Nobody outside can foresee it, so a jail may just be mixed in. */
static uint32_t *head_at(const struct tally *t, uint32_t jail, uint64_t hash)
{
	hash += jail * UINT64_C(0x9e3779b97f4a7c15);
	return &t->heads[(hash ^ hash >> 32) & (t->n_heads - 1)];
}

static uint32_t *head_of(const struct tally *t, const struct slot *s)
{
	return head_at(t, s->jail, net_hash(&s->net));
}

bool tally_table_init(struct tally *t)
{
	pool_init(&t->slots, sizeof(struct slot));
	t->n_heads = FIRST_HEADS;
	t->heads = calloc(t->n_heads, sizeof(*t->heads));
	return t->heads != NULL;
}

void tally_table_deinit(struct tally *t)
{
	for (uint32_t id = 1; id <= t->slots.n_made; id++)
		slot_clear(tally_slot(t, id), &t->block_bytes);
	pool_deinit(&t->slots);
	free(t->heads);
}

HOT uint32_t tally_table_find(
    const struct tally *t, uint32_t jail, const struct net *n, uint64_t hash)
{
	uint32_t id = *head_at(t, jail, hash);

	while (id != POOL_NONE) {
		const struct slot *s = tally_slot(t, id);

		if (s->jail == jail && net_eq(&s->net, n))
			break;
		id = s->next;
	}
	return id;
}

/* Each of three steps waits for memory that the one before has asked for. */
HOT void tally_table_expect(const struct tally *t, struct hit *hits, size_t n)
{
	const uint32_t *heads[ENGINE_EXPECT_MAX];

	for (size_t i = 0; i < n; i++) {
		hits[i].hash = net_hash(&hits[i].net);
		heads[i] = head_at(t, hits[i].jail, hits[i].hash);
		__builtin_prefetch(heads[i]);
	}
	for (size_t i = 0; i < n; i++) {
		if (*heads[i] != POOL_NONE)
			__builtin_prefetch(tally_slot(t, *heads[i]));
	}
	for (size_t i = 0; i < n; i++) {
		const struct slot *s =
		    *heads[i] != POOL_NONE ? tally_slot(t, *heads[i]) : NULL;

		if (s && (s->state & SLOT_COUNT) == SLOT_MANY)
			__builtin_prefetch(s->block);
	}
}

static void link_slot(struct tally *t, uint32_t id)
{
	struct slot *s = tally_slot(t, id);
	uint32_t *head = head_of(t, s);

	s->next = *head;
	*head = id;
}

void tally_table_rehash(struct tally *t)
{
	memset(t->heads, 0, t->n_heads * sizeof(*t->heads));
	for (uint32_t id = 1; id <= t->slots.n_made; id++)
		if (tally_slot(t, id)->state & SLOT_USED)
			link_slot(t, id);
}

/* At least a head for each slot, or 4 for 5 where there are many; without memory for
 * more, chains get longer and all goes on. */
static void grow(struct tally *t)
{
	uint32_t room =
	    t->n_heads < MANY_HEADS ? t->n_heads : t->n_heads + t->n_heads / 4;
	uint32_t *heads;

	if (t->n_linked <= room || t->n_heads > UINT32_MAX / 2)
		return;
	heads = calloc(t->n_heads * (size_t)2, sizeof(*heads));
	if (!heads)
		return;
	free(t->heads);
	t->heads = heads;
	t->n_heads *= 2;
	tally_table_rehash(t);
}

uint32_t tally_table_add(struct tally *t, uint32_t jail, const struct net *n)
{
	uint32_t id = pool_alloc(&t->slots);
	struct slot *s;

	if (id == POOL_NONE)
		return id;
	s = tally_slot(t, id);
	s->net = *n;
	s->jail = (uint16_t)jail;
	s->state = SLOT_USED;
	t->n_linked++;
	link_slot(t, id);
	grow(t);
	return id;
}

void tally_table_delete(struct tally *t, uint32_t id)
{
	struct slot *s = tally_slot(t, id);
	uint32_t *head = head_of(t, s);

	if (*head == id) {
		*head = s->next;
	} else {
		uint32_t before = *head;

		while (tally_slot(t, before)->next != id)
			before = tally_slot(t, before)->next;
		tally_slot(t, before)->next = s->next;
	}
	slot_clear(s, &t->block_bytes);
	pool_release(&t->slots, id);
	t->n_linked--;
}
