/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * net - addresses, networks and ids: text, masks, order
 *
 * A network of the IPv6 world that happens to span ::ffff:0:0/96 is not one that holds
 * IPv4: no packet of an IPv4 client ever carries such an address.
 */

#include "base/net.h"

#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdio.h>

#include "base/hash.h"

#define V4_SHIFT 96 /* prefix bits in front of an IPv4 address */

static const uint8_t mapped_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

HOT uint64_t net_hash(const struct net *n)
{
	uint64_t hash = hash_keyed(n, sizeof(*n));

	return hash ? hash : 1;
}

bool net_is_id(const struct net *n)
{
	return n->bits == NET_BITS_ID;
}

bool net_is_v4(const struct net *n)
{
	return n->bits >= V4_SHIFT && !net_is_id(n) &&
	       memcmp(n->addr, mapped_prefix, sizeof(mapped_prefix)) == 0;
}

bool net_is_host(const struct net *n)
{
	return n->bits >= 128;
}

unsigned int net_prefix_len(const struct net *n)
{
	return net_is_v4(n) ? n->bits - V4_SHIFT : n->bits;
}

struct net net_cut(struct net n, unsigned int bits)
{
	unsigned int whole = bits / 8;

	if (bits >= n.bits || net_is_id(&n))
		return n;
	n.bits = (uint8_t)bits;
	if (bits % 8) {
		n.addr[whole] = (uint8_t)(n.addr[whole] & (0xff << (8 - bits % 8)));
		whole++;
	}
	memset(n.addr + whole, 0, sizeof(n.addr) - whole);
	return n;
}

struct net net_mask(struct net n, unsigned int bits)
{
	if (bits > 128)
		return n;
	return net_cut(n, net_is_v4(&n) ? bits + V4_SHIFT : bits);
}

/* In one piece, for it is mostly copied at once: a copy of 16 bytes waits until stores
 * of less have reached the cache. */
static void put_v4(struct net *out, uint32_t addr)
{
	typedef uint64_t halves __attribute__((vector_size(16)));
	const halves h = {0, htobe64(UINT64_C(0xffff) << 32 | addr)};

	memcpy(out->addr, &h, sizeof(out->addr));
	out->bits = 128;
}

struct net net_from_v4(uint32_t addr_be)
{
	struct net n;

	put_v4(&n, ntohl(addr_be));
	return n;
}

struct net net_from_v6(const uint8_t addr[16])
{
	struct net n = {.bits = 128};

	memcpy(n.addr, addr, sizeof(n.addr));
	return n;
}

int net_from_sockaddr(const struct sockaddr *sa, struct net *out)
{
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;

	/* Copied, as a sockaddr from a message need not be aligned. */
	if (sa->sa_family == AF_INET) {
		memcpy(&v4, sa, sizeof(v4));
		*out = net_from_v4(v4.sin_addr.s_addr);
		return 0;
	}
	if (sa->sa_family == AF_INET6) {
		memcpy(&v6, sa, sizeof(v6));
		*out = net_from_v6(v6.sin6_addr.s6_addr);
		return 0;
	}
	return -EAFNOSUPPORT;
}

/* More than 9: there is none. */
static unsigned int digit_at(const char *p, const char *end)
{
	return p < end ? (unsigned int)(uint8_t)*p - '0' : UINT_MAX;
}

/* Four numbers without zeros in front, as inet_pton() wants them; here it is done for
 * every failure. */
static bool parse_v4(struct span s, uint32_t *out)
{
	const char *p = s.p, *end = s.p + s.n;
	uint32_t addr = 0;

	for (int i = 0; i < 4; i++) {
		unsigned int v = digit_at(p, end), next;

		if (v > 9)
			return false;
		for (p++; v && (next = digit_at(p, end)) <= 9; p++) {
			v = 10 * v + next;
			if (v > 255)
				return false;
		}
		addr = addr << 8 | v;
		if (i < 3 && (p == end || *p++ != '.'))
			return false;
	}
	*out = addr;
	return p == end;
}

