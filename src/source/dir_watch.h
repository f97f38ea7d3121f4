/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * dir_watch - which sources does an event in a directory concern?
 *
 * An inotify instance for directories, and for each of them the names on which a source
 * depends. Keeps no paths: a directory is its watch descriptor. A source that depends
 * on many names of one directory is taken to depend on all of them.
 */

#include "base/cleanup.h"
#include "base/str.h"

#define DIR_WATCH_MAX_NAMES 16 /* per source and directory */

struct dir_watch;

enum { DIR_WATCH_OVERFLOW = 1 }; /* events were lost: look at everything */

/* Return: NULL with errno set. */
struct dir_watch *dir_watch_new(size_t max_dirs);
struct dir_watch *dir_watch_free(struct dir_watch *d);
DEFINE_CLEANUP(struct dir_watch *, dir_watch_free)

int dir_watch_fd(const struct dir_watch *d);

/**
 * dir_watch_add() - @source wants to know when @name in @real_dir comes, goes or
 * changes
 * @round: number of this look at the source; see dir_watch_drop_old()
 *
 * Return: 0, -ENOENT or -ENOTDIR (it has just gone), -ENOSPC (max_dirs, or the kernel's
 * limit), other negative errno.
 */
int dir_watch_add(struct dir_watch *d, uint32_t source, uint64_t round,
    const char *real_dir, struct span name, bool is_pattern);

/* Forget what @source did not ask for again in @round. */
void dir_watch_drop_old(struct dir_watch *d, uint32_t source, uint64_t round);

/**
 * dir_watch_read() - take the events that are there, up to some number
 * @fn: called for each event and source that it concerns
 *
 * Return: 0, DIR_WATCH_OVERFLOW, or negative errno.
 */
int dir_watch_read(
    struct dir_watch *d, void (*fn)(void *ctx, uint32_t source), void *ctx);
