/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "enforce/sever_wire.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/sock_diag.h>
#include <netinet/tcp.h>
#include <stdlib.h>

/* All in which a peer can be heard. Not LISTEN; nor those that hold nothing but a name
 * (TIME_WAIT) or half a handshake, which has no end without the peer's packets. */
#define STATES                                                               \
	(1u << TCP_ESTABLISHED | 1u << TCP_FIN_WAIT1 | 1u << TCP_FIN_WAIT2 | \
	    1u << TCP_CLOSE_WAIT | 1u << TCP_LAST_ACK | 1u << TCP_CLOSING)

#define OP_BYTES sizeof(struct inet_diag_bc_op)

static bool has_port(const struct nft_target *t, uint16_t port)
{
	for (size_t i = 0; i < t->n_ports; i++) {
		if (port >= t->ports[i].from && port <= t->ports[i].to)
			return true;
	}
	return !t->n_ports;
}

bool sever_is_blocked(const struct nft_target *t, uint16_t port)
{
	if (t->protocol && t->protocol != IPPROTO_TCP)
		return false;
	/* A socket does not know its interface; and what is forwarded is not ours. */
	if (t->interface[0] || t->place.hook == NF_INET_FORWARD)
		return false;
	return has_port(t, port);
}

/* --- what is asked -----------------------------------------------------------------
 */

static uint8_t *put(uint8_t *p, const void *bytes, size_t n)
{
	memcpy(p, bytes, n);
	return p + n;
}

static size_t condition_bytes(const struct net *n)
{
	return OP_BYTES + sizeof(struct inet_diag_hostcond) + (net_is_v4(n) ? 4 : 16);
}

/* A condition jumps @no bytes on if it does not hold. One on IPv4 holds for IPv6
 * sockets with that address, too. */
static void put_condition(uint8_t *p, const struct net *n, size_t no)
{
	bool is_v4 = net_is_v4(n);
	struct inet_diag_bc_op op = {
	    .code = INET_DIAG_BC_D_COND,
	    .yes = (uint8_t)condition_bytes(n),
	    .no = (uint16_t)no,
	};
	struct inet_diag_hostcond c = {
	    .family = is_v4 ? AF_INET : AF_INET6,
	    .prefix_len = (uint8_t)net_prefix_len(n),
	    .port = -1,
	};

	p = put(p, &op, sizeof(op));
	p = put(p, &c, sizeof(c));
	put(p, is_v4 ? net_v4_bytes(n) : n->addr, is_v4 ? 4 : 16);
}

static void put_jump(uint8_t *p, size_t by)
{
	struct inet_diag_bc_op op = {
	    .code = INET_DIAG_BC_JMP, .yes = OP_BYTES, .no = (uint16_t)by};

	put(p, &op, sizeof(op));
}

/* Code under way. Offsets are from its begin; an offset behind the end by 4 means no.
 */
struct code {
	uint8_t *p;
	size_t at;
	size_t yes, no; /* where who is found goes, and who is not */
};

static unsigned int common_bits(const struct net *a, const struct net *b)
{
	unsigned int i = 0;

	while (i < a->bits && i < b->bits &&
	       !((a->addr[i / 8] ^ b->addr[i / 8]) & 0x80 >> i % 8))
		i++;
	return i;
}

/* How many of @nets, in order and none within another, lie in the first half of what
 * they have in common; @out_half is that half. */
static size_t split(const struct net *nets, size_t n, struct net *out_half)
{
	size_t k = 1;

	*out_half = net_cut(nets[0], common_bits(&nets[0], &nets[n - 1]) + 1);
	while (net_contains(out_half, &nets[k]))
		k++;
	return k;
}

static size_t tree_bytes(const struct net *nets, size_t n)
{
	return n ? n * (condition_bytes(nets) + OP_BYTES) +
		       (n - 1) * condition_bytes(nets)
		 : 0;
}

/* Halves of halves: a connection meets as many conditions as the tree is high, about 8
 * of 128. One behind the other they would take 10 ns each for each connection. */
