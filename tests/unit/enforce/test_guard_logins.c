/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "enforce/guard_logins.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utmp.h>

#include "base/fd.h"

#define GOOD                                                         \
	"# This is private data. Do not parse.\nUID=0\nUSER=root\n"  \
	"ACTIVE=1\nIS_DISPLAY=0\nSTATE=active\nREMOTE=1\nTYPE=tty\n" \
	"CLASS=user\nREMOTE_HOST=198.51.100.7\nSERVICE=sshd\nLEADER=812\n"

static struct net net(const char *text)
{
	struct net n = {{0}, 0};

	assert_int_equal(net_parse(span_of(text), &n), 0);
	return n;
}

static mono_t at_ms(int64_t ms)
{
	return (mono_t){ms * 1000};
}

/* --- files of logind ---------------------------------------------------------------
 */

static void session_that_counts(void **state)
{
	static const char *const states[] = {"active", "online", "closing"};
	struct guard_login l;
	struct net want = net("198.51.100.7");

	(void)state;
	assert_true(guard_login_of_session(SPAN(GOOD), &l));
	assert_true(net_eq(&l.net, &want));
	assert_int_equal(l.pid, 812);
	for (size_t i = 0; i < ARRAY_LEN(states); i++) {
		struct buf b = BUF_INIT(1000);

		buf_printf(&b,
		    "LEADER=1\nSERVICE=sshd\nREMOTE_HOST=2001:db8::7\nREMOTE=1\nSTATE="
		    "%s",
		    states[i]);
		assert_true(guard_login_of_session(buf_span(&b), &l));
		want = net("2001:db8::7");
		assert_true(net_eq(&l.net, &want));
		buf_deinit(&b);
	}
	assert_true(guard_login_of_session(
	    SPAN("REMOTE=1\r\nREMOTE_HOST=::ffff:198.51.100.9\r\nSTATE=online\r\n"
		 "SERVICE=sshd-session\r\nLEADER=2147483647\r\n"),
	    &l));
	want = net("198.51.100.9");
	assert_true(net_eq(&l.net, &want));
}

/* GOOD with one of its lines in another way. */
static bool counts_with(const char *key, const char *line)
{
	struct span rest = SPAN(GOOD), one;
	struct buf b = BUF_INIT(4096);
	struct guard_login l;

	while (span_next_line(&rest, &one)) {
		if (!span_starts(one, span_of(key)) || one.p[strlen(key)] != '=')
			buf_add_span(&b, one);
		else
			buf_add_str(&b, line);
		buf_add_char(&b, '\n');
	}
	bool counts = guard_login_of_session(buf_span(&b), &l);

	buf_deinit(&b);
	return counts;
}

static void sessions_that_do_not_count(void **state)
{
	static const struct {
		const char *key, *line;
	} cases[] = {
	    {"REMOTE", "REMOTE=0"},
	    {"REMOTE", "REMOTE=11"},
	    {"REMOTE", ""},
	    {"REMOTE", " REMOTE=1"},
	    {"REMOTE", "XREMOTE=1"},
	    {"STATE", "STATE=opening"},
	    {"STATE", "STATE=lingering"},
	    {"STATE", "STATE="},
	    {"SERVICE", "SERVICE=dovecot"},
	    {"SERVICE", "SERVICE=sshd2"},
	    {"SERVICE", "SERVICE=ssh"},
	    {"REMOTE_HOST", "REMOTE_HOST=host.example.org"},
	    {"REMOTE_HOST", "REMOTE_HOST=198.51.100.0/24"},
	    {"REMOTE_HOST", "REMOTE_HOST=0.0.0.0/0"},
	    {"REMOTE_HOST", "REMOTE_HOST=198.51.100.7 "},
	    {"REMOTE_HOST", "REMOTE_HOST=198.51.100"},
	    {"REMOTE_HOST", "REMOTE_HOST=198.51.100.7\\n198.51.100.8"},
	    {"REMOTE_HOST", "REMOTE_HOST="},
	    {"REMOTE_HOST", "REMOTE_HOST=127.0.0.1"},
	    {"REMOTE_HOST", "REMOTE_HOST=fe80::1%eth0"},
	    /* Twice: which of them is it? */
	    {"REMOTE_HOST", "REMOTE_HOST=198.51.100.7\nREMOTE_HOST=198.51.100.7"},
	    {"USER", "USER=x\nSERVICE=sshd"},
	    {"LEADER", "LEADER=0"},
	    {"LEADER", "LEADER=-1"},
	    {"LEADER", "LEADER=2147483648"},
	    {"LEADER", "LEADER=99999999999999999999"},
	    {"LEADER", "LEADER=812x"},
	    {"LEADER", "LEADER="},
	    {"LEADER", ""},
	};
	struct guard_login l;

	(void)state;
	assert_true(counts_with("UID", "UID=1000"));
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		if (counts_with(cases[i].key, cases[i].line))
			fail_msg("'%s' counts", cases[i].line);
	}
	assert_false(guard_login_of_session((struct span){NULL, 0}, &l));
	assert_false(guard_login_of_session(SPAN("\0\0=\n==\n=1"), &l));
	/* Cut anywhere but behind the last digit. */
	for (size_t n = 0; n < sizeof(GOOD) - 5; n++)
		assert_false(guard_login_of_session((struct span){GOOD, n}, &l));
}

