/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "runner/command.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"

#define GRACE_MS 200
#define MAX_ENV 1024
#define FIRST_OTHER_FD 3

struct command {
	pid_t pid;
	int pid_fd;
	int out_fd;
	struct loop_watch *exit_watch;
	struct loop_watch *out_watch;
	struct loop_watch *timer;
	struct buf output;
	command_fn done;
	void *ctx;
	bool is_late;
};

/* Of our own environment only what says how to read text and clocks. */
static const char *const kept[] = {"LANG", "LC_ALL", "TZ"};
static char path_entry[] =
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

static struct command *command_free(struct command *c)
{
	loop_watch_free(c->exit_watch);
	loop_watch_free(c->out_watch);
	loop_watch_free(c->timer);
	fd_closep(&c->pid_fd);
	fd_closep(&c->out_fd);
	buf_deinit(&c->output);
	free(c);
	return NULL;
}

/* Entries of @out point into our environment, @env and path_entry. */
static int fill_env(char **out, struct span env)
{
	size_t n = 0;

	out[n++] = path_entry;
	for (char **e = environ; *e; e++) {
		for (size_t i = 0; i < ARRAY_LEN(kept); i++) {
			size_t len = strlen(kept[i]);

			if (!strncmp(*e, kept[i], len) && (*e)[len] == '=')
				out[n++] = *e;
		}
	}
	while (env.n) {
		if (n == MAX_ENV)
			return -E2BIG;
		out[n++] = (char *)(uintptr_t)env.p;
		env = span_skip(env, strlen(env.p) + 1);
	}
	out[n] = NULL;
	return 0;
}

/* Return: 0 or negative errno. */
static int spawn_shell(pid_t *pid, const char *script, char **env, int out_fd)
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	sigset_t none, all;
	char sh[] = "sh", c[] = "-c";
	char *argv[] = {sh, c, (char *)(uintptr_t)script, NULL};
	int r = posix_spawn_file_actions_init(&files);

	if (r)
		return -r;
	r = posix_spawnattr_init(&attr);
	if (r) {
		posix_spawn_file_actions_destroy(&files);
		return -r;
	}
	sigemptyset(&none);
	sigfillset(&all);
	r = posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
	if (!r)
		r = posix_spawn_file_actions_adddup2(&files, out_fd, 1);
	if (!r)
		r = posix_spawn_file_actions_adddup2(&files, out_fd, 2);
	if (!r)
		r = posix_spawn_file_actions_addclosefrom_np(&files, FIRST_OTHER_FD);
	if (!r)
		r = posix_spawn_file_actions_addchdir_np(&files, "/");
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setsigdefault(&attr, &all);
	posix_spawnattr_setflags(
	    &attr, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	if (!r)
		r = posix_spawn(pid, "/bin/sh", &files, &attr, argv, env);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&files);
	return -r;
}

static void read_output(struct command *c)
{
	char part[4096];
	ssize_t n;

	while ((n = read(c->out_fd, part, sizeof(part))) > 0) {
		size_t room = COMMAND_OUTPUT_MAX - c->output.n;

		buf_add(&c->output, part, (size_t)n < room ? (size_t)n : room);
	}
	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		c->out_watch = loop_watch_free(c->out_watch);
}

static void on_output(void *ctx, UNUSED int events)
{
	read_output(ctx);
}

static void on_exit_of(void *ctx, UNUSED int events)
{
	struct command *c = ctx;
	struct command_result r = {.is_late = c->is_late};
	int status = 0;

	if (waitpid(c->pid, &status, WNOHANG) == 0)
		return;
	/* What it printed is there; who still holds the pipe is not waited for. */
	if (c->out_watch)
		read_output(c);
	r.code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	struct buf output = c->output;
	command_fn done = c->done;
	void *done_ctx = c->ctx;

	c->output = BUF_INIT(0);
	command_free(c);
	r.output = buf_span(&output);
	done(done_ctx, &r);
	buf_deinit(&output);
}

static void on_time(void *ctx)
{
	struct command *c = ctx;

	(void)kill(-c->pid, c->is_late ? SIGKILL : SIGTERM);
	if (!c->is_late)
		loop_arm(c->timer, GRACE_MS, 0);
	c->is_late = true;
}

static int watch(struct command *c, struct loop *l)
{
	c->pid_fd = (int)syscall(SYS_pidfd_open, c->pid, 0);
	if (c->pid_fd < 0)
		return -errno;
	c->exit_watch = loop_add_fd(l, c->pid_fd, LOOP_READ, on_exit_of, c);
	c->out_watch = loop_add_fd(l, c->out_fd, LOOP_READ, on_output, c);
	c->timer = loop_add_timer(l, on_time, c);
	return c->exit_watch && c->out_watch && c->timer ? 0 : -ENOMEM;
}

struct command *command_start(struct loop *l, const char *script, struct span env,
    uint64_t timeout_ms, command_fn done, void *ctx, struct err *e)
{
	struct command *c = calloc(1, sizeof(*c));
	char *entries[MAX_ENV + 1];
	int fds[2];

	if (!c) {
		err_set(e, -ENOMEM, "out of memory");
		return NULL;
	}
	*c = (struct command){.pid_fd = -1,
	    .out_fd = -1,
	    .done = done,
	    .ctx = ctx,
	    .output = BUF_INIT(COMMAND_OUTPUT_MAX)};
	int r = fill_env(entries, env);

	if (!r && pipe2(fds, O_CLOEXEC) < 0)
		r = -errno;
	if (!r) {
		c->out_fd = fds[0];
		(void)fd_set_nonblock(fds[0], true);
		r = spawn_shell(&c->pid, script, entries, fds[1]);
		close(fds[1]);
	}
	if (r < 0) {
		err_errno(e, r, "cannot start /bin/sh");
		return command_free(c);
	}
	r = watch(c, l);
	if (r < 0) {
		err_errno(e, r, "cannot watch a command");
		return command_kill(c);
	}
	loop_arm(c->timer, timeout_ms, 0);
	return c;
}

struct command *command_kill(struct command *c)
{
	if (!c)
		return NULL;
	(void)kill(-c->pid, SIGKILL);
	(void)waitpid(c->pid, NULL, 0);
	return command_free(c);
}
