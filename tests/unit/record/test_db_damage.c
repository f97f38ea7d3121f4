/* SPDX-License-Identifier: GPL-2.0-or-later */
/* db: damaged, foreign, newer and missing files; full disks; refused writes */
#include "tests/unit/record/record_test.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "record/db_private.h"
#include "record/db_sums.h"

static int count_one(void *ctx, const char *jail, const struct order *o)
{
	(void)jail;
	(void)o;
	++*(size_t *)ctx;
	return 0;
}

static size_t n_bans(struct db *d)
{
	size_t n = 0;

	assert_int_equal(db_each_ban(d, t_plus(0), count_one, &n), 0);
	return n;
}

static int put_nth(struct db *d, uint32_t i)
{
	struct order o = ban_of("192.0.2.1", 0, 600);

	o.net = net_from_v4(i);
	return db_put_ban(d, "postfix", &o);
}

static void fill(struct db *d, uint32_t n)
{
	assert_int_equal(db_begin(d), 0);
	for (uint32_t i = 0; i < n; i++)
		assert_int_equal(put_nth(d, i), 0);
	assert_int_equal(db_commit(d), 0);
}

static struct db *open_sound(const char *path)
{
	struct err e = {0};
	struct db *d = db_open(path, &e);

	assert_string_equal(e.text, "");
	assert_non_null(d);
	return d;
}

static void make_file(const char *path, uint32_t n)
{
	struct db *d = open_sound(path);

	fill(d, n);
	db_close(d);
}

static void sql(const char *path, const char *text)
{
	sqlite3 *s = NULL;

	assert_int_equal(sqlite3_open(path, &s), SQLITE_OK);
	assert_int_equal(sqlite3_exec(s, text, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(s);
}

static size_t n_set_aside(const struct place *p)
{
	char pattern[128];
	glob_t g;
	size_t n;

	(void)snprintf(pattern, sizeof(pattern), "%s.damaged-*[0-9]", p->path);
	n = glob(pattern, 0, NULL, &g) == 0 ? g.gl_pathc : 0;
	globfree(&g);
	return n;
}

/* It must be set aside with words, and what comes instead must work and be sound. */
static void expect_set_aside(const struct place *p, size_t n)
{
	struct err e = {0};
	struct db *d = db_open(p->path, &e);

	assert_non_null(d);
	assert_non_null(strstr(e.text, "damaged"));
	assert_non_null(strstr(e.text, p->path));
	assert_int_equal(n_set_aside(p), n);
	assert_int_equal(n_bans(d), 0);
	fill(d, 3);
	db_close(d);
	d = open_sound(p->path);
	assert_int_equal(n_bans(d), 3);
	db_close(d);
}

static void expect_refused(const struct place *p, const char *words)
{
	struct err e = {0};

	assert_null(db_open(p->path, &e));
	assert_non_null(strstr(e.text, words));
	assert_non_null(strstr(e.text, p->dir));
	assert_int_equal(n_set_aside(p), 0);
}

static void write_at(const char *path, long offset, const void *bytes, size_t n)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, bytes, n, offset), n);
	close(fd);
}

