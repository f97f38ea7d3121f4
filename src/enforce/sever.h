/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * sever - the connections that a banned address has open here are ended at once
 *
 * A drop alone leaves them to the server's own timeout, with the place that each of
 * them takes. TCP only; sockets of this network namespace; found by one listing of the
 * kernel (sock_diag) for all bans of a call, ended with SOCK_DESTROY. Where IPv6
 * sockets carry IPv4 that is seen. Cut is what the targets of a ban block and nothing
 * else: never a socket that listens, another peer, another local port, or what an
 * interface alone decides. A port that the kernel redirects to another one does not
 * count as blocked.
 *
 * Bounded: SEVER_MAX_BANS and SEVER_MAX_SOCKETS a call. Never waits. The listing is a
 * walk over all connections of this machine (0.2 ms, or 50 ms with 100,000 of them):
 * who calls has to see that it is not called too often. Needs CAP_NET_ADMIN.
 */

#include "base/net.h"
#include "enforce/nft.h"

#define SEVER_MAX_BANS 128
#define SEVER_MAX_SOCKETS 1024

struct sever_ban {
	struct net net;
	const struct nft_target *targets; /* as configured, any order of ports */
	uint32_t n_targets;
	uint8_t step;   /* only targets that serve it count */
	uint32_t n_cut; /* out: so many connections were ended */
};

enum {
	SEVER_MORE = 1, /* some were cut, and there may be others: call again */
};

/* Is what arrives for that TCP port dropped, whatever its way in? */
bool sever_is_blocked(const struct nft_target *t, uint16_t port);

/**
 * sever() - end connections
 * @bans: at most SEVER_MAX_BANS, none of which the guard would refuse
 *
 * Return: 0, SEVER_MORE, or negative errno. -EOPNOTSUPP, -ENOENT: this kernel cannot.
 * What was cut before a failure is counted.
 */
int sever(struct sever_ban *bans, size_t n);
