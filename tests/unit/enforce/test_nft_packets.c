/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Real packets, from and to addresses on the loopback interface of a namespace: what is
 * banned does not arrive and is counted, all else does.
 */
#include "nft_fixture.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"

#define SERVER4 "192.0.2.1"
#define SERVER6 "2001:db8::1"
#define MAIL_PORT 25
#define WEB_PORT 80
#define RANGE_PORT 6005
#define DROPPED_MS 25 /* on loopback all is done when connect() returns */

static const struct nft_target targets[] = {
    {.name = "mail",
	.protocol = IPPROTO_TCP,
	.n_ports = 2,
	.ports = {{MAIL_PORT, MAIL_PORT}, {465, 465}}},
    {.name = "range",
	.protocol = IPPROTO_TCP,
	.n_ports = 2,
	.ports = {{6000, 6010}, {7000, 7000}}},
    {.name = "all"},
    {.name = "udp", .protocol = IPPROTO_UDP, .n_ports = 1, .ports = {{53, 53}}},
    {.name = "lo", .interface = "lo"},
    {.name = "eth9", .interface = "eth9"},
    {.name = "both", .n_ports = 1, .ports = {{53, 60}}},
};

enum { MAIL, RANGE, ALL, UDP, LO, ETH9, BOTH };

static socklen_t address(const char *text, int port, struct sockaddr_storage *out)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)out;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)out;

	memset(out, 0, sizeof(*out));
	if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons((uint16_t)port);
		return sizeof(*v4);
	}
	assert_int_equal(inet_pton(AF_INET6, text, &v6->sin6_addr), 1);
	v6->sin6_family = AF_INET6;
	v6->sin6_port = htons((uint16_t)port);
	return sizeof(*v6);
}

static int bound(int type, const char *text, int port)
{
	struct sockaddr_storage a;
	socklen_t n = address(text, port, &a);
	int fd = socket(a.ss_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int on = 1;

	assert_true(fd >= 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)), 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, n), 0);
	if (type == SOCK_STREAM && port)
		assert_int_equal(listen(fd, 8), 0);
	return fd;
}

static const char *server_for(const char *client)
{
	return strchr(client, ':') ? SERVER6 : SERVER4;
}

static bool can_connect(const char *client, int port)
{
	CLEANUP(fd_closep) int server = bound(SOCK_STREAM, server_for(client), port);
	CLEANUP(fd_closep) int fd = bound(SOCK_STREAM, client, 0);
	struct pollfd p = {.fd = fd, .events = POLLOUT};
	struct linger at_once = {.l_onoff = 1};
	struct sockaddr_storage a;
	socklen_t n = address(server_for(client), port, &a);

	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	if (connect(fd, (struct sockaddr *)&a, n) < 0)
		assert_int_equal(errno, EINPROGRESS);
	return server >= 0 && poll(&p, 1, DROPPED_MS) == 1 &&
	       !(p.revents & (POLLERR | POLLHUP));
}

static bool can_send(const char *client, int port)
{
	CLEANUP(fd_closep) int server = bound(SOCK_DGRAM, server_for(client), port);
	CLEANUP(fd_closep) int fd = bound(SOCK_DGRAM, client, 0);
	struct pollfd p = {.fd = server, .events = POLLIN};
	struct sockaddr_storage a;
	socklen_t n = address(server_for(client), port, &a);

	assert_int_equal(sendto(fd, "x", 1, 0, (struct sockaddr *)&a, n), 1);
	return poll(&p, 1, DROPPED_MS) == 1;
}

static uint64_t packets_of(struct fixture *f, uint32_t target, const char *text)
{
	struct net n = net(text);
	uint64_t packets = 0, bytes = 0;

	assert_int_equal(nft_counter(f->n, target, &n, &packets, &bytes), 0);
	assert_true(bytes >= packets * 28);
	return packets;
}

static int enter_with_addresses(void **state)
{
	static const char *const addresses[] = {SERVER4, "198.51.100.7", "198.51.100.8",
	    "203.0.113.9", SERVER6, "2001:db8:1::7", "2001:db8:1:0:1::8",
	    "2001:db8:2::9"};
	struct fixture *f;

	enter(state);
	f = *state;
	for (size_t i = 0; f->has_net && i < ARRAY_LEN(addresses); i++) {
		if (netns_run("ip addr add %s%s dev lo", addresses[i],
			strchr(addresses[i], ':') ? "/128 nodad" : "/32"))
			return -1;
	}
	return 0;
}

static int start_with_targets(void **state)
{
	struct fixture *f = *state;
	int r = start(state);

	if (r || !f->has_net)
		return r;
	return nft_setup(f->n, targets, ARRAY_LEN(targets), &f->e);
}

static void banned_client(struct fixture *f, const char *bad, const char *good)
{
	assert_true(can_connect(bad, MAIL_PORT));
	ban(f, MAIL, bad, HOUR_MS);
	assert_int_equal(packets_of(f, MAIL, bad), 0);
	assert_false(can_connect(bad, MAIL_PORT));
	assert_true(packets_of(f, MAIL, bad) >= 1);
	assert_false(can_connect(bad, 465));
	assert_true(packets_of(f, MAIL, bad) >= 2);
	assert_true(can_connect(bad, WEB_PORT));
	assert_true(can_send(bad, MAIL_PORT)); /* udp */
	assert_true(can_connect(good, MAIL_PORT));
	unban(f, MAIL, bad);
	assert_true(can_connect(bad, MAIL_PORT));
}

