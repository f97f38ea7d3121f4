/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * chars - Unicode blanks and UTF-8 validity (RFC 3629)
 */

#include "conf/chars.h"

#define SHOWN_BYTES 60

/* Length of the valid UTF-8 character at the front of @s, 0 if there is none. */
static size_t char_bytes(struct span s, uint32_t *out)
{
	static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
	unsigned char c = s.n ? (unsigned char)s.p[0] : 0;
	uint32_t v;
	size_t n;

	if (c < 0x80) {
		*out = c;
		return c != 0;
	}
	n = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;
	if (c < 0xc2 || c > 0xf4 || n > s.n)
		return 0;
	v = c & (0x7fU >> n);
	for (size_t i = 1; i < n; i++) {
		unsigned char k = (unsigned char)s.p[i];

		if ((k & 0xc0) != 0x80)
			return 0;
		v = v << 6 | (k & 0x3fU);
	}
	if (v < smallest[n] || v > 0x10ffff || (v >= 0xd800 && v <= 0xdfff))
		return 0;
	*out = v;
	return n;
}

ptrdiff_t chars_bad_at(struct span s)
{
	uint32_t v;

	for (size_t i = 0; i < s.n;) {
		size_t n = char_bytes(span_skip(s, i), &v);

		if (!n)
			return (ptrdiff_t)i;
		i += n;
	}
	return -1;
}

static bool is_blank(uint32_t c)
{
	if (c < 0x80)
		return c == ' ' || (c >= '\t' && c <= '\r') || (c >= 0x1c && c <= 0x1f);
	return c == 0x85 || c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) ||
	       c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x205f || c == 0x3000;
}

size_t chars_blank_bytes(struct span s)
{
	uint32_t c = 0;
	size_t n = char_bytes(s, &c);

	return n && is_blank(c) ? n : 0;
}

/* Bytes of the blank character that @s ends with, or 0. */
static size_t blank_bytes_at_end(struct span s)
{
	for (size_t n = 1; n <= 3 && n <= s.n; n++) {
		struct span last = {s.p + s.n - n, n};

		if (((unsigned char)last.p[0] & 0xc0) != 0x80)
			return chars_blank_bytes(last) == n ? n : 0;
	}
	return 0;
}

bool chars_is_blank_before(struct span s, size_t off)
{
	return blank_bytes_at_end((struct span){s.p, off < s.n ? off : s.n}) > 0;
}

struct span chars_trim(struct span s)
{
	size_t n;

	while ((n = chars_blank_bytes(s)) > 0)
		s = span_skip(s, n);
	while ((n = blank_bytes_at_end(s)) > 0)
		s.n -= n;
	return s;
}

size_t chars_indent(struct span s)
{
	size_t n_chars = 0, n;

	while ((n = chars_blank_bytes(s)) > 0) {
		s = span_skip(s, n);
		n_chars++;
	}
	return n_chars;
}

struct chars_shown chars_show(struct span s)
{
	struct chars_shown out = {{0}};
	size_t n = s.n;

	if (n > SHOWN_BYTES) {
		n = SHOWN_BYTES;
		while (n && ((unsigned char)s.p[n] & 0xc0) == 0x80)
			n--;
	}
	if (n)
		memcpy(out.text, s.p, n);
	if (n < s.n)
		memcpy(out.text + n, "\xe2\x80\xa6", 3);
	return out;
}
