/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A recursive descent over the command, which runs in the order of its text: there are
 * no loops and no functions, so a variable that was assigned foreign text is tainted
 * from there on. Whatever is not expected ends it with "inert".
 */
#include "enforce/shell_plain.h"

#include "enforce/action_text.h"
#include "enforce/shell_programs.h"

#define MAX_DEPTH 16
#define MAX_TAINTED 32
#define OWN_PREFIX SPAN("f2bV_")

struct plain {
	struct span text;
	size_t at;
	shell_tag_fn tag;
	void *ctx;
	size_t depth;
	bool is_in_backtick;
	bool has_foreign_file; /* foreign text was written to one: any may hold it */
	struct span tainted[MAX_TAINTED];
	size_t n_tainted;
	enum shell_form form;
	struct shell_reason *reason;
};

/* What a part of the command puts out. */
struct part {
	bool is_foreign;
	bool has_lines;
};

static bool take_list(struct plain *p, bool is_stdin_foreign, struct part *out);

static bool refuse(struct plain *p, size_t at, const char *why)
{
	p->form = SHELL_INERT;
	*p->reason = (struct shell_reason){at, why};
	return false;
}

static bool not_known(struct plain *p)
{
	return refuse(p, p->at, "this part of the shell's language is not understood");
}

/* '\0' at the end; a NUL inside is one too, as the shell gets the command as a string.
 */
static char peek_at(const struct plain *p, size_t i)
{
	return p->at + i < p->text.n ? p->text.p[p->at + i] : '\0';
}

static char peek(const struct plain *p)
{
	return peek_at(p, 0);
}

static struct span rest_of(const struct plain *p)
{
	return span_skip(p->text, p->at);
}

static bool is_at(const struct plain *p, const char *text)
{
	return span_starts(rest_of(p), span_of(text));
}

static size_t tag_at(const struct plain *p, struct shell_value *out, struct span *name)
{
	size_t n = text_tag(rest_of(p), name);

	*out = (struct shell_value){{"", 0}, false, false};
	return n && p->tag(p->ctx, *name, out) ? n : 0;
}

static bool is_name_byte(char c)
{
	return shell_is_alnum(c) || c == '_';
}

static bool enter(struct plain *p)
{
	return ++p->depth <= MAX_DEPTH || refuse(p, p->at, "it is nested too deeply");
}

static bool is_tainted(const struct plain *p, struct span name)
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
	if (w->n_escape < 9 && (w->n_escape == 1 ? is_numeric : is_hex(c)))
		w->n_escape++;
	else
		w->n_escape = 0;
}

static void add_literal(struct shell_word *w, char c)
{
	if (w->n_expansions == 0) {
		if (w->n_head < sizeof(w->head))
			w->head[w->n_head] = c;
		w->n_head++;
	}
	w->n_literals++;
	w->is_tag_last = false;
	add_to_escape(w, c);
	add_to_format(w, c);
}

static void add_derived(
    struct shell_word *w, bool is_foreign, bool has_lines, bool is_quoted)
{
	w->n_expansions++;
	w->is_tag_last = false;
	w->has_bare |= !is_quoted;
	w->is_odd_escape |= is_foreign && w->n_escape;
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
	size_t n = tag_at(p, &v, &name);

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
		if (!is_name_byte(c) && (!c || !strchr(".:/,+@=-", c)) &&
		    !(is_quoted && c == ' '))
			return refuse(p, p->at, "a value has bytes that are not plain");
		add_literal(w, c);
	}
	p->at += n;
	return true;
}

static bool take_variable(struct plain *p, struct shell_word *w, bool is_quoted)
{
	bool has_brace = peek(p) == '{';
	size_t n = has_brace;

	while (is_name_byte(peek_at(p, n)))
		n++;
	struct span name = {p->text.p + p->at + has_brace, n - has_brace};

	if (name.n == 0 || (name.p[0] >= '0' && name.p[0] <= '9') ||
	    (has_brace && peek_at(p, n) != '}') || span_starts(name, OWN_PREFIX))
		return not_known(p);
	p->at += n + has_brace;
	bool is_foreign = is_tainted(p, name);

	add_derived(w, is_foreign, is_foreign, is_quoted);
	return true;
}

