/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "enforce/guard_file.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/fd.h"

#define MAX_TRIES 8  /* a way that changes while we walk it */
#define MAX_READS 16 /* at once; the loop comes back for the others */
#define FOLDER_MASK                                                             \
	(IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_CLOSE_WRITE | \
	    IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR)
#define FILE_MASK IN_CLOSE_WRITE

struct watch {
	int wd;
	char name[NAME_MAX + 1]; /* in that folder; "": whatever happens */
};

struct guard_file {
	char *path;
	int fd;
	struct watch watches[GUARD_FILE_MAX_WATCHES];
	size_t n;
};

struct guard_file *guard_file_new(const char *path)
{
	CLEANUP(guard_file_freep) struct guard_file *f = calloc(1, sizeof(*f));

	assert(*path == '/');
	if (!f)
		return NULL;
	f->fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	f->path = strdup(path);
	return f->fd >= 0 && f->path ? TAKE(f) : NULL;
}

struct guard_file *guard_file_free(struct guard_file *f)
{
	if (!f)
		return NULL;
	fd_closep(&f->fd);
	free(f->path);
	free(f);
	return NULL;
}

int guard_file_fd(const struct guard_file *f)
{
	return f->fd;
}

/* --- watching ----------------------------------------------------------------------
 */

static int watch(
    struct guard_file *f, const char *path, uint32_t mask, const char *name)
{
	if (f->n == GUARD_FILE_MAX_WATCHES)
		return -ELOOP;
	if (strlen(name) > NAME_MAX)
		return -ENAMETOOLONG;
	int wd = inotify_add_watch(f->fd, path, mask);

	if (wd < 0)
		return -errno;
	struct watch *w = &f->watches[f->n++];

	w->wd = wd;
	(void)snprintf(w->name, sizeof(w->name), "%s", name);
	return 0;
}

/* Cut @path in two. Return: the name; @path is the folder, "/" if nothing is left. */
static void cut(char *path, char name[PATH_MAX])
{
	char *slash = strrchr(path, '/');

	(void)snprintf(name, PATH_MAX, "%s", slash + 1);
	slash[slash == path] = '\0';
}

static bool is_missing(int r)
{
	return r == -ENOENT || r == -ENOTDIR;
}

/* The nearest folder that exists, for the name in it that would lead on.
 * Return: 0, 1 (there is more now: walk again), or negative errno. */
static int watch_above(struct guard_file *f, char *path)
{
	char name[PATH_MAX], whole[PATH_MAX];
	int r = -ENOENT;

	while (is_missing(r) && strcmp(path, "/") != 0) {
		(void)snprintf(whole, sizeof(whole), "%s", path);
		cut(path, name);
		r = watch(f, path, FOLDER_MASK, name);
	}
	return r < 0 ? r : access(whole, F_OK) == 0;
}

/* What a link says, in place of its path. Return: 1, 0 (no link, or none there), or
 * negative errno. */
static int follow(const char *folder, char *path)
{
	char target[PATH_MAX];
	ssize_t n = readlink(path, target, sizeof(target) - 1);

	if (n <= 0)
		return n == 0 || errno == EINVAL || is_missing(-errno) ? 0 : -errno;
	target[n] = '\0';
	int len = *target == '/' ? snprintf(path, PATH_MAX, "%s", target)
				 : snprintf(path, PATH_MAX, "%s/%s", folder, target);

	return len < PATH_MAX ? 1 : -ENAMETOOLONG;
}

/* Return: as watch_above(). */
static int walk(struct guard_file *f)
{
	char path[PATH_MAX], folder[PATH_MAX], name[PATH_MAX];
	int r = 1;

	if (snprintf(path, sizeof(path), "%s", f->path) >= PATH_MAX)
		return -ENAMETOOLONG;
	while (r > 0) {
		(void)snprintf(folder, sizeof(folder), "%s", path);
		cut(folder, name);
		r = watch(f, folder, FOLDER_MASK, name);
		if (is_missing(r))
			return watch_above(f, folder);
		if (!r)
			r = follow(folder, path);
	}
	if (!r)
		r = watch(f, f->path, FILE_MASK, "");
	return is_missing(r) ? 0 : r;
}

static void forget(struct guard_file *f)
{
	while (f->n > 0)
		(void)inotify_rm_watch(f->fd, f->watches[--f->n].wd);
}

int guard_file_arm(struct guard_file *f)
{
	int r = 1;

	for (int i = 0; i < MAX_TRIES && r > 0; i++) {
		forget(f);
		r = walk(f);
	}
	return r > 0 ? -EAGAIN : r;
}

/* --- hearing -----------------------------------------------------------------------
 */

/* Events of watches that are no longer ours mean nothing. @name: "" or terminated. */
static bool matters(const struct guard_file *f, int wd, uint32_t mask, const char *name)
{
	if (mask & IN_Q_OVERFLOW)
		return true;
	for (size_t i = 0; i < f->n; i++) {
		const struct watch *w = &f->watches[i];

		if (w->wd == wd && (!*name || !*w->name || !strcmp(w->name, name)))
			return true;
	}
	return false;
}

int guard_file_hear(struct guard_file *f)
{
	alignas(struct inotify_event) char room[8192];
	int found = 0;

	for (int i = 0; i < MAX_READS; i++) {
		ssize_t n = read(f->fd, room, sizeof(room));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			break;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		const char *p = room, *end = room + n;

		while ((size_t)(end - p) >= sizeof(struct inotify_event)) {
			const struct inotify_event *e = (const void *)p;

			found |= matters(f, e->wd, e->mask, e->len ? e->name : "");
			p += sizeof(*e) + e->len;
		}
	}
	return found;
}
