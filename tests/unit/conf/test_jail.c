/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "load_test.h"

static void defaults_when_nothing_is_said(void **state)
{
	const struct conf_jail *j;

	(void)state;
	load("[a]\nenabled = 1\n[b]\n[INCLUDES]\n");
	assert_int_equal(conf->n_jails, 2);
	j = jail("a");
	assert_true(j->enabled);
	assert_false(j->is_broken);
	assert_int_equal(j->maxretry, 3);
	assert_int_equal(j->bantime_sec, 600);
	assert_true(j->findtime_sec == 600.0);
	assert_int_equal(j->maxmatches, 5);
	assert_true(j->ignoreself);
	assert_true(j->sever && j->makeroom);
	assert_false(j->evidence.has_adapt || j->evidence.has_group);
	assert_int_equal(j->evidence.groupprefix4, 24);
	assert_int_equal(j->evidence.groupprefix6, 48);
	assert_string_equal(j->usedns.text, "warn");
	assert_int_equal(j->backend, CONF_AUTO);
	assert_null(j->filter.name);
	assert_int_equal(j->filter.maxlines, 1);
	assert_int_equal(j->n_actions, 0);
	assert_false(jail("b")->enabled);
	/* Neither filter nor logpath: meant for bans by hand. */
	assert_silent(&diag);
}

static void half_a_jail_is_worth_a_warning(void **state)
{
	(void)state;
	load("[a]\nenabled = yes\nfilter = f\n[b]\nenabled = yes\nlogpath = /x\n"
	     "[c]\nfilter = f\n"
	     "[d]\nenabled = yes\nfilter =\nfailregex = ^<HOST>\nlogpath = /x\n");
	assert_string_equal(all_of(&diag), "jail.conf:1:1: warning: jail 'a' has no "
					   "logpath, expected logpath = FILE or "
					   "backend = systemd\n"
					   "jail.conf:4:1: warning: jail 'b' has a "
					   "logpath but no filter: only bans by "
					   "hand reach it\n");
}

static void options_are_typed(void **state)
{
	const struct conf_jail *j;

	(void)state;
	load("[DEFAULT]\nignoreip = 127.0.0.1/8 ::1,\n  192.0.2.0/24\n"
	     "[a]\nenabled=on\nfilter=f\nlogpath = /a/*.log\n  /b c tail\n  /d  head\n"
	     "maxretry = 7\nfindtime = 1h30m\nbantime = 1d12h\nmaxmatches = 0\n"
	     "sever = no\nmakeroom = no\nadapt = yes\ngroup = 0\n"
	     "groupprefix4 = 28\ngroupprefix6 = 64\nignoreself = false\nignorecommand "
	     "= x "
	     "<ip>\nusedns = "
	     "No\nlogtimezone = "
	     "UTC\n"
	     "logencoding = utf-8\nport = 1,2\nprotocol = udp\nbackend = polling\n");
	assert_silent(&diag);
	j = jail("a");
	assert_int_equal(j->n_logpaths, 3);
	assert_string_equal(j->logpaths[0].glob, "/a/*.log");
	assert_false(j->logpaths[0].tail);
	assert_string_equal(j->logpaths[1].glob, "/b c");
	assert_true(j->logpaths[1].tail);
	assert_int_equal(j->logpaths[1].at.line, 8);
	assert_string_equal(j->logpaths[2].glob, "/d");
	assert_int_equal(j->maxretry, 7);
	assert_true(j->findtime_sec == 5400.0);
	assert_int_equal(j->bantime_sec, 129600);
	assert_int_equal(j->maxmatches, 0);
	assert_false(j->ignoreself);
	assert_false(j->sever || j->makeroom);
	assert_true(j->evidence.has_adapt && j->evidence.adapt);
	assert_true(j->evidence.has_group && !j->evidence.group);
	assert_int_equal(j->evidence.groupprefix4, 28);
	assert_int_equal(j->evidence.groupprefix6, 64);
	assert_string_equal(j->ignorecommand.text, "x <ip>");
	assert_string_equal(j->usedns.text, "no");
	assert_string_equal(j->logtimezone.text, "UTC");
	assert_string_equal(j->logencoding.text, "utf-8");
	assert_string_equal(j->port.text, "1,2");
	assert_string_equal(j->protocol.text, "udp");
	assert_int_equal(j->backend, CONF_POLLING);
	assert_items(&j->ignoreip, 3, "127.0.0.1/8", "192.0.2.0/24");
	assert_int_equal(j->ignoreip.items[1].at.line, 2);
	assert_int_equal(j->ignoreip.items[1].at.col, 24);
	assert_int_equal(j->ignoreip.items[2].at.line, 3);
	assert_int_equal(j->ignoreip.items[2].at.col, 3);
}

