/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * buf - text or bytes that grow up to a cap
 *
 * A write that would pass the cap, or for which memory is missing, marks the buffer
 * as failed and changes nothing else; so callers add freely and ask once, at the end.
 * The bytes are always followed by a NUL that is not counted.
 */

#include <stdarg.h>

#include "base/cleanup.h"
#include "base/str.h"

struct buf {
	char *p;     /* NULL until something is added */
	size_t n;    /* bytes used */
	size_t room; /* bytes allocated */
	size_t cap;  /* never more than this */
	bool failed; /* something did not fit */
};

#define BUF_INIT(max_bytes) ((struct buf){.cap = (max_bytes)})

void buf_deinit(struct buf *b);
void buf_clear(struct buf *b); /* forget content and failure, keep memory */
void buf_add(struct buf *b, const void *p, size_t n);
void buf_add_span(struct buf *b, struct span s);
void buf_add_str(struct buf *b, const char *cstr);
void buf_add_more(struct buf *b, char c); /* for buf_add_char() */
static inline void buf_add_char(struct buf *b, char c)
{
	if (b->failed || b->room < b->n + 2) {
		buf_add_more(b, c);
		return;
	}
	b->p[b->n++] = c;
	b->p[b->n] = '\0';
}
void buf_add_i64(struct buf *b, int64_t v); /* in decimal */
void buf_printf(struct buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);

/**
 * buf_quote() - add foreign text so that it can be shown or logged safely
 * @s:         any bytes
 * @max_bytes: after so many bytes of @s, "…" ends it
 *
 * Printable ASCII stays, `"` and `\` get a backslash, valid UTF-8 beyond the C1
 * controls stays, every other byte becomes \xHH; the whole is put in `"`.
 */
void buf_quote(struct buf *b, struct span s, size_t max_bytes);

/* Drop the first @n bytes (at most all). */
void buf_consume(struct buf *b, size_t n);

static inline struct span buf_span(const struct buf *b)
{
	return (struct span){b->p ? b->p : "", b->n};
}

/* The content as a terminated string; "" when nothing was added. Never NULL. */
static inline const char *buf_str(const struct buf *b)
{
	return b->p ? b->p : "";
}

/* Hand over the malloc'd, terminated content, NULL if it failed; @b is empty then. */
char *buf_take(struct buf *b);
