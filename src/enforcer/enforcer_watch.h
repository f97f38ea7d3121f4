/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * enforcer_watch - notices what others do to our tables, while they do it
 *
 * What comes within a moment is looked at together. Bans that were taken out one by one
 * are asked for again at the engine, which alone knows whether they still hold; of more
 * than ENFORCER_WATCH_MAX_LOST all are.
 */

#include "enforcer/enforcer_tables.h"
#include "proc/role.h"

#define ENFORCER_WATCH_MAX_LOST 256

struct enforcer_watch;

struct enforcer_watch_fns {
	void *ctx;
	void (*changed)(void *ctx); /* do the tables stand? */
	void (*missed)(void *ctx);  /* and perhaps bans are gone */
};

/* NULL with @e: there will be no notice. @t must outlive it. */
struct enforcer_watch *enforcer_watch_new(struct role *r, struct enforcer_tables *t,
    const struct enforcer_watch_fns *fns, struct err *e);
struct enforcer_watch *enforcer_watch_free(struct enforcer_watch *w);

/* Very many changes of ours come now: nothing is heard until a moment after the last
 * call, and then the tables are looked at. NULL-safe. */
void enforcer_watch_pause(struct enforcer_watch *w);

/* Tables were set up or repaired: what their sockets change now is ours. NULL-safe. */
void enforcer_watch_tables(struct enforcer_watch *w);
