/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fd - descriptors and whole files
 */

#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHUNK_BYTES 16384

void fd_closep(int *fd)
{
	int saved = errno;

	/* Nobody could do anything about a failing close(); errno is the caller's. */
	if (*fd >= 0)
		(void)close(*fd);
	errno = saved;
}

int fd_set_nonblock(int fd, bool on)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0)
		return -errno;
	flags = on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK;
	return fcntl(fd, F_SETFL, flags) < 0 ? -errno : 0;
}

int fd_set_cloexec(int fd, bool on)
{
	int flags = fcntl(fd, F_GETFD);

	if (flags < 0)
		return -errno;
	flags = on ? flags | FD_CLOEXEC : flags & ~FD_CLOEXEC;
	return fcntl(fd, F_SETFD, flags) < 0 ? -errno : 0;
}

int fd_write_all(int fd, const void *p, size_t n)
{
	const char *at = p;

	while (n > 0) {
		ssize_t done = write(fd, at, n);

		if (done < 0) {
			if (errno == EINTR)
				continue;
			return -errno;
		}
		at += done;
		n -= (size_t)done;
	}
	return 0;
}

int fd_send_some(int fd, struct buf *b)
{
	while (b->n) {
		ssize_t n = send(fd, b->p, b->n, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return 0;
		if (n <= 0)
			return n < 0 ? -errno : -EPIPE;
		buf_consume(b, (size_t)n);
	}
	return 0;
}

/* To the end of @fd; the size that stat() tells is 0 for much of /proc. */
static int read_all(int fd, struct buf *out)
{
	char chunk[CHUNK_BYTES];

	for (;;) {
		ssize_t n = read(fd, chunk, sizeof(chunk));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return 0;
		if ((size_t)n > out->cap - out->n)
			return -EFBIG;
		buf_add(out, chunk, (size_t)n);
		if (out->failed)
			return -ENOMEM;
	}
}

int fd_read_file(int dirfd, const char *path, struct buf *out)
{
	CLEANUP(fd_closep) int fd = -1;
	struct stat st;
	int r;

	/* O_NONBLOCK: a FIFO put in place of the file must not hold us up. */
	fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
	buf_clear(out);
	r = read_all(fd, out);
	if (r < 0)
		buf_clear(out);
	return r;
}

/* The file that @path leads to through symbolic links; it need not exist itself. */
static int resolve(const char *path, char **out)
{
	struct stat st;
	char *target = realpath(path, NULL);
	int r = target ? 0 : -errno;

	/* What lstat() sees and realpath() does not is a link into nowhere. */
	if (r == -ENOENT && lstat(path, &st) < 0) {
		target = strdup(path);
		r = target ? 0 : -ENOMEM;
	}
	if (r == 0)
		*out = target;
	return r;
}

/* A new file beside @target, hidden and without its suffix: no glob may pick it up. */
static int open_beside(const char *target, char **out_path)
{
	const char *slash = strrchr(target, '/');
	int n_dir = slash ? (int)(slash - target) + 1 : 0;
	CLEANUP(freep) char *path = NULL;
	int fd;

	if (asprintf(&path, "%.*s.%s.XXXXXX", n_dir, target, target + n_dir) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	fd = mkostemp(path, O_CLOEXEC);
	if (fd < 0)
		return -errno;
	*out_path = TAKE(path);
	return fd;
}

/* Owner first: chown() clears the set-id bits that chmod() may have to keep. */
static int take_over(int fd, const char *target, mode_t mode)
{
	struct stat old, new;

	if (stat(target, &old) < 0)
		return errno != ENOENT || fchmod(fd, mode) < 0 ? -errno : 0;
	if (!S_ISREG(old.st_mode))
		return -EINVAL;
	if (fstat(fd, &new) < 0)
		return -errno;
	if ((old.st_uid != new.st_uid || old.st_gid != new.st_gid) &&
	    fchown(fd, old.st_uid, old.st_gid) < 0)
		return -errno;
	return fchmod(fd, old.st_mode & 07777) < 0 ? -errno : 0;
}

/* The rename is on disk only when the directory is. */
static int sync_dir_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	size_t n = slash ? (size_t)(slash - path) + 1 : 1;
	CLEANUP(freep) char *dir = strndup(slash ? path : ".", n);
	CLEANUP(fd_closep) int fd = -1;

	if (!dir)
		return -ENOMEM;
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	/* Some file systems do not sync directories and say EINVAL. */
	return fsync(fd) < 0 && errno != EINVAL ? -errno : 0;
}

int fd_replace_file(const char *path, struct span content, mode_t mode, struct err *e)
{
	CLEANUP(freep) char *target = NULL;
	CLEANUP(freep) char *fresh = NULL;
	CLEANUP(fd_closep) int fd = -1;
	int r = resolve(path, &target);

	if (r < 0)
		return err_errno(e, r, "%s", path);
	fd = open_beside(target, &fresh);
	if (fd < 0)
		return err_errno(
		    e, fd, "%s: cannot write a new file beside it", target);
	r = fd_write_all(fd, content.p, content.n);
	if (r == 0)
		r = take_over(fd, target, mode);
	if (r == 0 && fsync(fd) < 0)
		r = -errno;
	if (r == 0 && rename(fresh, target) < 0)
		r = -errno;
	if (r < 0) {
		(void)unlink(fresh); /* the first failure is the one to report */
		return err_errno(e, r, "%s: cannot replace it", target);
	}
	r = sync_dir_of(target);
	return r < 0 ? err_errno(e, r, "%s: replaced, but not synced", target) : 0;
}
