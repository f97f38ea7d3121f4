/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "load_test.h"

#define FILTER                                           \
	"[DEFAULT]\n"                                    \
	"pre = <pre-<logtype>>\n"                        \
	"pre-file = F\n"                                 \
	"pre-journal = J\n"                              \
	"[Definition]\n"                                 \
	"prefregex = ^<pre><F-CONTENT>.+</F-CONTENT>$\n" \
	"failregex = ^one <HOST>\n"                      \
	"            <mdre-<mode>>\n"                    \
	"\n"                                             \
	"            ^last %(word)s <HOST>\n"            \
	"mdre-normal =\n"                                \
	"mdre-ddos = ^d1 <HOST>\n"                       \
	"            ^d2 <other/x> <HOST>\n"             \
	"mode = normal\n"                                \
	"word = def\n"                                   \
	"ignoreregex =\n"                                \
	"datepattern = {^LN-BEG}\n"                      \
	"maxlines = 4\n"                                 \
	"usedns = no\n"                                  \
	"journalmatch = _A=1\n"                          \
	"[other]\n"                                      \
	"x = X\n"

static void load_with_filter(const char *jails)
{
	put_file("filter.d/g.conf", FILTER);
	load(jails);
}

static void modes_choose_regexes(void **state)
{
	const struct conf_filter *f;

	(void)state;
	load_with_filter("[DEFAULT]\nenabled=1\nlogpath=/"
			 "x\n[a]\nfilter=g\n[b]\nfilter=g[mode=ddos]\n");
	assert_silent(&diag);
	f = &jail("a")->filter;
	assert_items(&f->failregex, 2, "^one <HOST>", "^last def <HOST>");
	assert_string_equal(f->prefregex.text, "^F<F-CONTENT>.+</F-CONTENT>$");
	assert_int_equal(f->ignoreregex.n, 0);
	assert_int_equal(f->maxlines, 4);
	assert_string_equal(f->datepattern.text, "{^LN-BEG}");
	assert_string_equal(f->journalmatch.text, "_A=1");
	assert_string_equal(f->usedns.text, "no");
	assert_string_equal(jail("a")->usedns.text, "no");
	f = &jail("b")->filter;
	assert_items(&f->failregex, 4, "^one <HOST>", "^last def <HOST>");
	assert_string_equal(f->failregex.items[2].text, "^d2 X <HOST>");
	assert_int_equal(f->failregex.items[0].at.line, 7);
	assert_int_equal(f->failregex.items[1].at.line, 12);
	assert_int_equal(f->failregex.items[2].at.line, 13);
	assert_int_equal(f->failregex.items[3].at.line, 10);
	assert_true(strstr(f->failregex.items[2].at.file, "/filter.d/g.conf") != NULL);
}

static void the_backend_chooses_the_log_type(void **state)
{
	(void)state;
	load_with_filter("[DEFAULT]\nenabled=1\n[a]\nfilter=g\nbackend=systemd\n"
			 "[b]\nfilter=g[logtype=file]\nbackend=systemd\n");
	assert_silent(&diag);
	assert_string_equal(
	    jail("a")->filter.prefregex.text, "^J<F-CONTENT>.+</F-CONTENT>$");
	assert_string_equal(
	    jail("b")->filter.prefregex.text, "^F<F-CONTENT>.+</F-CONTENT>$");
	put_file("filter.d/g.local", "[Definition]\nlogtype = file\n");
	load("[a]\nenabled=1\nfilter=g\nbackend=systemd\n");
	assert_string_equal(
	    jail("a")->filter.prefregex.text, "^F<F-CONTENT>.+</F-CONTENT>$");
}

