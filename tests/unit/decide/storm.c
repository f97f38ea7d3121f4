/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "storm.h"

#undef NDEBUG
#include <assert.h>
#include <errno.h>

#include "bytes.h"
#include "decide/engine.h"

#define MAX_JAILS 3
#define MAX_TRACKED 5
#define MAX_BANS 3

struct storm {
	struct engine *engine;
	struct orders orders;
	struct bytes in;
	struct engine_jail jails[MAX_JAILS];
	uint32_t n_jails;
	wall_t now;
	size_t n_seen;
	wall_t last_end;
};

static struct net choose_net(struct storm *s)
{
	struct net n = net_from_v4((uint32_t)bytes_pick(&s->in, 12) << 24);

	return bytes_pick(&s->in, 8) ? n : net_mask(n, bytes_pick(&s->in, 33));
}

static wall_t choose_time(struct storm *s)
{
	switch (bytes_pick(&s->in, 8)) {
	case 0:
		return (wall_t){(int64_t)bytes_u64(&s->in)};
	case 1:
		return bytes_pick(&s->in, 2) ? WALL_NEVER : WALL_NONE;
	default:
		return (wall_t){s->now.us + ((int8_t)bytes_next(&s->in)) * US_PER_SEC};
	}
}

static int16_t choose_weight(struct storm *s)
{
	return bytes_pick(&s->in, 4) ? 1 : (int16_t)bytes_u64(&s->in);
}

static double choose_findtime(struct storm *s)
{
	double v;
	uint64_t bits = bytes_u64(&s->in);

	memcpy(&v, &bits, sizeof(v));
	return bytes_pick(&s->in, 4) ? 10 : v;
}

static struct engine_options choose_options(struct storm *s)
{
	static const char *const names[] = {"a", "b", "c", "d"};
	static const struct net ignored = {.bits = 128};
	uint32_t first = bytes_pick(&s->in, 4);

	s->n_jails = 1 + bytes_pick(&s->in, MAX_JAILS);
	for (uint32_t i = 0; i < s->n_jails; i++)
		s->jails[i] = (struct engine_jail){
		    .name = names[(first + i) % ARRAY_LEN(names)],
		    .findtime_sec = choose_findtime(s),
		    .maxretry = bytes_pick(&s->in, 8) ? bytes_pick(&s->in, 5)
						      : (uint32_t)bytes_u64(&s->in),
		    .bantime_sec = bytes_pick(&s->in, 8) ? bytes_pick(&s->in, 60)
							 : (int64_t)bytes_u64(&s->in),
		    .maxmatches =
			bytes_pick(&s->in, 8) ? bytes_pick(&s->in, 4) : 1u << 20,
		    .ignoreself = bytes_pick(&s->in, 2),
		    .ignore = &ignored,
		    .n_ignore = bytes_pick(&s->in, 2),
		};
	return (struct engine_options){.jails = s->jails,
	    .n_jails = s->n_jails,
	    .max_tracked = MAX_TRACKED,
	    .max_bans = MAX_BANS,
	    .text_bytes = 1 + bytes_pick(&s->in, 4) * 700u};
}

static uint32_t choose_jail(struct storm *s)
{
	return bytes_pick(&s->in, s->n_jails);
}

static void check_why(const struct evidence *why, size_t n_why)
{
	assert(n_why <= ENGINE_MAX_WINDOW);
	for (size_t i = 0; i < n_why; i++)
		assert(!why[i].text || strlen(why[i].text) <= 512);
}

static void check_orders(struct storm *s)
{
	for (size_t i = 0; i < s->orders.n; i++) {
		const struct order *o = &s->orders.items[i];

		assert(o->jail < MAX_JAILS && o->net.bits <= 128);
		assert(o->op >= ORDER_BAN && o->op <= ORDER_PROLONG);
		assert(o->op != ORDER_UNBAN || o->n_why == 0);
		check_why(o->why, o->n_why);
	}
	orders_clear(&s->orders);
}

static void do_feed(struct storm *s)
{
	struct hit h = {.jail = choose_jail(s),
	    .net = choose_net(s),
	    .rule = bytes_next(&s->in),
	    .weight = choose_weight(s),
	    .at = choose_time(s)};
	size_t n_text = bytes_next(&s->in) * (size_t)3;
	int r;

	h.text =
	    (struct span){(const char *)s->in.p, n_text < s->in.n ? n_text : s->in.n};
	r = engine_feed(s->engine, &h, s->now, &s->orders);
	assert(r >= ENGINE_COUNTED && r <= ENGINE_FULL);
	if (r == ENGINE_BANNED || r == ENGINE_PROLONGED) {
		const struct order *o = &s->orders.items[s->orders.n - 1];

		assert(o->op == (r == ENGINE_BANNED ? ORDER_BAN : ORDER_PROLONG));
		assert(net_eq(&o->net, &h.net) && o->jail == h.jail);
		assert(o->until.us > s->now.us || o->until.us == WALL_NEVER.us);
		assert(o->failures >= 1);
	}
}

static void do_restore(struct storm *s)
{
	struct net n = choose_net(s);
	uint32_t jail = choose_jail(s);
	size_t n_state = bytes_next(&s->in);
	struct span state;
	int r;

	if (n_state > s->in.n)
		n_state = s->in.n;
	state = (struct span){(const char *)s->in.p, n_state};
	r = engine_restore_tally(s->engine, jail, &n, state);
	assert(r == 0 || r == -EBADMSG || r == ENGINE_FULL);
}

