/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The statements, and what becomes of a failing one.
 *
 * SQLite's result codes become errno values here and nowhere else. A failure within a
 * transaction rolls all of it back at once: half a checkpoint must never be stored, and
 * a caller that went on writing would store the second half of it alone.
 */
#include "record/db_private.h"

#include <errno.h>
#include <stdio.h>

#define ADD_NUMBERS(of)                                                  \
	"passed = passed + " of "passed, bans = bans + " of "bans,"      \
	" attempts = attempts + " of "attempts, packets = packets + " of \
	"packets, bytes = bytes + " of "bytes"
#define ADD_BOUND                                                           \
	"passed = passed + ?1, bans = bans + ?2, attempts = attempts + ?3," \
	" packets = packets + ?4, bytes = bytes + ?5"
#define SUMS "sum(passed), sum(bans), sum(attempts), sum(packets), sum(bytes)"
#define NUMBERS "passed, bans, attempts, packets, bytes"
#define GREATEST_FIRST " ORDER BY sum(passed) + sum(attempts) DESC"
/* /24 of an IPv4 address, which is a mapped one, or /64; what is wider, and an id,
 * stays whole. */
#define NETWORK_OF                                                                \
	"iif(substr(net, 1, 12) = x'00000000000000000000ffff',"                   \
	" iif(substr(net, 17) BETWEEN x'78' AND x'80', substr(net, 1, 15), net)," \
	" iif(substr(net, 17) BETWEEN x'40' AND x'80', substr(net, 1, 8), net))"

/*
 * A ban without evidence (restored, prolonged) does not take away the evidence that is
 * stored, nor does a snapshot, which begins with no bans: then history has it. One that
 * is put again lasts again, whatever history said of its end.
 *
 * An unban ends whatever is open; a row whose time was over before that ran out while
 * nobody looked (the machine was off), and says so.
 */
