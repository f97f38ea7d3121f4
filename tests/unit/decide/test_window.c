/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "decide/window.h"

/* {time, weight} ... with rules 0, 1, 2 in the order given */
static struct window window_of(const int64_t (*items)[2], size_t n)
{
	struct window w = {.n = 0};

	for (size_t i = 0; i < n; i++)
		window_insert(&w, (struct window_item){
				      items[i][0], (int16_t)items[i][1], (uint16_t)i});
	return w;
}

#define WINDOW(...)                                  \
	window_of((const int64_t[][2]){__VA_ARGS__}, \
	    sizeof((const int64_t[][2]){__VA_ARGS__}) / sizeof(int64_t[2]))

static void test_sorts_and_keeps_order_of_equals(void **state)
{
	struct window w = WINDOW({5, 1}, {3, 1}, {5, 2}, {4, 1}, {3, 2});
	static const uint16_t want[] = {1, 4, 3, 0, 2};

	(void)state;
	assert_int_equal(w.n, 5);
	for (size_t i = 0; i < w.n; i++)
		assert_int_equal(w.items[i].rule, want[i]);
}

static void test_prune(void **state)
{
	struct window w = WINDOW({1, 1}, {2, 1}, {3, 1});

	(void)state;
	window_prune(&w, 1);
	assert_int_equal(w.n, 3);
	window_prune(&w, 3);
	assert_int_equal(w.n, 1);
	assert_int_equal(w.items[0].at_us, 3);
	window_prune(&w, 4);
	assert_int_equal(w.n, 0);
}

static void test_limit_drops_late_ones_first(void **state)
{
	struct window w = WINDOW({1, 1}, {2, 1}, {10, 1}, {11, 1}, {12, 1});

	(void)state;
	window_limit(&w, 4, 10);
	assert_int_equal(w.n, 4);
	assert_int_equal(w.items[0].at_us, 2);
	window_limit(&w, 4, 10);
	assert_int_equal(w.n, 4);
}

static void test_limit_merges_the_nearest(void **state)
{
	struct window w = WINDOW({0, 1}, {100, 2}, {101, 3}, {200, 4});

	(void)state;
	window_limit(&w, 3, 0);
	assert_int_equal(w.n, 3);
	assert_int_equal(w.items[1].at_us, 100);
	assert_int_equal(w.items[1].weight, 5);
	assert_int_equal(w.items[1].rule, 2);
	/* The newest keeps its time. */
	window_limit(&w, 1, 0);
	assert_int_equal(w.n, 1);
	assert_int_equal(w.items[0].at_us, 200);
	assert_int_equal(w.items[0].weight, 10);
}

static void test_merged_weights_stay_in_range(void **state)
{
	struct window w = WINDOW({0, INT16_MAX}, {1, 1}),
		      v = WINDOW({0, INT16_MIN}, {0, -1});

	(void)state;
	window_limit(&w, 1, 0);
	assert_int_equal(w.items[0].weight, INT16_MAX);
	window_limit(&v, 1, 0);
	assert_int_equal(v.items[0].weight, INT16_MIN);
}

static void check_reaches(
    const struct window *w, int64_t at, int64_t need, size_t from, size_t to)
{
	struct window_part part = {0, 0, 0};

	assert_true(window_reaches(w, at, 10, need, &part));
	assert_int_equal(part.from, from);
	assert_int_equal(part.to, to);
	assert_true(part.sum >= need);
}

static void test_reaches(void **state)
{
	struct window w = WINDOW({0, 1}, {5, 1}, {10, 1}, {15, 1}, {20, 1});
	struct window_part part;

	(void)state;
	check_reaches(&w, 20, 3, 2, 5);
	/* The latest of several. */
	check_reaches(&w, 10, 3, 2, 5);
	check_reaches(&w, 5, 3, 1, 4);
	check_reaches(&w, 0, 3, 0, 3);
	assert_false(window_reaches(&w, 20, 10, 4, &part));
	assert_false(window_reaches(&w, 20, 9, 3, &part));
}

static void test_reaches_with_equal_times(void **state)
{
	struct window w = WINDOW({0, 1}, {7, 1}, {7, 1}, {7, -1}, {7, 2}, {30, 0});

	(void)state;
	check_reaches(&w, 7, 4, 0, 5);
	check_reaches(&w, 0, 4, 0, 5);
}

static void test_no_window_ends_with_good_evidence(void **state)
{
	struct window w = WINDOW({0, 3}, {5, -1}, {20, -1});
	struct window_part part;

	(void)state;
	assert_false(window_reaches(&w, 5, 10, 1, &part));
	check_reaches(&w, 0, 3, 0, 1);
}