static void a_new_file_is_private_and_marked(void **state)
{
	struct place *p = *state;
	mode_t old = umask(0);
	struct db *d = open_sound(p->path);
	struct stat st;
	char head[100];
	FILE *f;

	umask(old);
	fill(d, 1);
	assert_int_equal(stat(p->path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	db_close(d);
	f = fopen(p->path, "r");
	assert_non_null(f);
	assert_int_equal(fread(head, 1, sizeof(head), f), sizeof(head));
	fclose(f);
	assert_memory_equal(head + 68, "Bdog", 4); /* SQLite's file format, 1.3 */
	assert_int_equal(head[63], 7);             /* user_version, big endian */
	assert_int_equal(head[18], 2);             /* WAL */
}

static void what_was_stored_is_found_again(void **state)
{
	struct place *p = *state;
	struct db *d;

	make_file(p->path, 10);
	d = open_sound(p->path);
	assert_int_equal(n_bans(d), 10);
	db_close(d);
}

static void garbage_is_set_aside_again_and_again(void **state)
{
	struct place *p = *state;
	static char junk[10000];

	memset(junk, 'x', sizeof(junk));
	write_at(p->path, 0, junk, sizeof(junk));
	expect_set_aside(p, 1);
	write_at(p->path, 0, junk, sizeof(junk)); /* within the same second */
	expect_set_aside(p, 2);
}

static void a_truncated_file_is_set_aside(void **state)
{
	struct place *p = *state;
	struct stat st;

	make_file(p->path, 2000);
	assert_int_equal(stat(p->path, &st), 0);
	assert_int_equal(truncate(p->path, st.st_size / 2), 0);
	expect_set_aside(p, 1);
}

static void an_overwritten_page_is_set_aside(void **state)
{
	struct place *p = *state;
	static char junk[8192];

	make_file(p->path, 2000);
	memset(junk, 0xa5, sizeof(junk));
	write_at(p->path, 12288, junk, sizeof(junk));
	expect_set_aside(p, 1);
}

static void a_missing_table_is_damage(void **state)
{
	struct place *p = *state;

	make_file(p->path, 1);
	sql(p->path, "DROP TABLE tally");
	expect_set_aside(p, 1);
}

static void an_empty_file_is_a_new_one(void **state)
{
	struct place *p = *state;

	write_at(p->path, 0, "", 0);
	db_close(open_sound(p->path));
}

static void a_junk_journal_is_ignored(void **state)
{
	struct place *p = *state;
	char wal[128];
	struct db *d;

	make_file(p->path, 5);
	(void)snprintf(wal, sizeof(wal), "%s-wal", p->path);
	write_at(wal, 0, "this is no journal at all, but more than 32 bytes long", 54);
	d = open_sound(p->path);
	assert_int_equal(n_bans(d), 5);
	db_close(d);
}

static int note_offender(void *ctx, const char *jail, const struct offender *o)
{
	uint32_t *out = ctx;

	assert_string_equal(jail, "postfix");
	assert_true(o->at.us == t_plus(1000).us && o->until.us == t_plus(1600).us);
	out[0]++;
	out[1] = o->count;
	return 0;
}

#define WITHOUT_OPEN "DROP INDEX history_open;"
#define WITHOUT_CREDIT "DROP TABLE credit;" WITHOUT_OPEN
#define WITHOUT_STEPS "ALTER TABLE bans DROP COLUMN step;" WITHOUT_CREDIT
#define WITHOUT_SUMS "DROP TABLE sums; DROP TABLE who; DROP TABLE booked;" WITHOUT_STEPS

/* Layout 1 is today's without offenders; they begin with what history knows. */
static void the_first_layout_becomes_todays(void **state)
{
	struct place *p = *state;
	struct order o = ban_of("192.0.2.1", 1000, 1600);
	uint32_t seen[2] = {0, 0};
	struct db *d = open_sound(p->path);

	assert_int_equal(db_put_ban(d, "postfix", &o), 0);
	o = ban_of("192.0.2.1", 0, 600);
	assert_int_equal(db_put_ban(d, "postfix", &o), 0);
	db_close(d);
	sql(p->path, "DROP TABLE offenders; ALTER TABLE bans DROP COLUMN ban_count;"
		     "ALTER TABLE history DROP COLUMN ban_count;"
		     "ALTER TABLE bans DROP COLUMN id_text;"
		     "ALTER TABLE bans DROP COLUMN id_ip;"
		     "ALTER TABLE history DROP COLUMN id_text;" WITHOUT_SUMS
		     "PRAGMA user_version = 1");
	d = open_sound(p->path);
	assert_int_equal(db_each_offender(d, note_offender, seen), 0);
	assert_int_equal(seen[0], 1);
	assert_int_equal(seen[1], 2);
	assert_int_equal(n_bans(d), 1);
	db_close(d);
}

/* Layout 2 is today's without texts of ids. */
static void the_second_layout_becomes_todays(void **state)
{
	struct place *p = *state;
	struct order address = ban_of("192.0.2.1", 0, 600), id = address;
	struct db *d = open_sound(p->path);
	char alice[] = "alice";

	assert_int_equal(db_put_ban(d, "postfix", &address), 0);
	db_close(d);
	sql(p->path, "ALTER TABLE bans DROP COLUMN id_text;"
		     "ALTER TABLE bans DROP COLUMN id_ip;"
		     "ALTER TABLE history DROP COLUMN id_text;" WITHOUT_SUMS
		     "PRAGMA user_version = 2");
	d = open_sound(p->path);
	assert_int_equal(n_bans(d), 1);
	id.id = alice;
	assert_int_equal(net_parse_id(SPAN("alice"), &id.net), 0);
	assert_int_equal(db_put_ban(d, "postfix", &id), 0);
	assert_int_equal(n_bans(d), 2);
	db_close(d);
}

static int count_row(void *ctx, const struct db_sums_row *r)
{
	*(int64_t *)ctx += r->n.passed;
	return 0;
}

/* Layout 3 is today's without sums; they begin with nothing. */
static void the_third_layout_becomes_todays(void **state)
{
	struct place *p = *state;
	struct order o = ban_of("192.0.2.1", 0, 600);
	struct db *d = open_sound(p->path);
	int64_t n = 0;

	assert_int_equal(db_put_ban(d, "postfix", &o), 0);
	db_close(d);
	sql(p->path, WITHOUT_SUMS "PRAGMA user_version = 3");
	d = open_sound(p->path);
	assert_int_equal(n_bans(d), 1);
	assert_int_equal(db_add_sum(d, t_plus(0), "postfix", 1, "why",
			     &(struct db_numbers){.passed = 7}),
	    0);
	assert_int_equal(
	    db_each_sum(d, DB_BY_JAIL, t_plus(0), t_plus(0), 9, count_row, &n), 0);
	assert_int_equal(n, 7);
	db_close(d);
}

/* Layout 4 is today's without steps: all bans are what the jail's actions do. */
static void the_fourth_layout_becomes_todays(void **state)
{
	struct place *p = *state;
	struct order o = ban_of("192.0.2.1", 0, 600);
	struct db *d = open_sound(p->path);

	assert_int_equal(db_put_ban(d, "postfix", &o), 0);
	db_close(d);
	sql(p->path, WITHOUT_STEPS "PRAGMA user_version = 4");
	d = open_sound(p->path);
	assert_int_equal(n_bans(d), 1);
	db_close(d);
}

/* Layout 5 is today's without credit. */
static void the_fifth_layout_becomes_todays(void **state)
{
	struct place *p = *state;
	struct credit c = {.net = ban_of("192.0.2.1", 0, 600).net, .n_kinds = 1};
	struct db *d = open_sound(p->path);

	db_close(d);
	sql(p->path, WITHOUT_CREDIT "PRAGMA user_version = 5");
	d = open_sound(p->path);
	assert_int_equal(db_put_credit(d, &c), 0);
	db_close(d);
}

/* Layout 6 is today's without an index. */
static void the_sixth_layout_becomes_todays(void **state)
{
	struct place *p = *state;
	struct order o = ban_of("192.0.2.1", 0, 600);
	struct db *d = open_sound(p->path);

	assert_int_equal(db_put_ban(d, "postfix", &o), 0);
	db_close(d);
	sql(p->path, WITHOUT_OPEN "PRAGMA user_version = 6");
	d = open_sound(p->path);
	assert_int_equal(db_put_lifted(d, "postfix", t_plus(60)), 0);
	assert_int_equal(n_bans(d), 0);
	db_close(d);
}

static void a_newer_layout_is_refused(void **state)
{
	struct place *p = *state;

	make_file(p->path, 1);
	sql(p->path, "PRAGMA user_version = 99");
	expect_refused(p, "later bandog (layout 99");
}

static void a_senseless_layout_is_refused(void **state)
{
	struct place *p = *state;

	make_file(p->path, 1);
	sql(p->path, "PRAGMA user_version = -1");
	expect_refused(p, "never existed");
}

static void anothers_database_is_refused(void **state)
{
	struct place *p = *state;

	sql(p->path, "CREATE TABLE customers(name)");
	expect_refused(p, "another program");
}

static void a_missing_folder_is_refused(void **state)
{
	struct place *p = *state;

	(void)snprintf(p->path, sizeof(p->path), "%s/none/bandog.db", p->dir);
	expect_refused(p, "No such file");
}

static void a_full_disk_undoes_the_transaction(void **state)
{
	struct place *p = *state;
	struct db *d = open_sound(p->path);
	int r = 0;

	fill(d, 10);
	assert_int_equal(
	    sqlite3_exec(d->sql, "PRAGMA max_page_count = 20", NULL, NULL, NULL),
	    SQLITE_OK);
	assert_int_equal(db_begin(d), 0);
	for (uint32_t i = 10; !r && i < 10000; i++)
		r = put_nth(d, i);
	assert_int_equal(r, -ENOSPC);
	assert_non_null(strstr(db_error(d), "full"));
	/* Nothing more goes in until the caller has begun anew. */
	assert_int_equal(put_nth(d, 1), -ENOSPC);
	assert_int_equal(db_clear_state(d), -ENOSPC);
	assert_int_equal(db_purge(d, t_plus(0)), -ENOSPC);
	assert_int_equal(n_bans(d), 10); /* reading goes on */
	assert_int_equal(db_commit(d), -ENOSPC);

	assert_int_equal(
	    sqlite3_exec(d->sql, "PRAGMA max_page_count = 20000", NULL, NULL, NULL),
	    SQLITE_OK);
	fill(d, 2000);
	assert_int_equal(n_bans(d), 2000);
	db_close(d);
	db_close(open_sound(p->path));
}

static int write_beyond_limit(struct db *d)
{
	int r = db_begin(d);

	for (uint32_t i = 10; !r && i < 20000; i++)
		r = put_nth(d, i);
	if (!r)
		r = db_commit(d);
	db_rollback(d);
	return r;
}

/* In a child, because the limit is the whole process's. */
static void a_file_size_limit_is_survived(void **state)
{
	struct place *p = *state;
	struct db *d;
	pid_t pid;
	int status;

	make_file(p->path, 10);
	pid = fork();
	if (pid == 0) {
		struct rlimit limit = {400000, 400000};
		struct db *own = db_open(p->path, NULL);

		signal(SIGXFSZ, SIG_IGN);
		if (!own || setrlimit(RLIMIT_FSIZE, &limit) < 0)
			_exit(1);
		if (write_beyond_limit(own) >= 0)
			_exit(2);
		if (n_bans(own) != 10 || put_nth(own, 11) != 0 || n_bans(own) != 11)
			_exit(3);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	d = open_sound(p->path);
	assert_int_equal(n_bans(d), 11);
	db_close(d);
}

static void a_read_only_file_says_so(void **state)
{
	struct place *p = *state;
	struct db *d = open_sound(p->path);

	assert_int_equal(
	    sqlite3_exec(d->sql, "PRAGMA query_only = ON", NULL, NULL, NULL),
	    SQLITE_OK);
	assert_int_equal(put_nth(d, 1), -EROFS);
	assert_string_not_equal(db_error(d), "");
	assert_int_equal(
	    sqlite3_exec(d->sql, "PRAGMA query_only = OFF", NULL, NULL, NULL),
	    SQLITE_OK);
	assert_int_equal(put_nth(d, 1), 0);
	db_close(d);
}

static void a_busy_file_says_so(void **state)
{
	struct place *p = *state;
	struct db *a = open_sound(p->path);
	struct db *b = open_sound(p->path);

	sqlite3_busy_timeout(b->sql, 0); /* the test need not wait for it */
	assert_int_equal(db_begin(a), 0);
	assert_int_equal(put_nth(a, 1), 0);
	assert_int_equal(db_begin(b), -EBUSY);
	assert_int_equal(db_commit(b), -EINVAL);
	assert_int_equal(n_bans(b), 0); /* readers are not held up */
	assert_int_equal(db_commit(a), 0);
	assert_int_equal(n_bans(b), 1);
	db_close(a);
	db_close(b);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, place_set_up, place_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_new_file_is_private_and_marked),
	    TEST(what_was_stored_is_found_again),
	    TEST(garbage_is_set_aside_again_and_again),
	    TEST(a_truncated_file_is_set_aside),
	    TEST(an_overwritten_page_is_set_aside),
	    TEST(a_missing_table_is_damage),
	    TEST(an_empty_file_is_a_new_one),
	    TEST(a_junk_journal_is_ignored),
	    TEST(the_first_layout_becomes_todays),
	    TEST(the_second_layout_becomes_todays),
	    TEST(the_third_layout_becomes_todays),
	    TEST(the_fourth_layout_becomes_todays),
	    TEST(the_fifth_layout_becomes_todays),
	    TEST(the_sixth_layout_becomes_todays),
	    TEST(a_newer_layout_is_refused),
	    TEST(a_senseless_layout_is_refused),
	    TEST(anothers_database_is_refused),
	    TEST(a_missing_folder_is_refused),
	    TEST(a_full_disk_undoes_the_transaction),
	    TEST(a_file_size_limit_is_survived),
	    TEST(a_read_only_file_says_so),
	    TEST(a_busy_file_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
