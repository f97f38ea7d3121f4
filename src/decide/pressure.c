/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "decide/pressure.h"

#define HOLD_US (PRESSURE_HOLD_SEC * US_PER_SEC)

/* So many different addresses raise to a level, so many keep it there. */
static const size_t raises[PRESSURE_MAX_LEVEL + 1] = {0, 10, 20};
static const size_t keeps[PRESSURE_MAX_LEVEL + 1] = {0, 8, 15};
/* And of a day. */
static const size_t raises_by_day[PRESSURE_MAX_LEVEL + 1] = {0, 30, 60};
static const size_t keeps_by_day[PRESSURE_MAX_LEVEL + 1] = {0, 22, 45};

static bool is_enough(const struct pressure *p, unsigned int level, bool is_there,
    size_t in_hour, size_t in_day)
{
	if (in_hour >= (is_there ? keeps[level] : raises[level]))
		return true;
	return p->counts_days &&
	       in_day >= (is_there ? keeps_by_day[level] : raises_by_day[level]);
}

void pressure_add(struct pressure *p, uint64_t who, wall_t at)
{
	unsigned int level = pressure_level(p, at);
	size_t in_hour, in_day;

	crowd_add(p->offenders, PRESSURE_ROOM, who, at.us);
	in_hour = pressure_count(p, at);
	in_day = crowd_count(
	    p->offenders, PRESSURE_ROOM, at.us - PRESSURE_DAY_SEC * US_PER_SEC);
	for (unsigned int i = 1; i <= PRESSURE_MAX_LEVEL; i++)
		if (is_enough(p, i, i <= level, in_hour, in_day) &&
		    p->until_us[i] < at.us + HOLD_US)
			p->until_us[i] = at.us + HOLD_US;
}

void pressure_clear(struct pressure *p)
{
	*p = (struct pressure){.counts_days = p->counts_days};
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
