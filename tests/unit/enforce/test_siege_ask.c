/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "enforce/siege_wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <unistd.h>

#include "netns.h"

#define PORT 2525
#define OTHER_PORT 2526

static int connect_to(uint16_t port)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
	    .sin_port = htons(port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	return fd;
}

static bool is_wanted(void *ctx, uint16_t port)
{
	(void)ctx;
	return port == PORT;
}

static size_t n_waiting(void)
{
	struct siege_waiting w = {.is_wanted = is_wanted};

	assert_int_equal(siege_ask_waiting(&w), 0);
	assert_true(w.is_over);
	assert_true(!w.n || w.ports[0] == PORT);
	return w.n;
}

static void queues_are_seen(void **state)
{
	int listener = netns_listen(PORT), other = netns_listen(OTHER_PORT);
	int elsewhere = connect_to(OTHER_PORT);

	(void)state;
	assert_int_equal(n_waiting(), 0);
	int client = connect_to(PORT);

	assert_int_equal(n_waiting(), 1);
	int server = accept(listener, NULL, NULL);

	assert_int_equal(n_waiting(), 0);
	close(server);
	close(client);
	close(elsewhere);
	close(other);
	close(listener);
}

static uint32_t whose(void *ctx, const struct siege_connection *c)
{
	(void)ctx;
	(void)c;
	fail_msg("a connection of just now is silent");
	return SIEGE_NOBODY;
}

/* The kernel takes the question, and goes through all connections of these ports. */
static void connections_are_seen(void **state)
{
	uint16_t ports[] = {PORT, OTHER_PORT, 1, 65535};
	int listener = netns_listen(PORT), client = connect_to(PORT);
	int server = accept(listener, NULL, NULL);
	struct siege s = {.n = 0};
	struct siege_found f = {.siege = &s, .whose = whose};

	(void)state;
	siege_look(&s, ports, ARRAY_LEN(ports), (mono_t){1});
	siege_look(&s, ports, ARRAY_LEN(ports), (mono_t){2});
	assert_int_equal(write(server, "220\r\n", 5), 5);
	assert_int_equal(siege_ask_silent(&f), 0);
	assert_true(f.is_over && !f.n);
	close(server);
	close(client);
	close(listener);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(queues_are_seen),
	    cmocka_unit_test(connections_are_seen),
	};

	if (!netns_is_to_be_had())
		return 0;
	if (netns_enter() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
