/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "proc/channel.h"

#include <bsd/sys/queue.h>
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"

/* So many packets are read before other watchers get their turn. */
#define PACKETS_PER_TURN 64

struct waiting {
	TAILQ_ENTRY(waiting) link;
	int fd;
	size_t n;
	uint8_t bytes[];
};

struct channel {
	int fd;
	struct loop_watch *watch;
	struct channel_fns fns;
	TAILQ_HEAD(, waiting) queue;
	size_t queue_bytes;
	bool is_closed;   /* told, or about to be told */
	bool in_callback; /* freeing must wait */
	bool is_freed;
	uint8_t packet[MESSAGE_MAX_BYTES];
};

int channel_pair(int out_fds[2])
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, out_fds) < 0)
		return -errno;
	for (int i = 0; i < 2; i++) {
		int bytes = 1 << 20;

		/* Larger than the default where the limit allows; fewer stalls in
		 * bursts. */
		(void)setsockopt(
		    out_fds[i], SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
	}
	return 0;
}

static void queue_clear(struct channel *c)
{
	struct waiting *w;

	while ((w = TAILQ_FIRST(&c->queue))) {
		TAILQ_REMOVE(&c->queue, w, link);
		fd_closep(&w->fd);
		free(w);
	}
	c->queue_bytes = 0;
}

static void release(struct channel *c)
{
	queue_clear(c);
	loop_watch_free(c->watch);
	fd_closep(&c->fd);
	free(c);
}

struct channel *channel_free(struct channel *c)
{
	if (!c)
		return NULL;
	if (c->in_callback) {
		c->is_freed = true;
		c->is_closed = true;
	} else {
		release(c);
	}
	return NULL;
}

/* Tell the owner once; afterwards nothing is read or sent. */
static void give_up(struct channel *c)
{
	if (c->is_closed)
		return;
	c->is_closed = true;
	queue_clear(c);
	loop_set_events(c->watch, 0);
	(void)shutdown(c->fd, SHUT_RDWR);
	c->fns.closed(c->fns.ctx, c);
}

