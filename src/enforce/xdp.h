/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * xdp - the kernel drops what is banned at the interface, before it makes a packet of
 * it
 *
 * A program of ours (bpf/drop.bpf.c) stands at each interface that a target names: in
 * its driver (native), or where that cannot, behind it (generic). An interface at which
 * a program of somebody else stands is refused, and that one left alone. Bans, ports
 * and counters lie in maps; these and what holds the program in place are pinned in a
 * directory of the BPF file system, so all goes on without us, and ends on time: see
 * xdp_map.h.
 *
 * Drops only: it answers nothing, and serves Ethernet interfaces only. Bounded by the
 * sizes in xdp_map.h. Needs CAP_NET_ADMIN and CAP_BPF; not CAP_PERFMON.
 *
 * libbpf is loaded by name, by who opens this. There is xdp_none.c for a build without.
 */

#include <net/if.h>

#include "enforce/nft.h"
#include "enforce/xdp_map.h"

struct xdp;

/* Can this program do it at all? */
bool xdp_is_built(void);

/**
 * xdp_open() - load the program; maps that are pinned in @dir already are taken over
 * @dir: in a BPF file system, ours alone: pins that do not fit go. NULL: nothing is
 *       pinned, and all of it goes with xdp_close()
 *
 * Return: NULL with @e.
 */
struct xdp *xdp_open(const char *dir, struct err *e);
struct xdp *xdp_close(struct xdp *x); /* what is pinned goes on */
DEFINE_CLEANUP(struct xdp *, xdp_close)

/* Detach from all interfaces and forget all bans: take the pins out of @dir. No right
 * is needed for it but to change that directory. Return: 0 or negative errno. */
int xdp_remove(const char *dir);

/**
 * xdp_setup() - what is stopped from now on, and where
 *
 * Bans of targets that were there before (by name) stay; those of others go. Interfaces
 * that no target names are let go; call xdp_attach() for the others. Return: 0,
 * -E2BIG (more than XDP_MAX_TARGETS) or negative errno with @e.
 */
int xdp_setup(
    struct xdp *x, const struct nft_target *targets, size_t n_targets, struct err *e);

enum xdp_mode { XDP_OFF, XDP_NATIVE, XDP_GENERIC };

struct xdp_interface {
	char name[IFNAMSIZ];
	unsigned int index;
	enum xdp_mode mode;
	bool is_news;   /* the last xdp_attach() changed what stands here */
	struct err why; /* off: why; generic: why not native */
	uint64_t targets;
	int link; /* where nothing is pinned: what holds it; else 0 */
};

/* Stand at all interfaces of the set-up, as far as that can be had: also where one has
 * come, or where somebody took our program off. Return: is there news? */
bool xdp_attach(struct xdp *x);
const struct xdp_interface *xdp_interfaces(const struct xdp *x, size_t *n);

/**
 * xdp_apply() - carry out changes, in order
 * @now_ns: of CLOCK_BOOTTIME
 * @errors: by change: 0, -ENOSPC (too many bans, or too many prefix lengths) or what
 *          the kernel answered
 *
 * Banning who is banned sets the end anew and keeps the counts.
 */
void xdp_apply(struct xdp *x, const struct nft_change *changes, size_t n_changes,
    int64_t now_ns, int *errors);

/* What a ban has stopped. Return: 0, -ENOENT (no such ban, or it is over, or nothing
 * stands at its interface), or negative errno. */
int xdp_counter(struct xdp *x, uint32_t target, const struct net *net, int64_t now_ns,
    uint64_t *packets, uint64_t *bytes);

/* Free the memory of bans that are over: looks at some, and at the next ones when it is
 * called again. */
void xdp_sweep(struct xdp *x, int64_t now_ns);

/* For tests, which run it on packets of their own. */
int xdp_program_fd(const struct xdp *x);