static bool take_substitution(
    struct plain *p, struct shell_word *w, bool is_quoted, char end)
{
	struct part part = {false, false};
	bool was_in_backtick = p->is_in_backtick;

	if (!enter(p))
		return false;
	p->is_in_backtick |= end == '`';
	if (!take_list(p, p->has_foreign_file, &part))
		return false;
	if (peek(p) != end)
		return not_known(p);
	p->at++;
	p->is_in_backtick = was_in_backtick;
	p->depth--;
	add_derived(w, part.is_foreign, part.has_lines, is_quoted);
	return true;
}

/* At a "$". */
static bool take_dollar(struct plain *p, struct shell_word *w, bool is_quoted)
{
	char next = peek_at(p, 1);

	if (next == '(') {
		if (peek_at(p, 2) == '(')
			return not_known(p);
		p->at += 2;
		return take_substitution(p, w, is_quoted, ')');
	}
	p->at++;
	if (next == '{' || is_name_byte(next))
		return take_variable(p, w, is_quoted);
	if (next == '?' || next == '$') {
		p->at++;
		add_derived(w, false, false, is_quoted);
		return true;
	}
	/* Elsewhere bash has more meanings for it than POSIX. */
	if (!strchr(" \t\n.,:;%/", next) && !(next == '"' && is_quoted))
		return not_known(p);
	add_literal(w, '$');
	return true;
}

