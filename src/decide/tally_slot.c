/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tally_slot - packing failures into a slot and out of it
 */
#include "decide/tally_slot.h"

#include <endian.h>
#include <string.h>

#define LAG_BITS 11
#define LAG_MAX ((1 << LAG_BITS) - 1)

static void put_gap(uint8_t out[6], int64_t us)
{
	uint32_t low = htole32((uint32_t)us);
	uint16_t high = htole16((uint16_t)((uint64_t)us >> 32));

	memcpy(out, &low, sizeof(low));
	memcpy(out + sizeof(low), &high, sizeof(high));
}

static int64_t get_gap(const uint8_t gap[6])
{
	uint32_t low;
	uint16_t high;

	memcpy(&low, gap, sizeof(low));
	memcpy(&high, gap + sizeof(low), sizeof(high));
	return (int64_t)((uint64_t)le16toh(high) << 32 | le32toh(low));
}

static size_t block_bytes(size_t room)
{
	return sizeof(struct slot_block) + room * sizeof(struct slot_item);
}

size_t slot_n_items(const struct slot *s)
{
	unsigned int n = s->state & SLOT_COUNT;

	return n == SLOT_MANY ? s->block->n : n;
}

static void load_few(const struct slot *s, struct window *out)
{
	for (size_t i = 0; i < out->n; i++) {
		int64_t gap = i > 0 ? get_gap(s->few.gap) : 0;

		out->items[out->n - 1 - i] = (struct window_item){
		    s->newest_us - gap, s->few.weight[i], s->few.rule[i]};
	}
}

HOT void slot_load(const struct slot *s, struct window *out)
{
	out->n = slot_n_items(s);
	if ((s->state & SLOT_COUNT) != SLOT_MANY) {
		load_few(s, out);
		return;
	}
	for (size_t i = 0; i < out->n; i++) {
		const struct slot_item *k = &s->block->items[i];

		out->items[out->n - 1 - i] = (struct window_item){
		    s->newest_us - get_gap(k->gap), k->weight, k->rule};
	}
}

/* Grows by half; these many fill what malloc() would round up to. */
static size_t room_for(size_t n)
{
	size_t room = 5;

	while (room < n)
		room += room / 2 + 1;
	return room < ENGINE_MAX_WINDOW ? room : ENGINE_MAX_WINDOW;
}

/* A block of its own with room for @n items? The old one stays if it does. */
static bool ensure_block(
    struct slot *s, size_t n, size_t *io_block_bytes, size_t max_block_bytes)
{
	bool has_block = (s->state & SLOT_COUNT) == SLOT_MANY;
	struct slot_block *old = has_block ? s->block : NULL, *block;
	size_t old_bytes = old ? block_bytes(old->room) : 0;
	size_t room = room_for(n);

	if (old && old->room >= n && old->room <= 2 * room)
		return true;
	if (*io_block_bytes - old_bytes + block_bytes(room) > max_block_bytes)
		return old && old->room >= n;
	block = realloc(old, block_bytes(room));
	if (!block)
		return old && old->room >= n;
	block->room = (uint16_t)room;
	s->block = block;
	s->state |= SLOT_MANY;
	*io_block_bytes += block_bytes(room) - old_bytes;
	return true;
}

static void save_many(struct slot *s, const struct window *w)
{
	s->block->n = (uint16_t)w->n;
	for (size_t i = 0; i < w->n; i++) {
		const struct window_item *from = &w->items[w->n - 1 - i];
		struct slot_item *to = &s->block->items[i];

		put_gap(to->gap, s->newest_us - from->at_us);
		to->weight = from->weight;
		to->rule = from->rule;
	}
}

static void save_few(struct slot *s, const struct window *w)
{
	s->state |= (uint8_t)w->n;
	for (size_t i = 0; i < w->n; i++) {
		const struct window_item *from = &w->items[w->n - 1 - i];

		s->few.weight[i] = from->weight;
		s->few.rule[i] = from->rule;
		if (i > 0)
			put_gap(s->few.gap, s->newest_us - from->at_us);
	}
}

