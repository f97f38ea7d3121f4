/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * rewrite - one pass over the pattern, which knows escapes, classes and groups
 */

#include "match/rewrite.h"

#include <errno.h>

struct rewrite {
	struct span rest;
	struct buf *out;
	bool is_in_class;
	bool is_ascii;
	bool has_verb;
};

static bool rewrite_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool rewrite_is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool rewrite_is_hex(char c)
{
	return rewrite_is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static char rewrite_peek(const struct rewrite *w, size_t at)
{
	return at < w->rest.n ? w->rest.p[at] : '\0';
}

static void rewrite_copy(struct rewrite *w, size_t n)
{
	if (n > w->rest.n)
		n = w->rest.n;
	buf_add(w->out, w->rest.p, n);
	w->rest = span_skip(w->rest, n);
}

static void rewrite_replace(struct rewrite *w, size_t n, const char *by)
{
	buf_add_str(w->out, by);
	w->rest = span_skip(w->rest, n);
}

/* \uXXXX and \UXXXXXXXX: @n_digits hexadecimal digits must follow. */
static void rewrite_code_point(struct rewrite *w, size_t n_digits)
{
	for (size_t i = 0; i < n_digits; i++) {
		if (!rewrite_is_hex(rewrite_peek(w, 2 + i))) {
			rewrite_copy(w, 2);
			return;
		}
	}
	rewrite_replace(w, 2, "\\x{");
	rewrite_copy(w, n_digits);
	buf_add_char(w->out, '}');
}

static void rewrite_escape(struct rewrite *w)
{
	switch (rewrite_peek(w, 1)) {
	case 'u':
		rewrite_code_point(w, 4);
		return;
	case 'U':
		rewrite_code_point(w, 8);
		return;
	case 'v':
		rewrite_replace(w, 2, "\\x0b");
		return;
	case 'Z':
		if (!w->is_in_class) {
			rewrite_replace(w, 2, "\\z");
			return;
		}
		break;
	}
	rewrite_copy(w, 2);
}

static void rewrite_class_start(struct rewrite *w)
{
	size_t n = 1;

	if (rewrite_peek(w, n) == '^')
		n++;
	if (rewrite_peek(w, n) == ']') /* a plain character in the first place */
		n++;
	rewrite_copy(w, n);
	w->is_in_class = true;
}

static void rewrite_in_class(struct rewrite *w)
{
	if (w->rest.p[0] == '[') {
		rewrite_replace(w, 1, "\\[");
		return;
	}
	if (w->rest.p[0] == ']')
		w->is_in_class = false;
	rewrite_copy(w, 1);
}

/* `{,n}` and `{,}` are quantifiers to Python and plain text to PCRE2 before 10.43. */
static void rewrite_brace(struct rewrite *w)
{
	size_t n = 2;

	if (rewrite_peek(w, 1) == ',') {
		while (rewrite_is_digit(rewrite_peek(w, n)))
			n++;
		if (rewrite_peek(w, n) == '}')
			rewrite_replace(w, 1, "{0");
	} else {
		n = 1;
	}
	rewrite_copy(w, n);
}

/* "(?iu)" or "(?iu:" at the front: true when it has been dealt with. */
static bool rewrite_flags(struct rewrite *w)
{
	size_t end = 2;
	size_t n_kept = 0;
	bool is_global;

	while (rewrite_is_letter(rewrite_peek(w, end)) || rewrite_peek(w, end) == '-')
		end++;
	is_global = rewrite_peek(w, end) == ')';
	if (end == 2 || (!is_global && rewrite_peek(w, end) != ':'))
		return false;
	for (size_t i = 2; i < end; i++) {
		char c = w->rest.p[i];

		if (c == 'u' || c == 'L')
			continue;
		if (c == 'a' && is_global) {
			w->is_ascii = true;
			continue;
		}
		if (n_kept++ == 0)
			buf_add_str(w->out, "(?");
		buf_add_char(w->out, c);
	}
	if (!is_global)
		buf_add_str(w->out, n_kept ? ":" : "(?:");
	else if (n_kept)
		buf_add_char(w->out, ')');
	w->rest = span_skip(w->rest, end + 1);
	return true;
}

static void rewrite_group(struct rewrite *w)
{
	ptrdiff_t end;

	if (rewrite_peek(w, 1) == '*') {
		w->has_verb = true;
		return;
	}
	if (rewrite_peek(w, 1) == '?') {
		if (rewrite_peek(w, 2) == '#') {
			end = span_index(w->rest, ')');
			rewrite_copy(w, end < 0 ? w->rest.n : (size_t)end + 1);
			return;
		}
		if (rewrite_flags(w))
			return;
	}
	rewrite_copy(w, 1);
}

static void rewrite_step(struct rewrite *w)
{
	char c = w->rest.p[0];

	if (c == '\\')
		rewrite_escape(w);
	else if (w->is_in_class)
		rewrite_in_class(w);
	else if (c == '[')
		rewrite_class_start(w);
	else if (c == '(')
		rewrite_group(w);
	else if (c == '{')
		rewrite_brace(w);
	else
		rewrite_copy(w, 1);
}

int rewrite_python(struct span pattern, struct buf *out, bool *out_ascii, struct err *e)
{
	struct rewrite w = {.rest = pattern, .out = out};

	while (w.rest.n > 0 && !w.has_verb)
		rewrite_step(&w);
	if (w.has_verb)
		return err_set(e, -EINVAL, "(* is not supported, at offset %zu",
		    pattern.n - w.rest.n);
	if (out->failed)
		return err_set(e, -EINVAL, "longer than %zu bytes", out->cap);
	*out_ascii = w.is_ascii;
	return 0;
}

size_t rewrite_origin(struct span pattern, size_t offset)
{
	struct buf out = BUF_INIT(SIZE_MAX / 2);
	struct rewrite w = {.rest = pattern, .out = &out};
	size_t at = 0;

	while (w.rest.n > 0 && !w.has_verb && out.n <= offset) {
		at = pattern.n - w.rest.n;
		rewrite_step(&w);
	}
	if (out.n <= offset)
		at = pattern.n;
	buf_deinit(&out);
	return at;
}
