/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The form on disk outlives this program, so it has a version of its own: a reader that
 * meets a later one gives up on the evidence, never on the ban.
 */
#include "record/evidence.h"

#include <errno.h>

#include "base/pack.h"

enum { VERSION = 1 };

/* at, rule, weight and the length of the text */
#define MIN_LINE_BYTES (8 + 2 + 2 + 1)

static void encode_lines(
    struct buf *b, const struct evidence *why, uint32_t n, bool with_text)
{
	pack_u8(b, VERSION);
	pack_u32(b, n);
	for (uint32_t i = 0; i < n; i++) {
		pack_wall(b, why[i].at);
		pack_u16(b, why[i].rule);
		pack_u16(b, (uint16_t)why[i].weight);
		pack_str(b, with_text ? why[i].text : NULL);
	}
}

int evidence_encode(struct buf *b, const struct order *o)
{
	const struct evidence *why = o->why;
	uint32_t n = o->n_why;

	if (!n)
		return 0;
	if (n > EVIDENCE_MAX_LINES) { /* oldest first in the list */
		why += n - EVIDENCE_MAX_LINES;
		n = EVIDENCE_MAX_LINES;
	}
	encode_lines(b, why, n, true);
	if (b->failed) {
		buf_clear(b);
		encode_lines(b, why, n, false);
	}
	return b->failed ? -ENOMEM : 0;
}

static bool decode_line(struct unpack *u, struct evidence *out)
{
	out->at = unpack_wall(u);
	out->rule = unpack_u16(u);
	out->weight = (int16_t)unpack_u16(u);
	out->text = unpack_str(u);
	return !u->bad;
}

int evidence_decode(struct span bytes, struct order *out)
{
	struct order read = {0};
	struct unpack u;
	uint32_t n;
	int r;

	if (bytes.n > EVIDENCE_MAX_BYTES)
		return -EBADMSG;
	u = unpack_of(bytes);
	if (unpack_u8(&u) != VERSION)
		return -EBADMSG;
	n = unpack_count(&u, MIN_LINE_BYTES);
	if (u.bad || n > EVIDENCE_MAX_LINES)
		return -EBADMSG;

	read.why = n ? calloc(n, sizeof(*read.why)) : NULL;
	if (n && !read.why)
		return -ENOMEM;
	while (read.n_why < n && decode_line(&u, &read.why[read.n_why]))
		read.n_why++;
	r = unpack_end(&u);
	if (r < 0) {
		order_deinit(&read);
		return r;
	}
	out->why = read.why;
	out->n_why = read.n_why;
	return 0;
}
