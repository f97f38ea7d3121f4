/* SPDX-License-Identifier: GPL-2.0-or-later */

/* f2b_beautify: a form for each command, and what comes of an answer without it */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/picklew.h"
#include "cli/f2b_client.h"

#define WORDS_MAX 8

/* A value as it stands on the wire, and the text it becomes. */
struct answer {
	struct buf wire, text;
	struct pickle *pickle;
};

static void begin(struct answer *a)
{
	*a = (struct answer){.wire = BUF_INIT(4096), .text = BUF_INIT(4096)};
	picklew_begin(&a->wire);
}

/* @command: words separated by blanks. */
static void assert_shown(struct answer *a, const char *command, const char *want)
{
	struct span rest = span_of(command), word;
	char *words[WORDS_MAX];
	size_t n = 0;
	struct err e = {""};

	picklew_end(&a->wire);
	assert_int_equal(
	    pickle_read(buf_span(&a->wire), PICKLE_OBJECTS, 1000, &a->pickle, &e), 0);
	while (span_next_word(&rest, "", &word))
		words[n++] = span_dup(word);
	if (n > 0)
		f2b_beautify(
		    (const char *const *)words, n, pickle_root(a->pickle), &a->text);
	else
		f2b_beautify_error(pickle_root(a->pickle), &a->text);
	assert_string_equal(buf_str(&a->text), want);
	while (n > 0)
		free(words[--n]);
	pickle_free(a->pickle);
	buf_deinit(&a->wire);
	buf_deinit(&a->text);
}

static void show_text(const char *command, const char *value, const char *want)
{
	struct answer a;

	begin(&a);
	picklew_str(&a.wire, value);
	assert_shown(&a, command, want);
}

static void show_list(const char *command, const char *const *values, const char *want)
{
	struct answer a;

	begin(&a);
	picklew_list(&a.wire);
	for (; *values; values++)
		picklew_str(&a.wire, *values);
	picklew_list_end(&a.wire);
	assert_shown(&a, command, want);
}

static void test_texts(void **state)
{
	(void)state;
	show_text("ping", "pong", "Server replied: pong");
	show_text("version", "1.1.0", "1.1.0");
	show_text("start x", NULL, "Jail started");
	show_text("stop", NULL, "Shutdown successful");
	show_text("stop x", NULL, "Jail stopped");
	show_text("add x", "x", "Added jail x");
	show_text("flushlogs", "flushed", "logs: flushed");
	show_text("get loglevel", "INFO", "Current logging level is 'INFO'");
	show_text("get logtarget", "/a", "Current logging target is:\n`- /a");
	show_text("get dbfile", NULL, "Database currently disabled");
	show_text("get x logencoding", "auto", "Current log encoding is set to:\nauto");
	show_text("get x usedns", "warn", "warn");
	show_text("get x prefregex", NULL, "None");
}

static void test_lists(void **state)
{
	static const char *const none[] = {NULL}, *const two[] = {"a", "b", NULL};

	(void)state;
	show_list("echo a b", two, "a b");
	show_list("get x logpath", none, "No file is currently monitored");
	show_list("get x logpath", two, "Current monitored log file(s):\n|- a\n`- b");
	show_list("get x failregex", two,
	    "The following regular expression are defined:\n|- [0]: a\n`- [1]: b");
	show_list("get x ignoreip", none, "No IP address/network is ignored");
	show_list("get x actions", two, "The jail x has the following actions:\na, b");
	show_list("get x actions", none, "No actions for jail x");
	show_list("get x actionproperties y", two,
	    "The jail x action y has the following properties:\na, b");
	show_list("get x banip", two, "a b");
	show_list("get x banip --with-time", two, "a\nb");
	show_list("get x banned", two, "['a', 'b']");
}

static void add_row(struct buf *b, const char *name, int64_t value)
{
	picklew_tuple(b);
	picklew_str(b, name);
	picklew_i64(b, value);
	picklew_tuple_end(b);
}

static void test_status(void **state)
{
	struct answer a;

	(void)state;
	begin(&a);
	picklew_list(&a.wire);
	for (int i = 0; i < 2; i++) {
		picklew_tuple(&a.wire);
		picklew_str(&a.wire, i ? "Actions" : "Filter");
		picklew_list(&a.wire);
		add_row(&a.wire, "Current", i);
		add_row(&a.wire, "Total", 7);
		picklew_list_end(&a.wire);
		picklew_tuple_end(&a.wire);
	}
	picklew_list_end(&a.wire);
	assert_shown(&a, "status x",
	    "Status for the jail: x\n"
	    "|- Filter\n|  |- Current:\t0\n|  `- Total:\t7\n"
	    "`- Actions\n   |- Current:\t1\n   `- Total:\t7");
}

/* A server may send what it likes. */
static void test_odd(void **state)
{
	static const char *const two[] = {"a", "b", NULL};
	struct answer a;

	(void)state;
	show_list("ping", two, "['a', 'b']");
	show_text("status", "x", "'x'");
	show_text("status x", "y", "'y'");
	show_text("get x logpath", "it's", "\"it's\"");
	begin(&a);
	picklew_i64(&a.wire, 1);
	assert_shown(&a, "add x", "1");
	begin(&a);
	picklew_dict(&a.wire);
	picklew_str(&a.wire, "a");
	picklew_f64(&a.wire, 600);
	picklew_str(&a.wire, "b");
	picklew_tuple(&a.wire);
	picklew_bool(&a.wire, true);
	picklew_tuple_end(&a.wire);
	picklew_dict_end(&a.wire);
	assert_shown(&a, "get x y", "{'a': 600.0, 'b': (True,)}");
}

static void show_mistake(
    const char *module, const char *name, const char *argument, const char *want)
{
	struct answer a;

	begin(&a);
	picklew_object(&a.wire, module, name);
	if (argument)
		picklew_str(&a.wire, argument);
	picklew_object_end(&a.wire);
	assert_shown(&a, "", want);
}

static void test_mistakes(void **state)
{
	(void)state;
	show_mistake("fail2ban.exceptions", "UnknownJailException", "x",
	    "Sorry but the jail 'x' does not exist");
	show_mistake("fail2ban.exceptions", "DuplicateJailException", "x",
	    "The jail 'x' already exists");
	show_mistake(
	    "builtins", "IndexError", "list", "Sorry but the command is invalid");
	show_mistake("builtins", "Exception", "Invalid command", "Invalid command");
	show_mistake("builtins", "KeyError", "x", "'x'");
	show_mistake("builtins", "Exception", NULL, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_texts),
	    cmocka_unit_test(test_lists),
	    cmocka_unit_test(test_status),
	    cmocka_unit_test(test_odd),
	    cmocka_unit_test(test_mistakes),
	};

	return cmocka_run_group_tests_name("f2b_beautify", tests, NULL, NULL);
}
