/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "enforce/nft_private.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>

static struct net net(const char *text)
{
	struct net n = {{0}, 0};

	assert_int_equal(net_parse(span_of(text), &n), 0);
	return n;
}

static const char *name_of(const char *jail, unsigned int suffix)
{
	static char out[32][NFT_SET_NAME_BYTES - 8];
	static int i;

	i = (i + 1) % 32;
	memset(out[i], 'Z', sizeof(out[i]));
	nft_target_name(out[i], jail, suffix);
	assert_true(strnlen(out[i], sizeof(out[i])) < sizeof(out[i]));
	return out[i];
}

static void plain_names_stay(void **state)
{
	(void)state;
	assert_string_equal(name_of("sshd", 0), "sshd");
	assert_string_equal(name_of("postfix-sasl", 0), "postfix-sasl");
	assert_string_equal(name_of("Mail_2", 0), "Mail_2");
	assert_string_equal(name_of("sshd", 1), "sshd-t1");
	assert_string_equal(name_of("sshd", 4294967295u), "sshd-t4294967295");
}

static void other_names_get_a_hash(void **state)
{
	static const char *const jails[] = {"a b", "a_b", "a.b", "a/b", "", "3proxy",
	    "-x", "jail\xc3\xa9", "jail\n", "sshd-t1", "sshd-xab12",
	    "a-very-long-jail-name-that-goes-on-and-on-and-on-for-ever-1",
	    "a-very-long-jail-name-that-goes-on-and-on-and-on-for-ever-2"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(jails); i++) {
		const char *a = name_of(jails[i], 0);
		struct nft_target t = {0};
		struct nft_own_target own;

		memcpy(t.name, a, strlen(a) + 1);
		assert_int_equal(nft_own_target_init(&own, &t), 0);
		assert_true(
		    (a[0] >= 'a' && a[0] <= 'z') || (a[0] >= 'A' && a[0] <= 'Z'));
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(a, name_of(jails[k], 0));
		assert_string_not_equal(a, name_of(jails[i], 1));
	}
	assert_string_not_equal(name_of("sshd-t1", 0), name_of("sshd", 1));
	assert_memory_equal(name_of("3proxy", 0), "j3proxy-x", 9);
	assert_memory_equal(name_of("a b", 0), "a_b-x", 5);
	assert_string_equal(name_of("a b", 0), name_of("a b", 0));
}

static void longest_names_fit(void **state)
{
	char jail[300], text[NFT_SET_NAME_ROOM];
	struct nft_own_target own = {0};
	struct nft_set s = {0, true, 127}, back = {0};

	(void)state;
	memset(jail, '!', sizeof(jail));
	jail[299] = '\0';
	for (size_t n = 0; n < sizeof(jail); n++)
		(void)name_of(jail + n, 4294967295u);
	memset(own.t.name, 'a', sizeof(own.t.name) - 1);
	nft_set_name(&own, &s, text);
	assert_int_equal(strlen(text), NFT_SET_NAME_BYTES - 9 + strlen("-net6-127"));
	assert_true(nft_set_parse(&own, span_of(text), &back));
	assert_int_equal(back.bits, 127);
}

static void set_names_are_read_back(void **state)
{
	static const char *const good[] = {"a-ipv4", "a-ipv6", "a-net4-1", "a-net4-24",
	    "a-net4-31", "a-net6-64", "a-net6-127"};
	static const char *const bad[] = {"a", "a-", "a-ipv5", "a-ipv44", "b-ipv4",
	    "a-net4", "a-net4-", "a-net4-0", "a-net4-32", "a-net4-024", "a-net4-+8",
	    "a-net4--1", "a-net6-128", "a-net5-24", "ab-ipv4", "", "a-net4-24x",
	    "A-ipv4"};
	struct nft_own_target own = {.t = {.name = "a"}};
	char text[NFT_SET_NAME_ROOM];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		struct nft_set s = {.target = 7};

		assert_true(nft_set_parse(&own, span_of(good[i]), &s));
		assert_int_equal(s.target, 7);
		nft_set_name(&own, &s, text);
		assert_string_equal(text, good[i]);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct nft_set s = {9, true, 3};

		if (nft_set_parse(&own, span_of(bad[i]), &s))
			fail_msg("'%s' was taken for a set", bad[i]);
		assert_int_equal(s.bits, 3);
	}
}

static void networks_go_to_sets_by_length(void **state)
{
	struct net n = net("192.0.2.1");
	struct nft_set s = nft_set_of(2, &n);
	size_t n_bytes;

	(void)state;
	assert_false(s.is_v6 || nft_set_is_net(&s));
	assert_int_equal(s.target, 2);
	assert_memory_equal(nft_set_key(&n, &n_bytes), "\300\0\2\1", 4);
	assert_int_equal(n_bytes, 4);
	n = net("192.0.2.0/31");
	s = nft_set_of(0, &n);
	assert_true(nft_set_is_net(&s) && s.bits == 31);
	n = net("2001:db8::/32");
	s = nft_set_of(0, &n);
	assert_true(s.is_v6 && nft_set_is_net(&s) && s.bits == 32);
	(void)nft_set_key(&n, &n_bytes);
	assert_int_equal(n_bytes, 16);
	n = net("2001:db8::1");
	s = nft_set_of(0, &n);
	assert_true(s.is_v6 && !nft_set_is_net(&s));
}

