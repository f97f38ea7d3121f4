/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * literals - parse, and copy out what is best
 */

#include "match/literals.h"

#include <errno.h>

#include "match/literals_parse.h"

#define LITERALS_FUEL 60000 /* literals weighed for a pattern: less than 0.3 s */

static int set_copy(const struct literals_pick *pick, struct literal_set *out)
{
	*out = (struct literal_set){.cost = 1};
	if (pick->n == 0)
		return 0;
	out->items = calloc(pick->n, sizeof(out->items[0]));
	if (!out->items)
		return -ENOMEM;
	memcpy(out->items, pick->items, pick->n * sizeof(out->items[0]));
	out->n = pick->n;
	out->cost = pick->cost < 1 ? pick->cost : 1;
	return 0;
}

int literals_of(struct span pattern, enum literals_cut cut, struct literal_set *out_set)
{
	static const struct literals_pick none;
	CLEANUP(freep) struct literals_info *info = calloc(1, sizeof(*info));
	struct literals_way way = {.cut = cut, .fuel = {LITERALS_FUEL}};
	int r;

	if (!info)
		return -ENOMEM;
	r = literals_parse(pattern, &way, info);
	if (r < 0)
		return r;
	if (r == LITERALS_PARSE_GAVE_UP)
		return set_copy(&none, out_set);
	return set_copy(
	    cut == LITERALS_CUT_ANY ? &info->halved : &info->whole, out_set);
}

void literal_set_deinit(struct literal_set *set)
{
	free(set->items);
	*set = (struct literal_set){.cost = 1};
}
