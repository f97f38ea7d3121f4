/* SPDX-License-Identifier: GPL-2.0-or-later */
/* setup_rules: [Rule]s on the way from a filter's file to what the engine is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "config_folder.h"
#include "pipeline/pipeline.h"
#include "pipeline/setup_rules.h"

#define NOON 1795518000
#define JAIL                                                            \
	"[m]\nenabled = true\nfilter = postfix\nlogpath = /var/log/a\n" \
	"maxretry = 3\naction =\n"
#define FILTER                                                     \
	"[Definition]\n"                                           \
	"failregex = ^ f <ADDR> <F-USER>\\S+</F-USER>\n"           \
	"            ^ g <ADDR>\n"                                 \
	"[Rule client]\n"                                          \
	"regex = ^ <F-QID>\\w+</F-QID>: client=<ADDR>$\n"          \
	"class = neutral\nweight = 0\nbind = qid\n"                \
	"[Rule rcpt]\n"                                            \
	"regex = ^ r <ADDR> <<F-RCPT>[^>]*</F-RCPT>>\n"            \
	"        ^ q <ADDR> <<F-RCPT>[^>]*</F-RCPT>>\n"            \
	"weight = 0.5\ndistinct = rcpt\nfree = 2\nbantime = 10m\n" \
	"[Rule spam]\n"                                            \
	"regex = ^ <F-QID>\\w+</F-QID>: spam$\n"                   \
	"weight = -1.25\nclass = good\nvia = qid\n"

struct bench {
	struct config_folder folder;
	struct setup *setup;
	struct pipeline *pipeline;
	struct orders orders;
	struct hit hits[32];
	size_t n_hits;
};

static void on_verdict(void *ctx, const struct hit *h, UNUSED int outcome)
{
	struct bench *b = ctx;

	assert_true(b->n_hits < ARRAY_LEN(b->hits));
	b->hits[b->n_hits++] = *h;
}

static int make(void **state)
{
	static struct bench b;
	struct err e = {""};

	b = (struct bench){0};
	*state = &b;
	config_folder_make(&b.folder);
	config_folder_write(&b.folder, "filter.d/postfix.conf", FILTER);
	config_folder_write(&b.folder, "jail.conf", JAIL);
	b.setup = config_folder_setup(&b.folder, NULL);
	b.pipeline = pipeline_new(b.setup, &e);
	if (!b.pipeline)
		fail_msg("%s", e.text);
	pipeline_on_verdict(b.pipeline, on_verdict, &b);
	return 0;
}

static int unmake(void **state)
{
	struct bench *b = *state;

	pipeline_free(b->pipeline);
	setup_free(b->setup);
	orders_deinit(&b->orders);
	config_folder_remove(&b->folder);
	return 0;
}

static void feed(struct bench *b, const char *what)
{
	char text[200];

	(void)snprintf(text, sizeof(text), "2026-11-24T12:00:00+01:00 %s", what);
	struct line l = {
	    .text = span_of(text), .stamp = WALL_NONE, .read_at = wall_from_sec(NOON)};

	assert_int_equal(pipeline_feed(b->pipeline, 0, &l, WALL_NONE, &b->orders), 0);
}

static void regexes_are_numbered_failregexes_first(void **state)
{
	const struct bench *b = *state;
	const struct setup_jail *j = &b->setup->jails[0];

	assert_int_equal(j->n_failregex, 2);
	assert_int_equal(j->n_rules, 3);
	assert_int_equal(setup_n_regexes(j), 6);
	assert_string_equal(setup_regex(j, 1), "^ g <ADDR>");
	assert_non_null(strstr(setup_regex(j, 4), "^ q"));
	assert_null(setup_regex(j, 6));
	assert_null(setup_rule_of(j, 1));
	assert_null(setup_rule_of(j, 6));
	assert_string_equal(setup_rule_of(j, 2)->name, "client");
	assert_ptr_equal(setup_rule_of(j, 3), setup_rule_of(j, 4));
	assert_string_equal(setup_rule_of(j, 5)->name, "spam");
}

static void the_engine_is_told_all(void **state)
{
	const struct bench *b = *state;
	CLEANUP(freep) struct engine_jail *jails = setup_engine_jails(b->setup);
	const struct engine_rule *r = jails[0].rules;

	assert_int_equal(jails[0].unit, 100);
	assert_int_equal(jails[0].n_rules, 6);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(r[i].class, HIT_ABUSE);
		assert_int_equal(r[i].weight, 100);
		assert_int_equal(r[i].id, i);
		assert_false(r[i].distinct);
	}
	assert_int_equal(r[2].class, HIT_NEUTRAL);
	assert_int_equal(r[2].weight, 0);
	assert_int_equal(r[3].weight, 50);
	assert_int_equal(r[3].bantime_sec, 600);
	assert_int_equal(r[3].free, 2);
	assert_true(r[3].distinct);
	assert_int_equal(r[3].id, r[4].id);
	assert_int_equal(r[5].class, HIT_GOOD);
	assert_int_equal(r[5].weight, -125);
	assert_true(r[5].id != r[4].id && r[5].id != r[2].id);
	assert_null(r[0].name);
	assert_string_equal(r[5].name, "spam");
	/* It weighs beyond counting, since its filter has rules. */
	assert_true(jails[0].adapt);
	assert_int_equal(jails[0].group, SETUP_GROUP);
}

