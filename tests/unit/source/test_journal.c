/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_journal - real journal files, which systemd-journal-remote makes from text. */
#include "source/journal.h"

#include <errno.h>
#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"

#define REMOTE "/lib/systemd/systemd-journal-remote"
#define T0 1795500000

struct folder {
	char dir[64];
	int n_files;
};

/* Entries @from .. @to - 1 of two services, in the journal's export format. */
static void write_export(FILE *f, int from, int to)
{
	for (int i = from; i < to; i++) {
		fprintf(f,
		    "__REALTIME_TIMESTAMP=%lld\n__MONOTONIC_TIMESTAMP=%d\n"
		    "_BOOT_ID=00000000000000000000000000000001\n_HOSTNAME=mx\n",
		    (long long)(T0 + i) * 1000000, 1000 + i);
		if (i % 2)
			fprintf(f,
			    "SYSLOG_IDENTIFIER=sshd\n_PID=%d\n_SYSTEMD_UNIT=ssh."
			    "service\n",
			    i);
		else
			fprintf(f,
			    "_COMM=smtpd\nSYSLOG_PID=%d\n_SYSTEMD_UNIT=postfix."
			    "service\n",
			    i);
		fprintf(f, "MESSAGE=number %d\n\n", i);
	}
}

static void add_file(struct folder *f, int from, int to)
{
	char command[256];
	int n = ++f->n_files;

	snprintf(command, sizeof(command),
	    REMOTE " --output=%s/part%d.journal - >/dev/null 2>&1", f->dir, n);
	FILE *p = popen(command, "w");

	assert_non_null(p);
	write_export(p, from, to);
	assert_int_equal(pclose(p), 0);
}

static int make(void **state)
{
	static struct folder f;
	const char *tmp = getenv("TMPDIR");

	f.n_files = 0;
	snprintf(
	    f.dir, sizeof(f.dir), "%.30s/bandog-journal-XXXXXX", tmp ? tmp : "/tmp");
	assert_non_null(mkdtemp(f.dir));
	*state = &f;
	return 0;
}

static int unmake(void **state)
{
	struct folder *f = *state;
	char path[128];

	for (int i = 1; i <= f->n_files; i++) {
		snprintf(path, sizeof(path), "%s/part%d.journal", f->dir, i);
		(void)unlink(path);
	}
	return rmdir(f->dir);
}

static bool has_tools(void)
{
	struct err e;
	struct journal_options o = {.path = "/"};
	struct journal *j =
	    access(REMOTE, X_OK) ? NULL : journal_open(&o, NULL, WALL_NONE, &e);

	if (!j)
		print_message("skipped: no systemd-journal-remote or libsystemd\n");
	journal_close(j);
	return j != NULL;
}

static int collect(void *ctx, struct span text, wall_t at)
{
	struct buf *b = ctx;

	buf_printf(b, "%d|", (int)(at.us / US_PER_SEC - T0));
	buf_add_span(b, text);
	buf_add_char(b, '\n');
	return 0;
}

/* All that is read now, as "seconds|line" lines. */
static void expect(struct journal *j, const char *wanted)
{
	struct buf b = BUF_INIT(65536);

	assert_int_equal(journal_read(j, 1000, collect, &b), 0);
	assert_string_equal(buf_str(&b), wanted);
	buf_deinit(&b);
}

static struct journal *open_folder(
    struct folder *f, const char *match, const struct cursor *resume, wall_t since)
{
	struct journal_options o = {.match = match, .path = f->dir};
	struct err e = {""};
	struct journal *j = journal_open(&o, resume, since, &e);

	if (!j)
		print_message("# %s\n", e.text);
	assert_non_null(j);
	return j;
}

static void entries_become_lines(void **state)
{
	if (!has_tools())
		return;
	add_file(*state, 1, 4);
	struct journal *j = open_folder(*state, NULL, NULL, WALL_NONE);

	expect(j, "1|mx sshd[1]: number 1\n2|mx smtpd[2]: number 2\n3|mx sshd[3]: "
		  "number 3\n");
	expect(j, "");
	journal_close(j);
}

