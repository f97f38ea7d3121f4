/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ban_table - a pool of bans, chained under a keyed hash and linked in a tree
 */
#include "decide/ban_table.h"

#include <errno.h>
#include <string.h>

#include "base/hash.h"
#include "decide/pool.h"

#define FIRST_HEADS 64

RB_HEAD(ban_order, ban);

struct ban_table {
	struct pool bans;
	struct ban_order by_end;
	struct ban *first; /* of them: looked at with each failure */
	uint32_t *heads;
	uint32_t n_heads; /* a power of 2 */
	size_t n_bans;
	size_t max_bans;
	size_t names_bytes;
	size_t n_of_bits[129]; /* bans of networks with this prefix length */
};

static int cmp_end(const struct ban *a, const struct ban *b)
{
	int r;

	if (a->until.us != b->until.us)
		return a->until.us < b->until.us ? -1 : 1;
	r = net_cmp(&a->net, &b->net);
	if (r)
		return r;
	return (a->id > b->id) - (a->id < b->id);
}

/* RB_GENERATE_STATIC() of this header uses a name that glibc does not have. */
RB_GENERATE_INTERNAL(ban_order, ban, by_end, cmp_end, __attribute__((unused)) static)

static struct ban *ban_at(const struct ban_table *t, uint32_t id)
{
	return pool_at(&t->bans, id);
}

struct ban_table *ban_table_new(size_t max_bans)
{
	CLEANUP(ban_table_freep) struct ban_table *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	pool_init(&t->bans, sizeof(struct ban));
	RB_INIT(&t->by_end);
	t->n_heads = FIRST_HEADS;
	t->heads = calloc(t->n_heads, sizeof(*t->heads));
	if (!t->heads)
		return NULL;
	ban_table_set_max(t, max_bans);
	return TAKE(t);
}

struct ban_table *ban_table_free(struct ban_table *t)
{
	if (!t)
		return NULL;
	for (uint32_t id = 1; id <= t->bans.n_made; id++)
		if (ban_at(t, id)->cause)
			free(ban_at(t, id)->name);
	pool_deinit(&t->bans);
	free(t->heads);
	free(t);
	return NULL;
}

void ban_table_set_max(struct ban_table *t, size_t max_bans)
{
	t->max_bans = max_bans;
}

size_t ban_table_count(const struct ban_table *t)
{
	return t->n_bans;
}

static uint32_t *head_of(const struct ban_table *t, uint32_t jail, const struct net *n)
{
	uint8_t key[sizeof(*n) + sizeof(jail)];

	memcpy(key, n, sizeof(*n));
	memcpy(key + sizeof(*n), &jail, sizeof(jail));
	return &t->heads[hash_keyed(key, sizeof(key)) & (t->n_heads - 1)];
}

struct ban *ban_table_find(
    const struct ban_table *t, uint32_t jail, const struct net *n)
{
	uint32_t id = *head_of(t, jail, n);

	while (id != POOL_NONE) {
		struct ban *b = ban_at(t, id);

		if (b->jail == jail && net_eq(&b->net, n))
			return b;
		id = b->next;
	}
	return NULL;
}

struct ban *ban_table_find_around(
    const struct ban_table *t, uint32_t jail, const struct net *n, wall_t now)
{
	for (unsigned int bits = net_is_id(n) ? 0 : n->bits; bits-- > 0;) {
		struct net outer;
		struct ban *b;

		if (t->n_of_bits[bits] == 0)
			continue;
		outer = net_cut(*n, bits);
		b = ban_table_find(t, jail, &outer);
		if (b && net_contains(&outer, n) && b->until.us > now.us)
			return b;
	}
	return NULL;
}

static void link_ban(struct ban_table *t, struct ban *b)
{
	uint32_t *head = head_of(t, b->jail, &b->net);

	b->next = *head;
	*head = b->id;
}

static void rehash(struct ban_table *t)
{
	memset(t->heads, 0, t->n_heads * sizeof(*t->heads));
	for (uint32_t id = 1; id <= t->bans.n_made; id++)
		if (ban_at(t, id)->cause)
			link_ban(t, ban_at(t, id));
}

