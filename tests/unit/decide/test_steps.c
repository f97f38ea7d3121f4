/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Graduated answers: which step is whose; and in the engine, jail 0 with four steps,
 * maxretry 3 within 60 s.
 */
#include <errno.h>
#include <stdio.h>

#include "decide/escalate.h"
#include "engine_fixture.h"

#define WHO "192.0.2.7"

static const struct steps four = {4,
    {{STEP_REFUSE, 600}, {STEP_REJECT, 1200}, {STEP_DROP, 2400}, {STEP_DROP_ALL, -1}}};

static uint8_t next(const struct steps *s, struct steps_case c)
{
	return steps_next(s, &c);
}

static void one_after_the_other(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 10; i++)
		assert_int_equal(
		    next(&four, (struct steps_case){.before = i}), i < 4 ? i + 1 : 4);
	assert_int_equal(
	    next(&(struct steps){.n = 0}, (struct steps_case){.before = 3}), 0);
	assert_null(steps_at(&four, 0));
	assert_int_equal(steps_at(&four, 9)->answer, STEP_DROP_ALL);
	assert_true(steps_is_soft(&four, 1));
	assert_false(steps_is_soft(&four, 2) || steps_is_soft(&four, 0));
}

static void words_are_for_weak_evidence(void **state)
{
	static const struct steps two = {
	    3, {{STEP_REFUSE, 60}, {STEP_REFUSE, 120}, {STEP_DROP, 60}}};
	static const struct steps only = {1, {{STEP_REFUSE, 60}}};

	(void)state;
	assert_int_equal(next(&two, (struct steps_case){.is_strong = true}), 3);
	assert_int_equal(next(&two, (struct steps_case){.is_by_user = true}), 3);
	assert_int_equal(next(&four, (struct steps_case){.is_strong = true}), 2);
	assert_int_equal(
	    next(&four, (struct steps_case){.is_strong = true, .before = 2}), 3);
	assert_int_equal(next(&only, (struct steps_case){.is_strong = true}), 1);
}

static void credit_is_answered_softly(void **state)
{
	static const struct steps hard = {
	    3, {{STEP_DROP, 60}, {STEP_DROP, 120}, {STEP_DROP_ALL, 60}}};

	(void)state;
	for (uint32_t i = 0; i < 6; i++) {
		struct steps_case c = {.before = i, .has_credit = true};

		c.is_strong = i & 1;
		assert_int_equal(next(&four, c), 1);
		assert_int_equal(next(&hard, c), 1);
	}
	assert_int_equal(next(&four,
			     (struct steps_case){
				 .before = 3, .has_credit = true, .is_by_user = true}),
	    4);
	assert_int_equal(
	    next(&four,
		(struct steps_case){.before = 3, .has_credit = true, .goes_on = true}),
	    2);
}

static void names(void **state)
{
	enum step_answer a;

	(void)state;
	for (int i = STEP_REFUSE; i <= STEP_DROP_ALL; i++) {
		const char *name = step_answer_name((enum step_answer)i);

		assert_int_equal(step_answer_read(span_of(name), &a), 0);
		assert_int_equal(a, i);
	}
	assert_int_equal(step_answer_read(SPAN("droop"), &a), -EINVAL);
}

/* --- in the engine -----------------------------------------------------------------
 */

static void start(struct fixture *f)
{
	fixture_init(f);
	f->jails[0].steps = four;
	fixture_start(f);
}

static void expect(const struct fixture *f, enum order_op op, uint8_t step, int64_t sec)
{
	const struct order *o = last_order(f);

	assert_int_equal(o->op, op);
	assert_int_equal(o->step, step);
	if (sec < 0)
		assert_true(o->until.us == WALL_NEVER.us);
	else
		assert_int_equal((o->until.us - o->at.us) / US_PER_SEC, sec);
}

/* Three failures from @at on, a second apart. Return: the last outcome. */
static int offend(struct fixture *f, double at)
{
	int r = ENGINE_COUNTED;

	for (int i = 0; i < 3; i++)
		r = feed(f, 0, WHO, at + i);
	return r;
}

static void who_is_refused_and_goes_on_is_kept_out(void **state)
{
	CLEANUP(fixture_deinit) struct fixture f;

	(void)state;
	start(&f);
	assert_int_equal(offend(&f, 0), ENGINE_BANNED);
	expect(&f, ORDER_BAN, 1, 600);
	/* What was under way. */
	assert_int_equal(offend(&f, 5), ENGINE_ALREADY_BANNED);
	assert_int_equal(offend(&f, 60), ENGINE_PROLONGED);
	expect(&f, ORDER_PROLONG, 2, 1200);
	assert_int_equal(last_order(&f)->ban_count, 2);
	/* A late line of one who is kept out: the same step, to a later end. */
	assert_int_equal(offend(&f, 100), ENGINE_PROLONGED);
	expect(&f, ORDER_PROLONG, 2, 1200);
	assert_int_equal(last_order(&f)->ban_count, 2);
}

