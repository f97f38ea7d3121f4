/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * literals_lex - no table of all of PCRE2: what is not listed is not known
 */

#include "match/literals_lex.h"

#define CODE_NONE (-1L)  /* a set of characters, or one that is not ASCII */
#define CODE_WRONG (-2L) /* not known how to read it */
#define REPEAT_MAX 65535

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_octal(char c)
{
	return c >= '0' && c <= '7';
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static int hex_value(char c)
{
	if (is_digit(c))
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static char peek(struct span s, size_t i)
{
	return i < s.n ? s.p[i] : '\0';
}

static bool take(struct span *s, char c)
{
	if (s->n == 0 || s->p[0] != c)
		return false;
	*s = span_skip(*s, 1);
	return true;
}

bool literals_lex_is_plain(long code)
{
	return code > 0 && code < 0x80 && code != '\n' && code != '\r';
}

static long code_of(long value)
{
	return value < 0x80 ? value : CODE_NONE;
}

/* Digits up to a `}` that must be there. */
static long take_braced(struct span *rest, int base)
{
	long value = 0;
	size_t n = 0;

	while (rest->n > 0 && rest->p[0] != '}') {
		int digit = hex_value(rest->p[0]);

		if (digit < 0 || digit >= base || value > 0x10ffff)
			return CODE_WRONG;
		value = value * base + digit;
		*rest = span_skip(*rest, 1);
		n++;
	}
	return take(rest, '}') && n > 0 ? code_of(value) : CODE_WRONG;
}

static long take_hex(struct span *rest)
{
	long value = 0;

	if (take(rest, '{'))
		return take_braced(rest, 16);
	for (int i = 0; i < 2 && hex_value(peek(*rest, 0)) >= 0; i++) {
		value = value * 16 + hex_value(rest->p[0]);
		*rest = span_skip(*rest, 1);
	}
	return code_of(value);
}

static long take_octal(struct span *rest, int n_max)
{
	long value = 0;

	for (int i = 0; i < n_max && is_octal(peek(*rest, 0)); i++) {
		value = value * 8 + (rest->p[0] - '0');
		*rest = span_skip(*rest, 1);
	}
	return code_of(value);
}

/* Up to @end, which must be there. */
static bool skip_to(struct span *rest, char end)
{
	ptrdiff_t at = span_index(*rest, end);

	*rest = span_skip(*rest, at < 0 ? rest->n : (size_t)at + 1);
	return at >= 0;
}

/* What may follow \p and the like. */
static bool skip_property(struct span *rest)
{
	if (take(rest, '{'))
		return skip_to(rest, '}');
	if (rest->n == 0)
		return false;
	*rest = span_skip(*rest, 1);
	return true;
}

/*
 * Escapes that mean one thing inside and outside of classes; @c stood behind the
 * backslash and is gone from @rest.
 */
static long take_common(struct span *rest, char c)
{
	switch (c) {
	case 'a':
		return '\a';
	case 'e':
		return 0x1b;
	case 'f':
		return '\f';
	case 'n':
		return '\n';
	case 'r':
		return '\r';
	case 't':
		return '\t';
	case 'x':
		return take_hex(rest);
	case 'o':
		return take(rest, '{') ? take_braced(rest, 8) : CODE_WRONG;
	case '0':
		return take_octal(rest, 2);
	case 'p':
	case 'P':
		return skip_property(rest) ? CODE_NONE : CODE_WRONG;
	case 'c':
		if (rest->n == 0)
			return CODE_WRONG;
		*rest = span_skip(*rest, 1);
		return CODE_NONE;
	}
	if (c != '\0' && strchr("dDwWsShHvV", c))
		return CODE_NONE;
	if (is_letter(c) || is_digit(c))
		return CODE_WRONG;
	return code_of((uint8_t)c);
}

/* The name or number behind \g and \k. */
static bool skip_reference(struct span *rest)
{
	if (take(rest, '{'))
		return skip_to(rest, '}');
	if (take(rest, '<'))
		return skip_to(rest, '>');
	if (take(rest, '\''))
		return skip_to(rest, '\'');
	if (!take(rest, '-'))
		(void)take(rest, '+');
	if (!is_digit(peek(*rest, 0)))
		return false;
	while (is_digit(peek(*rest, 0)))
		*rest = span_skip(*rest, 1);
	return true;
}

enum literals_token literals_lex_escape(struct span *rest, char *out)
{
	char c = peek(*rest, 1);
	long code;

	if (rest->n < 2)
		return LITERALS_NOT_KNOWN;
	*rest = span_skip(*rest, 2);
	if (c != '\0' && strchr("bBAzZGK", c)) /* \b{...} is new, and read otherwise */
		return peek(*rest, 0) == '{' ? LITERALS_NOT_KNOWN : LITERALS_NOTHING;
	if (c == 'N')
		return !span_starts(*rest, SPAN("{U+")) || skip_to(rest, '}')
			   ? LITERALS_ANY
			   : LITERALS_NOT_KNOWN;
	if (c == 'R' || c == 'X')
		return LITERALS_ANY;
	if (c == 'g' || c == 'k')
		return skip_reference(rest) ? LITERALS_ANY : LITERALS_NOT_KNOWN;
	if (c >= '1' && c <= '9') {
		/* A group, or an octal number and digits behind it. */
		while (is_digit(peek(*rest, 0)))
			*rest = span_skip(*rest, 1);
		return LITERALS_ANY;
	}
	code = take_common(rest, c);
	if (code == CODE_WRONG)
		return LITERALS_NOT_KNOWN;
	if (!literals_lex_is_plain(code))
		return LITERALS_ANY;
	*out = (char)code;
	return LITERALS_CHAR;
}

struct set {
	uint64_t has[2]; /* of ASCII */
	bool has_more;
};

static void set_add(struct set *s, long from, long to)
{
	if (from < 0 || to < 0) {
		s->has_more = true;
		return;
	}
	for (long c = from; c <= to; c++)
		s->has[c / 64] |= UINT64_C(1) << (c % 64);
}

static bool set_has(const struct set *s, char c)
{
	return s->has[(uint8_t)c / 64] >> (c % 64) & 1;
}

/* A member of a class. */
static long take_member(struct span *rest)
{
	char c = peek(*rest, 0), next = peek(*rest, 1);

	if (rest->n == 0)
		return CODE_WRONG;
	if (c == '[' && (next == ':' || next == '.' || next == '='))
		return CODE_WRONG;
	*rest = span_skip(*rest, 1);
	if (c != '\\')
		return code_of((uint8_t)c);
	if (rest->n == 0)
		return CODE_WRONG;
	*rest = span_skip(*rest, 1);
	if (next == 'b')
		return '\b';
	if (is_octal(next)) {
		*rest = (struct span){rest->p - 1, rest->n + 1};
		return take_octal(rest, 3);
	}
	return take_common(rest, next);
}

/* Return: false when it is not known how to read it. */
static bool take_members(struct span *rest, struct set *s)
{
	bool is_first = true;

	while (is_first || peek(*rest, 0) != ']') {
		long from = take_member(rest), to = from;

		is_first = false;
		if (from == CODE_WRONG)
			return false;
		if (peek(*rest, 0) == '-' && peek(*rest, 1) != ']') {
			*rest = span_skip(*rest, 1);
			to = take_member(rest);
			if (to == CODE_WRONG)
				return false;
		}
		set_add(s, from, to);
	}
	return take(rest, ']');
}

/* Return: false when there are too many, or others than plain ones. */
static bool set_list(const struct set *s, bool is_nocase, struct literals_chars *out)
{
	out->n = 0;
	if (s->has_more)
		return false;
	for (int code = 0; code < 0x80; code++) {
		char c = (char)code;
		bool is_upper = c >= 'A' && c <= 'Z', is_both = false;

		if (is_letter(c)) {
			bool has_other = set_has(s, (char)(c ^ 0x20));

			is_both = is_nocase || (has_other && set_has(s, c));
			if (!set_has(s, c) && !(is_nocase && has_other))
				continue;
			if (is_both && is_upper)
				continue; /* comes again in lower case */
		} else if (!set_has(s, c)) {
			continue;
		}
		/* Both have a relative beyond ASCII. */
		if (!literals_lex_is_plain(c) || out->n == LITERALS_CHARS_MAX ||
		    (is_nocase && (c == 'k' || c == 's')))
			return false;
		out->items[out->n++] = (struct literals_char){c, is_both};
	}
	return out->n > 0;
}

enum literals_token literals_lex_class(
    struct span *rest, bool is_nocase, struct literals_chars *out)
{
	struct set s = {.has_more = false};

	*rest = span_skip(*rest, 1);
	if (take(rest, '^'))
		s.has_more = true;
	if (!take_members(rest, &s))
		return LITERALS_NOT_KNOWN;
	return set_list(&s, is_nocase, out) ? LITERALS_CLASS : LITERALS_ANY;
}

/* Return: false when there is none. */
static bool take_count(struct span *rest, size_t *out)
{
	bool is_there = is_digit(peek(*rest, 0));

	*out = 0;
	while (is_digit(peek(*rest, 0))) {
		if (*out <= REPEAT_MAX)
			*out = *out * 10 + (size_t)(rest->p[0] - '0');
		*rest = span_skip(*rest, 1);
	}
	return is_there;
}

static bool is_braces(struct span s)
{
	size_t i = 1;

	while (i < s.n &&
	       (is_digit(s.p[i]) || s.p[i] == ',' || s.p[i] == ' ' || s.p[i] == '\t'))
		i++;
	return i > 1 && i < s.n && s.p[i] == '}';
}

/* {n}, {n,} and {n,m}; other forms are quantifiers or text depending on the version. */
static enum literals_quantifier take_braces(struct span *rest, size_t *min, size_t *max)
{
	struct span s = span_skip(*rest, 1);

	if (!is_braces(*rest))
		return LITERALS_ONCE;
	if (!take_count(&s, min))
		return LITERALS_AMBIGUOUS;
	*max = *min;
	if (take(&s, ',') && !take_count(&s, max))
		*max = SIZE_MAX;
	if (!take(&s, '}'))
		return LITERALS_AMBIGUOUS;
	*rest = s;
	return LITERALS_MANY;
}

enum literals_quantifier literals_lex_quantifier(
    struct span *rest, size_t *out_min, size_t *out_max)
{
	enum literals_quantifier found = LITERALS_MANY;

	*out_min = 0;
	*out_max = SIZE_MAX;
	if (take(rest, '?'))
		*out_max = 1;
	else if (take(rest, '+'))
		*out_min = 1;
	else if (peek(*rest, 0) == '{')
		found = take_braces(rest, out_min, out_max);
	else if (!take(rest, '*'))
		return LITERALS_ONCE;
	if (found == LITERALS_MANY && !take(rest, '?'))
		(void)take(rest, '+');
	return found;
}
