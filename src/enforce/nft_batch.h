/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * nft_batch - write nf_tables messages, one after another, into one buffer
 *
 * A batch is a transaction: begin, messages with attributes, end. Writes never fail in
 * between; nft_batch_end() tells whether all fitted. Libnftnl is not used: it builds
 * each element as an object with copies of its parts (11.5 µs per ban against 5 µs) and
 * writes without looking at the end of the buffer.
 */

#include "base/buf.h"

/* The largest content of one attribute; struct nlattr counts its bytes in 16 bits. */
#define NFT_ATTR_MAX_BYTES 65000

/* Newer than the kernel headers of Debian 12: linux/netfilter/nf_tables.h, Linux 6.3.
 */
#define NFT_MSG_DESTROYTABLE 26
#define NFT_MSG_DESTROYSETELEM 30

struct nft_batch {
	const char *table; /* whose objects the messages speak of; not owned */
	struct buf b;
	size_t message;     /* where the open message starts */
	uint32_t first_seq; /* of the begin mark */
	uint32_t last_seq;  /* of the message written last */
	uint32_t
	    last_set_id; /* the kernel wants each new set numbered within a batch */
};

#define NFT_BATCH_INIT(name, max_bytes) \
	((struct nft_batch){.table = (name), .b = BUF_INIT(max_bytes)})

void nft_batch_deinit(struct nft_batch *b);

/* Start anew. @generation: refuse if the rule set is not that one (-ERESTART); 0: any.
 */
void nft_batch_begin(struct nft_batch *b, uint32_t seq, uint32_t generation);

/* Or start anew with a single question that is no transaction. */
void nft_batch_question(
    struct nft_batch *b, uint32_t seq, unsigned int type, unsigned int flags);

/* Open the next message. @type: NFT_MSG_*. Return: its sequence number. */
uint32_t nft_batch_message(struct nft_batch *b, unsigned int type, unsigned int flags);

void nft_batch_put(struct nft_batch *b, unsigned int attr, const void *p, size_t n);
void nft_batch_put_be32(struct nft_batch *b, unsigned int attr, uint32_t v);
void nft_batch_put_be64(struct nft_batch *b, unsigned int attr, uint64_t v);
void nft_batch_put_str(struct nft_batch *b, unsigned int attr, const char *v);

/* Open an attribute that holds attributes. Return: what nft_batch_nest_end() wants. */
size_t nft_batch_nest(struct nft_batch *b, unsigned int attr);
void nft_batch_nest_end(struct nft_batch *b, size_t nest);

/* @attr holding one NFTA_DATA_VALUE, as keys and operands do. */
void nft_batch_put_value(
    struct nft_batch *b, unsigned int attr, const void *p, size_t n);

/**
 * nft_batch_end() - close the last message and ask for its acknowledgement
 *
 * One acknowledgement is enough: the kernel reports refused messages unasked, before
 * it.
 *
 * Return: 0, or -EMSGSIZE when not all fitted (or memory was short).
 */
int nft_batch_end(struct nft_batch *b);

/* Close a single question. Return: as nft_batch_end(). */
int nft_batch_question_end(struct nft_batch *b);
