/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "enforce/guard_changes.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/fd.h"

#define MAX_DATAGRAMS 64 /* at once; the loop comes back for the others */
#define DATAGRAM_BYTES 8192

/* Where the filter finds things; the kernel sends each of these messages as a datagram
 * of its own. */
#define AT_TYPE offsetof(struct nlmsghdr, nlmsg_type)
#define AT_DST_LEN (NLMSG_HDRLEN + offsetof(struct rtmsg, rtm_dst_len))
#define AT_CHANGE (NLMSG_HDRLEN + offsetof(struct ifinfomsg, ifi_change))

static int set_filter(int fd)
{
	/* Netlink is in host order, and a filter loads in network order. */
	struct sock_filter code[] = {
	    BPF_STMT(BPF_LD | BPF_H | BPF_ABS, AT_TYPE),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htons(RTM_NEWROUTE), 3, 0),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htons(RTM_DELROUTE), 2, 0),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htons(RTM_NEWLINK), 3, 0),
	    BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
	    /* a route */
	    BPF_STMT(BPF_LD | BPF_B | BPF_ABS, AT_DST_LEN),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 2, 3),
	    /* a link */
	    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, AT_CHANGE),
	    BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, htonl(IFF_UP), 0, 1),
	    BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
	    BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog prog = {.len = ARRAY_LEN(code), .filter = code};

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof(prog)) < 0
		   ? -errno
		   : 0;
}

static int join(int fd)
{
	static const unsigned int groups[] = {RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR,
	    RTNLGRP_IPV6_IFADDR, RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE};
	const struct sockaddr_nl self = {.nl_family = AF_NETLINK};

	if (bind(fd, (const struct sockaddr *)&self, sizeof(self)) < 0)
		return -errno;
	for (size_t i = 0; i < ARRAY_LEN(groups); i++) {
		if (setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &groups[i],
			sizeof(groups[i])) < 0)
			return -errno;
	}
	return 0;
}

int guard_changes_open(void)
{
	CLEANUP(fd_closep)
	int fd =
	    socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
	int r;

	if (fd < 0)
		return -errno;
	/* First the filter, so that nothing gets in beside it. */
	r = set_filter(fd);
	if (!r)
		r = join(fd);
	return r < 0 ? r : TAKE_FD(fd);
}

/* @body is as long as the message says. */
static bool route_matters(const uint8_t *body, size_t n)
{
	struct rtmsg m;

	if (n < sizeof(m))
		return true;
	memcpy(&m, body, sizeof(m));
	return m.rtm_dst_len == 0;
}

static bool link_matters(const uint8_t *body, size_t n)
{
	struct ifinfomsg m;

	if (n < sizeof(m))
		return true;
	memcpy(&m, body, sizeof(m));
	return m.ifi_change & IFF_UP;
}

static bool one_matters(const struct nlmsghdr *h, const uint8_t *body, size_t n)
{
	switch (h->nlmsg_type) {
	case RTM_NEWROUTE:
	case RTM_DELROUTE:
		return route_matters(body, n);
	case RTM_NEWLINK:
		return link_matters(body, n);
	case NLMSG_NOOP:
	case NLMSG_DONE:
		return false;
	default:
		return true;
	}
}

bool guard_changes_matter(const void *bytes, size_t n)
{
	const uint8_t *p = bytes;

	while (n > 0) {
		struct nlmsghdr h;

		if (n < sizeof(h))
			return true;
		memcpy(&h, p, sizeof(h));
		if (h.nlmsg_len < NLMSG_HDRLEN || h.nlmsg_len > n)
			return true;
		if (one_matters(&h, p + NLMSG_HDRLEN, h.nlmsg_len - NLMSG_HDRLEN))
			return true;
		size_t step = NLMSG_ALIGN((size_t)h.nlmsg_len);

		step = step < n ? step : n;
		p += step;
		n -= step;
	}
	return false;
}

/* Return: 1, 0, -EAGAIN (there is no more), or negative errno. */
static int hear_one(int fd)
{
	uint8_t room[DATAGRAM_BYTES];
	struct sockaddr_nl from = {0};
	struct iovec iov = {.iov_base = room, .iov_len = sizeof(room)};
	struct msghdr m = {.msg_name = &from,
	    .msg_namelen = sizeof(from),
	    .msg_iov = &iov,
	    .msg_iovlen = 1};
	ssize_t n = recvmsg(fd, &m, MSG_DONTWAIT);

	if (n < 0 && errno == EINTR)
		return 0;
	if (n < 0)
		return errno == ENOBUFS ? 1 : -errno;
	if (from.nl_pid != 0)
		return 0; /* only the kernel knows */
	return (m.msg_flags & MSG_TRUNC) || guard_changes_matter(room, (size_t)n);
}

int guard_changes_hear(int fd)
{
	int found = 0;

	for (int i = 0; i < MAX_DATAGRAMS; i++) {
		int r = hear_one(fd);

		if (r == -EAGAIN)
			break;
		if (r < 0)
			return r;
		found |= r;
	}
	return found;
}
