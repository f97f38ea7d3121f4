/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

static void set_states_the_fact(void **state)
{
	struct err e = {""};

	(void)state;
	assert_int_equal(err_set(&e, -EINVAL, "%s has %d legs", "it", 3), -EINVAL);
	assert_string_equal(e.text, "it has 3 legs");
	assert_int_equal(err_set(NULL, -EIO, "nobody listens"), -EIO);
}

static void wrap_puts_in_front(void **state)
{
	struct err e = {""};

	(void)state;
	(void)err_set(&e, -EINVAL, "inner");
	assert_int_equal(err_wrap(&e, -EINVAL, "outer %d", 1), -EINVAL);
	assert_string_equal(e.text, "outer 1: inner");
	assert_int_equal(err_wrap(&e, -EIO, "top"), -EIO);
	assert_string_equal(e.text, "top: outer 1: inner");
	assert_int_equal(err_wrap(NULL, -EIO, "top"), -EIO);
}

static void wrap_of_nothing_has_no_colon(void **state)
{
	struct err e = {""};

	(void)state;
	(void)err_wrap(&e, -EIO, "alone");
	assert_string_equal(e.text, "alone");
}

static void errno_text_is_appended(void **state)
{
	struct err e = {""};

	(void)state;
	assert_int_equal(err_errno(&e, -ENOENT, "%s", "/x"), -ENOENT);
	assert_string_equal(e.text, "/x: No such file or directory");
	assert_int_equal(err_errno(NULL, -ENOENT, "x"), -ENOENT);
}

static void long_texts_are_cut(void **state)
{
	char text[2 * ERR_TEXT_BYTES];
	struct err e = {""};

	(void)state;
	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	(void)err_set(&e, -EIO, "%s", text);
	assert_int_equal(strlen(e.text), ERR_TEXT_BYTES - 1);
	(void)err_errno(&e, -EIO, "%s", text);
	assert_int_equal(strlen(e.text), ERR_TEXT_BYTES - 1);
	(void)err_wrap(&e, -EIO, "%s", "b");
	assert_int_equal(strlen(e.text), ERR_TEXT_BYTES - 1);
	assert_memory_equal(e.text, "b: aaa", 6);
	(void)err_wrap(&e, -EIO, "%s", text);
	assert_int_equal(strlen(e.text), ERR_TEXT_BYTES - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(set_states_the_fact),
	    cmocka_unit_test(wrap_puts_in_front),
	    cmocka_unit_test(wrap_of_nothing_has_no_colon),
	    cmocka_unit_test(errno_text_is_appended),
	    cmocka_unit_test(long_texts_are_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
