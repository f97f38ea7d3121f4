/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * siege - is a server full, and which connections may end to make room?
 *
 * Pure. A port is full when somebody waits in the accept queue of a socket that listens
 * on it, at two looks in a row. A server that has a free place takes who comes within
 * milliseconds, so one look may meet somebody on the way in, on a busy server often;
 * that two looks do, a good part of a second apart, mostly means that nobody is taken.
 * Where it does not, nothing is lost but connections that were idle.
 *
 * Ended is what a process holds, and where the server waits for the client's word: it
 * has spoken last, more than SIEGE_SILENT_MS ago. Where the client waits for the server
 * (for an answer, or still in the queue) it is not the one who is slow. A connection in
 * which nobody has said anything may be either (a web server waits for the request, a
 * client for the greeting of a mail server that looks its name up); it ends after
 * SIEGE_MUTE_MS.
 *
 * At most SIEGE_MAX_PORTS are watched; others wait until one of these is over.
 */

#include "base/clock.h"
#include "base/net.h"

#define SIEGE_MAX_PORTS 16
#define SIEGE_FULL_LOOKS 2  /* in a row with somebody waiting: it is full */
#define SIEGE_CALM_LOOKS 10 /* in a row with nobody waiting: it is over */
#define SIEGE_SILENT_MS 1000
#define SIEGE_MUTE_MS 10000

struct siege_port {
	uint16_t port;
	uint32_t n_full, n_calm; /* looks in a row */
	uint64_t n_ended;        /* connections; kept by who ends them */
	mono_t since;
};

struct siege {
	struct siege_port ports[SIEGE_MAX_PORTS];
	size_t n;
};

/* A look: connections wait at these ports, and at no others. */
void siege_look(struct siege *s, const uint16_t *waiting, size_t n, mono_t now);

/* The entry of @port if it is full now, or NULL. */
struct siege_port *siege_full(struct siege *s, uint16_t port);

/* Those that are full now. Return: how many. */
size_t siege_full_ports(const struct siege *s, uint16_t out[SIEGE_MAX_PORTS]);

/* Take out one for which it is over. Where nothing was ended it is not told of. */
bool siege_take_over(struct siege *s, struct siege_port *out);

/* A connection as the kernel describes it. */
struct siege_connection {
	struct net peer;
	uint16_t port;                 /* here */
	bool is_held;                  /* a process has it */
	bool is_known;                 /* the rest is */
	uint32_t sent_ms, received_ms; /* since then; without: since it began */
	uint32_t n_sent, n_received;   /* segments with data */
};

/* Does the server wait for its peer to say something, and has for too long? */
bool siege_is_silent(const struct siege_connection *c);
