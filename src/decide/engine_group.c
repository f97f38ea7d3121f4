/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * engine_group - when enough addresses of a network are banned, the network is
 *
 * A hook behind the ban of an address: what it does is one more order, and when it
 * fails the ban of the address stands. Never is a network banned in which an address
 * has credit, or is ignored; of an IPv6 /64 those are then banned one by one.
 */
#include "decide/engine_private.h"
#include "decide/pool.h"

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

/* At the time of, and with the lines of @last; for as long as @asked. Return: was it
 * banned? */
static bool ban_network(struct engine *e, const struct order *last, const struct net *n,
    const struct engine_asked *asked, wall_t now, struct orders *out)
{
	struct order verdict = {.op = ORDER_BAN,
	    .cause = ORDER_BY_GROUP,
	    .jail = last->jail,
	    .net = *n,
	    .at = last->at,
	    .failures = last->failures};

	/* No mere words: nobody could say whom they are to reach. */
	engine_set_length(
	    e, &verdict, &(struct steps_case){.is_strong = true}, asked, now);
	if (!engine_is_after(verdict.until, now) ||
	    is_banned(e, verdict.jail, n, verdict.until, now))
		return false;
	if (engine_end_if_over(e, verdict.jail, n, now, out) < 0)
		return false;
	if (ban_table_find(e->bans, verdict.jail, n))
		verdict.op = ORDER_PROLONG;
	if (engine_announce(&verdict, last->why, last->n_why, out) < 0 ||
	    engine_place_announced(e, out) != ENGINE_BANNED)
		return false;
	engine_remember(e, &verdict);
	return true;
}

/* As many failures as would ban so many addresses, each by itself. */
static int64_t need_of(const struct jail *j, size_t n)
{
	return (int64_t)n * j->maxretry * j->unit;
}

/*
 * Does what speaks against network @n outweigh what speaks for it? @bad: in parts of a
 * failure, beyond what bans it. A provider has addresses without end, each of which has
 * sent a good message now and then.
 */
static bool is_bad(
    struct engine *e, const struct order *last, const struct net *n, int64_t bad)
{
	const struct jail *j = &e->set.jails[last->jail];
	struct credits_sum good;

	if (bad < 0 || ignore_find(e->set.ignore, last->jail, n, NULL) ||
	    !group_may_ask(e->group, j->offender, n, last->at))
		return false;
	good = credits_within(e->credits, n, e->clock);
	group_spare(e->group, j->offender, n, good.any);
	return !good.any &&
	       (uint64_t)bad * CREDIT_POINT >= good.points * (uint64_t)j->unit;
}

/* What was banned for a shorter time than usual asks for no longer one of others. */
static struct engine_asked asked_by_ban(const struct jail *j, const struct order *ban)
{
	const struct step *step = steps_at(&j->steps, ban->step);
	int64_t usual_sec = step ? step->sec : j->bantime_sec;
	int64_t sec = (ban->until.us - ban->at.us) / US_PER_SEC;
	struct engine_asked asked = {.longest_sec = 0};

	if (ban->until.us != WALL_NEVER.us && (usual_sec < 0 || sec < usual_sec))
		asked.longest_sec = sec;
	return asked;
}

void engine_group_banned(struct engine *e, wall_t now, struct orders *out)
{
	/* A copy: the list may move. Its lines do not. */
	const struct order last = out->items[out->n - 1];
	const struct jail *j = &e->set.jails[last.jail];
	const struct engine_asked asked = asked_by_ban(j, &last);
	struct group_sum sums[GROUP_LEVELS];
	size_t n;

	if (steps_is_soft(&j->steps, last.step))
		return;
	n = group_add(e->group, j->offender, &last.net, last.at, last.until,
	    shortest(j, &last.net), sums);
	for (size_t i = 0; i < n; i++)
		if (is_bad(e, &last, &sums[i].net,
			need_of(j, sums[i].n) - need_of(j, j->group)))
			(void)ban_network(e, &last, &sums[i].net, &asked, now, out);
}

/*
 * A /64 has one owner, and addresses without end. If it has offended enough and must
 * not be banned, for one of them has credit, each further one that does what is no
 * trifle is banned at once: or a network that was good on two days would be good for
 * any number of tries.
 */
static int ban_alone(
    struct engine *e, const struct hit *h, wall_t now, struct orders *out)
{
	const struct jail *j = &e->set.jails[h->jail];
	struct window_part part;
	struct window w;
	uint32_t id = tally_find(e->tally, h->jail, &h->net, e->clock);

	if (net_is_v4(&h->net) || id == POOL_NONE ||
	    engine_rule(e, h->jail, h->rule).weight < j->unit)
		return ENGINE_COUNTED;
	tally_load(e->tally, id, &w);
	part = window_latest_capped(&w, e->set.tally_jails[h->jail].findtime_us, 0);
	return engine_judge(e, h, id, &w, &part, now, out);
}

int engine_group_offended(
    struct engine *e, const struct hit *h, wall_t now, struct orders *out)
{
	const struct jail *j = &e->set.jails[h->jail];
	int64_t findtime_us = e->set.tally_jails[h->jail].findtime_us;
	struct hit of_net = {
	    .jail = h->jail, .rule = h->rule, .weight = h->weight, .at = h->at};
	struct evidence why = {.at = h->at, .rule = h->rule, .weight = h->weight};
	struct order last = {.jail = h->jail, .net = h->net, .at = h->at};
	struct window_part part;
	struct window w;
	uint32_t id;
	size_t n = group_offend(e->group, j->offender, &h->net, h->at,
	    (wall_t){h->at.us - findtime_us}, shortest(j, &h->net), &of_net.net);

	if (!n || tally_put(e->nets, &of_net, false, e->clock, &id, &w) != 0)
		return ENGINE_COUNTED;
	if (n < j->group ||
	    !window_reaches(&w, h->at.us, findtime_us, need_of(j, j->group), &part))
		return ENGINE_COUNTED;
	if (!is_bad(e, &last, &of_net.net, part.sum - need_of(j, j->group)))
		return group_is_spared(e->group, j->offender, &of_net.net)
			   ? ban_alone(e, h, now, out)
			   : ENGINE_COUNTED;
	CLEANUP(freep) char *text = h->text.n ? span_dup(h->text) : NULL;

	why.text = text;
	last.why = &why;
	last.n_why = text && j->maxmatches ? 1 : 0;
	last.failures = engine_failures(&part, j->unit);
	const struct engine_asked asked = engine_asked(j, &w, &part);

	if (ban_network(e, &last, &of_net.net, &asked, now, out))
		tally_remove(e->nets, id);
	return ENGINE_COUNTED;
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
	tally_remove_within(e->nets, jail, e->set.n_jails, n);
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
