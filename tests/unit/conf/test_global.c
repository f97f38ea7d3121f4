/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <syslog.h>

#include "load_test.h"

static void nothing_at_all(void **state)
{
	const struct conf_global *g;

	(void)state;
	load("[a]\n");
	assert_silent(&diag);
	g = &conf->global;
	assert_string_equal(g->loglevel.text, "INFO");
	assert_string_equal(g->logtarget.text, "SYSLOG");
	assert_string_equal(g->user.text, "bandog");
	assert_false(g->dryrun);
	assert_int_equal(g->min_prefix_v4, 16);
	assert_int_equal(g->min_prefix_v6, 32);
	assert_int_equal(g->max_bans_per_sec, 10000);
	assert_int_equal(g->never_ban.n, 0);
	assert_true(g->protect_logins);
	assert_true(g->dbpurgeage_sec == 30 * 86400.0);
}

static void own_file_with_layers(void **state)
{
	const struct conf_global *g;

	(void)state;
	put_file("fail2ban.conf", "[Definition]\nloglevel = DEBUG\ndbpurgeage = 2d\n");
	put_file("bandog.conf",
	    "[DEFAULT]\nnets = 192.0.2.0/24\n[Definition]\n"
	    "loglevel = notice\nlogtarget = /var/log/x\nuser = nobody\n"
	    "dryrun = yes\nminprefix4 = 20\nminprefix6 = 48\n"
	    "maxbanrate = 5\nneverban = %(nets)s, 2001:db8::/32\n"
	    "protectlogins = no\n");
	put_file("bandog.local", "[Definition]\nminprefix4 = 24\n");
	put_file("bandog.d/x.conf", "[Definition]\ndbpurgeage = 10d\n");
	load("[a]\n");
	assert_silent(&diag);
	g = &conf->global;
	assert_string_equal(g->loglevel.text, "notice");
	assert_string_equal(g->logtarget.text, "/var/log/x");
	assert_int_equal(g->logtarget.at.line, 5);
	assert_string_equal(g->user.text, "nobody");
	assert_true(g->dryrun);
	assert_int_equal(g->min_prefix_v4, 24);
	assert_int_equal(g->min_prefix_v6, 48);
	assert_int_equal(g->max_bans_per_sec, 5);
	assert_items(&g->never_ban, 2, "192.0.2.0/24", "2001:db8::/32");
	assert_false(g->protect_logins);
	assert_true(g->dbpurgeage_sec == 10 * 86400.0);
}

static void what_is_left_of_fail2ban(void **state)
{
	const struct conf_global *g;

	(void)state;
	put_file("fail2ban.conf",
	    "[DEFAULT]\nloglevel = INFO\nlogtarget = /var/log/f.log\n"
	    "dbfile = None\nsocket = /y\npidfile = /z\nsyslogsocket = auto\n"
	    "dbmaxmatches = 3\nallowipv6 = no\n[Definition]\n");
	put_file("fail2ban.local", "[Definition]\nloglevel = DEBUG\n");
	load("[a]\n");
	assert_silent(&diag);
	g = &conf->global;
	assert_string_equal(g->loglevel.text, "DEBUG");
	assert_string_equal(g->log_place, "/var/log/f.log");
	assert_int_equal(g->log.style, LOG_LIKE_FAIL2BAN);
	assert_int_equal(g->log.sink, LOG_TO_STDERR);
	assert_false(g->log.without_time || g->log.without_padding);
	assert_string_equal(g->pidfile.text, "/z");
	assert_true(g->is_volatile);
	assert_false(g->allow_ipv6);
	assert_int_equal(g->db_max_matches, 3);
	assert_true(g->dbpurgeage_sec == 86400.0);
}

static void load_target(const char *lines)
{
	CLEANUP(buf_deinit) struct buf text = BUF_INIT(4096);

	buf_printf(&text, "[Definition]\n%s\n", lines);
	put_file("bandog.conf", buf_str(&text));
	load("[a]\n");
}

