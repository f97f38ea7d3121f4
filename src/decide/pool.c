/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pool - chunks of items, a list of the free ones through the items themselves
 */
#include "decide/pool.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

void pool_init(struct pool *p, size_t item_bytes)
{
	*p = (struct pool){.item_bytes = item_bytes};
}

void pool_deinit(struct pool *p)
{
	for (uint32_t i = 0; i < p->n_chunks; i++)
		free(p->chunks[i]);
	free(p->chunks);
	pool_init(p, p->item_bytes);
}

static bool add_chunk(struct pool *p)
{
	struct pool_chunk *c;

	if (p->n_chunks == p->room) {
		uint32_t room = p->room ? p->room * 2 : 8;
		void *chunks = reallocarray(p->chunks, room, sizeof(*p->chunks));

		if (!chunks)
			return false;
		p->chunks = chunks;
		p->room = room;
	}
	c = calloc(1, sizeof(*c) + POOL_CHUNK_ITEMS * p->item_bytes);
	if (!c)
		return false;
	p->chunks[p->n_chunks++] = c;
	return true;
}

uint32_t pool_alloc(struct pool *p)
{
	uint32_t id = p->first_free;

	if (id != POOL_NONE) {
		memcpy(&p->first_free, pool_at(p, id), sizeof(p->first_free));
		memset(pool_at(p, id), 0, sizeof(p->first_free));
		return id;
	}
	/* The last number is left out, so that n_made + 1 cannot wrap. */
	if (p->n_made >= UINT32_MAX - POOL_CHUNK_ITEMS)
		return POOL_NONE;
	if (p->n_made == p->n_chunks * POOL_CHUNK_ITEMS && !add_chunk(p))
		return POOL_NONE;
	return ++p->n_made;
}

void pool_release(struct pool *p, uint32_t id)
{
	void *item = pool_at(p, id);

	pool_mark(p, id, false);
	memset(item, 0, p->item_bytes);
	memcpy(item, &p->first_free, sizeof(p->first_free));
	p->first_free = id;
}

uint32_t pool_draw(const struct pool *p, uint64_t round, uint32_t i)
{
	uint64_t seed[2] = {round, i};

	return (uint32_t)(hash_keyed(seed, sizeof(seed)) % p->n_made) + 1;
}

void pool_mark(struct pool *p, uint32_t id, bool on)
{
	struct pool_chunk *c = p->chunks[(id - 1) / POOL_CHUNK_ITEMS];
	uint32_t i = (id - 1) % POOL_CHUNK_ITEMS;
	uint64_t bit = UINT64_C(1) << i % 64;

	if (on)
		c->marks[i / 64] |= bit;
	else
		c->marks[i / 64] &= ~bit;
}

uint32_t pool_next_marked(const struct pool *p, uint32_t id)
{
	/* Numbers count from 1, so the bit after that of @id is bit @id. */
	for (uint32_t i = id; i < p->n_made; i = (i / 64 + 1) * 64) {
		const struct pool_chunk *c = p->chunks[i / POOL_CHUNK_ITEMS];
		uint64_t word = c->marks[i % POOL_CHUNK_ITEMS / 64] >> i % 64;

		if (word)
			return i + (uint32_t)__builtin_ctzll(word) + 1;
	}
	return POOL_NONE;
}
