/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "decide/group.h"

#include "base/hash.h"
#include "decide/crowd.h"
#include "decide/memo.h"

#define DAY_SEC 86400

struct group {
	struct memo *nets; /* struct members, by struct key */
};

struct members {
	struct crowd_one ones[GROUP_ROOM]; /* of bans stamped with their end */
	int64_t ask_after_us;
	bool is_spared;
};

struct key {
	struct net net;
	uint32_t jail;
	uint8_t of_offenders; /* else of those that were banned */
} __attribute__((packed));

static const unsigned int levels_v4[] = {24};
static const unsigned int levels_v6[] = {64, 56, 48};

struct group *group_new(size_t max)
{
	CLEANUP(group_freep) struct group *g = calloc(1, sizeof(*g));

	if (!g)
		return NULL;
	g->nets = memo_new(sizeof(struct members), max);
	return g->nets ? TAKE(g) : NULL;
}

struct group *group_free(struct group *g)
{
	if (!g)
		return NULL;
	memo_free(g->nets);
	free(g);
	return NULL;
}

static uint64_t key_of(uint32_t jail, const struct net *n, bool of_offenders)
{
	struct key k = {*n, jail, of_offenders};

	return hash_keyed(&k, sizeof(k));
}

/* The networks around @who, from the smallest; a longer bound takes the first's place.
 */
static size_t nets_of(
    const struct net *who, unsigned int shortest, struct net out[GROUP_LEVELS])
{
	bool is_v4 = net_is_v4(who);
	const unsigned int *levels = is_v4 ? levels_v4 : levels_v6;
	size_t n_levels = is_v4 ? ARRAY_LEN(levels_v4) : ARRAY_LEN(levels_v6);
	size_t n = 0;

	if (!net_is_host(who) || net_is_id(who))
		return 0;
	for (size_t i = 0; i < n_levels; i++) {
		if (levels[i] >= shortest)
			out[n++] = net_mask(*who, levels[i]);
		else if (i == 0)
			out[n++] = net_mask(*who, shortest);
	}
	return n;
}

size_t group_add(struct group *g, uint32_t jail, const struct net *who, wall_t at,
    wall_t until, unsigned int shortest, struct group_sum out[GROUP_LEVELS])
{
	wall_t day = wall_add_sec(at, DAY_SEC);
	int64_t counts_until_us = until.us > day.us ? until.us : day.us;
	struct net nets[GROUP_LEVELS];
	size_t n_nets = nets_of(who, shortest, nets), n = 0;
	struct net member = *who;

	for (size_t i = 0; i < n_nets; i++) {
		struct members *m = memo_get(g->nets, key_of(jail, &nets[i], false));

		if (!m)
			break;
		crowd_add(m->ones, GROUP_ROOM, net_hash(&member), counts_until_us);
		out[n++] = (struct group_sum){
		    nets[i], crowd_count(m->ones, GROUP_ROOM, at.us)};
		member = nets[i];
	}
	return n;
}

size_t group_offend(struct group *g, uint32_t jail, const struct net *who, wall_t at,
    wall_t since, unsigned int shortest, struct net *out)
{
	struct net nets[GROUP_LEVELS];
	struct members *m;

	if (!nets_of(who, shortest, nets))
		return 0;
	m = memo_get(g->nets, key_of(jail, &nets[0], true));
	if (!m)
		return 0;
	*out = nets[0];
	crowd_add(m->ones, GROUP_ROOM, net_hash(who), at.us);
	return crowd_count(m->ones, GROUP_ROOM, since.us);
}

/* Only of the smallest network: a greater one counts networks, which others keep. */
void group_remove(
    struct group *g, uint32_t jail, const struct net *who, unsigned int shortest)
{
	struct net nets[GROUP_LEVELS];
	struct members *m;

	if (!nets_of(who, shortest, nets))
		return;
	m = memo_find(g->nets, key_of(jail, &nets[0], false));
	if (m)
		crowd_remove(m->ones, GROUP_ROOM, net_hash(who));
}

bool group_may_ask(struct group *g, uint32_t jail, const struct net *n, wall_t at)
{
	struct members *m = memo_get(g->nets, key_of(jail, n, false));

	/* More than that ahead: a clock was put right. */
	if (!m || (at.us < m->ask_after_us &&
		      wall_add_sec(at, GROUP_ASK_SEC).us >= m->ask_after_us))
		return false;
	m->ask_after_us = wall_add_sec(at, GROUP_ASK_SEC).us;
	return true;
}

void group_spare(struct group *g, uint32_t jail, const struct net *n, bool is_spared)
{
	struct members *m = memo_find(g->nets, key_of(jail, n, false));

	if (m)
		m->is_spared = is_spared;
}

bool group_is_spared(struct group *g, uint32_t jail, const struct net *n)
{
	const struct members *m = memo_find(g->nets, key_of(jail, n, false));

	return m && m->is_spared;
}

void group_forget(struct group *g, uint32_t jail, const struct net *n)
{
	memo_drop(g->nets, key_of(jail, n, false));
	memo_drop(g->nets, key_of(jail, n, true));
}

void group_clear(struct group *g)
{
	memo_clear(g->nets);
}
