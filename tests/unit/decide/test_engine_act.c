/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * engine: time passing, people asking, and what the store gives back
 */
#include <errno.h>
#include <stdio.h>

#include "engine_fixture.h"

static void test_tick_ends_bans_in_order(void **state)
{
	FIXTURE(f);

	(void)state;
	(void)ban(&f, 0, "192.0.2.3", 0, 30);
	(void)ban(&f, 0, "192.0.2.1", 0, 10);
	(void)ban(&f, 1, "192.0.2.2", 0, 20);
	(void)ban(&f, 1, "192.0.2.4", 0, -1);
	orders_clear(&f.orders);
	assert_int_equal(engine_next(f.engine).us, t(10).us);
	tick(&f, 9.999999);
	assert_int_equal(f.orders.n, 0);
	tick(&f, 25);
	assert_int_equal(f.orders.n, 2);
	for (size_t i = 0; i < 2; i++) {
		const struct order *o = &f.orders.items[i];

		assert_int_equal(o->op, ORDER_UNBAN);
		assert_int_equal(o->cause, ORDER_EXPIRED);
		assert_int_equal(o->jail, i);
		/* When it ended, not when the tick came. */
		assert_int_equal(o->at.us, t(i ? 20 : 10).us);
		assert_int_equal(o->until.us, o->at.us);
	}
	assert_int_equal(engine_next(f.engine).us, t(30).us);
	tick(&f, 30);
	assert_int_equal(f.orders.n, 3);
	assert_int_equal(n_found(&f, "192.0.2.3"), 0);
	assert_int_equal(n_found(&f, "192.0.2.4"), 1);
	assert_int_equal(engine_next(f.engine).us, WALL_NEVER.us);
}

static void test_tick_frees_what_is_forgotten(void **state)
{
	FIXTURE(f);
	struct engine_bounds bounds;

	(void)state;
	(void)feed(&f, 0, "192.0.2.1", 0);
	tick(&f, 120);
	engine_bounds(f.engine, &bounds);
	assert_int_equal(bounds.n_tracked, 1);
	tick(&f, 130);
	engine_bounds(f.engine, &bounds);
	assert_int_equal(bounds.n_tracked, 0);
	assert_int_equal(bounds.n_forgotten, 0);
}

/* A clock that was a year ahead, and then right again, must not stop the forgetting. */
static void test_clock_put_right(void **state)
{
	FIXTURE(f);
	struct engine_bounds bounds;

	(void)state;
	tick(&f, 31557600);
	tick(&f, 0);
	(void)feed(&f, 0, "192.0.2.1", 0);
	(void)feed(&f, 0, "192.0.2.1", 1);
	tick(&f, 200);
	engine_bounds(f.engine, &bounds);
	assert_int_equal(bounds.n_tracked, 0);
}

static void test_ban_on_request(void **state)
{
	FIXTURE(f);

	(void)state;
	(void)feed(&f, 0, "192.0.2.1", 0);
	(void)feed(&f, 0, "192.0.2.1", 0);
	assert_int_equal(ban(&f, 0, "192.0.2.1", 1, 60), ENGINE_BANNED);
	assert_int_equal(last_order(&f)->op, ORDER_BAN);
	assert_int_equal(last_order(&f)->cause, ORDER_BY_USER);
	assert_int_equal(last_order(&f)->at.us, t(1).us);
	assert_int_equal(last_order(&f)->until.us, t(61).us);
	assert_int_equal(last_order(&f)->failures, 0);
	/* What was counted so far is settled by this. */
	assert_int_equal(feed(&f, 0, "192.0.2.1", 2), ENGINE_COUNTED);

	assert_int_equal(ban(&f, 0, "192.0.2.1", 2, 59), ENGINE_ALREADY_BANNED);
	assert_int_equal(ban(&f, 0, "192.0.2.1", 2, 60), ENGINE_PROLONGED);
	assert_int_equal(last_order(&f)->op, ORDER_PROLONG);
	assert_int_equal(ban(&f, 0, "192.0.2.1", 2, 0), ENGINE_PROLONGED);
	assert_int_equal(last_order(&f)->until.us, t(602).us);
	assert_int_equal(ban(&f, 0, "192.0.2.1", 2, -1), ENGINE_PROLONGED);
	assert_int_equal(last_order(&f)->until.us, WALL_NEVER.us);
	assert_int_equal(ban(&f, 0, "192.0.2.1", 2, -1), ENGINE_ALREADY_BANNED);
	/* A length beyond all time. */
	assert_int_equal(ban(&f, 0, "192.0.2.9", 2, INT64_MAX), ENGINE_BANNED);
	assert_int_equal(last_order(&f)->until.us, WALL_NEVER.us);
}

