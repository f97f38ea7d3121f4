/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * engine: what hits are worth in a jail with rules, and what its threshold is
 */
#include <stdio.h>

#include "decide/escalate.h"
#include "decide/pressure.h"
#include "engine_fixture.h"

#define DAY 86400.0

enum {
	R_PLAIN,
	R_HALF,
	R_SOFT,
	R_FAULT,
	R_NEUTRAL,
	R_GOOD,
	R_GOOD_TOO,
	R_GOOD_LIGHT,
	R_LIGHT,
	R_RCPT,
	R_SHORT,
	R_LONG,
	R_STRONG,
	N_RULES
};

static const struct engine_rule rules[N_RULES] = {
    [R_PLAIN] = {.class = HIT_ABUSE, .id = 0, .weight = 100},
    [R_HALF] = {.class = HIT_ABUSE, .id = 1, .weight = 50, .name = "half"},
    [R_SOFT] = {.class = HIT_MISCONFIGURATION, .id = 2, .weight = 100, .name = "soft"},
    [R_FAULT] = {.class = HIT_LOCAL_FAULT, .id = 3, .weight = 500, .name = "fault"},
    [R_NEUTRAL] = {.class = HIT_NEUTRAL, .id = 4, .weight = 500, .name = "neutral"},
    [R_GOOD] = {.class = HIT_GOOD, .id = 5, .weight = -100, .name = "good"},
    [R_GOOD_TOO] = {.class = HIT_GOOD, .id = 6, .weight = -300, .name = "good-too"},
    [R_GOOD_LIGHT] = {.class = HIT_GOOD, .id = 10, .weight = -50, .name = "light"},
    /* Of the rule of R_HALF: under one pressure. */
    [R_LIGHT] = {.class = HIT_ABUSE, .id = 1, .weight = 60, .name = "user"},
    [R_RCPT] = {.class = HIT_ABUSE,
	.id = 7,
	.weight = 100,
	.distinct = true,
	.free = 2,
	.name = "rcpt"},
    [R_SHORT] = {.class = HIT_ABUSE,
	.id = 8,
	.weight = 200,
	.bantime_sec = 60,
	.name = "short"},
    [R_STRONG] = {.class = HIT_ABUSE, .id = 12, .weight = 200, .name = "strong"},
    [R_LONG] = {.class = HIT_ABUSE,
	.id = 9,
	.weight = 100,
	.bantime_sec = 86400,
	.name = "long"},
};

/* Jail 0 has the rules: 600 s after 4 failures within an hour. */
static void rules_init(struct fixture *f)
{
	fixture_init(f);
	f->jails[0] = (struct engine_jail){.name = "mail",
	    .findtime_sec = 3600,
	    .maxretry = 4,
	    .bantime_sec = 600,
	    .maxmatches = 10,
	    .unit = 100,
	    .rules = rules,
	    .n_rules = N_RULES};
}

#define RULES(f)                                  \
	CLEANUP(fixture_deinit) struct fixture f; \
	rules_init(&f);                           \
	fixture_start(&f)

static int say_all(struct fixture *f, uint16_t rule, const char *who, double at,
    uint64_t value, uint64_t account)
{
	struct hit h = {.net = net(who),
	    .rule = rule,
	    .weight = 1,
	    .value = value,
	    .account = account,
	    .at = t(at),
	    .text = SPAN("a line")};

	return engine_feed(f->engine, &h, t(at), &f->orders);
}

static int say(struct fixture *f, uint16_t rule, const char *who, double at)
{
	return say_all(f, rule, who, at, 0, 0);
}

static void give_credit(struct fixture *f, const char *who, double at)
{
	struct net n = net(who);

	(void)say(f, R_GOOD, who, at - DAY);
	(void)say(f, R_GOOD, who, at);
	assert_true(engine_has_credit(f->engine, &n));
}

static void keep_account(void *ctx, const struct engine_account *a)
{
	*(struct engine_account *)ctx = *a;
}

static struct engine_account account(const struct fixture *f, const char *who)
{
	struct engine_account a = {.jail = 99};
	struct net n = net(who);

	engine_account(f->engine, &n, keep_account, &a);
	return a;
}

static struct engine_threshold threshold(const struct fixture *f, const char *who)
{
	struct engine_threshold out;
	struct net n = net(who);

	engine_threshold(f->engine, 0, &n, R_HALF, &out);
	return out;
}

/* --- weights and classes -----------------------------------------------------------
 */

static void test_parts_of_failures(void **state)
{
	RULES(f);

	(void)state;
	for (int i = 0; i < 7; i++)
		assert_int_equal(say(&f, R_HALF, "192.0.2.1", i), ENGINE_COUNTED);
	assert_int_equal(account(&f, "192.0.2.1").failures, 4); /* rounded up */
	assert_int_equal(account(&f, "192.0.2.1").sum, 350);
	assert_int_equal(say(&f, R_HALF, "192.0.2.1", 7), ENGINE_BANNED);
	assert_int_equal(last_order(&f)->failures, 4);
	assert_int_equal(last_order(&f)->n_why, 8);
	assert_string_equal(last_order(&f)->why[0].text, "a line");

	for (int i = 0; i < 3; i++)
		assert_int_equal(say(&f, R_PLAIN, "192.0.2.2", i), ENGINE_COUNTED);
	assert_int_equal(say(&f, R_PLAIN, "192.0.2.2", 3), ENGINE_BANNED);
}

static void test_the_window_still_slides(void **state)
{
	RULES(f);

	(void)state;
	for (int i = 0; i < 100; i++)
		assert_int_equal(say(&f, R_HALF, "192.0.2.1", i * 600), ENGINE_COUNTED);
}

static void test_misconfiguration_alone_never_bans(void **state)
{
	RULES(f);

	(void)state;
	for (int i = 0; i < 2000; i++)
		assert_int_equal(say(&f, R_SOFT, "192.0.2.1", i * 0.5), ENGINE_COUNTED);
	assert_int_equal(account(&f, "192.0.2.1").sum, 100);
	assert_int_equal(account(&f, "192.0.2.1").soft, 100);
	/* It is a quarter: three failures beside it do. */
	assert_int_equal(say(&f, R_PLAIN, "192.0.2.1", 1001), ENGINE_COUNTED);
	assert_int_equal(say(&f, R_PLAIN, "192.0.2.1", 1002), ENGINE_COUNTED);
	assert_int_equal(say(&f, R_PLAIN, "192.0.2.1", 1003), ENGINE_BANNED);
}

