/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * netset - a keyed hash of networks, probed once per prefix length in use; beside it
 * the networks themselves as long as they are few, for each failure asks
 */

#include "base/netset.h"

#include <errno.h>
#include <string.h>

#include "base/hash.h"

struct item {
	struct net net;
	UT_hash_handle hh;
};

#define FEW 8

/* A network as two words and the bits of them that count. */
struct words {
	uint64_t want[2], mask[2];
	struct net net;
	bool is_v4;
};

struct netset {
	struct item *items;
	struct words few[FEW]; /* longest prefix first; good while all items fit */
	size_t n_of_bits[129]; /* how many networks have this prefix length */
	uint8_t lengths[129];  /* those in use, longest first */
	size_t n_lengths;
};

struct netset *netset_new(void)
{
	return calloc(1, sizeof(struct netset));
}

struct netset *netset_free(struct netset *s)
{
	struct item *i, *next;

	if (!s)
		return NULL;
	HASH_ITER (hh, s->items, i, next) {
		HASH_DEL(s->items, i);
		free(i);
	}
	free(s);
	return NULL;
}

static const struct item *find_exact(const struct netset *s, const struct net *n)
{
	struct item *i;

	HASH_FIND(hh, s->items, n, sizeof(*n), i);
	return i;
}

static void note_length(struct netset *s, uint8_t bits)
{
	size_t i = s->n_lengths;

	if (s->n_of_bits[bits]++)
		return;
	for (; i > 0 && s->lengths[i - 1] < bits; i--)
		s->lengths[i] = s->lengths[i - 1];
	s->lengths[i] = bits;
	s->n_lengths++;
}

static struct words words_of(const struct net *n)
{
	struct net ones = {.bits = 128};
	struct words w = {.net = *n, .is_v4 = net_is_v4(n)};

	memset(ones.addr, 0xff, sizeof(ones.addr));
	ones = net_cut(ones, n->bits);
	memcpy(w.want, n->addr, sizeof(w.want));
	memcpy(w.mask, ones.addr, sizeof(w.mask));
	return w;
}

/* @n is the last of the items. */
static void note_few(struct netset *s, const struct net *n)
{
	size_t i = netset_count(s) - 1;

	if (i >= FEW)
		return;
	for (; i > 0 && s->few[i - 1].net.bits < n->bits; i--)
		s->few[i] = s->few[i - 1];
	s->few[i] = words_of(n);
}

int netset_add(struct netset *s, const struct net *n)
{
	CLEANUP(freep) struct item *i = NULL;

	if (net_is_id(n))
		return -EINVAL;
	if (find_exact(s, n))
		return 0;
	if (netset_count(s) >= NETSET_MAX)
		return -ENOSPC;
	i = calloc(1, sizeof(*i));
	if (!i)
		return -ENOMEM;
	i->net = *n;
	HASH_ADD(hh, s->items, net, sizeof(i->net), i);
	if (!i->hh.tbl)
		return -ENOMEM;
	note_length(s, n->bits);
	note_few(s, n);
	(void)TAKE(i);
	return 0;
}

/* ::/0 and its like do not contain IPv4. */
static const struct net *find_few(
    const struct netset *s, size_t n_few, const struct net *n)
{
	uint64_t have[2];

	memcpy(have, n->addr, sizeof(have));
	for (size_t i = 0; i < n_few; i++) {
		const struct words *w = &s->few[i];

		if (((have[0] ^ w->want[0]) & w->mask[0]) |
		    ((have[1] ^ w->want[1]) & w->mask[1]))
			continue;
		if (w->net.bits <= n->bits && w->is_v4 == net_is_v4(n))
			return &w->net;
	}
	return NULL;
}

static const struct net *find_hashed(const struct netset *s, const struct net *n)
{
	for (size_t i = 0; i < s->n_lengths; i++) {
		const struct item *found;
		struct net outer;

		if (s->lengths[i] > n->bits)
			continue;
		outer = net_cut(*n, s->lengths[i]);
		found =
		    net_is_v4(&outer) == net_is_v4(n) ? find_exact(s, &outer) : NULL;
		if (found)
			return &found->net;
	}
	return NULL;
}

HOT bool netset_find(const struct netset *s, const struct net *n, struct net *out)
{
	size_t n_all = netset_count(s);
	const struct net *found = NULL;

	if (!net_is_id(n))
		found = n_all <= FEW ? find_few(s, n_all, n) : find_hashed(s, n);
	if (found && out)
		*out = *found;
	return found;
}

bool netset_overlaps(const struct netset *s, const struct net *n)
{
	struct item *i, *next;

	if (netset_find(s, n, NULL))
		return true;
	if (net_is_host(n))
		return false;
	/* Only networks get here, and they are few: a plain walk. */
	HASH_ITER (hh, s->items, i, next)
		if (net_contains(n, &i->net))
			return true;
	return false;
}

size_t netset_count(const struct netset *s)
{
	return HASH_COUNT(s->items);
}
