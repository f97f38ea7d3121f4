/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "enforce/guard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "netns.h"

static struct net net(const char *text)
{
	struct net n = {{0}, 0};

	assert_int_equal(net_parse(span_of(text), &n), 0);
	return n;
}

static mono_t at_ms(int64_t ms)
{
	return (mono_t){ms * 1000};
}

static struct guard *new_guard(unsigned int max_per_sec)
{
	const struct net ignore[] = {net("203.0.113.0/24"), net("2001:db8:5::/48")};
	struct guard_options o = {.min_prefix_v4 = 16,
	    .min_prefix_v6 = 32,
	    .max_per_sec = max_per_sec,
	    .ignore = ignore,
	    .n_ignore = ARRAY_LEN(ignore)};
	struct guard *g = guard_new(&o);

	assert_non_null(g);
	return g;
}

static void assert_verdict(struct guard *g, const char *text, enum guard_reason want)
{
	struct net n = net(text);
	enum guard_reason got = guard_check(g, &n, at_ms(0));

	if (got != want)
		fail_msg("%s: %s, not %s", text, guard_reason_text(got),
		    guard_reason_text(want));
}

static void add(struct guard *g, enum guard_reason reason, const char *text)
{
	struct net n = net(text);

	assert_int_equal(guard_add(g, reason, &n), 0);
}

static void protected_addresses(void **state)
{
	CLEANUP(guard_freep) struct guard *g = new_guard(0);

	(void)state;
	add(g, GUARD_OWN, "192.0.2.10");
	add(g, GUARD_OWN, "2001:db8::10");
	add(g, GUARD_GATEWAY, "192.0.2.1");
	add(g, GUARD_RESOLVER, "198.51.100.53");
	assert_verdict(g, "192.0.2.10", GUARD_OWN);
	assert_verdict(g, "192.0.2.11", GUARD_OK);
	assert_verdict(g, "2001:db8::10", GUARD_OWN);
	assert_verdict(g, "192.0.2.1", GUARD_GATEWAY);
	assert_verdict(g, "198.51.100.53", GUARD_RESOLVER);
	assert_verdict(g, "203.0.113.77", GUARD_IGNORED);
	assert_verdict(g, "203.0.114.0", GUARD_OK);
	assert_verdict(g, "2001:db8:5::1", GUARD_IGNORED);
	/* Networks that reach over one of them. */
	assert_verdict(g, "192.0.2.0/28", GUARD_OWN);
	assert_verdict(g, "192.0.2.0/30", GUARD_GATEWAY);
	assert_verdict(g, "192.0.2.16/28", GUARD_OK);
	assert_verdict(g, "203.0.0.0/16", GUARD_IGNORED);
	assert_verdict(g, "203.0.113.128/25", GUARD_IGNORED);
	assert_verdict(g, "2001:db8::/32", GUARD_OWN);
}

static void special_addresses(void **state)
{
	static const char *const special[] = {"127.0.0.1", "127.255.0.3", "0.0.0.0",
	    "169.254.7.7", "224.0.0.1", "255.255.255.255", "::", "::1", "fe80::1",
	    "fe80::/64", "ff02::1", "127.0.0.0/8", "169.254.0.0/16", "::/32",
	    "fe80::/10", "96.0.0.0/3"};
	CLEANUP(guard_freep) struct guard *g = new_guard(0);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(special); i++)
		assert_verdict(g, special[i], GUARD_SPECIAL);
	assert_verdict(g, "128.0.0.1", GUARD_OK);
	assert_verdict(g, "10.0.0.1", GUARD_OK);
	assert_verdict(g, "fc00::1", GUARD_OK);
	assert_verdict(g, "0.0.0.0/0", GUARD_IGNORED); /* for more than one reason */
	assert_verdict(g, "::/0", GUARD_IGNORED);
}

static void wide_networks(void **state)
{
	CLEANUP(guard_freep) struct guard *g = new_guard(0);

	(void)state;
	assert_verdict(g, "198.51.0.0/16", GUARD_OK);
	assert_verdict(g, "198.50.0.0/15", GUARD_TOO_WIDE);
	assert_verdict(g, "2001:dead::/32", GUARD_OK);
	assert_verdict(g, "2001:dead::/31", GUARD_TOO_WIDE);
}

static unsigned int n_allowed(struct guard *g, unsigned int n, mono_t now)
{
	struct net one = net("198.51.100.7");
	unsigned int allowed = 0;

	while (n--)
		allowed += guard_check(g, &one, now) == GUARD_OK;
	return allowed;
}

static void ids_harm_nobody(void **state)
{
	const struct guard_options o = {.min_prefix_v4 = 32, .min_prefix_v6 = 128};
	CLEANUP(guard_freep) struct guard *g = guard_new(&o);
	struct net alice;

	(void)state;
	assert_non_null(g);
	assert_int_equal(net_parse_id(SPAN("alice"), &alice), 0);
	assert_int_equal(guard_check(g, &alice, (mono_t){0}), GUARD_OK);
}

