/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "front/front_f2b_command.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/picklew.h"
#include "front/front_f2b.h"
#include "proc/overrides.h"

static char *failregex[] = {(char[]){"^a <HOST>"}, (char[]){"^b <HOST>"}};
static char *options[] = {(char[]){"ignoreip"}, (char[]){"192.0.2.1 localhost"},
    (char[]){"logpath"}, (char[]){"/var/log/a.log\n/var/log/b*.log tail"},
    (char[]){"action"}, (char[]){"one[x=\"a b\"]\n two"}};
static char *action_one[] = {
    (char[]){"one"}, (char[]){"one"}, (char[]){"x"}, (char[]){"a b"}};
static char *action_two[] = {(char[]){"two"}, (char[]){"two"}};
static struct setup_texts actions[] = {{action_one, 4}, {action_two, 2}};
static struct setup_jail jails[] = {{.name = (char[]){"j"},
    .failregex = failregex,
    .n_failregex = 2,
    .options = {options, 6},
    .actions = actions,
    .n_actions = 2,
    .maxretry = 3,
    .findtime_sec = 600,
    .bantime_sec = 3600}};
static struct setup the_setup = {.jails = jails,
    .n_jails = 1,
    .log_target = (char[]){"SYSLOG"},
    .log_level = LOG_L_INFO};
static const struct f2b_world world = {.setup = &the_setup, .state_dir = "/s"};

static struct f2b_command c;
static struct buf request;

/* Words up to NULL. */
static void begin(const char *first, ...)
{
	va_list ap;

	request = BUF_INIT(100000);
	picklew_begin(&request);
	picklew_list(&request);
	va_start(ap, first);
	for (const char *w = first; w; w = va_arg(ap, const char *))
		picklew_str(&request, w);
	va_end(ap);
	picklew_list_end(&request);
	picklew_end(&request);
	f2b_command_begin(&c, buf_span(&request), &world);
}

static int end(UNUSED void **state)
{
	f2b_command_deinit(&c);
	buf_deinit(&request);
	c = (struct f2b_command){0};
	return 0;
}

static struct pickle *reply(int code)
{
	struct pickle *p = NULL;
	struct err e = {""};

	assert_int_equal(c.step, F2B_STEP_ANSWER);
	assert_int_equal(
	    pickle_read(buf_span(&c.reply), PICKLE_OBJECTS, 1000, &p, &e), 0);
	assert_int_equal(pickle_root(p)->kind, PICKLE_TUPLE);
	assert_int_equal(pickle_root(p)->items[0]->number, code);
	return p;
}

static void expect_str(const char *text)
{
	CLEANUP(pickle_freep) struct pickle *p = reply(0);

	assert_int_equal(pickle_root(p)->items[1]->kind, PICKLE_STR);
	assert_true(span_eq(pickle_root(p)->items[1]->text, span_of(text)));
	end(NULL);
}

static void expect_number(int64_t n)
{
	CLEANUP(pickle_freep) struct pickle *p = reply(0);

	assert_int_equal(pickle_root(p)->items[1]->kind, PICKLE_INT);
	assert_int_equal(pickle_root(p)->items[1]->number, n);
	end(NULL);
}

static void expect_raised(const char *class, const char *text)
{
	CLEANUP(pickle_freep) struct pickle *p = reply(1);
	const struct pickle_value *e = pickle_root(p)->items[1];

	assert_int_equal(e->kind, PICKLE_OBJECT);
	assert_true(span_eq(e->text, span_of(class)));
	assert_true(span_eq(e->items[0]->text, span_of(text)));
	end(NULL);
}

/* The change that is asked for: one option of one jail. */
static void expect_change(const char *jail, const char *option, const char *value)
{
	struct unpack u = unpack_of(buf_span(&c.body));

	assert_int_equal(c.step, F2B_STEP_CHANGE);
	assert_int_equal(unpack_u8(&u), OVERRIDE_SET);
	assert_int_equal(unpack_u32(&u), 1);
	CLEANUP(freep) char *got_jail = unpack_str(&u);
	CLEANUP(freep) char *got_option = unpack_str(&u);
	CLEANUP(freep) char *got_value = unpack_str(&u);

	assert_int_equal(unpack_end(&u), 0);
	assert_true(jail ? !strcmp(got_jail, jail) : !got_jail);
	assert_string_equal(got_option, option);
	assert_string_equal(got_value, value);
}

static void resume(enum change_result change, const char *bytes)
{
	struct f2b_result r = {.change = change, .bytes = span_of(bytes)};

	f2b_command_resume(&c, &world, &r);
}

