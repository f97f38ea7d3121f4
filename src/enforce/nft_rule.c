/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The messages that make table, chain, sets and rules.
 *
 * A rule reads, in nft(8)'s words:
 *
 *   meta nfproto ipv4 meta l4proto tcp th dport {25, 465} iifname "eth0"
 *       ip saddr @NAME-ipv4 counter drop
 *
 * The order is chosen for the packets that are not dropped. A banned packet passes all
 * expressions in any order; an innocent one leaves at the first that does not hold. Up
 * to the port all operands lie in the packet's own cache line and cost 2-10 ns each,
 * while looking up an address touches cold memory: 190 ns with 100,000 elements. So the
 * address comes last, and what goes to another port never pays for it. The interface
 * rejects little (most packets come in on it) and compares 16 bytes: behind the port.
 */

#include "enforce/nft_private.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netlink.h>
#include <netinet/icmp6.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/ip_icmp.h>
#include <stddef.h>

/* nft(8)'s numbers of data types, src/include/datatype.h; for its listing only. */
enum {
	TYPE_IPADDR = 7,
	TYPE_IP6ADDR = 8,
	TYPE_INET_PROTOCOL = 12,
	TYPE_INET_SERVICE = 13
};

/* And its notes for itself, libnftnl/udata.h: one byte type, one byte length, value. */
enum { NOTE_COMMENT = 0, NOTE_KEY_BYTEORDER = 0, NOTE_BIG_ENDIAN = 2 };

#define TABLE_COMMENT "made by bandog"

/* An element whose time is over no longer matches; this is when its memory is freed.
 * Each round walks the whole set, the kernel's default of one second is wasteful. */
#define GC_INTERVAL_MS 30000

uint32_t nft_set_key_type(const struct nft_set *s)
{
	return s->is_v6 ? TYPE_IP6ADDR : TYPE_IPADDR;
}

uint32_t nft_set_key_bytes(const struct nft_set *s)
{
	return s->is_v6 ? 16 : 4;
}

static void put_comment(struct nft_batch *b, unsigned int attr, const char *text)
{
	uint8_t note[2 + 128] = {NOTE_COMMENT};
	size_t n = strlen(text) + 1;

	if (n > sizeof(note) - 2)
		return;
	note[1] = (uint8_t)n;
	memcpy(note + 2, text, n);
	nft_batch_put(b, attr, note, n + 2);
}

void nft_put_table(struct nft_batch *b)
{
	nft_batch_message(b, NFT_MSG_NEWTABLE, NLM_F_CREATE);
	nft_batch_put_str(b, NFTA_TABLE_NAME, b->table);
	nft_batch_put_be32(b, NFTA_TABLE_FLAGS, 0); /* wakes a dormant one */
	put_comment(b, NFTA_TABLE_USERDATA, TABLE_COMMENT);
}

void nft_put_chain(struct nft_batch *b, const struct nft_place *p)
{
	size_t hook;

	nft_batch_message(b, NFT_MSG_NEWCHAIN, NLM_F_CREATE);
	nft_batch_put_str(b, NFTA_CHAIN_TABLE, b->table);
	nft_batch_put_str(b, NFTA_CHAIN_NAME, p->chain);
	nft_batch_put_str(b, NFTA_CHAIN_TYPE, "filter");
	nft_batch_put_be32(b, NFTA_CHAIN_POLICY, NF_ACCEPT);
	hook = nft_batch_nest(b, NFTA_CHAIN_HOOK);
	nft_batch_put_be32(b, NFTA_HOOK_HOOKNUM, p->hook);
	nft_batch_put_be32(b, NFTA_HOOK_PRIORITY, (uint32_t)p->priority);
	nft_batch_nest_end(b, hook);
}

void nft_put_flush_chain(struct nft_batch *b, const struct nft_place *p)
{
	nft_batch_message(b, NFT_MSG_DELRULE, 0);
	nft_batch_put_str(b, NFTA_RULE_TABLE, b->table);
	nft_batch_put_str(b, NFTA_RULE_CHAIN, p->chain);
}