static const char *const sql_of[DB_N_STMTS] = {
    [DB_BEGIN] = "BEGIN IMMEDIATE",
    [DB_COMMIT] = "COMMIT",
    [DB_PUT_BAN] =
	"INSERT INTO bans"
	"(jail, net, at, until, failures, why, ban_count, id_text, cause, id_ip,"
	" step)"
	" VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)"
	" ON CONFLICT DO UPDATE SET at = ?3, until = ?4, cause = ?9, step = ?11,"
	" failures = iif(?5, ?5, failures), why = ifnull(?6, why),"
	" ban_count = iif(?7, ?7, ban_count)",
    [DB_PROLONG_HISTORY] = "UPDATE history SET until = ?4,"
			   " failures = iif(?5, ?5, failures), why = ifnull(?6, why)"
			   ", ban_count = iif(?7, ?7, ban_count)"
			   " WHERE jail = ?1 AND net = ?2 AND at < ?3 AND until > ?3"
			   " AND ended IS NULL",
    [DB_PUT_HISTORY] =
	"INSERT INTO history(jail, net, at, until, failures, why, ban_count, id_text)"
	" VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"
	" ON CONFLICT DO UPDATE SET until = ?4,"
	" ended = NULL, end_cause = NULL,"
	" failures = iif(?5, ?5, failures), why = ifnull(?6, why),"
	" ban_count = iif(?7, ?7, ban_count)",
    [DB_DELETE_BAN] = "DELETE FROM bans WHERE jail = ?1 AND net = ?2",
    [DB_END_HISTORY] = "UPDATE history SET ended = min(until, ?3),"
		       " end_cause = iif(until < ?3, ?5, ?4)"
		       " WHERE jail = ?1 AND net = ?2 AND ended IS NULL",
    [DB_LIFT_BANS] = "DELETE FROM bans WHERE jail = ?1",
    [DB_LIFT_HISTORY] = "UPDATE history SET ended = min(until, ?2),"
			" end_cause = iif(until < ?2, ?4, ?3)"
			" WHERE jail = ?1 AND ended IS NULL", /* by history_open */
    [DB_PUT_CURSOR] =
	"INSERT OR REPLACE INTO"
	" cursors(path, dev, ino, offset, lines, head_bytes, head_hash, seen)"
	" VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, strftime('%s') * 1000000)",
    [DB_PUT_TALLY] =
	"INSERT OR REPLACE INTO tally(jail, net, state) VALUES(?1, ?2, ?3)",
    [DB_PUT_OFFENDER] =
	"INSERT INTO offenders(jail, net, at, until, count) VALUES(?1, ?2, ?3, ?4, ?5)"
	" ON CONFLICT DO UPDATE SET at = ?3, until = ?4, count = ?5 WHERE at <= ?3",
    [DB_DELETE_OFFENDER] = "DELETE FROM offenders WHERE jail = ?1 AND net = ?2",
    [DB_CLEAR_OFFENDERS] = "DELETE FROM offenders",
    [DB_PUT_CREDIT] = "INSERT INTO credit(net, at, state) VALUES(?1, ?2, ?3)"
		      " ON CONFLICT DO UPDATE SET at = ?2, state = ?3 WHERE at <= ?2",
    [DB_CLEAR_TALLIES] = "DELETE FROM tally",
    [DB_CLEAR_BANS] = "DELETE FROM bans",
    [DB_EACH_BAN] =
	"SELECT jail, net, at, until, failures, ifnull(why, (SELECT h.why "
	"FROM history h"
	" WHERE h.net = b.net AND h.jail = b.jail AND h.at = b.at)), cause, ban_count,"
	" id_text, id_ip, step"
	" FROM bans b WHERE until > ?1",
    [DB_EACH_CURSOR] = "SELECT path, dev, ino, offset, lines, head_bytes, head_hash"
		       " FROM cursors",
    [DB_EACH_TALLY] = "SELECT jail, net, state FROM tally",
    [DB_EACH_OFFENDER] = "SELECT jail, net, at, until, count FROM offenders",
    [DB_EACH_CREDIT] = "SELECT state FROM credit",
    [DB_EACH_HISTORY] = "SELECT jail, net, at, until, failures, why, ended, end_cause,"
			" ban_count, id_text"
			" FROM history ORDER BY at DESC, id DESC LIMIT ?1",
    [DB_EACH_HISTORY_OF] = "SELECT jail, net, at, until, failures, why, ended, "
			   "end_cause, ban_count, id_text"
			   " FROM history WHERE net = ?2"
			   " ORDER BY at DESC, id DESC LIMIT ?1",
    [DB_PURGE_STEP] = "SELECT at FROM history WHERE at >= ?1 AND at < ?2"
		      " ORDER BY at LIMIT 1 OFFSET ?3",
    [DB_PURGE_HISTORY] = "DELETE FROM history WHERE at >= ?1 AND at <= ?2"
			 " AND ifnull(ended, until) < ?3",
    [DB_PURGE_BANS] = "DELETE FROM bans WHERE until < ?1",
    /* fail2ban's rule: old, and three times its length over for as long too. */
    [DB_PURGE_OFFENDERS] =
	"DELETE FROM offenders WHERE (net, jail) IN (SELECT net, jail FROM offenders"
	" WHERE at < ?1 AND until < 9223372036854775807"
	" AND at + 3 * (until - at) < ?1 LIMIT 1000)",
    [DB_PURGE_CREDIT] =
	"DELETE FROM credit WHERE net IN (SELECT net FROM credit WHERE at < ?1"
	" OR at < (SELECT at FROM credit ORDER BY at DESC LIMIT 1 OFFSET ?2)"
	" ORDER BY at LIMIT 1000)",
    [DB_PURGE_CURSORS] = "DELETE FROM cursors WHERE seen < ?1",

    [DB_GET_BOOKED] = "SELECT run, batch FROM booked",
    [DB_PUT_BOOKED] =
	"INSERT OR REPLACE INTO booked(one, run, batch) VALUES(1, ?1, ?2)",
    [DB_ADD_SUM] = "UPDATE sums SET " ADD_BOUND
		   " WHERE at = ?6 AND jail = ?7 AND rule = ?8 AND reason = ?9",
    [DB_INSERT_SUM] = "INSERT INTO sums(" NUMBERS ", at, jail, rule, reason)"
		      " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    [DB_COUNT_SUMS] = "SELECT count(*) FROM sums WHERE at = ?1",
    [DB_ADD_WHO] =
	"UPDATE who SET " ADD_BOUND " WHERE at = ?6 AND jail = ?7 AND net = ?8",
    [DB_INSERT_WHO] = "INSERT INTO who(" NUMBERS ", at, jail, net)"
		      " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    [DB_COUNT_WHO] = "SELECT count(*) FROM who WHERE at = ?1",
    [DB_SUM_OF_WHO] = "SELECT " SUMS " FROM who WHERE at = ?1 AND net = ?2",
    /* The day's own row is that of its first hour. */
    [DB_FOLD_SUMS] =
	"INSERT INTO sums(at, jail, rule, reason, " NUMBERS ")"
	" SELECT ?1, jail, rule, reason, " SUMS " FROM sums WHERE at > ?1 AND at < ?2"
	" GROUP BY jail, rule, reason"
	" ON CONFLICT DO UPDATE SET " ADD_NUMBERS("excluded."),
    [DB_FOLD_SUMS_DROP] = "DELETE FROM sums WHERE at > ?1 AND at < ?2",
    [DB_FOLD_SUMS_TRIM] = "DELETE FROM sums WHERE at = ?1 AND (jail, rule, reason) IN"
			  " (SELECT jail, rule, reason FROM sums WHERE at = ?1"
			  " ORDER BY passed + attempts DESC LIMIT -1 OFFSET ?2)",
    [DB_PURGE_SUMS] = "DELETE FROM sums WHERE at < ?1",
    [DB_FOLD_WHO] = "INSERT INTO who(at, net, jail, " NUMBERS ")"
		    " SELECT ?1, net, jail, " SUMS
		    " FROM who WHERE at > ?1 AND at < ?2 GROUP BY net, jail"
		    " ON CONFLICT DO UPDATE SET " ADD_NUMBERS("excluded."),
    [DB_FOLD_WHO_DROP] = "DELETE FROM who WHERE at > ?1 AND at < ?2",
    [DB_FOLD_WHO_TRIM] = "DELETE FROM who WHERE at = ?1 AND (net, jail) IN"
			 " (SELECT net, jail FROM who WHERE at = ?1"
			 " ORDER BY passed + attempts DESC LIMIT -1 OFFSET ?2)",
    [DB_PURGE_WHO] = "DELETE FROM who WHERE at < ?1",

    /* Columns as db_sums.c reads them: at, jail, rule, reason, net, blocked, numbers.
     */
    /* Of addresses not all may be kept, of history not for as long. */
    [DB_SUMS_BY_ALL] =
	"SELECT min(at), NULL, 0, NULL, NULL, max("
	"(SELECT count(DISTINCT net) FROM who WHERE at >= ?3 AND bans > 0),"
	" (SELECT count(DISTINCT net) FROM history WHERE at >= ?1"
	" AND ifnull(end_cause, '') <> 'refused')), " SUMS
	" FROM sums WHERE at >= ?1 LIMIT ?2",
    [DB_SUMS_BY_HOUR] = "SELECT at, NULL, 0, NULL, NULL, 0, " SUMS
			" FROM sums WHERE at >= ?1 GROUP BY at ORDER BY at LIMIT ?2",
    [DB_SUMS_BY_JAIL] =
	"SELECT min(at), jail, 0, NULL, NULL, 0, " SUMS
	" FROM sums WHERE at >= ?1 GROUP BY jail" GREATEST_FIRST ", jail LIMIT ?2",
    [DB_SUMS_BY_REASON] =
	"SELECT min(at), jail, rule, reason, NULL, 0, " SUMS
	" FROM sums WHERE at >= ?1 GROUP BY jail, rule, reason" GREATEST_FIRST
	", jail, rule LIMIT ?2",
    [DB_SUMS_BY_NETWORK] =
	"SELECT min(at), NULL, 0, NULL, max(net),"
	" count(DISTINCT iif(bans > 0, net, NULL)), " SUMS
	" FROM who WHERE at >= ?1 GROUP BY " NETWORK_OF GREATEST_FIRST ", net LIMIT ?2",
    [DB_SUMS_BY_ADDRESS] =
	"SELECT min(at), NULL, 0, NULL, net, max(bans > 0), " SUMS
	" FROM who WHERE at >= ?1 GROUP BY net" GREATEST_FIRST ", net LIMIT ?2",
};

