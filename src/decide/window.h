/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * window - the failures of one address in order of their time, and sums over them
 *
 * Plain data for the stack: tally unpacks an address into it, works on it, and packs it
 * again. Pure arithmetic; nothing here knows how things are stored.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "decide/engine.h"

struct window_item {
	int64_t at_us;
	int16_t weight;
	uint16_t rule; /* perhaps with WINDOW_SOFT */
};

/*
 * Evidence of a kind that counts only up to a cap, however much of it there is. Few of
 * them are kept: they become one as window_limit() says, and never one with others.
 */
#define WINDOW_SOFT 0x8000u
#define WINDOW_MAX_SOFT 8

struct window {
	size_t n;
	struct window_item items[ENGINE_MAX_WINDOW + 1]; /* oldest first */
};

/* Those of items[from..to) that lie within one findtime. */
struct window_part {
	size_t from, to;
	int64_t sum;  /* of their weights */
	int64_t soft; /* what of it soft ones add, after the cap */
};

/* Put @i behind all that are not later. There must be room for it. */
void window_insert(struct window *w, struct window_item i);

/* Weights in 1/@from to those in 1/@to of a failure; nothing becomes nothing. Soft ones
 * do, where weights have no parts: there is no cap for them. */
void window_rescale(struct window *w, uint16_t from, uint16_t to);

/* Drop items earlier than @from_us. */
void window_prune(struct window *w, int64_t from_us);

/* Those of @rule were soft all along, and weigh @n_parts times less. */
void window_soften(struct window *w, uint16_t rule, int n_parts);

/* At most WINDOW_MAX_SOFT soft ones, of which the two nearest become one. */
void window_limit_soft(struct window *w);

/**
 * window_limit() - at most @max items (at least 1)
 * @late_us: items earlier than this matter only to failures that arrive late: they go
 *           first, the oldest before the others
 *
 * If that is not enough, neighbours that are nearest in time become one, with the sum
 * of their weights, the rule of the later and the time of the earlier (so that it is
 * not counted for longer); the newest keeps its time.
 */
void window_limit(struct window *w, size_t max, int64_t late_us);

/**
 * window_reaches() - do failures within @findtime_us weigh @need, now that there is a
 * new one at @at_us?
 * @out: the latest such part that contains it; ends with the last failure that counts
 */
bool window_reaches(const struct window *w, int64_t at_us, int64_t findtime_us,
    int64_t need, struct window_part *out);

/* The part that ends with the newest item. */
struct window_part window_latest(const struct window *w, int64_t findtime_us);

/* The same where there may be soft ones, which together weigh @cap at most. */
bool window_reaches_capped(const struct window *w, int64_t at_us, int64_t findtime_us,
    int64_t need, int64_t cap, struct window_part *out);
struct window_part window_latest_capped(
    const struct window *w, int64_t findtime_us, int64_t cap);
