/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * sever_wire - what sever.c asks the kernel, and how it reads the answers
 *
 * Pure: bytes in, bytes out. Answers are checked like any foreign bytes; a socket is
 * taken only if it is one that was asked for. Source: linux/inet_diag.h, and
 * net/ipv4/inet_diag.c of the kernel for the meaning of its filters.
 */

#include <linux/netlink.h>

#include <linux/inet_diag.h>

#include "enforce/sever.h"

/* A condition with an IPv6 address; each network has one and a jump behind it, and
 * there is one between each two. */
#define SEVER_CONDITION_BYTES \
	(sizeof(struct inet_diag_bc_op) + sizeof(struct inet_diag_hostcond) + 16)
#define SEVER_CODE_MAX_BYTES \
	(SEVER_MAX_BANS * (2 * SEVER_CONDITION_BYTES + sizeof(struct inet_diag_bc_op)))
#define SEVER_LISTING_MAX_BYTES (SEVER_CODE_MAX_BYTES + 256)
#define SEVER_CUT_BYTES (NLMSG_HDRLEN + sizeof(struct inet_diag_req_v2))

/* One connection, as the kernel names it. */
struct sever_socket {
	uint8_t family;
	struct inet_diag_sockid id;
	uint32_t ban; /* index of the ban that wants it ended */
	bool is_cut;  /* of sever_cut() */
};

/* What the kernel says of one socket. */
struct sever_seen {
	uint8_t family, state;
	struct inet_diag_sockid id;
	struct net peer;
	uint16_t port;     /* here */
	uint32_t n_queued; /* of one that listens: connections that wait for accept() */
	bool is_held; /* a process has it; else it waits to be accepted, or is over */
	struct span more; /* the attributes */
};

struct sever_found {
	const struct sever_ban *bans;
	size_t n_bans;
	struct sever_socket *sockets;
	size_t n, room;
	bool is_over; /* the listing has ended */
	bool is_full; /* one more was there than @room */
};

/**
 * sever_put_code() - the kernel's filter "the peer is in one of these networks"
 * @out: room for SEVER_CODE_MAX_BYTES
 *
 * Return: bytes used.
 */
size_t sever_put_code(const struct sever_ban *bans, size_t n, uint8_t *out);

/* The question for that listing. @room: SEVER_LISTING_MAX_BYTES, aligned as nlmsghdr.
 */
struct nlmsghdr *sever_put_listing(
    const struct sever_ban *bans, size_t n, uint32_t seq, void *room);

/* The order to end @s, to @room of SEVER_CUT_BYTES. */
struct nlmsghdr *sever_put_cut(const struct sever_socket *s, uint32_t seq, void *room);

/**
 * sever_hear() - read one datagram of the listing
 * @bytes: aligned as nlmsghdr
 *
 * Return: 0, or the kernel's negative errno.
 */
int sever_hear(struct sever_found *f, uint32_t seq, const void *bytes, size_t n_bytes);

/* The next whole message of a datagram; NULL: that was all. */
const struct nlmsghdr *sever_next(struct span *rest);

/**
 * sever_see() - read what a message of a listing says of a socket
 * @out: points into @h
 *
 * Return: false: it says nothing of one, or of one that has no name of its own. Without
 * its cookie the kernel ends what it finds by addresses, when the connection is gone by
 * then: the socket that listens.
 */
bool sever_see(const struct nlmsghdr *h, struct sever_seen *out);

/* The message type of a listing. The answer holds both families: the kernel's older
 * question. The newer one would walk all connections twice. */
#define SEVER_LISTING_TYPE TCPDIAG_GETSOCK

/* What an NLMSG_ERROR says: 0 or negative errno, -EBADMSG when it is none. */
int sever_error_of(const struct nlmsghdr *h);
