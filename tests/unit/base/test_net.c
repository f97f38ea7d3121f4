/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/net.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/un.h>

static struct net net(const char *text)
{
	struct net n = {{0}, 0};

	if (net_parse(span_of(text), &n) < 0)
		fail_msg("'%s' was refused", text);
	return n;
}

static void parses_and_formats(void **state)
{
	static const struct {
		const char *in;
		const char *out;
		unsigned int len;
		bool v4;
	} cases[] = {
	    {"192.0.2.1", "192.0.2.1", 32, true},
	    {"192.0.2.1/32", "192.0.2.1", 32, true},
	    {"192.0.2.255/31", "192.0.2.254/31", 31, true},
	    {"192.0.2.77/24", "192.0.2.0/24", 24, true},
	    {"192.0.2.77/23", "192.0.2.0/23", 23, true},
	    {"192.0.3.77/23", "192.0.2.0/23", 23, true},
	    {"255.255.255.255/1", "128.0.0.0/1", 1, true},
	    {"192.0.2.77/0", "0.0.0.0/0", 0, true},
	    {"192.0.2.77/255.255.255.0", "192.0.2.0/24", 24, true},
	    {"192.0.2.77/255.255.255.255", "192.0.2.77", 32, true},
	    {"192.0.2.77/128.0.0.0", "128.0.0.0/1", 1, true},
	    {"192.0.2.77/0.0.0.0", "0.0.0.0/0", 0, true},
	    {"0.0.0.0", "0.0.0.0", 32, true},
	    {"[192.0.2.1]", "192.0.2.1", 32, true},
	    {"::ffff:192.0.2.1", "192.0.2.1", 32, true},
	    {"::FFFF:c000:201", "192.0.2.1", 32, true},
	    {"[::ffff:192.0.2.1]", "192.0.2.1", 32, true},
	    {"::ffff:192.0.2.1/128", "192.0.2.1", 32, true},
	    {"::ffff:192.0.2.1/120", "192.0.2.0/24", 24, true},
	    {"::ffff:192.0.2.1/96", "0.0.0.0/0", 0, true},
	    {"::ffff:192.0.2.1/95", "::fffe:0:0/95", 95, false},
	    {"::ffff:192.0.2.1/64", "::/64", 64, false},
	    {"::", "::", 128, false},
	    {"::/0", "::/0", 0, false},
	    {"::1", "::1", 128, false},
	    {"[2001:DB8::1]", "2001:db8::1", 128, false},
	    {"2001:db8:ffff::1/33", "2001:db8:8000::/33", 33, false},
	    {"2001:db8::1/32", "2001:db8::/32", 32, false},
	    {"2001:db8::1/127", "2001:db8::/127", 127, false},
	    {"2001:db8::1/128", "2001:db8::1", 128, false},
	    {"::192.0.2.1", "::192.0.2.1", 128, false},
	    {"1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8", 128, false},
	    {"ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255/127",
		"ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe/127", 127, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct net n = net(cases[i].in), again;
		char text[NET_TEXT_BYTES];

		net_format(&n, text);
		assert_string_equal(text, cases[i].out);
		assert_int_equal(net_prefix_len(&n), cases[i].len);
		assert_int_equal(net_is_v4(&n), cases[i].v4);
		assert_int_equal(net_is_host(&n), n.bits == 128);
		again = net(text);
		assert_true(net_eq(&n, &again));
	}
}

static void refuses_hostile_text(void **state)
{
	static const char *const bad[] = {"", " ", "/", "/24", "1", "1.2.3",
	    "1.2.3.4.5", "256.0.0.1", "1.2.3.04", "01.2.3.4", "0x7f.0.0.1",
	    "2130706433", "1.2.3.4 ", " 1.2.3.4", "1.2.3.4\n", "+1.2.3.4", "1.2.3.4/",
	    "1.2.3.4/33", "1.2.3.4/-1", "1.2.3.4/+1", "1.2.3.4/ 24", "1.2.3.4/24/24",
	    "1.2.3.4/024", "1.2.3.4/00", "1.2.3.4/1e1", "1.2.3.4/4294967320",
	    "1.2.3.4/255.0.255.0", "1.2.3.4/0.0.0.255", "1.2.3.4/255.255.255",
	    "1.2.3.4/::ffff:255.255.255.0", "1.2.3.4/ffff::", "1.2.3.4/[255.0.0.0]",
	    "2001:db8::/129", "2001:db8::/ffff::", "2001:db8::/255.0.0.0", "::1/", ":",
	    ":::", "1::2::3", "12345::", "1:2:3:4:5:6:7:8:9", "fe80::1%eth0",
	    "fe80::1%1", "[::1", "::1]", "[]", "[[::1]]", "[::1]/64", "[::1/64]",
	    "[1.2.3.4]/24", "[", "]", "[]/0", "::ffff:1.2.3.256", "localhost",
	    "1.2.3.4;reboot", "\xd9\xa1.2.3.4",
	    "0000:0000:0000:0000:0000:0000:0000:0000:0000",
	    "11111111111111111111111111111111111111111111111111111111111111111111111"};
	struct net n = {{1}, 2};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (net_parse(span_of(bad[i]), &n) != -EINVAL)
			fail_msg("'%s' was taken", bad[i]);
	assert_int_equal(net_parse(SPAN("1.2.3.4\0"), &n), -EINVAL);
	assert_int_equal(net_parse(SPAN("1.2.3.4\0/24"), &n), -EINVAL);
	assert_int_equal(net_parse(SPAN("1.2.3.4/24\0"), &n), -EINVAL);
	assert_int_equal(net_parse((struct span){NULL, 0}, &n), -EINVAL);
	assert_true(n.addr[0] == 1 && n.bits == 2);
}

static void addr_takes_no_prefix(void **state)
{
	struct net n;

	(void)state;
	assert_int_equal(net_parse_addr(SPAN("192.0.2.1"), &n), 0);
	assert_int_equal(net_parse_addr(SPAN("[2001:db8::1]"), &n), 0);
	assert_int_equal(net_parse_addr(SPAN("192.0.2.1/32"), &n), -EINVAL);
	assert_int_equal(net_parse_addr(SPAN("192.0.2.1/24"), &n), -EINVAL);
	assert_int_equal(net_parse_addr(SPAN("::1/128"), &n), -EINVAL);
}

static void masks(void **state)
{
	struct net v4 = net("192.0.2.77"), v6 = net("2001:db8::ff"), n;
	char text[NET_TEXT_BYTES];

	(void)state;
	n = net_mask(v4, 24);
	net_format(&n, text);
	assert_string_equal(text, "192.0.2.0/24");
	n = net_mask(n, 28);
	net_format(&n, text);
	assert_string_equal(text, "192.0.2.0/24");
	n = net_mask(v4, 0);
	net_format(&n, text);
	assert_string_equal(text, "0.0.0.0/0");
	assert_true(net_is_v4(&n));
	n = net_mask(v4, 32);
	assert_true(net_eq(&n, &v4));
	n = net_mask(v4, 4294967295u);
	assert_true(net_eq(&n, &v4));
	n = net_mask(v6, 125);
	net_format(&n, text);
	assert_string_equal(text, "2001:db8::f8/125");
	n = net_mask(v6, 128);
	assert_true(net_eq(&n, &v6));
	n = net_mask(v6, 129);
	assert_true(net_eq(&n, &v6));
	n = net_mask(v6, 0);
	net_format(&n, text);
	assert_string_equal(text, "::/0");
	n = net_cut(v4, 120);
	net_format(&n, text);
	assert_string_equal(text, "192.0.2.0/24");
	n = net_cut(v4, 255);
	assert_true(net_eq(&n, &v4));
}

/* As they come from the kernel: in room for any family. */
static int from_sockaddr(const void *sa, size_t n_bytes, struct net *out)
{
	struct sockaddr_storage room = {0};

	memcpy(&room, sa, n_bytes);
	return net_from_sockaddr((struct sockaddr *)&room, out);
}

static void comes_from_binary(void **state)
{
	struct sockaddr_in in = {.sin_family = AF_INET};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	struct net want = net("192.0.2.1"), n;

	(void)state;
	in.sin_addr.s_addr = htonl(0xc0000201);
	n = net_from_v4(in.sin_addr.s_addr);
	assert_true(net_eq(&n, &want));
	assert_memory_equal(net_v4_bytes(&n), &in.sin_addr, 4);
	assert_int_equal(from_sockaddr(&in, sizeof(in), &n), 0);
	assert_true(net_eq(&n, &want));
	assert_int_equal(inet_pton(AF_INET6, "::ffff:192.0.2.1", &in6.sin6_addr), 1);
	assert_int_equal(from_sockaddr(&in6, sizeof(in6), &n), 0);
	assert_true(net_eq(&n, &want));
	n = net_from_v6(in6.sin6_addr.s6_addr);
	assert_true(net_eq(&n, &want));
	assert_int_equal(from_sockaddr(&un, sizeof(un), &n), -EAFNOSUPPORT);
}

static bool contains(const char *outer, const char *inner)
{
	struct net o = net(outer), i = net(inner);

	return net_contains(&o, &i);
}

static void containment(void **state)
{
	(void)state;
	assert_true(contains("192.0.2.0/24", "192.0.2.255"));
	assert_false(contains("192.0.2.0/24", "192.0.3.0"));
	assert_false(contains("192.0.2.0/24", "192.0.1.255"));
	assert_true(contains("192.0.2.0/24", "192.0.2.0/24"));
	assert_false(contains("192.0.2.0/24", "192.0.2.0/23"));
	assert_true(contains("192.0.2.0/23", "192.0.2.0/24"));
	assert_true(contains("192.0.2.1", "192.0.2.1"));
	assert_false(contains("192.0.2.1", "192.0.2.2"));
	assert_true(contains("0.0.0.0/0", "255.255.255.255"));
	assert_false(contains("0.0.0.0/0", "::1"));
	assert_true(contains("::/0", "2001:db8::1"));
	assert_true(contains("::/0", "::/0"));
	assert_false(contains("::/0", "192.0.2.1"));
	assert_false(contains("::/64", "192.0.2.1"));
	assert_false(contains("::/64", "0.0.0.0/0"));
	assert_true(contains("2001:db8::/32", "2001:db8:ffff::/48"));
	assert_false(contains("2001:db8::/32", "2001:db9::"));
}

static void order(void **state)
{
	static const char *const sorted[] = {"::/0", "::", "::1", "0.0.0.0/0",
	    "0.0.0.0", "10.0.0.0/8", "10.0.0.0/24", "10.0.0.0", "10.0.0.1",
	    "2001:db8::/32", "2001:db8::"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sorted); i++) {
		for (size_t k = 0; k < ARRAY_LEN(sorted); k++) {
			struct net a = net(sorted[i]), b = net(sorted[k]);
			int r = net_cmp(&a, &b);

			assert_int_equal((r > 0) - (r < 0), (i > k) - (i < k));
			assert_int_equal(net_eq(&a, &b), i == k);
		}
	}
}

