/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is set at run time goes over all files, as plain text.
 */
#include "load_test.h"

static void load_over(const char *jail_conf, const struct conf_override *over, size_t n)
{
	unload();
	put_file("jail.conf", jail_conf);
	conf = conf_load_over(test_dir, over, n, &diag);
	if (!conf)
		fail_msg("not loaded: %s", all_of(&diag));
}

static const char *const two_jails =
    "[DEFAULT]\nmaxretry = 4\nfilter = f\n"
    "[a]\nenabled = true\nmaxretry = 5\nlogpath = /var/log/a\n"
    "[b]\nenabled = false\nlogpath = /var/log/b\n";

static void it_goes_over_the_files(void **state)
{
	static const struct conf_override over[] = {
	    {"a", "maxretry", "7"}, {"b", "enabled", "true"}};

	(void)state;
	put_file("jail.d/z.local", "[a]\nmaxretry = 6\n");
	load_over(two_jails, over, 2);
	assert_int_equal(jail("a")->maxretry, 7);
	assert_true(jail("b")->enabled);
	assert_int_equal(jail("b")->maxretry, 4);
	load_over(two_jails, NULL, 0);
	assert_int_equal(jail("a")->maxretry, 6);
	assert_false(jail("b")->enabled);
}

static void it_is_plain_text(void **state)
{
	static const struct conf_override over[] = {
	    {"a", "failregex", "^%(x)s %% <HOST>\n^two <HOST>"},
	    {"a", "ignoreip", "192.0.2.1\n[b]\nenabled = true"}};

	(void)state;
	load_over(two_jails, over, 2);
	assert_items(
	    &jail("a")->filter.failregex, 2, "^%(x)s %% <HOST>", "^two <HOST>");
	assert_false(jail("b")->enabled);
}

static void a_jail_may_come_into_being(void **state)
{
	static const struct conf_override over[] = {{"new", "enabled", "true"},
	    {"new", "filter", ""}, {"new", "logpath", ""}, {"new", "action", ""}};

	(void)state;
	load_over(two_jails, over, 4);
	assert_true(jail("new")->enabled);
	assert_false(jail("new")->is_broken);
	assert_null(jail("new")->filter.name);
	assert_int_equal(jail("new")->maxretry, 4);
}

static void a_mistake_says_where(void **state)
{
	static const struct conf_override over[] = {{"a", "findtime", "junk"}};

	(void)state;
	load_over(two_jails, over, 1);
	assert_true(jail("a")->is_broken);
	if (!strstr(all_of(&diag), "(set at run time): error: findtime: 'junk' "))
		fail_msg("%s", all_of(&diag));
}

static void options_of_the_whole_too(void **state)
{
	static const struct conf_override over[] = {{NULL, "loglevel", "DEBUG"}};

	(void)state;
	load_over(two_jails, over, 1);
	assert_string_equal(conf->global.loglevel.text, "DEBUG");
	put_file("fail2ban.conf", "[Definition]\nloglevel = ERROR\n");
	load_over(two_jails, over, 1);
	assert_string_equal(conf->global.loglevel.text, "DEBUG");
	put_file("bandog.conf", "[Definition]\nloglevel = WARNING\n");
	load_over(two_jails, over, 1);
	assert_string_equal(conf->global.loglevel.text, "DEBUG");
}

static int count(void *ctx, const char *name, const char *value)
{
	if (!strcmp(name, "maxretry") && !strcmp(value, "5"))
		++*(int *)ctx;
	return 0;
}

static int refuse(void *ctx, const char *name, const char *value)
{
	(void)ctx;
	(void)name;
	(void)value;
	return -7;
}

static void options_can_be_asked_for(void **state)
{
	int n = 0;

	(void)state;
	load(two_jails);
	assert_int_equal(conf_each_option(conf, 0, count, &n), 0);
	assert_int_equal(n, 1);
	assert_int_equal(conf_each_option(conf, 0, refuse, NULL), -7);
	assert_int_equal(conf_each_option(conf, 1, refuse, NULL), 0); /* disabled */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(it_goes_over_the_files, setup, done),
	    cmocka_unit_test_setup_teardown(it_is_plain_text, setup, done),
	    cmocka_unit_test_setup_teardown(a_jail_may_come_into_being, setup, done),
	    cmocka_unit_test_setup_teardown(a_mistake_says_where, setup, done),
	    cmocka_unit_test_setup_teardown(options_of_the_whole_too, setup, done),
	    cmocka_unit_test_setup_teardown(options_can_be_asked_for, setup, done),
	};

	return cmocka_run_group_tests_name("override", tests, NULL, NULL);
}
