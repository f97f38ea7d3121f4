/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * picklew - every value as the opcodes that CPython's own pickler uses for it
 *
 * Nothing is remembered in the memo: our values are trees.
 */

#include "base/picklew.h"

#include <endian.h>

static void add_opcode(struct buf *b, unsigned char opcode)
{
	buf_add(b, &opcode, 1);
}

/* The low @n_bytes of @v, little end first. */
static void add_number(struct buf *b, uint64_t v, size_t n_bytes)
{
	v = htole64(v);
	buf_add(b, &v, n_bytes);
}

void picklew_begin(struct buf *b)
{
	buf_add(b, "\x80\x04", 2);
}

void picklew_end(struct buf *b)
{
	add_opcode(b, '.');
}

void picklew_none(struct buf *b)
{
	add_opcode(b, 'N');
}

void picklew_bool(struct buf *b, bool v)
{
	add_opcode(b, v ? 0x88 : 0x89);
}

void picklew_i64(struct buf *b, int64_t v)
{
	if (v >= 0 && v <= UINT8_MAX) {
		add_opcode(b, 'K');
		add_number(b, (uint64_t)v, 1);
	} else if (v >= 0 && v <= UINT16_MAX) {
		add_opcode(b, 'M');
		add_number(b, (uint64_t)v, 2);
	} else if (v >= INT32_MIN && v <= INT32_MAX) {
		add_opcode(b, 'J');
		add_number(b, (uint64_t)v, 4);
	} else {
		buf_add(b, "\x8a\x08", 2);
		add_number(b, (uint64_t)v, 8);
	}
}

void picklew_f64(struct buf *b, double v)
{
	uint64_t bits;

	memcpy(&bits, &v, sizeof(bits));
	bits = htobe64(bits);
	add_opcode(b, 'G');
	buf_add(b, &bits, sizeof(bits));
}

static void add_text(struct buf *b, struct span valid)
{
	if (valid.n <= UINT8_MAX) {
		add_opcode(b, 0x8c);
		add_number(b, valid.n, 1);
	} else if (valid.n <= UINT32_MAX) {
		add_opcode(b, 'X');
		add_number(b, valid.n, 4);
	} else {
		b->failed = true;
		return;
	}
	buf_add_span(b, valid);
}

void picklew_span(struct buf *b, struct span v)
{
	struct span rest = v;
	size_t n;

	/* The length goes first, so bad bytes must be known before. */
	while (rest.n > 0 && (n = span_utf8_len(rest)) > 0)
		rest = span_skip(rest, n);
	if (rest.n == 0) {
		add_text(b, v);
		return;
	}
	struct buf fixed = BUF_INIT(b->cap);

	for (rest = v; rest.n > 0; rest = span_skip(rest, n)) {
		n = span_utf8_len(rest);
		if (n > 0)
			buf_add(&fixed, rest.p, n);
		else
			buf_add_str(&fixed, "\xef\xbf\xbd");
		n = n > 0 ? n : 1;
	}
	if (fixed.failed)
		b->failed = true;
	else
		add_text(b, buf_span(&fixed));
	buf_deinit(&fixed);
}

void picklew_str(struct buf *b, const char *v)
{
	if (v)
		picklew_span(b, span_of(v));
	else
		picklew_none(b);
}

void picklew_list(struct buf *b)
{
	buf_add_str(b, "](");
}

void picklew_list_end(struct buf *b)
{
	add_opcode(b, 'e');
}

void picklew_tuple(struct buf *b)
{
	add_opcode(b, '(');
}

void picklew_tuple_end(struct buf *b)
{
	add_opcode(b, 't');
}

void picklew_set(struct buf *b)
{
	buf_add_str(b, "\x8f(");
}

void picklew_set_end(struct buf *b)
{
	add_opcode(b, 0x90);
}

void picklew_dict(struct buf *b)
{
	buf_add_str(b, "}(");
}

void picklew_dict_end(struct buf *b)
{
	add_opcode(b, 'u');
}

void picklew_object(struct buf *b, const char *module, const char *name)
{
	picklew_str(b, module);
	picklew_str(b, name);
	add_opcode(b, 0x93);
	picklew_tuple(b);
}

void picklew_object_end(struct buf *b)
{
	picklew_tuple_end(b);
	add_opcode(b, 'R');
}