static void the_server_answers(UNUSED void **state)
{
	begin("ping", NULL);
	expect_str("pong");
	begin("get", "loglevel", NULL);
	expect_str("INFO");
	begin("get", "dbfile", NULL);
	expect_str("/s/bandog.db");
	begin("get", "j", "maxretry", NULL);
	expect_number(3);
	begin("get", "j", "findtime", NULL);
	expect_number(600);
}

static void mistakes_are_exceptions(UNUSED void **state)
{
	begin("nonsense", NULL);
	expect_raised("builtins.Exception", "Invalid command");
	begin("get", NULL);
	expect_raised("builtins.IndexError", "list index out of range");
	begin("set", "j", "maxretry", NULL);
	expect_raised("builtins.IndexError", "list index out of range");
	begin("get", "k", "maxretry", NULL);
	expect_raised("fail2ban.exceptions.UnknownJailException", "k");
	begin("add", "j", NULL);
	expect_raised("fail2ban.exceptions.DuplicateJailException", "j");
	begin("set", "j", "maxretry", "x", NULL);
	expect_raised(
	    "builtins.ValueError", "invalid literal for int() with base 10: 'x'");
	begin("get", "j", "addignoreip", NULL);
	expect_raised("builtins.Exception",
	    "Invalid command (no get action or not yet implemented)");
	begin("set", "j", "banip", "300.1.1.1", NULL);
	expect_raised("builtins.ValueError", "'300.1.1.1' is no address or network");
	begin("get", "j", "action", "three", "x", NULL);
	expect_raised("builtins.KeyError", "Invalid Action name: three");
	begin("sleep", "-1", NULL);
	expect_raised("builtins.ValueError", "sleep length must be non-negative");
}

static void what_is_no_request_is_told(UNUSED void **state)
{
	static const struct span bad[] = {SPAN(""), SPAN("\x80\x04junk"),
	    SPAN("\x80\x02"
		 "cos\nsystem\n(X\x01\x00\x00\x00xtR.")};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct pickle *p = NULL;
		struct err e = {""};

		f2b_command_begin(&c, bad[i], &world);
		assert_int_equal(c.step, F2B_STEP_ANSWER);
		assert_int_equal(
		    pickle_read(buf_span(&c.reply), PICKLE_DATA, 10, &p, &e), 0);
		assert_int_equal(pickle_root(p)->kind, PICKLE_STR);
		pickle_free(p);
		end(NULL);
	}
	f2b_command_begin(&c, SPAN("\x80\x04]."), &world);
	expect_raised("builtins.Exception", "Invalid command");
	f2b_command_begin(&c,
	    SPAN("\x80\x04](\x8c\x03"
		 "a\0be."),
	    &world);
	expect_raised("builtins.ValueError", "a word holds a zero byte");
}

static void an_option_is_changed_then_shown(UNUSED void **state)
{
	begin("set", "j", "maxretry", "7", NULL);
	expect_change("j", "maxretry", "7");
	jails[0].maxretry = 7;
	resume(CHANGE_DONE, "");
	jails[0].maxretry = 3;
	expect_number(7);
	begin("set", "j", "findtime", "junk", NULL);
	resume(CHANGE_REFUSED,
	    "x:1:2: warning: other\n(set at run time): error: findtime: 'junk'\n");
	expect_raised("builtins.ValueError", "findtime: 'junk'");
	begin("set", "j", "findtime", "5", NULL);
	resume(CHANGE_REFUSED, "/etc/jail.conf:1:2: error: wrong\n");
	expect_raised("builtins.ValueError", "/etc/jail.conf:1:2: error: wrong");
	begin("set", "j", "findtime", "5", NULL);
	resume(CHANGE_FAILED, "too much at once");
	expect_raised("builtins.ValueError", "too much at once");
	begin("set", "loglevel", "debug", NULL);
	expect_change(NULL, "loglevel", "debug");
	end(NULL);
}

