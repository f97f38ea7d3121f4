/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "match/scanner_plan.h"

#include <errno.h>

#include "match/scanner_windows.h"

#define SLOT_BITS_MIN 8
#define SLOT_BITS_MAX 14
#define SLOTS_PER_ENTRY 16
#define ENTRIES_MAX (4 * SCANNER_LITERALS_MAX)
#define STRIDE_KEY_BYTES 4

struct keyed {
	size_t slot;
	struct scanner_entry entry;
};

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static size_t shortest(const struct scanner_literal *l, size_t n)
{
	size_t bytes = SCANNER_LITERAL_BYTES_MAX;

	for (size_t i = 0; i < n; i++)
		bytes = l[i].text.n < bytes ? l[i].text.n : bytes;
	return bytes;
}

static void set_key_bytes(struct scanner_plan *p, size_t bytes)
{
	p->key_mask = 0;
	memset(&p->key_mask, 0xff, bytes);
}

/* A literal of n bytes has n - key + 1 keys: any stride up to so many meets one. */
static unsigned choose_stride(size_t n, size_t bytes, size_t key_bytes)
{
	unsigned stride = SCANNER_STRIDE_MAX;

	while (
	    stride > 1 && (stride + key_bytes - 1 > bytes || stride * n > ENTRIES_MAX))
		stride /= 2;
	return stride;
}

static void choose_slot_bits(struct scanner_plan *p, size_t n_entries)
{
	unsigned bits = SLOT_BITS_MIN;

	while (bits < SLOT_BITS_MAX && (size_t)1 << bits < n_entries * SLOTS_PER_ENTRY)
		bits++;
	p->key_shift = 64 - bits;
}

static struct keyed keyed_of(const struct scanner_plan *p,
    const struct scanner_literal *l, size_t literal, size_t offset)
{
	struct keyed k = {0};
	uint8_t padded[SCANNER_LITERAL_BYTES_MAX + sizeof(uint64_t)] = {0};

	for (size_t i = 0; i < l->text.n; i++) {
		bool is_either = l->is_nocase && is_letter(l->text.p[i]);

		k.entry.mask[i] = is_either ? 0xff ^ 0x20 : 0xff;
		k.entry.text[i] = (uint8_t)l->text.p[i] & k.entry.mask[i];
	}
	k.entry.literal = (uint32_t)literal;
	k.entry.offset = (uint8_t)offset;
	memcpy(padded, l->text.p, l->text.n);
	k.slot = scanner_slot(p, padded + offset);
	return k;
}

static int by_slot(const void *a, const void *b)
{
	const struct keyed *x = a, *y = b;

	return x->slot < y->slot ? -1 : x->slot > y->slot;
}

static void fill_slots(struct scanner_plan *p, const struct keyed *k)
{
	size_t chain = 0;

	for (size_t i = 0; i < p->n_entries; i++) {
		bool is_first = i == 0 || k[i - 1].slot != k[i].slot;

		p->entries[i + 1] = k[i].entry;
		p->entries[i + 1].is_last =
		    i + 1 == p->n_entries || k[i + 1].slot != k[i].slot;
		if (is_first)
			p->slots[k[i].slot] = (uint16_t)(i + 1);
		chain = is_first ? 1 : chain + 1;
		p->longest_chain = chain > p->longest_chain ? chain : p->longest_chain;
	}
}

static int fill_entries(struct scanner_plan *p, const struct scanner_literal *l,
    size_t n, const uint8_t *offsets)
{
	CLEANUP(freep) struct keyed *k = NULL;

	p->n_entries = n * p->stride;
	choose_slot_bits(p, p->n_entries);
	p->slots = calloc((size_t)1 << (64 - p->key_shift), sizeof(*p->slots));
	p->entries = aligned_alloc(
	    alignof(struct scanner_entry), (p->n_entries + 1) * sizeof(*p->entries));
	k = aligned_alloc(alignof(struct keyed), p->n_entries * sizeof(*k));
	if (!p->slots || !p->entries || !k)
		return -ENOMEM;
	for (size_t i = 0; i < p->n_entries; i++) {
		size_t literal = i / p->stride;

		k[i] =
		    keyed_of(p, &l[literal], literal, offsets[literal] + i % p->stride);
	}
	qsort(k, p->n_entries, sizeof(*k), by_slot);
	/* What stands in no text: it comes where there is no literal. */
	p->entries[0] =
	    (struct scanner_entry){.mask = {0}, .text = {1}, .is_last = true};
	fill_slots(p, k);
	return 0;
}

int scanner_plan_init(
    struct scanner_plan *p, const struct scanner_literal *l, size_t n, unsigned window)
{
	CLEANUP(freep) uint8_t *offsets = calloc(n, sizeof(*offsets));
	size_t bytes = shortest(l, n);
	size_t key_bytes = bytes < sizeof(uint64_t) ? bytes : sizeof(uint64_t);
	int r = 0;

	if (!offsets)
		return -ENOMEM;
	*p = (struct scanner_plan){.window = window, .stride = 1};
	if (window > 0) {
		r = scanner_windows_choose(p, l, n, key_bytes, offsets);
	} else {
		if (key_bytes > STRIDE_KEY_BYTES)
			key_bytes = STRIDE_KEY_BYTES;
		p->stride = choose_stride(n, bytes, key_bytes);
		scanner_runs_choose(l, n, key_bytes + p->stride - 1, offsets);
	}
	set_key_bytes(p, key_bytes);
	if (r == 0)
		r = fill_entries(p, l, n, offsets);
	if (r < 0)
		scanner_plan_deinit(p);
	return r;
}

void scanner_plan_deinit(struct scanner_plan *p)
{
	free(p->slots);
	free(p->entries);
	p->slots = NULL;
	p->entries = NULL;
}
