/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "enforce/guard_sources.h"

#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fd.h"

#define RESOLV_MAX_BYTES 65536
#define MAX_TRIES 8 /* of a listing that changes under way */

int guard_read_own(guard_source_fn fn, void *ctx)
{
	struct ifaddrs *list;
	int r = 0;

	if (getifaddrs(&list) < 0)
		return -errno;
	for (const struct ifaddrs *i = list; i && r >= 0; i = i->ifa_next) {
		struct net n;

		if (i->ifa_addr && net_from_sockaddr(i->ifa_addr, &n) == 0)
			r = fn(ctx, &n);
	}
	freeifaddrs(list);
	return r < 0 ? r : 0;
}

struct walk {
	guard_source_fn fn;
	void *ctx;
	int result;
};

static void give(struct walk *w, int family, const struct nlattr *a)
{
	struct net n;

	if (family == AF_INET && mnl_attr_get_payload_len(a) == 4) {
		uint32_t v4;

		memcpy(&v4, mnl_attr_get_payload(a), sizeof(v4));
		n = net_from_v4(v4);
	} else if (family == AF_INET6 && mnl_attr_get_payload_len(a) == 16) {
		n = net_from_v6(mnl_attr_get_payload(a));
	} else {
		return;
	}
	if (w->result >= 0)
		w->result = w->fn(w->ctx, &n);
}

/* RTA_VIA: a gateway of the other family (struct rtvia). */
static void give_via(struct walk *w, const struct nlattr *a)
{
	const struct rtvia *via = mnl_attr_get_payload(a);
	size_t n = mnl_attr_get_payload_len(a);
	struct net net;

	if (n < sizeof(*via) + 16 || via->rtvia_family != AF_INET6)
		return;
	net = net_from_v6(via->rtvia_addr);
	if (w->result >= 0)
		w->result = w->fn(w->ctx, &net);
}

typedef void (*attr_fn)(struct walk *w, int family, const struct nlattr *a);

static void each_attr(
    const uint8_t *p, size_t n, attr_fn fn, struct walk *w, int family)
{
	const struct nlattr *a = (const void *)p;
	int left = (int)n;

	while (mnl_attr_ok(a, left)) {
		fn(w, family, a);
		left -= (a->nla_len + 3) & ~3; /* MNL_ALIGN */
		a = mnl_attr_next(a);
	}
}

static void on_hop_attr(struct walk *w, int family, const struct nlattr *a)
{
	if (mnl_attr_get_type(a) == RTA_GATEWAY)
		give(w, family, a);
}

static void give_hops(struct walk *w, int family, const struct nlattr *a)
{
	const uint8_t *p = mnl_attr_get_payload(a);
	size_t left = mnl_attr_get_payload_len(a);

	while (left >= sizeof(struct rtnexthop)) {
		struct rtnexthop hop;

		memcpy(&hop, p, sizeof(hop));
		if (hop.rtnh_len < sizeof(hop) || hop.rtnh_len > left)
			return;
		each_attr(p + sizeof(hop), hop.rtnh_len - sizeof(hop), on_hop_attr, w,
		    family);
		size_t step = (hop.rtnh_len + 3u) & ~3u; /* RTNH_ALIGN */

		if (step > left)
			return;
		p += step;
		left -= step;
	}
}

static void on_route_attr(struct walk *w, int family, const struct nlattr *a)
{
	switch (mnl_attr_get_type(a)) {
	case RTA_GATEWAY:
		give(w, family, a);
		return;
	case RTA_VIA:
		give_via(w, a);
		return;
	case RTA_MULTIPATH:
		give_hops(w, family, a);
		return;
	default:
		return;
	}
}

