/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * evidence - the newest lines that spoke against somebody, in a ring of fixed size
 *
 * Each line belongs to an owner (an address in tally, a ban) and knows the line before
 * it of the same owner; the owner keeps the number of its newest. When the ring is full
 * the oldest line goes, whoever owns it; an owner learns that when it asks for the
 * line.
 */

#include <stdbool.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/str.h"

#define EVIDENCE_LINE_BYTES 512 /* of one line; the rest is cut off */

struct evidence_ring;

struct evidence_ring *evidence_ring_new(size_t n_bytes); /* NULL: out of memory */
struct evidence_ring *evidence_ring_free(struct evidence_ring *r);
DEFINE_CLEANUP(struct evidence_ring *, evidence_ring_free)

struct evidence_line {
	wall_t at;
	uint16_t rule;
	int16_t weight;
	char *text;      /* terminated, in the ring; NULL: without text */
	uint32_t before; /* the line before it of the same owner, or 0 */
};

/**
 * evidence_ring_add() - keep a line
 * @before: the owner's newest so far, or 0; it may have to go
 * @text:   any bytes, a NUL becomes '?'; p NULL: only time, rule and weight are known
 *
 * Return: its number, or 0 when the ring is too small to ever hold it (nothing
 * changed).
 */
uint32_t evidence_ring_add(struct evidence_ring *r, uint32_t owner, uint32_t before,
    wall_t at, uint16_t rule, int16_t weight, struct span text);

/* Return: false: @ref is 0, or that line is gone. */
bool evidence_ring_get(const struct evidence_ring *r, uint32_t owner, uint32_t ref,
    struct evidence_line *out);
