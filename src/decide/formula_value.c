/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * formula_value - Python's arithmetic on whole and floating numbers
 *
 * Python's whole numbers have no end. Here those beyond 64 bits become doubles that
 * remember to be whole (FORMULA_HUGE): exact enough for the length of a ban. An
 * infinite one stands for a number no double can hold; mixed with a floating number
 * Python gives up on it, and so do we.
 */
#include <float.h>
#include <math.h>

#include "decide/formula_private.h"

#define WHOLE_END 0x1p63 /* the first that does not fit */

struct formula_value formula_whole(int64_t i)
{
	return (struct formula_value){.kind = FORMULA_WHOLE, .i = i};
}

struct formula_value formula_float(double f)
{
	return (struct formula_value){.kind = FORMULA_FLOAT, .f = f};
}

double formula_to_double(struct formula_value v)
{
	return v.kind == FORMULA_WHOLE ? (double)v.i : v.f;
}

bool formula_is_true(struct formula_value v)
{
	return v.kind == FORMULA_WHOLE ? v.i != 0 : v.f != 0;
}

int formula_to_whole(double f, struct formula_value *out)
{
	if (isnan(f))
		return FORMULA_OVERFLOW;
	if (f >= -WHOLE_END && f < WHOLE_END)
		*out = formula_whole((int64_t)f);
	else
		*out = (struct formula_value){.kind = FORMULA_HUGE, .f = trunc(f)};
	return 0;
}

int formula_negate(struct formula_value a, struct formula_value *out)
{
	if (a.kind == FORMULA_WHOLE && a.i != INT64_MIN)
		*out = formula_whole(-a.i);
	else if (a.kind == FORMULA_FLOAT)
		*out = formula_float(-a.f);
	else
		return formula_to_whole(-formula_to_double(a), out);
	return 0;
}

int formula_compare(
    enum formula_cmp how, struct formula_value a, struct formula_value b)
{
	bool is_whole = a.kind == FORMULA_WHOLE && b.kind == FORMULA_WHOLE;
	double x = formula_to_double(a), y = formula_to_double(b);

	switch (how) {
	case CMP_LT:
		return is_whole ? a.i < b.i : x < y;
	case CMP_LE:
		return is_whole ? a.i <= b.i : x <= y;
	case CMP_GT:
		return is_whole ? a.i > b.i : x > y;
	case CMP_GE:
		return is_whole ? a.i >= b.i : x >= y;
	case CMP_EQ:
		return is_whole ? a.i == b.i : x == y;
	case CMP_NE:
		return is_whole ? a.i != b.i : x != y;
	}
	return 0;
}

/* --- floating numbers --------------------------------------------------------------
 */

/* The remainder has the sign of the divisor. */
static double float_modulo(double x, double y)
{
	double rest = fmod(x, y);

	if (rest != 0 && (y < 0) != (rest < 0))
		return rest + y;
	return rest != 0 ? rest : copysign(0, y);
}

static double float_floor_divide(double x, double y)
{
	/* Near to a whole number, as what is left over has been taken away. */
	double q = (x - fmod(x, y)) / y;
	double rest = fmod(x, y);

	if (rest != 0 && (y < 0) != (rest < 0))
		q -= 1;
	return round(q);
}

static int float_power(double x, double y, struct formula_value *out)
{
	double v;

	if (x == 0 && y < 0)
		return FORMULA_ZERO_DIVIDED;
	/* Python would go on with complex numbers. */
	if (x < 0 && isfinite(x) && isfinite(y) && y != floor(y))
		return FORMULA_DOMAIN;
	v = pow(x, y);
	if (isinf(v) && isfinite(x) && isfinite(y))
		return FORMULA_OVERFLOW;
	*out = formula_float(v);
	return 0;
}

static int float_binary(
    enum formula_op op, double x, double y, struct formula_value *out)
{
	switch (op) {
	case OP_ADD:
		*out = formula_float(x + y);
		return 0;
	case OP_SUBTRACT:
		*out = formula_float(x - y);
		return 0;
	case OP_MULTIPLY:
		*out = formula_float(x * y);
		return 0;
	case OP_POWER:
		return float_power(x, y, out);
	case OP_DIVIDE:
	case OP_FLOOR_DIVIDE:
	case OP_MODULO:
		if (y == 0)
			return FORMULA_ZERO_DIVIDED;
		*out = formula_float(op == OP_DIVIDE   ? x / y
				     : op == OP_MODULO ? float_modulo(x, y)
						       : float_floor_divide(x, y));
		return 0;
	default:
		return FORMULA_MISTYPED;
	}
}

/* --- whole numbers -----------------------------------------------------------------
 */

/* By doubles, where 64 bits are too few. */
static int huge_binary(
    enum formula_op op, double x, double y, struct formula_value *out)
{
	switch (op) {
	case OP_ADD:
		return formula_to_whole(x + y, out);
	case OP_SUBTRACT:
		return formula_to_whole(x - y, out);
	case OP_MULTIPLY:
		if (x == 0 || y == 0)
			return formula_to_whole(0, out);
		return formula_to_whole(x * y, out);
	case OP_DIVIDE:
		if (y == 0)
			return FORMULA_ZERO_DIVIDED;
		if (isinf(x) || isinf(y))
			return FORMULA_OVERFLOW;
		*out = formula_float(x / y);
		return 0;
	case OP_FLOOR_DIVIDE:
		if (y == 0)
			return FORMULA_ZERO_DIVIDED;
		return formula_to_whole(floor(x / y), out);
	default: /* what is left over of rounded numbers would mean nothing */
		return y == 0 ? FORMULA_ZERO_DIVIDED : FORMULA_OVERFLOW;
	}
}