static int errno_of(sqlite3 *sql, int rc)
{
	int of_system = sqlite3_system_errno(sql);

	switch (rc & 0xff) {
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_READONLY:
		return -EROFS;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return -EBUSY;
	case SQLITE_NOMEM:
		return -ENOMEM;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return -EUCLEAN;
	case SQLITE_PERM:
	case SQLITE_AUTH:
		return -EACCES;
	case SQLITE_TOOBIG:
		return -EFBIG;
	case SQLITE_CONSTRAINT:
	case SQLITE_MISMATCH:
		return -EINVAL;
	case SQLITE_IOERR:
	case SQLITE_CANTOPEN:
		return of_system > 0 ? -of_system : -EIO;
	default:
		return -EIO;
	}
}

int db_setup_failed(struct db *d, int rc, const char *what, struct err *e)
{
	int r = errno_of(d->sql, rc);

	err_set(e, r, "%s: %s", what, sqlite3_errmsg(d->sql));
	return r == -EUCLEAN ? DB_DAMAGED : r;
}

int db_exec(struct db *d, const char *sql, struct err *e)
{
	int rc = sqlite3_exec(d->sql, sql, NULL, NULL, NULL);

	return rc == SQLITE_OK ? 0 : db_setup_failed(d, rc, "set-up", e);
}

