/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Options that are lists: what is added or taken away makes a new text of the whole
 * list, which becomes the override.
 */
#include <errno.h>
#include <fnmatch.h>

#include "front/front_f2b_command.h"

#define LIST_MAX_BYTES (MESSAGE_MAX_BYTES - 1024)

static const struct setup_jail *jail_of(
    struct f2b_command *c, const struct f2b_world *w)
{
	int jail = f2b_jail(c, w, 1);

	return jail < 0 ? NULL : &w->setup->jails[jail];
}

static void list_set(
    struct f2b_command *c, const struct f2b_world *w, const struct f2b_result *r)
{
	if (f2b_changed(c, r))
		f2b_show_option(c, w);
}

static void change_list(struct f2b_command *c, const char *option, struct buf *list)
{
	if (list->failed)
		f2b_raise(c, "ValueError", "the list is too long");
	else
		f2b_change(c, c->words[1], option, buf_str(list), list_set);
	buf_deinit(list);
}

/* --- ignoreip ----------------------------------------------------------------------
 */

static bool same_word(struct span a, struct span b)
{
	struct net x, y;

	if (net_parse(a, &x) == 0 && net_parse(b, &y) == 0)
		return net_eq(&x, &y);
	return span_eq(a, b);
}

static bool has_blank(const char *word)
{
	struct span rest = span_of(word), first;

	return span_next_word(&rest, ",", &first) && first.n != strlen(word);
}

void f2b_set_addignoreip(struct f2b_command *c, const struct f2b_world *w)
{
	const struct setup_jail *j = jail_of(c, w);
	struct buf list = BUF_INIT(LIST_MAX_BYTES);

	if (!j)
		return;
	const char *now = setup_find_option(j, "ignoreip");

	buf_add_str(&list, now ? now : "");
	for (size_t i = 3; i < c->n_words; i++) {
		if (!c->words[i] || has_blank(c->words[i])) {
			f2b_raise(
			    c, "ValueError", "an address or network was expected");
			buf_deinit(&list);
			return;
		}
		buf_printf(&list, " %s", c->words[i]);
	}
	change_list(c, "ignoreip", &list);
}

void f2b_set_delignoreip(struct f2b_command *c, const struct f2b_world *w)
{
	const char *gone = f2b_word(c, 3);
	const struct setup_jail *j = gone ? jail_of(c, w) : NULL;
	const char *now = j ? setup_find_option(j, "ignoreip") : NULL;
	struct span rest = span_of(now ? now : ""), word;
	struct buf list = BUF_INIT(LIST_MAX_BYTES);
	bool is_found = false;

	if (!j)
		return;
	while (span_next_word(&rest, ",", &word)) {
		if (same_word(word, span_of(gone))) {
			is_found = true;
			continue;
		}
		buf_add_span(&list, word);
		buf_add_char(&list, ' ');
	}
	if (is_found) {
		change_list(c, "ignoreip", &list);
		return;
	}
	f2b_raise(c, "ValueError", "list.remove(x): x not in list");
	buf_deinit(&list);
}

/* --- regexes -----------------------------------------------------------------------
 */

static bool is_about_failures(const struct f2b_command *c)
{
	return strstr(c->words[2], "fail") != NULL;
}

static void regex_set(
    struct f2b_command *c, const struct f2b_world *w, const struct f2b_result *r)
{
	struct f2b_result why = *r;
	CLEANUP(buf_deinit) struct buf text = BUF_INIT(8192);

	if (r->change != CHANGE_REFUSED) {
		list_set(c, w, r);
		return;
	}
	/* In the words that fail2ban begins with; what is wrong in ours. */
	buf_printf(&text,
	    "(): error: Unable to compile regular expression '%.2000s': ", c->words[3]);
	struct span rest = r->bytes, line;
	const struct span mark = SPAN("regex: ");

	while (span_next_line(&rest, &line)) {
		ptrdiff_t at = span_find(line, mark);

		if (at < 0 || span_find(line, SPAN("error")) < 0)
			continue;
		buf_add_span(&text, span_skip(line, (size_t)at + mark.n));
		break;
	}
	why.bytes = buf_span(&text);
	f2b_raise_refused(c, &why);
}

