/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * engine: questions
 */
#include <stdio.h>

#include "engine_fixture.h"

struct seen {
	int n;
	char text[400];
};

static void on_ban(void *ctx, const struct order *o)
{
	struct seen *s = ctx;
	char who[NET_TEXT_BYTES];
	size_t used = strlen(s->text);

	net_format(&o->net, who);
	s->n++;
	snprintf(s->text + used, sizeof(s->text) - used, "%u:%s ", o->jail, who);
}

static void check_bans(const struct fixture *f, int jail, const char *want)
{
	struct seen s = {.n = 0};

	engine_each_ban(f->engine, jail, on_ban, &s);
	assert_string_equal(s.text, want);
}

static void check_found(const struct fixture *f, const char *who, const char *want)
{
	struct seen s = {.n = 0};
	struct net n = net(who);

	engine_find_bans(f->engine, &n, on_ban, &s);
	assert_string_equal(s.text, want);
}

static void test_lists_by_end(void **state)
{
	FIXTURE(f);

	(void)state;
	check_bans(&f, -1, "");
	(void)ban(&f, 0, "192.0.2.3", 0, -1);
	(void)ban(&f, 0, "192.0.2.1", 0, 20);
	(void)ban(&f, 1, "192.0.2.2", 0, 10);
	(void)ban(&f, 1, "192.0.2.0/24", 0, 15);
	check_bans(&f, -1, "1:192.0.2.2 1:192.0.2.0/24 0:192.0.2.1 0:192.0.2.3 ");
	check_bans(&f, 0, "0:192.0.2.1 0:192.0.2.3 ");
	check_bans(&f, 2, "");
	(void)ban(&f, 1, "192.0.2.2", 0, 30);
	check_bans(&f, 1, "1:192.0.2.0/24 1:192.0.2.2 ");
}

static void test_finds_around_and_inside(void **state)
{
	FIXTURE(f);

	(void)state;
	(void)ban(&f, 0, "192.0.2.1", 0, 60);
	(void)ban(&f, 1, "192.0.2.1", 0, 60);
	(void)ban(&f, 1, "192.0.2.0/25", 0, 50);
	(void)ban(&f, 1, "192.0.0.0/16", 0, 40);
	(void)ban(&f, 0, "2001:db8::/32", 0, 10);
	check_found(
	    &f, "192.0.2.1", "0:192.0.2.1 1:192.0.2.1 1:192.0.2.0/25 1:192.0.0.0/16 ");
	check_found(&f, "192.0.2.200", "1:192.0.0.0/16 ");
	check_found(&f, "198.51.100.1", "");
	check_found(&f, "192.0.2.0/24",
	    "1:192.0.0.0/16 1:192.0.2.0/25 0:192.0.2.1 1:192.0.2.1 ");
	check_found(&f, "2001:db8::7", "0:2001:db8::/32 ");
	check_found(&f, "::/0", "0:2001:db8::/32 ");
	check_found(
	    &f, "0.0.0.0/0", "1:192.0.0.0/16 1:192.0.2.0/25 0:192.0.2.1 1:192.0.2.1 ");
}

static void on_why(void *ctx, const struct order *o)
{
	struct seen *s = ctx;

	s->n++;
	for (uint32_t i = 0; i < o->n_why; i++) {
		size_t used = strlen(s->text);

		snprintf(s->text + used, sizeof(s->text) - used, "%s/%d/%d ",
		    o->why[i].text ? o->why[i].text : "-", o->why[i].rule,
		    o->why[i].weight);
	}
}

static void test_bans_keep_their_lines(void **state)
{
	FIXTURE(f);
	struct seen s = {.n = 0};

	(void)state;
	for (int i = 0; i < 3; i++)
		(void)feed(&f, 0, "192.0.2.1", i);
	engine_each_ban(f.engine, 0, on_why, &s);
	assert_string_equal(s.text, "line 0/7/1 line 1/7/1 line 2/7/1 ");
	/* A longer ban for nothing new is still explained. */
	s = (struct seen){.n = 0};
	(void)ban(&f, 0, "192.0.2.1", 5, -1);
	engine_each_ban(f.engine, 0, on_why, &s);
	assert_string_equal(s.text, "line 0/7/1 line 1/7/1 line 2/7/1 ");
	/* New failures take the place of the old ones. */
	for (int i = 0; i < 3; i++)
		(void)feed_ban(&f, 0, "192.0.2.2", 0);
	s = (struct seen){.n = 0};
	for (int i = 0; i < 3; i++)
		(void)feed(&f, 0, "192.0.2.2", 20 + i);
	engine_each_ban(f.engine, 0, on_why, &s);
	assert_string_equal(s.text, "line 20/7/1 line 21/7/1 line 22/7/1 "
				    "line 0/7/1 line 1/7/1 line 2/7/1 ");
}

static void test_lines_of_bans_are_bounded(void **state)
{
	CLEANUP(fixture_deinit) struct fixture f;
	struct seen s = {.n = 0};
	char who[32];

	(void)state;
	fixture_init(&f);
	f.options.text_bytes = 400; /* 200 for bans: 6 such lines */
	f.jails[0].maxretry = 1;
	fixture_start(&f);
	for (int i = 0; i < 8; i++) {
		snprintf(who, sizeof(who), "192.0.2.%d", i);
		(void)feed(&f, 0, who, i);
	}
	engine_each_ban(f.engine, 0, on_why, &s);
	assert_int_equal(s.n, 8);
	assert_string_equal(s.text,
	    "line 2/7/1 line 3/7/1 line 4/7/1 line 5/7/1 line 6/7/1 line 7/7/1 ");
}

