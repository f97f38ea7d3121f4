/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "decide/pressure.h"

/* So many different addresses raise to a level, fewer than so many end it. */
static const size_t raises[PRESSURE_MAX_LEVEL + 1] = {0, 10, 20};
static const size_t holds[PRESSURE_MAX_LEVEL + 1] = {0, 8, 15};

static unsigned int next_level(unsigned int level, size_t n)
{
	while (level < PRESSURE_MAX_LEVEL && n >= raises[level + 1])
		level++;
	while (level > 0 && n < holds[level])
		level--;
	return level;
}

void pressure_add(struct pressure *p, uint64_t who, wall_t at)
{
	crowd_add(p->offenders, PRESSURE_ROOM, who, at.us);
	p->level = (uint8_t)pressure_level(p, at);
}

size_t pressure_count(const struct pressure *p, wall_t now)
{
	return crowd_count(
	    p->offenders, PRESSURE_ROOM, now.us - PRESSURE_SPAN_SEC * US_PER_SEC);
}

unsigned int pressure_level(const struct pressure *p, wall_t now)
{
	return next_level(p->level, pressure_count(p, now));
}

int64_t pressure_need(unsigned int level, int64_t need, int64_t least)
{
	int64_t lower = need >> level;

	if (need <= least)
		return need;
	return lower > least ? lower : least;
}