static void a_plain_jail_is_as_it_was(void **state)
{
	struct bench *b = *state;

	config_folder_write(&b->folder, "filter.d/postfix.conf",
	    "[Definition]\nfailregex = ^ f <ADDR> <F-USER>\\S+</F-USER>\n");
	struct setup *s = config_folder_setup(&b->folder, NULL);
	CLEANUP(freep) struct engine_jail *jails = setup_engine_jails(s);
	struct err e = {""};

	assert_int_equal(jails[0].unit, 1);
	assert_null(jails[0].rules);
	assert_int_equal(jails[0].n_rules, 0);
	assert_false(jails[0].adapt || jails[0].group);
	assert_int_equal(
	    pipeline_reload(b->pipeline, s, wall_from_sec(NOON), &b->orders, &e), 0);
	setup_free(b->setup);
	b->setup = s;
	feed(b, "f 192.0.2.1 bob");
	assert_int_equal(b->n_hits, 1);
	assert_int_equal(b->hits[0].weight, 1);
	assert_int_equal(b->hits[0].class, HIT_ABUSE);
	assert_true(b->hits[0].account == 0);
}

static void hits_say_what_their_rule_says(void **state)
{
	struct bench *b = *state;
	const struct hit *h = b->hits;
	struct pipeline_counts c;

	feed(b, "f 192.0.2.1 bob");
	feed(b, "A1: client=192.0.2.2");
	feed(b, "r 192.0.2.1 <a@example.org>");
	feed(b, "q 192.0.2.1 <A@Example.org>");
	feed(b, "A1: spam");
	feed(b, "A2: spam");
	assert_int_equal(b->n_hits, 5);
	assert_int_equal(h[0].weight, 100);
	assert_true(h[0].account && !h[0].value);
	assert_int_equal(h[1].class, HIT_NEUTRAL);
	assert_int_equal(h[1].weight, 0);
	assert_int_equal(h[2].rule, 3);
	assert_int_equal(h[2].weight, 50);
	assert_true(h[2].value && h[2].value == h[3].value && !h[2].account);
	assert_int_equal(h[3].rule, 4);
	assert_int_equal(h[4].class, HIT_GOOD);
	assert_int_equal(h[4].weight, -125);
	assert_true(net_eq(&h[4].net, &h[1].net));
	pipeline_counts(b->pipeline, 0, &c);
	assert_int_equal(c.failures, 3);
	assert_int_equal(c.others, 2);
	assert_int_equal(c.helped, 1);
}

/* Who does no harm is not banned, however often. */
static void only_abuse_bans(void **state)
{
	struct bench *b = *state;

	for (int i = 0; i < 10; i++)
		feed(b, "A1: client=192.0.2.2");
	assert_int_equal(b->orders.n, 0);
	for (int i = 0; i < 3; i++)
		feed(b, "f 192.0.2.1 bob");
	assert_int_equal(b->orders.n, 1);
	assert_int_equal(b->orders.items[0].op, ORDER_BAN);
}

static void what_is_bound_outlives_a_reload(void **state)
{
	struct bench *b = *state;
	struct err e = {""};

	feed(b, "A1: client=192.0.2.2");
	/* Another weight is no other filter; another field is. */
	config_folder_write(&b->folder, "filter.d/postfix.local",
	    "[Rule spam]\nweight = 2\nclass = abuse\n");
	for (int i = 0; i < 2; i++) {
		struct setup *s = config_folder_setup(&b->folder, NULL);

		assert_int_equal(pipeline_reload(b->pipeline, s, wall_from_sec(NOON),
				     &b->orders, &e),
		    0);
		setup_free(b->setup);
		b->setup = s;
		feed(b, "A1: spam");
		config_folder_write(&b->folder, "filter.d/postfix.local",
		    "[Rule rcpt]\ndistinct = ip4\n");
	}
	assert_int_equal(b->n_hits, 2);
	assert_int_equal(b->hits[1].weight, 200);
	assert_int_equal(b->hits[1].class, HIT_ABUSE);
}

