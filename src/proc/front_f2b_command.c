/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "proc/front_f2b_command.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "base/picklew.h"
#include "config.h"
#include "proc/overrides.h"

#define MAX_SLEEP_SEC 600

/* --- words -------------------------------------------------------------------------
 */

const char *f2b_word(struct f2b_command *c, size_t i)
{
	if (i < c->n_words && c->words[i])
		return c->words[i];
	f2b_raise_too_short(c);
	return NULL;
}

int f2b_jail(struct f2b_command *c, const struct f2b_world *w, size_t i)
{
	const char *name = f2b_word(c, i);
	int jail = name ? setup_find_jail(w->setup, span_of(name)) : -1;

	if (name && jail < 0)
		f2b_raise_unknown_jail(c, name);
	return jail;
}

/* As Python's str() would have it. NULL with *@bad: a NUL in it, or out of memory. */
static char *word_of(const struct pickle_value *v, bool *bad)
{
	char text[64] = "";

	switch (v->kind) {
	case PICKLE_STR:
		if (memchr(v->text.p, '\0', v->text.n)) {
			*bad = true;
			return NULL;
		}
		break;
	case PICKLE_BOOL:
		(void)snprintf(text, sizeof(text), "%s", v->truth ? "True" : "False");
		break;
	case PICKLE_INT:
		(void)snprintf(text, sizeof(text), "%" PRId64, v->number);
		break;
	case PICKLE_FLOAT:
		(void)snprintf(text, sizeof(text), "%.15g", v->real);
		break;
	default:
		return NULL;
	}
	char *word = span_dup(v->kind == PICKLE_STR ? v->text : span_of(text));

	*bad |= !word;
	return word;
}

/* Return: false, and the reply is there. */
static bool read_words(struct f2b_command *c)
{
	const struct pickle_value *root = pickle_root(c->request);
	bool bad = false;

	if (!pickle_is_row(root) || !root->n) {
		f2b_raise(c, "Exception", "Invalid command");
		return false;
	}
	if (root->n > F2B_MAX_WORDS) {
		f2b_raise(c, "ValueError", "more than %d words", F2B_MAX_WORDS);
		return false;
	}
	c->words = calloc(root->n, sizeof(*c->words));
	for (size_t i = 0; c->words && i < root->n; i++) {
		c->words[i] = word_of(root->items[i], &bad);
		c->n_words = i + 1;
	}
	if (!c->words || bad)
		f2b_raise(c, "ValueError", "a word holds a zero byte");
	return c->words && !bad;
}

/* --- steps -------------------------------------------------------------------------
 */

void f2b_ask(struct f2b_command *c, enum f2b_verb verb, uint32_t jail, bool flag)
{
	c->step = F2B_STEP_ENGINE;
	buf_clear(&c->body);
	pack_u8(&c->body, (uint8_t)verb);
	pack_u32(&c->body, jail);
	pack_bool(&c->body, flag);
}

void f2b_ask_nets(struct f2b_command *c, const struct net *nets, uint32_t n)
{
	pack_u32(&c->body, n);
	for (uint32_t i = 0; i < n; i++)
		pack_net(&c->body, &nets[i]);
}

void f2b_ask_end(struct f2b_command *c, f2b_resume_fn resume)
{
	c->resume = resume;
	if (c->body.failed)
		f2b_raise(c, "ValueError", "the request is too long");
}

bool f2b_nets(
    struct f2b_command *c, size_t from, bool strict, struct net *out, uint32_t *n)
{
	*n = 0;
	for (size_t i = from; i < c->n_words; i++) {
		const char *word = f2b_word(c, i);
		struct net one;

		if (!word)
			return false;
		if (net_parse(span_of(word), &one) < 0) {
			if (!strict)
				continue;
			f2b_raise(
			    c, "ValueError", "'%.100s' is no address or network", word);
			return false;
		}
		if (*n == F2B_MAX_NETS) {
			f2b_raise(c, "ValueError", "more than %d addresses at once",
			    F2B_MAX_NETS);
			return false;
		}
		out[(*n)++] = one;
	}
	return true;
}

void f2b_change(struct f2b_command *c, const char *jail, const char *option,
    const char *value, f2b_resume_fn resume)
{
	c->step = F2B_STEP_CHANGE;
	c->resume = resume;
	buf_clear(&c->body);
	pack_u8(&c->body, OVERRIDE_SET);
	pack_u32(&c->body, 1);
	pack_str(&c->body, jail);
	pack_str(&c->body, option);
	pack_str(&c->body, value);
	if (c->body.failed)
		f2b_raise(c, "ValueError", "the value is too long");
}

bool f2b_changed(struct f2b_command *c, const struct f2b_result *r)
{
	if (r->change == CHANGE_DONE)
		return true;
	f2b_raise_refused(c, r);
	return false;
}

