/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Drops what comes from banned addresses, before the kernel makes a packet of it.
 *
 * How bans are kept: src/enforce/xdp_map.h. The end of a ban is looked at here, so it
 * is over on time though every process may be dead by then.
 *
 * What it never drops: what is not IPv4 or IPv6 behind at most two VLAN tags, what is
 * too short to have a source address, and neighbour discovery, without which the link
 * itself would fail. Where the destination port cannot be read (cut off, or behind more
 * extension headers than EXTENSIONS_MAX), a ban of any port counts: no honest packet is
 * so, and only those of banned addresses are meant. Of fragments only the first has
 * ports; the others pass where a ban is not for everything, and are of no use without
 * the first.
 *
 * What may stand anywhere is read by a helper (Linux 5.18), not by pointers: who
 * computes with these needs CAP_PERFMON, and with it could read the kernel's memory. So
 * packets in several pieces (jumbo frames) are no hindrance either.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <stdbool.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "enforce/xdp_map.h"

#define VLAN_TAGS_MAX 2
#define EXTENSIONS_MAX 8
#define FRAGMENT_OFFSET 0x1fff /* of IPv4's field; the rest are flags */
#define FRAGMENT_OFFSET6 0xfff8
#define ND_ROUTER_SOLICITATION 133 /* RFC 4861; up to redirect */
#define ND_REDIRECT 137
#define ETH_P_QINQ_OLD 0x9100

/* Bans come and go, and most machines have few: memory is taken as it is needed. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, XDP_MAX_BANS);
	__type(key, struct xdp_key);
	__type(value, __u64);
} who SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, XDP_MAX_BANS);
	__type(key, struct xdp_key);
	__type(value, struct xdp_ban);
} bans SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, XDP_PORT_SLOTS);
	__type(key, __u32);
	__type(value, __u64);
} ports SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, XDP_MAX_INTERFACES);
	__type(key, __u32);
	__type(value, __u64);
} interfaces SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct xdp_config);
} config SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, XDP_LENGTH_SLOTS);
	__type(key, __u32);
	__type(value, struct xdp_length);
} lengths SEC(".maps");

/* Whose a bit is. Not for us: bandog finds its bits again by it. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, XDP_MAX_TARGETS);
	__type(key, __u32);
	__type(value, char[XDP_NAME_BYTES]);
} names SEC(".maps");

char program_license[] SEC("license") = "GPL";

/* Where the destination port cannot be told, which no slot is. */
enum {
	SLOT_NONE = -1,    /* neither TCP nor UDP, or not a first fragment */
	SLOT_UNKNOWN = -2, /* it may be any */
};

struct packet {
	__u64 source[2];
	__u32 family;
	__u32 bytes;  /* of IP, as nftables counts */
	__u32 offset; /* of what `protocol` is of */
	__u8 protocol;
	bool is_later_fragment;
};

struct port_header {
	__be16 source, dest;
};

/* Options, routing and the like begin so; AH and fragments differ behind it. */
struct extension {
	__u8 next, length;
	__be16 rest; /* fragment: offset and flags */
	__be32 more;
};

/* Return: false: the packet is shorter. */
static __always_inline bool take(struct xdp_md *ctx, __u32 *at, void *out, __u32 n)
{
	if (bpf_xdp_load_bytes(ctx, *at, out, n) < 0)
		return false;
	*at += n;
	return true;
}

/* The same for most packets without a call: what stands at an offset that the compiler
 * knows may be read by a pointer. */
static __always_inline bool take_at(
    struct xdp_md *ctx, const __u32 known, __u32 *at, void *out, const __u32 n)
{
	const __u8 *here = (const __u8 *)(long)ctx->data + known;

	if (*at != known || here + n > (const __u8 *)(long)ctx->data_end)
		return take(ctx, at, out, n);
	__builtin_memcpy(out, here, n);
	*at = known + n;
	return true;
}

/* --- ports -------------------------------------------------------------------------
 */

static __always_inline int slot_of(struct xdp_md *ctx, __u32 at, __u32 protocol)
{
	struct port_header h;

	if (protocol != IPPROTO_TCP && protocol != IPPROTO_UDP)
		return SLOT_NONE;
	/* Of IPv4 without tags and options. */
	if (!take_at(ctx, ETH_HLEN + sizeof(struct iphdr), &at, &h, sizeof(h)))
		return SLOT_UNKNOWN;
	return (protocol == IPPROTO_UDP ? XDP_UDP_SLOTS : 0) + bpf_ntohs(h.dest);
}

