/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Those who come back: jail 0 escalates (600 s, doubled), jail 1 counts the bans of all
 * jails (30 s, multiplied), jail 2 bans for good.
 */
#include <stdio.h>

#include "decide/escalate.h"
#include "engine_fixture.h"

#define WHO "192.0.2.7"
#define DAY 86400

static struct escalate *escalate_of(struct escalate_options o)
{
	struct escalate_error e;
	struct escalate *x = escalate_new(&o, &e);

	if (!x)
		fail_msg("%s", e.e.text);
	return x;
}

static void start(struct fixture *f, const char *formula)
{
	CLEANUP(escalate_freep)
	struct escalate *first = escalate_of((struct escalate_options){
	    .formula = formula, .has_maxtime = true, .maxtime_sec = DAY});
	CLEANUP(escalate_freep)
	struct escalate *second =
	    escalate_of((struct escalate_options){.multipliers = "1 10 100 1000"});

	fixture_init(f);
	f->jails[0].escalate = first;
	f->jails[1].escalate = second;
	f->jails[1].overalljails = true;
	fixture_start(f);
	/* The engine has copies. */
	f->jails[0].escalate = f->jails[1].escalate = NULL;
}

static int64_t length(const struct fixture *f)
{
	const struct order *o = last_order(f);

	return (o->until.us - o->at.us) / US_PER_SEC;
}

/* Fail until there is a ban, and wait for its end. Return: how many failures it took.
 */
static int bans(struct fixture *f, uint32_t jail, double *io_at, int64_t want_sec,
    uint32_t want_count)
{
	int n = 0, r;

	do {
		r = feed(f, jail, WHO, *io_at);
		n++;
	} while (r == ENGINE_COUNTED && n < 20);
	assert_int_equal(r, ENGINE_BANNED);
	assert_int_equal(last_order(f)->op, ORDER_BAN);
	assert_int_equal(last_order(f)->ban_count, want_count);
	assert_int_equal(length(f), want_sec);
	*io_at += (double)want_sec + 1;
	tick(f, *io_at);
	assert_int_equal(last_order(f)->op, ORDER_UNBAN);
	assert_int_equal(last_order(f)->ban_count, want_count);
	return n;
}

static void test_bans_grow_and_failures_weigh_more(void **state)
{
	CLEANUP(fixture_deinit) struct fixture f;
	double at = 0;

	(void)state;
	start(&f, NULL);
	/* Three failures ban; the second time each counts as 2, then as 3. */
	assert_int_equal(bans(&f, 0, &at, 600, 1), 3);
	assert_int_equal(bans(&f, 0, &at, 1200, 2), 2);
	assert_int_equal(last_order(&f)->failures, 4);
	assert_int_equal(bans(&f, 0, &at, 2400, 3), 1);
	assert_int_equal(bans(&f, 0, &at, 4800, 4), 1);
	for (uint32_t i = 5; i < 9; i++)
		bans(&f, 0, &at, 600 << (i - 1) < DAY ? 600 << (i - 1) : DAY, i);
}

static void test_all_jails_count(void **state)
{
	CLEANUP(fixture_deinit) struct fixture f;
	double at = 0;

	(void)state;
	start(&f, NULL);
	bans(&f, 1, &at, 30, 1);
	bans(&f, 0, &at, 600, 1);
	/* Own weight: one ban in this jail. */
	assert_int_equal(bans(&f, 1, &at, 30 * 100, 3), 1);
	bans(&f, 1, &at, 30 * 1000, 4);
	bans(&f, 1, &at, 30 * 1000, 5);
}

static void test_a_jail_without_escalation_counts_only(void **state)
{
	CLEANUP(fixture_deinit) struct fixture f;
	double at = 0;

	(void)state;
	fixture_init(&f);
	fixture_start(&f);
	assert_int_equal(bans(&f, 0, &at, 600, 1), 3);
	assert_int_equal(bans(&f, 0, &at, 600, 2), 3);
}

