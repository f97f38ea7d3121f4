/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The reader opens logs and hands them to the engine. It never reads a byte of a file;
 * journals, which only a library can read, are in reader_journal.c.
 *
 * Whenever an engine connects, everything is begun anew: a fresh inotify instance for
 * file watches, whose twin goes to the engine, and one scan of all paths.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "proc/role.h"
#include "reader/reader_journal.h"
#include "reader/reader_lists.h"
#include "source/watch.h"

#define MAX_DIR_ENTRIES 100000 /* looked at while searching for renamed logs */
#define MAX_SIBLINGS 32

struct reader;

/* What the callbacks of one of the two watches get. */
struct sink {
	struct reader *reader;
	int which;
};

struct reader {
	struct role *role;
	int files_fd; /* file watches: filled here, read by the engine; -1: polling */
	struct watch *watch[2]; /* [0] by inotify, [1] polled */
	uint32_t *source_of[2]; /* index in watch → index in set-up */
	struct loop_watch *on_dirs[2];
	struct loop_watch *poll_timer;
	mono_t poll_at; /* when it is due; 0: it is not armed */
	struct reader_journals *journals;
	struct reader_lists *lists;
	struct sink sinks[2];
};

static void on_opened(void *ctx, const struct watch_file *f)
{
	struct sink *k = ctx;
	struct buf body = BUF_INIT(MESSAGE_MAX_BYTES);

	pack_u32(&body, k->reader->source_of[k->which][f->source]);
	pack_str(&body, f->path);
	pack_i64(&body, f->wd);
	pack_u64(&body, f->dev);
	pack_u64(&body, f->ino);
	pack_bool(&body, f->first_scan);
	pack_bool(&body, false);
	(void)role_send(k->reader->role, ROLE_ENGINE, MSG_FILE, &body, f->fd);
	buf_deinit(&body);
	close(f->fd);
}

static void on_gone(
    void *ctx, uint32_t source, const char *path, uint64_t dev, uint64_t ino)
{
	struct sink *k = ctx;
	struct buf body = BUF_INIT(MESSAGE_MAX_BYTES);

	pack_u32(&body, k->reader->source_of[k->which][source]);
	pack_str(&body, path);
	pack_u64(&body, dev);
	pack_u64(&body, ino);
	(void)role_send(k->reader->role, ROLE_ENGINE, MSG_FILE_GONE, &body, -1);
	buf_deinit(&body);
}

static void on_note(void *ctx, uint32_t source, const char *path, const char *text)
{
	(void)ctx;
	(void)source;
	log_warning(path, "%s", text);
}

static void unwatch(struct reader *d)
{
	for (int i = 0; i < 2; i++) {
		d->on_dirs[i] = loop_watch_free(d->on_dirs[i]);
		d->watch[i] = watch_free(d->watch[i]);
		free(d->source_of[i]);
		d->source_of[i] = NULL;
	}
	reader_journals_stop(d->journals);
	reader_lists_stop(d->lists);
	loop_disarm(d->poll_timer);
	d->poll_at.us = 0;
	fd_closep(&d->files_fd);
	d->files_fd = -1;
}

/* Never later than it was due: where a directory is busy this is asked all the time. */
static void schedule_poll(struct reader *d)
{
	mono_t now = mono_now();
	unsigned int ms = 0;

	for (int i = 0; i < 2; i++) {
		unsigned int one = d->watch[i] ? watch_poll_ms(d->watch[i]) : 0;

		if (one && (!ms || one < ms))
			ms = one;
	}
	if (!ms) {
		loop_disarm(d->poll_timer);
		d->poll_at.us = 0;
		return;
	}
	if (d->poll_at.us && d->poll_at.us <= now.us + ms * INT64_C(1000))
		return;
	d->poll_at.us = now.us + ms * INT64_C(1000);
	loop_arm(d->poll_timer, ms, 0);
}

static void on_poll(void *ctx)
{
	struct reader *d = ctx;

	d->poll_at.us = 0;
	for (int i = 0; i < 2; i++) {
		if (d->watch[i] && watch_poll_ms(d->watch[i]))
			watch_rescan(d->watch[i]);
	}
	schedule_poll(d);
}

static void on_dirs_0(void *ctx, UNUSED int events)
{
	struct reader *d = ctx;

	(void)watch_on_readable(d->watch[0]);
	schedule_poll(d);
}

