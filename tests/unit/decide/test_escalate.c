/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "decide/escalate.h"

#define DAY 86400
#define N 10

static struct escalate *new_of(const struct escalate_options *o)
{
	struct escalate_error e;
	struct escalate *x = escalate_new(o, &e);

	if (!x)
		fail_msg("%d: %zu: %s", (int)e.in, e.e.at, e.e.text);
	return x;
}

/* The lengths for the counts 1 to 10, in whole seconds, bantime being 600. */
static void gives(const struct escalate_options *o, const int64_t want[N])
{
	CLEANUP(escalate_freep) struct escalate *x = new_of(o);

	for (uint32_t i = 0; i < N; i++) {
		double sec = 0;

		assert_int_equal(escalate_sec(x, 600, i + 1, 0, &sec), 0);
		assert_int_equal((int64_t)sec, want[i]);
	}
}

#define MULTIPLIERS_9 "1 2 4 8 16 32 64 128 256"
#define MULTIPLIERS_12 MULTIPLIERS_9 " 512 1024 2048"

/* The tables of fail2ban's observertestcase. */
static void test_tables_by_default(void **state)
{
	static const char *const multipliers[] = {NULL, MULTIPLIERS_9, MULTIPLIERS_12};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(multipliers); i++) {
		struct escalate_options o = {
		    .multipliers = multipliers[i], .has_maxtime = true};

		o.maxtime_sec = DAY;
		gives(&o, (int64_t[N]){1200, 2400, 4800, 9600, 19200, 38400, 76800,
			      86400, 86400, 86400});
		o.maxtime_sec = 30 * DAY;
		/* The last multiplier of nine is 256. */
		gives(&o,
		    (int64_t[N]){1200, 2400, 4800, 9600, 19200, 38400, 76800, 153600,
			i == 1 ? 153600 : 307200, i == 1 ? 153600 : 614400});
		o.maxtime_sec = DAY;
		o.factor = "2";
		gives(&o, (int64_t[N]){2400, 4800, 9600, 19200, 38400, 76800, 86400,
			      86400, 86400, 86400});
		o.factor = "1.33";
		gives(&o, (int64_t[N]){1596, 3192, 6384, 12768, 25536, 51072, 86400,
			      86400, 86400, 86400});
		o.factor = NULL;
		o.maxtime_sec = DAY / 2;
		gives(&o, (int64_t[N]){1200, 2400, 4800, 9600, 19200, 38400, 43200,
			      43200, 43200, 43200});
	}
}

static void test_tables_of_the_other_formula(void **state)
{
	struct escalate_options o = {
	    .formula = "ban.Time * math.exp(float(ban.Count+1)*banFactor)"
		       "/math.exp(1*banFactor)",
	    .factor = "2.0 / 2.885385",
	    .has_maxtime = true,
	    .maxtime_sec = DAY};

	(void)state;
	gives(&o, (int64_t[N]){1200, 2400, 4800, 9600, 19200, 38400, 76800, 86400,
		      86400, 86400});
	o.maxtime_sec = 30 * DAY;
	gives(&o, (int64_t[N]){1200, 2400, 4800, 9600, 19200, 38400, 76800, 153601,
		      307203, 614407});
	o.maxtime_sec = DAY;
	o.factor = "1";
	gives(&o, (int64_t[N]){1630, 4433, 12051, 32758, 86400, 86400, 86400, 86400,
		      86400, 86400});
}

static void test_commented_lines_of_jail_conf(void **state)
{
	struct escalate_options o = {
	    .formula =
		"ban.Time * (1<<(ban.Count if ban.Count<20 else 20)) * banFactor"};

	(void)state;
	gives(&o, (int64_t[N]){1200, 2400, 4800, 9600, 19200, 38400, 76800, 153600,
		      307200, 614400});
	o.multipliers = "1 5 30 60 300 720 1440 2880";
	gives(&o, (int64_t[N]){3000, 18000, 36000, 180000, 432000, 864000, 1728000,
		      1728000, 1728000, 1728000});
}

