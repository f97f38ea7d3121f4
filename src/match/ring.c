/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * ring - two texts that take turns
 *
 * What is kept after a match is written to the other text, so that the groups of the
 * match stay readable. Which lines belong to a match, and how those that <SKIPLINES>
 * jumped over are told, follows fail2ban to the letter, odd cases included.
 */

#include "match/ring.h"

#include <assert.h>
#include <errno.h>

struct ring {
	struct buf text[2];
	struct buf taken;
	unsigned int current;
	size_t n_lines;
	size_t max_lines;
	struct span *lines; /* max_lines of them, while a match is taken */
	uint64_t *ids;      /* of the n_lines */
	uint64_t *taken_ids;
	uint64_t last_id;
};

struct ring *ring_new(size_t max_lines)
{
	CLEANUP(ring_freep) struct ring *r = calloc(1, sizeof(*r));

	assert(max_lines >= 1 && max_lines <= RING_LINES_MAX);
	if (!r)
		return NULL;
	r->lines = calloc(max_lines, sizeof(*r->lines));
	r->ids = calloc(max_lines, sizeof(*r->ids));
	r->taken_ids = calloc(max_lines, sizeof(*r->taken_ids));
	if (!r->lines || !r->ids || !r->taken_ids)
		return NULL;
	r->max_lines = max_lines;
	/* One line may be longer than all should be together. */
	r->text[0] = r->text[1] = r->taken = BUF_INIT(SIZE_MAX / 2);
	return TAKE(r);
}

struct ring *ring_free(struct ring *r)
{
	if (!r)
		return NULL;
	buf_deinit(&r->text[0]);
	buf_deinit(&r->text[1]);
	buf_deinit(&r->taken);
	free(r->taken_ids);
	free(r->ids);
	free(r->lines);
	free(r);
	return NULL;
}

struct span ring_text(const struct ring *r)
{
	return buf_span(&r->text[r->current]);
}

size_t ring_n_lines(const struct ring *r)
{
	return r->n_lines;
}

const uint64_t *ring_ids(const struct ring *r)
{
	return r->ids;
}

const uint64_t *ring_taken_ids(const struct ring *r)
{
	return r->taken_ids;
}

/* The ring had @n lines; then @n_added came, all numbered @id; it has r->n_lines. */
static void ring_shift_ids(struct ring *r, size_t n, size_t n_added, uint64_t id)
{
	size_t kept = r->n_lines > n_added ? r->n_lines - n_added : 0;

	memmove(r->ids, r->ids + (n - kept), kept * sizeof(*r->ids));
	for (size_t i = kept; i < r->n_lines; i++)
		r->ids[i] = id;
}

static size_t ring_count_newlines(struct span s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += s.p[i] == '\n';
	return n;
}

/* A journal message may hold newlines itself: it counts as so many lines. */
static int ring_append(struct ring *r, struct span head, struct span tail, uint64_t id)
{
	struct buf *b = &r->text[r->current];
	size_t n = r->n_lines, n_added;

	buf_add_span(b, head);
	buf_add_span(b, tail);
	buf_add_char(b, '\n');
	if (b->failed)
		return -ENOMEM;
	n_added = ring_count_newlines(head) + ring_count_newlines(tail) + 1;
	r->n_lines += n_added;
	while (r->n_lines > r->max_lines || (r->n_lines > 1 && b->n > RING_BYTES_MAX)) {
		buf_consume(b, (size_t)span_index(buf_span(b), '\n') + 1);
		r->n_lines--;
	}
	ring_shift_ids(r, n, n_added, id);
	return 0;
}

int ring_add(struct ring *r, struct span head, struct span tail)
{
	return ring_append(r, head, tail, ++r->last_id);
}

int ring_reset(struct ring *r, struct span line)
{
	r->current = !r->current;
	buf_clear(&r->text[r->current]);
	r->n_lines = 0;
	return ring_append(r, line, (struct span){"", 0}, 0);
}

/* As span_next_line(), but a '\r' before the newline is part of the line. */
static bool ring_next_line(struct span *rest, struct span *out)
{
	ptrdiff_t end = span_index(*rest, '\n');

	if (end < 0)
		return false;
	*out = (struct span){rest->p, (size_t)end};
	*rest = span_skip(*rest, (size_t)end + 1);
	return true;
}

/* Which lines of the subject hold the match: from *first up to, without, *last. */
static void ring_find_lines(const struct ring_match *m, size_t *first, size_t *last)
{
	struct span s = m->subject;
	size_t from = m->start + 1 < s.n ? m->start + 1 : s.n;
	size_t to = s.n;

	/* A match that begins with the newline belongs to the line behind it. */
	while (from > 0 && s.p[from - 1] != '\n')
		from--;
	if (m->end > 0) {
		struct span rest = span_skip(s, m->end - 1);
		ptrdiff_t at = span_index(rest, '\n');

		if (at >= 0)
			to = m->end + (size_t)at;
	}
	*first = ring_count_newlines((struct span){s.p, from});
	*last = ring_count_newlines((struct span){s.p, to});
}

/* Drop from r->lines[@first..@last) what was skipped; each at most once, in order. */
static void ring_drop_skipped(
    struct ring *r, size_t first, size_t last, struct span skipped)
{
	size_t at = first;
	struct span line;

	while (ring_next_line(&skipped, &line)) {
		for (size_t i = at; i < last; i++) {
			if (!r->lines[i].p || !span_eq(r->lines[i], line))
				continue;
			r->lines[i].p = NULL;
			at = i + 1;
			break;
		}
	}
}

int ring_take(struct ring *r, const struct ring_match *m, struct span *out_text)
{
	struct buf *old = &r->text[r->current], *kept = &r->text[!r->current];
	struct span rest = buf_span(old), line;
	size_t first, last, n = 0, n_taken = 0;

	ring_find_lines(m, &first, &last);
	while (n < r->n_lines && ring_next_line(&rest, &line))
		r->lines[n++] = line;
	if (last > n)
		last = n;
	ring_drop_skipped(r, first, last, m->skipped);
	buf_clear(kept);
	buf_clear(&r->taken);
	rest = buf_span(old);
	for (size_t i = 0; i < n && ring_next_line(&rest, &line); i++) {
		bool is_taken = i >= first && i < last && r->lines[i].p;
		struct buf *to = is_taken ? &r->taken : kept;

		buf_add_span(to, line);
		buf_add_char(to, '\n');
		if (is_taken)
			r->taken_ids[n_taken++] = r->ids[i];
		else
			r->ids[i - n_taken] = r->ids[i];
	}
	if (kept->failed || r->taken.failed)
		return -ENOMEM;
	r->n_lines = n - n_taken;
	r->current = !r->current;
	*out_text = buf_span(&r->taken);
	return (int)n_taken;
}