void nft_put_delete_chain(struct nft_batch *b, const struct nft_place *p)
{
	nft_batch_message(b, NFT_MSG_DELCHAIN, 0);
	nft_batch_put_str(b, NFTA_CHAIN_TABLE, b->table);
	nft_batch_put_str(b, NFTA_CHAIN_NAME, p->chain);
}

void nft_put_delete_set(struct nft_batch *b, const char *name)
{
	nft_batch_message(b, NFT_MSG_DELSET, 0);
	nft_batch_put_str(b, NFTA_SET_TABLE, b->table);
	nft_batch_put_str(b, NFTA_SET_NAME, name);
}

static void put_set_size(struct nft_batch *b, uint32_t n_elements)
{
	size_t desc = nft_batch_nest(b, NFTA_SET_DESC);

	nft_batch_put_be32(b, NFTA_SET_DESC_SIZE, n_elements);
	nft_batch_nest_end(b, desc);
}

static void put_key_note(struct nft_batch *b)
{
	uint32_t byteorder = NOTE_BIG_ENDIAN; /* host order, as nft(8) writes it */
	uint8_t note[2 + sizeof(byteorder)] = {NOTE_KEY_BYTEORDER, sizeof(byteorder)};

	memcpy(note + 2, &byteorder, sizeof(byteorder));
	nft_batch_put(b, NFTA_SET_USERDATA, note, sizeof(note));
}

/* With this expression in the set each new element gets a counter of its own. */
static void put_set_counter(struct nft_batch *b)
{
	size_t expr = nft_batch_nest(b, NFTA_SET_EXPR);

	nft_batch_put_str(b, NFTA_EXPR_NAME, "counter");
	nft_batch_nest_end(b, nft_batch_nest(b, NFTA_EXPR_DATA));
	nft_batch_nest_end(b, expr);
}

void nft_put_set(
    struct nft_batch *b, const struct nft_own_target *t, const struct nft_set *s)
{
	char name[NFT_SET_NAME_ROOM];

	nft_set_name(t, s, name);
	nft_batch_message(b, NFT_MSG_NEWSET, NLM_F_CREATE);
	nft_batch_put_str(b, NFTA_SET_TABLE, b->table);
	nft_batch_put_str(b, NFTA_SET_NAME, name);
	nft_batch_put_be32(b, NFTA_SET_FLAGS, NFT_SET_TIMEOUT);
	nft_batch_put_be32(b, NFTA_SET_KEY_TYPE, nft_set_key_type(s));
	nft_batch_put_be32(b, NFTA_SET_KEY_LEN, nft_set_key_bytes(s));
	nft_batch_put_be32(b, NFTA_SET_ID, ++b->last_set_id);
	put_set_size(b, nft_set_is_net(s) ? NFT_MAX_NETS : NFT_MAX_HOSTS);
	nft_batch_put_be32(b, NFTA_SET_GC_INTERVAL, GC_INTERVAL_MS);
	put_key_note(b);
	if (!s->is_bulk)
		put_set_counter(b);
}

/* A nameless, constant set, as the braces in nft(8)'s language make it. */
static void put_constants(struct nft_batch *b, uint32_t id, uint32_t key_type,
    uint32_t key_bytes, uint32_t n, uint32_t flags)
{
	nft_batch_message(b, NFT_MSG_NEWSET, NLM_F_CREATE);
	nft_batch_put_str(b, NFTA_SET_TABLE, b->table);
	nft_batch_put_str(b, NFTA_SET_NAME, "__set%d");
	nft_batch_put_be32(
	    b, NFTA_SET_FLAGS, NFT_SET_ANONYMOUS | NFT_SET_CONSTANT | flags);
	nft_batch_put_be32(b, NFTA_SET_KEY_TYPE, key_type);
	nft_batch_put_be32(b, NFTA_SET_KEY_LEN, key_bytes);
	nft_batch_put_be32(b, NFTA_SET_ID, id);
	put_set_size(b, n);
	put_key_note(b);
}

