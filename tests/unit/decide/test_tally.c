/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tally: what the engine's tests do not reach: long windows, caps, many addresses
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/pack.h"
#include "decide/pool.h"
#include "decide/tally.h"
#include "decide/tally_slot.h"

#define SEC US_PER_SEC

static struct tally_jail jails[] = {{60 * SEC, 5}, {3600 * SEC, 1000}};

static struct net host(uint32_t i)
{
	return net_from_v4(i * UINT32_C(2654435761));
}

static struct tally *table(size_t max_tracked)
{
	struct tally *t = tally_new(max_tracked);

	assert_non_null(t);
	tally_set_jails(t, jails);
	return t;
}

static int feed_at(
    struct tally *t, uint32_t jail, uint32_t who, int64_t sec, wall_t clock)
{
	const struct hit h = {
	    .jail = jail, .net = host(who), .at = {sec * SEC}, .weight = 1, .rule = 9};
	struct window_part part;
	struct window w;
	uint32_t id;

	return tally_feed(t, &h, clock, &id, &w, &part);
}

static int feed(struct tally *t, uint32_t jail, uint32_t who, int64_t sec)
{
	return feed_at(t, jail, who, sec, (wall_t){sec * SEC});
}

static uint32_t find(const struct tally *t, uint32_t jail, uint32_t who)
{
	struct net n = host(who);

	return tally_find(t, jail, &n, (wall_t){0});
}

static void test_findtime_in_microseconds(void **state)
{
	(void)state;
	assert_int_equal(tally_findtime_us(1.5), 1500000);
	assert_int_equal(tally_findtime_us(-1), 0);
	assert_int_equal(tally_findtime_us(__builtin_nan("")), 0);
	assert_true(tally_findtime_us(1e300) <= SLOT_MAX_GAP_US / 2 + 1);
	assert_true(tally_findtime_us(31557600 * 4.0) == 31557600 * 4 * SEC);
}

static void test_lag(void **state)
{
	(void)state;
	assert_int_equal(slot_lag_us(slot_lag_encode(0)), 0);
	assert_int_equal(slot_lag_us(slot_lag_encode(-5)), 0);
	assert_int_equal(slot_lag_us(slot_lag_encode(1)), SEC);
	assert_int_equal(slot_lag_us(slot_lag_encode(SEC)), SEC);
	assert_int_equal(slot_lag_us(slot_lag_encode(SEC + 1)), 2 * SEC);
	for (int64_t us = 1; us < INT64_C(1) << 61; us = us * 3 + 1) {
		int64_t back = slot_lag_us(slot_lag_encode(us));

		/* Never earlier, and at most a thousandth later. */
		assert_true(back >= us && back - us <= us / 1000 + SEC);
	}
}

static void test_long_windows_come_back(void **state)
{
	CLEANUP(tally_freep) struct tally *t = table(1000);
	struct window w;

	(void)state;
	for (int i = 0; i < 1000; i++) {
		assert_int_equal(feed(t, 1, 1, i), i < 999 ? 0 : TALLY_REACHED);
		if (i < ENGINE_MAX_WINDOW) {
			tally_load(t, find(t, 1, 1), &w);
			assert_int_equal(w.n, i + 1);
			assert_int_equal(w.items[0].at_us, 0);
			assert_int_equal(w.items[i].at_us, i * SEC);
			assert_int_equal(w.items[i].rule, 9);
		}
	}
	tally_load(t, find(t, 1, 1), &w);
	assert_int_equal(w.n, ENGINE_MAX_WINDOW);
	assert_int_equal(window_latest(&w, 3600 * SEC).sum, 1000);
	/* A new window after a pause is short again. */
	assert_int_equal(feed(t, 1, 1, 100000), 0);
	tally_load(t, find(t, 1, 1), &w);
	assert_int_equal(w.n, 1);
}

/* With no room for long windows, weights still add up. */
static void test_blocks_are_bounded(void **state)
{
	CLEANUP(tally_freep) struct tally *t = table(2); /* 128 bytes for blocks */
	struct window w;

	(void)state;
	for (int i = 0; i < 200; i++)
		assert_int_equal(feed(t, 1, 1, i), 0);
	tally_load(t, find(t, 1, 1), &w);
	assert_true(w.n >= 2 && w.n <= 13);
	assert_int_equal(w.items[w.n - 1].at_us, 199 * SEC);
	assert_int_equal(window_latest(&w, 3600 * SEC).sum, 200);
	/* Nor for a block at all. */
	for (int i = 0; i < 100; i++)
		assert_int_equal(feed(t, 1, 2, i), 0);
	tally_load(t, find(t, 1, 2), &w);
	assert_int_equal(window_latest(&w, 3600 * SEC).sum, 100);
	for (int i = 100; i < 999; i++)
		assert_int_equal(feed(t, 1, 2, i), 0);
	assert_int_equal(feed(t, 1, 2, 999), TALLY_REACHED);
}

static void test_many_come_and_go(void **state)
{
	CLEANUP(tally_freep) struct tally *t = table(100000);
	enum { N = 20000 };

	(void)state;
	for (uint32_t i = 0; i < N; i++)
		assert_int_equal(feed(t, i % 2, i, 1), 0);
	assert_int_equal(tally_count(t), N);
	for (uint32_t i = 0; i < N; i += 3)
		tally_remove(t, find(t, i % 2, i));
	for (uint32_t i = 0; i < N; i++) {
		assert_int_equal(find(t, i % 2, i) != POOL_NONE, i % 3 != 0);
		assert_int_equal(find(t, 1 - i % 2, i), POOL_NONE);
	}
	/* The numbers that became free are used again. */
	for (uint32_t i = 0; i < N; i += 3)
		assert_int_equal(feed(t, i % 2, i, 1), 0);
	assert_int_equal(tally_count(t), N);
	tally_sweep(t, (wall_t){121 * SEC}, SIZE_MAX);
	assert_int_equal(tally_count(t), N);
	tally_sweep(t, (wall_t){121 * SEC + 1}, SIZE_MAX);
	assert_int_equal(tally_count(t), N / 2);
	tally_remove_within(t, -1, 2, NULL);
	assert_int_equal(tally_count(t), 0);
}

