/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * guard_file - one file is followed by its name, through symbolic links
 *
 * For /etc/resolv.conf, which often is a link into /run, where what it leads to is
 * replaced by another file. An inotify(7) instance watches the folder of each link on
 * the way and of the file, for that one name; and the file itself, which need not be
 * written by this name (a bind mount). Where a folder is missing the nearest one above
 * it is watched for what is missing. At most GUARD_FILE_MAX_WATCHES watches.
 */

#include "base/cleanup.h"

#define GUARD_FILE_MAX_WATCHES 32

struct guard_file;

/* Watches nothing yet. NULL with errno: out of memory, or of inotify instances. */
struct guard_file *guard_file_new(const char *path); /* absolute */
struct guard_file *guard_file_free(struct guard_file *f);
DEFINE_CLEANUP(struct guard_file *, guard_file_free)

int guard_file_fd(const struct guard_file *f); /* readable: guard_file_hear() */

/**
 * guard_file_arm() - watch what is there now; then read the file
 *
 * Return: 0, or negative errno: not all of it could be watched.
 */
int guard_file_arm(struct guard_file *f);

/* Return: 1 it may have changed: arm, and read it; 0 it has not; negative errno. */
int guard_file_hear(struct guard_file *f);
