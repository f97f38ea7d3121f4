/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * ring - the last few lines, for failregexes that span several (maxlines)
 *
 * They are one text, each line ended by '\n', so that a regex can be run over it.
 * Bounded by the number of lines and by RING_BYTES_MAX; the oldest lines go first.
 */

#include "base/buf.h"

#define RING_LINES_MAX 1000
#define RING_BYTES_MAX (1024 * 1024)

struct ring;

struct ring *ring_new(size_t max_lines); /* 1..RING_LINES_MAX */
struct ring *ring_free(struct ring *r);
DEFINE_CLEANUP(struct ring *, ring_free)

/* Add a line, given in two parts. Return: 0 or -ENOMEM. */
int ring_add(struct ring *r, struct span head, struct span tail);

/* Stays readable after ring_take() and ring_reset(), until the next ring_add(). */
struct span ring_text(const struct ring *r);
size_t ring_n_lines(const struct ring *r);

/* Only @line is left. */
int ring_reset(struct ring *r, struct span line);

/*
 * Each ring_add() gives its line the next number, from 1; that of ring_reset() has 0.
 * The numbers of the lines that are there, and of those that the last ring_take() took;
 * they live until the next call.
 */
const uint64_t *ring_ids(const struct ring *r);
const uint64_t *ring_taken_ids(const struct ring *r);

struct ring_match {
	struct span subject; /* what was searched, its lines are those of the ring */
	size_t start, end;   /* of the match in it */
	struct span skipped; /* text taken by <SKIPLINES>: lines not matched */
};

/**
 * ring_take() - remove the lines of a match
 * @out_text: they, each ended by '\n'; valid until the next call of any function
 *
 * Return: how many, or -ENOMEM.
 */
int ring_take(struct ring *r, const struct ring_match *m, struct span *out_text);
