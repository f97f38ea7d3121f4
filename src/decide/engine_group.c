/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * engine_group - when enough addresses of a network are banned, the network is
 *
 * A hook behind the ban of an address: what it does is one more order, and when it
 * fails the ban of the address stands. Never is a network banned in which an address
 * has credit.
 */
#include "decide/engine_private.h"

static unsigned int shortest(const struct jail *j, const struct net *n)
{
	return net_is_v4(n) ? j->groupprefix4 : j->groupprefix6;
}

static bool is_banned(const struct engine *e, uint32_t jail, const struct net *n,
    wall_t until, wall_t now)
{
	const struct ban *b = ban_table_find(e->bans, jail, n);
	const struct ban *around = ban_table_find_around(e->bans, jail, n, now);

	return (b && b->until.us >= until.us) ||
	       (around && around->until.us >= until.us);
}

/* With the lines of its last address. */
static void ban_network(struct engine *e, const struct order *last, const struct net *n,
    wall_t now, struct orders *out)
{
	struct order verdict = {.op = ORDER_BAN,
	    .cause = ORDER_BY_GROUP,
	    .jail = last->jail,
	    .net = *n,
	    .at = last->at,
	    .failures = last->failures};

	/* No mere words: nobody could say whom they are to reach. */
	engine_set_length(
	    e, &verdict, &(struct steps_case){.is_strong = true}, NULL, now);
	if (!engine_is_after(verdict.until, now) ||
	    is_banned(e, verdict.jail, n, verdict.until, now))
		return;
	if (engine_end_if_over(e, verdict.jail, n, now, out) < 0)
		return;
	if (ban_table_find(e->bans, verdict.jail, n))
		verdict.op = ORDER_PROLONG;
	if (!engine_announce(&verdict, last->why, last->n_why, out) &&
	    engine_place_announced(e, out) == ENGINE_BANNED)
		engine_remember(e, &verdict);
}

void engine_group_banned(struct engine *e, wall_t now, struct orders *out)
{
	/* A copy: the list may move. Its lines do not. */
	const struct order last = out->items[out->n - 1];
	const struct jail *j = &e->set.jails[last.jail];
	struct group_sum sums[GROUP_LEVELS];
	size_t n;

	if (steps_is_soft(&j->steps, last.step))
		return;
	n = group_add(e->group, j->offender, &last.net, last.at, last.until,
	    shortest(j, &last.net), sums);
	for (size_t i = 0; i < n; i++)
		if (sums[i].n >= j->group &&
		    !credits_has_within(e->credits, &sums[i].net, e->clock))
			ban_network(e, &last, &sums[i].net, now, out);
}

void engine_group_restored(struct engine *e, const struct order *o)
{
	const struct jail *j = &e->set.jails[o->jail];
	struct group_sum sums[GROUP_LEVELS];

	if (j->group && o->cause != ORDER_BY_USER && !steps_is_soft(&j->steps, o->step))
		(void)group_add(e->group, j->offender, &o->net, o->at, o->until,
		    shortest(j, &o->net), sums);
}

void engine_group_lifted(struct engine *e, int jail, const struct net *n)
{
	if (!n) {
		group_clear(e->group);
		return;
	}
	for (uint32_t i = 0; i < e->set.n_jails; i++) {
		const struct jail *j = &e->set.jails[i];

		if (!j->group || (jail >= 0 && (uint32_t)jail != i))
			continue;
		if (net_is_host(n))
			group_remove(e->group, j->offender, n, shortest(j, n));
		else
			group_forget(e->group, j->offender, n);
	}
}