static void put_constants_head(struct nft_batch *b, uint32_t id)
{
	nft_batch_message(b, NFT_MSG_NEWSETELEM, NLM_F_CREATE);
	nft_batch_put_str(b, NFTA_SET_ELEM_LIST_TABLE, b->table);
	nft_batch_put_str(b, NFTA_SET_ELEM_LIST_SET, "__set%d");
	nft_batch_put_be32(b, NFTA_SET_ELEM_LIST_SET_ID, id);
}

static void put_constant(struct nft_batch *b, const void *key, size_t n, uint32_t flags)
{
	size_t elem = nft_batch_nest(b, NFTA_LIST_ELEM);

	nft_batch_put_value(b, NFTA_SET_ELEM_KEY, key, n);
	if (flags)
		nft_batch_put_be32(b, NFTA_SET_ELEM_FLAGS, flags);
	nft_batch_nest_end(b, elem);
}

static void put_port(struct nft_batch *b, unsigned int port, uint32_t flags)
{
	uint16_t be = htons((uint16_t)port);

	put_constant(b, &be, sizeof(be), flags);
}

/* A range is its first port, and the port behind it as an end; none behind 65535. The
 * end at zero says that the set begins with a gap. */
static void put_ports(struct nft_batch *b, const struct nft_own_target *t, uint32_t id)
{
	size_t n = t->t.n_ports;
	size_t list;

	put_constants(b, id, TYPE_INET_SERVICE, 2,
	    (uint32_t)(t->are_ports_single ? n : 2 * n + 1),
	    t->are_ports_single ? 0 : NFT_SET_INTERVAL);
	put_constants_head(b, id);
	list = nft_batch_nest(b, NFTA_SET_ELEM_LIST_ELEMENTS);
	if (!t->are_ports_single && t->t.ports[0].from > 0)
		put_port(b, 0, NFT_SET_ELEM_INTERVAL_END);
	for (size_t i = 0; i < n; i++) {
		put_port(b, t->t.ports[i].from, 0);
		if (!t->are_ports_single && t->t.ports[i].to < UINT16_MAX)
			put_port(b, t->t.ports[i].to + 1U, NFT_SET_ELEM_INTERVAL_END);
	}
	nft_batch_nest_end(b, list);
}

static void put_protocols(struct nft_batch *b, uint32_t id)
{
	size_t list;

	put_constants(b, id, TYPE_INET_PROTOCOL, 1, 2, 0);
	put_constants_head(b, id);
	list = nft_batch_nest(b, NFTA_SET_ELEM_LIST_ELEMENTS);
	put_constant(b, &(uint8_t){IPPROTO_TCP}, 1, 0);
	put_constant(b, &(uint8_t){IPPROTO_UDP}, 1, 0);
	nft_batch_nest_end(b, list);
}

/* Expressions: all work on the first register. */

struct expr {
	size_t elem, data;
};

static struct expr expr_start(struct nft_batch *b, const char *name)
{
	struct expr e = {.elem = nft_batch_nest(b, NFTA_LIST_ELEM)};

	nft_batch_put_str(b, NFTA_EXPR_NAME, name);
	e.data = nft_batch_nest(b, NFTA_EXPR_DATA);
	return e;
}

static void expr_end(struct nft_batch *b, struct expr e)
{
	nft_batch_nest_end(b, e.data);
	nft_batch_nest_end(b, e.elem);
}

static void put_meta(struct nft_batch *b, uint32_t key)
{
	struct expr e = expr_start(b, "meta");

	nft_batch_put_be32(b, NFTA_META_KEY, key);
	nft_batch_put_be32(b, NFTA_META_DREG, NFT_REG_1);
	expr_end(b, e);
}

