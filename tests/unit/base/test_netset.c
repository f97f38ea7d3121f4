/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/netset.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

static struct net net(const char *text)
{
	struct net n = {{0}, 0};

	assert_int_equal(net_parse(span_of(text), &n), 0);
	return n;
}

static void add(struct netset *s, const char *text)
{
	struct net n = net(text);

	assert_int_equal(netset_add(s, &n), 0);
}

/* What netset_find() says, as text; "" when nothing holds @text. */
static const char *find(const struct netset *s, const char *text)
{
	static char out[NET_TEXT_BYTES];
	struct net n = net(text), found;

	out[0] = '\0';
	if (netset_find(s, &n, &found))
		net_format(&found, out);
	assert_int_equal(netset_find(s, &n, NULL), out[0] != '\0');
	return out;
}

static bool overlaps(const struct netset *s, const char *text)
{
	struct net n = net(text);

	return netset_overlaps(s, &n);
}

static void empty_holds_nothing(void **state)
{
	CLEANUP(netset_freep) struct netset *s = netset_new();

	(void)state;
	assert_non_null(s);
	assert_string_equal(find(s, "192.0.2.1"), "");
	assert_false(overlaps(s, "0.0.0.0/0"));
	assert_int_equal(netset_count(s), 0);
	assert_null(netset_free(NULL));
}

static void longest_prefix_wins(void **state)
{
	CLEANUP(netset_freep) struct netset *s = netset_new();

	(void)state;
	add(s, "10.0.0.0/8");
	add(s, "10.1.0.0/16");
	add(s, "10.1.2.3");
	add(s, "10.1.2.0/24");
	add(s, "10.1.0.0/16");
	assert_int_equal(netset_count(s), 4);
	assert_string_equal(find(s, "10.1.2.3"), "10.1.2.3");
	assert_string_equal(find(s, "10.1.2.4"), "10.1.2.0/24");
	assert_string_equal(find(s, "10.1.3.3"), "10.1.0.0/16");
	assert_string_equal(find(s, "10.2.0.0"), "10.0.0.0/8");
	assert_string_equal(find(s, "11.0.0.0"), "");
	assert_string_equal(find(s, "9.255.255.255"), "");
	assert_string_equal(find(s, "10.1.2.0/24"), "10.1.2.0/24");
	assert_string_equal(find(s, "10.1.2.0/25"), "10.1.2.0/24");
	assert_string_equal(find(s, "10.1.2.0/23"), "10.1.0.0/16");
	assert_string_equal(find(s, "10.0.0.0/7"), "");
}

static void families_stay_apart(void **state)
{
	CLEANUP(netset_freep) struct netset *s = netset_new();

	(void)state;
	add(s, "::/0");
	assert_string_equal(find(s, "2001:db8::1"), "::/0");
	assert_string_equal(find(s, "192.0.2.1"), "");
	assert_false(overlaps(s, "0.0.0.0/0"));
	add(s, "0.0.0.0/0");
	assert_string_equal(find(s, "192.0.2.1"), "0.0.0.0/0");
	assert_string_equal(find(s, "::1"), "::/0");
	assert_string_equal(find(s, "0.0.0.0/0"), "0.0.0.0/0");
}

static void overlaps_both_ways(void **state)
{
	CLEANUP(netset_freep) struct netset *s = netset_new();

	(void)state;
	add(s, "10.1.0.0/16");
	add(s, "2001:db8::1");
	assert_true(overlaps(s, "10.1.2.3"));
	assert_true(overlaps(s, "10.1.2.0/24"));
	assert_true(overlaps(s, "10.1.0.0/16"));
	assert_true(overlaps(s, "10.0.0.0/15"));
	assert_true(overlaps(s, "0.0.0.0/0"));
	assert_false(overlaps(s, "10.0.0.0/16"));
	assert_false(overlaps(s, "10.2.0.0/15"));
	assert_false(overlaps(s, "10.2.0.0"));
	assert_true(overlaps(s, "2001:db8::/32"));
	assert_false(overlaps(s, "2001:db8::2/127"));
	assert_true(overlaps(s, "2001:db8::/127"));
}

static void ids_are_in_no_set(void **state)
{
	CLEANUP(netset_freep) struct netset *s = netset_new();
	struct net alice;

	(void)state;
	assert_int_equal(net_parse_id(SPAN("alice"), &alice), 0);
	add(s, "0.0.0.0/0");
	add(s, "::/0");
	assert_int_equal(netset_add(s, &alice), -EINVAL);
	assert_false(netset_find(s, &alice, NULL));
	assert_false(netset_overlaps(s, &alice));
}

static void refuses_beyond_its_cap(void **state)
{
	CLEANUP(netset_freep) struct netset *s = netset_new();
	struct net n;

	(void)state;
	for (uint32_t i = 0; i < NETSET_MAX; i++) {
		n = net_from_v4(i);
		assert_int_equal(netset_add(s, &n), 0);
	}
	n = net_from_v4(NETSET_MAX);
	assert_int_equal(netset_add(s, &n), -ENOSPC);
	assert_false(netset_find(s, &n, NULL));
	n = net_from_v4(NETSET_MAX - 1);
	assert_int_equal(netset_add(s, &n), 0); /* it is there */
	assert_true(netset_find(s, &n, NULL));
	assert_int_equal(netset_count(s), NETSET_MAX);
}

/* Few distinct bits, so that networks nest and neighbour; IPv4, IPv6, hosts. */
static struct net some_net(uint32_t *seed)
{
	struct net n;

	*seed = *seed * 1664525 + 1013904223;
	n = net_from_v4(*seed & 0x03c00f0f);
	if (*seed >> 28 < 4)
		n.addr[0] = 0x20;
	return net_cut(n, *seed >> 30 ? 100 + *seed % 29 : *seed % 129);
}

static void agrees_with_a_plain_search(void **state)
{
	static const size_t sizes[] = {1, 2, 5, 8, 9, 10, 300};
	struct net all[300];
	uint32_t seed = 1;

	(void)state;
	for (size_t k = 0; k < ARRAY_LEN(sizes); k++) {
		CLEANUP(netset_freep) struct netset *s = netset_new();
		size_t n_all = sizes[k];

		for (size_t i = 0; i < n_all; i++) {
			all[i] = some_net(&seed);
			assert_int_equal(netset_add(s, &all[i]), 0);
		}
		for (int probe = 0; probe < 2000; probe++) {
			struct net n = some_net(&seed), got, *want = NULL;
			bool reaches = false;

			for (size_t i = 0; i < n_all; i++) {
				if (net_contains(&all[i], &n) &&
				    (!want || all[i].bits > want->bits))
					want = &all[i];
				reaches |= net_contains(&n, &all[i]);
			}
			assert_int_equal(netset_find(s, &n, &got), want != NULL);
			if (want)
				assert_true(net_eq(&got, want));
			assert_int_equal(
			    netset_overlaps(s, &n), want != NULL || reaches);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(empty_holds_nothing),
	    cmocka_unit_test(longest_prefix_wins),
	    cmocka_unit_test(families_stay_apart),
	    cmocka_unit_test(overlaps_both_ways),
	    cmocka_unit_test(ids_are_in_no_set),
	    cmocka_unit_test(refuses_beyond_its_cap),
	    cmocka_unit_test(agrees_with_a_plain_search),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