static void change_regexes(struct f2b_command *c, const struct setup_jail *j,
    const char *more, int64_t without)
{
	bool fail = is_about_failures(c);
	char *const *texts = fail ? j->failregex : j->ignoreregex;
	uint32_t n = fail ? j->n_failregex : j->n_ignoreregex;
	struct buf list = BUF_INIT(LIST_MAX_BYTES);

	for (uint32_t i = 0; i < n; i++) {
		if (i != without)
			buf_printf(&list, "%s\n", texts[i]);
	}
	if (more)
		buf_add_str(&list, more);
	change_list(c, fail ? "failregex" : "ignoreregex", &list);
	if (c->step == F2B_STEP_CHANGE && more)
		c->resume = regex_set;
}

void f2b_set_addregex(struct f2b_command *c, const struct f2b_world *w)
{
	const char *regex = f2b_word(c, 3);
	const struct setup_jail *j = regex ? jail_of(c, w) : NULL;

	if (!j)
		return;
	if (strchr(regex, '\n'))
		f2b_raise(c, "ValueError", "a regex is one line");
	else
		change_regexes(c, j, regex, -1);
}

/* One that is not there is no error; negative numbers count from the end. */
void f2b_set_delregex(struct f2b_command *c, const struct f2b_world *w)
{
	const char *word = f2b_word(c, 3);
	int64_t at;

	if (!word)
		return;
	if (span_to_i64(span_of(word), &at) < 0) {
		f2b_raise(c, "ValueError",
		    "invalid literal for int() with base 10: '%.100s'", word);
		return;
	}
	const struct setup_jail *j = jail_of(c, w);

	if (!j)
		return;
	int64_t n = is_about_failures(c) ? j->n_failregex : j->n_ignoreregex;

	if (at < 0)
		at += n;
	if (at < 0 || at >= n)
		f2b_show_option(c, w);
	else
		change_regexes(c, j, NULL, at);
}

/* --- logs --------------------------------------------------------------------------
 */

static bool reads_journal(const struct f2b_command *c, const struct f2b_world *w)
{
	bool is_journal;
	int jail = setup_find_jail(w->setup, span_of(c->words[1]));

	(void)f2b_journal_match(w->setup, (uint32_t)jail, &is_journal);
	return is_journal;
}

static void logs_set(
    struct f2b_command *c, const struct f2b_world *w, const struct f2b_result *r)
{
	if (f2b_changed(c, r))
		f2b_get_logpath(c, w);
}

static void change_logs(struct f2b_command *c, struct buf *list)
{
	change_list(c, "logpath", list);
	if (c->step == F2B_STEP_CHANGE)
		c->resume = logs_set;
}

/* The path of a line, and the word behind it. */
static struct span cut_line(struct span line, struct span *word)
{
	size_t n = line.n;

	while (n && line.p[n - 1] != ' ')
		n--;
	*word = n ? span_skip(line, n) : SPAN("head");
	return n ? span_trim((struct span){line.p, n}) : line;
}

/* Return: false, and the reply is there. */
static bool get_position(struct f2b_command *c, const char **out)
{
	*out = "head";
	if (c->n_words > 5) {
		f2b_raise(c, "ValueError", "Only one file can be added at a time");
		return false;
	}
	if (c->n_words < 5)
		return true;
	struct span word = span_of(c->words[4] ? c->words[4] : "");

	if (span_eq_nocase(word, SPAN("tail")))
		*out = "tail";
	else if (!span_eq_nocase(word, SPAN("head"))) {
		f2b_raise(c, "ValueError", "File option must be 'head' or 'tail'");
		return false;
	}
	return true;
}