static void the_wire_form_keeps_rules(void **state)
{
	const struct bench *b = *state;
	CLEANUP(buf_deinit) struct buf wire = BUF_INIT(1 << 20);
	CLEANUP(buf_deinit) struct buf wire2 = BUF_INIT(1 << 20);
	CLEANUP(setup_freep) struct setup *again = NULL;

	setup_encode(b->setup, &wire);
	assert_int_equal(setup_decode(buf_span(&wire), &again), 0);
	assert_true(setup_same_rules(&b->setup->jails[0], &again->jails[0]));
	assert_int_equal(setup_n_regexes(&again->jails[0]), 6);
	assert_int_equal(again->jails[0].engine_rules[5].weight, -125);
	setup_encode(again, &wire2);
	assert_true(span_eq(buf_span(&wire), buf_span(&wire2)));
	for (size_t n = 0; n < wire.n; n++) {
		struct setup *none = NULL;

		assert_int_not_equal(
		    setup_decode((struct span){buf_str(&wire), n}, &none), 0);
		assert_null(none);
	}
}

static void fields_that_a_regex_lacks_are_told_with_their_place(void **state)
{
	struct bench *b = *state;
	struct diag d = {0};
	CLEANUP(buf_deinit) struct buf all = BUF_INIT(1 << 16);

	config_folder_write(&b->folder, "filter.d/postfix.conf",
	    "[Definition]\nfailregex = ^ f <ADDR>\n"
	    "[Rule a]\n"
	    "regex = ^ a <ADDR>\n"
	    "distinct = rcpt\n"
	    "bind = qid\n"
	    "[Rule b]\n"
	    "regex = ^ nobody\n"
	    "        ^ (\n"
	    "[Rule c]\n"
	    "regex = ^ <F-QID>x</F-QID>\n"
	    "via = qid\n");
	setup_free(config_folder_setup(&b->folder, &d));
	for (size_t i = 0; i < d.n; i++) {
		buf_printf(&all, "%u ", d.items[i].at.line);
		buf_add_str(&all, d.items[i].text);
		buf_add_char(&all, '\n');
	}
	assert_int_equal(d.n_errors, 4);
	assert_non_null(
	    strstr(buf_str(&all), "5 [Rule a] distinct: the regex has no "));
	assert_non_null(strstr(buf_str(&all), "6 [Rule a] bind: the regex has no "));
	assert_non_null(strstr(buf_str(&all), "8 [Rule b] regex: nothing in it says"));
	assert_non_null(strstr(buf_str(&all), "9 [Rule b] regex: missing closing"));
	diag_deinit(&d);
}

static void people_read_weights_as_they_were_written(void **state)
{
	static const struct {
		int16_t weight;
		const char *text;
	} cases[] = {{100, "1"}, {50, "0.5"}, {7, "0.07"}, {-125, "-1.25"}, {0, "0"},
	    {-30000, "-300"}, {-5, "-0.05"}};
	const struct bench *b = *state;
	struct buf out = BUF_INIT(1024);

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		buf_clear(&out);
		setup_weight_format(cases[i].weight, &out);
		assert_string_equal(buf_str(&out), cases[i].text);
	}
	buf_clear(&out);
	setup_rule_describe(&b->setup->jails[0].rules[1], &out);
	assert_string_equal(buf_str(&out), "rcpt (abuse, weight 0.5)");
	buf_deinit(&out);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make, unmake)
	const struct CMUnitTest tests[] = {
	    TEST(regexes_are_numbered_failregexes_first),
	    TEST(the_engine_is_told_all),
	    TEST(a_plain_jail_is_as_it_was),
	    TEST(hits_say_what_their_rule_says),
	    TEST(only_abuse_bans),
	    TEST(what_is_bound_outlives_a_reload),
	    TEST(the_wire_form_keeps_rules),
	    TEST(fields_that_a_regex_lacks_are_told_with_their_place),
	    TEST(people_read_weights_as_they_were_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
