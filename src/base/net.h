/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * net - an address or a network, one 17-byte value for IPv4 and IPv6
 *
 * IPv4 is held as an IPv4-mapped IPv6 address (RFC 4291, 2.5.5.2) with 96 added to the
 * prefix length, so that comparing, masking and hashing know only one kind. Host bits
 * are always zero. A struct net may be compared and hashed bytewise.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/buf.h"
#include "base/str.h"

struct net {
	uint8_t addr[16];
	uint8_t bits; /* 0..128; a single address has 128 */
};

#define NET_TEXT_BYTES 56 /* longest text, "/128" and NUL */

/**
 * net_parse() - strict text to value
 * @s: "192.0.2.1", "192.0.2.0/24", "192.0.2.0/255.255.255.0", "2001:db8::/32",
 *     "[2001:db8::1]" or "[192.0.2.1]"; "::ffff:192.0.2.1" becomes
 *     IPv4. Host bits are cleared.
 *
 * Only what inet_pton() takes; no short or octal forms, no scope ids.
 *
 * Return: 0 or -EINVAL.
 */
int net_parse(struct span s, struct net *out);

/* As net_parse(), but a prefix is refused: exactly one address. */
int net_parse_addr(struct span s, struct net *out);

struct net net_from_v4(uint32_t addr_be);       /* network byte order */
struct net net_from_v6(const uint8_t addr[16]); /* mapped addresses become IPv4 */
int net_from_sockaddr(const struct sockaddr *sa, struct net *out); /* -EAFNOSUPPORT */

/* @n cut to @bits as people count them (0..32 or 0..128); longer ones stay. */
struct net net_mask(struct net n, unsigned int bits);
/* The same with the bits counted as struct net holds them: 0..128 for both kinds. */
struct net net_cut(struct net n, unsigned int bits);

bool net_is_v4(const struct net *n);
bool net_is_host(const struct net *n);            /* one address */
unsigned int net_prefix_len(const struct net *n); /* 0..32 or 0..128 */
/* Within one family: even ::/0 does not contain an IPv4 address. */
bool net_contains(const struct net *outer, const struct net *inner);
static inline bool net_eq(const struct net *a, const struct net *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}
int net_cmp(const struct net *a, const struct net *b); /* address, then shorter first */

/* The 4 bytes of an IPv4 address, network order; only for net_is_v4(). */
static inline const uint8_t *net_v4_bytes(const struct net *n)
{
	return n->addr + 12;
}

/* Canonical text: inet_ntop(), with "/len" unless it is one address. */
void net_format(const struct net *n, char out[NET_TEXT_BYTES]);
void buf_add_net(struct buf *b, const struct net *n);

/* Wholly unspecified, loopback, link-local, multicast, broadcast: no remote client. */
bool net_is_special(const struct net *n);