static void test_chance_comes_after_the_cap(void **state)
{
	struct escalate_options o = {
	    .has_maxtime = true, .maxtime_sec = 1000, .rndtime_sec = 300};
	CLEANUP(escalate_freep) struct escalate *x = new_of(&o);
	CLEANUP(escalate_freep) struct escalate *copy = escalate_dup(x);
	bool has_differed = false;
	double sec, again;

	(void)state;
	assert_non_null(copy);
	for (uint64_t seed = 0; seed < 100; seed++) {
		assert_int_equal(escalate_sec(x, 600, 1, seed, &sec), 0);
		assert_true(sec >= 1000 && sec < 1300);
		assert_int_equal(escalate_sec(copy, 600, 1, seed, &again), 0);
		assert_true(sec == again);
		has_differed = has_differed || sec > 1200;
	}
	assert_true(has_differed);
	assert_int_equal(escalate_sec_at_least(x, 600, 1, &sec), 0);
	assert_true(sec == 1000);
}

static void test_no_length(void **state)
{
	static const struct {
		struct escalate_options o;
		int want;
	} rows[] = {
	    {{.formula = "1 / (ban.Count - 1)"}, FORMULA_ZERO_DIVIDED},
	    {{.formula = "math.exp(1000)"}, FORMULA_OVERFLOW},
	    {{.formula = "1e200 * 1e200"}, ESCALATE_NO_LENGTH},
	    {{.multipliers = "0 0"}, ESCALATE_NO_LENGTH},
	    {{.multipliers = "1 2", .factor = "-1"}, ESCALATE_NO_LENGTH},
	    {{.formula = "math.inf - math.inf"}, 0}, /* not greater than bantime */
	    {{.formula = "1e200 * 1e200", .has_maxtime = true, .maxtime_sec = 5}, 0},
	    {{.formula = "2 ** 5000", .has_maxtime = true, .maxtime_sec = 5}, 0},
	};
	double sec;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP(escalate_freep) struct escalate *x = new_of(&rows[i].o);

		assert_int_equal(escalate_sec(x, 600, 1, 0, &sec), rows[i].want);
		assert_string_not_equal(escalate_complaint(rows[i].want), "");
	}
}

static void test_maxtime_below_zero_is_for_good(void **state)
{
	struct escalate_options o = {
	    .has_maxtime = true, .maxtime_sec = -1, .rndtime_sec = 300};
	CLEANUP(escalate_freep) struct escalate *x = new_of(&o);
	double sec;

	(void)state;
	assert_int_equal(escalate_sec(x, 600, 1, 5, &sec), 0);
	assert_true(sec < 0);
}

static void is_wrong(struct escalate_options o, int in, size_t at, const char *why)
{
	struct escalate_error e;

	assert_null(escalate_new(&o, &e));
	assert_int_equal(e.in, in);
	assert_int_equal(e.e.at, at);
	assert_string_equal(e.e.text, why);
}

static void test_mistakes(void **state)
{
	(void)state;
	is_wrong((struct escalate_options){.factor = "2 * ban.Count"}, ESCALATE_FACTOR,
	    4, "ban.Count has no value here");
	is_wrong((struct escalate_options){.factor = "1 / 0"}, ESCALATE_FACTOR, 0,
	    "is no number: it divides by zero");
	is_wrong((struct escalate_options){.formula = "ban.Time *"}, ESCALATE_FORMULA,
	    10, "ends too early, expected a number, a name or '('");
	is_wrong((struct escalate_options){.multipliers = "1 2 x"},
	    ESCALATE_MULTIPLIERS, 4, "expected whole numbers with blanks between them");
}

static void test_weight(void **state)
{
	static const int16_t want[] = {1, 2, 3, 5, 9, 17, 33};

	(void)state;
	for (uint32_t i = 0; i < ARRAY_LEN(want); i++)
		assert_int_equal(escalate_weight(i, 1000), want[i]);
	assert_int_equal(escalate_weight(5, 3), 3);
	assert_int_equal(escalate_weight(5, 0), 1);
	assert_int_equal(escalate_weight(UINT32_MAX, UINT32_MAX), INT16_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_tables_by_default),
	    cmocka_unit_test(test_tables_of_the_other_formula),
	    cmocka_unit_test(test_commented_lines_of_jail_conf),
	    cmocka_unit_test(test_chance_comes_after_the_cap),
	    cmocka_unit_test(test_no_length),
	    cmocka_unit_test(test_maxtime_below_zero_is_for_good),
	    cmocka_unit_test(test_mistakes),
	    cmocka_unit_test(test_weight),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
