/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * escalate - how long the next ban of somebody who was banned before lasts
 *
 * fail2ban's bantime.increment: bantime * factor * multipliers[count], or the greater
 * of bantime and the formula; then no more than maxtime; then up to rndtime by chance.
 * Pure: chance comes from a seed.
 */

#include "base/err.h"
#include "decide/formula.h"

#define ESCALATE_MAX_MULTIPLIERS 1024
#define ESCALATE_MAX_SEC 1e12 /* what is longer is no length */

struct escalate;

struct escalate_options {
	const char *factor;      /* NULL: 1 */
	const char *formula;     /* NULL: each ban twice as long as the one before */
	const char *multipliers; /* whole numbers; NULL: the formula */
	bool has_maxtime;
	double maxtime_sec; /* negative: the second ban is for good */
	double rndtime_sec; /* 0: no chance in it */
};

/* Which of the texts is wrong, and where. */
struct escalate_error {
	enum {
		ESCALATE_NOMEM,
		ESCALATE_FACTOR,
		ESCALATE_FORMULA,
		ESCALATE_MULTIPLIERS
	} in;
	struct formula_error e;
};

struct escalate *escalate_new(
    const struct escalate_options *o, struct escalate_error *e); /* NULL with @e */
struct escalate *escalate_dup(const struct escalate *x); /* NULL: out of memory */
struct escalate *escalate_free(struct escalate *x);
DEFINE_CLEANUP(struct escalate *, escalate_free)

enum {
	/* below: FORMULA_ZERO_DIVIDED and so on */
	ESCALATE_NO_LENGTH = 100, /* zero, negative, or beyond ESCALATE_MAX_SEC */
};

/**
 * escalate_sec() - the length of a ban
 * @base_sec: bantime, above 0
 * @count:    bans before, at least 1
 * @seed:     of chance
 * @out_sec:  negative: for good
 *
 * Return: 0; else why there is none: the ban then lasts for bantime.
 */
int escalate_sec(const struct escalate *x, int64_t base_sec, uint32_t count,
    uint64_t seed, double *out_sec);

/* As escalate_sec() without what chance adds: rndtime is left out. */
int escalate_sec_at_least(
    const struct escalate *x, int64_t base_sec, uint32_t count, double *out_sec);

/**
 * escalate_weight() - as how many failures one of somebody with @count bans counts
 *
 * 2, 3, 5, 9 and so on, at most @maxretry and 32767.
 */
int16_t escalate_weight(uint32_t count, uint32_t maxretry);

const char *escalate_complaint(int outcome);
