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
#include <bsd/sys/queue.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/jsonw.h"
#include "base/log.h"
#include "proc/engine_role.h"
#include "source/tail.h"
#include "source/watch.h"

#define TURN_BYTES (256 * 1024)
#define LINGER_SEC 3600
#define LINGER_CHECK_MS 30000
#define LINGER_DELETED_SEC \
	120 /* a deleted file's blocks are free only when we close it */
#define MAX_FILES (2 * WATCH_MAX_FILES)
/* Positions of renamed logs are stored under the old path, this, and their inode. */
#define RENAMED_MARK "\n(renamed) "

struct file {
	TAILQ_ENTRY(file) link;
	TAILQ_ENTRY(file) ready_link;
	char *path;
	uint64_t dev, ino;
	int wd; /* -1: polled */
	struct tail *tail;
	uint32_t *jails;
	uint32_t n_jails;
	bool is_ready;   /* stands in the queue */
	bool is_renamed; /* its path leads elsewhere now */
	bool is_live;    /* the end was reached once: lines come as they are written */
	bool is_seen;    /* named by the reader since it last began anew */
	bool is_moved;   /* its cursor differs from the stored one */
	bool is_skew_told;
	bool is_resumed; /* it was known when it was opened */
	mono_t grown_at;
};

struct known_cursor {
	char *path;
	struct cursor cursor;
};

struct engine_files {
	struct engine_role *er;
	TAILQ_HEAD(, file) all;
	TAILQ_HEAD(ready_head, file) ready;
	size_t n_files;
	int files_fd;
	struct loop_watch *on_events;
	struct loop_watch *turn_timer;
	struct loop_watch *poll_timer;
	struct known_cursor *known; /* from the store */
	size_t n_known;
	bool is_started;
	bool is_paused; /* the reader is naming all files: none has its jails yet */
	bool is_behind_known; /* of the siblings that are being named: see
				 is_wanted_sibling() */
	uint64_t generation;  /* of the reader's set-up */
};

static struct file *file_free(struct file *f)
{
	if (!f)
		return NULL;
	tail_free(f->tail);
	free(f->path);
	free(f->jails);
	free(f);
	return NULL;
}
DEFINE_CLEANUP(struct file *, file_free)

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

static void file_drop(struct engine_files *fs, struct file *f)
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
	file_free(f);
}

static void make_ready(struct engine_files *fs, struct file *f)
{
	if (f->is_ready)
		return;
	f->is_ready = true;
	TAILQ_INSERT_TAIL(&fs->ready, f, ready_link);
}

/* --- reading -----------------------------------------------------------------------
 */

struct block {
	struct engine_files *fs;
	struct file *file;
	wall_t now;
};

static void on_line(void *ctx, struct span text, uint64_t number)
{
	struct block *b = ctx;
	struct engine_role *er = b->fs->er;
	struct line l = {
	    .text = text,
	    .number = number,
	    .stamp = WALL_NONE,
	    .read_at = b->now,
	    .live = b->file->is_live,
	};

	for (uint32_t i = 0; i < b->file->n_jails; i++) {
		if (pipeline_feed(
			er->pipeline, b->file->jails[i], &l, b->now, &er->orders) < 0)
			log_err(b->file->path, "out of memory: a line was not counted");
	}
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
	struct block b = {.fs = fs, .file = f, .now = wall_now()};
	uint64_t skewed = f->is_skew_told ? 0 : skewed_total(fs, f);
	int r = tail_read(f->tail, TURN_BYTES, on_line, &b);

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
		make_ready(fs, f);
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
static void run_ready(struct engine_files *fs)
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
	run_ready(ctx);
}

static void ready_by_wd(struct engine_files *fs, int wd, mono_t now)
{
	struct file *f;

	TAILQ_FOREACH (f, &fs->all, link) {
		if (f->wd != wd)
			continue;
		f->grown_at = now;
		make_ready(fs, f);
	}
}

static void ready_all(struct engine_files *fs)
{
	struct file *f;

	TAILQ_FOREACH (f, &fs->all, link)
		make_ready(fs, f);
}

static void events_lost(struct engine_files *fs)
{
	struct buf body = BUF_INIT(1);

	ready_all(fs);
	pack_bool(&body, false);
	(void)role_send(fs->er->role, ROLE_READER, MSG_RESCAN, &body, -1);
	buf_deinit(&body);
}

static void on_events(void *ctx, UNUSED int events)
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
	run_ready(fs);
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
			file_drop(fs, f);
			continue;
		}
		if (f->wd < 0)
			make_ready(fs, f);
		is_polling |= f->wd < 0;
		is_lingering |= f->is_renamed;
	}
	if (is_polling || is_lingering)
		loop_arm(
		    fs->poll_timer, is_polling ? WATCH_POLL_MS : LINGER_CHECK_MS, 0);
	run_ready(fs);
}