static struct nft_own_target ports(size_t n, const struct nft_ports *p)
{
	struct nft_target t = {.name = "a", .protocol = IPPROTO_TCP, .n_ports = n};
	struct nft_own_target own;

	memcpy(t.ports, p, n * sizeof(*p));
	assert_int_equal(nft_own_target_init(&own, &t), 0);
	return own;
}

static void assert_ports(const struct nft_own_target *own, const char *want)
{
	char text[512] = "";

	for (size_t i = 0; i < own->t.n_ports; i++)
		(void)snprintf(text + strlen(text), sizeof(text) - strlen(text),
		    "%u-%u ", own->t.ports[i].from, own->t.ports[i].to);
	assert_string_equal(text, want);
}

static void ports_are_sorted_and_merged(void **state)
{
	struct nft_own_target own;

	(void)state;
	own = ports(4, (struct nft_ports[]){{25, 25}, {22, 22}, {25, 25}, {26, 26}});
	assert_true(own.are_ports_single);
	assert_ports(&own, "22-22 25-25 26-26 ");
	own = ports(4, (struct nft_ports[]){{30, 40}, {10, 29}, {35, 36}, {50, 50}});
	assert_false(own.are_ports_single);
	assert_ports(&own, "10-40 50-50 ");
	own = ports(3, (struct nft_ports[]){{1, 1}, {2, 2}, {3, 9}});
	assert_ports(&own, "1-9 ");
	own = ports(2, (struct nft_ports[]){{60000, 65535}, {65535, 65535}});
	assert_ports(&own, "60000-65535 ");
	own = ports(2, (struct nft_ports[]){{0, 100}, {101, 65535}});
	assert_int_equal(own.t.n_ports, 0); /* that is all of them */
	own = ports(1, (struct nft_ports[]){{0, 65534}});
	assert_ports(&own, "0-65534 ");
}

static void bad_targets_are_refused(void **state)
{
	struct nft_target good = {.name = "a", .n_ports = 1, .ports = {{1, 2}}}, t;
	struct nft_own_target own;

	(void)state;
	assert_int_equal(nft_own_target_init(&own, &good), 0);
	t = good;
	t.ports[0].to = 0;
	assert_int_equal(nft_own_target_init(&own, &t), -EINVAL);
	t = good;
	t.n_ports = NFT_MAX_PORT_RANGES + 1;
	assert_int_equal(nft_own_target_init(&own, &t), -EINVAL);
	t = good;
	memset(t.interface, 'e', sizeof(t.interface));
	assert_int_equal(nft_own_target_init(&own, &t), -EINVAL);
	t = good;
	memset(t.name, 'a', sizeof(t.name));
	assert_int_equal(nft_own_target_init(&own, &t), -EINVAL);
	t = good;
	t.name[0] = '\0';
	assert_int_equal(nft_own_target_init(&own, &t), -EINVAL);
	t = good;
	t.name[0] = '%'; /* the kernel would number it */
	assert_int_equal(nft_own_target_init(&own, &t), -EINVAL);
	t = good;
	t.protocol = IPPROTO_ICMP;
	assert_int_equal(nft_own_target_init(&own, &t), 0);
	assert_int_equal(own.t.n_ports, 0);
}

/* What is too large marks the batch instead of writing on. */
static void batches_are_bounded(void **state)
{
	struct nft_batch b = NFT_BATCH_INIT("t", 200);
	struct nft_batch large = NFT_BATCH_INIT("t", 1 << 20);
	static const char bytes[NFT_ATTR_MAX_BYTES];
	size_t nest;

	(void)state;
	nft_batch_begin(&b, 1, 0);
	nft_batch_message(&b, 0, 0);
	for (int i = 0; i < 100; i++)
		nft_batch_put_be32(&b, 1, 2);
	assert_int_equal(nft_batch_end(&b), -EMSGSIZE);
	nft_batch_begin(&b, 1, 0);
	assert_int_equal(nft_batch_end(&b), 0);
	nft_batch_deinit(&b);

	nft_batch_begin(&large, 1, 0);
	nft_batch_message(&large, 0, 0);
	nest = nft_batch_nest(&large, 1);
	nft_batch_put(&large, 1, bytes, 40000);
	nft_batch_put(&large, 1, bytes, 40000);
	nft_batch_nest_end(&large, nest);
	assert_int_equal(nft_batch_end(&large), -EMSGSIZE);
	nft_batch_deinit(&large);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(plain_names_stay),
	    cmocka_unit_test(other_names_get_a_hash),
	    cmocka_unit_test(longest_names_fit),
	    cmocka_unit_test(set_names_are_read_back),
	    cmocka_unit_test(networks_go_to_sets_by_length),
	    cmocka_unit_test(ports_are_sorted_and_merged),
	    cmocka_unit_test(bad_targets_are_refused),
	    cmocka_unit_test(batches_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
