/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "promises.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "decide/engine.h"

#define N_WHO 240
#define N_RULES 12
#define T0_US (INT64_C(1795000000) * US_PER_SEC)

enum sort {
	SORT_CARELESS, /* misconfiguration, and what never counts */
	SORT_GOOD,     /* only good evidence; its network has offenders */
	SORT_ANY,
};

struct world {
	const uint8_t *p, *end;
	struct engine_rule rules[N_RULES];
	struct engine_jail jail;
	struct engine_options options;
	struct engine *engine;
	struct orders orders;
	int64_t now_us;
	struct promises_stats *stats;
};

/* 0 to @n - 1; when the bytes are over, 0. */
static uint32_t draw(struct world *w, uint32_t n)
{
	uint32_t v = 0;

	for (int i = 0; i < 2 && w->p < w->end; i++)
		v = v << 8 | *w->p++;
	return v % n;
}

/* Sorts share networks: 192.0.0.0/24 and so on. */
static struct net who_is(uint32_t i)
{
	uint8_t a[16] = {0x20, 0x01, 0x0d, 0xb8};
	uint8_t v4[4] = {192, 0, (uint8_t)(i / 24 % 5), (uint8_t)i};
	uint32_t be;

	if (i % 3) {
		memcpy(&be, v4, sizeof(be));
		return net_from_v4(be);
	}
	a[7] = (uint8_t)(i / 60);
	a[15] = (uint8_t)i;
	return net_from_v6(a);
}

static enum sort sort_of(uint32_t i)
{
	return i % 60 < 15 ? SORT_CARELESS : i % 60 == 15 ? SORT_GOOD : SORT_ANY;
}

static void draw_rules(struct world *w)
{
	for (uint32_t i = 0; i < N_RULES; i++)
		w->rules[i] = (struct engine_rule){
		    .class = (enum hit_class)(i / 2 % HIT_N_CLASSES),
		    .id = (uint16_t)(i / 2),
		    .weight = (int16_t)(1 + draw(w, 900)),
		    .bantime_sec = draw(w, 3) ? 0 : 1 + (int64_t)draw(w, 5000),
		    .distinct = draw(w, 3) == 0,
		    .free = (uint16_t)draw(w, 4),
		    .name = draw(w, 2) ? "one" : "other",
		};
}

static void draw_jail(struct world *w)
{
	w->jail = (struct engine_jail){.name = "mail",
	    .findtime_sec = 1 + draw(w, 4000),
	    .maxretry = 1 + draw(w, 8),
	    .bantime_sec = 1 + draw(w, 4000),
	    .maxmatches = draw(w, 10),
	    .unit = 100,
	    .rules = w->rules,
	    .n_rules = N_RULES,
	    .adapt = draw(w, 2),
	    .group = (uint16_t)draw(w, 6)};
	w->options = (struct engine_options){.jails = &w->jail,
	    .n_jails = 1,
	    .max_tracked = draw(w, 4) ? 0 : 1 + draw(w, 100)};
}

static uint16_t draw_rule(struct world *w, enum sort sort)
{
	uint16_t i = (uint16_t)draw(w, N_RULES);

	for (;; i = (uint16_t)((i + 1) % N_RULES)) {
		enum hit_class c = w->rules[i].class;

		if (sort == SORT_ANY || (sort == SORT_GOOD && c == HIT_GOOD) ||
		    (sort == SORT_CARELESS && c != HIT_ABUSE && c != HIT_GOOD))
			return i;
	}
}

static void check_net(struct world *w, const struct order *o)
{
	for (uint32_t i = 0; i < N_WHO; i++) {
		struct net n = who_is(i);

		assert(!net_contains(&o->net, &n) || !engine_has_credit(w->engine, &n));
	}
	assert(o->cause == ORDER_BY_GROUP && w->jail.group);
	assert(net_prefix_len(&o->net) >= (net_is_v4(&o->net) ? 24u : 48u));
	w->stats->n_nets++;
}