static void a_jail_replaces(void **state)
{
	const struct conf_filter *f;

	(void)state;
	load_with_filter(
	    "[a]\nenabled=1\nlogpath=/x\nfilter=g\nfailregex = ^mine <HOST>\n"
	    "ignoreregex = ^i\nmaxlines=2\nusedns=raw\nprefregex=^p\n"
	    "datepattern = %%Y\njournalmatch = _B=2\n");
	assert_silent(&diag);
	f = &jail("a")->filter;
	assert_items(&f->failregex, 1, "^mine <HOST>", "^mine <HOST>");
	assert_int_equal(f->failregex.items[0].at.line, 5);
	assert_items(&f->ignoreregex, 1, "^i", "^i");
	assert_int_equal(f->maxlines, 2);
	assert_string_equal(f->usedns.text, "raw");
	assert_string_equal(f->prefregex.text, "^p");
	assert_string_equal(f->datepattern.text, "%Y");
	assert_string_equal(f->journalmatch.text, "_B=2");
}

static void known_extends(void **state)
{
	const struct conf_filter *f;

	(void)state;
	load_with_filter(
	    "[a]\nenabled=1\nlogpath=/x\nfilter=g[mode=ddos]\nfailregex = ^0 <HOST>\n"
	    "   %(known/failregex)s\n   ^mine %(known/word)s <HOST>\n");
	assert_silent(&diag);
	f = &jail("a")->filter;
	assert_items(&f->failregex, 6, "^0 <HOST>", "^mine def <HOST>");
	assert_string_equal(f->failregex.items[3].text, "^d2 X <HOST>");
	assert_int_equal(f->failregex.items[0].at.line, 5);
	assert_int_equal(f->failregex.items[3].at.line, 13);
	assert_int_equal(f->failregex.items[5].at.line, 7);
}

static void parameters_and_jail_both_count(void **state)
{
	const struct conf_filter *f;

	(void)state;
	load_with_filter(
	    "[a]\nenabled=1\nlogpath=/x\nmaxlines=2\nusedns=yes\n"
	    "filter=g[failregex=\"^p1 <HOST>\n   ^p2 <HOST>\", maxlines=3, "
	    "usedns=raw,\n"
	    "   prefregex='^pp, %%(x)s', word=param]\nfailregex = ^j <HOST>\n");
	assert_silent(&diag);
	f = &jail("a")->filter;
	assert_items(&f->failregex, 3, "^p1 <HOST>", "^j <HOST>");
	assert_int_equal(f->failregex.items[1].at.line, 7);
	assert_int_equal(f->failregex.items[1].at.col, 4);
	assert_int_equal(f->maxlines, 3);
	assert_string_equal(jail("a")->usedns.text, "raw");
	assert_string_equal(f->prefregex.text, "^pp, %(x)s");
}

static void init_comes_before_definition(void **state)
{
	(void)state;
	put_file("filter.d/g.local", "[Init]\nword = init\nmode = ddos\n");
	load_with_filter("[DEFAULT]\nenabled=1\nlogpath=/x\n[a]\nfilter=g\n"
			 "[b]\nfilter=g[word=param, mode=\"<known/mode>\"]\n");
	assert_silent(&diag);
	assert_items(
	    &jail("a")->filter.failregex, 4, "^one <HOST>", "^last init <HOST>");
	assert_items(
	    &jail("b")->filter.failregex, 4, "^one <HOST>", "^last param <HOST>");
}

