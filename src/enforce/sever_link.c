/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "enforce/sever_link.h"

#include <errno.h>
#include <libmnl/libmnl.h>

#define PER_SEND 64 /* each may be answered with an error; these fit any buffer */
#define RECV_BYTES \
	32768 /* a listing comes in pieces of at most that (netlink_dump()) */

DEFINE_CLEANUP(struct mnl_socket *, mnl_socket_close)

static int open_link(struct mnl_socket **out)
{
	struct mnl_socket *s = mnl_socket_open2(NETLINK_SOCK_DIAG, SOCK_CLOEXEC);
	int on = 1;

	if (!s)
		return -errno;
	if (mnl_socket_bind(s, 0, MNL_SOCKET_AUTOPID) < 0) {
		int r = -errno;

		(void)mnl_socket_close(s); /* nothing is buffered in it */
		return r;
	}
	/* Else an error brings back the whole request, which is more to read. */
	(void)mnl_socket_setsockopt(s, NETLINK_CAP_ACK, &on, sizeof(on));
	*out = s;
	return 0;
}

static int send_bytes(struct mnl_socket *s, const void *bytes, size_t n)
{
	struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
	ssize_t sent;

	do {
		sent = sendto(mnl_socket_get_fd(s), bytes, n, MSG_DONTWAIT,
		    (struct sockaddr *)&kernel, sizeof(kernel));
	} while (sent < 0 && errno == EINTR);
	return sent < 0 ? -errno : 0;
}

/* Return: bytes, 0 if it is not from the kernel, or negative errno: -ENOBUFS where an
 * answer should be and is not. */
static ssize_t receive(struct mnl_socket *s, void *room, size_t n_bytes)
{
	struct sockaddr_nl from = {0};
	socklen_t from_bytes = sizeof(from);
	ssize_t n;

	do {
		n = recvfrom(mnl_socket_get_fd(s), room, n_bytes,
		    MSG_TRUNC | MSG_DONTWAIT, (struct sockaddr *)&from, &from_bytes);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == EAGAIN ? -ENOBUFS : -errno;
	if (from_bytes != sizeof(from) || from.nl_pid != 0)
		return 0;
	return (size_t)n <= n_bytes ? n : -EBADMSG;
}

int sever_list(const struct nlmsghdr *question, sever_hear_fn hear, void *ctx)
{
	_Alignas(struct nlmsghdr) char answer[RECV_BYTES];
	CLEANUP(mnl_socket_closep) struct mnl_socket *s = NULL;
	int r = open_link(&s);

	if (r < 0)
		return r;
	r = send_bytes(s, question, question->nlmsg_len);
	while (!r) {
		ssize_t n = receive(s, answer, sizeof(answer));

		r = n < 0 ? (int)n : hear(ctx, answer, (size_t)n);
	}
	return r < 0 ? r : 0;
}

/* --- the cuts ----------------------------------------------------------------------
 */

/* Messages [0, n) of one send, numbered from 1. */
struct cuts {
	struct sever_socket *sockets;
	uint32_t n;
	bool is_failed[PER_SEND];
	int error; /* the first that is more than a connection gone meanwhile */
	bool is_over;
};

static void weigh(struct cuts *c, const struct nlmsghdr *h)
{
	int error;

	if (h->nlmsg_type != NLMSG_ERROR || !h->nlmsg_seq || h->nlmsg_seq > c->n)
		return;
	error = sever_error_of(h);
	c->is_failed[h->nlmsg_seq - 1] = error < 0;
	if (error < 0 && error != -ENOENT && error != -ESTALE && !c->error)
		c->error = error;
	/* The last one is always answered. */
	c->is_over |= h->nlmsg_seq == c->n;
}

static int hear_cuts(struct mnl_socket *s, struct cuts *c)
{
	_Alignas(struct nlmsghdr) char answer[4096];

	while (!c->is_over) {
		ssize_t n = receive(s, answer, sizeof(answer));
		struct span rest = {answer, n > 0 ? (size_t)n : 0};
		const struct nlmsghdr *h;

		if (n < 0)
			return (int)n;
		while ((h = sever_next(&rest)))
			weigh(c, h);
	}
	return c->error;
}

static int cut_some(struct mnl_socket *s, struct cuts *c)
{
	_Alignas(struct nlmsghdr) char request[PER_SEND * SEVER_CUT_BYTES];

	_Static_assert(SEVER_CUT_BYTES % NLMSG_ALIGNTO == 0, "they stand in a row");
	for (uint32_t i = 0; i < c->n; i++) {
		struct nlmsghdr *h =
		    sever_put_cut(&c->sockets[i], i + 1, request + i * SEVER_CUT_BYTES);

		if (i + 1 == c->n)
			h->nlmsg_flags |= NLM_F_ACK;
	}
	int r = send_bytes(s, request, c->n * SEVER_CUT_BYTES);

	return r < 0 ? r : hear_cuts(s, c);
}

static uint32_t note(struct cuts *c)
{
	uint32_t n = 0;

	/* Answers that were lost: it is not known, and not told as done. */
	for (uint32_t i = 0; i < c->n && c->is_over; i++) {
		c->sockets[i].is_cut = !c->is_failed[i];
		n += !c->is_failed[i];
	}
	return n;
}

int64_t sever_cut(struct sever_socket *sockets, size_t n)
{
	CLEANUP(mnl_socket_closep) struct mnl_socket *s = NULL;
	int r = open_link(&s);
	int64_t total = 0;

	for (size_t i = 0; i < n && !r; i += PER_SEND) {
		size_t left = n - i;
		struct cuts c = {
		    .sockets = sockets + i,
		    .n = (uint32_t)(left < PER_SEND ? left : PER_SEND),
		};

		r = cut_some(s, &c);
		total += note(&c);
	}
	return r < 0 ? r : total;
}
