/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "decide/pressure.h"

#define HOLD_US (PRESSURE_HOLD_SEC * US_PER_SEC)

/* So many different addresses raise to a level, so many keep it there. */
static const size_t raises[PRESSURE_MAX_LEVEL + 1] = {0, 10, 20};
static const size_t keeps[PRESSURE_MAX_LEVEL + 1] = {0, 8, 15};

void pressure_add(struct pressure *p, uint64_t who, wall_t at)
{
	unsigned int level = pressure_level(p, at);
	size_t n;

	crowd_add(p->offenders, PRESSURE_ROOM, who, at.us);
	n = pressure_count(p, at);
	for (unsigned int i = 1; i <= PRESSURE_MAX_LEVEL; i++)
		if (n >= (i <= level ? keeps[i] : raises[i]) &&
		    p->until_us[i] < at.us + HOLD_US)
			p->until_us[i] = at.us + HOLD_US;
}

size_t pressure_count(const struct pressure *p, wall_t now)
{
	return crowd_count(
	    p->offenders, PRESSURE_ROOM, now.us - PRESSURE_SPAN_SEC * US_PER_SEC);
}

unsigned int pressure_level(const struct pressure *p, wall_t now)
{
	unsigned int level = PRESSURE_MAX_LEVEL;

	while (level > 0 && p->until_us[level] < now.us)
		level--;
	return level;
}

int64_t pressure_need(unsigned int level, int64_t need, int64_t least)
{
	int64_t lower = need >> level;

	if (need <= least)
		return need;
	return lower > least ? lower : least;
}
