/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * engine: what the classes of rules promise, whatever comes and in whatever order
 *
 * Evidence by chance, with times that jump, credit, pressure, groups and reloads in
 * between. Addresses are of four sorts, which only get evidence of some classes.
 */
#include <stdio.h>

#include "engine_fixture.h"

#define N_WHO 240
#define N_ROUNDS 40000

enum sort {
	SORT_CARELESS, /* misconfiguration, and what never counts */
	SORT_GOOD,     /* only good evidence; its network has offenders */
	SORT_MIXED,
	SORT_BAD,
	N_SORTS
};

struct world {
	struct fixture f;
	struct engine_rule rules[12];
	uint64_t random;
	int *n_nets;
	double now;
};

static uint32_t chance(struct world *w, uint32_t n)
{
	w->random = w->random * UINT64_C(6364136223846793005) + 1442695040888963407u;
	return (uint32_t)(w->random >> 33) % n;
}

/* Sorts share networks: 192.0.0.0/24 and so on. */
static struct net who_is(uint32_t i)
{
	uint8_t a[16] = {0x20, 0x01, 0x0d, 0xb8};

	if (i % 3)
		return net_from_v4((uint32_t)(192 | (i / 24 % 5) << 16 | i << 24));
	a[7] = (uint8_t)(i / 60);
	a[15] = (uint8_t)i;
	return net_from_v6(a);
}

static enum sort sort_of(uint32_t i)
{
	return i % 60 < 15    ? SORT_CARELESS
	       : i % 60 == 15 ? SORT_GOOD
	       : i % 60 < 40  ? SORT_MIXED
			      : SORT_BAD;
}

static void rules_by_chance(struct world *w)
{
	for (uint32_t i = 0; i < ARRAY_LEN(w->rules); i++)
		w->rules[i] = (struct engine_rule){
		    .class = (enum hit_class)(i % HIT_N_CLASSES),
		    .id = (uint16_t)(i / 2),
		    .weight = (int16_t)(1 + chance(w, 900)),
		    .bantime_sec = chance(w, 3) ? 0 : 1 + (int64_t)chance(w, 5000),
		    .distinct = chance(w, 3) == 0,
		    .free = (uint16_t)chance(w, 4),
		    .name = chance(w, 2) ? "one" : "other",
		};
	/* Regexes of one rule are of one class. */
	for (uint32_t i = 1; i < ARRAY_LEN(w->rules); i += 2)
		w->rules[i].class = w->rules[i - 1].class;
}

static void jail_by_chance(struct world *w)
{
	w->f.jails[0] = (struct engine_jail){.name = "mail",
	    .findtime_sec = 1 + chance(w, 4000),
	    .maxretry = 1 + chance(w, 8),
	    .bantime_sec = 1 + chance(w, 4000),
	    .maxmatches = chance(w, 10),
	    .unit = 100,
	    .rules = w->rules,
	    .n_rules = ARRAY_LEN(w->rules),
	    .adapt = chance(w, 2),
	    .group = (uint16_t)chance(w, 6)};
}

static uint16_t rule_for(struct world *w, enum sort sort)
{
	for (;;) {
		uint16_t i = (uint16_t)chance(w, ARRAY_LEN(w->rules));
		enum hit_class c = w->rules[i].class;

		if (sort == SORT_BAD || sort == SORT_MIXED)
			return i;
		if (sort == SORT_GOOD ? c == HIT_GOOD : c != HIT_ABUSE && c != HIT_GOOD)
			return i;
	}
}

static void check_order(const struct world *w, const struct order *o)
{
	if (o->op == ORDER_UNBAN)
		return;
	assert_true(o->failures > 0);
	for (uint32_t i = 0; i < N_WHO; i++) {
		struct net n = who_is(i);

		if (net_eq(&n, &o->net))
			assert_true(sort_of(i) == SORT_MIXED || sort_of(i) == SORT_BAD);
		else if (net_contains(&o->net, &n))
			assert_false(engine_has_credit(w->f.engine, &n));
	}
	if (!net_is_host(&o->net)) {
		++*w->n_nets;
		assert_int_equal(o->cause, ORDER_BY_GROUP);
		assert_true(
		    net_prefix_len(&o->net) >= (net_is_v4(&o->net) ? 24u : 48u));
	}
	for (uint32_t i = 0; i < o->n_why; i++)
		assert_true(o->why[i].rule < ARRAY_LEN(w->rules));
}

static void check_account(void *ctx, const struct engine_account *a)
{
	(void)ctx;
	if (!a->threshold.is_weighed)
		return;
	assert_true(a->threshold.need >= a->threshold.unit);
	assert_true(a->soft <= a->threshold.need / 4);
	assert_true(a->soft <= a->sum || a->sum < 0);
}

static void one_round(struct world *w)
{
	uint32_t i = chance(w, N_WHO);
	struct hit h = {.jail = 0,
	    .net = who_is(i),
	    .rule = rule_for(w, sort_of(i)),
	    .weight = 1,
	    .value = chance(w, 5),
	    .account = chance(w, 8),
	    .text = SPAN("x")};
	struct engine_event e;

	w->now += chance(w, 50) ? chance(w, 20) : chance(w, 90000);
	h.at = t(w->now - (chance(w, 4) ? 0 : chance(w, 1000)));
	assert_true(engine_feed(w->f.engine, &h, t(w->now), &w->f.orders) >= 0);
	if (chance(w, 20) == 0)
		tick(&w->f, w->now);
	engine_account(w->f.engine, &h.net, check_account, NULL);
	for (size_t k = 0; k < w->f.orders.n; k++)
		check_order(w, &w->f.orders.items[k]);
	orders_clear(&w->f.orders);
	while (chance(w, 2) && engine_next_event(w->f.engine, &e))
		;
}

static void test_promises(void **state)
{
	uint64_t n_bans = 0;
	int n_nets = 0;

	(void)state;
	for (uint64_t seed = 1; seed <= 12; seed++) {
		struct world w = {.random = seed, .n_nets = &n_nets};
		struct engine_counts c;

		fixture_init(&w.f);
		rules_by_chance(&w);
		jail_by_chance(&w);
		fixture_start(&w.f);
		for (int i = 0; i < N_ROUNDS / 12; i++) {
			if (chance(&w, 2000) == 0) {
				jail_by_chance(&w);
				assert_int_equal(engine_reload(w.f.engine, &w.f.options,
						     t(w.now), &w.f.orders),
				    0);
			}
			one_round(&w);
		}
		engine_counts(w.f.engine, 0, &c);
		n_bans += c.banned_total;
		fixture_deinit(&w.f);
	}
	assert_true(n_bans > 500);
	assert_true(n_nets > 20);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_promises),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
