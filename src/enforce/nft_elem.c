/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Elements of sets: write them, and ask for a single one by its key.
 */

#include "enforce/nft_private.h"

#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netlink.h>

size_t nft_put_elems(
    struct nft_batch *b, unsigned int type, const char *table, const char *set)
{
	nft_batch_message(b, type, type == NFT_MSG_NEWSETELEM ? NLM_F_CREATE : 0);
	nft_batch_put_str(b, NFTA_SET_ELEM_LIST_TABLE, table);
	nft_batch_put_str(b, NFTA_SET_ELEM_LIST_SET, set);
	return nft_batch_nest(b, NFTA_SET_ELEM_LIST_ELEMENTS);
}

void nft_put_elems_end(struct nft_batch *b, size_t list)
{
	nft_batch_nest_end(b, list);
}

void nft_put_elem(struct nft_batch *b, const uint8_t *key, size_t n_bytes,
    uint64_t timeout_ms, bool sets_expiry)
{
	size_t elem = nft_batch_nest(b, NFTA_LIST_ELEM);

	nft_batch_put_value(b, NFTA_SET_ELEM_KEY, key, n_bytes);
	if (timeout_ms != NFT_NO_TIMEOUT) {
		nft_batch_put_be64(b, NFTA_SET_ELEM_TIMEOUT, timeout_ms);
		if (sets_expiry)
			nft_batch_put_be64(b, NFTA_SET_ELEM_EXPIRATION, timeout_ms);
	}
	nft_batch_nest_end(b, elem);
}

static void read_counter(const struct nlattr *expr, struct nft_elem *out)
{
	const struct nlattr *e[NFTA_EXPR_MAX + 1], *c[NFTA_COUNTER_MAX + 1];

	nft_attrs_nested(expr, e, NFTA_EXPR_MAX + 1);
	if (!span_eq(nft_attr_str(e[NFTA_EXPR_NAME]), SPAN("counter")))
		return;
	nft_attrs_nested(e[NFTA_EXPR_DATA], c, NFTA_COUNTER_MAX + 1);
	out->packets = nft_attr_be64(c[NFTA_COUNTER_PACKETS], 0);
	out->bytes = nft_attr_be64(c[NFTA_COUNTER_BYTES], 0);
}

static void read_elem(const struct nlattr *elem, struct nft_elem *out)
{
	const struct nlattr *a[NFTA_SET_ELEM_MAX + 1], *expr = NULL;

	nft_attrs_nested(elem, a, NFTA_SET_ELEM_MAX + 1);
	*out = (struct nft_elem){
	    .timeout_ms = nft_attr_be64(a[NFTA_SET_ELEM_TIMEOUT], 0),
	    .expires_ms = nft_attr_be64(a[NFTA_SET_ELEM_EXPIRATION], 0),
	};
	if (a[NFTA_SET_ELEM_EXPR])
		read_counter(a[NFTA_SET_ELEM_EXPR], out);
	if (!a[NFTA_SET_ELEM_EXPRESSIONS])
		return;
	while ((expr = nft_attr_next(a[NFTA_SET_ELEM_EXPRESSIONS], expr)))
		read_counter(expr, out);
}

struct reading {
	struct nft_elem elem;
	size_t n_elems;
};

static int on_elems(void *ctx, const struct nlmsghdr *nlh)
{
	const struct nlattr *a[NFTA_SET_ELEM_LIST_MAX + 1], *elem = NULL;
	struct reading *r = ctx;

	if (!nft_attrs(nlh, a, NFTA_SET_ELEM_LIST_MAX + 1))
		return -EBADMSG;
	if (!a[NFTA_SET_ELEM_LIST_ELEMENTS])
		return 0;
	while ((elem = nft_attr_next(a[NFTA_SET_ELEM_LIST_ELEMENTS], elem))) {
		read_elem(elem, &r->elem);
		r->n_elems++;
	}
	return 0;
}

int nft_elem_read(struct nft *n, const char *table, const char *set, const uint8_t *key,
    size_t n_bytes, struct nft_elem *out)
{
	struct reading got = {0};
	struct nft_batch *b = &n->ask;
	size_t list;
	int r;

	nft_batch_question(b, nft_link_seq(n->link), NFT_MSG_GETSETELEM, NLM_F_ACK);
	nft_batch_put_str(b, NFTA_SET_ELEM_LIST_TABLE, table);
	nft_batch_put_str(b, NFTA_SET_ELEM_LIST_SET, set);
	list = nft_batch_nest(b, NFTA_SET_ELEM_LIST_ELEMENTS);
	nft_put_elem(b, key, n_bytes, NFT_NO_TIMEOUT, false);
	nft_batch_nest_end(b, list);
	r = nft_link_ask(n->link, b, on_elems, &got);
	if (r < 0)
		return r;
	if (got.n_elems != 1)
		return -ENOENT;
	*out = got.elem;
	return 0;
}
