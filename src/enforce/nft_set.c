/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Names and keys of sets, and targets in the form the other files want. Pure.
 */

#include "enforce/nft_private.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"

#define PLAIN_MAX_BYTES 36
#define CUT_BYTES 24

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_hex(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'f');
}

static bool is_name_char(char c)
{
	return is_letter(c) || is_digit(c) || c == '-' || c == '_';
}

/*
 * Could the end of this jail name have been made by nft_target_name(), "-t" or "-x" and
 * digits? Such a jail gets a hash too, so that jail "a-t1" and the second target of
 * jail "a" stay apart.
 */
static bool looks_made(struct span s)
{
	size_t i = s.n;

	while (i > 0 && is_hex(s.p[i - 1]))
		i--;
	return i >= 2 && i < s.n && s.p[i - 2] == '-' &&
	       (s.p[i - 1] == 't' || s.p[i - 1] == 'x');
}

/* Fit to be used as it is; nft(8) wants names to begin with a letter. */
static bool is_plain(struct span s)
{
	if (s.n == 0 || s.n > PLAIN_MAX_BYTES || !is_letter(s.p[0]) || looks_made(s))
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (!is_name_char(s.p[i]))
			return false;
	}
	return true;
}

void nft_target_name(
    char out[NFT_SET_NAME_BYTES - 8], const char *jail, unsigned int suffix)
{
	struct span s = span_of(jail);
	char front[PLAIN_MAX_BYTES + 1];
	char hash[16] = "";
	char number[16] = "";
	size_t n = 0;

	if (is_plain(s)) {
		memcpy(front, s.p, s.n);
		n = s.n;
	} else {
		if (s.n == 0 || !is_letter(s.p[0]))
			front[n++] = 'j';
		for (size_t i = 0; i < s.n && i < CUT_BYTES; i++)
			front[n++] = is_name_char(s.p[i]) ? s.p[i] : '_';
		(void)snprintf(
		    hash, sizeof(hash), "-x%012" PRIx64, hash_stable(s.p, s.n) >> 16);
	}
	front[n] = '\0';
	if (suffix > 0)
		(void)snprintf(number, sizeof(number), "-t%u", suffix);
	(void)snprintf(out, NFT_SET_NAME_BYTES - 8, "%s%s%s", front, hash, number);
}

void nft_set_name(const struct nft_own_target *t, const struct nft_set *s,
    char out[NFT_SET_NAME_ROOM])
{
	const char *given = s->is_v6 ? t->t.set6 : t->t.set4;
	int family = s->is_v6 ? 6 : 4;

	if (s->is_bulk && *given)
		(void)snprintf(out, NFT_SET_NAME_ROOM, "%s-many", given);
	else if (s->is_bulk)
		(void)snprintf(out, NFT_SET_NAME_ROOM, "%s-many%d", t->t.name, family);
	else if (*given && nft_set_is_net(s))
		(void)snprintf(out, NFT_SET_NAME_ROOM, "%s-%u", given, s->bits);
	else if (*given)
		(void)snprintf(out, NFT_SET_NAME_ROOM, "%s", given);
	else if (nft_set_is_net(s))
		(void)snprintf(
		    out, NFT_SET_NAME_ROOM, "%s-net%d-%u", t->t.name, family, s->bits);
	else
		(void)snprintf(out, NFT_SET_NAME_ROOM, "%s-ipv%d", t->t.name, family);
}

/* The prefix length at the end of a set's name, or that of a host. */
static uint8_t bits_at_end(struct span name, bool is_v6)
{
	size_t i = name.n;
	int64_t bits;

	while (i > 0 && is_digit(name.p[i - 1]))
		i--;
	if (i == 0 || name.p[i - 1] != '-' ||
	    span_to_i64(span_skip(name, i), &bits) < 0 || bits < 1 ||
	    bits >= (is_v6 ? 128 : 32))
		return is_v6 ? 128 : 32;
	return (uint8_t)bits;
}

bool nft_set_parse(
    const struct nft_own_target *t, struct span name, struct nft_set *out)
{
	/* There is one way to write each, so writing it again tells. */
	for (int v6 = 0; v6 <= 1; v6++) {
		uint8_t host = v6 ? 128 : 32;
		struct nft_set tries[] = {
		    {out->target, v6, bits_at_end(name, v6), false},
		    {out->target, v6, host, false}, /* which may end like that */
		    {out->target, v6, host, true},
		};

		for (size_t i = 0; i < ARRAY_LEN(tries); i++) {
			char text[NFT_SET_NAME_ROOM];

			nft_set_name(t, &tries[i], text);
			if (!span_eq(name, span_of(text)))
				continue;
			*out = tries[i];
			return true;
		}
	}
	return false;
}

