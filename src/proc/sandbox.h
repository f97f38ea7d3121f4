/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * sandbox - a role gives up what it does not need, once, before it reads its first byte
 *
 * One place for all of it: user, groups, capabilities, no-new-privileges, limits.
 * ARCHITECTURE.md has the table of rights. seccomp and Landlock have their step here,
 * after the capabilities are gone.
 */

#include <stdbool.h>

#include "base/err.h"
#include "proc/message.h"

/* What a role may need beyond its place in the table. */
struct sandbox_wish {
	/* A runner that runs commands of actions: it keeps all rights, since nobody
	 * knows what those need. */
	bool runs_commands;
	bool uses_xdp; /* an enforcer that loads its program: CAP_BPF */
};

/**
 * sandbox_enter()
 * @role: whose rights
 * @user: account for the roles that are not root; where it does not exist, "nobody"
 * @wish:  NULL: nothing more
 * @root_fd: directory that becomes the role's root (chroot), or -1
 * @e:    also filled when it succeeds with fewer changes than asked (says which)
 *
 * Return: 0; 1 if something could not be had and the role goes on without it (not root,
 * no such user); negative errno if it must not go on.
 */
int sandbox_enter(enum role_id role, const char *user, const struct sandbox_wish *wish,
    int root_fd, struct err *e);

const char *role_name(enum role_id role);
enum role_id role_of_name(const char *name); /* ROLE_N: no such role */
