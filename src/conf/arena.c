/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * arena - chunks that are only ever added to, freed together
 */

#include "conf/arena.h"

#include <errno.h>
#include <stddef.h>

#include "base/hash.h"

#define CHUNK_BYTES ((size_t)64 * 1024)
#define FIRST_BUCKETS 16

struct chunk {
	struct chunk *next;
	max_align_t data[];
};

struct arena {
	struct chunk *chunks;
	unsigned char *next; /* free part of the newest ordinary chunk */
	size_t left;
	size_t n_bytes, max_bytes;
};

struct arena *arena_new(size_t max_bytes)
{
	struct arena *a = calloc(1, sizeof(*a));

	if (a)
		a->max_bytes = max_bytes;
	return a;
}

struct arena *arena_free(struct arena *a)
{
	if (!a)
		return NULL;
	for (struct chunk *c = a->chunks, *next; c; c = next) {
		next = c->next;
		free(c);
	}
	free(a);
	return NULL;
}

static struct chunk *add_chunk(struct arena *a, size_t n)
{
	struct chunk *c;

	if (n > a->max_bytes - a->n_bytes)
		return NULL;
	c = calloc(1, sizeof(*c) + n);
	if (!c)
		return NULL;
	a->n_bytes += n;
	c->next = a->chunks;
	a->chunks = c;
	return c;
}

void *arena_alloc(struct arena *a, size_t n)
{
	struct chunk *c;
	void *p;

	if (n > a->max_bytes)
		return NULL;
	n = (n + _Alignof(max_align_t) - 1) & ~(_Alignof(max_align_t) - 1);
	/* What is large gets a chunk of its own, so that little is wasted at its end.
	 */
	if (n > CHUNK_BYTES / 4) {
		c = add_chunk(a, n);
		return c ? c->data : NULL;
	}
	if (n > a->left) {
		c = add_chunk(a, CHUNK_BYTES);
		if (!c)
			return NULL;
		a->next = (unsigned char *)c->data;
		a->left = CHUNK_BYTES;
	}
	p = a->next;
	a->next += n;
	a->left -= n;
	return p;
}

void *arena_alloc_array(struct arena *a, size_t n, size_t item_bytes)
{
	size_t bytes;

	if (__builtin_mul_overflow(n, item_bytes, &bytes))
		return NULL;
	return arena_alloc(a, bytes);
}

char *arena_dup(struct arena *a, struct span s)
{
	char *p = arena_alloc(a, s.n + 1);

	if (p && s.n)
		memcpy(p, s.p, s.n);
	return p;
}

char *arena_dup_lower(struct arena *a, struct span s)
{
	char *p = arena_dup(a, s);

	for (size_t i = 0; p && i < s.n; i++)
		if (p[i] >= 'A' && p[i] <= 'Z')
			p[i] = (char)(p[i] + ('a' - 'A'));
	return p;
}

static struct dict_item *find_item(const struct dict *d, struct span key, uint64_t hash)
{
	struct dict_item *i;

	if (!d->n_buckets)
		return NULL;
	for (i = d->buckets[hash & (d->n_buckets - 1)]; i; i = i->next_in_bucket)
		if (i->hash == hash && span_eq(span_of(i->key), key))
			return i;
	return NULL;
}

void *dict_find(const struct dict *d, struct span key)
{
	struct dict_item *i;

	if (!d || !d->n)
		return NULL;
	i = find_item(d, key, hash_keyed(key.p, key.n));
	return i ? i->value : NULL;
}

static int grow(struct dict *d)
{
	size_t n = d->n_buckets ? d->n_buckets * 4 : FIRST_BUCKETS;
	struct dict_item **buckets =
	    arena_alloc_array(d->arena, n, sizeof(struct dict_item *));

	if (!buckets)
		return -ENOMEM;
	for (struct dict_item *i = d->first; i; i = i->next) {
		i->next_in_bucket = buckets[i->hash & (n - 1)];
		buckets[i->hash & (n - 1)] = i;
	}
	d->buckets = buckets;
	d->n_buckets = n;
	return 0;
}

int dict_put(struct dict *d, const char *key, void *value)
{
	uint64_t hash = hash_keyed(key, strlen(key));
	struct dict_item *i = find_item(d, span_of(key), hash);

	if (i) {
		i->value = value;
		return 0;
	}
	if (d->n >= d->n_buckets && grow(d) < 0)
		return -ENOMEM;
	i = arena_alloc(d->arena, sizeof(*i));
	if (!i)
		return -ENOMEM;
	*i = (struct dict_item){.key = key, .value = value, .hash = hash};
	i->next_in_bucket = d->buckets[hash & (d->n_buckets - 1)];
	d->buckets[hash & (d->n_buckets - 1)] = i;
	if (d->last)
		d->last->next = i;
	else
		d->first = i;
	d->last = i;
	d->n++;
	return 0;
}
