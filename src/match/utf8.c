/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * utf8 - one table row per kind of first byte; the second byte alone has odd limits
 */

#include "match/utf8.h"

struct utf8_row {
	uint8_t first, last; /* of the first byte */
	uint8_t low, high;   /* of the second byte; later ones are 0x80..0xbf */
	uint8_t n_bytes;
};

/* Unicode standard, table 3-7 "Well-Formed UTF-8 Byte Sequences" */
static const struct utf8_row utf8_rows[] = {
    {0xc2, 0xdf, 0x80, 0xbf, 2},
    {0xe0, 0xe0, 0xa0, 0xbf, 3},
    {0xe1, 0xec, 0x80, 0xbf, 3},
    {0xed, 0xed, 0x80, 0x9f, 3},
    {0xee, 0xef, 0x80, 0xbf, 3},
    {0xf0, 0xf0, 0x90, 0xbf, 4},
    {0xf1, 0xf3, 0x80, 0xbf, 4},
    {0xf4, 0xf4, 0x80, 0x8f, 4},
};

/*
 * How many bytes at the front of the non-empty @s belong together: a whole character
 * (@whole), or the longest piece that could have begun one.
 */
static size_t utf8_piece(struct span s, bool *whole)
{
	const uint8_t *p = (const uint8_t *)s.p;
	const struct utf8_row *row = NULL;
	size_t n = 1;

	*whole = p[0] < 0x80;
	if (*whole)
		return 1;
	for (size_t i = 0; i < ARRAY_LEN(utf8_rows) && !row; i++) {
		if (p[0] >= utf8_rows[i].first && p[0] <= utf8_rows[i].last)
			row = &utf8_rows[i];
	}
	if (!row || s.n < 2 || p[1] < row->low || p[1] > row->high)
		return 1;
	for (n = 2; n < row->n_bytes; n++) {
		if (n == s.n || (p[n] & 0xc0) != 0x80)
			return n;
	}
	*whole = true;
	return n;
}

/* How many bytes at the front of @s are ASCII, in steps of 32 where possible. */
static size_t utf8_ascii_len(struct span s)
{
	size_t i = 0;

	for (; i + 32 <= s.n; i += 32) {
		uint64_t w[4];

		memcpy(w, s.p + i, sizeof(w));
		if ((w[0] | w[1] | w[2] | w[3]) & UINT64_C(0x8080808080808080))
			break;
	}
	while (i < s.n && (uint8_t)s.p[i] < 0x80)
		i++;
	return i;
}

bool utf8_is_valid(struct span s)
{
	bool whole;

	for (;;) {
		s = span_skip(s, utf8_ascii_len(s));
		if (s.n == 0)
			return true;
		size_t n = utf8_piece(s, &whole);
		if (!whole)
			return false;
		s = span_skip(s, n);
	}
}

size_t utf8_char_len(struct span s)
{
	bool whole;
	size_t n;

	if (s.n == 0)
		return 0;
	n = utf8_piece(s, &whole);
	return whole ? n : 0;
}

void utf8_repair(struct span s, struct buf *out)
{
	bool whole;

	while (s.n > 0) {
		size_t n = utf8_ascii_len(s);

		if (n == 0) {
			n = utf8_piece(s, &whole);
			if (whole)
				buf_add(out, s.p, n);
			else
				buf_add(out, "\xef\xbf\xbd", 3);
		} else {
			buf_add(out, s.p, n);
		}
		s = span_skip(s, n);
	}
}
