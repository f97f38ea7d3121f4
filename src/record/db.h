/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * db - what must outlive a process: bans, history, counts, positions (SQLite, WAL)
 *
 * The keeper writes a checkpoint as one transaction: positions in the logs, the counts
 * that these lines led to, and the bans decided. So after kill -9 at any moment,
 * reading on from the stored position repeats what was not stored and nothing else. All
 * put functions are idempotent. Jails are known by name.
 */

#include "base/cleanup.h"
#include "base/err.h"
#include "flow/credit.h"
#include "flow/cursor.h"
#include "flow/offender.h"
#include "flow/order.h"

struct db;

/**
 * db_open()
 * @path: file, created 0600 with its schema; ":memory:" for tests
 *
 * A damaged file is set aside as PATH.damaged-<unix time> and a new one begun; @e then
 * says so although the call succeeds. A newer schema is refused.
 * Return: NULL with @e.
 */
struct db *db_open(const char *path, struct err *e);
struct db *db_close(struct db *d);
DEFINE_CLEANUP(struct db *, db_close)

/*
 * A put that fails within a transaction rolls it back at once; each later one and the
 * commit give the same failure again, until db_begin() or db_rollback().
 */
int db_begin(struct db *d);
int db_commit(struct db *d);
void db_rollback(struct db *d);

/* A ban, prolonged or new: into bans and, by (jail, net, at), into history. */
int db_put_ban(struct db *d, const char *jail, const struct order *o);
/* Unban: out of bans; history gets its end and cause. */
int db_put_unban(struct db *d, const char *jail, const struct order *o);
/* The same for all bans of the jail, lifted by a user. */
int db_put_lifted(struct db *d, const char *jail, wall_t at);
int db_put_cursor(struct db *d, const char *path, const struct cursor *c);
int db_put_tally(
    struct db *d, const char *jail, const struct net *n, struct span state);
/* count 0: it goes. An older ban than the stored one changes nothing. */
int db_put_offender(struct db *d, const char *jail, const struct offender *o);
/* One that was given later than the stored one, or the same day. */
int db_put_credit(struct db *d, const struct credit *c);
/* Bans, counts and offenders go, before a full snapshot. */
int db_clear_state(struct db *d);

typedef int (*db_ban_fn)(void *ctx, const char *jail, const struct order *o);
typedef int (*db_cursor_fn)(void *ctx, const char *path, const struct cursor *c);
typedef int (*db_tally_fn)(
    void *ctx, const char *jail, const struct net *n, struct span state);
typedef int (*db_offender_fn)(void *ctx, const char *jail, const struct offender *o);
typedef int (*db_credit_fn)(void *ctx, const struct credit *c);
/* A callback's non-zero value ends the walk and is returned. Bans over at @now are left
 * out. */
int db_each_ban(struct db *d, wall_t now, db_ban_fn fn, void *ctx);
int db_each_cursor(struct db *d, db_cursor_fn fn, void *ctx);
int db_each_tally(struct db *d, db_tally_fn fn, void *ctx);
int db_each_offender(struct db *d, db_offender_fn fn, void *ctx);
int db_each_credit(struct db *d, db_credit_fn fn, void *ctx);

/* History of exactly @n (or of all, @n NULL), newest first, at most @max rows. */
struct db_history {
	const char *jail;
	struct net net;
	const char *id;          /* the text of an id, or NULL */
	wall_t at, until, ended; /* ended: WALL_NONE while it lasts */
	const char *end_cause;   /* NULL while it lasts */
	uint32_t failures;
	uint32_t ban_count; /* it was the so-many-th ban; 0: not known */
	const struct evidence *why;
	size_t n_why;
};
typedef int (*db_history_fn)(void *ctx, const struct db_history *h);
int db_each_history(
    struct db *d, const struct net *n, size_t max, db_history_fn fn, void *ctx);

/*
 * Forget bans that were over before @before, their history, offenders whose last ban is
 * older and was over for twice its length more, and positions that were not put since,
 * in small steps; also credit that was given last DB_CREDIT_DAYS before, of which
 * nothing is left, and what is beyond the newest DB_MAX_CREDIT: strangers choose how
 * many addresses they come from, once. Return: rows gone.
 */
#define DB_MAX_CREDIT 200000
#define DB_CREDIT_DAYS 150
int db_purge(struct db *d, wall_t before);
const char *db_error(struct db *d); /* what SQLite said last */
