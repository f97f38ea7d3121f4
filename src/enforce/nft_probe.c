/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * What can this kernel do? Tried out in a table of its own that no packet ever sees,
 * because distributions carry patches back and version numbers say little.
 */

#include "enforce/nft_private.h"

#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netlink.h>

#define PROBE_TABLE "bandog-probe"
#define PROBE_SET "s"
#define HOUR_MS UINT64_C(3600000)

static const uint8_t key_longer[4] = {192, 0, 2, 1};
static const uint8_t key_endless[4] = {192, 0, 2, 2};

static int commit(struct nft *n)
{
	int r = nft_batch_end(&n->batch);

	return r < 0 ? r : nft_link_commit(n->link, &n->batch, NULL);
}

static void put_destroy_table(struct nft_batch *b)
{
	nft_batch_message(b, NFT_MSG_DESTROYTABLE, 0);
	nft_batch_put_str(b, NFTA_TABLE_NAME, PROBE_TABLE);
}

static int remove_table(struct nft *n)
{
	nft_batch_begin(&n->batch, nft_link_seq(n->link), 0);
	put_destroy_table(&n->batch);
	return commit(n);
}

static void put_elem(
    struct nft_batch *b, const uint8_t key[4], uint64_t timeout_ms, bool sets_expiry)
{
	size_t list = nft_put_elems(b, NFT_MSG_NEWSETELEM, PROBE_TABLE, PROBE_SET);

	nft_put_elem(b, key, 4, timeout_ms, sets_expiry);
	nft_put_elems_end(b, list);
}

static int make_elements(struct nft *n)
{
	struct nft_batch *b = &n->batch;

	nft_batch_begin(b, nft_link_seq(n->link), 0);
	put_destroy_table(b); /* left behind by a probe that was killed */
	nft_batch_message(b, NFT_MSG_NEWTABLE, NLM_F_CREATE);
	nft_batch_put_str(b, NFTA_TABLE_NAME, PROBE_TABLE);
	nft_batch_message(b, NFT_MSG_NEWSET, NLM_F_CREATE);
	nft_batch_put_str(b, NFTA_SET_TABLE, PROBE_TABLE);
	nft_batch_put_str(b, NFTA_SET_NAME, PROBE_SET);
	nft_batch_put_be32(b, NFTA_SET_FLAGS, NFT_SET_TIMEOUT);
	nft_batch_put_be32(b, NFTA_SET_KEY_LEN, 4);
	nft_batch_put_be32(b, NFTA_SET_ID, ++b->last_set_id);
	put_elem(b, key_longer, HOUR_MS, false);
	put_elem(b, key_endless, HOUR_MS, false);
	return commit(n);
}

/* Twice in one transaction, as a batch of many changes may have it. */
static int change_elements(struct nft *n)
{
	struct nft_batch *b = &n->batch;

	nft_batch_begin(b, nft_link_seq(n->link), 0);
	put_elem(b, key_longer, 2 * HOUR_MS, true);
	put_elem(b, key_longer, 3 * HOUR_MS, true);
	put_elem(b, key_endless, NFT_NO_TIMEOUT, true);
	return commit(n);
}

static bool can_update(struct nft *n)
{
	struct nft_elem longer = {0}, endless = {0};

	return make_elements(n) == 0 && change_elements(n) == 0 &&
	       nft_elem_read(n, PROBE_TABLE, PROBE_SET, key_longer, 4, &longer) == 0 &&
	       nft_elem_read(n, PROBE_TABLE, PROBE_SET, key_endless, 4, &endless) ==
		   0 &&
	       longer.timeout_ms == 3 * HOUR_MS && longer.expires_ms > 2 * HOUR_MS &&
	       endless.timeout_ms == 0;
}

int nft_probe(struct nft *n)
{
	int abilities = NFT_CAN_DESTROY;
	int r = remove_table(n);

	if (r == -EPERM || r == -EACCES || r == -ENOMEM || r == -ENOBUFS)
		return r;
	if (r < 0)
		return 0; /* -EINVAL: a message it does not know */
	if (can_update(n))
		abilities |= NFT_CAN_UPDATE;
	(void)remove_table(
	    n); /* an empty table does no harm, the next probe takes it */
	return abilities;
}
