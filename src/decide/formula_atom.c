/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * formula_atom - the words of a formula: signs, numbers, names, calls
 */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "decide/formula_private.h"

#define NUMBER_MAX_BYTES 60
#define NAME_SHOWN 40

/* --- text --------------------------------------------------------------------------
 */

__attribute__((format(printf, 3, 4))) void formula_fail(
    struct formula_parser *ps, const char *at, const char *format, ...)
{
	va_list args;

	if (!ps->has_failed) {
		ps->e->at = (size_t)(at - ps->begin);
		va_start(args, format);
		(void)vsnprintf(ps->e->text, sizeof(ps->e->text), format, args);
		va_end(args);
	}
	ps->has_failed = true;
	ps->p = ps->end;
}

void formula_skip_blanks(struct formula_parser *ps)
{
	while (ps->p < ps->end &&
	       (*ps->p == ' ' || *ps->p == '\t' || *ps->p == '\n' || *ps->p == '\r'))
		ps->p++;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/* The name that stands here, dots included; empty if none. */
static struct span peek_name(struct formula_parser *ps)
{
	const char *p;

	formula_skip_blanks(ps);
	p = ps->p;
	if (p < ps->end && is_letter(*p))
		while (p < ps->end && (is_letter(*p) || is_digit(*p) || *p == '.'))
			p++;
	return (struct span){ps->p, (size_t)(p - ps->p)};
}

bool formula_take_word(struct formula_parser *ps, const char *word)
{
	struct span name = peek_name(ps);

	if (!span_eq(name, span_of(word)))
		return false;
	ps->p += name.n;
	return true;
}

bool formula_take_sign(struct formula_parser *ps, const char *sign, const char *unless)
{
	size_t n = strlen(sign);

	formula_skip_blanks(ps);
	if ((size_t)(ps->end - ps->p) < n || memcmp(ps->p, sign, n) != 0)
		return false;
	if (ps->p + n < ps->end && ps->p[n] && strchr(unless, ps->p[n]))
		return false;
	ps->p += n;
	return true;
}

void formula_fail_here(struct formula_parser *ps, const char *expected)
{
	formula_skip_blanks(ps);
	if (ps->p == ps->end)
		formula_fail(ps, ps->p, "ends too early, expected %s", expected);
	else if (*ps->p > ' ' && *ps->p <= '~')
		formula_fail(ps, ps->p, "expected %s, not '%c'", expected, *ps->p);
	else
		formula_fail(ps, ps->p, "expected %s", expected);
}

uint32_t formula_emit(struct formula_parser *ps, enum formula_op op, uint16_t n)
{
	if (ps->n == FORMULA_MAX_STEPS) {
		formula_fail(
		    ps, ps->p, "is too long, more than %d steps", FORMULA_MAX_STEPS);
		return 0;
	}
	ps->steps[ps->n] = (struct formula_step){.op = (uint8_t)op, .n = n};
	return ps->n++;
}

static void emit_value(struct formula_parser *ps, struct formula_value v)
{
	uint32_t i = formula_emit(ps, OP_PUSH, 0);

	if (!ps->has_failed)
		ps->steps[i].value = v;
}

/* --- numbers and names -------------------------------------------------------------
 */

static struct formula_value value_of_digits(const char *digits)
{
	struct formula_value v;
	int64_t i;

	if (span_to_i64(span_of(digits), &i) == 0)
		return formula_whole(i);
	(void)formula_to_whole(strtod(digits, NULL), &v); /* digits are no NaN */
	return v;
}

/* 12, 1.5, .5, 5., 1e3, 2.5e-1: copied out, as strtod() would read on, and knows more.
 */
static void parse_number(struct formula_parser *ps)
{
	char text[NUMBER_MAX_BYTES + 1];
	const char *start = ps->p;
	bool is_float = false;
	size_t n = 0;

	for (; ps->p < ps->end && n < NUMBER_MAX_BYTES; text[n++] = *ps->p++) {
		char c = *ps->p;
		bool is_exponent = n && (text[n - 1] == 'e' || text[n - 1] == 'E');

		if (is_digit(c))
			continue;
		if (c != '.' && c != 'e' && c != 'E' &&
		    !(is_exponent && (c == '+' || c == '-')))
			break;
		is_float = true;
	}
	text[n] = '\0';
	if (n == NUMBER_MAX_BYTES ||
	    (ps->p < ps->end && (is_letter(*ps->p) || is_digit(*ps->p))))
		return formula_fail(ps, start, "is no number bandog knows");
	if (!is_float && n > 1 && text[0] == '0' && strspn(text, "0") != n)
		return formula_fail(ps, start, "a number does not begin with 0");
	if (!is_float)
		return emit_value(ps, value_of_digits(text));
	char *end;
	double f = strtod(text, &end); /* no program of ours sets a locale */

	if (*end)
		return formula_fail(ps, start, "'%s' is no number", text);
	emit_value(ps, formula_float(f));
}

static const struct {
	const char *name;
	uint8_t fn, min, max; /* arguments; max 0: any number */
	bool is_chance;
} functions[] = {
    {"float", FN_FLOAT, 1, 1, false},
    {"int", FN_INT, 1, 1, false},
    {"bool", FN_BOOL, 1, 1, false},
    {"abs", FN_ABS, 1, 1, false},
    {"min", FN_MIN, 2, 0, false},
    {"max", FN_MAX, 2, 0, false},
    {"round", FN_ROUND, 1, 2, false},
    {"pow", FN_POW, 2, 2, false},
    {"random.random", FN_RANDOM, 0, 0, true},
    {"random.uniform", FN_UNIFORM, 2, 2, true},
    {"math.floor", FN_FLOOR, 1, 1, false},
    {"math.ceil", FN_CEIL, 1, 1, false},
    {"math.trunc", FN_TRUNC, 1, 1, false},
    {"math.log", FN_LOG, 1, 2, false},
    {"math.pow", FN_MATH_POW, 2, 2, false},
    {"math.fmod", FN_FMOD, 2, 2, false},
    {"math.exp", FN_EXP, 1, 1, false},
    {"math.expm1", FN_EXPM1, 1, 1, false},
    {"math.log1p", FN_LOG1P, 1, 1, false},
    {"math.log2", FN_LOG2, 1, 1, false},
    {"math.log10", FN_LOG10, 1, 1, false},
    {"math.sqrt", FN_SQRT, 1, 1, false},
    {"math.fabs", FN_FABS, 1, 1, false},
    {"math.sin", FN_SIN, 1, 1, false},
    {"math.cos", FN_COS, 1, 1, false},
    {"math.tanh", FN_TANH, 1, 1, false},
    {"math.atan", FN_ATAN, 1, 1, false},
};

static const struct {
	const char *name;
	uint8_t op;
	bool is_constant;
	bool is_float;
	double value;
} names[] = {
    {"ban.Time", OP_BAN_TIME, false, false, 0},
    {"ban.Count", OP_BAN_COUNT, false, false, 0},
    {"banFactor", OP_BAN_FACTOR, false, false, 0},
    {"math.pi", OP_PUSH, true, true, M_PI},
    {"math.e", OP_PUSH, true, true, M_E},
    {"math.tau", OP_PUSH, true, true, 2 * M_PI},
    {"math.inf", OP_PUSH, true, true, INFINITY},
    {"True", OP_PUSH, true, false, 1},
    {"False", OP_PUSH, true, false, 0},
};

/* Behind the opening parenthesis. */
static void parse_arguments(struct formula_parser *ps, size_t i, const char *at)
{
	bool is_any = functions[i].fn == FN_MIN || functions[i].fn == FN_MAX;
	uint16_t n = 0;
	uint32_t step;

	while (!formula_take_sign(ps, ")", "")) {
		if (n && !formula_take_sign(ps, ",", ""))
			return formula_fail_here(ps, "',' or ')'");
		if (n && formula_take_sign(ps, ")", ""))
			break;
		formula_parse_condition(ps);
		if (ps->has_failed)
			return;
		n++;
	}
	if (n < functions[i].min || (!is_any && n > functions[i].max))
		return formula_fail(
		    ps, at, "%s() does not take %u arguments", functions[i].name, n);
	step = formula_emit(ps, OP_CALL, n);
	if (!ps->has_failed)
		ps->steps[step].fn = functions[i].fn;
}

static void parse_name(struct formula_parser *ps, struct span name)
{
	const char *at = ps->p;

	ps->p += name.n;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (!span_eq(name, span_of(names[i].name)))
			continue;
		if (ps->is_constant && !names[i].is_constant)
			return formula_fail(
			    ps, at, "%s has no value here", names[i].name);
		if (names[i].op != OP_PUSH)
			return (void)formula_emit(ps, (enum formula_op)names[i].op, 0);
		return emit_value(ps, names[i].is_float
					  ? formula_float(names[i].value)
					  : formula_whole((int64_t)names[i].value));
	}
	for (size_t i = 0; i < ARRAY_LEN(functions); i++) {
		if (!span_eq(name, span_of(functions[i].name)))
			continue;
		if (ps->is_constant && functions[i].is_chance)
			return formula_fail(
			    ps, at, "%s has no value here", functions[i].name);
		if (!formula_take_sign(ps, "(", ""))
			return formula_fail_here(ps, "'('");
		return parse_arguments(ps, i, at);
	}
	formula_fail(ps, at, "there is no '%.*s' in a formula",
	    (int)(name.n < NAME_SHOWN ? name.n : NAME_SHOWN), name.p);
}

static bool is_keyword(struct span name)
{
	static const char *const words[] = {"if", "else", "and", "or", "not"};

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (span_eq(name, span_of(words[i])))
			return true;
	return false;
}

void formula_parse_atom(struct formula_parser *ps)
{
	struct span name = peek_name(ps);

	if (name.n && !is_keyword(name))
		return parse_name(ps, name);
	if (formula_take_sign(ps, "(", "")) {
		formula_parse_condition(ps);
		if (!ps->has_failed && !formula_take_sign(ps, ")", ""))
			formula_fail_here(ps, "')'");
		return;
	}
	if (ps->p < ps->end &&
	    (is_digit(*ps->p) ||
		(*ps->p == '.' && ps->p + 1 < ps->end && is_digit(ps->p[1]))))
		return parse_number(ps);
	formula_fail_here(ps, "a number, a name or '('");
}
