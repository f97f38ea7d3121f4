/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * channel - one end of a connection between two of our processes
 *
 * Packets with type, body and perhaps a descriptor. Sending never blocks: what the
 * kernel does not take waits in a queue of at most CHANNEL_QUEUE_BYTES; a peer that is
 * so far behind is given up, which its owner learns as a close.
 */

#include "base/loop.h"
#include "base/pack.h"
#include "proc/message.h"

#define CHANNEL_QUEUE_BYTES (256u << 20)

struct channel;

struct message {
	enum message_type type;
	struct unpack body;
	int fd; /* owned by the callee once TAKE_FD() took it; else closed afterwards;
		   -1: none */
};

struct channel_fns {
	void *ctx;
	void (*message)(void *ctx, struct channel *c, struct message *m);
	/* The peer is gone, or was given up. Last call; the owner frees the channel,
	 * now or later. */
	void (*closed)(void *ctx, struct channel *c);
};

/* @fd is owned from here on, also on failure. NULL: out of memory or descriptors. */
struct channel *channel_new(struct loop *l, int fd, const struct channel_fns *fns);
struct channel *channel_free(struct channel *c);
DEFINE_CLEANUP(struct channel *, channel_free)

/* A pair of connected descriptors for channel_new(). Return: 0 or negative errno. */
int channel_pair(int out_fds[2]);

/**
 * channel_send()
 * @body:    packed; may be empty
 * @pass_fd: passed along (the caller keeps its own), or -1
 *
 * Return: 0, -EMSGSIZE, -EPIPE (closed, or closed now because the queue is full),
 * -ENOMEM.
 */
int channel_send(
    struct channel *c, enum message_type type, struct span body, int pass_fd);

bool channel_is_idle(const struct channel *c); /* nothing waits to be sent */

/* Wait (blocking) until the queue has gone out, at most @timeout_ms. */
void channel_drain(struct channel *c, int timeout_ms);
