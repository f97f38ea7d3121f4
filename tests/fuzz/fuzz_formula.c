/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz_formula - any text as a formula for the length of bans
 *
 * It compiles or says where it does not; what compiles runs to an end, a copy runs to
 * the same one, and the same seed gives the same number.
 */
#include <assert.h>

#include "decide/escalate.h"
#include "fuzz.h"

static void run(const struct formula *f, int64_t time, int64_t count)
{
	const struct formula_names names = {
	    time, count, {.kind = FORMULA_FLOAT, .f = 1.5}, 42};
	CLEANUP(formula_freep) struct formula *copy = formula_dup(f);
	struct formula_value a, b;
	int r = formula_run(f, &names, &a);

	assert(copy && formula_run(copy, &names, &b) == r);
	if (r) {
		assert(formula_complaint(r)[0]);
		return;
	}
	double x = formula_to_double(a), y = formula_to_double(b);

	assert(memcmp(&x, &y, sizeof(x)) == 0);
}

static void as_formula(struct span s, bool is_constant)
{
	struct formula_error e;
	CLEANUP(formula_freep)
	struct formula *f = formula_compile(s, is_constant, &e);

	if (!f) {
		assert(e.text[0] && e.at <= s.n);
		return;
	}
	run(f, 600, 1);
	run(f, 1, INT64_MAX);
	run(f, INT64_MIN, 0);
}

/* The same text in each of the three options. */
static void as_options(const char *text)
{
	for (int i = 0; i < 3; i++) {
		struct escalate_options o = {.factor = i == 0 ? text : NULL,
		    .formula = i == 1 ? text : NULL,
		    .multipliers = i == 2 ? text : NULL,
		    .has_maxtime = true,
		    .maxtime_sec = 86400,
		    .rndtime_sec = 300};
		struct escalate_error e;
		CLEANUP(escalate_freep) struct escalate *x = escalate_new(&o, &e);
		double sec = 0;

		if (!x) {
			assert(e.in != ESCALATE_NOMEM && e.e.at <= strlen(text));
			continue;
		}
		if (escalate_sec(x, 600, 3, 7, &sec) == 0)
			assert(sec > 0 && sec <= 86400 + 300);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct span s = {(const char *)bytes, n};
	CLEANUP(freep) char *text = NULL;

	as_formula(s, false);
	as_formula(s, true);
	text = n && !memchr(bytes, 0, n) ? strndup(s.p, n) : NULL;
	if (text)
		as_options(text);
	return 0;
}
