/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Commands about the server as a whole, and about jails that come and go.
 */
#include "front/front_f2b_command.h"

#include <math.h>

#include "base/picklew.h"
#include "config.h"
#include "proc/overrides.h"

#define MAX_SLEEP_SEC 600

/* --- the server --------------------------------------------------------------------
 */

void f2b_do_ping(struct f2b_command *c, UNUSED const struct f2b_world *w)
{
	f2b_reply_str(c, "pong");
}

void f2b_do_version(struct f2b_command *c, UNUSED const struct f2b_world *w)
{
	f2b_reply_str(c, F2B_VERSION " (bandog " BANDOG_VERSION ")");
}

void f2b_do_server_status(struct f2b_command *c, UNUSED const struct f2b_world *w)
{
	f2b_reply_str(c, "Server ready");
}

void f2b_do_nothing(struct f2b_command *c, UNUSED const struct f2b_world *w)
{
	f2b_reply_none(c);
}

void f2b_do_echo(struct f2b_command *c, UNUSED const struct f2b_world *w)
{
	f2b_reply_begin(c);
	picklew_list(&c->reply);
	for (size_t i = 1; i < c->n_words; i++)
		picklew_str(&c->reply, c->words[i]);
	picklew_list_end(&c->reply);
	f2b_reply_end(c);
}

static void slept(struct f2b_command *c, UNUSED const struct f2b_world *w,
    UNUSED const struct f2b_result *r)
{
	f2b_reply_none(c);
}

void f2b_do_sleep(struct f2b_command *c, UNUSED const struct f2b_world *w)
{
	const char *word = f2b_word(c, 1);
	char *end;

	if (!word)
		return;
	double sec = strtod(word, &end);

	if (end == word || *end) {
		f2b_raise(c, "ValueError",
		    "could not convert string to float: '%.100s'", word);
		return;
	}
	if (!(sec >= 0)) {
		f2b_raise(c, "ValueError", "sleep length must be non-negative");
		return;
	}
	c->step = F2B_STEP_SLEEP;
	c->sleep_ms = (uint32_t)(1000 * fmin(sec, MAX_SLEEP_SEC));
	c->resume = slept;
}

static void flushed(
    struct f2b_command *c, UNUSED const struct f2b_world *w, const struct f2b_result *r)
{
	f2b_reply_str(c, r->has_log_file ? "rolled over" : "flushed");
}

void f2b_do_flushlogs(struct f2b_command *c, UNUSED const struct f2b_world *w)
{
	c->step = F2B_STEP_FLUSH;
	c->resume = flushed;
}

/* --- jails, and all of it ----------------------------------------------------------
 */

static void awake(struct f2b_command *c, UNUSED const struct f2b_world *w,
    UNUSED const struct f2b_result *r)
{
	f2b_reply_str(c, "OK");
}

static void ask_wake(struct f2b_command *c, const struct f2b_world *w)
{
	int jail = -1;

	c->begin = ask_wake;
	if (c->n_words > 1 && c->words[1])
		jail = setup_find_jail(w->setup, span_of(c->words[1]));
	f2b_ask(c, F2B_IDLE, jail < 0 ? UINT32_MAX : (uint32_t)jail, false);
	pack_nets(&c->body, NULL, 0);
	pack_u32(&c->body, 0);
	f2b_ask_end(c, awake);
}

static void reloaded(
    struct f2b_command *c, const struct f2b_world *w, const struct f2b_result *r)
{
	if (f2b_changed(c, r))
		ask_wake(c, w);
}

/* bandogd reads its own files again; what the client read of them is passed over. */
static void ask_reload(struct f2b_command *c)
{
	const char *name = c->n_words > 1 ? c->words[1] : NULL;

	c->step = F2B_STEP_CHANGE;
	c->resume = reloaded;
	buf_clear(&c->body);
	pack_u8(&c->body, OVERRIDE_CLEAR);
	pack_str(&c->body, name && strcmp(name, "--all") != 0 ? name : NULL);
}

static void unbanned_for_reload(struct f2b_command *c, UNUSED const struct f2b_world *w,
    UNUSED const struct f2b_result *r)
{
	ask_reload(c);
}

static void ask_unban_for_reload(struct f2b_command *c, const struct f2b_world *w)
{
	int jail = setup_find_jail(w->setup, span_of(c->words[1]));

	c->begin = ask_unban_for_reload;
	f2b_ask(c, F2B_UNBAN, jail < 0 ? UINT32_MAX : (uint32_t)jail, false);
	pack_nets(&c->body, NULL, 0);
	pack_u32(&c->body, 0);
	f2b_ask_end(c, unbanned_for_reload);
}

/* Is @option in the list that is the third value of the request? */
static bool has_option(const struct f2b_command *c, const char *option)
{
	const struct pickle_value *root = pickle_root(c->request);
	const struct pickle_value *list = root->n > 2 ? root->items[2] : NULL;

	for (size_t i = 0; list && pickle_is_row(list) && i < list->n; i++) {
		if (list->items[i]->kind == PICKLE_STR &&
		    span_eq(list->items[i]->text, span_of(option)))
			return true;
	}
	return false;
}

