/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * To quote a reference rightly one has to know where in the shell's grammar it stands.
 * The scanner keeps a stack of what is open: quotes, $(...), `...`, ${...}, a
 * here-document. It sees the trusted command only. It is exact for what shell_plain()
 * understands; elsewhere a wrong guess at worst shows quotes, or the reference itself,
 * for all values are inert then.
 */
#include "enforce/shell_script.h"

#include <errno.h>

#include "enforce/action_text.h"

#define MAX_DEPTH 64
#define MAX_HEREDOCS 8
#define VAR_PREFIX "f2bV_"

enum open {
	OPEN_NOTHING,
	OPEN_SINGLE,   /* '...' */
	OPEN_DOUBLE,   /* "..." */
	OPEN_PAREN,    /* (...), $(...) */
	OPEN_BACKTICK, /* `...` */
	OPEN_BRACE,    /* ${...} */
	OPEN_SUM,      /* $((...)) */
};

struct heredoc {
	struct span end; /* the line that ends it */
	bool is_literal; /* its word was quoted */
	bool is_indented;
};

struct scanner {
	struct span rest;
	enum open open[MAX_DEPTH];
	size_t depth;
	bool is_word_start;
	bool is_comment;
	enum shell_form form;
	char filler;
	struct heredoc docs[MAX_HEREDOCS];
	size_t n_docs; /* announced on this line, or being read */
	bool is_in_doc;
	shell_tag_fn tag;
	void *ctx;
	struct buf *script;
	struct buf *env;
};

static enum open top(const struct scanner *s)
{
	return s->depth ? s->open[s->depth - 1] : OPEN_NOTHING;
}

static void push(struct scanner *s, enum open what)
{
	if (s->depth < MAX_DEPTH)
		s->open[s->depth++] = what;
	else
		s->script->failed = true;
}

static void pop(struct scanner *s)
{
	if (s->depth)
		s->depth--;
}

static void copy(struct scanner *s, size_t n)
{
	if (n > s->rest.n)
		n = s->rest.n;
	buf_add(s->script, s->rest.p, n);
	s->rest = span_skip(s->rest, n);
}

static bool is_at(const struct scanner *s, const char *text)
{
	return span_starts(s->rest, span_of(text));
}

/* --- values ------------------------------------------------------------------------
 */

static void add_name(struct buf *b, struct span tag)
{
	buf_add_str(b, VAR_PREFIX);
	for (size_t i = 0; i < tag.n; i++)
		buf_add_char(b, shell_is_alnum(tag.p[i]) ? tag.p[i] : '_');
}

static bool is_in_env(const struct buf *env, struct span name)
{
	struct span rest = buf_span(env);

	while (rest.n) {
		struct span one = span_of(rest.p);

		if (one.n > name.n && one.p[name.n] == '=' && span_starts(one, name))
			return true;
		rest = span_skip(rest, one.n + 1);
	}
	return false;
}

static void put_in_env(
    struct scanner *s, struct span name, const struct shell_value *value)
{
	if (is_in_env(s->env, name))
		return;
	buf_add_span(s->env, name);
	buf_add_char(s->env, '=');
	shell_value_add(s->env, value, s->form, s->filler);
	buf_add_char(s->env, '\0');
}

static bool is_number(struct span v)
{
	for (size_t i = 0; i < v.n; i++) {
		if (v.p[i] < '0' || v.p[i] > '9')
			return false;
	}
	return v.n == 1 || (v.n > 0 && v.n < 19 && v.p[0] != '0');
}

static void refer(struct scanner *s, struct span tag, const struct shell_value *value)
{
	CLEANUP(buf_deinit) struct buf name = BUF_INIT(256);
	const char *around = "\"";

	add_name(&name, tag);
	if (name.failed) {
		s->script->failed = true;
		return;
	}
	if (s->is_comment || (s->is_in_doc && s->docs[0].is_literal))
		return;
	if (!s->is_in_doc && top(s) == OPEN_SUM) {
		buf_add_span(
		    s->script, is_number(value->text) ? value->text : SPAN("0"));
		return;
	}
	put_in_env(s, buf_span(&name), value);
	if (s->is_in_doc || top(s) == OPEN_DOUBLE || top(s) == OPEN_BRACE)
		around = "";
	if (!s->is_in_doc && top(s) == OPEN_SINGLE)
		buf_add_char(s->script, '\'');
	buf_printf(s->script, "%s${%s}%s", around, buf_str(&name), around);
	if (!s->is_in_doc && top(s) == OPEN_SINGLE)
		buf_add_char(s->script, '\'');
}

/* Return: was there a tag that has a value? */
static bool take_tag(struct scanner *s)
{
	struct shell_value v = {{"", 0}, true, false};
	struct span tag;
	size_t n = text_tag(s->rest, &tag);

	if (!n || !s->tag(s->ctx, tag, &v))
		return false;
	s->rest = span_skip(s->rest, n);
	if (v.is_foreign)
		refer(s, tag, &v);
	else
		buf_add_span(s->script, v.text);
	s->is_word_start = false;
	return true;
}

/* --- the shell's grammar -----------------------------------------------------------
 */

