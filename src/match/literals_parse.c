/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * literals_parse - recursive descent, one frame of three pieces for each open group
 *
 * Plain text and small classes are gathered in a run, which is multiplied out as long
 * as it fits, and only then joined to what stands before it: so literals are looked for
 * in runs, not in single characters.
 */

#include "match/literals_parse.h"

#include <errno.h>

#include "match/literals_lex.h"

#define DEPTH_MAX 40
#define STEPS_MAX 20000 /* characters, classes, groups */

struct flags {
	bool is_nocase;
	bool is_extended;
};

struct frame {
	struct literals_info branch, run, atom;
};

struct parser {
	struct span rest;
	struct literals_way *way;
	struct frame *frames;
	size_t depth;
	size_t n_steps;
	bool is_quoted; /* between \Q and \E */
	bool gave_up;
};

static size_t parse_alternatives(
    struct parser *p, struct flags flags, struct literals_info *out);

static void give_up(struct parser *p)
{
	p->gave_up = true;
	p->rest.n = 0;
}

static char peek(const struct parser *p, size_t i)
{
	return i < p->rest.n ? p->rest.p[i] : '\0';
}

static bool take(struct parser *p, struct span s)
{
	if (!span_starts(p->rest, s))
		return false;
	p->rest = span_skip(p->rest, s.n);
	return true;
}

static void skip_behind(struct parser *p, char end)
{
	ptrdiff_t at = span_index(p->rest, end);

	if (at < 0)
		give_up(p);
	else
		p->rest = span_skip(p->rest, (size_t)at + 1);
}

static bool is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Comments and the like, which may also stand before a quantifier. */
static void skip_ignored(struct parser *p, struct flags flags)
{
	while (p->rest.n > 0) {
		if (take(p, SPAN("\\E"))) {
			p->is_quoted = false;
		} else if (p->is_quoted) {
			return;
		} else if (take(p, SPAN("\\Q"))) {
			p->is_quoted = true;
		} else if (take(p, SPAN("(?#"))) {
			skip_behind(p, ')');
		} else if (flags.is_extended && is_blank(p->rest.p[0])) {
			p->rest = span_skip(p->rest, 1);
		} else if (flags.is_extended && p->rest.p[0] == '#') {
			ptrdiff_t at = span_index(p->rest, '\n');

			p->rest = span_skip(p->rest, at < 0 ? p->rest.n : (size_t)at);
		} else {
			return;
		}
	}
}

static void set_char(char c, struct flags flags, struct literals_info *out)
{
	bool has_relative = c == 'k' || c == 'K' || c == 's' || c == 'S';

	if (!literals_lex_is_plain((uint8_t)c) || (flags.is_nocase && has_relative))
		literals_info_set_any(out);
	else
		literals_info_set_char(out, c, flags.is_nocase);
}

static void set_chars(const struct literals_chars *chars, struct literals_info *out)
{
	literals_info_set_empty(out);
	out->prefix.n = 0;
	for (size_t i = 0; i < chars->n; i++) {
		struct literals_text t =
		    literals_text_of(chars->items[i].c, chars->items[i].is_nocase);

		(void)literals_texts_add(&out->prefix, &t); /* so few have room */
	}
}

/* "(?i-s" and so on, up to `)` or `:`. Return: false when these are no flags. */
static bool parse_flags(struct parser *p, struct flags *flags)
{
	struct flags f = *flags;
	bool is_on = true;
	size_t n_x = 0, i = 2;

	for (; i < p->rest.n && p->rest.p[i] != ')' && p->rest.p[i] != ':'; i++) {
		switch (p->rest.p[i]) {
		case '^':
			f = (struct flags){false, false};
			break;
		case '-':
			is_on = false;
			break;
		case 'i':
			f.is_nocase = is_on;
			break;
		case 'x':
			f.is_extended = is_on;
			n_x++;
			break;
		case 'm':
		case 's':
		case 'n':
		case 'J':
		case 'U':
			break;
		default:
			return false;
		}
	}
	if (i >= p->rest.n || n_x > 1)
		return false;
	p->rest = span_skip(p->rest, i);
	*flags = f;
	return true;
}

/* The rest of a group whose head is gone. Return: how many alternatives it has. */
static size_t parse_inside(
    struct parser *p, struct flags flags, struct literals_info *out)
{
	size_t n_branches = parse_alternatives(p, flags, out);

	if (!take(p, SPAN(")")))
		give_up(p);
	return n_branches;
}

