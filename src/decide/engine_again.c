/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * engine_again - those who come back: longer bans, heavier failures
 */
#include <errno.h>
#include <string.h>

#include "base/hash.h"
#include "decide/engine_private.h"

void engine_set_seed(struct engine *e, const uint8_t seed[16])
{
	memcpy(e->seed, seed, sizeof(e->seed));
}

int engine_name_offenders(struct engine *e, struct set_up *s)
{
	int r = 0;

	for (uint32_t i = 0; !r && i < s->n_jails; i++)
		r = offenders_jail(
		    e->offenders, s->jails[i].name, &s->jails[i].offender);
	return r;
}

static const struct offender *find(
    const struct engine *e, const struct jail *j, const struct net *n)
{
	return offenders_find(e->offenders, j->offender, n, e->clock);
}

/* Bans before the next one, as its length counts them. */
static uint32_t count_before(
    const struct engine *e, const struct jail *j, const struct net *n)
{
	const struct offender *o;

	if (j->overalljails)
		return offenders_count_all(e->offenders, n, e->clock);
	o = find(e, j, n);
	return o ? o->count : 0;
}

int16_t engine_weight(const struct engine *e, const struct hit *h)
{
	const struct jail *j = &e->set.jails[h->jail];
	const struct offender *o;

	/* Plain failures only: other weights were meant as they are. */
	if (!j->escalate || h->weight != 1)
		return h->weight;
	o = find(e, j, &h->net);
	if (!o || h->at.us <= o->at.us)
		return h->weight;
	return escalate_weight(o->count, j->maxretry);
}

/* Where the formula gives none, bantime is left. */
static wall_t longer_end(
    struct engine *e, struct jail *j, wall_t at, uint32_t count, wall_t otherwise)
{
	uint64_t n = e->n_lengths++;
	double sec;

	if (escalate_sec(j->escalate, j->bantime_sec, count,
		hash_siphash13(e->seed, &n, sizeof(n)), &sec)) {
		j->counts.unescalated_total++;
		e->n_unescalated++;
		return otherwise;
	}
	return sec < 0 ? WALL_NEVER : wall_add_sec(at, sec);
}

void engine_set_length(struct engine *e, struct order *ban, wall_t now)
{
	struct jail *j = &e->set.jails[ban->jail];
	const struct ban *b = ban_table_find(e->bans, ban->jail, &ban->net);
	uint32_t count = count_before(e, j, &ban->net);

	ban->until = engine_end(ban->at, j->bantime_sec);
	if (b && engine_is_after(b->until, now)) {
		ban->ban_count = b->count; /* prolonged: still the same ban */
		return;
	}
	ban->ban_count = count < UINT32_MAX ? count + 1 : count;
	if (j->escalate && count && j->bantime_sec > 0)
		ban->until = longer_end(e, j, ban->at, count, ban->until);
}

void engine_remember(struct engine *e, const struct order *ban)
{
	const struct jail *j = &e->set.jails[ban->jail];
	const struct offender *o = find(e, j, &ban->net);

	/* A log that is read once more tells nothing new. */
	if (o && ban->at.us <= o->at.us)
		return;
	/* Short of memory: a ban that is not remembered is better than none. */
	(void)offenders_add(
	    e->offenders, j->offender, &ban->net, ban->at, ban->until, e->clock);
}

int engine_restore_offender(
    struct engine *e, const char *jail, const struct offender *o)
{
	uint32_t id;
	int r = offenders_jail(e->offenders, jail, &id);

	return r ? r : offenders_restore(e->offenders, id, o);
}

void engine_each_dirty_offender(struct engine *e, engine_offender_fn fn, void *ctx)
{
	offenders_each_dirty(e->offenders, fn, ctx);
}

void engine_offences(
    const struct engine *e, const struct net *n, engine_offence_fn fn, void *ctx)
{
	for (uint32_t i = 0; i < e->set.n_jails; i++) {
		const struct jail *j = &e->set.jails[i];
		const struct offender *own = find(e, j, n);
		struct engine_offence o = {.jail = i,
		    .count = count_before(e, j, n),
		    .at = own ? own->at : WALL_NONE,
		    .next_sec = (double)j->bantime_sec,
		    .weight = 1};

		if (o.count == 0)
			continue;
		if (j->escalate && j->bantime_sec > 0) /* or it stays at bantime */
			(void)escalate_sec_at_least(
			    j->escalate, j->bantime_sec, o.count, &o.next_sec);
		if (j->escalate && own)
			o.weight = escalate_weight(own->count, j->maxretry);
		fn(ctx, &o);
	}
}

uint64_t engine_unescalated(const struct engine *e, uint32_t jail)
{
	return e->set.jails[jail].counts.unescalated_total;
}