/* --- utmp --------------------------------------------------------------------------
 */

static struct utmp record(short type, pid_t pid, const char *host, const char *address)
{
	struct utmp u = {.ut_type = type, .ut_pid = pid};
	struct net n;

	/* At its full length there is no NUL behind it. */
	memcpy(u.ut_host, host,
	    strlen(host) < sizeof(u.ut_host) ? strlen(host) : sizeof(u.ut_host));
	if (!address)
		return u;
	n = net(address);
	if (net_is_v4(&n))
		memcpy(u.ut_addr_v6, net_v4_bytes(&n), 4);
	else
		memcpy(u.ut_addr_v6, n.addr, 16);
	return u;
}

static void assert_utmp(struct utmp u, const char *want)
{
	char room[sizeof(u) + 1];
	struct guard_login l;

	memcpy(room + 1, &u, sizeof(u)); /* of any alignment */
	if (!want) {
		assert_false(guard_login_of_utmp(room + 1, &l));
		return;
	}
	struct net n = net(want);

	assert_true(guard_login_of_utmp(room + 1, &l));
	assert_true(net_eq(&l.net, &n));
	assert_int_equal(l.pid, u.ut_pid);
}

static void utmp_records(void **state)
{
	char full[300];

	(void)state;
	memset(full, '1', sizeof(full) - 1);
	full[sizeof(full) - 1] = '\0';
	assert_utmp(record(USER_PROCESS, 9, "", "198.51.100.7"), "198.51.100.7");
	assert_utmp(record(USER_PROCESS, 9, "x.example", "2001:db8::7"), "2001:db8::7");
	assert_utmp(record(USER_PROCESS, 9, "198.51.100.8", NULL), "198.51.100.8");
	assert_utmp(record(USER_PROCESS, 9, "2001:db8::8", NULL), "2001:db8::8");
	/* What is in numbers is what the kernel said; the text is the second best. */
	assert_utmp(
	    record(USER_PROCESS, 9, "198.51.100.8", "198.51.100.7"), "198.51.100.7");
	assert_utmp(record(USER_PROCESS, 9, "198.51.100.8", "::ffff:198.51.100.9"),
	    "198.51.100.9");
	assert_utmp(record(USER_PROCESS, 9, "", NULL), NULL);
	assert_utmp(record(USER_PROCESS, 9, ":0", NULL), NULL);
	assert_utmp(record(USER_PROCESS, 9, "tmux(812).%0", NULL), NULL);
	assert_utmp(record(USER_PROCESS, 9, "198.51.100.7 via mosh [9]", NULL), NULL);
	assert_utmp(record(USER_PROCESS, 9, "198.51.100.7:S.0", NULL), NULL);
	assert_utmp(record(USER_PROCESS, 9, "198.51.100.0/24", NULL), NULL);
	assert_utmp(record(USER_PROCESS, 9, full, NULL), NULL);
	assert_utmp(record(USER_PROCESS, 9, "", "127.0.0.1"), NULL);
	assert_utmp(record(USER_PROCESS, 0, "", "198.51.100.7"), NULL);
	assert_utmp(record(USER_PROCESS, -1, "", "198.51.100.7"), NULL);
	for (short type = -1; type < 20; type++) {
		if (type != USER_PROCESS)
			assert_utmp(record(type, 9, "", "198.51.100.7"), NULL);
	}
}

/* --- both, as files ----------------------------------------------------------------
 */

struct world {
	char dir[64], utmp[80], sessions[80];
	struct guard_logins *l;
	int64_t now_ms;
};

