/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * nft_watch - what others do to the rule set of this network namespace
 *
 * The kernel tells of each change (group NFNLGRP_NFTABLES); what comes from the sockets
 * that nft_watch_ignore() names is left out by a filter in the kernel, so that our own
 * bans wake nobody. That an element's time was over is not told. Source:
 * linux/netfilter/nf_tables.h, and nf_tables_api.c for what is told when.
 */

#include <stddef.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/str.h"

struct nft_watch;

#define NFT_WATCH_MAX_IGNORED 32

struct nft_watch_fns {
	void *ctx;
	/* The table, or a chain, rule or set of it, was made, changed or removed. */
	void (*changed)(void *ctx, struct span table);
	/* An element was removed from the set; @key: 4 or 16 bytes for those of ours.
	 */
	void (*lost)(void *ctx, struct span table, struct span set, struct span key);
	/* Something was, but what is not known: the kernel told more than was read. */
	void (*missed)(void *ctx);
};

/* NULL with @e. */
struct nft_watch *nft_watch_open(struct err *e);
struct nft_watch *nft_watch_close(struct nft_watch *w);
DEFINE_CLEANUP(struct nft_watch *, nft_watch_close)

int nft_watch_fd(const struct nft_watch *w); /* readable: call nft_watch_read() */

/* Listen, as from the beginning, or not: somebody who listens doubles what each change
 * costs the kernel. Return: 0 or negative errno. */
int nft_watch_listen(struct nft_watch *w, bool yes);

/* Changes by these netlink sockets are ours: nft_port(). Return: 0 or negative errno.
 */
int nft_watch_ignore(struct nft_watch *w, const uint32_t *ports, size_t n);

/* All that was told so far, at most @max messages at once. */
void nft_watch_read(
    struct nft_watch *w, unsigned int max, const struct nft_watch_fns *fns);
