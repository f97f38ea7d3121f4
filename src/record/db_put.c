/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writing: bans and their history, positions, counts; and forgetting.
 */
#include "record/db_private.h"

#include <errno.h>
#include <limits.h>

#include "flow/id.h"
#include "record/db_evidence.h"

/* Rows of history looked at in one step of forgetting: a few milliseconds. */
#define PURGE_STEP_ROWS 1000

static void bind_ban(
    sqlite3_stmt *st, const char *jail, const struct order *o, const struct buf *why)
{
	sqlite3_bind_text(st, 1, jail, -1, SQLITE_STATIC);
	db_bind_net(st, 2, &o->net);
	sqlite3_bind_int64(st, 3, o->at.us);
	sqlite3_bind_int64(st, 4, o->until.us);
	sqlite3_bind_int64(st, 5, o->failures);
	if (why->n)
		sqlite3_bind_blob64(st, 6, why->p, why->n, SQLITE_STATIC);
}

static int put_into(struct db *d, enum db_stmt table, const char *jail,
    const struct order *o, const struct buf *why)
{
	sqlite3_stmt *st = d->stmts[table];

	bind_ban(st, jail, o, why);
	sqlite3_bind_int64(st, 7, o->ban_count);
	if (table != DB_PROLONG_HISTORY && o->id)
		sqlite3_bind_text(st, 8, o->id, -1, SQLITE_STATIC);
	if (table == DB_PUT_BAN)
		sqlite3_bind_int64(st, 9, o->cause);
	if (table == DB_PUT_BAN)
		sqlite3_bind_int64(st, 11, o->step);
	if (table == DB_PUT_BAN && o->id && id_has_ip(&o->ip))
		db_bind_net(st, 10, &o->ip);
	return db_stmt_run(d, st);
}

int db_put_ban(struct db *d, const char *jail, const struct order *o)
{
	CLEANUP(buf_deinit) struct buf why = BUF_INIT(DB_EVIDENCE_MAX_BYTES);
	int r = db_may_write(d);

	if (!r)
		r = db_evidence_encode(&why, o);
	if (!r)
		r = put_into(d, DB_PUT_BAN, jail, o, &why);
	/* One that lasts already is the same ban, which now ends later. */
	if (!r)
		r = put_into(d, DB_PROLONG_HISTORY, jail, o, &why);
	if (!r && !sqlite3_changes(d->sql))
		r = put_into(d, DB_PUT_HISTORY, jail, o, &why);
	return r;
}

static int end_history(struct db *d, const char *jail, const struct order *o)
{
	sqlite3_stmt *st = d->stmts[DB_END_HISTORY];

	sqlite3_bind_text(st, 1, jail, -1, SQLITE_STATIC);
	db_bind_net(st, 2, &o->net);
	sqlite3_bind_int64(st, 3, o->at.us);
	sqlite3_bind_text(st, 4, order_cause_name(o->cause), -1, SQLITE_STATIC);
	sqlite3_bind_text(st, 5, order_cause_name(ORDER_EXPIRED), -1, SQLITE_STATIC);
	return db_stmt_run(d, st);
}

int db_put_unban(struct db *d, const char *jail, const struct order *o)
{
	sqlite3_stmt *st = d->stmts[DB_DELETE_BAN];
	int r = db_may_write(d);

	if (r)
		return r;
	sqlite3_bind_text(st, 1, jail, -1, SQLITE_STATIC);
	db_bind_net(st, 2, &o->net);
	r = db_stmt_run(d, st);
	return r ? r : end_history(d, jail, o);
}

int db_put_lifted(struct db *d, const char *jail, wall_t at)
{
	sqlite3_stmt *st = d->stmts[DB_LIFT_HISTORY];
	int r = db_may_write(d);

	if (r)
		return r;
	sqlite3_bind_text(st, 1, jail, -1, SQLITE_STATIC);
	sqlite3_bind_int64(st, 2, at.us);
	sqlite3_bind_text(st, 3, order_cause_name(ORDER_BY_USER), -1, SQLITE_STATIC);
	sqlite3_bind_text(st, 4, order_cause_name(ORDER_EXPIRED), -1, SQLITE_STATIC);
	r = db_stmt_run(d, st);
	if (r)
		return r;
	st = d->stmts[DB_LIFT_BANS];
	sqlite3_bind_text(st, 1, jail, -1, SQLITE_STATIC);
	return db_stmt_run(d, st);
}

int db_put_cursor(struct db *d, const char *path, const struct cursor *c)
{
	sqlite3_stmt *st = d->stmts[DB_PUT_CURSOR];
	int r = db_may_write(d);

	if (r)
		return r;
	/* SQLite has no unsigned 64 bits: the same bits travel as signed ones. */
	sqlite3_bind_text(st, 1, path, -1, SQLITE_STATIC);
	sqlite3_bind_int64(st, 2, (int64_t)c->dev);
	sqlite3_bind_int64(st, 3, (int64_t)c->ino);
	sqlite3_bind_int64(st, 4, (int64_t)c->offset);
	sqlite3_bind_int64(st, 5, (int64_t)c->lines);
	sqlite3_bind_int64(st, 6, c->head_bytes);
	sqlite3_bind_int64(st, 7, (int64_t)c->head_hash);
	return db_stmt_run(d, st);
}

int db_put_tally(struct db *d, const char *jail, const struct net *n, struct span state)
{
	sqlite3_stmt *st = d->stmts[DB_PUT_TALLY];
	int r = db_may_write(d);

	if (r)
		return r;
	sqlite3_bind_text(st, 1, jail, -1, SQLITE_STATIC);
	db_bind_net(st, 2, n);
	/* A NULL pointer would be NULL, not an empty state. */
	sqlite3_bind_blob64(st, 3, state.n ? state.p : "", state.n, SQLITE_STATIC);
	return db_stmt_run(d, st);
}

