/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int saved_stderr;
static int pipe_in;

static int catch_stderr(void **state)
{
	int fds[2];

	(void)state;
	saved_stderr = fcntl(2, F_DUPFD_CLOEXEC, 10);
	if (saved_stderr < 0 || pipe2(fds, O_CLOEXEC | O_NONBLOCK) < 0)
		return -1;
	pipe_in = fds[0];
	if (dup2(fds[1], 2) < 0)
		return -1;
	log_init("tester", LOG_L_INFO, false);
	return close(fds[1]);
}

static int release_stderr(void **state)
{
	(void)state;
	(void)dup2(saved_stderr, 2);
	(void)close(saved_stderr);
	return close(pipe_in);
}

/* All that was written since the last call. */
static const char *written(void)
{
	static char text[65536];
	ssize_t n = read(pipe_in, text, sizeof(text) - 1);

	text[n > 0 ? n : 0] = '\0';
	return text;
}

static unsigned int count_lines(const char *text)
{
	unsigned int n = 0;

	for (; *text; text++)
		n += *text == '\n';
	return n;
}

static void assert_line(const char *tail)
{
	const char *text = written(), *colon = strstr(text, "]: ");
	regex_t re;

	assert_int_equal(regcomp(&re,
			     "^2[0-9]{3}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2} "
			     "tester\\[[0-9]+\\]: ",
			     REG_EXTENDED | REG_NOSUB),
	    0);
	assert_int_equal(regexec(&re, text, 0, NULL, 0), 0);
	regfree(&re);
	assert_non_null(colon);
	assert_string_equal(colon + 3, tail);
}

static void assert_written(const char *pattern)
{
	const char *text = written();
	regex_t re;

	assert_int_equal(regcomp(&re, pattern, REG_EXTENDED | REG_NOSUB), 0);
	if (regexec(&re, text, 0, NULL, 0) != 0)
		fail_msg("%s: %s", pattern, text);
	regfree(&re);
}

static void configure(struct log_options o)
{
	struct buf b = BUF_INIT(1024);
	struct log_options back;

	/* What the command line of a role carries is the same. */
	log_options_encode(&o, &b);
	assert_int_equal(log_options_decode(buf_str(&b), &back), 0);
	buf_deinit(&b);
	log_configure(&back);
	free((void *)(uintptr_t)back.format);
	back.format = o.format;
	log_configure(&back);
}

static void fail2bans_words(void **state)
{
	(void)state;
	log_fail2ban(LOG_L_NOTICE, "actions", "[x] Ban 192.0.2.1");
	assert_string_equal(written(), "");
	configure((struct log_options){.style = LOG_LIKE_FAIL2BAN});
	log_fail2ban(LOG_L_NOTICE, "actions", "[x] Ban 192.0.2.1");
	assert_written(
	    "^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9:]{8},[0-9]{3} fail2ban\\.actions  "
	    "      \\[[0-9]+\\]: NOTICE  \\[x\\] Ban 192\\.0\\.2\\.1\n$");
	log_fail2ban(LOG_L_DEBUG, "actions", "too much");
	assert_string_equal(written(), "");
	log_warning("x", "what");
	assert_written("fail2ban\\.server         \\[[0-9]+\\]: WARNING x: what\n$");
	configure((struct log_options){
	    .style = LOG_LIKE_FAIL2BAN, .without_time = true, .without_padding = true});
	log_fail2ban(LOG_L_INFO, "filter", "[x] Found y");
	assert_written("^fail2ban\\.filter\\[[0-9]+\\]: INFO \\[x\\] Found y\n$");
	configure((struct log_options){.style = LOG_LIKE_FAIL2BAN,
	    .format = "%(levelname)-9s|%(name)16s|%d %(what)s, %(message)s%"});
	log_fail2ban(LOG_L_INFO, "jail", "%s", "a%sb%(name)s");
	assert_string_equal(
	    written(), "INFO     |   fail2ban.jail|%d %(what)s, a%sb%(name)s%\n");
}

static void options_that_are_none(void **state)
{
	static const char *const bad[] = {"", "0", "0,0,0,0,24", "3,0,0,0,24,,",
	    "0,2,0,0,24,,", "0,0,0,0,-1,,", "x,0,0,0,24,,", "0,0,0,0,24,"};
	struct log_options o;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(log_options_decode(bad[i], &o), -EINVAL);
	assert_int_equal(log_facility_parse("Local7"), 23 << 3);
	assert_int_equal(log_facility_parse("none"), -EINVAL);
}

static void lines_have_their_form(void **state)
{
	(void)state;
	errno = ENOMSG;
	log_notice("sshd", "ban addr=%s", "192.0.2.7");
	assert_int_equal(errno, ENOMSG);
	assert_line("NOTICE sshd: ban addr=192.0.2.7\n");
	log_info(NULL, "up");
	assert_line("INFO up\n");
	log_err("x", "%s", "");
	assert_line("ERROR x: \n");
	log_warning("x", "y");
	assert_line("WARNING x: y\n");
}

static void levels_filter(void **state)
{
	(void)state;
	log_debug("x", "unheard");
	assert_string_equal(written(), "");
	log_set_level(LOG_L_DEBUG);
	log_debug("x", "heard");
	assert_line("DEBUG x: heard\n");
	log_set_level(LOG_L_ERR);
	log_warning("x", "unheard");
	assert_string_equal(written(), "");
	log_err("x", "heard");
	assert_line("ERROR x: heard\n");
}

