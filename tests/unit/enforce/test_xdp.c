/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "xdp_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "netns.h"

#define V4 "198.51.100.7"
#define V4_OTHER "198.51.100.8"
#define V6 "2001:db8:1::7"
#define V6_OTHER "2001:db8:1::8"
#define MORE_FRAGMENTS 0x2000
#define N_MANY 5000
#define N_RANDOM 20000

static const char *dir;

/* One target that closes everything: most tests need no more. */
static struct xdp *all_closed(void)
{
	struct nft_target t = xdp_target("all", XDP_IFACE);

	return xdp_ready(NULL, &t, 1);
}

static struct xdp *port_25(uint8_t protocol)
{
	struct nft_target t = xdp_target_port("mail", XDP_IFACE, protocol, 25);

	return xdp_ready(NULL, &t, 1);
}

static void drops_and_counts_addresses(void **state)
{
	(void)state;
	CLEANUP(xdp_closep) struct xdp *x = all_closed();

	assert_false(drops_tcp(x, V4, 25));
	assert_int_equal(xdp_ban(x, 0, V4, HOUR_MS), 0);
	assert_int_equal(xdp_ban(x, 0, V6, 0), 0);
	assert_true(drops_tcp(x, V4, 25));
	assert_true(drops_tcp(x, V4, 80));
	assert_true(drops_tcp(x, V6, 80));
	assert_false(drops_tcp(x, V4_OTHER, 25));
	assert_false(drops_tcp(x, V6_OTHER, 25));
	assert_int_equal(xdp_packets(x, 0, V4), 2);
	assert_int_equal(xdp_bytes(x, 0, V4), 2000);
	assert_int_equal(xdp_bytes(x, 0, V6), 1000);
	assert_int_equal(xdp_packets(x, 0, V4_OTHER), -1);
	assert_int_equal(xdp_unban(x, 0, V4), 0);
	assert_int_equal(xdp_unban(x, 0, V4), 0);
	assert_false(drops_tcp(x, V4, 25));
	assert_true(drops_tcp(x, V6, 80));
}

static void mapped_is_ipv4(void **state)
{
	(void)state;
	CLEANUP(xdp_closep) struct xdp *x = all_closed();

	assert_int_equal(xdp_ban(x, 0, V4, HOUR_MS), 0);
	assert_true(drops_tcp(x, "::ffff:" V4, 25));
	assert_false(drops_tcp(x, "::ffff:" V4_OTHER, 25));
	assert_int_equal(xdp_ban(x, 0, "198.51.100.0/24", HOUR_MS), 0);
	assert_true(drops_tcp(x, "::ffff:" V4_OTHER, 25));
}

static void bans_end_on_time(void **state)
{
	(void)state;
	CLEANUP(xdp_closep) struct xdp *x = all_closed();
	struct nft_change c = {.add = true, .timeout_ms = 1000};
	int64_t now = xdp_now_ns();
	int error;

	assert_int_equal(net_parse(span_of(V4), &c.net), 0);
	xdp_apply(x, &c, 1, now - INT64_C(2000000000), &error);
	assert_int_equal(error, 0);
	assert_false(drops_tcp(x, V4, 25));
	assert_int_equal(xdp_packets(x, 0, V4), -1);
	/* Prolonged: counts begin anew after the end, and go on before it. */
	assert_int_equal(xdp_ban(x, 0, V4, HOUR_MS), 0);
	assert_true(drops_tcp(x, V4, 25));
	assert_int_equal(xdp_ban(x, 0, V4, 2 * HOUR_MS), 0);
	assert_true(drops_tcp(x, V4, 25));
	assert_int_equal(xdp_packets(x, 0, V4), 2);
	/* Too far for a clock: without end. */
	assert_int_equal(xdp_ban(x, 0, V4, INT64_MAX / 2), 0);
	assert_true(drops_tcp(x, V4, 25));
}

