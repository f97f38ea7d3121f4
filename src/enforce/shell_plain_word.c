/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Words: quotes, variables, substitutions and tags, and what of them is foreign.
 */
#include "enforce/action_text.h"
#include "enforce/shell_plain_private.h"

#define MAX_DEPTH 16

bool plain_refuse(struct plain *p, size_t at, const char *why)
{
	p->form = SHELL_INERT;
	*p->reason = (struct shell_reason){at, why};
	return false;
}

bool plain_not_known(struct plain *p)
{
	return plain_refuse(
	    p, p->at, "this part of the shell's language is not understood");
}

/* '\0' at the end; a NUL inside is one too, as the shell gets the command as a string.
 */
char plain_peek_at(const struct plain *p, size_t i)
{
	return p->at + i < p->text.n ? p->text.p[p->at + i] : '\0';
}

char plain_peek(const struct plain *p)
{
	return plain_peek_at(p, 0);
}

struct span plain_rest_of(const struct plain *p)
{
	return span_skip(p->text, p->at);
}

bool plain_is_at(const struct plain *p, const char *text)
{
	return span_starts(plain_rest_of(p), span_of(text));
}

size_t plain_tag_at(const struct plain *p, struct shell_value *out, struct span *name)
{
	size_t n = text_tag(plain_rest_of(p), name);

	*out = (struct shell_value){{"", 0}, false, false};
	return n && p->tag(p->ctx, *name, out) ? n : 0;
}

bool plain_is_name_byte(char c)
{
	return shell_is_alnum(c) || c == '_';
}

bool plain_enter(struct plain *p)
{
	return ++p->depth <= MAX_DEPTH ||
	       plain_refuse(p, p->at, "it is nested too deeply");
}

bool plain_is_tainted(const struct plain *p, struct span name)
{
	for (size_t i = 0; i < p->n_tainted; i++) {
		if (span_eq(p->tainted[i], name))
			return true;
	}
	return false;
}

/* --- words -------------------------------------------------------------------------
 */

/* Were it printf's format: conversions that take one argument and only show it. */
static void add_to_format(struct shell_word *w, char c)
{
	if (!w->is_in_conversion) {
		w->is_in_conversion = c == '%';
	} else if (!c || !strchr("-+ #.0123456789", c)) {
		w->is_in_conversion = false;
		w->is_odd_format |= !c || !strchr("%sbcdiouxX", c);
	}
}

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') ||
	       (c >= 'A' && c <= 'F');
}

/* printf %b, and some an echo, would take the digits of a value for those of a \0 that
 * the command begins. */
static void add_to_escape(struct shell_word *w, char c)
{
	bool is_numeric = (c >= '0' && c <= '9') || c == 'x' || c == 'u' || c == 'U';

	if (w->n_escape == 0) {
		w->n_escape = c == '\\';
		return;
	}
	w->is_odd_format |= w->n_escape == 1 && (is_numeric || c == '\\');
	w->has_backslash |= w->n_escape == 1 && (is_numeric || strchr("\\%", c));
	if (w->n_escape < 9 && (w->n_escape == 1 ? is_numeric : is_hex(c)))
		w->n_escape++;
	else
		w->n_escape = 0;
}

static void add_literal(struct shell_word *w, char c)
{
	if (w->n_literals == 0)
		w->first_literal = c;
	if (w->n_expansions == 0) {
		if (w->n_head < sizeof(w->head))
			w->head[w->n_head] = c;
		w->n_head++;
	}
	w->n_literals++;
	w->is_tag_last = false;
	add_to_escape(w, c);
	add_to_format(w, c);
	w->is_unknown_last = false;
}

/* Does the text end in a backslash of its own? */
static void end_literals(struct shell_word *w)
{
	w->has_backslash |= w->n_escape && !w->is_unknown_last;
}

