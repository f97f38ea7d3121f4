/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>

#include "decide/group.h"

static struct net net(const char *text)
{
	struct net n;

	assert_int_equal(net_parse(span_of(text), &n), 0);
	return n;
}

static wall_t t(double sec)
{
	return (wall_t){INT64_C(1795000000) * US_PER_SEC + (int64_t)(sec * 1e6)};
}

static size_t add(struct group *g, const char *who, double at, double until,
    unsigned int shortest, struct group_sum out[GROUP_LEVELS])
{
	struct net n = net(who);

	return group_add(g, 0, &n, t(at), t(until), shortest, out);
}

static bool is_net(const struct group_sum *s, const char *text)
{
	struct net n = net(text);

	return net_eq(&s->net, &n);
}

static void test_v4(void **state)
{
	CLEANUP(group_freep) struct group *g = group_new(100);
	struct group_sum s[GROUP_LEVELS];

	(void)state;
	assert_int_equal(add(g, "192.0.2.1", 0, 600, 24, s), 1);
	assert_true(is_net(&s[0], "192.0.2.0/24"));
	assert_int_equal(s[0].n, 1);
	(void)add(g, "192.0.2.1", 10, 610, 24, s);
	assert_int_equal(s[0].n, 1);
	(void)add(g, "192.0.2.2", 10, 610, 24, s);
	assert_int_equal(s[0].n, 2);
	(void)add(g, "192.0.3.2", 10, 610, 24, s);
	assert_int_equal(s[0].n, 1);
	/* A day on these do not count; but one that is still banned. */
	(void)add(g, "192.0.2.3", 20, 1e6, 24, s);
	(void)add(g, "192.0.2.4", 90000, 1e6, 24, s);
	assert_int_equal(s[0].n, 2);
}

static void test_v6(void **state)
{
	CLEANUP(group_freep) struct group *g = group_new(100);
	struct group_sum s[GROUP_LEVELS];

	(void)state;
	assert_int_equal(add(g, "2001:db8:0:101::1", 0, 600, 48, s), 3);
	assert_true(is_net(&s[0], "2001:db8:0:101::/64"));
	assert_true(is_net(&s[1], "2001:db8:0:100::/56"));
	assert_true(is_net(&s[2], "2001:db8::/48"));
	(void)add(g, "2001:db8:0:101::2", 0, 600, 48, s);
	assert_int_equal(s[0].n, 2);
	assert_int_equal(s[1].n, 1);
	(void)add(g, "2001:db8:0:102::1", 0, 600, 48, s);
	assert_int_equal(s[0].n, 1);
	assert_int_equal(s[1].n, 2);
	assert_int_equal(s[2].n, 1);
}

static void test_bounds(void **state)
{
	CLEANUP(group_freep) struct group *g = group_new(100);
	struct group_sum s[GROUP_LEVELS];
	struct net id;

	(void)state;
	assert_int_equal(add(g, "192.0.2.1", 0, 600, 28, s), 1);
	assert_true(is_net(&s[0], "192.0.2.0/28"));
	assert_int_equal(add(g, "192.0.2.1", 0, 600, 16, s), 1);
	assert_true(is_net(&s[0], "192.0.2.0/24"));
	assert_int_equal(add(g, "2001:db8::1", 0, 600, 56, s), 2);
	assert_int_equal(add(g, "192.0.2.0/30", 0, 600, 24, s), 0);
	assert_int_equal(net_parse_id(span_of("alice"), &id), 0);
	assert_int_equal(group_add(g, 0, &id, t(0), t(9), 24, s), 0);
}

static void test_lifted_bans_do_not_count(void **state)
{
	CLEANUP(group_freep) struct group *g = group_new(100);
	struct group_sum s[GROUP_LEVELS];
	struct net one = net("192.0.2.1"), all = net("192.0.2.0/24");

	(void)state;
	(void)add(g, "192.0.2.1", 0, 600, 24, s);
	(void)add(g, "192.0.2.2", 0, 600, 24, s);
	group_remove(g, 0, &one, 24);
	(void)add(g, "192.0.2.3", 0, 600, 24, s);
	assert_int_equal(s[0].n, 2);
	group_forget(g, 0, &all);
	(void)add(g, "192.0.2.4", 0, 600, 24, s);
	assert_int_equal(s[0].n, 1);
}

static void test_offenders(void **state)
{
	CLEANUP(group_freep) struct group *g = group_new(100);
	struct group_sum s[GROUP_LEVELS];
	struct net n;

	(void)state;
	for (int i = 0; i < 5; i++) {
		struct net who = net_from_v4(htonl(0xc0000201 + (uint32_t)i));

		assert_int_equal(
		    group_offend(g, 0, &who, t(100 * i), t(100 * i - 250), 24, &n),
		    i < 3 ? i + 1 : 3);
	}
	assert_int_equal(net_prefix_len(&n), 24);
	/* Who failed is not who was banned. */
	(void)add(g, "192.0.2.1", 0, 600, 24, s);
	assert_int_equal(s[0].n, 1);
}

static void test_is_not_asked_all_the_time(void **state)
{
	CLEANUP(group_freep) struct group *g = group_new(100);
	struct net n = net("192.0.2.0/24");

	(void)state;
	assert_true(group_may_ask(g, 0, &n, t(0)));
	assert_false(group_may_ask(g, 0, &n, t(GROUP_ASK_SEC - 1)));
	assert_true(group_may_ask(g, 1, &n, t(1)));
	assert_true(group_may_ask(g, 0, &n, t(GROUP_ASK_SEC)));
	group_forget(g, 0, &n);
	assert_true(group_may_ask(g, 0, &n, t(GROUP_ASK_SEC)));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_v4),
	    cmocka_unit_test(test_v6),
	    cmocka_unit_test(test_bounds),
	    cmocka_unit_test(test_lifted_bans_do_not_count),
	    cmocka_unit_test(test_offenders),
	    cmocka_unit_test(test_is_not_asked_all_the_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
