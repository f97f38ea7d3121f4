/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * evidence - a ring of records that are whole: one that does not fit before the end of
 * the memory starts anew at its beginning
 *
 * Positions count units of 8 bytes from the birth of the ring and never turn back; a
 * number given outside is the low half of a position. What has been written last is
 * there, as much of it as the memory holds: so a record is whole as long as its first
 * byte is less than a round behind, and nothing has to be known of those that go.
 *
 * From its number the position is found again, unless 32 GiB of lines have come since.
 * So old a number may lead to another record of the same owner, or to bytes that look
 * like one; what is read of them stays within the ring.
 */
#include "decide/evidence.h"

#include <string.h>

#define UNIT 8u
#define MAX_UNITS (1u << 28)

struct record {
	uint32_t owner;
	uint32_t back; /* units to the line before of the same owner, or 0 */
	int64_t at_us;
	uint16_t rule;
	int16_t weight;
	uint16_t n_text; /* without the NUL */
	uint16_t has_text;
	char text[]; /* terminated */
};

struct evidence_ring {
	uint64_t head; /* where the next record goes */
	uint32_t n_units;
	uint64_t mem[];
};

struct evidence_ring *evidence_ring_new(size_t n_bytes)
{
	size_t n_units = n_bytes / UNIT < MAX_UNITS ? n_bytes / UNIT : MAX_UNITS;
	struct evidence_ring *r;

	if (n_units == 0)
		n_units = 1;
	r = calloc(1, sizeof(*r) + n_units * UNIT);
	if (!r)
		return NULL;
	r->n_units = (uint32_t)n_units;
	/* Near the point where numbers turn over, so that every day sees it happen. */
	r->head = ((UINT64_C(1) << 32) / n_units - 8) * n_units;
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

/* To where a record of @n_units is whole and its number is not 0. */
static void skip_to_room(struct evidence_ring *r, uint32_t n_units)
{
	for (;;) {
		uint32_t left = r->n_units - (uint32_t)(r->head % r->n_units);

		if (left < n_units)
			r->head += left;
		else if ((uint32_t)r->head == 0)
			r->head++;
		else
			return;
	}
}

/* Units from there to the head; more than there are: it is gone. */
static uint32_t distance_of(const struct evidence_ring *r, uint32_t ref)
{
	return (uint32_t)r->head - ref;
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

HOT uint32_t evidence_ring_add(struct evidence_ring *r, uint32_t owner, uint32_t before,
    wall_t at, uint16_t rule, int16_t weight, struct span text)
{
	uint32_t n_units, back;
	struct record *k;

	if (text.n > EVIDENCE_LINE_BYTES)
		text.n = EVIDENCE_LINE_BYTES;
	n_units = units_for(text.n);
	if (n_units > r->n_units)
		return 0;
	skip_to_room(r, n_units);
	back = before ? distance_of(r, before) : 0;
	if (back > r->n_units - n_units)
		back = 0;
	k = record_at(r, r->head);
	*k = (struct record){owner, back, at.us, rule, weight, 0, 0};
	put_text(k, text);
	r->head += n_units;
	return (uint32_t)(r->head - n_units);
}

bool evidence_ring_get(const struct evidence_ring *r, uint32_t owner, uint32_t ref,
    struct evidence_line *out)
{
	uint32_t distance = distance_of(r, ref), left;
	uint64_t pos = r->head - distance;
	struct record *k = record_at(r, pos);
	bool has_before;

	if (!ref || distance == 0 || distance > r->n_units)
		return false;
	left = r->n_units - (uint32_t)(pos % r->n_units);
	if (left > distance)
		left = distance;
	if (left < units_for(0) || k->owner != owner || left < units_for(k->n_text))
		return false;
	has_before = k->back && k->back <= r->n_units - distance;
	*out = (struct evidence_line){
	    .at = {k->at_us},
	    .rule = k->rule,
	    .weight = k->weight,
	    .text = k->has_text && !k->text[k->n_text] ? k->text : NULL,
	    .before = has_before ? ref - k->back : 0,
	};
	return true;
}
