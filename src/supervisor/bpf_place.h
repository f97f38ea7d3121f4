/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * bpf_place - the directory in which XDP's maps and links are pinned
 *
 * BPF_PLACE_DIR belongs to the enforcer's user, and can be reached only by a descriptor
 * of it where, as with systemd, the file system above is root's alone. A directory of
 * another user is not taken. Who holds its lock uses it, so a second
 * bandogd leaves the first one's alone. It is never made where no BPF file system is
 * mounted; systemd mounts one.
 */

#include "base/err.h"

#define BPF_PLACE_ROOT "/sys/fs/bpf"
#define BPF_PLACE_DIR BPF_PLACE_ROOT "/bandog"

/* Make it, take its lock. Return: a descriptor, or negative errno with @e. */
int bpf_place_open(const char *user, struct err *e);

/* Take all out of the kernel that is pinned there, and remove it: also what an earlier
 * run left, when @fd is -1. @fd is closed and becomes -1. */
void bpf_place_remove(int *fd);
