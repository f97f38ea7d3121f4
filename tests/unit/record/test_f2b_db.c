/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_f2b_db - databases as fail2ban's schemas have them, made here from SQL. */
#include "record/f2b_db.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "base/buf.h"

static char path[64];

static const char logs[] =
    "CREATE TABLE logs(jail TEXT NOT NULL, path TEXT, firstlinemd5 TEXT,"
    " lastfilepos INTEGER DEFAULT 0);"
    "INSERT INTO logs VALUES('a', '/var/log/x', 'abc', 100), ('b', '/var/log/x', "
    "'abc', 90),"
    " ('a', '/var/log/y', '', 0), ('a', '/var/log/z', '', -5);";
static const char schema_4[] =
    "CREATE TABLE fail2banDb(version INTEGER); INSERT INTO fail2banDb VALUES(4);"
    "CREATE TABLE bans(jail TEXT NOT NULL, ip TEXT, timeofban INTEGER NOT NULL,"
    " bantime INTEGER NOT NULL, bancount INTEGER NOT NULL default 1, data JSON);"
    "CREATE TABLE bips(ip TEXT NOT NULL, jail TEXT NOT NULL, timeofban INTEGER NOT "
    "NULL,"
    " bantime INTEGER NOT NULL, bancount INTEGER NOT NULL default 1, data JSON);"
    "INSERT INTO bans VALUES('a', '192.0.2.2', 200, 600, 2, NULL),"
    " ('a', '192.0.2.1', 100, 600, 1, CAST('{\"matches\": [\"one\", [\"t\", \"w\", "
    "\"o\"]],"
    " \"failures\": 3}' AS BLOB));"
    "INSERT INTO bips VALUES('192.0.2.1', 'a', 100, -1, 7, CAST('no json' AS BLOB)),"
    " ('session-id', 'b', 300, 60, 1, '{\"ip\": \"192.0.2.7\"}'), ('x', 'b', -1, 1, 1, "
    "'{}');";
static const char schema_1[] =
    "CREATE TABLE fail2banDb(version INTEGER); INSERT INTO fail2banDb VALUES(1);"
    "CREATE TABLE bans(jail TEXT NOT NULL, ip TEXT, timeofban INTEGER NOT NULL, data "
    "JSON);"
    "INSERT INTO bans VALUES('a', '192.0.2.1', 100.5, '{}'), ('a', '192.0.2.1', 300.5, "
    "'{}'),"
    " ('a', '192.0.2.9', 200.5, '{\"failures\": -4}');";

static void make_db(const char *sql, const char *more)
{
	sqlite3 *d;
	const char *tmp = getenv("TMPDIR");

	snprintf(path, sizeof(path), "%.30s/bandog-f2b-XXXXXX", tmp ? tmp : "/tmp");
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(sqlite3_open(path, &d), SQLITE_OK);
	assert_int_equal(sqlite3_exec(d, sql, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_exec(d, more, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(d);
}

static int put_ban(void *ctx, const struct f2b_ban *b)
{
	buf_printf(ctx, "%s %s %d+%d x%u f%u %s\n", b->jail, b->ip,
	    (int)(b->at.us / US_PER_SEC), (int)b->bantime_sec, b->ban_count,
	    b->failures, b->matches ? b->matches : "-");
	if (b->address) {
		((struct buf *)ctx)->n--;
		buf_printf(ctx, " beside %s\n", b->address);
	}
	return 0;
}

static int put_log(void *ctx, const struct f2b_log *l)
{
	buf_printf(ctx, "%s %d\n", l->path, (int)l->position);
	return 0;
}

static void expect(const char *history, const char *current, const char *positions)
{
	struct err e = {""};
	struct f2b_db *d = f2b_db_open(path, &e);
	struct buf h = BUF_INIT(4096), c = BUF_INIT(4096), l = BUF_INIT(4096);

	assert_non_null(d);
	assert_int_equal(f2b_db_each_history(d, put_ban, &h), 0);
	assert_int_equal(f2b_db_each_current(d, put_ban, &c), 0);
	assert_int_equal(f2b_db_each_log(d, put_log, &l), 0);
	assert_string_equal(buf_str(&h), history);
	assert_string_equal(buf_str(&c), current);
	assert_string_equal(buf_str(&l), positions);
	buf_deinit(&h);
	buf_deinit(&c);
	buf_deinit(&l);
	f2b_db_close(d);
	unlink(path);
}

static void the_newest_schema(void **state)
{
	(void)state;
	make_db(schema_4, logs);
	expect("a 192.0.2.1 100+600 x1 f3 one\ntwo\na 192.0.2.2 200+600 x2 f0 -\n",
	    "a 192.0.2.1 100+-1 x7 f0 -\nb session-id 300+60 x1 f0 - beside "
	    "192.0.2.7\n",
	    "/var/log/x 100\n/var/log/y 0\n");
}

static void the_oldest_schema(void **state)
{
	(void)state;
	make_db(schema_1, logs);
	expect("a 192.0.2.1 100+-2 x1 f0 -\na 192.0.2.9 200+-2 x1 f0 -\n"
	       "a 192.0.2.1 300+-2 x1 f0 -\n",
	    "a 192.0.2.9 200+-2 x1 f0 -\na 192.0.2.1 300+-2 x1 f0 -\n",
	    "/var/log/x 100\n/var/log/y 0\n");
}

static void others_are_refused(void **state)
{
	struct err e = {""};

	(void)state;
	assert_null(f2b_db_open("/nonexistent/f2b", &e));
	assert_true(e.text[0] != '\0');
	make_db("CREATE TABLE x(y);", "");
	assert_null(f2b_db_open(path, &e));
	assert_non_null(strstr(e.text, "no database of fail2ban"));
	unlink(path);
	make_db("CREATE TABLE fail2banDb(version INTEGER); INSERT INTO fail2banDb "
		"VALUES(5);",
	    "");
	assert_null(f2b_db_open(path, &e));
	assert_non_null(strstr(e.text, "schema 5"));
	unlink(path);
}

static int stop_at_once(void *ctx, const struct f2b_ban *b)
{
	(void)ctx;
	(void)b;
	return 77;
}

static void a_walk_can_be_ended(void **state)
{
	struct err e = {""};

	(void)state;
	make_db(schema_4, logs);
	struct f2b_db *d = f2b_db_open(path, &e);

	assert_int_equal(f2b_db_each_current(d, stop_at_once, NULL), 77);
	f2b_db_close(d);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_newest_schema),
	    cmocka_unit_test(the_oldest_schema),
	    cmocka_unit_test(others_are_refused),
	    cmocka_unit_test(a_walk_can_be_ended),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
