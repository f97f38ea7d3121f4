/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * engine: each allocation fails in turn. What is promised as whole or not at all must
 * be.
 */
#include <errno.h>
#include <stdio.h>

#include "engine_fixture.h"

void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t size);
void *__real_reallocarray(void *p, size_t n, size_t size);
char *__real_strdup(const char *s);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t size);
void *__wrap_reallocarray(void *p, size_t n, size_t size);
char *__wrap_strdup(const char *s);

/* How many allocations succeed before all fail; negative: no limit. */
static int n_left = -1;

static bool is_refused(void)
{
	if (n_left < 0)
		return false;
	if (n_left == 0)
		return true;
	n_left--;
	return false;
}

void *__wrap_calloc(size_t n, size_t size)
{
	return is_refused() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t size)
{
	return is_refused() ? NULL : __real_realloc(p, size);
}

void *__wrap_reallocarray(void *p, size_t n, size_t size)
{
	return is_refused() ? NULL : __real_reallocarray(p, n, size);
}

char *__wrap_strdup(const char *s)
{
	return is_refused() ? NULL : __real_strdup(s);
}

static int n_bans(const struct fixture *f)
{
	int n = 0;

	engine_each_ban(f->engine, -1, count_ban, &n);
	return n;
}

static void test_new(void **state)
{
	CLEANUP(fixture_deinit) struct fixture f;
	int n = 0;

	(void)state;
	fixture_init(&f);
	for (; !f.engine; n++) {
		n_left = n;
		f.engine = engine_new(&f.options);
		n_left = -1;
	}
	assert_true(n > 10);
}

static const struct engine_rule rules[] = {
    {.class = HIT_ABUSE, .weight = 100},
    {.class = HIT_MISCONFIGURATION, .id = 1, .weight = 50, .name = "soft"},
    {.class = HIT_GOOD, .id = 2, .weight = -100, .name = "good"},
};

static void rules_init(struct fixture *f)
{
	fixture_init(f);
	f->jails[0].unit = 100;
	f->jails[0].rules = rules;
	f->jails[0].n_rules = ARRAY_LEN(rules);
	f->jails[0].adapt = true;
	f->jails[0].group = 2;
}

static void test_new_with_rules(void **state)
{
	CLEANUP(fixture_deinit) struct fixture f;
	int n = 0;

	(void)state;
	rules_init(&f);
	for (; !f.engine; n++) {
		n_left = n;
		f.engine = engine_new(&f.options);
		n_left = -1;
	}
	assert_true(n > 20);
}

/* Without memory for what it knows beside, a failure counts all the same. */
static void test_rules(void **state)
{
	(void)state;
	for (int n = 0; n < 30; n++) {
		CLEANUP(fixture_deinit) struct fixture f;
		int r = 0;

		rules_init(&f);
		fixture_start(&f);
		n_left = n;
		for (uint16_t i = 0; i < 12; i++) {
			struct hit h = {.net = net(i % 2 ? "192.0.2.1" : "192.0.2.2"),
			    .rule = i % 3,
			    .account = 7,
			    .at = t(i),
			    .text = SPAN("x")};

			r = engine_feed(f.engine, &h, t(i), &f.orders);
			assert_true(r >= 0 || r == -ENOMEM);
		}
		n_left = -1;
		for (int i = 0; i < 3; i++) {
			struct hit h = {.net = net("192.0.2.1"), .at = t(20 + i)};

			r = engine_feed(f.engine, &h, t(20 + i), &f.orders);
			if (r == ENGINE_BANNED)
				break;
		}
		assert_true(n_bans(&f) > 0);
	}
}

static void test_feed_asks_again(void **state)
{
	(void)state;
	for (int n = 0; n < 8; n++) {
		FIXTURE(f);
		int r;

		(void)feed(&f, 0, "192.0.2.1", 0);
		(void)feed(&f, 0, "192.0.2.1", 1);
		n_left = n;
		r = feed(&f, 0, "192.0.2.1", 2);
		n_left = -1;
		if (r == -ENOMEM) {
			assert_int_equal(f.orders.n, 0);
			assert_int_equal(n_bans(&f), 0);
			/* The failure was not lost. */
			assert_int_equal(feed(&f, 0, "192.0.2.1", 3), ENGINE_BANNED);
			assert_true(last_order(&f)->failures >= 3);
		} else {
			/* Without its lines, if need be. */
			assert_int_equal(r, ENGINE_BANNED);
		}
		assert_int_equal(f.orders.n, 1);
		assert_int_equal(n_bans(&f), 1);
	}
}

static void test_feed_new_address(void **state)
{
	FIXTURE(f);
	struct engine_bounds bounds;

	(void)state;
	n_left = 0;
	assert_int_equal(feed(&f, 0, "192.0.2.1", 0), -ENOMEM);
	n_left = -1;
	engine_bounds(f.engine, &bounds);
	assert_int_equal(bounds.n_tracked, 0);
	assert_int_equal(feed(&f, 0, "192.0.2.1", 0), ENGINE_COUNTED);
}

