/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * formula_call - the functions a formula may use
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "decide/formula_private.h"

#define ROUND_MAX_DIGITS 15 /* beyond, a double has no digit that means anything */

static int pick(bool is_max, const struct formula_value *args, uint32_t n,
    struct formula_value *out)
{
	*out = args[0];
	for (uint32_t i = 1; i < n; i++)
		if (formula_compare(is_max ? CMP_GT : CMP_LT, args[i], *out))
			*out = args[i];
	return 0;
}

/* To the nearest; from the middle to the even one, as rint() does. */
static int round_whole(
    struct formula_value v, int64_t digits, struct formula_value *out)
{
	double unit;

	if (digits >= 0) {
		*out = v;
		return 0;
	}
	unit = digits < -300 ? INFINITY : pow(10, (double)-digits);
	return isinf(unit)
		   ? formula_to_whole(0, out)
		   : formula_to_whole(rint(formula_to_double(v) / unit) * unit, out);
}

static int round_float(double v, int64_t digits, struct formula_value *out)
{
	char text[400];
	double unit;

	*out = formula_float(v);
	if (!isfinite(v) || digits > ROUND_MAX_DIGITS)
		return 0;
	if (digits < 0) {
		unit = digits < -300 ? INFINITY : pow(10, (double)-digits);
		out->f = isinf(unit) ? copysign(0, v) : rint(v / unit) * unit;
		return 0;
	}
	/* By its decimal digits, which printf() rounds exactly. */
	(void)snprintf(text, sizeof(text), "%.*f", (int)digits, v);
	out->f = strtod(text, NULL);
	return 0;
}

static int call_round(
    const struct formula_value *args, uint32_t n, struct formula_value *out)
{
	if (n == 1) {
		if (args[0].kind != FORMULA_FLOAT) {
			*out = args[0];
			return 0;
		}
		return isfinite(args[0].f) ? formula_to_whole(rint(args[0].f), out)
					   : FORMULA_OVERFLOW;
	}
	if (args[1].kind != FORMULA_WHOLE)
		return FORMULA_MISTYPED;
	if (args[0].kind == FORMULA_FLOAT)
		return round_float(args[0].f, args[1].i, out);
	return round_whole(args[0], args[1].i, out);
}

static int to_whole(
    double (*how)(double), struct formula_value v, struct formula_value *out)
{
	if (v.kind != FORMULA_FLOAT) {
		*out = v;
		return 0;
	}
	return isfinite(v.f) ? formula_to_whole(how(v.f), out) : FORMULA_OVERFLOW;
}

/* What a function of finite numbers gave, told as Python's math tells it. */
static int finite_or(
    double v, bool is_input_finite, int otherwise, struct formula_value *out)
{
	if (isnan(v) && is_input_finite)
		return FORMULA_DOMAIN;
	if (isinf(v) && is_input_finite)
		return otherwise;
	*out = formula_float(v);
	return 0;
}

static int call_log(
    const struct formula_value *args, uint32_t n, struct formula_value *out)
{
	double x = formula_to_double(args[0]),
	       base = n > 1 ? formula_to_double(args[1]) : 0;

	if (x <= 0 || (n > 1 && base <= 0))
		return FORMULA_DOMAIN;
	if (n > 1 && base == 1)
		return FORMULA_ZERO_DIVIDED;
	*out = formula_float(n > 1 ? log(x) / log(base) : log(x));
	return 0;
}

static int call_float(enum formula_fn fn, double x, struct formula_value *out)
{
	bool is_finite = isfinite(x);

	switch (fn) {
	case FN_EXP:
		return finite_or(exp(x), is_finite, FORMULA_OVERFLOW, out);
	case FN_EXPM1:
		return finite_or(expm1(x), is_finite, FORMULA_OVERFLOW, out);
	case FN_LOG1P:
		return finite_or(log1p(x), is_finite, FORMULA_DOMAIN, out);
	case FN_LOG2:
		return finite_or(log2(x), is_finite, FORMULA_DOMAIN, out);
	case FN_LOG10:
		return finite_or(log10(x), is_finite, FORMULA_DOMAIN, out);
	case FN_SQRT:
		return finite_or(sqrt(x), is_finite, FORMULA_DOMAIN, out);
	case FN_SIN:
		return is_finite ? finite_or(sin(x), true, 0, out) : FORMULA_DOMAIN;
	case FN_COS:
		return is_finite ? finite_or(cos(x), true, 0, out) : FORMULA_DOMAIN;
	case FN_TANH:
		return finite_or(tanh(x), is_finite, 0, out);
	case FN_ATAN:
		return finite_or(atan(x), is_finite, 0, out);
	default: /* FN_FABS, FN_FLOAT */
		*out = formula_float(fn == FN_FABS ? fabs(x) : x);
		return 0;
	}
}

/* Those of floating numbers: a whole one that no double can hold is too much. */
static int call_math(enum formula_fn fn, const struct formula_value *args, uint32_t n,
    struct formula_value *out)
{
	double x = formula_to_double(args[0]),
	       y = n > 1 ? formula_to_double(args[1]) : 0;
	bool is_finite = isfinite(x) && isfinite(y);

	for (uint32_t i = 0; i < n; i++)
		if (args[i].kind == FORMULA_HUGE && isinf(args[i].f))
			return FORMULA_OVERFLOW;
	if (fn == FN_LOG)
		return call_log(args, n, out);
	if (fn == FN_MATH_POW && x == 0 && y < 0)
		return FORMULA_DOMAIN;
	if (fn == FN_MATH_POW)
		return finite_or(pow(x, y), is_finite, FORMULA_OVERFLOW, out);
	if (fn == FN_FMOD)
		return y == 0 || isinf(x) ? FORMULA_DOMAIN
					  : finite_or(fmod(x, y), is_finite, 0, out);
	return call_float(fn, x, out);
}

int formula_call(enum formula_fn fn, const struct formula_value *args, uint32_t n,
    uint64_t seed, uint32_t *io_draws, struct formula_value *out)
{
	double low, high;

	switch (fn) {
	case FN_INT:
	case FN_TRUNC:
		return to_whole(trunc, args[0], out);
	case FN_FLOOR:
		return to_whole(floor, args[0], out);
	case FN_CEIL:
		return to_whole(ceil, args[0], out);
	case FN_BOOL:
		*out = formula_whole(formula_is_true(args[0]));
		return 0;
	case FN_ABS:
		if (formula_to_double(args[0]) < 0)
			return formula_negate(args[0], out);
		*out = args[0];
		return 0;
	case FN_MIN:
	case FN_MAX:
		return pick(fn == FN_MAX, args, n, out);
	case FN_ROUND:
		return call_round(args, n, out);
	case FN_POW:
		return formula_binary(OP_POWER, args[0], args[1], out);
	case FN_RANDOM:
		*out = formula_float(formula_chance(seed, (*io_draws)++));
		return 0;
	case FN_UNIFORM:
		low = formula_to_double(args[0]);
		high = formula_to_double(args[1]);
		*out = formula_float(
		    low + (high - low) * formula_chance(seed, (*io_draws)++));
		return 0;
	default:
		return call_math(fn, args, n, out);
	}
}