static void backends(void **state)
{
	(void)state;
	load("[DEFAULT]\nenabled=1\nfilter=f\n[a]\nlogpath=/x\nbackend = pyinotify\n"
	     "[b]\nbackend = systemd[journalflags=1]\n[c]\nlogpath=/x\nbackend = "
	     "Auto\n");
	assert_silent(&diag);
	assert_int_equal(jail("a")->backend, CONF_INOTIFY);
	assert_int_equal(jail("b")->backend, CONF_SYSTEMD);
	assert_string_equal(jail("b")->backend_text.text, "systemd[journalflags=1]");
	assert_int_equal(jail("c")->backend, CONF_AUTO);
}

static void no_log_yet(void **state)
{
	(void)state;
	put_file("filter.d/j.conf",
	    "[Definition]\njournalmatch = _COMM=j\nfailregex = ^<_s> <HOST>\n"
	    "_s = <_s_<logtype>>\n_s_file = in a file\n_s_journal = in a journal\n");
	load_as(
	    "[DEFAULT]\nenabled=1\nfilter=j\nlogpath = /nowhere/a*.log tail\n"
	    "  /nowhere/b\nbackend = auto[journalpath=/j]\n"
	    "[of_filter]\n[waits]\nsystemd_if_nologs = no\n"
	    "[not_auto]\nbackend = polling\n"
	    "[skipped]\nsystemd_if_nologs = no\nskip_if_nologs = yes\n"
	    "[no_match]\nfilter = f\n[of_jail]\nfilter = f\njournalmatch = _COMM=x\n"
	    "[there]\nlogpath = /nowhere/a\n  /dev/nul[l]\n",
	    CONF_LOOK_FOR_LOGS);
	assert_int_equal(diag.n_errors, 0);
	assert_int_equal(diag.n_warnings, 1);
	assert_int_equal(jail("of_filter")->backend, CONF_SYSTEMD);
	assert_string_equal(
	    jail("of_filter")->filter.failregex.items[0].text, "^in a journal <HOST>");
	assert_int_equal(jail("waits")->backend, CONF_AUTO);
	assert_string_equal(
	    jail("waits")->filter.failregex.items[0].text, "^in a file <HOST>");
	assert_int_equal(jail("not_auto")->backend, CONF_POLLING);
	assert_true(jail("skipped")->is_skipped);
	assert_false(jail("skipped")->is_broken);
	assert_non_null(strstr(jail("skipped")->why, "skip_if_nologs"));
	assert_int_equal(jail("no_match")->backend, CONF_AUTO);
	assert_int_equal(jail("of_jail")->backend, CONF_SYSTEMD);
	assert_int_equal(jail("there")->backend, CONF_AUTO);
}

static void bans_for_good(void **state)
{
	(void)state;
	load("[DEFAULT]\nenabled=1\nfilter=f\nlogpath=/"
	     "x\n[a]\nbantime=-1\n[b]\nbantime=1.9\n"
	     "[c]\nbantime=999999999y\n");
	assert_int_equal(jail("a")->bantime_sec, -1);
	assert_int_equal(jail("b")->bantime_sec, 1);
	assert_true(jail("c")->is_broken);
	assert_says(&diag, "bantime: '999999999y' is too long (-1 is a ban for good)");
}