static void networks_may_overlap(void **state)
{
	(void)state;
	CLEANUP(xdp_closep) struct xdp *x = all_closed();

	assert_int_equal(xdp_ban(x, 0, "198.51.0.0/16", HOUR_MS), 0);
	assert_int_equal(xdp_ban(x, 0, "198.51.100.0/24", HOUR_MS), 0);
	assert_int_equal(xdp_ban(x, 0, "2001:db8::/33", HOUR_MS), 0);
	assert_true(drops_tcp(x, V4, 25));
	assert_true(drops_tcp(x, "198.51.7.7", 25));
	assert_false(drops_tcp(x, "198.52.0.1", 25));
	assert_true(drops_tcp(x, "2001:db8:7fff::1", 25));
	assert_false(drops_tcp(x, "2001:db8:8000::1", 25));
	assert_int_equal(
	    xdp_packets(x, 0, "198.51.0.0/16") + xdp_packets(x, 0, "198.51.100.0/24"),
	    2);
	assert_int_equal(xdp_unban(x, 0, "198.51.100.0/24"), 0);
	assert_true(drops_tcp(x, V4, 25));
	assert_int_equal(xdp_unban(x, 0, "198.51.0.0/16"), 0);
	assert_false(drops_tcp(x, V4, 25));
}

/* More prefix lengths than are looked for; those that nobody uses are given back. */
static void lengths_are_bounded(void **state)
{
	(void)state;
	CLEANUP(xdp_closep) struct xdp *x = all_closed();
	char who[64];

	for (int i = 0; i < XDP_MAX_LENGTHS; i++) {
		snprintf(who, sizeof(who), "2001:db8::/%d", 32 + i);
		assert_int_equal(xdp_ban(x, 0, who, HOUR_MS), 0);
	}
	assert_int_equal(xdp_ban(x, 0, "2001:db8::/64", HOUR_MS), -ENOSPC);
	assert_int_equal(xdp_ban(x, 0, "198.51.100.0/24", HOUR_MS), 0);
	assert_int_equal(xdp_unban(x, 0, "2001:db8::/32"), 0);
	xdp_sweep(x, xdp_now_ns());
	assert_int_equal(xdp_ban(x, 0, "2001:db8:ffff:ffff::/64", HOUR_MS), 0);
	assert_true(drops_tcp(x, "2001:db8:ffff:ffff::1", 25));
	assert_true(drops_tcp(x, "2001:db8::1", 25));
	assert_true(drops_tcp(x, V4, 25));
}

static void jails_do_not_mix(void **state)
{
	(void)state;
	struct nft_target targets[] = {
	    xdp_target_port("mail", XDP_IFACE, IPPROTO_TCP, 25),
	    xdp_target_port("web", XDP_IFACE, 0, 80),
	    xdp_target("elsewhere", XDP_PEER),
	};
	CLEANUP(xdp_closep) struct xdp *x = xdp_ready(NULL, targets, 3);

	assert_int_equal(xdp_ban(x, 0, V4, HOUR_MS), 0);
	assert_int_equal(xdp_ban(x, 1, V4, HOUR_MS), 0);
	assert_int_equal(xdp_ban(x, 2, V4, HOUR_MS), 0);
	assert_int_equal(xdp_ban(x, 1, V6, HOUR_MS), 0);
	assert_true(drops_tcp(x, V4, 25));
	assert_true(drops_tcp(x, V4, 80));
	assert_false(drops_tcp(x, V4, 443));
	assert_false(drops_tcp(x, V6, 25));
	assert_true(drops_tcp(x, V6, 80));
	assert_int_equal(xdp_packets(x, 0, V4), 1);
	assert_int_equal(xdp_packets(x, 1, V4), 1);
	assert_int_equal(xdp_packets(x, 2, V4), 0);
	assert_int_equal(xdp_unban(x, 0, V4), 0);
	assert_false(drops_tcp(x, V4, 25));
	assert_true(drops_tcp(x, V4, 80));
}

static void ports_and_protocols(void **state)
{
	(void)state;
	CLEANUP(xdp_closep) struct xdp *x = port_25(IPPROTO_TCP);
	struct bytes udp = {.n = 0}, options = {.n = 0}, icmp = {.n = 0};

	assert_int_equal(xdp_ban(x, 0, V4, HOUR_MS), 0);
	assert_true(drops_tcp(x, V4, 25));
	assert_false(drops_tcp(x, V4, 24));
	assert_false(drops_tcp(x, V4, 26));
	put_eth(&udp, 0x0800);
	put_ipv4(&udp, V4, IPPROTO_UDP, 0, 0);
	put_ports(&udp, 25);
	assert_false(drops(x, &udp));
	put_eth(&options, 0x0800);
	put_ipv4(&options, V4, IPPROTO_TCP, 0, 40);
	put_ports(&options, 25);
	assert_true(drops(x, &options));
	put_eth(&icmp, 0x0800);
	put_ipv4(&icmp, V4, IPPROTO_ICMP, 0, 0);
	put_ports(&icmp, 25);
	assert_false(drops(x, &icmp));
	xdp_close(x);
	x = port_25(IPPROTO_UDP);
	assert_int_equal(xdp_ban(x, 0, V4, HOUR_MS), 0);
	assert_true(drops(x, &udp));
	assert_false(drops_tcp(x, V4, 25));
}

