/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "enforce/sever_wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/sock_diag.h>
#include <netinet/tcp.h>

static const struct nft_target mail = {
    .protocol = IPPROTO_TCP, .n_ports = 2, .ports = {{25, 25}, {465, 470}}};

static struct sever_ban ban(const char *text)
{
	struct sever_ban b = {.targets = &mail, .n_targets = 1};

	assert_int_equal(net_parse(span_of(text), &b.net), 0);
	return b;
}

/* --- the filter, run as the kernel would -------------------------------------------
 */

struct peer {
	uint8_t family;
	uint8_t addr[16];
};

static struct peer peer_of(const char *text)
{
	struct peer p = {strchr(text, ':') ? AF_INET6 : AF_INET, {0}};

	assert_int_equal(inet_pton(p.family, text, p.addr), 1);
	return p;
}

static bool bits_match(const uint8_t *a, const uint8_t *b, unsigned int bits)
{
	for (unsigned int i = 0; i < bits; i++) {
		if ((a[i / 8] ^ b[i / 8]) & 0x80 >> i % 8)
			return false;
	}
	return true;
}

static bool holds(const uint8_t *operands, const struct peer *p)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	struct inet_diag_hostcond c;
	const uint8_t *addr = operands + sizeof(c);

	memcpy(&c, operands, sizeof(c));
	assert_int_equal(c.port, -1);
	assert_true(c.prefix_len <= (c.family == AF_INET ? 32 : 128));
	if (c.family == p->family)
		return bits_match(p->addr, addr, c.prefix_len);
	return c.family == AF_INET && !memcmp(p->addr, mapped, sizeof(mapped)) &&
	       bits_match(p->addr + 12, addr, c.prefix_len);
}

static bool run(const uint8_t *code, size_t n_bytes, const struct peer *p)
{
	long left = (long)n_bytes;

	while (left > 0) {
		struct inet_diag_bc_op op;
		bool yes = false;

		assert_true(left >= (long)sizeof(op));
		memcpy(&op, code, sizeof(op));
		/* What the kernel checks of each before it runs any. */
		assert_true(op.yes >= 4 && op.yes <= left + 4 && op.yes % 4 == 0);
		assert_true(op.no >= 4 && op.no <= left + 4 && op.no % 4 == 0);
		if (op.code == INET_DIAG_BC_D_COND)
			yes = holds(code + sizeof(op), p);
		else
			assert_int_equal(op.code, INET_DIAG_BC_JMP);
		code += yes ? op.yes : op.no;
		left -= yes ? op.yes : op.no;
	}
	return left == 0;
}

static bool is_found(const struct sever_ban *bans, size_t n, const char *text)
{
	uint8_t code[SEVER_CODE_MAX_BYTES];
	struct peer p = peer_of(text);

	return run(code, sever_put_code(bans, n, code), &p);
}

static void code_finds_peers(void **state)
{
	struct sever_ban bans[] = {ban("192.0.2.1"), ban("2001:db8::1"),
	    ban("198.51.100.0/24"), ban("2001:db8:1::/48"), ban("203.0.113.7")};
	static const char *const in[] = {"192.0.2.1", "::ffff:192.0.2.1", "2001:db8::1",
	    "198.51.100.255", "::ffff:198.51.100.0",
	    "2001:db8:1:ffff::", "203.0.113.7"};
	static const char *const out[] = {"192.0.2.0", "::ffff:192.0.2.3",
	    "::192.0.2.1", "2001:db8::2", "198.51.101.0", "2001:db8:2::", "203.0.113.6",
	    "::"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(in); i++)
		assert_true(is_found(bans, ARRAY_LEN(bans), in[i]));
	for (size_t i = 0; i < ARRAY_LEN(out); i++)
		assert_false(is_found(bans, ARRAY_LEN(bans), out[i]));
	assert_true(is_found(bans, 1, "192.0.2.1"));
	assert_false(is_found(bans, 1, "2001:db8::1"));
}