static void on_account(void *ctx, const struct engine_account *a)
{
	struct seen *s = ctx;
	size_t used = strlen(s->text);

	s->n++;
	snprintf(s->text + used, sizeof(s->text) - used, "%u:%u/%u %g %g-%g %zu ",
	    a->jail, a->failures, a->maxretry, a->findtime_sec,
	    wall_to_sec(a->first) - (double)T0, wall_to_sec(a->last) - (double)T0,
	    a->n_why);
}

static void check_account(const struct fixture *f, const char *who, const char *want)
{
	struct seen s = {.n = 0};
	struct net n = net(who);

	engine_account(f->engine, &n, on_account, &s);
	assert_string_equal(s.text, want);
}

static void test_accounts(void **state)
{
	FIXTURE(f);

	(void)state;
	check_account(&f, "192.0.2.1", "");
	(void)feed(&f, 0, "192.0.2.1", 0);
	(void)feed(&f, 0, "192.0.2.1", 2);
	(void)feed(&f, 1, "192.0.2.1", 3);
	check_account(&f, "192.0.2.1", "0:2/3 60 0-2 2 1:1/2 10 3-3 0 ");
	check_account(&f, "192.0.2.2", "");
	/* Only the window that ends at the newest. */
	(void)feed(&f, 0, "192.0.2.1", 61);
	check_account(&f, "192.0.2.1", "0:2/3 60 2-61 2 ");
	(void)feed_weight(&f, 0, "192.0.2.1", 62, 62, -9);
	check_account(&f, "192.0.2.1", "0:0/3 60 2-62 3 ");
	tick(&f, 122);
	check_account(&f, "192.0.2.1", "0:0/3 60 2-62 3 ");
	tick(&f, 122.000001);
	check_account(&f, "192.0.2.1", "");
}

static void test_counts(void **state)
{
	FIXTURE(f);
	struct engine_counts counts;

	(void)state;
	(void)feed(&f, 0, "192.0.2.1", 0);
	(void)feed(&f, 0, "192.0.2.2", 30);
	(void)feed(&f, 1, "192.0.2.2", 30);
	engine_counts(f.engine, 0, &counts);
	assert_int_equal(counts.failed_now, 2);
	assert_int_equal(counts.failed_total, 2);
	engine_counts(f.engine, 1, &counts);
	assert_int_equal(counts.failed_now, 1);
	/* Out of the window, though still remembered. */
	tick(&f, 61);
	engine_counts(f.engine, 0, &counts);
	assert_int_equal(counts.failed_now, 1);
	(void)feed_ban(&f, 0, "192.0.2.2", 61);
	engine_counts(f.engine, 0, &counts);
	assert_int_equal(counts.banned_now, 1);
	assert_int_equal(counts.banned_total, 1);
	/* Prolonging is no new ban, ending it lowers only the one. */
	(void)feed_ban(&f, 0, "192.0.2.2", 62);
	tick(&f, 1000);
	engine_counts(f.engine, 0, &counts);
	assert_int_equal(counts.banned_now, 0);
	assert_int_equal(counts.banned_total, 1);
}

static void count_walked(void *ctx, UNUSED const struct order *o)
{
	++*(size_t *)ctx;
}

/* A walk that is gone on with later: bans come and go meanwhile. */
static void test_walk_with_rests(void **state)
{
	FIXTURE(f);
	struct net gone = net("192.0.2.5"), seen = net("192.0.2.1");
	uint32_t at = 0;
	size_t n = 0;
	char who[16];

	(void)state;
	assert_false(engine_next_bans(f.engine, &at, 5, count_walked, &n));
	assert_int_equal(n, 0);
	for (int i = 1; i <= 9; i++) {
		snprintf(who, sizeof(who), "192.0.2.%d", i);
		(void)ban(&f, 0, who, 0, 100 - i);
	}
	assert_true(engine_next_bans(f.engine, &at, 4, count_walked, &n));
	assert_int_equal(n, 4);
	assert_int_equal(engine_unban(f.engine, 0, &gone, t(1), &f.orders), 1);
	assert_int_equal(engine_unban(f.engine, 0, &seen, t(1), &f.orders), 1);
	assert_true(engine_next_bans(f.engine, &at, 1, count_walked, &n));
	assert_false(engine_next_bans(f.engine, &at, 100, count_walked, &n));
	assert_int_equal(n, 8);
	assert_false(engine_next_bans(f.engine, &at, 100, count_walked, &n));
	assert_int_equal(n, 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_lists_by_end),
	    cmocka_unit_test(test_finds_around_and_inside),
	    cmocka_unit_test(test_bans_keep_their_lines),
	    cmocka_unit_test(test_lines_of_bans_are_bounded),
	    cmocka_unit_test(test_accounts),
	    cmocka_unit_test(test_counts),
	    cmocka_unit_test(test_walk_with_rests),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
