/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * nft_watch - one socket that only listens
 */

#include "enforce/nft_watch.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/filter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "enforce/nft_link.h"

#define RECV_BYTES 65536
#define RECV_BUFFER_BYTES (1 << 20)

struct nft_watch {
	struct mnl_socket *nl;
	_Alignas(8) char bytes[RECV_BYTES];
};

int nft_watch_listen(struct nft_watch *w, bool yes)
{
	int group = NFNLGRP_NFTABLES;
	int r = mnl_socket_setsockopt(w->nl,
	    yes ? NETLINK_ADD_MEMBERSHIP : NETLINK_DROP_MEMBERSHIP, &group,
	    sizeof(group));

	return r < 0 ? -errno : 0;
}

static int prepare(struct nft_watch *w)
{
	int fd, bytes = RECV_BUFFER_BYTES, r;

	if (mnl_socket_bind(w->nl, 0, MNL_SOCKET_AUTOPID) < 0)
		return -errno;
	fd = mnl_socket_get_fd(w->nl);
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)) < 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
	r = nft_watch_listen(w, true);
	return r < 0 ? r : fd_set_nonblock(fd, true);
}

struct nft_watch *nft_watch_open(struct err *e)
{
	CLEANUP(nft_watch_closep) struct nft_watch *w = calloc(1, sizeof(*w));
	int r;

	if (!w) {
		(void)err_set(e, -ENOMEM, "out of memory");
		return NULL;
	}
	w->nl = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);
	r = w->nl ? prepare(w) : -errno;
	if (r < 0) {
		(void)err_errno(e, r, "changes of nf_tables cannot be watched");
		return NULL;
	}
	return TAKE(w);
}

struct nft_watch *nft_watch_close(struct nft_watch *w)
{
	if (!w)
		return NULL;
	if (w->nl)
		(void)mnl_socket_close(w->nl); /* nothing is buffered in it */
	free(w);
	return NULL;
}

int nft_watch_fd(const struct nft_watch *w)
{
	return mnl_socket_get_fd(w->nl);
}

int nft_watch_ignore(struct nft_watch *w, const uint32_t *ports, size_t n)
{
	/* Load nlmsg_pid of the first message: those of one packet have one sender. */
	struct sock_filter code[NFT_WATCH_MAX_IGNORED + 3] = {
	    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct nlmsghdr, nlmsg_pid)),
	};
	struct sock_fprog program = {.filter = code, .len = 1};

	if (n > NFT_WATCH_MAX_IGNORED)
		return -E2BIG;
	for (size_t i = 0; i < n; i++)
		code[program.len++] = (struct sock_filter)BPF_JUMP(
		    BPF_JMP | BPF_JEQ | BPF_K, htonl(ports[i]), (uint8_t)(n - i), 0);
	code[program.len++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, UINT32_MAX);
	code[program.len++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, 0);
	if (setsockopt(nft_watch_fd(w), SOL_SOCKET, SO_ATTACH_FILTER, &program,
		sizeof(program)) < 0)
		return -errno;
	return 0;
}

/* Which attribute of a message of this type names the table; 0: it is of no table. */
static unsigned int table_attr(unsigned int type)
{
	switch (type) {
	case NFT_MSG_NEWTABLE:
	case NFT_MSG_DELTABLE:
		return NFTA_TABLE_NAME;
	case NFT_MSG_NEWCHAIN:
	case NFT_MSG_DELCHAIN:
		return NFTA_CHAIN_TABLE;
	case NFT_MSG_NEWRULE:
	case NFT_MSG_DELRULE:
		return NFTA_RULE_TABLE;
	case NFT_MSG_NEWSET:
	case NFT_MSG_DELSET:
		return NFTA_SET_TABLE;
	default:
		return 0;
	}
}

static struct span bytes_of(const struct nlattr *a)
{
	if (!a)
		return SPAN("");
	return (struct span){mnl_attr_get_payload(a), mnl_attr_get_payload_len(a)};
}

static void hear_lost(const struct nlmsghdr *nlh, const struct nft_watch_fns *fns)
{
	const struct nlattr *a[NFTA_SET_ELEM_LIST_MAX + 1], *elem = NULL;

	if (!nft_attrs(nlh, a, NFTA_SET_ELEM_LIST_MAX + 1) ||
	    !a[NFTA_SET_ELEM_LIST_ELEMENTS])
		return;
	while ((elem = nft_attr_next(a[NFTA_SET_ELEM_LIST_ELEMENTS], elem))) {
		const struct nlattr *parts[NFTA_SET_ELEM_MAX + 1];
		const struct nlattr *data[NFTA_DATA_MAX + 1];

		nft_attrs_nested(elem, parts, NFTA_SET_ELEM_MAX + 1);
		nft_attrs_nested(parts[NFTA_SET_ELEM_KEY], data, NFTA_DATA_MAX + 1);
		fns->lost(fns->ctx, nft_attr_str(a[NFTA_SET_ELEM_LIST_TABLE]),
		    nft_attr_str(a[NFTA_SET_ELEM_LIST_SET]),
		    bytes_of(data[NFTA_DATA_VALUE]));
	}
}

static void hear(const struct nlmsghdr *nlh, const struct nft_watch_fns *fns)
{
	const struct nlattr *a[NFTA_RULE_MAX + 1];
	unsigned int type = nlh->nlmsg_type & 0xff, table;

	if (nlh->nlmsg_type >> 8 != NFNL_SUBSYS_NFTABLES)
		return;
	if (type == NFT_MSG_DELSETELEM) {
		hear_lost(nlh, fns);
		return;
	}
	table = table_attr(type);
	if (table && nft_attrs(nlh, a, ARRAY_LEN(a)))
		fns->changed(fns->ctx, nft_attr_str(a[table]));
}

/* Return: 0, 1: nothing more is there, or negative errno. */
static int read_one(struct nft_watch *w, const struct nft_watch_fns *fns)
{
	struct sockaddr_nl from = {0};
	socklen_t from_bytes = sizeof(from);
	const struct nlmsghdr *nlh = (const struct nlmsghdr *)(const void *)w->bytes;
	ssize_t n = recvfrom(nft_watch_fd(w), w->bytes, sizeof(w->bytes), MSG_TRUNC,
	    (struct sockaddr *)&from, &from_bytes);

	if (n < 0)
		return errno == EAGAIN ? 1 : errno == EINTR ? 0 : -errno;
	if (from_bytes != sizeof(from) || from.nl_pid != 0)
		return 0; /* not from the kernel */
	if ((size_t)n > sizeof(w->bytes))
		return -ENOBUFS;
	for (int left = (int)n; mnl_nlmsg_ok(nlh, left);
	     nlh = mnl_nlmsg_next(nlh, &left))
		hear(nlh, fns);
	return 0;
}

void nft_watch_read(
    struct nft_watch *w, unsigned int max, const struct nft_watch_fns *fns)
{
	int r = 0;

	while (r == 0 && max-- > 0)
		r = read_one(w, fns);
	if (r < 0)
		fns->missed(fns->ctx);
}
