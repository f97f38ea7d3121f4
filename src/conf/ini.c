/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ini - a line-wise reader with one piece of memory: the option whose value may go on
 *
 * An indented line goes on with the value of the option above it, whatever it looks
 * like; a line that is not indented deeper begins something new.
 */

#include "conf/ini.h"

#include <errno.h>

#include "conf/chars.h"

struct parser {
	struct arena *arena;
	struct diag *d;
	const char *file;
	struct ini *out;
	struct ini_section *section; /* NULL before the first header */
	struct ini_option *option;   /* whose value may go on, or NULL */
	struct text_out value;       /* of that option, so far */
	struct ini_option scratch;   /* takes the value of an option that is refused */
	size_t n_blank_lines; /* inside the value, not yet known to be followed */
	size_t indent;        /* of that option, in characters */
	size_t n_options;
	unsigned int line;
	bool is_headless_told, is_full;
};

void ini_init(struct ini *ini, struct arena *a)
{
	*ini = (struct ini){.sections = DICT_INIT(a)};
	ini->defaults.name = "DEFAULT";
	ini->defaults.options = DICT_INIT(a);
}

const struct ini_section *ini_find_section(const struct ini *ini, struct span name)
{
	return dict_find(&ini->sections, name);
}

const struct ini_option *ini_find_option(const struct ini_section *s, struct span name)
{
	return s ? dict_find(&s->options, name) : NULL;
}

struct ini_section *ini_make_section(
    struct ini *ini, const char *name, struct conf_place at)
{
	struct arena *a = ini->sections.arena;
	struct ini_section *s = dict_find(&ini->sections, span_of(name));

	if (s)
		return s;
	s = arena_alloc(a, sizeof(*s));
	if (!s)
		return NULL;
	*s = (struct ini_section){.name = name, .at = at, .options = DICT_INIT(a)};
	return dict_put(&ini->sections, name, s) < 0 ? NULL : s;
}

static struct conf_place place_in(
    const struct parser *p, struct span line, const char *at)
{
	return (struct conf_place){
	    .file = p->file, .line = p->line, .col = (unsigned int)(at - line.p) + 1};
}

static void mark_broken(struct parser *p)
{
	p->out->is_broken = true;
	if (p->section)
		p->section->is_broken = true;
}

static int finish_option(struct parser *p)
{
	int r;

	p->n_blank_lines = 0;
	if (!p->option)
		return 0;
	r = text_out_keep(&p->value, p->arena, &p->option->value);
	if (r == -E2BIG) {
		diag_add(p->d, DIAG_ERROR, p->option->at,
		    "%s: the value is larger than %zu bytes", p->option->name,
		    TEXT_MAX);
		mark_broken(p);
		r = text_slice(
		    p->arena, &(struct text){.p = ""}, 0, 0, &p->option->value);
	}
	p->option = NULL;
	return r;
}

static void continue_value(struct parser *p, struct span value, struct conf_place at)
{
	for (; p->n_blank_lines; p->n_blank_lines--)
		text_out_add(&p->value, SPAN("\n"), at, true);
	text_out_add(&p->value, SPAN("\n"), at, true);
	text_out_add(&p->value, value, at, false);
}

static int begin_section(struct parser *p, struct span name, struct conf_place at)
{
	const struct ini_section *old = ini_find_section(p->out, name);
	char *copy;
	int r = finish_option(p);

	if (r < 0)
		return r;
	if (span_eq(name, SPAN("DEFAULT"))) {
		p->section = &p->out->defaults;
		return 0;
	}
	if (!old && p->out->sections.n >= INI_SECTIONS_MAX) {
		diag_add(p->d, DIAG_ERROR, at, "more than %d sections in one file",
		    INI_SECTIONS_MAX);
		p->is_full = true;
		mark_broken(p);
		return 0;
	}
	copy = arena_dup(p->arena, name);
	p->section = copy ? ini_make_section(p->out, copy, at) : NULL;
	if (!p->section)
		return -ENOMEM;
	if (old) {
		diag_add(p->d, DIAG_ERROR, at,
		    "section [%s] stands twice in this file, first in line %u; put its "
		    "options together",
		    chars_show(name).text, old->at.line);
		mark_broken(p);
	}
	return 0;
}

/* Where the value of an option goes: the option itself, or nowhere if it is refused. */
static struct ini_option *place_option(struct parser *p, struct ini_option o)
{
	const struct ini_option *old = ini_find_option(p->section, span_of(o.name));
	struct ini_option *new;

	if (old) {
		diag_add(p->d, DIAG_ERROR, o.at,
		    "%s: already set in line %u of this section; only one can be meant",
		    o.name, old->at.line);
		mark_broken(p);
		p->scratch = o;
		return &p->scratch;
	}
	if (p->n_options++ >= INI_OPTIONS_MAX) {
		diag_add(p->d, DIAG_ERROR, o.at, "more than %d options in one file",
		    INI_OPTIONS_MAX);
		p->is_full = true;
		mark_broken(p);
		p->scratch = o;
		return &p->scratch;
	}
	new = arena_alloc(p->arena, sizeof(*new));
	if (!new)
		return NULL;
	*new = o;
	return dict_put(&p->section->options, new->name, new) < 0 ? NULL : new;
}

