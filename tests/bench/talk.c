/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "talk.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

struct place {
	struct sockaddr_storage addr;
	socklen_t n;
};

static bool read_place(const char *text, uint16_t port, struct place *out)
{
	struct sockaddr_in *v4 = (void *)&out->addr;
	struct sockaddr_in6 *v6 = (void *)&out->addr;

	memset(out, 0, sizeof(*out));
	if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons(port);
		out->n = sizeof(*v4);
		return true;
	}
	if (inet_pton(AF_INET6, text, &v6->sin6_addr) != 1)
		return false;
	v6->sin6_family = AF_INET6;
	v6->sin6_port = htons(port);
	out->n = sizeof(*v6);
	return true;
}

static int bind_from(int fd, const struct place *from)
{
	int on = 1;

	/* The address is routed to this machine, not assigned. */
	if (from->addr.ss_family == AF_INET6 &&
	    setsockopt(fd, IPPROTO_IPV6, IPV6_FREEBIND, &on, sizeof(on)) < 0)
		return -errno;
	/* Without a port: a banned client uses up many, and each is free for others. */
	(void)setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return bind(fd, (const void *)&from->addr, from->n) < 0 ? -errno : 0;
}

static int connect_to(int fd, const struct place *to)
{
	if (connect(fd, (const void *)&to->addr, to->n) < 0 && errno != EINPROGRESS)
		return -errno;
	return 0;
}

int talk_open(struct talk *t, const char *source, const char *server, uint16_t port,
    int epoll, void *owner)
{
	struct epoll_event wanted = {.events = EPOLLIN | EPOLLRDHUP, .data.ptr = owner};
	struct place from, to;
	int fd, r;

	if (!read_place(source, 0, &from) || !read_place(server, port, &to))
		return -EINVAL;
	fd = socket(from.addr.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	r = bind_from(fd, &from);
	if (!r)
		r = connect_to(fd, &to);
	if (!r && epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &wanted) < 0)
		r = -errno;
	if (r < 0) {
		(void)close(fd);
		return r;
	}
	*t = (struct talk){.fd = fd};
	return 0;
}

/* Return: whether a reply ends with this byte. */
static bool hear_byte(struct talk *t, char c)
{
	if (c == '\n') {
		t->column = 0;
		return t->is_last;
	}
	if (t->column == 0)
		t->code = 0;
	if (t->column < 3 && c >= '0' && c <= '9')
		t->code = 10 * t->code + (c - '0');
	if (t->column == 3)
		t->is_last = c != '-';
	t->column++;
	return false;
}

/* An answer of the network that came while connect() was still at work is not yet an
 * error for recv(): the kernel would try again by itself first. */
static bool is_refused(const struct talk *t)
{
	int error = 0;
	socklen_t n = sizeof(error);

	return !t->is_answered &&
	       (getsockopt(t->fd, SOL_SOCKET, SO_ERROR, &error, &n) < 0 || error);
}

int talk_hear(struct talk *t)
{
	for (;;) {
		while (t->at < t->n) {
			if (hear_byte(t, t->room[t->at++]))
				return TALK_REPLY;
		}
		ssize_t n = recv(t->fd, t->room, sizeof(t->room), 0);

		if (n < 0 && errno == EAGAIN)
			return is_refused(t) ? TALK_OVER : 0;
		if (n <= 0)
			return TALK_OVER;
		t->is_answered = true;
		t->at = 0;
		t->n = (uint32_t)n;
	}
}

int talk_say(struct talk *t, const char *text)
{
	size_t n = strlen(text);
	ssize_t sent = send(t->fd, text, n, MSG_NOSIGNAL);

	if (sent < 0)
		return -errno;
	return (size_t)sent == n ? 0 : -EPIPE;
}

void talk_close(struct talk *t)
{
	if (t->fd >= 0)
		(void)close(t->fd);
	t->fd = -1;
}
