/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* guard_sources - where the guard learns whom this machine cannot do without. */

#include "base/net.h"

#define GUARD_RESOLV_CONF "/etc/resolv.conf"

/* A negative return ends the reading and is passed on. */
typedef int (*guard_source_fn)(void *ctx, const struct net *n);

struct nlmsghdr;

int guard_read_own(guard_source_fn fn, void *ctx); /* getifaddrs(3) */
int guard_read_gateways(
    guard_source_fn fn, void *ctx); /* rtnetlink(7), default routes */
int guard_read_resolvers(guard_source_fn fn, void *ctx); /* resolv.conf(5) */

/* A part, for tests: one whole message of the kernel's list of routes. */
int guard_gateways_of_route(const struct nlmsghdr *h, guard_source_fn fn, void *ctx);
