/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * command - one shell script: started in a session of its own, watched, ended in time
 *
 * Standard input is /dev/null; what it prints is kept, the first COMMAND_OUTPUT_MAX
 * bytes. When its time is over the whole session gets SIGTERM and, 200 ms later,
 * SIGKILL. Children that it leaves behind in the background go on.
 */

#include "base/buf.h"
#include "base/err.h"
#include "base/loop.h"

#define COMMAND_OUTPUT_MAX 4096

struct command;

struct command_result {
	int code;     /* exit status; 128 + signal when a signal ended it */
	bool is_late; /* ended because its time was over */
	struct span output;
};

/* The command is freed by then; @r dies after the call. */
typedef void (*command_fn)(void *ctx, const struct command_result *r);

/**
 * command_start() - /bin/sh -c @script
 * @env: NAME=value strings, each ended by a NUL, beside PATH, LANG and TZ
 *
 * Return: NULL with @e; @done is not called then.
 */
struct command *command_start(struct loop *l, const char *script, struct span env,
    uint64_t timeout_ms, command_fn done, void *ctx, struct err *e);

/* End it without a call of its function. NULL-safe, returns NULL. */
struct command *command_kill(struct command *c);
