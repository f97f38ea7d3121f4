/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * text - values that remember where their bytes come from
 */

#include "conf/text.h"

#include <errno.h>

#include "conf/chars.h"

/* How many marks of @t begin at or before @off. */
static size_t marks_until(const struct text *t, size_t off)
{
	size_t low = 0, high = t->n_marks;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (t->marks[mid].off <= off)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* The place of @off when the first @n_marks marks are not behind it. */
static struct conf_place place_by(const struct text *t, size_t n_marks, size_t off)
{
	const struct text_mark *m = n_marks ? &t->marks[n_marks - 1] : NULL;
	struct conf_place at = m ? m->at : (struct conf_place){0};

	if (m && !m->is_fixed && at.col)
		at.col += (unsigned int)(off - m->off);
	return at;
}

struct conf_place text_place(const struct text *t, size_t off)
{
	return place_by(t, marks_until(t, off), off);
}

bool text_next_line(
    const struct text *t, size_t *pos, struct span *out, struct conf_place *at)
{
	while (*pos < t->n) {
		struct span rest = {t->p + *pos, t->n - *pos};
		ptrdiff_t eol = span_index(rest, '\n');
		struct span line = {rest.p, eol < 0 ? rest.n : (size_t)eol};

		*pos += line.n + 1;
		line = chars_trim(line);
		if (!line.n)
			continue;
		*out = line;
		*at = text_place(t, (size_t)(line.p - t->p));
		return true;
	}
	return false;
}

void text_out_deinit(struct text_out *o)
{
	buf_deinit(&o->b);
	free(o->marks);
	*o = TEXT_OUT_INIT;
}

void text_out_clear(struct text_out *o)
{
	buf_clear(&o->b);
	o->n_marks = 0;
	o->is_too_long = o->is_out_of_memory = false;
}

static void add_mark(struct text_out *o, struct conf_place at, bool is_fixed)
{
	struct text_mark m = {.off = (uint32_t)o->b.n, .is_fixed = is_fixed, .at = at};

	if (o->n_marks && o->marks[o->n_marks - 1].off == m.off) {
		o->marks[o->n_marks - 1] = m;
		return;
	}
	if (o->n_marks == o->room) {
		size_t room = o->room ? o->room * 2 : 8;
		struct text_mark *marks = realloc(o->marks, room * sizeof(*marks));

		if (!marks) {
			o->is_out_of_memory = true;
			return;
		}
		o->marks = marks;
		o->room = room;
	}
	o->marks[o->n_marks++] = m;
}

static bool fits(struct text_out *o, size_t n)
{
	if (o->is_too_long || o->is_out_of_memory)
		return false;
	if (n > TEXT_MAX - o->b.n)
		o->is_too_long = true;
	return !o->is_too_long;
}

static void add_bytes(struct text_out *o, struct span s)
{
	buf_add_span(&o->b, s);
	if (o->b.failed)
		o->is_out_of_memory = true;
}

void text_out_add(
    struct text_out *o, struct span s, struct conf_place at, bool is_fixed)
{
	if (!fits(o, s.n))
		return;
	add_mark(o, at, is_fixed);
	add_bytes(o, s);
}

void text_out_add_part(struct text_out *o, const struct text *t, size_t from, size_t to)
{
	if (from >= to || !fits(o, to - from))
		return;
	for (size_t i = marks_until(t, from), off = from; off < to; i++) {
		size_t end =
		    i < t->n_marks && t->marks[i].off < to ? t->marks[i].off : to;
		bool is_fixed = i > 0 && t->marks[i - 1].is_fixed;

		add_mark(o, place_by(t, i, off), is_fixed);
		add_bytes(o, (struct span){t->p + off, end - off});
		off = end;
	}
}

static bool is_at_line_start(const struct text_out *o)
{
	return !o->b.n || o->b.p[o->b.n - 1] == '\n';
}

void text_out_insert(struct text_out *o, const struct text *host, size_t from,
    size_t to, const struct text *value)
{
	struct conf_place at = text_place(host, from);
	ptrdiff_t eol = span_index(text_span(value), '\n');
	bool ends_line = to == host->n || host->p[to] == '\n';
	size_t n_inside = 0; /* so much of @value lands inside a line of @host */

	if (!is_at_line_start(o) || (eol < 0 && (!ends_line || !value->n_marks)))
		n_inside = eol < 0 ? value->n : (size_t)eol;
	if (n_inside)
		text_out_add(o, (struct span){value->p, n_inside}, at, true);
	text_out_add_part(o, value, n_inside, value->n);
}

struct text text_out_view(const struct text_out *o)
{
	return (struct text){
	    .p = buf_str(&o->b), .n = o->b.n, .marks = o->marks, .n_marks = o->n_marks};
}

int text_out_state(const struct text_out *o)
{
	if (o->is_out_of_memory)
		return -ENOMEM;
	return o->is_too_long ? -E2BIG : 0;
}

static int keep(struct arena *a, const struct text *t, struct text *out)
{
	char *p = arena_dup(a, text_span(t));
	struct text_mark *marks = arena_alloc_array(a, t->n_marks, sizeof(*marks));

	if (!p || !marks)
		return -ENOMEM;
	if (t->n_marks)
		memcpy(marks, t->marks, t->n_marks * sizeof(*marks));
	*out = (struct text){.p = p, .n = t->n, .marks = marks, .n_marks = t->n_marks};
	return 0;
}

int text_out_keep(const struct text_out *o, struct arena *a, struct text *out)
{
	struct text view = text_out_view(o);
	int r = text_out_state(o);

	return r < 0 ? r : keep(a, &view, out);
}

int text_slice(
    struct arena *a, const struct text *t, size_t from, size_t to, struct text *out)
{
	CLEANUP(text_out_deinit) struct text_out o = TEXT_OUT_INIT;

	text_out_add_part(&o, t, from, to);
	/* An empty value still stands somewhere. */
	if (from >= to)
		text_out_add(&o, (struct span){"", 0}, text_place(t, from), true);
	return text_out_keep(&o, a, out);
}