/* One head per ban; without memory for more, chains get longer and all goes on. */
static void grow(struct ban_table *t)
{
	uint32_t *heads;

	if (t->n_bans < t->n_heads || t->n_heads > UINT32_MAX / 2)
		return;
	heads = calloc(t->n_heads * (size_t)2, sizeof(*heads));
	if (!heads)
		return;
	free(t->heads);
	t->heads = heads;
	t->n_heads *= 2;
	rehash(t);
}

static size_t name_bytes(const struct ban_id *name)
{
	return name ? sizeof(*name) + strlen(name->text) + 1 : 0;
}

static struct ban_id *name_of(const struct order *o)
{
	size_t n = strlen(o->id) + 1;
	struct ban_id *name = malloc(sizeof(*name) + n);

	if (!name)
		return NULL;
	name->ip = o->ip;
	memcpy(name->text, o->id, n);
	return name;
}

static void order_insert(struct ban_table *t, struct ban *b)
{
	ban_order_RB_INSERT(&t->by_end, b);
	if (!t->first || cmp_end(b, t->first) < 0)
		t->first = b;
}

static void order_remove(struct ban_table *t, struct ban *b)
{
	if (b == t->first)
		t->first = ban_order_RB_NEXT(b);
	ban_order_RB_REMOVE(&t->by_end, b);
}

int ban_table_add(struct ban_table *t, const struct order *o, struct ban **out)
{
	CLEANUP(freep) struct ban_id *name = o->id ? name_of(o) : NULL;
	struct ban *b;
	uint32_t id;

	if (o->id && !name)
		return -ENOMEM;
	if (t->n_bans >= t->max_bans ||
	    name_bytes(name) > BAN_TABLE_NAMES_BYTES - t->names_bytes)
		return BAN_TABLE_FULL;
	id = pool_alloc(&t->bans);
	if (id == POOL_NONE)
		return -ENOMEM;
	b = ban_at(t, id);
	t->names_bytes += name_bytes(name);
	b->name = TAKE(name);
	b->id = id;
	b->jail = (uint16_t)o->jail;
	b->net = o->net;
	b->until = o->until;
	b->cause = (uint8_t)o->cause;
	link_ban(t, b);
	order_insert(t, b);
	if (!net_is_id(&b->net))
		t->n_of_bits[b->net.bits]++;
	t->n_bans++;
	grow(t);
	*out = b;
	return 0;
}

void ban_table_set_until(struct ban_table *t, struct ban *b, wall_t until)
{
	order_remove(t, b);
	b->until = until;
	order_insert(t, b);
}

void ban_table_remove(struct ban_table *t, struct ban *b)
{
	uint32_t *link = head_of(t, b->jail, &b->net);

	while (*link != b->id)
		link = &ban_at(t, *link)->next;
	*link = b->next;
	order_remove(t, b);
	if (!net_is_id(&b->net))
		t->n_of_bits[b->net.bits]--;
	t->names_bytes -= name_bytes(b->name);
	free(b->name);
	t->n_bans--;
	pool_release(&t->bans, b->id);
}

struct ban *ban_table_first(const struct ban_table *t)
{
	return t->first;
}

struct ban *ban_table_after(const struct ban *b)
{
	/* The generated function takes and returns a ban that may be changed. */
	return ban_order_RB_NEXT((struct ban *)(uintptr_t)b);
}

struct ban *ban_table_next(const struct ban_table *t, uint32_t id)
{
	while (++id <= t->bans.n_made)
		if (ban_at(t, id)->cause)
			return ban_at(t, id);
	return NULL;
}

void ban_table_remap(struct ban_table *t, const uint32_t *map)
{
	for (uint32_t id = 1; id <= t->bans.n_made; id++) {
		struct ban *b = ban_at(t, id);

		if (b->cause)
			b->jail = (uint16_t)map[b->jail];
	}
	rehash(t);
}