static int set_up(void **state)
{
	static struct world w;

	w = (struct world){.dir = "/tmp/guard-logins-XXXXXX", .now_ms = 1000};
	if (!mkdtemp(w.dir))
		return -1;
	(void)snprintf(w.utmp, sizeof(w.utmp), "%s/utmp", w.dir);
	(void)snprintf(w.sessions, sizeof(w.sessions), "%s/sessions", w.dir);
	w.l = guard_logins_new(w.utmp, w.sessions);
	*state = &w;
	return w.l ? 0 : -1;
}

static int tear_down(void **state)
{
	struct world *w = *state;
	char cmd[128];

	guard_logins_free(w->l);
	(void)snprintf(cmd, sizeof(cmd), "rm -rf '%s'", w->dir);
	return system(cmd); /* NOLINT: a test */
}

static void put(const char *dir, const char *name, struct span bytes)
{
	char path[256];

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, bytes.p, bytes.n), 0);
	close(fd);
}

static void put_session(
    struct world *w, const char *name, const char *address, pid_t leader)
{
	struct buf b = BUF_INIT(1000);

	buf_printf(&b,
	    "REMOTE=1\nREMOTE_HOST=%s\nSTATE=active\nSERVICE=sshd\nLEADER=%d\n",
	    address, (int)leader);
	put(w->sessions, name, buf_span(&b));
	buf_deinit(&b);
}

/* A second later, so that what has changed is seen. */
static bool meets(struct world *w, const char *text)
{
	struct net n = net(text);

	w->now_ms += 1000;
	return guard_logins_meets(w->l, &n, at_ms(w->now_ms));
}

static pid_t start_child(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		/* Not beyond a test that fails. */
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		(void)pause();
		_exit(0);
	}
	assert_true(pid > 0);
	return pid;
}

