/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * escalate-main - lengths of bans as decide/escalate computes them, for
 * tests/compat/formula_oracle.py
 *
 * A line in: bantime, count, seed, factor, formula, multipliers, maxtime, rndtime, with
 * tabs between; empty: not set. A line out: `=`, the length; or `!`, the outcome; or
 * `?`, which text, where, and what is wrong with it.
 */
#include <inttypes.h>
#include <stdio.h>

#include "decide/escalate.h"

#define N_FIELDS 8

static bool split(char *line, char *fields[N_FIELDS])
{
	line[strcspn(line, "\n")] = '\0';
	for (size_t i = 0; i < N_FIELDS; i++) {
		fields[i] = strsep(&line, "\t");
		if (!fields[i])
			return false;
	}
	return true;
}

static const char *unless_empty(const char *s)
{
	return *s ? s : NULL;
}

static void answer(char *f[N_FIELDS])
{
	struct escalate_options o = {.factor = unless_empty(f[3]),
	    .formula = unless_empty(f[4]),
	    .multipliers = unless_empty(f[5]),
	    .has_maxtime = *f[6] != '\0',
	    .maxtime_sec = strtod(f[6], NULL),
	    .rndtime_sec = strtod(f[7], NULL)};
	struct escalate_error e;
	CLEANUP(escalate_freep) struct escalate *x = escalate_new(&o, &e);
	double sec;
	int r;

	if (!x) {
		printf("?\t%d\t%zu\t%s\n", (int)e.in, e.e.at, e.e.text);
		return;
	}
	r = escalate_sec(x, strtoll(f[0], NULL, 10), (uint32_t)strtoul(f[1], NULL, 10),
	    strtoull(f[2], NULL, 10), &sec);
	if (r)
		printf("!\t%d\t%s\n", r, escalate_complaint(r));
	else
		printf("=\t%.17g\n", sec);
}

int main(void)
{
	CLEANUP(freep) char *line = NULL;
	char *fields[N_FIELDS];
	size_t room = 0;

	while (getline(&line, &room, stdin) > 0) {
		if (!split(line, fields))
			return 1;
		answer(fields);
	}
	return 0;
}
