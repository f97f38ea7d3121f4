/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The state of an address as bytes for the store, and back.
 *
 *   u8 version, [u16 unit,] i64 time of the newest, u16 lag, u16 count, then per
 * failure from the newest: u48 microseconds before the newest, u16 weight, u16 rule
 *
 * The unit of weights is there from version 2 on, which is used where it is not 1.
 *
 * Bytes that come back are checked like a stranger's: the file may be damaged or from
 * another version.
 */
#include "decide/tally_table.h"

#include <errno.h>

#include "base/pack.h"

#define STATE_PLAIN 1
#define STATE_WITH_UNIT 2
#define STATE_MAX_BYTES (1 + 2 + 8 + 2 + 2 + ENGINE_MAX_WINDOW * 10)

static void encode(struct buf *b, const struct slot *s, uint16_t unit)
{
	struct window w;

	slot_load(s, &w);
	pack_u8(b, unit == 1 ? STATE_PLAIN : STATE_WITH_UNIT);
	if (unit != 1)
		pack_u16(b, unit);
	pack_i64(b, s->newest_us);
	pack_u16(b, s->lag);
	pack_u16(b, (uint16_t)w.n);
	for (size_t i = w.n; i-- > 0;) {
		uint64_t gap = (uint64_t)(s->newest_us - w.items[i].at_us);

		pack_u32(b, (uint32_t)gap);
		pack_u16(b, (uint16_t)(gap >> 32));
		pack_u16(b, (uint16_t)w.items[i].weight);
		pack_u16(b, w.items[i].rule);
	}
}

static int decode_items(struct unpack *u, int64_t newest_us, struct window *out)
{
	int64_t last_us = newest_us;

	for (size_t i = out->n; i-- > 0;) {
		uint64_t low = unpack_u32(u), high = unpack_u16(u);
		struct window_item *k = &out->items[i];

		k->at_us = newest_us - (int64_t)(high << 32 | low);
		k->weight = (int16_t)unpack_u16(u);
		k->rule = unpack_u16(u);
		if (k->at_us > last_us || (i == out->n - 1 && k->at_us != newest_us))
			return -EBADMSG;
		last_us = k->at_us;
	}
	return unpack_end(u);
}

static int decode(
    struct span state, struct window *out, uint16_t *out_lag, uint16_t *out_unit)
{
	struct unpack u = unpack_of(state);
	uint8_t version = unpack_u8(&u);

	*out_unit = version == STATE_WITH_UNIT ? unpack_u16(&u) : 1;
	int64_t newest_us = unpack_i64(&u);

	*out_lag = unpack_u16(&u);
	out->n = unpack_u16(&u);
	if (u.bad || version < STATE_PLAIN || version > STATE_WITH_UNIT ||
	    *out_unit == 0 || out->n == 0 || out->n > ENGINE_MAX_WINDOW ||
	    newest_us > ENGINE_MAX_TIME_US || newest_us < -ENGINE_MAX_TIME_US)
		return -EBADMSG;
	return decode_items(&u, newest_us, out);
}

int tally_restore(
    struct tally *t, uint32_t jail, const struct net *n, struct span state)
{
	struct window w;
	uint16_t lag, unit;
	uint32_t id;
	struct slot *s;
	int r = decode(state, &w, &lag, &unit);

	if (r < 0)
		return r;
	id = tally_table_find(t, jail, n, net_hash(n));
	if (id == POOL_NONE || !tally_is_live(tally_slot(t, id))) {
		if (t->n_tracked >= t->max_tracked)
			return TALLY_FULL;
		if (id == POOL_NONE)
			id = tally_table_add(t, jail, n);
		if (id == POOL_NONE)
			return -ENOMEM;
		t->n_tracked++;
	}
	s = tally_slot(t, id);
	if (unit != tally_unit(t, jail))
		window_rescale(&w, unit, tally_unit(t, jail));
	window_limit(&w, tally_max_items(t, jail), INT64_MIN);
	slot_save(s, &w, &t->block_bytes, (size_t)tally_block_max(t));
	s->lag = lag;
	s->text = 0;
	s->state |= SLOT_STORED;
	pool_mark(&t->slots, id, false);
	return 0;
}

void tally_each_dirty(struct tally *t, tally_state_fn fn, void *ctx)
{
	CLEANUP(buf_deinit) struct buf b = BUF_INIT(STATE_MAX_BYTES);

	for (uint32_t id = pool_next_marked(&t->slots, POOL_NONE); id != POOL_NONE;
	     id = pool_next_marked(&t->slots, id)) {
		struct slot *s = tally_slot(t, id);

		buf_clear(&b);
		if (tally_is_live(s))
			encode(&b, s, tally_unit(t, s->jail));
		/* Out of memory: it stays marked for the next time. */
		if (b.failed)
			continue;
		fn(ctx, s->jail, &s->net, buf_span(&b));
		if (tally_is_live(s)) {
			s->state |= SLOT_STORED;
			pool_mark(&t->slots, id, false);
		} else {
			tally_table_delete(t, id);
		}
	}
}

void tally_mark_dirty(struct tally *t)
{
	for (uint32_t id = 1; id <= t->slots.n_made; id++)
		if (tally_slot(t, id)->state & SLOT_USED)
			pool_mark(&t->slots, id, true);
}