/* --- what the reader says ----------------------------------------------------------
 */

static const struct cursor *known_cursor(
    const struct engine_files *fs, const char *path)
{
	for (size_t i = 0; i < fs->n_known; i++) {
		if (!strcmp(fs->known[i].path, path))
			return &fs->known[i].cursor;
	}
	return NULL;
}

static bool is_known_renamed(const struct engine_files *fs, const char *path)
{
	size_t n = strlen(path);

	for (size_t i = 0; i < fs->n_known; i++) {
		if (!strncmp(fs->known[i].path, path, n) &&
		    !strncmp(fs->known[i].path + n, RENAMED_MARK, strlen(RENAMED_MARK)))
			return true;
	}
	return false;
}

static struct file *find_inode(
    const struct engine_files *fs, uint64_t dev, uint64_t ino)
{
	struct file *f;

	TAILQ_FOREACH (f, &fs->all, link) {
		if (f->ino == ino && f->dev == dev)
			return f;
	}
	return NULL;
}

static bool has_jail(const struct file *f, uint32_t jail)
{
	for (uint32_t i = 0; i < f->n_jails; i++) {
		if (f->jails[i] == jail)
			return true;
	}
	return false;
}

/* All jails that name this source, each once. */
static int add_jails(struct engine_files *fs, struct file *f, uint32_t source)
{
	const struct setup *s = fs->er->role->setup;

	for (uint32_t j = 0; j < s->n_jails; j++) {
		for (uint32_t k = 0; k < s->jails[j].n_sources; k++) {
			if (s->jails[j].sources[k] != source || has_jail(f, j))
				continue;
			uint32_t *more =
			    realloc(f->jails, (f->n_jails + 1) * sizeof(*f->jails));

			if (!more)
				return -ENOMEM;
			f->jails = more;
			more[f->n_jails++] = j;
		}
	}
	return 0;
}

struct file_message {
	uint32_t source;
	char *path;
	int wd;
	uint64_t dev, ino;
	bool first, old;
	int fd;
};

static bool leads_to(const struct setup_source *o, const char *path)
{
	return !o->is_journal && fnmatch(o->glob, path, FNM_PATHNAME) == 0;
}

/* A renamed log belongs to the jails of the path it had. */
static void add_jails_of_path(struct engine_files *fs, struct file *f)
{
	const struct setup *s = fs->er->role->setup;

	for (uint32_t i = 0; i < s->n_sources; i++) {
		if (leads_to(&s->sources[i], f->path) && add_jails(fs, f, i) < 0)
			log_err(f->path,
			    "out of memory: not all jails read the rest of it");
	}
}

/* A position that belongs to this very file: known under its path, under the path it
 * had before a rotation, or under another name of the same inode (a glob like
 * mail.log*). */
static const struct cursor *find_resume(const struct engine_files *fs,
    const struct tail *probe, const struct file_message *m)
{
	const struct cursor *c = known_cursor(fs, m->path);

	if (c && tail_fits(probe, c))
		return c;
	for (size_t i = 0; i < fs->n_known; i++) {
		c = &fs->known[i].cursor;
		if (c->ino == m->ino && c->dev == m->dev && tail_fits(probe, c))
			return c;
	}
	return NULL;
}

/* Return: NULL with errno. *@out_resume: where it goes on; NULL: from the top or the
 * end. */
static struct tail *open_tail(const struct engine_files *fs, struct file_message *m,
    const struct cursor **out_resume)
{
	const struct setup *s = fs->er->role->setup;
	int probe_fd = fcntl(m->fd, F_DUPFD_CLOEXEC, 0);
	CLEANUP(tail_freep)
	struct tail *probe = probe_fd < 0 ? NULL : tail_new(probe_fd, NULL, false);
	const struct cursor *c = probe ? find_resume(fs, probe, m) : NULL;
	/* `tail` is meant for a log that was never read before. */
	bool at_end = !m->old && m->first && !c && !known_cursor(fs, m->path) &&
		      s->sources[m->source].tail;

	*out_resume = c;
	return tail_new(TAKE_FD(m->fd), c, at_end);
}

/* The file to which a path leads now. */
static struct file *find_path(const struct engine_files *fs, const char *path)
{
	struct file *f;

	TAILQ_FOREACH (f, &fs->all, link) {
		if (!f->is_renamed && !strcmp(f->path, path))
			return f;
	}
	return NULL;
}

