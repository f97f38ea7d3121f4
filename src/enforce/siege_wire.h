/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * siege_wire - what is asked about a full server, and how the answers are read
 *
 * Two listings of sock_diag: the sockets that listen, few and cheap; and, when a port
 * is full, the connections to such ports with their struct tcp_info, which has grown
 * with the kernel: what is too short for our fields counts as not known. Pure, as
 * sever_wire. siege_ask_*() are the same with a kernel.
 */

#include "enforce/sever_wire.h"
#include "enforce/siege.h"

/* Two comparisons of two words each and a jump, for each port. */
#define SIEGE_CODE_MAX_BYTES (SIEGE_MAX_PORTS * 5 * sizeof(struct inet_diag_bc_op))
#define SIEGE_QUESTION_BYTES (SIEGE_CODE_MAX_BYTES + 256)

/* Ports at which connections wait to be accepted. */
struct siege_waiting {
	bool (*is_wanted)(void *ctx, uint16_t port);
	void *ctx;
	uint16_t ports[SIEGE_MAX_PORTS]; /* each once; beyond: the first found */
	size_t n;
	bool is_over; /* the listing has ended */
};

/* Connections to end. */
struct siege_found {
	struct siege *siege;
	/* The jail in which its peer has failed, of those that close that port, or
	 * SIEGE_NOBODY. Asked only about silent ones, to full ports. */
	uint32_t (*whose)(void *ctx, const struct siege_connection *c);
	void *ctx;
	struct sever_socket *sockets; /* with the jail in place of the ban */
	size_t n, room;
	bool is_over, is_full;
};
#define SIEGE_NOBODY UINT32_MAX

/* @room: SIEGE_QUESTION_BYTES, aligned as nlmsghdr. */
struct nlmsghdr *siege_put_listeners(uint32_t seq, void *room);
struct nlmsghdr *siege_put_connections(const struct siege *s, uint32_t seq, void *room);

/* Read one datagram. @bytes: aligned as nlmsghdr. Return: 0, or the kernel's negative
 * errno. */
int siege_hear_listeners(
    struct siege_waiting *w, uint32_t seq, const void *bytes, size_t n_bytes);
int siege_hear_connections(
    struct siege_found *f, uint32_t seq, const void *bytes, size_t n_bytes);

/* Return: 0 or negative errno; what was found before counts. */
int siege_ask_waiting(struct siege_waiting *w);
int siege_ask_silent(struct siege_found *f);
