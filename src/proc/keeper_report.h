/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * keeper_report - what came, got through and was stopped since a time, as JSON
 *
 * Bounded: hours and days of the last 400 days, and the greatest of all else.
 */

#include "base/jsonw.h"
#include "proc/role.h"
#include "record/db.h"

/* What is known of one address, as an object. */
void keeper_put_numbers(struct jsonw *j, struct db *d, const struct net *net);

/* Answer request @id of the front; @d NULL: the database cannot be opened now. */
void keeper_report(struct role *r, struct db *d, uint64_t id, wall_t since);