static void test_the_hand_comes_by_everywhere(void **state)
{
	CLEANUP(tally_freep) struct tally *t = table(1000);

	(void)state;
	for (uint32_t i = 0; i < 100; i++)
		(void)feed(t, 0, i, 1);
	for (int i = 0; i < 25; i++)
		tally_sweep(t, (wall_t){1000 * SEC}, 4);
	assert_int_equal(tally_count(t), 0);
}

/* Old ones make room for a flood of new ones, nearly always. */
static void test_forgets_about_the_oldest(void **state)
{
	CLEANUP(tally_freep) struct tally *t = table(1000);
	int n_old = 0;

	(void)state;
	for (uint32_t i = 0; i < 1000; i++)
		(void)feed(t, 1, i, i < 500 ? 0 : 10);
	for (uint32_t i = 1000; i < 1400; i++) {
		(void)feed(t, 1, i, 10);
		assert_int_equal(tally_count(t), 1000);
	}
	assert_int_equal(tally_n_forgotten(t), 400);
	for (uint32_t i = 0; i < 500; i++)
		n_old += find(t, 1, i) != POOL_NONE;
	/* Exactly would leave 100; drawing leaves 140, give or take 7. */
	assert_in_range(n_old, 100, 200);
}

static void count_state(
    void *ctx, uint32_t jail, const struct net *n, struct span state)
{
	int *counts = ctx;

	(void)jail;
	(void)n;
	counts[state.n == 0]++;
}

static void test_the_store_hears_of_each_that_goes(void **state)
{
	CLEANUP(tally_freep) struct tally *t = table(100);
	int counts[2] = {0, 0};

	(void)state;
	for (uint32_t i = 0; i < 100; i++)
		(void)feed(t, 0, i, 1);
	tally_each_dirty(t, count_state, counts);
	assert_int_equal(counts[0], 100);
	/* Ten times as many pass through, none of which the store has seen. */
	for (uint32_t i = 100; i < 1100; i++)
		(void)feed(t, 0, i, 2);
	counts[0] = 0;
	tally_each_dirty(t, count_state, counts);
	assert_int_equal(counts[0] + (100 - counts[1]), 100);
	counts[0] = counts[1] = 0;
	tally_each_dirty(t, count_state, counts);
	assert_int_equal(counts[0] + counts[1], 0);
}

struct seen {
	uint32_t n;
	int64_t newest_sec; /* of the last one */
	uint32_t jail;
};

static void see(void *ctx, uint32_t jail, const struct net *n, wall_t newest)
{
	struct seen *s = ctx;

	(void)n;
	*s = (struct seen){s->n + 1, newest.us / SEC, jail};
}

static void test_shows_who_is_failing(void **state)
{
	CLEANUP(tally_freep) struct tally *t = table(100);
	struct seen s = {0};

	(void)state;
	feed(t, 0, 1, 1000);
	feed(t, 0, 1, 1020);
	feed(t, 0, 1, 1010);
	feed(t, 1, 2, 500);
	tally_each_failing(t, (wall_t){1030 * SEC}, see, &s);
	assert_int_equal(s.n, 2);
	s.n = 0;
	tally_each_failing(t, (wall_t){4000 * SEC}, see, &s);
	assert_true(s.n == 1 && s.jail == 1 && s.newest_sec == 500);
	tally_remove(t, find(t, 1, 2));
	s.n = 0;
	tally_each_failing(t, (wall_t){1080 * SEC}, see, &s);
	assert_true(s.n == 1 && s.jail == 0 && s.newest_sec == 1020);
}

static void test_old_states_shrink_to_new_limits(void **state)
{
	CLEANUP(tally_freep) struct tally *t = table(100);
	CLEANUP(buf_deinit) struct buf b = BUF_INIT(10000);
	struct net n = host(1);
	struct window w;

	(void)state;
	pack_u8(&b, 1);
	pack_i64(&b, 1000 * SEC);
	pack_u16(&b, 0);
	pack_u16(&b, 200);
	for (uint32_t i = 0; i < 200; i++) {
		pack_u32(&b, i);
		pack_u16(&b, 0);
		pack_u16(&b, 1);
		pack_u16(&b, 0);
	}
	assert_int_equal(tally_restore(t, 0, &n, buf_span(&b)), 0);
	tally_load(t, find(t, 0, 1), &w);
	assert_int_equal(w.n, 18); /* 2 * maxretry + 8 */
	assert_int_equal(window_latest(&w, 60 * SEC).sum, 200);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_findtime_in_microseconds),
	    cmocka_unit_test(test_lag),
	    cmocka_unit_test(test_long_windows_come_back),
	    cmocka_unit_test(test_blocks_are_bounded),
	    cmocka_unit_test(test_many_come_and_go),
	    cmocka_unit_test(test_the_hand_comes_by_everywhere),
	    cmocka_unit_test(test_forgets_about_the_oldest),
	    cmocka_unit_test(test_the_store_hears_of_each_that_goes),
	    cmocka_unit_test(test_shows_who_is_failing),
	    cmocka_unit_test(test_old_states_shrink_to_new_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
