/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What fail2ban-client prints for an answer: a table from commands to forms. An answer
 * that does not have the form which belongs to its command is shown as Python would
 * show it.
 */
#include <stdio.h>
#include <string.h>

#include "cli/f2b_client.h"

/* --- forms --- */

struct question {
	const char *const *words;
	size_t n_words;
};

/* Return: false when @v does not have the form. */
typedef bool (*form_fn)(
    struct buf *b, const struct question *q, const struct pickle_value *v);

static bool add_text(struct buf *b, const char *before, const struct pickle_value *v)
{
	if (v->kind != PICKLE_STR)
		return false;
	buf_add_str(b, before);
	buf_add_span(b, v->text);
	return true;
}

static bool all_texts(const struct pickle_value *v)
{
	if (!pickle_is_row(v))
		return false;
	for (size_t i = 0; i < v->n; i++) {
		if (v->items[i]->kind != PICKLE_STR)
			return false;
	}
	return true;
}

static void add_joined(struct buf *b, const struct pickle_value *v, const char *between)
{
	for (size_t i = 0; i < v->n; i++) {
		buf_add_str(b, i ? between : "");
		f2b_str_value(b, v->items[i]);
	}
}

static bool form_ping(
    struct buf *b, UNUSED const struct question *q, const struct pickle_value *v)
{
	return add_text(b, "Server replied: ", v);
}

static bool form_plain(
    struct buf *b, UNUSED const struct question *q, const struct pickle_value *v)
{
	f2b_str_value(b, v);
	return true;
}

static bool form_start(
    struct buf *b, UNUSED const struct question *q, UNUSED const struct pickle_value *v)
{
	buf_add_str(b, "Jail started");
	return true;
}

static bool form_stop(
    struct buf *b, const struct question *q, const struct pickle_value *v)
{
	if (v->kind != PICKLE_NONE)
		return form_plain(b, q, v);
	buf_add_str(b, q->n_words == 1 ? "Shutdown successful" : "Jail stopped");
	return true;
}

static bool form_add(
    struct buf *b, UNUSED const struct question *q, const struct pickle_value *v)
{
	return add_text(b, "Added jail ", v);
}

static bool form_flushlogs(
    struct buf *b, UNUSED const struct question *q, const struct pickle_value *v)
{
	return add_text(b, "logs: ", v);
}

static bool form_echo(
    struct buf *b, UNUSED const struct question *q, const struct pickle_value *v)
{
	if (!all_texts(v))
		return false;
	add_joined(b, v, " ");
	return true;
}

/* One of the two-part rows of a status: a name and a value or a list of them. */
static bool add_status_row(
    struct buf *b, const char *prefix, const struct pickle_value *row)
{
	if (!pickle_is_row(row) || row->n < 2)
		return false;
	buf_printf(b, "\n%s ", prefix);
	f2b_str_value(b, row->items[0]);
	buf_add_str(b, ":\t");
	if (row->items[1]->kind == PICKLE_LIST)
		add_joined(b, row->items[1], " ");
	else
		f2b_str_value(b, row->items[1]);
	return true;
}

static bool add_jail_status(
    struct buf *b, const char *before, const struct pickle_value *v)
{
	if (!pickle_is_row(v))
		return false;
	for (size_t i = 0; i < v->n; i++) {
		const struct pickle_value *part = v->items[i];
		bool is_last = i + 1 == v->n;
		char prefix[32];

		if (!pickle_is_row(part) || part->n < 2 ||
		    !pickle_is_row(part->items[1]))
			return false;
		buf_printf(b, "\n%s%s ", before, is_last ? "`-" : "|-");
		f2b_str_value(b, part->items[0]);
		for (size_t k = 0; k < part->items[1]->n; k++) {
			snprintf(prefix, sizeof(prefix), "%s%s%s", before,
			    is_last ? "   " : "|  ",
			    k + 1 == part->items[1]->n ? "`-" : "|-");
			if (!add_status_row(b, prefix, part->items[1]->items[k]))
				return false;
		}
	}
	return true;
}

/* The jails behind the summary, for "status --all". */
static bool add_all_jails(struct buf *b, const struct pickle_value *jails)
{
	for (size_t i = 0; i + 1 < jails->n; i += 2) {
		bool is_last = i + 2 >= jails->n;

		buf_printf(b, "\n%s Status for the jail: ", is_last ? "`-" : "|-");
		f2b_str_value(b, jails->items[i]);
		if (!add_jail_status(b, is_last ? "   " : "|  ", jails->items[i + 1]))
			return false;
	}
	return true;
}

static bool form_status(
    struct buf *b, const struct question *q, const struct pickle_value *v)
{
	const struct pickle_value *jails = NULL;
	size_t n;