static void matches_choose(void **state)
{
	static const char *const matches[] = {
	    "_SYSTEMD_UNIT=ssh.service",
	    "'_SYSTEMD_UNIT=ssh.service' _HOSTNAME=mx",
	    "_SYSTEMD_UNIT=none.service + SYSLOG_IDENTIFIER=\"sshd\"",
	    "_SYSTEMD_UNIT=none.service\n _SYSTEMD_UNIT=ssh.service\n",
	};

	if (!has_tools())
		return;
	add_file(*state, 1, 4);
	for (size_t i = 0; i < ARRAY_LEN(matches); i++) {
		struct journal *j = open_folder(*state, matches[i], NULL, WALL_NONE);

		expect(j, "1|mx sshd[1]: number 1\n3|mx sshd[3]: number 3\n");
		journal_close(j);
	}
}

static void it_goes_on_behind_the_last_entry(void **state)
{
	struct cursor c;
	struct buf b = BUF_INIT(65536);

	if (!has_tools())
		return;
	add_file(*state, 1, 5);
	struct journal *j = open_folder(*state, NULL, NULL, WALL_NONE);

	assert_int_equal(journal_read(j, 2, collect, &b), JOURNAL_MORE);
	journal_cursor(j, &c);
	journal_close(j);
	j = open_folder(*state, NULL, &c, WALL_NONE);
	expect(j, "3|mx sshd[3]: number 3\n4|mx smtpd[4]: number 4\n");
	journal_close(j);
	buf_deinit(&b);
}

static void a_vacuumed_place_is_passed_over(void **state)
{
	struct folder *f = *state;
	struct cursor c;
	struct buf b = BUF_INIT(65536);
	char path[128];

	if (!has_tools())
		return;
	add_file(f, 1, 3);
	add_file(f, 5, 7);
	struct journal *j = open_folder(f, NULL, NULL, WALL_NONE);

	assert_int_equal(journal_read(j, 1, collect, &b), JOURNAL_MORE);
	journal_cursor(j, &c);
	journal_close(j);
	snprintf(path, sizeof(path), "%s/part1.journal", f->dir);
	assert_int_equal(unlink(path), 0);
	j = open_folder(f, NULL, &c, WALL_NONE);
	expect(j, "5|mx sshd[5]: number 5\n6|mx smtpd[6]: number 6\n");
	journal_close(j);
	buf_deinit(&b);
}

static void a_file_that_appears_is_read(void **state)
{
	if (!has_tools())
		return;
	add_file(*state, 1, 2);
	struct journal *j = open_folder(*state, NULL, NULL, WALL_NONE);

	(void)journal_fd(j);
	expect(j, "1|mx sshd[1]: number 1\n");
	add_file(*state, 2, 3);
	assert_int_equal(journal_process(j), 0);
	expect(j, "2|mx smtpd[2]: number 2\n");
	journal_close(j);
}

static void it_begins_where_it_is_told(void **state)
{
	if (!has_tools())
		return;
	add_file(*state, 1, 4);
	struct journal *j = open_folder(*state, NULL, NULL, wall_from_sec(T0 + 3));

	expect(j, "3|mx sshd[3]: number 3\n");
	journal_close(j);
}

static void nonsense_is_told(void **state)
{
	struct folder *f = *state;
	struct journal_options bad = {.match = "no equals sign", .path = f->dir};
	struct journal_options gone = {.path = "/nonexistent/*.journal"};
	struct err e = {""};

	if (!has_tools())
		return;
	assert_null(journal_open(&bad, NULL, WALL_NONE, &e));
	assert_non_null(strstr(e.text, "FIELD=value"));
	assert_null(journal_open(&gone, NULL, WALL_NONE, &e));
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, make, unmake)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(entries_become_lines),
	    TEST(matches_choose),
	    TEST(it_goes_on_behind_the_last_entry),
	    TEST(a_vacuumed_place_is_passed_over),
	    TEST(a_file_that_appears_is_read),
	    TEST(it_begins_where_it_is_told),
	    TEST(nonsense_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