static void who_comes_back_gets_the_next(void **state)
{
	CLEANUP(fixture_deinit) struct fixture f;
	static const int64_t want[] = {600, 1200, 2400, -1};
	double at = 0;

	(void)state;
	start(&f);
	for (size_t i = 0; i < ARRAY_LEN(want); i++) {
		assert_int_equal(offend(&f, at), ENGINE_BANNED);
		expect(&f, ORDER_BAN, (uint8_t)(i + 1), want[i]);
		at += (double)want[i] + 100;
		assert_int_equal(engine_tick(f.engine, t(at - 1), &f.orders), 0);
	}
}

static void a_person_means_it(void **state)
{
	CLEANUP(fixture_deinit) struct fixture f;
	struct net n = net(WHO);

	(void)state;
	start(&f);
	assert_int_equal(
	    engine_ban(f.engine, 0, &n, NULL, t(0), 0, &f.orders), ENGINE_BANNED);
	expect(&f, ORDER_BAN, 2, 1200);
	assert_int_equal(
	    engine_ban(f.engine, 0, &n, NULL, t(0), 5000, &f.orders), ENGINE_PROLONGED);
	expect(&f, ORDER_PROLONG, 2, 5000);
}

/* Who is merely refused is not banned as a person means it, for however long. */
static void a_person_bans_who_is_refused(void **state)
{
	CLEANUP(fixture_deinit) struct fixture f;
	struct net n = net(WHO);

	(void)state;
	start(&f);
	assert_int_equal(offend(&f, 0), ENGINE_BANNED);
	expect(&f, ORDER_BAN, 1, 600);
	assert_int_equal(
	    engine_ban(f.engine, 0, &n, NULL, t(10), 60, &f.orders), ENGINE_PROLONGED);
	expect(&f, ORDER_PROLONG, 2, 60);
	assert_int_equal(engine_ban(f.engine, 0, &n, NULL, t(10), 60, &f.orders),
	    ENGINE_ALREADY_BANNED);
	assert_int_equal(engine_tick(f.engine, t(100), &f.orders), 0);
	assert_int_equal(last_order(&f)->op, ORDER_UNBAN);
}

static void one_big_failure_is_no_weak_evidence(void **state)
{
	CLEANUP(fixture_deinit) struct fixture f;
	struct hit h = {.jail = 0, .net = net(WHO), .weight = 3, .at = t(0)};

	(void)state;
	start(&f);
	assert_int_equal(engine_feed(f.engine, &h, t(0), &f.orders), ENGINE_BANNED);
	expect(&f, ORDER_BAN, 2, 1200);
}

/* With bantime.increment the last step grows, those before do not. */
static void the_last_step_grows(void **state)
{
	CLEANUP(fixture_deinit) struct fixture f;
	struct escalate_error e;
	CLEANUP(escalate_freep)
	struct escalate *x = escalate_new(&(struct escalate_options){0}, &e);
	static const int64_t want[] = {600, 1200, 2400, 4800};
	double at = 0;

	(void)state;
	fixture_init(&f);
	f.jails[0].steps = four;
	f.jails[0].steps.n = 2;
	f.jails[0].escalate = x;
	fixture_start(&f);
	for (size_t i = 0; i < ARRAY_LEN(want); i++) {
		int r;

		do {
			r = feed(&f, 0, WHO, at++);
		} while (r == ENGINE_COUNTED);
		assert_int_equal(r, ENGINE_BANNED);
		expect(&f, ORDER_BAN, i ? 2 : 1, want[i]);
		at += (double)want[i] + 100;
		assert_int_equal(engine_tick(f.engine, t(at - 1), &f.orders), 0);
	}
}

static void take_offence(void *ctx, const struct engine_offence *o)
{
	*(struct engine_offence *)ctx = *o;
}

static void what_comes_next_is_known(void **state)
{
	CLEANUP(fixture_deinit) struct fixture f;
	struct engine_offence o = {0};
	struct net n = net(WHO);

	(void)state;
	start(&f);
	(void)offend(&f, 0);
	engine_offences(f.engine, &n, take_offence, &o);
	assert_int_equal(o.count, 1);
	assert_int_equal(o.step, 2);
	assert_int_equal((int64_t)o.next_sec, 1200);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(one_after_the_other),
	    cmocka_unit_test(words_are_for_weak_evidence),
	    cmocka_unit_test(credit_is_answered_softly),
	    cmocka_unit_test(names),
	    cmocka_unit_test(who_is_refused_and_goes_on_is_kept_out),
	    cmocka_unit_test(who_comes_back_gets_the_next),
	    cmocka_unit_test(a_person_means_it),
	    cmocka_unit_test(a_person_bans_who_is_refused),
	    cmocka_unit_test(one_big_failure_is_no_weak_evidence),
	    cmocka_unit_test(the_last_step_grows),
	    cmocka_unit_test(what_comes_next_is_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