static void lists_are_changed_as_a_whole(UNUSED void **state)
{
	begin("set", "j", "addignoreip", "198.51.100.0/24", "::1", NULL);
	expect_change("j", "ignoreip", "192.0.2.1 localhost 198.51.100.0/24 ::1");
	end(NULL);
	begin("set", "j", "delignoreip", "192.0.2.1/32", NULL);
	expect_change("j", "ignoreip", "localhost ");
	end(NULL);
	begin("set", "j", "addignoreip", "192.0.2.2\n[x]", NULL);
	expect_raised("builtins.ValueError", "an address or network was expected");
	begin("set", "j", "delignoreip", "192.0.2.9", NULL);
	expect_raised("builtins.ValueError", "list.remove(x): x not in list");
	begin("set", "j", "addfailregex", "^c <HOST>", NULL);
	expect_change("j", "failregex", "^a <HOST>\n^b <HOST>\n^c <HOST>");
	end(NULL);
	begin("set", "j", "addfailregex", "^c\n^d", NULL);
	expect_raised("builtins.ValueError", "a regex is one line");
	begin("set", "j", "delfailregex", "-1", NULL);
	expect_change("j", "failregex", "^a <HOST>\n");
	end(NULL);
	begin("set", "j", "delfailregex", "2", NULL);
	assert_int_equal(c.step, F2B_STEP_ANSWER);
	end(NULL);
	begin("set", "j", "addlogpath", "/a b", "tail", NULL);
	expect_change(
	    "j", "logpath", "/var/log/a.log\n/var/log/b*.log tail\n/a b tail");
	end(NULL);
	begin("set", "j", "dellogpath", "/var/log/a.log", NULL);
	expect_change("j", "logpath", "/var/log/b*.log tail\n");
	end(NULL);
	begin("set", "j", "dellogpath", "/var/log/b1.log", NULL);
	expect_raised("builtins.ValueError",
	    "'/var/log/b1.log' is named by the pattern '/var/log/b*.log'");
}

static void actions_keep_their_places(UNUSED void **state)
{
	begin("set", "j", "addaction", "three", NULL);
	expect_change("j", "action", "one[x=\"a b\"]\ntwo\nthree");
	end(NULL);
	begin("set", "j", "delaction", "one", NULL);
	expect_change("j", "action", "two\n");
	end(NULL);
	begin("set", "j", "action", "one", "y", "say \"x\"", NULL);
	expect_change("j", "action", "one[x=\"a b\"][y='say \"x\"']\ntwo\n");
	end(NULL);
	begin("set", "j", "action", "one", "y", "'\"", NULL);
	expect_raised(
	    "builtins.ValueError", "a value with both kinds of quotes cannot be set");
	begin("set", "j", "action", "one", "y=[", "1", NULL);
	expect_raised(
	    "builtins.ValueError", "a value with both kinds of quotes cannot be set");
	begin("set", "j", "addaction", "two", NULL);
	expect_raised("builtins.ValueError", "Action two already exists");
}

static void the_engine_is_asked(UNUSED void **state)
{
	CLEANUP(buf_deinit) struct buf b = BUF_INIT(1000);
	struct net n;
	struct f2b_result r = {0};

	begin("banned", "192.0.2.1", "1.2.3", NULL);
	assert_int_equal(c.step, F2B_STEP_ENGINE);
	struct unpack u = unpack_of(buf_span(&c.body));

	assert_int_equal(unpack_u8(&u), F2B_BANS);
	assert_int_equal(unpack_u32(&u), UINT32_MAX);
	(void)unpack_bool(&u);
	assert_int_equal(unpack_u32(&u), 1);
	/* Another set-up there: the same again. */
	r.bytes = SPAN("\x02");
	f2b_command_resume(&c, &world, &r);
	assert_int_equal(c.step, F2B_STEP_ENGINE);
	assert_int_equal(net_parse(SPAN("192.0.2.0/24"), &n), 0);
	pack_u8(&b, F2B_DONE);
	pack_u32(&b, 1);
	pack_u32(&b, 0);
	pack_u32(&b, 0);
	pack_net(&b, &n);
	pack_wall(&b, (wall_t){0});
	pack_wall(&b, WALL_NEVER);
	r.bytes = buf_span(&b);
	f2b_command_resume(&c, &world, &r);
	CLEANUP(pickle_freep) struct pickle *p = reply(0);
	const struct pickle_value *v = pickle_root(p)->items[1];

	assert_int_equal(v->n, 2);
	assert_int_equal(v->items[0]->n, 1);
	assert_true(span_eq(v->items[0]->items[0]->text, SPAN("j")));
	assert_int_equal(v->items[1]->n, 0);
	end(NULL);
	begin("set", "j", "banip", "192.0.2.1", "192.0.2.2", NULL);
	r.bytes = SPAN("{\"banned\":[\"192.0.2.1\",\"192.0.2.2\"],\"prolonged\":1}");
	f2b_command_resume(&c, &world, &r);
	expect_number(1);
	begin("unban", "1.2.3", NULL);
	expect_number(0);
	begin("unban", "192.0.2.1", NULL);
	r.bytes = SPAN("{\"error\":\"no\"}");
	f2b_command_resume(&c, &world, &r);
	expect_raised("builtins.RuntimeError", "no");
	begin("status", "j", NULL);
	f2b_command_give_up(&c, "gone");
	expect_raised("builtins.RuntimeError", "gone");
}

