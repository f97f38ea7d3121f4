/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * engine_reload - from options to what the engine needs, and from one set to the next
 */
#include "decide/engine_private.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

/* Tables number their items with 32 bits; this is far beyond any memory. */
#define MAX_ITEMS (UINT32_MAX / 4)

static size_t cap_of(size_t wanted, size_t otherwise)
{
	if (wanted == 0)
		return otherwise;
	return wanted < MAX_ITEMS ? wanted : MAX_ITEMS;
}

static void jail_deinit(struct jail *j)
{
	for (uint32_t i = 0; j->names && i < j->n_rules; i++)
		free(j->names[i]);
	free(j->names);
	free(j->rules);
	breaker_free(j->breaker);
	free(j->pressure);
	free(j->name);
	escalate_free(j->escalate);
}

/* Regexes of one rule stand together and share its name. */
static int copy_name(struct jail *j, uint32_t i)
{
	const char *name = j->rules[i].name;

	if (!name)
		return 0;
	if (i && j->rules[i - 1].id == j->rules[i].id && j->rules[i - 1].name) {
		j->rules[i].name = j->rules[i - 1].name;
		return 0;
	}
	j->rules[i].name = j->names[i] = strdup(name);
	return j->names[i] ? 0 : -ENOMEM;
}

static int add_pressures(struct jail *j, uint32_t n_ids)
{
	j->pressure = calloc(n_ids + 1, sizeof(*j->pressure));
	if (!j->pressure)
		return -ENOMEM;
	j->n_pressures = n_ids + 1;
	for (uint32_t i = 1; i < j->n_pressures; i++)
		j->pressure[i].counts_days = true;
	return 0;
}

static int copy_rules(struct jail *j, const struct engine_jail *from)
{
	size_t n = from->n_rules < ENGINE_MAX_RULES ? from->n_rules : ENGINE_MAX_RULES;
	uint16_t n_ids = 1;
	int r = 0;

	j->unit = from->unit ? from->unit : 1;
	if (!from->rules)
		return from->adapt ? add_pressures(j, 1) : 0;
	j->rules = calloc(n + 1, sizeof(*j->rules));
	j->names = calloc(n + 1, sizeof(*j->names));
	if (!j->rules || !j->names)
		return -ENOMEM;
	j->n_rules = (uint32_t)n;
	for (uint32_t i = 0; i < n; i++)
		j->rules[i] = from->rules[i];
	for (uint32_t i = 0; !r && i < n; i++) {
		r = copy_name(j, i);
		if (j->rules[i].id >= n_ids && j->rules[i].id < UINT16_MAX)
			n_ids = (uint16_t)(j->rules[i].id + 1);
	}
	j->breaker = breaker_new(n_ids);
	if (!r && from->adapt)
		r = add_pressures(j, n_ids);
	return j->breaker ? r : -ENOMEM;
}

void set_up_deinit(struct set_up *s)
{
	for (uint32_t i = 0; s->jails && i < s->n_jails; i++)
		jail_deinit(&s->jails[i]);
	free(s->jails);
	free(s->tally_jails);
	free(s->failing);
	ignore_free(s->ignore);
	*s = (struct set_up){.n_jails = 0};
}

static int copy_jail(struct set_up *s, uint32_t i, const struct engine_jail *from)
{
	struct jail *j = &s->jails[i];

	*j = (struct jail){
	    .name = strdup(from->name),
	    .findtime_sec = from->findtime_sec,
	    .bantime_sec = from->bantime_sec,
	    .maxretry = from->maxretry ? from->maxretry : 1,
	    .maxmatches = from->maxmatches < WHY_MAX ? from->maxmatches : WHY_MAX,
	    .steps = from->steps,
	    .escalate = from->escalate ? escalate_dup(from->escalate) : NULL,
	    .overalljails = from->overalljails,
	    .group = from->group < ENGINE_MAX_GROUP ? from->group : ENGINE_MAX_GROUP,
	    .groupprefix4 = from->groupprefix4 ? from->groupprefix4 : 24,
	    .groupprefix6 = from->groupprefix6 ? from->groupprefix6 : 48,
	};
	int r = copy_rules(j, from);

	s->tally_jails[i] = (struct tally_jail){
	    .findtime_us = tally_findtime_us(from->findtime_sec),
	    .maxretry = j->maxretry,
	    .unit = j->unit,
	};
	return j->name && (j->escalate || !from->escalate) ? r : -ENOMEM;
}

