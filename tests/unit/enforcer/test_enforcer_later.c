/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "enforcer/enforcer_later.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define LOTS 2500

/* Who carries them out: so many at each try, in what order? */
struct carrier {
	struct loop *loop;
	struct enforcer_later *later;
	uint32_t at_a_try, left;
	uint32_t n_tries, n_done;
	bool is_in_order;
};

static uint32_t carry(void *ctx, const struct order *orders, uint32_t n)
{
	struct carrier *c = ctx;

	c->n_tries++;
	if (n > c->left)
		n = c->left;
	for (uint32_t i = 0; i < n; i++)
		c->is_in_order &= orders[i].jail == c->n_done++;
	c->left -= n;
	return n;
}

static void stop(void *ctx)
{
	struct carrier *c = ctx;

	/* Each try is a new bit of time, in which more may go. */
	c->left = c->at_a_try;
	if (!enforcer_later_any(c->later))
		loop_stop(c->loop);
}

static void add(struct carrier *c, uint32_t from, uint32_t to)
{
	for (uint32_t i = from; i < to; i++)
		enforcer_later_add(c->later, &(struct order){.jail = i});
}

static void first_in_first_out(void **state)
{
	CLEANUP(loop_freep) struct loop *l = loop_new();
	struct carrier c = {.loop = l, .at_a_try = 900, .is_in_order = true};

	(void)state;
	assert_non_null(l);
	struct loop_watch *again = loop_add_prepare(l, stop, &c);

	assert_non_null(again);
	c.later = enforcer_later_new(l, carry, &c);
	assert_non_null(c.later);
	assert_false(enforcer_later_any(c.later));
	add(&c, 0, LOTS);
	assert_true(enforcer_later_any(c.later));
	assert_int_equal(loop_run(l), 0);
	assert_int_equal(c.n_done, LOTS);
	assert_true(c.is_in_order);
	assert_true(c.n_tries >= 3 && c.n_tries <= 6);
	/* Once more, all in one try; and none of those that are let go. */
	c.at_a_try = UINT32_MAX;
	add(&c, LOTS, LOTS + 7);
	assert_int_equal(loop_run(l), 0);
	assert_int_equal(c.n_done, LOTS + 7);
	add(&c, 0, LOTS);
	enforcer_later_clear(c.later);
	assert_false(enforcer_later_any(c.later));
	add(&c, LOTS + 7, LOTS + 8);
	assert_int_equal(loop_run(l), 0);
	assert_int_equal(c.n_done, LOTS + 8);
	assert_true(c.is_in_order);
	loop_watch_free(again);
	assert_null(enforcer_later_free(c.later));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(first_in_first_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