/* Whatever else there is, and in any order. */
static void test_abuse_below_three_quarters_stays_there(void **state)
{
	RULES(f);

	(void)state;
	(void)say(&f, R_PLAIN, "192.0.2.1", 0);
	(void)say(&f, R_PLAIN, "192.0.2.1", 1);
	for (int i = 0; i < 500; i++) {
		assert_int_equal(say(&f, R_SOFT, "192.0.2.1", i), ENGINE_COUNTED);
		if (i % 100 == 0)
			(void)say(&f, R_NEUTRAL, "192.0.2.1", i);
	}
	assert_int_equal(account(&f, "192.0.2.1").sum, 300);
	assert_int_equal(f.orders.n, 0);
}

static void test_what_never_counts(void **state)
{
	RULES(f);

	(void)state;
	for (int i = 0; i < 100; i++) {
		assert_int_equal(say(&f, R_FAULT, "192.0.2.1", i), ENGINE_NOTED);
		assert_int_equal(say(&f, R_NEUTRAL, "192.0.2.1", i), ENGINE_NOTED);
		assert_int_equal(say(&f, R_GOOD, "192.0.2.1", i), ENGINE_NOTED);
	}
	assert_int_equal(account(&f, "192.0.2.1").jail, 99);
}

static void test_a_hit_of_no_rule_is_a_failure(void **state)
{
	RULES(f);

	(void)state;
	for (int i = 0; i < 3; i++)
		assert_int_equal(
		    say(&f, ENGINE_NO_RULE, "192.0.2.1", i), ENGINE_COUNTED);
	assert_int_equal(say(&f, ENGINE_NO_RULE, "192.0.2.1", 3), ENGINE_BANNED);
}

static void test_the_longest_that_is_asked_for(void **state)
{
	RULES(f);

	(void)state;
	(void)say(&f, R_SHORT, "192.0.2.1", 0);
	(void)say(&f, R_SHORT, "192.0.2.1", 1);
	assert_int_equal(last_order(&f)->until.us, t(61).us);
	/* One that asks for nothing: the jail's bantime. */
	(void)say(&f, R_SHORT, "192.0.2.2", 0);
	(void)say(&f, R_PLAIN, "192.0.2.2", 1);
	(void)say(&f, R_SHORT, "192.0.2.2", 2);
	assert_int_equal(last_order(&f)->until.us, t(602).us);
	(void)say(&f, R_LONG, "192.0.2.3", 0);
	(void)say(&f, R_PLAIN, "192.0.2.3", 1);
	(void)say(&f, R_SHORT, "192.0.2.3", 2);
	assert_int_equal(last_order(&f)->until.us, t(86402).us);
}

static void test_distinct(void **state)
{
	RULES(f);
	static const uint64_t values[] = {1, 1, 2, 2, 1};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(values); i++)
		assert_int_equal(
		    say_all(&f, R_RCPT, "192.0.2.1", (double)i, values[i], 0),
		    ENGINE_REPEATED);
	for (uint64_t v = 3; v < 6; v++)
		assert_int_equal(
		    say_all(&f, R_RCPT, "192.0.2.1", 10, v, 0), ENGINE_COUNTED);
	assert_int_equal(say_all(&f, R_RCPT, "192.0.2.1", 11, 3, 0), ENGINE_REPEATED);
	assert_int_equal(say_all(&f, R_RCPT, "192.0.2.1", 12, 6, 0), ENGINE_BANNED);
	/* Without a value it is one of its own each time. */
	assert_int_equal(say(&f, R_RCPT, "192.0.2.2", 12), ENGINE_COUNTED);
}

static void test_accounts(void **state)
{
	RULES(f);

	(void)state;
	for (int i = 1; i < 5; i++) {
		char who[32];

		(void)snprintf(who, sizeof(who), "198.51.100.%d", i);
		assert_int_equal(say_all(&f, R_PLAIN, who, i, 0, 77), ENGINE_COUNTED);
	}
	/* The fifth address: double. */
	assert_int_equal(say_all(&f, R_PLAIN, "192.0.2.1", 10, 0, 77), ENGINE_COUNTED);
	assert_int_equal(account(&f, "192.0.2.1").sum, 200);
	/* A program with an old password, looking for mail every ten minutes. */
	for (int i = 0; i < 100; i++)
		assert_int_equal(
		    say_all(&f, R_PLAIN, "192.0.2.9", i * 600, 0, 78), ENGINE_COUNTED);
	assert_true(account(&f, "192.0.2.9").sum < 100);
}

static void test_who_comes_back_weighs_more(void **state)
{
	CLEANUP(fixture_deinit) struct fixture f;
	struct escalate_error error;
	CLEANUP(escalate_freep)
	struct escalate *x = escalate_new(&(struct escalate_options){0}, &error);

	(void)state;
	rules_init(&f);
	f.jails[0].escalate = x;
	f.jails[0].overalljails = true;
	fixture_start(&f);
	for (int i = 0; i < 8; i++)
		(void)say(&f, R_HALF, "192.0.2.1", i);
	assert_int_equal(f.orders.n, 1);
	tick(&f, 700);
	/* Twice the weight, and twice the time. */
	for (int i = 0; i < 3; i++)
		assert_int_equal(say(&f, R_HALF, "192.0.2.1", 700 + i), ENGINE_COUNTED);
	assert_int_equal(say(&f, R_HALF, "192.0.2.1", 703), ENGINE_BANNED);
	assert_int_equal(last_order(&f)->ban_count, 2);
	assert_int_equal(last_order(&f)->until.us, t(703 + 1200).us);
	/* A ban elsewhere counts for the length here. */
	assert_int_equal(feed_ban(&f, 1, "192.0.2.2", 800), ENGINE_BANNED);
	for (int i = 0; i < 8; i++)
		(void)say(&f, R_HALF, "192.0.2.2", 810 + i);
	assert_int_equal(last_order(&f)->ban_count, 2);
	assert_int_equal(last_order(&f)->until.us, t(817 + 1200).us);
}

