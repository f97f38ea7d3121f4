/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * enforcer_siege - while a server is full, silent connections of who has failed end
 *
 * The engine tells who has failed and is not banned (MSG_SUSPECTS). While there are
 * such, and a jail has makeroom, the queues of the servers behind its ports are looked
 * at: each 0.3 s as long as failures come or a port is full, less often the longer ago
 * the last failure is, and not at all when all of them are over. So an idle machine
 * stays idle. What is full and what ends: enforce/siege.h. The guard is asked about
 * each address when its turn has come.
 *
 * Bounded: enforce/suspects.h; SEVER_MAX_SOCKETS a round, and rounds take at most a
 * quarter of the enforcer's time. A dry run ends nothing.
 */

#include "enforcer/enforcer_guard.h"

struct enforcer_siege;

/* Borrows both. NULL: out of memory. */
struct enforcer_siege *enforcer_siege_new(
    struct role *role, struct enforcer_guard *guard);
struct enforcer_siege *enforcer_siege_free(struct enforcer_siege *s);

/* Another set-up: jail numbers mean something else, and the engine tells all again. */
void enforcer_siege_reload(struct enforcer_siege *s);

void enforcer_siege_message(
    struct enforcer_siege *s, struct message *m); /* MSG_SUSPECTS */

/* @net is kept out of @jail, or banned no longer: either way it is no suspect. */
void enforcer_siege_forget(
    struct enforcer_siege *s, uint32_t jail, const struct net *net);
