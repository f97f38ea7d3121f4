/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "decide/steps.h"

#include <errno.h>

static const char *const names[] = {
    [STEP_REFUSE] = "refuse",
    [STEP_REJECT] = "reject",
    [STEP_DROP] = "drop",
    [STEP_DROP_ALL] = "dropall",
};

/* The first one that is no mere words, or the last. */
static uint8_t first_hard(const struct steps *s)
{
	uint8_t n = 1;

	while (n < s->n && s->items[n - 1].answer == STEP_REFUSE)
		n++;
	return n;
}

/* With credit: the first step, or a later one that answers no harder. */
static uint8_t softest(const struct steps *s)
{
	uint8_t best = 1;

	for (uint8_t n = 2; n <= s->n; n++) {
		if (s->items[n - 1].answer < s->items[best - 1].answer)
			best = n;
	}
	return best;
}

uint8_t steps_next(const struct steps *s, const struct steps_case *c)
{
	uint8_t n = c->before < s->n ? (uint8_t)(c->before + 1) : s->n;

	if (!s->n)
		return 0;
	if (c->has_credit && !c->is_by_user)
		return c->goes_on ? first_hard(s) : softest(s);
	if ((c->is_strong || c->is_by_user) && n < first_hard(s))
		return first_hard(s);
	return n;
}

const struct step *steps_at(const struct steps *s, uint8_t n)
{
	if (!n || !s->n)
		return NULL;
	return &s->items[n <= s->n ? n - 1 : s->n - 1];
}

bool steps_is_soft(const struct steps *s, uint8_t n)
{
	const struct step *k = steps_at(s, n);

	return k && k->answer == STEP_REFUSE;
}

bool steps_any(const struct steps *s, enum step_answer answer)
{
	for (uint8_t i = 0; i < s->n; i++) {
		if (s->items[i].answer == answer)
			return true;
	}
	return false;
}

const char *step_answer_name(enum step_answer a)
{
	return names[a];
}

int step_answer_read(struct span word, enum step_answer *out)
{
	for (size_t i = STEP_REFUSE; i <= STEP_DROP_ALL; i++) {
		if (!span_eq(word, span_of(names[i])))
			continue;
		*out = (enum step_answer)i;
		return 0;
	}
	return -EINVAL;
}
