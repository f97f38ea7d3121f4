/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * buf - growing text with a cap
 *
 * A failure sticks: what is added after it is dropped too, so the content is always the
 * front of what was meant and never a text with a hole in it.
 */

#include "base/buf.h"

#include <stdio.h>

#define FIRST_ROOM_BYTES 64

void buf_deinit(struct buf *b)
{
	free(b->p);
	*b = BUF_INIT(b->cap);
}

void buf_clear(struct buf *b)
{
	b->n = 0;
	b->failed = false;
	if (b->p)
		b->p[0] = '\0';
}

/* Make room for @more bytes and the NUL; false, and the mark, if that cannot be. */
static bool reserve(struct buf *b, size_t more)
{
	size_t need, room;
	char *p;

	if (b->failed)
		return false;
	if (more > b->cap - b->n || b->n + more == SIZE_MAX) {
		b->failed = true;
		return false;
	}
	need = b->n + more + 1;
	if (need <= b->room)
		return true;
	room = b->room > SIZE_MAX / 2 ? need : b->room * 2;
	if (room < FIRST_ROOM_BYTES)
		room = FIRST_ROOM_BYTES;
	if (room > b->cap)
		room = b->cap + 1;
	if (room < need)
		room = need;
	p = realloc(b->p, room);
	if (!p) {
		b->failed = true;
		return false;
	}
	b->p = p;
	b->room = room;
	return true;
}

void buf_add(struct buf *b, const void *p, size_t n)
{
	if (!reserve(b, n))
		return;
	if (n > 0)
		memcpy(b->p + b->n, p, n);
	b->n += n;
	b->p[b->n] = '\0';
}

void buf_add_span(struct buf *b, struct span s)
{
	buf_add(b, s.p, s.n);
}

void buf_add_str(struct buf *b, const char *cstr)
{
	buf_add(b, cstr, strlen(cstr));
}

void buf_add_more(struct buf *b, char c)
{
	buf_add(b, &c, 1);
}

void buf_add_i64(struct buf *b, int64_t v)
{
	uint64_t left = v < 0 ? -(uint64_t)v : (uint64_t)v;
	char text[20];
	size_t at = sizeof(text);

	do {
		text[--at] = (char)('0' + left % 10);
		left /= 10;
	} while (left);
	if (v < 0)
		buf_add_char(b, '-');
	buf_add(b, text + at, sizeof(text) - at);
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0) {
		b->failed = true;
		return;
	}
	if (!reserve(b, (size_t)n))
		return;
	va_start(ap, fmt);
	(void)vsnprintf(b->p + b->n, (size_t)n + 1, fmt, ap);
	va_end(ap);
	b->n += (size_t)n;
}

/* The C1 controls U+0080..U+009F are C2 80..C2 9F; some terminals obey them. */
static bool is_shown(struct span s, size_t n_char)
{
	unsigned char c = (unsigned char)s.p[0];

	if (n_char == 1)
		return c >= 0x20 && c < 0x7f;
	return n_char > 2 ||
	       (n_char == 2 && (c != 0xc2 || (unsigned char)s.p[1] >= 0xa0));
}

void buf_quote(struct buf *b, struct span s, size_t max_bytes)
{
	static const char hex[] = "0123456789abcdef";
	size_t left = max_bytes;

	buf_add_char(b, '"');
	while (s.n > 0) {
		size_t n = span_utf8_len(s);
		unsigned char c = (unsigned char)s.p[0];
		bool shown = is_shown(s, n);

		if (!shown)
			n = 1;
		if (n > left) {
			buf_add_str(b, "…");
			break;
		}
		if (!shown) {
			buf_add(b, (char[]){'\\', 'x', hex[c >> 4], hex[c & 15]}, 4);
		} else {
			if (c == '"' || c == '\\')
				buf_add_char(b, '\\');
			buf_add(b, s.p, n);
		}
		s = span_skip(s, n);
		left -= n;
	}
	buf_add_char(b, '"');
}

void buf_consume(struct buf *b, size_t n)
{
	if (!b->p)
		return;
	if (n > b->n)
		n = b->n;
	b->n -= n;
	memmove(b->p, b->p + n, b->n + 1);
}

char *buf_take(struct buf *b)
{
	char *p;

	/* An empty content is a string too; only a failure gives NULL. */
	buf_add(b, "", 0);
	p = b->failed ? NULL : TAKE(b->p);
	buf_deinit(b);
	return p;
}
