/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/scan_worker.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"

#define WORKER_FD 3

static int add(void *ctx, const struct pipeline_known *k)
{
	struct scan_slot *s = ctx;

	if (s->n_found == s->max_found)
		return -ENOSPC;
	s->found[s->n_found++] = *k;
	return 0;
}

static void search(const struct scan_work *w, struct scan_slot *s)
{
	const struct pipeline_block b = {
	    .lines = {s->text, s->n_bytes},
	    .n_lines = s->n_lines,
	    .jails = w->jails,
	    .n_jails = w->n_jails,
	    .read_at = s->read_at,
	};

	s->n_found = 0;
	s->result = pipeline_search_block(w->pipeline, &b, add, s);
}

/* What the scan has open is none of its business; nor is Ctrl-C, which the scan
 * answers by what was found so far. */
static int settle_in(int fd, pid_t parent)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || getppid() != parent)
		return -1;
	(void)signal(SIGINT, SIG_IGN);
	(void)signal(SIGTERM, SIG_IGN);
	if (fd != WORKER_FD && dup2(fd, WORKER_FD) < 0)
		return -1;
	(void)close(STDIN_FILENO);
	(void)close(STDOUT_FILENO);
	return close_range(WORKER_FD + 1, ~0u, 0);
}

static _Noreturn void work(const struct scan_work *w, int fd, pid_t parent)
{
	uint8_t slot;

	if (settle_in(fd, parent) < 0)
		_exit(1);
	while (recv(WORKER_FD, &slot, 1, 0) == 1 && slot < w->n_slots) {
		search(w, &w->slots[slot]);
		if (send(WORKER_FD, &slot, 1, MSG_NOSIGNAL) != 1)
			break;
	}
	_exit(0);
}

int scan_worker_start(struct scan_worker *w, const struct scan_work *work_)
{
	CLEANUP(fd_closep) int ours = -1;
	CLEANUP(fd_closep) int theirs = -1;
	pid_t parent = getpid();
	int pair[2];

	w->fd = -1;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	ours = pair[0];
	theirs = pair[1];
	w->pid = fork();
	if (w->pid < 0)
		return -errno;
	if (!w->pid)
		work(work_, theirs, parent);
	w->fd = TAKE_FD(ours);
	return 0;
}

void scan_worker_end(struct scan_worker *w)
{
	if (w->fd < 0)
		return;
	(void)close(w->fd);
	w->fd = -1;
	while (waitpid(w->pid, NULL, 0) < 0 && errno == EINTR)
		;
}

/* A signal is answered between two blocks of lines, not here. */
static int lost(struct scan_worker *w, ssize_t r)
{
	int error = r < 0 ? -errno : -EPIPE;

	(void)kill(w->pid, SIGKILL);
	scan_worker_end(w);
	return error;
}

int scan_worker_give(struct scan_worker *w, uint8_t slot)
{
	ssize_t r;

	do
		r = send(w->fd, &slot, 1, MSG_NOSIGNAL);
	while (r < 0 && errno == EINTR);
	return r == 1 ? 0 : lost(w, r);
}

int scan_worker_wait(struct scan_worker *w)
{
	uint8_t slot;
	ssize_t r;

	do
		r = recv(w->fd, &slot, 1, 0);
	while (r < 0 && errno == EINTR);
	return r == 1 ? slot : lost(w, r);
}