static int begin_option(struct parser *p, struct span line, struct span text)
{
	struct span name = text, value;
	struct ini_option o = {.at = place_in(p, line, text.p)};
	size_t n = 0;

	while (n < text.n && text.p[n] != '=' && text.p[n] != ':')
		n++;
	name.n = n;
	name = chars_trim(name);
	if (n == text.n || !name.n) {
		diag_add(p->d, DIAG_ERROR, o.at,
		    "'%s' is neither 'option = value' nor a [section]; a line that "
		    "goes on "
		    "with a value must be indented",
		    chars_show(text).text);
		mark_broken(p);
		return 0;
	}
	value = chars_trim(span_skip(text, n + 1));
	o.name = arena_dup_lower(p->arena, name);
	o.is_default = p->section == &p->out->defaults;
	if (!o.name || finish_option(p) < 0)
		return -ENOMEM;
	p->option = place_option(p, o);
	if (!p->option)
		return -ENOMEM;
	text_out_clear(&p->value);
	text_out_add(&p->value, value, place_in(p, line, value.p), false);
	return 0;
}

static int begin_something(struct parser *p, struct span line, struct span text)
{
	struct conf_place at = place_in(p, line, text.p);
	size_t end = text.n;

	/* The header reaches to the last ']' of the line, as in Python 3.11. */
	while (end && text.p[end - 1] != ']')
		end--;
	if (text.p[0] == '[' && end > 2) {
		if (end < text.n)
			diag_add(p->d, DIAG_WARNING, place_in(p, line, text.p + end),
			    "what follows the ']' of a section is not read");
		return begin_section(p, (struct span){text.p + 1, end - 2}, at);
	}
	if (p->section)
		return begin_option(p, line, text);
	if (!p->is_headless_told)
		diag_add(p->d, DIAG_ERROR, at,
		    "'%s' stands before the first [section]; expected a section",
		    chars_show(text).text);
	p->is_headless_told = true;
	mark_broken(p);
	return 0;
}

/* Where the comment of @line begins: a ';' behind a blank, or the whole line. -1: none.
 */
static ptrdiff_t find_comment(struct span line)
{
	struct span text = chars_trim(line);

	if (text.n && (text.p[0] == '#' || text.p[0] == ';'))
		return 0;
	for (size_t i = 0; i < line.n; i++)
		if (line.p[i] == ';' && (i == 0 || chars_is_blank_before(line, i)))
			return (ptrdiff_t)i;
	return -1;
}

static int parse_line(struct parser *p, struct span line)
{
	ptrdiff_t comment = find_comment(line);
	struct span text = line;
	size_t indent;

	if (comment >= 0)
		text.n = (size_t)comment;
	text = chars_trim(text);
	if (!text.n) {
		if (comment < 0 && p->option)
			p->n_blank_lines++;
		return 0;
	}
	indent = chars_indent(line);
	if (p->option && indent > p->indent) {
		continue_value(p, text, place_in(p, line, text.p));
		return 0;
	}
	p->indent = indent;
	return begin_something(p, line, text);
}

/* Lines end with \n, \r\n or \r, as Python reads text. */
static struct span cut_line(struct span *rest)
{
	struct span line = *rest;
	size_t n = 0, n_eol = 0;

	while (n < rest->n && rest->p[n] != '\n' && rest->p[n] != '\r')
		n++;
	if (n < rest->n)
		n_eol = rest->p[n] == '\r' && n + 1 < rest->n && rest->p[n + 1] == '\n'
			    ? 2
			    : 1;
	line.n = n;
	*rest = span_skip(*rest, n + n_eol);
	return line;
}

static bool is_text(struct parser *p, struct span line)
{
	ptrdiff_t bad = chars_bad_at(line);

	if (bad < 0)
		return true;
	diag_add(p->d, DIAG_ERROR, place_in(p, line, line.p + bad),
	    "byte 0x%02x is not valid UTF-8 text; save the file as UTF-8",
	    (unsigned char)line.p[bad]);
	mark_broken(p);
	return false;
}

static void skip_byte_order_mark(struct parser *p, struct span *rest)
{
	if (!span_starts(*rest, SPAN("\xef\xbb\xbf")))
		return;
	diag_add(p->d, DIAG_ERROR, (struct conf_place){p->file, 1, 1},
	    "the file begins with a byte order mark, which fail2ban's language does "
	    "not "
	    "allow; save it as UTF-8 without one");
	p->out->is_broken = true;
	*rest = span_skip(*rest, 3);
}

int ini_parse(struct arena *a, struct span content, const char *file, struct diag *d,
    struct ini *out)
{
	struct parser p = {.arena = a, .d = d, .file = file, .out = out};
	int r = 0;

	ini_init(out, a);
	p.value = TEXT_OUT_INIT;
	skip_byte_order_mark(&p, &content);
	while (r == 0 && content.n && !p.is_full) {
		struct span line = cut_line(&content);

		p.line++;
		if (is_text(&p, line))
			r = parse_line(&p, line);
	}
	if (r == 0)
		r = finish_option(&p);
	text_out_deinit(&p.value);
	return r;
}
