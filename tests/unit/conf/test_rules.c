/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Sections [Rule NAME] of a filter: what they say, who overrides them, what is wrong.
 */

#include "load_test.h"

#define JAIL "[j]\nenabled = 1\nlogpath = /x\nfilter = g\n"
#define DEFINITION "[Definition]\nfailregex = ^f <HOST>\n_who = \\S+\\[<ADDR>\\]\n"

static void load_rules(const char *rules, const char *jail_conf)
{
	char text[8192];

	(void)snprintf(text, sizeof(text), "%s%s", DEFINITION, rules);
	put_file("filter.d/g.conf", text);
	load(jail_conf);
}

static const struct conf_rule *rule(const char *name)
{
	const struct conf_filter *f = &jail("j")->filter;

	for (size_t i = 0; i < f->n_rules; i++)
		if (strcmp(f->rules[i].name, name) == 0)
			return &f->rules[i];
	return NULL;
}

static void a_rule_says_all_it_can(void **state)
{
	const struct conf_rule *r;

	(void)state;
	load_rules("[Rule a-1.b_C]\n"
		   "_p = reject\n"
		   "regex = ^%(_p)s %(_who)s <F-RCPT>.*</F-RCPT> <F-Q>x</F-Q>\n"
		   "        ^two %(_who)s <deep>\n"
		   "class = Misconfiguration\n"
		   "weight = -1.25\n"
		   "bantime = 10m\n"
		   "distinct = <F-RCPT>\n"
		   "free = 2\n"
		   "bind = F-Q\n"
		   "account = id\n"
		   "[Rule plain]\n"
		   "regex = ^3 <HOST>\n"
		   "via = q\n",
	    JAIL);
	assert_silent(&diag);
	assert_int_equal(jail("j")->filter.n_rules, 2);
	r = rule("a-1.b_C");
	assert_items(&r->regex, 2,
	    "^reject \\S+\\[<ADDR>\\] <F-RCPT>.*</F-RCPT> <F-Q>x</F-Q>",
	    "^two \\S+\\[<ADDR>\\] <deep>");
	assert_int_equal(r->regex.items[1].at.line, 7);
	assert_int_equal(r->class, HIT_MISCONFIGURATION);
	assert_int_equal(r->weight, -125);
	assert_int_equal(r->bantime_sec, 600);
	assert_string_equal(r->distinct.text, "rcpt");
	assert_int_equal(r->distinct.at.line, 11);
	assert_int_equal(r->free, 2);
	assert_string_equal(r->bind.text, "q");
	assert_string_equal(r->account.text, "fid");
	r = rule("plain");
	assert_int_equal(r->class, HIT_ABUSE);
	assert_int_equal(r->weight, 100);
	assert_int_equal(r->bantime_sec, 0);
	assert_null(r->distinct.text);
	assert_null(r->account.text);
	assert_null(r->bind.text);
	assert_string_equal(r->via.text, "q");
}

static void what_a_jail_says_is_not_what_a_rule_says(void **state)
{
	(void)state;
	load_rules("[Rule a]\nregex = ^a %(maxretry)s <mine> <HOST>\n[Rule b]\nregex = "
		   "^b <HOST>\n"
		   "weight = 2\n",
	    "[DEFAULT]\nbantime = 1d\nweight = 7\nclass = good\n"
	    "[j]\nenabled = 1\nlogpath = /x\nmaxretry = 25\nfilter = g[mine=X, "
	    "regex=no]\n");
	assert_silent(&diag);
	assert_int_equal(rule("a")->bantime_sec, 0);
	assert_int_equal(rule("a")->weight, 100);
	assert_int_equal(rule("a")->class, HIT_ABUSE);
	assert_int_equal(rule("b")->weight, 200);
	assert_string_equal(rule("a")->regex.items[0].text, "^a 25 X <HOST>");
}

