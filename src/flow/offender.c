/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "flow/offender.h"

#include <errno.h>

void offender_encode(struct buf *b, const struct offender *o)
{
	pack_net(b, &o->net);
	pack_u32(b, o->count);
	pack_wall(b, o->at);
	pack_wall(b, o->until);
}

int offender_decode(struct unpack *u, struct offender *out)
{
	struct offender o = {.net = unpack_net(u)};

	o.count = unpack_u32(u);
	o.at = unpack_wall(u);
	o.until = unpack_wall(u);
	if (u->bad)
		return -EBADMSG;
	*out = o;
	return 0;
}
