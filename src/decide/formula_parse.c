/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * formula_parse - the text of a formula into steps
 *
 * By recursive descent, one function a rung of Python's ladder of operators. What calls
 * itself counts FORMULA_MAX_DEPTH; the steps go into a fixed array, so a long text runs
 * into its end and not into memory.
 */
#include <stdlib.h>

#include "decide/formula_private.h"

#define CHAIN_MAX 16 /* comparisons in one chain */

static void parse_sign(struct formula_parser *ps);

static bool enter(struct formula_parser *ps)
{
	if (ps->depth == FORMULA_MAX_DEPTH)
		formula_fail(
		    ps, ps->p, "is nested too deeply, more than %d", FORMULA_MAX_DEPTH);
	ps->depth++;
	return !ps->has_failed;
}

/* The jump at step @i leads to what comes next. */
static void patch(struct formula_parser *ps, uint32_t i)
{
	if (!ps->has_failed)
		ps->steps[i].n = (uint16_t)(ps->n - i - 1);
}

static void reverse(struct formula_step *from, struct formula_step *to)
{
	while (from < to) {
		struct formula_step s = *from;

		*from++ = *--to;
		*to = s;
	}
}

/* Steps [a, b) and [b, n) change places. */
static void swap_pieces(struct formula_parser *ps, uint32_t a, uint32_t b)
{
	if (ps->has_failed)
		return;
	reverse(ps->steps + a, ps->steps + b);
	reverse(ps->steps + b, ps->steps + ps->n);
	reverse(ps->steps + a, ps->steps + ps->n);
}

/* --- operators, those that bind most tightly first ----------------------------------
 */

/* A sign before it binds less, one behind it more: -2 ** -2 is -(2 ** (-2)). */
static void parse_power(struct formula_parser *ps)
{
	formula_parse_atom(ps);
	if (!ps->has_failed && formula_take_sign(ps, "**", "")) {
		parse_sign(ps);
		(void)formula_emit(ps, OP_POWER, 0);
	}
}

static void parse_sign(struct formula_parser *ps)
{
	if (!enter(ps))
		return;
	if (formula_take_sign(ps, "-", "")) {
		parse_sign(ps);
		(void)formula_emit(ps, OP_NEGATE, 0);
	} else if (formula_take_sign(ps, "+", "")) {
		parse_sign(ps);
	} else {
		parse_power(ps);
	}
	ps->depth--;
}

static const struct {
	const char *sign, *unless;
	uint8_t op, rung;
} operators[] = {
    {"<<", "", OP_SHIFT_LEFT, 0},
    {">>", "", OP_SHIFT_RIGHT, 0},
    {"+", "", OP_ADD, 1},
    {"-", "", OP_SUBTRACT, 1},
    {"*", "*", OP_MULTIPLY, 2},
    {"//", "", OP_FLOOR_DIVIDE, 2},
    {"/", "", OP_DIVIDE, 2},
    {"%", "", OP_MODULO, 2},
};

#define RUNGS 3

/* Shifts, sums, products: each rung is made of the next. */
static void parse_rung(struct formula_parser *ps, unsigned int rung)
{
	if (rung == RUNGS)
		return parse_sign(ps);
	parse_rung(ps, rung + 1);
	for (size_t i = 0; !ps->has_failed && i < ARRAY_LEN(operators);) {
		if (operators[i].rung != rung ||
		    !formula_take_sign(ps, operators[i].sign, operators[i].unless)) {
			i++;
			continue;
		}
		parse_rung(ps, rung + 1);
		(void)formula_emit(ps, (enum formula_op)operators[i].op, 0);
		i = 0;
	}
}

static bool take_comparison(struct formula_parser *ps, uint16_t *out)
{
	static const struct {
		const char *sign, *unless;
		uint16_t how;
	} signs[] = {{"<=", "", CMP_LE}, {"<", "<", CMP_LT}, {">=", "", CMP_GE},
	    {">", ">", CMP_GT}, {"==", "", CMP_EQ}, {"!=", "", CMP_NE}};

	for (size_t i = 0; i < ARRAY_LEN(signs); i++) {
		if (!formula_take_sign(ps, signs[i].sign, signs[i].unless))
			continue;
		*out = signs[i].how;
		return true;
	}
	return false;
}

