/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * inputs - logs in the order of time
 *
 * All logs that are open have a next line whose date is known. The earliest of them is
 * handed on, with the lines behind it that come before the next line of any other log.
 * When those are all lines of the block, the date of its last line says so, and no line
 * between is looked at.
 */

#include "cli/inputs_private.h"

#include <errno.h>

struct inputs *inputs_new(char **paths, size_t n, const struct inputs_options *o,
    const struct inputs_calls *calls, struct err *e)
{
	const struct stamp_options so = {
	    .datepattern = o->datepattern, .timezone = o->timezone};
	CLEANUP(inputs_freep) struct inputs *in = calloc(1, sizeof(*in));
	int r = -ENOMEM;

	if (in) {
		in->o = *o;
		in->calls = *calls;
		in->progress.last = WALL_NONE;
		in->repaired = BUF_INIT(4 * SPLIT_LINE_CAP);
		in->logs = calloc(n + 1, sizeof(*in->logs));
		in->waiting = calloc(n + 1, sizeof(struct log *));
	}
	if (!in || !in->logs || !in->waiting) {
		err_set(e, r, "out of memory");
		return NULL;
	}
	in->stamp = stamp_new(&so, e);
	if (!in->stamp)
		return NULL;
	for (size_t i = 0; i < n; i++)
		in->logs[i] = (struct log){
		    .path = paths[i], .rank = i, .fd = -1, .next_at = WALL_NONE};
	in->n_logs = n;
	return TAKE(in);
}

struct inputs *inputs_free(struct inputs *in)
{
	if (!in)
		return NULL;
	for (size_t i = 0; i < in->n_logs; i++)
		inputs_log_end(&in->logs[i]);
	stamp_free(in->stamp);
	buf_deinit(&in->repaired);
	free(in->waiting);
	free(in->logs);
	free(in);
	return NULL;
}

static wall_t later(wall_t a, wall_t b)
{
	return a.us > b.us ? a : b;
}

static bool is_before(wall_t at, size_t rank, const struct log *other)
{
	return at.us != other->next_at.us ? at.us < other->next_at.us
					  : rank < other->rank;
}

/* The log, other than @except, that has the earliest line; NULL: there is none. */
static struct log *earliest(const struct inputs *in, const struct log *except)
{
	struct log *found =
	    in->n_begun < in->n_waiting ? in->waiting[in->n_begun] : NULL;

	for (size_t i = 0; i < in->n_open; i++) {
		struct log *l = in->open[i];

		if (l != except && (!found || is_before(l->next_at, l->rank, found)))
			found = l;
	}
	return found;
}

/* Return: as input_file_next(). */
static int fill(struct inputs *in, struct log *l, struct err *e)
{
	int r = l->file ? 0 : inputs_log_begin(l, e);
	struct span rest, line;

	if (r < 0)
		return r;
	if (!l->run.n_lines) {
		l->is_end_known = false;
		r = input_file_next(l->file, &l->run, e);
	}
	in->progress.n_bytes += input_file_n_bytes(l->file) - l->n_bytes;
	l->n_bytes = input_file_n_bytes(l->file);
	rest = l->run.lines;
	if (!r && span_next_line(&rest, &line))
		l->next_at = later(l->next_at, inputs_date(in, line, l->read_at));
	return r;
}

/* Lines for the log in that slot; when it has no more, those of the log behind it; else
 * the slot is given up. Return: 0 or -EINTR. */
static int replenish(struct inputs *in, size_t slot)
{
	struct log *l = in->open[slot];

	while (l) {
		struct log *next = l->behind;
		struct err e = {""};
		int r = fill(in, l, &e);

		if (r == 0 || r == -EINTR) {
			in->open[slot] = l;
			return r;
		}
		if (r < 0)
			in->calls.on_failure(in->calls.ctx, l->path, &e);
		if (next) {
			next->next_at = l->next_at;
			next->rank = l->rank;
		}
		inputs_log_end(l);
		l = next;
	}
	in->open[slot] = in->open[--in->n_open];
	return 0;
}

/* Begin the next log that waits. */
static int take_up(struct inputs *in, struct err *e)
{
	if (in->n_open == INPUTS_MERGED)
		return err_set(e, -EMFILE,
		    "more than %d logs are of the same time; merge some of them before",
		    INPUTS_MERGED);
	in->open[in->n_open] = in->waiting[in->n_begun++];
	return replenish(in, in->n_open++);
}

static size_t slot_of(const struct inputs *in, const struct log *l)
{
	size_t i = 0;

	while (i < in->n_open && in->open[i] != l)
		i++;
	return i;
}

/* Bytes of the run that come before the next line of @other, with their number. */
static size_t measure(
    struct inputs *in, struct log *l, const struct log *other, size_t *out_n_lines)
{
	struct span rest = l->run.lines, line;
	size_t n_bytes = 0;

	*out_n_lines = 0;
	while (span_next_line(&rest, &line)) {
		/* The first one is why we are here, and its date is known. */
		wall_t at = *out_n_lines
				? later(l->next_at, inputs_date(in, line, l->read_at))
				: l->next_at;

		if (*out_n_lines && !is_before(at, l->rank, other)) {
			l->next_at = at;
			break;
		}
		l->next_at = in->progress.last = at;
		n_bytes = (size_t)(rest.p - l->run.lines.p);
		++*out_n_lines;
	}
	return n_bytes;
}

/* With no other log one line that has no date is not worth a search. */
static wall_t end_of_run(struct inputs *in, struct log *l, bool has_other)
{
	size_t n_tries = has_other ? l->run.n_lines : 1;

	if (!l->is_end_known)
		l->end_at = inputs_last_date(in, l->run.lines, n_tries, l->read_at);
	l->is_end_known = has_other;
	return later(l->next_at, l->end_at);
}

/* Do all lines of the run come before those of @other? */
static bool fits_whole(struct inputs *in, struct log *l, const struct log *other)
{
	wall_t at = end_of_run(in, l, other);

	if (other && !is_before(at, l->rank, other))
		return false;
	l->next_at = in->progress.last = at;
	return true;
}

/* Return: what the callback gave. */
static int hand_on(struct inputs *in, struct log *l)
{
	const struct log *other = earliest(in, l);
	size_t n_lines = l->run.n_lines;
	size_t n_bytes =
	    fits_whole(in, l, other) ? l->run.lines.n : measure(in, l, other, &n_lines);
	struct inputs_lines lines = {
	    .path = l->path,
	    .number = l->number,
	    .lines = {l->run.lines.p, n_bytes},
	    .n_lines = n_lines,
	    .read_at = l->read_at,
	};

	l->number += n_lines;
	l->run.lines = span_skip(l->run.lines, n_bytes);
	l->run.n_lines -= n_lines;
	in->progress.n_lines += n_lines;
	return in->calls.on_lines(in->calls.ctx, &lines);
}

int inputs_read(struct inputs *in, struct err *e)
{
	int r = inputs_sort(in);
	struct log *l;

	while (!r && (l = earliest(in, NULL))) {
		size_t slot = slot_of(in, l);

		if (slot == in->n_open) {
			r = take_up(in, e);
			continue;
		}
		r = hand_on(in, l);
		if (!r && !l->run.n_lines)
			r = replenish(in, slot);
	}
	return r;
}

void inputs_progress(const struct inputs *in, struct inputs_progress *out)
{
	*out = in->progress;
	if (in->has_pipe)
		out->n_bytes_all = 0;
}
