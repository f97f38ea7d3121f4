/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * sums_private - what sums.c fills and sums_wire.c empties
 *
 * Addresses come by the ten thousand when a log is read from its top: they lie in an
 * array, which is as long as there are some, under a table of its numbers with open
 * addressing.
 */

#include "base/hash.h"
#include "proc/sums.h"

#define SUMS_HOUR_US (3600 * US_PER_SEC)

/* No padding within: hashed bytewise. */
struct sum_key {
	uint32_t hour; /* since 1970 */
	uint32_t jail;
	int32_t rule;
};

struct sum {
	struct sum_key key;
	struct db_numbers n;
	UT_hash_handle hh;
};

struct who {
	struct db_numbers n;
	uint32_t hour;
	uint32_t jail;
	struct net net;
};

struct sums {
	struct sum *sums;
	struct sum *last; /* added to: the next is often the same */
	size_t n_sums;
	struct who *who;
	uint32_t n_who, who_room;
	uint32_t last_who; /* as last, its number in who; 0: none */
	uint32_t *slots;   /* numbers in who, from 1; 0: free */
	uint32_t n_slots;  /* a power of 2, twice who_room; 0: none yet */
	uint64_t n_lost;
};

void sums_clear(struct sums *s);