/* a < b < c is a < b and b < c, with b computed once. */
static void parse_comparison(struct formula_parser *ps)
{
	uint32_t jumps[CHAIN_MAX], n = 0, last;
	uint16_t how, next;

	parse_rung(ps, 0);
	if (ps->has_failed || !take_comparison(ps, &how))
		return;
	parse_rung(ps, 0);
	for (; !ps->has_failed && take_comparison(ps, &next); how = next) {
		if (n == CHAIN_MAX)
			return formula_fail(
			    ps, ps->p, "has too many comparisons in a row");
		(void)formula_emit(ps, OP_CHAIN, how);
		jumps[n++] = formula_emit(ps, OP_AND, 0);
		parse_rung(ps, 0);
	}
	(void)formula_emit(ps, OP_COMPARE, how);
	if (!n)
		return;
	last = formula_emit(ps, OP_JUMP, 0);
	while (n)
		patch(ps, jumps[--n]);
	(void)formula_emit(ps, OP_DROP_BELOW, 0);
	patch(ps, last);
}

static void parse_not(struct formula_parser *ps)
{
	unsigned int n = 0;

	while (formula_take_word(ps, "not"))
		n++;
	parse_comparison(ps);
	for (; n && !ps->has_failed; n--)
		(void)formula_emit(ps, OP_NOT, 0);
}

static void parse_and(struct formula_parser *ps)
{
	parse_not(ps);
	while (!ps->has_failed && formula_take_word(ps, "and")) {
		uint32_t skip = formula_emit(ps, OP_AND, 0);

		parse_not(ps);
		patch(ps, skip);
	}
}

static void parse_or(struct formula_parser *ps)
{
	parse_and(ps);
	while (!ps->has_failed && formula_take_word(ps, "or")) {
		uint32_t skip = formula_emit(ps, OP_OR, 0);

		parse_and(ps);
		patch(ps, skip);
	}
}

/* a if c else b: read as a, c, b; run as c, then a or b. */
static void parse_choice(struct formula_parser *ps)
{
	uint32_t first = ps->n, condition, skip_first, skip_second;

	parse_or(ps);
	if (ps->has_failed || !formula_take_word(ps, "if"))
		return;
	condition = ps->n;
	parse_or(ps);
	skip_first = formula_emit(ps, OP_JUMP_IF_NOT, 0);
	if (ps->has_failed)
		return;
	/* Over a, and over the jump behind it. */
	ps->steps[skip_first].n = (uint16_t)(condition - first + 1);
	swap_pieces(ps, first, condition);
	skip_second = formula_emit(ps, OP_JUMP, 0);
	if (!formula_take_word(ps, "else"))
		return formula_fail_here(ps, "'else'");
	formula_parse_condition(ps);
	patch(ps, skip_second);
}

void formula_parse_condition(struct formula_parser *ps)
{
	if (enter(ps))
		parse_choice(ps);
	ps->depth--;
}

struct formula *formula_compile(
    struct span text, bool is_constant, struct formula_error *e)
{
	CLEANUP(freep) struct formula_parser *ps = calloc(1, sizeof(*ps));
	struct formula *f;
	size_t n_bytes;

	*e = (struct formula_error){.at = 0};
	if (!ps)
		return NULL;
	*ps = (struct formula_parser){.begin = text.p,
	    .p = text.p,
	    .end = text.p + text.n,
	    .e = e,
	    .is_constant = is_constant};
	if (text.n > FORMULA_MAX_BYTES)
		formula_fail(ps, text.p, "is longer than %d bytes", FORMULA_MAX_BYTES);
	else
		formula_parse_condition(ps);
	formula_skip_blanks(ps);
	if (!ps->has_failed && ps->p < ps->end)
		formula_fail_here(ps, "an operator or the end");
	if (ps->has_failed)
		return NULL;
	n_bytes = ps->n * sizeof(ps->steps[0]);
	f = malloc(sizeof(*f) + n_bytes);
	if (!f)
		return NULL;
	f->n_steps = ps->n;
	memcpy(f->steps, ps->steps, n_bytes);
	return f;
}
