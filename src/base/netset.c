/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * netset - a keyed hash of networks, probed once per prefix length in use
 */

#include "base/netset.h"

#include <errno.h>

#include "base/hash.h"

struct item {
	struct net net;
	UT_hash_handle hh;
};

struct netset {
	struct item *items;
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
	(void)TAKE(i);
	return 0;
}

bool netset_find(const struct netset *s, const struct net *n, struct net *out)
{
	for (size_t i = 0; i < s->n_lengths && !net_is_id(n); i++) {
		struct net outer;

		if (s->lengths[i] > n->bits)
			continue;
		outer = net_cut(*n, s->lengths[i]);
		/* ::/0 and its like do not contain IPv4. */
		if (net_is_v4(&outer) != net_is_v4(n) || !find_exact(s, &outer))
			continue;
		if (out)
			*out = outer;
		return true;
	}
	return false;
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
