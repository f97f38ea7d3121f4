/* SPDX-License-Identifier: GPL-2.0-or-later */

/* filter_rule: regexes of [Rule]s beside failregexes, what they count by, and joins */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>

#include "match/filter.h"

#define T0 1124013600

static struct filter *f;
static struct filter_failure x;

static void make(const char *prefregex, const char *failregex,
    const struct filter_rule *rules, size_t n)
{
	struct err e = {""};
	struct filter_options o = {.prefregex = prefregex,
	    .failregex = &failregex,
	    .n_failregex = failregex != NULL,
	    .rules = rules,
	    .n_rules = n,
	    .no_date = true};

	filter_free(f);
	f = filter_new(&o, &e);
	if (!f)
		fail_msg("%s", e.text);
}
#define RULES(pref, fail, ...)                                      \
	make(pref, fail, (const struct filter_rule[]){__VA_ARGS__}, \
	    sizeof((const struct filter_rule[]){__VA_ARGS__}) /     \
		sizeof(struct filter_rule))

static int done(void **state)
{
	(void)state;
	f = filter_free(f);
	return 0;
}

static int feed_at(struct span text, int64_t sec)
{
	struct line l = {.text = text, .stamp = wall_from_sec(T0 + sec)};

	memset(&x, 0xff, sizeof(x)); /* nothing may be left as it was */
	return filter_feed(f, &l, NULL, wall_from_sec(T0 + sec), &x);
}

static int feed(const char *text)
{
	return feed_at(span_of(text), 0);
}

static void assert_found(const char *text, unsigned int rule, const char *address)
{
	assert_int_equal(feed(text), FILTER_FAILURE);
	assert_int_equal(x.rule, rule);
	assert_true(x.has_net);
	assert_true(span_eq(x.id, span_of(address)));
}

static void the_first_that_matches_decides(void **state)
{
	(void)state;
	RULES(NULL, "^fail <ADDR>", {.name = "a", .regex = "^(?:fail|a) <ADDR>"},
	    {.name = "b", .regex = "<ADDR>$"});
	assert_int_equal(filter_n_rules(f), 3);
	assert_found("fail 192.0.2.1", 0, "192.0.2.1");
	assert_found("a 192.0.2.1", 1, "192.0.2.1");
	assert_found("c 192.0.2.1", 2, "192.0.2.1");
	assert_int_equal(feed("c 192.0.2.1 "), FILTER_MISS);
	assert_int_equal(filter_n_hits(f, 2), 1);
}

static void rules_see_what_prefregex_leaves(void **state)
{
	(void)state;
	RULES("^p <ADDR> <F-CONTENT>.*</F-CONTENT>$", NULL,
	    {.name = "a", .regex = "^one", .distinct = "ip4"});
	assert_found("p 192.0.2.1 one", 0, "192.0.2.1");
	assert_true(x.value != 0);
	assert_int_equal(feed("one 192.0.2.1"), FILTER_MISS);
}

static uint64_t value_of(const char *text, size_t n)
{
	assert_int_equal(feed_at((struct span){text, n}, 0), FILTER_FAILURE);
	return x.value;
}
#define VALUE(text) value_of(text, sizeof(text) - 1)

static void values_are_told_apart_but_not_by_case(void **state)
{
	static char wide[100001];
	uint64_t a, b;

	(void)state;
	RULES(NULL, NULL,
	    {.name = "a",
		.regex = "^<ADDR> to <<F-RCPT>[^>]*</F-RCPT>>",
		.distinct = "rcpt"});
	a = VALUE("192.0.2.1 to <bob@example.org>");
	assert_true(a != 0);
	assert_true(a == VALUE("192.0.2.9 to <BOB@Example.ORG>"));
	assert_true(a != VALUE("192.0.2.1 to <bob@example.com>"));
	assert_true(VALUE("192.0.2.1 to <>") == 0);
	/* A NUL ends nothing. */
	a = VALUE("192.0.2.1 to <bob\0x>");
	b = VALUE("192.0.2.1 to <bob\0y>");
	assert_true(a && b && a != b && a != VALUE("192.0.2.1 to <bob>"));
	/* Nor is a long one cut. */
	memset(wide, 'a', sizeof(wide) - 1);
	memcpy(wide, "192.0.2.1 to <", 14);
	wide[sizeof(wide) - 2] = '>';
	a = value_of(wide, sizeof(wide) - 1);
	wide[sizeof(wide) - 3] = 'b';
	assert_true(a && a != value_of(wide, sizeof(wide) - 1));
}

