/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * fd - descriptors: owning, passing, and whole-file work
 */

#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"

void fd_closep(int *fd); /* for CLEANUP(): closes unless negative */
#define TAKE_FD(fd)                  \
	__extension__({              \
		int take_fd_ = (fd); \
		(fd) = -1;           \
		take_fd_;            \
	})

int fd_set_nonblock(int fd, bool on);
int fd_set_cloexec(int fd, bool on);

/* Write all of it, through EINTR and short writes. Return: 0 or negative errno. */
int fd_write_all(int fd, const void *p, size_t n);

/* Send what a stream socket takes now, and take it off @b. Return: 0 (also when nothing
 * went), or negative errno: the peer is gone. */
int fd_send_some(int fd, struct buf *b);

/**
 * fd_read_file() - a whole regular file
 * @dirfd, @path: as for openat()
 * @out:          filled; its cap is the largest file accepted
 *
 * Return: 0, -EFBIG over the cap, or negative errno.
 */
int fd_read_file(int dirfd, const char *path, struct buf *out);

/**
 * fd_replace_file() - put @content in place of @path in one step
 *
 * Writes a temporary file beside it, fsyncs, takes over owner and mode of the old file
 * (@mode when there was none), renames. A symbolic link is followed, not replaced.
 *
 * Return: 0 or negative errno; on failure the old file is untouched.
 */
int fd_replace_file(const char *path, struct span content, mode_t mode, struct err *e);
