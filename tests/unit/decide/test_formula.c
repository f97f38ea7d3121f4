/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "decide/formula.h"

static const struct formula_names names = {
    600, 3, {.kind = FORMULA_FLOAT, .f = 1.5}, 12345};

static int run(const char *text, struct formula_value *out)
{
	struct formula_error e;
	CLEANUP(formula_freep)
	struct formula *f = formula_compile(span_of(text), false, &e);

	if (!f)
		fail_msg("%s: %zu: %s", text, e.at, e.text);
	return formula_run(f, &names, out);
}

static void gives(const char *text, enum formula_kind kind, double want)
{
	struct formula_value v;
	int r = run(text, &v);

	if (r)
		fail_msg("%s: %s", text, formula_complaint(r));
	if (v.kind != kind || formula_to_double(v) != want)
		fail_msg("%s: kind %d, %.17g", text, v.kind, formula_to_double(v));
}

static void whole(const char *text, double want)
{
	gives(text, FORMULA_WHOLE, want);
}

static void floating(const char *text, double want)
{
	gives(text, FORMULA_FLOAT, want);
}

static void fails(const char *text, int want)
{
	struct formula_value v;

	if (run(text, &v) != want)
		fail_msg("%s", text);
}

static void is_wrong(const char *text, size_t at, const char *why)
{
	struct formula_error e;
	CLEANUP(formula_freep)
	struct formula *f = formula_compile(span_of(text), false, &e);

	if (f)
		fail_msg("%s: compiles", text);
	assert_string_equal(e.text, why);
	assert_int_equal(e.at, at);
}

static void test_numbers_and_names(void **state)
{
	(void)state;
	whole("7", 7);
	whole(" \t1000000 ", 1e6);
	floating("1.5", 1.5);
	floating(".5", .5);
	floating("5.", 5);
	floating("1e3", 1000);
	floating("25E-1", 2.5);
	whole("ban.Time", 600);
	whole("ban.Count", 3);
	floating("banFactor", 1.5);
	floating("math.pi", M_PI);
	whole("True + True + False", 2);
	whole("9223372036854775807", 0x1p63);
	gives("9223372036854775808", FORMULA_HUGE, 0x1p63);
	whole("00", 0);
}

static void test_operators_as_in_python(void **state)
{
	(void)state;
	whole("2 + 3 * 4", 14);
	whole("(2 + 3) * 4", 20);
	whole("10 - 4 - 3", 3);
	whole("2 ** 3 ** 2", 512);
	whole("-2 ** 2", -4);
	floating("2 ** -1", .5);
	whole("1 << 2 + 1", 8);
	whole("-7 // 2", -4);
	whole("-7 % 3", 2);
	whole("7 % -3", -2);
	floating("7 / 2", 3.5);
	floating("-7.5 // 2", -4);
	floating("-7.5 % 2", .5);
	whole("-8 >> 1", -4);
	whole("--+-5", -5);
	whole("1 < 2 < 3", 1);
	whole("1 < 3 < 2", 0);
	whole("3 > 2 > 1 == 1 != 2 <= 2 >= 2", 1);
	whole("3 > 2 > 2 > 1 / 0", 0);
	whole("1 == 1.0", 1);
	whole("not 1 + 1", 0);
	whole("not not 5", 1);
	whole("0 or 7", 7);
	whole("3 and 7", 7);
	whole("3 or 1 / 0", 3);
	whole("0 and 1 / 0", 0);
	whole("1 or 0 and 0", 1);
}

static void test_conditions_run_one_side_only(void **state)
{
	(void)state;
	whole("1 if ban.Count < 20 else 1 / 0", 1);
	whole("1 / 0 if ban.Count > 20 else 2", 2);
	whole("1 if 0 else 2 if 0 else 3", 3);
	whole("(1 if 0 else 2) if (0 if 1 else 1) or 1 else 3", 2);
	whole("5 + (1 or 2 if 3 < 4 < 5 and 1 else 9) * 2", 7);
	whole("ban.Time * (1<<(ban.Count if ban.Count<20 else 20))", 4800);
}

static void test_functions(void **state)
{
	(void)state;
	floating("float(3)", 3);
	whole("int(-3.9)", -3);
	whole("bool(0.1)", 1);
	whole("abs(-3)", 3);
	floating("min(3, 2.5, 4)", 2.5);
	whole("max(3, 3.0)", 3);
	whole("max(1, 2, 3,)", 3);
	whole("round(2.5)", 2);
	whole("round(3.5)", 4);
	floating("round(2.675, 2)", 2.67);
	floating("round(1234.5, -2)", 1200);
	whole("round(1250, -2)", 1200);
	whole("pow(2, 10)", 1024);
	whole("math.floor(-2.5)", -3);
	whole("math.ceil(2.1)", 3);
	whole("math.trunc(-2.9)", -2);
	floating("math.sqrt(16)", 4);
	floating("math.pow(2, 3)", 8);
	floating("math.log(8, 2)", log(8) / log(2));
	floating("math.exp(0)", 1);
	floating("math.fmod(-7, 3)", -1);
	floating("math.log10(1000)", 3);
	floating("random.random()", formula_chance(12345, 0));
	floating("0 * random.random() + random.random()", formula_chance(12345, 1));
	floating("random.uniform(5, 5)", 5);
}