/* What is to be short stays so, however often; and no longer than others begin. */
static void test_a_short_ban_stays_short(void **state)
{
	CLEANUP(fixture_deinit) struct fixture f;
	struct escalate_error error;
	CLEANUP(escalate_freep)
	struct escalate *x = escalate_new(&(struct escalate_options){0}, &error);

	(void)state;
	rules_init(&f);
	f.jails[0].escalate = x;
	fixture_start(&f);
	for (int i = 0; i < 10; i++) {
		double at = i * 10000;

		tick(&f, at);
		(void)say(&f, R_SHORT, "192.0.2.1", at);
		(void)say(&f, R_SHORT, "192.0.2.1", at);
		assert_int_equal(last_order(&f)->op, ORDER_BAN);
		assert_int_equal(
		    last_order(&f)->until.us, t(at + (i < 4 ? 60 << i : 600)).us);
	}
	tick(&f, 200000);
	for (int i = 0; i < 4; i++)
		(void)say(&f, R_PLAIN, "192.0.2.1", 200000);
	assert_true(last_order(&f)->until.us > t(200000 + 600).us);
}

/* --- thresholds --------------------------------------------------------------------
 */

static void test_credit_trebles_the_threshold(void **state)
{
	RULES(f);

	(void)state;
	give_credit(&f, "192.0.2.1", 0);
	assert_int_equal(threshold(&f, "192.0.2.1").need, 1200);
	assert_true(threshold(&f, "192.0.2.1").has_credit);
	assert_int_equal(threshold(&f, "192.0.2.2").need, 400);
	for (int i = 0; i < 11; i++)
		assert_int_equal(say(&f, R_PLAIN, "192.0.2.1", i), ENGINE_COUNTED);
	assert_int_equal(say(&f, R_PLAIN, "192.0.2.1", 12), ENGINE_BANNED);
	/* Not in a jail that does as fail2ban does. */
	assert_int_equal(feed(&f, 1, "192.0.2.1", 20), ENGINE_COUNTED);
	assert_int_equal(feed(&f, 1, "192.0.2.1", 21), ENGINE_BANNED);
}

/* In a jail that does not weigh, too: what it has earned elsewhere counts. */
static void test_credit_gets_the_softest_answer(void **state)
{
	CLEANUP(fixture_deinit) struct fixture f;

	(void)state;
	rules_init(&f);
	f.jails[0].steps = f.jails[1].steps =
	    (struct steps){.n = 2, .items = {{STEP_DROP_ALL, 600}, {STEP_REJECT, 600}}};
	fixture_start(&f);
	give_credit(&f, "192.0.2.1", 0);
	for (int i = 0; i < 12; i++)
		(void)say(&f, R_PLAIN, "192.0.2.1", 1);
	assert_int_equal(last_order(&f)->step, 2);
	assert_int_equal(feed_ban(&f, 1, "192.0.2.1", 2), ENGINE_BANNED);
	assert_int_equal(last_order(&f)->step, 2);
	assert_int_equal(feed_ban(&f, 1, "192.0.2.2", 2), ENGINE_BANNED);
	assert_int_equal(last_order(&f)->step, 1);
}

/* Who guesses passwords is not kept out by a mail server that refuses his mail. */
static void test_credit_makes_nobody_safe(void **state)
{
	CLEANUP(fixture_deinit) struct fixture f;

	(void)state;
	rules_init(&f);
	f.jails[1].steps = (struct steps){.n = 3,
	    .items = {{STEP_REFUSE, 3600}, {STEP_DROP, 600}, {STEP_DROP_ALL, 600}}};
	fixture_start(&f);
	give_credit(&f, "192.0.2.1", 0);
	for (int i = 0; i < 3; i++) {
		double at = 2 + 1000 * i;

		assert_int_equal(feed_ban(&f, 1, "192.0.2.1", at), ENGINE_BANNED);
		assert_int_equal(last_order(&f)->step, 1);
		assert_int_equal(
		    feed_ban(&f, 1, "192.0.2.1", at + 60), ENGINE_PROLONGED);
		assert_int_equal(last_order(&f)->step, 2);
		assert_int_equal(engine_tick(f.engine, t(at + 900), &f.orders), 0);
	}
}

/* Passing each day what any program can pass is no credit for who guesses then. */
static void test_light_credit_is_not_for_offenders(void **state)
{
	RULES(f);
	struct net guesser = net("192.0.2.1"), server = net("192.0.2.2");
	struct net user = net("192.0.2.3"), answered = net("192.0.2.4");

	(void)state;
	for (int i = 0; i < 10; i++) {
		(void)say(&f, R_GOOD_LIGHT, "192.0.2.1", i * DAY);
		(void)say(&f, R_SHORT, "192.0.2.1", i * DAY + 2);
		(void)say(&f, R_GOOD_LIGHT, "192.0.2.2", i * DAY);
		(void)say(&f, R_PLAIN, "192.0.2.2", i * DAY + 2);
		(void)say(&f, R_GOOD_TOO, "192.0.2.3", i * DAY);
		(void)say(&f, R_SHORT, "192.0.2.3", i * DAY + 2);
		(void)say(&f, R_GOOD, "192.0.2.4", i * DAY);
		(void)say(&f, R_SHORT, "192.0.2.4", i * DAY + 2);
	}
	assert_false(engine_has_credit(f.engine, &guesser));
	assert_true(engine_has_credit(f.engine, &server));
	assert_true(engine_has_credit(f.engine, &user));
	assert_false(engine_has_credit(f.engine, &answered));
	/* It has stopped. */
	for (int i = 11; i < 14; i++)
		(void)say(&f, R_GOOD_LIGHT, "192.0.2.1", i * DAY);
	assert_true(engine_has_credit(f.engine, &guesser));
}

