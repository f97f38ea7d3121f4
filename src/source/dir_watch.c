/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dir_watch - which sources does an event in a directory concern?
 */
#include "source/dir_watch.h"

#include <errno.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/hash.h"
#include "source/walk.h"

/* IN_ATTRIB: a file that could not be opened before is now allowed to be read. */
#define DIR_EVENTS                                                         \
	(IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_ATTRIB | \
	    IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR | IN_DONT_FOLLOW)
#define EVENT_BYTES 16384
#define MAX_READS 16

struct interest {
	uint64_t round;
	uint32_t source;
	bool is_pattern;
	char *name; /* NULL: any */
};

struct dir {
	int wd;
	size_t n;
	size_t room;
	struct interest *items;
	UT_hash_handle hh;
};

struct dir_watch {
	int fd;
	size_t max_dirs;
	struct dir *by_wd;
};

struct dir_watch *dir_watch_new(size_t max_dirs)
{
	struct dir_watch *d = calloc(1, sizeof(*d));

	if (!d)
		return NULL;
	d->max_dirs = max_dirs;
	d->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (d->fd < 0) {
		int error = errno;

		free(d);
		errno = error;
		return NULL;
	}
	return d;
}

static void forget_dir(struct dir_watch *d, struct dir *dir)
{
	HASH_DEL(d->by_wd, dir);
	for (size_t i = 0; i < dir->n; i++)
		free(dir->items[i].name);
	free(dir->items);
	free(dir);
}

struct dir_watch *dir_watch_free(struct dir_watch *d)
{
	struct dir *dir, *next;

	if (!d)
		return NULL;
	HASH_ITER (hh, d->by_wd, dir, next)
		forget_dir(d, dir);
	fd_closep(&d->fd);
	free(d);
	return NULL;
}

int dir_watch_fd(const struct dir_watch *d)
{
	return d->fd;
}

static struct dir *new_dir(struct dir_watch *d, int wd)
{
	struct dir *dir = calloc(1, sizeof(*dir));

	if (!dir)
		return NULL;
	dir->wd = wd;
	HASH_ADD_INT(d->by_wd, wd, dir);
	if (!dir->hh.tbl) {
		free(dir);
		return NULL;
	}
	return dir;
}

static bool is_same_name(const struct interest *i, struct span name, bool is_pattern)
{
	return i->name && i->is_pattern == is_pattern &&
	       span_eq(span_of(i->name), name);
}

/* What @source has in @dir for @name, or a place to put it. Return: NULL out of memory.
 */
static struct interest *get_interest(
    struct dir *dir, uint32_t source, struct span name, bool is_pattern)
{
	struct interest *items = dir->items;
	size_t n_names = 0;

	for (size_t i = 0; i < dir->n; i++) {
		if (items[i].source != source)
			continue;
		if (!items[i].name || is_same_name(&items[i], name, is_pattern))
			return &items[i];
		if (++n_names < DIR_WATCH_MAX_NAMES)
			continue;
		/* This one stands for all from now on; the others fall out by age. */
		free(items[i].name);
		items[i].name = NULL;
		return &items[i];
	}
	if (dir->n == dir->room) {
		size_t room = dir->room ? 2 * dir->room : 2;

		items = reallocarray(items, room, sizeof(*items));
		if (!items)
			return NULL;
		dir->items = items;
		dir->room = room;
	}
	items[dir->n] = (struct interest){.source = source, .is_pattern = is_pattern};
	items[dir->n].name = span_dup(name);
	return items[dir->n].name ? &items[dir->n++] : NULL;
}

int dir_watch_add(struct dir_watch *d, uint32_t source, uint64_t round,
    const char *real_dir, struct span name, bool is_pattern)
{
	struct dir *dir;
	struct interest *i;
	/* Asking for the same directory again gives the same number. */
	int wd = inotify_add_watch(d->fd, real_dir, DIR_EVENTS);

	if (wd < 0)
		return -errno;
	HASH_FIND_INT(d->by_wd, &wd, dir);
	if (!dir && HASH_COUNT(d->by_wd) >= d->max_dirs) {
		(void)inotify_rm_watch(d->fd, wd); /* it was just made */
		return -ENOSPC;
	}
	if (!dir)
		dir = new_dir(d, wd);
	i = dir ? get_interest(dir, source, name, is_pattern) : NULL;
	if (!i)
		return -ENOMEM;
	i->round = round;
	return 0;
}

void dir_watch_drop_old(struct dir_watch *d, uint32_t source, uint64_t round)
{
	struct dir *dir, *next;

	HASH_ITER (hh, d->by_wd, dir, next) {
		size_t kept = 0;

		for (size_t i = 0; i < dir->n; i++) {
			struct interest *item = &dir->items[i];

			if (item->source == source && item->round != round)
				free(item->name);
			else
				dir->items[kept++] = *item;
		}
		dir->n = kept;
		if (kept)
			continue;
		/* Fails when the directory has gone, which is just as well. */
		(void)inotify_rm_watch(d->fd, dir->wd);
		forget_dir(d, dir);
	}
}

static void tell_concerned(const struct dir *dir, const char *name,
    void (*fn)(void *ctx, uint32_t source), void *ctx)
{
	for (size_t i = 0; i < dir->n; i++) {
		const struct interest *item = &dir->items[i];

		if (!name || !item->name ||
		    walk_name_fits(item->name, item->is_pattern, name))
			fn(ctx, item->source);
	}
}

static int take_event(struct dir_watch *d, const struct inotify_event *e,
    void (*fn)(void *ctx, uint32_t source), void *ctx)
{
	struct dir *dir;

	if (e->mask & IN_Q_OVERFLOW)
		return DIR_WATCH_OVERFLOW;
	HASH_FIND_INT(d->by_wd, &e->wd, dir);
	if (!dir) /* the tail of what was asked to stop */
		return 0;
	tell_concerned(dir, e->len ? e->name : NULL, fn, ctx);
	if (e->mask & IN_IGNORED)
		forget_dir(d, dir);
	return 0;
}

int dir_watch_read(
    struct dir_watch *d, void (*fn)(void *ctx, uint32_t source), void *ctx)
{
	_Alignas(struct inotify_event) char buf[EVENT_BYTES];
	int outcome = 0;

	for (int i = 0; i < MAX_READS; i++) {
		ssize_t n = read(d->fd, buf, sizeof(buf));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? outcome : -errno;
		for (char *p = buf; p < buf + n;) {
			const struct inotify_event *e = (const void *)p;

			if (take_event(d, e, fn, ctx))
				outcome = DIR_WATCH_OVERFLOW;
			p += sizeof(*e) + e->len;
		}
	}
	return outcome;
}