/* Sources by inotify and polled ones are two groups with a watch each. */
static int watch_group(struct reader *d, int which, struct err *e)
{
	const struct setup *s = d->role->setup;
	CLEANUP(freep)
	struct watch_source *sources = calloc(s->n_sources + 1, sizeof(*sources));
	uint32_t *map = calloc(s->n_sources + 1, sizeof(*map));
	uint32_t n = 0;

	if (!sources || !map) {
		free(map);
		return err_set(e, -ENOMEM, "out of memory");
	}
	for (uint32_t i = 0; i < s->n_sources; i++) {
		if (s->sources[i].is_journal || s->sources[i].poll != (which == 1))
			continue;
		sources[n].glob = s->sources[i].glob;
		map[n++] = i;
	}
	d->source_of[which] = map;
	d->sinks[which] = (struct sink){d, which};
	if (!n)
		return 0;
	struct watch_fns fns = {.ctx = &d->sinks[which],
	    .opened = on_opened,
	    .gone = on_gone,
	    .note = on_note};

	d->watch[which] =
	    watch_new(which ? -1 : d->files_fd, which == 1, sources, n, &fns, e);
	return d->watch[which] ? 0 : -EIO;
}

static void watch_all(struct reader *d)
{
	struct buf body = BUF_INIT(16);
	struct err e = {""};

	unwatch(d);
	if (!d->role->peers[ROLE_ENGINE])
		return;
	d->files_fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (d->files_fd < 0)
		log_warning(
		    NULL, "no inotify (%s): polling every log", strerror(errno));
	pack_bool(&body, d->files_fd >= 0);
	pack_u64(&body, d->role->setup->generation);
	reader_lists_begin(d->lists);
	(void)role_send(d->role, ROLE_ENGINE, MSG_WATCH_FD, &body, d->files_fd);
	for (int i = 0; i < 2; i++) {
		if (watch_group(d, i, &e) < 0)
			log_err(NULL, "cannot watch logs: %s", e.text);
	}
	if (d->watch[0] && watch_fd(d->watch[0]) >= 0)
		d->on_dirs[0] = loop_add_fd(
		    d->role->loop, watch_fd(d->watch[0]), LOOP_READ, on_dirs_0, d);
	for (int i = 0; i < 2; i++) {
		if (d->watch[i])
			watch_rescan(d->watch[i]);
	}
	(void)role_send(d->role, ROLE_ENGINE, MSG_FILES_DONE, NULL, -1);
	buf_deinit(&body);
	schedule_poll(d);
	reader_journals_begin(d->journals);
}

static bool is_our_log(const struct setup *s, const char *path)
{
	for (uint32_t i = 0; i < s->n_sources; i++) {
		if (fnmatch(s->sources[i].glob, path, FNM_PATHNAME) == 0)
			return true;
	}
	return false;
}

/* --- rotated logs ------------------------------------------------------------------
 */

struct sibling {
	int fd;
	struct stat st;
	struct timespec born;
};

struct siblings {
	struct sibling items[MAX_SIBLINGS];
	size_t n;
};

static bool is_compressed(const char *name)
{
	static const char *const endings[] = {
	    ".gz", ".xz", ".bz2", ".zst", ".lz4", ".lzma"};

	for (size_t i = 0; i < ARRAY_LEN(endings); i++) {
		if (span_ends(span_of(name), span_of(endings[i])))
			return true;
	}
	return false;
}

static int cmp_time(const struct timespec *x, const struct timespec *y)
{
	if (x->tv_sec != y->tv_sec)
		return x->tv_sec < y->tv_sec ? -1 : 1;
	return x->tv_nsec < y->tv_nsec ? -1 : x->tv_nsec > y->tv_nsec;
}

static int by_age(const void *a, const void *b)
{
	const struct sibling *x = a, *y = b;
	int born = cmp_time(&x->born, &y->born);

	return born ? born : cmp_time(&x->st.st_mtim, &y->st.st_mtim);
}

/* When the file was made; where the file system does not say, when it was last written.
 */
static struct timespec birth(int fd, const struct stat *st)
{
	struct statx x;

	if (statx(fd, "", AT_EMPTY_PATH, STATX_BTIME, &x) < 0 ||
	    !(x.stx_mask & STATX_BTIME))
		return st->st_mtim;
	return (struct timespec){
	    .tv_sec = x.stx_btime.tv_sec, .tv_nsec = x.stx_btime.tv_nsec};
}

/* mail.log.1 and mail.log-20261124 beside mail.log; not mail.log.2.gz. */
static void add_sibling(
    struct siblings *all, int dir_fd, const char *name, struct span base)
{
	if (!span_starts(span_of(name), base) || strlen(name) == base.n ||
	    is_compressed(name))
		return;
	CLEANUP(fd_closep)
	int fd = openat(
	    dir_fd, name, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC | O_NOFOLLOW);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return;
	if (all->n == MAX_SIBLINGS) { /* only the newest matter: the oldest goes */
		qsort(all->items, all->n, sizeof(all->items[0]), by_age);
		close(all->items[0].fd);
		memmove(
		    &all->items[0], &all->items[1], --all->n * sizeof(all->items[0]));
	}
	struct timespec born = birth(fd, &st);

