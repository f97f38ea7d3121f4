/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/hash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

static void follows_the_algorithm(void **state)
{
	/* Key 00 01 .. 0f, message 00 01 02 ..; computed with another implementation.
	 */
	static const struct {
		size_t n;
		uint64_t want;
	} cases[] = {
	    {0, UINT64_C(0xabac0158050fc4dc)},
	    {1, UINT64_C(0xc9f49bf37d57ca93)},
	    {7, UINT64_C(0xd3927d989bb11140)},
	    {8, UINT64_C(0x369095118d299a8e)},
	    {9, UINT64_C(0x25a48eb36c063de4)},
	    {15, UINT64_C(0xd320d86d2a519956)},
	    {16, UINT64_C(0xcc4fdd1a7d908b66)},
	    {63, UINT64_C(0x9d199062b7bbb3a8)},
	    {255, UINT64_C(0xf76214e3153c4a15)},
	    {256, UINT64_C(0x75b3e64e167de370)},
	};
	uint8_t key[16], text[257];

	(void)state;
	for (size_t i = 0; i < sizeof(key); i++)
		key[i] = (uint8_t)i;
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (uint8_t)(i - 1);
	/* From an odd address, as the input need not be aligned. */
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_true(hash_siphash13(key, text + 1, cases[i].n) == cases[i].want);
	/* The zero key is what CPython 3.11 uses with PYTHONHASHSEED=0. */
	memset(key, 0, sizeof(key));
	assert_true(hash_siphash13(key, "abc", 3) == UINT64_C(0xc03bc3a0042630f2));
}

static void stable_is_stable(void **state)
{
	(void)state;
	/* It is on disks: this value must never change. */
	assert_true(hash_stable("abc", 3) == UINT64_C(0x407ae30ec4e57160));
	assert_true(hash_stable("abc", 3) != hash_stable("abd", 3));
}

static void keyed_has_one_key(void **state)
{
	(void)state;
	assert_true(hash_keyed("abc", 3) == hash_keyed("abc", 3));
	assert_true(hash_keyed("abc", 3) != hash_keyed("abd", 3));
	assert_true(hash_keyed("abc", 3) != hash_stable("abc", 3));
}

struct item {
	uint32_t key;
	UT_hash_handle hh;
};

static void serves_uthash(void **state)
{
	struct item *table = NULL, *i, *next;

	(void)state;
	for (uint32_t k = 0; k < 1000; k++) {
		i = calloc(1, sizeof(*i));
		assert_non_null(i);
		i->key = k;
		HASH_ADD(hh, table, key, sizeof(i->key), i);
		assert_non_null(i->hh.tbl);
	}
	for (uint32_t k = 0; k < 2000; k++) {
		HASH_FIND(hh, table, &k, sizeof(k), i);
		assert_true((i != NULL) == (k < 1000));
	}
	HASH_ITER (hh, table, i, next) {
		HASH_DEL(table, i);
		free(i);
	}
	assert_null(table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(follows_the_algorithm),
	    cmocka_unit_test(stable_is_stable),
	    cmocka_unit_test(keyed_has_one_key),
	    cmocka_unit_test(serves_uthash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