static void rate_is_capped(void **state)
{
	CLEANUP(guard_freep) struct guard *g = new_guard(10);

	(void)state;
	assert_int_equal(n_allowed(g, 100, at_ms(5000)), 10);
	assert_int_equal(guard_n_refused(g, GUARD_TOO_FAST), 90);
	assert_int_equal(n_allowed(g, 100, at_ms(5099)), 0);
	assert_int_equal(n_allowed(g, 100, at_ms(5100)), 1);
	assert_int_equal(n_allowed(g, 100, at_ms(5600)), 5);
	assert_int_equal(n_allowed(g, 100, at_ms(5600)), 0);
	/* A quiet hour saves up one second's worth, not more. */
	assert_int_equal(n_allowed(g, 100, at_ms(3600000)), 10);
	/* A clock that seems to go back gives nothing. */
	assert_int_equal(n_allowed(g, 100, at_ms(0)), 0);
}

/* A million that are told again, and one that may not be. */
static void the_cap_is_for_new_bans(void **state)
{
	CLEANUP(guard_freep) struct guard *g = new_guard(2);
	struct net fine = net("192.0.2.1"), never = net("127.0.0.1");

	(void)state;
	for (int i = 0; i < 50; i++)
		assert_int_equal(guard_check_again(g, &fine, at_ms(0)), GUARD_OK);
	assert_int_equal(guard_check_again(g, &never, at_ms(0)), GUARD_SPECIAL);
	assert_int_equal(guard_n_refused(g, GUARD_SPECIAL), 1);
	assert_int_equal(n_allowed(g, 5, at_ms(0)), 2);
}

/* What is refused for another reason takes no place in the second. */
static void refusals_cost_no_tokens(void **state)
{
	CLEANUP(guard_freep) struct guard *g = new_guard(2);

	(void)state;
	for (int i = 0; i < 50; i++)
		assert_verdict(g, "127.0.0.1", GUARD_SPECIAL);
	assert_int_equal(guard_n_refused(g, GUARD_SPECIAL), 50);
	assert_int_equal(n_allowed(g, 5, at_ms(0)), 2);
	assert_int_equal(guard_n_refused(g, GUARD_OK), 0);
}

/* Nor does what waits anyway; what is refused is so at once. */
static void late_ones(void **state)
{
	CLEANUP(guard_freep) struct guard *g = new_guard(2);
	struct net one = net("198.51.100.7"), own = net("127.0.0.1");

	(void)state;
	for (int i = 0; i < 50; i++)
		assert_int_equal(guard_check_late(g, &one, at_ms(0)), GUARD_TOO_FAST);
	assert_int_equal(guard_check_late(g, &own, at_ms(0)), GUARD_SPECIAL);
	assert_int_equal(guard_n_refused(g, GUARD_TOO_FAST), 50);
	assert_int_equal(guard_n_refused(g, GUARD_SPECIAL), 1);
	assert_int_equal(n_allowed(g, 5, at_ms(0)), 2);
}

static void no_cap(void **state)
{
	CLEANUP(guard_freep) struct guard *g = new_guard(0);

	(void)state;
	assert_int_equal(n_allowed(g, 1000, at_ms(0)), 1000);
}

static void reasons_have_words(void **state)
{
	CLEANUP(guard_freep) struct guard *g = new_guard(0);
	struct net n = net("192.0.2.1");

	(void)state;
	for (int i = 0; i < GUARD_N_REASONS; i++)
		assert_true(strlen(guard_reason_text((enum guard_reason)i)) > 3);
	for (int i = 0; i < GUARD_N_REASONS; i++)
		assert_string_not_equal(
		    guard_reason_name((enum guard_reason)i), "other");
	assert_string_equal(guard_reason_name(GUARD_N_REASONS), "other");
	assert_non_null(guard_reason_text(GUARD_N_REASONS));
	assert_int_equal(guard_add(g, GUARD_TOO_FAST, &n), -EINVAL);
	assert_int_equal(guard_add(g, GUARD_N_REASONS, &n), -EINVAL);
	assert_int_equal(guard_n_refused(g, GUARD_N_REASONS), 0);
	assert_null(guard_free(NULL));
}

static bool is_own(const struct guard *g, const char *text)
{
	struct net n = net(text);
	const struct net *own;
	size_t n_own = guard_own(g, &own);

	for (size_t i = 0; i < n_own; i++) {
		if (net_eq(&own[i], &n))
			return true;
	}
	return false;
}

static bool is_news(const struct guard *g, enum guard_reason reason, const char *text)
{
	struct net n = net(text);
	const struct guard_news *news;
	size_t n_news = guard_news(g, &news);

	for (size_t i = 0; i < n_news; i++) {
		if (news[i].reason == reason && net_eq(&news[i].net, &n))
			return true;
	}
	return false;
}

