/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * net - who can be banned: an address, a network, or an id; one 17-byte value
 *
 * IPv4 is held as an IPv4-mapped IPv6 address (RFC 4291, 2.5.5.2) with 96 added to the
 * prefix length, so that comparing, masking and hashing know only one kind. Host bits
 * are always zero. A struct net may be compared and hashed bytewise.
 *
 * An id is any other text (a user, a session) and is held as 128 bits of its hash: the
 * same in every process and on disk. Its text travels beside it where it is needed. An
 * id is one host, is special to nobody, and is in no network.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/buf.h"
#include "base/str.h"

struct net {
	uint8_t addr[16];
	uint8_t bits; /* 0..128; a single address has 128; an id has NET_BITS_ID */
};

#define NET_BITS_ID 255
#define NET_ID_MAX_BYTES 256 /* of the text of an id */

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

/**
 * net_parse_id() - any text that is no address to the value of an id
 *
 * Refused is what net_parse() takes and what only looks like that (300.1.1.1, 1.2.3,
 * 2001:db8:1): nothing but digits and dots, or hexadecimal digits, dots and colons,
 * with brackets and a prefix perhaps; unless it is a MAC address. Also what is empty,
 * too long, not UTF-8, or has a NUL in it.
 *
 * Strangers choose ids, and can find two with the same hash if they try hard. Whoever
 * can do that can as well take a new id each time.
 *
 * Return: 0 or -EINVAL.
 */
int net_parse_id(struct span s, struct net *out);
bool net_is_id(const struct net *n);
/* Is @id the text of @n, or NULL and @n no id? */
bool net_is_named(const struct net *n, const char *id);

/* @n cut to @bits as people count them (0..32 or 0..128); longer ones stay. */
struct net net_mask(struct net n, unsigned int bits);
/* The same with the bits counted as struct net holds them: 0..128 for both kinds. */
struct net net_cut(struct net n, unsigned int bits);

bool net_is_v4(const struct net *n);
bool net_is_host(const struct net *n);            /* one address, or an id */
unsigned int net_prefix_len(const struct net *n); /* 0..32 or 0..128; no id */
/* Within one family: even ::/0 does not contain an IPv4 address, or an id. */
bool net_contains(const struct net *outer, const struct net *inner);
static inline bool net_eq(const struct net *a, const struct net *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}
/* For tables: as hash_keyed(), and never 0. */
uint64_t net_hash(const struct net *n);
int net_cmp(const struct net *a, const struct net *b); /* address, then shorter first */

/* The 4 bytes of an IPv4 address, network order; only for net_is_v4(). */
static inline const uint8_t *net_v4_bytes(const struct net *n)
{
	return n->addr + 12;
}

/* Canonical text: inet_ntop(), with "/len" unless it is one address. Of an id, whose
 * text it does not know, "id:" and its hash. */
void net_format(const struct net *n, char out[NET_TEXT_BYTES]);
void buf_add_net(struct buf *b, const struct net *n);

/* Wholly unspecified, loopback, link-local, multicast, broadcast: no remote client. */
bool net_is_special(const struct net *n);