static void test_latest(void **state)
{
	struct window w = WINDOW({0, 1}, {10, 2}, {20, 4});
	struct window_part part = window_latest(&w, 10);

	(void)state;
	assert_int_equal(part.from, 1);
	assert_int_equal(part.to, 3);
	assert_int_equal(part.sum, 6);
	part = window_latest(&w, 0);
	assert_int_equal(part.sum, 4);
}

static void insert(struct window *w, int64_t at, int16_t weight, bool soft)
{
	window_insert(w,
	    (struct window_item){at, weight, (uint16_t)(soft ? 3 | WINDOW_SOFT : 4)});
	if (soft)
		window_limit_soft(w);
}

static void test_soft_ones_have_a_cap(void **state)
{
	struct window w = {.n = 0};
	struct window_part part;

	(void)state;
	for (int i = 0; i < 100; i++)
		insert(&w, i, 10, true);
	assert_int_equal(w.n, WINDOW_MAX_SOFT);
	assert_false(window_reaches_capped(&w, 99, 1000, 30, 25, &part));
	insert(&w, 100, 5, false);
	assert_true(window_reaches_capped(&w, 100, 1000, 30, 25, &part));
	assert_int_equal(part.sum, 30);
	assert_int_equal(part.soft, 25);
	part = window_latest_capped(&w, 1000, 25);
	assert_int_equal(part.sum, 30);
	assert_int_equal(part.soft, 25);
	/* Nothing of their weight is lost where the cap is greater. */
	assert_int_equal(window_latest_capped(&w, 1000, 5000).soft, 1000);
}

/* Whatever is made one: a soft one never becomes a hard one. */
static void test_soft_and_hard_stay_apart(void **state)
{
	struct window w = {.n = 0};

	(void)state;
	for (int i = 0; i < 200; i++)
		insert(&w, i, 1, i % 2);
	assert_int_equal(window_latest_capped(&w, 1000, 0).sum, 100);
	assert_int_equal(window_latest_capped(&w, 1000, 1000).soft, 100);
	assert_int_equal(w.items[w.n - 1].at_us, 199);
	for (size_t max = w.n; max > 0; max--) {
		window_limit(&w, max, INT64_MIN);
		assert_int_equal(w.n, max);
		assert_true(window_latest_capped(&w, 1000, 0).sum <= 100);
		assert_int_equal(w.items[w.n - 1].at_us, 199);
	}
}

static void test_rescale(void **state)
{
	struct window w = WINDOW({0, 1}, {1, 500}, {2, -3}, {3, 0});

	(void)state;
	window_rescale(&w, 1, 100);
	assert_int_equal(w.items[0].weight, 100);
	assert_int_equal(w.items[1].weight, INT16_MAX);
	assert_int_equal(w.items[2].weight, -300);
	window_rescale(&w, 1000, 1);
	assert_int_equal(w.items[0].weight, 1);
	assert_int_equal(w.items[2].weight, -1);
	assert_int_equal(w.items[3].weight, 0);
}

static void test_soften(void **state)
{
	struct window w = {.n = 0};
	struct window_part part;

	(void)state;
	for (int i = 0; i < 40; i++)
		window_insert(&w, (struct window_item){i, 80, (uint16_t)(i % 2)});
	window_soften(&w, 1, 8);
	assert_int_equal(w.n, 20 + WINDOW_MAX_SOFT);
	assert_true(window_reaches_capped(&w, 39, 100, 1700, 100, &part) ||
		    window_reaches_capped(&w, 38, 100, 1700, 100, &part));
	assert_int_equal(part.soft, 100);
	part = window_latest_capped(&w, 100, 1000);
	assert_int_equal(part.soft, 20 * 10);
	assert_int_equal(part.sum, 20 * 80 + 20 * 10);
	/* Once; and not to nothing. */
	window_soften(&w, 1, 8);
	window_soften(&w, 0, 1000);
	assert_int_equal(window_latest_capped(&w, 100, 1000).sum, 20 * 10 + 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_sorts_and_keeps_order_of_equals),
	    cmocka_unit_test(test_prune),
	    cmocka_unit_test(test_limit_drops_late_ones_first),
	    cmocka_unit_test(test_limit_merges_the_nearest),
	    cmocka_unit_test(test_merged_weights_stay_in_range),
	    cmocka_unit_test(test_reaches),
	    cmocka_unit_test(test_reaches_with_equal_times),
	    cmocka_unit_test(test_no_window_ends_with_good_evidence),
	    cmocka_unit_test(test_latest),
	    cmocka_unit_test(test_soft_ones_have_a_cap),
	    cmocka_unit_test(test_soft_and_hard_stay_apart),
	    cmocka_unit_test(test_soften),
	    cmocka_unit_test(test_rescale),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