static void test_credit_is_explained(void **state)
{
	RULES(f);
	struct net n = net("192.0.2.1");
	struct credit c;

	(void)state;
	assert_false(engine_credit(f.engine, &n, &c));
	(void)say(&f, R_GOOD, "192.0.2.1", 0);
	(void)say(&f, R_GOOD_TOO, "192.0.2.1", 0);
	assert_true(engine_credit(f.engine, &n, &c));
	assert_int_equal(c.n_kinds, 2);
	assert_int_equal(c.kinds[1].points, 3 * CREDIT_POINT);
	assert_string_equal(engine_credit_name(f.engine, c.kinds[1].kind), "good-too");
	assert_true(engine_has_credit(f.engine, &n));
	tick(&f, 28 * DAY);
	assert_true(engine_credit(f.engine, &n, &c));
	assert_int_equal(c.kinds[1].points, 3 * CREDIT_POINT / 4);
	assert_false(engine_has_credit(f.engine, &n));
}

static void press_by(struct fixture *f, uint16_t rule, int n, double at)
{
	for (int i = 1; i <= n; i++) {
		char who[32];

		(void)snprintf(who, sizeof(who), "203.0.113.%d", i);
		(void)say(f, rule, who, at);
	}
}

static void press(struct fixture *f, int n, double at)
{
	press_by(f, R_HALF, n, at);
}

static void test_pressure(void **state)
{
	CLEANUP(fixture_deinit) struct fixture f;

	(void)state;
	rules_init(&f);
	f.jails[0].adapt = true;
	fixture_start(&f);
	give_credit(&f, "192.0.2.9", 0);
	press(&f, 9, 0);
	assert_int_equal(threshold(&f, "192.0.2.1").need, 400);
	press(&f, 10, 1);
	assert_int_equal(threshold(&f, "192.0.2.1").need, 200);
	assert_int_equal(threshold(&f, "192.0.2.1").pressure, 1);
	press(&f, 20, 2);
	assert_int_equal(threshold(&f, "192.0.2.1").need, 100);
	assert_int_equal(threshold(&f, "192.0.2.1").offenders, 20);
	/* Another thing is what all of it together makes it: a half. */
	assert_int_equal(say(&f, R_PLAIN, "192.0.2.4", 3), ENGINE_COUNTED);
	assert_int_equal(say(&f, R_PLAIN, "192.0.2.4", 3), ENGINE_BANNED);
	assert_int_equal(say(&f, R_HALF, "192.0.2.1", 3), ENGINE_COUNTED);
	assert_int_equal(say(&f, R_HALF, "192.0.2.1", 3), ENGINE_BANNED);
	assert_int_equal(threshold(&f, "192.0.2.9").need, 1200);
	assert_int_equal(say(&f, R_PLAIN, "192.0.2.9", 4), ENGINE_COUNTED);
	/* Whose recipients are unknown has as many as before. */
	for (uint64_t v = 1; v <= 5; v++)
		assert_int_not_equal(
		    say_all(&f, R_RCPT, "192.0.2.3", 5, v, 0), ENGINE_BANNED);
	/* Misconfiguration alone does not ban then, either. */
	for (int i = 0; i < 50; i++)
		assert_int_equal(say(&f, R_SOFT, "192.0.2.2", 5 + i), ENGINE_COUNTED);
	tick(&f, 3700);
	assert_int_equal(threshold(&f, "192.0.2.1").need, 100);
	assert_int_equal(threshold(&f, "192.0.2.1").offenders, 0);
	tick(&f, PRESSURE_HOLD_SEC + 100);
	assert_int_equal(threshold(&f, "192.0.2.1").need, 400);
}

/* Of a server with credit many users have typos. */
static void test_typos_of_a_server_with_credit(void **state)
{
	RULES(f);

	(void)state;
	give_credit(&f, "192.0.2.9", 0);
	for (uint64_t v = 1; v <= 60; v++)
		assert_int_equal(say_all(&f, R_RCPT, "192.0.2.9", 5 + (double)v, v, 0),
		    v <= 2 ? ENGINE_REPEATED : ENGINE_COUNTED);
	for (uint64_t v = 1; v <= 5; v++)
		(void)say_all(&f, R_RCPT, "192.0.2.8", 5 + (double)v, v, 0);
	assert_int_equal(say_all(&f, R_RCPT, "192.0.2.8", 20, 6, 0), ENGINE_BANNED);
}

/* A rule's time makes that of a step shorter, never longer. */
static void test_times_of_rules_and_steps(void **state)
{
	static const struct {
		int rule;
		int64_t sec;
	} want[] = {{R_LONG, 1000}, {R_SHORT, 60}, {R_PLAIN, 1000}};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(want); i++) {
		CLEANUP(fixture_deinit) struct fixture f;
		int r = ENGINE_COUNTED;

		rules_init(&f);
		f.jails[0].steps = (struct steps){1, {{STEP_DROP, 1000}}};
		fixture_start(&f);
		for (int k = 0; k < 4 && r == ENGINE_COUNTED; k++)
			r = say(&f, want[i].rule, "192.0.2.1", k);
		assert_int_equal(r, ENGINE_BANNED);
		assert_int_equal(
		    (last_order(&f)->until.us - last_order(&f)->at.us) / US_PER_SEC,
		    want[i].sec);
	}
}

/* What others say of many at any time lowers what they say to a half only. */
static void test_a_steady_rule(void **state)
{
	CLEANUP(fixture_deinit) struct fixture f;
	struct engine_rule steady[N_RULES];

	(void)state;
	rules_init(&f);
	memcpy(steady, rules, sizeof(steady));
	steady[R_HALF].is_steady = true;
	f.jails[0].rules = steady;
	f.jails[0].adapt = true;
	fixture_start(&f);
	press(&f, 40, 0);
	assert_int_equal(threshold(&f, "192.0.2.1").need, 200);
}

/* One machine with IPv6 is no broad attack, nor several servers with one complaint. */
static void test_a_64_is_one_client(void **state)
{
	CLEANUP(fixture_deinit) struct fixture f;

	(void)state;
	rules_init(&f);
	f.jails[0].adapt = true;
	fixture_start(&f);
	give_credit(&f, "2001:db8::1", 0);
	give_credit(&f, "2001:db8::2", 0);
	assert_int_equal(say(&f, R_HALF, "2001:db8::1", 0), ENGINE_COUNTED);
	assert_int_equal(say(&f, R_HALF, "2001:db8::2", 0), ENGINE_COUNTED);
	for (int i = 1; i < 40; i++) {
		char who[32];

		(void)snprintf(who, sizeof(who), "2001:db8:0:1::%x", i);
		assert_int_equal(say_all(&f, R_PLAIN, who, i, 0, 7), ENGINE_COUNTED);
	}
	assert_int_equal(threshold(&f, "192.0.2.1").need, 400);
	/* The account was not attacked by many. */
	assert_int_equal(say_all(&f, R_LIGHT, "192.0.2.1", 60, 0, 7), ENGINE_COUNTED);
	assert_int_equal(account(&f, "192.0.2.1").sum, 60);
}