int set_up_init(struct set_up *s, const struct engine_options *o)
{
	size_t n = o->n_jails;
	int r = 0;

	*s = (struct set_up){.n_jails = 0};
	if (n > ENGINE_MAX_JAILS)
		return -ENOMEM;
	s->n_jails = (uint32_t)n;
	s->max_tracked = cap_of(o->max_tracked, ENGINE_MAX_TRACKED);
	s->max_bans = cap_of(o->max_bans, ENGINE_MAX_BANS);
	s->max_offenders = cap_of(o->max_offenders, ENGINE_MAX_OFFENDERS);
	s->offenders_keep_sec = o->offenders_keep_sec;
	s->text_bytes = o->text_bytes ? o->text_bytes : ENGINE_TEXT_BYTES;
	s->jails = calloc(n + 1, sizeof(*s->jails));
	s->tally_jails = calloc(n + 1, sizeof(*s->tally_jails));
	s->failing = calloc(1, sizeof(*s->failing) + n * sizeof(s->failing->n[0]));
	s->ignore = ignore_new(o->jails, n);
	if (!s->jails || !s->tally_jails || !s->failing || !s->ignore)
		r = -ENOMEM;
	for (uint32_t i = 0; !r && i < n; i++)
		r = copy_jail(s, i, &o->jails[i]);
	if (r) {
		set_up_deinit(s);
		return r;
	}
	s->failing->counted_at = UINT64_MAX;
	return 0;
}

/* What a change of options needs besides the new set, before anything is changed. */
struct change {
	struct set_up next;
	uint32_t *map; /* old jail to new */
	bool is_same_map;
	struct evidence_ring *tally_lines; /* NULL: they stay */
	struct evidence_ring *ban_lines;
};

static void change_deinit(struct change *c)
{
	set_up_deinit(&c->next);
	free(c->map);
	evidence_ring_free(c->tally_lines);
	evidence_ring_free(c->ban_lines);
}

static uint32_t find_jail(const struct set_up *s, const char *name)
{
	for (uint32_t i = 0; i < s->n_jails; i++)
		if (!strcmp(s->jails[i].name, name))
			return i;
	return TALLY_GONE;
}

static int change_prepare(
    struct change *c, struct engine *e, const struct engine_options *o)
{
	size_t half;
	int r = set_up_init(&c->next, o);

	/* A name too many does no harm if the rest fails. */
	if (!r)
		r = engine_name_offenders(e, &c->next);
	if (r < 0)
		return r;
	c->map = calloc(e->set.n_jails + (size_t)1, sizeof(*c->map));
	if (!c->map)
		return -ENOMEM;
	c->is_same_map = true;
	for (uint32_t i = 0; i < e->set.n_jails; i++) {
		const char *name = e->set.jails[i].name;

		/* Of two with one name only the first goes on: a net is banned once. */
		c->map[i] = find_jail(&e->set, name) == i ? find_jail(&c->next, name)
							  : TALLY_GONE;
		c->is_same_map = c->is_same_map && c->map[i] == i;
	}
	if (c->next.text_bytes == e->set.text_bytes)
		return 0;
	half = c->next.text_bytes / 2;
	c->tally_lines = evidence_ring_new(half);
	c->ban_lines = evidence_ring_new(half);
	return c->tally_lines && c->ban_lines ? 0 : -ENOMEM;
}

static int announce_gone(
    const struct engine *e, const uint32_t *map, wall_t now, struct orders *out)
{
	int r = 0;

	for (struct ban *b = ban_table_first(e->bans); !r && b; b = ban_table_after(b))
		if (map[b->jail] == TALLY_GONE)
			r = engine_announce_end(b, ORDER_JAIL_GONE, now, out);
	return r;
}

static void drop_gone(struct engine *e, const uint32_t *map)
{
	struct ban *next;

	for (struct ban *b = ban_table_first(e->bans); b; b = next) {
		next = ban_table_after(b);
		if (map[b->jail] == TALLY_GONE)
			engine_drop_ban(e, b);
	}
}

