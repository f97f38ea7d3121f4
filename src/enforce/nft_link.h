/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * nft_link - the netlink socket to nf_tables: send a batch, understand the answer
 *
 * The kernel works through a batch before sendto() returns, so answers are there
 * already and nothing here ever waits. What arrives is checked for sender, size and
 * number.
 */

#include "base/cleanup.h"
#include "base/err.h"
#include "enforce/nft_batch.h"

#define NFT_LINK_SEND_MAX_BYTES (1 << 20)   /* a transaction of elements */
#define NFT_LINK_BATCH_MAX_BYTES (64 << 20) /* a set-up, which must not be split */

struct nlattr;
struct nlmsghdr;
struct nft_link;

struct nft_link *nft_link_open(struct err *e);
struct nft_link *nft_link_close(struct nft_link *l);
DEFINE_CLEANUP(struct nft_link *, nft_link_close)

/* The number that the kernel knows the socket by. */
uint32_t nft_link_port(const struct nft_link *l);

/* Bytes that one transaction may have without a larger send buffer. */
size_t nft_link_send_max_bytes(const struct nft_link *l);

/* The first sequence number for a new batch. */
uint32_t nft_link_seq(const struct nft_link *l);

/* Which message was refused and where in it; for the first one that was. */
struct nft_refusal {
	uint32_t seq;          /* 0: not known */
	uint32_t offset_bytes; /* of the bad attribute from the message's start; 0:
				  unknown */
};

/**
 * nft_link_commit() - send a finished batch
 * @out: filled when the kernel refuses; may be NULL
 *
 * Return: 0, or the negative errno of the first refusal, and nothing is changed then.
 * -ENOBUFS: answers were lost; whether it was carried out is not known. -EMSGSIZE: it
 * cannot be sent in one piece.
 */
int nft_link_commit(struct nft_link *l, struct nft_batch *b, struct nft_refusal *out);

/**
 * nft_link_ask() - finish and send a question, hand each answer to @fn
 * @fn: returns 0 or a negative errno, which ends it
 *
 * Return: 0, what @fn said, the kernel's negative errno, or -EINTR when a listing
 * changed under way: ask again.
 */
int nft_link_ask(struct nft_link *l, struct nft_batch *question,
    int (*fn)(void *ctx, const struct nlmsghdr *nlh), void *ctx);

/*
 * Attributes of an answer. @out has @n places, [0] for the type 0; unknown types are
 * left out. Return: false when the message is too short to be one.
 */
bool nft_attrs(const struct nlmsghdr *nlh, const struct nlattr **out, size_t n);
void nft_attrs_nested(const struct nlattr *nest, const struct nlattr **out, size_t n);

/* The attributes in @nest, one by one: the first after NULL. NULL: that was all. */
const struct nlattr *nft_attr_next(const struct nlattr *nest, const struct nlattr *a);

/* Content of an attribute that may be NULL or of the wrong size: then @none. */
uint32_t nft_attr_be32(const struct nlattr *a, uint32_t none);
uint64_t nft_attr_be64(const struct nlattr *a, uint64_t none);
struct span nft_attr_str(const struct nlattr *a); /* up to its NUL */
