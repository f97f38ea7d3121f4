/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * role - what all roles but the supervisor have in common
 *
 * Enter the sandbox, take the set-up, keep one channel to each peer, stop in order. A
 * role lists which messages it accepts from whom; any other ends the connection.
 */

#include "pipeline/setup.h"
#include "proc/channel.h"

struct role_args {
	enum role_id id;
	const char *config_dir;
	const char *state_dir;
	const char *user;
	const char *log;    /* as log_options_encode() writes it; NULL: stderr */
	bool runs_commands; /* runner only: it needs all rights */
	bool uses_xdp;      /* enforcer only: SPAWN_EXTRA_FD is its BPF directory */
	bool dry_run;       /* loader only: whatever the configuration says */
};

struct role {
	const struct role_args *args;
	struct loop *loop;
	struct channel *ctl;
	struct setup *setup; /* the running one; NULL before the first */
	struct channel *peers[ROLE_N];
	const struct role_fns *fns;
	void *ctx;
	bool is_stopping;
};

struct role_permit {
	enum role_id from;
	enum message_type type;
};

struct role_fns {
	const struct role_permit *permits; /* ends with type 0 */

	/* The first set-up is there. Negative errno with @e: the role cannot work, and
	 * exits. */
	int (*start)(struct role *r, struct err *e);
	/* Another set-up; role->setup is @new already, @old is freed afterwards. */
	void (*reload)(struct role *r, const struct setup *old);
	void (*peer)(struct role *r, enum role_id who); /* connected, or again */
	void (*peer_gone)(struct role *r, enum role_id who);
	void (*message)(struct role *r, enum role_id from, struct message *m);
	/* From the supervisor, beyond what role.c handles itself. May be NULL. */
	void (*control)(struct role *r, struct message *m);
	/* Finish what is begun, then call role_stopped(). */
	void (*stop)(struct role *r);
	void (*deinit)(struct role *r);
};

/* Runs until stopped. Return: exit code. */
int role_run(const struct role_args *args, const struct role_fns *fns, void *ctx);

void role_ready(struct role *r);   /* tell the supervisor: serving */
void role_stopped(struct role *r); /* tell the supervisor, and leave the loop */

/* Send to a peer if it is connected. Return: 0, -ENOTCONN, or as channel_send(). */
int role_send(struct role *r, enum role_id to, enum message_type type,
    const struct buf *body, int pass_fd);

/* Answer request @id of the front with @json, in as many MSG_REPLY as it takes. */
void role_reply(struct role *r, uint64_t id, struct span json);

/* One entry point per role. */
int loader_main(const struct role_args *args);
int reader_main(const struct role_args *args);
int engine_main(const struct role_args *args);
int enforcer_main(const struct role_args *args);
int runner_main(const struct role_args *args);
int resolver_main(const struct role_args *args);
int keeper_main(const struct role_args *args);
int front_main(const struct role_args *args);
int policy_main(const struct role_args *args);
int mailer_main(const struct role_args *args);