static void vlan_tags(void **state)
{
	(void)state;
	CLEANUP(xdp_closep) struct xdp *x = all_closed();
	static const unsigned int outer[] = {0x8100, 0x88a8, 0x9100};

	assert_int_equal(xdp_ban(x, 0, V4, HOUR_MS), 0);
	for (size_t i = 0; i < ARRAY_LEN(outer); i++) {
		struct bytes one = {.n = 0}, two = {.n = 0}, three = {.n = 0};

		put_eth(&one, outer[i]);
		put_tag(&one, 0x0800);
		put_ipv4(&one, V4, IPPROTO_TCP, 0, 0);
		assert_true(drops(x, &one));
		put_eth(&two, outer[i]);
		put_tag(&two, 0x8100);
		put_tag(&two, 0x0800);
		put_ipv4(&two, V4, IPPROTO_TCP, 0, 0);
		assert_true(drops(x, &two));
		put_eth(&three, outer[i]);
		put_tag(&three, 0x8100);
		put_tag(&three, 0x8100);
		put_tag(&three, 0x0800);
		put_ipv4(&three, V4, IPPROTO_TCP, 0, 0);
		assert_false(drops(x, &three));
	}
}

static void fragments_of_ipv4(void **state)
{
	(void)state;
	CLEANUP(xdp_closep) struct xdp *x = port_25(IPPROTO_TCP);
	struct bytes first = {.n = 0}, later = {.n = 0}, tiny = {.n = 0};

	put_eth(&first, 0x0800);
	put_ipv4(&first, V4, IPPROTO_TCP, MORE_FRAGMENTS, 0);
	put_ports(&first, 25);
	put_eth(&later, 0x0800);
	put_ipv4(&later, V4, IPPROTO_TCP, 3, 0);
	put_ports(&later, 25);
	put_eth(&tiny, 0x0800);
	put_ipv4(&tiny, V4, IPPROTO_TCP, MORE_FRAGMENTS, 0);
	put_u16(&tiny, 4);
	assert_false(drops(x, &tiny));
	assert_int_equal(xdp_ban(x, 0, V4, HOUR_MS), 0);
	assert_true(drops(x, &first));
	assert_false(drops(x, &later));
	assert_true(drops(x, &tiny)); /* it may be of port 25 */
	xdp_close(x);
	x = all_closed();
	assert_int_equal(xdp_ban(x, 0, V4, HOUR_MS), 0);
	assert_true(drops(x, &later));
}

/* An extension header of @n_bytes, in the units of its own. */
static void put_extension(
    struct bytes *b, unsigned int type, unsigned int next, unsigned int n_bytes)
{
	size_t end = b->n + n_bytes;

	put_u8(b, next);
	put_u8(b, type == IPPROTO_AH ? n_bytes / 4 - 2 : n_bytes / 8 - 1);
	while (b->n < end)
		put_u8(b, 0);
}

static void put_fragment6(struct bytes *b, unsigned int next, unsigned int offset)
{
	put_u8(b, next);
	put_u8(b, 255); /* reserved: no length */
	put_u16(b, offset << 3 | 1);
	put_u16(b, 0);
	put_u16(b, 9);
}

static void extension_headers(void **state)
{
	(void)state;
	CLEANUP(xdp_closep) struct xdp *x = port_25(IPPROTO_TCP);
	static const unsigned int types[] = {
	    IPPROTO_HOPOPTS, IPPROTO_ROUTING, IPPROTO_DSTOPTS, IPPROTO_AH, 135};

	assert_int_equal(xdp_ban(x, 0, V6, HOUR_MS), 0);
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		for (unsigned int n = 8; n <= 1024; n += 8) {
			for (unsigned int port = 24; port <= 25; port++) {
				struct bytes b = {.n = 0};

				put_eth(&b, 0x86dd);
				put_ipv6(&b, V6, types[i]);
				put_extension(&b, types[i], IPPROTO_TCP, n);
				put_ports(&b, port);
				assert_int_equal(drops(x, &b), port == 25);
			}
		}
	}
}

