/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/f2b_spec.h"

#include <errno.h>

static bool is_word(char c)
{
	return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') ||
	       c == '_' || (uint8_t)c >= 0x80;
}

static bool is_key(char c)
{
	return is_word(c) || c == '-' || c == '.';
}

static bool is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool ends_line(struct span s, size_t at)
{
	return at == s.n || s.p[at] == '\n';
}

/* Does a name begin at @from, and go on to the end of a line? */
static bool is_one_at(struct span s, size_t from)
{
	size_t at = from;

	while (at < s.n && (is_key(s.p[at]) || s.p[at] == '/'))
		at++;
	if (at == from)
		return false;
	if (ends_line(s, at))
		return true;
	for (size_t i = at + 1; s.p[at] == '[' && i < s.n; i++) {
		if (s.p[i] == ']' && ends_line(s, i + 1))
			return true;
	}
	return false;
}

bool f2b_spec_is_one(struct span text)
{
	for (size_t i = 0; i < text.n; i++) {
		if ((i == 0 || text.p[i - 1] == '\n') && is_one_at(text, i))
			return true;
	}
	return false;
}

static struct span first_25(struct span s)
{
	size_t n = 0;

	for (size_t chars = 0; n < s.n && chars < 25; chars++) {
		size_t len = span_utf8_len(span_skip(s, n));

		n += len ? len : 1;
	}
	return (struct span){s.p, n};
}

/* The value at @at; moves it behind. Without its quotes, should it have two. */
static struct span read_value(struct span s, size_t *at)
{
	struct span rest = span_skip(s, *at), value = {rest.p, 0};

	if (rest.n > 0 && (*rest.p == '"' || *rest.p == '\'')) {
		ptrdiff_t end = span_index(span_skip(rest, 1), *rest.p);

		if (end >= 0) {
			*at += (size_t)end + 2;
			return (struct span){rest.p + 1, (size_t)end};
		}
	}
	while (value.n < rest.n && rest.p[value.n] != ',' && rest.p[value.n] != ']')
		value.n++;
	*at += value.n;
	return value;
}

/* What may stand behind a value: "," or "][" or the end. */
static bool skip_separator(struct span s, size_t *at)
{
	size_t i = *at;

	if (i == s.n)
		return true;
	if (s.p[i] == ',') {
		*at = i + 1;
		return true;
	}
	if (s.p[i++] != ']')
		return false;
	while (i < s.n && is_blank(s.p[i]))
		i++;
	if (i == s.n || s.p[i] != '[')
		return false;
	*at = i + 1;
	return true;
}

/* Is nothing left at @at but perhaps a comma and blanks? */
static bool is_end(struct span s, size_t at)
{
	if (at < s.n && s.p[at] == ',')
		at++;
	return span_trim(span_skip(s, at)).n == 0;
}

static int read_option(struct span s, size_t *at, struct f2b_spec *out, struct err *e)
{
	size_t from = *at, to;
	struct span name;

	while (from < s.n && is_blank(s.p[from]))
		from++;
	for (to = from; to < s.n && is_key(s.p[to]);)
		to++;
	name = (struct span){s.p + from, to - from};
	if (name.n == 0 || to == s.n || s.p[to] != '=') {
		struct span rest = first_25(span_skip(s, *at));

		return err_set(e, -EINVAL,
		    "expected option, wrong syntax at %zu: " SPAN_FMT, *at,
		    SPAN_ARG(rest));
	}
	if (out->n_options == F2B_SPEC_MAX)
		return err_set(e, -EINVAL, "more than %d options", F2B_SPEC_MAX);
	*at = to + 1;
	out->options[out->n_options].name = name;
	out->options[out->n_options++].value = span_trim(read_value(s, at));
	if (!skip_separator(s, at)) {
		struct span rest = first_25(span_skip(s, *at));

		return err_set(e, -EINVAL,
		    "unexpected syntax at %zu after option '" SPAN_FMT "': " SPAN_FMT,
		    *at, SPAN_ARG(name), SPAN_ARG(rest));
	}
	return 0;
}

int f2b_spec_parse(struct span text, struct f2b_spec *out, struct err *e)
{
	ptrdiff_t open = span_index(text, '[');
	struct span inner;
	size_t at = 0;

	*out = (struct f2b_spec){.name = text, .rest = {text.p + text.n, 0}};
	if (open < 0)
		return text.n ? 0 : err_set(e, -EINVAL, "unexpected option syntax");
	out->name.n = (size_t)open;
	out->rest = span_skip(text, (size_t)open);
	inner = out->rest;
	while (inner.n > 0 && is_blank(inner.p[inner.n - 1]))
		inner.n--;
	if (open == 0 || inner.n < 2 || inner.p[inner.n - 1] != ']')
		return err_set(e, -EINVAL, "unexpected option syntax");
	inner = (struct span){inner.p + 1, inner.n - 2};
	while (!is_end(inner, at)) {
		int r = read_option(inner, &at, out, e);

		if (r < 0)
			return r;
	}
	return 0;
}

bool f2b_spec_find(const struct f2b_spec *s, struct span name, struct span *out)
{
	for (size_t i = s->n_options; i-- > 0;) {
		if (span_eq(s->options[i].name, name)) {
			*out = s->options[i].value;
			return true;
		}
	}
	return false;
}
