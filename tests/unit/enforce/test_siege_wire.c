/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "enforce/siege_wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/tcp.h>

#define SEQ 7
#define ESTABLISHED 1
#define LISTEN 10
#define HOST "192.0.2.9"

/* --- questions ---------------------------------------------------------------------
 */

/* As inet_diag_bc_run() of the kernel. */
static bool run(const uint8_t *code, size_t n, uint16_t port)
{
	int left = (int)n;

	while (left > 0) {
		struct inet_diag_bc_op op[2];
		bool yes = true;

		memcpy(op, code, left >= (int)sizeof(op) ? sizeof(op) : sizeof(*op));
		if (op[0].code == INET_DIAG_BC_S_GE)
			yes = port >= op[1].no;
		else if (op[0].code == INET_DIAG_BC_S_LE)
			yes = port <= op[1].no;
		else if (op[0].code == INET_DIAG_BC_JMP)
			yes = false;
		else
			fail_msg("code %d", op[0].code);
		assert_true(op[0].no % 4 == 0 && op[0].yes % 4 == 0);
		code += yes ? op[0].yes : op[0].no;
		left -= yes ? op[0].yes : op[0].no;
	}
	return left == 0;
}

static bool is_found(const uint16_t *ports, size_t n, uint16_t port)
{
	_Alignas(struct nlmsghdr) char room[SIEGE_QUESTION_BYTES];
	struct siege s = {.n = 0};

	siege_look(&s, ports, n, (mono_t){1});
	siege_look(&s, ports, n, (mono_t){2});
	struct nlmsghdr *h = siege_put_connections(&s, SEQ, room);
	struct inet_diag_req *r = mnl_nlmsg_get_payload(h);
	struct nlattr *code = mnl_nlmsg_get_payload_offset(h, sizeof(*r));

	assert_true(h->nlmsg_len <= sizeof(room));
	assert_int_equal(r->idiag_states, 1u << ESTABLISHED);
	assert_int_equal(r->idiag_ext, 1u << (INET_DIAG_INFO - 1));
	assert_int_equal(mnl_attr_get_type(code), INET_DIAG_REQ_BYTECODE);
	return run(mnl_attr_get_payload(code), mnl_attr_get_payload_len(code), port);
}

static void code_finds_ports(void **state)
{
	uint16_t many[SIEGE_MAX_PORTS];

	(void)state;
	assert_true(is_found((uint16_t[]){25}, 1, 25));
	assert_false(is_found((uint16_t[]){25}, 1, 24));
	assert_false(is_found((uint16_t[]){25}, 1, 26));
	for (size_t i = 0; i < SIEGE_MAX_PORTS; i++)
		many[i] = (uint16_t)(65535 - 2 * i);
	for (size_t i = 0; i < SIEGE_MAX_PORTS; i++) {
		assert_true(is_found(many, SIEGE_MAX_PORTS, many[i]));
		assert_false(is_found(many, SIEGE_MAX_PORTS, (uint16_t)(many[i] - 1)));
	}
}

/* --- answers -----------------------------------------------------------------------
 */

struct datagram {
	_Alignas(struct nlmsghdr) char bytes[8192];
	size_t n;
};

static struct inet_diag_msg socket_of(const char *peer, uint16_t port, uint8_t state)
{
	struct inet_diag_msg m = {
	    .idiag_family = AF_INET,
	    .idiag_state = state,
	    .id.idiag_sport = htons(port),
	    .id.idiag_cookie = {1, 2},
	    .idiag_inode = 3,
	};

	assert_int_equal(inet_pton(AF_INET, peer, m.id.idiag_dst), 1);
	return m;
}

static struct nlmsghdr *put(
    struct datagram *d, uint16_t type, const void *body, size_t n)
{
	struct nlmsghdr *h = mnl_nlmsg_put_header(d->bytes + d->n);

	h->nlmsg_type = type;
	h->nlmsg_seq = SEQ;
	memcpy(mnl_nlmsg_put_extra_header(h, n), body, n);
	d->n += MNL_ALIGN(h->nlmsg_len);
	return h;
}

static void put_end(struct datagram *d)
{
	int done = 0;

	put(d, NLMSG_DONE, &done, sizeof(done));
}

/* A connection with an attribute of @n_bytes that claims to be @claims long. */
static void put_connection(struct datagram *d, const struct inet_diag_msg *m,
    const struct tcp_info *info, size_t n_bytes, uint16_t claims)
{
	struct nlattr a = {.nla_len = claims, .nla_type = INET_DIAG_INFO};
	char body[sizeof(*m) + sizeof(a) + sizeof(*info)];

	memcpy(body, m, sizeof(*m));
	memcpy(body + sizeof(*m), &a, sizeof(a));
	memcpy(body + sizeof(*m) + sizeof(a), info, n_bytes);
	put(d, SEVER_LISTING_TYPE, body, sizeof(*m) + sizeof(a) + n_bytes);
}

