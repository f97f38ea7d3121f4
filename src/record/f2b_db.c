/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "record/f2b_db.h"

#include <errno.h>
#include <sqlite3.h>
#include <string.h>

#define NEWEST_VERSION 4
#define FIRST_WITH_BANTIME 3
#define FIRST_WITH_BIPS 4

/*
 * data is JSON stored as a blob; matches are texts, or lists of prefix, date and
 * suffix. The columns are: jail, ip, timeofban, bantime, bancount, failures, matches,
 * and the address beside an id, which newer ones call ip.
 */
#define BAN_COLUMNS                                                    \
	"jail, ip, timeofban, bantime, bancount,"                      \
	" ifnull(json_extract(d, '$.failures'), 0),"                   \
	" (SELECT group_concat(CASE WHEN type = 'array' THEN"          \
	"   ifnull(json_extract(value, '$[0]'), '') ||"                \
	"   ifnull(json_extract(value, '$[1]'), '') ||"                \
	"   ifnull(json_extract(value, '$[2]'), '')"                   \
	"  ELSE value END, char(10)) FROM json_each(d, '$.matches'))," \
	" json_extract(d, '$.ip')"
#define AS_JSON                                                            \
	"CASE WHEN json_valid(CAST(data AS TEXT)) THEN CAST(data AS TEXT)" \
	" ELSE '{}' END AS d"

static const char history_with_bantime[] =
    "SELECT " BAN_COLUMNS " FROM (SELECT *, " AS_JSON " FROM bans) ORDER BY timeofban";
static const char history_without_bantime[] =
    "SELECT " BAN_COLUMNS " FROM (SELECT jail, ip, timeofban, -2 AS bantime,"
    " 1 AS bancount, " AS_JSON " FROM bans) ORDER BY timeofban";
static const char current_of_bips[] =
    "SELECT " BAN_COLUMNS " FROM (SELECT *, " AS_JSON " FROM bips) ORDER BY timeofban";
/* max() makes SQLite take the other columns from the row that has it. */
static const char current_with_bantime[] =
    "SELECT " BAN_COLUMNS
    " FROM (SELECT jail, ip, max(timeofban) AS timeofban, bantime,"
    " bancount, " AS_JSON " FROM bans GROUP BY jail, ip) ORDER BY timeofban";
static const char current_without_bantime[] =
    "SELECT " BAN_COLUMNS " FROM (SELECT jail, ip, max(timeofban) AS timeofban,"
    " -2 AS bantime, 1 AS bancount, " AS_JSON " FROM bans GROUP BY jail, ip)"
    " ORDER BY timeofban";

struct f2b_db {
	sqlite3 *sql;
	int version;
};

static int read_version(struct f2b_db *d, struct err *e)
{
	sqlite3_stmt *st = NULL;
	int rc = sqlite3_prepare_v2(
	    d->sql, "SELECT version FROM fail2banDb LIMIT 1", -1, &st, NULL);

	if (rc == SQLITE_OK && sqlite3_step(st) == SQLITE_ROW)
		d->version = sqlite3_column_int(st, 0);
	sqlite3_finalize(st);
	if (d->version < 1)
		return err_set(e, -EINVAL, "is no database of fail2ban");
	if (d->version > NEWEST_VERSION)
		return err_set(e, -ENOTSUP, "has schema %d; up to %d are known",
		    d->version, NEWEST_VERSION);
	return 0;
}

struct f2b_db *f2b_db_open(const char *path, struct err *e)
{
	CLEANUP(f2b_db_closep) struct f2b_db *d = calloc(1, sizeof(*d));

	if (!d) {
		err_set(e, -ENOMEM, "out of memory");
		return NULL;
	}
	if (sqlite3_open_v2(path, &d->sql, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX,
		NULL) != SQLITE_OK) {
		err_set(
		    e, -EIO, "%s", d->sql ? sqlite3_errmsg(d->sql) : "out of memory");
		return NULL;
	}
	return read_version(d, e) < 0 ? NULL : TAKE(d);
}

struct f2b_db *f2b_db_close(struct f2b_db *d)
{
	if (!d)
		return NULL;
	sqlite3_close(d->sql);
	free(d);
	return NULL;
}

int f2b_db_version(const struct f2b_db *d)
{
	return d->version;
}

struct ban_call {
	f2b_ban_fn fn;
	void *ctx;
};

struct log_call {
	f2b_log_fn fn;
	void *ctx;
};

static int walk(struct f2b_db *d, const char *sql,
    int (*row)(sqlite3_stmt *st, void *call), void *call)
{
	sqlite3_stmt *st = NULL;
	int rc, r = 0;

	if (sqlite3_prepare_v2(d->sql, sql, -1, &st, NULL) != SQLITE_OK)
		return -EBADMSG;
	while (!r && (rc = sqlite3_step(st)) == SQLITE_ROW)
		r = row(st, call);
	if (!r && rc != SQLITE_DONE)
		r = -EIO;
	sqlite3_finalize(st);
	return r;
}

static const char *column_text(sqlite3_stmt *st, int column)
{
	return (const char *)sqlite3_column_text(st, column);
}

static uint32_t column_count(sqlite3_stmt *st, int column)
{
	int64_t v = sqlite3_column_int64(st, column);

	return v < 0 ? 0 : v > UINT32_MAX ? UINT32_MAX : (uint32_t)v;
}

static int ban_row(sqlite3_stmt *st, void *arg)
{
	const struct ban_call *call = arg;
	int64_t at = sqlite3_column_int64(st, 2);
	struct f2b_ban b = {
	    .jail = column_text(st, 0),
	    .ip = column_text(st, 1),
	    .bantime_sec = sqlite3_column_int64(st, 3),
	    .ban_count = column_count(st, 4),
	    .failures = column_count(st, 5),
	    .matches = column_text(st, 6),
	    .address = column_text(st, 7),
	};

	/* Beyond the year 9999 lies nonsense, which must not overflow anything. */
	if (!b.jail || !b.ip || at < 0 || at > INT64_C(253402300799))
		return 0;
	b.at = wall_from_sec(at);
	return call->fn(call->ctx, &b);
}

static int log_row(sqlite3_stmt *st, void *arg)
{
	const struct log_call *call = arg;
	struct f2b_log l = {
	    .jail = column_text(st, 0),
	    .path = column_text(st, 1),
	    .position = sqlite3_column_int64(st, 2),
	};

	if (!l.jail || !l.path || l.position < 0)
		return 0;
	return call->fn(call->ctx, &l);
}

int f2b_db_each_history(struct f2b_db *d, f2b_ban_fn fn, void *ctx)
{
	const char *sql = d->version >= FIRST_WITH_BANTIME ? history_with_bantime
							   : history_without_bantime;

	return walk(d, sql, ban_row, &(struct ban_call){fn, ctx});
}

int f2b_db_each_current(struct f2b_db *d, f2b_ban_fn fn, void *ctx)
{
	const char *sql = d->version >= FIRST_WITH_BIPS      ? current_of_bips
			  : d->version >= FIRST_WITH_BANTIME ? current_with_bantime
							     : current_without_bantime;

	return walk(d, sql, ban_row, &(struct ban_call){fn, ctx});
}

int f2b_db_each_log(struct f2b_db *d, f2b_log_fn fn, void *ctx)
{
	return walk(d, "SELECT jail, path, max(lastfilepos) FROM logs GROUP BY path",
	    log_row, &(struct log_call){fn, ctx});
}
