/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "proc/guard_watch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../enforce/netns.h"

struct counter {
	struct loop *loop;
	unsigned int n;
};

static void count(void *ctx)
{
	struct counter *c = ctx;

	c->n++;
}

static void stop(void *ctx)
{
	struct counter *c = ctx;

	loop_stop(c->loop);
}

/* How often is there something to read within five times the gathering? */
static unsigned int run(struct counter *c)
{
	struct loop_watch *end = loop_add_timer(c->loop, stop, c);

	assert_non_null(end);
	c->n = 0;
	loop_arm(end, (uint64_t)5 * GUARD_WATCH_GATHER_MS, 0);
	assert_int_equal(loop_run(c->loop), 0);
	loop_watch_free(end);
	return c->n;
}

static void bursts_are_one(void **state)
{
	CLEANUP(loop_freep) struct loop *l = loop_new();
	struct counter c = {.loop = l};

	(void)state;
	assert_non_null(l);
	if (netns_enter() < 0)
		return; /* cannot be shown here */
	struct guard_watch *w = guard_watch_new(l, count, &c);

	assert_non_null(w);
	assert_int_equal(run(&c), 0);
	/* All of it is there before the loop looks, or more than the socket holds. */
	assert_int_equal(
	    netns_run(
		"for i in $(seq 250); do echo addr add 192.0.2.$i/32 dev lo; done "
		"| ip -batch -"),
	    0);
	assert_int_equal(run(&c), 1);
	assert_int_equal(run(&c), 0);
	assert_int_equal(netns_run("ip addr del 192.0.2.9/32 dev lo"), 0);
	assert_int_equal(run(&c), 1);
	assert_null(guard_watch_free(w));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(bursts_are_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
