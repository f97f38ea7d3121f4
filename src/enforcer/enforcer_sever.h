/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * enforcer_sever - new bans wait here until the connections of their networks are cut
 *
 * Those of a millisecond go together, since each call of sever() walks all connections
 * of the machine; and the walks take at most a quarter of the enforcer's time, so that
 * drops never wait for long. Who is no longer dropped when its turn comes (unbanned, or
 * the table is gone) is left alone. A dry run cuts nothing: nothing is dropped in it.
 *
 * At most ENFORCER_SEVER_MAX wait; what is beyond is told and keeps its connections
 * until the server's timeout, as does what is left of an address after ROUNDS_MAX times
 * SEVER_MAX_SOCKETS.
 */

#include "enforcer/enforcer_tables.h"
#include "proc/role.h"

#define ENFORCER_SEVER_MAX 65536

struct enforcer_sever;

/* Borrows both. NULL: out of memory. */
struct enforcer_sever *enforcer_sever_new(
    struct role *role, struct enforcer_tables *tables);
struct enforcer_sever *enforcer_sever_free(struct enforcer_sever *s);

/* Another set-up: jail numbers mean something else, and those who wait are let go. */
void enforcer_sever_reload(struct enforcer_sever *s);

/* The kernel knows of this ban. */
void enforcer_sever_add(struct enforcer_sever *s, const struct order *ban);

/* Tell the engine that @n connections to @jail's ports were ended, for whatever reason.
 */
void enforcer_sever_tell(struct role *r, uint32_t jail, uint32_t n);