static void mistakes_stay_in_their_jail(void **state)
{
	(void)state;
	load("[DEFAULT]\nenabled=1\nfilter=f\nlogpath=/x\n"
	     "[a]\nmaxretry = three\nfindtime =   10 parsecs\nbantime = -x\n"
	     "  logpath = /y\nusedns = maybe\nbackend=foo\n"
	     "[b]\nport = %(nope)s\n[c]\nlogpath = /a b\nmaxretry = -1\nfindtime=-5\n"
	     "[d]\nfilter = nope[x=1]\n[e]\nfilter = f g\n[ok]\n");
	assert_true(jail("a")->is_broken);
	assert_true(jail("b")->is_broken);
	assert_true(jail("c")->is_broken);
	assert_true(jail("d")->is_broken);
	assert_true(jail("e")->is_broken);
	assert_false(jail("ok")->is_broken);
	assert_items(&jail("ok")->filter.failregex, 1, "^f <HOST>", "^f <HOST>");
	assert_says(
	    &diag, "jail.conf:6:12: error: maxretry: 'three' is not a whole number");
	assert_says(&diag,
	    "jail.conf:7:14: error: findtime: '10 parsecs' is not a duration "
	    "(try 600, 10m, 1h30m)");
	assert_says(
	    &diag, "jail.conf:8:11: error: bantime: '-x\\nlogpath = /y' is not");
	assert_says(
	    &diag, "jail.conf:10:10: error: usedns: expected yes, warn, no or raw");
	assert_says(&diag, "jail.conf:11:9: error: backend: there is no 'foo'");
	assert_says(
	    &diag, "jail.conf:13:8: error: port: %(nope)s: there is no such option");
	assert_says(
	    &diag, "jail.conf:15:14: error: logpath: expected 'head' or 'tail'");
	assert_says(&diag, "jail.conf:16:12: error: maxretry: -1 is out of range");
	assert_says(&diag, "jail.conf:17:10: error: findtime: '-5' is negative");
	assert_says(&diag, "jail.conf:19:10: error: filter: there is no filter 'nope', "
			   "expected filter.d/nope.conf in /");
	assert_says(&diag,
	    "jail.conf:21:12: error: filter: 'f': only one is expected, found "
	    "'g' too");
	assert_int_equal(diag.n_errors, 11);
}

static void one_mistake_of_all_is_told_once(void **state)
{
	(void)state;
	load("[DEFAULT]\nenabled=1\nfilter=f\nlogpath=/x\nbantime = soon\n[a]\n[b]\n"
	     "[c]\nbantime=1\n");
	assert_true(jail("a")->is_broken);
	assert_true(jail("b")->is_broken);
	assert_false(jail("c")->is_broken);
	assert_int_equal(diag.n, 1);
}

static void syntax_mistakes_spoil_their_section(void **state)
{
	(void)state;
	load("[DEFAULT]\nenabled=1\nfilter=f\nlogpath=/"
	     "x\n[a]\nmaxretry=1\nmaxretry=2\n[b]\n");
	assert_true(jail("a")->is_broken);
	assert_false(jail("b")->is_broken);
	assert_int_equal(diag.n_errors, 1);
}

static void words_that_are_nearly_right(void **state)
{
	(void)state;
	load("[DEFAULT]\nbantme = 5\nfilter=f\n"
	     "[a]\nenabled=1\nlogpath=/x\nmaxretrys = 1\nfindtime2 = "
	     "5m\nfindtime=%(findtime2)s\n"
	     "my_own_word = x\nbantime.increment = 1\n[b]\nmaxretrys=2\nenabled = "
	     "maybe\n");
	assert_string_equal(all_of(&diag),
	    "jail.conf:7:1: warning: there is no option 'maxretrys'; did you mean "
	    "'maxretry'?\n"
	    "jail.conf:14:11: warning: enabled: 'maybe' is neither yes nor no, and "
	    "counts as "
	    "no (try yes, true, on, 1)\n"
	    "jail.conf:2:1: warning: there is no option 'bantme'; did you mean "
	    "'bantime'?\n");
}

