/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * crowd - how many different ones there were lately
 *
 * Plain data: an array that its owner holds, zeroed at first. Each one is there once,
 * with its latest stamp; in a full array the one with the oldest stamp makes room. So
 * counts are exact up to the room, and beyond it "at least so many".
 */

#include <stddef.h>
#include <stdint.h>

struct crowd_one {
	uint64_t who; /* a keyed hash, such as net_hash(); 0: free */
	int64_t stamp_us;
};

void crowd_add(struct crowd_one *ones, size_t room, uint64_t who, int64_t stamp_us);

/* Those with a stamp after @after_us. */
size_t crowd_count(const struct crowd_one *ones, size_t room, int64_t after_us);

void crowd_remove(struct crowd_one *ones, size_t room, uint64_t who);
