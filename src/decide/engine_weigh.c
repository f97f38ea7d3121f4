/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * engine_weigh - what a hit is worth in a jail that has rules, or that adapts
 *
 * First who is meant is asked what speaks for it, then the breaker whether the fault is
 * ours; both before anything is counted. What is left has a weight, and meets a
 * threshold that depends on whose it is.
 */
#include <string.h>

#include "decide/engine_private.h"

#define SITE_BITS 64 /* of an IPv6 address: whose it is */

/* Of a regex without rule; its name and times are the jail's. */
static struct engine_rule plain_rule(const struct jail *j)
{
	return (struct engine_rule){.class = HIT_ABUSE, .weight = (int16_t)j->unit};
}

static struct engine_rule rule_of(const struct jail *j, uint16_t rule)
{
	return rule < j->n_rules ? j->rules[rule] : plain_rule(j);
}

struct engine_rule engine_rule(const struct engine *e, uint32_t jail, uint16_t rule)
{
	return rule_of(&e->set.jails[jail], rule);
}

uint16_t engine_unit(const struct engine *e, uint32_t jail)
{
	return e->set.jails[jail].unit;
}

int64_t engine_soft_cap(int64_t need)
{
	return need / 4;
}

struct engine_asked engine_asked(
    const struct jail *j, const struct window *w, const struct window_part *part)
{
	struct engine_asked asked = {.longest_sec = 0};

	for (size_t i = part->from; j->rules && i < part->to; i++) {
		const struct window_item *k = &w->items[i];
		int64_t sec = rule_of(j, k->rule).bantime_sec;

		if ((k->rule & WINDOW_SOFT) || k->weight <= 0)
			continue;
		if (!sec)
			asked.also_usual = true;
		else if (sec < 0 || (asked.longest_sec >= 0 && sec > asked.longest_sec))
			asked.longest_sec = sec;
	}
	return asked;
}

/* --- thresholds --------------------------------------------------------------------
 */

static uint64_t hash_of(const struct hit *h)
{
	return h->hash ? h->hash : net_hash(&h->net);
}

/* One client where it is asked how many there are: who has an IPv6 address has a /64,
 * and more of them than can be counted. */
static uint64_t site_of(const struct hit *h)
{
	struct net site;

	if (net_is_v4(&h->net) || net_is_id(&h->net) || !net_is_host(&h->net))
		return hash_of(h);
	site = net_mask(h->net, SITE_BITS);
	return net_hash(&site);
}

/* @pressure: as seen by strangers. */
static int64_t need_of(const struct jail *j, bool has_credit, unsigned int pressure)
{
	int64_t need = (int64_t)j->maxretry * j->unit;

	if (has_credit)
		return need * ENGINE_CREDIT_FACTOR;
	return pressure_need(pressure, need, j->unit);
}

/* Of the rule with this id; NULL: there is none, or the jail does not adapt. */
static struct pressure *pressure_of(const struct jail *j, uint16_t id)
{
	return id + 1u < j->n_pressures ? &j->pressure[id + 1] : NULL;
}

/*
 * An attack is one thing done by many. Many things, each done by few, are what every
 * day brings to a large host: for all of them together one step is enough.
 */
static unsigned int level_of(
    const struct jail *j, uint16_t id, wall_t at, const struct pressure **out_by)
{
	const struct pressure *own = j->pressure ? pressure_of(j, id) : NULL;
	unsigned int level = j->pressure ? pressure_level(j->pressure, at) : 0;
	unsigned int of_rule = own ? pressure_level(own, at) : 0;

	if (level > PRESSURE_MAX_OF_JAIL)
		level = PRESSURE_MAX_OF_JAIL;
	*out_by = own && of_rule >= level ? own : j->pressure;
	return of_rule > level ? of_rule : level;
}

bool engine_pressure(const struct engine *e, uint32_t jail, struct engine_pressure *out)
{
	const struct jail *j = &e->set.jails[jail];
	const struct pressure *by;

	if (!j->pressure)
		return false;
	*out = (struct engine_pressure){
	    .level = (uint8_t)level_of(j, UINT16_MAX, e->clock, &by),
	    .offenders = (uint32_t)pressure_count(j->pressure, e->clock)};
	for (uint32_t i = 0; i < j->n_rules; i++) {
		const struct pressure *p = pressure_of(j, j->rules[i].id);
		unsigned int level = p ? pressure_level(p, e->clock) : 0;

		if (level <= out->level)
			continue;
		out->level = (uint8_t)level;
		out->offenders = (uint32_t)pressure_count(p, e->clock);
		out->rule = j->rules[i].name;
	}
	return true;
}

