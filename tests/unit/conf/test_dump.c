/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "load_test.h"

static void load_small(void)
{
	put_file(
	    "action.d/a.conf", "[Definition]\nactionban = one <ip>\n            two\n");
	load("[a]\nenabled = yes\nfilter = f\nlogpath = /x\n          /y tail\n"
	     "failregex = ^1%% <HOST>\n            ^2 <HOST>\naction = a[q=\"x\"]\n"
	     "ignoreip = ::1 192.0.2.1\nport = 25\n[b]\n");
	assert_silent(&diag);
}

/* The dump, without the test's folder. */
static const char *dump(bool json)
{
	static char out[65536];
	CLEANUP(buf_deinit) struct buf b = BUF_INIT(65536);
	char *to = out;

	conf_dump(conf, json, &b);
	assert_false(b.failed);
	for (const char *p = buf_str(&b); *p; p++) {
		if (strncmp(p, test_dir, strlen(test_dir)) == 0)
			p += strlen(test_dir);
		*to++ = *p;
	}
	*to = '\0';
	return out;
}

static void text_form(void **state)
{
	(void)state;
	load_small();
	assert_string_equal(dump(false),
	    "[Definition]\n"
	    "loglevel = INFO  # default\n"
	    "logtarget = SYSLOG  # default\n"
	    "user = bandog  # default\n"
	    "dryrun = false  # default\n"
	    "minprefix4 = 16  # default\n"
	    "minprefix6 = 32  # default\n"
	    "maxbanrate = 10000  # default\n"
	    "policysocket = /var/spool/postfix/private/bandog  "
	    "# default\n"
	    "protectlogins = true  # default\n"
	    "dbpurgeage = 2592000  # default\n"
	    "\n"
	    "[a]  # /jail.conf:1\n"
	    "enabled = true  # /jail.conf:2\n"
	    "backend = auto  # default\n"
	    "logpath = /x head  # /jail.conf:4\n"
	    "    /y tail  # /jail.conf:5\n"
	    "maxretry = 3  # default\n"
	    "findtime = 600  # default\n"
	    "bantime = 600  # default\n"
	    "maxmatches = 5  # default\n"
	    "ignoreself = true  # default\n"
	    "ignoreip = ::1  # /jail.conf:9\n"
	    "    192.0.2.1  # /jail.conf:9\n"
	    "usedns = warn  # default\n"
	    "port = 25  # /jail.conf:10\n"
	    "native = true  # default\n"
	    "sever = true  # default\n"
	    "makeroom = true  # default\n"
	    "filter = f  # /jail.conf:3\n"
	    "failregex = ^1%% <HOST>  # /jail.conf:6\n"
	    "    ^2 <HOST>  # /jail.conf:7\n"
	    "action = a[actname=a]  # /jail.conf:8\n"
	    "a/q = x  # /jail.conf:8\n"
	    "a/name = a  # /jail.conf:8\n"
	    "a/actname = a  # /jail.conf:8\n"
	    "a/actionban = one <ip>\n"
	    "    two  # /jail.conf:8\n"
	    "\n"
	    "[b]  # /jail.conf:11\n"
	    "enabled = false  # default\n");
}

static void json_form(void **state)
{
	(void)state;
	load_small();
	assert_string_equal(dump(true),
	    "{\"dir\":\"\",\"global\":{\"loglevel\":\"INFO\",\"logtarget\":\"SYSLOG\","
	    "\"user\":\"bandog\",\"dryrun\":false,\"minprefix4\":16,\"minprefix6\":32,"
	    "\"maxbanrate\":10000,\"policysocket\":\"/var/spool/postfix/private/"
	    "bandog\","
	    "\"refusetext\":null,\"neverban\":[],\"protectlogins\":true,"
	    "\"dbpurgeage\":2592000.0,\"places\":{"
	    "}},"
	    "\"jails\":[{\"name\":\"a\",\"enabled\":true,\"broken\":false,"
	    "\"place\":\"/jail.conf:1\",\"backend\":\"auto\","
	    "\"logpath\":[{\"glob\":\"/x\",\"tail\":false},{\"glob\":\"/"
	    "y\",\"tail\":true}],"
	    "\"maxretry\":3,\"findtime\":600.0,\"bantime\":600,\"maxmatches\":5,"
	    "\"ignoreself\":true,\"ignoreip\":[\"::1\",\"192.0.2.1\"],"
	    "\"ignorecommand\":null,\"usedns\":\"warn\",\"logtimezone\":null,"
	    "\"logencoding\":null,\"port\":\"25\",\"protocol\":null,"
	    "\"steps\":null,\"refusecode\":null,"
	    "\"filter\":{\"name\":\"f\",\"prefregex\":null,"
	    "\"failregex\":[\"^1% <HOST>\",\"^2 <HOST>\"],\"ignoreregex\":[],"
	    "\"datepattern\":null,\"journalmatch\":null,\"usedns\":\"warn\","
	    "\"maxlines\":1,"
	    "\"places\":{\"failregex\":[\"/jail.conf:6\",\"/jail.conf:7\"],"
	    "\"ignoreregex\":[]}},"
	    "\"actions\":[{\"name\":\"a\",\"actname\":\"a\",\"has_file\":true,"
	    "\"place\":\"/jail.conf:8\",\"params\":{\"q\":\"x\"},"
	    "\"options\":{\"q\":\"x\",\"name\":\"a\",\"actname\":\"a\","
	    "\"actionban\":\"one <ip>\\ntwo\"}}],"
	    "\"places\":{\"enabled\":\"/jail.conf:2\",\"filter\":\"/jail.conf:3\","
	    "\"backend\":\"default\",\"logpath\":\"/jail.conf:4\","
	    "\"ignoreip\":\"/jail.conf:9\",\"failregex\":\"/jail.conf:6\","
	    "\"action\":\"/jail.conf:8\"}},"
	    "{\"name\":\"b\",\"enabled\":false,\"broken\":false,\"place\":\"/"
	    "jail.conf:11\","
	    "\"places\":{}}]}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(text_form, setup, done),
	    cmocka_unit_test_setup_teardown(json_form, setup, done),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