static int whole_power(int64_t base, int64_t exponent, struct formula_value *out)
{
	struct formula_value v = formula_whole(1), square = formula_whole(base);
	int r = 0;

	if (exponent < 0)
		return base ? float_power((double)base, (double)exponent, out)
			    : FORMULA_ZERO_DIVIDED;
	if (base == 0 || base == 1 || exponent == 0) {
		*out = formula_whole(base == 0 ? exponent == 0 : 1);
		return 0;
	}
	for (; !r && exponent; exponent >>= 1) {
		if (exponent & 1)
			r = formula_binary(OP_MULTIPLY, v, square, &v);
		if (!r && exponent > 1)
			r = formula_binary(OP_MULTIPLY, square, square, &square);
	}
	if (!r)
		*out = v;
	return r;
}

static int shift(enum formula_op op, struct formula_value a, struct formula_value b,
    struct formula_value *out)
{
	int by;

	if (formula_to_double(b) < 0)
		return FORMULA_DOMAIN;
	by = b.kind == FORMULA_WHOLE && b.i < 100000 ? (int)b.i : 100000;
	if (op == OP_SHIFT_RIGHT && a.kind == FORMULA_WHOLE) {
		*out = formula_whole(a.i >> (by < 63 ? by : 63));
		return 0;
	}
	if (op == OP_SHIFT_RIGHT)
		return isinf(a.f) ? FORMULA_OVERFLOW
				  : formula_to_whole(floor(ldexp(a.f, -by)), out);
	if (by < 62)
		return formula_binary(
		    OP_MULTIPLY, a, formula_whole(INT64_C(1) << by), out);
	return formula_to_whole(ldexp(formula_to_double(a), by), out);
}

static int64_t floor_divide(int64_t a, int64_t b)
{
	return a / b - (a % b != 0 && (a < 0) != (b < 0));
}

static int whole_divide(
    enum formula_op op, int64_t a, int64_t b, struct formula_value *out)
{
	int64_t q;

	if (b == 0)
		return FORMULA_ZERO_DIVIDED;
	if (op == OP_DIVIDE) {
		*out = formula_float((double)a / (double)b);
		return 0;
	}
	if (b == -1) /* the only one that can overflow */
		return op == OP_MODULO ? formula_to_whole(0, out)
				       : formula_negate(formula_whole(a), out);
	q = floor_divide(a, b);
	/* a - q * b, whose product may not fit while the difference does. */
	*out = formula_whole(
	    op == OP_MODULO ? a % b + ((a % b != 0 && (a < 0) != (b < 0)) ? b : 0) : q);
	return 0;
}

static int whole_binary(enum formula_op op, struct formula_value a,
    struct formula_value b, struct formula_value *out)
{
	bool is_over = true;
	int64_t v = 0;

	switch (op) {
	case OP_ADD:
		is_over = __builtin_add_overflow(a.i, b.i, &v);
		break;
	case OP_SUBTRACT:
		is_over = __builtin_sub_overflow(a.i, b.i, &v);
		break;
	case OP_MULTIPLY:
		is_over = __builtin_mul_overflow(a.i, b.i, &v);
		break;
	case OP_POWER:
		return whole_power(a.i, b.i, out);
	default:
		return whole_divide(op, a.i, b.i, out);
	}
	if (is_over)
		return huge_binary(op, (double)a.i, (double)b.i, out);
	*out = formula_whole(v);
	return 0;
}

static int huge_power(
    struct formula_value a, struct formula_value b, struct formula_value *out)
{
	double x = formula_to_double(a), y = formula_to_double(b);

	if (b.kind == FORMULA_WHOLE && b.i >= 0)
		return formula_to_whole(pow(x, y), out);
	if (a.kind == FORMULA_WHOLE && (a.i == 0 || a.i == 1) && y > 0) {
		*out = a;
		return 0;
	}
	/* With that exponent Python would compute for ever. */
	return y > 0 || isinf(x) ? FORMULA_OVERFLOW : float_power(x, y, out);
}

int formula_binary(enum formula_op op, struct formula_value a, struct formula_value b,
    struct formula_value *out)
{
	double x = formula_to_double(a), y = formula_to_double(b);
	bool is_shift = op == OP_SHIFT_LEFT || op == OP_SHIFT_RIGHT;

	if (a.kind == FORMULA_FLOAT || b.kind == FORMULA_FLOAT) {
		if (is_shift)
			return FORMULA_MISTYPED;
		if ((a.kind == FORMULA_HUGE && isinf(x)) ||
		    (b.kind == FORMULA_HUGE && isinf(y)))
			return FORMULA_OVERFLOW;
		return float_binary(op, x, y, out);
	}
	if (is_shift)
		return shift(op, a, b, out);
	if (a.kind == FORMULA_WHOLE && b.kind == FORMULA_WHOLE)
		return whole_binary(op, a, b, out);
	if (op == OP_POWER)
		return huge_power(a, b, out);
	return huge_binary(op, x, y, out);
}
