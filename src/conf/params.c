/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * params - a hand-written reader of name[option=value, ...]
 */

#include "conf/params.h"

#include <errno.h>

#include "conf/chars.h"

struct reader {
	struct arena *arena;
	struct diag *d;
	const char *what;
	const struct text *t;
	size_t i;
	struct params *out;
	size_t room;
};

static char peek(const struct reader *r)
{
	return r->i < r->t->n ? r->t->p[r->i] : '\0';
}

static struct span rest_of(const struct reader *r)
{
	return (struct span){r->t->p + r->i, r->t->n - r->i};
}

static void skip_blanks(struct reader *r)
{
	size_t n;

	while ((n = chars_blank_bytes(rest_of(r))) > 0)
		r->i += n;
}

static int complain(struct reader *r, size_t at, const char *expected)
{
	struct span found = {r->t->p + at, r->t->n - at};
	ptrdiff_t eol = span_index(found, '\n');

	if (eol >= 0)
		found.n = (size_t)eol;
	if (found.n > 25)
		found.n = 25;
	diag_add(r->d, DIAG_ERROR, text_place(r->t, at), "%s: '%s': %s at '%s'",
	    r->what, r->out->name, expected, chars_show(found).text);
	return -EINVAL;
}

static bool is_name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.' ||
	       (unsigned char)c >= 0x80;
}

/* "port" or "port?family=inet6", up to the '=' that the value follows. */
static int read_option_name(struct reader *r, struct span *out)
{
	const char *expected = "expected option=value or ']'";
	size_t begin = r->i;

	while (is_name_char(peek(r)))
		r->i++;
	if (r->i > begin && peek(r) == '?') {
		expected = "expected option?condition=word=value";
		do
			r->i++;
		while (is_name_char(peek(r)));
		if (peek(r) != '=')
			return complain(r, begin, expected);
		do
			r->i++;
		while (is_name_char(peek(r)));
	}
	if (r->i == begin || peek(r) != '=')
		return complain(r, begin, expected);
	*out = (struct span){r->t->p + begin, r->i - begin};
	r->i++;
	return 0;
}

static void trim_range(const struct text *t, size_t *from, size_t *to)
{
	struct span s = chars_trim((struct span){t->p + *from, *to - *from});

	*from = (size_t)(s.p - t->p);
	*to = *from + s.n;
}

static int read_value(struct reader *r, size_t *from, size_t *to)
{
	char quote = peek(r);
	size_t begin = r->i;

	if (quote == '"' || quote == '\'') {
		ptrdiff_t end = span_index(span_skip(rest_of(r), 1), quote);

		if (end < 0)
			return complain(r, begin, "the closing quote is missing");
		*from = begin + 1;
		*to = *from + (size_t)end;
		r->i = *to + 1;
	} else {
		while (r->i < r->t->n && peek(r) != ',' && peek(r) != ']')
			r->i++;
		*from = begin;
		*to = r->i;
	}
	trim_range(r->t, from, to);
	return 0;
}

static int add_item(struct reader *r, struct span name, size_t from, size_t to)
{
	struct params *o = r->out;
	struct params_item *item = NULL, *items;

	if (o->n == r->room) {
		size_t room = r->room ? r->room * 2 : 8;

		items = arena_alloc_array(r->arena, room, sizeof(*items));
		if (!items)
			return -ENOMEM;
		if (o->n)
			memcpy(items, o->items, o->n * sizeof(*items));
		o->items = items;
		r->room = room;
	}
	/* The same option again: the last one counts. */
	for (size_t k = 0; k < o->n && !item; k++)
		if (span_eq_nocase(span_of(o->items[k].name), name))
			item = &o->items[k];
	if (!item && o->n == PARAMS_MAX)
		return complain(r, r->i, "too many options");
	if (!item) {
		item = &o->items[o->n];
		item->name = arena_dup_lower(r->arena, name);
		if (!item->name)
			return -ENOMEM;
		o->n++;
	}
	return text_slice(r->arena, r->t, from, to, &item->value);
}

static int read_option(struct reader *r)
{
	struct span name;
	size_t from = 0, to = 0;
	int e = read_option_name(r, &name);

	if (e == 0)
		e = read_value(r, &from, &to);
	if (e == 0)
		e = add_item(r, name, from, to);
	return e;
}

/* From behind '[' to behind ']'. */
static int read_group(struct reader *r)
{
	for (;;) {
		int e;

		skip_blanks(r);
		if (peek(r) == ']')
			break;
		if (r->i == r->t->n)
			return complain(r, r->i, "the closing ']' is missing");
		e = read_option(r);
		if (e < 0)
			return e;
		skip_blanks(r);
		if (peek(r) == ',')
			r->i++;
		else if (r->i < r->t->n && peek(r) != ']')
			return complain(r, r->i, "expected ',' or ']'");
	}
	r->i++;
	return 0;
}

static int read_groups(struct reader *r)
{
	for (;;) {
		size_t end = r->i;
		int e;

		skip_blanks(r);
		if (peek(r) != '[') {
			r->i = end;
			break;
		}
		r->i++;
		e = read_group(r);
		if (e < 0)
			return e;
	}
	if (r->i < r->t->n && !chars_blank_bytes(rest_of(r)))
		return complain(r, r->i, "expected a blank behind ']'");
	return 0;
}

static int read_item(struct reader *r)
{
	size_t begin = r->i;

	while (r->i < r->t->n && peek(r) != '[' && !chars_blank_bytes(rest_of(r)))
		r->i++;
	r->out->at = text_place(r->t, begin);
	r->out->name =
	    arena_dup(r->arena, (struct span){r->t->p + begin, r->i - begin});
	if (!r->out->name)
		return -ENOMEM;
	if (r->i == begin)
		return complain(r, begin, "expected a name before '['");
	return read_groups(r);
}

int params_next(struct arena *a, struct diag *d, const char *what, const struct text *t,
    size_t *pos, struct params *out)
{
	struct reader r = {
	    .arena = a, .d = d, .what = what, .t = t, .i = *pos, .out = out};
	int e;

	*out = (struct params){0};
	skip_blanks(&r);
	*pos = r.i;
	if (r.i == t->n)
		return PARAMS_END;
	e = read_item(&r);
	/* What follows a mistake in its line would only be misunderstood. */
	while (e < 0 && r.i < t->n && t->p[r.i] != '\n')
		r.i++;
	*pos = r.i;
	return e;
}

int params_parse(struct arena *a, struct diag *d, const char *what,
    const struct text *t, struct params *out)
{
	struct params more;
	size_t pos = 0;
	int r = params_next(a, d, what, t, &pos, out);

	if (r)
		return r;
	r = params_next(a, NULL, what, t, &pos, &more);
	if (r == PARAMS_END || r == -ENOMEM)
		return r == PARAMS_END ? 0 : r;
	diag_add(d, DIAG_ERROR, more.at,
	    "%s: '%s': only one is expected, found '%s' too", what, out->name,
	    more.name);
	return -EINVAL;
}
