/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * engine_act - bans begin, grow longer and end; what people ask for; what the store
 * knew
 */
#include "decide/engine_private.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

wall_t engine_end(wall_t at, int64_t bantime_sec)
{
	return bantime_sec < 0 ? WALL_NEVER : wall_add_sec(at, (double)bantime_sec);
}

bool engine_is_after(wall_t end, wall_t now)
{
	return end.us == WALL_NEVER.us || end.us > now.us;
}

void engine_unsay(struct orders *out, size_t n)
{
	while (out->n > n)
		order_deinit(&out->items[--out->n]);
}

int engine_announce(const struct order *verdict, const struct evidence *why,
    size_t n_why, struct orders *out)
{
	struct order *o = orders_append(out);

	if (!o)
		return -ENOMEM;
	*o = *verdict;
	o->n_why = 0;
	o->why = NULL;
	o->id = verdict->id ? strdup(verdict->id) : NULL;
	if (verdict->id && !o->id) {
		out->n--;
		return -ENOMEM;
	}
	o->why = n_why ? calloc(n_why, sizeof(*o->why)) : NULL;
	/* Short of memory: a ban without its lines is better than none. */
	if (!o->why)
		return 0;
	for (; o->n_why < n_why; o->n_why++) {
		struct evidence *k = &o->why[o->n_why];

		*k = why[o->n_why];
		k->text = k->text ? strdup(k->text) : NULL;
	}
	return 0;
}

int engine_announce_end(
    const struct ban *b, enum order_cause cause, wall_t at, struct orders *out)
{
	const struct order lift = {.op = ORDER_UNBAN,
	    .cause = cause,
	    .jail = b->jail,
	    .net = b->net,
	    .id = b->name ? b->name->text : NULL,
	    .ip = b->name ? b->name->ip : (struct net){.bits = 0},
	    .at = at,
	    .until = b->until,
	    .failures = b->failures,
	    .ban_count = b->count,
	    .step = b->step,
	    .stopped = b->stopped};

	return engine_announce(&lift, NULL, 0, out);
}

void engine_drop_ban(struct engine *e, struct ban *b)
{
	e->set.jails[b->jail].counts.banned_now--;
	ban_table_remove(e->bans, b);
}

int engine_end_if_over(struct engine *e, uint32_t jail, const struct net *n, wall_t now,
    struct orders *out)
{
	struct ban *b = ban_table_find(e->bans, jail, n);
	int r;

	if (!b || engine_is_after(b->until, now))
		return 0;
	r = engine_announce_end(b, ORDER_EXPIRED, b->until, out);
	if (!r)
		engine_drop_ban(e, b);
	return r;
}

static void keep_why(struct engine *e, struct ban *b, const struct order *o)
{
	uint32_t max = e->set.jails[b->jail].maxmatches;

	/* An order without lines does not speak against those that are known. */
	if (o->n_why == 0)
		return;
	b->text = 0;
	for (uint32_t i = o->n_why > max ? o->n_why - max : 0; i < o->n_why; i++) {
		const struct evidence *k = &o->why[i];
		uint32_t text = evidence_ring_add(e->ban_lines, b->id, b->text, k->at,
		    k->rule, k->weight, span_of(k->text));

		if (text)
			b->text = text;
	}
}

static uint16_t rule_of(const struct order *o)
{
	if (o->n_why)
		return o->why[o->n_why - 1].rule;
	return o->cause == ORDER_BY_USER ? STOPPED_BY_HAND : STOPPED_NO_RULE;
}

/* Return: 0, ENGINE_FULL, or -ENOMEM. */
static int place(struct engine *e, const struct order *o, bool is_new)
{
	struct ban *b = ban_table_find(e->bans, o->jail, &o->net);
	int r;

	if (b) {
		ban_table_set_until(e->bans, b, o->until);
		b->cause = (uint8_t)o->cause;
		b->stopped.is_final = false;
	} else {
		r = ban_table_add(e->bans, o, &b);
		if (r == BAN_TABLE_FULL) {
			e->n_refused++;
			return ENGINE_FULL;
		}
		if (r < 0)
			return r;
		e->set.jails[o->jail].counts.banned_now++;
		/* Of one that is made now the kernel has counted nothing yet. */
		b->stopped.is_known = is_new;
		b->stopped.rule = rule_of(o);
	}
	b->at = o->at;
	b->step = o->step;
	if (o->failures)
		b->failures = o->failures;
	if (o->ban_count)
		b->count = o->ban_count;
	keep_why(e, b, o);
	return 0;
}

int engine_place_announced(struct engine *e, struct orders *out)
{
	const struct order *o = &out->items[out->n - 1];
	int r = place(e, o, true);

	if (r) {
		engine_unsay(out, out->n - 1);
		return r;
	}
	if (o->op == ORDER_PROLONG)
		return ENGINE_PROLONGED;
	e->set.jails[o->jail].counts.banned_total++;
	return ENGINE_BANNED;
}

