/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the file looks like, and how an older one becomes today's.
 *
 * user_version counts the steps that a file has behind it. A step is never edited once
 * it was released: a change of the tables is a new step. There is no way back: a file
 * of a later version is refused, since guessing at it could lose what it means.
 *
 * Times are microseconds since 1970, permanent is the largest integer, a network is its
 * 16 bytes and its length in bits, an id its hash and 255 (base/net.h).
 */
#include "record/db_private.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#define APPLICATION_ID 1113878375 /* "Bdog" */

/*
 * history: the address leads its key, so that asking for an address needs no index
 * more; history_at is for the newest and for forgetting the oldest.
 */
static const char *const steps[] = {
    "CREATE TABLE bans("
    " jail TEXT NOT NULL,"
    " net BLOB NOT NULL CHECK(length(net) = 17),"
    " at INTEGER NOT NULL,"
    " until INTEGER NOT NULL,"
    " failures INTEGER NOT NULL,"
    " why BLOB,"
    " cause INTEGER NOT NULL,"
    " PRIMARY KEY(jail, net)) WITHOUT ROWID, STRICT;"

    "CREATE TABLE history("
    " id INTEGER PRIMARY KEY,"
    " jail TEXT NOT NULL,"
    " net BLOB NOT NULL CHECK(length(net) = 17),"
    " at INTEGER NOT NULL,"
    " until INTEGER NOT NULL,"
    " ended INTEGER,"
    " end_cause TEXT,"
    " failures INTEGER NOT NULL,"
    " why BLOB,"
    " UNIQUE(net, jail, at)) STRICT;"
    "CREATE INDEX history_at ON history(at);"

    "CREATE TABLE cursors("
    " path TEXT PRIMARY KEY,"
    " dev INTEGER NOT NULL,"
    " ino INTEGER NOT NULL,"
    " offset INTEGER NOT NULL,"
    " lines INTEGER NOT NULL,"
    " head_bytes INTEGER NOT NULL,"
    " head_hash INTEGER NOT NULL,"
    " seen INTEGER NOT NULL) STRICT;"

    "CREATE TABLE tally("
    " jail TEXT NOT NULL,"
    " net BLOB NOT NULL CHECK(length(net) = 17),"
    " state BLOB NOT NULL,"
    " PRIMARY KEY(jail, net)) WITHOUT ROWID, STRICT;",

    /* Who was banned before; begun with what history knows. ban_count 0: not known. */
    "CREATE TABLE offenders("
    " jail TEXT NOT NULL,"
    " net BLOB NOT NULL CHECK(length(net) = 17),"
    " at INTEGER NOT NULL,"
    " until INTEGER NOT NULL,"
    " count INTEGER NOT NULL,"
    " PRIMARY KEY(net, jail)) WITHOUT ROWID, STRICT;"
    "CREATE INDEX offenders_at ON offenders(at);"
    "INSERT INTO offenders(jail, net, at, until, count)"
    " SELECT jail, net, max(at), until, count(*) FROM history GROUP BY net, jail;"
    "ALTER TABLE bans ADD COLUMN ban_count INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE history ADD COLUMN ban_count INTEGER NOT NULL DEFAULT 0;",

    /* The text of what is banned and is no address; net has its hash. id_ip is the
     * address that stood beside it. */
    "ALTER TABLE bans ADD COLUMN id_text TEXT;"
    "ALTER TABLE bans ADD COLUMN id_ip BLOB;"
    "ALTER TABLE history ADD COLUMN id_text TEXT;",

    /* What came, got through and was stopped (db_sums.h); at: the hour, or the day. */
    "CREATE TABLE sums("
    " at INTEGER NOT NULL,"
    " jail TEXT NOT NULL,"
    " rule INTEGER NOT NULL,"
    " reason TEXT NOT NULL,"
    " passed INTEGER NOT NULL,"
    " bans INTEGER NOT NULL,"
    " attempts INTEGER NOT NULL,"
    " packets INTEGER NOT NULL,"
    " bytes INTEGER NOT NULL,"
    " PRIMARY KEY(at, jail, rule, reason)) WITHOUT ROWID, STRICT;"
    "CREATE TABLE who("
    " at INTEGER NOT NULL,"
    " net BLOB NOT NULL CHECK(length(net) = 17),"
    " jail TEXT NOT NULL,"
    " passed INTEGER NOT NULL,"
    " bans INTEGER NOT NULL,"
    " attempts INTEGER NOT NULL,"
    " packets INTEGER NOT NULL,"
    " bytes INTEGER NOT NULL,"
    " PRIMARY KEY(at, net, jail)) WITHOUT ROWID, STRICT;"
    "CREATE TABLE booked("
    " one INTEGER PRIMARY KEY CHECK(one = 1),"
    " run INTEGER NOT NULL,"
    " batch INTEGER NOT NULL) STRICT;",

    /* Which of a jail's graduated answers it is; 0: what its actions do. */
    "ALTER TABLE bans ADD COLUMN step INTEGER NOT NULL DEFAULT 0;",

    /* What speaks for an address: flow/credit.h. */
    "CREATE TABLE credit("
    " net BLOB PRIMARY KEY CHECK(length(net) = 17),"
    " at INTEGER NOT NULL,"
    " state BLOB NOT NULL) WITHOUT ROWID, STRICT;"
    "CREATE INDEX credit_at ON credit(at);",

    /* All bans of a jail are lifted at once: not by reading the whole of history. */
    "CREATE INDEX history_open ON history(jail) WHERE ended IS NULL;",
};
#define N_STEPS ((int64_t)ARRAY_LEN(steps))