static struct bytes many_extensions(int n, unsigned int last, unsigned int port)
{
	struct bytes b = {.n = 0};

	put_eth(&b, 0x86dd);
	put_ipv6(&b, V6, n ? IPPROTO_DSTOPTS : last);
	for (int i = 1; i <= n; i++)
		put_extension(&b, IPPROTO_DSTOPTS, i < n ? IPPROTO_DSTOPTS : last, 16);
	put_ports(&b, port);
	return b;
}

static void many_extension_headers(void **state)
{
	(void)state;
	CLEANUP(xdp_closep) struct xdp *x = port_25(IPPROTO_TCP);

	assert_int_equal(xdp_ban(x, 0, V6, HOUR_MS), 0);
	for (int n = 0; n < 12; n++) {
		struct bytes closed = many_extensions(n, IPPROTO_TCP, 25);
		struct bytes open = many_extensions(n, IPPROTO_TCP, 26);
		struct bytes other = many_extensions(n, IPPROTO_ESP, 25);

		/* More of them than are walked: of any port. */
		assert_true(drops(x, &closed));
		assert_int_equal(drops(x, &open), n > 8);
		assert_int_equal(drops(x, &other), n > 8);
	}
}

static void fragments_of_ipv6(void **state)
{
	(void)state;
	CLEANUP(xdp_closep) struct xdp *x = port_25(IPPROTO_TCP);

	assert_int_equal(xdp_ban(x, 0, V6, HOUR_MS), 0);
	for (unsigned int offset = 0; offset < 2; offset++) {
		struct bytes b = {.n = 0};

		put_eth(&b, 0x86dd);
		put_ipv6(&b, V6, IPPROTO_HOPOPTS);
		put_extension(&b, IPPROTO_HOPOPTS, IPPROTO_FRAGMENT, 8);
		put_fragment6(&b, IPPROTO_TCP, offset);
		put_ports(&b, 25);
		assert_int_equal(drops(x, &b), offset == 0);
	}
}

static void neighbour_discovery_passes(void **state)
{
	(void)state;
	CLEANUP(xdp_closep) struct xdp *x = all_closed();

	assert_int_equal(xdp_ban(x, 0, V6, HOUR_MS), 0);
	for (unsigned int type = 127; type < 140; type++) {
		struct bytes b = {.n = 0};

		put_eth(&b, 0x86dd);
		put_ipv6(&b, V6, IPPROTO_ICMPV6);
		put_u8(&b, type);
		put_u8(&b, 0);
		put_ports(&b, 0);
		assert_int_equal(drops(x, &b), type < 133 || type > 137);
		b.at[14 + 7] = 64; /* from beyond the link */
		assert_true(drops(x, &b));
	}
}

/* Cut anywhere: what has no whole address passes, what has no port is of any. */
static void cut_packets(void **state)
{
	(void)state;
	CLEANUP(xdp_closep) struct xdp *x = port_25(IPPROTO_TCP);
	struct bytes v4 = tcp_to(V4, 26), v6 = tcp_to(V6, 26);

	assert_int_equal(xdp_ban(x, 0, V4, HOUR_MS), 0);
	assert_int_equal(xdp_ban(x, 0, V6, HOUR_MS), 0);
	for (; v4.n >= 14; v4.n--)
		assert_int_equal(drops(x, &v4), v4.n >= 34 && v4.n < 38);
	for (; v6.n >= 14; v6.n--)
		assert_int_equal(drops(x, &v6), v6.n >= 54 && v6.n < 58);
}

static uint32_t next_random(uint32_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 17;
	*seed ^= *seed << 5;
	return *seed;
}