bool f2b_answered(struct f2b_command *c, const struct f2b_result *r, struct unpack *out)
{
	*out = unpack_of(r->bytes);
	uint8_t verdict = unpack_u8(out);

	if (verdict == F2B_DONE)
		return true;
	CLEANUP(freep) char *why = verdict == F2B_FAILED ? unpack_str(out) : NULL;

	f2b_raise(c, "RuntimeError", "%s", why ? why : "no answer of the engine");
	return false;
}

/* --- the server --------------------------------------------------------------------
 */

static void do_ping(struct f2b_command *c, UNUSED const struct f2b_world *w)
{
	f2b_reply_str(c, "pong");
}

static void do_version(struct f2b_command *c, UNUSED const struct f2b_world *w)
{
	f2b_reply_str(c, F2B_VERSION " (bandog " BANDOG_VERSION ")");
}

static void do_server_status(struct f2b_command *c, UNUSED const struct f2b_world *w)
{
	f2b_reply_str(c, "Server ready");
}

static void do_nothing(struct f2b_command *c, UNUSED const struct f2b_world *w)
{
	f2b_reply_none(c);
}

static void do_echo(struct f2b_command *c, UNUSED const struct f2b_world *w)
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

static void do_sleep(struct f2b_command *c, UNUSED const struct f2b_world *w)
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

static void do_flushlogs(struct f2b_command *c, UNUSED const struct f2b_world *w)
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
	f2b_ask_nets(c, NULL, 0);
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
	f2b_ask_nets(c, NULL, 0);
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

static void do_reload(struct f2b_command *c, const struct f2b_world *w)
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

static void do_server_stream(struct f2b_command *c, UNUSED const struct f2b_world *w)
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
	else if (f2b_changed(c, r))
		f2b_reply_str(c, f2b_jail(c, w, 1) >= 0 ? c->words[1] : "");
}

static void do_add(struct f2b_command *c, const struct f2b_world *w)
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
static void do_start(struct f2b_command *c, const struct f2b_world *w)
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

static void do_stop(struct f2b_command *c, const struct f2b_world *w)
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

/* --- the table ---------------------------------------------------------------------
 */

static const struct {
	const char *name;
	f2b_begin_fn begin;
} commands[] = {
    {"ping", do_ping},
    {"version", do_version},
    {"status", f2b_do_status},
    {"stats", f2b_do_stats},
    {"statistic", f2b_do_stats},
    {"statistics", f2b_do_stats},
    {"banned", f2b_do_banned},
    {"unban", f2b_do_unban},
    {"get", f2b_do_get},
    {"set", f2b_do_set},
    {"start", do_start},
    {"stop", do_stop},
    {"add", do_add},
    {"reload", do_reload},
    {"flushlogs", do_flushlogs},
    {"echo", do_echo},
    {"sleep", do_sleep},
    {"server-status", do_server_status},
    {"server-stream", do_server_stream},
    {"config-error", do_nothing},
};

static void find_command(struct f2b_command *c, const struct f2b_world *w)
{
	for (size_t i = 0; c->words[0] && i < ARRAY_LEN(commands); i++) {
		if (strcmp(c->words[0], commands[i].name) != 0)
			continue;
		c->begin = commands[i].begin;
		c->begin(c, w);
		return;
	}
	f2b_raise(c, "Exception", "Invalid command");
}

void f2b_command_begin(
    struct f2b_command *c, struct span bytes, const struct f2b_world *w)
{
	struct err e = {""};

	*c = (struct f2b_command){
	    .body = BUF_INIT(MESSAGE_MAX_BYTES - 64), .reply = BUF_INIT(F2B_REPLY_MAX)};
	if (pickle_read(bytes, PICKLE_DATA, F2B_MAX_ITEMS, &c->request, &e) < 0)
		f2b_reply_broken(c, e.text);
	else if (read_words(c))
		find_command(c, w);
}

void f2b_command_resume(
    struct f2b_command *c, const struct f2b_world *w, const struct f2b_result *r)
{
	if (c->step == F2B_STEP_ENGINE && r->bytes.n && r->bytes.p[0] == F2B_OTHER)
		c->begin(c, w); /* the jails may have other numbers now */
	else
		c->resume(c, w, r);
}

void f2b_command_give_up(struct f2b_command *c, const char *why)
{
	f2b_raise(c, "RuntimeError", "%s", why);
}

void f2b_command_deinit(struct f2b_command *c)
{
	for (size_t i = 0; i < c->n_words; i++)
		free(c->words[i]);
	free(c->words);
	pickle_free(c->request);
	buf_deinit(&c->body);
	buf_deinit(&c->reply);
}
