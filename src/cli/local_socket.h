/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * local_socket - a client's end of a socket of the daemon: one request, one answer
 */

#include "base/buf.h"

/* @timeout_ms: how long one read may wait; 0: for ever. Return: descriptor or negative
 * errno. */
int local_connect(const char *path, int timeout_ms);

/* All of it; a server that is gone is an error and no signal. 0 or negative errno. */
int local_send(int fd, const void *p, size_t n);

/**
 * local_receive() - an answer that ends with @end
 * @out: gets it with the end; its cap bounds it
 *
 * Return: 0, -ETIMEDOUT, -ECONNRESET (ended before), -EMSGSIZE, or negative errno.
 */
int local_receive(int fd, struct span end, struct buf *out);