static void later_files_override(void **state)
{
	(void)state;
	put_file("filter.d/g.local",
	    "[Rule a]\nweight = 3\nregex = %(known/regex)s\n        ^more <HOST>\n"
	    "[Rule b]\nenabled = no\nnew = yes\n"
	    "[Rule c]\nregex =\n"
	    "[Rule d]\nregex = ^d <HOST>\n");
	load_rules("[Rule a]\nregex = ^a <HOST>\nclass = good\n"
		   "[Rule b]\nregex = ^b <HOST>\n"
		   "[Rule c]\nregex = ^c <HOST>\n",
	    JAIL);
	assert_silent(&diag);
	assert_int_equal(jail("j")->filter.n_rules, 2);
	assert_items(&rule("a")->regex, 2, "^a <HOST>", "^more <HOST>");
	assert_int_equal(rule("a")->weight, 300);
	assert_int_equal(rule("a")->class, HIT_GOOD);
	assert_non_null(rule("d"));
}

static void modes_choose_rules(void **state)
{
	static const char rules[] =
	    "mode = normal\n"
	    "[Rule a]\nregex = ^a <HOST>\nmode = extra, Aggressive\n"
	    "[Rule n]\nregex = ^n <HOST>\nmode = normal\n"
	    "[Rule b]\nregex = ^b <HOST>\n";

	(void)state;
	load_rules(rules, JAIL);
	assert_silent(&diag);
	assert_null(rule("a"));
	assert_non_null(rule("n"));
	assert_non_null(rule("b"));
	load_rules(
	    rules, "[j]\nenabled = 1\nlogpath = /x\nfilter = g[mode=aggressive]\n");
	assert_silent(&diag);
	assert_non_null(rule("a"));
	assert_null(rule("n"));
	assert_non_null(rule("b"));
	load_rules(rules, "[j]\nenabled = 1\nlogpath = /x\nmode = extra\n"
			  "filter = g[mode=%(mode)s]\n");
	assert_non_null(rule("a"));
	/* Without any mode it is the normal one. */
	load_rules(rules + strlen("mode = normal\n"), JAIL);
	assert_null(rule("a"));
	assert_non_null(rule("n"));
}

static void all_mistakes_are_told(void **state)
{
	(void)state;
	load_rules("[Rule a]\n"
		   "regex = ^a <HOST>\n"
		   "class = bad\n"
		   "weight = 300.01\n"
		   "bantime = soon\n"
		   "free = 1\n"
		   "wieght = 1\n"
		   "colour = red\n"
		   "[Rule b]\n"
		   "class = good\n"
		   "[Rule c d]\n"
		   "regex = ^c <HOST>\n"
		   "weight = 1.234\n"
		   "distinct = two words\n"
		   "via = nothing\n"
		   "free = -1\n"
		   "[Rule ]\n"
		   "regex = %(gone)s\n"
		   "[rule e]\n"
		   "regex = ^e <HOST>\n"
		   "[Rule f]\n"
		   "regex = ^f <HOST>\n"
		   "bantime = 0\n"
		   "weight = -\n",
	    JAIL);
	assert_true(jail("j")->is_broken);
	assert_string_equal(all_of(&diag),
	    "filter.d/g.conf:10:1: error: [Rule a]: there is no option 'wieght'; did "
	    "you "
	    "mean 'weight'?\n"
	    "filter.d/g.conf:11:1: error: [Rule a]: there is no option 'colour'; "
	    "expected "
	    "regex, class, weight, bantime, distinct, free, bind, via, account, adapt, "
	    "mode "
	    "or "
	    "enabled (a name of your own begins with '_')\n"
	    "filter.d/g.conf:6:9: error: class: 'bad' will not do, expected abuse, "
	    "misconfiguration, local-fault, neutral or good\n"
	    "filter.d/g.conf:7:10: error: weight: '300.01' will not do, expected -300 "
	    "to "
	    "300 failures\n"
	    "filter.d/g.conf:8:11: error: bantime: 'soon' is not a duration (try 600, "
	    "10m, 1h30m)\n"
	    "filter.d/g.conf:9:8: error: free: '1' will not do, expected distinct = "
	    "FIELD "
	    "beside it\n"
	    "filter.d/g.conf:12:1: error: [Rule b]: there is no regex, expected regex "
	    "= "
	    "... (or enabled = no)\n"
	    "filter.d/g.conf:14:1: error: Rule: 'c d' will not do, expected [Rule "
	    "NAME], "
	    "a name of letters, digits, '-', '_' and '.', at most 64\n"
	    "filter.d/g.conf:16:10: error: weight: '1.234' will not do, expected a "
	    "number "
	    "of failures with at most two decimals, such as 1 or -0.25\n"
	    "filter.d/g.conf:17:12: error: distinct: 'two words' will not do, expected "
	    "the "
	    "name of a field: for <F-RCPT> it is rcpt\n"
	    "filter.d/g.conf:19:8: error: free: -1 is out of range, expected 0 to "
	    "10000 "
	    "values\n"
	    "filter.d/g.conf:20:1: error: Rule: '' will not do, expected [Rule NAME], "
	    "a "
	    "name of letters, digits, '-', '_' and '.', at most 64\n"
	    "filter.d/g.conf:21:9: error: regex: %(gone)s: there is no such option, "
	    "expected one in [Rule ] or [DEFAULT]\n"
	    "filter.d/g.conf:22:1: warning: [rule e] is ignored; did you mean [Rule "
	    "e]?\n"
	    "filter.d/g.conf:27:10: error: weight: '-' will not do, expected a number "
	    "of "
	    "failures with at most two decimals, such as 1 or -0.25\n"
	    "filter.d/g.conf:26:11: error: bantime: '0' will not do, expected a second "
	    "or "
	    "more, or -1 for good\n"
	    "filter.d/g.conf:18:7: error: via: nothing binds 'nothing' to an address, "
	    "expected a rule with bind = nothing\n");
}

