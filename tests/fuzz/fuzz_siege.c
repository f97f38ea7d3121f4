/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz_siege - any datagram as an answer about a full server
 *
 * Whatever it says, what is to end is a silent connection to a port that is full, named
 * so that the kernel cannot take another socket for it.
 */

#include <arpa/inet.h>
#include <assert.h>
#include <string.h>

#include "enforce/siege_wire.h"
#include "fuzz.h"

#define ROOM 16
#define SEQ 0x31313131 /* easily guessed */
#define PORT 0x3131

static bool is_wanted(void *ctx, uint16_t port)
{
	(void)ctx;
	return port >= PORT;
}

static uint32_t whose(void *ctx, const struct siege_connection *c)
{
	(void)ctx;
	assert(c->port == PORT && siege_is_silent(c));
	return c->peer.addr[15] & 1 ? SIEGE_NOBODY : c->peer.addr[15];
}

static void check(const struct sever_socket *s)
{
	const struct inet_diag_sockid *id = &s->id;

	assert(s->family == AF_INET || s->family == AF_INET6);
	assert(ntohs(id->idiag_sport) == PORT && s->ban != SIEGE_NOBODY);
	assert(id->idiag_cookie[0] != INET_DIAG_NOCOOKIE ||
	       id->idiag_cookie[1] != INET_DIAG_NOCOOKIE);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct siege_waiting w = {.is_wanted = is_wanted};
	struct sever_socket sockets[ROOM];
	struct siege siege = {.n = 0};
	struct siege_found f = {
	    .siege = &siege, .whose = whose, .sockets = sockets, .room = ROOM};
	_Alignas(struct nlmsghdr) char datagram[32768];

	if (n > sizeof(datagram))
		n = sizeof(datagram);
	memcpy(datagram, bytes, n);
	for (int i = 0; i < SIEGE_FULL_LOOKS; i++)
		siege_look(&siege, (uint16_t[]){PORT}, 1, (mono_t){i});
	int r = siege_hear_connections(&f, SEQ, datagram, n);

	assert(r <= 0 && r >= -4095);
	assert(f.n <= ROOM && (!f.is_full || f.n == ROOM));
	for (size_t i = 0; i < f.n; i++)
		check(&sockets[i]);
	r = siege_hear_listeners(&w, SEQ, datagram, n);
	assert(r <= 0 && r >= -4095 && w.n <= SIEGE_MAX_PORTS);
	for (size_t i = 0; i < w.n; i++)
		assert(w.ports[i] >= PORT);
	return 0;
}