static void put_payload(struct nft_batch *b, uint32_t base, size_t offset, size_t n)
{
	struct expr e = expr_start(b, "payload");

	nft_batch_put_be32(b, NFTA_PAYLOAD_DREG, NFT_REG_1);
	nft_batch_put_be32(b, NFTA_PAYLOAD_BASE, base);
	nft_batch_put_be32(b, NFTA_PAYLOAD_OFFSET, (uint32_t)offset);
	nft_batch_put_be32(b, NFTA_PAYLOAD_LEN, (uint32_t)n);
	expr_end(b, e);
}

static void put_cmp(struct nft_batch *b, uint32_t op, const void *p, size_t n)
{
	struct expr e = expr_start(b, "cmp");

	nft_batch_put_be32(b, NFTA_CMP_SREG, NFT_REG_1);
	nft_batch_put_be32(b, NFTA_CMP_OP, op);
	nft_batch_put_value(b, NFTA_CMP_DATA, p, n);
	expr_end(b, e);
}

static void put_lookup(struct nft_batch *b, const char *set, uint32_t id)
{
	struct expr e = expr_start(b, "lookup");

	nft_batch_put_str(b, NFTA_LOOKUP_SET, set);
	nft_batch_put_be32(b, NFTA_LOOKUP_SREG, NFT_REG_1);
	if (id)
		nft_batch_put_be32(b, NFTA_LOOKUP_SET_ID, id);
	expr_end(b, e);
}

static void put_mask(struct nft_batch *b, unsigned int bits, size_t n)
{
	uint8_t mask[16] = {0}, zeros[16] = {0};
	struct expr e = expr_start(b, "bitwise");

	for (unsigned int i = 0; i < bits; i++)
		mask[i / 8] = (uint8_t)(mask[i / 8] | 0x80 >> i % 8);
	nft_batch_put_be32(b, NFTA_BITWISE_SREG, NFT_REG_1);
	nft_batch_put_be32(b, NFTA_BITWISE_DREG, NFT_REG_1);
	nft_batch_put_be32(b, NFTA_BITWISE_LEN, (uint32_t)n);
	nft_batch_put_value(b, NFTA_BITWISE_MASK, mask, n);
	nft_batch_put_value(b, NFTA_BITWISE_XOR, zeros, n);
	expr_end(b, e);
}

