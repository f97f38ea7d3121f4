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

int16_t engine_again(const struct engine *e, const struct hit *h)
{
	const struct jail *j = &e->set.jails[h->jail];
	const struct offender *o = j->escalate ? find(e, j, &h->net) : NULL;

	if (!o || h->at.us <= o->at.us)
		return 1;
	return escalate_weight(o->count, j->maxretry);
}

int16_t engine_weight(const struct engine *e, const struct hit *h)
{
	return h->weight == 1 ? engine_again(e, h) : h->weight;
}

/* Where the formula gives none, the plain length is left. */
static wall_t longer_end(struct engine *e, struct jail *j, const struct order *ban,
    int64_t base_sec, uint32_t count)
{
	wall_t otherwise = engine_end(ban->at, base_sec), at = ban->at;
	uint64_t n = e->n_lengths++;
	double sec;

	if (escalate_sec(j->escalate, base_sec, count,
		hash_siphash13(e->seed, &n, sizeof(n)), &sec)) {
		j->counts.unescalated_total++;
		e->n_unescalated++;
		return otherwise;
	}
	return sec < 0 ? WALL_NEVER : wall_add_sec(at, sec);
}

/* How often the last length was given before: longer than that are only the next. */
static uint32_t times_repeated(const struct jail *j, const struct order *ban)
{
	uint32_t earlier = j->steps.n ? (uint32_t)j->steps.n - 1 : 0;
	uint32_t before = ban->ban_count - 1;

	if (ban->step && ban->step < j->steps.n)
		return 0; /* harder ones are to come first */
	return before > earlier ? before - earlier : 0;
}

static bool is_longer(int64_t a_sec, int64_t b_sec)
{
	return b_sec >= 0 && (a_sec < 0 || a_sec > b_sec);
}

/* The longest that any of the evidence asks for; what asks for nothing wants the usual.
 */
static int64_t asked_sec(const struct engine_asked *asked, int64_t usual_sec)
{
	if (!asked || !asked->longest_sec)
		return usual_sec;
	if (asked->also_usual && is_longer(usual_sec, asked->longest_sec))
		return usual_sec;
	return asked->longest_sec;
}

static void set_end(struct engine *e, struct jail *j, struct order *ban,
    const struct engine_asked *asked, bool is_new)
{
	const struct step *step = steps_at(&j->steps, ban->step);
	int64_t usual_sec = step ? step->sec : j->bantime_sec;
	int64_t base_sec = asked_sec(asked, usual_sec);

	/* A step's time is its own; evidence may want less. */
	if (step && is_longer(base_sec, usual_sec))
		base_sec = usual_sec;
	uint32_t again = is_new ? times_repeated(j, ban) : 0;

	ban->until = engine_end(ban->at, base_sec);
	if (j->escalate && again && base_sec > 0)
		ban->until = longer_end(e, j, ban, base_sec, again);
	/* Evidence that wants a short one wants it each time. */
	if (is_longer(usual_sec, base_sec) && usual_sec >= 0 &&
	    ban->until.us > engine_end(ban->at, usual_sec).us)
		ban->until = engine_end(ban->at, usual_sec);
}

void engine_set_length(struct engine *e, struct order *ban, const struct steps_case *c,
    const struct engine_asked *asked, wall_t now)
{
	struct jail *j = &e->set.jails[ban->jail];
	const struct ban *b = ban_table_find(e->bans, ban->jail, &ban->net);
	uint32_t count = count_before(e, j, &ban->net);
	struct steps_case his = *c;
	bool lasts = b && engine_is_after(b->until, now);

	his.before = count;
	his.goes_on = lasts && steps_is_soft(&j->steps, b->step);
	ban->step = steps_next(&j->steps, &his);
	/* Kept out already: the same ban, prolonged. Else he goes on to the next step.
	 */
	if (lasts && (!steps_is_soft(&j->steps, b->step) || ban->step == b->step)) {
		ban->step = b->step;
		ban->ban_count = b->count;
		set_end(e, j, ban, asked, false);
		return;
	}
	ban->ban_count = count < UINT32_MAX ? count + 1 : count;
	set_end(e, j, ban, asked, true);
}

bool engine_is_in_grace(const struct engine *e, const struct hit *h)
{
	const struct steps *s = &e->set.jails[h->jail].steps;
	const struct ban *b = s->n ? ban_table_find(e->bans, h->jail, &h->net) : NULL;

	return b && steps_is_soft(s, b->step) &&
	       h->at.us <= wall_add_sec(b->at, STEPS_GRACE_SEC).us;
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

/* The next one, without chance. */
static void foresee(const struct jail *j, struct engine_offence *o)
{
	const struct steps_case c = {.before = o->count};
	struct order next = {.step = steps_next(&j->steps, &c)};
	const struct step *step = steps_at(&j->steps, next.step);

	next.ban_count = o->count + 1;
	o->step = next.step;
	o->next_sec = (double)(step ? step->sec : j->bantime_sec);
	uint32_t again = times_repeated(j, &next);

	if (j->escalate && again && o->next_sec > 0) /* or it stays as it is */
		(void)escalate_sec_at_least(
		    j->escalate, (int64_t)o->next_sec, again, &o->next_sec);
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
		    .weight = 1};

		if (o.count == 0)
			continue;
		foresee(j, &o);
		if (j->escalate && own)
			o.weight = escalate_weight(own->count, j->maxretry);
		fn(ctx, &o);
	}
}

uint64_t engine_unescalated(const struct engine *e, uint32_t jail)
{
	return e->set.jails[jail].counts.unescalated_total;
}