static int read_version(struct db *d, int64_t *out, struct err *e)
{
	return db_ask_int(d, "PRAGMA user_version", out, e);
}

int db_schema_identify(struct db *d, struct err *e)
{
	int64_t id, version, n_objects;
	int r;

	r = db_ask_int(d, "PRAGMA application_id", &id, e);
	if (!r)
		r = read_version(d, &version, e);
	if (!r)
		r = db_ask_int(d, "SELECT count(*) FROM sqlite_schema", &n_objects, e);
	if (r)
		return r;

	if (id == 0 && version == 0 && n_objects == 0)
		return 0; /* new */
	if (id != APPLICATION_ID)
		return err_set(e, -EINVAL, "a database of another program");
	if (version > N_STEPS)
		return err_set(e, -ENOTSUP,
		    "written by a later bandog (layout %" PRId64
		    ", this one knows up to %" PRId64 ")",
		    version, N_STEPS);
	return 0;
}

static int run_step(struct db *d, int64_t version, struct err *e)
{
	char sql[96];
	int r = db_exec(d, steps[version], e);

	if (r)
		return r;
	(void)snprintf(sql, sizeof(sql),
	    "PRAGMA application_id = %d; PRAGMA user_version = %" PRId64,
	    APPLICATION_ID, version + 1);
	return db_exec(d, sql, e);
}

static int run_steps(struct db *d, struct err *e)
{
	int64_t version;
	int r;

	/* Asked again within the transaction: another process may have been faster. */
	r = read_version(d, &version, e);
	if (!r && version < 0)
		return err_set(e, -EINVAL, "layout %" PRId64 " never existed", version);
	while (!r && version < N_STEPS)
		r = run_step(d, version++, e);
	return r ? r : db_exec(d, "COMMIT", e);
}

int db_schema_migrate(struct db *d, struct err *e)
{
	int64_t version;
	int r = read_version(d, &version, e);

	if (r || version == N_STEPS)
		return r;
	r = db_exec(d, "BEGIN IMMEDIATE", e);
	if (r)
		return r;
	r = run_steps(d, e);
	if (r)
		(void)sqlite3_exec(
		    d->sql, "ROLLBACK", NULL, NULL, NULL); /* @e has why */
	return r;
}