/* Do two files begin alike? Then one is a copy of the other (copytruncate). */
static bool begins_alike(int a, int b)
{
	char x[CURSOR_HEAD_MAX], y[CURSOR_HEAD_MAX];
	ssize_t n = pread(a, x, sizeof(x), 0), k = pread(b, y, sizeof(y), 0);

	if (k < n)
		n = k;
	return n > 0 && !memcmp(x, y, (size_t)n);
}

static bool is_copy(const struct engine_files *fs, const struct file *of)
{
	struct file *f;

	TAILQ_FOREACH (f, &fs->all, link) {
		if (!strcmp(f->path, of->path) &&
		    begins_alike(tail_fd(f->tail), tail_fd(of->tail)))
			return true;
	}
	return false;
}

/*
 * Siblings of a log come oldest first (MSG_SIBLINGS, then MSG_FILE with `old`). Those
 * before the one that we know are history; the one we know is read on; those behind it
 * came and went while nobody looked, and are read whole.
 */
static bool is_wanted_sibling(
    struct engine_files *fs, const struct file *f, const struct cursor *resume)
{
	const struct file *now = find_path(fs, f->path);

	if (resume) {
		fs->is_behind_known = true;
		return true;
	}
	/* Where the log itself was known, nothing can have come between. */
	return fs->is_behind_known && now && !now->is_resumed && !is_copy(fs, f);
}

static void ask_for_siblings(struct engine_files *fs, const char *path)
{
	struct buf body = BUF_INIT(MESSAGE_MAX_BYTES);

	pack_str(&body, path);
	(void)role_send(fs->er->role, ROLE_READER, MSG_FIND_SIBLINGS, &body, -1);
	buf_deinit(&body);
}

/* Its path leads elsewhere now, or nowhere: read on until its writer lets go of it. */
static void became_past(struct engine_files *fs, struct file *f)
{
	f->is_renamed = true;
	f->grown_at = mono_now();
	make_ready(fs, f);
	loop_arm(fs->poll_timer, WATCH_POLL_MS, 0);
	log_info(f->path, "rotated: reading the old one to its end");
}

/* Who else was read under this path cannot be there any more. A glob that takes rotated
 * logs too keeps them open in the reader, so there is no word of their going. */
static void replace_at_path(struct engine_files *fs, const char *path)
{
	struct file *f;

	TAILQ_FOREACH (f, &fs->all, link) {
		if (!f->is_renamed && !strcmp(f->path, path))
			became_past(fs, f);
	}
}

/* Is there more of this log than the file that its path leads to? */
static bool has_unread_past(
    const struct engine_files *fs, const struct file *f, const struct cursor *resume)
{
	struct file *other;

	if (!resume && known_cursor(fs, f->path))
		return true; /* we knew another file of that name */
	if (is_known_renamed(fs, f->path))
		return true;
	TAILQ_FOREACH (other, &fs->all, link) {
		if (other != f && !strcmp(other->path, f->path))
			return true; /* rotated just now, perhaps more than once */
	}
	return false;
}

static void file_link(struct engine_files *fs, struct file *f)
{
	/* What is older comes first, so that lines are fed in the order of their time.
	 */
	if (f->is_renamed)
		TAILQ_INSERT_HEAD(&fs->all, f, link);
	else
		TAILQ_INSERT_TAIL(&fs->all, f, link);
	fs->n_files++;
	make_ready(fs, f);
	if (f->wd < 0 || f->is_renamed)
		loop_arm(fs->poll_timer, WATCH_POLL_MS, 0);
}

static void file_open(struct engine_files *fs, struct file_message *m)
{
	CLEANUP(file_freep) struct file *f = calloc(1, sizeof(*f));
	const struct cursor *resume = NULL;

	if (!f || fs->n_files >= MAX_FILES) {
		log_warning(
		    m->path, "not read: %s", f ? "too many logs" : "out of memory");
		return;
	}
	*f = (struct file){.dev = m->dev,
	    .ino = m->ino,
	    .wd = m->wd,
	    .is_seen = true,
	    .is_renamed = m->old,
	    .grown_at = mono_now()};
	f->path = strdup(m->path);
	f->tail = f->path ? open_tail(fs, m, &resume) : NULL;
	if (!f->tail) {
		log_warning(m->path, "not read: %s", strerror(errno));
		return;
	}
	if (m->old && !is_wanted_sibling(fs, f, resume))
		return;
	if (m->old)
		add_jails_of_path(fs, f);
	else if (add_jails(fs, f, m->source) < 0)
		return;
	f->is_resumed = resume != NULL;
	if (!m->old && has_unread_past(fs, f, resume))
		ask_for_siblings(fs, f->path);
	if (!m->old)
		replace_at_path(fs, f->path);
	file_link(fs, f);
	log_info(f->path, "%s",
	    !m->old  ? "reading"
	    : resume ? "rotated while nobody looked: reading the rest of it"
		     : "came and went while nobody looked: reading all of it");
	(void)TAKE(f);
}

