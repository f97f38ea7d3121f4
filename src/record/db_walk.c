/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading: all bans, positions, counts; the history of an address.
 *
 * A row that makes no sense (an impossible network, an id without its text) is left
 * out, evidence that cannot be read is left out of its row: a ban is worth more than
 * the reasons for it. What a callback is given dies when it returns.
 */
#include "record/db_private.h"

#include <errno.h>

#include "record/db_evidence.h"

struct visitor {
	db_ban_fn ban;
	db_cursor_fn cursor;
	db_tally_fn tally;
	db_offender_fn offender;
	db_credit_fn credit;
	db_history_fn history;
	void *ctx;
};

/* One row to the visitor. Return: 0, or what ends the walk. */
typedef int (*row_fn)(sqlite3_stmt *st, const struct visitor *v);

static int walk(struct db *d, sqlite3_stmt *st, row_fn row, const struct visitor *v)
{
	int rc, r = 0;

	while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
		r = row(st, v);
		if (r)
			break;
	}
	if (rc != SQLITE_ROW && rc != SQLITE_DONE)
		r = db_failed(d, rc);
	sqlite3_reset(st);
	sqlite3_clear_bindings(st);
	return r;
}

static const char *column_str(sqlite3_stmt *st, int column)
{
	return (const char *)sqlite3_column_text(st, column);
}

static struct span column_span(sqlite3_stmt *st, int column)
{
	const void *p = sqlite3_column_blob(st, column);

	/* The pointer first: asking for the length may not come before it. */
	return (struct span){p ? p : "", (size_t)sqlite3_column_bytes(st, column)};
}

static bool column_net(sqlite3_stmt *st, int column, struct net *out)
{
	struct unpack u = unpack_of(column_span(st, column));

	*out = unpack_net(&u);
	return unpack_end(&u) == 0;
}

static uint32_t column_u32(sqlite3_stmt *st, int column)
{
	int64_t v = sqlite3_column_int64(st, column);

	return v < 0 ? 0 : v > UINT32_MAX ? UINT32_MAX : (uint32_t)v;
}

static void column_evidence(sqlite3_stmt *st, int column, struct order *out)
{
	if (sqlite3_column_type(st, column) != SQLITE_NULL)
		(void)db_evidence_decode(
		    column_span(st, column), out); /* see the file head */
}

static int column_id(sqlite3_stmt *st, struct order *out)
{
	struct net ip;

	if (sqlite3_column_type(st, 9) != SQLITE_NULL && column_net(st, 9, &ip))
		out->ip = ip;
	out->id = strdup(column_str(st, 8));
	return out->id ? 0 : -ENOMEM;
}

static int ban_row(sqlite3_stmt *st, const struct visitor *v)
{
	CLEANUP(order_deinit) struct order o = {0};
	const char *jail = column_str(st, 0);

	if (!jail || !column_net(st, 1, &o.net) ||
	    !net_is_named(&o.net, column_str(st, 8)))
		return 0;
	if (net_is_id(&o.net) && column_id(st, &o) < 0)
		return -ENOMEM;
	o.op = ORDER_BAN;
	o.cause = (enum order_cause)sqlite3_column_int64(st, 6);
	if (o.cause < ORDER_BY_RULE || o.cause >= ORDER_N_CAUSES)
		o.cause = ORDER_RESTORED;
	o.at.us = sqlite3_column_int64(st, 2);
	o.until.us = sqlite3_column_int64(st, 3);
	o.failures = column_u32(st, 4);
	o.ban_count = column_u32(st, 7);
	o.step = (uint8_t)column_u32(st, 10);
	column_evidence(st, 5, &o);
	return v->ban(v->ctx, jail, &o);
}

int db_each_ban(struct db *d, wall_t now, db_ban_fn fn, void *ctx)
{
	sqlite3_stmt *st = db_stmt_get(d, DB_EACH_BAN);

	if (!st)
		return -EBUSY;
	sqlite3_bind_int64(st, 1, now.us);
	return walk(d, st, ban_row, &(struct visitor){.ban = fn, .ctx = ctx});
}