static void test_prolonging_is_no_ban_more(void **state)
{
	CLEANUP(fixture_deinit) struct fixture f;

	(void)state;
	start(&f, NULL);
	assert_int_equal(feed_ban(&f, 0, WHO, 0), ENGINE_BANNED);
	/* Heavier by now: two are enough. */
	assert_int_equal(feed(&f, 0, WHO, 100), ENGINE_COUNTED);
	assert_int_equal(feed(&f, 0, WHO, 100), ENGINE_PROLONGED);
	assert_int_equal(last_order(&f)->ban_count, 1);
	assert_int_equal(length(&f), 600);
	tick(&f, 1000);
	assert_int_equal(feed(&f, 0, WHO, 1000), ENGINE_COUNTED);
	assert_int_equal(feed(&f, 0, WHO, 1000), ENGINE_BANNED);
	assert_int_equal(last_order(&f)->ban_count, 2);
	assert_int_equal(length(&f), 1200);
	/* That one is longer than bantime from now on. */
	assert_int_equal(feed(&f, 0, WHO, 1100), ENGINE_ALREADY_BANNED);
}

static void test_failures_up_to_the_last_ban_weigh_as_ever(void **state)
{
	CLEANUP(fixture_deinit) struct fixture f;

	(void)state;
	start(&f, NULL);
	assert_int_equal(feed_ban(&f, 0, WHO, 0), ENGINE_BANNED);
	tick(&f, 601);
	for (int i = 0; i < 2; i++)
		assert_int_equal(feed_late(&f, 0, WHO, 0, 601), ENGINE_COUNTED);
	/* A log that is read again leads to no ban that lasts, nor counts. */
	assert_int_equal(feed_late(&f, 0, WHO, 0, 601), ENGINE_BANNED);
	assert_int_equal(length(&f), 1200);
	tick(&f, 1201);
	for (int i = 0; i < 2; i++)
		feed(&f, 0, WHO, 1300);
	assert_int_equal(last_order(&f)->ban_count, 2);
}

static void test_formula_without_a_length(void **state)
{
	CLEANUP(fixture_deinit) struct fixture f;
	struct engine_bounds b;
	struct engine_counts c;
	double at = 0;

	(void)state;
	start(&f, "ban.Time * 3 / (ban.Count - 2)");
	bans(&f, 0, &at, 600, 1);
	bans(&f, 0, &at, 600, 2); /* below bantime */
	engine_bounds(f.engine, &b);
	assert_int_equal(b.n_unescalated, 0);
	bans(&f, 0, &at, 600, 3);
	engine_bounds(f.engine, &b);
	engine_counts(f.engine, 0, &c);
	assert_int_equal(b.n_unescalated, 1);
	assert_int_equal(c.unescalated_total, 1);
	bans(&f, 0, &at, 1800, 4);
}

static void test_by_hand(void **state)
{
	CLEANUP(fixture_deinit) struct fixture f;
	struct net n = net(WHO);

	(void)state;
	start(&f, NULL);
	/* With a length of its own it does not count, without one it does. */
	for (int i = 0; i < 2; i++) {
		assert_int_equal(engine_ban(f.engine, 0, &n, NULL, t(0), 50, &f.orders),
		    ENGINE_BANNED);
		assert_int_equal(last_order(&f)->ban_count, 1);
		assert_int_equal(length(&f), 50);
		assert_int_equal(engine_refuse(f.engine, 0, &n, t(1), &f.orders), 1);
	}
	assert_int_equal(
	    engine_ban(f.engine, 0, &n, NULL, t(0), 0, &f.orders), ENGINE_BANNED);
	assert_int_equal(length(&f), 600);
	tick(&f, 601);
	assert_int_equal(
	    engine_ban(f.engine, 0, &n, NULL, t(700), 0, &f.orders), ENGINE_BANNED);
	assert_int_equal(last_order(&f)->ban_count, 2);
	assert_int_equal(length(&f), 1200);
	/* An unban forgives. */
	assert_int_equal(engine_unban(f.engine, 0, &n, t(800), &f.orders), 1);
	assert_int_equal(
	    engine_ban(f.engine, 0, &n, NULL, t(900), 0, &f.orders), ENGINE_BANNED);
	assert_int_equal(last_order(&f)->ban_count, 1);
	/* What the guard refuses was no ban. */
	assert_int_equal(engine_refuse(f.engine, 0, &n, t(901), &f.orders), 1);
	assert_int_equal(
	    engine_ban(f.engine, 0, &n, NULL, t(902), 0, &f.orders), ENGINE_BANNED);
	assert_int_equal(last_order(&f)->ban_count, 1);
}