static int send_packet(int fd, const void *bytes, size_t n, int pass_fd)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(sizeof(int))];
	} control = {.room = {0}};
	/* sendmsg() does not write through iov_base. */
	struct iovec iov = {.iov_base = (void *)(uintptr_t)bytes, .iov_len = n};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};

	if (pass_fd >= 0) {
		m.msg_control = control.room;
		m.msg_controllen = sizeof(control.room);
		struct cmsghdr *h = CMSG_FIRSTHDR(&m);

		h->cmsg_level = SOL_SOCKET;
		h->cmsg_type = SCM_RIGHTS;
		h->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(h), &pass_fd, sizeof(int));
	}
	for (;;) {
		if (sendmsg(fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
			return 0;
		if (errno != EINTR)
			return -errno;
	}
}

static bool is_busy(int r)
{
	return r == -EAGAIN || r == -EWOULDBLOCK || r == -ENOBUFS || r == -ETOOMANYREFS;
}

/* Return: 0 when the queue is empty, -EAGAIN, or the error that ends the channel. */
static int queue_flush(struct channel *c)
{
	struct waiting *w;

	while ((w = TAILQ_FIRST(&c->queue))) {
		int r = send_packet(c->fd, w->bytes, w->n, w->fd);

		if (is_busy(r))
			return -EAGAIN;
		if (r < 0)
			return r;
		TAILQ_REMOVE(&c->queue, w, link);
		c->queue_bytes -= w->n;
		fd_closep(&w->fd);
		free(w);
	}
	return 0;
}

static int enqueue(struct channel *c, const void *bytes, size_t n, int pass_fd)
{
	struct waiting *w = malloc(sizeof(*w) + n);

	if (!w)
		return -ENOMEM;
	w->n = n;
	w->fd = pass_fd < 0 ? -1 : dup(pass_fd);
	if (pass_fd >= 0 && w->fd < 0) {
		free(w);
		return -errno;
	}
	memcpy(w->bytes, bytes, n);
	TAILQ_INSERT_TAIL(&c->queue, w, link);
	c->queue_bytes += n;
	loop_set_events(c->watch, LOOP_READ | LOOP_WRITE);
	return 0;
}

int channel_send(
    struct channel *c, enum message_type type, struct span body, int pass_fd)
{
	uint8_t packet[2 + 512];
	CLEANUP(freep) uint8_t *large = NULL;
	uint8_t *p = packet;

	if (c->is_closed)
		return -EPIPE;
	if (body.n > MESSAGE_MAX_BYTES - 2)
		return -EMSGSIZE;
	if (body.n > sizeof(packet) - 2) {
		large = malloc(body.n + 2);
		if (!large)
			return -ENOMEM;
		p = large;
	}
	p[0] = (uint8_t)((unsigned int)type & 0xff);
	p[1] = (uint8_t)((unsigned int)type >> 8);
	if (body.n)
		memcpy(p + 2, body.p, body.n);

	int r = TAILQ_EMPTY(&c->queue) ? send_packet(c->fd, p, body.n + 2, pass_fd)
				       : -EAGAIN;

	if (is_busy(r))
		r = c->queue_bytes > CHANNEL_QUEUE_BYTES
			? -EPIPE
			: enqueue(c, p, body.n + 2, pass_fd);
	if (r == -ENOMEM)
		return r;
	if (r < 0) {
		give_up(c);
		return -EPIPE;
	}
	return 0;
}

static int take_fd(struct msghdr *m)
{
	int fd = -1;

	for (struct cmsghdr *h = CMSG_FIRSTHDR(m); h; h = CMSG_NXTHDR(m, h)) {
		if (h->cmsg_level != SOL_SOCKET || h->cmsg_type != SCM_RIGHTS)
			continue;
		size_t n = (h->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		for (size_t i = 0; i < n; i++) {
			int one;

			memcpy(&one, CMSG_DATA(h) + i * sizeof(int), sizeof(one));
			if (fd < 0)
				fd = one;
			else
				close(one);
		}
	}
	return fd;
}

/* Return: bytes, 0 at the end, or negative errno. */
static ssize_t receive(struct channel *c, int *out_fd)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(sizeof(int) * 4)];
	} control;
	struct iovec iov = {.iov_base = c->packet, .iov_len = sizeof(c->packet)};
	struct msghdr m = {.msg_iov = &iov,
	    .msg_iovlen = 1,
	    .msg_control = control.room,
	    .msg_controllen = sizeof(control.room)};
	ssize_t n;

	do {
		n = recvmsg(c->fd, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	*out_fd = take_fd(&m);
	if (m.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) {
		fd_closep(out_fd);
		return -EBADMSG;
	}
	return n;
}

static void deliver(struct channel *c, size_t n, int fd)
{
	struct message m = {
	    .type = (enum message_type)(c->packet[0] | c->packet[1] << 8),
	    .body = unpack_of((struct span){(const char *)c->packet + 2, n - 2}),
	    .fd = fd,
	};

	c->fns.message(c->fns.ctx, c, &m);
	fd_closep(&m.fd);
}

static void on_readable(struct channel *c)
{
	for (int i = 0; i < PACKETS_PER_TURN && !c->is_closed; i++) {
		int fd = -1;
		ssize_t n = receive(c, &fd);

		if (n == -EAGAIN)
			return;
		if (n < 2) {
			fd_closep(&fd);
			give_up(c);
			return;
		}
		deliver(c, (size_t)n, fd);
	}
}

static void on_event(void *ctx, int events)
{
	struct channel *c = ctx;

	c->in_callback = true;
	if (!c->is_closed && (events & LOOP_WRITE)) {
		int r = queue_flush(c);

		if (!r)
			loop_set_events(c->watch, LOOP_READ);
		else if (r != -EAGAIN)
			give_up(c);
	}
	if (!c->is_closed && (events & LOOP_READ))
		on_readable(c);
	c->in_callback = false;
	if (c->is_freed)
		release(c);
}

struct channel *channel_new(struct loop *l, int fd, const struct channel_fns *fns)
{
	struct channel *c = calloc(1, sizeof(*c));

	if (!c) {
		close(fd);
		return NULL;
	}
	c->fd = fd;
	c->fns = *fns;
	TAILQ_INIT(&c->queue);
	(void)fd_set_nonblock(fd, true);
	c->watch = loop_add_fd(l, fd, LOOP_READ, on_event, c);
	if (!c->watch) {
		release(c);
		return NULL;
	}
	return c;
}

bool channel_is_idle(const struct channel *c)
{
	return TAILQ_EMPTY(&c->queue);
}

void channel_drain(struct channel *c, int timeout_ms)
{
	struct pollfd p = {.fd = c->fd, .events = POLLOUT};

	while (!c->is_closed && queue_flush(c) == -EAGAIN) {
		if (poll(&p, 1, timeout_ms) <= 0)
			return;
	}
}
