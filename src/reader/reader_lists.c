/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "reader/reader_lists.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "pipeline/ignore_list.h"

#define SETTLE_MS 1000       /* who writes often is not followed at every write */
#define LISTS_CHECK_MS 60000 /* symbolic links, file systems that tell nothing */
#define DIR_EVENTS                                                              \
	(IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE | IN_DELETE | \
	    IN_ONLYDIR)

struct list {
	const char *path;      /* in the set-up */
	struct stat last;      /* as it was handed over */
	bool is_told, is_gone; /* handed over; told to be missing */
};

struct reader_lists {
	struct role *role;
	struct list *lists;
	uint32_t n;
	int fd; /* inotify; -1: none */
	struct loop_watch *on_change;
	struct loop_watch *timer;
	bool is_settling;
};

static bool is_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino &&
	       a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	       a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

static void tell(struct reader_lists *ls, const struct list *l, int fd)
{
	struct buf body = BUF_INIT(MESSAGE_MAX_BYTES);

	pack_str(&body, l->path);
	(void)role_send(ls->role, ROLE_ENGINE, MSG_LIST, &body, fd);
	buf_deinit(&body);
}

static void check(struct reader_lists *ls, struct list *l)
{
	struct stat st;

	if (l->is_told && stat(l->path, &st) == 0 && is_same(&st, &l->last))
		return;
	CLEANUP(fd_closep)
	int fd = open(l->path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		if (!l->is_gone)
			tell(ls, l, -1);
		l->is_gone = true;
		l->is_told = false;
		return;
	}
	l->last = st;
	l->is_told = true;
	l->is_gone = false;
	tell(ls, l, fd);
}

static void on_timer(void *ctx)
{
	struct reader_lists *ls = ctx;

	ls->is_settling = false;
	for (uint32_t i = 0; i < ls->n; i++)
		check(ls, &ls->lists[i]);
	if (ls->n)
		loop_arm(ls->timer, LISTS_CHECK_MS, 0);
}

static void on_change(void *ctx, UNUSED int events)
{
	struct reader_lists *ls = ctx;
	char unused[4096];

	/* What has changed the files themselves tell. */
	while (read(ls->fd, unused, sizeof(unused)) > 0)
		;
	if (!ls->is_settling)
		loop_arm(ls->timer, SETTLE_MS, 0);
	ls->is_settling = true;
}

static bool is_known(const struct reader_lists *ls, const char *path)
{
	for (uint32_t i = 0; i < ls->n; i++)
		if (!strcmp(ls->lists[i].path, path))
			return true;
	return false;
}

static void add(struct reader_lists *ls, const char *path)
{
	struct list *more = realloc(ls->lists, (ls->n + 1) * sizeof(*more));
	const char *slash = strrchr(path, '/');
	CLEANUP(freep)
	char *dir = strndup(path, slash == path ? 1 : (size_t)(slash - path));

	if (!more)
		return;
	ls->lists = more;
	more[ls->n++] = (struct list){.path = path};
	/* A folder that is not there is seen by the slow check. */
	if (dir && ls->fd >= 0)
		(void)inotify_add_watch(ls->fd, dir, DIR_EVENTS);
}

static void collect(struct reader_lists *ls)
{
	const struct setup *s = ls->role->setup;
	struct net unused;

	for (uint32_t i = 0; i < s->n_jails; i++) {
		for (uint32_t k = 0; k < s->jails[i].n_ignore_words; k++) {
			const char *word = s->jails[i].ignore_words[k];

			if (ignore_kind_of(span_of(word), &unused) == IGNORE_FILE &&
			    !is_known(ls, ignore_path_of(word)))
				add(ls, ignore_path_of(word));
		}
	}
}

void reader_lists_stop(struct reader_lists *ls)
{
	ls->on_change = loop_watch_free(ls->on_change);
	fd_closep(&ls->fd);
	ls->fd = -1;
	free(ls->lists);
	ls->lists = NULL;
	ls->n = 0;
	ls->is_settling = false;
	loop_disarm(ls->timer);
}

void reader_lists_begin(struct reader_lists *ls)
{
	reader_lists_stop(ls);
	ls->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	collect(ls);
	if (ls->n && ls->fd >= 0)
		ls->on_change =
		    loop_add_fd(ls->role->loop, ls->fd, LOOP_READ, on_change, ls);
	on_timer(ls);
}

struct reader_lists *reader_lists_new(struct role *r)
{
	struct reader_lists *ls = calloc(1, sizeof(*ls));

	if (!ls)
		return NULL;
	ls->role = r;
	ls->fd = -1;
	ls->timer = loop_add_timer(r->loop, on_timer, ls);
	if (!ls->timer)
		return reader_lists_free(ls);
	return ls;
}

struct reader_lists *reader_lists_free(struct reader_lists *ls)
{
	if (!ls)
		return NULL;
	if (ls->timer)
		reader_lists_stop(ls);
	loop_watch_free(ls->timer);
	free(ls);
	return NULL;
}
