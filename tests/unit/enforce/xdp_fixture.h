/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * xdp_fixture - a network and a BPF file system of a test's own, and packets
 *
 * The program in the kernel is run on packets by BPF_PROG_TEST_RUN, as if they came in
 * at the interface XDP_IFACE. Needs root: BPF is not for user namespaces.
 */

#include "enforce/xdp.h"

#define XDP_IFACE "ve0"
#define XDP_PEER "ve1" /* its other end: an interface, too */
#define HOUR_MS INT64_C(3600000)

/* Return: the folder, in which pins may stand; NULL: not to be had here, said in TAP.
 */
const char *xdp_fixture_enter(void);

int64_t xdp_now_ns(void);

struct nft_target xdp_target(const char *name, const char *interface);
struct nft_target xdp_target_port(
    const char *name, const char *interface, uint8_t protocol, uint16_t port);

/* Open, set up, attach; asserts that all goes well. @dir: as xdp_open(). */
struct xdp *xdp_ready(const char *dir, const struct nft_target *targets, size_t n);

/* Ban, or lift it. Return: the error of that change. */
int xdp_ban(struct xdp *x, uint32_t target, const char *who, int64_t timeout_ms);
int xdp_unban(struct xdp *x, uint32_t target, const char *who);

/* What a ban has stopped; -1: there is none. */
int64_t xdp_packets(struct xdp *x, uint32_t target, const char *who);
int64_t xdp_bytes(struct xdp *x, uint32_t target, const char *who);

struct bytes {
	uint8_t at[2048];
	size_t n;
};

void put(struct bytes *b, const void *p, size_t n);
void put_u8(struct bytes *b, unsigned int v);
void put_u16(struct bytes *b, unsigned int v);
void put_eth(struct bytes *b, unsigned int type);
void put_tag(struct bytes *b, unsigned int type); /* VLAN 7; @type of what follows */
void put_ipv4(struct bytes *b, const char *from, unsigned int protocol,
    unsigned int fragment, size_t n_option_bytes);
void put_ipv6(struct bytes *b, const char *from, unsigned int next);
void put_ports(struct bytes *b, unsigned int port);

/* TCP to a port, over the family of @from. */
struct bytes tcp_to(const char *from, unsigned int port);

/* Is this packet dropped, when it comes in at XDP_IFACE? */
bool drops(struct xdp *x, const struct bytes *b);
bool drops_tcp(struct xdp *x, const char *from, unsigned int port);
