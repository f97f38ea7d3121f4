/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "flow/cursor.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <errno.h>

static void what_goes_in_comes_out(UNUSED void **state)
{
	struct cursor c = {1, UINT64_MAX, 3, 4, CURSOR_HEAD_MAX, 6}, d;
	struct buf b = BUF_INIT(100);

	cursor_encode(&b, &c);
	struct unpack u = unpack_of(buf_span(&b));

	d = cursor_decode(&u);
	assert_int_equal(unpack_end(&u), 0);
	assert_int_equal(d.dev, 1);
	assert_true(d.ino == UINT64_MAX);
	assert_int_equal(d.offset, 3);
	assert_int_equal(d.lines, 4);
	assert_int_equal(d.head_bytes, CURSOR_HEAD_MAX);
	assert_int_equal(d.head_hash, 6);
	for (size_t n = 0; n < b.n; n++) {
		u = unpack_of((struct span){b.p, n});
		(void)cursor_decode(&u);
		assert_int_equal(unpack_end(&u), -EBADMSG);
	}
	buf_deinit(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_goes_in_comes_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