static void replace_lines(struct engine *e, struct change *c)
{
	if (!c->tally_lines)
		return;
	tally_forget_texts(e->tally);
	for (struct ban *b = ban_table_first(e->bans); b; b = ban_table_after(b))
		b->text = 0;
	evidence_ring_free(e->tally_lines);
	evidence_ring_free(e->ban_lines);
	e->tally_lines = TAKE(c->tally_lines);
	e->ban_lines = TAKE(c->ban_lines);
}

static bool same_rules(const struct jail *a, const struct jail *b)
{
	if (a->n_rules != b->n_rules)
		return false;
	for (uint32_t i = 0; i < a->n_rules; i++)
		if (a->rules[i].id != b->rules[i].id ||
		    a->rules[i].class != b->rules[i].class)
			return false;
	return true;
}

/* What a jail that stays has seen goes with it. */
static void hand_over(struct jail *from, struct jail *to)
{
	to->counts = from->counts;
	if (from->pressure && to->pressure)
		memcpy(to->pressure, from->pressure,
		    (same_rules(from, to) ? to->n_pressures : 1) *
			sizeof(*to->pressure));
	if (from->breaker && to->breaker && same_rules(from, to)) {
		struct breaker *b = to->breaker;

		to->breaker = from->breaker;
		from->breaker = b;
	}
}

/* Counts are of the new jails' numbers, but still in the old units. */
static void rescale(struct engine *e, const struct change *c, const struct set_up *old)
{
	for (uint32_t i = 0; i < old->n_jails; i++) {
		uint32_t to = c->map[i];

		uint16_t was = old->jails[i].unit;

		if (to == TALLY_GONE || was == c->next.jails[to].unit)
			continue;
		tally_rescale(e->tally, to, was, c->next.jails[to].unit);
		tally_rescale(e->nets, to, was, c->next.jails[to].unit);
	}
}

/* Nothing in here can fail. */
static void change_commit(struct change *c, struct engine *e)
{
	struct set_up old = e->set;

	/* By the old findtimes: what is forgotten must not come back with longer ones.
	 */
	tally_sweep(e->tally, e->clock, SIZE_MAX);
	tally_sweep(e->nets, e->clock, SIZE_MAX);
	if (!c->is_same_map) {
		drop_gone(e, c->map);
		tally_remap(e->tally, c->map);
		tally_remap(e->nets, c->map);
		ban_table_remap(e->bans, c->map);
	}
	for (uint32_t i = 0; i < old.n_jails; i++)
		if (c->map[i] != TALLY_GONE)
			hand_over(&old.jails[i], &c->next.jails[c->map[i]]);
	e->n_events = 0; /* their names go */
	replace_lines(e, c);
	ignore_take_own(c->next.ignore, old.ignore);
	tally_set_jails(e->tally, c->next.tally_jails);
	tally_set_jails(e->nets, c->next.tally_jails);
	rescale(e, c, &old);
	tally_set_max(e->tally, c->next.max_tracked);
	ban_table_set_max(e->bans, c->next.max_bans);
	offenders_set_bounds(
	    e->offenders, c->next.max_offenders, c->next.offenders_keep_sec);
	e->set = c->next;
	c->next = old;
}

int engine_reload(
    struct engine *e, const struct engine_options *o, wall_t now, struct orders *out)
{
	CLEANUP(change_deinit) struct change c = {.is_same_map = false};
	size_t n_before = out->n;
	int r;

	r = change_prepare(&c, e, o);
	if (!r)
		r = announce_gone(e, c.map, now, out);
	if (r < 0) {
		engine_unsay(out, n_before);
		return r;
	}
	engine_set_clock(e, now);
	change_commit(&c, e);
	return 0;
}

int engine_set_own(struct engine *e, const struct net *own, size_t n_own)
{
	return ignore_set_own(e->set.ignore, own, n_own);
}

int engine_set_ignore(struct engine *e, uint32_t jail, const struct net *nets, size_t n)
{
	assert(jail < e->set.n_jails);
	return ignore_set_more(e->set.ignore, jail, nets, n);
}