/* A telephone with an old password is no guesser, whoever else is one. */
static void test_a_stale_password_under_pressure(void **state)
{
	CLEANUP(fixture_deinit) struct fixture f;

	(void)state;
	rules_init(&f);
	f.jails[0].adapt = true;
	f.jails[0].maxretry = 5;
	fixture_start(&f);
	press_by(&f, R_LIGHT, 30, 0);
	assert_int_equal(threshold(&f, "192.0.2.1").need, 125);
	for (int i = 0; i < 50; i++)
		assert_int_equal(say_all(&f, R_LIGHT, "192.0.2.1", 10 + 300 * i, 0, 7),
		    ENGINE_COUNTED);
	assert_true(account(&f, "192.0.2.1").soft <= 31);
	assert_int_equal(account(&f, "192.0.2.1").sum, account(&f, "192.0.2.1").soft);
	/* One that tries as often, and other accounts. */
	for (uint64_t i = 0; i < 3; i++)
		assert_int_equal(
		    say_all(&f, R_LIGHT, "192.0.2.2", 10 + 300 * (double)i, 0, 8 + i),
		    i < 2 ? ENGINE_COUNTED : ENGINE_BANNED);
}

/* A user mistypes his password: attacked by many, banned before, and whatever else. */
static void test_a_light_one_is_not_enough(void **state)
{
	CLEANUP(fixture_deinit) struct fixture f;
	struct escalate_error error;
	CLEANUP(escalate_freep)
	struct escalate *x = escalate_new(&(struct escalate_options){0}, &error);

	(void)state;
	rules_init(&f);
	f.jails[0].escalate = x;
	f.jails[0].adapt = true;
	fixture_start(&f);
	for (int i = 0; i < 4; i++)
		(void)say(&f, R_PLAIN, "192.0.2.1", 0);
	assert_int_equal(f.orders.n, 1);
	tick(&f, 8000);
	press_by(&f, R_LIGHT, 30, 8000);
	for (int i = 1; i < 10; i++) {
		char who[32];

		(void)snprintf(who, sizeof(who), "198.51.100.%d", i);
		(void)say_all(&f, R_LIGHT, who, 8000, 0, 7);
	}
	assert_int_equal(threshold(&f, "192.0.2.1").need, 100);
	assert_int_equal(say(&f, R_SOFT, "192.0.2.1", 8001), ENGINE_COUNTED);
	assert_int_equal(say_all(&f, R_LIGHT, "192.0.2.1", 8002, 0, 7), ENGINE_COUNTED);
	assert_true(account(&f, "192.0.2.1").sum > 100);
	assert_int_equal(say_all(&f, R_LIGHT, "192.0.2.1", 8003, 0, 7), ENGINE_BANNED);
}

/* Two typos and a trifle are no attack, whoever else is one. */
static void test_typos_under_pressure(void **state)
{
	CLEANUP(fixture_deinit) struct fixture f;

	(void)state;
	rules_init(&f);
	f.jails[0].adapt = true;
	fixture_start(&f);
	press_by(&f, R_LIGHT, 30, 0);
	for (uint64_t v = 1; v <= 5; v++)
		(void)say_all(&f, R_RCPT, "192.0.2.1", (double)v, v, 0);
	assert_int_equal(say(&f, R_LIGHT, "192.0.2.1", 10), ENGINE_COUNTED);
	assert_int_equal(account(&f, "192.0.2.1").sum, 360);
	assert_int_equal(account(&f, "192.0.2.1").distinct, 300);
	assert_int_equal(say(&f, R_SHORT, "192.0.2.1", 11), ENGINE_BANNED);
	assert_int_equal(last_order(&f)->n_why, 5);
	/* With the typos all of maxretry is reached: by all of it. */
	for (uint64_t v = 1; v <= 5; v++)
		(void)say_all(&f, R_RCPT, "192.0.2.2", (double)v, v, 0);
	assert_int_equal(say(&f, R_SOFT, "192.0.2.2", 12), ENGINE_BANNED);
	for (uint64_t v = 1; v <= 3; v++)
		(void)say_all(&f, R_RCPT, "192.0.2.3", (double)v, v, 0);
	assert_int_equal(say(&f, R_LIGHT, "192.0.2.3", 13), ENGINE_COUNTED);
	assert_int_equal(say(&f, R_LIGHT, "192.0.2.3", 14), ENGINE_BANNED);
	assert_int_equal(last_order(&f)->n_why, 2);
}

/* It is an option of plain jails, too; but not theirs by itself. */
static void test_a_plain_jail_may_adapt(void **state)
{
	CLEANUP(fixture_deinit) struct fixture f;

	(void)state;
	fixture_init(&f);
	f.jails[2].adapt = true;
	fixture_start(&f);
	for (int i = 1; i < 20; i++) {
		char who[32];

		(void)snprintf(who, sizeof(who), "203.0.113.%d", i);
		assert_int_equal(feed(&f, 2, who, i), ENGINE_COUNTED);
		assert_int_equal(feed(&f, 0, who, i), ENGINE_COUNTED);
	}
	assert_int_equal(feed(&f, 2, "192.0.2.1", 30), ENGINE_BANNED);
	assert_int_equal(feed(&f, 0, "192.0.2.1", 30), ENGINE_COUNTED);
}

/* --- the breaker -------------------------------------------------------------------
 */

static void keep_suspended(void *ctx, const struct engine_suspended *s)
{
	*(struct engine_suspended *)ctx = *s;
}

