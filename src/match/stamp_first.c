/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * stamp_first - looks at the front of patterns
 *
 * In doubt nothing is known: that costs time, a wrong answer would cost dates.
 */

#include "match/stamp_first.h"

#include "match/regex_text.h"
#include "match/stamp_directive.h"

#define LEAD_MAX 2

static void add_char(struct stamp_first *f, char c, bool ignores_case)
{
	char other = c;

	if (ignores_case && ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')))
		other = (char)(c ^ 0x20);
	f->ascii[(uint8_t)c / 64] |= UINT64_C(1) << (c % 64);
	f->ascii[(uint8_t)other / 64] |= UINT64_C(1) << (other % 64);
}

/* The inside of a class, such as "0-9 ". */
static void add_class(struct stamp_first *f, const char *chars, bool ignores_case)
{
	for (; *chars; chars++) {
		if (chars[1] == '-' && chars[2]) {
			for (char c = chars[0]; c <= chars[2]; c++)
				add_char(f, c, ignores_case);
			chars += 2;
		} else {
			add_char(f, *chars, ignores_case);
		}
	}
}

static bool has(const struct stamp_first *f, uint8_t c)
{
	return f->ascii[c / 64] >> (c % 64) & 1;
}

/* Does all of @s depend on how it begins: no `|` outside of groups, no flags? */
static bool is_one_way(struct span s)
{
	for (size_t i = 0; i + 2 < s.n; i++) {
		if (s.p[i] == '(' && s.p[i + 1] == '?' && !strchr(":P=", s.p[i + 2]))
			return false;
	}
	return regex_text_is_closed(s);
}

static bool is_optional(struct span rest)
{
	return rest.n > 0 && strchr("?*{", rest.p[0]);
}

/* Take a directive off the front. */
static bool take_directive(struct stamp_first *f, struct span *rest, bool ignores_case)
{
	const struct stamp_directive *d;

	if (!span_starts(*rest, SPAN("%")))
		return false;
	d = stamp_directive_find(span_skip(*rest, 1));
	if (!d)
		return false;
	*rest = span_skip(*rest, 1 + strlen(d->key));
	if (is_optional(*rest))
		return false;
	add_class(f, d->first, ignores_case);
	return true;
}

/* Take "(?:%x ...)" off the front; plain text only behind the directive. */
static bool take_group(struct stamp_first *f, struct span *rest, bool ignores_case)
{
	if (!span_starts(*rest, SPAN("(?:")))
		return false;
	*rest = span_skip(*rest, 3);
	if (!take_directive(f, rest, ignores_case))
		return false;
	while (rest->n > 0 && rest->p[0] != ')') {
		if (strchr("([\\|", rest->p[0]))
			return false;
		*rest = span_skip(*rest, 1);
	}
	*rest = span_skip(*rest, 1);
	return true;
}

struct stamp_first stamp_first_of(struct span pattern, bool ignores_case)
{
	struct stamp_first f = {false};
	struct span rest = pattern;

	if (!is_one_way(pattern))
		return f;
	while (take_group(&f, &rest, ignores_case)) {
		if (!is_optional(rest)) {
			f.is_known = true;
			return f;
		}
		if (!span_starts(rest, SPAN("?")))
			return f;
		rest = span_skip(rest, 1);
		pattern = rest;
	}
	rest = pattern;
	f.is_known = take_directive(&f, &rest, ignores_case);
	return f;
}

void stamp_first_add(const struct stamp_first *f, struct buf *out)
{
	if (!f->is_known)
		return;
	buf_add_str(out, "(?=[");
	for (uint8_t c = ' '; c < 127; c++) {
		if (has(f, c) && c != '-')
			buf_add_char(out, (char)c);
	}
	/* Last, where it means itself. */
	if (has(f, '-'))
		buf_add_char(out, '-');
	buf_add_str(out, "])");
}

static bool is_word(uint8_t c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
	       (c >= 'A' && c <= 'Z') || c == '_';
}

bool stamp_first_fits(const struct stamp_first *f, struct span line)
{
	for (size_t i = 0; i <= LEAD_MAX && i < line.n; i++) {
		uint8_t c = (uint8_t)line.p[i];

		if (c >= 0x80 || has(f, c))
			return true;
		if (is_word(c))
			return false;
	}
	return false;
}

enum stamp_first_kind stamp_first_kind(const struct stamp_first *f)
{
	enum stamp_first_kind kind = STAMP_FIRST_WORD;

	for (unsigned int c = 0; c < 128; c++) {
		if (!has(f, (uint8_t)c) || c == '_' || (c >= '0' && c <= '9') ||
		    ((c | 0x20) >= 'a' && (c | 0x20) <= 'z'))
			continue;
		if (c != ' ' && c != '+' && c != '-')
			return STAMP_FIRST_UNKNOWN;
		kind = STAMP_FIRST_LOOSE;
	}
	return f->is_known ? kind : STAMP_FIRST_UNKNOWN;
}
