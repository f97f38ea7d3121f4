/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * db: kill -9 at any moment
 *
 * A child stores checkpoints as fast as it can: a position, the last bans before it in
 * place of older ones, a count. It is killed at a random moment; then the position must
 * fit exactly what else is there. The next child goes on from that position, as the
 * keeper does.
 */
#include "tests/unit/record/record_test.h"

#include <errno.h>
#include <signal.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <time.h>

enum { N_ROUNDS = 20, BANS_PER_CHECKPOINT = 3, MAX_LIFE_US = 25000 };

static int checkpoint(struct db *d, uint32_t *io_next)
{
	struct order o = ban_of("192.0.2.1", 0, 600);
	int r = db_begin(d);

	if (!r)
		r = db_clear_state(d);
	for (int i = 0; !r && i < BANS_PER_CHECKPOINT; i++, ++*io_next) {
		o.net = net_from_v4(*io_next);
		r = db_put_ban(d, "postfix", &o);
	}
	struct cursor c = {.offset = *io_next};

	if (!r)
		r = db_put_tally(d, "postfix", &o.net, SPAN("state"));
	if (!r)
		r = db_put_cursor(d, "/var/log/mail.log", &c);
	return r ? r : db_commit(d);
}

static _Noreturn void write_until_killed(const char *path, uint32_t next, int tell_fd)
{
	struct db *d = db_open(path, NULL);

	if (!d || write(tell_fd, "r", 1) != 1)
		_exit(1);
	while (checkpoint(d, &next) == 0)
		;
	_exit(2);
}

static void run_and_kill(const char *path, uint32_t next)
{
	struct timespec life = {0};
	uint32_t random;
	int fds[2], status;
	pid_t pid;
	char byte;

	assert_int_equal(pipe(fds), 0);
	pid = fork();
	if (pid == 0)
		write_until_killed(path, next, fds[1]);
	assert_true(pid > 0);
	assert_int_equal(read(fds[0], &byte, 1), 1);
	assert_int_equal(getrandom(&random, sizeof(random), 0), sizeof(random));
	life.tv_nsec = (long)(random % MAX_LIFE_US) * 1000;
	nanosleep(&life, NULL);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	close(fds[0]);
	close(fds[1]);
}

static int see_ban(void *ctx, const char *jail, const struct order *o)
{
	(void)jail;
	(void)o;
	++*(uint32_t *)ctx;
	return 0;
}

static int see_history(void *ctx, const struct db_history *h)
{
	(void)h;
	++*(uint32_t *)ctx;
	return 0;
}

static int see_cursor(void *ctx, const char *path, const struct cursor *c)
{
	(void)path;
	*(uint64_t *)ctx = c->offset;
	return 0;
}

static int see_tally(
    void *ctx, const char *jail, const struct net *n, struct span state)
{
	struct net last = net_from_v4(*(uint32_t *)ctx - 1);

	(void)jail;
	assert_true(net_eq(n, &last));
	assert_true(span_eq(state, SPAN("state")));
	return 0;
}

/* Return: the position, after all has been compared with it. */
static uint32_t compare(const char *path)
{
	CLEANUP(db_closep) struct db *d = NULL;
	struct err e = {0};
	uint32_t n_bans = 0, n_history = 0;
	uint64_t position = 0;

	d = db_open(path, &e);
	assert_string_equal(e.text, "");
	assert_non_null(d);
	assert_int_equal(db_each_cursor(d, see_cursor, &position), 0);
	assert_int_equal(db_each_ban(d, t_plus(0), see_ban, &n_bans), 0);
	assert_int_equal(
	    db_each_history(d, NULL, SIZE_MAX, see_history, &n_history), 0);
	assert_int_equal(n_bans, position ? BANS_PER_CHECKPOINT : 0);
	assert_int_equal(n_history, position);
	assert_int_equal(db_each_tally(d, see_tally, &n_history), 0);
	return n_history;
}

static void no_moment_is_bad(void **state)
{
	struct place *p = *state;
	uint32_t next = 0;

	for (int i = 0; i < N_ROUNDS; i++) {
		run_and_kill(p->path, next);
		next = compare(p->path);
	}
	assert_true(next > BANS_PER_CHECKPOINT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		no_moment_is_bad, place_set_up, place_tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
