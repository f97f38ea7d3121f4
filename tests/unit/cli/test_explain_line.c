/* SPDX-License-Identifier: GPL-2.0-or-later */
/* explain_line: a line and what is made of it, for people and for programs */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>
#include <jansson.h>

#include "cli/explain_line.h"

#define T0 INT64_C(1795651200) /* 2026-11-26 00:00 UTC */

static char jail_name[] = "mail", rule_name[] = "guessed", regex[] = "^guessed <ADDR>$";
static char *rule_regex[] = {regex}, *failregex[] = {regex};
static struct setup_rule rules[] = {
    {.name = rule_name, .class = HIT_ABUSE, .regex = rule_regex, .n_regex = 1}};
static struct engine_rule engine_rules[] = {{.id = 0}, {.id = 1}};
static struct filter_rule filter_rules[1];
static struct setup_jail jails[] = {{
    .name = jail_name,
    .failregex = failregex,
    .n_failregex = 1,
    .rules = rules,
    .n_rules = 1,
    .filter_rules = filter_rules,
    .n_rule_regexes = 1,
    .engine_rules = engine_rules,
}};
static const struct setup setup = {.jails = jails, .n_jails = 1};
static struct explain_line line;
static struct orders orders;

static struct explain_finding *begin(const char *text)
{
	explain_line_clear(&line);
	line = (struct explain_line){
	    .path = "mail.log", .number = 7, .text = span_of(text), .orders = &orders};
	filter_rules[0].regex = regex;
	struct explain_finding *f = explain_line_add(&line);

	assert_int_equal(net_parse(SPAN("192.0.2.1"), &f->net), 0);
	f->rule = 1;
	f->weight = 250;
	f->sum = 325;
	f->threshold = (struct engine_threshold){.need = 500, .unit = 100};
	f->findtime_sec = 600;
	return f;
}

static void shows(bool is_coloured, const char *wanted)
{
	struct buf b = BUF_INIT(1 << 20);

	explain_line_text(&line, &setup, is_coloured, &b);
	assert_string_equal(buf_str(&b), wanted);
	buf_deinit(&b);
}

static void sums_and_thresholds(UNUSED void **state)
{
	struct explain_finding *f = begin("a line");

	shows(false,
	    "a line\n    mail: guessed, abuse +2.5 for 192.0.2.1: 3.25 of 5 within "
	    "10m, counted\n");
	f->threshold.has_credit = true;
	f->threshold.need = 1500;
	shows(false,
	    "a line\n    mail: guessed, abuse +2.5 for 192.0.2.1: 3.25 of 15 (it has "
	    "credit) within 10m, counted\n");
	f->threshold = (struct engine_threshold){
	    .need = 125, .unit = 100, .pressure = 2, .offenders = 40};
	f->outcome = ENGINE_BANNED;
	shows(false,
	    "a line\n    mail: guessed, abuse +2.5 for 192.0.2.1: 3.25 of 1.25 "
	    "(halved 2 times: 40 addresses attack) within 10m, banned\n");
	f->outcome = ENGINE_SUSPENDED;
	f->rule = 0;
	f->weight = 100;
	shows(false,
	    "a line\n    mail: failregex 0, abuse +1 for 192.0.2.1, not counted: the "
	    "fault may be ours\n");
	f->class = HIT_GOOD;
	f->weight = -25;
	f->sum = -1;
	f->outcome = ENGINE_NOTED;
	shows(
	    false, "a line\n    mail: failregex 0, good -0.25 for 192.0.2.1, noted\n");
}

static void what_follows_stands_below_what_ended_above(UNUSED void **state)
{
	struct explain_finding *f = begin("a line");
	struct order *o = orders_append(&orders);

	*o = (struct order){.op = ORDER_UNBAN, .net = f->net, .at = wall_from_sec(T0)};
	o = orders_append(&orders);
	*o = (struct order){
	    .op = ORDER_BAN, .net = f->net, .until = wall_from_sec(T0 + 60)};
	line.events[0] = (struct engine_event){.is_suspended = true,
	    .what = {.rule = 1, .n_clients = 20, .n_credited = 2}};
	line.events[1] = (struct engine_event){.what = {.rule = 1}};
	line.n_events = 2;
	f->kind = EXPLAIN_HELPED;
	shows(false, "mail: unban 192.0.2.1, its time was over at 2026-11-26 01:00:00\n"
		     "a line\n    mail: helps other lines\n"
		     "    mail: guessed does not count for now: 2 addresses with "
		     "credit within a "
		     "minute\n    mail: guessed counts again\n"
		     "    mail: ban 192.0.2.1 until 2026-11-26 01:01:00\n");
	orders_clear(&orders);
}

static void nothing_and_foreign_bytes(UNUSED void **state)
{
	(void)begin("\033[2J it \"is\"");
	explain_line_clear(&line);
	shows(false, "\"\\x1b[2J it \\\"is\\\"\"\n    nothing\n");
	line.text = SPAN("a \"plain\" line");
	shows(true, "\033[2ma \"plain\" line\033[0m\n\033[2m    nothing\033[0m\n");
}

static void no_more_than_there_is_room_for(UNUSED void **state)
{
	(void)begin("a line");
	for (int i = 0; i < EXPLAIN_MAX_FINDINGS + 2; i++) {
		struct explain_finding *f = explain_line_add(&line);

		if (f)
			f->kind = EXPLAIN_EXEMPT;
	}
	assert_int_equal(line.n_found, EXPLAIN_MAX_FINDINGS);
	assert_int_equal(line.n_more, 3);
	explain_line_clear(&line);
}

static void an_object_for_programs(UNUSED void **state)
{
	struct explain_finding *f = begin("a \xff line");
	struct buf b = BUF_INIT(1 << 20);
	const char *jail, *name, *class, *ip, *verdict;
	json_t *o;
	double weight, failures, needed;
	json_int_t number;

	f->outcome = ENGINE_OVER;
	explain_line_json(&line, &setup, &b);
	o = json_loadb(b.p, b.n, 0, NULL);
	assert_int_equal(
	    json_unpack(o, "{s:I,s:[{s:s,s:s,s:s,s:F,s:s,s:F,s:F,s:s}],s:[],s:[]}",
		"line", &number, "found", "jail", &jail, "name", &name, "class", &class,
		"weight", &weight, "ip", &ip, "failures", &failures, "needed", &needed,
		"verdict", &verdict, "orders", "rules"),
	    0);
	assert_int_equal(number, 7);
	assert_string_equal(name, "guessed");
	assert_string_equal(class, "abuse");
	assert_string_equal(ip, "192.0.2.1");
	assert_int_equal((int)(100 * weight), 250);
	assert_int_equal((int)(100 * failures), 325);
	assert_int_equal((int)needed, 5);
	json_decref(o);
	buf_deinit(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(sums_and_thresholds),
	    cmocka_unit_test(what_follows_stands_below_what_ended_above),
	    cmocka_unit_test(nothing_and_foreign_bytes),
	    cmocka_unit_test(no_more_than_there_is_room_for),
	    cmocka_unit_test(an_object_for_programs),
	};
	int r = cmocka_run_group_tests(tests, NULL, NULL);

	orders_deinit(&orders);
	return r;
}
