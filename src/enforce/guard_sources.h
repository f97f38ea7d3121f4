/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* guard_sources - where the guard learns whom this machine cannot do without. */

#include "base/net.h"

/* A negative return ends the reading and is passed on. */
typedef int (*guard_source_fn)(void *ctx, const struct net *n);

int guard_read_own(guard_source_fn fn, void *ctx); /* getifaddrs(3) */
int guard_read_gateways(
    guard_source_fn fn, void *ctx); /* rtnetlink(7), default routes */
int guard_read_resolvers(guard_source_fn fn, void *ctx); /* resolv.conf(5) */
