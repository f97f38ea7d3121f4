/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Opening, closing, transactions.
 *
 * A file that cannot be trusted is moved away whole, with its journal, and a new one is
 * begun: without a record bandog still protects, without a start it does not. What only
 * looks like damage (no right, no space, a busy file, one of another program) is left
 * where it is and reported.
 */
#include "record/db_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/fd.h"

#define BUSY_TIMEOUT_MS 5000

/*
 * WAL and NORMAL: a crash of the machine may lose the last transactions, never the
 * order of them. Temporary files would be outside of what the keeper may write. The
 * file itself is not trusted: its schema can call nothing, its pages are checked when
 * read.
 */
static const char before_check[] = "PRAGMA foreign_keys = OFF;"
				   "PRAGMA trusted_schema = OFF;"
				   "PRAGMA cell_size_check = ON;"
				   "PRAGMA temp_store = MEMORY;";
static const char after_check[] = "PRAGMA journal_mode = WAL;"
				  "PRAGMA synchronous = NORMAL;"
				  "PRAGMA journal_size_limit = 16777216;"
				  "PRAGMA secure_delete = FAST;";

static bool is_memory(const char *path)
{
	return strcmp(path, ":memory:") == 0;
}

/* SQLite would create it readable for all; the journal takes the mode of the file. */
static int create_private(const char *path, struct err *e)
{
	CLEANUP(fd_closep) int fd = -1;

	if (is_memory(path))
		return 0;
	fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
	if (fd < 0 && errno != EEXIST)
		return err_errno(e, -errno, "create");
	return 0;
}

static int quick_check(struct db *d, struct err *e)
{
	sqlite3_stmt *st = NULL;
	int rc = sqlite3_prepare_v2(d->sql, "PRAGMA quick_check(1)", -1, &st, NULL);
	int r = 0;

	if (rc == SQLITE_OK)
		rc = sqlite3_step(st);
	if (rc != SQLITE_ROW) {
		r = db_setup_failed(d, rc, "check", e);
	} else {
		const char *says = (const char *)sqlite3_column_text(st, 0);

		if (!says || strcmp(says, "ok") != 0) {
			err_set(e, -EUCLEAN, "check: %s", says ? says : "no answer");
			r = DB_DAMAGED;
		}
	}
	sqlite3_finalize(st);
	return r;
}

static int set_up(struct db *d, const char *path, struct err *e)
{
	int r, rc;

	r = create_private(path, e);
	if (r)
		return r;
	rc = sqlite3_open_v2(path, &d->sql,
	    SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL);
	if (rc != SQLITE_OK)
		return db_setup_failed(d, rc, "open", e);
	sqlite3_extended_result_codes(d->sql, 1);
	sqlite3_busy_timeout(d->sql, BUSY_TIMEOUT_MS);
	sqlite3_db_config(d->sql, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);

	r = db_exec(d, before_check, e);
	if (!r)
		r = db_schema_identify(d, e);
	if (!r)
		r = quick_check(d, e);
	if (!r)
		r = db_exec(d, after_check, e);
	if (!r)
		r = db_schema_migrate(d, e);
	if (!r)
		r = db_stmts_prepare(d, e);
	return r;
}

/* Return: 0 and *@out, DB_DAMAGED, or negative errno; with @e unless 0. */
static int open_once(const char *path, struct db **out, struct err *e)
{
	CLEANUP(db_closep) struct db *d = calloc(1, sizeof(*d));
	int r;

	if (!d)
		return err_errno(e, -ENOMEM, "open");
	r = set_up(d, path, e);
	if (!r)
		*out = TAKE(d);
	return r;
}

static int move_away(const char *path, int64_t stamp, const char *suffix)
{
	char from[4096], to[4096];
	int n, m;

	n = snprintf(from, sizeof(from), "%s%s", path, suffix);
	m = snprintf(
	    to, sizeof(to), "%s.damaged-%lld%s", path, (long long)stamp, suffix);
	if (n >= (int)sizeof(from) || m >= (int)sizeof(to))
		return -ENAMETOOLONG;
	return renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) < 0 ? -errno
									     : 0;
}

/*
 * The journal goes along: it belongs to this file alone, and who tries to mend the file
 * needs it. The -shm file is only an index of the journal; SQLite builds it anew.
 */
static int set_aside(const char *path, int64_t *out_stamp, struct err *e)
{
	int64_t stamp = time(NULL);
	int r;

	do /* Twice in a second: the next free name. */
		r = move_away(path, stamp, "");
	while (r == -EEXIST && stamp++ < INT64_MAX);
	if (r < 0)
		return err_errno(e, r, "damaged, and moving it away failed");
	r = move_away(path, stamp, "-wal");
	if (r < 0 && r != -ENOENT)
		return err_errno(e, r, "damaged, and moving its journal away failed");
	(void)move_away(path, stamp, "-shm"); /* see above */
	*out_stamp = stamp;
	return 0;
}

/* @e: in, what is damaged; out, what was done */
static struct db *begin_anew(const char *path, struct err *e)
{
	struct err why = *e, inner = {0};
	struct db *d = NULL;
	int64_t stamp = 0;

	if (set_aside(path, &stamp, &inner) < 0) {
		err_set(e, -EUCLEAN, "%s: %s", path, inner.text);
		return NULL;
	}
	if (open_once(path, &d, &inner)) {
		err_set(e, -EUCLEAN, "%s: %s", path, inner.text);
		return NULL;
	}
	err_set(e, 0,
	    "%s was damaged (%s); it is kept as %s.damaged-%lld, a new one begun", path,
	    why.text, path, (long long)stamp);
	return d;
}

struct db *db_open(const char *path, struct err *e)
{
	struct db *d = NULL;
	struct err own;
	int r;

	if (!e)
		e = &own;
	r = open_once(path, &d, e);
	if (r == DB_DAMAGED && !is_memory(path))
		return begin_anew(path, e);
	if (r)
		err_wrap(e, r, "%s", path);
	return d;
}

struct db *db_close(struct db *d)
{
	if (!d)
		return NULL;
	db_stmts_finalize(d);
	sqlite3_close(d->sql);
	free(d);
	return NULL;
}

int db_begin(struct db *d)
{
	int r;

	if (d->is_in_tx && !d->tx_error)
		return -EINVAL;
	d->is_in_tx = false;
	d->tx_error = 0;
	r = db_stmt_run(d, d->stmts[DB_BEGIN]);
	d->is_in_tx = r == 0;
	return r;
}

int db_commit(struct db *d)
{
	int r = d->is_in_tx ? d->tx_error : -EINVAL;

	if (!r)
		r = db_stmt_run(d, d->stmts[DB_COMMIT]);
	d->is_in_tx = false;
	d->tx_error = 0;
	return r;
}

void db_rollback(struct db *d)
{
	if (d->is_in_tx && !d->tx_error)
		/* Fails only where SQLite has already rolled back by itself. */
		(void)sqlite3_exec(d->sql, "ROLLBACK", NULL, NULL, NULL);
	d->is_in_tx = false;
	d->tx_error = 0;
	db_forget_hours(d);
}

const char *db_error(struct db *d)
{
	return d->error;
}