int engine_ban(struct engine *e, uint32_t jail, const struct net *n, const char *id,
    wall_t now, int64_t sec, struct orders *out)
{
	CLEANUP(freep) char *name = id ? strdup(id) : NULL;
	struct order wish = {.op = ORDER_BAN,
	    .cause = ORDER_BY_USER,
	    .jail = jail,
	    .net = *n,
	    .id = name,
	    .at = now};
	const struct ban *b, *around;
	bool is_next_step;
	int r;

	if (id && !name)
		return -ENOMEM;
	assert(jail < e->set.n_jails);
	engine_set_clock(e, now);
	engine_set_length(
	    e, &wish, &(struct steps_case){.is_by_user = true}, NULL, now);
	if (sec)
		wish.until = engine_end(now, sec);
	if (!engine_is_after(wish.until, now))
		return ENGINE_OVER;
	r = engine_end_if_over(e, jail, n, now, out);
	if (r < 0)
		return r;
	b = ban_table_find(e->bans, jail, n);
	around = ban_table_find_around(e->bans, jail, n, now);
	is_next_step = b && b->step != wish.step;
	if ((b && !is_next_step && b->until.us >= wish.until.us) ||
	    (around && around->until.us >= wish.until.us))
		return ENGINE_ALREADY_BANNED;
	if (b)
		wish.op = ORDER_PROLONG;
	r = engine_announce(&wish, NULL, 0, out);
	if (!r)
		r = engine_place_announced(e, out);
	if ((r == ENGINE_BANNED || (r == ENGINE_PROLONGED && is_next_step)) && !sec)
		engine_remember(e, &wish);
	if (r == ENGINE_BANNED || r == ENGINE_PROLONGED)
		tally_remove_within(e->tally, (int)jail, e->set.n_jails, n);
	return r;
}

/* One ban that engine_unban() is about. Return: 0 or -ENOMEM. */
typedef int (*lift_fn)(struct engine *e, struct ban *b, wall_t now, struct orders *out);

static int lift_announce(
    struct engine *e, struct ban *b, wall_t now, struct orders *out)
{
	(void)e;
	return engine_announce_end(b, ORDER_BY_USER, now, out);
}

static int lift_drop(struct engine *e, struct ban *b, wall_t now, struct orders *out)
{
	(void)now;
	(void)out;
	engine_drop_ban(e, b);
	return 0;
}

static int each_within(struct engine *e, int jail, const struct net *n, lift_fn fn,
    wall_t now, struct orders *out)
{
	struct ban *next;
	int r = 0;

	if (n && net_is_host(n)) {
		uint32_t from = jail < 0 ? 0 : (uint32_t)jail;
		uint32_t to = jail < 0 ? e->set.n_jails : from + 1;

		for (uint32_t i = from; !r && i < to; i++) {
			struct ban *b = ban_table_find(e->bans, i, n);

			if (b)
				r = fn(e, b, now, out);
		}
		return r;
	}
	for (struct ban *b = ban_table_first(e->bans); !r && b; b = next) {
		next = ban_table_after(b);
		if ((jail < 0 || b->jail == jail) && (!n || net_contains(n, &b->net)))
			r = fn(e, b, now, out);
	}
	return r;
}

int engine_unban(
    struct engine *e, int jail, const struct net *n, wall_t now, struct orders *out)
{
	size_t n_before = out->n;
	int r;

	assert(jail < 0 || (uint32_t)jail < e->set.n_jails);
	engine_set_clock(e, now);
	/* First all is said, then it is done: it happens whole or not at all. */
	r = each_within(e, jail, n, lift_announce, now, out);
	if (r < 0) {
		engine_unsay(out, n_before);
		return r;
	}
	(void)each_within(e, jail, n, lift_drop, now, out); /* cannot fail */
	tally_remove_within(e->tally, jail, e->set.n_jails, n);
	engine_group_lifted(e, jail, n);
	offenders_forget(
	    e->offenders, jail < 0 ? -1 : (int64_t)e->set.jails[jail].offender, n);
	return (int)(out->n - n_before);
}

int engine_refuse(struct engine *e, uint32_t jail, const struct net *n, wall_t now,
    struct orders *out)
{
	struct ban *b;
	int r;

	assert(jail < e->set.n_jails);
	engine_set_clock(e, now);
	b = ban_table_find(e->bans, jail, n);
	if (!b)
		return 0;
	r = engine_announce_end(b, ORDER_REFUSED, now, out);
	if (r < 0)
		return r;
	engine_drop_ban(e, b);
	offenders_take_back(e->offenders, e->set.jails[jail].offender, n);
	return 1;
}

int engine_restore_ban(struct engine *e, const struct order *o)
{
	const struct ban *b;

	assert(o->jail < e->set.n_jails);
	e->n_changes++;
	b = ban_table_find(e->bans, o->jail, &o->net);
	engine_group_restored(e, o);
	if (b && b->until.us >= o->until.us)
		return 0;
	return place(e, o, false);
}

int engine_restore_tally(
    struct engine *e, uint32_t jail, const struct net *n, struct span state)
{
	int r;

	assert(jail < e->set.n_jails);
	e->n_changes++;
	r = tally_restore(e->tally, jail, n, state);
	return r == TALLY_FULL ? ENGINE_FULL : r;
}
