/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "decide/ignore.h"

static struct net net(const char *text)
{
	struct net n;

	assert_int_equal(net_parse(span_of(text), &n), 0);
	return n;
}

static bool is_ignored(const struct ignore *g, uint32_t jail, const char *who)
{
	struct net n = net(who);

	return ignore_find(g, jail, &n, NULL);
}

static void test_lists_and_own(void **state)
{
	struct net list[] = {
	    net("192.0.2.0/24"), net("2001:db8::/32"), net("192.0.2.7")};
	struct engine_jail jails[] = {{.ignore = list, .n_ignore = 3},
	    {.ignoreself = true}, {.ignore = list, .n_ignore = 1, .ignoreself = true}};
	CLEANUP(ignore_freep) struct ignore *g = ignore_new(jails, 3);
	struct net own[] = {net("203.0.113.5"), net("2001:db8:1::1")}, by, n;

	(void)state;
	assert_true(is_ignored(g, 0, "192.0.2.200"));
	assert_true(is_ignored(g, 0, "2001:db8::5"));
	assert_false(is_ignored(g, 1, "192.0.2.200"));
	assert_false(is_ignored(g, 2, "2001:db8::5"));
	assert_false(is_ignored(g, 1, "203.0.113.5"));
	assert_int_equal(ignore_set_own(g, own, 2), 0);
	assert_true(is_ignored(g, 1, "203.0.113.5"));
	assert_true(is_ignored(g, 2, "2001:db8:1::1"));
	assert_false(is_ignored(g, 0, "203.0.113.5"));
	assert_false(is_ignored(g, 1, "203.0.113.6"));

	n = net("192.0.2.7");
	assert_true(ignore_find(g, 0, &n, &by));
	assert_true(net_eq(&by, &n));
	n = net("192.0.2.8");
	assert_true(ignore_find(g, 0, &n, &by));
	assert_true(net_eq(&by, &list[0]));
	/* Wider than what is exempt. */
	n = net("203.0.113.0/24");
	assert_true(ignore_find(g, 1, &n, &by));
	assert_true(net_eq(&by, &n));
	assert_false(is_ignored(g, 1, "203.0.112.0/24"));
}

static void test_own_is_handed_over(void **state)
{
	struct engine_jail jail = {.ignoreself = true};
	CLEANUP(ignore_freep) struct ignore *g = ignore_new(&jail, 1);
	CLEANUP(ignore_freep) struct ignore *h = ignore_new(&jail, 1);
	struct net own = net("203.0.113.5");

	(void)state;
	assert_int_equal(ignore_set_own(g, &own, 1), 0);
	ignore_take_own(h, g);
	assert_true(is_ignored(h, 0, "203.0.113.5"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_lists_and_own),
	    cmocka_unit_test(test_own_is_handed_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
