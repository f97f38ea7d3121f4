/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "flow/cursor.h"

void cursor_encode(struct buf *b, const struct cursor *c)
{
	pack_u64(b, c->dev);
	pack_u64(b, c->ino);
	pack_u64(b, c->offset);
	pack_u64(b, c->lines);
	pack_u32(b, c->head_bytes);
	pack_u64(b, c->head_hash);
}

struct cursor cursor_decode(struct unpack *u)
{
	struct cursor c = {.dev = unpack_u64(u)};

	c.ino = unpack_u64(u);
	c.offset = unpack_u64(u);
	c.lines = unpack_u64(u);
	c.head_bytes = unpack_u32(u);
	c.head_hash = unpack_u64(u);
	return c;
}
