/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * nft_private - what the files behind nft.h share
 *
 * Networks, too, live in hash sets: one set per prefix length in use, looked up with
 * the source address masked to that length. An interval set (red-black tree) would
 * refuse a network inside another one, so that the inner ban would be lost when the
 * outer one ends while no process of ours runs; and with 100,000 elements adding to it
 * takes 25 ms against 5 µs. The price is one more rule per prefix length in use, which
 * are few.
 */

#include "enforce/nft.h"
#include "enforce/nft_batch.h"
#include "enforce/nft_link.h"

/* What this kernel can do; found out by trying, since version numbers are patched. */
enum {
	NFT_CAN_DESTROY = 1, /* remove what may be absent, Linux 6.3 */
	NFT_CAN_UPDATE = 2,  /* give an element a new timeout, Linux 6.12 */
};

/* One set of a target. @bits of @is_v6's addresses, 32 or 128 for single addresses. */
struct nft_set {
	uint32_t target;
	bool is_v6;
	uint8_t bits;
	bool is_bulk; /* single addresses without counters */
};

struct nft_own_target {
	struct nft_target t;   /* ports sorted and merged */
	bool are_ports_single; /* each range is one port */
	bool has_v4[33];       /* sets that exist, by prefix length */
	bool has_v6[129];
	bool has_bulk[2]; /* by is_v6 */
};

/* What tells our table from one that somebody else put there or changed. */
struct nft_stand {
	uint64_t table_handle;
	bool is_asleep;     /* somebody made it dormant */
	uint32_t table_use; /* chains and sets */
	uint64_t chain_handle;
	bool is_chain_ours; /* hook, priority, policy */
	uint64_t rules;     /* a hash of the rules in their order */
	uint32_t n_rules;
};

struct nft {
	struct nft_place place;
	struct nft_link *link;
	unsigned int abilities;
	struct nft_own_target *targets;
	size_t n_targets;
	struct nft_stand stand; /* as last set up; table_handle 0: never */
	struct nft_batch batch; /* for what changes something */
	struct nft_batch ask;   /* for questions, also while a batch is being written */
};

/* nft_set.c: names and keys of sets */

#define NFT_SET_NAME_ROOM (NFT_SET_NAME_BYTES + 8)

void nft_set_name(const struct nft_own_target *t, const struct nft_set *s,
    char out[NFT_SET_NAME_ROOM]);
/* Is @name a set of @t, and which? @out->target is left alone. */
bool nft_set_parse(
    const struct nft_own_target *t, struct span name, struct nft_set *out);
struct nft_set nft_set_of(uint32_t target, const struct net *net);
bool nft_set_is_net(const struct nft_set *s);
/* Does it exist only once it was needed? */
bool nft_set_is_on_demand(const struct nft_set *s);
/* Whether it exists: has_v4 and so on. */
bool *nft_set_mark(struct nft_own_target *t, const struct nft_set *s);
void nft_set_forget_marks(struct nft_own_target *t);
const uint8_t *nft_set_key(const struct net *net, size_t *n_bytes);

/* Sort and merge the ports of @t. Return: 0 or -EINVAL (no name, from > to, ...). */
int nft_own_target_init(struct nft_own_target *own, const struct nft_target *t);

/* nft_rule.c: messages that set things up */

void nft_put_table(struct nft_batch *b);
void nft_put_chain(struct nft_batch *b, const struct nft_place *p);
void nft_put_flush_chain(struct nft_batch *b, const struct nft_place *p);
void nft_put_delete_chain(struct nft_batch *b, const struct nft_place *p);
void nft_put_set(
    struct nft_batch *b, const struct nft_own_target *t, const struct nft_set *s);
void nft_put_delete_set(struct nft_batch *b, const char *name);
void nft_put_rule(struct nft_batch *b, const struct nft_place *p,
    const struct nft_own_target *t, const struct nft_set *s);

/* What the kernel should answer about a set of ours. */
uint32_t nft_set_key_type(const struct nft_set *s);
uint32_t nft_set_key_bytes(const struct nft_set *s);

/* nft_elem.c: elements */

#define NFT_NO_TIMEOUT UINT64_MAX /* leave it out: without end, or of no matter */

/* Open NEWSETELEM and the like. Return: for nft_put_elems_end(). */
size_t nft_put_elems(
    struct nft_batch *b, unsigned int type, const char *table, const char *set);
void nft_put_elems_end(struct nft_batch *b, size_t list);
/* @sets_expiry: say the remaining time, too; an existing element is set to it anew. */
void nft_put_elem(struct nft_batch *b, const uint8_t *key, size_t n_bytes,
    uint64_t timeout_ms, bool sets_expiry);

struct nft_elem {
	uint64_t timeout_ms; /* 0: without end */
	uint64_t expires_ms; /* from now */
	uint64_t packets, bytes;
};

/* Return: 0, -ENOENT (no such element, set or table), or negative errno. */
int nft_elem_read(struct nft *n, const char *table, const char *set, const uint8_t *key,
    size_t n_bytes, struct nft_elem *out);

/* nft_stand.c */

/* Return: 0, -ENOENT (no table or no chain), or negative errno. */
int nft_stand_read(struct nft *n, struct nft_stand *out);
/* The fields about the table or about the chain only. */
int nft_table_read(struct nft *n, struct nft_stand *out);
int nft_chain_read(struct nft *n, struct nft_stand *out);
/* Keep for nft_intact() what is there now, if that has @n_rules; else it will say 0,
 * and one more nft_setup() does no harm. */
void nft_stand_remember(struct nft *n, size_t n_rules);
int nft_generation_read(struct nft *n, uint32_t *out);

/* nft_probe.c */

/* Return: NFT_CAN_* bits, or negative errno (-EPERM: no right to change anything). */
int nft_probe(struct nft *n);
