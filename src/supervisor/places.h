/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * places - the directories, the lock, the control socket and the log of a running
 * bandogd
 *
 * Made once by the supervisor, as root, before any role starts.
 */

#include "base/err.h"
#include "pipeline/setup.h"
#include "supervisor/supervisor.h"

struct places {
	char *config_dir; /* absolute: the daemon leaves its working directory */
	char *state_dir;
	char *run_dir;
	char *state_arg; /* "--state-dir=..." for roles */
	char *log_path;  /* NULL: no file */
	struct log_options log;
	char *log_arg;  /* "--log=..." for roles */
	char *pid_path; /* NULL: no further file */
	int lock_fd;
	int network_fd; /* a name that one bandogd in a network namespace holds */
	int state_fd;
	int listen_fd;
	int f2b_fd; /* the same for fail2ban's protocol */
};

/* Make the run directory and take its lock: one bandogd per run directory and, unless
 * it is a dry run, per network namespace. */
int places_take(struct places *p, const struct supervisor_args *args, struct err *e);

/* State directory (owned by the set-up's user), control socket, log target (in the
 * foreground stderr or stdout). */
int places_open(
    struct places *p, const struct setup *s, bool foreground, struct err *e);

/**
 * places_daemonize() - go to the background
 * @out_ready_fd: in the background process: write a byte there once it serves
 *
 * Return: 0 in the background process; in the foreground one 1 + exit code, after the
 * other serves or has given up; negative errno.
 */
int places_daemonize(struct places *p, int *out_ready_fd);

/* After rotation: our stderr becomes the file anew. Return: false if it does not. */
bool places_reopen_log(struct places *p);
/* The further file with our number. One that names another living process stays. */
void places_write_pid(struct places *p);
/* Whoever asks who holds network_fd knows it now: make room for the next. */
void places_answer(const struct places *p);
void places_release(struct places *p); /* removes the socket, and that file */