	if (!pickle_is_row(v))
		return false;
	if (q->n_words > 1 && strcmp(q->words[1], "--all") != 0) {
		buf_printf(b, "Status for the jail: %s", q->words[1]);
		return add_jail_status(b, "", v);
	}
	n = v->n;
	if (n > 0 && v->items[n - 1]->kind == PICKLE_DICT)
		jails = v->items[--n];
	buf_add_str(b, "Status");
	for (size_t i = 0; i < n; i++) {
		bool is_last = i + 1 == n && (!jails || jails->n == 0);

		if (!add_status_row(b, is_last ? "`-" : "|-", v->items[i]))
			return false;
	}
	return !jails || add_all_jails(b, jails);
}

static bool form_socket(
    struct buf *b, UNUSED const struct question *q, const struct pickle_value *v)
{
	return add_text(b, "Current syslog socket is:\n`- ", v);
}

static bool form_target(
    struct buf *b, UNUSED const struct question *q, const struct pickle_value *v)
{
	return add_text(b, "Current logging target is:\n`- ", v);
}

static bool form_level(
    struct buf *b, UNUSED const struct question *q, const struct pickle_value *v)
{
	static const struct {
		int64_t number;
		const char *name;
	} levels[] = {{50, "CRITICAL"}, {40, "ERROR"}, {30, "WARNING"}, {25, "NOTICE"},
	    {20, "INFO"}, {18, "MSG"}, {10, "DEBUG"}, {7, "TRACEDEBUG"},
	    {5, "HEAVYDEBUG"}};

	buf_add_str(b, "Current logging level is ");
	for (size_t i = 0; v->kind == PICKLE_INT && i < ARRAY_LEN(levels); i++) {
		if (levels[i].number == v->number) {
			buf_printf(b, "'%s'", levels[i].name);
			return true;
		}
	}
	if (v->kind == PICKLE_INT)
		buf_printf(b, "'Level %lld'", (long long)v->number);
	else
		f2b_repr_value(b, v);
	return true;
}

static bool form_dbfile(
    struct buf *b, UNUSED const struct question *q, const struct pickle_value *v)
{
	if (v->kind != PICKLE_NONE)
		return add_text(b, "Current database file is:\n`- ", v);
	buf_add_str(b, "Database currently disabled");
	return true;
}

static bool form_dbpurgeage(
    struct buf *b, const struct question *q, const struct pickle_value *v)
{
	if (v->kind == PICKLE_NONE)
		return form_dbfile(b, q, v);
	if (v->kind != PICKLE_INT && v->kind != PICKLE_FLOAT)
		return false;
	buf_printf(b, "Current database purge age is:\n`- %lldseconds",
	    v->kind == PICKLE_INT ? (long long)v->number : (long long)v->real);
	return true;
}

/* @title and one line each, numbered if asked; or @none. */
static bool add_lines(struct buf *b, const struct pickle_value *v, const char *title,
    const char *none, bool numbered)
{
	if (!all_texts(v))
		return false;
	buf_add_str(b, v->n ? title : none);
	for (size_t i = 0; i < v->n; i++) {
		buf_add_str(b, i + 1 < v->n ? "\n|- " : "\n`- ");
		if (numbered)
			buf_printf(b, "[%zu]: ", i);
		buf_add_span(b, v->items[i]->text);
	}
	return true;
}

static bool form_logpath(
    struct buf *b, UNUSED const struct question *q, const struct pickle_value *v)
{
	return add_lines(b, v,
	    "Current monitored log file(s):", "No file is currently monitored", false);
}

static bool form_encoding(
    struct buf *b, UNUSED const struct question *q, const struct pickle_value *v)
{
	return add_text(b, "Current log encoding is set to:\n", v);
}

static bool form_journalmatch(
    struct buf *b, UNUSED const struct question *q, const struct pickle_value *v)
{
	if (!pickle_is_row(v))
		return false;
	buf_add_str(
	    b, v->n ? "Current match filter:\n" : "No journal match filter set");
	for (size_t i = 0; i < v->n; i++) {
		if (!all_texts(v->items[i]))
			return false;
		buf_add_str(b, i ? " + " : "");
		add_joined(b, v->items[i], " ");
	}
	return true;
}

static bool form_datepattern(
    struct buf *b, UNUSED const struct question *q, const struct pickle_value *v)
{
	buf_add_str(b, "Current date pattern set to: ");
	if (v->kind == PICKLE_NONE) {
		buf_add_str(b, "Not set/required");
		return true;
	}
	if (!pickle_is_row(v) || v->n != 2)
		return false;
	if (v->items[0]->kind == PICKLE_NONE) {
		f2b_str_value(b, v->items[1]);
		return true;
	}
	f2b_str_value(b, v->items[0]);
	buf_add_str(b, " (");
	f2b_str_value(b, v->items[1]);
	buf_add_char(b, ')');
	return true;
}

static bool form_ignoreip(
    struct buf *b, UNUSED const struct question *q, const struct pickle_value *v)
{
	return add_lines(b, v, "These IP addresses/networks are ignored:",
	    "No IP address/network is ignored", false);
}