struct seen {
	int n;
	char jail[32];
	struct offender o;
};

static void see(void *ctx, const char *jail, const struct offender *o)
{
	struct seen *s = ctx;

	s->n++;
	(void)snprintf(s->jail, sizeof(s->jail), "%s", jail);
	s->o = *o;
}

static void test_the_store_gets_and_gives_it_back(void **state)
{
	CLEANUP(fixture_deinit) struct fixture f, g;
	struct seen s = {0};
	struct net n = net(WHO);
	double at = 0;

	(void)state;
	start(&f, NULL);
	bans(&f, 0, &at, 600, 1);
	bans(&f, 0, &at, 1200, 2);
	engine_each_dirty_offender(f.engine, see, &s);
	assert_int_equal(s.n, 1);
	assert_string_equal(s.jail, "sshd");
	assert_int_equal(s.o.count, 2);
	assert_int_equal((s.o.until.us - s.o.at.us) / US_PER_SEC, 1200);
	engine_each_dirty_offender(f.engine, see, &s);
	assert_int_equal(s.n, 1);

	start(&g, NULL);
	assert_int_equal(engine_restore_offender(g.engine, "sshd", &s.o), 0);
	bans(&g, 0, &at, 2400, 3);
	/* Restored ones are not dirty; a snapshot has all. */
	s.n = 0;
	engine_each_dirty_offender(g.engine, see, &s);
	assert_int_equal(s.n, 1);
	engine_mark_dirty(g.engine);
	engine_each_dirty_offender(g.engine, see, &s);
	assert_int_equal(s.n, 2);
	/* Forgotten on request: told once, as count 0. */
	assert_int_equal(engine_unban(g.engine, -1, &n, t(at), &g.orders), 0);
	engine_each_dirty_offender(g.engine, see, &s);
	assert_int_equal(s.n, 3);
	assert_int_equal(s.o.count, 0);
	engine_mark_dirty(g.engine);
	engine_each_dirty_offender(g.engine, see, &s);
	assert_int_equal(s.n, 3);
}

static void test_a_reload_keeps_them_by_name(void **state)
{
	CLEANUP(fixture_deinit) struct fixture f;
	CLEANUP(escalate_freep)
	struct escalate *x = escalate_of((struct escalate_options){.factor = "3"});
	double at = 0;

	(void)state;
	start(&f, NULL);
	bans(&f, 0, &at, 600, 1);
	/* Without the jail, then with it at another place. */
	f.options.jails = f.jails + 1;
	f.options.n_jails = 2;
	assert_int_equal(engine_reload(f.engine, &f.options, t(at), &f.orders), 0);
	f.options.jails = f.jails;
	f.jails[2] = f.jails[0];
	f.jails[2].escalate = x;
	f.jails[0] = (struct engine_jail){"other", 60, 3, 600, 3, true, NULL, 0};
	f.options.n_jails = 3;
	assert_int_equal(engine_reload(f.engine, &f.options, t(at), &f.orders), 0);
	bans(&f, 2, &at, 600 * 2 * 3, 2);
	bans(&f, 0, &at, 600, 1);
}

static void test_forgotten_after_three_lengths_and_keep(void **state)
{
	double at = 0;

	(void)state;
	for (int i = 0; i < 2; i++) {
		CLEANUP(fixture_deinit) struct fixture f;

		fixture_init(&f);
		f.options.offenders_keep_sec = 1000;
		fixture_start(&f);
		at = 0;
		bans(&f, 0, &at, 600, 1);
		at = 3 * 600 + 1000 + i;
		bans(&f, 0, &at, 600, i ? 1 : 2);
	}
}