HOT void slot_save(
    struct slot *s, struct window *w, size_t *io_block_bytes, size_t max_block_bytes)
{
	s->newest_us = w->items[w->n - 1].at_us;
	if (w->n > SLOT_FEW &&
	    !ensure_block(s, w->n, io_block_bytes, max_block_bytes)) {
		bool has_block = (s->state & SLOT_COUNT) == SLOT_MANY;

		window_limit(w, has_block ? s->block->room : SLOT_FEW, INT64_MIN);
	}
	if (w->n > SLOT_FEW) {
		save_many(s, w);
		return;
	}
	slot_clear(s, io_block_bytes);
	save_few(s, w);
}

static bool push_few(struct slot *s, int64_t gap, int64_t keep_us)
{
	bool stays = (s->state & SLOT_COUNT) && gap <= keep_us;

	if ((s->state & SLOT_COUNT) == SLOT_FEW && gap + get_gap(s->few.gap) <= keep_us)
		return false;
	s->few.weight[1] = stays ? s->few.weight[0] : 0;
	s->few.rule[1] = stays ? s->few.rule[0] : 0;
	put_gap(s->few.gap, stays ? gap : 0);
	s->state = (uint8_t)((s->state & ~SLOT_COUNT) | (stays ? 2 : 1));
	return true;
}

static bool push_many(struct slot_block *b, int64_t gap, int64_t keep_us)
{
	size_t n = b->n;

	while (n > 0 && get_gap(b->items[n - 1].gap) + gap > keep_us)
		n--;
	if (n + 1 <= SLOT_FEW || n + 1 > b->room || b->room > 2 * room_for(n + 1))
		return false;
	for (size_t i = n; i > 0; i--) {
		b->items[i] = b->items[i - 1];
		put_gap(b->items[i].gap, get_gap(b->items[i].gap) + gap);
	}
	b->n = (uint16_t)(n + 1);
	return true;
}

HOT bool slot_push(
    struct slot *s, int64_t at_us, int16_t weight, uint16_t rule, int64_t keep_us)
{
	unsigned int n = s->state & SLOT_COUNT;
	int64_t gap = n ? at_us - s->newest_us : 0;

	if (gap < 0 || !(n == SLOT_MANY ? push_many(s->block, gap, keep_us)
					: push_few(s, gap, keep_us)))
		return false;
	if (n == SLOT_MANY) {
		s->block->items[0] = (struct slot_item){.weight = weight, .rule = rule};
	} else {
		s->few.weight[0] = weight;
		s->few.rule[0] = rule;
	}
	s->newest_us = at_us;
	return true;
}

int64_t slot_sum(const struct slot *s, int64_t findtime_us)
{
	size_t n = slot_n_items(s);
	int64_t sum = 0;

	if ((s->state & SLOT_COUNT) != SLOT_MANY) {
		bool has_both = n == 2 && get_gap(s->few.gap) <= findtime_us;

		return (n ? s->few.weight[0] : 0) + (has_both ? s->few.weight[1] : 0);
	}
	for (size_t i = 0; i < n && get_gap(s->block->items[i].gap) <= findtime_us; i++)
		sum += s->block->items[i].weight;
	return sum;
}

void slot_clear(struct slot *s, size_t *io_block_bytes)
{
	if ((s->state & SLOT_COUNT) == SLOT_MANY) {
		*io_block_bytes -= block_bytes(s->block->room);
		free(s->block);
	}
	s->state &= (uint8_t)~SLOT_COUNT;
	memset(&s->few, 0, sizeof(s->few));
}

uint16_t slot_lag_encode(int64_t us)
{
	int64_t sec;
	unsigned int shift = 0;

	if (us <= 0)
		return 0;
	sec = (us - 1) / US_PER_SEC + 1;
	for (; sec > LAG_MAX; shift++)
		sec = (sec + 1) / 2;
	return (uint16_t)(shift << LAG_BITS | (unsigned int)sec);
}

int64_t slot_lag_us(uint16_t lag)
{
	return ((int64_t)(lag & LAG_MAX) << (lag >> LAG_BITS)) * US_PER_SEC;
}

int64_t slot_heard_us(const struct slot *s)
{
	return s->newest_us + slot_lag_us(s->lag);
}
