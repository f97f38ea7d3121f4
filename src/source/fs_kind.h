/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * fs_kind - can inotify serve on this file system?
 *
 * The kernel tells of changes that went through itself only: what another machine or a
 * user-space file system changes, nobody reports.
 */

/* Return: name of the file system if it has to be polled ("NFS"), NULL if not (or
 * unknown). */
const char *fs_kind_polled(int fd);
const char *fs_kind_polled_at(const char *path);