static void end_child(pid_t pid)
{
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void no_source_is_no_error(void **state)
{
	struct world *w = *state;

	assert_false(meets(w, "198.51.100.7"));
	assert_int_equal(guard_logins_error(w->l), 0);
}

static void both_sources(void **state)
{
	struct world *w = *state;
	struct utmp u[2] = {record(USER_PROCESS, getpid(), "", "198.51.100.1"),
	    record(DEAD_PROCESS, getpid(), "", "198.51.100.2")};

	assert_int_equal(mkdir(w->sessions, 0755), 0);
	put_session(w, "4", "198.51.100.3", getpid());
	put_session(w, "c7", "2001:db8::3", 1); /* not ours to signal, where we are not
						   root: it lives */
	put(w->dir, "utmp", (struct span){(const char *)u, sizeof(u)});
	assert_true(meets(w, "198.51.100.1"));
	assert_false(meets(w, "198.51.100.2"));
	assert_true(meets(w, "198.51.100.3"));
	assert_true(meets(w, "2001:db8::3"));
	/* Networks around it, not beside it. */
	assert_true(meets(w, "198.51.100.0/24"));
	assert_true(meets(w, "198.51.100.3/32"));
	assert_false(meets(w, "198.51.100.4/30"));
	assert_true(meets(w, "2001:db8::/64"));
	assert_int_equal(guard_logins_error(w->l), 0);
	/* Half a record at the end of the file. */
	put(w->dir, "utmp", (struct span){(const char *)u, sizeof(u[0]) + 100});
	assert_true(meets(w, "198.51.100.1"));
	put(w->dir, "utmp", (struct span){(const char *)u, sizeof(u[0]) - 1});
	assert_false(meets(w, "198.51.100.1"));
	assert_int_equal(unlink(w->utmp), 0);
	assert_true(meets(w, "198.51.100.3"));
}

static void dead_processes_do_not_count(void **state)
{
	struct world *w = *state;
	pid_t leader = start_child(), user = start_child();
	struct utmp u = record(USER_PROCESS, user, "", "198.51.100.1");
	struct net n = net("198.51.100.3");

	assert_int_equal(mkdir(w->sessions, 0755), 0);
	put_session(w, "4", "198.51.100.3", leader);
	put(w->dir, "utmp", (struct span){(const char *)&u, sizeof(u)});
	assert_true(meets(w, "198.51.100.1") && meets(w, "198.51.100.3"));
	end_child(leader);
	/* At once, though the file was read within this second. */
	assert_false(guard_logins_meets(w->l, &n, at_ms(w->now_ms)));
	assert_true(meets(w, "198.51.100.1"));
	end_child(user);
	assert_false(meets(w, "198.51.100.1"));
}

static void read_once_a_second(void **state)
{
	struct world *w = *state;
	struct net n = net("198.51.100.3");

	assert_int_equal(mkdir(w->sessions, 0755), 0);
	assert_false(guard_logins_meets(w->l, &n, at_ms(5000)));
	put_session(w, "4", "198.51.100.3", getpid());
	assert_false(guard_logins_meets(w->l, &n, at_ms(5999)));
	assert_true(guard_logins_meets(w->l, &n, at_ms(6000)));
	put_session(w, "4", "198.51.100.4", getpid());
	assert_true(guard_logins_meets(w->l, &n, at_ms(6999)));
	/* A clock that seems to go back. */
	assert_false(guard_logins_meets(w->l, &n, at_ms(1)));
}

static void hostile_files(void **state)
{
	struct world *w = *state;
	char path[256], target[256];
	struct buf big = BUF_INIT(GUARD_SESSION_MAX_BYTES + 1);

	assert_int_equal(mkdir(w->sessions, 0755), 0);
	/* Neither links nor FIFOs, nor other names than logind's. */
	put_session(w, "elsewhere.txt", "198.51.100.1", getpid());
	put_session(w, ".#4abcdef", "198.51.100.2", getpid());
	put_session(w, "4.ref", "198.51.100.3", getpid());
	put_session(w, "4-5", "198.51.100.4", getpid());
	(void)snprintf(target, sizeof(target), "%s/elsewhere.txt", w->sessions);
	(void)snprintf(path, sizeof(path), "%s/5", w->sessions);
	assert_int_equal(symlink(target, path), 0);
	(void)snprintf(path, sizeof(path), "%s/6", w->sessions);
	assert_int_equal(mkfifo(path, 0644), 0);
	(void)snprintf(path, sizeof(path), "%s/7", w->sessions);
	assert_int_equal(mkdir(path, 0755), 0);
	for (int i = 1; i <= 4; i++) {
		(void)snprintf(path, sizeof(path), "198.51.100.%d", i);
		assert_false(meets(w, path));
	}
	assert_int_equal(guard_logins_error(w->l), 0);
	/* One that is too large is told, and the others count. */
	put_session(w, "8", "198.51.100.8", getpid());
	buf_add_str(&big, GOOD);
	while (!big.failed)
		buf_add_char(&big, '\n');
	put(w->sessions, "9", buf_span(&big));
	assert_true(meets(w, "198.51.100.8"));
	assert_false(meets(w, "198.51.100.7"));
	assert_int_equal(guard_logins_error(w->l), -EFBIG);
	(void)snprintf(path, sizeof(path), "%s/9", w->sessions);
	assert_int_equal(unlink(path), 0);
	/* utmp too, which is a folder then. */
	int fd = open(w->utmp, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	assert_int_equal(ftruncate(fd, GUARD_UTMP_MAX_BYTES + 1), 0);
	close(fd);
	assert_true(meets(w, "198.51.100.8"));
	assert_int_equal(guard_logins_error(w->l), -EFBIG);
	assert_int_equal(unlink(w->utmp), 0);
	assert_int_equal(mkdir(w->utmp, 0755), 0);
	assert_true(meets(w, "198.51.100.8"));
	assert_int_equal(guard_logins_error(w->l), -EISDIR);
	buf_deinit(&big);
}

static void too_many(void **state)
{
	struct world *w = *state;
	const size_t n = GUARD_LOGINS_MAX + 10;
	struct utmp *u = calloc(n, sizeof(*u));

	assert_non_null(u);
	for (size_t i = 0; i < n; i++) {
		char text[32];

		(void)snprintf(text, sizeof(text), "198.18.%zu.%zu", i / 256, i % 256);
		u[i] = record(USER_PROCESS, getpid(), "", text);
	}
	put(w->dir, "utmp", (struct span){(const char *)u, n * sizeof(*u)});
	assert_true(meets(w, "198.18.0.0") && meets(w, "198.18.3.255"));
	assert_false(meets(w, "198.18.4.0"));
	assert_int_equal(guard_logins_error(w->l), -ENOSPC);
	put(w->dir, "utmp", (struct span){(const char *)u, sizeof(*u)});
	assert_true(meets(w, "198.18.0.0"));
	assert_int_equal(guard_logins_error(w->l), 0);
	free(u);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(session_that_counts),
	    cmocka_unit_test(sessions_that_do_not_count),
	    cmocka_unit_test(utmp_records),
	    cmocka_unit_test_setup_teardown(no_source_is_no_error, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(both_sources, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		dead_processes_do_not_count, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(read_once_a_second, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(hostile_files, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(too_many, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