static struct net net_of(const struct peer *p)
{
	uint32_t v4;

	if (p->family == AF_INET6)
		return net_from_v6(p->addr);
	memcpy(&v4, p->addr, sizeof(v4));
	return net_from_v4(v4);
}

static void assert_code(const uint8_t *code, size_t n_bytes,
    const struct sever_ban *bans, size_t n, const struct net *peer)
{
	struct peer p = {AF_INET6, {0}};
	bool is_in = false;

	for (size_t i = 0; i < n; i++)
		is_in |= net_contains(&bans[i].net, peer);
	memcpy(p.addr, peer->addr, sizeof(p.addr));
	assert_int_equal(run(code, n_bytes, &p), is_in);
	if (!net_is_v4(peer))
		return;
	p.family = AF_INET;
	memcpy(p.addr, net_v4_bytes(peer), 4);
	assert_int_equal(run(code, n_bytes, &p), is_in);
}

static void code_has_room_for_all(void **state)
{
	struct sever_ban bans[SEVER_MAX_BANS];

	(void)state;
	for (size_t i = 0; i < SEVER_MAX_BANS; i++) {
		bans[i] = ban("2001:db8::");
		bans[i].net.addr[15] = (uint8_t)i;
	}
	assert_true(is_found(bans, SEVER_MAX_BANS, "2001:db8::"));
	assert_true(is_found(bans, SEVER_MAX_BANS, "2001:db8::7f"));
	assert_false(is_found(bans, SEVER_MAX_BANS, "2001:db8::80"));

	_Alignas(struct nlmsghdr) char room[SEVER_LISTING_MAX_BYTES];
	struct nlmsghdr *h = sever_put_listing(bans, SEVER_MAX_BANS, 1, room);

	assert_true(h->nlmsg_len <= sizeof(room));
}

/* Against asking each network in turn: many of them, near to each other and inside
 * others, and peers at their edges. */
static void code_is_the_same_as_a_list(void **state)
{
	struct sever_ban bans[SEVER_MAX_BANS];
	uint8_t code[SEVER_CODE_MAX_BYTES];
	uint32_t x = 1;

	(void)state;
	for (size_t n = 1; n <= SEVER_MAX_BANS; n++) {
		for (size_t i = 0; i < n; i++) {
			struct peer p = {i % 3 ? AF_INET : AF_INET6, {0x20, 1}};

			x = x * 1103515245 + 12345;
			p.addr[i % 3 ? 3 : 15] = (uint8_t)(x >> 16);
			p.addr[1] = (uint8_t)(x >> 24 & 3);
			bans[i] = (struct sever_ban){.net = net_of(&p)};
			bans[i].net = net_cut(bans[i].net, 128 - (x >> 28) % 5);
		}
		size_t n_bytes = sever_put_code(bans, n, code);

		assert_true(n_bytes <= sizeof(code));
		for (size_t i = 0; i < n; i++) {
			for (int by = -1; by <= 1; by++) {
				struct net near = bans[i].net;

				near.addr[15] = (uint8_t)(near.addr[15] + by);
				near.bits = 128;
				assert_code(code, n_bytes, bans, n, &near);
			}
		}
	}
}

/* --- ports -------------------------------------------------------------------------
 */

static void ports_of_targets(void **state)
{
	struct nft_target t = mail;

	(void)state;
	assert_true(sever_is_blocked(&t, 25) && sever_is_blocked(&t, 465) &&
		    sever_is_blocked(&t, 470));
	assert_false(sever_is_blocked(&t, 24) || sever_is_blocked(&t, 26) ||
		     sever_is_blocked(&t, 464) || sever_is_blocked(&t, 471));
	t.protocol = 0;
	assert_true(sever_is_blocked(&t, 25));
	assert_false(sever_is_blocked(&t, 80));
	t.n_ports = 0;
	assert_true(sever_is_blocked(&t, 80));
	t.protocol = IPPROTO_UDP;
	assert_false(sever_is_blocked(&t, 80));
	t.protocol = IPPROTO_TCP;
	strcpy(t.interface, "eth1");
	assert_false(sever_is_blocked(&t, 80));
	t.interface[0] = '\0';
	t.place.hook = NF_INET_FORWARD;
	assert_false(sever_is_blocked(&t, 80));
	t.place.hook = NF_INET_LOCAL_IN;
	assert_true(sever_is_blocked(&t, 80));
}

