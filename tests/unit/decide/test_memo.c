/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/hash.h"
#include "decide/memo.h"

static uint64_t key(uint64_t i)
{
	return hash_keyed(&i, sizeof(i));
}

static void test_keeps_what_is_put(void **state)
{
	CLEANUP(memo_freep) struct memo *m = memo_new(sizeof(uint32_t), 1000);

	(void)state;
	assert_null(memo_find(m, key(1)));
	for (uint32_t i = 0; i < 1000; i++) {
		uint32_t *v = memo_get(m, key(i));

		assert_non_null(v);
		assert_int_equal(*v, 0);
		*v = i + 1;
	}
	for (uint32_t i = 0; i < 1000; i++)
		assert_int_equal(*(uint32_t *)memo_find(m, key(i)), i + 1);
	assert_int_equal(memo_count(m), 1000);
	memo_drop(m, key(7));
	assert_int_equal(*(uint32_t *)memo_get(m, key(7)), 0);
	memo_clear(m);
	assert_null(memo_find(m, key(8)));
}

/* What is used stays, however much comes; what is not goes. */
static void test_is_bounded(void **state)
{
	CLEANUP(memo_freep) struct memo *m = memo_new(sizeof(uint32_t), 100);

	(void)state;
	*(uint32_t *)memo_get(m, key(0)) = 77;
	*(uint32_t *)memo_get(m, key(1)) = 78;
	for (uint32_t i = 2; i < 10000; i++) {
		assert_non_null(memo_get(m, key(i)));
		assert_true(memo_count(m) <= 200);
		assert_int_equal(*(uint32_t *)memo_find(m, key(0)), 77);
	}
	assert_null(memo_find(m, key(1)));
}

static void test_key_zero(void **state)
{
	CLEANUP(memo_freep) struct memo *m = memo_new(1, 4);

	(void)state;
	*(uint8_t *)memo_get(m, 0) = 5;
	assert_int_equal(*(uint8_t *)memo_find(m, 0), 5);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_keeps_what_is_put),
	    cmocka_unit_test(test_is_bounded),
	    cmocka_unit_test(test_key_zero),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