int db_put_offender(struct db *d, const char *jail, const struct offender *o)
{
	sqlite3_stmt *st = d->stmts[o->count ? DB_PUT_OFFENDER : DB_DELETE_OFFENDER];
	int r = db_may_write(d);

	if (r)
		return r;
	sqlite3_bind_text(st, 1, jail, -1, SQLITE_STATIC);
	db_bind_net(st, 2, &o->net);
	if (o->count) {
		sqlite3_bind_int64(st, 3, o->at.us);
		sqlite3_bind_int64(st, 4, o->until.us);
		sqlite3_bind_int64(st, 5, o->count);
	}
	return db_stmt_run(d, st);
}

int db_clear_state(struct db *d)
{
	int r = db_may_write(d);

	if (!r)
		r = db_stmt_run(d, d->stmts[DB_CLEAR_TALLIES]);
	if (!r)
		r = db_stmt_run(d, d->stmts[DB_CLEAR_OFFENDERS]);
	return r ? r : db_stmt_run(d, d->stmts[DB_CLEAR_BANS]);
}

int db_put_credit(struct db *d, const struct credit *c)
{
	CLEANUP(buf_deinit) struct buf state = BUF_INIT(CREDIT_MAX_BYTES);
	sqlite3_stmt *st = d->stmts[DB_PUT_CREDIT];
	int r = db_may_write(d);

	credit_encode(&state, c);
	if (!r && state.failed)
		r = -ENOMEM;
	if (r)
		return r;
	db_bind_net(st, 1, &c->net);
	sqlite3_bind_int64(st, 2, c->at.us);
	sqlite3_bind_blob64(st, 3, state.p, state.n, SQLITE_STATIC);
	return db_stmt_run(d, st);
}

/* Run a DELETE that is bound already and add to *@io_gone what it took. */
static int purge_run(struct db *d, sqlite3_stmt *st, int64_t *io_gone)
{
	int r = db_stmt_run(d, st);

	if (!r)
		*io_gone += sqlite3_changes(d->sql);
	return r;
}

/* The time at which a step that begins at @from ends, at most @before - 1. */
static int purge_step_end(struct db *d, int64_t from, int64_t before, int64_t *out)
{
	sqlite3_stmt *st = d->stmts[DB_PURGE_STEP];
	int rc, r = 0;

	sqlite3_bind_int64(st, 1, from);
	sqlite3_bind_int64(st, 2, before);
	sqlite3_bind_int64(st, 3, PURGE_STEP_ROWS - 1);
	rc = sqlite3_step(st);
	if (rc == SQLITE_ROW)
		*out = sqlite3_column_int64(st, 0);
	else if (rc == SQLITE_DONE)
		*out = before - 1;
	else
		r = db_failed(d, rc);
	sqlite3_reset(st);
	return r;
}

/*
 * By time of the ban, step by step, so that each transaction stays short and rows that
 * must stay (a ban that still lasts) are looked at once.
 */
static int purge_history(struct db *d, int64_t before, int64_t *io_gone)
{
	sqlite3_stmt *st = d->stmts[DB_PURGE_HISTORY];
	int64_t from = INT64_MIN, to = 0;
	int r = 0;

	while (!r && from < before) {
		r = purge_step_end(d, from, before, &to);
		if (r)
			break;
		sqlite3_bind_int64(st, 1, from);
		sqlite3_bind_int64(st, 2, to);
		sqlite3_bind_int64(st, 3, before);
		r = purge_run(d, st, io_gone);
		from = to + 1;
	}
	return r;
}

/* Each run takes a thousand at most. */
static int purge_offenders(struct db *d, int64_t before, int64_t *io_gone)
{
	sqlite3_stmt *st = d->stmts[DB_PURGE_OFFENDERS];
	int64_t n_before;
	int r;

	do {
		n_before = *io_gone;
		sqlite3_bind_int64(st, 1, before);
		r = purge_run(d, st, io_gone);
	} while (!r && *io_gone > n_before);
	return r;
}

static int purge_credit(struct db *d, wall_t before, int64_t *io_gone)
{
	sqlite3_stmt *st = d->stmts[DB_PURGE_CREDIT];
	int64_t n_before;
	int r;

	do {
		n_before = *io_gone;
		sqlite3_bind_int64(
		    st, 1, wall_add_sec(before, -86400.0 * DB_CREDIT_DAYS).us);
		sqlite3_bind_int64(st, 2, DB_MAX_CREDIT - 1);
		r = purge_run(d, st, io_gone);
	} while (!r && *io_gone > n_before);
	return r;
}

int db_purge(struct db *d, wall_t before)
{
	/* Bans that ran out while nobody looked; all others leave by an unban. */
	static const enum db_stmt others[] = {DB_PURGE_BANS, DB_PURGE_CURSORS};
	int64_t n_gone = 0;
	int r = db_may_write(d);

	if (!r)
		r = purge_history(d, before.us, &n_gone);
	if (!r)
		r = purge_offenders(d, before.us, &n_gone);
	if (!r)
		r = purge_credit(d, before, &n_gone);
	for (size_t i = 0; !r && i < ARRAY_LEN(others); i++) {
		sqlite3_bind_int64(d->stmts[others[i]], 1, before.us);
		r = purge_run(d, d->stmts[others[i]], &n_gone);
	}
	if (r)
		return r;
	return n_gone > INT_MAX ? INT_MAX : (int)n_gone;
}
