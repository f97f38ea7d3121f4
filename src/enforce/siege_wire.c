/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "enforce/siege_wire.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>

/* Its struct tcp_info is whole, unlike that of netinet/tcp.h. */
#include <linux/tcp.h>

/* net/tcp_states.h of the kernel; uapi has no names for them. */
enum { ESTABLISHED = 1, LISTEN = 10 };

/* Up to the last field that we read. */
#define INFO_MIN_BYTES \
	(offsetof(struct tcp_info, tcpi_data_segs_out) + sizeof(uint32_t))
#define PORT_BYTES (5 * sizeof(struct inet_diag_bc_op))

/* --- what is asked -----------------------------------------------------------------
 */

/* "If the local port is not @code of @port, go on @no bytes from here." */
static struct inet_diag_bc_op *put_comparison(
    struct inet_diag_bc_op *p, uint8_t code, uint16_t port, size_t no)
{
	p[0] = (struct inet_diag_bc_op){
	    .code = code, .yes = 2 * sizeof(*p), .no = (uint16_t)no};
	p[1] = (struct inet_diag_bc_op){.code = INET_DIAG_BC_NOP, .no = port};
	return p + 2;
}

/* The kernel's filter "the local port is one of these". Equality is newer than the
 * two. Return: bytes used. */
static size_t put_code(
    const uint16_t *ports, size_t n, struct inet_diag_bc_op out[static 1])
{
	const size_t op = sizeof(*out);
	struct inet_diag_bc_op *p = out;

	for (size_t i = 0; i < n; i++) {
		size_t left = (n - i) * PORT_BYTES;
		/* To the next; behind the last, and 4 more, is no. */
		size_t no = PORT_BYTES + (i + 1 == n ? op : 0);

		p = put_comparison(p, INET_DIAG_BC_S_GE, ports[i], no);
		p = put_comparison(p, INET_DIAG_BC_S_LE, ports[i], no - 2 * op);
		*p++ = (struct inet_diag_bc_op){.code = INET_DIAG_BC_JMP,
		    .yes = (uint8_t)op,
		    .no = (uint16_t)(left - 4 * op)};
	}
	return n * PORT_BYTES;
}

static struct inet_diag_req *put_question(uint32_t seq, uint32_t states, void *room)
{
	struct nlmsghdr *h = mnl_nlmsg_put_header(room);
	struct inet_diag_req *r = mnl_nlmsg_put_extra_header(h, sizeof(*r));

	h->nlmsg_type = SEVER_LISTING_TYPE;
	h->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	h->nlmsg_seq = seq;
	r->idiag_states = states;
	return r;
}

struct nlmsghdr *siege_put_listeners(uint32_t seq, void *room)
{
	(void)put_question(seq, 1u << LISTEN, room);
	return room;
}

struct nlmsghdr *siege_put_connections(const struct siege *s, uint32_t seq, void *room)
{
	struct inet_diag_bc_op code[SIEGE_MAX_PORTS * 5];
	uint16_t ports[SIEGE_MAX_PORTS];
	size_t n = siege_full_ports(s, ports);
	struct inet_diag_req *r = put_question(seq, 1u << ESTABLISHED, room);

	r->idiag_ext = 1 << (INET_DIAG_INFO - 1);
	mnl_attr_put(room, INET_DIAG_REQ_BYTECODE, put_code(ports, n, code), code);
	return room;
}

/* --- what is answered --------------------------------------------------------------
 */

static void hear_listener(void *to, const struct sever_seen *s)
{
	struct siege_waiting *w = to;

	if (s->state != LISTEN || !s->n_queued || w->n == SIEGE_MAX_PORTS)
		return;
	for (size_t i = 0; i < w->n; i++) {
		if (w->ports[i] == s->port)
			return;
	}
	if (w->is_wanted(w->ctx, s->port))
		w->ports[w->n++] = s->port;
}

/* The value of attribute @type, if it is there and @min bytes long. */
static const void *find_attr(struct span rest, uint16_t type, size_t min)
{
	struct nlattr a;

	while (rest.n >= sizeof(a)) {
		memcpy(&a, rest.p, sizeof(a));
		if (a.nla_len < sizeof(a) || a.nla_len > rest.n)
			return NULL;
		if ((a.nla_type & NLA_TYPE_MASK) == type)
			return a.nla_len - sizeof(a) >= min ? rest.p + sizeof(a) : NULL;
		size_t step = ((size_t)a.nla_len + 3) & ~(size_t)3;

		if (step > rest.n)
			return NULL;
		rest.p += step;
		rest.n -= step;
	}
	return NULL;
}

static struct siege_connection connection_of(const struct sever_seen *s)
{
	const void *bytes = find_attr(s->more, INET_DIAG_INFO, INFO_MIN_BYTES);
	struct siege_connection c = {
	    .peer = s->peer, .port = s->port, .is_held = s->is_held};
	struct tcp_info info;

	if (!bytes)
		return c;
	memcpy(&info, bytes, INFO_MIN_BYTES);
	c.is_known = true;
	c.sent_ms = info.tcpi_last_data_sent;
	c.received_ms = info.tcpi_last_data_recv;
	c.n_sent = info.tcpi_data_segs_out;
	c.n_received = info.tcpi_data_segs_in;
	return c;
}

static void hear_connection(void *to, const struct sever_seen *s)
{
	struct siege_connection c = connection_of(s);
	struct siege_found *f = to;

	if (s->state != ESTABLISHED || !siege_full(f->siege, c.port) ||
	    !siege_is_silent(&c))
		return;
	uint32_t jail = f->whose(f->ctx, &c);

	if (jail == SIEGE_NOBODY)
		return;
	if (f->n == f->room) {
		f->is_full = true;
		return;
	}
	f->sockets[f->n++] =
	    (struct sever_socket){.family = s->family, .id = s->id, .ban = jail};
}

/* Shows each socket of a datagram to @fn. Return: 0, 1 at the end, or negative errno.
 */
static int hear(uint32_t seq, const void *bytes, size_t n_bytes,
    void (*fn)(void *to, const struct sever_seen *s), void *to)
{
	struct span rest = {bytes, n_bytes};
	const struct nlmsghdr *h;
	struct sever_seen s;

	while ((h = sever_next(&rest))) {
		if (h->nlmsg_seq != seq)
			continue;
		if (h->nlmsg_type == NLMSG_DONE || h->nlmsg_type == NLMSG_ERROR) {
			int r = sever_error_of(h);

			return r < 0 ? r : 1;
		}
		if (sever_see(h, &s))
			fn(to, &s);
	}
	return 0;
}

int siege_hear_listeners(
    struct siege_waiting *w, uint32_t seq, const void *bytes, size_t n_bytes)
{
	int r = hear(seq, bytes, n_bytes, hear_listener, w);

	w->is_over = r != 0;
	return r < 0 ? r : 0;
}

int siege_hear_connections(
    struct siege_found *f, uint32_t seq, const void *bytes, size_t n_bytes)
{
	int r = hear(seq, bytes, n_bytes, hear_connection, f);

	f->is_over = r != 0;
	return r < 0 ? r : 0;
}
