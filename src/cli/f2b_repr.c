/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/f2b_repr.h"

#include <math.h>
#include <stdio.h>

/* What Python calls printable, as near as ASCII, Latin-1 and the blanks go. */
static bool is_printable(uint32_t c)
{
	if (c < 0x20 || (c >= 0x7f && c <= 0xa0) || c == 0xad)
		return false;
	if (c == 0x1680 || (c >= 0x2000 && c <= 0x200f) || (c >= 0x2028 && c <= 0x202f))
		return false;
	if ((c >= 0x205f && c <= 0x206f) || c == 0x3000 || c == 0xfeff)
		return false;
	if ((c >= 0xe000 && c <= 0xf8ff) || (c >= 0xfff0 && c <= 0xfffb) ||
	    c >= 0xf0000)
		return false;
	return true;
}

static uint32_t decode(struct span s, size_t n)
{
	uint32_t c = (uint8_t)s.p[0];

	if (n == 1)
		return c;
	c &= 0xffu >> (n + 1);
	for (size_t i = 1; i < n; i++)
		c = c << 6 | ((uint8_t)s.p[i] & 0x3f);
	return c;
}

static void add_escaped(struct buf *b, uint32_t c)
{
	if (c == '\n')
		buf_add_str(b, "\\n");
	else if (c == '\r')
		buf_add_str(b, "\\r");
	else if (c == '\t')
		buf_add_str(b, "\\t");
	else if (c < 0x100)
		buf_printf(b, "\\x%02x", c);
	else if (c < 0x10000)
		buf_printf(b, "\\u%04x", c);
	else
		buf_printf(b, "\\U%08x", c);
}

void f2b_repr_str(struct buf *b, struct span s)
{
	char quote = span_index(s, '\'') >= 0 && span_index(s, '"') < 0 ? '"' : '\'';

	buf_add_char(b, quote);
	while (s.n > 0) {
		size_t n = span_utf8_len(s);
		uint32_t c = n ? decode(s, n) : 0;

		if (n == 0)
			buf_add_str(b, "\xef\xbf\xbd");
		else if (c == (uint8_t)quote || c == '\\')
			buf_printf(b, "\\%c", (char)c);
		else if (!is_printable(c))
			add_escaped(b, c);
		else
			buf_add(b, s.p, n);
		s = span_skip(s, n ? n : 1);
	}
	buf_add_char(b, quote);
}

void f2b_repr_float(struct buf *b, double v)
{
	char text[40];
	int exponent;

	if (isnan(v) || isinf(v)) {
		buf_add_str(b, isnan(v) ? "nan" : v < 0 ? "-inf" : "inf");
		return;
	}
	for (int n = 0; n < 17; n++) {
		(void)snprintf(text, sizeof(text), "%.*e", n, v);
		if (strtod(text, NULL) == v)
			break;
	}
	exponent = atoi(strchr(text, 'e') + 1);
	if (exponent < -4 || exponent >= 16) {
		buf_add_str(b, text);
		return;
	}
	for (int n = 1; n < 22; n++) {
		(void)snprintf(text, sizeof(text), "%.*f", n, v);
		if (strtod(text, NULL) == v)
			break;
	}
	buf_add_str(b, text);
}
