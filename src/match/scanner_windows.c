/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * scanner_windows - a small clustering
 *
 * The share of positions that pass a bucket is taken to be the product over its window
 * of the share of bytes that stand in its set there, and how often its windows stand in
 * a sample of words. Each literal goes where it adds least to the sum of all buckets;
 * then each is taken out and put in again, twice.
 */

#include "match/scanner_windows.h"

#include <errno.h>

#define ROUNDS 3
/* What is in the sample is far more frequent in some logs. */
#define SAMPLE_WEIGHT 8

/* Of 10,000 bytes of mail, authentication and web logs so many are this one. */
static const uint16_t share[SCANNER_BYTES] = {
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 93, 1, 1, 25, 1, 1,                        /* */
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,                          /* */
    939, 1, 223, 27, 1, 1, 1, 9, 20, 20, 1, 2, 193, 98, 317, 88,             /*   */
    346, 450, 371, 179, 178, 184, 124, 128, 121, 134, 379, 5, 18, 72, 18, 1, /* 0 */
    18, 36, 15, 21, 44, 26, 16, 7, 7, 21, 26, 3, 20, 15, 53, 44,             /* @ */
    17, 3, 13, 48, 36, 11, 2, 3, 10, 1, 2, 92, 4, 92, 1, 14,                 /* P */
    1, 300, 46, 248, 187, 458, 153, 61, 150, 313, 8, 21, 166, 200, 278, 363, /* ` */
    185, 15, 234, 305, 388, 142, 51, 40, 108, 40, 9, 22, 2, 22, 1, 1,        /* p */
};

#define SHARE_ALL 10000.0
#define PARTS_MAX 2

/* What a bucket has at a byte of the window, or at one half of it. */
struct column {
	uint16_t count[SCANNER_BYTES]; /* literals, by value */
	uint32_t share;                /* of the values with a count */
};

struct bucket {
	struct column columns[SCANNER_WINDOW_MAX][PARTS_MAX];
	uint32_t n_any[SCANNER_WINDOW_MAX]; /* literals that have ended before */
	double passes;
};

struct work {
	unsigned window;
	unsigned n_parts; /* of a byte, that are looked at each for itself */
	uint32_t share[PARTS_MAX][SCANNER_BYTES]; /* of 10,000, by value */
	struct bucket buckets[SCANNER_BUCKETS];
};

struct place {
	uint8_t bucket, offset;
};

static unsigned value_of(const struct work *w, unsigned part, char c)
{
	unsigned byte = (uint8_t)c;

	if (w->n_parts == 1)
		return byte;
	return part == 0 ? byte % SCANNER_HALVES : byte / SCANNER_HALVES;
}

static void set_shares(struct work *w)
{
	for (unsigned part = 0; part < w->n_parts; part++)
		for (unsigned c = 0; c < SCANNER_BYTES; c++)
			w->share[part][value_of(w, part, (char)c)] += share[c];
}

static char other_case(const struct scanner_literal *l, char c)
{
	char lower = (char)(c | 0x20);

	return l->is_nocase && lower >= 'a' && lower <= 'z' ? (char)(c ^ 0x20) : c;
}

/* The share of bytes that pass this byte of the window, if @l is in the bucket too. */
static double byte_passes(const struct work *w, const struct bucket *b,
    const struct scanner_literal *l, size_t offset, unsigned j)
{
	char c = l->text.p[offset + j], other = other_case(l, c);
	double all = 1;

	if (b->n_any[j])
		return 1;
	for (unsigned part = 0; part < w->n_parts; part++) {
		const struct column *k = &b->columns[j][part];
		unsigned x = value_of(w, part, c), y = value_of(w, part, other);
		uint32_t now = k->share + (k->count[x] ? 0 : w->share[part][x]);

		if (y != x)
			now += k->count[y] ? 0 : w->share[part][y];
		all *= now / SHARE_ALL;
	}
	return all;
}

static double passes_with(const struct work *w, const struct bucket *b,
    const struct scanner_literal *l, size_t offset)
{
	double all = 1;

	for (unsigned j = 0; j < w->window && offset + j < l->text.n; j++)
		all *= byte_passes(w, b, l, offset, j);
	return all;
}

static double passes_now(const struct work *w, const struct bucket *b)
{
	double all = 1;

	for (unsigned j = 0; j < w->window; j++)
		for (unsigned part = 0; part < w->n_parts && !b->n_any[j]; part++)
			all *= b->columns[j][part].share / SHARE_ALL;
	return all;
}

static void count_value(
    struct work *w, struct column *k, unsigned part, unsigned value, bool is_in)
{
	if (is_in && k->count[value]++ == 0)
		k->share += w->share[part][value];
	else if (!is_in && --k->count[value] == 0)
		k->share -= w->share[part][value];
}

static void put_byte(struct work *w, struct bucket *b, const struct scanner_literal *l,
    size_t offset, unsigned j, bool is_in)
{
	char c = l->text.p[offset + j], other = other_case(l, c);

	for (unsigned part = 0; part < w->n_parts; part++) {
		unsigned x = value_of(w, part, c), y = value_of(w, part, other);

		count_value(w, &b->columns[j][part], part, x, is_in);
		if (y != x)
			count_value(w, &b->columns[j][part], part, y, is_in);
	}
}