/* Look-around. */
static bool parse_look(struct parser *p, struct flags flags, struct literals_info *out)
{
	bool is_wanted = take(p, SPAN("(?=")) || take(p, SPAN("(?<=")) ||
			 take(p, SPAN("(?*")) || take(p, SPAN("(?<*"));

	if (!is_wanted && !take(p, SPAN("(?!")) && !take(p, SPAN("(?<!")))
		return false;
	(void)parse_inside(p, flags, out);
	if (is_wanted)
		literals_info_look(out, p->way);
	else
		literals_info_set_empty(out);
	return true;
}

/* (?(1)yes|no): one of the two, or nothing when there is no `no`. */
static void parse_conditional(
    struct parser *p, struct flags flags, struct literals_info *out)
{
	size_t n_branches;

	p->rest = span_skip(p->rest, 2);
	if (peek(p, 1) == '?' || peek(p, 1) == '*') {
		if (!parse_look(p, flags, out))
			give_up(p);
	} else {
		skip_behind(p, ')');
	}
	n_branches = parse_inside(p, flags, out);
	if (n_branches < 2)
		literals_info_repeat(out, 0, 1, p->way);
}

/* Return: true when there was a call or a back reference, which says nothing. */
static bool parse_call(struct parser *p, struct literals_info *out)
{
	char c = peek(p, 2), next = peek(p, 3);
	bool is_number = (c >= '0' && c <= '9') ||
			 ((c == '+' || c == '-') && next >= '0' && next <= '9');

	if (!is_number && c != 'R' && c != '&' &&
	    !(c == 'P' && (next == '>' || next == '=')))
		return false;
	skip_behind(p, ')');
	literals_info_set_any(out);
	return true;
}

static bool take_group_name(struct parser *p)
{
	if (take(p, SPAN("(?P<")) || take(p, SPAN("(?<"))) {
		skip_behind(p, '>');
		return true;
	}
	if (take(p, SPAN("(?'"))) {
		skip_behind(p, '\'');
		return true;
	}
	return take(p, SPAN("(?>")) || take(p, SPAN("(?|")) || take(p, SPAN("(?:"));
}

/* May what begins with that `(` be left out? In doubt not. */
static bool is_option(struct span rest)
{
	struct literals_chars unused;
	size_t depth = 0;

	while (rest.n > 0) {
		char c = rest.p[0];

		if (c == '[') {
			if (literals_lex_class(&rest, false, &unused) ==
			    LITERALS_NOT_KNOWN)
				return false;
			continue;
		}
		if (c == '\\' && rest.n > 1)
			rest = span_skip(rest, 1);
		rest = span_skip(rest, 1);
		depth += c == '(';
		if (c == ')' && --depth == 0)
			return rest.n > 0 && strchr("?*", rest.p[0]);
	}
	return false;
}

/* At a `(`. */
static void parse_group(
    struct parser *p, struct flags *flags, struct literals_info *out)
{
	struct flags own = *flags;

	if (peek(p, 1) == '*') {
		give_up(p);
	} else if (peek(p, 1) != '?') {
		p->rest = span_skip(p->rest, 1);
		(void)parse_inside(p, own, out);
	} else if (span_starts(p->rest, SPAN("(?("))) {
		parse_conditional(p, own, out);
	} else if (parse_look(p, own, out) || parse_call(p, out)) {
		return;
	} else if (take_group_name(p)) {
		(void)parse_inside(p, own, out);
	} else if (!parse_flags(p, &own)) {
		give_up(p);
	} else if (take(p, SPAN(":"))) {
		(void)parse_inside(p, own, out);
	} else {
		p->rest = span_skip(p->rest, 1);
		*flags = own;
		literals_info_set_empty(out);
	}
}

/* An escape or a class. */
static void parse_token(struct parser *p, struct flags flags, struct literals_info *out)
{
	bool is_class = p->rest.p[0] == '[';
	struct literals_chars chars;
	char c = '\0';

	switch (is_class ? literals_lex_class(&p->rest, flags.is_nocase, &chars)
			 : literals_lex_escape(&p->rest, &c)) {
	case LITERALS_CHAR:
		set_char(c, flags, out);
		return;
	case LITERALS_CLASS:
		set_chars(&chars, out);
		return;
	case LITERALS_NOTHING:
		literals_info_set_empty(out);
		return;
	case LITERALS_ANY:
		literals_info_set_any(out);
		return;
	case LITERALS_NOT_KNOWN:
		give_up(p);
		return;
	}
}

