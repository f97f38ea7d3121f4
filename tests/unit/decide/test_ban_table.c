/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "bytes.h"
#include "decide/ban_table.h"

static struct net host(uint32_t i)
{
	return net_from_v4(i * UINT32_C(2654435761));
}

static int try_add(struct ban_table *t, uint32_t jail, struct net n, int64_t until,
    char *id, struct ban **out)
{
	const struct order o = {
	    .jail = jail, .net = n, .until = {until}, .cause = 1, .id = id};

	return ban_table_add(t, &o, out);
}

static struct ban *add(struct ban_table *t, uint32_t jail, struct net n, int64_t until)
{
	struct ban *b = NULL;

	assert_int_equal(try_add(t, jail, n, until, NULL, &b), 0);
	return b;
}

static void test_add_find_remove(void **state)
{
	CLEANUP(ban_table_freep) struct ban_table *t = ban_table_new(2);
	struct net n = host(1), other = host(2);
	struct ban *b = add(t, 7, n, 100), *c;

	(void)state;
	assert_ptr_equal(ban_table_find(t, 7, &n), b);
	assert_null(ban_table_find(t, 8, &n));
	assert_null(ban_table_find(t, 7, &other));
	c = add(t, 8, n, 50);
	assert_int_equal(try_add(t, 9, n, 1, NULL, &b), BAN_TABLE_FULL);
	assert_int_equal(ban_table_count(t), 2);
	assert_ptr_equal(ban_table_first(t), c);
	ban_table_remove(t, c);
	assert_null(ban_table_find(t, 8, &n));
	assert_int_equal(ban_table_count(t), 1);
	assert_ptr_equal(ban_table_first(t), b);
	assert_null(ban_table_after(b));
}

static void test_find_around(void **state)
{
	CLEANUP(ban_table_freep) struct ban_table *t = ban_table_new(10);
	struct net n, wide, narrow;
	struct ban *a, *b;

	(void)state;
	assert_int_equal(net_parse(SPAN("192.0.2.1"), &n), 0);
	wide = net_mask(n, 8);
	narrow = net_mask(n, 24);
	a = add(t, 0, wide, 200);
	b = add(t, 0, narrow, 100);
	(void)add(t, 0, n, 300);
	assert_ptr_equal(ban_table_find_around(t, 0, &n, (wall_t){99}), b);
	assert_ptr_equal(ban_table_find_around(t, 0, &n, (wall_t){100}), a);
	assert_null(ban_table_find_around(t, 0, &n, (wall_t){200}));
	assert_null(ban_table_find_around(t, 1, &n, (wall_t){0}));
	assert_ptr_equal(ban_table_find_around(t, 0, &narrow, (wall_t){0}), a);
	assert_null(ban_table_find_around(t, 0, &wide, (wall_t){0}));
	/* All of IPv6 holds no IPv4. */
	ban_table_remove(t, a);
	ban_table_remove(t, b);
	(void)add(t, 0, (struct net){.bits = 0}, 100);
	assert_null(ban_table_find_around(t, 0, &n, (wall_t){0}));
}

static void check_order(const struct ban_table *t)
{
	const struct ban *b = ban_table_first(t), *next;
	size_t n = 0;

	for (; b; b = next) {
		next = ban_table_after(b);
		assert_true(!next || b->until.us <= next->until.us);
		n++;
	}
	assert_int_equal(n, ban_table_count(t));
}

static void test_many(void **state)
{
	static uint8_t choices[40000];
	struct bytes in = {choices, sizeof(choices)};
	CLEANUP(ban_table_freep) struct ban_table *t = ban_table_new(100000);
	uint32_t map[2] = {1, 0};

	(void)state;
	bytes_fill(2, choices, sizeof(choices));
	while (in.n > 0) {
		uint32_t i = bytes_next(&in) * 8u + bytes_pick(&in, 8), jail = i % 2;
		struct net n = host(i);
		struct ban *b = ban_table_find(t, jail, &n);
		int64_t until = bytes_next(&in);

		if (!b)
			(void)add(t, jail, n, until);
		else if (until % 2)
			ban_table_remove(t, b);
		else
			ban_table_set_until(t, b, (wall_t){until});
	}
	assert_true(ban_table_count(t) > 500);
	check_order(t);
	ban_table_remap(t, map);
	check_order(t);
	for (uint32_t i = 0; i < 2048; i++) {
		struct net n = host(i);
		struct ban *b = ban_table_find(t, 1 - i % 2, &n);

		assert_null(ban_table_find(t, i % 2, &n));
		if (b)
			ban_table_remove(t, b);
	}
	assert_int_equal(ban_table_count(t), 0);
	assert_null(ban_table_first(t));
}

static void test_texts_of_ids_are_bounded(void **state)
{
	CLEANUP(ban_table_freep) struct ban_table *t = ban_table_new(SIZE_MAX);
	char text[NET_ID_MAX_BYTES + 1];
	struct ban *b = NULL;
	uint32_t n = 0;
	int r = 0;

	(void)state;
	for (; !r; n++) {
		struct net id;

		(void)snprintf(text, sizeof(text), "%0*u x", NET_ID_MAX_BYTES - 2, n);
		assert_int_equal(net_parse_id(span_of(text), &id), 0);
		r = try_add(t, 0, id, 1, text, &b);
	}
	assert_int_equal(r, BAN_TABLE_FULL);
	assert_int_equal(
	    n - 1, BAN_TABLE_NAMES_BYTES / (sizeof(struct ban_id) + sizeof(text)));
	/* What goes makes room; addresses need none. */
	struct net again = ban_table_first(t)->net, address = host(1);

	ban_table_remove(t, ban_table_first(t));
	assert_int_equal(try_add(t, 0, again, 1, text, &b), 0);
	assert_string_equal(b->name->text, text);
	(void)add(t, 0, address, 1);
	assert_null(ban_table_find_around(t, 0, &again, (wall_t){0}));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_texts_of_ids_are_bounded),
	    cmocka_unit_test(test_add_find_remove),
	    cmocka_unit_test(test_find_around),
	    cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
