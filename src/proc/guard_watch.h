/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * guard_watch - says when what the guard knows of this machine is to be read anew
 *
 * Hears the kernel (addresses, default routes, links) and follows /etc/resolv.conf. A
 * burst of changes is one call, GUARD_WATCH_GATHER_MS after its first; and calls take
 * at most a quarter of the time, since with a full table of routes each is a long walk.
 * Nothing changes: nothing wakes. Only where one of the two is not to be had it calls
 * each minute, and that is logged.
 */

#include "base/loop.h"

#define GUARD_WATCH_GATHER_MS 50

struct guard_watch;

/* NULL: out of memory. */
struct guard_watch *guard_watch_new(struct loop *l, loop_fn fn, void *ctx);
struct guard_watch *guard_watch_free(struct guard_watch *w);

/* How a reading went, whoever began it: 0 or negative errno. One that failed is tried
 * again after a second, and then ever later, at last each minute. */
void guard_watch_heed(struct guard_watch *w, int result);