struct nft_set nft_set_of(uint32_t target, const struct net *net)
{
	return (struct nft_set){
	    .target = target,
	    .is_v6 = !net_is_v4(net),
	    .bits = (uint8_t)net_prefix_len(net),
	};
}

bool nft_set_is_net(const struct nft_set *s)
{
	return s->bits < (s->is_v6 ? 128 : 32);
}

bool nft_set_is_on_demand(const struct nft_set *s)
{
	return s->is_bulk || nft_set_is_net(s);
}

void nft_set_forget_marks(struct nft_own_target *t)
{
	memset(t->has_v4, 0, sizeof(t->has_v4));
	memset(t->has_v6, 0, sizeof(t->has_v6));
	memset(t->has_bulk, 0, sizeof(t->has_bulk));
}

bool *nft_set_mark(struct nft_own_target *t, const struct nft_set *s)
{
	if (s->is_bulk)
		return &t->has_bulk[s->is_v6];
	return s->is_v6 ? &t->has_v6[s->bits] : &t->has_v4[s->bits];
}

const uint8_t *nft_set_key(const struct net *net, size_t *n_bytes)
{
	*n_bytes = net_is_v4(net) ? 4 : 16;
	return net_is_v4(net) ? net_v4_bytes(net) : net->addr;
}

static int by_from(const void *a, const void *b)
{
	const struct nft_ports *x = a, *y = b;

	return x->from != y->from ? x->from - y->from : x->to - y->to;
}

/* The kernel refuses ranges that overlap. Neighbours are joined only when there are
 * ranges anyway: single ports make the faster kind of set. */
static void merge_ports(struct nft_own_target *own)
{
	struct nft_ports *p = own->t.ports;
	size_t n = 0;

	own->are_ports_single = true;
	for (size_t i = 0; i < own->t.n_ports; i++) {
		if (p[i].from != p[i].to)
			own->are_ports_single = false;
	}
	qsort(p, own->t.n_ports, sizeof(*p), by_from);
	for (size_t i = 0; i < own->t.n_ports; i++) {
		int reach = n ? p[n - 1].to + !own->are_ports_single : -1;

		if (p[i].from > reach)
			p[n++] = p[i];
		else if (p[i].to > p[n - 1].to)
			p[n - 1].to = p[i].to;
	}
	own->t.n_ports = n;
}

/* Source and destination port are the first four bytes behind the network header. */
static bool has_ports(uint8_t protocol)
{
	return protocol == 0 || protocol == IPPROTO_TCP || protocol == IPPROTO_UDP ||
	       protocol == IPPROTO_SCTP || protocol == IPPROTO_DCCP ||
	       protocol == IPPROTO_UDPLITE;
}

static bool is_good_name(const struct nft_target *t)
{
	size_t n = strnlen(t->name, sizeof(t->name));

	for (size_t i = 0; i < n; i++) {
		if (!is_name_char(t->name[i]) && t->name[i] != '.')
			return false;
	}
	return n > 0 && n < sizeof(t->name) && !is_digit(t->name[0]);
}

int nft_own_target_init(struct nft_own_target *own, const struct nft_target *t)
{
	if (strnlen(t->set4, sizeof(t->set4)) == sizeof(t->set4) ||
	    strnlen(t->set6, sizeof(t->set6)) == sizeof(t->set6) || !is_good_name(t) ||
	    t->n_ports > NFT_MAX_PORT_RANGES ||
	    strnlen(t->interface, IFNAMSIZ) == IFNAMSIZ)
		return -EINVAL;
	for (size_t i = 0; i < t->n_ports; i++) {
		if (t->ports[i].from > t->ports[i].to)
			return -EINVAL;
	}
	*own = (struct nft_own_target){.t = *t};
	if (!has_ports(t->protocol))
		own->t.n_ports = 0;
	merge_ports(own);
	if (own->t.n_ports == 1 && own->t.ports[0].from == 0 &&
	    own->t.ports[0].to == UINT16_MAX)
		own->t.n_ports = 0;
	return 0;
}
