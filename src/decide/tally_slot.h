/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * tally_slot - one tracked address in 52 bytes
 *
 * Most addresses fail once or twice, so two failures are held in place; more go to a
 * block of their own. The time of the newest is whole, the others are 48-bit distances
 * from it in microseconds (8.9 years; a findtime is cut to half of that). Only tally.c
 * includes this.
 */

#include "base/net.h"
#include "decide/window.h"

#define SLOT_MAX_GAP_US ((INT64_C(1) << 48) - 1)

#define SLOT_FEW 2 /* failures held in place */

enum {
	SLOT_USED = 0x80,   /* in the table; a free slot has state 0 */
	SLOT_STORED = 0x40, /* the store knows of it, so it must hear when it goes */
	SLOT_COUNT = 0x03,  /* 0..SLOT_FEW in place, or */
	SLOT_MANY = 3,      /* in a block */
};

struct slot_item {
	uint8_t gap[6]; /* microseconds before the newest, little endian */
	int16_t weight;
	uint16_t rule;
} __attribute__((packed));

struct slot_block {
	uint16_t n;
	uint16_t room;
	struct slot_item items[]; /* newest first */
};

struct slot {
	struct net net;
	uint8_t state;
	uint16_t jail;
	uint32_t next; /* in the chain of its hash, or of free slots */
	uint32_t text; /* its newest line in the evidence_ring, gone or not; or 0 */
	int64_t newest_us;
	uint16_t lag; /* from the newest to the clock when it was heard of last */
	union {
		struct {
			int16_t weight[SLOT_FEW]; /* newest first */
			uint16_t rule[SLOT_FEW];
			uint8_t gap[6]; /* of the second */
		} __attribute__((packed)) few;
		struct slot_block *block;
	} __attribute__((packed));
} __attribute__((packed, aligned(4)));

_Static_assert(sizeof(struct slot) == 52, "a tracked address takes 52 bytes");

size_t slot_n_items(const struct slot *s);
void slot_load(const struct slot *s, struct window *out);

/**
 * slot_save() - put the items of @w (1 or more) in @s
 * @io_block_bytes:  what all blocks of the table take; kept up to date
 * @max_block_bytes: never more than that
 *
 * If there is no room or memory for as many, the nearest neighbours become one (see
 * window_limit()): it always succeeds.
 */
void slot_save(
    struct slot *s, struct window *w, size_t *io_block_bytes, size_t max_block_bytes);

/**
 * slot_push() - the common case of it without a window: the newest item yet, and what
 * stays takes the room that there is
 * @keep_us: items further back than that from @at_us go
 *
 * Return: false: it is no such case, and nothing was done.
 */
bool slot_push(
    struct slot *s, int64_t at_us, int16_t weight, uint16_t rule, int64_t keep_us);

/* The weight of what is no further back than @findtime_us from the newest. */
int64_t slot_sum(const struct slot *s, int64_t findtime_us);

/* Forget the items; the slot stays. */
void slot_clear(struct slot *s, size_t *io_block_bytes);

/* A distance in time rounded up to 11 significant bits of seconds. */
uint16_t slot_lag_encode(int64_t us);
int64_t slot_lag_us(uint16_t lag);

/* When it was heard of last: its newest failure, or the clock if that is later. */
int64_t slot_heard_us(const struct slot *s);
