/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * scanner_plan - what our own scanners look for, made once from the literals
 *
 * All of them work in two steps.
 *
 * The filter drops nearly all positions of the text. That of the vector units looks at
 * a window of up to SCANNER_WINDOW_MAX bytes: each literal has one window, the most
 * telling part of it, and belongs to one of 8 buckets; for each byte of the window a
 * table says which buckets have a literal with that byte there; a position stays when
 * one bucket agrees with all bytes. The portable scanner has no such filter, but looks
 * only at each stride-th position, for which each literal is entered under as many
 * keys.
 *
 * What stays is looked up by its key, some bytes from there on without regard to case,
 * in a hash table: it leads to the entries to compare with. This decides.
 */

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>

#include "match/scanner.h"

#define SCANNER_BUCKETS 8
#define SCANNER_WINDOW_MAX 8
#define SCANNER_KEY_BYTES                                          \
	8 /* at most; literals that are shorter have a table apart \
	   */
#define SCANNER_STRIDE_MAX 8
#define SCANNER_BYTES 128 /* values that a byte of a literal may have */
#define SCANNER_HALVES 16 /* values of half a byte */

/* One literal under one key. */
struct scanner_entry {
	alignas(SCANNER_LITERAL_BYTES_MAX) uint8_t text[SCANNER_LITERAL_BYTES_MAX];
	uint8_t mask[SCANNER_LITERAL_BYTES_MAX]; /* the bits that count */
	uint32_t literal;
	uint8_t offset; /* of the key in the literal */
	bool is_last;   /* of those with this slot */
};

/* A slot leads to its first entry; entry 0 stands for none. */
struct scanner_keys {
	uint64_t mask;
	unsigned shift;
	uint16_t *slots;
};

/* What a scanner's filter looks at. */
struct scanner_shape {
	unsigned window; /* bytes; 0: it has strides instead */
	bool by_halves;  /* at the halves of a byte each for itself */
};

struct scanner_plan {
	/* The filter: buckets by value, for each byte of the window. */
	alignas(64) uint8_t bytes[SCANNER_WINDOW_MAX][SCANNER_BYTES];
	/* Or by its halves, beside the buckets with literals that have ended before. */
	uint8_t low[SCANNER_WINDOW_MAX][SCANNER_HALVES];
	uint8_t high[SCANNER_WINDOW_MAX][SCANNER_HALVES];
	uint8_t any_byte[SCANNER_WINDOW_MAX];
	struct scanner_shape shape;
	unsigned stride;

	struct scanner_keys keys[2];
	unsigned n_keys;
	struct scanner_entry *entries;
	size_t n_entries;
	size_t longest_chain; /* of entries that one position leads to */
};

/* Return: 0 or -ENOMEM. The literals have been checked; @n > 0. */
int scanner_plan_init(struct scanner_plan *p, const struct scanner_literal *l, size_t n,
    struct scanner_shape shape);
void scanner_plan_deinit(struct scanner_plan *p);

/* The slot of the key that begins at @at, where 8 bytes can be read. */
static inline size_t scanner_slot(const struct scanner_keys *k, const void *at)
{
	uint64_t key;

	memcpy(&key, at, sizeof(key));
	return (size_t)(((key & k->mask) * UINT64_C(0x9e3779b97f4a7c15)) >> k->shift);
}
