/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * keeper_answers - what clients ask of the store, answered in JSON
 *
 * Bounded: of a history the newest bans; of a report the hours and days of the last 400
 * days, and the greatest of all else. With @d NULL the database cannot be opened now.
 */

#include "proc/role.h"
#include "record/db.h"

/* The earlier bans of @net and what of it passed and was stopped: a list, and one more
 * member of the object that the front puts it into. */
void keeper_history(
    struct role *role, struct db *d, uint64_t id, const struct net *net);

/* What came, passed and was stopped since @since. */
void keeper_report(struct role *role, struct db *d, uint64_t id, wall_t since);