void f2b_do_reload(struct f2b_command *c, const struct f2b_world *w)
{
	const char *name = f2b_word(c, 1);
	bool is_all = name && !strcmp(name, "--all");

	if (!name)
		return;
	if (!is_all && setup_find_jail(w->setup, span_of(name)) < 0) {
		if (!has_option(c, "--if-exists"))
			f2b_raise_unknown_jail(c, name);
		else
			f2b_reply_str(c, "OK");
		return;
	}
	if (has_option(c, "--unban"))
		ask_unban_for_reload(c, w);
	else
		ask_reload(c);
}

static void streamed(
    struct f2b_command *c, UNUSED const struct f2b_world *w, const struct f2b_result *r)
{
	if (f2b_changed(c, r))
		f2b_reply_none(c);
}

void f2b_do_server_stream(struct f2b_command *c, UNUSED const struct f2b_world *w)
{
	ask_reload(c);
	c->resume = streamed;
}

static void jail_added(
    struct f2b_command *c, const struct f2b_world *w, const struct f2b_result *r);

/* Without a section in the files there is no filter by its name. */
static void add_bare_jail(struct f2b_command *c)
{
	static const char *const empty[] = {"filter", "action", "logpath"};
	const char *name = c->words[1];

	c->is_second_try = true;
	f2b_change(c, name, "enabled", "true", jail_added);
	buf_clear(&c->body);
	pack_u8(&c->body, OVERRIDE_SET);
	pack_u32(&c->body, 1 + ARRAY_LEN(empty));
	pack_str(&c->body, name);
	pack_str(&c->body, "enabled");
	pack_str(&c->body, "true");
	for (size_t i = 0; i < ARRAY_LEN(empty); i++) {
		pack_str(&c->body, name);
		pack_str(&c->body, empty[i]);
		pack_str(&c->body, "");
	}
}

static void jail_added(
    struct f2b_command *c, const struct f2b_world *w, const struct f2b_result *r)
{
	if (r->change == CHANGE_REFUSED && !c->is_second_try)
		add_bare_jail(c);
	else if (f2b_changed(c, r) && f2b_jail(c, w, 1) >= 0)
		f2b_reply_str(c, c->words[1]);
}

void f2b_do_add(struct f2b_command *c, const struct f2b_world *w)
{
	const char *name = f2b_word(c, 1);

	if (!name)
		return;
	if (!strcmp(name, "--all"))
		f2b_raise(c, "Exception", "Reserved name '--all'");
	else if (setup_find_jail(w->setup, span_of(name)) >= 0)
		f2b_raise_duplicate_jail(c, name);
	else
		f2b_change(c, name, "enabled", "true", jail_added);
}

static void jail_started(
    struct f2b_command *c, const struct f2b_world *w, const struct f2b_result *r)
{
	if (r->change == CHANGE_NOTHING)
		f2b_raise_unknown_jail(c, c->words[1]);
	else if (f2b_changed(c, r) && f2b_jail(c, w, 1) >= 0)
		f2b_reply_none(c);
}

/* One that was stopped is started by taking that back. */
void f2b_do_start(struct f2b_command *c, const struct f2b_world *w)
{
	const char *name = f2b_word(c, 1);

	if (!name)
		return;
	if (setup_find_jail(w->setup, span_of(name)) >= 0) {
		f2b_reply_none(c);
		return;
	}
	c->step = F2B_STEP_CHANGE;
	c->resume = jail_started;
	buf_clear(&c->body);
	pack_u8(&c->body, OVERRIDE_UNSET);
	pack_str(&c->body, name);
	pack_str(&c->body, "enabled");
}

static void jails_stopped(
    struct f2b_command *c, UNUSED const struct f2b_world *w, const struct f2b_result *r)
{
	if (f2b_changed(c, r))
		f2b_reply_none(c);
}

static void stop_all_jails(struct f2b_command *c, const struct f2b_world *w)
{
	c->step = F2B_STEP_CHANGE;
	c->resume = jails_stopped;
	buf_clear(&c->body);
	pack_u8(&c->body, OVERRIDE_SET);
	pack_u32(&c->body, w->setup->n_jails);
	for (uint32_t i = 0; i < w->setup->n_jails; i++) {
		pack_str(&c->body, w->setup->jails[i].name);
		pack_str(&c->body, "enabled");
		pack_str(&c->body, "false");
	}
	if (c->body.failed)
		f2b_raise(c, "ValueError", "too many jails");
}

void f2b_do_stop(struct f2b_command *c, const struct f2b_world *w)
{
	if (c->n_words == 1) {
		f2b_reply_none(c);
		c->step = F2B_STEP_STOP;
	} else if (c->words[1] && !strcmp(c->words[1], "--all")) {
		stop_all_jails(c, w);
	} else if (f2b_jail(c, w, 1) >= 0) {
		f2b_change(c, c->words[1], "enabled", "false", jails_stopped);
	}
}
