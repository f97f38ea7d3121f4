/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "enforce/sever.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "netns.h"

#define PORT 2525
#define OTHER_PORT 2526

static const struct nft_target target = {
    .protocol = IPPROTO_TCP, .n_ports = 1, .ports = {{PORT, PORT}}};

/* A connection with both its ends in this program. */
struct pair {
	int client, server;
};

static struct sockaddr_in6 addr6(const char *text, uint16_t port)
{
	struct sockaddr_in6 a = {.sin6_family = AF_INET6, .sin6_port = htons(port)};

	assert_int_equal(inet_pton(AF_INET6, text, &a.sin6_addr), 1);
	return a;
}

static struct sockaddr_in addr4(const char *text, uint16_t port)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};

	assert_int_equal(inet_pton(AF_INET, text, &a.sin_addr), 1);
	return a;
}

static int connect_from(const char *from, uint16_t port)
{
	bool is_v6 = strchr(from, ':') != NULL;
	int fd = socket(is_v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (is_v6) {
		struct sockaddr_in6 a = addr6(from, 0), to = addr6("::1", port);

		assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
		assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	} else {
		struct sockaddr_in a = addr4(from, 0), to = addr4("127.0.0.1", port);

		assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
		assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	}
	return fd;
}

static struct pair join(int listener, const char *from, uint16_t port)
{
	struct pair p = {.client = connect_from(from, port)};

	p.server = accept(listener, NULL, NULL);
	assert_true(p.server >= 0);
	return p;
}

/* Ends it. Return: was it open? */
static bool part(struct pair p)
{
	int error = 0;
	socklen_t n = sizeof(error);

	assert_int_equal(getsockopt(p.server, SOL_SOCKET, SO_ERROR, &error, &n), 0);
	assert_true(error == 0 || error == ECONNABORTED);
	close(p.client);
	close(p.server);
	return error == 0;
}

static struct sever_ban ban(const char *text)
{
	struct sever_ban b = {.targets = &target, .n_targets = 1};

	assert_int_equal(net_parse(span_of(text), &b.net), 0);
	return b;
}

static void cuts_what_is_banned(void **state)
{
	struct sever_ban bans[] = {ban("127.0.0.2"), ban("127.0.1.0/24"),
	    ban("2001:db8::/64"), ban("2001:db8:1::1")};
	int listener = netns_listen(PORT), other = netns_listen(OTHER_PORT);
	struct pair a = join(listener, "127.0.0.2", PORT),
		    b = join(listener, "127.0.0.2", PORT),
		    net = join(listener, "127.0.1.9", PORT),
		    v6 = join(listener, "2001:db8::5", PORT),
		    beside = join(listener, "127.0.0.3", PORT),
		    beside_v6 = join(listener, "2001:db8:2::1", PORT),
		    port = join(other, "127.0.0.2", OTHER_PORT);
	int queued = connect_from("127.0.0.2", PORT);

	(void)state;
	assert_int_equal(sever(bans, ARRAY_LEN(bans)), 0);
	assert_int_equal(bans[0].n_cut, 3);
	assert_int_equal(bans[1].n_cut, 1);
	assert_int_equal(bans[2].n_cut, 1);
	assert_int_equal(bans[3].n_cut, 0);
	assert_false(part(a) || part(b) || part(net) || part(v6));
	assert_true(part(beside) && part(beside_v6) && part(port));
	/* What nobody had accepted, too; and the listeners go on. */
	close(accept(listener, NULL, NULL));
	close(queued);
	assert_true(part(join(listener, "127.0.0.2", PORT)));
	assert_int_equal(sever(bans, ARRAY_LEN(bans)), 0);
	assert_int_equal(bans[0].n_cut, 0);
	close(listener);
	close(other);
}

static bool may_open(rlim_t n)
{
	struct rlimit l;

	if (getrlimit(RLIMIT_NOFILE, &l) < 0)
		return false;
	l.rlim_cur = n < l.rlim_max ? n : l.rlim_max;
	return setrlimit(RLIMIT_NOFILE, &l) == 0 && l.rlim_cur >= n;
}

static void goes_on_beyond_the_cap(void **state)
{
	enum { N = SEVER_MAX_SOCKETS + 10 };
	struct sever_ban b = ban("127.0.0.2");
	struct pair *pairs = calloc(N, sizeof(*pairs));
	int listener = netns_listen(PORT);

	(void)state;
	assert_non_null(pairs);
	if (!may_open(2 * N + 64)) {
		skip();
		return;
	}
	for (int i = 0; i < N; i++)
		pairs[i] = join(listener, "127.0.0.2", PORT);
	assert_int_equal(sever(&b, 1), SEVER_MORE);
	assert_int_equal(b.n_cut, SEVER_MAX_SOCKETS);
	assert_int_equal(sever(&b, 1), 0);
	assert_int_equal(b.n_cut, N - SEVER_MAX_SOCKETS);
	for (int i = 0; i < N; i++)
		assert_false(part(pairs[i]));
	free(pairs);
	close(listener);
}

static void nothing_to_do(void **state)
{
	(void)state;
	assert_int_equal(sever(NULL, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(nothing_to_do),
	    cmocka_unit_test(cuts_what_is_banned),
	    cmocka_unit_test(goes_on_beyond_the_cap),
	};

	if (!netns_is_to_be_had())
		return 0;
	if (netns_enter() < 0)
		return 1;
	if (netns_run("ip -6 addr add 2001:db8::5/64 dev lo nodad && "
		      "ip -6 addr add 2001:db8:2::1/64 dev lo nodad") != 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