void f2b_set_addlogpath(struct f2b_command *c, const struct f2b_world *w)
{
	const char *path = f2b_word(c, 3);
	const char *position;
	struct buf list = BUF_INIT(LIST_MAX_BYTES);
	struct span rest, line, word;

	if (!path || !get_position(c, &position))
		return;
	const struct setup_jail *j = jail_of(c, w);

	if (!j)
		return;
	if (strchr(path, '\n')) {
		f2b_raise(c, "ValueError", "a path is one line");
		return;
	}
	if (reads_journal(c, w)) {
		f2b_get_logpath(c, w);
		return;
	}
	const char *now = setup_find_option(j, "logpath");

	rest = span_of(now ? now : "");
	while (span_next_line(&rest, &line)) {
		if (span_eq(cut_line(span_trim(line), &word), span_of(path)))
			continue;
		buf_add_span(&list, line);
		buf_add_char(&list, '\n');
	}
	buf_printf(&list, "%s %s", path, position);
	change_logs(c, &list);
}

/* A file that a pattern names cannot be taken off alone. */
static bool is_by_pattern(const char *path, struct span pattern)
{
	CLEANUP(freep) char *text = span_dup(pattern);

	return text && fnmatch(text, path, FNM_PATHNAME | FNM_PERIOD) == 0;
}

void f2b_set_dellogpath(struct f2b_command *c, const struct f2b_world *w)
{
	const char *path = f2b_word(c, 3);
	const struct setup_jail *j = path ? jail_of(c, w) : NULL;
	const char *now = j ? setup_find_option(j, "logpath") : NULL;
	struct span rest = span_of(now ? now : ""), line, word;
	struct buf list = BUF_INIT(LIST_MAX_BYTES);
	bool is_found = false;

	if (!j)
		return;
	while (span_next_line(&rest, &line)) {
		struct span one = cut_line(span_trim(line), &word);

		if (span_eq(one, span_of(path))) {
			is_found = true;
			continue;
		}
		if (is_by_pattern(path, one)) {
			buf_deinit(&list);
			f2b_raise(c, "ValueError",
			    "'%.1000s' is named by the pattern '%.*s'", path,
			    (int)one.n, one.p);
			return;
		}
		buf_add_span(&list, line);
		buf_add_char(&list, '\n');
	}
	if (is_found) {
		change_logs(c, &list);
		return;
	}
	buf_deinit(&list);
	f2b_get_logpath(c, w);
}

/* --- the journal -------------------------------------------------------------------
 */

static void add_group(struct buf *list, struct span group)
{
	if (!group.n)
		return;
	if (list->n)
		buf_add_str(list, " + ");
	buf_add_span(list, group);
}

/* What stands before the next " + ". */
static struct span cut_group(struct span *rest)
{
	struct span walk = *rest, word, group = *rest;

	while (span_next_word(&walk, "", &word)) {
		if (!span_eq(word, SPAN("+")))
			continue;
		group.n = (size_t)(word.p - rest->p);
		*rest = walk;
		return span_trim(group);
	}
	*rest = (struct span){rest->p + rest->n, 0};
	return span_trim(group);
}

static void join_words(const struct f2b_command *c, struct buf *out)
{
	for (size_t i = 3; i < c->n_words; i++) {
		if (!c->words[i] || strchr(c->words[i], '\n'))
			continue;
		buf_add_str(out, out->n ? " " : "");
		buf_add_str(out, c->words[i]);
	}
}

void f2b_set_journalmatch(struct f2b_command *c, const struct f2b_world *w)
{
	const struct setup_jail *j = jail_of(c, w);
	struct buf list = BUF_INIT(LIST_MAX_BYTES);
	CLEANUP(buf_deinit) struct buf named = BUF_INIT(LIST_MAX_BYTES);
	bool is_add = c->words[2][0] == 'a', is_journal;

	if (!j)
		return;
	if (!reads_journal(c, w)) {
		f2b_show_option(c, w);
		return;
	}
	const char *now =
	    f2b_journal_match(w->setup, (uint32_t)(j - w->setup->jails), &is_journal);
	struct span rest = span_of(now ? now : "");

	join_words(c, &named);
	while (rest.n) {
		struct span group = cut_group(&rest);

		if (is_add || !span_eq(group, buf_span(&named)))
			add_group(&list, group);
	}
	if (is_add)
		add_group(&list, buf_span(&named));
	change_list(c, "journalmatch", &list);
}
