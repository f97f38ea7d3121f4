/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A recursive descent over the command, which runs in the order of its text: there are
 * no loops and no functions, so a variable that was assigned foreign text is tainted
 * from there on. Whatever is not expected ends it with "inert".
 */
#include "enforce/shell_plain.h"

#include "enforce/shell_plain_private.h"

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
		char c = plain_peek(p);

		if (c == ' ' || c == '\t' || (lines && c == '\n')) {
			p->at++;
		} else if (c == '\\' && plain_peek_at(p, 1) == '\n' &&
			   !p->is_in_backtick) {
			p->at += 2;
		} else if (c == '#') {
			if (!may_begin_comment(p))
				return plain_not_known(p);
			while (plain_peek(p) && plain_peek(p) != '\n')
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

	while (plain_peek(&ahead) >= '0' && plain_peek(&ahead) <= '9')
		ahead.at++;
	return plain_peek(&ahead) == '>' ||
	       (plain_peek(&ahead) == '<' && !plain_tag_at(&ahead, &v, &name));
}

/* [n]>path, [n]>>path, [n]<path, [n]>&m */
static bool take_redirection(struct plain *p, bool *out_writes)
{
	struct shell_word w = {.n_head = 0};

	while (plain_peek(p) >= '0' && plain_peek(p) <= '9')
		p->at++;
	bool is_out = plain_peek(p) == '>';

	p->at += plain_is_at(p, ">>") ? 2 : 1;
	if (plain_peek(p) == '&') {
		p->at++;
		bool ok = plain_peek(p) >= '0' && plain_peek(p) <= '9';

		p->at += ok;
		return (ok && plain_is_word_end(p)) || plain_not_known(p);
	}
	if (strchr("<>|", plain_peek(p)) || !skip(p, false))
		return plain_not_known(p);
	if (!plain_take_word(p, &w))
		return false;
	if (w.n_expansions || w.has_glob || w.n_literals == 0)
		return plain_refuse(p, w.at, "this path is not a literal");
	*out_writes |= is_out && !(w.n_head == 9 && !memcmp(w.head, "/dev/null", 9));
	return true;
}

/* Length of `NAME=`, 0 if there is none. */
static size_t assignment_len(const struct plain *p)
{
	size_t n = 0;

	if (plain_peek(p) >= '0' && plain_peek(p) <= '9')
		return 0;
	while (plain_is_name_byte(plain_peek_at(p, n)))
		n++;
	return n && plain_peek_at(p, n) == '=' ? n + 1 : 0;
}

/* Names that mean something to the shell or the loader of programs are no place for
 * values; foreign ones go to lower case only, for bash computes some of the others. */
static bool is_assignable(struct span name, bool is_foreign)
{
	static const struct span special[] = {SPAN("BASH"), SPAN("LD_"),
	    SPAN("SHELLOPTS"), SPAN("ENV"), SPAN("PS4"), PLAIN_OWN_PREFIX};

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
static bool take_assignment(
    struct plain *p, size_t n, bool *out_exportable, struct part *out)
{
	struct span name = {p->text.p + p->at, n - 1};
	struct shell_word w = {.n_head = 0};
	size_t at = p->at;

	p->at += n;
	if (!plain_take_word(p, &w))
		return false;
	if (!is_assignable(name, w.is_foreign))
		return plain_refuse(p, at, "this variable is not one for such a value");
	if (w.is_odd_escape)
		return plain_refuse(
		    p, at, "what stands before a value could be a backslash");
	*out_exportable &= is_locale(name) && !w.is_foreign;
	p->has_backslash |= w.has_backslash;
	/* The substitution may have put it out past the variable (>&2). */
	out->is_foreign |= w.has_derived;
	out->has_lines |= w.has_derived;
	if (!w.is_foreign || plain_is_tainted(p, name))
		return true;
	if (p->n_tainted == PLAIN_MAX_TAINTED)
		return plain_refuse(p, at, "too many variables hold foreign values");
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
		if (!plain_is_name_byte(w->head[i]) && !strchr("./+-", w->head[i]))
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
		return plain_refuse(p, reason.at, reason.why);
	if (form == SHELL_WORD && p->form == SHELL_WHOLE) {
		p->form = SHELL_WORD;
		*p->reason = reason;
	}
	return true;
}

/* @words: room for SHELL_MAX_WORDS. */
static bool take_words(struct plain *p, struct shell_word *words, size_t *n,
    bool *out_writes, bool *out_exportable, bool *out_any, struct part *out)
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
		if (plain_is_word_end(p))
			return true;
		n_name = *n == 0 ? assignment_len(p) : 0;
		if (n_name) {
			if (!take_assignment(p, n_name, out_exportable, out))
				return false;
			continue;
		}
		if (*n == SHELL_MAX_WORDS)
			return plain_refuse(p, p->at, "it has too many words");
		words[*n] = (struct shell_word){.n_head = 0};
		if (!plain_take_word(p, &words[(*n)++]))
			return false;
	}
}

