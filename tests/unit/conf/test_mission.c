/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The two configurations that bandog must run word for word, and Debian's untouched
 * one.
 */

#include "conf_test.h"

#include "conf/conf.h"

static const char filter[] =
    "# filter.d/postfix.conf\n"
    "[Definition]\n"
    "failregex = reject: RCPT from (.*)\\[<HOST>\\]: 554 5.7.1\n"
    "            reject: RCPT from unknown\\[<HOST>\\]: 450 4.7.1\n"
    "            reject: RCPT from (.*)\\[<HOST>\\]: 550 5.1.1\n";

static void assert_filter(const struct conf_jail *j)
{
	static const char *const regexes[] = {
	    "reject: RCPT from (.*)\\[<HOST>\\]: 554 5.7.1",
	    "reject: RCPT from unknown\\[<HOST>\\]: 450 4.7.1",
	    "reject: RCPT from (.*)\\[<HOST>\\]: 550 5.1.1",
	};

	assert_string_equal(j->filter.name, "postfix");
	assert_int_equal(j->filter.failregex.n, 3);
	for (size_t i = 0; i < 3; i++) {
		const struct conf_value *v = &j->filter.failregex.items[i];

		assert_string_equal(v->text, regexes[i]);
		assert_true(strstr(v->at.file, "/filter.d/postfix.conf") != NULL);
		assert_int_equal(v->at.line, 3 + i);
		assert_int_equal(v->at.col, 13);
	}
	assert_int_equal(j->filter.ignoreregex.n, 0);
	assert_null(j->filter.prefregex.text);
	assert_int_equal(j->filter.maxlines, 1);
}

static void the_first_try(void **state)
{
	CLEANUP(conf_freep) struct conf *c = NULL;
	struct diag d = {0};
	const struct conf_jail *j;

	(void)state;
	put_file("jail.conf", "# jail.conf, first try\n"
			      "[postfix]\n"
			      "enabled = true\n"
			      "filter = postfix\n"
			      "action = hostsdeny\n"
			      "logpath = /var/log/maillog\n"
			      "maxretry = 3\n"
			      "bantime = 900\n"
			      "findtime = 900\n");
	put_file("filter.d/postfix.conf", filter);
	put_file("action.d/hostsdeny.conf",
	    "[Definition]\nactionban = x\n[Init]\nfile = y\n");
	c = conf_load(test_dir, NULL, 0, &d);
	assert_non_null(c);
	assert_silent(&d);
	assert_int_equal(c->n_jails, 1);
	j = &c->jails[0];
	assert_string_equal(j->name, "postfix");
	assert_int_equal(j->at.line, 2);
	assert_true(j->enabled);
	assert_false(j->is_broken);
	assert_filter(j);
	assert_int_equal(j->n_logpaths, 1);
	assert_string_equal(j->logpaths[0].glob, "/var/log/maillog");
	assert_int_equal(j->maxretry, 3);
	assert_int_equal(j->bantime_sec, 900);
	assert_true(j->findtime_sec == 900.0);
	assert_int_equal(j->n_actions, 1);
	assert_string_equal(j->actions[0].name, "hostsdeny");
	assert_true(j->actions[0].has_file);
}

static void the_one_in_use(void **state)
{
	CLEANUP(conf_freep) struct conf *c = NULL;
	struct diag d = {0};
	const struct conf_jail *j;

	(void)state;
	put_file("jail.conf", "# jail.conf, in use\n"
			      "[postfix]\n"
			      "enabled = true\n"
			      "port = smtp,ssmtp\n"
			      "filter = postfix\n"
			      "logpath = /var/log/mail.log\n"
			      "bantime = 86400\n"
			      "maxretry = 3\n");
	put_file("filter.d/postfix.conf", filter);
	c = conf_load(test_dir, NULL, 0, &d);
	assert_non_null(c);
	assert_silent(&d);
	j = &c->jails[0];
	assert_filter(j);
	assert_string_equal(j->port.text, "smtp,ssmtp");
	assert_int_equal(j->port.at.line, 4);
	assert_null(j->protocol.text);
	assert_int_equal(j->bantime_sec, 86400);
	assert_true(j->findtime_sec == 600.0);
	assert_int_equal(j->n_actions, 0);
	assert_true(j->ignoreself);
	assert_string_equal(j->usedns.text, "warn");
	assert_int_equal(j->backend, CONF_AUTO);
}

static void debian_untouched(void **state)
{
	CLEANUP(conf_freep) struct conf *c = NULL;
	const char *filters[128];
	size_t n_filters = 0;
	struct diag d = {0};

	(void)state;
	if (access("/etc/fail2ban/jail.conf", R_OK) != 0 ||
	    access("/etc/fail2ban/jail.d/defaults-debian.conf", R_OK) != 0)
		return; /* cannot be shown here */
	c = conf_load("/etc/fail2ban", NULL, CONF_ALL, &d);
	assert_non_null(c);
	assert_silent(&d);
	assert_int_equal(c->n_jails, 91);
	for (size_t i = 0; i < c->n_jails; i++) {
		const struct conf_jail *j = &c->jails[i];
		size_t k = 0;

		assert_true(j->enabled);
		assert_false(j->is_broken);
		assert_non_null(j->filter.name);
		assert_true(j->filter.failregex.n > 0);
		assert_true(j->n_actions > 0);
		while (k < n_filters && strcmp(filters[k], j->filter.name) != 0)
			k++;
		if (k == n_filters)
			filters[n_filters++] = j->filter.name;
	}
	assert_true(n_filters > 80);
}

static void debian_as_it_starts(void **state)
{
	CLEANUP(conf_freep) struct conf *c = NULL;
	struct diag d = {0};
	size_t n_enabled = 0;

	(void)state;
	if (access("/etc/fail2ban/jail.d/defaults-debian.conf", R_OK) != 0)
		return; /* cannot be shown here */
	c = conf_load("/etc/fail2ban/", NULL, 0, &d);
	assert_non_null(c);
	assert_silent(&d);
	assert_string_equal(c->dir, "/etc/fail2ban");
	for (size_t i = 0; i < c->n_jails; i++)
		n_enabled += c->jails[i].enabled;
	assert_int_equal(n_enabled, 1);
	assert_string_equal(c->jails[0].name, "sshd");
	assert_true(c->jails[0].enabled);
	assert_string_equal(c->global.loglevel.text, "INFO");
	assert_string_equal(c->global.logtarget.text, "/var/log/fail2ban.log");
	assert_true(c->global.dbpurgeage_sec == 86400.0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(the_first_try, setup_dir, remove_dir),
	    cmocka_unit_test_setup_teardown(the_one_in_use, setup_dir, remove_dir),
	    cmocka_unit_test(debian_untouched),
	    cmocka_unit_test(debian_as_it_starts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