/* One address and nothing else; inet_pton() wants a terminated text. */
HOT static int parse_bare(struct span s, struct net *out)
{
	char text[INET6_ADDRSTRLEN];
	uint8_t v6[16];
	uint32_t v4;

	if (parse_v4(s, &v4)) {
		put_v4(out, v4);
		return 0;
	}
	if (s.n == 0 || s.n >= sizeof(text) || span_index(s, '\0') >= 0)
		return -EINVAL;
	memcpy(text, s.p, s.n);
	text[s.n] = '\0';
	if (inet_pton(AF_INET6, text, v6) == 1) {
		*out = net_from_v6(v6);
		return 0;
	}
	return -EINVAL;
}

HOT int net_parse_addr(struct span s, struct net *out)
{
	if (s.n >= 2 && s.p[0] == '[' && s.p[s.n - 1] == ']')
		s = (struct span){s.p + 1, s.n - 2};
	return parse_bare(s, out);
}

/* "24": no sign, which span_to_i64() would take, and no zero in front, as in octal. */
static int parse_prefix_len(struct span s, unsigned int *out)
{
	unsigned int v = 0;

	if (s.n == 0 || s.n > 3 || (s.n > 1 && s.p[0] == '0'))
		return -EINVAL;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return -EINVAL;
		v = v * 10 + (unsigned int)(s.p[i] - '0');
	}
	*out = v;
	return 0;
}

/* "255.255.255.0" as 24; a mask with holes is refused. */
static int parse_v4_mask(struct span s, unsigned int *out)
{
	struct net mask;
	uint32_t m;
	int r = parse_bare(s, &mask);

	if (r < 0)
		return r;
	if (span_index(s, ':') >= 0)
		return -EINVAL;
	memcpy(&m, net_v4_bytes(&mask), sizeof(m));
	m = ntohl(m);
	if ((~m & (~m + 1)) != 0)
		return -EINVAL;
	*out = (unsigned int)__builtin_popcount(m);
	return 0;
}

int net_parse(struct span s, struct net *out)
{
	ptrdiff_t slash = span_index(s, '/');
	unsigned int bits, max;
	struct span len;
	struct net n;
	bool dotted;

	if (slash < 0)
		return net_parse_addr(s, out);
	len = span_skip(s, (size_t)slash + 1);
	s.n = (size_t)slash;
	if (parse_bare(s, &n) < 0)
		return -EINVAL;
	/* "::ffff:192.0.2.0/120" counts its bits as IPv6 does. */
	dotted = span_index(s, ':') < 0;
	max = dotted ? 32 : 128;
	if (parse_prefix_len(len, &bits) < 0 &&
	    (!dotted || parse_v4_mask(len, &bits) < 0))
		return -EINVAL;
	if (bits > max)
		return -EINVAL;
	*out = net_cut(n, dotted ? bits + V4_SHIFT : bits);
	return 0;
}

/* "00:16:3e:00:aa:01", which is no address of ours, and may well be an id. */
static bool is_mac(struct span s)
{
	if (s.n != 17)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if ((s.p[i] == ':') != (i % 3 == 2))
			return false;
	}
	return true;
}

/* Is there nothing in it but what addresses are made of? */
static bool looks_like_addr(struct span s)
{
	size_t n_dots = 0, n_colons = 0, n_letters = 0;

	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		n_dots += c == '.';
		n_colons += c == ':';
		n_letters += (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
		if (!strchr("0123456789abcdefABCDEF.:/[]", c))
			return false;
	}
	return n_colons ? !is_mac(s) : n_dots && !n_letters;
}

static bool is_utf8(struct span s)
{
	size_t n;

	for (; s.n; s = span_skip(s, n)) {
		n = span_utf8_len(s);
		if (n == 0)
			return false;
	}
	return true;
}

