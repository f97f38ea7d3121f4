/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * formula_private - the steps of a compiled formula; only formula*.c include this
 *
 * A stack machine. Jumps are relative and lead ahead, so pieces can change places while
 * the text is read (the condition of `a if c else b` stands behind a and runs first).
 */

#include <stdint.h>

#include "decide/formula.h"

enum formula_op {
	OP_PUSH,
	OP_BAN_TIME,
	OP_BAN_COUNT,
	OP_BAN_FACTOR,
	OP_JUMP,        /* by n */
	OP_JUMP_IF_NOT, /* takes the top */
	OP_OR,          /* true: keep it and jump; else drop it */
	OP_AND,         /* false: keep it and jump; else drop it */
	OP_DROP_BELOW,  /* the one under the top */
	OP_CHAIN,       /* a b: b, and whether a n b */
	OP_COMPARE,     /* n: enum formula_cmp */
	OP_NOT,
	OP_NEGATE,
	OP_PLUS, /* unary: True becomes 1, which it is here already */
	OP_ADD,
	OP_SUBTRACT,
	OP_MULTIPLY,
	OP_DIVIDE,
	OP_FLOOR_DIVIDE,
	OP_MODULO,
	OP_POWER,
	OP_SHIFT_LEFT,
	OP_SHIFT_RIGHT,
	OP_CALL, /* fn, with n arguments */
};

enum formula_cmp { CMP_LT, CMP_LE, CMP_GT, CMP_GE, CMP_EQ, CMP_NE };

enum formula_fn {
	FN_FLOAT,
	FN_INT,
	FN_BOOL,
	FN_ABS,
	FN_MIN,
	FN_MAX,
	FN_ROUND,
	FN_POW,
	FN_RANDOM,
	FN_UNIFORM,
	FN_FLOOR,
	FN_CEIL,
	FN_TRUNC,
	FN_LOG,
	FN_MATH_POW,
	FN_FMOD,
	/* of one argument, to a floating number */
	FN_EXP,
	FN_EXPM1,
	FN_LOG1P,
	FN_LOG2,
	FN_LOG10,
	FN_SQRT,
	FN_FABS,
	FN_SIN,
	FN_COS,
	FN_TANH,
	FN_ATAN,
};

struct formula_step {
	uint8_t op;
	uint8_t fn;
	uint16_t n;
	struct formula_value value; /* of OP_PUSH */
};

struct formula {
	uint32_t n_steps;
	struct formula_step steps[];
};

/* formula_value.c: arithmetic. Return: 0, or why there is no value. */
int formula_binary(enum formula_op op, struct formula_value a, struct formula_value b,
    struct formula_value *out);
int formula_negate(struct formula_value a, struct formula_value *out);
int formula_compare(
    enum formula_cmp how, struct formula_value a, struct formula_value b);
bool formula_is_true(struct formula_value v);
struct formula_value formula_float(double f);
/* A whole number of that size; OVERFLOW when it is none. */
int formula_to_whole(double f, struct formula_value *out);

/* formula_call.c: @io_draws counts what was drawn by chance. */
int formula_call(enum formula_fn fn, const struct formula_value *args, uint32_t n,
    uint64_t seed, uint32_t *io_draws, struct formula_value *out);

/* --- while the text is read */
struct formula_parser {
	const char *begin, *p, *end;
	struct formula_error *e;
	bool is_constant;
	bool has_failed;
	unsigned int depth;
	uint32_t n;
	struct formula_step steps[FORMULA_MAX_STEPS];
};

/* formula_atom.c. The first mistake counts; the rest of the text is passed over. */
void formula_fail(struct formula_parser *ps, const char *at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void formula_fail_here(struct formula_parser *ps, const char *expected);
void formula_skip_blanks(struct formula_parser *ps);
bool formula_take_word(struct formula_parser *ps, const char *word);
/* @sign, but not when one of @unless follows: then it is another one. */
bool formula_take_sign(struct formula_parser *ps, const char *sign, const char *unless);
/* Return: the number of the step. */
uint32_t formula_emit(struct formula_parser *ps, enum formula_op op, uint16_t n);
/* A number, a name, a call, or something in parentheses. */
void formula_parse_atom(struct formula_parser *ps);

/* formula_parse.c: the whole of an expression. */
void formula_parse_condition(struct formula_parser *ps);