static void test_ban_inside_a_network(void **state)
{
	FIXTURE(f);

	(void)state;
	assert_int_equal(ban(&f, 0, "192.0.2.0/24", 0, 100), ENGINE_BANNED);
	assert_int_equal(ban(&f, 0, "192.0.2.1", 0, 100), ENGINE_ALREADY_BANNED);
	assert_int_equal(ban(&f, 0, "192.0.2.1", 0, 101), ENGINE_BANNED);
	assert_int_equal(ban(&f, 0, "192.0.2.0/25", 0, 50), ENGINE_ALREADY_BANNED);
	assert_int_equal(ban(&f, 0, "192.0.0.0/16", 0, 50), ENGINE_BANNED);
}

static void test_ban_of_no_length(void **state)
{
	CLEANUP(fixture_deinit) struct fixture f;

	(void)state;
	fixture_init(&f);
	f.jails[0].bantime_sec = 0;
	fixture_start(&f);
	assert_int_equal(ban(&f, 0, "192.0.2.1", 0, 0), ENGINE_OVER);
	assert_int_equal(feed_ban(&f, 0, "192.0.2.1", 0), ENGINE_OVER);
	assert_int_equal(f.orders.n, 0);
}

static void test_unban(void **state)
{
	FIXTURE(f);

	(void)state;
	(void)ban(&f, 0, "192.0.2.1", 0, 60);
	(void)ban(&f, 1, "192.0.2.1", 0, 60);
	(void)ban(&f, 0, "192.0.2.2", 0, 60);
	(void)ban(&f, 0, "192.0.2.0/24", 0, 30);
	(void)ban(&f, 0, "2001:db8::1", 0, 60);
	orders_clear(&f.orders);

	assert_int_equal(unban(&f, 0, "192.0.2.99", 1), 0);
	assert_int_equal(unban(&f, 2, "192.0.2.1", 1), 0);
	assert_int_equal(unban(&f, 0, "192.0.2.1", 1), 1);
	assert_int_equal(f.orders.n, 1);
	assert_int_equal(last_order(&f)->op, ORDER_UNBAN);
	assert_int_equal(last_order(&f)->cause, ORDER_BY_USER);
	assert_int_equal(last_order(&f)->at.us, t(1).us);
	assert_int_equal(last_order(&f)->until.us, t(60).us);
	assert_int_equal(unban(&f, -1, "192.0.2.1", 1), 1);
	/* The network and the one that is left in it. */
	assert_int_equal(unban(&f, -1, "192.0.2.0/24", 1), 2);
	assert_int_equal(unban(&f, -1, NULL, 1), 1);
	assert_int_equal(unban(&f, -1, NULL, 1), 0);
}

