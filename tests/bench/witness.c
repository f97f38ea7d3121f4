/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "witness.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define ROOM_BYTES 65536
#define QUEUE_BYTES (16 << 20) /* a lost notification would be a lost measurement */
#define LOOK_UP_US 100000      /* a sleeping witness looks at its deadline that often */

struct witness {
	struct mnl_socket *nl;
	struct witness_options o;
	uint32_t seq;
	_Alignas(8) char room[ROOM_BYTES];
};

int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static int subscribe(struct witness *w)
{
	struct timeval look_up = {.tv_usec = LOOK_UP_US};
	int fd = mnl_socket_get_fd(w->nl);
	int group = NFNLGRP_NFTABLES, bytes = QUEUE_BYTES;

	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &look_up, sizeof(look_up)) < 0)
		return -1;
	return mnl_socket_setsockopt(
	    w->nl, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group));
}

static int pin(uint32_t cpu)
{
	const struct sched_param first = {.sched_priority = 1};
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	/* Where that is not allowed, what others do on this CPU is in the figures. */
	(void)sched_setscheduler(0, SCHED_FIFO, &first);
	return sched_setaffinity(0, sizeof(set), &set);
}

struct witness *witness_open(const struct witness_options *o)
{
	CLEANUP(witness_closep) struct witness *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	w->o = *o;
	if (o->is_pinned && pin(o->cpu) < 0)
		return NULL;
	w->nl = mnl_socket_open(NETLINK_NETFILTER);
	if (!w->nl || mnl_socket_bind(w->nl, 0, MNL_SOCKET_AUTOPID) < 0)
		return NULL;
	if (!o->set && subscribe(w) < 0)
		return NULL;
	return TAKE(w);
}

struct witness *witness_close(struct witness *w)
{
	if (!w)
		return NULL;
	if (w->nl)
		(void)mnl_socket_close(w->nl);
	free(w);
	return NULL;
}

/* --- by subscription --- */

static const struct nlattr *attr_of(const struct nlattr *nest, unsigned int type)
{
	const struct nlattr *a;

	mnl_attr_for_each_nested(a, nest)
	{
		if (mnl_attr_get_type(a) == type)
			return a;
	}
	return NULL;
}

static bool is_elem(const struct nlattr *elem, uint32_t addr_be)
{
	const struct nlattr *a = attr_of(elem, NFTA_SET_ELEM_KEY);

	a = a ? attr_of(a, NFTA_DATA_VALUE) : NULL;
	return a && mnl_attr_get_payload_len(a) == sizeof(addr_be) &&
	       !memcmp(mnl_attr_get_payload(a), &addr_be, sizeof(addr_be));
}

static bool tells_of(const struct nlmsghdr *h, uint32_t addr_be)
{
	const struct nlattr *a, *elem;

	if (h->nlmsg_type != (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWSETELEM))
		return false;
	mnl_attr_for_each(a, h, sizeof(struct nfgenmsg))
	{
		if (mnl_attr_get_type(a) != NFTA_SET_ELEM_LIST_ELEMENTS)
			continue;
		mnl_attr_for_each_nested(elem, a)
		{
			if (is_elem(elem, addr_be))
				return true;
		}
	}
	return false;
}

static int listen_for(
    struct witness *w, uint32_t addr_be, int64_t deadline, int64_t *out_ns)
{
	int fd = mnl_socket_get_fd(w->nl);

	for (;;) {
		ssize_t n =
		    recv(fd, w->room, sizeof(w->room), w->o.spins ? MSG_DONTWAIT : 0);
		int64_t now = now_ns();
		int left = (int)n;

		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return -errno;
		if (n < 0 && now > deadline)
			return -ETIMEDOUT;
		for (const struct nlmsghdr *h = (const void *)w->room;
		     n > 0 && mnl_nlmsg_ok(h, left); h = mnl_nlmsg_next(h, &left)) {
			if (!tells_of(h, addr_be))
				continue;
			*out_ns = now;
			return 0;
		}
	}
}

/* --- by asking --- */

static const struct nlmsghdr *question(struct witness *w, char *room, uint32_t addr_be)
{
	struct nlmsghdr *h = mnl_nlmsg_put_header(room);
	struct nlattr *list, *elem, *key;
	struct nfgenmsg *g;

	h->nlmsg_type = NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETSETELEM;
	h->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	h->nlmsg_seq = ++w->seq;
	g = mnl_nlmsg_put_extra_header(h, sizeof(*g));
	g->nfgen_family = NFPROTO_INET;
	g->version = NFNETLINK_V0;
	mnl_attr_put_strz(h, NFTA_SET_ELEM_LIST_TABLE, w->o.table);
	mnl_attr_put_strz(h, NFTA_SET_ELEM_LIST_SET, w->o.set);
	list = mnl_attr_nest_start(h, NFTA_SET_ELEM_LIST_ELEMENTS);
	elem = mnl_attr_nest_start(h, NFTA_LIST_ELEM);
	key = mnl_attr_nest_start(h, NFTA_SET_ELEM_KEY);
	mnl_attr_put(h, NFTA_DATA_VALUE, sizeof(addr_be), &addr_be);
	mnl_attr_nest_end(h, key);
	mnl_attr_nest_end(h, elem);
	mnl_attr_nest_end(h, list);
	return h;
}

/* Return: 0 it is there, -ENOENT, or negative errno. */
static int ask_once(struct witness *w, const struct nlmsghdr *h)
{
	if (mnl_socket_sendto(w->nl, h, h->nlmsg_len) < 0)
		return -errno;
	for (;;) {
		ssize_t n = mnl_socket_recvfrom(w->nl, w->room, sizeof(w->room));
		const struct nlmsghdr *got = (const void *)w->room;
		int left = (int)n;

		if (n < 0)
			return -errno;
		for (; mnl_nlmsg_ok(got, left); got = mnl_nlmsg_next(got, &left)) {
			const struct nlmsgerr *e = mnl_nlmsg_get_payload(got);

			if (got->nlmsg_seq == h->nlmsg_seq &&
			    got->nlmsg_type == NLMSG_ERROR)
				return e->error;
		}
	}
}

static int ask_for(
    struct witness *w, uint32_t addr_be, int64_t deadline, int64_t *out_ns)
{
	_Alignas(8) char room[512];

	for (;;) {
		int r = ask_once(w, question(w, room, addr_be));
		int64_t now = now_ns();

		if (!r)
			*out_ns = now;
		if (r != -ENOENT)
			return r;
		if (now > deadline)
			return -ETIMEDOUT;
	}
}

int witness_wait(
    struct witness *w, uint32_t addr_be, int64_t timeout_ns, int64_t *out_ns)
{
	int64_t deadline = now_ns() + timeout_ns;

	if (w->o.set)
		return ask_for(w, addr_be, deadline, out_ns);
	return listen_for(w, addr_be, deadline, out_ns);
}
