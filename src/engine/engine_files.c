/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The engine's logs. The reader opens and names them; here they are read as they grow.
 *
 * A file is known by its inode, so a log that two jails name is read once. When its
 * path leads elsewhere (rotation) it stays open until it has been quiet for LINGER_SEC,
 * since its writer may not have noticed yet. Files that have something to read stand in
 * a queue and each gets TURN_BYTES at a time, so a flood in one does not hold up the
 * others.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/jsonw.h"
#include "base/log.h"
#include "engine/engine_files.h"

#define TURN_BYTES (256 * 1024)
#define LINGER_SEC 3600
#define LINGER_CHECK_MS 30000
#define LINGER_DELETED_SEC \
	120 /* a deleted file's blocks are free only when we close it */

struct file *engine_file_free(struct file *f)
{
	if (!f)
		return NULL;
	tail_free(f->tail);
	free(f->path);
	free(f->jails);
	free(f);
	return NULL;
}

/* Remember a position, in place of an earlier one of that path. */
static int known_set(struct engine_files *fs, const char *path, const struct cursor *c)
{
	for (size_t i = 0; i < fs->n_known; i++) {
		if (!strcmp(fs->known[i].path, path)) {
			fs->known[i].cursor = *c;
			return 0;
		}
	}
	struct known_cursor *more =
	    realloc(fs->known, (fs->n_known + 1) * sizeof(*fs->known));

	if (!more)
		return -ENOMEM;
	fs->known = more;
	more[fs->n_known].path = strdup(path);
	more[fs->n_known].cursor = *c;
	if (!more[fs->n_known].path)
		return -ENOMEM;
	fs->n_known++;
	return 0;
}

void engine_files_drop(struct engine_files *fs, struct file *f)
{
	struct cursor c;

	/* Should it come back, it is not to be read twice. Without memory it would be;
	 * the windows are over by then. */
	tail_cursor(f->tail, &c);
	if (!f->is_renamed)
		(void)known_set(fs, f->path, &c);
	/* One file per inode here, so nobody else needs its watch. */
	if (f->wd >= 0 && fs->files_fd >= 0)
		(void)inotify_rm_watch(fs->files_fd, f->wd);
	if (f->is_ready)
		TAILQ_REMOVE(&fs->ready, f, ready_link);
	TAILQ_REMOVE(&fs->all, f, link);
	fs->n_files--;
	engine_file_free(f);
}

void engine_files_make_ready(struct engine_files *fs, struct file *f)
{
	if (f->is_ready)
		return;
	f->is_ready = true;
	TAILQ_INSERT_TAIL(&fs->ready, f, ready_link);
}

/* --- reading -----------------------------------------------------------------------
 */

struct turn {
	struct engine_files *fs;
	struct file *file;
	wall_t now;
};

static void on_lines(void *ctx, struct span lines, size_t n_lines)
{
	struct turn *t = ctx;
	struct engine_role *er = t->fs->er;
	const struct pipeline_block b = {
	    .lines = lines,
	    .n_lines = n_lines,
	    .jails = t->file->jails,
	    .n_jails = t->file->n_jails,
	    .read_at = t->now,
	    .live = t->file->is_live,
	};

	if (pipeline_feed_block(er->pipeline, &b, t->now, &er->orders) < 0)
		log_err(t->file->path, "out of memory: a line was not counted");
}

static uint64_t skewed_total(const struct engine_files *fs, const struct file *f)
{
	struct pipeline_counts c;
	uint64_t n = 0;

	for (uint32_t i = 0; i < f->n_jails; i++) {
		pipeline_counts(fs->er->pipeline, f->jails[i], &c);
		n += c.skewed;
	}
	return n;
}

