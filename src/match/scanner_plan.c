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

/* A literal of n bytes has n - key + 1 keys: any stride up to so many meets one. */
static unsigned choose_stride(size_t n, size_t bytes, size_t key_bytes)
{
	unsigned stride = SCANNER_STRIDE_MAX;

	while (
	    stride > 1 && (stride + key_bytes - 1 > bytes || stride * n > ENTRIES_MAX))
		stride /= 2;
	return stride;
}

static int keys_init(struct scanner_keys *k, size_t key_bytes, size_t n_entries)
{
	unsigned bits = SLOT_BITS_MIN;

	while (bits < SLOT_BITS_MAX && (size_t)1 << bits < n_entries * SLOTS_PER_ENTRY)
		bits++;
	k->shift = 64 - bits;
	/* Without bit 5, which is what the cases of a letter differ in. */
	memset(&k->mask, 0xff ^ 0x20, key_bytes);
	k->slots = calloc((size_t)1 << bits, sizeof(*k->slots));
	return k->slots ? 0 : -ENOMEM;
}

static struct keyed keyed_of(const struct scanner_keys *keys,
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
	k.slot = scanner_slot(keys, padded + offset);
	return k;
}

static int by_slot(const void *a, const void *b)
{
	const struct keyed *x = a, *y = b;

	return x->slot < y->slot ? -1 : x->slot > y->slot;
}

/* Append sorted entries. Return: the longest chain among them. */
static size_t fill_slots(struct scanner_plan *p, const struct scanner_keys *keys,
    const struct keyed *k, size_t n)
{
	size_t chain = 0, longest = 0;

	for (size_t i = 0; i < n; i++) {
		bool is_first = i == 0 || k[i - 1].slot != k[i].slot;

		p->entries[p->n_entries] = k[i].entry;
		p->entries[p->n_entries].is_last =
		    i + 1 == n || k[i + 1].slot != k[i].slot;
		if (is_first)
			keys->slots[k[i].slot] = (uint16_t)p->n_entries;
		p->n_entries++;
		chain = is_first ? 1 : chain + 1;
		longest = chain > longest ? chain : longest;
	}
	return longest;
}

/* A table for the literals of so many bytes; none when there are no such literals. */
static int add_keys(struct scanner_plan *p, const struct scanner_literal *l, size_t n,
    const uint8_t *offsets, size_t min_bytes, size_t max_bytes, size_t key_bytes)
{
	struct scanner_keys *keys = &p->keys[p->n_keys];
	CLEANUP(freep) struct keyed *k = NULL;
	size_t n_keyed = 0;

	k = aligned_alloc(alignof(struct keyed), n * p->stride * sizeof(*k));
	if (!k || keys_init(keys, key_bytes, n * p->stride) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		if (l[i].text.n < min_bytes || l[i].text.n > max_bytes)
			continue;
		for (size_t step = 0; step < p->stride; step++)
			k[n_keyed++] = keyed_of(keys, &l[i], i, offsets[i] + step);
	}
	qsort(k, n_keyed, sizeof(*k), by_slot);
	p->longest_chain += fill_slots(p, keys, k, n_keyed);
	p->n_keys++;
	return 0;
}

static int entries_init(struct scanner_plan *p, size_t n)
{
	p->entries = aligned_alloc(
	    alignof(struct scanner_entry), (n * p->stride + 1) * sizeof(*p->entries));
	if (!p->entries)
		return -ENOMEM;
	/* What stands in no text: it comes where there is no literal. */
	p->entries[0] = (struct scanner_entry){.text = {1}, .is_last = true};
	p->n_entries = 1;
	return 0;
}

static int plan_by_window(
    struct scanner_plan *p, const struct scanner_literal *l, size_t n, uint8_t *offsets)
{
	size_t bytes = shortest(l, n);
	int r = scanner_windows_choose(p, l, n, offsets);

	if (r == 0)
		r = entries_init(p, n);
	if (r == 0)
		r = add_keys(p, l, n, offsets, SCANNER_KEY_BYTES,
		    SCANNER_LITERAL_BYTES_MAX, SCANNER_KEY_BYTES);
	if (r == 0 && bytes < SCANNER_KEY_BYTES)
		r = add_keys(p, l, n, offsets, 0, SCANNER_KEY_BYTES - 1, bytes);
	return r;
}

static int plan_by_stride(
    struct scanner_plan *p, const struct scanner_literal *l, size_t n, uint8_t *offsets)
{
	size_t bytes = shortest(l, n);
	size_t key_bytes = bytes < STRIDE_KEY_BYTES ? bytes : STRIDE_KEY_BYTES;
	int r;

	p->stride = choose_stride(n, bytes, key_bytes);
	scanner_runs_choose(l, n, key_bytes + p->stride - 1, offsets);
	r = entries_init(p, n);
	if (r == 0)
		r = add_keys(p, l, n, offsets, 0, SCANNER_LITERAL_BYTES_MAX, key_bytes);
	return r;
}

int scanner_plan_init(struct scanner_plan *p, const struct scanner_literal *l, size_t n,
    struct scanner_shape shape)
{
	CLEANUP(freep) uint8_t *offsets = calloc(n, sizeof(*offsets));
	int r;

	*p = (struct scanner_plan){.shape = shape, .stride = 1};
	if (!offsets)
		return -ENOMEM;
	r = shape.window > 0 ? plan_by_window(p, l, n, offsets)
			     : plan_by_stride(p, l, n, offsets);
	if (r < 0)
		scanner_plan_deinit(p);
	return r;
}

void scanner_plan_deinit(struct scanner_plan *p)
{
	for (size_t i = 0; i < ARRAY_LEN(p->keys); i++)
		free(p->keys[i].slots);
	free(p->entries);
	*p = (struct scanner_plan){0};
}