static void weights_are_exact(void **state)
{
	static const struct {
		const char *text;
		int weight;
	} cases[] = {{"300", 30000}, {"-300.00", -30000}, {"+.5", 50}, {"0.07", 7},
	    {"0", 0}, {"007", 700}};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char text[128];

		(void)snprintf(text, sizeof(text),
		    "[Rule a]\nregex = ^a <HOST>\nweight = %s\n", cases[i].text);
		load_rules(text, JAIL);
		assert_silent(&diag);
		assert_int_equal(rule("a")->weight, cases[i].weight);
	}
}

static void wrong_weights_are_refused(void **state)
{
	static const char *const cases[] = {"", ".", "1.", "1e2", "0x1", "--1", "1 2",
	    "99999999999999999999999", "-300.01", "nan", "1.2.3"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char text[128];

		(void)snprintf(text, sizeof(text),
		    "[Rule a]\nregex = ^a <HOST>\nweight = %s\n", cases[i]);
		load_rules(text, JAIL);
		assert_int_equal(diag.n_errors, 1);
	}
}

/* As fail2ban has it: a filter may have sections of any name. */
static void other_sections_mean_nothing(void **state)
{
	(void)state;
	load_rules(
	    "[Rules]\nregex = ^\nclass = x\n[Rule]\nweight = 1000\n[RuleA]\na = %(b)s\n"
	    "[lt_journal]\nx = 1\n",
	    JAIL);
	assert_silent(&diag);
	assert_int_equal(jail("j")->filter.n_rules, 0);
}

static void rules_alone_make_a_filter(void **state)
{
	(void)state;
	put_file("filter.d/g.conf",
	    "[Definition]\nfailregex =\n[Rule a]\nregex = ^a <HOST>\n");
	load(JAIL);
	assert_silent(&diag);
	assert_int_equal(jail("j")->filter.n_rules, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(a_rule_says_all_it_can, setup, done),
	    cmocka_unit_test_setup_teardown(
		what_a_jail_says_is_not_what_a_rule_says, setup, done),
	    cmocka_unit_test_setup_teardown(later_files_override, setup, done),
	    cmocka_unit_test_setup_teardown(modes_choose_rules, setup, done),
	    cmocka_unit_test_setup_teardown(all_mistakes_are_told, setup, done),
	    cmocka_unit_test_setup_teardown(weights_are_exact, setup, done),
	    cmocka_unit_test_setup_teardown(wrong_weights_are_refused, setup, done),
	    cmocka_unit_test_setup_teardown(other_sections_mean_nothing, setup, done),
	    cmocka_unit_test_setup_teardown(rules_alone_make_a_filter, setup, done),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