static void accounts_are_known_without_asking(void **state)
{
	uint64_t a;

	(void)state;
	RULES(NULL, "^f <ADDR> <F-USER>\\S*</F-USER>",
	    {.name = "a", .regex = "^a <ADDR> <F-USER>\\S*</F-USER>"},
	    {.name = "b",
		.regex = "^b <ADDR> <F-LOGIN>\\S*</F-LOGIN>",
		.account = "login"},
	    {.name = "c", .regex = "^c <ADDR>"});
	assert_found("f 192.0.2.1 Bob", 0, "192.0.2.1");
	a = x.account;
	assert_true(a != 0 && x.value == 0);
	assert_found("a 192.0.2.1 bob", 1, "192.0.2.1");
	assert_true(x.account == a);
	assert_found("b 192.0.2.1 bOb", 2, "192.0.2.1");
	assert_true(x.account == a);
	assert_found("c 192.0.2.1", 3, "192.0.2.1");
	assert_true(x.account == 0);
}

static void without_rules_there_is_nothing_to_know(void **state)
{
	(void)state;
	make(NULL, "^f <ADDR> <F-USER>\\S*</F-USER>", NULL, 0);
	assert_found("f 192.0.2.1 Bob", 0, "192.0.2.1");
	assert_true(x.account == 0 && x.value == 0);
}

#define CLIENT                                                  \
	{                                                       \
		.name = "client", .bind = "qid",                \
		.regex = "^<F-QID>\\w+</F-QID>: client=<ADDR>$" \
	}
#define SPAM                                                                         \
	{                                                                            \
		.name = "spam", .via = "qid", .regex = "^<F-QID>\\w+</F-QID>: spam$" \
	}

static void an_id_stands_for_an_address(void **state)
{
	(void)state;
	RULES(NULL, NULL, CLIENT, SPAM);
	assert_int_equal(feed("A1: spam"), FILTER_HELPED);
	assert_int_equal(filter_n_unbound(f), 1);
	assert_found("A1: client=192.0.2.1", 0, "192.0.2.1");
	assert_found("A2: client=2001:DB8::1", 0, "2001:db8::1");
	assert_found("A1: spam", 1, "192.0.2.1");
	assert_found("A2: spam", 1, "2001:db8::1");
	assert_int_equal(feed("a1: spam"), FILTER_HELPED);
	assert_int_equal(feed_at(SPAN("A1: spam"), 3601), FILTER_HELPED);
	assert_int_equal(filter_n_unbound(f), 3);
}

static void fields_of_another_name_are_other_ids(void **state)
{
	(void)state;
	RULES(NULL, NULL, CLIENT, SPAM,
	    {.name = "pid", .bind = "pid", .regex = "^pid <F-PID>\\w+</F-PID> <ADDR>"},
	    {.name = "by pid", .via = "pid", .regex = "^by <F-PID>\\w+</F-PID>"});
	assert_found("pid 7 192.0.2.7", 2, "192.0.2.7");
	assert_int_equal(feed("7: spam"), FILTER_HELPED);
	assert_found("by 7", 3, "192.0.2.7");
}

/* By the process to the address, and by that to the queue id. */
static void ids_chain(void **state)
{
	(void)state;
	RULES(NULL, NULL,
	    {.name = "pid", .bind = "pid", .regex = "^pid <F-PID>\\w+</F-PID> <ADDR>"},
	    {.name = "qid",
		.via = "pid",
		.bind = "qid",
		.regex = "^by <F-PID>\\w+</F-PID> <F-QID>\\w+</F-QID>"},
	    SPAM);
	assert_int_equal(feed("by 7 A1"), FILTER_HELPED);
	assert_int_equal(feed("A1: spam"), FILTER_HELPED);
	assert_found("pid 7 192.0.2.7", 0, "192.0.2.7");
	assert_found("by 7 A1", 1, "192.0.2.7");
	assert_found("A1: spam", 2, "192.0.2.7");
}

static void an_address_in_the_line_comes_first(void **state)
{
	(void)state;
	RULES(NULL, NULL, CLIENT,
	    {.name = "s",
		.via = "qid",
		.regex = "^<F-QID>\\w+</F-QID>: s(?: <ADDR>)?$"});
	assert_found("A1: client=192.0.2.1", 0, "192.0.2.1");
	assert_found("A1: s 192.0.2.2", 1, "192.0.2.2");
	assert_found("A1: s", 1, "192.0.2.1");
	/* What is none is not replaced by somebody else. */
	assert_int_equal(feed("A1: s 300.1.1.1"), FILTER_NO_ADDRESS);
}

static void names_and_networks_are_not_bound(void **state)
{
	(void)state;
	RULES(NULL, NULL,
	    {.name = "c", .bind = "qid", .regex = "^<F-QID>\\w+</F-QID>: from <HOST>$"},
	    {.name = "n",
		.bind = "qid",
		.regex = "^<F-QID>\\w+</F-QID>: net <SUBNET>$"},
	    SPAM);
	assert_int_equal(feed("A1: from mx.example.org"), FILTER_FAILURE);
	assert_int_equal(feed("A1: spam"), FILTER_HELPED);
	assert_int_equal(feed("A1: net 192.0.2.0/24"), FILTER_FAILURE);
	assert_int_equal(feed("A1: spam"), FILTER_HELPED);
}

