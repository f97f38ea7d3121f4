/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

struct fixture {
	struct loop *loop;
	struct loop_watch *watch;
	struct loop_watch *other;
	int fds[2];
	int n_calls;
	int n_wanted; /* stop the loop at so many */
	int events;
	int signo;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	if (!f || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, f->fds) < 0)
		return -1;
	f->loop = loop_new();
	f->n_wanted = 1;
	*state = f;
	return f->loop ? 0 : -1;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	f->watch = loop_watch_free(f->watch);
	f->other = loop_watch_free(f->other);
	(void)loop_free(f->loop);
	for (int i = 0; i < 2; i++)
		if (f->fds[i] >= 0)
			(void)close(f->fds[i]);
	free(f);
	return 0;
}

static void on_call(void *ctx)
{
	struct fixture *f = ctx;

	if (++f->n_calls >= f->n_wanted)
		loop_stop(f->loop);
}

static void on_fd(void *ctx, int events)
{
	struct fixture *f = ctx;

	f->events = events;
	on_call(f);
}

static void on_signal(void *ctx, int signo)
{
	struct fixture *f = ctx;

	f->signo = signo;
	on_call(f);
}

static void on_call_free(void *ctx)
{
	struct fixture *f = ctx;

	f->watch = loop_watch_free(f->watch);
	on_call(f);
}

static void on_fd_free_both(void *ctx, int events)
{
	struct fixture *f = ctx;

	f->watch = loop_watch_free(f->watch);
	f->other = loop_watch_free(f->other);
	on_fd(f, events);
}

static void an_empty_loop_ends(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(loop_run(f->loop), 0);
	assert_null(loop_free(NULL));
	assert_null(loop_watch_free(NULL));
}

static void a_stop_before_the_run_counts(void **state)
{
	struct fixture *f = *state;

	f->watch = loop_add_timer(f->loop, on_call, f);
	loop_arm(f->watch, 3600000, 0);
	loop_stop(f->loop);
	assert_int_equal(loop_run(f->loop), 0);
	/* And a late one does not keep loop_free() from its work. */
	loop_stop(f->loop);
}

static void a_timer_fires_once(void **state)
{
	struct fixture *f = *state;

	f->watch = loop_add_timer(f->loop, on_call, f);
	loop_arm(f->watch, 0, 0);
	f->n_wanted = 2; /* never: the loop ends as nothing is armed */
	assert_int_equal(loop_run(f->loop), 0);
	assert_int_equal(f->n_calls, 1);
}

static void a_timer_repeats(void **state)
{
	struct fixture *f = *state;

	f->watch = loop_add_timer(f->loop, on_call, f);
	loop_arm(f->watch, 1, 1);
	f->n_wanted = 3;
	assert_int_equal(loop_run(f->loop), 0);
	assert_int_equal(f->n_calls, 3);
}

static void a_disarmed_timer_is_quiet(void **state)
{
	struct fixture *f = *state;

	f->watch = loop_add_timer(f->loop, on_call, f);
	assert_int_equal(loop_run(f->loop), 0); /* not armed yet */
	loop_arm(f->watch, 1, 0);
	loop_disarm(f->watch);
	loop_disarm(f->watch);
	assert_int_equal(loop_run(f->loop), 0);
	assert_int_equal(f->n_calls, 0);
}

static void a_timer_freed_in_its_callback(void **state)
{
	struct fixture *f = *state;

	f->watch = loop_add_timer(f->loop, on_call_free, f);
	loop_arm(f->watch, 1, 1);
	f->n_wanted = 99;
	assert_int_equal(loop_run(f->loop), 0);
	assert_int_equal(f->n_calls, 1);
}

static void on_rearm(void *ctx)
{
	struct fixture *f = ctx;

	loop_arm(f->watch, 0, 0);
}

static void a_greedy_timer_lets_others_live(void **state)
{
	struct fixture *f = *state;

	f->watch = loop_add_timer(f->loop, on_rearm, f);
	f->other = loop_add_fd(f->loop, f->fds[0], LOOP_READ, on_fd, f);
	loop_arm(f->watch, 0, 0);
	assert_int_equal(write(f->fds[1], "x", 1), 1);
	assert_int_equal(loop_run(f->loop), 0);
	assert_int_equal(f->n_calls, 1);
}

static void a_descriptor_is_read(void **state)
{
	struct fixture *f = *state;

	f->watch = loop_add_fd(f->loop, f->fds[0], LOOP_READ, on_fd, f);
	assert_non_null(f->watch);
	assert_int_equal(write(f->fds[1], "x", 1), 1);
	assert_int_equal(loop_run(f->loop), 0);
	assert_int_equal(f->events, LOOP_READ);
	assert_true(fcntl(f->fds[0], F_GETFL) & O_NONBLOCK);
}