static void parse_plain(struct parser *p, struct flags flags, struct literals_info *out)
{
	char c = p->rest.p[0];

	p->rest = span_skip(p->rest, 1);
	if (p->is_quoted)
		set_char(c, flags, out);
	else if (c == '^' || c == '$')
		literals_info_set_empty(out);
	else if (c == '.')
		literals_info_set_any(out);
	else if (strchr("*+?", c) || (flags.is_extended && (uint8_t)c >= 0x80))
		give_up(p); /* to be ignored may be meant, before a quantifier */
	else
		set_char(c, flags, out);
}

static void parse_atom(struct parser *p, struct flags *flags, struct literals_info *out)
{
	bool was_in_option = p->way->is_in_option;

	literals_info_set_any(out);
	if (++p->n_steps > STEPS_MAX)
		give_up(p);
	else if (p->is_quoted)
		parse_plain(p, *flags, out);
	else if (p->rest.p[0] == '(') {
		p->way->is_in_option |= !was_in_option && is_option(p->rest);
		parse_group(p, flags, out);
		p->way->is_in_option = was_in_option;
	} else if (p->rest.p[0] == '[' || p->rest.p[0] == '\\')
		parse_token(p, *flags, out);
	else
		parse_plain(p, *flags, out);
}

/* All quantifiers behind @atom: newer versions allow blanks within one. */
static void parse_quantifiers(
    struct parser *p, struct flags flags, struct literals_info *atom)
{
	size_t min, max;

	while (!p->gave_up) {
		skip_ignored(p, flags);
		if (p->is_quoted)
			return;
		switch (literals_lex_quantifier(&p->rest, &min, &max)) {
		case LITERALS_ONCE:
			return;
		case LITERALS_MANY:
			literals_info_repeat(atom, min, max, p->way);
			break;
		case LITERALS_AMBIGUOUS:
			literals_info_set_any(atom);
			skip_behind(p, '}');
			break;
		}
	}
}

static void add_atom(struct parser *p, struct frame *f)
{
	if (literals_info_is_joinable(&f->run, &f->atom)) {
		literals_info_concat(&f->run, &f->atom, p->way);
		return;
	}
	literals_info_concat(&f->branch, &f->run, p->way);
	literals_info_set_empty(&f->run);
	if (f->atom.is_exact)
		literals_info_copy(&f->run, &f->atom);
	else
		literals_info_concat(&f->branch, &f->atom, p->way);
}

/* One alternative, into f->branch. */
static void parse_branch(struct parser *p, struct flags *flags, struct frame *f)
{
	literals_info_set_empty(&f->branch);
	literals_info_set_empty(&f->run);
	for (;;) {
		skip_ignored(p, *flags);
		if (p->rest.n == 0)
			break;
		if (!p->is_quoted && (p->rest.p[0] == '|' || p->rest.p[0] == ')'))
			break;
		parse_atom(p, flags, &f->atom);
		parse_quantifiers(p, *flags, &f->atom);
		add_atom(p, f);
	}
	literals_info_concat(&f->branch, &f->run, p->way);
}

/* Flags that are set in one alternative hold in the next ones too. */
static size_t parse_alternatives(
    struct parser *p, struct flags flags, struct literals_info *out)
{
	struct frame *f = &p->frames[p->depth];
	size_t n_branches = 1;

	if (p->depth == DEPTH_MAX) {
		literals_info_set_any(out);
		give_up(p);
		return n_branches;
	}
	p->depth++;
	parse_branch(p, &flags, f);
	literals_info_copy(out, &f->branch);
	while (take(p, SPAN("|"))) {
		parse_branch(p, &flags, f);
		literals_info_alternate(out, &f->branch, p->way);
		n_branches++;
	}
	p->depth--;
	return n_branches;
}

int literals_parse(
    struct span pattern, struct literals_way *way, struct literals_info *out_info)
{
	CLEANUP(freep)
	struct frame *frames = malloc(DEPTH_MAX * sizeof(*frames)); /* large */
	struct parser p = {.rest = pattern, .way = way, .frames = frames};

	if (!frames)
		return -ENOMEM;
	(void)parse_alternatives(&p, (struct flags){false, false}, out_info);
	/* A `)` too many. */
	if (p.rest.n > 0 || p.gave_up)
		return LITERALS_PARSE_GAVE_UP;
	literals_info_settle(out_info, way);
	return 0;
}
