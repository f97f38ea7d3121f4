/* SPDX-License-Identifier: GPL-2.0-or-later */

/* failid: from groups to id, host and network */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "match/failid.h"

struct row {
	struct {
		const char *ip4, *ip6, *dns, *fid, *cidr;
	} in;
	enum filter_usedns usedns;
	int outcome;
	const char *id, *host, *net; /* NULL: no network */
	bool is_name;
};

#define WARN FILTER_DNS_WARN
#define NO FILTER_DNS_NO
#define RAW FILTER_DNS_RAW
#define FOUND FAILID_FOUND
#define REFUSED FAILID_REFUSED

static const struct row rows[] = {
    {{"192.0.2.1"}, WARN, FOUND, "192.0.2.1", "192.0.2.1", "192.0.2.1"},
    {{NULL, "2001:DB8:0::1"}, WARN, FOUND, "2001:db8::1", "2001:DB8:0::1",
	"2001:db8::1"},
    {{NULL, "::ffff:c000:201"}, WARN, FOUND, "192.0.2.1", "::ffff:c000:201",
	"192.0.2.1"},
    /* ip4, then ip6, then dns, then fid */
    {{"192.0.2.1", "::2", "c"}, WARN, FOUND, "192.0.2.1", "192.0.2.1", "192.0.2.1"},
    {{NULL, "::2", "c"}, WARN, FOUND, "::2", "::2", "::2"},
    /* what is no address */
    {{"300.1.1.1"}, WARN, REFUSED, "300.1.1.1", "300.1.1.1", NULL},
    {{"192.000.2.1"}, RAW, REFUSED, "192.000.2.1", "192.000.2.1", NULL},
    {{NULL, "1:2"}, WARN, REFUSED, "1:2", "1:2", NULL},
    {{"300.1.1.1", .fid = "300.1.1.1"}, WARN, REFUSED, "300.1.1.1", "300.1.1.1", NULL},
    {{"300.1.1.1", .fid = "x"}, WARN, FOUND, "x", "300.1.1.1", NULL},
    /* prefix lengths */
    {{"192.0.2.77", .cidr = "24"}, WARN, FOUND, "192.0.2.0/24", "192.0.2.77",
	"192.0.2.0/24"},
    {{"192.0.2.1", .cidr = ""}, WARN, FOUND, "192.0.2.1", "192.0.2.1", "192.0.2.1"},
    {{"192.0.2.1", .cidr = "32"}, WARN, FOUND, "192.0.2.1", "192.0.2.1", "192.0.2.1"},
    {{"192.0.2.1", .cidr = "99"}, WARN, FOUND, "192.0.2.1", "192.0.2.1", "192.0.2.1"},
    {{"192.0.2.1", .cidr = "99999999999999999999"}, WARN, REFUSED, "192.0.2.1",
	"192.0.2.1", NULL},
    {{NULL, "2001:db8:1::1", .cidr = "32"}, WARN, FOUND, "2001:db8::/32",
	"2001:db8:1::1", "2001:db8::/32"},
    {{NULL, "::ffff:c000:201", .cidr = "120"}, WARN, FOUND, "192.0.2.0/24",
	"::ffff:c000:201", "192.0.2.0/24"},
    {{NULL, "::ffff:c000:201", .cidr = "24"}, WARN, REFUSED, "::ffff:c000:201",
	"::ffff:c000:201", NULL},
    /* an id of its own */
    {{"192.0.2.1", .fid = "session-1"}, WARN, FOUND, "session-1", "192.0.2.1",
	"192.0.2.1"},
    {{"192.0.2.1", .fid = "192.0.2.1"}, WARN, FOUND, "192.0.2.1", "192.0.2.1",
	"192.0.2.1"},
    {{"192.0.2.1", .fid = "2001:DB8::5"}, WARN, FOUND, "2001:db8::5", "192.0.2.1",
	"192.0.2.1"},
    {{"192.0.2.1", .fid = "2001:DB8::5"}, RAW, FOUND, "2001:DB8::5", "192.0.2.1",
	"192.0.2.1"},
    {{.fid = "user one"}, WARN, FOUND, "user one", "user one", NULL},
    {{.fid = "192.0.2.9/24"}, WARN, FOUND, "192.0.2.0/24", "192.0.2.9/24",
	"192.0.2.0/24"},
    {{.fid = "192.0.2.9/24"}, RAW, FOUND, "192.0.2.9/24", "192.0.2.9/24",
	"192.0.2.0/24"},
    /* names */
    {{.dns = "a.example"}, WARN, FOUND, "a.example", "a.example", NULL, true},
    {{.dns = "a.example"}, FILTER_DNS_YES, FOUND, "a.example", "a.example", NULL, true},
    {{.dns = "a.example"}, NO, REFUSED, "a.example", "a.example", NULL},
    {{.dns = "a.example"}, RAW, FOUND, "a.example", "a.example", NULL},
    {{.dns = "a.example", .fid = "x"}, RAW, FOUND, "x", "a.example", NULL},
    {{.dns = "a.example", .fid = "x"}, WARN, FOUND, "a.example", "a.example", NULL,
	true},
    {{.dns = "192.0.2.1"}, WARN, FOUND, "192.0.2.1", "192.0.2.1", "192.0.2.1"},
    {{.dns = "192.0.2.1"}, NO, FOUND, "192.0.2.1", "192.0.2.1", "192.0.2.1"},
};

static struct groups groups_of(const struct row *row)
{
	struct groups g = {0};

	g.value[GROUP_IP4] = span_of(row->in.ip4);
	g.value[GROUP_IP6] = span_of(row->in.ip6);
	g.value[GROUP_DNS] = span_of(row->in.dns);
	g.value[GROUP_FID] = span_of(row->in.fid);
	g.value[GROUP_CIDR] = span_of(row->in.cidr);
	return g;
}

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct groups g = groups_of(&rows[i]);
		struct filter_failure x = {0};
		char text[NET_TEXT_BYTES], net[NET_TEXT_BYTES];
		struct net id;

		assert_int_equal(
		    failid_find(&g, rows[i].usedns, text, &x), rows[i].outcome);
		if (!span_eq(x.id, span_of(rows[i].id)))
			fail_msg("row %zu: id is '" SPAN_FMT "'", i, SPAN_ARG(x.id));
		assert_true(span_eq(x.host, span_of(rows[i].host)));
		assert_int_equal(x.has_net, rows[i].net != NULL);
		assert_int_equal(x.is_name, rows[i].is_name);
		if (rows[i].outcome == FOUND && net_parse_id(x.id, &id) == 0)
			assert_int_equal(x.is_id, !x.is_name);
		else if (rows[i].usedns != RAW)
			assert_false(x.is_id);
		if (!x.has_net)
			continue;
		net_format(&x.net, net);
		assert_string_equal(net, rows[i].net);
	}
}

static void test_nothing(void **state)
{
	struct groups g = {0};
	struct filter_failure x = {.has_net = true, .is_name = true};
	char text[NET_TEXT_BYTES];

	(void)state;
	assert_int_equal(failid_find(&g, FILTER_DNS_WARN, text, &x), FAILID_NOTHING);
	assert_false(x.has_net || x.is_name);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_rows),
	    cmocka_unit_test(test_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
