/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Actions of a jail: shown as they are configured, changed by a new text of the
 * jail's `action`, in which each keeps its place.
 */
#include "base/picklew.h"
#include "front/front_f2b_command.h"

#define LIST_MAX_BYTES (MESSAGE_MAX_BYTES - 1024)

static const struct setup_texts *find_action(
    struct f2b_command *c, const struct setup_jail *j, const char *name, uint32_t *at)
{
	for (uint32_t i = 0; i < j->n_actions; i++) {
		if (strcmp(j->actions[i].items[0], name) != 0)
			continue;
		*at = i;
		return &j->actions[i];
	}
	f2b_raise(c, "KeyError", "Invalid Action name: %.200s", name);
	return NULL;
}

/* The action that word 3 names of the jail that word 1 names; NULL: the reply is there.
 */
static const struct setup_texts *named_action(struct f2b_command *c,
    const struct f2b_world *w, const struct setup_jail **jail, uint32_t *at)
{
	const char *name = f2b_word(c, 3);
	int i = name ? f2b_jail(c, w, 1) : -1;

	if (i < 0)
		return NULL;
	*jail = &w->setup->jails[i];
	return find_action(c, *jail, name, at);
}

static const char *property(const struct setup_texts *a, const char *name)
{
	for (uint32_t i = 2; i + 1 < a->n; i += 2) {
		if (!strcmp(a->items[i], name))
			return a->items[i + 1];
	}
	return NULL;
}

/* What each command action of fail2ban has, set or not. */
static const char *const commands[] = {"actionban", "actioncheck", "actionflush",
    "actionreban", "actionreload", "actionrepair", "actionstart", "actionstop",
    "actionunban"};

void f2b_get_actions(struct f2b_command *c, const struct f2b_world *w)
{
	int jail = f2b_jail(c, w, 1);

	if (jail < 0)
		return;
	const struct setup_jail *j = &w->setup->jails[jail];

	f2b_reply_begin(c);
	picklew_list(&c->reply);
	for (uint32_t i = 0; i < j->n_actions; i++)
		picklew_str(&c->reply, j->actions[i].items[0]);
	picklew_list_end(&c->reply);
	f2b_reply_end(c);
}

static bool is_command(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		if (!strcmp(commands[i], name))
			return true;
	}
	return false;
}

static void show_property(
    struct f2b_command *c, const struct setup_texts *a, const char *name)
{
	const char *v = property(a, name);
	int64_t sec = 60;

	if (!strcmp(name, "timeout")) {
		if (v)
			(void)span_to_i64(span_of(v), &sec); /* stays the default */
		f2b_reply_i64(c, sec);
	} else if (v || is_command(name)) {
		f2b_reply_str(c, v ? v : "");
	} else {
		f2b_raise(c, "AttributeError",
		    "'CommandAction' object has no attribute '%.200s'", name);
	}
}

