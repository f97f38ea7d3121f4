/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz_sever - any datagram as an answer to the question for connections
 *
 * Whatever it says, what is taken from it is a connection of a banned peer to a port
 * that the ban closes, and named so that the kernel cannot take another socket for it.
 */

#include <arpa/inet.h>
#include <assert.h>
#include <string.h>

#include "enforce/sever_wire.h"
#include "fuzz.h"

#define ROOM 16
#define SEQ 0x31313131 /* easily guessed */

static const struct nft_target targets[] = {
    {.protocol = IPPROTO_TCP, .n_ports = 1, .ports = {{0x1900, 0x19ff}}},
    {.protocol = IPPROTO_UDP},
};

static void check(const struct sever_ban *bans, const struct sever_socket *s)
{
	const struct inet_diag_sockid *id = &s->id;
	struct net peer = s->family == AF_INET
			      ? net_from_v4(id->idiag_dst[0])
			      : net_from_v6((const uint8_t *)id->idiag_dst);

	assert(s->family == AF_INET || s->family == AF_INET6);
	assert(net_contains(&bans[s->ban].net, &peer));
	assert(ntohs(id->idiag_sport) >> 8 == 0x19);
	assert(id->idiag_cookie[0] != INET_DIAG_NOCOOKIE ||
	       id->idiag_cookie[1] != INET_DIAG_NOCOOKIE);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	static const uint8_t v6[16] = {0x31, 0x31};
	struct sever_ban bans[] = {
	    {.net = net_from_v4(0x31313131), .targets = targets, .n_targets = 2},
	    {.net = net_mask(net_from_v6(v6), 16), .targets = targets, .n_targets = 2},
	};
	struct sever_socket sockets[ROOM];
	struct sever_found f = {
	    .bans = bans, .n_bans = 2, .sockets = sockets, .room = ROOM};
	_Alignas(struct nlmsghdr) char datagram[32768];

	if (n > sizeof(datagram))
		n = sizeof(datagram);
	memcpy(datagram, bytes, n);
	int r = sever_hear(&f, SEQ, datagram, n);

	assert(r <= 0 && r >= -4095);
	assert(f.n <= ROOM && (!f.is_full || f.n == ROOM));
	for (size_t i = 0; i < f.n; i++)
		check(bans, &sockets[i]);
	return 0;
}