static bool take_single(struct plain *p, struct shell_word *w)
{
	bool was_tag;

	w->is_quoted = true;
	for (p->at++; peek(p) != '\'';) {
		char c = peek(p);

		/* In `...` these two mean something even here. */
		if (!c || (p->is_in_backtick && (c == '\\' || c == '`')))
			return not_known(p);
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
	char next = peek_at(p, 1);

	if (p->is_in_backtick || next == '\0')
		return not_known(p);
	p->at += 2;
	if (next == '\n')
		return true;
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
	for (p->at++; ok && peek(p) != '"';) {
		ok = take_tag(p, w, true, &was_tag);
		if (!ok || was_tag)
			continue;
		switch (peek(p)) {
		case '\0':
			return not_known(p);
		case '\\':
			ok = take_escape(p, w, true);
			break;
		case '$':
			ok = take_dollar(p, w, true);
			break;
		case '`':
			if (p->is_in_backtick)
				return not_known(p);
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

static bool is_word_end(const struct plain *p)
{
	return strchr(" \t\n;&|()>", peek(p)) || (p->is_in_backtick && peek(p) == '`');
}

static bool take_bare(struct plain *p, struct shell_word *w)
{
	char c = peek(p);

	if (c == '{' || c == '}' || c <= ' ' || c > '~')
		return not_known(p);
	w->has_glob |= c == '*' || c == '?' || c == '[';
	add_literal(w, c);
	p->at++;
	return true;
}

/* Up to the blank or operator that ends it; it may be empty. */
static bool take_word(struct plain *p, struct shell_word *w)
{
	bool was_tag, ok = true;

	w->at = p->at;
	while (ok && !is_word_end(p)) {
		ok = take_tag(p, w, false, &was_tag);
		if (!ok || was_tag)
			continue;
		switch (peek(p)) {
		case '<':
			return true;
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
	return ok;
}

/* --- simple commands ---------------------------------------------------------------
 */

/* Where shells agree that it does, and shell_script.c too. */
static bool may_begin_comment(const struct plain *p)
{
	char before = p->at ? p->text.p[p->at - 1] : '\n';
	bool is_continued = p->at > 1 && p->text.p[p->at - 2] == '\\';

	return !p->is_in_backtick && !is_continued && strchr(" \t\n;", before);
}

/* Blanks, and @lines too: line ends and comments between commands. */
static bool skip(struct plain *p, bool lines)
{
	for (;;) {
		char c = peek(p);

		if (c == ' ' || c == '\t' || (lines && c == '\n')) {
			p->at++;
		} else if (c == '\\' && peek_at(p, 1) == '\n' && !p->is_in_backtick) {
			p->at += 2;
		} else if (c == '#') {
			if (!may_begin_comment(p))
				return not_known(p);
			while (peek(p) && peek(p) != '\n')
				p->at++;
		} else {
			return true;
		}
	}
}

static bool is_redirection(const struct plain *p)
{
	struct plain ahead = *p;
	struct shell_value v;
	struct span name;

	while (peek(&ahead) >= '0' && peek(&ahead) <= '9')
		ahead.at++;
	return peek(&ahead) == '>' ||
	       (peek(&ahead) == '<' && !tag_at(&ahead, &v, &name));
}

/* [n]>path, [n]>>path, [n]<path, [n]>&m */
static bool take_redirection(struct plain *p, bool *out_writes)
{
	struct shell_word w = {.n_head = 0};

	while (peek(p) >= '0' && peek(p) <= '9')
		p->at++;
	bool is_out = peek(p) == '>';

	p->at += is_at(p, ">>") ? 2 : 1;
	if (peek(p) == '&') {
		p->at++;
		bool ok = peek(p) >= '0' && peek(p) <= '9';

		p->at += ok;
		return (ok && is_word_end(p)) || not_known(p);
	}
	if (strchr("<>|", peek(p)) || !skip(p, false))
		return not_known(p);
	if (!take_word(p, &w))
		return false;
	if (w.n_expansions || w.has_glob || w.n_literals == 0)
		return refuse(p, w.at, "this path is not a literal");
	*out_writes |= is_out && !(w.n_head == 9 && !memcmp(w.head, "/dev/null", 9));
	return true;
}

/* Length of `NAME=`, 0 if there is none. */
static size_t assignment_len(const struct plain *p)
{
	size_t n = 0;

	if (peek(p) >= '0' && peek(p) <= '9')
		return 0;
	while (is_name_byte(peek_at(p, n)))
		n++;
	return n && peek_at(p, n) == '=' ? n + 1 : 0;
}

/* Names that mean something to the shell or the loader of programs are no place for
 * values; foreign ones go to lower case only, for bash computes some of the others. */
static bool is_assignable(struct span name, bool is_foreign)
{
	static const struct span special[] = {SPAN("BASH"), SPAN("LD_"),
	    SPAN("SHELLOPTS"), SPAN("ENV"), SPAN("PS4"), OWN_PREFIX};

	if (span_eq(name, SPAN("PATH")))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(special); i++) {
		if (span_starts(name, special[i]))
			return false;
	}
	return !is_foreign || (name.p[0] >= 'a' && name.p[0] <= 'z');
}

static bool is_locale(struct span name)
{
	return span_starts(name, SPAN("LC_")) || span_eq(name, SPAN("LANG")) ||
	       span_eq(name, SPAN("TZ"));
}

/* @out_exportable: false when it must not stand before a command. */
static bool take_assignment(struct plain *p, size_t n, bool *out_exportable)
{
	struct span name = {p->text.p + p->at, n - 1};
	struct shell_word w = {.n_head = 0};
	size_t at = p->at;

	p->at += n;
	if (!take_word(p, &w))
		return false;
	if (!is_assignable(name, w.is_foreign))
		return refuse(p, at, "this variable is not one for such a value");
	if (w.is_odd_escape)
		return refuse(p, at, "what stands before a value could be a backslash");
	*out_exportable &= is_locale(name) && !w.is_foreign;
	if (!w.is_foreign || is_tainted(p, name))
		return true;
	if (p->n_tainted == MAX_TAINTED)
		return refuse(p, at, "too many variables hold foreign values");
	p->tainted[p->n_tainted++] = name;
	return true;
}

/* A name must be one at sight. */
static bool is_plain_name(const struct shell_word *w)
{
	if (w->n_expansions || w->is_quoted || w->n_head > sizeof(w->head))
		return false;
	if (w->n_head == 1 && (w->head[0] == '[' || w->head[0] == ':'))
		return true;
	for (size_t i = 0; i < w->n_head; i++) {
		if (!is_name_byte(w->head[i]) && !strchr("./+-", w->head[i]))
			return false;
	}
	return w->n_head > 0;
}

static bool judge(
    struct plain *p, const struct shell_word *words, size_t n, bool is_stdin_foreign)
{
	struct shell_reason reason = {0, NULL};
	enum shell_form form =
	    shell_program_form(words, n, is_stdin_foreign, &reason.at, &reason.why);

	if (form == SHELL_INERT)
		return refuse(p, reason.at, reason.why);
	if (form == SHELL_WORD && p->form == SHELL_WHOLE) {
		p->form = SHELL_WORD;
		*p->reason = reason;
	}
	return true;
}

/* @words: room for SHELL_MAX_WORDS. */
static bool take_words(struct plain *p, struct shell_word *words, size_t *n,
    bool *out_writes, bool *out_exportable, bool *out_any)
{
	for (;; *out_any = true) {
		size_t n_name;

		if (!skip(p, false))
			return false;
		if (is_redirection(p)) {
			if (!take_redirection(p, out_writes))
				return false;
			continue;
		}
		if (is_word_end(p))
			return true;
		n_name = *n == 0 ? assignment_len(p) : 0;
		if (n_name) {
			if (!take_assignment(p, n_name, out_exportable))
				return false;
			continue;
		}
		if (*n == SHELL_MAX_WORDS)
			return refuse(p, p->at, "it has too many words");
		words[*n] = (struct shell_word){.n_head = 0};
		if (!take_word(p, &words[(*n)++]))
			return false;
	}
}

static bool take_simple(struct plain *p, bool is_stdin_foreign, struct part *out)
{
	struct shell_word words[SHELL_MAX_WORDS];
	bool writes = false, is_exportable = true, any = false;
	size_t n = 0;

	if (!take_words(p, words, &n, &writes, &is_exportable, &any))
		return false;
	if (!any || peek(p) == '(')
		return not_known(p);
	if (n == 0)
		return true;
	if (!is_plain_name(&words[0]) || !is_exportable)
		return not_known(p);
	is_stdin_foreign |= p->has_foreign_file;
	if (!judge(p, words, n, is_stdin_foreign))
		return false;
	out->is_foreign = out->has_lines = is_stdin_foreign;
	for (size_t i = 1; i < n; i++) {
		out->is_foreign |= words[i].is_foreign;
		out->has_lines |= words[i].has_lines;
	}
	writes |= shell_program_writes_file(&words[0]);
	p->has_foreign_file |= writes && out->is_foreign;
	return true;
}

/* --- lists -------------------------------------------------------------------------
 */

/* The word that stands here, where it could be one of the grammar's. */
static struct span keyword(const struct plain *p)
{
	size_t n = 0;

	while (p->at + n < p->text.n && !strchr(" \t\n;&|()<>", peek_at(p, n)))
		n++;
	return (struct span){p->text.p + p->at, n};
}

static bool is_keyword(const struct plain *p, const char *word)
{
	return span_eq(keyword(p), span_of(word));
}

static bool take_keyword(struct plain *p, const char *word)
{
	if (!is_keyword(p, word))
		return not_known(p);
	p->at += strlen(word);
	return true;
}

static bool is_one_of(struct span word, const char *const *words)
{
	for (; *words; words++) {
		if (span_eq(word, span_of(*words)))
			return true;
	}
	return false;
}

static bool is_list_end(const struct plain *p)
{
	static const char *const ends[] = {"then", "elif", "else", "fi", "}", NULL};

	return peek(p) == '\0' || peek(p) == ')' ||
	       (p->is_in_backtick && peek(p) == '`') || is_one_of(keyword(p), ends);
}

/* Redirections behind a compound command. */
static bool take_tail(struct plain *p, const struct part *out)
{
	bool writes = false;

	for (;;) {
		if (!skip(p, false))
			return false;
		if (!is_redirection(p))
			break;
		if (!take_redirection(p, &writes))
			return false;
	}
	p->has_foreign_file |= writes && out->is_foreign;
	return true;
}

static bool take_if(struct plain *p, bool is_stdin_foreign, struct part *out)
{
	do {
		p->at += is_keyword(p, "if") ? 2 : 4; /* or elif */
		if (!take_list(p, is_stdin_foreign, out) || !take_keyword(p, "then") ||
		    !take_list(p, is_stdin_foreign, out))
			return false;
	} while (is_keyword(p, "elif"));
	if (is_keyword(p, "else")) {
		p->at += 4;
		if (!take_list(p, is_stdin_foreign, out))
			return false;
	}
	return take_keyword(p, "fi");
}

static bool take_group(struct plain *p, bool is_stdin_foreign, struct part *out)
{
	char end = peek(p) == '(' ? ')' : '}';

	p->at++;
	if (peek(p) == '(')
		return not_known(p);
	if (!take_list(p, is_stdin_foreign, out))
		return false;
	if (peek(p) != end)
		return not_known(p);
	p->at++;
	return true;
}

static bool take_command(struct plain *p, bool is_stdin_foreign, struct part *out)
{
	static const char *const others[] = {"for", "while", "until", "case", "esac",
	    "do", "done", "in", "function", "select", "time", "coproc", "[[", "]]",
	    NULL};
	bool is_if = is_keyword(p, "if");

	if (is_one_of(keyword(p), others))
		return not_known(p);
	if (!is_if && peek(p) != '(' && !is_keyword(p, "{"))
		return take_simple(p, is_stdin_foreign, out);
	if (!enter(p))
		return false;
	if (is_if ? !take_if(p, is_stdin_foreign, out)
		  : !take_group(p, is_stdin_foreign, out))
		return false;
	p->depth--;
	return take_tail(p, out);
}

static bool take_pipeline(struct plain *p, bool is_stdin_foreign, struct part *out)
{
	for (;;) {
		struct part part = {false, false};

		if (is_keyword(p, "!")) {
			p->at++;
			if (!skip(p, false))
				return false;
		}
		if (!take_command(p, is_stdin_foreign, &part) || !skip(p, false))
			return false;
		if (peek(p) != '|' || peek_at(p, 1) == '|') {
			out->is_foreign |= part.is_foreign;
			out->has_lines |= part.has_lines;
			return true;
		}
		if (peek_at(p, 1) == '&')
			return not_known(p);
		p->at++;
		if (!skip(p, true))
			return false;
		is_stdin_foreign = part.is_foreign;
	}
}

/* Up to what ends the construct that it stands in. */
static bool take_list(struct plain *p, bool is_stdin_foreign, struct part *out)
{
	if (!skip(p, true))
		return false;
	while (!is_list_end(p)) {
		if (!take_pipeline(p, is_stdin_foreign, out))
			return false;
		char c = peek(p);

		if ((c == '&' || c == '|') && peek_at(p, 1) == c)
			p->at += 2;
		else if (c == ';' && peek_at(p, 1) != ';')
			p->at++;
		else if (c != '\n' && !is_list_end(p))
			return not_known(p);
		if (!skip(p, true))
			return false;
	}
	return true;
}

static bool has_foreign(const struct plain *whole)
{
	struct plain p = *whole;

	for (; p.at < p.text.n; p.at++) {
		struct shell_value v;
		struct span name;

		if (tag_at(&p, &v, &name) && v.is_foreign)
			return true;
	}
	return false;
}

enum shell_form shell_plain(
    struct span command, shell_tag_fn tag, void *ctx, struct shell_reason *out_reason)
{
	struct plain p = {
	    .text = command,
	    .tag = tag,
	    .ctx = ctx,
	    .form = SHELL_WHOLE,
	    .reason = out_reason,
	};
	struct part out = {false, false};

	*out_reason = (struct shell_reason){0, NULL};
	if (!has_foreign(&p))
		return SHELL_WHOLE;
	if (take_list(&p, false, &out) && p.at < command.n)
		(void)not_known(&p);
	return p.form;
}
