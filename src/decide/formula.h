/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * formula - one of fail2ban's expressions in Python (bantime.formula, bantime.factor)
 *
 * Numbers, the names below, + - * / // % ** << >>, comparisons (chained too), and, or,
 * not, `a if c else b`, parentheses, and functions: float int bool min max round abs
 * pow, math.exp and its like, random.random. Values and their mixing are Python's:
 * whole numbers and floating ones are told apart; whole numbers beyond 64 bits go on as
 * the nearest double. There is nothing else: no attribute, no string, no loop.
 *
 * The text is compiled once into steps that only jump ahead, so that a run ends after
 * at most FORMULA_MAX_STEPS. Pure: chance comes from a seed.
 */

#include "base/cleanup.h"
#include "base/str.h"

#define FORMULA_MAX_BYTES 4096
#define FORMULA_MAX_STEPS 400
#define FORMULA_MAX_DEPTH 60 /* parentheses, signs, conditions within each other */

struct formula;

struct formula_value {
	enum formula_kind {
		FORMULA_WHOLE, /* in i */
		FORMULA_HUGE,  /* a whole number beyond that, in f; may be infinite */
		FORMULA_FLOAT, /* in f */
	} kind;
	int64_t i;
	double f;
};

/* What a formula knows by name. */
struct formula_names {
	int64_t ban_time;  /* ban.Time: seconds */
	int64_t ban_count; /* ban.Count */
	struct formula_value ban_factor;
	uint64_t seed; /* of random.random(): the same gives the same */
};

/* Why a run gave no value; where Python would raise an exception. */
enum {
	FORMULA_ZERO_DIVIDED = 1,
	FORMULA_OVERFLOW,
	FORMULA_DOMAIN, /* math.log(0), a negative shift, a root of a negative number */
	FORMULA_MISTYPED, /* a shift of a number that is not whole */
};

struct formula_error {
	size_t at; /* bytes into the text */
	char text[120];
};

/**
 * formula_compile()
 * @is_constant: neither ban.*, banFactor nor random may stand in it
 *
 * Return: NULL with @e; e->text is empty when memory is missing.
 */
struct formula *formula_compile(
    struct span text, bool is_constant, struct formula_error *e);
struct formula *formula_dup(const struct formula *f); /* NULL: out of memory */
struct formula *formula_free(struct formula *f);
DEFINE_CLEANUP(struct formula *, formula_free)

/* Return: 0 and *@out, or FORMULA_ZERO_DIVIDED and so on. */
int formula_run(const struct formula *f, const struct formula_names *names,
    struct formula_value *out);

double formula_to_double(struct formula_value v);
struct formula_value formula_whole(int64_t i);

/* The @n-th draw of @seed: evenly in [0, 1). */
double formula_chance(uint64_t seed, uint32_t n);

/* "it divides by zero" */
const char *formula_complaint(int outcome);
