/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * formula - running the steps
 */
#include "decide/formula_private.h"

#include <assert.h>
#include <string.h>

struct formula *formula_free(struct formula *f)
{
	free(f);
	return NULL;
}

struct formula *formula_dup(const struct formula *f)
{
	size_t n_bytes = sizeof(*f) + f->n_steps * sizeof(f->steps[0]);
	struct formula *copy = malloc(n_bytes);

	return copy ? memcpy(copy, f, n_bytes) : NULL;
}

const char *formula_complaint(int outcome)
{
	switch (outcome) {
	case FORMULA_ZERO_DIVIDED:
		return "it divides by zero";
	case FORMULA_OVERFLOW:
		return "it grows beyond all numbers";
	case FORMULA_DOMAIN:
		return "a function is not defined there";
	case FORMULA_MISTYPED:
		return "a shift needs whole numbers";
	default:
		return "it gives no number";
	}
}

/* SplitMix64 (Steele, Lea and Flood, 2014): the n-th number of a seed at once. */
double formula_chance(uint64_t seed, uint32_t n)
{
	uint64_t z = seed + (n + UINT64_C(1)) * UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	z ^= z >> 31;
	return (double)(z >> 11) * 0x1p-53;
}

/* Each step puts at most one value on it, so it cannot run over. */
struct machine {
	const struct formula_names *names;
	struct formula_value stack[FORMULA_MAX_STEPS + 1];
	uint32_t n;
	uint32_t n_draws;
};

static void push(struct machine *m, struct formula_value v)
{
	assert(m->n < ARRAY_LEN(m->stack));
	m->stack[m->n++] = v;
}

static struct formula_value pop(struct machine *m)
{
	assert(m->n > 0);
	return m->stack[--m->n];
}

/* Return: by how many steps to jump. */
static uint32_t jump(struct machine *m, const struct formula_step *s)
{
	bool is_true;

	if (s->op == OP_JUMP)
		return s->n;
	assert(m->n > 0);
	is_true = formula_is_true(m->stack[m->n - 1]);
	if (s->op == OP_JUMP_IF_NOT) {
		m->n--;
		return is_true ? 0 : s->n;
	}
	if (is_true == (s->op == OP_OR))
		return s->n;
	m->n--;
	return 0;
}

static void compare(struct machine *m, const struct formula_step *s)
{
	struct formula_value b = pop(m), a = pop(m);
	int is_so = formula_compare((enum formula_cmp)s->n, a, b);

	if (s->op == OP_CHAIN)
		push(m, b);
	push(m, formula_whole(is_so));
}

static int call(struct machine *m, const struct formula_step *s)
{
	struct formula_value v = formula_whole(0);
	int r;

	assert(m->n >= s->n);
	m->n -= s->n;
	r = formula_call((enum formula_fn)s->fn, &m->stack[m->n], s->n, m->names->seed,
	    &m->n_draws, &v);
	push(m, v);
	return r;
}

static int compute(struct machine *m, const struct formula_step *s)
{
	struct formula_value a, b, v = formula_whole(0);
	int r;

	switch (s->op) {
	case OP_NOT:
		v.i = !formula_is_true(pop(m));
		r = 0;
		break;
	case OP_NEGATE:
		r = formula_negate(pop(m), &v);
		break;
	case OP_PLUS:
		return 0;
	default:
		b = pop(m);
		a = pop(m);
		r = formula_binary((enum formula_op)s->op, a, b, &v);
	}
	push(m, v);
	return r;
}

static int step(struct machine *m, const struct formula_step *s)
{
	switch (s->op) {
	case OP_PUSH:
		push(m, s->value);
		return 0;
	case OP_BAN_TIME:
		push(m, formula_whole(m->names->ban_time));
		return 0;
	case OP_BAN_COUNT:
		push(m, formula_whole(m->names->ban_count));
		return 0;
	case OP_BAN_FACTOR:
		push(m, m->names->ban_factor);
		return 0;
	case OP_DROP_BELOW:
		assert(m->n > 1);
		m->stack[m->n - 2] = m->stack[m->n - 1];
		m->n--;
		return 0;
	case OP_CHAIN:
	case OP_COMPARE:
		compare(m, s);
		return 0;
	case OP_CALL:
		return call(m, s);
	default:
		return compute(m, s);
	}
}

int formula_run(const struct formula *f, const struct formula_names *names,
    struct formula_value *out)
{
	struct machine m;
	int r;

	m.names = names;
	m.n = m.n_draws = 0;
	for (uint32_t i = 0; i < f->n_steps; i++) {
		const struct formula_step *s = &f->steps[i];

		if (s->op >= OP_JUMP && s->op <= OP_AND) {
			i += jump(&m, s);
			continue;
		}
		r = step(&m, s);
		if (r)
			return r;
	}
	assert(m.n == 1);
	*out = m.stack[0];
	return 0;
}