static void put_tree(struct code *c, const struct net *nets, size_t n)
{
	size_t self = condition_bytes(nets);
	struct net half;

	if (n == 1) {
		put_condition(c->p + c->at, nets, c->no - c->at);
		put_jump(c->p + c->at + self, c->yes - c->at - self);
		c->at += self + OP_BYTES;
		return;
	}
	size_t k = split(nets, n, &half);

	put_condition(c->p + c->at, &half, self + tree_bytes(nets, k));
	c->at += self;
	put_tree(c, nets, k);
	put_tree(c, nets + k, n - k);
}

static int by_address(const void *a, const void *b)
{
	return net_cmp(a, b);
}

/* The networks of one family in order, without those inside others. */
static size_t sort_nets(
    const struct sever_ban *bans, size_t n, bool is_v4, struct net *out)
{
	size_t n_all = 0, kept = 0;

	for (size_t i = 0; i < n; i++) {
		if (net_is_v4(&bans[i].net) == is_v4)
			out[n_all++] = bans[i].net;
	}
	qsort(out, n_all, sizeof(*out), by_address);
	for (size_t i = 0; i < n_all; i++) {
		if (!kept || !net_contains(&out[kept - 1], &out[i]))
			out[kept++] = out[i];
	}
	return kept;
}

size_t sever_put_code(const struct sever_ban *bans, size_t n, uint8_t *out)
{
	struct net v4[SEVER_MAX_BANS], v6[SEVER_MAX_BANS];

	_Static_assert(SEVER_CODE_MAX_BYTES < UINT16_MAX, "jumps have 16 bits");
	assert(n > 0 && n <= SEVER_MAX_BANS);
	size_t n_v4 = sort_nets(bans, n, true, v4);
	size_t n_v6 = sort_nets(bans, n, false, v6);
	size_t v4_bytes = tree_bytes(v4, n_v4);
	size_t total = v4_bytes + tree_bytes(v6, n_v6);
	/* Who is not in the first tree goes on with the second. */
	struct code c = {
	    .p = out, .yes = total, .no = n_v6 ? v4_bytes : total + OP_BYTES};

	if (n_v4)
		put_tree(&c, v4, n_v4);
	c.no = total + OP_BYTES;
	if (n_v6)
		put_tree(&c, v6, n_v6);
	return total;
}

struct nlmsghdr *sever_put_listing(
    const struct sever_ban *bans, size_t n, uint32_t seq, void *room)
{
	struct nlmsghdr *h = mnl_nlmsg_put_header(room);
	uint8_t code[SEVER_CODE_MAX_BYTES];
	struct inet_diag_req *r = mnl_nlmsg_put_extra_header(h, sizeof(*r));

	h->nlmsg_type = SEVER_LISTING_TYPE;
	h->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	h->nlmsg_seq = seq;
	r->idiag_states = STATES;
	mnl_attr_put(h, INET_DIAG_REQ_BYTECODE, sever_put_code(bans, n, code), code);
	return h;
}

struct nlmsghdr *sever_put_cut(const struct sever_socket *s, uint32_t seq, void *room)
{
	struct nlmsghdr *h = mnl_nlmsg_put_header(room);
	struct inet_diag_req_v2 *r = mnl_nlmsg_put_extra_header(h, sizeof(*r));

	h->nlmsg_type = SOCK_DESTROY;
	h->nlmsg_flags = NLM_F_REQUEST;
	h->nlmsg_seq = seq;
	r->sdiag_family = s->family;
	r->sdiag_protocol = IPPROTO_TCP;
	r->idiag_states = STATES;
	r->id = s->id;
	return h;
}

/* --- what is answered --------------------------------------------------------------
 */

/* libmnl 1.0.4 takes a length above INT_MAX for a small one. */
const struct nlmsghdr *sever_next(struct span *rest)
{
	const struct nlmsghdr *h = (const void *)rest->p;

	if (rest->n < sizeof(*h) || h->nlmsg_len < sizeof(*h) || h->nlmsg_len > rest->n)
		return NULL;
	size_t step = NLMSG_ALIGN((size_t)h->nlmsg_len);

	if (step > rest->n)
		step = rest->n;
	rest->p += step;
	rest->n -= step;
	return h;
}