static void test_breaker(void **state)
{
	RULES(f);
	struct engine_suspended s = {.rule = 99};
	struct engine_event e;

	(void)state;
	give_credit(&f, "192.0.2.8", 0);
	give_credit(&f, "192.0.2.9", 0);
	assert_int_equal(say(&f, R_PLAIN, "192.0.2.8", 10), ENGINE_COUNTED);
	assert_int_equal(say(&f, R_PLAIN, "192.0.2.9", 11), ENGINE_SUSPENDED);
	for (int i = 0; i < 30; i++)
		assert_int_equal(say(&f, R_PLAIN, "192.0.2.1", 12), ENGINE_SUSPENDED);
	assert_int_equal(say(&f, R_HALF, "192.0.2.1", 13), ENGINE_COUNTED);

	engine_each_suspended(f.engine, keep_suspended, &s);
	assert_int_equal(s.rule, R_PLAIN);
	assert_int_equal(s.n_credited, 2);
	assert_true(engine_next_event(f.engine, &e));
	assert_true(e.is_suspended);
	assert_int_equal(e.what.rule, R_PLAIN);
	assert_int_equal(e.at.us, t(11).us);
	assert_false(engine_next_event(f.engine, &e));

	assert_int_equal(engine_next(f.engine).us, t(311).us + 1);
	tick(&f, 312);
	assert_true(engine_next_event(f.engine, &e));
	assert_false(e.is_suspended);
	assert_false(engine_next_event(f.engine, &e));
	assert_int_equal(say(&f, R_PLAIN, "192.0.2.1", 313), ENGINE_COUNTED);
}

static void test_breaker_of_misconfiguration(void **state)
{
	RULES(f);
	struct engine_event e;
	int n_suspended = 0;

	(void)state;
	for (int i = 1; i <= 30; i++) {
		char who[32];

		(void)snprintf(who, sizeof(who), "203.0.113.%d", i);
		n_suspended += say(&f, R_SOFT, who, i) == ENGINE_SUSPENDED;
	}
	assert_int_equal(n_suspended, 21);
	assert_true(engine_next_event(f.engine, &e));
	assert_string_equal(e.what.name, "soft");
	assert_int_equal(e.what.n_clients, 10);
}

/* What was seen while the clock was years ahead does not count for years. */
static void test_a_clock_that_was_ahead(void **state)
{
	CLEANUP(fixture_deinit) struct fixture f;
	const double ahead = 1000 * DAY;
	struct engine_suspended s = {.rule = 99};
	struct engine_event e;

	(void)state;
	rules_init(&f);
	f.jails[0].adapt = true;
	fixture_start(&f);
	press(&f, 30, ahead);
	give_credit(&f, "192.0.2.8", ahead);
	give_credit(&f, "192.0.2.9", ahead);
	(void)say(&f, R_LONG, "192.0.2.8", ahead);
	assert_int_equal(say(&f, R_LONG, "192.0.2.9", ahead), ENGINE_SUSPENDED);
	assert_true(engine_next_event(f.engine, &e));

	tick(&f, 0);
	assert_true(engine_next_event(f.engine, &e));
	assert_false(e.is_suspended);
	assert_int_equal(e.at.us, t(0).us);
	engine_each_suspended(f.engine, keep_suspended, &s);
	assert_int_equal(s.rule, 99);
	assert_int_equal(threshold(&f, "192.0.2.1").need, 400);
	assert_int_equal(say(&f, R_LONG, "192.0.2.1", 1), ENGINE_COUNTED);
}

/* --- across reloads and restarts ---------------------------------------------------
 */

static void test_a_reload_changes_units(void **state)
{
	RULES(f);

	(void)state;
	(void)say(&f, R_PLAIN, "192.0.2.1", 0);
	(void)say(&f, R_PLAIN, "192.0.2.1", 1);
	for (int i = 0; i < 20; i++)
		(void)say(&f, R_SOFT, "192.0.2.2", i * 0.01);
	f.jails[0].rules = NULL;
	f.jails[0].n_rules = 0;
	f.jails[0].unit = 1;
	assert_int_equal(engine_reload(f.engine, &f.options, t(2), &f.orders), 0);
	assert_int_equal(account(&f, "192.0.2.1").failures, 2);
	assert_int_equal(feed(&f, 0, "192.0.2.1", 3), ENGINE_COUNTED);
	assert_int_equal(feed(&f, 0, "192.0.2.1", 4), ENGINE_BANNED);
	/* What was misconfiguration is nothing there. */
	for (int i = 0; i < 3; i++)
		assert_int_equal(feed(&f, 0, "192.0.2.2", 5 + i), ENGINE_COUNTED);
}

static void test_a_reload_keeps_what_was_seen(void **state)
{
	CLEANUP(fixture_deinit) struct fixture f;
	struct net n = net("192.0.2.8");

	(void)state;
	rules_init(&f);
	f.jails[0].adapt = true;
	fixture_start(&f);
	give_credit(&f, "192.0.2.8", 0);
	press(&f, 20, 0);
	(void)say_all(&f, R_RCPT, "192.0.2.1", 0, 1, 0);
	assert_int_equal(engine_reload(f.engine, &f.options, t(2), &f.orders), 0);
	assert_true(engine_has_credit(f.engine, &n));
	assert_int_equal(threshold(&f, "192.0.2.1").pressure, 2);
	assert_int_equal(say_all(&f, R_RCPT, "192.0.2.1", 3, 1, 0), ENGINE_REPEATED);
}

struct saved {
	struct fixture *to;
	int n;
};

static void restore_tally(
    void *ctx, uint32_t jail, const struct net *n, struct span state)
{
	struct saved *s = ctx;

	s->n++;
	assert_int_equal(engine_restore_tally(s->to->engine, jail, n, state), 0);
}

static void restore_credit(void *ctx, const struct credit *c)
{
	struct saved *s = ctx;

	s->n++;
	assert_int_equal(engine_restore_credit(s->to->engine, c), 0);
}