int guard_gateways_of_route(const struct nlmsghdr *h, guard_source_fn fn, void *ctx)
{
	struct walk w = {.fn = fn, .ctx = ctx};
	const struct rtmsg *m = mnl_nlmsg_get_payload(h);
	size_t n = mnl_nlmsg_get_payload_len(h);
	const size_t head =
	    12; /* struct rtmsg is a multiple of 4: no padding behind it */

	_Static_assert(sizeof(*m) == 12, "struct rtmsg");

	if (h->nlmsg_type == RTM_NEWROUTE && n >= head && m->rtm_dst_len == 0)
		each_attr((const uint8_t *)m + head, n - head, on_route_attr, &w,
		    m->rtm_family);
	return w.result;
}

static int on_route(const struct nlmsghdr *h, void *ctx)
{
	struct walk *w = ctx;

	if (w->result >= 0)
		w->result = guard_gateways_of_route(h, w->fn, w->ctx);
	return MNL_CB_OK;
}

static int ask_routes(struct mnl_socket *s, unsigned char family, unsigned int seq)
{
	_Alignas(struct nlmsghdr) char room[NLMSG_SPACE(sizeof(struct rtmsg))] = {0};
	struct nlmsghdr *h = mnl_nlmsg_put_header(room);
	struct rtmsg *m = mnl_nlmsg_put_extra_header(h, sizeof(*m));

	h->nlmsg_type = RTM_GETROUTE;
	h->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	h->nlmsg_seq = seq;
	m->rtm_family = family;
	return mnl_socket_sendto(s, h, h->nlmsg_len) < 0 ? -errno : 0;
}

static int hear_routes(struct mnl_socket *s, unsigned int seq, struct walk *w)
{
	_Alignas(struct nlmsghdr) char room[32768];
	int more = MNL_CB_OK;

	while (more > MNL_CB_STOP) {
		ssize_t n = mnl_socket_recvfrom(s, room, sizeof(room));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		more = mnl_cb_run(
		    room, (size_t)n, seq, mnl_socket_get_portid(s), on_route, w);
	}
	return more < 0 ? -errno : w->result;
}

/* The routes of one family. -EINTR: they changed under way. */
static int dump_routes(unsigned char family, struct walk *w)
{
	const unsigned int seq = 1; /* the only question on this socket */
	struct mnl_socket *s = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);

	if (!s)
		return -errno;
	int r = mnl_socket_bind(s, 0, MNL_SOCKET_AUTOPID) < 0 ? -errno : 0;

	if (!r)
		r = ask_routes(s, family, seq);
	if (!r)
		r = hear_routes(s, seq, w);
	mnl_socket_close(s);
	return r;
}

int guard_read_gateways(guard_source_fn fn, void *ctx)
{
	static const unsigned char families[] = {AF_INET, AF_INET6};
	struct walk w = {.fn = fn, .ctx = ctx};
	int r = 0;

	for (size_t i = 0; i < ARRAY_LEN(families) && r >= 0; i++) {
		r = -EINTR;
		for (int tries = 0; tries < MAX_TRIES && r == -EINTR; tries++)
			r = dump_routes(families[i], &w);
	}
	return r < 0 ? r : 0;
}

int guard_read_resolvers(guard_source_fn fn, void *ctx)
{
	struct buf b = BUF_INIT(RESOLV_MAX_BYTES);
	int r = fd_read_file(AT_FDCWD, GUARD_RESOLV_CONF, &b);
	struct span rest = buf_span(&b), line, word;

	if (r == -ENOENT)
		r = 0; /* without one the local machine is asked */
	while (!r && span_next_line(&rest, &line)) {
		struct net n;

		if (!span_next_word(&line, "", &word) ||
		    !span_eq(word, SPAN("nameserver")))
			continue;
		if (!span_next_word(&line, "", &word))
			continue;
		ptrdiff_t scope = span_index(word, '%');

		if (scope >= 0)
			word.n = (size_t)scope;
		if (net_parse_addr(word, &n) == 0)
			r = fn(ctx, &n);
	}
	buf_deinit(&b);
	return r < 0 ? r : 0;
}