static void mistakes_of_a_filter(void **state)
{
	(void)state;
	put_file("filter.d/bad.conf",
	    "[Definition]\nfailregex = ^ok <HOST>\n  %(x)s\n"
	    "ignoreregex = <a>\na = <b>\nb = <a>\nmaxlines = x\n");
	put_file("filter.d/syntax.conf",
	    "[Definition]\noops\nfailregex = ^x\nmaxlines = y\n");
	put_file("filter.d/none.conf", "[Definition]\n");
	load("[DEFAULT]\nenabled=1\nlogpath=/x\n[a]\nfilter=bad\n[b]\nfilter=syntax\n"
	     "[c]\nfilter=syntax\n[d]\nfilter=none\n[ok]\nfilter=f\n");
	assert_true(jail("a")->is_broken);
	assert_true(jail("b")->is_broken);
	assert_true(jail("c")->is_broken);
	assert_false(jail("d")->is_broken);
	assert_false(jail("ok")->is_broken);
	assert_string_equal(all_of(&diag),
	    "filter.d/bad.conf:3:3: error: failregex: %(x)s: there is no such option, "
	    "expected "
	    "one in [Definition] or [DEFAULT]\n"
	    "filter.d/bad.conf:6:5: error: ignoreregex: <a> leads back to itself\n"
	    "filter.d/bad.conf:7:12: error: maxlines: 'x' is not a whole number (try "
	    "1)\n"
	    "filter.d/syntax.conf:2:1: error: 'oops' is neither 'option = value' nor a "
	    "[section]; a line that goes on with a value must be indented\n"
	    "filter.d/syntax.conf:4:12: error: maxlines: 'y' is not a whole number "
	    "(try 1)\n"
	    "jail.conf:11:8: warning: filter: 'none' has no failregex, so jail 'd' "
	    "finds "
	    "nothing\n");
}

static struct conf *load_filter(const char *spec)
{
	unload();
	return conf_load_filter(test_dir, spec, &diag);
}

static void a_filter_alone(void **state)
{
	char path[128];

	(void)state;
	put_file("filter.d/g.conf", FILTER);
	conf = load_filter("g[mode=ddos, logtype=journal]");
	assert_silent(&diag);
	assert_int_equal(conf->n_jails, 1);
	assert_string_equal(conf->jails[0].name, "g");
	assert_true(conf->jails[0].enabled);
	assert_int_equal(conf->jails[0].filter.failregex.n, 4);
	assert_string_equal(
	    conf->jails[0].filter.prefregex.text, "^J<F-CONTENT>.+</F-CONTENT>$");
	assert_string_equal(conf->jails[0].usedns.text, "no");

	conf = load_filter("g[word=\"a, b]\", failregex='^<HOST> <word>']");
	assert_silent(&diag);
	assert_items(
	    &conf->jails[0].filter.failregex, 1, "^<HOST> a, b]", "^<HOST> a, b]");

	(void)snprintf(path, sizeof(path), "%s/filter.d/g.conf", test_dir);
	conf = load_filter(path);
	assert_silent(&diag);
	assert_string_equal(conf->jails[0].name, "g");
	assert_int_equal(conf->jails[0].filter.failregex.n, 2);
	assert_string_equal(conf->global.loglevel.text, "INFO");
}

static void a_filter_alone_that_is_wrong(void **state)
{
	(void)state;
	put_file("filter.d/bad.conf", "[Definition]\nfailregex = %(x)s\n");
	conf = load_filter("nope");
	assert_null(conf);
	assert_says(
	    &diag, "error: filter: there is no filter 'nope', expected filter.d/nope");
	conf = load_filter("f[mode");
	assert_null(conf);
	assert_says(&diag, "error: filter: 'f': expected option=value");
	conf = load_filter("bad");
	assert_null(conf);
	assert_says(&diag, "filter.d/bad.conf:2:13: error: failregex: %(x)s");
	conf = load_filter("");
	assert_null(conf);
	assert_string_equal(
	    all_of(&diag), "error: filter: expected the name of a filter\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(modes_choose_regexes, setup, done),
	    cmocka_unit_test_setup_teardown(
		the_backend_chooses_the_log_type, setup, done),
	    cmocka_unit_test_setup_teardown(a_jail_replaces, setup, done),
	    cmocka_unit_test_setup_teardown(known_extends, setup, done),
	    cmocka_unit_test_setup_teardown(
		parameters_and_jail_both_count, setup, done),
	    cmocka_unit_test_setup_teardown(init_comes_before_definition, setup, done),
	    cmocka_unit_test_setup_teardown(mistakes_of_a_filter, setup, done),
	    cmocka_unit_test_setup_teardown(a_filter_alone, setup, done),
	    cmocka_unit_test_setup_teardown(a_filter_alone_that_is_wrong, setup, done),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
