/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the reader says of files: opened, gone, lying beside a log; and what follows:
 * where to go on in each, which jails read it, and how a log that was rotated while
 * nobody looked is put together again from its siblings.
 */
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "engine/engine_files.h"

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

bool engine_file_has_jail(const struct file *f, uint32_t jail)
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
			if (s->jails[j].sources[k] != source ||
			    engine_file_has_jail(f, j))
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
	struct tail *t = tail_new(TAKE_FD(m->fd), c, at_end);

	for (uint32_t i = 0; t && i < s->n_sources; i++) {
		if (s->sources[i].unit != DECODE_BYTES &&
		    leads_to(&s->sources[i], m->path))
			tail_set_unit(t, s->sources[i].unit);
	}
	return t;
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
	engine_files_make_ready(fs, f);
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
	engine_files_make_ready(fs, f);
	if (f->wd < 0 || f->is_renamed)
		loop_arm(fs->poll_timer, WATCH_POLL_MS, 0);
}

static void file_open(struct engine_files *fs, struct file_message *m)
{
	CLEANUP(engine_file_freep) struct file *f = calloc(1, sizeof(*f));
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
		engine_files_make_ready(fs, f);
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
		fs->on_events = loop_add_fd(fs->er->role->loop, fs->files_fd, LOOP_READ,
		    engine_files_on_events, fs);
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
			engine_files_drop(fs, f);
	}
	fs->is_paused = false;
	engine_files_ready_all(fs);
	engine_role_serving(fs->er);
	engine_files_run(fs);
}

void engine_files_message(struct engine_files *fs, struct message *m)
{
	/* Where to go on in a file is not known yet: all are asked for again at the
	 * start. */
	if (!fs->er->is_reading)
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
