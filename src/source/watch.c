/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * watch - which files do the log paths mean now? (the reader's half of the source)
 *
 * No event is believed in detail: an event in a directory only says which sources to
 * look at again, and the look is always the same one, from "/" down. So there is one
 * state, whatever order renames, deletions and events come in. Directories are put
 * under watch before they are looked at; nothing can fall between.
 */
#include "source/watch.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/hash.h"
#include "source/dir_watch.h"
#include "source/fs_kind.h"
#include "source/walk.h"

#define NOTE_BYTES 256

struct source {
	char *glob;
	bool dirty;   /* look at it when the events are read */
	bool polled;  /* events alone are not enough to keep up with it */
	bool scanned; /* at least once */
};

struct file_key {
	uint64_t dev, ino, source;
};

/* A file that was handed out. */
struct file {
	struct file_key key;
	int64_t born_ns;
	uint64_t round; /* of the last look that saw it */
	char *path;
	UT_hash_handle hh;
};

struct noted {
	uint64_t hash;
	UT_hash_handle hh;
};

struct watch {
	struct watch_fns fns;
	int files_fd;
	size_t max_files;
	struct dir_watch *dirs; /* NULL: everything is polled */
	int dirs_error;         /* why, as errno; 0: so wanted */
	struct source *sources;
	size_t n_sources;
	uint64_t round;
	struct file *files;
	struct noted *notes;
};

/* A file that was not handed out yet. */
struct candidate {
	char *path, *real;
};

/* One look at one source. */
struct look {
	struct watch *w;
	uint32_t source;
	bool incomplete; /* what was not seen may yet be there */
	bool unsettled;  /* look again soon */
	struct candidate *items;
	size_t n, room;
};

static void tell(struct watch *w, uint32_t source, const char *path, const char *text)
{
	CLEANUP(buf_deinit) struct buf b = BUF_INIT(16384);
	struct noted *n;
	uint64_t hash;

	if (HASH_COUNT(w->notes) >= WATCH_MAX_NOTES)
		return;
	buf_printf(&b, "%" PRIu32 "\n%s\n%s", source, path, text);
	hash = hash_keyed(buf_str(&b), buf_span(&b).n);
	HASH_FIND(hh, w->notes, &hash, sizeof(hash), n);
	if (n)
		return;
	n = calloc(1, sizeof(*n));
	if (!n)
		return;
	n->hash = hash;
	HASH_ADD(hh, w->notes, hash, sizeof(hash), n);
	if (!n->hh.tbl)
		free(n);
	else
		w->fns.note(w->fns.ctx, source, path, text);
}

static void tell_errno(
    struct watch *w, uint32_t source, const char *path, const char *what, int error)
{
	char text[NOTE_BYTES];

	snprintf(text, sizeof(text), "%s: %s", what, strerror(error));
	tell(w, source, path, text);
}

struct watch *watch_new(int files_fd, bool poll_always,
    const struct watch_source *sources, size_t n_sources, const struct watch_fns *fns,
    struct err *e)
{
	CLEANUP(watch_freep) struct watch *w = calloc(1, sizeof(*w));

	if (w)
		w->sources = calloc(n_sources + 1, sizeof(*w->sources));
	if (!w || !w->sources)
		goto no_memory;
	w->fns = *fns;
	w->files_fd = poll_always ? -1 : files_fd;
	w->max_files = WATCH_MAX_FILES;
	w->n_sources = n_sources;
	for (size_t i = 0; i < n_sources; i++) {
		if (*sources[i].glob != '/') {
			err_set(e, -EINVAL, "log path '%s' does not begin with '/'",
			    sources[i].glob);
			return NULL;
		}
		w->sources[i].glob = strdup(sources[i].glob);
		if (!w->sources[i].glob)
			goto no_memory;
	}
	if (w->files_fd >= 0) {
		w->dirs = dir_watch_new(WATCH_MAX_DIRS);
		w->dirs_error = w->dirs ? 0 : errno;
	}
	return TAKE(w);
no_memory:
	err_set(e, -ENOMEM, "out of memory for the log paths");
	return NULL;
}

static void drop_file(struct watch *w, struct file *f)
{
	HASH_DEL(w->files, f);
	free(f->path);
	free(f);
}

struct watch *watch_free(struct watch *w)
{
	struct file *f, *next_f;
	struct noted *n, *next_n;

	if (!w)
		return NULL;
	HASH_ITER (hh, w->files, f, next_f)
		drop_file(w, f);
	HASH_ITER (hh, w->notes, n, next_n) {
		HASH_DEL(w->notes, n);
		free(n);
	}
	dir_watch_free(w->dirs);
	for (size_t i = 0; w->sources && i < w->n_sources; i++)
		free(w->sources[i].glob);
	free(w->sources);
	free(w);
	return NULL;
}

void watch_set_max_files(struct watch *w, size_t max_files)
{
	if (max_files < WATCH_MAX_FILES)
		w->max_files = max_files;
}

int watch_fd(const struct watch *w)
{
	return w->dirs ? dir_watch_fd(w->dirs) : -1;
}

unsigned int watch_poll_ms(const struct watch *w)
{
	for (size_t i = 0; i < w->n_sources; i++)
		if (!w->dirs || w->sources[i].polled)
			return WATCH_POLL_MS;
	return WATCH_CALM_MS;
}

/* Seen by walk_glob(): a directory on which the answer depends. */
static void on_dir(void *ctx, const char *real_dir, struct span name, bool is_pattern)
{
	struct look *l = ctx;
	struct watch *w = l->w;
	const char *kind = fs_kind_polled_at(real_dir);
	char text[NOTE_BYTES];
	int r;

	if (!w->dirs)
		return;
	if (kind) {
		l->unsettled = true;
		snprintf(text, sizeof(text),
		    "is on %s, which does not tell of changes: looking every second",
		    kind);
		tell(w, l->source, real_dir, text);
		return;
	}
	r = dir_watch_add(w->dirs, l->source, w->round, real_dir, name, is_pattern);
	if (!r || r == -ENOENT || r == -ENOTDIR)
		return;
	l->unsettled = true;
	tell_errno(
	    w, l->source, real_dir, "cannot be watched, looking every second", -r);
}

static struct file *find_file(
    struct watch *w, uint32_t source, const struct walk_identity *id)
{
	struct file_key key = {id->dev, id->ino, source};
	struct file *f;

	HASH_FIND(hh, w->files, &key, sizeof(key), f);
	return f;
}

/* Is it one that was handed out? Then it stays, by the first path that leads to it. */
static bool mark_seen(struct look *l, const struct walk_found *found)
{
	struct file *f = find_file(l->w, l->source, &found->id);
	char *path;

	/* The number of a deleted file, born again: that one is gone. */
	if (!f || f->born_ns != found->id.born_ns)
		return false;
	if (f->round == l->w->round)
		return true;
	f->round = l->w->round;
	if (strcmp(f->path, found->path) && (path = strdup(found->path))) {
		free(f->path);
		f->path = path;
	}
	return true;
}

static int on_found(void *ctx, const struct walk_found *found)
{
	struct look *l = ctx;
	struct candidate *c;

	if (mark_seen(l, found))
		return 0;
	if (l->n == l->w->max_files) {
		tell(l->w, l->source, l->w->sources[l->source].glob,
		    "means too many files: the rest is not read");
		return 0;
	}
	if (l->n == l->room) {
		size_t room = l->room ? 2 * l->room : 8;

		c = reallocarray(l->items, room, sizeof(*c));
		if (!c)
			return -ENOMEM;
		l->items = c;
		l->room = room;
	}
	c = &l->items[l->n++];
	*c = (struct candidate){strdup(found->path), strdup(found->real)};
	return c->path && c->real ? 0 : -ENOMEM;
}

static void on_trouble(void *ctx, enum walk_trouble what, const char *path, int error)
{
	struct look *l = ctx;

	switch (what) {
	case WALK_CANNOT_LOOK:
		l->incomplete = true;
		tell_errno(l->w, l->source, path, "cannot be looked at", error);
		break;
	case WALK_FORBIDDEN:
	case WALK_TOO_DEEP:
		tell_errno(l->w, l->source, path, "cannot be looked at", error);
		break;
	case WALK_NOT_REGULAR:
		tell(l->w, l->source, path, "is not a regular file, not read");
		break;
	}
}

static struct file *add_file(
    struct watch *w, uint32_t source, const struct walk_identity *id, const char *path)
{
	struct file *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	f->key = (struct file_key){id->dev, id->ino, source};
	f->born_ns = id->born_ns;
	f->round = w->round;
	f->path = strdup(path);
	if (f->path)
		HASH_ADD(hh, w->files, key, sizeof(f->key), f);
	if (!f->path || !f->hh.tbl) {
		free(f->path);
		free(f);
		return NULL;
	}
	return f;
}

/* A watch on the open file itself, whatever its path leads to by now. Return: -1 none.
 */
static int watch_file(struct watch *w, uint32_t source, const char *path, int fd)
{
	const char *kind = fs_kind_polled(fd);
	char text[NOTE_BYTES];
	int wd;

	if (w->files_fd < 0)
		return -1;
	if (kind) {
		snprintf(text, sizeof(text),
		    "is on %s, which does not tell of writes: looking every second",
		    kind);
		tell(w, source, path, text);
		return -1;
	}
	snprintf(text, sizeof(text), "/proc/self/fd/%d", fd);
	wd = inotify_add_watch(w->files_fd, text, IN_MODIFY);
	if (wd < 0)
		tell_errno(
		    w, source, path, "cannot be watched, looking every second", errno);
	return wd;
}

static void on_open_failed(struct look *l, const struct candidate *c, int error)
{
	/* It has just gone or become a link: the next look tells more. */
	if (error == ENOENT || error == ENOTDIR || error == ELOOP) {
		l->unsettled = true;
		return;
	}
	/* Nobody tells when there is room again; a right given later is told by event.
	 */
	if (error != EACCES && error != EPERM)
		l->unsettled = true;
	tell_errno(l->w, l->source, c->path, "cannot be opened", error);
}

static void open_candidate(struct look *l, const struct candidate *c)
{
	struct watch *w = l->w;
	CLEANUP(fd_closep)
	int fd =
	    open(c->real, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC | O_NOFOLLOW);
	struct watch_file f = {.source = l->source, .path = c->path};
	struct walk_identity id;
	unsigned int mode;

	if (fd < 0) {
		on_open_failed(l, c, errno);
		return;
	}
	/* Between the look and the opening it may have become another one. */
	if (walk_identify(fd, "", &id, &mode)) {
		l->unsettled = true;
		return;
	}
	if (!S_ISREG(mode)) {
		tell(w, l->source, c->path, "is not a regular file, not read");
		return;
	}
	if (find_file(w, l->source, &id))
		return;
	f.wd = watch_file(w, l->source, c->path, fd);
	if (!add_file(w, l->source, &id, c->path)) {
		l->unsettled = true;
		return;
	}
	f.dev = id.dev;
	f.ino = id.ino;
	f.first_scan = !w->sources[l->source].scanned;
	f.fd = TAKE_FD(fd);
	w->fns.opened(w->fns.ctx, &f);
}

static void let_go(struct look *l)
{
	struct watch *w = l->w;
	struct file *f, *next;

	HASH_ITER (hh, w->files, f, next) {
		if (f->key.source != l->source || f->round == w->round)
			continue;
		w->fns.gone(w->fns.ctx, l->source, f->path, f->key.dev, f->key.ino);
		drop_file(w, f);
	}
}

static int compare_candidates(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;

	return strcmp(x->path, y->path);
}

static void open_new(struct look *l)
{
	struct watch *w = l->w;

	if (l->n)
		qsort(l->items, l->n, sizeof(*l->items), compare_candidates);
	for (size_t i = 0; i < l->n; i++) {
		if (HASH_COUNT(w->files) >= w->max_files) {
			tell(w, l->source, l->items[i].path,
			    "too many files are open: not read");
			break;
		}
		open_candidate(l, &l->items[i]);
	}
}

static void look_at(struct watch *w, uint32_t source)
{
	struct source *s = &w->sources[source];
	struct look l = {.w = w, .source = source};
	struct walk_fns fns = {&l, on_dir, on_found, on_trouble};
	int r;

	w->round++;
	s->dirty = false;
	if (!w->dirs && w->dirs_error)
		tell_errno(w, source, s->glob, "no inotify, looking every second",
		    w->dirs_error);
	r = walk_glob(s->glob, &fns);
	if (r == -ENOMEM) {
		l.incomplete = true;
	} else {
		if (!l.incomplete)
			let_go(&l);
		open_new(&l);
		s->scanned = true;
	}
	if (!l.incomplete && w->dirs)
		dir_watch_drop_old(w->dirs, source, w->round);
	s->polled = l.unsettled || l.incomplete;
	for (size_t i = 0; i < l.n; i++) {
		free(l.items[i].path);
		free(l.items[i].real);
	}
	free(l.items);
}

void watch_rescan(struct watch *w)
{
	for (size_t i = 0; i < w->n_sources; i++)
		look_at(w, (uint32_t)i);
}

static void on_concerned(void *ctx, uint32_t source)
{
	struct watch *w = ctx;

	w->sources[source].dirty = true;
}

int watch_on_readable(struct watch *w)
{
	int r;

	if (!w->dirs)
		return 0;
	r = dir_watch_read(w->dirs, on_concerned, w);
	if (r == DIR_WATCH_OVERFLOW) {
		watch_rescan(w);
		return 0;
	}
	for (size_t i = 0; i < w->n_sources; i++)
		if (w->sources[i].dirty)
			look_at(w, (uint32_t)i);
	return r;
}