/* 100,000 connections; those that are not bound any more blame nobody else. */
static void a_flood_of_ids_blames_nobody(void **state)
{
	char text[64], wanted[32];

	(void)state;
	RULES(NULL, NULL, CLIENT, SPAM);
	for (int i = 0; i < 100000; i++) {
		(void)snprintf(text, sizeof(text), "%d: client=10.%d.%d.%d", i,
		    i >> 16 & 255, i >> 8 & 255, i & 255);
		assert_int_equal(feed(text), FILTER_FAILURE);
	}
	for (int i = 0; i < 100000; i += 99) {
		(void)snprintf(text, sizeof(text), "%d: spam", i);
		(void)snprintf(wanted, sizeof(wanted), "10.%d.%d.%d", i >> 16 & 255,
		    i >> 8 & 255, i & 255);
		if (feed(text) == FILTER_HELPED)
			assert_true(i < 100000 - 65536);
		else
			assert_true(span_eq(x.id, span_of(wanted)));
	}
}

static void assert_wrong(
    const struct filter_rule *rule, enum filter_rule_part part, const char *text)
{
	const struct filter_options o = {.rules = rule, .n_rules = 1};
	struct err e = {""};

	assert_int_equal(
	    filter_check_rule(rule, part, NULL, FILTER_DNS_WARN, &e), -EINVAL);
	assert_non_null(strstr(e.text, text));
	for (unsigned int i = 0; i < FILTER_RULE_N_PARTS; i++)
		assert_true(i == part ||
			    filter_check_rule(rule, i, NULL, FILTER_DNS_WARN, &e) == 0);
	assert_null(filter_new(&o, &e));
	assert_non_null(strstr(e.text, "rule a: "));
}

static void mistakes_are_told_part_by_part(void **state)
{
	static const struct filter_rule rules[] = {
	    {.name = "a", .regex = "^nobody"},
	    {.name = "a", .regex = "^ <ADDR>", .distinct = "rcpt"},
	    {.name = "a", .regex = "^ <ADDR>", .account = "fid"},
	    {.name = "a", .regex = "^ <ADDR>", .bind = "qid"},
	    {.name = "a", .regex = "^ <ADDR>", .via = "user"},
	};

	(void)state;
	assert_wrong(&rules[0], FILTER_RULE_REGEX, "who it was");
	assert_wrong(&rules[1], FILTER_RULE_DISTINCT, "distinct: ");
	assert_wrong(&rules[2], FILTER_RULE_ACCOUNT, "account: ");
	assert_wrong(&rules[3], FILTER_RULE_BIND, "no field 'qid'");
	assert_wrong(&rules[4], FILTER_RULE_VIA, "via: ");
}

/* What a worker of scan tells: joined and counted things are searched again. */
static void other_processes_leave_joins_to_us(void **state)
{
	struct filter_known k;
	struct line l = {.text = SPAN("A1: spam"), .stamp = wall_from_sec(T0)};
	struct filter *worker;
	int r;

	(void)state;
	RULES(NULL, NULL, CLIENT, SPAM);
	r = feed("A1: spam"); /* it has not seen the line before */
	assert_int_equal(r, FILTER_HELPED);
	filter_tell(f, r, &x, &k);
	assert_true(k.in_session);
	worker = f;
	f = NULL;
	RULES(NULL, NULL, CLIENT, SPAM);
	assert_found("A1: client=192.0.2.1", 0, "192.0.2.1");
	assert_true(filter_is_plausible(f, &k));
	assert_int_equal(
	    filter_feed_known(f, &l, &k, wall_from_sec(T0), &x), FILTER_FAILURE);
	assert_int_equal(x.rule, 1);
	assert_true(span_eq(x.id, SPAN("192.0.2.1")));
	filter_free(worker);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, done)
	const struct CMUnitTest tests[] = {
	    TEST(the_first_that_matches_decides),
	    TEST(rules_see_what_prefregex_leaves),
	    TEST(values_are_told_apart_but_not_by_case),
	    TEST(accounts_are_known_without_asking),
	    TEST(without_rules_there_is_nothing_to_know),
	    TEST(an_id_stands_for_an_address),
	    TEST(fields_of_another_name_are_other_ids),
	    TEST(ids_chain),
	    TEST(an_address_in_the_line_comes_first),
	    TEST(names_and_networks_are_not_bound),
	    TEST(a_flood_of_ids_blames_nobody),
	    TEST(mistakes_are_told_part_by_part),
	    TEST(other_processes_leave_joins_to_us),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