	all->items[all->n++] =
	    (struct sibling){.fd = TAKE_FD(fd), .st = st, .born = born};
}

static void send_sibling(struct reader *d, const char *path, const struct sibling *x)
{
	struct buf body = BUF_INIT(MESSAGE_MAX_BYTES);

	pack_u32(&body, UINT32_MAX);
	pack_str(&body, path);
	pack_i64(&body, -1);
	pack_u64(&body, x->st.st_dev);
	pack_u64(&body, x->st.st_ino);
	pack_bool(&body, true);
	pack_bool(&body, true);
	(void)role_send(d->role, ROLE_ENGINE, MSG_FILE, &body, x->fd);
	buf_deinit(&body);
}

/*
 * What a log may have been before it was rotated. The engine reads what attackers
 * write, so it gets nothing by this that lies elsewhere or has another name than the
 * logs that the configuration names.
 */
static void find_siblings(struct reader *d, const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash || !is_our_log(d->role->setup, path))
		return;
	CLEANUP(freep) char *dir_path = strndup(path, (size_t)(slash - path) + 1);
	DIR *dir = dir_path ? opendir(dir_path) : NULL;
	struct siblings all = {.n = 0};
	struct dirent *entry;

	for (int n = 0; dir && n < MAX_DIR_ENTRIES && (entry = readdir(dir)); n++)
		add_sibling(&all, dirfd(dir), entry->d_name, span_of(slash + 1));
	if (dir)
		closedir(dir);
	qsort(all.items, all.n, sizeof(all.items[0]), by_age);
	(void)role_send(d->role, ROLE_ENGINE, MSG_SIBLINGS, NULL, -1);
	for (size_t i = 0; i < all.n; i++) {
		send_sibling(d, path, &all.items[i]);
		close(all.items[i].fd);
	}
}

static int reader_start(struct role *r, UNUSED struct err *e)
{
	struct reader *d = r->ctx;

	d->role = r;
	d->poll_timer = loop_add_timer(r->loop, on_poll, d);
	d->journals = reader_journals_new(r);
	d->lists = reader_lists_new(r);
	if (!d->poll_timer || !d->journals || !d->lists)
		return -ENOMEM;
	role_ready(r);
	return 0;
}

static void reader_reload(struct role *r, UNUSED const struct setup *old)
{
	watch_all(r->ctx);
}

static void reader_peer(struct role *r, UNUSED enum role_id who)
{
	watch_all(r->ctx);
}

static void reader_peer_gone(struct role *r, UNUSED enum role_id who)
{
	unwatch(r->ctx);
}

static void reader_message(struct role *r, UNUSED enum role_id from, struct message *m)
{
	struct reader *d = r->ctx;

	if (m->type == MSG_JOURNAL_FROM || m->type == MSG_LINES_TAKEN) {
		reader_journals_message(d->journals, m);
		return;
	}
	if (m->type == MSG_RESCAN) {
		if (unpack_bool(&m->body)) {
			watch_all(d);
			return;
		}
		for (int i = 0; i < 2; i++) {
			if (d->watch[i])
				watch_rescan(d->watch[i]);
		}
		return;
	}
	CLEANUP(freep) char *path = unpack_str(&m->body);

	if (path && !m->body.bad)
		find_siblings(d, path);
}

static void reader_stop(struct role *r)
{
	unwatch(r->ctx);
	role_stopped(r);
}

static void reader_deinit(struct role *r)
{
	struct reader *d = r->ctx;

	if (!d->role)
		return;
	if (d->journals && d->lists)
		unwatch(d);
	reader_journals_free(d->journals);
	reader_lists_free(d->lists);
	loop_watch_free(d->poll_timer);
}

int reader_main(const struct role_args *args)
{
	static const struct role_permit permits[] = {
	    {ROLE_ENGINE, MSG_FIND_SIBLINGS},
	    {ROLE_ENGINE, MSG_RESCAN},
	    {ROLE_ENGINE, MSG_JOURNAL_FROM},
	    {ROLE_ENGINE, MSG_LINES_TAKEN},
	    {0, 0},
	};
	static const struct role_fns fns = {
	    .permits = permits,
	    .start = reader_start,
	    .reload = reader_reload,
	    .peer = reader_peer,
	    .peer_gone = reader_peer_gone,
	    .message = reader_message,
	    .stop = reader_stop,
	    .deinit = reader_deinit,
	};
	struct reader d = {.files_fd = -1};

	return role_run(args, &fns, &d);
}
