/* SPDX-License-Identifier: GPL-2.0-or-later */

/* join: who is bound to what, for how long, and what a flood of ids does */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdlib.h>

#include "match/join.h"

#define T0 1124013600

static wall_t at(int64_t sec)
{
	return wall_from_sec(T0 + sec);
}

static struct net net(uint32_t n)
{
	uint8_t addr[16] = {0x20, 0x01, 0x0d, 0xb8};

	memcpy(addr + 12, &n, sizeof(n));
	return net_from_v6(addr);
}

static int bind_to(struct join *j, uint64_t id, uint32_t n, int64_t sec)
{
	struct net to = net(n);

	return join_bind(j, id, &to, at(sec));
}

/* Return: whether @id is bound to address @n. */
static bool is_bound(const struct join *j, uint64_t id, uint32_t n, int64_t sec)
{
	struct net found, wanted = net(n);

	return join_find(j, id, at(sec), &found) && net_eq(&found, &wanted);
}

static bool is_unknown(const struct join *j, uint64_t id, int64_t sec)
{
	struct net found;

	return !join_find(j, id, at(sec), &found);
}

static void an_id_stands_for_its_address(void **state)
{
	CLEANUP(join_freep) struct join *j = join_new(0);

	(void)state;
	assert_true(is_unknown(j, 7, 0));
	assert_int_equal(bind_to(j, 7, 1, 0), 0);
	assert_int_equal(bind_to(j, 8, 2, 0), 0);
	assert_true(is_bound(j, 7, 1, 1));
	assert_true(is_bound(j, 8, 2, 1));
	/* A process serves the next client. */
	assert_int_equal(bind_to(j, 7, 3, 2), 0);
	assert_true(is_bound(j, 7, 3, 2));
	assert_int_equal(join_count(j), 2);
}

static void it_is_forgotten_after_an_hour(void **state)
{
	CLEANUP(join_freep) struct join *j = join_new(0);

	(void)state;
	assert_int_equal(bind_to(j, 7, 1, 0), 0);
	assert_true(is_bound(j, 7, 1, JOIN_LIFE_SEC));
	assert_true(is_unknown(j, 7, JOIN_LIFE_SEC + 1));
	/* Bound anew it lasts anew. */
	assert_int_equal(bind_to(j, 7, 1, JOIN_LIFE_SEC), 0);
	assert_true(is_bound(j, 7, 1, 2 * JOIN_LIFE_SEC));
	/* What is over goes as others come. */
	for (uint32_t i = 0; i < 10; i++)
		assert_int_equal(bind_to(j, 100 + i, i, 3 * JOIN_LIFE_SEC), 0);
	assert_int_equal(join_count(j), 10);
	assert_int_equal(join_n_forgotten(j), 0);
}

static void an_older_line_changes_nothing(void **state)
{
	CLEANUP(join_freep) struct join *j = join_new(0);

	(void)state;
	assert_int_equal(bind_to(j, 7, 1, 100), 0);
	assert_int_equal(bind_to(j, 7, 2, 99), JOIN_YOUNGER);
	assert_int_equal(bind_to(j, 7, 1, 99), 0);
	assert_true(is_bound(j, 7, 1, 100));
	/* Nor is one about somebody who came later, save for a blink. */
	assert_true(is_bound(j, 7, 1, 100 - JOIN_EARLY_SEC));
	assert_true(is_unknown(j, 7, 100 - JOIN_EARLY_SEC - 1));
	/* Two in one second: the later line. */
	assert_int_equal(bind_to(j, 7, 2, 100), 0);
	assert_true(is_bound(j, 7, 2, 100));
}

