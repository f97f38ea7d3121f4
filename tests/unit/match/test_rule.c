/* SPDX-License-Identifier: GPL-2.0-or-later */

/* rule: groups by name, alternates, tuples, the bounds on names */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>

#include "base/buf.h"
#include "match/rule.h"

struct fixture {
	struct group_names names;
	struct regex_match *m;
	struct rule *r;
	struct groups g;
};

static int set_up(void **state)
{
	struct fixture *x = calloc(1, sizeof(*x));

	*state = x;
	x->m = regex_match_new();
	return group_names_init(&x->names);
}

static int tear_down(void **state)
{
	struct fixture *x = *state;

	rule_free(x->r);
	regex_match_free(x->m);
	group_names_deinit(&x->names);
	free(x);
	return 0;
}

static void run(struct fixture *x, const char *regex, struct span subject)
{
	struct err e = {""};

	rule_free(x->r);
	x->r =
	    rule_new(regex, &(struct rule_options){.with_names = true}, &x->names, &e);
	if (!x->r)
		fail_msg("%s", e.text);
	assert_int_equal(regex_search(rule_regex(x->r), subject, 0, x->m), 0);
	rule_read(x->r, x->m, &x->g);
}

/* @want NULL: took no part. */
static void assert_group(const struct fixture *x, const char *name, const char *want)
{
	for (size_t i = 0; i < x->names.n; i++) {
		struct span got = x->g.value[i];

		if (strcmp(x->names.name[i], name) != 0)
			continue;
		if (want ? !got.p || !span_eq(got, span_of(want)) : got.p != NULL)
			fail_msg("%s: '" SPAN_FMT "' is not '%s'", name, SPAN_ARG(got),
			    want ? want : "(none)");
		return;
	}
	assert_null(want);
}

static void test_groups(void **state)
{
	struct fixture *x = *state;

	run(x, "^<F-USER>\\S*</F-USER> from <HOST>(?P<more> x)?",
	    SPAN("root from 192.0.2.1"));
	assert_group(x, "user", "root");
	assert_group(x, "ip4", "192.0.2.1");
	assert_group(x, "ip6", NULL);
	assert_group(x, "more", NULL);
	assert_true(rule_has_failure_id(x->r));
	run(x, "^<F-USER>\\S*</F-USER> from", SPAN(" from"));
	assert_group(x, "user", "");
	assert_group(x, "ip4", NULL);
	assert_false(rule_has_failure_id(x->r));
}

static void test_failure_ids(void **state)
{
	static const char *const yes[] = {"<F-ID/>", "<IP4>", "<IP6>", "<DNS>",
	    "<HOST>", "<SUBNET>", "<F-MLFID>a</F-MLFID>", "(?P<fid>x)"};
	static const char *const no[] = {"a", "<F-USER>a</F-USER>", "<CIDR>",
	    "(?P<host>a)", "<F-ALT_ID>a</F-ALT_ID>"};
	struct fixture *x = *state;

	for (size_t i = 0; i < ARRAY_LEN(yes); i++) {
		rule_free(x->r);
		x->r = rule_new(yes[i], &(struct rule_options){.with_names = true},
		    &x->names, NULL);
		assert_true(rule_has_failure_id(x->r));
	}
	for (size_t i = 0; i < ARRAY_LEN(no); i++) {
		rule_free(x->r);
		x->r = rule_new(
		    no[i], &(struct rule_options){.with_names = true}, &x->names, NULL);
		assert_false(rule_has_failure_id(x->r));
	}
}

static void test_alternates(void **state)
{
	struct fixture *x = *state;
	const char *regex =
	    "(?:u=<F-USER>\\w*</F-USER>)?(?: a=<F-ALT_USER>\\w*</F-ALT_USER>)?"
	    "(?: b=<F-ALT_USER_2>\\w*</F-ALT_USER_2>)?";

	run(x, regex, SPAN("u=one a=two b=three"));
	assert_group(x, "user", "one");
	run(x, regex, SPAN("u= a=two b=three"));
	assert_group(x, "user", "two");
	run(x, regex, SPAN(" a= b=three"));
	assert_group(x, "user", "three");
	assert_group(x, "alt_user_2", "three");
	run(x, regex, SPAN("u="));
	assert_group(x, "user", "");
	/* both what fail2ban's manual says and what its code does */
	run(x, "<F-ALT_USER1>\\w+</F-ALT_USER1>", SPAN("one"));
	assert_group(x, "user", "one");
	assert_group(x, "user1", "one");
	run(x, "<F-ALT_ID>\\w+</F-ALT_ID> <F-ALT_PORT_9>\\w+</F-ALT_PORT_9>",
	    SPAN("a 22"));
	assert_group(x, "fid", "a");
	assert_group(x, "fport", "22");
	run(x, "(?P<alt_>x)", SPAN("x"));
	assert_group(x, "alt_", "x");
}

static void test_tuples(void **state)
{
	struct fixture *x = *state;

	run(x, "<F-ID>\\w+</F-ID> <F-TUPLE_ID>\\S+</F-TUPLE_ID>", SPAN("a b"));
	assert_group(x, "fid", "('a', 'b')");
	run(x,
	    "<F-TUPLE_ID_2>\\S+</F-TUPLE_ID_2> <F-TUPLE_ID_1>\\S+</F-TUPLE_ID_1>"
	    "(?: <F-ID>\\S+</F-ID>)?",
	    SPAN("it's \\b\x01"));
	assert_group(x, "fid", "(None, '\\\\b\\x01', \"it's\")");
	run(x, "a(?P<tuple_x>b)?", SPAN("a"));
	assert_group(x, "x", NULL);
}

static void test_skipped(void **state)
{
	struct fixture *x = *state;
	struct span s;

	run(x, "a<SKIPLINES>b", SPAN("a\nx\ny\nb\n"));
	assert_true(rule_skipped(x->r, x->m, 0, &s));
	assert_true(span_eq(s, SPAN("x\ny\n")));
	assert_false(rule_skipped(x->r, x->m, 1, &s));
	assert_true(group_is_internal(&x->names, x->names.n - 1));
	assert_false(group_is_internal(&x->names, GROUP_USER));
	assert_true(group_is_internal(&x->names, GROUP_NOFAIL));
	run(x, "a(?:<SKIPLINES>b)?", SPAN("a"));
	assert_true(rule_skipped(x->r, x->m, 0, &s));
	assert_int_equal(s.n, 0);
}

static void test_too_many_names(void **state)
{
	struct fixture *x = *state;
	char text[4096] = "";
	struct err e = {""};
	int made = 0;

	for (int i = 0; i < 10; i++) {
		text[0] = '\0';
		for (int k = 0; k < 30; k++)
			snprintf(text + strlen(text), sizeof(text) - strlen(text),
			    "(?P<g%d_%d>a)", i, k);
		rule_free(x->r);
		x->r = rule_new(
		    text, &(struct rule_options){.with_names = true}, &x->names, &e);
		made += x->r != NULL;
	}
	assert_int_equal(made, (GROUPS_MAX - GROUP_N_FIXED) / 30);
	assert_string_equal(e.text, "more than 128 different groups");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_groups, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_failure_ids, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_alternates, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_tuples, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_skipped, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_too_many_names, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
