/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * enforcer_guard - the guard, kept true while the machine and the set-up change
 *
 * What becomes protected while it is banned is let go: out of the kernel at once, by
 * the enforcer itself, whatever the engine makes of it; and the engine is told, which
 * lifts the ban everywhere else. Own addresses go to the engine when they change.
 */

#include "enforce/guard.h"
#include "enforcer/enforcer_tables.h"
#include "proc/role.h"

struct enforcer_guard;

/* Borrows both; it follows changes from here on. NULL: out of memory. */
struct enforcer_guard *enforcer_guard_new(
    struct role *role, struct enforcer_tables *tables);
struct enforcer_guard *enforcer_guard_free(struct enforcer_guard *g);

/* Another set-up: its options, and everything read anew. Return: 0 or -ENOMEM. */
int enforcer_guard_setup(struct enforcer_guard *g);

/* There is an engine, which knows nothing yet. */
void enforcer_guard_tell(struct enforcer_guard *g);

enum enforcer_guard_how {
	ENFORCER_GUARD_NEW,   /* guard_check() */
	ENFORCER_GUARD_LATE,  /* guard_check_late(): it waits anyway */
	ENFORCER_GUARD_AGAIN, /* guard_check_again(): it was new once */
};

enum guard_reason enforcer_guard_check(struct enforcer_guard *g, const struct net *n,
    enum enforcer_guard_how how, mono_t now);
