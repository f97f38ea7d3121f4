/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "proc/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/fd.h"
#include "proc/sandbox.h"

#define MAX_ARGS 16
#define MAX_ENV 8

static size_t pick_environment(char **out)
{
	static const char *const kept[] = {
	    "TZ", "ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS"};
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_LEN(kept); i++) {
		const char *value = getenv(kept[i]);

		if (value && asprintf(&out[n], "%s=%s", kept[i], value) >= 0)
			n++;
	}
	out[n] = NULL;
	return n;
}

/* In the child: only async-signal-safe calls are needed, as there are no threads. */
static void become(int ctl_fd, int extra_fd, char **argv, char **env)
{
	int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	/* Move out of the way of the numbers that are about to be taken. */
	if (ctl_fd >= 0)
		ctl_fd = fcntl(ctl_fd, F_DUPFD_CLOEXEC, 10);
	if (extra_fd >= 0)
		extra_fd = fcntl(extra_fd, F_DUPFD_CLOEXEC, 10);
	if (null_fd < 0 || dup2(null_fd, 0) < 0 || dup2(null_fd, 1) < 0)
		_exit(127);
	if (ctl_fd >= 0 && dup2(ctl_fd, SPAWN_CTL_FD) < 0)
		_exit(127);
	if (extra_fd >= 0 && dup2(extra_fd, SPAWN_EXTRA_FD) < 0)
		_exit(127);
	if (ctl_fd < 0)
		close(SPAWN_CTL_FD);
	unsigned int first_closed =
	    extra_fd >= 0 ? SPAWN_EXTRA_FD + 1 : SPAWN_CTL_FD + 1;

	if (close_range(first_closed, ~0u, 0) < 0)
		_exit(127);
	execve("/proc/self/exe", argv, env);
	_exit(127);
}

int spawn_role(enum role_id role, const char *const *args, int ctl_fd, int extra_fd,
    pid_t *out_pid, struct err *e)
{
	char role_arg[32];
	char *argv[MAX_ARGS + 1] = {(char *)(uintptr_t) "bandogd", role_arg};
	char *env[MAX_ENV + 1];
	size_t n_args = 2;

	snprintf(role_arg, sizeof(role_arg), "--role=%s", role_name(role));
	for (size_t i = 0; args && args[i] && n_args < MAX_ARGS; i++)
		argv[n_args++] = (char *)(uintptr_t)args[i];
	size_t n_env = pick_environment(env);
	pid_t parent = getpid();
	pid_t pid = fork();

	if (pid == 0) {
		sigset_t none;

		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(127);
		become(ctl_fd, extra_fd, argv, env);
	}
	int r = pid < 0 ? -errno : 0;

	for (size_t i = 0; i < n_env; i++)
		free(env[i]);
	if (r < 0)
		return err_errno(e, r, "cannot start the %s", role_name(role));
	*out_pid = pid;
	return 0;
}
