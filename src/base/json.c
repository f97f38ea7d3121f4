/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * json - writing values one after the other
 */

#include "base/json.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

/* Whatever is written next is the second of its list unless something opens one. */
static void begin_value(struct json *j)
{
	if (j->need_comma)
		buf_add_char(j->b, ',');
	j->need_comma = true;
}

static void open_list(struct json *j, char c)
{
	begin_value(j);
	buf_add_char(j->b, c);
	j->need_comma = false;
}

static void close_list(struct json *j, char c)
{
	buf_add_char(j->b, c);
	j->need_comma = true;
}

void json_object(struct json *j)
{
	open_list(j, '{');
}

void json_object_end(struct json *j)
{
	close_list(j, '}');
}

void json_array(struct json *j)
{
	open_list(j, '[');
}

void json_array_end(struct json *j)
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

static void add_quoted(struct buf *b, struct span s)
{
	buf_add_char(b, '"');
	while (s.n > 0) {
		size_t n = span_utf8_len(s);
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

void json_key(struct json *j, const char *name)
{
	json_str(j, name);
	buf_add_char(j->b, ':');
	j->need_comma = false;
}

void json_span(struct json *j, struct span v)
{
	begin_value(j);
	add_quoted(j->b, v);
}

void json_str(struct json *j, const char *v)
{
	if (v)
		json_span(j, span_of(v));
	else
		json_null(j);
}

void json_i64(struct json *j, int64_t v)
{
	begin_value(j);
	buf_printf(j->b, "%" PRId64, v);
}

void json_f64(struct json *j, double v)
{
	char text[40];
	char *comma;

	/* JSON has no word for them. */
	if (!isfinite(v)) {
		json_null(j);
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

void json_bool(struct json *j, bool v)
{
	json_raw(j, v ? SPAN("true") : SPAN("false"));
}

void json_null(struct json *j)
{
	json_raw(j, SPAN("null"));
}

void json_net(struct json *j, const struct net *v)
{
	begin_value(j);
	buf_add_char(j->b, '"');
	buf_add_net(j->b, v);
	buf_add_char(j->b, '"');
}

void json_wall(struct json *j, wall_t v, bool fraction)
{
	if (v.us == WALL_NONE.us)
		json_null(j);
	else if (v.us == WALL_NEVER.us)
		json_i64(j, -1);
	else if (fraction)
		json_f64(j, wall_to_sec(v));
	else
		json_i64(j, v.us / US_PER_SEC - (v.us % US_PER_SEC < 0));
}

void json_raw(struct json *j, struct span v)
{
	begin_value(j);
	buf_add_span(j->b, v);
}
