/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * pool - items of one size, numbered from 1, that never move
 *
 * Memory comes in chunks, so growing copies nothing and a million small items cost no
 * malloc header each. A freed number is used again before a new one is made; chunks are
 * given back only at the end. Each item has a mark, a bit kept apart from it, so that a
 * few marked ones are found without touching the others.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define POOL_NONE 0u
#define POOL_CHUNK_ITEMS 512u /* a multiple of 64 */

struct pool_chunk {
	uint64_t marks[POOL_CHUNK_ITEMS / 64];
	unsigned char items[];
};

struct pool {
	struct pool_chunk **chunks;
	uint32_t n_chunks;
	uint32_t room; /* for chunk pointers */
	uint32_t n_made;
	uint32_t first_free;
	size_t item_bytes; /* at least 4: a free item holds the number of the next */
};

void pool_init(struct pool *p, size_t item_bytes);
void pool_deinit(struct pool *p);

/* A zeroed item. Return: its number, or POOL_NONE when out of memory. */
uint32_t pool_alloc(struct pool *p);
/* Zeroes the item but for its first 4 bytes; takes the mark away. */
void pool_release(struct pool *p, uint32_t id);

/* The @i-th number drawn in that round, in use or not, so that nobody outside can tell
 * which; there must be one. */
uint32_t pool_draw(const struct pool *p, uint64_t round, uint32_t i);

void pool_mark(struct pool *p, uint32_t id, bool on);
/* The first marked number after @id (POOL_NONE to begin), or POOL_NONE. */
uint32_t pool_next_marked(const struct pool *p, uint32_t id);

static inline void *pool_at(const struct pool *p, uint32_t id)
{
	struct pool_chunk *c = p->chunks[(id - 1) / POOL_CHUNK_ITEMS];

	return c->items + (id - 1) % POOL_CHUNK_ITEMS * p->item_bytes;
}
