/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * memo - two open-addressed tables
 *
 * An entry that is found in the older table is copied to the younger, which is searched
 * first; so the copy that stays behind is never seen again. A dropped entry is zeroed
 * and stays in its place: a value of zeroes is what memo_get() makes anyway.
 */
#include "decide/memo.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_ROOM 64

struct generation {
	uint64_t *keys; /* 0: free */
	unsigned char *values;
	size_t n;
	size_t room; /* a power of 2, at least 2 * n; 0: nothing there yet */
};

struct memo {
	struct generation young, old;
	size_t value_bytes;
	size_t max;
};

static void generation_deinit(struct generation *g)
{
	free(g->keys);
	free(g->values);
	*g = (struct generation){.n = 0};
}

static bool generation_init(struct generation *g, size_t room, size_t value_bytes)
{
	*g = (struct generation){.room = room};
	g->keys = calloc(room, sizeof(*g->keys));
	g->values = calloc(room, value_bytes);
	if (g->keys && g->values)
		return true;
	generation_deinit(g);
	return false;
}

struct memo *memo_new(size_t value_bytes, size_t max)
{
	struct memo *m = calloc(1, sizeof(*m));

	assert(value_bytes <= MEMO_MAX_VALUE_BYTES);
	if (!m)
		return NULL;
	m->value_bytes = value_bytes;
	m->max = max ? max : 1;
	return m;
}

struct memo *memo_free(struct memo *m)
{
	if (!m)
		return NULL;
	memo_clear(m);
	free(m);
	return NULL;
}

void memo_clear(struct memo *m)
{
	generation_deinit(&m->young);
	generation_deinit(&m->old);
}

/* The place of @key, or the free one where it would go. There is room. */
static size_t place_of(const struct generation *g, uint64_t key)
{
	size_t i = (size_t)key & (g->room - 1);

	while (g->keys[i] && g->keys[i] != key)
		i = (i + 1) & (g->room - 1);
	return i;
}

static unsigned char *look(const struct generation *g, uint64_t key, size_t value_bytes)
{
	size_t i;

	if (!g->n)
		return NULL;
	i = place_of(g, key);
	return g->keys[i] ? g->values + i * value_bytes : NULL;
}

static bool grow(struct memo *m)
{
	struct generation *g = &m->young, more;

	if (!generation_init(&more, g->room ? g->room * 2 : FIRST_ROOM, m->value_bytes))
		return false;
	more.n = g->n;
	for (size_t i = 0; i < g->room; i++) {
		size_t to;

		if (!g->keys[i])
			continue;
		to = place_of(&more, g->keys[i]);
		more.keys[to] = g->keys[i];
		memcpy(more.values + to * m->value_bytes,
		    g->values + i * m->value_bytes, m->value_bytes);
	}
	generation_deinit(g);
	*g = more;
	return true;
}

static unsigned char *insert(struct memo *m, uint64_t key)
{
	struct generation *g = &m->young;
	size_t i;

	if (g->n >= m->max) {
		generation_deinit(&m->old);
		m->old = *g;
		*g = (struct generation){.n = 0};
	}
	if (g->n * 2 >= g->room && !grow(m))
		return NULL;
	i = place_of(g, key);
	g->keys[i] = key;
	g->n++;
	return g->values + i * m->value_bytes;
}

static uint64_t usable(uint64_t key)
{
	return key ? key : 1;
}

static unsigned char *find(struct memo *m, uint64_t key, bool adds)
{
	unsigned char *young = look(&m->young, key, m->value_bytes), *old, *copy;
	/* The older table may go while the entry moves to the younger. */
	unsigned char kept[MEMO_MAX_VALUE_BYTES];

	if (young)
		return young;
	old = look(&m->old, key, m->value_bytes);
	if (!old && !adds)
		return NULL;
	if (old)
		memcpy(kept, old, m->value_bytes);
	copy = insert(m, key);
	if (copy && old)
		memcpy(copy, kept, m->value_bytes);
	return copy;
}

void *memo_find(struct memo *m, uint64_t key)
{
	return find(m, usable(key), false);
}

void *memo_get(struct memo *m, uint64_t key)
{
	return find(m, usable(key), true);
}

void memo_drop(struct memo *m, uint64_t key)
{
	struct generation *both[] = {&m->young, &m->old};

	for (size_t i = 0; i < 2; i++) {
		unsigned char *v = look(both[i], usable(key), m->value_bytes);

		if (v)
			memset(v, 0, m->value_bytes);
	}
}

size_t memo_count(const struct memo *m)
{
	return m->young.n + m->old.n;
}