static void take_file(struct engine_files *fs, struct message *m)
{
	struct file_message fm = {.source = unpack_u32(&m->body)};
	CLEANUP(freep) char *path = unpack_str(&m->body);

	fm.path = path;
	fm.wd = (int)unpack_i64(&m->body);
	fm.dev = unpack_u64(&m->body);
	fm.ino = unpack_u64(&m->body);
	fm.first = unpack_bool(&m->body);
	fm.old = unpack_bool(&m->body);
	if (unpack_end(&m->body) < 0 || !path || m->fd < 0 ||
	    (!fm.old && fm.source >= fs->er->role->setup->n_sources)) {
		m->body.bad = true;
		return;
	}
	struct file *f = find_inode(fs, fm.dev, fm.ino);

	if (f && !fm.old) {
		f->is_seen = true;
		f->wd = fm.wd;
		/* Under another name (a glob that takes rotated logs too): go by that
		 * one, for the old one may lead to a new file. */
		if (strcmp(f->path, path)) {
			free(f->path);
			f->path = TAKE(path);
			f->is_moved = true;
		}
		f->is_renamed = false;
		(void)add_jails(fs, f, fm.source);
		make_ready(fs, f);
		return;
	}
	if (f) {
		fs->is_behind_known |= !strcmp(f->path, path);
		return;
	}
	CLEANUP(fd_closep) int fd = TAKE_FD(m->fd);

	fm.fd = fd;
	fd = -1;
	file_open(fs, &fm);
	fd = fm.fd;
}

static void take_gone(struct engine_files *fs, struct message *m)
{
	(void)unpack_u32(&m->body);
	CLEANUP(freep) char *path = unpack_str(&m->body);
	uint64_t dev = unpack_u64(&m->body);
	uint64_t ino = unpack_u64(&m->body);
	struct file *f = find_inode(fs, dev, ino);

	if (!path || !f || strcmp(f->path, path) != 0)
		return;
	became_past(fs, f);
}

/* The reader begins anew: it will name every file again. */
static void take_watch_fd(struct engine_files *fs, struct message *m)
{
	bool usable = unpack_bool(&m->body);
	struct file *f;

	fs->generation = unpack_u64(&m->body);
	fs->on_events = loop_watch_free(fs->on_events);
	fd_closep(&fs->files_fd);
	fs->files_fd = -1;
	if (usable && m->fd >= 0) {
		fs->files_fd = TAKE_FD(m->fd);
		fs->on_events = loop_add_fd(
		    fs->er->role->loop, fs->files_fd, LOOP_READ, on_events, fs);
	}
	TAILQ_FOREACH (f, &fs->all, link) {
		f->is_seen = false;
		f->wd = -1;
	}
	engine_files_reload(fs);
}

/* Is it still to be read, whether it is there or not? */
static bool is_configured(const struct engine_files *fs, const char *path)
{
	const struct setup *s = fs->er->role->setup;

	for (uint32_t i = 0; i < s->n_sources; i++) {
		if (leads_to(&s->sources[i], path))
			return true;
	}
	return false;
}

static void take_files_done(struct engine_files *fs)
{
	struct file *f, *next;

	TAILQ_FOREACH_SAFE (f, &fs->all, link, next) {
		if (!f->is_seen && !f->is_renamed && is_configured(fs, f->path))
			became_past(fs, f);
		if (f->is_renamed)
			add_jails_of_path(fs, f);
		else if (!f->is_seen)
			file_drop(fs, f);
	}
	fs->is_paused = false;
	ready_all(fs);
	engine_role_serving(fs->er);
	run_ready(fs);
}

void engine_files_message(struct engine_files *fs, struct message *m)
{
	/* Where to go on in a file is not known yet: all are asked for again at the
	 * start. */
	if (!fs->er->is_restored)
		return;
	if (m->type == MSG_WATCH_FD) {
		take_watch_fd(fs, m);
		return;
	}
	/* The reader has another set-up than we: it names all again when we have it
	 * too. */
	if (fs->generation != fs->er->role->setup->generation)
		return;
	switch (m->type) {
	case MSG_SIBLINGS:
		fs->is_behind_known = false;
		return;
	case MSG_FILE:
		take_file(fs, m);
		loop_arm(fs->turn_timer, 0, 0);
		return;
	case MSG_FILE_GONE:
		take_gone(fs, m);
		loop_arm(fs->turn_timer, 0, 0);
		return;
	default:
		take_files_done(fs);
	}
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
	run_ready(fs);
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

		if (!has_jail(f, jail))
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
		file_drop(fs, f);
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
