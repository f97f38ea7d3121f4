/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * duration - the arithmetic expressions fail2ban takes for a time span
 *
 * fail2ban puts "*86400" in place of "d", a "+" between two numbers with only blanks
 * between them, and evaluates the text. So a unit is a multiplication of what stands
 * left of it and binds as one: "6/2h" is three hours, "2**1h" two. Unlike there,
 * leading zeros are plain decimals. Recursion is bounded by the length of the text.
 */

#include "base/clock.h"

#include <errno.h>
#include <math.h>

#define MAX_BYTES 256

/* Longest spelling first: a word is a unit only if all of it is used. */
static const struct unit {
	const char *words;
	double sec;
} units[] = {
    {"days day da dd d", 86400},
    {"weeks week wee ww w", 604800},
    {"months month mon mo", 2629800},
    {"years year yea yy y", 31557600},
    {"seconds second sec ss s", 1},
    {"minutes minute min mm m", 60},
    {"hours hour hou hh h", 3600},
};

struct parser {
	struct span rest;
	bool bad;
	bool after_digit; /* the last token ended in a digit, or was a unit */
};

static double sum(struct parser *ps);

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static double fail(struct parser *ps)
{
	ps->bad = true;
	ps->rest.n = 0;
	return 0;
}

/* Skip blanks; the byte that follows, or NUL at the end. */
static char peek(struct parser *ps)
{
	struct span s = ps->rest;

	while (s.n > 0 && (s.p[0] == ' ' || s.p[0] == '\t' || s.p[0] == '\n'))
		s = span_skip(s, 1);
	ps->rest = s;
	return s.n > 0 ? s.p[0] : '\0';
}

static bool accept(struct parser *ps, char c)
{
	if (peek(ps) != c)
		return false;
	ps->rest = span_skip(ps->rest, 1);
	ps->after_digit = false;
	return true;
}

/* A single "*": the first half of "**" is another operator. */
static bool accept_times(struct parser *ps)
{
	if (peek(ps) == '*' && ps->rest.n > 1 && ps->rest.p[1] == '*')
		return false;
	return accept(ps, '*');
}

static bool accept_power(struct parser *ps)
{
	if (peek(ps) != '*' || ps->rest.n < 2 || ps->rest.p[1] != '*')
		return false;
	ps->rest = span_skip(ps->rest, 2);
	ps->after_digit = false;
	return true;
}

static bool accept_unit(struct parser *ps, double *sec)
{
	size_t n = 0;

	(void)peek(ps);
	while (n < ps->rest.n && is_letter(ps->rest.p[n]))
		n++;
	if (n == 0)
		return false;
	for (size_t i = 0; i < ARRAY_LEN(units); i++) {
		struct span words = span_of(units[i].words), word;

		while (span_next_word(&words, "", &word)) {
			if (!span_eq_nocase(word, (struct span){ps->rest.p, n}))
				continue;
			*sec = units[i].sec;
			ps->rest = span_skip(ps->rest, n);
			ps->after_digit = true;
			return true;
		}
	}
	(void)fail(ps);
	return false;
}

/* By hand, as strtod() listens to the locale and knows "inf", "0x" and "1e3". */
static double number(struct parser *ps)
{
	double v = 0, scale = 1;
	size_t n = 0, n_digits = 0;
	bool in_fraction = false;

	for (; n < ps->rest.n; n++) {
		char c = ps->rest.p[n];

		if (c == '.' && !in_fraction) {
			in_fraction = true;
		} else if (is_digit(c)) {
			v = v * 10 + (c - '0');
			scale *= in_fraction ? 10 : 1;
			n_digits++;
		} else {
			break;
		}
	}
	if (n_digits == 0)
		return fail(ps);
	ps->after_digit = is_digit(ps->rest.p[n - 1]);
	ps->rest = span_skip(ps->rest, n);
	return v / scale;
}

static double factor(struct parser *ps)
{
	double v;

	if (!accept(ps, '('))
		return number(ps);
	v = sum(ps);
	if (!accept(ps, ')'))
		return fail(ps);
	return v;
}

/* Right-associative, and stronger than a sign on its left: -2**2 is -4. */
static double signed_power(struct parser *ps)
{
	double v;

	if (accept(ps, '-'))
		return -signed_power(ps);
	if (accept(ps, '+'))
		return signed_power(ps);
	v = factor(ps);
	if (!accept_power(ps))
		return v;
	return pow(v, signed_power(ps));
}

static double product(struct parser *ps)
{
	double v = signed_power(ps), sec;

	while (!ps->bad) {
		if (accept_unit(ps, &sec))
			v *= sec;
		else if (accept_times(ps))
			v *= signed_power(ps);
		else if (accept(ps, '/'))
			v /= signed_power(ps);
		else
			break;
	}
	return v;
}

static double sum(struct parser *ps)
{
	double v = product(ps);

	while (!ps->bad) {
		if (accept(ps, '+'))
			v += product(ps);
		else if (accept(ps, '-'))
			v -= product(ps);
		else if (ps->after_digit && is_digit(peek(ps)))
			v += product(ps);
		else
			break;
	}
	return v;
}

int duration_parse(struct span s, double *out_sec)
{
	struct parser ps = {.rest = span_trim(s)};
	double v;

	if (s.n > MAX_BYTES)
		return -EINVAL;
	v = sum(&ps);
	if (ps.bad || peek(&ps) != '\0' || ps.rest.n > 0 || !isfinite(v))
		return -EINVAL;
	*out_sec = v;
	return 0;
}

void duration_format(struct buf *b, int64_t sec)
{
	static const struct {
		int64_t sec;
		char name;
	} steps[] = {{86400, 'd'}, {3600, 'h'}, {60, 'm'}, {1, 's'}};
	int n_units = 0;

	if (sec < 0) {
		buf_add_str(b, "forever");
		return;
	}
	if (sec == 0)
		buf_add_str(b, "0s");
	for (size_t i = 0; i < ARRAY_LEN(steps) && n_units < 3; i++) {
		int64_t n = sec / steps[i].sec;

		if (n == 0)
			continue;
		buf_printf(
		    b, "%s%lld%c", n_units > 0 ? " " : "", (long long)n, steps[i].name);
		sec %= steps[i].sec;
		n_units++;
	}
}