static size_t n_news(const struct guard *g)
{
	const struct guard_news *news;

	return guard_news(g, &news);
}

/* In a network of our own: what the machine says about itself. */
static void machine_is_read(void **state)
{
	CLEANUP(guard_freep) struct guard *g = new_guard(0);
	struct net n;

	(void)state;
	if (netns_enter() < 0)
		return; /* cannot be shown here */
	/* Addresses of the link alone would come at a moment of their own choosing. */
	assert_int_equal(
	    netns_run("ip link add d0 type veth peer name d1 && "
		      "ip link set d0 addrgenmode none && "
		      "ip link set d1 addrgenmode none && "
		      "ip link set d0 up && ip link set d1 up && "
		      "ip addr add 192.0.2.10/24 dev d0 && "
		      "ip addr add 2001:db8::10/64 dev d0 nodad && "
		      "ip route add default via 192.0.2.1 && "
		      "ip route add default metric 9 nexthop via 192.0.2.2 nexthop via "
		      "192.0.2.3 "
		      "&& ip route add default via 192.0.2.4 table 77 && "
		      "ip route add 198.51.100.0/24 via 192.0.2.5 && "
		      "ip -6 route add default via 2001:db8::1 && "
		      "ip -6 route add default metric 2000 nexthop via 2001:db8::2 "
		      "nexthop via 2001:db8::3 && "
		      "ip route add default metric 20 via inet6 2001:db8::6 dev d0"),
	    0);
	(void)guard_refresh(g);
	assert_true(is_own(g, "192.0.2.10") && is_own(g, "2001:db8::10"));
	assert_true(is_own(g, "127.0.0.1") && is_own(g, "::1"));
	assert_verdict(g, "192.0.2.10", GUARD_OWN);
	for (int i = 1; i <= 4; i++) {
		char text[32];

		(void)snprintf(text, sizeof(text), "192.0.2.%d", i);
		assert_verdict(g, text, GUARD_GATEWAY);
	}
	assert_verdict(g, "192.0.2.5", GUARD_OK); /* of one network only */
	assert_verdict(g, "2001:db8::1", GUARD_GATEWAY);
	assert_verdict(g, "2001:db8::2", GUARD_GATEWAY);
	assert_verdict(g, "2001:db8::3", GUARD_GATEWAY);
	assert_verdict(g, "2001:db8::6", GUARD_GATEWAY);

	/* At first all is new; then nothing, while nothing changes. */
	assert_true(is_news(g, GUARD_OWN, "192.0.2.10"));
	assert_true(is_news(g, GUARD_GATEWAY, "2001:db8::3"));
	assert_true(guard_own_changed(g));
	(void)guard_refresh(g);
	assert_int_equal(n_news(g), 0);
	assert_false(guard_own_changed(g));
	/* The same address on two interfaces is one. */
	assert_int_equal(netns_run("ip addr add 192.0.2.10/32 dev d1"), 0);
	(void)guard_refresh(g);
	assert_int_equal(n_news(g), 0);
	assert_false(guard_own_changed(g));
	assert_int_equal(netns_run("ip addr del 192.0.2.10/32 dev d1"), 0);

	/* What is gone is forgotten, what is new is known. */
	assert_int_equal(netns_run("ip addr del 192.0.2.10/24 dev d0 && "
				   "ip addr add 192.0.2.11/24 dev d0"),
	    0);
	(void)guard_refresh(g);
	n = net("192.0.2.10");
	assert_false(is_own(g, "192.0.2.10"));
	assert_int_equal(guard_check(g, &n, at_ms(0)), GUARD_OK);
	assert_verdict(g, "192.0.2.11", GUARD_OWN);
	assert_verdict(g, "192.0.2.1", GUARD_OK);
	assert_true(is_news(g, GUARD_OWN, "192.0.2.11"));
	assert_int_equal(n_news(g), 1);
	assert_true(guard_own_changed(g));
	assert_int_equal(netns_run("ip addr del 192.0.2.11/24 dev d0"), 0);
	(void)guard_refresh(g);
	assert_int_equal(n_news(g), 0);
	assert_true(guard_own_changed(g));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(protected_addresses),
	    cmocka_unit_test(special_addresses),
	    cmocka_unit_test(wide_networks),
	    cmocka_unit_test(ids_harm_nobody),
	    cmocka_unit_test(rate_is_capped),
	    cmocka_unit_test(the_cap_is_for_new_bans),
	    cmocka_unit_test(refusals_cost_no_tokens),
	    cmocka_unit_test(late_ones),
	    cmocka_unit_test(no_cap),
	    cmocka_unit_test(reasons_have_words),
	    cmocka_unit_test(machine_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