static void control_characters_are_masked(void **state)
{
	(void)state;
	log_info("a\nb", "c\r\n\t%s\x7f\x1b[2J\xc3\xb6", "\x01");
	assert_line("INFO a?b: c?????"
		    "?[2J\xc3\xb6\n");
}

static void long_lines_are_cut(void **state)
{
	char text[10000];
	const char *got;

	(void)state;
	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	log_info(text, "%s", text);
	got = written();
	assert_int_equal(count_lines(got), 1);
	assert_true(strlen(got) < 4200);
	log_info("s", "%s", text);
	got = written();
	assert_int_equal(count_lines(got), 1);
	assert_true(strlen(got) > 4000 && strlen(got) < 4200);
}

static void say(struct log_site *site, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		log_write(site, LOG_L_INFO, NULL, "n=%u", i);
}

static void each_site_is_limited(void **state)
{
	struct log_site site = {0}, other = {0};
	const char *text;

	(void)state;
	say(&site, LOG_BURST);
	assert_int_equal(count_lines(written()), LOG_BURST);
	say(&site, 1);
	assert_string_equal(written(), "");
	say(&other, 1);
	assert_line("INFO n=0\n");
	say(&site, 6);
	assert_string_equal(written(), "");

	/* The window passes. */
	site.window_start_sec -= LOG_WINDOW_SEC - 1;
	say(&site, 1);
	assert_string_equal(written(), "");
	site.window_start_sec -= 2;
	say(&site, 2);
	text = written();
	assert_int_equal(count_lines(text), 2);
	assert_non_null(strstr(text, "n=0 (8 more like this not logged)\n"));
	assert_non_null(strstr(text, "INFO n=1\n"));
}

static void what_is_not_said_is_not_counted(void **state)
{
	struct log_site site = {0};

	(void)state;
	for (int i = 0; i < 2 * LOG_BURST; i++)
		log_write(&site, LOG_L_DEBUG, NULL, "unheard");
	say(&site, 1);
	assert_line("INFO n=0\n");
}

static void events_are_not_limited(void **state)
{
	(void)state;
	for (int i = 0; i < 10 * LOG_BURST; i++)
		log_event(LOG_L_NOTICE, "sshd", "ban n=%d", i);
	assert_int_equal(count_lines(written()), 10 * LOG_BURST);
}

static void a_macro_is_a_site(void **state)
{
	(void)state;
	for (int i = 0; i < 2 * LOG_BURST; i++) {
		log_info("a", "x");
		log_info("b", "x");
	}
	assert_int_equal(count_lines(written()), 2 * LOG_BURST);
}

static void parses_levels(void **state)
{
	static const struct {
		const char *text;
		enum log_level level;
	} good[] = {
	    {"CRITICAL", LOG_L_ERR},
	    {"error", LOG_L_ERR},
	    {"Warning", LOG_L_WARNING},
	    {"notice", LOG_L_NOTICE},
	    {" INFO ", LOG_L_INFO},
	    {"debug", LOG_L_DEBUG},
	    {"tracedebug", LOG_L_DEBUG},
	    {"HeavyDebug", LOG_L_DEBUG},
	    {"50", LOG_L_ERR},
	    {"40", LOG_L_ERR},
	    {"31", LOG_L_ERR},
	    {"30", LOG_L_WARNING},
	    {"26", LOG_L_WARNING},
	    {"25", LOG_L_NOTICE},
	    {"21", LOG_L_NOTICE},
	    {"20", LOG_L_INFO},
	    {"18", LOG_L_INFO},
	    {"11", LOG_L_INFO},
	    {"10", LOG_L_DEBUG},
	    {"5", LOG_L_DEBUG},
	};
	static const char *const bad[] = {"", "4", "51", "-5", "loud", "info2", "10.0"};
	enum log_level level = LOG_L_NOTICE;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(log_level_parse(bad[i], &level), -EINVAL);
	assert_int_equal(level, LOG_L_NOTICE);
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		assert_int_equal(log_level_parse(good[i].text, &level), 0);
		assert_int_equal(level, good[i].level);
	}
}

static void survives_a_full_pipe(void **state)
{
	char text[4000];

	(void)state;
	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	for (int i = 0; i < 40; i++)
		log_event(LOG_L_INFO, NULL, "%s", text);
	assert_true(strlen(written()) > 30000);
}

int main(void)
{
#define CAUGHT(fn) cmocka_unit_test_setup_teardown(fn, catch_stderr, release_stderr)
	const struct CMUnitTest tests[] = {
	    CAUGHT(lines_have_their_form),
	    CAUGHT(levels_filter),
	    CAUGHT(control_characters_are_masked),
	    CAUGHT(long_lines_are_cut),
	    CAUGHT(each_site_is_limited),
	    CAUGHT(what_is_not_said_is_not_counted),
	    CAUGHT(events_are_not_limited),
	    CAUGHT(a_macro_is_a_site),
	    CAUGHT(survives_a_full_pipe),
	    CAUGHT(fail2bans_words),
	    cmocka_unit_test(options_that_are_none),
	    cmocka_unit_test(parses_levels),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
