/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "load_test.h"

#define HEAD \
	"[DEFAULT]\nenabled=1\nfilter=f\nlogpath=/x\nfindtime=600\nmaxretry=4\n[j]\n"
#define ACTION                                                                \
	"[Definition]\n"                                                      \
	"actionstart = <cmd> -N f2b-<name>; <more>\n"                         \
	"actionban = <cmd> <ip> %(maxretry)s <findtime> <bantime> <matches> " \
	"<timeout>\n"                                                         \
	"actionunban = <actionban>\n"                                         \
	"              <F-USER>\n"                                            \
	"norestored = true\n"                                                 \
	"timeout = 33\n"                                                      \
	"material = no\n"                                                     \
	"more = <port> <chain>\n"                                             \
	"[Init]\n"                                                            \
	"chain = INPUT\n"                                                     \
	"port = ssh\n"                                                        \
	"cmd = tool4 <lock>\n"                                                \
	"lock = -w\n"                                                         \
	"[Init?family=inet6]\n"                                               \
	"cmd = tool6 <lock>\n"

static const char *option(const struct conf_action *a, const char *name)
{
	for (size_t i = 0; i < a->n_options; i++)
		if (strcmp(a->options[i].name, name) == 0)
			return a->options[i].value;
	return NULL;
}

static const struct conf_action *load_action(const char *text)
{
	put_file("action.d/a.conf", ACTION);
	load(text);
	return jail("j")->actions;
}

static void options_are_combined(void **state)
{
	const struct conf_action *a =
	    load_action(HEAD "action = a[port=\"1,2\", chain=<known/chain>]\n");

	(void)state;
	assert_silent(&diag);
	assert_string_equal(a->name, "a");
	assert_string_equal(a->actname, "a");
	assert_true(a->has_file);
	assert_int_equal(a->at.line, 8);
	assert_int_equal(a->at.col, 10);
	assert_int_equal(a->n_params, 2);
	assert_string_equal(a->params[0].name, "port");
	assert_string_equal(a->params[0].value, "1,2");
	assert_string_equal(a->params[1].value, "<known/chain>");
	/* What has a variant for IPv6 is left to run time, and so are dynamic tags. */
	assert_string_equal(option(a, "actionstart"), "<cmd> -N f2b-j; 1,2 INPUT");
	assert_string_equal(option(a, "actionban"),
	    "<cmd> <ip> 4 600 <bantime> <matches> "
	    "<timeout>");
	assert_string_equal(option(a, "actionunban"),
	    "<cmd> <ip> 4 600 <bantime> <matches> <timeout>\n<F-USER>");
	assert_string_equal(option(a, "cmd"), "tool4 -w");
	assert_string_equal(option(a, "cmd?family=inet6"), "tool6 -w");
	assert_string_equal(option(a, "name"), "j");
	assert_string_equal(option(a, "actname"), "a");
	assert_string_equal(option(a, "norestored"), "true");
	assert_string_equal(option(a, "timeout"), "33");
	assert_null(option(a, "material"));
	assert_null(option(a, "known/chain"));
}

static void parameters_replace_variants(void **state)
{
	const struct conf_action *a = load_action(HEAD "action = a[cmd=mine]\n");

	(void)state;
	assert_string_equal(option(a, "cmd"), "mine");
	assert_string_equal(option(a, "cmd?family=inet6"), "mine");
	a = load_action(HEAD "action = a[cmd=mine, cmd?family=inet6=six]\n");
	assert_silent(&diag);
	assert_string_equal(option(a, "cmd"), "mine");
	assert_string_equal(option(a, "cmd?family=inet6"), "six");
}

static void init_does_not_see_the_jail(void **state)
{
	(void)state;
	put_file("action.d/a.local", "[Init]\nx = %(bantime)s\n");
	load_action(HEAD "action = a\n");
	assert_true(jail("j")->is_broken);
	assert_says(
	    &diag, "action.d/a.local:2:5: error: x: %(bantime)s: there is no such");
}

