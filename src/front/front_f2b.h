/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * front_f2b - the second socket: fail2ban's own protocol, for its unmodified client
 *
 * A message is a pickle and a mark that ends it; a client sends as many as it likes,
 * one after the other, and asks to be closed by a message of its own. At most so many
 * clients as front_f2b.c says; more are turned away. A client that is slow to send, to
 * read, or silent, is closed after a minute; it never holds up another one.
 */

#include "proc/role.h"

struct front_f2b;

struct front_f2b *front_f2b_new(struct role *r); /* NULL: out of memory */
struct front_f2b *front_f2b_free(struct front_f2b *f);

/* MSG_LISTEN_F2B, MSG_CHANGED, MSG_FLUSHED from the supervisor. */
void front_f2b_control(struct front_f2b *f, struct message *m);

/* A part of the engine's reply. Return: false if it is not for us. */
bool front_f2b_reply(struct front_f2b *f, uint64_t id, bool last, struct span bytes);
void front_f2b_engine_gone(struct front_f2b *f);

/**
 * front_f2b_frame() - find the first message in what a client has sent
 * @bytes:   input so far
 * @from:    so much of it was searched before
 * @out_len: length of the message, without the mark
 *
 * Return: bytes to consume with the mark, or 0: none is complete.
 */
size_t front_f2b_frame(struct span bytes, size_t from, size_t *out_len);