/* --- answers -----------------------------------------------------------------------
 */

#define SEQ 7

static struct inet_diag_msg connection(const char *text, uint16_t port)
{
	struct peer p = peer_of(text);
	struct inet_diag_msg m = {
	    .idiag_family = p.family,
	    .idiag_state = TCP_ESTABLISHED,
	    .id.idiag_sport = htons(port),
	    .id.idiag_cookie = {1, 2},
	};

	memcpy(m.id.idiag_dst, p.addr, sizeof(p.addr));
	return m;
}

struct datagram {
	_Alignas(struct nlmsghdr) char bytes[4096];
	size_t n;
};

static struct nlmsghdr *put(
    struct datagram *d, uint16_t type, const void *body, size_t n)
{
	struct nlmsghdr *h = mnl_nlmsg_put_header(d->bytes + d->n);

	h->nlmsg_type = type;
	h->nlmsg_seq = SEQ;
	memcpy(mnl_nlmsg_put_extra_header(h, n), body, n);
	d->n += h->nlmsg_len;
	return h;
}

static void put_connection(struct datagram *d, const char *text, uint16_t port)
{
	struct inet_diag_msg m = connection(text, port);

	put(d, TCPDIAG_GETSOCK, &m, sizeof(m));
}

static int hear(const struct datagram *d, struct sever_found *f)
{
	static struct sever_ban bans[2];
	static struct sever_socket sockets[3];

	bans[0] = ban("192.0.2.0/24");
	bans[1] = ban("2001:db8::1");
	*f = (struct sever_found){.bans = bans,
	    .n_bans = ARRAY_LEN(bans),
	    .sockets = sockets,
	    .room = ARRAY_LEN(sockets)};
	return sever_hear(f, SEQ, d->bytes, d->n);
}

static void wanted_are_taken(void **state)
{
	struct datagram d = {.n = 0};
	struct sever_found f;
	int done = 0;

	(void)state;
	put_connection(&d, "2001:db8::1", 25);
	put_connection(&d, "::ffff:192.0.2.9", 467);
	put(&d, NLMSG_DONE, &done, sizeof(done));
	put_connection(&d, "192.0.2.9", 25); /* behind the end */
	assert_int_equal(hear(&d, &f), 0);
	assert_true(f.is_over && !f.is_full);
	assert_int_equal(f.n, 2);
	assert_int_equal(f.sockets[0].ban, 1);
	assert_int_equal(f.sockets[1].ban, 0);

	_Alignas(struct nlmsghdr) char room[SEVER_CUT_BYTES];
	struct nlmsghdr *h = sever_put_cut(&f.sockets[1], 3, room);
	struct inet_diag_req_v2 *r = mnl_nlmsg_get_payload(h);

	assert_int_equal(h->nlmsg_len, SEVER_CUT_BYTES);
	assert_int_equal(h->nlmsg_type, SOCK_DESTROY);
	assert_int_equal(r->sdiag_family, AF_INET6);
	assert_int_equal(r->sdiag_protocol, IPPROTO_TCP);
	assert_int_equal(r->id.idiag_cookie[0], 1);
	assert_int_equal(r->id.idiag_cookie[1], 2);
}

