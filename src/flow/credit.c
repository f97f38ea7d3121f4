/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "flow/credit.h"

#include <errno.h>
#include <string.h>

#include "base/hash.h"

uint32_t credit_kind_of(const char *rule_name)
{
	return (uint32_t)hash_stable(rule_name, strlen(rule_name));
}

void credit_encode(struct buf *b, const struct credit *c)
{
	pack_net(b, &c->net);
	pack_wall(b, c->at);
	pack_u32(b, c->hour);
	pack_u16(b, c->n_days);
	pack_u8(b, c->n_kinds);
	for (uint8_t i = 0; i < c->n_kinds; i++) {
		pack_u32(b, c->kinds[i].kind);
		pack_u32(b, c->kinds[i].hour);
		pack_u32(b, c->kinds[i].points);
		pack_u16(b, c->kinds[i].n_days);
	}
}

int credit_decode(struct unpack *u, struct credit *out)
{
	struct credit c = {.net = unpack_net(u)};

	c.at = unpack_wall(u);
	c.hour = unpack_u32(u);
	c.n_days = unpack_u16(u);
	c.n_kinds = unpack_u8(u);
	if (c.n_kinds > CREDIT_KINDS)
		u->bad = true;
	for (uint8_t i = 0; i < c.n_kinds && !u->bad; i++) {
		c.kinds[i].kind = unpack_u32(u);
		c.kinds[i].hour = unpack_u32(u);
		c.kinds[i].points = unpack_u32(u);
		c.kinds[i].n_days = unpack_u16(u);
		if (c.kinds[i].points > CREDIT_MAX_POINTS)
			u->bad = true;
	}
	if (u->bad)
		return -EBADMSG;
	*out = c;
	return 0;
}