/* Nobody is banned but one, whose address no such packet has. */
static void random_packets_pass(void **state)
{
	(void)state;
	CLEANUP(xdp_closep) struct xdp *x = all_closed();
	static const uint16_t types[] = {0x0800, 0x86dd, 0x8100, 0x88a8};
	uint32_t seed = 1;

	assert_int_equal(xdp_ban(x, 0, "203.0.113.77", HOUR_MS), 0);
	for (int i = 0; i < N_RANDOM; i++) {
		struct bytes b = {.n = 0};
		size_t n = 14 + next_random(&seed) % 120;

		put_eth(&b, types[next_random(&seed) % ARRAY_LEN(types)]);
		while (b.n < n)
			put_u8(&b, next_random(&seed) & 0xff);
		if (n > 14)
			b.at[14] = (uint8_t)(next_random(&seed) % 2 ? 0x46 : 0x60);
		if (n > 20) /* mostly a header that is walked */
			b.at[20] = next_random(&seed) % 2 ? IPPROTO_DSTOPTS : b.at[20];
		assert_false(drops(x, &b));
	}
}

static void many_at_once(void **state)
{
	(void)state;
	CLEANUP(xdp_closep) struct xdp *x = all_closed();
	CLEANUP(freep) struct nft_change *c = calloc(N_MANY, sizeof(*c));
	CLEANUP(freep) int *errors = calloc(N_MANY, sizeof(*errors));
	int64_t now = xdp_now_ns();
	uint64_t packets, bytes;

	for (uint32_t i = 0; i < N_MANY; i++) {
		uint8_t a[4] = {10, 0, (uint8_t)(i >> 8), (uint8_t)i};
		uint32_t addr;

		memcpy(&addr, a, 4);
		c[i] = (struct nft_change){.add = true, .net = net_from_v4(addr)};
		c[i].timeout_ms = i % 2 ? 1 : HOUR_MS;
	}
	xdp_apply(x, c, N_MANY, now, errors);
	for (size_t i = 0; i < N_MANY; i++)
		assert_int_equal(errors[i], 0);
	assert_true(drops_tcp(x, "10.0.0.0", 25));
	assert_true(drops_tcp(x, "10.0.19.134", 25)); /* 4998 */
	/* Swept: what is over is gone, whatever the clock says then. */
	for (int i = 0; i < 4; i++)
		xdp_sweep(x, now + HOUR_MS * 500000);
	for (size_t i = 0; i < N_MANY; i++)
		assert_int_equal(
		    xdp_counter(x, 0, &c[i].net, 0, &packets, &bytes) == 0, i % 2 == 0);
	for (size_t i = 0; i < N_MANY; i++)
		c[i].add = false;
	xdp_apply(x, c, N_MANY, now, errors);
	assert_int_equal(xdp_packets(x, 0, "10.0.0.0"), -1);
	assert_false(drops_tcp(x, "10.0.0.0", 25));
}

/* Does a program stand there? The kernel takes one off a moment after its link went. */
static bool has_program(const char *interface, bool is_wanted)
{
	int r = 0;

	for (int i = 0; i < 100; i++) {
		r = netns_run("ip link show %s | grep -q ' xdp '", interface);
		if ((r == 0) == is_wanted)
			break;
		(void)usleep(10000);
	}
	return r == 0;
}

/* --- what outlives us --------------------------------------------------------------
 */

static void found_again(void **state)
{
	(void)state;
	struct nft_target before[] = {xdp_target("a", XDP_IFACE),
	    xdp_target_port("b", XDP_IFACE, 0, 80), xdp_target("c", XDP_PEER)};
	struct nft_target after[] = {xdp_target("d", XDP_IFACE), before[1]};
	struct xdp *x = xdp_ready(dir, before, 3);

	after[1].ports[0] = (struct nft_ports){81, 82};
	assert_int_equal(xdp_ban(x, 0, V4, HOUR_MS), 0);
	assert_int_equal(xdp_ban(x, 0, "198.51.0.0/16", HOUR_MS), 0);
	assert_int_equal(xdp_ban(x, 1, V6, HOUR_MS), 0);
	assert_true(drops_tcp(x, V6, 80));
	xdp_close(x);
	assert_true(has_program(XDP_IFACE, true));

	/* The same again, as after a restart. */
	x = xdp_ready(dir, before, 3);
	assert_true(drops_tcp(x, V4, 25));
	assert_true(drops_tcp(x, V4_OTHER, 25));
	assert_int_equal(xdp_packets(x, 1, V6), 1);
	xdp_close(x);

	/* a and c are gone; b has other ports; d does not inherit the bans of a. */
	x = xdp_ready(dir, after, 2);
	assert_false(drops_tcp(x, V4, 25));
	assert_false(drops_tcp(x, V4_OTHER, 25));
	assert_false(drops_tcp(x, V6, 80));
	assert_true(drops_tcp(x, V6, 82));
	assert_int_equal(xdp_packets(x, 1, V6), 2);
	assert_int_equal(xdp_packets(x, 0, V4), -1);
	assert_false(has_program(XDP_PEER, false));
	xdp_close(x);

	assert_int_equal(xdp_remove(dir), 0);
	assert_false(has_program(XDP_IFACE, false));
	assert_int_equal(netns_run("test -z \"$(ls -A %s)\"", dir), 0);
}

