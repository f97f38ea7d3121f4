/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "runner/runner.h"

static char hostile[] = "'; reboot #\n";

static void expect(
    const struct ticket *t, const char *tag, const char *text, bool is_foreign)
{
	struct tag_source s = {.jail = "app", .ticket = t, .scratch = BUF_INIT(1000)};
	struct shell_value v;

	assert_true(runner_tag(&s, span_of(tag), &v));
	if (!span_eq(v.text, span_of(text)))
		fail_msg("<%s> is '" SPAN_FMT "'", tag, SPAN_ARG(v.text));
	assert_int_equal(v.is_foreign, is_foreign);
	assert_false(s.asks_host && t->id && !t->ip.bits);
	buf_deinit(&s.scratch);
}

static void an_address_is_ours(void **state)
{
	struct ticket t = {.failures = 2};

	(void)state;
	assert_int_equal(net_parse(SPAN("192.0.2.1"), &t.net), 0);
	expect(&t, "ip", "192.0.2.1", false);
	expect(&t, "fid", "192.0.2.1", false);
	expect(&t, "family", "inet4", false);
	expect(&t, "ip-rev", "1.2.0.192.", false);
	expect(&t, "raw-ticket", "ip=192.0.2.1 failures=2", false);
	expect(&t, "F-ID", "", true);
}

static void an_id_is_anothers_text(void **state)
{
	struct ticket t = {.id = hostile};

	(void)state;
	assert_int_equal(net_parse_id(span_of(hostile), &t.net), 0);
	expect(&t, "ip", hostile, true);
	expect(&t, "fid", hostile, true);
	expect(&t, "F-ID", hostile, true);
	expect(&t, "raw-ticket", "ip='; reboot #\n failures=0", true);
	/* What only an address has. */
	expect(&t, "family", "", false);
	expect(&t, "ip-rev", "", false);
	expect(&t, "ip-host", "", true);
	assert_null(ticket_address(&t));
}

static void an_address_beside_an_id_is_ours(void **state)
{
	struct ticket t = {.id = hostile};

	(void)state;
	assert_int_equal(net_parse_id(span_of(hostile), &t.net), 0);
	assert_int_equal(net_parse(SPAN("2001:db8::1"), &t.ip), 0);
	expect(&t, "ip", "2001:db8::1", false);
	expect(&t, "family", "inet6", false);
	expect(&t, "fid", hostile, true);
	expect(&t, "raw-ticket", "ip=2001:db8::1 failures=0", false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_address_is_ours),
	    cmocka_unit_test(an_id_is_anothers_text),
	    cmocka_unit_test(an_address_beside_an_id_is_ours),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