static __always_inline bool is_extension(__u32 type)
{
	const __u64 low = 1ULL << IPPROTO_HOPOPTS | 1ULL << IPPROTO_ROUTING |
			  1ULL << IPPROTO_FRAGMENT | 1ULL << IPPROTO_AH |
			  1ULL << IPPROTO_DSTOPTS;

	return type < 64 ? low >> type & 1 : type == IPPROTO_MH;
}

static __always_inline __u32 extension_bytes(__u32 type, __u8 length)
{
	if (type == IPPROTO_FRAGMENT)
		return sizeof(struct extension);
	if (type == IPPROTO_AH) /* counted in fours, without the first two */
		return (length + 2U) * 4U;
	return (length + 1U) * 8U;
}

/*
 * The slot of the port that a packet goes to, or SLOT_*. @type: of what is at @offset.
 *
 * This function and one more are not static: such are verified once, and not for each
 * path that comes to them; to that end loops with look-ups are bpf_loop()'s, too.
 */
__noinline int find_slot(struct xdp_md *ctx, __u32 offset, __u32 type)
{
	for (int i = 0; i <= EXTENSIONS_MAX; i++) {
		struct extension x;
		__u32 begin = offset;

		if (!is_extension(type))
			return slot_of(ctx, offset, type);
		if (!take(ctx, &offset, &x, sizeof(x)))
			break;
		if (type == IPPROTO_FRAGMENT && (x.rest & bpf_htons(FRAGMENT_OFFSET6)))
			return SLOT_NONE;
		offset = begin + extension_bytes(type, x.length);
		type = x.next;
	}
	return SLOT_UNKNOWN;
}

/* --- addresses ---------------------------------------------------------------------
 */

/* Return: ETH_P_*, or 0. */
static __always_inline __u16 read_ethernet(struct xdp_md *ctx, __u32 *at)
{
	struct ethhdr eth;
	__be16 tag[2];

	if (!take_at(ctx, 0, at, &eth, sizeof(eth)))
		return 0;
	__u16 type = bpf_ntohs(eth.h_proto);

	for (int i = 0; i < VLAN_TAGS_MAX; i++) {
		if (type != ETH_P_8021Q && type != ETH_P_8021AD &&
		    type != ETH_P_QINQ_OLD)
			break;
		if (!take(ctx, at, tag, sizeof(tag)))
			return 0;
		type = bpf_ntohs(tag[1]);
	}
	return type;
}

/* Return: false: not to be looked at. */
static __always_inline bool read_ipv4(struct xdp_md *ctx, __u32 at, struct packet *p)
{
	__u32 begin = at;
	struct iphdr ip;

	if (!take_at(ctx, ETH_HLEN, &at, &ip, sizeof(ip)) || ip.version != 4 ||
	    ip.ihl < 5)
		return false;
	p->family = XDP_IPV4;
	p->source[0] = 0;
	p->source[1] = bpf_cpu_to_be64(0xffff00000000ULL | bpf_ntohl(ip.saddr));
	p->bytes = bpf_ntohs(ip.tot_len);
	p->offset = begin + ip.ihl * 4U;
	p->protocol = ip.protocol;
	p->is_later_fragment = ip.frag_off & bpf_htons(FRAGMENT_OFFSET);
	return true;
}

/* From the link itself: a router lowers the hop limit. */
static __always_inline bool is_neighbour_discovery(
    struct xdp_md *ctx, __u32 at, const struct ipv6hdr *ip)
{
	__u8 type;

	if (ip->nexthdr != IPPROTO_ICMPV6 || ip->hop_limit != 255 ||
	    !take(ctx, &at, &type, sizeof(type)))
		return false;
	return type >= ND_ROUTER_SOLICITATION && type <= ND_REDIRECT;
}

static __always_inline bool read_ipv6(struct xdp_md *ctx, __u32 at, struct packet *p)
{
	struct ipv6hdr ip;

	if (!take_at(ctx, ETH_HLEN, &at, &ip, sizeof(ip)) || ip.version != 6)
		return false;
	__builtin_memcpy(p->source, &ip.saddr, sizeof(p->source));
	/* An IPv4-mapped source is banned as the IPv4 address that it stands for. */
	bool is_mapped = !p->source[0] && bpf_be64_to_cpu(p->source[1]) >> 32 == 0xffff;

	p->family = is_mapped ? XDP_IPV4 : XDP_IPV6;
	p->bytes = bpf_ntohs(ip.payload_len) + (__u32)sizeof(ip);
	p->offset = at;
	p->protocol = ip.nexthdr;
	p->is_later_fragment = false; /* unless an extension header says so */
	return !is_neighbour_discovery(ctx, at, &ip);
}