int db_ask_int(struct db *d, const char *sql, int64_t *out, struct err *e)
{
	sqlite3_stmt *st = NULL;
	int rc = sqlite3_prepare_v2(d->sql, sql, -1, &st, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_step(st);
	if (rc == SQLITE_ROW)
		*out = sqlite3_column_int64(st, 0);
	/* The message belongs to the connection and outlives the statement. */
	sqlite3_finalize(st);
	return rc == SQLITE_ROW ? 0 : db_setup_failed(d, rc, "first look", e);
}

int db_stmts_prepare(struct db *d, struct err *e)
{
	for (size_t i = 0; i < DB_N_STMTS; i++) {
		int rc = sqlite3_prepare_v3(d->sql, sql_of[i], -1,
		    SQLITE_PREPARE_PERSISTENT, &d->stmts[i], NULL);
		int r;

		if (rc == SQLITE_OK)
			continue;
		r = db_setup_failed(d, rc, "tables are not as they should be", e);
		/* The version was right; so a table or column missing is damage. */
		return rc == SQLITE_ERROR ? DB_DAMAGED : r;
	}
	return 0;
}

void db_stmts_finalize(struct db *d)
{
	for (size_t i = 0; i < DB_N_STMTS; i++) {
		sqlite3_finalize(d->stmts[i]);
		d->stmts[i] = NULL;
	}
}

sqlite3_stmt *db_stmt_get(struct db *d, enum db_stmt which)
{
	return sqlite3_stmt_busy(d->stmts[which]) ? NULL : d->stmts[which];
}

int db_failed(struct db *d, int rc)
{
	int r = errno_of(d->sql, rc);

	(void)snprintf(d->error, sizeof(d->error), "%s", sqlite3_errmsg(d->sql));
	if (!d->is_in_tx)
		return r;
	d->tx_error = r;
	db_forget_hours(d);
	/* Fails only where SQLite has already rolled back by itself. */
	(void)sqlite3_exec(d->sql, "ROLLBACK", NULL, NULL, NULL);
	return r;
}

int db_may_write(const struct db *d)
{
	return d->is_in_tx ? d->tx_error : 0;
}

int db_stmt_run(struct db *d, sqlite3_stmt *st)
{
	int rc = sqlite3_step(st);
	int r = rc == SQLITE_DONE ? 0 : db_failed(d, rc);

	sqlite3_reset(st);
	/* The bound bytes belong to the caller and end with the call. */
	sqlite3_clear_bindings(st);
	return r;
}

void db_bind_net(sqlite3_stmt *st, int column, const struct net *n)
{
	_Static_assert(sizeof(*n) == 17, "what is on disk has no padding");
	sqlite3_bind_blob(st, column, n, sizeof(*n), SQLITE_STATIC);
}