void engine_threshold(const struct engine *e, uint32_t jail, const struct net *n,
    uint16_t rule, struct engine_threshold *out)
{
	const struct jail *j = &e->set.jails[jail];
	struct engine_threshold t = {.is_weighed = engine_weighs(j), .unit = j->unit};
	const struct pressure *by;
	int64_t need;

	t.has_credit = t.is_weighed && engine_has_credit(e, n);
	t.pressure = (uint8_t)level_of(j, rule_of(j, rule).id, e->clock, &by);
	t.offenders = by ? (uint32_t)pressure_count(by, e->clock) : 0;
	need = need_of(j, t.has_credit, t.pressure);
	t.need = need < UINT32_MAX ? (uint32_t)need : UINT32_MAX;
	*out = t;
}

/* --- good evidence -----------------------------------------------------------------
 */

static uint32_t kind_of(const struct engine_rule *rule)
{
	return rule->name ? credit_kind_of(rule->name) : rule->id;
}

static void give_credit(struct engine *e, const struct jail *j,
    const struct engine_rule *rule, const struct hit *h)
{
	int64_t weight = rule->weight < 0 ? -(int64_t)rule->weight : rule->weight;
	uint32_t points = (uint32_t)(weight * CREDIT_POINT / j->unit);

	/* Short of memory it has a little less credit. */
	if (points)
		(void)credits_give(e->credits, &h->net, kind_of(rule), points, h->at);
}

bool engine_has_credit(const struct engine *e, const struct net *n)
{
	return credits_has(e->credits, n, e->clock);
}

bool engine_credit(const struct engine *e, const struct net *n, struct credit *out)
{
	const struct credit *c = credits_find(e->credits, n);

	if (!c)
		return false;
	*out = *c;
	for (uint8_t i = 0; i < out->n_kinds; i++)
		out->kinds[i].points =
		    credits_decayed(out->kinds[i].points, c->at, e->clock);
	return true;
}

const char *engine_credit_name(const struct engine *e, uint32_t kind)
{
	for (uint32_t i = 0; i < e->set.n_jails; i++) {
		const struct jail *j = &e->set.jails[i];

		for (uint32_t k = 0; k < j->n_rules; k++)
			if (j->rules[k].class == HIT_GOOD && j->rules[k].name &&
			    credit_kind_of(j->rules[k].name) == kind)
				return j->rules[k].name;
	}
	return NULL;
}

int engine_restore_credit(struct engine *e, const struct credit *c)
{
	e->n_changes++;
	return credits_restore(e->credits, c);
}

void engine_each_dirty_credit(struct engine *e, engine_credit_fn fn, void *ctx)
{
	credits_each_dirty(e->credits, fn, ctx);
}

/* --- what a hit weighs -------------------------------------------------------------
 */

static int16_t times(int64_t weight, int64_t factor)
{
	int64_t product = weight * factor;

	if (product > INT16_MAX)
		return INT16_MAX;
	return (int16_t)(product < INT16_MIN ? INT16_MIN : product);
}

/* What a hit weighs, and what else is to be known of it. */
struct weight {
	int16_t parts;
	uint16_t id; /* of its rule */
	bool is_steady;
	bool is_soft;    /* counts only up to a cap */
	bool is_light;   /* less than a failure, by its rule */
	bool has_credit; /* who it is about */
	bool is_pressed; /* the breadth of an attack matters */
	bool is_stale;   /* an old password, and so were those before */
};

/* Abuse by somebody without credit weighs more, or less, than its rule says. */
static struct weight weight_of(struct engine *e, const struct hit *h,
    const struct engine_rule *rule, bool has_credit)
{
	struct weight w = {.parts = rule->weight,
	    .id = rule->id,
	    .is_steady = rule->is_steady,
	    .is_soft = rule->class == HIT_MISCONFIGURATION,
	    .is_light = rule->weight < e->set.jails[h->jail].unit,
	    .has_credit = has_credit,
	    .is_pressed = !has_credit && !rule->distinct};
	enum account_state s = ACCOUNT_PLAIN;

	if (w.is_soft || w.parts <= 0)
		return w;
	if (h->account)
		s = accounts_feed(e->accounts, e->set.jails[h->jail].offender,
		    hash_of(h), site_of(h), h->account, h->at);
	w.is_stale = s == ACCOUNT_STALE;
	/* Of a server with credit many users have typos, and old address books. */
	w.is_soft = w.is_stale || (has_credit && rule->distinct);
	if (!has_credit || w.is_stale)
		w.parts = account_weight(s, w.parts);
	w.parts = times(w.parts, engine_again(e, h));
	return w;
}

/*
 * Light evidence is no offence. Nor is what counts distinct values: honest servers have
 * typos and old lists every day, and more of them do on a large host.
 */
static void press(
    struct jail *j, const struct hit *h, uint16_t id, const struct weight *w)
{
	struct pressure *own = pressure_of(j, id);