static const struct tcp_info silent = {
    .tcpi_last_data_sent = SIEGE_SILENT_MS + 1,
    .tcpi_last_data_recv = 2 * SIEGE_SILENT_MS,
    .tcpi_data_segs_out = 1,
};
#define WHOLE (sizeof(struct nlattr) + sizeof(silent))

static void put_silent(struct datagram *d, const char *peer, uint16_t port)
{
	struct inet_diag_msg m = socket_of(peer, port, ESTABLISHED);

	put_connection(d, &m, &silent, sizeof(silent), WHOLE);
}

/* HOST has failed in jail 5. */
static uint32_t whose(void *ctx, const struct siege_connection *c)
{
	char text[NET_TEXT_BYTES];

	(void)ctx;
	assert_true(siege_is_silent(c));
	net_format(&c->peer, text);
	return strcmp(text, HOST) ? SIEGE_NOBODY : 5;
}

static int hear(const struct datagram *d, struct siege_found *f)
{
	static struct sever_socket sockets[2];
	static struct siege s;

	s = (struct siege){.n = 0};
	siege_look(&s, (uint16_t[]){25}, 1, (mono_t){1});
	siege_look(&s, (uint16_t[]){25, 465}, 2, (mono_t){2});
	*f = (struct siege_found){
	    .siege = &s, .whose = whose, .sockets = sockets, .room = 2};
	return siege_hear_connections(f, SEQ, d->bytes, d->n);
}

static void silent_ones_are_taken(void **state)
{
	struct datagram d = {.n = 0};
	struct siege_found f;

	(void)state;
	put_silent(&d, HOST, 25);
	put_end(&d);
	put_silent(&d, HOST, 25); /* behind the end */
	assert_int_equal(hear(&d, &f), 0);
	assert_true(f.is_over && !f.is_full);
	assert_int_equal(f.n, 1);
	assert_int_equal(f.sockets[0].ban, 5);
	assert_int_equal(ntohs(f.sockets[0].id.idiag_sport), 25);
	assert_int_equal(f.sockets[0].id.idiag_cookie[1], 2);
}

static void others_are_left(void **state)
{
	struct inet_diag_msg m = socket_of(HOST, 25, LISTEN);
	struct tcp_info talks = silent;
	struct datagram d = {.n = 0};
	struct siege_found f;

	(void)state;
	put_silent(&d, "192.0.2.10", 25); /* has not failed */
	put_silent(&d, HOST, 465);        /* not full */
	put_silent(&d, HOST, 80);
	put_connection(&d, &m, &silent, sizeof(silent), WHOLE);
	m = socket_of(HOST, 25, 33);
	put_connection(&d, &m, &silent, sizeof(silent), WHOLE);
	m = socket_of(HOST, 25, ESTABLISHED);
	m.idiag_inode = 0;
	put_connection(&d, &m, &silent, sizeof(silent), WHOLE);
	m = socket_of(HOST, 25, ESTABLISHED);
	memset(m.id.idiag_cookie, 0xff, sizeof(m.id.idiag_cookie));
	put_connection(&d, &m, &silent, sizeof(silent), WHOLE);
	m = socket_of(HOST, 25, ESTABLISHED);
	talks.tcpi_last_data_sent = 1;
	put_connection(&d, &m, &talks, sizeof(talks), WHOLE);
	put(&d, SEVER_LISTING_TYPE, &m, sizeof(m)); /* nothing is known of it */
	assert_int_equal(hear(&d, &f), 0);
	assert_int_equal(f.n, 0);
	assert_false(f.is_over || f.is_full);
}

/* Shorter ones are of an older kernel; what claims to be longer than it is is a lie. */
static void lengths_are_checked(void **state)
{
	const size_t least =
	    offsetof(struct tcp_info, tcpi_data_segs_out) + sizeof(uint32_t);
	static const uint16_t lies[] = {0, 1, 3, WHOLE + 1, 0x7fff, 0xffff};
	struct inet_diag_msg m = socket_of(HOST, 25, ESTABLISHED);
	struct siege_found f;

	(void)state;
	for (size_t n = 0; n <= sizeof(silent); n++) {
		struct datagram d = {.n = 0};

		put_connection(
		    &d, &m, &silent, n, (uint16_t)(sizeof(struct nlattr) + n));
		assert_int_equal(hear(&d, &f), 0);
		assert_int_equal(f.n, n >= least);
	}
	for (size_t i = 0; i < ARRAY_LEN(lies); i++) {
		struct datagram d = {.n = 0};

		put_connection(&d, &m, &silent, sizeof(silent), lies[i]);
		assert_int_equal(hear(&d, &f), 0);
		assert_int_equal(f.n, 0);
	}
}