static void test_a_ban_for_good_is_never_forgotten(void **state)
{
	FIXTURE(f);
	struct net n = net(WHO);

	(void)state;
	f.options.offenders_keep_sec = 1;
	assert_int_equal(engine_reload(f.engine, &f.options, t(0), &f.orders), 0);
	assert_int_equal(feed_ban(&f, 2, WHO, 0), ENGINE_BANNED);
	tick(&f, 1e7);
	assert_int_equal(engine_refuse(f.engine, 1, &n, t(1e7), &f.orders), 0);
	assert_int_equal(
	    engine_ban(f.engine, 1, &n, NULL, t(1e7), 0, &f.orders), ENGINE_BANNED);
	struct engine_bounds b;

	engine_bounds(f.engine, &b);
	assert_int_equal(b.n_offenders, 2);
}

static void test_seed_decides_chance(void **state)
{
	static const uint8_t seeds[3][16] = {{1}, {1}, {2}};
	int64_t until[3];

	(void)state;
	for (int i = 0; i < 3; i++) {
		CLEANUP(fixture_deinit) struct fixture f;

		fixture_init(&f);
		struct escalate *x =
		    escalate_of((struct escalate_options){.rndtime_sec = 1000});

		f.jails[0].escalate = x;
		fixture_start(&f);
		escalate_free(x);
		engine_set_seed(f.engine, seeds[i]);
		assert_int_equal(feed_ban(&f, 0, WHO, 0), ENGINE_BANNED);
		assert_int_equal(length(&f), 600); /* not the first one */
		tick(&f, 601);
		assert_int_equal(feed(&f, 0, WHO, 601), ENGINE_COUNTED);
		assert_int_equal(feed(&f, 0, WHO, 601), ENGINE_BANNED);
		until[i] = last_order(&f)->until.us;
		assert_true(length(&f) >= 1200 && length(&f) < 2200);
	}
	assert_true(until[0] == until[1] && until[0] != until[2]);
}

static void note(void *ctx, const struct engine_offence *o)
{
	struct engine_offence *out = ctx;

	out[o->jail] = *o;
}

static void test_what_comes_next_is_told(void **state)
{
	CLEANUP(fixture_deinit) struct fixture f;
	struct engine_offence o[3] = {0};
	struct net n = net(WHO);
	double at = 0;

	(void)state;
	start(&f, NULL);
	engine_offences(f.engine, &n, note, o);
	assert_int_equal(o[0].count + o[1].count + o[2].count, 0);
	bans(&f, 0, &at, 600, 1);
	bans(&f, 0, &at, 1200, 2);
	engine_offences(f.engine, &n, note, o);
	assert_int_equal(o[0].count, 2);
	assert_true(o[0].next_sec == 2400);
	assert_int_equal(o[0].weight, 3);
	assert_int_equal(o[1].count, 2);
	assert_true(o[1].next_sec == 3000);
	assert_int_equal(o[1].weight, 1);
	assert_true(o[1].at.us == WALL_NONE.us);
	assert_int_equal(o[2].count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_bans_grow_and_failures_weigh_more),
	    cmocka_unit_test(test_all_jails_count),
	    cmocka_unit_test(test_a_jail_without_escalation_counts_only),
	    cmocka_unit_test(test_prolonging_is_no_ban_more),
	    cmocka_unit_test(test_failures_up_to_the_last_ban_weigh_as_ever),
	    cmocka_unit_test(test_formula_without_a_length),
	    cmocka_unit_test(test_by_hand),
	    cmocka_unit_test(test_the_store_gets_and_gives_it_back),
	    cmocka_unit_test(test_a_reload_keeps_them_by_name),
	    cmocka_unit_test(test_forgotten_after_three_lengths_and_keep),
	    cmocka_unit_test(test_a_ban_for_good_is_never_forgotten),
	    cmocka_unit_test(test_seed_decides_chance),
	    cmocka_unit_test(test_what_comes_next_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