static void do_restore_ban(struct storm *s)
{
	struct evidence why = {.text = (char[]){"line"}};
	struct order o = {.op = ORDER_BAN,
	    .cause = ORDER_RESTORED,
	    .jail = choose_jail(s),
	    .net = choose_net(s),
	    .at = choose_time(s),
	    .until = choose_time(s),
	    .n_why = bytes_pick(&s->in, 2),
	    .why = &why};
	int r = engine_restore_ban(s->engine, &o);

	assert(r == 0 || r == ENGINE_FULL);
}

static void do_ban(struct storm *s)
{
	struct net n = choose_net(s);
	uint32_t jail = choose_jail(s);
	int64_t sec = (int8_t)bytes_next(&s->in);
	int r = engine_ban(s->engine, jail, &n, NULL, s->now, sec, &s->orders);

	assert(r == ENGINE_BANNED || r == ENGINE_PROLONGED ||
	       r == ENGINE_ALREADY_BANNED || r == ENGINE_FULL || r == ENGINE_OVER);
}

static void do_unban(struct storm *s)
{
	struct net n = choose_net(s);
	int jail = (int)bytes_pick(&s->in, s->n_jails + 1) - 1;
	int r = engine_unban(
	    s->engine, jail, bytes_pick(&s->in, 4) ? &n : NULL, s->now, &s->orders);

	assert(r >= 0 && (size_t)r == s->orders.n);
}

static void do_reload(struct storm *s)
{
	struct engine_options o = choose_options(s);

	assert(engine_reload(s->engine, &o, s->now, &s->orders) == 0);
}

/* What goes to the store must be taken back by an engine that has room. */
static void on_dirty(void *ctx, uint32_t jail, const struct net *n, struct span state)
{
	struct storm *s = ctx;
	struct engine_options o = {
	    .jails = s->jails, .n_jails = s->n_jails, .text_bytes = 1};
	CLEANUP(engine_freep) struct engine *e = NULL;

	assert(jail < s->n_jails);
	if (state.n == 0)
		return;
	e = engine_new(&o);
	assert(engine_restore_tally(e, jail, n, state) == 0);
}

static void on_ban(void *ctx, const struct order *o)
{
	struct storm *s = ctx;

	assert(o->jail < s->n_jails);
	assert(s->n_seen == 0 || s->last_end.us <= o->until.us);
	check_why(o->why, o->n_why);
	s->last_end = o->until;
	s->n_seen++;
}

static void on_account(void *ctx, const struct engine_account *a)
{
	struct storm *s = ctx;

	assert(a->jail < s->n_jails && a->first.us <= a->last.us);
	check_why(a->why, a->n_why);
}

static void check(struct storm *s)
{
	struct engine_bounds bounds;
	uint64_t n_bans = 0, n_failing = 0;
	struct net n = choose_net(s);

	check_orders(s);
	engine_bounds(s->engine, &bounds);
	assert(bounds.n_tracked <= MAX_TRACKED && bounds.n_bans <= MAX_BANS);
	s->n_seen = 0;
	engine_each_ban(s->engine, -1, on_ban, s);
	assert(s->n_seen == bounds.n_bans);
	for (uint32_t i = 0; i < s->n_jails; i++) {
		struct engine_counts counts;

		engine_counts(s->engine, i, &counts);
		n_bans += counts.banned_now;
		n_failing += counts.failed_now;
	}
	assert(n_bans == bounds.n_bans && n_failing <= bounds.n_tracked);
	engine_account(s->engine, &n, on_account, s);
	s->n_seen = 0;
	s->last_end = WALL_NONE;
	if (!net_is_host(&n))
		engine_find_bans(s->engine, &n, on_ban, s);
}

static void step(struct storm *s)
{
	struct net own;

	switch (bytes_pick(&s->in, 32)) {
	case 0:
		do_reload(s);
		break;
	case 1:
		do_unban(s);
		break;
	case 2:
		do_ban(s);
		break;
	case 3:
		do_restore(s);
		break;
	case 4:
		do_restore_ban(s);
		break;
	case 5:
		engine_each_dirty(s->engine, on_dirty, s);
		break;
	case 6:
		engine_mark_dirty(s->engine);
		break;
	case 7:
		own = choose_net(s);
		assert(engine_set_own(s->engine, &own, 1) == 0);
		break;
	case 8:
	case 9:
	case 10:
		s->now = choose_time(s);
		/* Else nothing would be told apart for the rest of the storm. */
		if (s->now.us > INT64_MAX / 2 || s->now.us < INT64_MIN / 2)
			s->now.us = 0;
		assert(engine_tick(s->engine, s->now, &s->orders) == 0);
		break;
	default:
		do_feed(s);
	}
}

void storm_run(const uint8_t *bytes, size_t n)
{
	struct storm s = {.in = {bytes, n}};
	struct engine_options o = choose_options(&s);

	s.engine = engine_new(&o);
	while (s.in.n > 0) {
		step(&s);
		check(&s);
	}
	engine_free(s.engine);
	orders_deinit(&s.orders);
}