static int cursor_row(sqlite3_stmt *st, const struct visitor *v)
{
	const char *path = column_str(st, 0);
	struct cursor c = {
	    .dev = (uint64_t)sqlite3_column_int64(st, 1),
	    .ino = (uint64_t)sqlite3_column_int64(st, 2),
	    .offset = (uint64_t)sqlite3_column_int64(st, 3),
	    .lines = (uint64_t)sqlite3_column_int64(st, 4),
	    .head_bytes = column_u32(st, 5),
	    .head_hash = (uint64_t)sqlite3_column_int64(st, 6),
	};

	if (!path || c.head_bytes > CURSOR_HEAD_MAX || c.head_bytes > c.offset)
		return 0;
	return v->cursor(v->ctx, path, &c);
}

int db_each_cursor(struct db *d, db_cursor_fn fn, void *ctx)
{
	sqlite3_stmt *st = db_stmt_get(d, DB_EACH_CURSOR);

	if (!st)
		return -EBUSY;
	return walk(d, st, cursor_row, &(struct visitor){.cursor = fn, .ctx = ctx});
}

static int tally_row(sqlite3_stmt *st, const struct visitor *v)
{
	const char *jail = column_str(st, 0);
	struct net n;

	if (!jail || !column_net(st, 1, &n))
		return 0;
	return v->tally(v->ctx, jail, &n, column_span(st, 2));
}

int db_each_tally(struct db *d, db_tally_fn fn, void *ctx)
{
	sqlite3_stmt *st = db_stmt_get(d, DB_EACH_TALLY);

	if (!st)
		return -EBUSY;
	return walk(d, st, tally_row, &(struct visitor){.tally = fn, .ctx = ctx});
}

static int offender_row(sqlite3_stmt *st, const struct visitor *v)
{
	const char *jail = column_str(st, 0);
	struct offender o = {
	    .at.us = sqlite3_column_int64(st, 2),
	    .until.us = sqlite3_column_int64(st, 3),
	    .count = column_u32(st, 4),
	};

	if (!jail || !o.count || !column_net(st, 1, &o.net))
		return 0;
	return v->offender(v->ctx, jail, &o);
}

int db_each_offender(struct db *d, db_offender_fn fn, void *ctx)
{
	sqlite3_stmt *st = db_stmt_get(d, DB_EACH_OFFENDER);

	if (!st)
		return -EBUSY;
	return walk(d, st, offender_row, &(struct visitor){.offender = fn, .ctx = ctx});
}

static int credit_row(sqlite3_stmt *st, const struct visitor *v)
{
	struct unpack u = unpack_of(column_span(st, 0));
	struct credit c;

	if (credit_decode(&u, &c) < 0 || unpack_end(&u) < 0)
		return 0;
	return v->credit(v->ctx, &c);
}

int db_each_credit(struct db *d, db_credit_fn fn, void *ctx)
{
	sqlite3_stmt *st = db_stmt_get(d, DB_EACH_CREDIT);

	if (!st)
		return -EBUSY;
	return walk(d, st, credit_row, &(struct visitor){.credit = fn, .ctx = ctx});
}

static int history_row(sqlite3_stmt *st, const struct visitor *v)
{
	CLEANUP(order_deinit) struct order o = {0};
	bool has_ended = sqlite3_column_type(st, 6) != SQLITE_NULL;
	struct db_history h = {
	    .jail = column_str(st, 0),
	    .at.us = sqlite3_column_int64(st, 2),
	    .until.us = sqlite3_column_int64(st, 3),
	    .failures = column_u32(st, 4),
	    .ban_count = column_u32(st, 8),
	    .id = column_str(st, 9),
	    .ended = has_ended ? (wall_t){sqlite3_column_int64(st, 6)} : WALL_NONE,
	    .end_cause = has_ended ? column_str(st, 7) : NULL,
	};

	if (!h.jail || !column_net(st, 1, &h.net) || !net_is_named(&h.net, h.id))
		return 0;
	column_evidence(st, 5, &o);
	h.why = o.why;
	h.n_why = o.n_why;
	return v->history(v->ctx, &h);
}

int db_each_history(
    struct db *d, const struct net *n, size_t max, db_history_fn fn, void *ctx)
{
	sqlite3_stmt *st = db_stmt_get(d, n ? DB_EACH_HISTORY_OF : DB_EACH_HISTORY);

	if (!st)
		return -EBUSY;
	sqlite3_bind_int64(st, 1, max < INT64_MAX ? (int64_t)max : INT64_MAX);
	if (n)
		db_bind_net(st, 2, n);
	return walk(d, st, history_row, &(struct visitor){.history = fn, .ctx = ctx});
}