static void check_order(struct world *w, const struct order *o)
{
	if (o->op == ORDER_UNBAN)
		return;
	assert(o->failures > 0);
	w->stats->n_bans++;
	for (uint32_t i = 0; i < N_WHO; i++) {
		struct net n = who_is(i);

		assert(!net_eq(&n, &o->net) || sort_of(i) == SORT_ANY);
	}
	if (!net_is_host(&o->net))
		check_net(w, o);
	for (uint32_t i = 0; i < o->n_why; i++)
		assert(o->why[i].rule < N_RULES);
}

static void check_orders(struct world *w)
{
	for (size_t i = 0; i < w->orders.n; i++)
		check_order(w, &w->orders.items[i]);
	orders_clear(&w->orders);
}

static void check_account(void *ctx, const struct engine_account *a)
{
	(void)ctx;
	assert(a->threshold.is_weighed);
	assert(a->threshold.need >= a->threshold.unit);
	assert(a->soft >= 0 && a->soft <= a->threshold.need / 4);
}

static void feed(struct world *w)
{
	uint32_t i = draw(w, N_WHO);
	struct hit h = {.net = who_is(i),
	    .rule = draw_rule(w, sort_of(i)),
	    .weight = 1,
	    .value = draw(w, 5),
	    .account = draw(w, 8),
	    .text = SPAN("x")};
	int64_t late_us = draw(w, 4) ? 0 : draw(w, 1000) * US_PER_SEC;
	int r;

	w->now_us += (draw(w, 50) ? draw(w, 20) : 2 * draw(w, 45000)) * US_PER_SEC;
	h.at.us = w->now_us - late_us;
	r = engine_feed(w->engine, &h, (wall_t){w->now_us}, &w->orders);
	assert(r >= 0);
	assert(r != ENGINE_BANNED || w->rules[h.rule].class == HIT_ABUSE ||
	       w->rules[h.rule].class == HIT_MISCONFIGURATION);
	w->stats->n_hits++;
	engine_account(w->engine, &h.net, check_account, NULL);
}

static void restore_tally(
    void *ctx, uint32_t jail, const struct net *n, struct span state)
{
	if (state.n)
		assert(engine_restore_tally(ctx, jail, n, state) != -EBADMSG);
}

static void restore_credit(void *ctx, const struct credit *c)
{
	(void)engine_restore_credit(ctx, c);
}

/* What the store keeps, into a new engine. */
static void restart(struct world *w)
{
	struct engine *next = engine_new(&w->options);

	assert(next);
	engine_mark_dirty(w->engine);
	engine_each_dirty(w->engine, restore_tally, next);
	engine_each_dirty_credit(w->engine, restore_credit, next);
	engine_free(w->engine);
	w->engine = next;
	assert(!engine_tick(w->engine, (wall_t){w->now_us}, &w->orders));
}

static void step(struct world *w)
{
	struct engine_event e;

	switch (draw(w, 400)) {
	case 0:
		draw_jail(w);
		assert(!engine_reload(
		    w->engine, &w->options, (wall_t){w->now_us}, &w->orders));
		break;
	case 1:
		restart(w);
		break;
	case 2:
		(void)engine_unban(
		    w->engine, -1, NULL, (wall_t){w->now_us}, &w->orders);
		break;
	default:
		feed(w);
		if (draw(w, 20) == 0)
			assert(
			    !engine_tick(w->engine, (wall_t){w->now_us}, &w->orders));
	}
	check_orders(w);
	while (draw(w, 2) && engine_next_event(w->engine, &e))
		assert(e.what.jail == 0 && e.what.rule < N_RULES);
}

void promises_run(const uint8_t *bytes, size_t n, struct promises_stats *io)
{
	struct world w = {.p = bytes, .end = bytes + n, .now_us = T0_US, .stats = io};

	draw_rules(&w);
	draw_jail(&w);
	w.engine = engine_new(&w.options);
	assert(w.engine);
	while (w.p < w.end)
		step(&w);
	engine_free(w.engine);
	orders_deinit(&w.orders);
}
