/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * steps - graduated answers: how a jail answers the first time, the second, and so on
 *
 * A jail's steps go from polite to deaf, each with a time of its own. Whoever offends
 * again, while a step lasts that does not keep him out or when it is over, gets the
 * next; the last step is repeated. One is forgotten as bans are (offenders.h). Pure.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

#define STEPS_MAX 8

enum step_answer {
	STEP_REFUSE = 1, /* the mail server says no, with a reason; nothing is closed */
	STEP_REJECT,     /* the jail's ports answer with a reset */
	STEP_DROP,       /* what the jail's actions do: its ports are silent */
	STEP_DROP_ALL,   /* every port is silent */
};

struct step {
	enum step_answer answer;
	int64_t sec; /* above 0; negative: for good */
};

struct steps {
	uint8_t n; /* 0: the jail has one answer, that of its actions */
	struct step items[STEPS_MAX];
};

/* What comes on while a step lasts that refuses was mostly under way when it began: so
 * long it does not count towards the next. */
#define STEPS_GRACE_SEC 10

/* What is known of the one who is to be answered. */
struct steps_case {
	uint32_t before; /* how often he was answered in this jail, or in all */
	bool is_strong;  /* one single thing he did was enough */
	bool has_credit; /* has often been good */
	bool goes_on;    /* though he is being refused */
	bool is_by_user; /* a person asked for it: no mere words */
};

/**
 * steps_next() - which step is his
 *
 * Strong evidence and people's requests pass over steps that only refuse. With credit
 * it is the softest one there is, and never all ports if there is another; but who does
 * not heed it is kept out, by the first step that does: credit makes nobody safe.
 *
 * Return: its number, from 1; 0: there are no steps.
 */
uint8_t steps_next(const struct steps *s, const struct steps_case *c);

/* Step number @n, or the last one if there are fewer now; NULL: n is 0 or there are
 * none. */
const struct step *steps_at(const struct steps *s, uint8_t n);

/* Does it let him in, so that more can be heard of him? */
bool steps_is_soft(const struct steps *s, uint8_t n);
bool steps_any(const struct steps *s, enum step_answer answer);

/* "refuse", "reject", "drop", "dropall" */
const char *step_answer_name(enum step_answer a);
/* Return: 0 or -EINVAL. */
int step_answer_read(struct span word, enum step_answer *out);