static void test_unban_forgets_failures(void **state)
{
	FIXTURE(f);

	(void)state;
	for (int i = 0; i < 2; i++) {
		(void)feed(&f, 0, "192.0.2.1", 0);
		(void)feed(&f, 0, "192.0.2.2", 0);
		(void)feed(&f, 0, "198.51.100.1", 0);
		(void)feed(&f, 2, "192.0.2.1", 0);
	}
	assert_int_equal(unban(&f, 0, "192.0.2.1", 0), 0);
	assert_int_equal(feed(&f, 0, "192.0.2.1", 0), ENGINE_COUNTED);
	assert_int_equal(unban(&f, 0, "192.0.2.0/24", 0), 0);
	assert_int_equal(feed(&f, 0, "192.0.2.2", 0), ENGINE_COUNTED);
	assert_int_equal(feed(&f, 0, "198.51.100.1", 0), ENGINE_BANNED);
	for (int i = 0; i < 2; i++)
		assert_int_equal(feed(&f, 2, "192.0.2.1", 0), ENGINE_COUNTED);
	assert_int_equal(unban(&f, -1, NULL, 0), 1);
	assert_int_equal(feed(&f, 2, "192.0.2.1", 0), ENGINE_COUNTED);
}

static void test_refused_ban_goes_alone(void **state)
{
	FIXTURE(f);
	struct net all = net("0.0.0.0/0");

	(void)state;
	(void)feed_ban(&f, 0, "192.0.2.1", 0);
	assert_int_equal(ban(&f, 0, "192.0.2.0/24", 1, 60), ENGINE_BANNED);
	assert_int_equal(ban(&f, 0, "0.0.0.0/0", 1, 900), ENGINE_BANNED);
	(void)feed(&f, 1, "192.0.2.2", 1);
	orders_clear(&f.orders);
	assert_int_equal(engine_refuse(f.engine, 1, &all, t(2), &f.orders), 0);
	assert_int_equal(engine_refuse(f.engine, 0, &all, t(2), &f.orders), 1);
	assert_int_equal(f.orders.n, 1);
	assert_int_equal(last_order(&f)->op, ORDER_UNBAN);
	assert_int_equal(last_order(&f)->cause, ORDER_REFUSED);
	assert_true(net_eq(&last_order(&f)->net, &all));
	assert_int_equal(n_found(&f, "192.0.2.1"), 2);
	assert_int_equal(engine_refuse(f.engine, 0, &all, t(2), &f.orders), 0);
	/* The failure of before counts still. */
	assert_int_equal(feed(&f, 1, "192.0.2.2", 2), ENGINE_BANNED);
}

static void test_restores_bans(void **state)
{
	CLEANUP(fixture_deinit) struct fixture f;
	struct evidence why[5] = {{t(0), 3, 1, (char[]){"zero"}}, {t(1), 3, 1, NULL},
	    {t(2), 4, 2, (char[]){"two"}}, {t(3), 4, 2, (char[]){"three"}},
	    {t(4), 4, 2, (char[]){"four"}}};
	struct order o = {.op = ORDER_BAN,
	    .cause = ORDER_RESTORED,
	    .net = net("192.0.2.1"),
	    .at = t(4),
	    .until = t(100),
	    .failures = 9,
	    .n_why = 5,
	    .why = why};
	struct engine_counts counts;

	(void)state;
	fixture_init(&f);
	f.options.max_bans = 1;
	fixture_start(&f);
	assert_int_equal(engine_restore_ban(f.engine, &o), 0);
	o.until = t(90); /* an older story */
	assert_int_equal(engine_restore_ban(f.engine, &o), 0);
	o.net = net("192.0.2.2");
	assert_int_equal(engine_restore_ban(f.engine, &o), ENGINE_FULL);
	engine_counts(f.engine, 0, &counts);
	assert_int_equal(counts.banned_now, 1);
	assert_int_equal(counts.banned_total, 0);
	assert_int_equal(engine_next(f.engine).us, t(100).us);
	assert_int_equal(feed_ban(&f, 0, "192.0.2.1", 5), ENGINE_PROLONGED);
}

static void on_state(void *ctx, uint32_t jail, const struct net *n, struct span state)
{
	struct buf *b = ctx;

	(void)jail;
	(void)n;
	buf_clear(b);
	buf_add_span(b, state);
}

