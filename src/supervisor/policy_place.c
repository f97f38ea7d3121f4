/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/policy_place.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"

#define BACKLOG 128

/* As root we could be led anywhere by who owns the directory; as himself he gains
 * nothing. Of this thread alone, and what it opens: see setfsuid(2). */
static void become(uid_t uid, gid_t gid)
{
	(void)setfsgid(gid);
	(void)setfsuid(uid);
}

/* The directory of @path. Return: 0 or negative errno. */
static int owner_of(const char *path, struct stat *out)
{
	CLEANUP(freep) char *dir = strdup(path);
	char *slash = dir ? strrchr(dir, '/') : NULL;

	if (!slash)
		return dir ? -EINVAL : -ENOMEM;
	slash[slash == dir] = '\0';
	if (lstat(dir, out) < 0)
		return -errno;
	return S_ISDIR(out->st_mode) ? 0 : -ENOTDIR;
}

static bool is_socket(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 && S_ISSOCK(st.st_mode);
}

/* Does somebody else listen there? Of all answers only one says that nobody does. */
static bool is_used(const struct sockaddr_un *a)
{
	CLEANUP(fd_closep)
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	return is_socket(a->sun_path) && fd >= 0 &&
	       (connect(fd, (const struct sockaddr *)a, sizeof(*a)) == 0 ||
		   errno != ECONNREFUSED);
}

/* Only a socket of an earlier run is taken away. */
static void remove_socket(const char *path)
{
	if (is_socket(path))
		(void)unlink(path);
}

static int bind_at(int fd, const char *path)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};

	if (strlen(path) >= sizeof(a.sun_path))
		return -ENAMETOOLONG;
	strcpy(a.sun_path, path);
	if (is_used(&a))
		return -EADDRINUSE;
	remove_socket(path);
	mode_t before = umask(0117);
	int r = bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0 ? -errno : 0;

	umask(before);
	return r;
}

/* Is what is at the path the socket that we have? */
static bool is_ours(const struct policy_place *p)
{
	struct stat st;

	return p->path && lstat(p->path, &st) == 0 && st.st_dev == p->dev &&
	       st.st_ino == p->ino;
}

static int note_ours(struct policy_place *p, const char *path)
{
	struct stat st;

	if (lstat(path, &st) < 0)
		return -errno;
	p->dev = st.st_dev;
	p->ino = st.st_ino;
	return 0;
}

int policy_place_open(struct policy_place *p, const char *path, struct err *e)
{
	struct stat owner;

	if (is_ours(p) && !strcmp(p->path, path))
		return 0;
	policy_place_close(p);
	CLEANUP(fd_closep)
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	CLEANUP(freep) char *copy = strdup(path);

	if (fd < 0 || !copy)
		return err_errno(e, fd < 0 ? -errno : -ENOMEM, "socket");
	int r = owner_of(path, &owner);

	if (!r) {
		become(owner.st_uid, owner.st_gid);
		r = bind_at(fd, path);
		become(geteuid(), getegid());
	}
	if (!r && listen(fd, BACKLOG) < 0)
		r = -errno;
	if (!r)
		r = note_ours(p, path);
	if (r)
		return err_errno(e, r, "%s", path);
	p->fd = TAKE_FD(fd);
	p->path = TAKE(copy);
	return 0;
}

void policy_place_close(struct policy_place *p)
{
	struct stat owner;

	if (is_ours(p) && owner_of(p->path, &owner) == 0) {
		become(owner.st_uid, owner.st_gid);
		remove_socket(p->path);
		become(geteuid(), getegid());
	}
	fd_closep(&p->fd);
	p->fd = -1;
	free(p->path);
	p->path = NULL;
}
