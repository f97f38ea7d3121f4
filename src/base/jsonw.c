/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * json - writing values one after the other
 */

#include "base/jsonw.h"

#include <math.h>
#include <stdio.h>

/* Whatever is written next is the second of its list unless something opens one. */
static void begin_value(struct jsonw *j)
{
	if (j->need_comma)
		buf_add_char(j->b, ',');
	j->need_comma = true;
}

static void open_list(struct jsonw *j, char c)
{
	begin_value(j);
	buf_add_char(j->b, c);
	j->need_comma = false;
}

static void close_list(struct jsonw *j, char c)
{
	buf_add_char(j->b, c);
	j->need_comma = true;
}

void jsonw_object(struct jsonw *j)
{
	open_list(j, '{');
}

void jsonw_object_end(struct jsonw *j)
{
	close_list(j, '}');
}

void jsonw_array(struct jsonw *j)
{
	open_list(j, '[');
}

void jsonw_array_end(struct jsonw *j)
{
	close_list(j, ']');
}

static void add_control(struct buf *b, char c)
{
	static const char names[] = "\bb\ff\nn\rr\tt";

	for (size_t i = 0; i + 1 < sizeof(names); i += 2) {
		if (c == names[i]) {
			buf_add(b, (char[]){'\\', names[i + 1]}, 2);
			return;
		}
	}
	buf_printf(b, "\\u%04x", (unsigned int)(unsigned char)c);
}

/* How many bytes at the front stand for themselves. */
static size_t plain_len(struct span s)
{
	static const bool stands[256] = {
	    [' ' ... '!'] = true, ['#' ... '['] = true, [']' ... '~'] = true};
	size_t n = 0;

	while (n < s.n && stands[(unsigned char)s.p[n]])
		n++;
	return n;
}

static void add_quoted(struct buf *b, struct span s)
{
	buf_add_char(b, '"');
	while (s.n > 0) {
		size_t n = plain_len(s);

		if (n) {
			buf_add(b, s.p, n);
			s = span_skip(s, n);
			continue;
		}
		n = span_utf8_len(s);
		unsigned char c = (unsigned char)s.p[0];

		if (n == 0) {
			buf_add_str(b, "\xef\xbf\xbd"); /* U+FFFD */
			n = 1;
		} else if (c < 0x20 || c == 0x7f) {
			add_control(b, s.p[0]);
		} else {
			if (c == '"' || c == '\\')
				buf_add_char(b, '\\');
			buf_add(b, s.p, n);
		}
		s = span_skip(s, n);
	}
	buf_add_char(b, '"');
}

void jsonw_key(struct jsonw *j, const char *name)
{
	jsonw_str(j, name);
	buf_add_char(j->b, ':');
	j->need_comma = false;
}

void jsonw_span(struct jsonw *j, struct span v)
{
	begin_value(j);
	add_quoted(j->b, v);
}

void jsonw_str(struct jsonw *j, const char *v)
{
	if (v)
		jsonw_span(j, span_of(v));
	else
		jsonw_null(j);
}

void jsonw_i64(struct jsonw *j, int64_t v)
{
	begin_value(j);
	buf_add_i64(j->b, v);
}

void jsonw_f64(struct jsonw *j, double v)
{
	char text[40];
	char *comma;

	/* JSON has no word for them. */
	if (!isfinite(v)) {
		jsonw_null(j);
		return;
	}
	/* 15 digits are always kept, 17 always suffice. */
	for (int digits = 15; digits <= 17; digits++) {
		(void)snprintf(text, sizeof(text), "%.*g", digits, v);
		if (strtod(text, NULL) == v) /* same locale, so same comma */
			break;
	}
	comma = strchr(text, ',');
	if (comma)
		*comma = '.';
	begin_value(j);
	buf_add_str(j->b, text);
	if (!strpbrk(text, ".e"))
		buf_add_str(j->b, ".0");
}

void jsonw_bool(struct jsonw *j, bool v)
{
	jsonw_raw(j, v ? SPAN("true") : SPAN("false"));
}

void jsonw_null(struct jsonw *j)
{
	jsonw_raw(j, SPAN("null"));
}

void jsonw_net(struct jsonw *j, const struct net *v)
{
	begin_value(j);
	buf_add_char(j->b, '"');
	buf_add_net(j->b, v);
	buf_add_char(j->b, '"');
}

void jsonw_wall(struct jsonw *j, wall_t v, bool fraction)
{
	if (v.us == WALL_NONE.us)
		jsonw_null(j);
	else if (v.us == WALL_NEVER.us)
		jsonw_i64(j, -1);
	else if (fraction)
		jsonw_f64(j, wall_to_sec(v));
	else
		jsonw_i64(j, v.us / US_PER_SEC - (v.us % US_PER_SEC < 0));
}

void jsonw_raw(struct jsonw *j, struct span v)
{
	begin_value(j);
	buf_add_span(j->b, v);
}
