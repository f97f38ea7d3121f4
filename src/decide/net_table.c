/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "decide/net_table.h"

#include <stdlib.h>

#define FIRST_HEADS 64
#define DRAW_WANTED 8 /* items compared */
#define DRAW_TRIES 64 /* numbers spent on finding them */

bool net_table_init(struct net_table *t, size_t item_bytes, size_t net_offset)
{
	*t = (struct net_table){.net_offset = net_offset, .n_heads = FIRST_HEADS};
	pool_init(&t->pool, item_bytes);
	t->heads = calloc(t->n_heads, sizeof(*t->heads));
	return t->heads;
}

void net_table_deinit(struct net_table *t)
{
	pool_deinit(&t->pool);
	free(t->heads);
}

static struct net_item *item_at(const struct net_table *t, uint32_t id)
{
	return net_table_at(t, id);
}

static struct net *net_of(const struct net_table *t, uint32_t id)
{
	return (struct net *)((char *)net_table_at(t, id) + t->net_offset);
}

static uint32_t *head_of(const struct net_table *t, const struct net *n)
{
	return &t->heads[net_hash(n) & (t->n_heads - 1)];
}

static uint32_t first_of(const struct net_table *t, uint32_t id, const struct net *n)
{
	while (id != POOL_NONE && !net_eq(net_of(t, id), n))
		id = item_at(t, id)->next;
	return id;
}

uint32_t net_table_find(const struct net_table *t, const struct net *n)
{
	return t->n ? first_of(t, *head_of(t, n), n) : POOL_NONE;
}

uint32_t net_table_find_next(
    const struct net_table *t, uint32_t id, const struct net *n)
{
	return first_of(t, item_at(t, id)->next, n);
}

static void link_item(struct net_table *t, uint32_t id)
{
	uint32_t *head = head_of(t, net_of(t, id));

	item_at(t, id)->next = *head;
	*head = id;
}

/* Longer chains are slower, not wrong: without memory the heads stay as few. */
static void grow(struct net_table *t)
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
			next = item_at(t, id)->next;
			link_item(t, id);
		}
	}
	free(old);
}

uint32_t net_table_add(struct net_table *t, const struct net *n)
{
	uint32_t id = pool_alloc(&t->pool);

	if (id == POOL_NONE)
		return id;
	item_at(t, id)->is_used = true;
	*net_of(t, id) = *n;
	link_item(t, id);
	t->n++;
	grow(t);
	return id;
}

void net_table_delete(struct net_table *t, uint32_t id)
{
	uint32_t *link = head_of(t, net_of(t, id));

	while (*link != id)
		link = &item_at(t, *link)->next;
	*link = item_at(t, id)->next;
	pool_release(&t->pool, id);
	t->n--;
}

uint32_t net_table_turn(struct net_table *t)
{
	if (!t->pool.n_made)
		return POOL_NONE;
	t->hand = t->hand < t->pool.n_made ? t->hand + 1 : 1;
	return item_at(t, t->hand)->is_used ? t->hand : POOL_NONE;
}

uint32_t net_table_draw(
    struct net_table *t, net_table_worse_fn is_worse, const void *ctx)
{
	uint32_t worst = POOL_NONE, n_met = 0;

	for (uint32_t i = 0; t->n && i < DRAW_TRIES && n_met < DRAW_WANTED; i++) {
		uint32_t id = t->pool.n_made <= DRAW_WANTED
				  ? i % t->pool.n_made + 1
				  : pool_draw(&t->pool, t->n_drawn, i);

		if (!item_at(t, id)->is_used)
			continue;
		n_met++;
		if (worst == POOL_NONE ||
		    is_worse(ctx, net_table_at(t, id), net_table_at(t, worst)))
			worst = id;
	}
	t->n_drawn++;
	return worst;
}

void net_table_mark(struct net_table *t)
{
	for (uint32_t id = 1; id <= t->pool.n_made; id++) {
		if (item_at(t, id)->is_used)
			pool_mark(&t->pool, id, true);
	}
}