static void log_targets(void **state)
{
	const struct log_options *log;

	(void)state;
	load_target("logtarget = syslog[facility=mail, padding=on]\n"
		    "syslogsocket = /run/x");
	log = &conf->global.log;
	assert_silent(&diag);
	assert_string_equal(conf->global.log_place, "SYSLOG");
	assert_int_equal(log->sink, LOG_TO_SYSLOG);
	assert_int_equal(log->style, LOG_LIKE_BANDOG);
	assert_int_equal(log->facility, LOG_MAIL);
	assert_true(log->without_time);
	assert_false(log->without_padding);
	assert_string_equal(log->socket, "/run/x");
	load_target("logtarget = /var/log/fail2ban.log[datetime=off]");
	log = &conf->global.log;
	assert_int_equal(log->style, LOG_LIKE_FAIL2BAN);
	assert_true(log->without_time);
	load_target("logtarget = /var/log/fail2ban.log\nlogstyle = bandog");
	assert_int_equal(conf->global.log.style, LOG_LIKE_BANDOG);
	load_target("logtarget = SysOut[format=\"%%(name)s, "
		    "%%(message)s\"]\nlogstyle=fail2ban");
	log = &conf->global.log;
	assert_silent(&diag);
	assert_string_equal(log->format, "%(name)s, %(message)s");
	assert_int_equal(log->style, LOG_LIKE_FAIL2BAN);
	assert_string_equal(conf->global.log_place, "SYSOUT");
	load_target("logtarget = SYSTEMD-JOURNAL");
	assert_int_equal(conf->global.log.sink, LOG_TO_JOURNAL);
	load_target("logtarget = mail[x=y]\nsyslogsocket = x\nlogstyle = loud");
	assert_int_equal(diag.n_errors, 3);
	assert_int_equal(diag.n_warnings, 1);
}

static void mistakes(void **state)
{
	(void)state;
	put_file("bandog.conf",
	    "[Definition]\nloglevel = LOUD\ndryrun = yse\nminprefix4 = 33\n"
	    "maxbanrate = 0\nneverban = 192.0.2.0/24 office 1.2.3.4/33\n"
	    "dbpurgeage = soon\nlogtraget = x\ncolour = y\n");
	load("[a]\n");
	assert_string_equal(all_of(&diag),
	    "bandog.conf:2:12: error: loglevel: 'LOUD' is no level, expected CRITICAL, "
	    "ERROR, "
	    "WARNING, NOTICE, INFO or DEBUG\n"
	    "bandog.conf:7:14: error: dbpurgeage: 'soon' is not a duration (try 600, "
	    "10m, "
	    "1h30m)\n"
	    "bandog.conf:3:10: warning: dryrun: 'yse' is neither yes nor no, and "
	    "counts as no "
	    "(try yes, true, on, 1)\n"
	    "bandog.conf:4:14: error: minprefix4: 33 is out of range, expected 0 to 32 "
	    "bits\n"
	    "bandog.conf:5:14: error: maxbanrate: 0 is out of range, expected 1 to "
	    "10000000 "
	    "bans per second\n"
	    "bandog.conf:6:25: error: neverban: 'office' is no address or network (try "
	    "192.0.2.0/24)\n"
	    "bandog.conf:6:32: error: neverban: '1.2.3.4/33' is no address or network "
	    "(try "
	    "192.0.2.0/24)\n"
	    "bandog.conf:8:1: warning: there is no option 'logtraget'; did you mean "
	    "'logtarget'?\n"
	    "bandog.conf:9:1: warning: there is no option 'colour'; it has no "
	    "effect\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(nothing_at_all, setup, done),
	    cmocka_unit_test_setup_teardown(own_file_with_layers, setup, done),
	    cmocka_unit_test_setup_teardown(what_is_left_of_fail2ban, setup, done),
	    cmocka_unit_test_setup_teardown(log_targets, setup, done),
	    cmocka_unit_test_setup_teardown(mistakes, setup, done),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