static void put(
    struct work *w, const struct scanner_literal *l, struct place at, bool is_in)
{
	struct bucket *b = &w->buckets[at.bucket];

	for (unsigned j = 0; j < w->window; j++) {
		if ((size_t)at.offset + j >= l->text.n)
			b->n_any[j] += is_in ? 1u : -1u;
		else
			put_byte(w, b, l, at.offset, j, is_in);
	}
	b->passes = passes_now(w, b);
}

/* The share of positions of the sample at which these bytes of the literal stand. */
static double sample_share(const struct scanner_literal *l, size_t offset, size_t bytes)
{
	char lower[SCANNER_LITERAL_BYTES_MAX];
	struct span want = {lower, bytes}, rest = scanner_sample;
	ptrdiff_t at;
	size_t n = 0;

	for (size_t i = 0; i < bytes; i++) {
		char c = l->text.p[offset + i];

		lower[i] = c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
	}
	for (; (at = span_find(rest, want)) >= 0; n++)
		rest = span_skip(rest, (size_t)at + 1);
	return SAMPLE_WEIGHT * (double)n / (double)scanner_sample.n;
}

static size_t window_bytes(const struct work *w, const struct scanner_literal *l)
{
	return l->text.n < w->window ? l->text.n : w->window;
}

/* Behind the start of a window there must be room for the key too. A short literal has
 * but one window, so that all keys of short ones can be as long as the shortest is. */
static size_t n_windows(const struct scanner_literal *l)
{
	return l->text.n < SCANNER_KEY_BYTES ? 1 : l->text.n - SCANNER_KEY_BYTES + 1;
}

static struct place best_place(
    const struct work *w, const struct scanner_literal *l, const double *in_sample)
{
	struct place best = {0, 0};
	double least = 2 * SCANNER_BUCKETS;

	for (uint8_t b = 0; b < SCANNER_BUCKETS; b++) {
		for (size_t offset = 0; offset < n_windows(l); offset++) {
			double more = in_sample[offset] +
				      passes_with(w, &w->buckets[b], l, offset) -
				      w->buckets[b].passes;

			if (more < least) {
				least = more;
				best = (struct place){b, (uint8_t)offset};
			}
		}
	}
	return best;
}

static void fill_bucket(struct scanner_plan *p, const struct work *w, unsigned b)
{
	const struct bucket *from = &w->buckets[b];
	uint8_t bit = (uint8_t)(1u << b);

	for (unsigned j = 0; j < w->window; j++) {
		const struct column *k = from->columns[j];

		p->any_byte[j] |= from->n_any[j] ? bit : 0;
		for (unsigned v = 0; v < SCANNER_BYTES && w->n_parts == 1; v++)
			p->bytes[j][v] |= from->n_any[j] || k->count[v] ? bit : 0;
		for (unsigned v = 0; v < SCANNER_HALVES && w->n_parts == 2; v++) {
			p->low[j][v] |= k[0].count[v] ? bit : 0;
			p->high[j][v] |= k[1].count[v] ? bit : 0;
		}
	}
}

int scanner_windows_choose(struct scanner_plan *p, const struct scanner_literal *l,
    size_t n, uint8_t *out_offsets)
{
	CLEANUP(freep) struct work *w = calloc(1, sizeof(*w));
	CLEANUP(freep) struct place *places = calloc(n, sizeof(*places));
	CLEANUP(freep)
	double(*in_sample)[SCANNER_LITERAL_BYTES_MAX] = calloc(n, sizeof(*in_sample));

	if (!w || !places || !in_sample)
		return -ENOMEM;
	w->window = p->shape.window;
	w->n_parts = p->shape.by_halves ? 2 : 1;
	set_shares(w);
	for (size_t i = 0; i < n; i++)
		for (size_t o = 0; o < n_windows(&l[i]); o++)
			in_sample[i][o] =
			    sample_share(&l[i], o, window_bytes(w, &l[i]));
	for (int round = 0; round < ROUNDS; round++) {
		for (size_t i = 0; i < n; i++) {
			if (round > 0)
				put(w, &l[i], places[i], false);
			places[i] = best_place(w, &l[i], in_sample[i]);
			put(w, &l[i], places[i], true);
		}
	}
	for (size_t i = 0; i < n; i++)
		out_offsets[i] = places[i].offset;
	for (unsigned b = 0; b < SCANNER_BUCKETS; b++)
		fill_bucket(p, w, b);
	return 0;
}

static double run_share(const struct scanner_literal *l, size_t offset, size_t bytes)
{
	double all = 1;

	for (size_t i = offset; i < offset + bytes; i++)
		all *= share[(uint8_t)l->text.p[i]] / SHARE_ALL;
	return all;
}

void scanner_runs_choose(
    const struct scanner_literal *l, size_t n, size_t run_bytes, uint8_t *out_offsets)
{
	for (size_t i = 0; i < n; i++) {
		double least = 2;

		for (size_t o = 0; o + run_bytes <= l[i].text.n; o++) {
			double now = run_share(&l[i], o, run_bytes) +
				     sample_share(&l[i], o, run_bytes);

			if (now < least) {
				least = now;
				out_offsets[i] = (uint8_t)o;
			}
		}
	}
}
