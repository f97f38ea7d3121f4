/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * engine_stopped - walks over bans for who counts what they stop
 */
#include "decide/engine_private.h"

static void show(struct ban *b, engine_stopped_fn fn, void *ctx)
{
	const struct order o = {.op = ORDER_BAN,
	    .cause = (enum order_cause)b->cause,
	    .jail = b->jail,
	    .net = b->net,
	    .at = b->at,
	    .until = b->until,
	    .step = b->step};

	fn(ctx, &o, &b->stopped);
}

uint32_t engine_each_stopped(
    struct engine *e, uint32_t from, uint32_t max, engine_stopped_fn fn, void *ctx)
{
	struct ban *b = ban_table_next(e->bans, from);

	for (uint32_t i = 0; b && i < max; i++) {
		from = b->id;
		show(b, fn, ctx);
		b = ban_table_next(e->bans, from);
	}
	return b ? from : 0;
}

void engine_each_ending(
    struct engine *e, wall_t before, uint32_t max, engine_stopped_fn fn, void *ctx)
{
	struct ban *b = ban_table_first(e->bans);

	for (; b && max && b->until.us < before.us; b = ban_table_after(b)) {
		if (b->stopped.is_final)
			continue;
		show(b, fn, ctx);
		max--;
	}
}

struct stopped *engine_find_stopped(
    struct engine *e, uint32_t jail, const struct net *n)
{
	struct ban *b = ban_table_find(e->bans, jail, n);

	return b ? &b->stopped : NULL;
}