static void read_turn(struct engine_files *fs, struct file *f)
{
	struct turn t = {.fs = fs, .file = f, .now = wall_now()};
	uint64_t skewed = f->is_skew_told ? 0 : skewed_total(fs, f);
	int r = tail_read(f->tail, TURN_BYTES, on_lines, &t);

	if (r == TAIL_RESTARTED) {
		log_info(f->path, "was truncated; reading from its top");
		r = TAIL_MORE;
	}
	if (r < 0) {
		log_warning(f->path, "cannot be read: %s", strerror(-r));
		r = 0;
	}
	f->is_moved = true;
	if (r == TAIL_MORE)
		engine_files_make_ready(fs, f);
	else
		f->is_live = true;
	if (!f->is_skew_told && skewed_total(fs, f) > skewed) {
		f->is_skew_told = true;
		log_warning(f->path,
		    "dates are more than %d s off the clock (time zone?); using the "
		    "clock",
		    PIPELINE_MAX_SKEW_SEC);
	}
	(void)engine_role_flush(fs->er);
}

/* One turn for each file that stood in the queue when the round began. */
void engine_files_run(struct engine_files *fs)
{
	struct ready_head round = TAILQ_HEAD_INITIALIZER(round);
	struct file *f;

	if (!fs->is_started || fs->is_paused)
		return;
	TAILQ_CONCAT(&round, &fs->ready, ready_link);
	if (TAILQ_EMPTY(&round))
		return;
	while ((f = TAILQ_FIRST(&round))) {
		TAILQ_REMOVE(&round, f, ready_link);
		f->is_ready = false;
		read_turn(fs, f);
	}
	engine_store_touch(fs->er->store);
	if (!TAILQ_EMPTY(&fs->ready))
		loop_arm(fs->turn_timer, 0, 0);
}

static void on_turn(void *ctx)
{
	engine_files_run(ctx);
}

static void ready_by_wd(struct engine_files *fs, int wd, mono_t now)
{
	struct file *f;

	TAILQ_FOREACH (f, &fs->all, link) {
		if (f->wd != wd)
			continue;
		f->grown_at = now;
		engine_files_make_ready(fs, f);
	}
}

void engine_files_ready_all(struct engine_files *fs)
{
	struct file *f;

	TAILQ_FOREACH (f, &fs->all, link)
		engine_files_make_ready(fs, f);
}

static void events_lost(struct engine_files *fs)
{
	struct buf body = BUF_INIT(1);

	engine_files_ready_all(fs);
	pack_bool(&body, false);
	(void)role_send(fs->er->role, ROLE_READER, MSG_RESCAN, &body, -1);
	buf_deinit(&body);
}

void engine_files_on_events(void *ctx, UNUSED int events)
{
	struct engine_files *fs = ctx;
	_Alignas(struct inotify_event) char room[16384];
	mono_t now = mono_now();
	ssize_t n = read(fs->files_fd, room, sizeof(room));

	for (ssize_t at = 0; at + (ssize_t)sizeof(struct inotify_event) <= n;) {
		const struct inotify_event *ev = (const void *)(room + at);

		if (ev->mask & IN_Q_OVERFLOW)
			events_lost(fs);
		else
			ready_by_wd(fs, ev->wd, now);
		at += (ssize_t)(sizeof(*ev) + ev->len);
	}
	engine_files_run(fs);
}

static bool has_lingered(const struct file *f, mono_t now)
{
	struct stat st;
	bool is_deleted = fstat(tail_fd(f->tail), &st) == 0 && !st.st_nlink;
	int64_t sec = is_deleted ? LINGER_DELETED_SEC : LINGER_SEC;

	return f->is_renamed && !f->is_ready &&
	       now.us - f->grown_at.us > sec * US_PER_SEC;
}

/* Polled files, and renamed ones that have been quiet long enough. */
static void on_poll(void *ctx)
{
	struct engine_files *fs = ctx;
	mono_t now = mono_now();
	struct file *f, *next;
	bool is_polling = false, is_lingering = false;

	TAILQ_FOREACH_SAFE (f, &fs->all, link, next) {
		if (has_lingered(f, now)) {
			engine_files_drop(fs, f);
			continue;
		}
		if (f->wd < 0)
			engine_files_make_ready(fs, f);
		is_polling |= f->wd < 0;
		is_lingering |= f->is_renamed;
	}
	if (is_polling || is_lingering)
		loop_arm(
		    fs->poll_timer, is_polling ? WATCH_POLL_MS : LINGER_CHECK_MS, 0);
	engine_files_run(fs);
}

void engine_files_reader_gone(struct engine_files *fs)
{
	/* Watches live on in the inotify instance; what is open is still read. */
	(void)fs;
}

