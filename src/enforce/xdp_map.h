/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * xdp_map - what xdp.c and the program in the kernel (bpf/drop.bpf.c) share
 *
 * A target is a jail's ports on one interface, and a bit of 64. Two hash maps hold the
 * bans: `who` says by address which targets ban it, so that a packet of nobody's
 * interest costs one look-up however many jails there are; `bans` has, by address and
 * target, when that ends and what it has stopped. So each jail's ban of an address has
 * an end and counters of its own. A ban that is in one of the two only stops nothing.
 *
 * What a packet may be stopped by is a mask of targets, too: those that close
 * everything and those that `ports` has for its destination port, cut to those of the
 * interface that it came in by. Most packets meet none, and are not looked up at all.
 *
 * A network is looked up like an address, cut to each prefix length in use; a prefix
 * trie knows only the longest match, and would forget the outer of two networks.
 *
 * Only plain types: this is read by the compiler for the kernel, too. A change here
 * that maps of an older program would not fit needs another XDP_LAYOUT.
 */

#include <linux/types.h>

#define XDP_LAYOUT 1
#define XDP_MAX_TARGETS 64 /* bits of a mask */
#define XDP_MAX_BANS (1 << 19)
#define XDP_MAX_INTERFACES 64
#define XDP_MAX_LENGTHS 16 /* prefix lengths in use, of one family */
#define XDP_NAME_BYTES 64
#define XDP_PORT_SLOTS (2 * 65536) /* TCP, then UDP */
#define XDP_UDP_SLOTS 65536        /* where those begin */

/* As struct net: IPv4 is ::ffff:a.b.c.d, and has 96 to 128 bits. */
struct xdp_key {
	__u64 addr[2]; /* network order */
	__u32 bits;
	__u32 target; /* of `bans`; in `who` 0 */
};

struct xdp_ban {
	__u64 until_ns; /* CLOCK_BOOTTIME; 0: without end */
	__u64 packets, bytes;
};

/* A prefix length in use. Those of a family stand one behind the other; 0 ends them. */
struct xdp_length {
	__u64 mask[2];
	__u32 bits, zero;
};

enum { XDP_IPV4, XDP_IPV6, XDP_FAMILIES };

#define XDP_LENGTH_SLOTS (XDP_FAMILIES * XDP_MAX_LENGTHS)

struct xdp_config {
	__u32 layout; /* 0: nobody has set it up */
	__u32 zero;
	__u64 everything; /* targets that stop every packet */
	__u64 with_ports; /* the others */
};
