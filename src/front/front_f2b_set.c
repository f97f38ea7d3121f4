/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * set: a changed option is a text over what the files say, until the next reload. What
 * it means, and whether it may be, the loader says; the answer is what holds then.
 */
#include "base/picklew.h"
#include "front/front_f2b_command.h"

enum value_kind { VALUE_TEXT, VALUE_NUMBER, VALUE_TRUTH };

static const struct {
	const char *name;
	enum value_kind kind;
} plain_options[] = {
    {"ignoreself", VALUE_TRUTH},
    {"ignorecommand", VALUE_TEXT},
    {"ignorecache", VALUE_TEXT},
    {"logencoding", VALUE_TEXT},
    {"prefregex", VALUE_TEXT},
    {"usedns", VALUE_TEXT},
    {"findtime", VALUE_TEXT},
    {"datepattern", VALUE_TEXT},
    {"logtimezone", VALUE_TEXT},
    {"maxmatches", VALUE_NUMBER},
    {"maxretry", VALUE_NUMBER},
    {"maxlines", VALUE_NUMBER},
    {"bantime", VALUE_TEXT},
};

static const struct {
	const char *name;
	f2b_begin_fn begin;
} jail_commands[] = {
    {"idle", f2b_set_idle},
    {"attempt", f2b_set_attempt},
    {"banip", f2b_set_banip},
    {"unbanip", f2b_set_unbanip},
    {"addignoreip", f2b_set_addignoreip},
    {"delignoreip", f2b_set_delignoreip},
    {"addfailregex", f2b_set_addregex},
    {"addignoreregex", f2b_set_addregex},
    {"delfailregex", f2b_set_delregex},
    {"delignoreregex", f2b_set_delregex},
    {"addlogpath", f2b_set_addlogpath},
    {"dellogpath", f2b_set_dellogpath},
    {"addjournalmatch", f2b_set_journalmatch},
    {"deljournalmatch", f2b_set_journalmatch},
    {"addaction", f2b_set_addaction},
    {"delaction", f2b_set_delaction},
    {"action", f2b_set_action},
};

/* --- options of a jail -------------------------------------------------------------
 */

static void option_set(
    struct f2b_command *c, const struct f2b_world *w, const struct f2b_result *r)
{
	if (f2b_changed(c, r))
		f2b_show_option(c, w);
}

/* As Python's int() takes it. Return: false, and the reply is there. */
static bool is_number(struct f2b_command *c, const char *word)
{
	int64_t n;

	if (span_to_i64(span_trim(span_of(word)), &n) == 0)
		return true;
	f2b_raise(
	    c, "ValueError", "invalid literal for int() with base 10: '%.100s'", word);
	return false;
}

/* What is no word for true is false there, and an error here. */
static const char *truth_of(const char *word)
{
	static const char *const yes[] = {"1", "on", "true", "yes"};

	for (size_t i = 0; i < ARRAY_LEN(yes); i++) {
		if (span_eq_nocase(span_of(word), span_of(yes[i])))
			return "true";
	}
	return "false";
}

static void set_plain(
    struct f2b_command *c, const struct f2b_world *w, enum value_kind kind)
{
	const char *value = f2b_word(c, 3);

	if (!value || (kind == VALUE_NUMBER && !is_number(c, value)) ||
	    f2b_jail(c, w, 1) < 0)
		return;
	if (kind == VALUE_TRUTH)
		value = truth_of(value);
	f2b_change(c, c->words[1], c->words[2], value, option_set);
}

static void set_jail(
    struct f2b_command *c, const struct f2b_world *w, const char *option)
{
	if (!strncmp(option, "bantime.", 8)) {
		set_plain(c, w, VALUE_TEXT);
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(plain_options); i++) {
		if (!strcmp(option, plain_options[i].name)) {
			set_plain(c, w, plain_options[i].kind);
			return;
		}
	}
	for (size_t i = 0; i < ARRAY_LEN(jail_commands); i++) {
		if (!strcmp(option, jail_commands[i].name)) {
			jail_commands[i].begin(c, w);
			return;
		}
	}
	f2b_raise(c, "Exception",
	    "Invalid command '%.100s' (no set action or not yet implemented)", option);
}

/* --- options of the whole ----------------------------------------------------------
 */

static void global_set(
    struct f2b_command *c, const struct f2b_world *w, const struct f2b_result *r)
{
	if (f2b_changed(c, r))
		f2b_do_get(c, w);
}

static void set_loglevel(
    struct f2b_command *c, UNUSED const struct f2b_world *w, const char *value)
{
	enum log_level level;

	if (log_level_parse(value, &level) < 0)
		f2b_raise(c, "ValueError", "Invalid log level '%.100s'", value);
	else
		f2b_change(c, NULL, "loglevel", value, global_set);
}

static void set_dbpurgeage(
    struct f2b_command *c, UNUSED const struct f2b_world *w, const char *value)
{
	f2b_change(c, NULL, "dbpurgeage", value, global_set);
}

static void set_logtarget(
    struct f2b_command *c, const struct f2b_world *w, const char *value)
{
	if (!strcmp(value, w->setup->log_target))
		f2b_reply_str(c, value);
	else
		f2b_raise(c, "Exception",
		    "Failed to change log target: bandogd opens it when it starts "
		    "(logtarget in bandog.conf)");
}

static void set_syslogsocket(
    struct f2b_command *c, UNUSED const struct f2b_world *w, const char *value)
{
	if (!strcmp(value, "auto"))
		f2b_reply_str(c, value);
	else
		f2b_raise(c, "Exception",
		    "Failed to change syslog socket: bandogd uses the system's");
}

static void allowipv6_set(
    struct f2b_command *c, UNUSED const struct f2b_world *w, const struct f2b_result *r)
{
	if (f2b_changed(c, r))
		f2b_reply_str(c, c->words[2]);
}

static void set_allowipv6(
    struct f2b_command *c, UNUSED const struct f2b_world *w, const char *value)
{
	f2b_change(c, NULL, "allowipv6", value, allowipv6_set);
}

static void set_fixed(
    struct f2b_command *c, UNUSED const struct f2b_world *w, UNUSED const char *value)
{
	f2b_raise(
	    c, "ValueError", "%s cannot be changed while bandogd runs", c->words[1]);
}

static void set_dbmaxmatches(
    struct f2b_command *c, UNUSED const struct f2b_world *w, const char *value)
{
	if (is_number(c, value))
		f2b_change(c, NULL, "dbmaxmatches", value, global_set);
}

static void set_thread(
    struct f2b_command *c, const struct f2b_world *w, UNUSED const char *value)
{
	f2b_do_get(c, w);
}

static const struct {
	const char *name;
	void (*set)(
	    struct f2b_command *c, const struct f2b_world *w, const char *value);
} global_options[] = {
    {"loglevel", set_loglevel},
    {"logtarget", set_logtarget},
    {"syslogsocket", set_syslogsocket},
    {"allowipv6", set_allowipv6},
    {"thread", set_thread},
    {"dbfile", set_fixed},
    {"dbmaxmatches", set_dbmaxmatches},
    {"dbpurgeage", set_dbpurgeage},
};

void f2b_do_set(struct f2b_command *c, const struct f2b_world *w)
{
	const char *name = f2b_word(c, 1);

	for (size_t i = 0; name && i < ARRAY_LEN(global_options); i++) {
		if (strcmp(name, global_options[i].name) != 0)
			continue;
		const char *value = f2b_word(c, 2);

		if (value)
			global_options[i].set(c, w, value);
		return;
	}
	const char *option = name ? f2b_word(c, 2) : NULL;

	if (option)
		set_jail(c, w, option);
}
