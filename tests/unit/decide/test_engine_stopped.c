/* SPDX-License-Identifier: GPL-2.0-or-later */
/* engine: what is kept beside a ban for who counts what it stops */
#include <stdio.h>

#include "tests/unit/decide/engine_fixture.h"

struct seen {
	int n;
	bool marks; /* as final */
};

static void see(void *ctx, const struct order *o, struct stopped *s)
{
	struct seen *seen = ctx;

	seen->n++;
	assert_true(net_is_v4(&o->net));
	s->packets++;
	if (seen->marks)
		s->is_final = true;
}

static void a_new_ban_has_stopped_nothing(UNUSED void **state)
{
	FIXTURE(f);
	struct net n = net("192.0.2.1");

	assert_null(engine_find_stopped(f.engine, 0, &n));
	assert_int_equal(feed_ban(&f, 0, "192.0.2.1", 0), ENGINE_BANNED);

	struct stopped *s = engine_find_stopped(f.engine, 0, &n);

	assert_non_null(s);
	assert_true(s->is_known);
	assert_int_equal(s->rule, 7);
	assert_int_equal(s->packets, 0);
	assert_null(engine_find_stopped(f.engine, 1, &n));
	n = net("192.0.2.2");
	assert_int_equal(
	    engine_ban(f.engine, 1, &n, NULL, t(0), 0, &f.orders), ENGINE_BANNED);
	assert_int_equal(engine_find_stopped(f.engine, 1, &n)->rule, STOPPED_BY_HAND);
	/* Its jail keeps no lines. */
	assert_int_equal(feed_ban(&f, 1, "192.0.2.3", 0), ENGINE_BANNED);
	n = net("192.0.2.3");
	assert_int_equal(engine_find_stopped(f.engine, 1, &n)->rule, STOPPED_NO_RULE);
}

/* Its element may have counted for long. */
static void of_a_restored_ban_nothing_is_known(UNUSED void **state)
{
	FIXTURE(f);
	struct order o = {.op = ORDER_BAN,
	    .cause = ORDER_BY_RULE,
	    .net = net("192.0.2.1"),
	    .at = t(0),
	    .until = t(600)};

	assert_int_equal(engine_restore_ban(f.engine, &o), 0);

	struct stopped *s = engine_find_stopped(f.engine, 0, &o.net);

	assert_false(s->is_known);
	assert_int_equal(s->rule, STOPPED_NO_RULE);
}

static void a_lifted_ban_tells_what_was_booked(UNUSED void **state)
{
	FIXTURE(f);
	struct net n = net("192.0.2.1");

	(void)feed_ban(&f, 0, "192.0.2.1", 0);
	engine_find_stopped(f.engine, 0, &n)->packets = 42;
	assert_int_equal(unban(&f, 0, "192.0.2.1", 10), 1);
	assert_int_equal(last_order(&f)->stopped.packets, 42);
	assert_int_equal(last_order(&f)->stopped.rule, 7);
	assert_true(last_order(&f)->stopped.is_known);
	/* Banned again it is another one. */
	(void)feed_ban(&f, 0, "192.0.2.1", 20);
	assert_int_equal(engine_find_stopped(f.engine, 0, &n)->packets, 0);
}

static void a_walk_sees_each_ban_once(UNUSED void **state)
{
	FIXTURE(f);
	struct seen seen = {0};
	char who[32];
	uint32_t from = 0;
	int n_steps = 0;

	for (int i = 0; i < 1000; i++) {
		(void)snprintf(who, sizeof(who), "192.0.%d.%d", i / 250, i % 250);
		(void)feed_ban(&f, 0, who, 0);
	}
	do {
		from = engine_each_stopped(f.engine, from, 64, see, &seen);
		/* Bans go while it lasts. */
		if (++n_steps == 8) {
			assert_int_equal(unban(&f, 0, "192.0.0.0/24", 1), 250);
			assert_int_equal(unban(&f, 0, "192.0.3.0/24", 1), 250);
		}
	} while (from);
	assert_int_equal(seen.n, 750);
	seen.n = 0;
	assert_int_equal(engine_each_stopped(f.engine, 0, 1000, see, &seen), 0);
	assert_int_equal(seen.n, 500);
	assert_int_equal(unban(&f, -1, NULL, 2), 500);
	assert_int_equal(engine_each_stopped(f.engine, 0, 1000, see, &seen), 0);
	assert_int_equal(seen.n, 500);
}

static void those_near_their_end_are_told_once(UNUSED void **state)
{
	FIXTURE(f);
	struct seen seen = {.marks = true};

	(void)feed_ban(&f, 0, "192.0.2.1", 0);   /* until 600 */
	(void)feed_ban(&f, 0, "192.0.2.2", 100); /* until 700 */
	(void)feed_ban(&f, 2, "192.0.2.3", 0);   /* for good */
	engine_each_ending(f.engine, t(600), 10, see, &seen);
	assert_int_equal(seen.n, 0);
	engine_each_ending(f.engine, t(601), 10, see, &seen);
	assert_int_equal(seen.n, 1);
	engine_each_ending(f.engine, t(601), 10, see, &seen);
	assert_int_equal(seen.n, 1);
	engine_each_ending(f.engine, t(10000), 0, see, &seen);
	assert_int_equal(seen.n, 1);
	engine_each_ending(f.engine, t(10000), 10, see, &seen);
	assert_int_equal(seen.n, 2);
	/* One that is prolonged has another end. */
	assert_int_equal(feed_ban(&f, 0, "192.0.2.1", 300), ENGINE_PROLONGED);
	engine_each_ending(f.engine, t(10000), 10, see, &seen);
	assert_int_equal(seen.n, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_new_ban_has_stopped_nothing),
	    cmocka_unit_test(of_a_restored_ban_nothing_is_known),
	    cmocka_unit_test(a_lifted_ban_tells_what_was_booked),
	    cmocka_unit_test(a_walk_sees_each_ban_once),
	    cmocka_unit_test(those_near_their_end_are_told_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