static void put_drop(struct nft_batch *b)
{
	struct expr e = expr_start(b, "immediate");
	size_t data, verdict;

	nft_batch_put_be32(b, NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
	data = nft_batch_nest(b, NFTA_IMMEDIATE_DATA);
	verdict = nft_batch_nest(b, NFTA_DATA_VERDICT);
	nft_batch_put_be32(b, NFTA_VERDICT_CODE, NF_DROP);
	nft_batch_nest_end(b, verdict);
	nft_batch_nest_end(b, data);
	expr_end(b, e);
}

/* What `reject` means behind an address of one family. */
static void put_reject(struct nft_batch *b, bool is_v6)
{
	struct expr e = expr_start(b, "reject");
	uint8_t code = is_v6 ? ICMP6_DST_UNREACH_NOPORT : ICMP_PORT_UNREACH;

	nft_batch_put_be32(b, NFTA_REJECT_TYPE, NFT_REJECT_ICMP_UNREACH);
	nft_batch_put(b, NFTA_REJECT_ICMP_CODE, &code, sizeof(code));
	expr_end(b, e);
}

static void put_reset(struct nft_batch *b)
{
	struct expr e = expr_start(b, "reject");
	uint8_t unused = 0;

	nft_batch_put_be32(b, NFTA_REJECT_TYPE, NFT_REJECT_TCP_RST);
	nft_batch_put(b, NFTA_REJECT_ICMP_CODE, &unused, sizeof(unused));
	expr_end(b, e);
}

static void put_answer(struct nft_batch *b, const struct nft_own_target *t, bool is_v6)
{
	expr_end(b, expr_start(b, "counter"));
	if (t->t.answer == NFT_RESET && t->t.protocol == IPPROTO_TCP)
		put_reset(b);
	else if (t->t.answer != NFT_DROP)
		put_reject(b, is_v6);
	else
		put_drop(b);
}

static bool needs_port_set(const struct nft_own_target *t)
{
	return t->t.n_ports > 1;
}

static bool needs_protocol_set(const struct nft_own_target *t)
{
	return t->t.n_ports > 0 && t->t.protocol == 0;
}

static void put_protocol_test(
    struct nft_batch *b, const struct nft_own_target *t, uint32_t set_id)
{
	if (t->t.protocol == 0 && t->t.n_ports == 0)
		return;
	put_meta(b, NFT_META_L4PROTO);
	if (needs_protocol_set(t))
		put_lookup(b, "__set%d", set_id);
	else
		put_cmp(b, NFT_CMP_EQ, &t->t.protocol, 1);
}

static void put_port_test(
    struct nft_batch *b, const struct nft_own_target *t, uint32_t set_id)
{
	uint16_t from, to;

	if (t->t.n_ports == 0)
		return;
	put_payload(b, NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2);
	if (needs_port_set(t)) {
		put_lookup(b, "__set%d", set_id);
		return;
	}
	from = htons(t->t.ports[0].from);
	to = htons(t->t.ports[0].to);
	if (from == to) {
		put_cmp(b, NFT_CMP_EQ, &from, sizeof(from));
		return;
	}
	put_cmp(b, NFT_CMP_GTE, &from, sizeof(from));
	put_cmp(b, NFT_CMP_LTE, &to, sizeof(to));
}

static void put_interface_test(struct nft_batch *b, const struct nft_own_target *t)
{
	char name[IFNAMSIZ] = {0};

	if (!t->t.interface[0])
		return;
	memcpy(name, t->t.interface, strnlen(t->t.interface, IFNAMSIZ - 1));
	put_meta(b, NFT_META_IIFNAME);
	put_cmp(b, NFT_CMP_EQ, name, sizeof(name));
}

static void put_address_test(
    struct nft_batch *b, const struct nft_own_target *t, const struct nft_set *s)
{
	char name[NFT_SET_NAME_ROOM];

	if (s->is_v6)
		put_payload(b, NFT_PAYLOAD_NETWORK_HEADER,
		    offsetof(struct ip6_hdr, ip6_src), sizeof(struct in6_addr));
	else
		put_payload(b, NFT_PAYLOAD_NETWORK_HEADER,
		    offsetof(struct iphdr, saddr), sizeof(struct in_addr));
	if (nft_set_is_net(s))
		put_mask(b, s->bits, nft_set_key_bytes(s));
	nft_set_name(t, s, name);
	put_lookup(b, name, 0);
}

void nft_put_rule(struct nft_batch *b, const struct nft_place *p,
    const struct nft_own_target *t, const struct nft_set *s)
{
	uint32_t protocols = 0, ports = 0;
	uint8_t family = s->is_v6 ? NFPROTO_IPV6 : NFPROTO_IPV4;
	size_t exprs;

	if (needs_protocol_set(t))
		put_protocols(b, protocols = ++b->last_set_id);
	if (needs_port_set(t))
		put_ports(b, t, ports = ++b->last_set_id);
	nft_batch_message(b, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND);
	nft_batch_put_str(b, NFTA_RULE_TABLE, b->table);
	nft_batch_put_str(b, NFTA_RULE_CHAIN, p->chain);
	exprs = nft_batch_nest(b, NFTA_RULE_EXPRESSIONS);
	put_meta(b, NFT_META_NFPROTO);
	put_cmp(b, NFT_CMP_EQ, &family, sizeof(family));
	put_protocol_test(b, t, protocols);
	put_port_test(b, t, ports);
	put_interface_test(b, t);
	put_address_test(b, t, s);
	put_answer(b, t, s->is_v6);
	nft_batch_nest_end(b, exprs);
}
