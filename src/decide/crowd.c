/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * crowd - a few dozen at most, so looking at all of them is the fast way
 */
#include "decide/crowd.h"

static struct crowd_one *find(struct crowd_one *ones, size_t room, uint64_t who)
{
	for (size_t i = 0; i < room; i++)
		if (ones[i].who == who)
			return &ones[i];
	return NULL;
}

/* Without branches that nobody can foresee: it is looked at with most hits. */
static struct crowd_one *oldest(struct crowd_one *ones, size_t room)
{
	int64_t least_us = ones[0].who ? ones[0].stamp_us : INT64_MIN;
	size_t place = 0;

	for (size_t i = 1; i < room; i++) {
		int64_t stamp_us = ones[i].who ? ones[i].stamp_us : INT64_MIN;

		place = stamp_us < least_us ? i : place;
		least_us = stamp_us < least_us ? stamp_us : least_us;
	}
	return &ones[place];
}

void crowd_add(struct crowd_one *ones, size_t room, uint64_t who, int64_t stamp_us)
{
	struct crowd_one *one = find(ones, room, who);

	if (one && one->stamp_us >= stamp_us)
		return;
	if (!one)
		one = oldest(ones, room);
	if (!one->who || one->stamp_us < stamp_us)
		*one = (struct crowd_one){who, stamp_us};
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
