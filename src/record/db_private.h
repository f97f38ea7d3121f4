/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * db_private - what the files of db share among themselves, and nobody else
 *
 * Every SQL statement of the running program is a line in db_stmt.c, prepared once when
 * the file is opened; values are only ever bound.
 */

#include <sqlite3.h>
#include <stdbool.h>

#include "record/db.h"

enum db_stmt {
	DB_BEGIN,
	DB_COMMIT,
	DB_PUT_BAN,
	DB_PROLONG_HISTORY,
	DB_PUT_HISTORY,
	DB_DELETE_BAN,
	DB_END_HISTORY,
	DB_LIFT_BANS,
	DB_LIFT_HISTORY,
	DB_PUT_CURSOR,
	DB_PUT_TALLY,
	DB_PUT_OFFENDER,
	DB_DELETE_OFFENDER,
	DB_CLEAR_OFFENDERS,
	DB_PUT_CREDIT,
	DB_CLEAR_TALLIES,
	DB_CLEAR_BANS,
	DB_EACH_BAN,
	DB_EACH_CURSOR,
	DB_EACH_TALLY,
	DB_EACH_OFFENDER,
	DB_EACH_CREDIT,
	DB_EACH_HISTORY,
	DB_EACH_HISTORY_OF,
	DB_PURGE_STEP,
	DB_PURGE_HISTORY,
	DB_PURGE_BANS,
	DB_PURGE_OFFENDERS,
	DB_PURGE_CREDIT,
	DB_PURGE_CURSORS,
	DB_GET_BOOKED,
	DB_PUT_BOOKED,
	DB_ADD_SUM,
	DB_INSERT_SUM,
	DB_COUNT_SUMS,
	DB_ADD_WHO,
	DB_INSERT_WHO,
	DB_COUNT_WHO,
	DB_SUM_OF_WHO,
	DB_FOLD_SUMS,
	DB_FOLD_SUMS_DROP,
	DB_FOLD_SUMS_TRIM,
	DB_PURGE_SUMS,
	DB_FOLD_WHO,
	DB_FOLD_WHO_DROP,
	DB_FOLD_WHO_TRIM,
	DB_PURGE_WHO,
	DB_SUMS_BY_ALL,
	DB_SUMS_BY_HOUR,
	DB_SUMS_BY_JAIL,
	DB_SUMS_BY_REASON,
	DB_SUMS_BY_NETWORK,
	DB_SUMS_BY_ADDRESS,
	DB_N_STMTS
};

/* How many rows hours have, as far as it was asked; at 0: not known. */
#define DB_N_HOURS 64
struct db_hour {
	int64_t at;
	int64_t n_rows;
};

struct db {
	sqlite3 *sql;
	sqlite3_stmt *stmts[DB_N_STMTS];
	bool is_in_tx;
	int tx_error; /* why the transaction was rolled back, until the caller ends it
		       */
	char error[256];
	struct db_hour sums_of[DB_N_HOURS], who_of[DB_N_HOURS]; /* see db_sums.c */
};

/* Schema. Return: 0; DB_DAMAGED; negative errno (not ours, newer, the disk) with @e. */
enum { DB_DAMAGED = 1 };
int db_schema_identify(struct db *d, struct err *e);
int db_schema_migrate(struct db *d, struct err *e);

/* Set-up: as above, for any SQL. A damaged file and others are told apart by @e too. */
int db_exec(struct db *d, const char *sql, struct err *e);
int db_ask_int(struct db *d, const char *sql, int64_t *out, struct err *e);
int db_setup_failed(struct db *d, int rc, const char *what, struct err *e);

int db_stmts_prepare(struct db *d, struct err *e);
void db_stmts_finalize(struct db *d);

/**
 * db_stmt_get() - a statement ready for binding
 *
 * Return: NULL if it is in the middle of a walk.
 */
sqlite3_stmt *db_stmt_get(struct db *d, enum db_stmt which);

/* Run a statement that yields no rows. Return: 0 or negative errno, see db_failed(). */
int db_stmt_run(struct db *d, sqlite3_stmt *st);

/**
 * db_failed() - note what SQLite says and roll an open transaction back
 * @rc: result of the call that failed
 *
 * Return: the negative errno that stands for it.
 */
int db_failed(struct db *d, int rc);

/* Why nothing may be written now: a transaction that failed and was not ended. Or 0. */
int db_may_write(const struct db *d);

/* What is known of hours is known no more: rows went. */
void db_forget_hours(struct db *d);

/* Bound, not copied: @n must live until the statement was run. */
void db_bind_net(sqlite3_stmt *st, int column, const struct net *n);