/* `<<word`: what its word says about the text that begins on the next line. */
static void take_heredoc(struct scanner *s)
{
	struct heredoc *d = &s->docs[s->n_docs];
	size_t n = 2;

	if (s->n_docs == MAX_HEREDOCS) {
		s->script->failed = true;
		return;
	}
	*d = (struct heredoc){.is_indented = s->rest.n > 2 && s->rest.p[2] == '-'};
	n += d->is_indented;
	while (n < s->rest.n && (s->rest.p[n] == ' ' || s->rest.p[n] == '\t'))
		n++;
	char quote = n < s->rest.n ? s->rest.p[n] : '\0';
	size_t from;

	d->is_literal = quote == '\'' || quote == '"' || quote == '\\';
	n += d->is_literal;
	from = n;
	while (n < s->rest.n &&
	       (shell_is_alnum(s->rest.p[n]) || strchr("_-.", s->rest.p[n])))
		n++;
	d->end = (struct span){s->rest.p + from, n - from};
	if (d->is_literal && n < s->rest.n && s->rest.p[n] == quote)
		n++;
	s->n_docs++;
	copy(s, n);
}

static void doc_ends(struct scanner *s)
{
	s->n_docs--;
	memmove(s->docs, s->docs + 1, s->n_docs * sizeof(s->docs[0]));
	s->is_in_doc = s->n_docs > 0;
}

/* At the start of a line of a here-document: is it the one that ends it? */
static bool take_doc_end(struct scanner *s)
{
	struct span rest = s->rest, line;

	while (s->docs[0].is_indented && rest.n && rest.p[0] == '\t')
		rest = span_skip(rest, 1);
	if (!span_next_line(&rest, &line) || !span_eq(line, s->docs[0].end))
		return false;
	copy(s, (size_t)(rest.p - s->rest.p));
	doc_ends(s);
	return true;
}

static void take_newline(struct scanner *s)
{
	copy(s, 1);
	s->is_comment = false;
	s->is_word_start = true;
	if (s->n_docs)
		s->is_in_doc = true;
	while (s->is_in_doc && take_doc_end(s))
		;
}

static void step_double(struct scanner *s)
{
	switch (s->rest.p[0]) {
	case '\\':
		copy(s, 2);
		return;
	case '"':
		pop(s);
		break;
	case '`':
		push(s, OPEN_BACKTICK);
		break;
	case '$':
		if (is_at(s, "$((")) {
			push(s, OPEN_SUM);
			push(s, OPEN_SUM);
			copy(s, 2);
		} else if (is_at(s, "$(")) {
			push(s, OPEN_PAREN);
			copy(s, 1);
		} else if (is_at(s, "${")) {
			push(s, OPEN_BRACE);
			copy(s, 1);
		}
		break;
	default:
		break;
	}
	copy(s, 1);
}

/* Each parenthesis counts, so that `$(( (1) + 2 ))` ends where the shell ends it. */
static void step_sum(struct scanner *s)
{
	if (s->rest.p[0] == '(')
		push(s, OPEN_SUM);
	if (s->rest.p[0] == ')')
		pop(s);
	copy(s, 1);
}

static void step_plain(struct scanner *s)
{
	char c = s->rest.p[0];
	bool was_word_start = s->is_word_start;

	s->is_word_start = strchr(" \t;&|(", c) != NULL;
	switch (c) {
	case '\'':
		push(s, OPEN_SINGLE);
		break;
	case '"':
		push(s, OPEN_DOUBLE);
		break;
	case '`':
		if (top(s) == OPEN_BACKTICK)
			pop(s);
		else
			push(s, OPEN_BACKTICK);
		break;
	case '(':
		push(s, OPEN_PAREN);
		break;
	case ')':
		if (top(s) == OPEN_PAREN)
			pop(s);
		break;
	case '#':
		s->is_comment = was_word_start;
		break;
	case '<':
		if (is_at(s, "<<<")) {
			copy(s, 2);
		} else if (is_at(s, "<<")) {
			take_heredoc(s);
			return;
		}
		break;
	case '\\':
	case '$':
		step_double(s); /* means the same there */
		return;
	default:
		break;
	}
	copy(s, 1);
}

static void step(struct scanner *s)
{
	if (s->rest.p[0] == '<' && take_tag(s))
		return;
	if (s->rest.p[0] == '\n' &&
	    (s->is_in_doc || top(s) == OPEN_NOTHING || top(s) == OPEN_PAREN ||
		top(s) == OPEN_BACKTICK)) {
		take_newline(s);
		return;
	}
	if (s->is_in_doc || s->is_comment) {
		copy(s, 1);
		return;
	}
	switch (top(s)) {
	case OPEN_SINGLE:
		if (s->rest.p[0] == '\'')
			pop(s);
		copy(s, 1);
		return;
	case OPEN_DOUBLE:
		step_double(s);
		return;
	case OPEN_BRACE:
		if (s->rest.p[0] == '}')
			pop(s);
		copy(s, s->rest.p[0] == '\\' ? 2 : 1);
		return;
	case OPEN_SUM:
		step_sum(s);
		return;
	default:
		step_plain(s);
	}
}

int shell_script(struct span command, shell_tag_fn tag, void *ctx, struct buf *script,
    struct buf *env, enum shell_form *out_form)
{
	struct shell_reason reason;
	struct scanner s = {
	    .rest = command,
	    .is_word_start = true,
	    .form = shell_plain(command, tag, ctx, &reason),
	    .filler = shell_value_filler(command, tag, ctx),
	    .tag = tag,
	    .ctx = ctx,
	    .script = script,
	    .env = env,
	};

	if (out_form)
		*out_form = s.form;
	buf_clear(script);
	buf_clear(env);
	while (s.rest.n && !script->failed)
		step(&s);
	return script->failed || env->failed ? -E2BIG : 0;
}
