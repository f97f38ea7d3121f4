/* SPDX-License-Identifier: GPL-2.0-or-later */
/* inputs, before the reading: when does each log begin? */
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "cli/inputs_private.h"
#include "match/utf8.h"

#define DAY_SEC (24 * 3600)

wall_t inputs_date(struct inputs *in, struct span line, wall_t read_at)
{
	struct stamp_result r;

	if (!utf8_is_valid(line)) {
		buf_clear(&in->repaired);
		utf8_repair(line, &in->repaired);
		line = buf_span(&in->repaired);
	}
	/* What fits the empty text stands for "now", which orders nothing. */
	return stamp_find(in->stamp, line, read_at, &r) && r.end > r.start ? r.at
									   : WALL_NONE;
}

wall_t inputs_last_date(
    struct inputs *in, struct span lines, size_t n_tries, wall_t read_at)
{
	while (lines.n && n_tries--) {
		const char *nl = memrchr(lines.p, '\n', lines.n - 1);
		const char *p = nl ? nl + 1 : lines.p;
		struct span rest = span_from(p, lines.p + lines.n), line;

		(void)span_next_line(&rest, &line);
		wall_t at = inputs_date(in, line, read_at);

		if (at.us != WALL_NONE.us)
			return at;
		lines.n = (size_t)(p - lines.p);
	}
	return WALL_NONE;
}

static wall_t first_date(struct inputs *in, struct span lines, wall_t read_at)
{
	struct span line;
	wall_t at = WALL_NONE;

	while (at.us == WALL_NONE.us && span_next_line(&lines, &line))
		at = inputs_date(in, line, read_at);
	return at;
}

static int open_log(struct log *l, struct err *e)
{
	struct stat st;
	int fd = input_open(l->path, e);

	if (fd < 0)
		return fd;
	l->fd = fd;
	if (fstat(fd, &st) < 0)
		return err_errno(e, -errno, "cannot be looked at");
	if (l->ino && (l->dev != st.st_dev || l->ino != st.st_ino))
		return err_set(
		    e, -ESTALE, "is another file now: the log was rotated meanwhile");
	l->dev = st.st_dev;
	l->ino = st.st_ino;
	return 0;
}

int inputs_log_begin(struct log *l, struct err *e)
{
	int r = l->fd < 0 ? open_log(l, e) : 0;

	if (r < 0)
		return r;
	l->number = 1;
	l->run.n_lines = 0;
	l->n_bytes = 0;
	l->file = input_file_new(l->fd);
	return l->file ? 0 : err_set(e, -ENOMEM, "out of memory");
}

void inputs_log_end(struct log *l)
{
	l->file = input_file_free(l->file);
	fd_closep(&l->fd);
	l->fd = -1;
}

/* Back to its top, for later. What is no file cannot: it stays as it is. */
static void rest_log(struct log *l)
{
	if (!l->is_file || lseek(l->fd, 0, SEEK_SET) < 0)
		return;
	l->file = input_file_free(l->file);
	if (!l->is_held)
		inputs_log_end(l);
}

static wall_t year_end(const struct stat *st, const struct inputs_options *o)
{
	wall_t changed = {(int64_t)st->st_mtim.tv_sec * US_PER_SEC};
	wall_t end = wall_add_sec(changed, DAY_SEC);
	bool is_known = S_ISREG(st->st_mode) && changed.us > 0;

	return o->is_now_given || !is_known || end.us > o->now.us ? o->now : end;
}

/* Return: as input_file_next(). */
static int date_log(
    struct inputs *in, struct log *l, const struct inputs_options *o, struct err *e)
{
	struct stat st;
	int r = inputs_log_begin(l, e);

	if (r < 0)
		return r;
	if (fstat(l->fd, &st) < 0)
		return err_errno(e, -errno, "cannot be looked at");
	l->is_file = S_ISREG(st.st_mode) && strcmp(l->path, "-") != 0;
	l->is_sized = S_ISREG(st.st_mode);
	l->n_bytes_all = l->is_sized ? (uint64_t)st.st_size : 0;
	l->read_at = year_end(&st, o);
	r = input_file_next(l->file, &l->run, e);
	if (r)
		return r;
	l->next_at = first_date(in, l->run.lines, l->read_at);
	if (l->next_at.us > l->read_at.us && l->read_at.us < o->now.us) {
		l->read_at = o->now;
		l->next_at = first_date(in, l->run.lines, l->read_at);
	}
	return 0;
}

static int by_time(const void *a, const void *b)
{
	const struct log *x = *(struct log *const *)a, *y = *(struct log *const *)b;

	if (x->next_at.us != y->next_at.us)
		return x->next_at.us < y->next_at.us ? -1 : 1;
	return x->rank < y->rank ? -1 : 1;
}

/* Into the order of the arguments; that of time comes later. */
static void line_up(struct inputs *in, struct log *l, struct log *before)
{
	if (before && l->next_at.us == WALL_NONE.us)
		before->behind = l;
	else
		in->waiting[in->n_waiting++] = l;
	in->progress.n_bytes_all += l->n_bytes_all;
	in->has_pipe = in->has_pipe || !l->is_sized;
}

int inputs_sort(struct inputs *in)
{
	struct log *before = NULL;

	for (size_t i = 0; i < in->n_logs; i++) {
		struct log *l = &in->logs[i];
		struct err e = {""};
		int r = date_log(in, l, &in->o, &e);

		if (r == -EINTR)
			return r;
		if (r < 0)
			in->calls.on_failure(in->calls.ctx, l->path, &e);
		if (r) {
			inputs_log_end(l);
			continue;
		}
		l->is_held = i < INPUTS_HELD;
		if (in->n_logs > 1)
			rest_log(l);
		line_up(in, l, before);
		before = l;
	}
	qsort(in->waiting, in->n_waiting, sizeof(struct log *), by_time);
	for (size_t i = 0; i < in->n_waiting; i++)
		in->waiting[i]->rank = i;
	return 0;
}