static void special(void **state)
{
	static const char *const yes[] = {"0.0.0.0", "0.1.2.3", "127.0.0.1",
	    "127.255.255.255", "127.0.0.0/8", "169.254.0.0", "169.254.255.255",
	    "224.0.0.1", "239.255.255.255", "255.255.255.255", "::", "::1", "fe80::1",
	    "febf::1", "ff00::", "ff02::1", "::ffff:127.0.0.1", "fe80::/64"};
	static const char *const no[] = {"1.0.0.0", "126.255.255.255", "128.0.0.0",
	    "169.253.255.255", "169.255.0.0", "223.255.255.255", "240.0.0.0",
	    "255.255.255.254", "10.0.0.1", "192.168.1.1", "::2", "fec0::1", "fe7f::1",
	    "feff::1", "fd00::1", "2001:db8::1", "0.0.0.0/0", "::/0", "126.0.0.0/7"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(yes); i++)
		assert_true(net_is_special(&(struct net[]){net(yes[i])}[0]));
	for (size_t i = 0; i < ARRAY_LEN(no); i++)
		assert_false(net_is_special(&(struct net[]){net(no[i])}[0]));
}

static void longest_text_fits(void **state)
{
	struct net n = net("1111:2222:3333:4444:5555:6666:7777:8888/125");
	struct buf b = BUF_INIT(NET_TEXT_BYTES);

	(void)state;
	buf_add_net(&b, &n);
	assert_string_equal(buf_str(&b), "1111:2222:3333:4444:5555:6666:7777:8888/125");
	buf_deinit(&b);
}