static void banned_address_is_dropped(void **state)
{
	struct fixture *f = need_net(state);

	banned_client(f, "198.51.100.7", "198.51.100.8");
	banned_client(f, "2001:db8:1::7", "2001:db8:1:0:1::8");
}

static void banned_network_is_dropped(void **state)
{
	struct fixture *f = need_net(state);

	ban(f, MAIL, "198.51.100.0/24", HOUR_MS);
	ban(f, MAIL, "198.51.0.0/16", HOUR_MS);
	assert_false(can_connect("198.51.100.7", MAIL_PORT));
	assert_true(can_connect("198.51.100.7", WEB_PORT));
	assert_true(can_connect("203.0.113.9", MAIL_PORT));
	assert_true(packets_of(f, MAIL, "198.51.100.0/24") +
			packets_of(f, MAIL, "198.51.0.0/16") >=
		    1);
	unban(f, MAIL, "198.51.0.0/16");
	assert_false(can_connect("198.51.100.7", MAIL_PORT));
	unban(f, MAIL, "198.51.100.0/24");
	assert_true(can_connect("198.51.100.7", MAIL_PORT));

	ban(f, MAIL, "2001:db8:1::/65", HOUR_MS);
	assert_false(can_connect("2001:db8:1::7", MAIL_PORT));
	assert_true(packets_of(f, MAIL, "2001:db8:1::/65") >= 1);
	assert_true(can_connect("2001:db8:2::9", MAIL_PORT));
	ban(f, MAIL, "2001:db8:1::/80", HOUR_MS);
	unban(f, MAIL, "2001:db8:1::/65");
	assert_false(can_connect("2001:db8:1::7", MAIL_PORT));
	assert_true(can_connect("2001:db8:1:0:1::8", MAIL_PORT));
}

static void port_ranges(void **state)
{
	struct fixture *f = need_net(state);

	ban(f, RANGE, "198.51.100.7", HOUR_MS);
	assert_false(can_connect("198.51.100.7", 6000));
	assert_false(can_connect("198.51.100.7", RANGE_PORT));
	assert_false(can_connect("198.51.100.7", 6010));
	assert_false(can_connect("198.51.100.7", 7000));
	assert_true(can_connect("198.51.100.7", 5999));
	assert_true(can_connect("198.51.100.7", 6011));
	assert_true(can_connect("198.51.100.7", 7001));
}

static void protocols(void **state)
{
	struct fixture *f = need_net(state);

	ban(f, UDP, "198.51.100.7", HOUR_MS);
	assert_false(can_send("198.51.100.7", 53));
	assert_true(can_send("198.51.100.7", 54));
	assert_true(can_connect("198.51.100.7", 53));
	ban(f, BOTH, "198.51.100.8", HOUR_MS);
	assert_false(can_send("198.51.100.8", 53));
	assert_false(can_connect("198.51.100.8", 60));
	assert_true(can_connect("198.51.100.8", 61));
	ban(f, ALL, "203.0.113.9", HOUR_MS);
	assert_false(can_send("203.0.113.9", 53));
	assert_false(can_connect("203.0.113.9", WEB_PORT));
}

static void interfaces(void **state)
{
	struct fixture *f = need_net(state);

	ban(f, ETH9, "198.51.100.7", HOUR_MS);
	assert_true(can_connect("198.51.100.7", WEB_PORT));
	assert_int_equal(packets_of(f, ETH9, "198.51.100.7"), 0);
	ban(f, LO, "198.51.100.7", HOUR_MS);
	assert_false(can_connect("198.51.100.7", WEB_PORT));
	assert_true(packets_of(f, LO, "198.51.100.7") >= 1);
}

/* Prolonging must not lose what the ban has stopped, where the kernel can do that. */
static void counter_survives(void **state)
{
	struct fixture *f = need_net(state);

	ban(f, ALL, "198.51.100.7", HOUR_MS);
	assert_false(can_send("198.51.100.7", 53));
	assert_int_equal(packets_of(f, ALL, "198.51.100.7"), 1);
	ban(f, ALL, "198.51.100.7", 2 * HOUR_MS);
	if (f->n->abilities & NFT_CAN_UPDATE)
		assert_int_equal(packets_of(f, ALL, "198.51.100.7"), 1);
	assert_false(can_send("198.51.100.7", 53));
	assert_int_equal(nft_setup(f->n, targets, ARRAY_LEN(targets), &f->e), 0);
	assert_true(packets_of(f, ALL, "198.51.100.7") >= 1);
	assert_false(can_send("198.51.100.7", 53));
}

static void bans_end_by_themselves(void **state)
{
	struct fixture *f = need_net(state);

	ban(f, ALL, "198.51.100.7", 100);
	assert_false(can_send("198.51.100.7", 53));
	nft_close(f->n); /* nobody of ours is there to lift it */
	f->n = NULL;
	(void)poll(NULL, 0, 120);
	assert_true(can_send("198.51.100.7", 53));
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, start_with_targets, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(banned_address_is_dropped),
	    TEST(banned_network_is_dropped),
	    TEST(port_ranges),
	    TEST(protocols),
	    TEST(interfaces),
	    TEST(counter_survives),
	    TEST(bans_end_by_themselves),
	};

	if (!netns_is_to_be_had())
		return 0;
	return cmocka_run_group_tests(tests, enter_with_addresses, NULL);
}
