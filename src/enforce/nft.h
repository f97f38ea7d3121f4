/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * nft - the kernel drops what is banned: nftables by netlink, no program, no text
 *
 * One table, usually `inet bandog` of our own; or the one that fail2ban's nftables
 * action makes, under its names, so that scripts around it see what they always saw.
 * Per target (a jail's port list) a hash set for single addresses and, once a network
 * is banned, one for each prefix length in use, each per family, with kernel timeout
 * and a counter per element. So networks may overlap: each is banned for its own time.
 * A counter makes an element five times as dear to add; so those that come in bulk go
 * to a set without, which is made when it is first needed. Rules stand in a chain at
 * prerouting before connection tracking (priority raw - 10): the cheapest place that
 * sees every interface. Source: linux/netfilter/nf_tables.h.
 *
 * Sends batches; never lists a set. Needs CAP_NET_ADMIN in its network namespace.
 */

#include <net/if.h>
#include <netinet/in.h>

/* Behind netinet/in.h, which it would clash with. */
#include <linux/netfilter.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/net.h"

#define NFT_TABLE "bandog"
#define NFT_CHAIN "prerouting"
#define NFT_CHAIN_PRIORITY                                        \
	(-310) /* connection tracking stands at -200, raw at -300 \
		*/
#define NFT_SET_NAME_BYTES 64
#define NFT_MAX_PORT_RANGES 64
#define NFT_MAX_TARGETS 4096
#define NFT_MAX_HOSTS \
	(1 << 20) /* in one set; the kernel takes about 200 bytes for each */
#define NFT_MAX_NETS (1 << 16) /* likewise */

struct nft;

struct nft_ports {
	uint16_t from, to;
};

/* Where rules stand: a base chain of type filter in a table of family inet. */
struct nft_place {
	char table[NFT_SET_NAME_BYTES];
	char chain[NFT_SET_NAME_BYTES];
	uint32_t hook; /* NF_INET_PRE_ROUTING, NF_INET_LOCAL_IN, NF_INET_FORWARD */
	int32_t priority;
};
#define NFT_MAX_TABLES 16                    /* of all jails together, ours included */
extern const struct nft_place nft_own_place; /* NFT_TABLE and so on, above */
bool nft_place_eq(const struct nft_place *a, const struct nft_place *b);

enum nft_answer {
	NFT_DROP,
	NFT_REJECT, /* ICMP port unreachable */
	NFT_RESET,  /* TCP: a reset; all else as NFT_REJECT */
};
#define NFT_N_ANSWERS (NFT_RESET + 1)

struct nft_target {
	struct nft_place place; /* for who sorts targets; nft_setup() ignores it */
	enum nft_answer answer;
	/* "": made of the name. Networks: the same with "-24" and so on behind it. */
	char set4[NFT_SET_NAME_BYTES], set6[NFT_SET_NAME_BYTES];
	/* Sets: NAME-ipv4, -ipv6, -many4, -many6, -net4-24, -net6-64. */
	char name[NFT_SET_NAME_BYTES - 8];
	uint8_t protocol; /* IPPROTO_TCP, IPPROTO_UDP, or 0: everything (with ports:
			     both) */
	size_t n_ports;   /* 0: all ports; ignored for a protocol that has none */
	struct nft_ports ports[NFT_MAX_PORT_RANGES];
	char interface[IFNAMSIZ]; /* "": any */
	/* For who chooses between targets; nft_setup() ignores both. */
	uint16_t steps; /* bit i: bans at step i, bit 0: without one; 0: all bans */
	bool is_copy;   /* of another target, for a step that answers otherwise */
	bool is_xdp;    /* dropped there, by xdp.h: nft_setup() is never given it */
};

/* Does it hold bans of this step of its jail? Step 0: without one. */
static inline bool nft_target_serves(const struct nft_target *t, uint8_t step)
{
	return !t->steps || (step < 16 && (t->steps >> step) & 1);
}

/* Make a set name of any jail name: letters, digits, - and _; others become _ and a
 * hash keeps two different names apart. @suffix tells targets of one jail apart. */
void nft_target_name(
    char out[NFT_SET_NAME_BYTES - 8], const char *jail, unsigned int suffix);

/**
 * nft_open()
 * @place: ours alone: what others put into this table is taken out
 *
 * Return: NULL with @e (no netlink, no right).
 */
struct nft *nft_open(const struct nft_place *place, struct err *e);
struct nft *nft_close(struct nft *n);
DEFINE_CLEANUP(struct nft *, nft_close)

/**
 * nft_setup() - bring table, chain, sets and rules to what @targets say
 *
 * One transaction. Sets that exist already keep their elements; sets of targets that
 * are gone are removed with their rules. Return: 0 or negative errno with @e.
 */
int nft_setup(
    struct nft *n, const struct nft_target *targets, size_t n_targets, struct err *e);

struct nft_change {
	bool add;        /* else remove */
	uint32_t target; /* index in what nft_setup() was given */
	struct net net;
	int64_t timeout_ms; /* add: > 0; 0: without end */
	bool is_bulk; /* add: without a counter; makes no difference to a network */
};

/**
 * nft_apply() - carry out changes, in order, in as few transactions as the kernel
 * allows
 * @failed: called for each change that the kernel refused, with its errno; may be NULL
 *
 * Adding what is there sets its timeout anew; removing what is not there is no error.
 * If table or set are gone (somebody flushed the rule set) it answers -ENOENT: call
 * nft_setup(), then add all bans again.
 *
 * Return: 0, -ENOENT as above, or negative errno.
 */
int nft_apply(struct nft *n, const struct nft_change *changes, size_t n_changes,
    void (*failed)(void *ctx, const struct nft_change *c, int err), void *ctx,
    struct err *e);

/* What an element has stopped; one that came in bulk: nothing. Return: 0, -ENOENT (no
 * such element), negative errno. */
int nft_counter(struct nft *n, uint32_t target, const struct net *net,
    uint64_t *packets, uint64_t *bytes);

/* Remove our table with all in it. Return: 0 (also if there was none), negative errno.
 */
int nft_remove(struct nft *n, struct err *e);

/* The number of its socket, for nft_watch_ignore(). */
uint32_t nft_port(const struct nft *n);

/* The network that @key stands for in the set of this name. Return: 0 or -ENOENT: no
 * set of ours. */
int nft_net_of_key(
    const struct nft *n, struct span set, struct span key, struct net *out);

/* A number that changes with every change of any rule set, by anybody; 0: unknown. */
uint32_t nft_generation(struct nft *n);

/* Does our table still stand as nft_setup() left it? Return: 1, 0, or negative errno.
 */
int nft_intact(struct nft *n);