static void test_restores_counts(void **state)
{
	CLEANUP(buf_deinit) struct buf b = BUF_INIT(10000);
	FIXTURE(f);
	FIXTURE(g);
	struct net n = net("192.0.2.1");

	(void)state;
	(void)feed(&f, 0, "192.0.2.1", 0);
	(void)feed(&f, 0, "192.0.2.1", 5);
	engine_each_dirty(f.engine, on_state, &b);
	assert_int_equal(b.n, 33);
	assert_int_equal(engine_restore_tally(g.engine, 0, &n, buf_span(&b)), 0);
	assert_int_equal(feed(&g, 0, "192.0.2.1", 60), ENGINE_BANNED);
	/* No lines were kept, but what is known is told. */
	assert_int_equal(last_order(&g)->n_why, 3);
	assert_null(last_order(&g)->why[0].text);
	assert_int_equal(last_order(&g)->why[0].at.us, t(0).us);
	assert_int_equal(last_order(&g)->why[0].rule, 7);
	assert_string_equal(last_order(&g)->why[2].text, "line 60");
}

static void test_broken_counts_are_refused(void **state)
{
	CLEANUP(buf_deinit) struct buf b = BUF_INIT(10000);
	FIXTURE(f);
	FIXTURE(g);
	struct net n = net("192.0.2.1");
	struct engine_bounds bounds;

	(void)state;
	for (int i = 0; i < 4; i++)
		(void)feed(&f, 2, "192.0.2.1", i);
	engine_each_dirty(f.engine, on_state, &b);
	for (size_t len = 0; len < b.n; len++)
		assert_int_equal(
		    engine_restore_tally(g.engine, 2, &n, (struct span){b.p, len}),
		    -EBADMSG);
	buf_add_char(&b, 'x');
	assert_int_equal(engine_restore_tally(g.engine, 2, &n, buf_span(&b)), -EBADMSG);
	b.n--;
	b.p[0] = 2; /* another version */
	assert_int_equal(engine_restore_tally(g.engine, 2, &n, buf_span(&b)), -EBADMSG);
	b.p[0] = 1;
	b.p[13] = 1; /* the newest is before itself */
	assert_int_equal(engine_restore_tally(g.engine, 2, &n, buf_span(&b)), -EBADMSG);
	b.p[13] = 0;
	b.p[8] = 0x7f; /* no time */
	assert_int_equal(engine_restore_tally(g.engine, 2, &n, buf_span(&b)), -EBADMSG);
	engine_bounds(g.engine, &bounds);
	assert_int_equal(bounds.n_tracked, 0);
}

struct told {
	int n_counts, n_gone;
};

static void on_told(void *ctx, uint32_t jail, const struct net *n, struct span state)
{
	struct told *told = ctx;

	(void)jail;
	(void)n;
	told->n_counts += state.n > 0;
	told->n_gone += state.n == 0;
}

static void check_told(struct fixture *f, int n_counts, int n_gone)
{
	struct told told = {0, 0};

	engine_each_dirty(f->engine, on_told, &told);
	assert_int_equal(told.n_counts, n_counts);
	assert_int_equal(told.n_gone, n_gone);
}

static void test_tells_the_store_once(void **state)
{
	FIXTURE(f);

	(void)state;
	check_told(&f, 0, 0);
	(void)feed(&f, 0, "192.0.2.1", 0);
	(void)feed(&f, 0, "192.0.2.1", 0);
	(void)feed(&f, 0, "192.0.2.2", 0);
	check_told(&f, 2, 0);
	check_told(&f, 0, 0);
	/* Banned: the count is gone. One that was never told is not taken back either.
	 */
	(void)feed(&f, 0, "192.0.2.1", 0);
	(void)feed_ban(&f, 0, "192.0.2.3", 0);
	check_told(&f, 0, 1);
	check_told(&f, 0, 0);
	/* Gone and come back between two calls. */
	(void)unban(&f, 0, "192.0.2.2", 0);
	(void)feed(&f, 0, "192.0.2.2", 0);
	check_told(&f, 1, 0);
	tick(&f, 1000);
	check_told(&f, 0, 1);
	engine_mark_dirty(f.engine);
	check_told(&f, 0, 0);
	(void)feed(&f, 0, "192.0.2.2", 1000);
	check_told(&f, 1, 0);
	engine_mark_dirty(f.engine);
	check_told(&f, 1, 0);
}