void engine_files_reload(struct engine_files *fs)
{
	struct file *f;

	fs->is_paused = true;
	TAILQ_FOREACH (f, &fs->all, link)
		f->n_jails = 0;
}

void engine_files_start(struct engine_files *fs)
{
	struct buf anew = BUF_INIT(1);

	fs->is_started = true;
	pack_bool(&anew, true);
	(void)role_send(fs->er->role, ROLE_READER, MSG_RESCAN, &anew, -1);
	buf_deinit(&anew);
	engine_files_run(fs);
}

/* --- positions ---------------------------------------------------------------------
 */

int engine_files_restore(
    struct engine_files *fs, const char *path, const struct cursor *c)
{
	return known_set(fs, path, c);
}

static void emit_cursor(struct file *f, engine_cursor_fn fn, void *ctx)
{
	CLEANUP(freep) char *key = NULL;
	struct cursor c;

	tail_cursor(f->tail, &c);
	if (f->is_renamed && asprintf(&key, "%s" RENAMED_MARK "%" PRIu64 ":%" PRIu64,
				 f->path, f->dev, f->ino) < 0)
		return;
	fn(ctx, key ? key : f->path, &c);
	f->is_moved = false;
}

void engine_files_each_cursor(
    struct engine_files *fs, bool all, engine_cursor_fn fn, void *ctx)
{
	struct file *f;

	TAILQ_FOREACH (f, &fs->all, link) {
		if (all || f->is_moved)
			emit_cursor(f, fn, ctx);
	}
}

size_t engine_files_describe(
    const struct engine_files *fs, uint32_t jail, struct buf *out)
{
	struct jsonw j = jsonw_of(out);
	size_t n = 0;
	struct file *f;

	TAILQ_FOREACH (f, &fs->all, link) {
		struct cursor c;

		if (!engine_file_has_jail(f, jail))
			continue;
		tail_cursor(f->tail, &c);
		if (n++)
			buf_add_char(out, ',');
		jsonw_object(&j);
		jsonw_key(&j, "path");
		jsonw_str(&j, f->path);
		jsonw_key(&j, "offset");
		jsonw_i64(&j, (int64_t)c.offset);
		jsonw_key(&j, "polled");
		jsonw_bool(&j, f->wd < 0);
		jsonw_key(&j, "rotated");
		jsonw_bool(&j, f->is_renamed);
		jsonw_object_end(&j);
		j.need_comma = false;
	}
	return n;
}

bool engine_files_are_named(const struct engine_files *fs)
{
	return !fs->is_paused;
}

uint32_t engine_files_paths(
    const struct engine_files *fs, uint32_t jail, struct buf *out)
{
	uint32_t n = 0;
	struct file *f;

	TAILQ_FOREACH (f, &fs->all, link) {
		if (!engine_file_has_jail(f, jail) || f->is_renamed)
			continue;
		pack_str(out, f->path);
		n++;
	}
	return n;
}

/* --- life --------------------------------------------------------------------------
 */

struct engine_files *engine_files_new(struct engine_role *er)
{
	struct engine_files *fs = calloc(1, sizeof(*fs));

	if (!fs)
		return NULL;
	fs->er = er;
	fs->files_fd = -1;
	TAILQ_INIT(&fs->all);
	TAILQ_INIT(&fs->ready);
	fs->turn_timer = loop_add_timer(er->role->loop, on_turn, fs);
	fs->poll_timer = loop_add_timer(er->role->loop, on_poll, fs);
	if (!fs->turn_timer || !fs->poll_timer)
		return engine_files_free(fs);
	return fs;
}

struct engine_files *engine_files_free(struct engine_files *fs)
{
	struct file *f;

	if (!fs)
		return NULL;
	while ((f = TAILQ_FIRST(&fs->all)))
		engine_files_drop(fs, f);
	for (size_t i = 0; i < fs->n_known; i++)
		free(fs->known[i].path);
	free(fs->known);
	loop_watch_free(fs->on_events);
	loop_watch_free(fs->turn_timer);
	loop_watch_free(fs->poll_timer);
	fd_closep(&fs->files_fd);
	free(fs);
	return NULL;
}
