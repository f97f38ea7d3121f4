/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * spawn - start a role: fork, keep two or three descriptors, execute this program anew
 *
 * A fresh address space layout and nothing inherited but stderr, the channel to the
 * supervisor on SPAWN_CTL_FD and, where given, one more on SPAWN_EXTRA_FD. The
 * environment is cut to TZ and what sanitizers read.
 */

#include <sys/types.h>

#include "base/err.h"
#include "proc/message.h"

#define SPAWN_CTL_FD 3
#define SPAWN_EXTRA_FD 4

/**
 * spawn_role()
 * @args:     more arguments, NULL-terminated, or NULL
 * @ctl_fd:   becomes SPAWN_CTL_FD; -1: none
 * @extra_fd: becomes SPAWN_EXTRA_FD; -1: none
 *
 * The child dies with its parent (PR_SET_PDEATHSIG). Return: 0 or negative errno with
 * @e.
 */
int spawn_role(enum role_id role, const char *const *args, int ctl_fd, int extra_fd,
    pid_t *out_pid, struct err *e);
