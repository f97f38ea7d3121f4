/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "enforce/guard_changes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <linux/rtnetlink.h>
#include <net/if.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"
#include "netns.h"

/* A message with a body of @n bytes; @len in its head, 0: what it has. */
static void put(struct buf *b, uint16_t type, const void *body, size_t n, uint32_t len)
{
	static const char padding[NLMSG_ALIGNTO];
	struct nlmsghdr h = {
	    .nlmsg_len = len ? len : (uint32_t)(NLMSG_HDRLEN + n), .nlmsg_type = type};

	buf_add(b, &h, sizeof(h));
	buf_add(b, body, n);
	buf_add(b, padding, NLMSG_ALIGN(n) - n);
}

static bool one_matters(uint16_t type, const void *body, size_t n, uint32_t len)
{
	CLEANUP(buf_deinit) struct buf b = BUF_INIT(4096);

	put(&b, type, body, n, len);
	return guard_changes_matter(b.p, b.n);
}

static void what_matters(void **state)
{
	struct rtmsg route = {.rtm_family = AF_INET, .rtm_dst_len = 24};
	const struct rtmsg def = {.rtm_family = AF_INET6};
	const struct ifaddrmsg address = {.ifa_family = AF_INET};
	struct ifinfomsg link = {.ifi_change = IFF_UP | IFF_RUNNING};

	(void)state;
	assert_true(one_matters(RTM_NEWADDR, &address, sizeof(address), 0));
	assert_true(one_matters(RTM_DELADDR, &address, sizeof(address), 0));
	assert_true(one_matters(RTM_NEWROUTE, &def, sizeof(def), 0));
	assert_true(one_matters(RTM_DELROUTE, &def, sizeof(def), 0));
	assert_false(one_matters(RTM_NEWROUTE, &route, sizeof(route), 0));
	assert_false(one_matters(RTM_DELROUTE, &route, sizeof(route), 0));
	assert_true(one_matters(RTM_NEWLINK, &link, sizeof(link), 0));
	assert_true(one_matters(RTM_DELLINK, &link, sizeof(link), 0));
	link.ifi_change = IFF_RUNNING;
	assert_false(one_matters(RTM_NEWLINK, &link, sizeof(link), 0));
	assert_false(one_matters(NLMSG_NOOP, "", 0, 0));
	assert_true(one_matters(NLMSG_ERROR, "", 0, 0));
	assert_true(one_matters(NLMSG_OVERRUN, "", 0, 0));
	assert_true(one_matters(9999, "", 0, 0));
}

static void broken_messages(void **state)
{
	CLEANUP(buf_deinit) struct buf b = BUF_INIT(4096);
	struct rtmsg route = {.rtm_family = AF_INET, .rtm_dst_len = 24};
	const struct rtmsg def = {.rtm_family = AF_INET};

	(void)state;
	assert_false(guard_changes_matter(NULL, 0));
	assert_true(one_matters(RTM_NEWROUTE, &route, 3, 0));
	assert_true(one_matters(RTM_NEWLINK, &route, 3, 0));
	/* Lengths that lie. */
	assert_true(one_matters(RTM_NEWROUTE, &route, sizeof(route), 1));
	assert_true(one_matters(RTM_NEWROUTE, &route, sizeof(route), 15));
	assert_true(one_matters(RTM_NEWROUTE, &route, sizeof(route), 4096));
	assert_true(one_matters(RTM_NEWROUTE, &route, sizeof(route), UINT32_MAX));
	/* Behind others, and cut anywhere, at any alignment. */
	put(&b, RTM_NEWROUTE, &route, sizeof(route), 0);
	put(&b, RTM_DELROUTE, &route, sizeof(route), 0);
	assert_false(guard_changes_matter(b.p, b.n));
	for (size_t n = 1; n < b.n; n++) {
		CLEANUP(freep) char *exact = malloc(n + 1);

		assert_non_null(exact);
		memcpy(exact + 1, b.p, n);
		assert_int_equal(guard_changes_matter(exact + 1, n), n != b.n / 2);
	}
	put(&b, RTM_NEWROUTE, &def, sizeof(def), 0);
	assert_true(guard_changes_matter(b.p, b.n));
}

/* Is something to be heard? What does not matter does not even wake. */
static bool wakes(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return poll(&p, 1, 0) == 1;
}

static bool hears(int fd, const char *command)
{
	assert_int_equal(netns_run("%s", command), 0);
	bool wakened = wakes(fd);

	/* With a bit of room: what another processor has sent is there soon. */
	for (int i = 0; i < 100 && !wakened; i++) {
		(void)usleep(1000);
		wakened = wakes(fd);
	}
	int r = guard_changes_hear(fd);

	assert_true(r >= 0);
	assert_int_equal(r, wakened);
	assert_false(wakes(fd));
	return r;
}

/* In a network of our own: what the kernel says. */
static void kernel_is_heard(void **state)
{
	(void)state;
	if (netns_enter() < 0)
		return; /* cannot be shown here */
	assert_int_equal(netns_run("ip link add d0 type veth peer name d1 && "
				   "ip link set d0 addrgenmode none && "
				   "ip link set d1 addrgenmode none && "
				   "ip link set d1 up && ip link set d0 up && "
				   "ip addr add 192.0.2.10/24 dev d0"),
	    0);
	CLEANUP(fd_closep) int fd = guard_changes_open();

	assert_true(fd >= 0);
	assert_int_equal(guard_changes_hear(fd), 0);
	assert_true(hears(fd, "ip addr add 192.0.2.11/24 dev d0"));
	assert_true(hears(fd, "ip addr del 192.0.2.11/24 dev d0"));
	assert_true(hears(fd, "ip addr add 2001:db8::10/64 dev d0 nodad"));
	assert_true(hears(fd, "ip addr del 2001:db8::10/64 dev d0"));
	assert_true(hears(fd, "ip route add default via 192.0.2.1"));
	assert_true(hears(fd, "ip route replace default via 192.0.2.2"));
	assert_false(hears(fd, "ip route add 198.51.100.0/24 via 192.0.2.2"));
	assert_false(hears(fd, "ip route del 198.51.100.0/24"));
	assert_false(hears(fd, "ip link set d0 mtu 1400"));
	assert_true(hears(fd, "ip route add default via 192.0.2.1 table 77"));
	assert_true(hears(fd, "ip link set d0 down"));
	assert_true(hears(fd, "ip link set d0 up"));
	assert_true(hears(fd, "ip link del d0"));
}

/* More than the socket holds: that counts as a change. */
static void lost_messages(void **state)
{
	(void)state;
	if (netns_enter() < 0)
		return;
	CLEANUP(fd_closep) int fd = guard_changes_open();
	const int small = 2048;

	assert_true(fd >= 0);
	assert_int_equal(
	    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small)), 0);
	assert_int_equal(
	    netns_run(
		"for i in $(seq 100); do echo addr add 192.0.2.$i/32 dev lo; done "
		"| ip -batch -"),
	    0);
	assert_int_equal(guard_changes_hear(fd), 1);
	assert_int_equal(guard_changes_hear(fd), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_matters),
	    cmocka_unit_test(broken_messages),
	    cmocka_unit_test(kernel_is_heard),
	    cmocka_unit_test(lost_messages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
