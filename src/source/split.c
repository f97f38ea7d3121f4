/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * split - bytes to lines
 *
 * Only the head of an unfinished line is kept, up to the cap; of what follows, the
 * number of bytes and the last byte are enough to cut a '\r' later and to know that
 * the line was too long.
 */
#include "source/split.h"

#include "base/scan.h"

struct split {
	size_t line_cap;
	uint64_t n_cut;
	size_t pending_bytes; /* all of the unfinished line */
	char last;            /* its last byte */
	char before_last;
	bool had_cr; /* UTF-16: its last unit is '\r' */
	enum decode_unit unit;
	char pending[]; /* its first line_cap bytes, and room for a line end */
};

struct split *split_new(size_t line_cap)
{
	struct split *s;

	if (!line_cap)
		line_cap = SPLIT_LINE_CAP;
	s = malloc(sizeof(*s) + line_cap + 2);
	if (!s)
		return NULL;
	/* The room behind is left untouched, so it costs no memory until it is used. */
	*s = (struct split){.line_cap = line_cap};
	return s;
}

struct split *split_free(struct split *s)
{
	free(s);
	return NULL;
}

static void keep(struct split *s, struct span part)
{
	size_t held = s->pending_bytes < s->line_cap ? s->pending_bytes : s->line_cap;
	size_t n = s->line_cap - held;

	if (!part.n)
		return;
	if (n > part.n)
		n = part.n;
	memcpy(s->pending + held, part.p, n);
	s->pending_bytes += part.n;
	s->last = part.p[part.n - 1];
}

/* @n bytes of text, of which @text holds what is at hand. */
static void hand_out(struct split *s, const char *text, size_t n, size_t whole_bytes,
    split_fn fn, void *ctx)
{
	if (n > s->line_cap) {
		n = s->line_cap;
		s->n_cut++;
	}
	fn(ctx, (struct span){text, n}, whole_bytes);
}

static void hand_out_pending(struct split *s, struct span rest, split_fn fn, void *ctx)
{
	size_t n;

	keep(s, rest);
	n = s->pending_bytes;
	s->pending_bytes = 0;
	hand_out(s, s->pending, s->last == '\r' ? n - 1 : n, n + 1, fn, ctx);
}

void split_set_unit(struct split *s, enum decode_unit unit)
{
	s->unit = unit;
}

/* Does the unfinished line end with that unit? */
static bool ends_with_unit(const struct split *s, char c)
{
	bool is_le = s->unit == DECODE_UTF16LE;

	return s->pending_bytes && s->pending_bytes % 2 == 0 &&
	       (is_le ? s->before_last : s->last) == c &&
	       (is_le ? s->last : s->before_last) == 0;
}

/* The next line of units, byte by byte: what is written so is rare, and small. Return:
 * false: @block is used up. */
static bool take_units(struct split *s, struct span *block, split_fn fn, void *ctx)
{
	while (block->n) {
		bool had_cr = s->had_cr;
		size_t n;

		s->before_last = s->last;
		keep(s, (struct span){block->p, 1});
		*block = span_skip(*block, 1);
		if (s->pending_bytes % 2)
			continue;
		s->had_cr = ends_with_unit(s, '\r');
		if (!ends_with_unit(s, '\n'))
			continue;
		n = s->pending_bytes;
		s->pending_bytes = 0;
		s->had_cr = false;
		hand_out(s, s->pending, had_cr ? n - 4 : n - 2, n, fn, ctx);
		return true;
	}
	return false;
}

int split_feed(struct split *s, struct span block, split_fn fn, void *ctx)
{
	const char *p = block.p;
	const char *end = block.p + block.n;
	const char *nl;

	if (s->unit != DECODE_BYTES) {
		while (take_units(s, &block, fn, ctx))
			;
		return 0;
	}
	if (s->pending_bytes) {
		nl = memchr(p, '\n', block.n);
		if (!nl) {
			keep(s, block);
			return 0;
		}
		hand_out_pending(s, span_from(p, nl), fn, ctx);
		p = nl + 1;
	}
	while (p < end && (nl = memchr(p, '\n', (size_t)(end - p)))) {
		size_t n = (size_t)(nl - p);

		hand_out(s, p, n && nl[-1] == '\r' ? n - 1 : n, n + 1, fn, ctx);
		p = nl + 1;
	}
	keep(s, span_from(p, end));
	return 0;
}

/* --- runs of lines -----------------------------------------------------------------
 */

struct single {
	struct split *s;
	struct split_run *out;
};

/* A line that cannot be handed out where it stands. */
static void on_single(void *ctx, struct span text, size_t whole_bytes)
{
	struct single *x = ctx;
	char *room = x->s->pending;
	size_t n = text.n;

	if (n && text.p != room)
		memcpy(room, text.p, n);
	/* A '\r' that is text must not be taken for a part of the line end. */
	if (n && room[n - 1] == '\r')
		room[n++] = '\r';
	room[n++] = '\n';
	*x->out = (struct split_run){{room, n}, 1, whole_bytes};
}

/* How much of @rest is whole lines of which none is too long. */
static size_t measure_run(const struct split *s, struct span rest)
{
	size_t n = 0;

	while (n < rest.n) {
		size_t window = rest.n - n;
		const char *nl;

		if (window > s->line_cap + 1)
			window = s->line_cap + 1;
		nl = memrchr(rest.p + n, '\n', window);
		if (!nl)
			break;
		n = (size_t)(nl - rest.p) + 1;
	}
	return n;
}

bool split_next_run(struct split *s, struct span *block, struct split_run *out)
{
	struct single single = {s, out};
	const char *nl;
	size_t n;

	if (!block->n)
		return false;
	if (s->unit != DECODE_BYTES)
		return take_units(s, block, on_single, &single);
	n = s->pending_bytes ? 0 : measure_run(s, *block);
	if (n) {
		struct span run = {block->p, n};

		*out = (struct split_run){run, scan_count_lines(run), n};
		*block = span_skip(*block, n);
		return true;
	}
	/* The end of an unfinished line, one that is too long, or no end yet. */
	nl = memchr(block->p, '\n', block->n);
	if (!nl) {
		keep(s, *block);
		*block = span_skip(*block, block->n);
		return false;
	}
	hand_out_pending(s, span_from(block->p, nl), on_single, &single);
	*block = span_skip(*block, (size_t)(nl - block->p) + 1);
	return true;
}

bool split_last_run(struct split *s, struct split_run *out)
{
	struct single single = {s, out};

	if (!s->pending_bytes)
		return false;
	split_finish(s, on_single, &single);
	return true;
}

void split_feed_runs(struct split *s, struct span block, split_run_fn fn, void *ctx)
{
	struct split_run run;

	while (split_next_run(s, &block, &run))
		fn(ctx, run.lines, run.n_lines, run.whole_bytes);
}

void split_finish_runs(struct split *s, split_run_fn fn, void *ctx)
{
	struct split_run run;

	if (split_last_run(s, &run))
		fn(ctx, run.lines, run.n_lines, run.whole_bytes);
}

void split_finish(struct split *s, split_fn fn, void *ctx)
{
	size_t n = s->pending_bytes;

	if (!n)
		return;
	s->pending_bytes = 0;
	hand_out(s, s->pending, s->last == '\r' ? n - 1 : n, n, fn, ctx);
}

void split_reset(struct split *s)
{
	s->had_cr = false;
	s->pending_bytes = 0;
}

size_t split_pending_bytes(const struct split *s)
{
	return s->pending_bytes;
}

uint64_t split_n_cut(const struct split *s)
{
	return s->n_cut;
}
