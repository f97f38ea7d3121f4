/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * crowd - a few dozen at most, so looking at all of them is the fast way
 */
#include "decide/crowd.h"

void crowd_add(struct crowd_one *ones, size_t room, uint64_t who, int64_t stamp_us)
{
	size_t place = 0;

	for (size_t i = 0; i < room; i++) {
		if (ones[i].who == who) {
			if (ones[i].stamp_us < stamp_us)
				ones[i].stamp_us = stamp_us;
			return;
		}
		if (ones[place].who &&
		    (!ones[i].who || ones[i].stamp_us < ones[place].stamp_us))
			place = i;
	}
	if (!ones[place].who || ones[place].stamp_us < stamp_us)
		ones[place] = (struct crowd_one){who, stamp_us};
}

size_t crowd_count(const struct crowd_one *ones, size_t room, int64_t after_us)
{
	size_t n = 0;

	for (size_t i = 0; i < room; i++)
		n += ones[i].who && ones[i].stamp_us > after_us;
	return n;
}

void crowd_remove(struct crowd_one *ones, size_t room, uint64_t who)
{
	for (size_t i = 0; i < room; i++)
		if (ones[i].who == who)
			ones[i] = (struct crowd_one){0, 0};
}
