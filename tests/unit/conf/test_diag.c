/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "conf_test.h"

static void prints_as_compilers_do(void **state)
{
	struct diag d = {0};
	char file[] = "/etc/jail.conf";

	(void)state;
	diag_add(&d, DIAG_ERROR, (struct conf_place){file, 14, 15}, "x: '%s'", "y");
	diag_add(&d, DIAG_WARNING, (struct conf_place){file, 3, 0}, "w");
	diag_add(&d, DIAG_NOTE, (struct conf_place){file, 0, 0}, "n");
	diag_add(&d, DIAG_ERROR, (struct conf_place){0}, "nowhere");
	file[1] = 'X'; /* it was copied */
	assert_string_equal(all_of(&d), "/etc/jail.conf:14:15: error: x: 'y'\n"
					"/etc/jail.conf:3: warning: w\n"
					"/etc/jail.conf: note: n\n"
					"error: nowhere\n");
	assert_int_equal(d.n_errors, 2);
	assert_int_equal(d.n_warnings, 1);
	diag_deinit(&d);
	assert_int_equal(d.n, 0);
}

static void says_a_thing_once(void **state)
{
	struct diag d = {0};
	struct conf_place at = {"f", 1, 2}, other = {"g", 1, 2};

	(void)state;
	diag_add(&d, DIAG_ERROR, at, "a");
	diag_add(&d, DIAG_ERROR, at, "a");
	diag_add(&d, DIAG_ERROR, at, "b");
	diag_add(&d, DIAG_ERROR, other, "a");
	assert_int_equal(d.n, 3);
	assert_int_equal(d.n_errors, 3);
	diag_deinit(&d);
}

static void hides_control_bytes(void **state)
{
	struct diag d = {0};

	(void)state;
	diag_add(
	    &d, DIAG_ERROR, (struct conf_place){"f\033", 1, 1}, "a\nb\033[2Jc\177");
	assert_string_equal(all_of(&d), "f\\x1b:1:1: error: a\\nb\\x1b[2Jc\\x7f\n");
	diag_deinit(&d);
}

static void is_bounded(void **state)
{
	struct diag d = {0};

	(void)state;
	for (unsigned int i = 0; i < DIAG_MAX + 5; i++)
		diag_add(&d, DIAG_ERROR, (struct conf_place){"f", i + 1, 1}, "x");
	assert_int_equal(d.n, DIAG_MAX);
	assert_int_equal(d.n_dropped, 5);
	assert_int_equal(d.n_errors, DIAG_MAX + 5);
	diag_deinit(&d);
	diag_add(NULL, DIAG_ERROR, (struct conf_place){0}, "nobody listens");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(prints_as_compilers_do),
	    cmocka_unit_test(says_a_thing_once),
	    cmocka_unit_test(hides_control_bytes),
	    cmocka_unit_test(is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
