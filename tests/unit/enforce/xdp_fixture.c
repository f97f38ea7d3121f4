/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "xdp_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "netns.h"

static char folder[] = "/tmp/bandog-xdp-XXXXXX";
static char pins[64];

static void clean_up(void)
{
	(void)umount2(folder, MNT_DETACH);
	(void)rmdir(folder);
}

static bool has_bpf(void)
{
	struct err e = {""};
	struct xdp *x = xdp_open(NULL, &e);

	if (!x)
		printf("# %s\n", e.text);
	xdp_close(x);
	return x != NULL;
}

const char *xdp_fixture_enter(void)
{
	if (geteuid() == 0 && unshare(CLONE_NEWNET | CLONE_NEWNS) == 0 &&
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 && has_bpf() &&
	    mkdtemp(folder)) {
		(void)atexit(clean_up);
		snprintf(pins, sizeof(pins), "%s/bandog", folder);
		if (mount("bpf", folder, "bpf", 0, "mode=0700") == 0 &&
		    mkdir(pins, 0700) == 0 &&
		    netns_run(
			"ip link set lo up && ip link add " XDP_IFACE
			" type veth peer name " XDP_PEER " && ip link set " XDP_IFACE
			" up && ip link set " XDP_PEER " up") == 0)
			return pins;
	}
	puts("1..0 # SKIP BPF and a network of our own are not to be had here");
	return NULL;
}

int64_t xdp_now_ns(void)
{
	struct timespec t;

	assert_int_equal(clock_gettime(CLOCK_BOOTTIME, &t), 0);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

struct nft_target xdp_target(const char *name, const char *interface)
{
	struct nft_target t = {.n_ports = 0};

	snprintf(t.name, sizeof(t.name), "%s", name);
	snprintf(t.interface, sizeof(t.interface), "%s", interface);
	return t;
}

struct nft_target xdp_target_port(
    const char *name, const char *interface, uint8_t protocol, uint16_t port)
{
	struct nft_target t = xdp_target(name, interface);

	t.protocol = protocol;
	t.n_ports = 1;
	t.ports[0] = (struct nft_ports){port, port};
	return t;
}

struct xdp *xdp_ready(const char *dir, const struct nft_target *targets, size_t n)
{
	struct err e = {""};
	struct xdp *x = xdp_open(dir, &e);

	if (!x)
		fail_msg("%s", e.text);
	if (xdp_setup(x, targets, n, &e) < 0)
		fail_msg("%s", e.text);
	assert_true(xdp_attach(x));
	return x;
}

static struct net net_of(const char *who)
{
	struct net n;

	assert_int_equal(net_parse(span_of(who), &n), 0);
	return n;
}

static int change(
    struct xdp *x, bool add, uint32_t target, const char *who, int64_t timeout_ms)
{
	struct nft_change c = {
	    .add = add, .target = target, .net = net_of(who), .timeout_ms = timeout_ms};
	int error = 1;

	xdp_apply(x, &c, 1, xdp_now_ns(), &error);
	return error;
}

int xdp_ban(struct xdp *x, uint32_t target, const char *who, int64_t timeout_ms)
{
	return change(x, true, target, who, timeout_ms);
}

int xdp_unban(struct xdp *x, uint32_t target, const char *who)
{
	return change(x, false, target, who, 0);
}

static int64_t count(struct xdp *x, uint32_t target, const char *who, bool of_bytes)
{
	struct net n = net_of(who);
	uint64_t packets, bytes;

	if (xdp_counter(x, target, &n, xdp_now_ns(), &packets, &bytes) < 0)
		return -1;
	return (int64_t)(of_bytes ? bytes : packets);
}

int64_t xdp_packets(struct xdp *x, uint32_t target, const char *who)
{
	return count(x, target, who, false);
}

int64_t xdp_bytes(struct xdp *x, uint32_t target, const char *who)
{
	return count(x, target, who, true);
}

/* --- packets -----------------------------------------------------------------------
 */

void put(struct bytes *b, const void *p, size_t n)
{
	assert_true(b->n + n <= sizeof(b->at));
	memcpy(b->at + b->n, p, n);
	b->n += n;
}

void put_u8(struct bytes *b, unsigned int v)
{
	put(b, &(uint8_t){(uint8_t)v}, 1);
}

void put_u16(struct bytes *b, unsigned int v)
{
	put_u8(b, v >> 8);
	put_u8(b, v & 0xff);
}

void put_eth(struct bytes *b, unsigned int type)
{
	put(b, "\2\0\0\0\0\1\2\0\0\0\0\2", 12);
	put_u16(b, type);
}

void put_tag(struct bytes *b, unsigned int type)
{
	put_u16(b, 7);
	put_u16(b, type);
}

static void put_zeros(struct bytes *b, size_t n)
{
	while (n--)
		put_u8(b, 0);
}

void put_ipv4(struct bytes *b, const char *from, unsigned int protocol,
    unsigned int fragment, size_t n_option_bytes)
{
	uint8_t addr[4];

	assert_int_equal(inet_pton(AF_INET, from, addr), 1);
	put_u8(b, (unsigned int)(0x45 + n_option_bytes / 4));
	put_u8(b, 0);
	put_u16(b, 1000); /* its length, which is what is counted */
	put_u16(b, 1);
	put_u16(b, fragment);
	put_u8(b, 64);
	put_u8(b, protocol);
	put_u16(b, 0);
	put(b, addr, 4);
	put(b, "\300\0\2\1", 4);
	put_zeros(b, n_option_bytes);
}

void put_ipv6(struct bytes *b, const char *from, unsigned int next)
{
	uint8_t addr[16];

	assert_int_equal(inet_pton(AF_INET6, from, addr), 1);
	put(b, "\x60\0\0\0", 4);
	put_u16(b, 960);
	put_u8(b, next);
	put_u8(b, 255);
	put(b, addr, 16);
	put_zeros(b, 16);
}

void put_ports(struct bytes *b, unsigned int port)
{
	put_u16(b, 40000);
	put_u16(b, port);
	put_zeros(b, 16);
}

struct bytes tcp_to(const char *from, unsigned int port)
{
	struct bytes b = {.n = 0};
	bool is_v6 = strchr(from, ':');

	put_eth(&b, is_v6 ? 0x86dd : 0x0800);
	if (is_v6)
		put_ipv6(&b, from, IPPROTO_TCP);
	else
		put_ipv4(&b, from, IPPROTO_TCP, 0, 0);
	put_ports(&b, port);
	return b;
}

bool drops(struct xdp *x, const struct bytes *b)
{
	struct xdp_md ctx = {
	    .data_end = (uint32_t)b->n, .ingress_ifindex = if_nametoindex(XDP_IFACE)};
	LIBBPF_OPTS(bpf_test_run_opts, o, .data_in = b->at,
	    .data_size_in = (uint32_t)b->n, .ctx_in = &ctx, .ctx_size_in = sizeof(ctx),
	    .repeat = 1);

	assert_int_equal(bpf_prog_test_run_opts(xdp_program_fd(x), &o), 0);
	assert_true(o.retval == XDP_PASS || o.retval == XDP_DROP);
	return o.retval == XDP_DROP;
}

bool drops_tcp(struct xdp *x, const char *from, unsigned int port)
{
	struct bytes b = tcp_to(from, port);

	return drops(x, &b);
}
