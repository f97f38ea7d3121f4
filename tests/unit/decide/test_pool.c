/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "decide/pool.h"

#define N 2000

static void test_items_are_zero_and_stay(void **state)
{
	struct pool p;
	uint64_t *at[N];

	(void)state;
	pool_init(&p, sizeof(uint64_t));
	for (uint32_t i = 0; i < N; i++) {
		uint32_t id = pool_alloc(&p);

		assert_int_equal(id, i + 1);
		at[i] = pool_at(&p, id);
		assert_int_equal(*at[i], 0);
		*at[i] = UINT64_C(0x100000000) + i;
	}
	for (uint32_t i = 0; i < N; i++) {
		assert_ptr_equal(pool_at(&p, i + 1), at[i]);
		assert_int_equal(*at[i], UINT64_C(0x100000000) + i);
	}
	pool_deinit(&p);
}

static void test_numbers_are_used_again(void **state)
{
	struct pool p;

	(void)state;
	pool_init(&p, sizeof(uint64_t));
	for (int i = 0; i < 5; i++) {
		uint32_t id = pool_alloc(&p);

		memset(pool_at(&p, id), 0xff, sizeof(uint64_t));
	}
	pool_release(&p, 2);
	pool_release(&p, 4);
	assert_int_equal(pool_alloc(&p), 4);
	assert_int_equal(pool_alloc(&p), 2);
	assert_int_equal(*(uint64_t *)pool_at(&p, 2), 0);
	assert_int_equal(*(uint64_t *)pool_at(&p, 4), 0);
	assert_int_equal(pool_alloc(&p), 6);
	assert_int_equal(p.n_made, 6);
	pool_deinit(&p);
}

static void test_marks(void **state)
{
	static const uint32_t ids[] = {1, 2, 64, 65, 512, 513, 1025, 2000};
	struct pool p;
	uint32_t id = POOL_NONE;

	(void)state;
	pool_init(&p, sizeof(uint32_t));
	assert_int_equal(pool_next_marked(&p, POOL_NONE), POOL_NONE);
	for (int i = 0; i < N; i++)
		(void)pool_alloc(&p);
	for (size_t i = sizeof(ids) / sizeof(ids[0]); i-- > 0;)
		pool_mark(&p, ids[i], true);
	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		id = pool_next_marked(&p, id);
		assert_int_equal(id, ids[i]);
	}
	assert_int_equal(pool_next_marked(&p, id), POOL_NONE);
	pool_mark(&p, 64, false);
	pool_release(&p, 65);
	assert_int_equal(pool_next_marked(&p, 2), 512);
	pool_deinit(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_items_are_zero_and_stay),
	    cmocka_unit_test(test_numbers_are_used_again),
	    cmocka_unit_test(test_marks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