static void add_derived(
    struct shell_word *w, bool is_foreign, bool has_lines, bool is_quoted)
{
	w->n_expansions++;
	w->is_tag_last = false;
	w->has_bare |= !is_quoted;
	w->is_odd_escape |= is_foreign && w->n_escape;
	end_literals(w);
	w->is_unknown_last = !is_foreign;
	w->n_escape = !is_foreign; /* it could end in a backslash */
	if (!is_foreign)
		return;
	w->is_foreign = w->has_derived = true;
	w->has_lines |= has_lines;
	w->has_bare_foreign |= !is_quoted;
	w->starts_derived |= w->n_head == 0;
}

static bool take_tag(struct plain *p, struct shell_word *w, bool is_quoted, bool *out)
{
	struct shell_value v;
	struct span name;
	size_t n = plain_tag_at(p, &v, &name);

	*out = n > 0;
	if (v.is_foreign) {
		w->n_expansions++;
		w->is_foreign = w->is_tag_last = true;
		w->is_odd_escape |= w->n_escape > 0;
		w->n_escape = 0;
		w->has_lines |= v.has_lines;
	}
	for (size_t i = 0; n && !v.is_foreign && i < v.text.n; i++) {
		char c = v.text.p[i];

		/* Ours, but pasted: it must be what it looks like. */
		if (!plain_is_name_byte(c) && (!c || !strchr(".:/,+@=-", c)) &&
		    !(is_quoted && c == ' '))
			return plain_refuse(
			    p, p->at, "a value has bytes that are not plain");
		add_literal(w, c);
	}
	p->at += n;
	return true;
}

/* What comes now is a part of the name for the shell. */
static bool may_go_on(const struct plain *p)
{
	struct shell_value v;
	struct span name;

	return plain_is_at(p, "\\\n") || (plain_tag_at(p, &v, &name) && !v.is_foreign);
}

static bool take_variable(struct plain *p, struct shell_word *w, bool is_quoted)
{
	bool has_brace = plain_peek(p) == '{';
	size_t n = has_brace;

	while (plain_is_name_byte(plain_peek_at(p, n)))
		n++;
	struct span name = {p->text.p + p->at + has_brace, n - has_brace};

	/* bash: $_ is the last argument of the command before. */
	if (name.n == 0 || span_eq(name, SPAN("_")) ||
	    (name.p[0] >= '0' && name.p[0] <= '9') ||
	    (has_brace && plain_peek_at(p, n) != '}') ||
	    span_starts(name, PLAIN_OWN_PREFIX))
		return plain_not_known(p);
	p->at += n + has_brace;
	if (!has_brace && may_go_on(p))
		return plain_not_known(p);
	bool is_foreign = plain_is_tainted(p, name);

	add_derived(w, is_foreign, is_foreign, is_quoted);
	return true;
}

static bool take_substitution(
    struct plain *p, struct shell_word *w, bool is_quoted, char end)
{
	struct part part = {false, false, false};
	bool was_in_backtick = p->is_in_backtick;

	if (!plain_enter(p))
		return false;
	p->is_in_backtick |= end == '`';
	if (!plain_take_list(p, p->is_stdin_foreign || p->has_foreign_file, &part))
		return false;
	if (plain_peek(p) != end)
		return plain_not_known(p);
	p->at++;
	p->is_in_backtick = was_in_backtick;
	p->depth--;
	/* Two things that it puts out could become one escape. */
	if (part.is_foreign && (part.has_backslash || p->has_backslash))
		return plain_refuse(
		    p, p->at, "what stands before a value could be a backslash");
	w->has_backslash |= part.has_backslash;
	add_derived(w, part.is_foreign, part.has_lines, is_quoted);
	return true;
}

/* At a "$". */
static bool take_dollar(struct plain *p, struct shell_word *w, bool is_quoted)
{
	char next = plain_peek_at(p, 1);

	if (next == '(') {
		if (plain_peek_at(p, 2) == '(')
			return plain_not_known(p);
		p->at += 2;
		return take_substitution(p, w, is_quoted, ')');
	}
	p->at++;
	if (next == '{' || plain_is_name_byte(next))
		return take_variable(p, w, is_quoted);
	if (next == '?' || next == '$') {
		p->at++;
		add_derived(w, false, false, is_quoted);
		return true;
	}
	/* Elsewhere bash has more meanings for it than POSIX. */
	if (!strchr(" \t\n.,:;%/", next) && !(next == '"' && is_quoted))
		return plain_not_known(p);
	add_literal(w, '$');
	return true;
}