static void test_a_restart(void **state)
{
	RULES(f);
	CLEANUP(fixture_deinit) struct fixture plain;
	RULES(again);
	struct saved s = {.to = &again};

	(void)state;
	give_credit(&f, "192.0.2.8", 0);
	for (int i = 0; i < 20; i++)
		(void)say(&f, R_SOFT, "192.0.2.1", i);
	(void)say(&f, R_PLAIN, "192.0.2.1", 30);
	engine_each_dirty(f.engine, restore_tally, &s);
	engine_each_dirty_credit(f.engine, restore_credit, &s);
	assert_int_equal(s.n, 2);
	tick(&again, 31);
	assert_int_equal(account(&again, "192.0.2.1").sum, 200);
	assert_int_equal(account(&again, "192.0.2.1").soft, 100);
	assert_int_equal(threshold(&again, "192.0.2.8").need, 1200);

	/* To a jail that has no rules any more. */
	fixture_init(&plain);
	plain.jails[0].findtime_sec = 3600;
	fixture_start(&plain);
	s.to = &plain;
	engine_mark_dirty(f.engine);
	engine_each_dirty(f.engine, restore_tally, &s);
	tick(&plain, 31);
	assert_true(account(&plain, "192.0.2.1").failures <= 21);
}

/* --- networks ----------------------------------------------------------------------
 */

static void group_init(struct fixture *f)
{
	rules_init(f);
	f->jails[0].group = 4;
	fixture_start(f);
}

static int ban_by_rule(struct fixture *f, const char *who, double at)
{
	(void)say(f, R_STRONG, who, at);
	return say(f, R_STRONG, who, at);
}

static void test_a_network_of_offenders(void **state)
{
	CLEANUP(fixture_deinit) struct fixture f;
	struct net all = net("192.0.2.0/24");

	(void)state;
	group_init(&f);
	assert_int_equal(ban_by_rule(&f, "192.0.2.1", 0), ENGINE_BANNED);
	(void)ban_by_rule(&f, "192.0.2.2", 100);
	(void)ban_by_rule(&f, "192.0.2.3", 200);
	assert_int_equal(f.orders.n, 3);
	(void)ban_by_rule(&f, "192.0.2.4", 300);
	assert_int_equal(f.orders.n, 5);
	assert_int_equal(last_order(&f)->op, ORDER_BAN);
	assert_int_equal(last_order(&f)->cause, ORDER_BY_GROUP);
	assert_true(net_eq(&last_order(&f)->net, &all));
	assert_int_equal(last_order(&f)->until.us, t(900).us);
	assert_string_equal(last_order(&f)->why[0].text, "a line");
	assert_int_equal(ban_by_rule(&f, "192.0.2.5", 400), ENGINE_ALREADY_BANNED);
	assert_int_equal(n_found(&f, "192.0.2.77"), 1);

	/* Lifted: it takes as many as before. */
	assert_int_equal(unban(&f, 0, "192.0.2.0/24", 500), 5);
	(void)ban_by_rule(&f, "192.0.2.6", 510);
	assert_int_equal(last_order(&f)->cause, ORDER_BY_RULE);
}

/* Neighbours whose bans are to be short: that of the network is no longer. */
static void test_a_short_ban_of_a_network(void **state)
{
	CLEANUP(fixture_deinit) struct fixture f;

	(void)state;
	group_init(&f);
	for (int i = 1; i <= 4; i++) {
		char who[32];

		(void)snprintf(who, sizeof(who), "192.0.2.%d", i);
		(void)say(&f, R_SHORT, who, i);
		(void)say(&f, R_SHORT, who, i);
	}
	assert_int_equal(last_order(&f)->cause, ORDER_BY_GROUP);
	assert_int_equal(last_order(&f)->until.us, t(64).us);
	/* And of those who have each done little. */
	for (int i = 1; i <= 9; i++) {
		char who[32];

		(void)snprintf(who, sizeof(who), "198.51.100.%d", i);
		(void)say(&f, R_SHORT, who, 100);
	}
	assert_int_equal(last_order(&f)->cause, ORDER_BY_GROUP);
	assert_int_equal(last_order(&f)->until.us, t(160).us);
}

static void test_never_with_credit_in_it(void **state)
{
	CLEANUP(fixture_deinit) struct fixture f;

	(void)state;
	group_init(&f);
	give_credit(&f, "192.0.2.200", 0);
	for (int i = 1; i < 10; i++) {
		char who[32];

		(void)snprintf(who, sizeof(who), "192.0.2.%d", i);
		(void)ban_by_rule(&f, who, i);
	}
	assert_int_equal(f.orders.n, 9);
	assert_int_equal(n_found(&f, "192.0.2.200"), 0);
}

/* But who owns a /64 has no tries without end because one address of it is good. */
static void test_a_64_with_credit_in_it(void **state)
{
	CLEANUP(fixture_deinit) struct fixture f;
	int n_tries = 0;

	(void)state;
	group_init(&f);
	give_credit(&f, "2001:db8::1", 0);
	for (int i = 2; i < 102; i++) {
		char who[32];

		(void)snprintf(who, sizeof(who), "2001:db8::%x", i);
		for (int k = 0; k < 4; k++) {
			n_tries++;
			if (say(&f, R_PLAIN, who, i) == ENGINE_BANNED)
				break;
		}
	}
	/* Sixteen failures are as many as ban a network; the third of each four would
	 * have been one more. */
	assert_in_range(n_tries, 100, 100 + 6 * 3);
	assert_int_equal(f.orders.n, 100);
	for (size_t i = 0; i < f.orders.n; i++) {
		assert_true(net_is_host(&f.orders.items[i].net));
		assert_true(f.orders.items[i].failures > 0);
		assert_true(f.orders.items[i].n_why > 0);
	}
	assert_int_equal(n_found(&f, "2001:db8::1"), 0);
	/* What is light is not enough. */
	assert_int_equal(say(&f, R_HALF, "2001:db8::ff", 110), ENGINE_COUNTED);
}

/* Nor with one in it that is never banned: of ignoreip, or our own. */
static void test_never_with_an_ignored_one_in_it(void **state)
{
	CLEANUP(fixture_deinit) struct fixture f;
	struct net ignored = net("192.0.2.200"), own = net("198.51.100.1");

	(void)state;
	group_init(&f);
	f.jails[0].ignore = &ignored;
	f.jails[0].n_ignore = 1;
	f.jails[0].ignoreself = true;
	assert_int_equal(engine_reload(f.engine, &f.options, t(-1), &f.orders), 0);
	assert_int_equal(engine_set_own(f.engine, &own, 1), 0);
	for (int i = 2; i < 12; i++) {
		char who[32];

		(void)snprintf(who, sizeof(who), "192.0.2.%d", i);
		(void)ban_by_rule(&f, who, i);
		(void)snprintf(who, sizeof(who), "198.51.100.%d", i);
		for (int k = 0; k < 3; k++)
			(void)say(&f, R_PLAIN, who, i);
	}
	assert_int_equal(f.orders.n, 10);
	assert_int_equal(n_found(&f, "192.0.2.200"), 0);
	assert_int_equal(n_found(&f, "198.51.100.1"), 0);
}

