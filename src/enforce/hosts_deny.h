/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * hosts_deny - bans in tcp_wrappers' hosts.deny (hosts_access(5))
 *
 * Our lines stand in one marked block at the end of the file; all other lines are left
 * byte for byte. The file is replaced in one step. Bounded by HOSTS_DENY_MAX entries.
 */

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/net.h"

#define HOSTS_DENY_MAX 100000

struct hosts_deny;

enum { HOSTS_DENY_FULL = 1 };

/**
 * hosts_deny_open()
 * @path:    usually /etc/hosts.deny
 * @daemons: the daemon list to write, usually "ALL"
 */
struct hosts_deny *hosts_deny_open(
    const char *path, const char *daemons); /* NULL: memory */
struct hosts_deny *hosts_deny_close(struct hosts_deny *h);
DEFINE_CLEANUP(struct hosts_deny *, hosts_deny_close)

/*
 * In memory only, until hosts_deny_write(). What was added twice (by two jails) stays
 * until it was removed twice. Return: 0, HOSTS_DENY_FULL, -ENOMEM.
 */
int hosts_deny_add(struct hosts_deny *h, const struct net *n);
void hosts_deny_remove(struct hosts_deny *h, const struct net *n);
void hosts_deny_clear(struct hosts_deny *h);
bool hosts_deny_is_changed(const struct hosts_deny *h);

/*
 * hosts_deny_render() - what the file should hold, given what it holds
 *
 * All lines of @old but our block, then our block as it is now; an empty block is taken
 * out whole. Only a missing newline at the end of @old is added, when a block follows.
 * Where one of the two marks is gone, the block is what borders on the other one and
 * looks like ours. Check @out->failed afterwards.
 */
void hosts_deny_render(const struct hosts_deny *h, struct span old, struct buf *out);

/* Make the file so, if it is not. */
int hosts_deny_write(struct hosts_deny *h, struct err *e);