static void names_of_actions(void **state)
{
	const struct conf_action *a =
	    load_action(HEAD "action = a\n  a[name=foo]\n  a[name=j-bar]  a[actname=x] "
			     "smtp.py[dest=y]\n");

	(void)state;
	assert_silent(&diag);
	assert_int_equal(jail("j")->n_actions, 5);
	assert_string_equal(a[0].actname, "a");
	assert_string_equal(a[1].actname, "a-foo");
	assert_string_equal(a[2].actname, "a-bar");
	assert_string_equal(a[3].actname, "x");
	assert_string_equal(a[4].actname, "smtp");
	assert_string_equal(a[4].name, "smtp.py");
	assert_string_equal(option(&a[4], "dest"), "y");
	assert_false(a[4].has_file);
	assert_string_equal(
	    option(&a[1], "actionstart"), "<cmd> -N f2b-foo; ssh INPUT");
	assert_int_equal(a[2].at.line, 10);
}

static void a_missing_file_is_no_mistake(void **state)
{
	const struct conf_action *a =
	    load_action(HEAD "action = gone[port=1, p=<port>]\n");

	(void)state;
	assert_silent(&diag);
	assert_false(a->has_file);
	assert_string_equal(option(a, "p"), "1");
	assert_string_equal(option(a, "name"), "j");
}

static void mistakes_in_the_list(void **state)
{
	(void)state;
	load_action(HEAD "action = a\n  mail['s']\n  a[x\n  b[c=d]\n  a\n");
	assert_true(jail("j")->is_broken);
	assert_string_equal(all_of(&diag),
	    "jail.conf:9:8: error: action: 'mail': expected option=value or ']' at "
	    "''s']'\n"
	    "jail.conf:10:5: error: action: 'a': expected option=value or ']' at 'x'\n"
	    "jail.conf:12:3: error: action: two actions of jail 'j' are called 'a'; "
	    "give one "
	    "of them another name: a[actname=...]\n");
	put_file("action.d/b.conf",
	    "[Definition]\nactionban = <actionban>\nactionstop = %x\n");
	load(HEAD "action = b\n[k]\n");
	assert_true(jail("j")->is_broken);
	assert_false(jail("k")->is_broken);
	assert_says(
	    &diag, "action.d/b.conf:2:13: error: actionban: <actionban> leads back");
	assert_says(
	    &diag, "action.d/b.conf:3:14: error: actionstop: '%' begins a reference");
}

static void lists_are_built_from_other_options(void **state)
{
	const struct conf_action *a;

	(void)state;
	put_file("action.d/a.conf", ACTION);
	load("[DEFAULT]\nenabled=1\nfilter=f\nlogpath=/x\nmaxretry=1\nbanaction=a\n"
	     "action_ = %(banaction)s[port=\"%(port)s\"]\n"
	     "action_m = %(action_)s\n           mail[dest=me]\naction = "
	     "%(action_m)s\nport=9\n"
	     "[j]\nport = 1\n");
	assert_silent(&diag);
	a = jail("j")->actions;
	assert_int_equal(jail("j")->n_actions, 2);
	assert_string_equal(option(&a[0], "port"), "1");
	assert_int_equal(a[0].at.line, 7);
	assert_int_equal(a[1].at.line, 9);
	assert_int_equal(a[1].at.col, 12);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(options_are_combined, setup, done),
	    cmocka_unit_test_setup_teardown(parameters_replace_variants, setup, done),
	    cmocka_unit_test_setup_teardown(init_does_not_see_the_jail, setup, done),
	    cmocka_unit_test_setup_teardown(names_of_actions, setup, done),
	    cmocka_unit_test_setup_teardown(a_missing_file_is_no_mistake, setup, done),
	    cmocka_unit_test_setup_teardown(mistakes_in_the_list, setup, done),
	    cmocka_unit_test_setup_teardown(
		lists_are_built_from_other_options, setup, done),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
