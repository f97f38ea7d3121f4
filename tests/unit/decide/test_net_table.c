/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "decide/net_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

struct thing {
	struct net_item item;
	int value;
	struct net net;
};

static struct net host(uint32_t i)
{
	return net_from_v4(i);
}

static void set_up(struct net_table *t)
{
	assert_true(
	    net_table_init(t, sizeof(struct thing), offsetof(struct thing, net)));
}

static uint32_t add(struct net_table *t, uint32_t i, int value)
{
	struct net n = host(i);
	uint32_t id = net_table_add(t, &n);
	struct thing *x = net_table_at(t, id);

	assert_int_not_equal(id, POOL_NONE);
	assert_true(x->item.is_used && net_eq(&x->net, &n) && !x->value);
	x->value = value;
	return id;
}

/* The values of a network's items, added up. */
static int sum_of(const struct net_table *t, uint32_t i)
{
	struct net n = host(i);
	int sum = 0;

	for (uint32_t id = net_table_find(t, &n); id != POOL_NONE;
	     id = net_table_find_next(t, id, &n))
		sum += ((struct thing *)net_table_at(t, id))->value;
	return sum;
}

static void test_finds_all_of_a_network(void **state)
{
	struct net_table t;
	uint32_t second[1000];

	(void)state;
	set_up(&t);
	assert_int_equal(sum_of(&t, 1), 0);
	for (uint32_t i = 0; i < ARRAY_LEN(second); i++) {
		(void)add(&t, i, 1);
		second[i] = add(&t, i, 10);
	}
	assert_int_equal(t.n, 2 * ARRAY_LEN(second));
	for (uint32_t i = 0; i < ARRAY_LEN(second); i += 2)
		net_table_delete(&t, second[i]);
	for (uint32_t i = 0; i < ARRAY_LEN(second); i++)
		assert_int_equal(sum_of(&t, i), i % 2 ? 11 : 1);
	assert_int_equal(sum_of(&t, ARRAY_LEN(second)), 0);
	net_table_deinit(&t);
}

static void test_turns(void **state)
{
	struct net_table t;
	uint32_t gone;

	(void)state;
	set_up(&t);
	assert_int_equal(net_table_turn(&t), POOL_NONE);
	(void)add(&t, 1, 0);
	gone = add(&t, 2, 0);
	(void)add(&t, 3, 0);
	net_table_delete(&t, gone);
	for (int round = 0; round < 3; round++) {
		assert_int_equal(net_table_turn(&t), 1);
		assert_int_equal(net_table_turn(&t), POOL_NONE);
		assert_int_equal(net_table_turn(&t), 3);
	}
	net_table_deinit(&t);
}

static bool is_less(const void *ctx, const void *a, const void *b)
{
	(void)ctx;
	return ((const struct thing *)a)->value < ((const struct thing *)b)->value;
}

/* Of a few it is the least; of many one of the lesser, mostly. */
static void test_draws(void **state)
{
	struct net_table t;
	int n_lesser = 0;

	(void)state;
	set_up(&t);
	assert_int_equal(net_table_draw(&t, is_less, NULL), POOL_NONE);
	for (int i = 0; i < 8; i++)
		(void)add(&t, (uint32_t)i, (i + 5) % 8);
	assert_int_equal(
	    ((struct thing *)net_table_at(&t, net_table_draw(&t, is_less, NULL)))
		->value,
	    0);
	for (int i = 8; i < 1000; i++)
		(void)add(&t, (uint32_t)i, i);
	for (int i = 0; i < 100; i++) {
		uint32_t id = net_table_draw(&t, is_less, NULL);

		n_lesser += ((struct thing *)net_table_at(&t, id))->value < 500;
		net_table_delete(&t, id);
	}
	assert_true(n_lesser > 90);
	assert_int_equal(t.n, 900);
	net_table_mark(&t);
	assert_int_not_equal(pool_next_marked(&t.pool, POOL_NONE), POOL_NONE);
	net_table_deinit(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_finds_all_of_a_network),
	    cmocka_unit_test(test_turns),
	    cmocka_unit_test(test_draws),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