/* Maps of another bandog are put away; of what is there nothing is believed. */
static void other_layout(void **state)
{
	(void)state;
	struct nft_target t = xdp_target("a", XDP_IFACE);
	struct xdp *x = xdp_ready(dir, &t, 1);
	struct xdp_config config = {.layout = XDP_LAYOUT + 1};
	uint32_t first = 0;
	char path[128];

	assert_int_equal(xdp_ban(x, 0, V4, HOUR_MS), 0);
	xdp_close(x);
	snprintf(path, sizeof(path), "%s/config", dir);
	int fd = bpf_obj_get(path);

	assert_int_equal(bpf_map_update_elem(fd, &first, &config, BPF_ANY), 0);
	x = xdp_ready(dir, &t, 1);
	assert_false(drops_tcp(x, V4, 25));
	assert_int_equal(xdp_ban(x, 0, V4, HOUR_MS), 0);
	assert_true(drops_tcp(x, V4, 25));
	xdp_close(x);

	assert_int_equal(netns_run("rm %s/who && bpftool map create %s/who type array "
				   "key 4 value 4 entries 1 name x",
			     dir, dir),
	    0);
	x = xdp_ready(dir, &t, 1);
	assert_false(drops_tcp(x, V4, 25));
	xdp_close(x);
	assert_int_equal(xdp_remove(dir), 0);
}

/* A pin whose link is of another interface, as one that another network has left. */
static void foreign_pin(void **state)
{
	(void)state;
	struct nft_target here = xdp_target("a", XDP_IFACE);
	struct nft_target there = xdp_target("a", XDP_PEER);
	unsigned int index = if_nametoindex(XDP_IFACE);
	struct xdp *x = xdp_ready(dir, &there, 1);

	xdp_close(x);
	assert_int_equal(netns_run("mv %s/link-%u %s/link-%u", dir,
			     if_nametoindex(XDP_PEER), dir, index),
	    0);
	x = xdp_ready(dir, &here, 1);
	assert_int_equal(xdp_ban(x, 0, V4, HOUR_MS), 0);
	assert_true(drops_tcp(x, V4, 25));
	xdp_close(x);
	assert_true(has_program(XDP_IFACE, true));
	assert_false(has_program(XDP_PEER, false));

	/* Somebody takes the link off its interface. */
	x = xdp_ready(dir, &here, 1);
	assert_false(xdp_attach(x));
	assert_int_equal(
	    netns_run("bpftool link detach pinned %s/link-%u", dir, index), 0);
	assert_true(xdp_attach(x));
	assert_true(has_program(XDP_IFACE, true));
	xdp_close(x);
	assert_int_equal(xdp_remove(dir), 0);
}

/* --- interfaces --------------------------------------------------------------------
 */

static const struct xdp_interface *only_interface(const struct xdp *x)
{
	size_t n;
	const struct xdp_interface *i = xdp_interfaces(x, &n);

	assert_int_equal(n, 1);
	return i;
}

static struct xdp *at(const char *interface)
{
	struct nft_target t = xdp_target("a", interface);

	return xdp_ready(NULL, &t, 1);
}

