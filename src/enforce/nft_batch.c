/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Netlink messages (netlink(7)) in a buffer that may move while it grows: so open
 * messages and attributes are remembered as offsets, and lengths are filled in at the
 * end.
 */

#include "enforce/nft_batch.h"

#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>

#define NO_MESSAGE SIZE_MAX

void nft_batch_deinit(struct nft_batch *b)
{
	buf_deinit(&b->b);
}

static void pad(struct nft_batch *b)
{
	static const char zeros[NLA_ALIGNTO];
	size_t over = b->b.n % NLA_ALIGNTO;

	if (over)
		buf_add(&b->b, zeros, NLA_ALIGNTO - over);
}

static void close_message(struct nft_batch *b)
{
	struct nlmsghdr h;

	if (b->message == NO_MESSAGE || b->b.failed)
		return;
	memcpy(&h, b->b.p + b->message, sizeof(h));
	h.nlmsg_len = (uint32_t)(b->b.n - b->message);
	memcpy(b->b.p + b->message, &h, sizeof(h));
	b->message = NO_MESSAGE;
}

static void open_message(struct nft_batch *b, unsigned int type, unsigned int flags,
    unsigned int family, unsigned int resource)
{
	struct nlmsghdr h = {
	    .nlmsg_type = (uint16_t)type,
	    .nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags),
	    .nlmsg_seq = b->last_seq,
	};
	struct nfgenmsg g = {
	    .nfgen_family = (uint8_t)family,
	    .version = NFNETLINK_V0,
	    .res_id = htons((uint16_t)resource),
	};

	close_message(b);
	b->message = b->b.n;
	buf_add(&b->b, &h, sizeof(h));
	buf_add(&b->b, &g, sizeof(g));
}

void nft_batch_begin(struct nft_batch *b, uint32_t seq, uint32_t generation)
{
	buf_clear(&b->b);
	b->message = NO_MESSAGE;
	b->first_seq = b->last_seq = seq;
	b->last_set_id = 0;
	open_message(b, NFNL_MSG_BATCH_BEGIN, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES);
	if (generation)
		nft_batch_put_be32(b, NFNL_BATCH_GENID, generation);
}

uint32_t nft_batch_message(struct nft_batch *b, unsigned int type, unsigned int flags)
{
	b->last_seq++;
	open_message(b, NFNL_SUBSYS_NFTABLES << 8 | type, flags, NFPROTO_INET, 0);
	return b->last_seq;
}

void nft_batch_question(
    struct nft_batch *b, uint32_t seq, unsigned int type, unsigned int flags)
{
	buf_clear(&b->b);
	b->message = NO_MESSAGE;
	b->first_seq = b->last_seq = seq;
	open_message(b, NFNL_SUBSYS_NFTABLES << 8 | type, flags, NFPROTO_INET, 0);
}

void nft_batch_put(struct nft_batch *b, unsigned int attr, const void *p, size_t n)
{
	struct nlattr a = {
	    .nla_len = (uint16_t)(sizeof(a) + n),
	    .nla_type = (uint16_t)attr,
	};

	if (n > NFT_ATTR_MAX_BYTES) {
		b->b.failed = true;
		return;
	}
	buf_add(&b->b, &a, sizeof(a));
	buf_add(&b->b, p, n);
	pad(b);
}

void nft_batch_put_be32(struct nft_batch *b, unsigned int attr, uint32_t v)
{
	uint32_t be = htonl(v);

	nft_batch_put(b, attr, &be, sizeof(be));
}

void nft_batch_put_be64(struct nft_batch *b, unsigned int attr, uint64_t v)
{
	uint64_t be = htobe64(v);

	nft_batch_put(b, attr, &be, sizeof(be));
}

void nft_batch_put_str(struct nft_batch *b, unsigned int attr, const char *v)
{
	nft_batch_put(b, attr, v, strlen(v) + 1);
}

size_t nft_batch_nest(struct nft_batch *b, unsigned int attr)
{
	size_t start = b->b.n;
	struct nlattr a = {
	    .nla_len = 0, /* until nft_batch_nest_end() */
	    .nla_type = (uint16_t)(NLA_F_NESTED | attr),
	};

	buf_add(&b->b, &a, sizeof(a));
	return start;
}

void nft_batch_nest_end(struct nft_batch *b, size_t nest)
{
	struct nlattr a;

	if (b->b.failed)
		return;
	if (b->b.n - nest > NFT_ATTR_MAX_BYTES) {
		b->b.failed = true;
		return;
	}
	memcpy(&a, b->b.p + nest, sizeof(a));
	a.nla_len = (uint16_t)(b->b.n - nest);
	memcpy(b->b.p + nest, &a, sizeof(a));
}

void nft_batch_put_value(
    struct nft_batch *b, unsigned int attr, const void *p, size_t n)
{
	size_t nest = nft_batch_nest(b, attr);

	nft_batch_put(b, NFTA_DATA_VALUE, p, n);
	nft_batch_nest_end(b, nest);
}

static void ask_for_ack(struct nft_batch *b)
{
	struct nlmsghdr h;

	if (b->message == NO_MESSAGE || b->b.failed)
		return;
	memcpy(&h, b->b.p + b->message, sizeof(h));
	h.nlmsg_flags |= NLM_F_ACK;
	memcpy(b->b.p + b->message, &h, sizeof(h));
}

int nft_batch_end(struct nft_batch *b)
{
	ask_for_ack(b);
	open_message(b, NFNL_MSG_BATCH_END, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES);
	close_message(b);
	return b->b.failed ? -EMSGSIZE : 0;
}

int nft_batch_question_end(struct nft_batch *b)
{
	close_message(b);
	return b->b.failed ? -EMSGSIZE : 0;
}