static struct net id(const char *text)
{
	struct net n;

	assert_int_equal(net_parse_id(span_of(text), &n), 0);
	return n;
}

static void ids_are_known_by_their_text(void **state)
{
	struct net alice = id("alice"), bob = id("bob"), again = id("alice");
	char text[NET_TEXT_BYTES];

	(void)state;
	assert_true(net_is_id(&alice));
	assert_true(net_eq(&alice, &again));
	assert_false(net_eq(&alice, &bob));
	/* Databases hold it: it must never change. */
	net_format(&alice, text);
	assert_string_equal(text, "id:293a3964a4955a2bae7c1f079588e49e");
}

static void ids_are_hosts_in_no_network(void **state)
{
	struct net alice = id("alice"), bob = id("bob");
	struct net all4 = net("0.0.0.0/0"), all6 = net("::/0"), cut;

	(void)state;
	assert_true(net_is_host(&alice));
	assert_false(net_is_v4(&alice));
	assert_false(net_is_special(&alice));
	assert_true(net_contains(&alice, &alice));
	assert_false(net_contains(&alice, &bob));
	assert_false(net_contains(&all4, &alice));
	assert_false(net_contains(&all6, &alice));
	assert_false(net_contains(&alice, &all6));
	cut = net_cut(alice, 0);
	assert_true(net_eq(&cut, &alice));
	cut = net_mask(alice, 24);
	assert_true(net_eq(&cut, &alice));
	assert_false(net_is_id(&all6));
}