static bool form_regex(
    struct buf *b, UNUSED const struct question *q, const struct pickle_value *v)
{
	return add_lines(b, v, "The following regular expression are defined:",
	    "No regular expression is defined", true);
}

static bool form_actions(
    struct buf *b, const struct question *q, const struct pickle_value *v)
{
	if (!all_texts(v))
		return false;
	if (v->n == 0)
		buf_printf(b, "No actions for jail %s", q->words[1]);
	else
		buf_printf(b, "The jail %s has the following actions:\n", q->words[1]);
	add_joined(b, v, ", ");
	return true;
}

static bool add_of_action(struct buf *b, const struct question *q,
    const struct pickle_value *v, const char *what)
{
	if (!all_texts(v) || q->n_words < 4)
		return false;
	if (v->n == 0)
		buf_printf(
		    b, "No %s for jail %s action %s", what, q->words[1], q->words[3]);
	else
		buf_printf(b, "The jail %s action %s has the following %s:\n",
		    q->words[1], q->words[3], what);
	add_joined(b, v, ", ");
	return true;
}

static bool form_properties(
    struct buf *b, const struct question *q, const struct pickle_value *v)
{
	return add_of_action(b, q, v, "properties");
}

static bool form_methods(
    struct buf *b, const struct question *q, const struct pickle_value *v)
{
	return add_of_action(b, q, v, "methods");
}

static bool form_banip(
    struct buf *b, const struct question *q, const struct pickle_value *v)
{
	const char *between = q->n_words > 3 ? q->words[3] : " ";

	if (strcmp(q->words[0], "get") != 0 || v->kind != PICKLE_LIST)
		return form_plain(b, q, v);
	if (!all_texts(v))
		return false;
	add_joined(b, v, strcmp(between, "--with-time") ? between : "\n");
	return true;
}

/* --- which form --- */

struct form {
	const char *words; /* separated by blanks */
	form_fn fn;
};

/* By the first word; else by the second, else by the third. */
static const struct form by_first[] = {
    {"ping", form_ping},
    {"version", form_plain},
    {"start", form_start},
    {"stop", form_stop},
    {"add", form_add},
    {"flushlogs", form_flushlogs},
    {"echo", form_echo},
    {"status", form_status},
    {NULL, NULL},
};
static const struct form by_second[] = {
    {"syslogsocket", form_socket},
    {"logtarget", form_target},
    {"loglevel", form_level},
    {"dbfile", form_dbfile},
    {"dbpurgeage", form_dbpurgeage},
    {NULL, NULL},
};
static const struct form by_third[] = {
    {"logpath addlogpath dellogpath", form_logpath},
    {"logencoding", form_encoding},
    {"journalmatch addjournalmatch deljournalmatch", form_journalmatch},
    {"datepattern", form_datepattern},
    {"ignoreip addignoreip delignoreip", form_ignoreip},
    {"failregex addfailregex delfailregex", form_regex},
    {"ignoreregex addignoreregex delignoreregex", form_regex},
    {"actions", form_actions},
    {"actionproperties", form_properties},
    {"actionmethods", form_methods},
    {"banip", form_banip},
    {NULL, NULL},
};

static form_fn find_form(const struct form *forms, const char *word)
{
	for (; forms->words; forms++) {
		struct span rest = span_of(forms->words), one;

		while (span_next_word(&rest, "", &one)) {
			if (span_eq(one, span_of(word)))
				return forms->fn;
		}
	}
	return NULL;
}

static form_fn form_of(const struct question *q)
{
	form_fn fn = q->n_words > 0 ? find_form(by_first, q->words[0]) : NULL;

	if (!fn && q->n_words > 1)
		fn = find_form(by_second, q->words[1]);
	if (!fn && q->n_words > 2)
		fn = find_form(by_third, q->words[2]);
	return fn ? fn : form_plain;
}

void f2b_beautify(const char *const *words, size_t n_words,
    const struct pickle_value *v, struct buf *out)
{
	const struct question q = {words, n_words};

	buf_clear(out);
	if (form_of(&q)(out, &q, v))
		return;
	buf_clear(out); /* half of a form is none */
	f2b_repr_value(out, v);
}

void f2b_beautify_error(const struct pickle_value *v, struct buf *out)
{
	buf_clear(out);
	if (f2b_object_is(v, "UnknownJailException") && v->n > 0) {
		buf_add_str(out, "Sorry but the jail '");
		f2b_str_value(out, v->items[0]);
		buf_add_str(out, "' does not exist");
	} else if (f2b_object_is(v, "IndexError")) {
		buf_add_str(out, "Sorry but the command is invalid");
	} else if (f2b_object_is(v, "DuplicateJailException") && v->n > 0) {
		buf_add_str(out, "The jail '");
		f2b_str_value(out, v->items[0]);
		buf_add_str(out, "' already exists");
	} else {
		f2b_str_value(out, v);
	}
}