int net_parse_id(struct span s, struct net *out)
{
	static const uint8_t keys[2][16] = {"bandog id, 1 of", "bandog id, 2 of"};
	struct net n = {.bits = NET_BITS_ID};

	if (s.n == 0 || s.n > NET_ID_MAX_BYTES || span_index(s, '\0') >= 0 ||
	    !is_utf8(s) || looks_like_addr(s))
		return -EINVAL;
	for (size_t i = 0; i < sizeof(n.addr); i++)
		n.addr[i] =
		    (uint8_t)(hash_siphash13(keys[i / 8], s.p, s.n) >> (8 * (i % 8)));
	*out = n;
	return 0;
}

bool net_is_named(const struct net *n, const char *id)
{
	struct net own;

	if (!net_is_id(n))
		return !id;
	return id && net_parse_id(span_of(id), &own) == 0 && net_eq(&own, n);
}

bool net_contains(const struct net *outer, const struct net *inner)
{
	struct net n;

	if (net_is_id(outer) || net_is_id(inner))
		return net_eq(outer, inner);
	if (outer->bits > inner->bits || net_is_v4(outer) != net_is_v4(inner))
		return false;
	n = net_cut(*inner, outer->bits);
	return memcmp(n.addr, outer->addr, sizeof(n.addr)) == 0;
}

int net_cmp(const struct net *a, const struct net *b)
{
	int r = memcmp(a->addr, b->addr, sizeof(a->addr));

	return r != 0 ? r : (int)a->bits - (int)b->bits;
}

/* inet_ntop() goes through printf for this; here it is done for every failure. */
static void format_v4(const uint8_t addr[4], char *out)
{
	for (int i = 0; i < 4; i++) {
		unsigned int v = addr[i];

		if (i > 0)
			*out++ = '.';
		if (v >= 100)
			*out++ = (char)('0' + v / 100);
		if (v >= 10)
			*out++ = (char)('0' + v / 10 % 10);
		*out++ = (char)('0' + v % 10);
	}
	*out = '\0';
}

static void format_id(const struct net *n, char *out)
{
	strcpy(out, "id:");
	for (size_t i = 0; i < sizeof(n->addr); i++)
		(void)snprintf(out + 3 + 2 * i, 3, "%02x", n->addr[i]);
}

void net_format(const struct net *n, char out[NET_TEXT_BYTES])
{
	size_t used;

	if (net_is_id(n)) {
		format_id(n, out);
		return;
	}
	if (net_is_v4(n))
		format_v4(net_v4_bytes(n), out);
	else /* cannot fail: the family is known and the room suffices */
		(void)inet_ntop(AF_INET6, n->addr, out, NET_TEXT_BYTES);
	if (net_is_host(n))
		return;
	used = strlen(out);
	(void)snprintf(out + used, NET_TEXT_BYTES - used, "/%u", net_prefix_len(n));
}

void buf_add_net(struct buf *b, const struct net *n)
{
	char text[NET_TEXT_BYTES];

	net_format(n, text);
	buf_add_str(b, text);
}

bool net_is_special(const struct net *n)
{
#define V4(a, b, len)                                                              \
	{                                                                          \
		{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, a, b}, V4_SHIFT + (len) \
	}
	static const struct net special[] = {
	    V4(0, 0, 8), /* "this network", with the unspecified address */
	    V4(127, 0, 8),
	    V4(169, 254, 16),
	    V4(224, 0, 4),
	    {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 255, 255, 255, 255}, 128},
	    {{0}, 128},                                              /* :: */
	    {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, 128}, /* ::1 */
	    {{0xfe, 0x80}, 10},
	    {{0xff}, 8},
	};
#undef V4

	for (size_t i = 0; i < ARRAY_LEN(special); i++)
		if (net_contains(&special[i], n))
			return true;
	return false;
}
