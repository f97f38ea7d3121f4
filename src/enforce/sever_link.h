/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * sever_link - talking to sock_diag: a listing of sockets, and the end of some
 *
 * A netlink socket for each listing and one for the cuts: so a listing that is given up
 * leaves no answers behind, and opening them costs less than one cut. The kernel works
 * while we send and receive; nothing here waits.
 */

#include "enforce/sever_wire.h"

/**
 * sever_hear_fn() - is shown each datagram of a listing
 * @bytes: aligned as nlmsghdr
 *
 * Return: 0: go on; 1: that is enough; or negative errno, which ends it too.
 */
typedef int (*sever_hear_fn)(void *ctx, const void *bytes, size_t n_bytes);

/* Ask @question, and show the answers to @hear until it has enough. 0 or negative
 * errno. */
int sever_list(const struct nlmsghdr *question, sever_hear_fn hear, void *ctx);

/**
 * sever_cut() - end these connections
 * @sockets: is_cut says of each whether it was open and is no longer; where the answer
 *           was lost it is not known, and not told as done
 *
 * Return: how many were cut, or negative errno, the first that is more than a
 * connection gone meanwhile.
 */
int64_t sever_cut(struct sever_socket *sockets, size_t n);