/* A long window that finds no memory becomes blurred, and is still reached. */
static void test_long_window_without_memory(void **state)
{
	FIXTURE(f);

	(void)state;
	(void)feed(&f, 2, "192.0.2.1", 0);
	n_left = 0;
	for (int i = 1; i < 4; i++)
		assert_int_equal(feed(&f, 2, "192.0.2.1", i), ENGINE_COUNTED);
	n_left = -1;
	assert_int_equal(feed(&f, 2, "192.0.2.1", 4), ENGINE_BANNED);
	assert_int_equal(last_order(&f)->failures, 5);
}

static void ban_forty(struct fixture *f)
{
	char who[32];

	for (int i = 0; i < 40; i++) {
		snprintf(who, sizeof(who), "192.0.2.%d", i);
		assert_int_equal(
		    ban(f, (uint32_t)i % 3, who, 0, 10 + i), ENGINE_BANNED);
	}
	orders_deinit(&f->orders);
}

static void test_tick_goes_on_later(void **state)
{
	FIXTURE(f);
	int r = -ENOMEM, n = 0;

	(void)state;
	ban_forty(&f);
	while (r == -ENOMEM) {
		n_left = n++;
		r = engine_tick(f.engine, t(100), &f.orders);
		n_left = -1;
		assert_int_equal(f.orders.n + (size_t)n_bans(&f), 40);
	}
	assert_int_equal(r, 0);
	assert_int_equal(f.orders.n, 40);
	assert_true(n > 2);
}

static void test_unban_is_whole(void **state)
{
	FIXTURE(f);
	int r = -ENOMEM, n = 0;

	(void)state;
	ban_forty(&f);
	while (r == -ENOMEM) {
		n_left = n++;
		r = unban(&f, -1, "192.0.2.0/24", 1);
		n_left = -1;
		if (r == -ENOMEM) {
			assert_int_equal(f.orders.n, 0);
			assert_int_equal(n_bans(&f), 40);
		}
	}
	assert_int_equal(r, 40);
	assert_int_equal(n_bans(&f), 0);
	assert_true(n > 2);
}

static void test_reload_is_whole(void **state)
{
	FIXTURE(f);
	struct net friend = net("198.51.100.1"), own = net("203.0.113.1");
	int r = -ENOMEM, n = 0;

	(void)state;
	ban_forty(&f);
	assert_int_equal(engine_set_own(f.engine, &own, 1), 0);
	(void)feed(&f, 1, "198.51.100.1", 0);
	f.jails[0] = f.jails[1];
	f.jails[0].maxretry = 3;
	f.jails[0].ignore = &friend;
	f.jails[0].n_ignore = 1;
	f.options.n_jails = 1;
	f.options.text_bytes = 1000;
	while (r == -ENOMEM) {
		n_left = n++;
		r = engine_reload(f.engine, &f.options, t(1), &f.orders);
		n_left = -1;
		if (r == -ENOMEM) {
			assert_int_equal(f.orders.n, 0);
			assert_int_equal(n_bans(&f), 40);
			assert_false(engine_is_ignored(f.engine, 1, &friend, NULL));
			assert_true(engine_is_ignored(f.engine, 0, &own, NULL));
		}
	}
	assert_int_equal(r, 0);
	assert_true(n > 8);
	assert_int_equal(f.orders.n, 27);
	assert_int_equal(n_bans(&f), 13);
	assert_true(engine_is_ignored(f.engine, 0, &friend, NULL));
}

static void on_state(void *ctx, uint32_t jail, const struct net *n, struct span state)
{
	(void)jail;
	(void)n;
	assert_true(state.n > 0);
	++*(int *)ctx;
}

static void test_dirty_ones_wait(void **state)
{
	FIXTURE(f);
	int n = 0;

	(void)state;
	(void)feed(&f, 0, "192.0.2.1", 0);
	n_left = 0;
	engine_each_dirty(f.engine, on_state, &n);
	n_left = -1;
	assert_int_equal(n, 0);
	engine_each_dirty(f.engine, on_state, &n);
	assert_int_equal(n, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_new),
	    cmocka_unit_test(test_new_with_rules),
	    cmocka_unit_test(test_rules),
	    cmocka_unit_test(test_feed_asks_again),
	    cmocka_unit_test(test_feed_new_address),
	    cmocka_unit_test(test_long_window_without_memory),
	    cmocka_unit_test(test_tick_goes_on_later),
	    cmocka_unit_test(test_unban_is_whole),
	    cmocka_unit_test(test_reload_is_whole),
	    cmocka_unit_test(test_dirty_ones_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
