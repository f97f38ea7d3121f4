/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "enforce/suspects.h"

#include <assert.h>
#include <stdlib.h>

#define PER_LOT 8
#define LOTS (SUSPECTS_MAX / PER_LOT)

/* A free place has until = 0, which is over at any time. */
struct suspects {
	struct suspect all[SUSPECTS_MAX];
};

struct suspects *suspects_new(void)
{
	return calloc(1, sizeof(struct suspects));
}

struct suspects *suspects_free(struct suspects *s)
{
	free(s);
	return NULL;
}

static bool is_on(const struct suspect *w, mono_t now)
{
	return w->until.us > now.us;
}

static size_t lot_of(const struct net *net)
{
	return net_hash(net) % LOTS * PER_LOT;
}

/* Where @w is, or is to be. */
static struct suspect *place_for(struct suspects *s, const struct suspect *w)
{
	struct suspect *lot = s->all + lot_of(&w->net), *oldest = lot;

	for (size_t i = 0; i < PER_LOT; i++) {
		if (lot[i].jail == w->jail && net_eq(&lot[i].net, &w->net))
			return lot + i;
		if (lot[i].failed_at.us < oldest->failed_at.us)
			oldest = lot + i;
	}
	return oldest;
}

void suspects_put(struct suspects *s, const struct suspect *w)
{
	assert(net_is_host(&w->net) && !net_is_id(&w->net));
	struct suspect *place = place_for(s, w);

	if (place->until.us && place->failed_at.us > w->failed_at.us)
		return;
	*place = *w;
}

void suspects_forget_all(struct suspects *s)
{
	/* Nothing is written to pages that were never used. */
	for (size_t i = 0; i < SUSPECTS_MAX; i++) {
		if (s->all[i].until.us)
			s->all[i] = (struct suspect){.jail = 0};
	}
}

void suspects_forget(struct suspects *s, uint32_t jail, const struct net *net)
{
	bool is_host = net_is_host(net);
	size_t from = is_host ? lot_of(net) : 0;
	size_t to = is_host ? from + PER_LOT : SUSPECTS_MAX;

	for (size_t i = from; i < to; i++) {
		struct suspect *w = s->all + i;

		if (w->until.us && w->jail == jail && net_contains(net, &w->net))
			*w = (struct suspect){.jail = 0};
	}
}

const struct suspect *suspects_of(const struct suspects *s, const struct net *net,
    mono_t now, const struct suspect *last)
{
	const struct suspect *lot = s->all + lot_of(net);

	for (const struct suspect *w = last ? last + 1 : lot; w < lot + PER_LOT; w++) {
		if (is_on(w, now) && net_eq(&w->net, net))
			return w;
	}
	return NULL;
}

const struct suspect *suspects_next(
    const struct suspects *s, mono_t now, const struct suspect *last)
{
	const struct suspect *end = s->all + SUSPECTS_MAX;

	for (const struct suspect *w = last ? last + 1 : s->all; w < end; w++) {
		if (is_on(w, now))
			return w;
	}
	return NULL;
}

bool suspects_any(const struct suspects *s, mono_t now, mono_t *out_newest)
{
	const struct suspect *w = NULL;
	bool any = false;

	while ((w = suspects_next(s, now, w))) {
		if (!any || w->failed_at.us > out_newest->us)
			*out_newest = w->failed_at;
		any = true;
	}
	return any;
}