/* Forty neighbours, each of whom stays below. */
static void test_many_who_each_do_little(void **state)
{
	CLEANUP(fixture_deinit) struct fixture f;
	struct net all = net("192.0.2.0/24");
	int n_who = 0;

	(void)state;
	group_init(&f);
	while (f.orders.n == 0 && n_who < 40) {
		char who[32];

		(void)snprintf(who, sizeof(who), "192.0.2.%d", ++n_who);
		for (int i = 0; i < 3; i++)
			assert_int_equal(say(&f, R_PLAIN, who, n_who), ENGINE_COUNTED);
	}
	/* 16 failures, as of 4 who are banned. */
	assert_int_equal(n_who, 6);
	assert_int_equal(f.orders.n, 1);
	assert_true(net_eq(&last_order(&f)->net, &all));
	assert_int_equal(last_order(&f)->cause, ORDER_BY_GROUP);
	assert_int_equal(last_order(&f)->failures, 16);
	assert_int_equal(last_order(&f)->n_why, 1);
	assert_string_equal(last_order(&f)->why[0].text, "a line");
	assert_int_equal(n_found(&f, "192.0.2.200"), 1);
}

/* Three who do it all are no network; nor are many over days, or badly set up. */
static void test_no_network(void **state)
{
	CLEANUP(fixture_deinit) struct fixture f;

	(void)state;
	group_init(&f);
	for (int i = 0; i < 30; i++) {
		char who[32];

		(void)snprintf(who, sizeof(who), "192.0.2.%d", 1 + i % 10);
		(void)say(&f, R_PLAIN, who, i * 1000);
		(void)snprintf(who, sizeof(who), "198.51.100.%d", 1 + i % 3);
		(void)say(&f, R_PLAIN, who, i * 1000);
		(void)snprintf(who, sizeof(who), "203.0.113.%d", i);
		for (int k = 0; k < 500; k++)
			(void)say(&f, R_SOFT, who, i * 1000 + k * 0.01);
	}
	assert_int_equal(f.orders.n, 0);
}

static void test_networks_of_ipv6(void **state)
{
	CLEANUP(fixture_deinit) struct fixture f;
	struct net wide = net("2001:db8:0:100::/56");

	(void)state;
	group_init(&f);
	for (int i = 1; i <= 4; i++) {
		char who[64];

		(void)snprintf(who, sizeof(who), "2001:db8:0:10%d::1", i);
		assert_int_equal(ban_by_rule(&f, who, i), ENGINE_BANNED);
	}
	assert_int_equal(f.orders.n, 5);
	assert_true(net_eq(&last_order(&f)->net, &wide));
}

static void test_a_network_after_a_restart(void **state)
{
	CLEANUP(fixture_deinit) struct fixture f;

	(void)state;
	group_init(&f);
	for (int i = 1; i <= 3; i++) {
		struct order o = {.op = ORDER_BAN, .cause = ORDER_BY_RULE};
		char who[32];

		(void)snprintf(who, sizeof(who), "192.0.2.%d", i);
		o.net = net(who);
		o.at = t(0);
		o.until = t(3600);
		assert_int_equal(engine_restore_ban(f.engine, &o), 0);
	}
	(void)ban_by_rule(&f, "192.0.2.4", 10);
	assert_int_equal(last_order(&f)->cause, ORDER_BY_GROUP);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_parts_of_failures),
	    cmocka_unit_test(test_the_window_still_slides),
	    cmocka_unit_test(test_misconfiguration_alone_never_bans),
	    cmocka_unit_test(test_abuse_below_three_quarters_stays_there),
	    cmocka_unit_test(test_what_never_counts),
	    cmocka_unit_test(test_a_hit_of_no_rule_is_a_failure),
	    cmocka_unit_test(test_the_longest_that_is_asked_for),
	    cmocka_unit_test(test_distinct),
	    cmocka_unit_test(test_accounts),
	    cmocka_unit_test(test_who_comes_back_weighs_more),
	    cmocka_unit_test(test_a_light_one_is_not_enough),
	    cmocka_unit_test(test_a_short_ban_stays_short),
	    cmocka_unit_test(test_credit_trebles_the_threshold),
	    cmocka_unit_test(test_credit_gets_the_softest_answer),
	    cmocka_unit_test(test_credit_makes_nobody_safe),
	    cmocka_unit_test(test_light_credit_is_not_for_offenders),
	    cmocka_unit_test(test_credit_is_explained),
	    cmocka_unit_test(test_pressure),
	    cmocka_unit_test(test_typos_of_a_server_with_credit),
	    cmocka_unit_test(test_times_of_rules_and_steps),
	    cmocka_unit_test(test_a_steady_rule),
	    cmocka_unit_test(test_a_64_is_one_client),
	    cmocka_unit_test(test_a_stale_password_under_pressure),
	    cmocka_unit_test(test_typos_under_pressure),
	    cmocka_unit_test(test_a_plain_jail_may_adapt),
	    cmocka_unit_test(test_breaker),
	    cmocka_unit_test(test_breaker_of_misconfiguration),
	    cmocka_unit_test(test_a_clock_that_was_ahead),
	    cmocka_unit_test(test_a_reload_changes_units),
	    cmocka_unit_test(test_a_reload_keeps_what_was_seen),
	    cmocka_unit_test(test_a_restart),
	    cmocka_unit_test(test_a_network_of_offenders),
	    cmocka_unit_test(test_a_short_ban_of_a_network),
	    cmocka_unit_test(test_never_with_credit_in_it),
	    cmocka_unit_test(test_a_64_with_credit_in_it),
	    cmocka_unit_test(test_never_with_an_ignored_one_in_it),
	    cmocka_unit_test(test_many_who_each_do_little),
	    cmocka_unit_test(test_no_network),
	    cmocka_unit_test(test_networks_of_ipv6),
	    cmocka_unit_test(test_a_network_after_a_restart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