static void constants_of_fail2ban(void **state)
{
	CLEANUP(buf_deinit) struct buf want = BUF_INIT(512);

	(void)state;
	load("[a]\nenabled=1\nfilter=f\nlogpath=/x\nport=%(fail2ban_version)s "
	     "%(__name__)s "
	     "%(fail2ban_confpath)s\n");
	buf_printf(&want, "1.1.0 a %s", test_dir);
	assert_string_equal(jail("a")->port.text, buf_str(&want));
}

static void jails_can_be_chosen(void **state)
{
	const char *const only[] = {"b", "zz", NULL};

	(void)state;
	load("[DEFAULT]\nfilter=f\nlogpath=/x\n[a]\nenabled=1\n[b]\nenabled=0\n");
	unload();
	conf = conf_load(test_dir, only, 0, &diag);
	assert_false(jail("a")->enabled);
	assert_true(jail("b")->enabled);
	assert_says(&diag, "error: there is no jail 'zz'");
	unload();
	conf = conf_load(test_dir, NULL, CONF_ALL, &diag);
	assert_true(jail("a")->enabled && jail("b")->enabled);
	assert_silent(&diag);
}

static void nothing_usable(void **state)
{
	(void)state;
	assert_null(conf_load(test_dir, NULL, 0, &diag));
	assert_says(
	    &diag, "error: no jails here, expected jail.conf, jail.local or jail.d/");
	diag_deinit(&diag);
	assert_null(conf_load("/nonexistent", NULL, 0, &diag));
	assert_says(&diag, "/nonexistent: error: there is no such folder");
	put_file("jail.local", "[a]\n");
	conf = conf_load(test_dir, NULL, 0, &diag);
	assert_int_equal(conf->n_jails, 1);
}

static void ignorecache_key_tells_addresses_apart(void **state)
{
	(void)state;
	load("[a]\nenabled = 1\nignorecommand = x\nignorecache = "
	     "key=\"<F-USER>@<ip-host>\"\n");
	assert_silent(&diag);
	assert_string_equal(jail("a")->ignorecache.key, "<F-USER>@<ip-host>");
	load(
	    "[a]\nenabled = 1\nignorecommand = x\nignorecache = key=\"<ip>-<nosuch>\"\n"
	    "[b]\nenabled = 1\nignorecommand = x\nignorecache = max-count=3, key=ip\n");
	assert_string_equal(all_of(&diag),
	    "jail.conf:4:25: error: ignorecache: a failure has no such tag (<ip>, "
	    "<family>, <F-...>), expected key=\"<ip>\", max-count=100, max-time=5m\n"
	    "jail.conf:8:32: error: ignorecache: its key is the same for all failures, "
	    "expected key=\"<ip>\", max-count=100, max-time=5m\n");
	assert_true(jail("a")->is_broken);
	assert_true(jail("b")->is_broken);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(defaults_when_nothing_is_said, setup, done),
	    cmocka_unit_test_setup_teardown(
		half_a_jail_is_worth_a_warning, setup, done),
	    cmocka_unit_test_setup_teardown(options_are_typed, setup, done),
	    cmocka_unit_test_setup_teardown(
		ignorecache_key_tells_addresses_apart, setup, done),
	    cmocka_unit_test_setup_teardown(backends, setup, done),
	    cmocka_unit_test_setup_teardown(no_log_yet, setup, done),
	    cmocka_unit_test_setup_teardown(bans_for_good, setup, done),
	    cmocka_unit_test_setup_teardown(mistakes_stay_in_their_jail, setup, done),
	    cmocka_unit_test_setup_teardown(
		one_mistake_of_all_is_told_once, setup, done),
	    cmocka_unit_test_setup_teardown(
		syntax_mistakes_spoil_their_section, setup, done),
	    cmocka_unit_test_setup_teardown(words_that_are_nearly_right, setup, done),
	    cmocka_unit_test_setup_teardown(constants_of_fail2ban, setup, done),
	    cmocka_unit_test_setup_teardown(jails_can_be_chosen, setup, done),
	    cmocka_unit_test_setup_teardown(nothing_usable, setup, done),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
