/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * evidence - a ring of records that are whole: one that does not fit before the end of
 * the memory starts anew at its beginning, after filler
 *
 * Positions count units of 8 bytes from the birth of the ring and never turn back; a
 * number given outside is the low half of a position. As the ring is far smaller than
 * 2^32 units, the position is found again from it.
 */
#include "decide/evidence.h"

#include <string.h>

#define UNIT 8u
#define MAX_UNITS (1u << 28)
#define FILLER UINT32_MAX /* as owner */

struct record {
	uint32_t owner;
	uint32_t
	    back; /* units to the line before of the same owner; filler: its length */
	int64_t at_us;
	uint16_t rule;
	int16_t weight;
	uint16_t n_text; /* without the NUL */
	uint16_t has_text;
	char text[]; /* terminated */
};

struct evidence_ring {
	evidence_drop_fn on_drop;
	void *ctx;
	uint64_t head; /* where the next record goes */
	uint64_t tail; /* the oldest record, or head */
	uint32_t n_units;
	uint64_t mem[];
};

struct evidence_ring *evidence_ring_new(
    size_t n_bytes, evidence_drop_fn on_drop, void *ctx)
{
	size_t n_units = n_bytes / UNIT < MAX_UNITS ? n_bytes / UNIT : MAX_UNITS;
	struct evidence_ring *r;

	if (n_units == 0)
		n_units = 1;
	r = calloc(1, sizeof(*r) + n_units * UNIT);
	if (!r)
		return NULL;
	r->on_drop = on_drop;
	r->ctx = ctx;
	r->n_units = (uint32_t)n_units;
	/* Near the point where numbers turn over, so that every day sees it happen. */
	r->head = r->tail = ((UINT64_C(1) << 32) / n_units - 8) * n_units;
	return r;
}

struct evidence_ring *evidence_ring_free(struct evidence_ring *r)
{
	free(r);
	return NULL;
}

static struct record *record_at(const struct evidence_ring *r, uint64_t pos)
{
	/* const is about the positions; the owner may hold lines to show. */
	return (struct record *)(uintptr_t)&r->mem[pos % r->n_units];
}

static uint32_t units_for(size_t n_text)
{
	return (uint32_t)((sizeof(struct record) + n_text + 1 + UNIT - 1) / UNIT);
}

static void drop_oldest(struct evidence_ring *r)
{
	const struct record *k = record_at(r, r->tail);
	uint32_t ref = (uint32_t)r->tail;

	if (k->owner == FILLER) {
		r->tail += k->back;
		return;
	}
	r->tail += units_for(k->n_text);
	r->on_drop(r->ctx, k->owner, ref);
}

static void make_room(struct evidence_ring *r, uint32_t n_units)
{
	while (r->head - r->tail + n_units > r->n_units)
		drop_oldest(r);
}

static void add_filler(struct evidence_ring *r, uint32_t n_units)
{
	struct record *k;

	make_room(r, n_units);
	k = record_at(r, r->head);
	k->owner = FILLER;
	k->back = n_units;
	r->head += n_units;
}

/* To where a record of @n_units is whole and its number is not 0. */
static void skip_to_room(struct evidence_ring *r, uint32_t n_units)
{
	for (;;) {
		uint32_t left = r->n_units - (uint32_t)(r->head % r->n_units);

		if (left < n_units)
			add_filler(r, left);
		else if ((uint32_t)r->head == 0)
			add_filler(r, 1);
		else
			return;
	}
}

static uint64_t position_of(const struct evidence_ring *r, uint32_t ref)
{
	return r->head - (uint32_t)((uint32_t)r->head - ref);
}

static void put_text(struct record *k, struct span text)
{
	k->has_text = text.p != NULL;
	k->n_text = (uint16_t)text.n;
	if (text.n)
		memcpy(k->text, text.p, text.n);
	for (char *nul = k->text, *end = k->text + text.n;
	     (nul = memchr(nul, '\0', (size_t)(end - nul)));)
		*nul = '?';
	k->text[text.n] = '\0';
}

uint32_t evidence_ring_add(struct evidence_ring *r, uint32_t owner, uint32_t before,
    wall_t at, uint16_t rule, int16_t weight, struct span text)
{
	uint64_t before_pos = before ? position_of(r, before) : 0, back;
	uint32_t n_units;
	struct record *k;

	if (text.n > EVIDENCE_LINE_BYTES)
		text.n = EVIDENCE_LINE_BYTES;
	n_units = units_for(text.n);
	if (n_units > r->n_units)
		return 0;
	skip_to_room(r, n_units);
	make_room(r, n_units);

	k = record_at(r, r->head);
	back = before && before_pos >= r->tail ? r->head - before_pos : 0;
	*k = (struct record){owner, (uint32_t)back, at.us, rule, weight, 0, 0};
	put_text(k, text);
	r->head += n_units;
	return (uint32_t)(r->head - n_units);
}

struct evidence_line evidence_ring_get(const struct evidence_ring *r, uint32_t ref)
{
	uint64_t pos = position_of(r, ref);
	struct record *k = record_at(r, pos);
	bool has_before = k->back && pos - k->back >= r->tail;

	return (struct evidence_line){
	    .at = {k->at_us},
	    .rule = k->rule,
	    .weight = k->weight,
	    .text = k->has_text ? k->text : NULL,
	    .before = has_before ? (uint32_t)(pos - k->back) : 0,
	};
}
