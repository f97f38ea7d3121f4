/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * engine_fixture - an engine, its orders and short words for hits, for the engine's
 * tests
 *
 * Times are in seconds after T0. Jail 0 bans for 600 s after 3 failures within 60 s,
 * jail 1 for 30 s after 2 within 10 s, jail 2 for good after 5 within an hour.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "decide/engine.h"

#define T0 INT64_C(1795000000)

struct fixture {
	struct engine_jail jails[3];
	struct engine_options options;
	struct engine *engine;
	struct orders orders;
};

static inline void fixture_init(struct fixture *f)
{
	*f = (struct fixture){.jails = {
				  {"sshd", 60, 3, 600, 3, true, NULL, 0},
				  {"postfix", 10, 2, 30, 0, false, NULL, 0},
				  {"recidive", 3600, 5, -1, 5, false, NULL, 0},
			      }};
	f->options = (struct engine_options){.jails = f->jails, .n_jails = 3};
}

static inline void fixture_start(struct fixture *f)
{
	f->engine = engine_new(&f->options);
	assert_non_null(f->engine);
}

static inline void fixture_deinit(struct fixture *f)
{
	f->engine = engine_free(f->engine);
	orders_deinit(&f->orders);
}

/* A fixture with the options as they are, gone at the end of the block. */
#define FIXTURE(f)                                \
	CLEANUP(fixture_deinit) struct fixture f; \
	fixture_init(&f);                         \
	fixture_start(&f)

static inline wall_t t(double sec)
{
	return (wall_t){T0 * US_PER_SEC + (int64_t)(sec * 1e6)};
}

static inline struct net net(const char *text)
{
	struct net n;

	assert_int_equal(net_parse(span_of(text), &n), 0);
	return n;
}

static inline int feed_weight(struct fixture *f, uint32_t jail, const char *who,
    double at, double now, int weight)
{
	char line[64];
	struct hit h = {.jail = jail,
	    .net = net(who),
	    .rule = 7,
	    .weight = (int16_t)weight,
	    .at = t(at)};

	h.text =
	    (struct span){line, (size_t)snprintf(line, sizeof(line), "line %g", at)};
	return engine_feed(f->engine, &h, t(now), &f->orders);
}

static inline int feed_late(
    struct fixture *f, uint32_t jail, const char *who, double at, double now)
{
	return feed_weight(f, jail, who, at, now, 1);
}

static inline int feed(struct fixture *f, uint32_t jail, const char *who, double at)
{
	return feed_late(f, jail, who, at, at);
}

/* Feed 3, 2 or 5 failures at once: a ban. */
static inline int feed_ban(struct fixture *f, uint32_t jail, const char *who, double at)
{
	int r = ENGINE_COUNTED;

	for (uint32_t i = 0; i < f->jails[jail].maxretry; i++)
		r = feed(f, jail, who, at);
	return r;
}

static inline void tick(struct fixture *f, double now)
{
	assert_int_equal(engine_tick(f->engine, t(now), &f->orders), 0);
}

static inline const struct order *last_order(const struct fixture *f)
{
	assert_true(f->orders.n > 0);
	return &f->orders.items[f->orders.n - 1];
}

static inline void count_ban(void *ctx, const struct order *o)
{
	(void)o;
	++*(int *)ctx;
}

static inline int n_found(const struct fixture *f, const char *who)
{
	struct net n = net(who);
	int found = 0;

	engine_find_bans(f->engine, &n, count_ban, &found);
	return found;
}

static inline int unban(struct fixture *f, int jail, const char *who, double now)
{
	struct net n = who ? net(who) : (struct net){.bits = 0};

	return engine_unban(f->engine, jail, who ? &n : NULL, t(now), &f->orders);
}

static inline int ban(
    struct fixture *f, uint32_t jail, const char *who, double now, int64_t sec)
{
	struct net n = net(who);

	return engine_ban(f->engine, jail, &n, NULL, t(now), sec, &f->orders);
}