/* A clock that was ahead does not hold an id for years. */
static void a_time_far_away_is_over(void **state)
{
	CLEANUP(join_freep) struct join *j = join_new(0);
	struct net one = net(1), found;

	(void)state;
	assert_int_equal(bind_to(j, 7, 1, 86400 * 365), 0);
	assert_true(is_unknown(j, 7, 0));
	assert_int_equal(bind_to(j, 7, 2, 0), 0);
	assert_true(is_bound(j, 7, 2, 0));
	assert_int_equal(join_bind(j, 9, &one, WALL_NONE), 0);
	assert_false(join_find(j, 7, WALL_NONE, &found));
	assert_false(join_find(j, 7, WALL_NEVER, &found));
	assert_true(is_bound(j, 7, 2, 1));
}

static void a_flood_forgets_the_oldest(void **state)
{
	const uint32_t n = 100000;
	CLEANUP(join_freep) struct join *j = join_new(0);

	(void)state;
	for (uint32_t i = 0; i < n; i++)
		assert_int_equal(bind_to(j, i, i, 0), 0);
	assert_int_equal(join_count(j), JOIN_MAX);
	assert_int_equal(join_n_forgotten(j), n - JOIN_MAX);
	for (uint32_t i = 0; i < n; i++)
		assert_true(
		    i < n - JOIN_MAX ? is_unknown(j, i, 1) : is_bound(j, i, i, 1));
	/* Who is bound again is the youngest. */
	assert_int_equal(bind_to(j, n - JOIN_MAX, 7, 2), 0);
	assert_int_equal(bind_to(j, n, n, 2), 0);
	assert_true(is_bound(j, n - JOIN_MAX, 7, 3));
	assert_true(is_unknown(j, n - JOIN_MAX + 1, 3));
}

static void ids_are_told_apart(void **state)
{
	(void)state;
	assert_true(join_id(1, SPAN("a")) == join_id(1, SPAN("a")));
	assert_true(join_id(1, SPAN("a")) != join_id(2, SPAN("a")));
	assert_true(join_id(1, SPAN("a")) != join_id(1, SPAN("A")));
	assert_true(join_id(1, SPAN("a\0b")) != join_id(1, SPAN("a\0c")));
	assert_true(join_id(1, SPAN("a\0")) != join_id(1, SPAN("a")));
}

/* Against a list that is searched from its young end. */
static void it_is_as_a_plain_list_has_it(void **state)
{
	enum { IDS = 24, ROOM = 8, STEPS = 20000 };
	struct {
		uint64_t id;
		uint32_t to;
		int64_t sec;
	} list[ROOM + 1];
	size_t n = 0;
	CLEANUP(join_freep) struct join *j = join_new(ROOM);

	(void)state;
	srand(1);
	for (int step = 0; step < STEPS; step++) {
		uint64_t id = (uint64_t)(rand() % IDS) * 64; /* one bucket */
		uint32_t to = (uint32_t)(rand() % 3);
		int64_t sec = step / 4 + rand() % 3;
		size_t i = 0;

		while (i < n && list[i].id != id)
			i++;
		if (i < n && sec < list[i].sec) {
			assert_int_equal(bind_to(j, id, to, sec),
			    to == list[i].to ? 0 : JOIN_YOUNGER);
			continue;
		}
		assert_int_equal(bind_to(j, id, to, sec), 0);
		if (i == n && n == ROOM)
			i = 0;
		if (i < n)
			memmove(&list[i], &list[i + 1], (--n - i) * sizeof(list[0]));
		list[n].id = id;
		list[n].to = to;
		list[n++].sec = sec;
		assert_int_equal(join_count(j), n);
		for (i = 0; i < n; i++)
			assert_true(is_bound(j, list[i].id, list[i].to, list[i].sec));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_id_stands_for_its_address),
	    cmocka_unit_test(it_is_forgotten_after_an_hour),
	    cmocka_unit_test(an_older_line_changes_nothing),
	    cmocka_unit_test(a_time_far_away_is_over),
	    cmocka_unit_test(a_flood_forgets_the_oldest),
	    cmocka_unit_test(ids_are_told_apart),
	    cmocka_unit_test(it_is_as_a_plain_list_has_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
