/* SPDX-License-Identifier: GPL-2.0-or-later */

/* f2b_spec: filter names with options, and fail2ban's words for what is wrong */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <errno.h>

#include "cli/f2b_spec.h"

static void test_is_one(void **state)
{
	(void)state;
	assert_true(f2b_spec_is_one(SPAN("sshd")));
	assert_true(f2b_spec_is_one(SPAN("/etc/fail2ban/filter.d/sshd.conf")));
	assert_true(f2b_spec_is_one(SPAN("sshd[mode=a, b='c d']")));
	assert_true(f2b_spec_is_one(SPAN("first line!\nsshd")));
	assert_false(f2b_spec_is_one(SPAN("")));
	assert_false(f2b_spec_is_one(SPAN("^from <HOST>$")));
	assert_false(f2b_spec_is_one(SPAN("sshd [x]")));
	assert_false(f2b_spec_is_one(SPAN("sshd[x")));
}

static void assert_option(
    const struct f2b_spec *s, size_t i, const char *name, const char *value)
{
	assert_true(i < s->n_options);
	assert_true(span_eq(s->options[i].name, span_of(name)));
	assert_true(span_eq(s->options[i].value, span_of(value)));
}

static void test_parse(void **state)
{
	struct f2b_spec s;
	struct span value;
	struct err e;

	(void)state;
	assert_int_equal(f2b_spec_parse(SPAN("sshd"), &s, &e), 0);
	assert_int_equal(s.n_options, 0);
	assert_int_equal(s.rest.n, 0);
	assert_int_equal(f2b_spec_parse(SPAN("a[x=1, y=\" b,] \"][z='']"), &s, &e), 0);
	assert_true(span_eq(s.name, SPAN("a")));
	assert_int_equal(s.n_options, 3);
	assert_option(&s, 0, "x", "1");
	assert_option(&s, 1, "y", "b,]");
	assert_option(&s, 2, "z", "");
	assert_true(f2b_spec_find(&s, SPAN("x"), &value));
	assert_true(span_eq(value, SPAN("1")));
	assert_false(f2b_spec_find(&s, SPAN("nosuch"), &value));
	assert_int_equal(f2b_spec_parse(SPAN("a[]"), &s, &e), 0);
	assert_int_equal(f2b_spec_parse(SPAN("a[x=1,]"), &s, &e), 0);
	assert_int_equal(s.n_options, 1);
}

static void assert_wrong(const char *text, const char *want)
{
	struct f2b_spec s;
	struct err e = {""};

	assert_int_equal(f2b_spec_parse(span_of(text), &s, &e), -EINVAL);
	assert_string_equal(e.text, want);
}

static void test_wrong(void **state)
{
	(void)state;
	assert_wrong(
	    "flt[a='x,y,z',b=z,y,x]", "expected option, wrong syntax at 14: y,x");
	assert_wrong("flt[a='x'b]", "unexpected syntax at 5 after option 'a': b");
	assert_wrong("flt[a=", "unexpected option syntax");
	assert_wrong("[a=1]", "unexpected option syntax");
	assert_wrong("", "unexpected option syntax");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_is_one),
	    cmocka_unit_test(test_parse),
	    cmocka_unit_test(test_wrong),
	};

	return cmocka_run_group_tests_name("f2b_spec", tests, NULL, NULL);
}