static void test_where_python_gives_up(void **state)
{
	(void)state;
	fails("1 / 0", FORMULA_ZERO_DIVIDED);
	fails("1.0 // 0", FORMULA_ZERO_DIVIDED);
	fails("1 % 0", FORMULA_ZERO_DIVIDED);
	fails("0 ** -1", FORMULA_ZERO_DIVIDED);
	fails("math.exp(1000)", FORMULA_OVERFLOW);
	fails("10.0 ** 400", FORMULA_OVERFLOW);
	fails("int(math.inf)", FORMULA_OVERFLOW);
	fails("1.5 * (10 ** 400)", FORMULA_OVERFLOW);
	fails("math.log(0)", FORMULA_DOMAIN);
	fails("math.sqrt(-1)", FORMULA_DOMAIN);
	fails("(-8) ** 0.5", FORMULA_DOMAIN);
	fails("1 << -1", FORMULA_DOMAIN);
	fails("1 << banFactor", FORMULA_MISTYPED);
	fails("1.0 >> 1", FORMULA_MISTYPED);
}

static void test_whole_numbers_have_no_end(void **state)
{
	(void)state;
	gives("600 * (1 << 100)", FORMULA_HUGE, 600 * 0x1p100);
	gives("2 ** 200", FORMULA_HUGE, 0x1p200);
	gives("2 ** 2000", FORMULA_HUGE, INFINITY);
	gives("-(-9223372036854775807 - 1)", FORMULA_HUGE, 0x1p63);
	gives("(-9223372036854775807 - 1) // -1", FORMULA_HUGE, 0x1p63);
	whole("(-9223372036854775807 - 1) % -1", 0);
	whole("(1 << 100) >> 98", 4);
	whole("min(2 ** 2000, 86400)", 86400);
	whole("0 * 2 ** 2000", 0);
	floating("2 ** 100 / 2 ** 99", 2);
}

static void test_mistakes_have_a_place(void **state)
{
	(void)state;
	is_wrong("", 0, "ends too early, expected a number, a name or '('");
	is_wrong("1 +", 3, "ends too early, expected a number, a name or '('");
	is_wrong("(1", 2, "ends too early, expected ')'");
	is_wrong("1 if 2", 6, "ends too early, expected 'else'");
	is_wrong("1 ) 2", 2, "expected an operator or the end, not ')'");
	is_wrong("ban.time * 2", 0, "there is no 'ban.time' in a formula");
	is_wrong("2 * __import__('os')", 4, "there is no '__import__' in a formula");
	is_wrong("'x'", 0, "expected a number, a name or '(', not '''");
	is_wrong("1 = 2", 2, "expected an operator or the end, not '='");
	is_wrong("012", 0, "a number does not begin with 0");
	is_wrong("0x10", 0, "is no number bandog knows");
	is_wrong("1.2.3", 0, "'1.2.3' is no number");
	is_wrong("math.exp", 8, "ends too early, expected '('");
	is_wrong("math.exp()", 0, "math.exp() does not take 0 arguments");
	is_wrong("min(1)", 0, "min() does not take 1 arguments");
	is_wrong("min(1 2)", 6, "expected ',' or ')', not '2'");
	is_wrong("1 \xc3\xa4", 2, "expected an operator or the end");
}

static void test_bounds(void **state)
{
	char text[FORMULA_MAX_BYTES + 2];
	struct formula_error e;

	(void)state;
	memset(text, '-', sizeof(text));
	assert_null(formula_compile((struct span){text, 200}, false, &e));
	assert_string_equal(e.text, "is nested too deeply, more than 60");
	memset(text, '(', sizeof(text));
	assert_null(formula_compile((struct span){text, 4096}, false, &e));
	assert_string_equal(e.text, "is nested too deeply, more than 60");
	assert_null(formula_compile((struct span){text, 4097}, false, &e));
	assert_string_equal(e.text, "is longer than 4096 bytes");
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = i % 2 ? '+' : '1';
	assert_null(formula_compile((struct span){text, 401}, false, &e));
	assert_string_equal(e.text, "is too long, more than 400 steps");
	CLEANUP(formula_freep)
	struct formula *f = formula_compile((struct span){text, 399}, false, &e);

	assert_non_null(f);
}

static void test_a_constant_knows_no_ban(void **state)
{
	struct formula_error e;

	(void)state;
	assert_null(formula_compile(SPAN("2 * ban.Count"), true, &e));
	assert_int_equal(e.at, 4);
	assert_string_equal(e.text, "ban.Count has no value here");
	assert_null(formula_compile(SPAN("random.random()"), true, &e));
}

static void test_chance_is_even_and_repeatable(void **state)
{
	double sum = 0;

	(void)state;
	for (uint32_t i = 0; i < 1000; i++) {
		double v = formula_chance(i, 0);

		assert_true(v >= 0 && v < 1);
		assert_true(v == formula_chance(i, 0));
		sum += v;
	}
	assert_true(sum > 450 && sum < 550);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_numbers_and_names),
	    cmocka_unit_test(test_operators_as_in_python),
	    cmocka_unit_test(test_conditions_run_one_side_only),
	    cmocka_unit_test(test_functions),
	    cmocka_unit_test(test_where_python_gives_up),
	    cmocka_unit_test(test_whole_numbers_have_no_end),
	    cmocka_unit_test(test_mistakes_have_a_place),
	    cmocka_unit_test(test_bounds),
	    cmocka_unit_test(test_a_constant_knows_no_ban),
	    cmocka_unit_test(test_chance_is_even_and_repeatable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