static bool take_single(struct plain *p, struct shell_word *w)
{
	bool was_tag;

	w->is_quoted = true;
	for (p->at++; plain_peek(p) != '\'';) {
		char c = plain_peek(p);

		/* In `...` these two mean something even here. */
		if (!c || (p->is_in_backtick && (c == '\\' || c == '`')))
			return plain_not_known(p);
		if (!take_tag(p, w, true, &was_tag))
			return false;
		if (!was_tag)
			add_literal(w, p->text.p[p->at++]);
	}
	p->at++;
	return true;
}

/* A backslash and what it stands before. */
static bool take_escape(struct plain *p, struct shell_word *w, bool is_quoted)
{
	char next = plain_peek_at(p, 1);

	if (p->is_in_backtick || next == '\0')
		return plain_not_known(p);
	p->at += 2;
	if (next == '\n') {
		/* It could have made a word of the grammar, or a number, of two. */
		w->is_quoted = true;
		return is_quoted || strchr(" \t", plain_peek(p)) || plain_not_known(p);
	}
	if (is_quoted && !strchr("$`\"\\", next))
		add_literal(w, '\\');
	add_literal(w, next);
	w->is_quoted = true;
	return true;
}

static bool take_double(struct plain *p, struct shell_word *w)
{
	bool was_tag, ok = true;

	w->is_quoted = true;
	for (p->at++; ok && plain_peek(p) != '"';) {
		ok = take_tag(p, w, true, &was_tag);
		if (!ok || was_tag)
			continue;
		switch (plain_peek(p)) {
		case '\0':
			return plain_not_known(p);
		case '\\':
			ok = take_escape(p, w, true);
			break;
		case '$':
			ok = take_dollar(p, w, true);
			break;
		case '`':
			if (p->is_in_backtick)
				return plain_not_known(p);
			p->at++;
			ok = take_substitution(p, w, true, '`');
			break;
		default:
			add_literal(w, p->text.p[p->at++]);
		}
	}
	p->at++;
	return ok;
}

bool plain_is_word_end(const struct plain *p)
{
	return strchr(" \t\n;&|()>", plain_peek(p)) ||
	       (p->is_in_backtick && plain_peek(p) == '`');
}

static bool take_bare(struct plain *p, struct shell_word *w)
{
	char c = plain_peek(p);

	if (c == '{' || c == '}' || c <= ' ' || c > '~')
		return plain_not_known(p);
	w->has_glob |= c == '*' || c == '?' || c == '[';
	add_literal(w, c);
	p->at++;
	return true;
}

/* Digits before a redirection are part of it; tags may have put them there. */
static bool is_descriptor(const struct shell_word *w)
{
	if (w->is_quoted || w->n_expansions || !w->n_head ||
	    w->n_head > sizeof(w->head))
		return false;
	for (size_t i = 0; i < w->n_head; i++) {
		if (w->head[i] < '0' || w->head[i] > '9')
			return false;
	}
	return true;
}

static bool end_word(struct plain *p, struct shell_word *w)
{
	char next = plain_peek(p);

	end_literals(w);
	return !((next == '<' || next == '>') && is_descriptor(w)) ||
	       plain_not_known(p);
}

bool plain_take_word(struct plain *p, struct shell_word *w)
{
	bool was_tag, ok = true;

	w->at = p->at;
	while (ok && !plain_is_word_end(p)) {
		ok = take_tag(p, w, false, &was_tag);
		if (!ok || was_tag)
			continue;
		switch (plain_peek(p)) {
		case '<':
			return end_word(p, w);
		case '\'':
			ok = take_single(p, w);
			break;
		case '"':
			ok = take_double(p, w);
			break;
		case '\\':
			ok = take_escape(p, w, false);
			break;
		case '$':
			ok = take_dollar(p, w, false);
			break;
		case '`':
			p->at++;
			ok = take_substitution(p, w, false, '`');
			break;
		default:
			ok = take_bare(p, w);
		}
	}
	return ok && end_word(p, w);
}
