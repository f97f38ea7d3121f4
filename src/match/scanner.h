/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * scanner - which of many short texts stand where in a block of log, in one pass
 *
 * It looks at every byte of every log, so it is made to run at the speed of memory;
 * what it finds is looked at further by others. The text may hold any bytes. No byte
 * beside the text is ever read: a block may end where its page does.
 *
 * There are several kinds that find the same: one in plain C, one for each vector unit
 * worth it, and a foreign library; the best that the processor has is chosen at run
 * time.
 *
 * Bounded by SCANNER_LITERALS_MAX; what a literal may be is said below, others are
 * refused. A scanner never changes once made.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

#define SCANNER_LITERALS_MAX 4096
#define SCANNER_LITERAL_BYTES_MIN 2
#define SCANNER_LITERAL_BYTES_MAX 32

struct scanner_literal {
	struct span text; /* ASCII without NUL and '\n' */
	bool is_nocase;   /* its letters stand for either case */
};

struct scan_hit {
	uint32_t at;      /* where the literal's first byte stands in the text */
	uint32_t literal; /* its index in what the scanner was made of */
};

enum scanner_kind {
	SCANNER_BEST,
	SCANNER_PORTABLE,
	SCANNER_AVX2,
	SCANNER_AVX512, /* with VBMI */
	SCANNER_VECTORSCAN,
};

struct scanner;

/**
 * scanner_new() - make a scanner; the literals are copied
 * @l, @n: what to find; none at all is fine. The same text may stand there twice
 *
 * Return: NULL with @e and errno ENOTSUP (this processor or build lacks @kind), EINVAL
 * (a literal that may not be), E2BIG (too many) or ENOMEM.
 */
struct scanner *scanner_new(
    const struct scanner_literal *l, size_t n, enum scanner_kind kind, struct err *e);

struct scanner *scanner_free(struct scanner *s);
DEFINE_CLEANUP(struct scanner *, scanner_free)

/* The kind in a word: "portable", "avx2", "avx512vbmi", "vectorscan". */
const char *scanner_name(const struct scanner *s);

/* How many hits an array must at least have room for; never more than eight times the
 * number of literals, and at least 1. */
size_t scanner_hits_min(const struct scanner *s);

/**
 * scanner_find() - go on to look for literals
 * @text: the whole block, below 4 GiB, the same in each call
 * @from: in: 0, where a line begins, or what the last call left; out: where to go on,
 *        @text.n when all is done
 * @hits: filled line by line: a hit never stands behind one of a later line. Within a
 *        line they come in no particular order
 * @max:  room in @hits, at least scanner_hits_min(). Some thousand is good: text behind
 *        the last hit that there was room for is looked at again
 *
 * Each place of each literal is reported once; they may overlap.
 *
 * Return: the number of @hits.
 */
size_t scanner_find(const struct scanner *s, struct span text, size_t *from,
    struct scan_hit *hits, size_t max);