static void events_change(void **state)
{
	struct fixture *f = *state;

	f->watch = loop_add_fd(f->loop, f->fds[0], LOOP_READ | LOOP_WRITE, on_fd, f);
	assert_int_equal(loop_run(f->loop), 0);
	assert_int_equal(f->events, LOOP_WRITE);
	assert_int_equal(write(f->fds[1], "x", 1), 1);
	assert_int_equal(loop_run(f->loop), 0);
	assert_int_equal(f->events, LOOP_READ | LOOP_WRITE);
	loop_set_events(f->watch, LOOP_READ);
	assert_int_equal(loop_run(f->loop), 0);
	assert_int_equal(f->events, LOOP_READ);
	loop_set_events(f->watch, 0);
	f->n_calls = 0;
	assert_int_equal(loop_run(f->loop), 0);
	assert_int_equal(f->n_calls, 0);
	loop_set_events(f->watch, LOOP_WRITE);
	assert_int_equal(loop_run(f->loop), 0);
	assert_int_equal(f->events, LOOP_WRITE);
}

static void a_hang_up_is_readable(void **state)
{
	struct fixture *f = *state;

	f->watch = loop_add_fd(f->loop, f->fds[0], LOOP_READ, on_fd, f);
	(void)close(f->fds[1]);
	f->fds[1] = -1;
	assert_int_equal(loop_run(f->loop), 0);
	assert_true(f->events & LOOP_READ);
}

static void an_error_does_not_end_the_watch(void **state)
{
	struct fixture *f = *state;
	int fds[2];

	/* The write end of a pipe nobody reads is in POLLERR for good. */
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	(void)close(fds[0]);
	f->watch = loop_add_fd(f->loop, fds[1], LOOP_WRITE, on_fd, f);
	f->n_wanted = 3;
	assert_int_equal(loop_run(f->loop), 0);
	assert_int_equal(f->n_calls, 3);
	assert_int_equal(f->events, LOOP_WRITE);
	f->watch = loop_watch_free(f->watch);
	(void)close(fds[1]);
}

static void freed_together_only_one_is_called(void **state)
{
	struct fixture *f = *state;

	/* Both are ready in one turn; whichever comes first frees both. */
	f->watch = loop_add_fd(f->loop, f->fds[0], LOOP_READ, on_fd_free_both, f);
	f->other = loop_add_fd(f->loop, f->fds[1], LOOP_READ, on_fd_free_both, f);
	assert_int_equal(write(f->fds[0], "x", 1), 1);
	assert_int_equal(write(f->fds[1], "x", 1), 1);
	f->n_wanted = 99;
	assert_int_equal(loop_run(f->loop), 0);
	assert_int_equal(f->n_calls, 1);
}

static void what_cannot_be_watched_is_refused(void **state)
{
	struct fixture *f = *state;

	errno = 0;
	assert_null(loop_add_fd(f->loop, -1, LOOP_READ, on_fd, f));
	assert_int_equal(errno, EBADF);
	f->watch = loop_add_fd(f->loop, f->fds[0], LOOP_READ, on_fd, f);
	errno = 0;
	assert_null(loop_add_fd(f->loop, f->fds[0], LOOP_READ, on_fd, f));
	assert_int_equal(errno, EEXIST);
	errno = 0;
	assert_null(loop_add_signal(f->loop, 0, on_signal, f));
	assert_int_equal(errno, EINVAL);
}

static void signals_arrive(void **state)
{
	struct fixture *f = *state;

	f->watch = loop_add_signal(f->loop, SIGUSR1, on_signal, f);
	assert_non_null(f->watch);
	assert_int_equal(raise(SIGUSR1), 0);
	assert_int_equal(loop_run(f->loop), 0);
	assert_int_equal(f->signo, SIGUSR1);
}

static void prepare_runs_each_turn(void **state)
{
	struct fixture *f = *state;

	f->watch = loop_add_prepare(f->loop, on_call, f);
	f->other = loop_add_fd(f->loop, f->fds[0], LOOP_WRITE, on_fd, f);
	f->n_wanted = 6;
	assert_int_equal(loop_run(f->loop), 0);
	assert_int_equal(f->n_calls, 6);
	f->watch = loop_watch_free(f->watch);
	f->watch = loop_add_prepare(f->loop, on_call_free, f);
	f->n_wanted = 9;
	assert_int_equal(loop_run(f->loop), 0);
	assert_null(f->watch);
}

static void freeing_without_a_run(void **state)
{
	struct fixture *f = *state;

	f->watch = loop_add_signal(f->loop, SIGUSR2, on_signal, f);
	f->other = loop_add_prepare(f->loop, on_call, f);
	assert_non_null(f->watch);
	assert_non_null(f->other);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    TEST(an_empty_loop_ends),
	    TEST(a_stop_before_the_run_counts),
	    TEST(a_timer_fires_once),
	    TEST(a_timer_repeats),
	    TEST(a_disarmed_timer_is_quiet),
	    TEST(a_timer_freed_in_its_callback),
	    TEST(a_greedy_timer_lets_others_live),
	    TEST(a_descriptor_is_read),
	    TEST(events_change),
	    TEST(a_hang_up_is_readable),
	    TEST(an_error_does_not_end_the_watch),
	    TEST(freed_together_only_one_is_called),
	    TEST(what_cannot_be_watched_is_refused),
	    TEST(signals_arrive),
	    TEST(prepare_runs_each_turn),
	    TEST(freeing_without_a_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