static void test_restored_counts_are_bounded(void **state)
{
	CLEANUP(buf_deinit) struct buf b = BUF_INIT(10000);
	CLEANUP(fixture_deinit) struct fixture f;
	struct net n;

	(void)state;
	fixture_init(&f);
	f.options.max_tracked = 1;
	fixture_start(&f);
	(void)feed(&f, 0, "192.0.2.1", 0);
	engine_each_dirty(f.engine, on_state, &b);
	n = net("192.0.2.2");
	assert_int_equal(
	    engine_restore_tally(f.engine, 0, &n, buf_span(&b)), ENGINE_FULL);
	n = net("192.0.2.1");
	assert_int_equal(engine_restore_tally(f.engine, 0, &n, buf_span(&b)), 0);
	/* What the store holds is known, so it hears of the end. */
	(void)feed(&f, 0, "192.0.2.3", 1);
	check_told(&f, 1, 1);
}

static int feed_id(struct fixture *f, const char *id, double at)
{
	struct hit h = {.id = id, .at = t(at), .weight = 1, .text = SPAN("a line")};

	h.ip = net("192.0.2.1");
	assert_int_equal(net_parse_id(span_of(id), &h.net), 0);
	return engine_feed(f->engine, &h, t(at), &f->orders);
}

static void note_id(void *ctx, const struct order *o)
{
	assert_non_null(o->id);
	assert_int_equal(o->ip.bits, 128);
	(void)snprintf(ctx, 32, "%s", o->id);
}

static void test_ids_keep_their_text(void **state)
{
	FIXTURE(f);
	char shown[32] = "";
	struct net alice, all;

	(void)state;
	assert_int_equal(net_parse_id(SPAN("alice"), &alice), 0);
	all = net("::/0");
	for (uint32_t i = 1; i < f.jails[0].maxretry; i++) {
		assert_int_equal(feed_id(&f, "alice", 0), ENGINE_COUNTED);
		assert_int_equal(feed_id(&f, "bob", 0), ENGINE_COUNTED);
	}
	assert_int_equal(feed_id(&f, "alice", 0), ENGINE_BANNED);
	assert_string_equal(last_order(&f)->id, "alice");
	assert_true(net_eq(&last_order(&f)->net, &alice));
	engine_find_bans(f.engine, &alice, note_id, shown);
	assert_string_equal(shown, "alice");
	/* It is in no network, so none frees it. */
	assert_int_equal(engine_unban(f.engine, -1, &all, t(1), &f.orders), 0);
	tick(&f, 1e6);
	assert_int_equal(last_order(&f)->op, ORDER_UNBAN);
	assert_string_equal(last_order(&f)->id, "alice");
	assert_int_equal(engine_ban(f.engine, 0, &alice, "alice", t(1e6), 0, &f.orders),
	    ENGINE_BANNED);
	assert_string_equal(last_order(&f)->id, "alice");
	assert_int_equal(engine_unban(f.engine, 0, &alice, t(1e6), &f.orders), 1);
	assert_string_equal(last_order(&f)->id, "alice");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_ids_keep_their_text),
	    cmocka_unit_test(test_tick_ends_bans_in_order),
	    cmocka_unit_test(test_tick_frees_what_is_forgotten),
	    cmocka_unit_test(test_clock_put_right),
	    cmocka_unit_test(test_ban_on_request),
	    cmocka_unit_test(test_ban_inside_a_network),
	    cmocka_unit_test(test_ban_of_no_length),
	    cmocka_unit_test(test_unban),
	    cmocka_unit_test(test_unban_forgets_failures),
	    cmocka_unit_test(test_refused_ban_goes_alone),
	    cmocka_unit_test(test_restores_bans),
	    cmocka_unit_test(test_restores_counts),
	    cmocka_unit_test(test_broken_counts_are_refused),
	    cmocka_unit_test(test_tells_the_store_once),
	    cmocka_unit_test(test_restored_counts_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
