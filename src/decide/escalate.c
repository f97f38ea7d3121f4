/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * escalate - the formula, the multipliers, and what bounds them
 */
#include "decide/escalate.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define DOUBLING_MAX 20 /* and as long as a million times bantime */

struct escalate {
	struct formula_value factor;
	struct formula *formula; /* NULL: doubling */
	int64_t *multipliers;
	uint32_t n_multipliers; /* 0: the formula */
	bool has_maxtime;
	double maxtime_sec, rndtime_sec;
};

struct escalate *escalate_free(struct escalate *x)
{
	if (!x)
		return NULL;
	formula_free(x->formula);
	free(x->multipliers);
	free(x);
	return NULL;
}

struct escalate *escalate_dup(const struct escalate *x)
{
	CLEANUP(escalate_freep) struct escalate *copy = malloc(sizeof(*copy));

	if (!copy)
		return NULL;
	*copy = *x;
	copy->formula = x->formula ? formula_dup(x->formula) : NULL;
	copy->multipliers =
	    calloc(x->n_multipliers + (size_t)1, sizeof(*copy->multipliers));
	if (!copy->multipliers || (x->formula && !copy->formula))
		return NULL;
	memcpy(copy->multipliers, x->multipliers,
	    x->n_multipliers * sizeof(*copy->multipliers));
	return TAKE(copy);
}

static int take_factor(struct escalate *x, const char *text, struct escalate_error *e)
{
	static const struct formula_names none = {.ban_time = 0};
	CLEANUP(formula_freep)
	struct formula *f = formula_compile(span_of(text), true, &e->e);
	int r;

	if (!f)
		return -EINVAL;
	r = formula_run(f, &none, &x->factor);
	if (!r && isfinite(formula_to_double(x->factor)))
		return 0;
	(void)snprintf(
	    e->e.text, sizeof(e->e.text), "is no number: %s", formula_complaint(r));
	return -EINVAL;
}

/* Whole numbers with blanks between them. */
static int take_multipliers(
    struct escalate *x, const char *text, struct escalate_error *e)
{
	const char *p = text;

	while (*(p += strspn(p, " \t\r\n"))) {
		struct span word = {p, strcspn(p, " \t\r\n")};

		e->e.at = (size_t)(p - text);
		if (x->n_multipliers == ESCALATE_MAX_MULTIPLIERS) {
			(void)snprintf(e->e.text, sizeof(e->e.text), "are more than %d",
			    ESCALATE_MAX_MULTIPLIERS);
			return -EINVAL;
		}
		if (span_to_i64(word, &x->multipliers[x->n_multipliers]) < 0) {
			(void)snprintf(e->e.text, sizeof(e->e.text),
			    "expected whole numbers with blanks between them");
			return -EINVAL;
		}
		x->n_multipliers++;
		p += word.n;
	}
	return 0;
}

/* Return: 0, or -EINVAL with @e. */
static int compile(
    struct escalate *x, const struct escalate_options *o, struct escalate_error *e)
{
	x->factor = formula_whole(1);
	e->in = ESCALATE_FACTOR;
	if (o->factor && take_factor(x, o->factor, e) < 0)
		return -EINVAL;
	e->in = ESCALATE_MULTIPLIERS;
	if (o->multipliers && take_multipliers(x, o->multipliers, e) < 0)
		return -EINVAL;
	e->in = ESCALATE_FORMULA;
	if (!o->formula)
		return 0;
	x->formula = formula_compile(span_of(o->formula), false, &e->e);
	return x->formula ? 0 : -EINVAL;
}

struct escalate *escalate_new(
    const struct escalate_options *o, struct escalate_error *e)
{
	CLEANUP(escalate_freep) struct escalate *x = calloc(1, sizeof(*x));

	*e = (struct escalate_error){.in = ESCALATE_NOMEM};
	if (!x)
		return NULL;
	x->has_maxtime = o->has_maxtime;
	x->maxtime_sec = o->maxtime_sec;
	x->rndtime_sec = o->rndtime_sec;
	/* As many as there can be in the text, and no more than are taken. */
	x->multipliers = calloc(ESCALATE_MAX_MULTIPLIERS, sizeof(*x->multipliers));
	if (!x->multipliers)
		return NULL;
	if (compile(x, o, e) == 0)
		return TAKE(x);
	if (!e->e.text[0])
		e->in = ESCALATE_NOMEM;
	return NULL;
}

static int by_formula(const struct escalate *x, int64_t base_sec, uint32_t count,
    uint64_t seed, double *out)
{
	const struct formula_names names = {base_sec, count, x->factor, seed};
	uint32_t doublings = count < DOUBLING_MAX ? count : DOUBLING_MAX;
	struct formula_value v;
	int r = 0;

	if (x->formula)
		r = formula_run(x->formula, &names, &v);
	if (r)
		return r;
	*out = x->formula ? formula_to_double(v)
			  : (double)base_sec * (double)(1u << doublings) *
				formula_to_double(x->factor);
	/* Not the other way round: what is no number is not greater either. */
	if (!(*out > (double)base_sec))
		*out = (double)base_sec;
	return 0;
}

/* Chance: the draws of the formula come first, this one is far behind them. */
#define RNDTIME_DRAW UINT32_MAX

static int length_of(const struct escalate *x, int64_t base_sec, uint32_t count,
    uint64_t seed, double rndtime_sec, double *out_sec)
{
	double sec;
	int r = 0;

	if (x->n_multipliers)
		sec =
		    (double)base_sec * formula_to_double(x->factor) *
		    (double)
			x->multipliers[count < x->n_multipliers ? count
								: x->n_multipliers - 1];
	else
		r = by_formula(x, base_sec, count, seed, &sec);
	if (r)
		return r;
	if (x->has_maxtime && x->maxtime_sec < 0) {
		*out_sec = -1;
		return 0;
	}
	if (x->has_maxtime && x->maxtime_sec < sec)
		sec = x->maxtime_sec;
	if (rndtime_sec > 0)
		sec += formula_chance(seed, RNDTIME_DRAW) * rndtime_sec;
	if (!(sec > 0 && sec <= ESCALATE_MAX_SEC))
		return ESCALATE_NO_LENGTH;
	*out_sec = sec;
	return 0;
}

int escalate_sec(const struct escalate *x, int64_t base_sec, uint32_t count,
    uint64_t seed, double *out_sec)
{
	return length_of(x, base_sec, count, seed, x->rndtime_sec, out_sec);
}

int escalate_sec_at_least(
    const struct escalate *x, int64_t base_sec, uint32_t count, double *out_sec)
{
	return length_of(x, base_sec, count, 0, 0, out_sec);
}

int16_t escalate_weight(uint32_t count, uint32_t maxretry)
{
	uint32_t n = count < DOUBLING_MAX ? count : DOUBLING_MAX;
	uint32_t weight = n ? (UINT32_C(1) << (n - 1)) + 1 : 1;

	if (weight > maxretry)
		weight = maxretry ? maxretry : 1;
	return (int16_t)(weight < INT16_MAX ? weight : INT16_MAX);
}

const char *escalate_complaint(int outcome)
{
	return outcome == ESCALATE_NO_LENGTH ? "it gives no length of a ban"
					     : formula_complaint(outcome);
}