static void tells_why_not(void **state)
{
	(void)state;
	struct xdp *x = at(XDP_IFACE);

	assert_int_equal(only_interface(x)->mode, XDP_NATIVE);
	assert_false(xdp_attach(x)); /* no news */
	/* While it stands there, it is somebody else's for another one. */
	struct xdp *other = at(XDP_IFACE);

	assert_int_equal(only_interface(other)->mode, XDP_OFF);
	assert_non_null(strstr(
	    only_interface(other)->why.text, "another XDP program stands there"));
	assert_false(xdp_attach(other));
	xdp_close(x);
	assert_true(xdp_attach(other));
	assert_int_equal(only_interface(other)->mode, XDP_NATIVE);
	xdp_close(other);

	x = at("lo");
	assert_int_equal(only_interface(x)->mode, XDP_OFF);
	assert_non_null(strstr(only_interface(x)->why.text, "no Ethernet"));
	xdp_close(x);
}

static void follows_interfaces(void **state)
{
	(void)state;
	struct xdp *x = at("late0");

	assert_int_equal(only_interface(x)->mode, XDP_OFF);
	assert_non_null(strstr(only_interface(x)->why.text, "no such interface"));
	for (int i = 0; i < 3; i++) {
		assert_int_equal(
		    netns_run("ip link add late0 type veth peer late1"), 0);
		assert_true(xdp_attach(x));
		assert_int_equal(only_interface(x)->mode, XDP_NATIVE);
		assert_int_equal(netns_run("ip link del late0"), 0);
		assert_true(xdp_attach(x));
		assert_int_equal(only_interface(x)->mode, XDP_OFF);
	}
	xdp_close(x);
}

static void generic_where_the_driver_cannot(void **state)
{
	(void)state;
	if (netns_run("ip link add mv0 link " XDP_PEER " type macvlan 2>/dev/null || "
		      "ip link add mv0 type dummy 2>/dev/null || "
		      "ip link add mv0 type bridge") != 0)
		skip();
	struct xdp *x = at("mv0");

	assert_int_equal(only_interface(x)->mode, XDP_GENERIC);
	assert_non_null(strstr(only_interface(x)->why.text, "its driver does not"));
	xdp_close(x);
	assert_int_equal(netns_run("ip link del mv0"), 0);
}

static void too_many_targets(void **state)
{
	(void)state;
	struct nft_target targets[XDP_MAX_TARGETS + 1];
	struct err e = {""};
	char name[16];

	for (int i = 0; i <= XDP_MAX_TARGETS; i++) {
		snprintf(name, sizeof(name), "t%d", i);
		targets[i] = xdp_target(name, XDP_IFACE);
	}
	CLEANUP(xdp_closep) struct xdp *x = xdp_ready(NULL, targets, XDP_MAX_TARGETS);

	assert_int_equal(xdp_ban(x, XDP_MAX_TARGETS - 1, V4, HOUR_MS), 0);
	assert_true(drops_tcp(x, V4, 25));
	assert_int_equal(xdp_packets(x, XDP_MAX_TARGETS - 1, V4), 1);
	assert_int_equal(xdp_ban(x, XDP_MAX_TARGETS, V4, HOUR_MS), -EINVAL);
	assert_int_equal(xdp_setup(x, targets, XDP_MAX_TARGETS + 1, &e), -E2BIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(drops_and_counts_addresses),
	    cmocka_unit_test(mapped_is_ipv4),
	    cmocka_unit_test(bans_end_on_time),
	    cmocka_unit_test(networks_may_overlap),
	    cmocka_unit_test(lengths_are_bounded),
	    cmocka_unit_test(jails_do_not_mix),
	    cmocka_unit_test(ports_and_protocols),
	    cmocka_unit_test(vlan_tags),
	    cmocka_unit_test(fragments_of_ipv4),
	    cmocka_unit_test(extension_headers),
	    cmocka_unit_test(many_extension_headers),
	    cmocka_unit_test(fragments_of_ipv6),
	    cmocka_unit_test(neighbour_discovery_passes),
	    cmocka_unit_test(cut_packets),
	    cmocka_unit_test(random_packets_pass),
	    cmocka_unit_test(many_at_once),
	    cmocka_unit_test(found_again),
	    cmocka_unit_test(other_layout),
	    cmocka_unit_test(foreign_pin),
	    cmocka_unit_test(tells_why_not),
	    cmocka_unit_test(follows_interfaces),
	    cmocka_unit_test(generic_where_the_driver_cannot),
	    cmocka_unit_test(too_many_targets),
	};

	dir = xdp_fixture_enter();
	if (!dir)
		return 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
