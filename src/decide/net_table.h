/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * net_table - items that each belong to a network, in a pool, chained under a keyed
 * hash
 *
 * What credits and offenders are made of. One network may have several items, which are
 * in one chain. The pool's marks and numbers are for whoever owns the table to use.
 */

#include "base/net.h"
#include "decide/pool.h"

/* The beginning of an item; its network stands somewhere behind that. */
struct net_item {
	uint32_t next; /* in the chain of its hash */
	uint16_t part; /* the owner's: tells the items of one network apart */
	bool is_used;
};

struct net_table {
	struct pool pool;
	size_t net_offset;
	uint32_t *heads;
	uint32_t n_heads; /* a power of 2 */
	size_t n;         /* items in use */
	uint32_t hand;    /* the one that was looked at last, in turn */
	uint64_t n_drawn; /* so often one was drawn to go */
};

/* @net_offset: of the struct net in an item. Return: false: out of memory. */
bool net_table_init(struct net_table *t, size_t item_bytes, size_t net_offset);
void net_table_deinit(struct net_table *t);

static inline void *net_table_at(const struct net_table *t, uint32_t id)
{
	return pool_at(&t->pool, id);
}

/* The items of @n: first, then the one behind @id. Return: POOL_NONE: no more. */
uint32_t net_table_find(const struct net_table *t, const struct net *n);
uint32_t net_table_find_next(
    const struct net_table *t, uint32_t id, const struct net *n);

/* A new item, all zero but for its beginning and its network. Return: POOL_NONE: out of
 * memory. */
uint32_t net_table_add(struct net_table *t, const struct net *n);
void net_table_delete(struct net_table *t, uint32_t id);

/* Every number in turn, over and over. Return: POOL_NONE: there are no items, or that
 * one is not in use. */
uint32_t net_table_turn(struct net_table *t);

/**
 * net_table_draw() - of a few items in use, drawn so that nobody outside can tell
 * which, the one that is to go
 * @is_worse: is @a more to go than @b?
 *
 * Return: POOL_NONE: none was met.
 */
typedef bool (*net_table_worse_fn)(const void *ctx, const void *a, const void *b);
uint32_t net_table_draw(
    struct net_table *t, net_table_worse_fn is_worse, const void *ctx);

/* All in use. */
void net_table_mark(struct net_table *t);
