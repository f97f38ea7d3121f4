/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The form on disk outlives this program, so it has a version of its own: a reader that
 * meets a later one gives up on the evidence, never on the ban.
 */
#include "record/db_evidence.h"

#include <errno.h>
#include <string.h>

#include "base/pack.h"

enum { VERSION = 1 };

#define HEAD_BYTES (1 + 4)
#define LINE_BYTES (8 + 2 + 2 + 4) /* at, rule, weight, the length of the text */

/* From which line on the texts fit: the newest are worth more. */
static uint32_t first_with_text(const struct evidence *why, uint32_t n)
{
	size_t room = DB_EVIDENCE_MAX_BYTES - HEAD_BYTES - n * (size_t)LINE_BYTES;

	for (uint32_t i = n; i > 0; i--) {
		size_t n_bytes = why[i - 1].text ? strlen(why[i - 1].text) : 0;

		if (n_bytes > room)
			return i;
		room -= n_bytes;
	}
	return 0;
}

int db_evidence_encode(struct buf *b, const struct order *o)
{
	const struct evidence *why = o->why;
	uint32_t n = o->n_why;
	uint32_t first;

	_Static_assert(
	    HEAD_BYTES + DB_EVIDENCE_MAX_LINES * LINE_BYTES < DB_EVIDENCE_MAX_BYTES,
	    "without texts all lines fit");
	if (!n)
		return 0;
	if (n > DB_EVIDENCE_MAX_LINES) { /* oldest first in the list */
		why += n - DB_EVIDENCE_MAX_LINES;
		n = DB_EVIDENCE_MAX_LINES;
	}
	first = first_with_text(why, n);
	pack_u8(b, VERSION);
	pack_u32(b, n);
	for (uint32_t i = 0; i < n; i++) {
		pack_wall(b, why[i].at);
		pack_u16(b, why[i].rule);
		pack_u16(b, (uint16_t)why[i].weight);
		pack_str(b, i >= first ? why[i].text : NULL);
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

int db_evidence_decode(struct span bytes, struct order *out)
{
	struct order read = {0};
	struct unpack u;
	uint32_t n;
	int r;

	if (bytes.n > DB_EVIDENCE_MAX_BYTES)
		return -EBADMSG;
	u = unpack_of(bytes);
	if (unpack_u8(&u) != VERSION)
		return -EBADMSG;
	n = unpack_count(&u, LINE_BYTES);
	if (u.bad || n > DB_EVIDENCE_MAX_LINES)
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