/* Whatever the kernel says: only what was asked for is cut. */
static void others_are_left(void **state)
{
	struct datagram d = {.n = 0};
	struct sever_found f;
	struct inet_diag_msg m;

	(void)state;
	put_connection(&d, "192.0.3.9", 25);
	put_connection(&d, "192.0.2.9", 26);
	m = connection("192.0.2.9", 25);
	m.idiag_state = TCP_LISTEN;
	put(&d, TCPDIAG_GETSOCK, &m, sizeof(m));
	m.idiag_state = 33;
	put(&d, TCPDIAG_GETSOCK, &m, sizeof(m));
	m = connection("192.0.2.9", 25);
	memset(m.id.idiag_cookie, 0xff, sizeof(m.id.idiag_cookie));
	put(&d, TCPDIAG_GETSOCK, &m, sizeof(m));
	m = connection("192.0.2.9", 25);
	m.idiag_family = AF_UNIX;
	put(&d, TCPDIAG_GETSOCK, &m, sizeof(m));
	m = connection("192.0.2.9", 25);
	put(&d, TCPDIAG_GETSOCK, &m, sizeof(m) - 4);
	put(&d, SOCK_DIAG_BY_FAMILY, &m, sizeof(m));
	put(&d, TCPDIAG_GETSOCK, &m, sizeof(m))->nlmsg_seq = SEQ + 1;
	assert_int_equal(hear(&d, &f), 0);
	assert_int_equal(f.n, 0);
	assert_false(f.is_over || f.is_full);
}

static void room_is_kept_to(void **state)
{
	struct datagram d = {.n = 0};
	struct sever_found f;

	(void)state;
	for (int i = 0; i < 3; i++)
		put_connection(&d, "192.0.2.9", 25);
	assert_int_equal(hear(&d, &f), 0);
	assert_int_equal(f.n, 3);
	assert_false(f.is_full);
	put_connection(&d, "192.0.2.9", 80);
	assert_int_equal(hear(&d, &f), 0);
	assert_false(f.is_full);
	put_connection(&d, "192.0.2.9", 25);
	assert_int_equal(hear(&d, &f), 0);
	assert_true(f.is_full);
	assert_int_equal(f.n, 3);
}

static void errors_are_passed_on(void **state)
{
	static const struct {
		uint16_t type;
		int says, is;
	} cases[] = {
	    {NLMSG_ERROR, -EOPNOTSUPP, -EOPNOTSUPP},
	    {NLMSG_DONE, -ENOENT, -ENOENT},
	    {NLMSG_ERROR, 0, 0},
	    {NLMSG_ERROR, 5, -EBADMSG},
	    {NLMSG_ERROR, INT32_MIN, -EBADMSG},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct datagram d = {.n = 0};
		struct sever_found f;

		put(&d, cases[i].type, &cases[i].says, sizeof(int));
		assert_int_equal(hear(&d, &f), cases[i].is);
		assert_true(f.is_over);
	}
	struct datagram d = {.n = 0};
	struct sever_found f;

	put(&d, NLMSG_ERROR, "", 0);
	assert_int_equal(hear(&d, &f), -EBADMSG);
}

static void lengths_are_checked(void **state)
{
	static const uint32_t wrong[] = {0, 15, 21, 0x80000010, UINT32_MAX};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		struct datagram d = {.n = 20};
		struct span rest = {d.bytes, d.n};

		mnl_nlmsg_put_header(d.bytes)->nlmsg_len = wrong[i];
		assert_null(sever_next(&rest));
	}
	struct datagram d = {.n = 0};

	mnl_nlmsg_put_header(d.bytes)->nlmsg_len = 17;
	for (size_t n = 17; n <= 20; n++) { /* with or without its padding */
		struct span rest = {d.bytes, n};

		assert_ptr_equal(sever_next(&rest), d.bytes);
		assert_int_equal(rest.n, 0);
		assert_null(sever_next(&rest));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(code_finds_peers),
	    cmocka_unit_test(code_has_room_for_all),
	    cmocka_unit_test(code_is_the_same_as_a_list),
	    cmocka_unit_test(ports_of_targets),
	    cmocka_unit_test(wanted_are_taken),
	    cmocka_unit_test(others_are_left),
	    cmocka_unit_test(room_is_kept_to),
	    cmocka_unit_test(errors_are_passed_on),
	    cmocka_unit_test(lengths_are_checked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