void f2b_get_action(struct f2b_command *c, const struct f2b_world *w)
{
	const struct setup_jail *j;
	uint32_t at;
	const char *name = f2b_word(c, 3) ? f2b_word(c, 4) : NULL;
	const struct setup_texts *a = name ? named_action(c, w, &j, &at) : NULL;

	if (a)
		show_property(c, a, name);
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Names of options that hold for one family, and of the filter's, are no properties. */
static bool is_property(const char *name)
{
	return !strchr(name, '?') && !strchr(name, '/') && !strchr(name, '.');
}

void f2b_get_actionproperties(struct f2b_command *c, const struct f2b_world *w)
{
	const struct setup_jail *j;
	uint32_t at;
	const struct setup_texts *a = named_action(c, w, &j, &at);
	const char **names =
	    a ? calloc(a->n + ARRAY_LEN(commands) + 1, sizeof(*names)) : NULL;
	size_t n = 0;

	if (!names)
		return;
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		names[n++] = commands[i];
	names[n++] = "timeout";
	for (uint32_t i = 2; i + 1 < a->n; i += 2) {
		const char *name = a->items[i];

		if (!is_command(name) && strcmp(name, "timeout") != 0 &&
		    is_property(name))
			names[n++] = name;
	}
	qsort(names, n, sizeof(*names), compare_names);
	f2b_reply_begin(c);
	picklew_list(&c->reply);
	for (size_t i = 0; i < n; i++)
		picklew_str(&c->reply, names[i]);
	picklew_list_end(&c->reply);
	f2b_reply_end(c);
	free(names);
}

/* There is nothing behind these names that a client could call here. */
void f2b_get_actionmethods(struct f2b_command *c, const struct f2b_world *w)
{
	const struct setup_jail *j;
	uint32_t at;

	if (!named_action(c, w, &j, &at))
		return;
	f2b_reply_begin(c);
	picklew_list(&c->reply);
	picklew_list_end(&c->reply);
	f2b_reply_end(c);
}

/* --- changes -----------------------------------------------------------------------
 */

/* The next item of `action`: blanks part items, but not within [...] or quotes. */
static bool next_item(struct span *rest, struct span *out)
{
	const char blanks[] = " \t\r\n\v\f";
	size_t from = 0, n;
	bool is_in = false;
	char quote = 0;

	while (from < rest->n && strchr(blanks, rest->p[from]))
		from++;
	for (n = from; n < rest->n; n++) {
		char at = rest->p[n];

		if (quote) {
			quote = at == quote ? 0 : quote;
			continue;
		}
		if (is_in && (at == '"' || at == '\''))
			quote = at;
		else if (at == '[')
			is_in = true;
		else if (at == ']')
			is_in = false;
		else if (!is_in && strchr(blanks, at))
			break;
	}
	*out = (struct span){rest->p + from, n - from};
	*rest = span_skip(*rest, n);
	return out->n > 0;
}

static void action_set(
    struct f2b_command *c, const struct f2b_world *w, const struct f2b_result *r)
{
	const struct setup_jail *j;
	uint32_t at;

	if (!f2b_changed(c, r))
		return;
	if (!strcmp(c->words[2], "addaction")) {
		f2b_reply_str(c, c->words[3]);
	} else if (!strcmp(c->words[2], "delaction")) {
		f2b_reply_none(c);
	} else {
		const struct setup_texts *a = named_action(c, w, &j, &at);

		if (a)
			show_property(c, a, c->words[4]);
	}
}

/* Without the item at @without; with @more behind the one at @extended, or at the end.
 */
static void change_actions(struct f2b_command *c, const struct setup_jail *j,
    int64_t without, int64_t extended, struct span more)
{
	const char *now = setup_find_option(j, "action");
	struct span rest = span_of(now ? now : ""), item;
	CLEANUP(buf_deinit) struct buf list = BUF_INIT(LIST_MAX_BYTES);
	int64_t at = 0;

	for (; next_item(&rest, &item); at++) {
		if (at == without)
			continue;
		buf_add_span(&list, item);
		if (at == extended)
			buf_add_span(&list, more);
		buf_add_char(&list, '\n');
	}
	if (extended >= at)
		buf_add_span(&list, more);
	if (list.failed)
		f2b_raise(c, "ValueError", "the list of actions is too long");
	else
		f2b_change(c, c->words[1], "action", buf_str(&list), action_set);
}

void f2b_set_addaction(struct f2b_command *c, const struct f2b_world *w)
{
	const char *name = f2b_word(c, 3);
	int jail = name ? f2b_jail(c, w, 1) : -1;

	if (jail < 0)
		return;
	const struct setup_jail *j = &w->setup->jails[jail];

	for (uint32_t i = 0; i < j->n_actions; i++) {
		if (!strcmp(j->actions[i].items[0], name)) {
			f2b_raise(
			    c, "ValueError", "Action %.200s already exists", name);
			return;
		}
	}
	if (c->n_words > 4)
		f2b_raise(c, "ValueError", "bandogd runs no Python actions");
	else
		change_actions(c, j, -1, INT64_MAX, span_of(name));
}

void f2b_set_delaction(struct f2b_command *c, const struct f2b_world *w)
{
	const struct setup_jail *j;
	uint32_t at;

	if (named_action(c, w, &j, &at))
		change_actions(c, j, at, -1, SPAN(""));
}

void f2b_set_action(struct f2b_command *c, const struct f2b_world *w)
{
	const struct setup_jail *j;
	uint32_t at;
	const char *name = f2b_word(c, 3) ? f2b_word(c, 4) : NULL;
	const char *value = name ? f2b_word(c, 5) : NULL;
	CLEANUP(buf_deinit) struct buf more = BUF_INIT(LIST_MAX_BYTES);

	if (!value || !named_action(c, w, &j, &at))
		return;
	char quote = strchr(value, '"') ? '\'' : '"';

	if (strchr(value, quote) || strpbrk(name, "=[]\"',\n ")) {
		f2b_raise(
		    c, "ValueError", "a value with both kinds of quotes cannot be set");
		return;
	}
	buf_printf(&more, "[%s=%c%s%c]", name, quote, value, quote);
	change_actions(c, j, -1, at, buf_span(&more));
}