	if (!j->pressure || !w->is_pressed || w->is_soft || 2 * w->parts < j->unit)
		return;
	pressure_add(j->pressure, site_of(h), h->at);
	if (own && !w->is_steady)
		pressure_add(own, site_of(h), h->at);
}

/* What is a half more than a failure, by its rule, no honest server does by mistake. */
static void spoil(struct engine *e, const struct hit *h, const struct engine_rule *rule)
{
	const struct jail *j = &e->set.jails[h->jail];

	if (rule->class == HIT_ABUSE && 2 * rule->weight >= 3 * j->unit)
		credits_spoil(e->credits, &h->net, h->at);
}

/* Return: 0 if it counts; else the outcome. */
static int count_distinct(
    struct engine *e, const struct hit *h, const struct engine_rule *rule)
{
	const struct jail *j = &e->set.jails[h->jail];

	if (!rule->distinct || !h->value)
		return 0;
	return distinct_feed(e->distinct, j->offender, rule->id, &h->net, h->value,
		   h->at, rule->free)
		   ? ENGINE_REPEATED
		   : 0;
}

/* Whatever makes light evidence heavier, one piece of it is not enough. */
static bool is_alone(const struct window *w, const struct window_part *part)
{
	size_t n = 0;

	for (size_t i = part->from; i < part->to; i++)
		n += !(w->items[i].rule & WINDOW_SOFT) && w->items[i].weight > 0;
	return n <= 1;
}

int64_t engine_take_distinct(const struct jail *j, struct window *io)
{
	int64_t taken = 0;
	size_t n = 0;

	for (size_t i = 0; i < io->n; i++) {
		const struct window_item k = io->items[i];

		if (rule_of(j, (uint16_t)(k.rule & ~WINDOW_SOFT)).distinct)
			taken += k.weight;
		else
			io->items[n++] = k;
	}
	io->n = n;
	return taken;
}

/*
 * All there is reaches the usual threshold; or what takes part in an attack the lower
 * one. In the second case the rest leaves @io: typos must not be what makes a trifle a
 * ban.
 */
static bool reaches(const struct engine *e, const struct hit *h,
    const struct weight *weight, struct window *io, struct window_part *part)
{
	const struct jail *j = &e->set.jails[h->jail];
	int64_t findtime_us = e->set.tally_jails[h->jail].findtime_us;
	int64_t need = need_of(j, weight->has_credit, 0);
	const struct pressure *by;
	unsigned int level = 0;

	if (window_reaches_capped(
		io, h->at.us, findtime_us, need, engine_soft_cap(need), part))
		return true;
	if (weight->is_pressed)
		level = level_of(j, weight->id, h->at, &by);
	if (!level)
		return false;
	need = need_of(j, weight->has_credit, level);
	(void)engine_take_distinct(j, io);
	return window_reaches_capped(
	    io, h->at.us, findtime_us, need, engine_soft_cap(need), part);
}

static int count(struct engine *e, const struct hit *h, const struct weight *weight,
    wall_t now, struct orders *out)
{
	struct jail *j = &e->set.jails[h->jail];
	struct window_part part;
	struct window w;
	uint32_t id;
	int r = tally_put(e->tally, h, weight->is_soft, e->clock, &id, &w);

	if (r < 0)
		return r;
	if (r == TALLY_STALE)
		return ENGINE_STALE;
	if (weight->is_stale)
		tally_soften(e->tally, id, h->rule, ACCOUNT_STALE_PARTS, &w);
	j->counts.failed_total += h->weight > 0;
	engine_keep_line(e, id, h);
	if (h->weight <= 0 || !reaches(e, h, weight, &w, &part))
		return ENGINE_COUNTED;
	if (weight->is_light && is_alone(&w, &part))
		return ENGINE_COUNTED;
	return engine_judge(e, h, id, &w, &part, now, out);
}

static int weigh_bad(struct engine *e, const struct hit *h,
    const struct engine_rule *rule, bool has_credit, wall_t now, struct orders *out)
{
	struct jail *j = &e->set.jails[h->jail];
	struct hit weighed = *h;
	struct weight w;
	bool is_offence;
	int r;

	if (engine_is_in_grace(e, h))
		return ENGINE_ALREADY_BANNED;
	r = count_distinct(e, h, rule);
	if (r)
		return r;
	spoil(e, h, rule);
	w = weight_of(e, h, rule, has_credit);
	if (!w.parts)
		return ENGINE_NOTED;
	weighed.weight = w.parts;
	is_offence = !has_credit && !w.is_soft && !rule->distinct && w.parts > 0;
	press(j, h, rule->id, &w);
	r = count(e, &weighed, &w, now, out);
	if (r == ENGINE_COUNTED && is_offence && j->group)
		r = engine_group_offended(e, &weighed, now, out);
	return r;
}

/* --- the breaker -------------------------------------------------------------------
 */