/* Behind others, whose lengths are odd; and cut off at any place. */
static void it_is_found_behind_others(void **state)
{
	struct inet_diag_msg m = socket_of(HOST, 25, ESTABLISHED);
	struct nlattr other = {.nla_len = 5, .nla_type = INET_DIAG_SHUTDOWN};
	struct nlattr a = {.nla_len = WHOLE, .nla_type = INET_DIAG_INFO};
	char body[sizeof(m) + 8 + WHOLE] = {0};
	struct siege_found f;

	(void)state;
	memcpy(body, &m, sizeof(m));
	memcpy(body + sizeof(m), &other, sizeof(other));
	memcpy(body + sizeof(m) + 8, &a, sizeof(a));
	memcpy(body + sizeof(m) + 8 + sizeof(a), &silent, sizeof(silent));
	for (size_t n = 0; n <= sizeof(body); n++) {
		struct datagram d = {.n = 0};

		put(&d, SEVER_LISTING_TYPE, body, n);
		assert_int_equal(hear(&d, &f), 0);
		assert_int_equal(f.n, MNL_ALIGN(n) == sizeof(body));
	}
}

static void room_is_kept_to(void **state)
{
	struct datagram d = {.n = 0};
	struct siege_found f;

	(void)state;
	put_silent(&d, HOST, 25);
	put_silent(&d, HOST, 25);
	assert_int_equal(hear(&d, &f), 0);
	assert_true(f.n == 2 && !f.is_full);
	put_silent(&d, HOST, 25);
	assert_int_equal(hear(&d, &f), 0);
	assert_true(f.n == 2 && f.is_full);
}

static void errors_are_passed_on(void **state)
{
	static const int says[] = {-EOPNOTSUPP, 0, 5, INT32_MIN};
	static const int is[] = {-EOPNOTSUPP, 0, -EBADMSG, -EBADMSG};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(says); i++) {
		struct siege_waiting w = {.n = 0};
		struct datagram d = {.n = 0};
		struct siege_found f;

		put(&d, NLMSG_ERROR, &says[i], sizeof(int));
		assert_int_equal(hear(&d, &f), is[i]);
		assert_true(f.is_over);
		assert_int_equal(siege_hear_listeners(&w, SEQ, d.bytes, d.n), is[i]);
		assert_true(w.is_over);
	}
}

static bool is_below_1000(void *ctx, uint16_t port)
{
	(void)ctx;
	return port < 1000;
}

static void put_listener(struct datagram *d, uint16_t port, uint32_t n_queued)
{
	struct inet_diag_msg m = socket_of("0.0.0.0", port, LISTEN);

	m.idiag_rqueue = n_queued;
	put(d, SEVER_LISTING_TYPE, &m, sizeof(m));
}

static void queues_are_read(void **state)
{
	struct siege_waiting w = {.is_wanted = is_below_1000};
	struct datagram d = {.n = 0};
	struct inet_diag_msg m = socket_of(HOST, 26, ESTABLISHED);

	(void)state;
	put_listener(&d, 25, 1);
	put_listener(&d, 25, 2); /* one for each family, or SO_REUSEPORT */
	put_listener(&d, 465, 0);
	put_listener(&d, 2525, 3); /* no jail's */
	m.idiag_rqueue = 9;
	put(&d, SEVER_LISTING_TYPE, &m, sizeof(m));
	put(&d, SEVER_LISTING_TYPE, &m, sizeof(m) - 4);
	put_listener(&d, 587, UINT32_MAX);
	put_end(&d);
	assert_int_equal(siege_hear_listeners(&w, SEQ, d.bytes, d.n), 0);
	assert_true(w.is_over);
	assert_int_equal(w.n, 2);
	assert_int_equal(w.ports[0], 25);
	assert_int_equal(w.ports[1], 587);
}

static void queues_are_bounded(void **state)
{
	struct siege_waiting w = {.is_wanted = is_below_1000};
	struct datagram d = {.n = 0};

	(void)state;
	for (uint16_t i = 0; i < SIEGE_MAX_PORTS + 4; i++)
		put_listener(&d, (uint16_t)(100 + i), 1);
	assert_int_equal(siege_hear_listeners(&w, SEQ, d.bytes, d.n), 0);
	assert_false(w.is_over);
	assert_int_equal(w.n, SIEGE_MAX_PORTS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(code_finds_ports),
	    cmocka_unit_test(silent_ones_are_taken),
	    cmocka_unit_test(others_are_left),
	    cmocka_unit_test(lengths_are_checked),
	    cmocka_unit_test(it_is_found_behind_others),
	    cmocka_unit_test(room_is_kept_to),
	    cmocka_unit_test(errors_are_passed_on),
	    cmocka_unit_test(queues_are_read),
	    cmocka_unit_test(queues_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
