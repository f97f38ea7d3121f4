/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * supervisor_private - what supervisor.c (processes, connections, stopping) and
 * supervisor_config.c (the loader, reloads, changes at run time) share
 */

#include <sys/types.h>

#include "base/clock.h"
#include "proc/changes.h"
#include "proc/channel.h"
#include "supervisor/places.h"
#include "supervisor/policy_place.h"
#include "supervisor/supervisor.h"

struct child {
	struct supervisor *owner;
	enum role_id role;
	pid_t pid; /* 0: not running */
	struct channel *ctl;
	struct loop_watch *backoff;
	mono_t started;
	unsigned int n_failures;
	bool is_ready;
	bool runs_commands;    /* the runner, with all rights */
	bool wanted_xdp;       /* the enforcer, when it was started */
	bool uses_xdp;         /* it has the BPF directory */
	bool is_stepping_down; /* stops, to be started with other rights */
};

struct supervisor {
	const struct supervisor_args *args;
	struct places places;
	struct loop *loop;
	struct loop_watch *signals[5];
	struct loop_watch *patience;
	struct loop_watch *network; /* NULL: a dry run */
	struct child children[ROLE_N];
	struct setup *setup;
	int setup_fd;
	uint64_t generation;
	pid_t loader_pid;
	int loader_fd;
	bool reload_again; /* asked while a reload was running */
	struct changes changes;
	bool is_stopping;
	bool is_told_ready;
	int bpf_fd; /* the BPF directory, while a jail uses XDP; or -1 */
	struct policy_place policy;
	int ready_fd; /* daemon: the parent that waits, or -1 */
};

/* supervisor.c */

/* Return: 0, -ENOTCONN, or as channel_send(). @body may be NULL. */
int supervisor_send(
    struct child *c, enum message_type type, const struct buf *body, int fd);
/* There is another set-up: tell those that run, start and stop what it takes. */
void supervisor_roles_take_setup(struct supervisor *s);

/* supervisor_config.c */

/* The first time there is nothing to keep, so it is waited for. Return: exit code. */
int supervisor_load_first(struct supervisor *s);
/* Read the files again; what was set at run time ends if they are good. */
void supervisor_reload(struct supervisor *s);
/* Try what a client wants to set; the front is told how it went. @body: MSG_ASK_CHANGE.
 */
void supervisor_change(struct supervisor *s, struct span body);
/* The loader that ran has ended. */
void supervisor_loader_reaped(struct supervisor *s, int status);