static void what_looks_like_an_address_is_no_id(void **state)
{
	static const char *const refused[] = {"", "192.0.2.1", "192.0.2.0/24", "::1",
	    "[2001:db8::1]", "300.1.1.1", "192.000.2.1", "1.2.3", "10.0.0.0/33", "1.",
	    "2001:db8:1", "a:b", "::1/129", "1.2.3.4:80", "[1.2.3]"};
	static const char *const taken[] = {"alice", "1234", "deadbeef", "a.b",
	    "a.example", "192.0.2.1x", "00:16:3e:00:aa:01", "/index.php", " ", "x\ny",
	    "\xc3\xa9", "$(reboot)", "-rf", "1,2"};
	char longest[NET_ID_MAX_BYTES + 2];
	struct net n;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(refused); i++)
		assert_int_equal(net_parse_id(span_of(refused[i]), &n), -EINVAL);
	for (size_t i = 0; i < ARRAY_LEN(taken); i++)
		assert_int_equal(net_parse_id(span_of(taken[i]), &n), 0);
	assert_int_equal(net_parse_id(SPAN("a\0b"), &n), -EINVAL);
	assert_int_equal(net_parse_id(SPAN("a\xff"), &n), -EINVAL);
	memset(longest, 'x', sizeof(longest));
	assert_int_equal(net_parse_id((struct span){longest, NET_ID_MAX_BYTES}, &n), 0);
	assert_int_equal(
	    net_parse_id((struct span){longest, NET_ID_MAX_BYTES + 1}, &n), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(parses_and_formats),
	    cmocka_unit_test(refuses_hostile_text),
	    cmocka_unit_test(addr_takes_no_prefix),
	    cmocka_unit_test(masks),
	    cmocka_unit_test(comes_from_binary),
	    cmocka_unit_test(containment),
	    cmocka_unit_test(order),
	    cmocka_unit_test(special),
	    cmocka_unit_test(longest_text_fits),
	    cmocka_unit_test(ids_are_known_by_their_text),
	    cmocka_unit_test(ids_are_hosts_in_no_network),
	    cmocka_unit_test(what_looks_like_an_address_is_no_id),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