static struct engine_suspended suspended_of(
    const struct engine *e, const struct jail *j, uint16_t id, wall_t now)
{
	struct engine_suspended s = {.jail = (uint32_t)(j - e->set.jails)};
	struct breaker_state state;

	while (s.rule + 1u < j->n_rules && j->rules[s.rule].id != id)
		s.rule++;
	s.name = j->rules[s.rule].name;
	s.since = now;
	if (breaker_get(j->breaker, id, now, &state)) {
		s.since = state.since;
		s.n_clients = (uint32_t)state.n_clients;
		s.n_credited = (uint32_t)state.n_credited;
	}
	return s;
}

static void tell(
    struct engine *e, const struct jail *j, uint16_t id, bool is_suspended, wall_t at)
{
	e->may_lift |= is_suspended;
	if (e->n_events == ENGINE_MAX_EVENTS)
		memmove(
		    &e->events[0], &e->events[1], --e->n_events * sizeof(e->events[0]));
	e->events[e->n_events++] =
	    (struct engine_event){is_suspended, at, suspended_of(e, j, id, at)};
}

bool engine_next_event(struct engine *e, struct engine_event *out)
{
	if (!e->n_events)
		return false;
	*out = e->events[0];
	memmove(&e->events[0], &e->events[1], --e->n_events * sizeof(e->events[0]));
	return true;
}

static void lift_of(struct engine *e, struct jail *j, wall_t now)
{
	uint16_t id;

	while (j->breaker && breaker_lift(j->breaker, now, &id))
		tell(e, j, id, false, now);
}

void engine_lift(struct engine *e, wall_t now)
{
	/* In a replay time comes with each failure: mostly there is nothing to lift. */
	if (!e->may_lift)
		return;
	for (uint32_t i = 0; i < e->set.n_jails; i++)
		lift_of(e, &e->set.jails[i], now);
	e->may_lift = engine_next_lift(e).us != WALL_NEVER.us;
}

wall_t engine_next_lift(const struct engine *e)
{
	wall_t next = WALL_NEVER;

	for (uint32_t i = 0; i < e->set.n_jails; i++) {
		const struct breaker *b = e->set.jails[i].breaker;
		wall_t at = b ? breaker_next(b) : WALL_NEVER;

		if (at.us < next.us)
			next = at;
	}
	return next;
}

void engine_forget_ahead(struct engine *e, wall_t now)
{
	for (uint32_t i = 0; i < e->set.n_jails; i++) {
		struct jail *j = &e->set.jails[i];
		uint16_t id;

		for (uint32_t k = 0; k < j->n_pressures; k++)
			pressure_clear(&j->pressure[k]);
		if (!j->breaker)
			continue;
		while (breaker_lift(j->breaker, WALL_NEVER, &id))
			tell(e, j, id, false, now);
		breaker_clear(j->breaker);
	}
}

void engine_each_suspended(const struct engine *e, engine_suspended_fn fn, void *ctx)
{
	for (uint32_t i = 0; i < e->set.n_jails; i++) {
		const struct jail *j = &e->set.jails[i];
		struct breaker_state state;

		for (uint32_t k = 0; j->breaker && k < j->n_rules; k++) {
			uint16_t id = j->rules[k].id;
			struct engine_suspended s;

			if (!breaker_get(j->breaker, id, e->clock, &state))
				continue;
			s = suspended_of(e, j, id, e->clock);
			if (s.rule == k)
				fn(ctx, &s);
		}
	}
}

/* Does it count? */
static bool passes(struct engine *e, const struct hit *h,
    const struct engine_rule *rule, bool has_credit)
{
	struct jail *j = &e->set.jails[h->jail];
	int r;

	if (!j->breaker || h->rule >= j->n_rules)
		return true;
	lift_of(e, j, h->at);
	r = breaker_feed(
	    j->breaker, rule->id, rule->class, site_of(h), has_credit, h->at);
	if (r == BREAKER_TRIPPED)
		tell(e, j, rule->id, true, h->at);
	return r == 0;
}

int engine_weigh(struct engine *e, const struct hit *h, wall_t now, struct orders *out)
{
	struct jail *j = &e->set.jails[h->jail];
	struct engine_rule rule = rule_of(j, h->rule);
	bool has_credit = engine_has_credit(e, &h->net);

	if (h->rule >= j->n_rules)
		rule.weight = times(h->weight, j->unit);
	if (!passes(e, h, &rule, has_credit))
		return ENGINE_SUSPENDED;
	switch (rule.class) {
	case HIT_LOCAL_FAULT:
	case HIT_NEUTRAL:
		return ENGINE_NOTED;
	case HIT_GOOD:
		give_credit(e, j, &rule, h);
		return ENGINE_NOTED;
	case HIT_ABUSE:
	case HIT_MISCONFIGURATION:
		break;
	}
	return weigh_bad(e, h, &rule, has_credit, now, out);
}