static bool take_simple(struct plain *p, bool is_stdin_foreign, struct part *out)
{
	struct shell_word words[SHELL_MAX_WORDS];
	bool writes = false, is_exportable = true, any = false;
	bool was_stdin_foreign = p->is_stdin_foreign;
	size_t n = 0;

	p->is_stdin_foreign = is_stdin_foreign;
	if (!take_words(p, words, &n, &writes, &is_exportable, &any, out))
		return false;
	p->is_stdin_foreign = was_stdin_foreign;
	if (!any || plain_peek(p) == '(')
		return plain_not_known(p);
	is_stdin_foreign |= p->has_foreign_file;
	if (n && (!is_plain_name(&words[0]) || !is_exportable))
		return plain_not_known(p);
	if (n && !judge(p, words, n, is_stdin_foreign))
		return false;
	/* Without a name it is bash's $(< file), or puts out nothing. */
	if (n == 0 || !shell_program_ignores_stdin(&words[0])) {
		out->is_foreign |= is_stdin_foreign;
		out->has_lines |= is_stdin_foreign;
	}
	if (n == 0)
		return true;
	for (size_t i = 1; i < n; i++) {
		out->is_foreign |= words[i].is_foreign;
		out->has_lines |= words[i].has_lines;
		out->has_backslash |= words[i].has_backslash;
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

	while (p->at + n < p->text.n && !strchr(" \t\n;&|()<>", plain_peek_at(p, n)))
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
		return plain_not_known(p);
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

	return plain_peek(p) == '\0' || plain_peek(p) == ')' ||
	       (p->is_in_backtick && plain_peek(p) == '`') ||
	       is_one_of(keyword(p), ends);
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
		if (!plain_take_list(p, is_stdin_foreign, out) ||
		    !take_keyword(p, "then") ||
		    !plain_take_list(p, is_stdin_foreign, out))
			return false;
	} while (is_keyword(p, "elif"));
	if (is_keyword(p, "else")) {
		p->at += 4;
		if (!plain_take_list(p, is_stdin_foreign, out))
			return false;
	}
	return take_keyword(p, "fi");
}

static bool take_group(struct plain *p, bool is_stdin_foreign, struct part *out)
{
	char end = plain_peek(p) == '(' ? ')' : '}';

	p->at++;
	if (plain_peek(p) == '(')
		return plain_not_known(p);
	if (!plain_take_list(p, is_stdin_foreign, out))
		return false;
	if (plain_peek(p) != end)
		return plain_not_known(p);
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
		return plain_not_known(p);
	if (!is_if && plain_peek(p) != '(' && !is_keyword(p, "{"))
		return take_simple(p, is_stdin_foreign, out);
	if (!plain_enter(p))
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
		struct part part = {false, false, false};

		if (is_keyword(p, "!")) {
			p->at++;
			if (!skip(p, false))
				return false;
		}
		if (!take_command(p, is_stdin_foreign, &part) || !skip(p, false))
			return false;
		/* Each may write past the pipe, too. */
		out->is_foreign |= part.is_foreign;
		out->has_lines |= part.has_lines;
		out->has_backslash |= part.has_backslash;
		if (plain_peek(p) != '|' || plain_peek_at(p, 1) == '|')
			return true;
		if (plain_peek_at(p, 1) == '&')
			return plain_not_known(p);
		p->at++;
		if (!skip(p, true))
			return false;
		is_stdin_foreign = part.is_foreign;
	}
}

/* Up to what ends the construct that it stands in. */
bool plain_take_list(struct plain *p, bool is_stdin_foreign, struct part *out)
{
	if (!skip(p, true))
		return false;
	while (!is_list_end(p)) {
		if (!take_pipeline(p, is_stdin_foreign, out))
			return false;
		char c = plain_peek(p);

		if ((c == '&' || c == '|') && plain_peek_at(p, 1) == c)
			p->at += 2;
		else if (c == ';' && plain_peek_at(p, 1) != ';')
			p->at++;
		else if (c != '\n' && !is_list_end(p))
			return plain_not_known(p);
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

		if (plain_tag_at(&p, &v, &name) && v.is_foreign)
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
	struct part out = {false, false, false};

	*out_reason = (struct shell_reason){0, NULL};
	if (!has_foreign(&p))
		return SHELL_WHOLE;
	if (plain_take_list(&p, false, &out) && p.at < command.n)
		(void)plain_not_known(&p);
	return p.form;
}
