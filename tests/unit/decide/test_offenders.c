/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "decide/offenders.h"

static struct net net(uint32_t i)
{
	char text[32];
	struct net n;

	(void)snprintf(
	    text, sizeof(text), "10.%u.%u.%u", i >> 16 & 255, i >> 8 & 255, i & 255);
	assert_int_equal(net_parse(span_of(text), &n), 0);
	return n;
}

static wall_t sec(int64_t s)
{
	return wall_from_sec(s);
}

static void add(struct offenders *t, uint32_t jail, uint32_t i, int64_t at)
{
	struct net n = net(i);

	assert_int_equal(offenders_add(t, jail, &n, sec(at), sec(at + 60), sec(at)), 0);
}

static uint32_t count(struct offenders *t, uint32_t jail, uint32_t i, int64_t now)
{
	struct net n = net(i);
	const struct offender *o = offenders_find(t, jail, &n, sec(now));

	return o ? o->count : 0;
}

static void test_many(void **state)
{
	CLEANUP(offenders_freep) struct offenders *t = offenders_new(100000);

	(void)state;
	for (uint32_t round = 1; round <= 3; round++)
		for (uint32_t i = 0; i < 5000; i++)
			add(t, i % 3, i, round);
	for (uint32_t i = 0; i < 5000; i++) {
		assert_int_equal(count(t, i % 3, i, 10), 3);
		assert_int_equal(count(t, (i + 1) % 3, i, 10), 0);
	}
	assert_int_equal(offenders_n(t), 5000);
}

static void test_all_jails(void **state)
{
	CLEANUP(offenders_freep) struct offenders *t = offenders_new(100);
	struct net n = net(1);

	(void)state;
	add(t, 0, 1, 1);
	add(t, 7, 1, 1);
	add(t, 7, 1, 2);
	add(t, 7, 2, 2);
	assert_int_equal(offenders_count_all(t, &n, sec(3)), 3);
}

static void test_full_the_oldest_go(void **state)
{
	CLEANUP(offenders_freep) struct offenders *t = offenders_new(8);

	(void)state;
	for (uint32_t i = 0; i < 20; i++)
		add(t, 0, i, 100 + i);
	assert_int_equal(offenders_n(t), 8);
	for (uint32_t i = 12; i < 20; i++)
		assert_int_equal(count(t, 0, i, 200), 1);
}

static void test_swept_when_forgotten(void **state)
{
	CLEANUP(offenders_freep) struct offenders *t = offenders_new(1000);

	(void)state;
	offenders_set_bounds(t, 1000, 100);
	for (uint32_t i = 0; i < 50; i++)
		add(t, 0, i, 1000);
	add(t, 0, 50, 5000);
	assert_int_equal(count(t, 0, 1, 1280), 1);
	assert_int_equal(count(t, 0, 1, 1281), 0);
	/* A new ban begins to count anew. */
	add(t, 0, 1, 5000);
	assert_int_equal(count(t, 0, 1, 5000), 1);
	offenders_sweep(t, sec(5000), SIZE_MAX);
	assert_int_equal(offenders_n(t), 2);
}

static void test_networks_are_forgotten_whole(void **state)
{
	CLEANUP(offenders_freep) struct offenders *t = offenders_new(1000);
	struct net wide = net(0);

	(void)state;
	for (uint32_t i = 0; i < 512; i++)
		add(t, i % 2, i, 1);
	wide.bits -= 8;
	offenders_forget(t, 0, &wide);
	assert_int_equal(count(t, 0, 2, 1), 0);
	assert_int_equal(count(t, 1, 3, 1), 1);
	assert_int_equal(count(t, 0, 256, 1), 1);
	offenders_forget(t, -1, NULL);
	assert_int_equal(count(t, 1, 3, 1), 0);
}

static void test_restored_ones_are_added(void **state)
{
	CLEANUP(offenders_freep) struct offenders *t = offenders_new(10);
	struct offender o = {
	    .net = net(1), .count = 5, .at = sec(10), .until = sec(20)};

	(void)state;
	assert_int_equal(offenders_restore(t, 0, &o), 0);
	assert_int_equal(offenders_restore(t, 0, &o), 0);
	assert_int_equal(count(t, 0, 1, 30), 5);
	add(t, 1, 1, 100); /* before the store had answered */
	assert_int_equal(offenders_restore(t, 1, &o), 0);
	assert_int_equal(count(t, 1, 1, 100), 6);
	o.count = 0;
	o.net = net(2);
	assert_int_equal(offenders_restore(t, 0, &o), 0);
	assert_int_equal(offenders_n(t), 2);
}

static void test_names(void **state)
{
	CLEANUP(offenders_freep) struct offenders *t = offenders_new(10);
	uint32_t a, b, c;

	(void)state;
	assert_int_equal(offenders_jail(t, "sshd", &a), 0);
	assert_int_equal(offenders_jail(t, "postfix", &b), 0);
	assert_int_equal(offenders_jail(t, "sshd", &c), 0);
	assert_true(a == c && a != b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_many),
	    cmocka_unit_test(test_all_jails),
	    cmocka_unit_test(test_full_the_oldest_go),
	    cmocka_unit_test(test_swept_when_forgotten),
	    cmocka_unit_test(test_networks_are_forgotten_whole),
	    cmocka_unit_test(test_restored_ones_are_added),
	    cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