/* Return: false: it passes. */
static __always_inline bool read_packet(struct xdp_md *ctx, struct packet *p)
{
	__u32 at = 0;

	switch (read_ethernet(ctx, &at)) {
	case ETH_P_IP:
		return read_ipv4(ctx, at, p);
	case ETH_P_IPV6:
		return read_ipv6(ctx, at, p);
	default:
		return false;
	}
}

/* --- bans --------------------------------------------------------------------------
 */

static __always_inline __u64 targets_of_port(
    struct xdp_md *ctx, const struct packet *p, const struct xdp_config *c)
{
	/* AH may stand in IPv4, too; the other extensions do not. */
	int slot = find_slot(ctx, p->offset, p->protocol);

	if (slot == SLOT_UNKNOWN)
		return c->with_ports;
	if (slot < 0)
		return 0;
	__u32 key = (__u32)slot;
	const __u64 *port = bpf_map_lookup_elem(&ports, &key);

	return port ? *port : 0;
}

/* The targets that stop such a packet, whoever sent it. */
static __always_inline __u64 targets_of(struct xdp_md *ctx, const struct packet *p)
{
	__u32 first = 0, interface = ctx->ingress_ifindex;
	const struct xdp_config *c = bpf_map_lookup_elem(&config, &first);
	const __u64 *here = bpf_map_lookup_elem(&interfaces, &interface);

	if (!c || !here)
		return 0;
	__u64 targets = c->everything;

	if (c->with_ports && !p->is_later_fragment)
		targets |= targets_of_port(ctx, p, c);
	return targets & *here;
}

struct search {
	struct xdp_key key;
	__u64 targets; /* that are left to be asked */
	__u32 bytes;
	bool is_found;
};

/* The number of the lowest bit of @x: how many ones are below it. (clang 14 fails at
 * its own __builtin_ctzll() here.) */
static __always_inline __u32 lowest_bit(__u64 x)
{
	x = (x & -x) - 1;
	x -= x >> 1 & 0x5555555555555555ULL;
	x = (x & 0x3333333333333333ULL) + (x >> 2 & 0x3333333333333333ULL);
	x = (x + (x >> 4)) & 0x0f0f0f0f0f0f0f0fULL;
	return (__u32)(x * 0x0101010101010101ULL >> 56);
}

/* Return: 1: enough. */
static long ask_target(__u32 i, struct search *s)
{
	(void)i;
	if (!s->targets)
		return 1;
	s->key.target = lowest_bit(s->targets);
	s->targets &= s->targets - 1;
	struct xdp_ban *ban = bpf_map_lookup_elem(&bans, &s->key);

	if (!ban || (ban->until_ns && ban->until_ns <= bpf_ktime_get_boot_ns()))
		return 0;
	__sync_fetch_and_add(&ban->packets, 1);
	__sync_fetch_and_add(&ban->bytes, s->bytes);
	s->is_found = true;
	return 1;
}

/* Does one of @targets ban this address or network? Counted where it does. */
__noinline int is_banned(__u64 high, __u64 low, __u32 bits, __u64 targets, __u32 bytes)
{
	struct search s = {.key = {.addr = {high, low}, .bits = bits}, .bytes = bytes};
	const __u64 *banning = bpf_map_lookup_elem(&who, &s.key);

	if (!banning)
		return 0;
	s.targets = *banning & targets;
	bpf_loop(XDP_MAX_TARGETS, ask_target, &s, 0);
	return s.is_found;
}

struct network_search {
	__u64 addr[2];
	__u64 targets;
	__u32 family, bytes;
	bool is_found;
};

static long ask_length(__u32 i, struct network_search *s)
{
	__u32 slot = s->family * XDP_MAX_LENGTHS + i;
	const struct xdp_length *l = bpf_map_lookup_elem(&lengths, &slot);

	if (!l || !l->bits)
		return 1;
	s->is_found = is_banned(s->addr[0] & l->mask[0], s->addr[1] & l->mask[1],
	    l->bits, s->targets, s->bytes);
	return s->is_found;
}

static __always_inline bool is_in_banned_network(const struct packet *p, __u64 targets)
{
	struct network_search s = {
	    .addr = {p->source[0], p->source[1]},
	    .targets = targets,
	    .family = p->family,
	    .bytes = p->bytes,
	};

	bpf_loop(XDP_MAX_LENGTHS, ask_length, &s, 0);
	return s.is_found;
}

SEC("xdp.frags") int bandog_drop(struct xdp_md *ctx)
{
	struct packet p;

	if (!read_packet(ctx, &p))
		return XDP_PASS;
	__u64 targets = targets_of(ctx, &p);

	if (!targets)
		return XDP_PASS;
	if (is_banned(p.source[0], p.source[1], 128, targets, p.bytes) ||
	    is_in_banned_network(&p, targets))
		return XDP_DROP;
	return XDP_PASS;
}
