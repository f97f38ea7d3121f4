/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Opening, closing, and asking for one counter; the work is in nft_setup.c (tables and
 * rules) and nft_apply.c (bans).
 */

#include "enforce/nft.h"

#include <errno.h>

#include "enforce/nft_private.h"

const struct nft_place nft_own_place = {
    NFT_TABLE, NFT_CHAIN, NF_INET_PRE_ROUTING, NFT_CHAIN_PRIORITY};

bool nft_place_eq(const struct nft_place *a, const struct nft_place *b)
{
	return !strcmp(a->table, b->table) && !strcmp(a->chain, b->chain) &&
	       a->hook == b->hook && a->priority == b->priority;
}

struct nft *nft_open(const struct nft_place *place, struct err *e)
{
	CLEANUP(nft_closep) struct nft *n = calloc(1, sizeof(*n));
	int r;

	if (!n) {
		err_set(e, -ENOMEM, "out of memory");
		return NULL;
	}
	n->place = *place;
	n->batch = NFT_BATCH_INIT(n->place.table, NFT_LINK_BATCH_MAX_BYTES);
	n->ask = NFT_BATCH_INIT(n->place.table, 4096);
	n->link = nft_link_open(e);
	if (!n->link)
		return NULL;
	r = nft_probe(n);
	if (r == -EPERM) {
		err_set(e, r,
		    "nftables: no right to change the firewall"
		    " (CAP_NET_ADMIN is missing)");
		return NULL;
	}
	if (r < 0) {
		err_errno(e, r, "nftables does not answer");
		return NULL;
	}
	n->abilities = (unsigned int)r;
	return TAKE(n);
}

struct nft *nft_close(struct nft *n)
{
	if (!n)
		return NULL;
	nft_batch_deinit(&n->batch);
	nft_batch_deinit(&n->ask);
	free(n->targets);
	nft_link_close(n->link);
	free(n);
	return NULL;
}

uint32_t nft_port(const struct nft *n)
{
	return nft_link_port(n->link);
}

static int net_of_key(const struct nft_set *s, struct span key, struct net *out)
{
	uint8_t v6[16];
	uint32_t v4;

	if (key.n != (s->is_v6 ? sizeof(v6) : sizeof(v4)))
		return -ENOENT;
	memcpy(s->is_v6 ? (void *)v6 : &v4, key.p, key.n);
	*out = net_mask(s->is_v6 ? net_from_v6(v6) : net_from_v4(v4), s->bits);
	return 0;
}

int nft_net_of_key(
    const struct nft *n, struct span set, struct span key, struct net *out)
{
	for (size_t i = 0; i < n->n_targets; i++) {
		struct nft_set s = {.target = (uint32_t)i};

		if (nft_set_parse(&n->targets[i], set, &s))
			return net_of_key(&s, key, out);
	}
	return -ENOENT;
}

int nft_counter(struct nft *n, uint32_t target, const struct net *net,
    uint64_t *packets, uint64_t *bytes)
{
	struct nft_set s = nft_set_of(target, net);
	char name[NFT_SET_NAME_ROOM];
	struct nft_elem elem;
	const uint8_t *key;
	size_t n_bytes;
	int r;

	if (target >= n->n_targets)
		return -EINVAL;
	nft_set_name(&n->targets[target], &s, name);
	key = nft_set_key(net, &n_bytes);
	r = nft_elem_read(n, n->ask.table, name, key, n_bytes, &elem);
	s.is_bulk = true;
	if (r == -ENOENT && !nft_set_is_net(&s) &&
	    *nft_set_mark(&n->targets[target], &s)) {
		nft_set_name(&n->targets[target], &s, name);
		r = nft_elem_read(n, n->ask.table, name, key, n_bytes, &elem);
	}
	if (r < 0)
		return r;
	*packets = elem.packets;
	*bytes = elem.bytes;
	return 0;
}