static void ids_go_with_their_texts(UNUSED void **state)
{
	CLEANUP(buf_deinit) struct buf b = BUF_INIT(1000);
	CLEANUP(ids_deinit) struct ids who = {0};
	struct f2b_result r = {0};
	struct net alice;

	begin("set", "j", "banip", "192.0.2.1", "alice", NULL);
	struct unpack u = unpack_of(buf_span(&c.body));

	assert_int_equal(unpack_u8(&u), F2B_BAN);
	(void)unpack_u32(&u);
	(void)unpack_bool(&u);
	assert_int_equal(ids_unpack(&u, 10, &who), 0);
	assert_int_equal(who.n, 2);
	assert_null(who.texts[0]);
	assert_string_equal(who.texts[1], "alice");
	end(NULL);
	begin("get", "j", "banned", NULL);
	assert_int_equal(net_parse_id(SPAN("alice"), &alice), 0);
	pack_u8(&b, F2B_DONE);
	pack_u32(&b, 1);
	pack_u32(&b, 0);
	pack_u32(&b, 0);
	pack_net(&b, &alice);
	pack_str(&b, "alice");
	pack_wall(&b, (wall_t){0});
	pack_wall(&b, WALL_NEVER);
	r.bytes = buf_span(&b);
	f2b_command_resume(&c, &world, &r);
	CLEANUP(pickle_freep) struct pickle *p = reply(0);
	const struct pickle_value *v = pickle_root(p)->items[1];

	assert_int_equal(v->n, 1);
	assert_true(span_eq(v->items[0]->text, SPAN("alice")));
	end(NULL);
}

static void too_many_addresses_are_refused(UNUSED void **state)
{
	request = BUF_INIT(1 << 20);
	picklew_begin(&request);
	picklew_list(&request);
	picklew_str(&request, "unban");
	for (int i = 0; i <= F2B_MAX_NETS; i++)
		picklew_str(&request, "192.0.2.1");
	picklew_list_end(&request);
	picklew_end(&request);
	f2b_command_begin(&c, buf_span(&request), &world);
	expect_raised("builtins.ValueError", "more than 1024 addresses at once");
}

static void jails_come_and_go(UNUSED void **state)
{
	begin("stop", "j", NULL);
	expect_change("j", "enabled", "false");
	resume(CHANGE_DONE, "");
	assert_int_equal(c.step, F2B_STEP_ANSWER);
	end(NULL);
	begin("start", "k", NULL);
	assert_int_equal(c.step, F2B_STEP_CHANGE);
	resume(CHANGE_NOTHING, "");
	expect_raised("fail2ban.exceptions.UnknownJailException", "k");
	begin("add", "k", NULL);
	expect_change("k", "enabled", "true");
	resume(CHANGE_REFUSED, "x: error: no filter k\n");
	assert_int_equal(c.step, F2B_STEP_CHANGE); /* once more, without a filter */
	resume(CHANGE_REFUSED, "x: error: no\n");
	expect_raised("builtins.ValueError", "x: error: no");
	begin("reload", "--all", NULL);
	assert_int_equal(c.step, F2B_STEP_CHANGE);
	assert_int_equal((unsigned char)c.body.p[0], OVERRIDE_CLEAR);
	resume(CHANGE_DONE, "");
	assert_int_equal(c.step, F2B_STEP_ENGINE); /* wakes those that are idle */
	resume(CHANGE_DONE, "\001");
	expect_str("OK");
	begin("stop", NULL);
	assert_int_equal(c.step, F2B_STEP_STOP);
	end(NULL);
}

static void frames_are_found_across_reads(UNUSED void **state)
{
	const struct span s = SPAN("abc<F2B_END_COMMAND>def<F2B_END_COMMAND>");
	size_t length = 0;

	assert_int_equal(front_f2b_frame(s, 0, &length), 20);
	assert_int_equal(length, 3);
	for (size_t n = 0; n < 20; n++) {
		assert_int_equal(front_f2b_frame((struct span){s.p, n}, 0, &length), 0);
		assert_int_equal(front_f2b_frame(s, n, &length), 20);
		assert_int_equal(length, 3);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_teardown(the_server_answers, end),
	    cmocka_unit_test_teardown(mistakes_are_exceptions, end),
	    cmocka_unit_test_teardown(what_is_no_request_is_told, end),
	    cmocka_unit_test_teardown(an_option_is_changed_then_shown, end),
	    cmocka_unit_test_teardown(lists_are_changed_as_a_whole, end),
	    cmocka_unit_test_teardown(actions_keep_their_places, end),
	    cmocka_unit_test_teardown(the_engine_is_asked, end),
	    cmocka_unit_test_teardown(ids_go_with_their_texts, end),
	    cmocka_unit_test_teardown(too_many_addresses_are_refused, end),
	    cmocka_unit_test_teardown(jails_come_and_go, end),
	    cmocka_unit_test(frames_are_found_across_reads),
	};

	return cmocka_run_group_tests_name("front_f2b_command", tests, NULL, NULL);
}