int sever_error_of(const struct nlmsghdr *h)
{
	int error;

	if (mnl_nlmsg_get_payload_len(h) < sizeof(error))
		return -EBADMSG;
	memcpy(&error, mnl_nlmsg_get_payload(h), sizeof(error));
	return error <= 0 && error >= -4095 ? error : -EBADMSG;
}

static bool has_cookie(const struct inet_diag_sockid *id)
{
	return id->idiag_cookie[0] != INET_DIAG_NOCOOKIE ||
	       id->idiag_cookie[1] != INET_DIAG_NOCOOKIE;
}

static bool is_wanted(const struct sever_ban *b, const struct net *peer, uint16_t port)
{
	if (!net_contains(&b->net, peer))
		return false;
	for (uint32_t i = 0; i < b->n_targets; i++) {
		if (nft_target_serves(&b->targets[i], b->step) &&
		    sever_is_blocked(&b->targets[i], port))
			return true;
	}
	return false;
}

/* Index of a ban that wants it ended, or n_bans. */
static size_t ban_of(const struct sever_found *f, const struct net *peer, uint16_t port)
{
	for (size_t i = 0; i < f->n_bans; i++) {
		if (is_wanted(&f->bans[i], peer, port))
			return i;
	}
	return f->n_bans;
}

bool sever_see(const struct nlmsghdr *h, struct sever_seen *out)
{
	struct inet_diag_msg m;

	if (h->nlmsg_type != SEVER_LISTING_TYPE ||
	    mnl_nlmsg_get_payload_len(h) < sizeof(m))
		return false;
	memcpy(&m, mnl_nlmsg_get_payload(h), sizeof(m));
	if (m.idiag_family != AF_INET && m.idiag_family != AF_INET6)
		return false;
	if (m.idiag_state >= 32 || !has_cookie(&m.id))
		return false;
	*out = (struct sever_seen){
	    .family = m.idiag_family,
	    .state = m.idiag_state,
	    .id = m.id,
	    .peer = m.idiag_family == AF_INET
			? net_from_v4(m.id.idiag_dst[0])
			: net_from_v6((const uint8_t *)m.id.idiag_dst),
	    .port = ntohs(m.id.idiag_sport),
	    .n_queued = m.idiag_rqueue,
	    .is_held = m.idiag_inode != 0,
	    .more = {(const char *)mnl_nlmsg_get_payload(h) + sizeof(m),
		mnl_nlmsg_get_payload_len(h) - sizeof(m)},
	};
	return true;
}

static void hear_socket(struct sever_found *f, const struct nlmsghdr *h)
{
	struct sever_seen s;

	if (!sever_see(h, &s) || !(1u << s.state & STATES))
		return;
	size_t ban = ban_of(f, &s.peer, s.port);

	if (ban == f->n_bans)
		return;
	if (f->n == f->room) {
		f->is_full = true;
		return;
	}
	f->sockets[f->n++] =
	    (struct sever_socket){.family = s.family, .id = s.id, .ban = (uint32_t)ban};
}

static int hear_one(struct sever_found *f, uint32_t seq, const struct nlmsghdr *h)
{
	if (h->nlmsg_seq != seq)
		return 0;
	if (h->nlmsg_type != NLMSG_DONE && h->nlmsg_type != NLMSG_ERROR) {
		hear_socket(f, h);
		return 0;
	}
	f->is_over = true;
	return sever_error_of(h);
}

int sever_hear(struct sever_found *f, uint32_t seq, const void *bytes, size_t n_bytes)
{
	struct span rest = {bytes, n_bytes};
	const struct nlmsghdr *h;
	int r = 0;

	while (!r && !f->is_over && !f->is_full && (h = sever_next(&rest)))
		r = hear_one(f, seq, h);
	return r;
}
