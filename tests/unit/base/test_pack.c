/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/pack.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <math.h>

static const char *const hello = "hello";

static void pack_all(struct buf *b)
{
	struct net n = {{0}, 0};

	assert_int_equal(net_parse(SPAN("2001:db8::/32"), &n), 0);
	pack_u8(b, 0xfe);
	pack_u16(b, 0x1234);
	pack_u32(b, 0x12345678);
	pack_u64(b, UINT64_C(0x123456789abcdef0));
	pack_i64(b, INT64_MIN);
	pack_f64(b, -1.5);
	pack_bool(b, true);
	pack_wall(b, WALL_NEVER);
	pack_net(b, &n);
	pack_span(b, SPAN("a\0b"));
	pack_str(b, hello);
	pack_str(b, "");
	pack_str(b, NULL);
	pack_u32(b, 2);
	pack_u16(b, 7);
	assert_false(b->failed);
}

/* Reads as far as the input is good; all after that must be zero. */
static int unpack_all(struct unpack *u)
{
	CLEANUP(freep) char *text = NULL;
	CLEANUP(freep) char *empty = NULL;
	CLEANUP(freep) char *none = NULL;
	bool was_bad[15];
	struct span s;
	struct net n;
	size_t i = 0;

#define CHECK(expr, good, zero)                                     \
	do {                                                        \
		bool is_good = (expr) == (good);                    \
		was_bad[i++] = u->bad;                              \
		assert_true(u->bad ? !is_good || (zero) : is_good); \
	} while (0)
	CHECK(unpack_u8(u), 0xfe, false);
	CHECK(unpack_u16(u), 0x1234, false);
	CHECK(unpack_u32(u), 0x12345678, false);
	CHECK(unpack_u64(u), UINT64_C(0x123456789abcdef0), false);
	CHECK(unpack_i64(u), INT64_MIN, false);
	CHECK(unpack_f64(u), -1.5, false);
	CHECK(unpack_bool(u), true, false);
	CHECK(unpack_wall(u).us, INT64_MAX, false);
	n = unpack_net(u);
	CHECK(n.bits, 32, false);
	s = unpack_span(u);
	CHECK(s.n, 3, false);
	text = unpack_str(u);
	CHECK(text != NULL, true, false);
	empty = unpack_str(u);
	CHECK(empty != NULL, true, false);
	none = unpack_str(u);
	CHECK(none == NULL, true, true);
	CHECK(unpack_count(u, 1), 2, false);
	CHECK(unpack_u16(u), 7, false);
#undef CHECK
	for (size_t k = 1; k < i; k++)
		assert_true(was_bad[k] || !was_bad[k - 1]);
	if (!u->bad) {
		assert_true(span_eq(s, SPAN("a\0b")));
		assert_string_equal(text, hello);
		assert_string_equal(empty, "");
	}
	return unpack_end(u);
}

static void round_trip(void **state)
{
	struct buf b = BUF_INIT(1000);
	struct unpack u;

	(void)state;
	pack_all(&b);
	u = unpack_of(buf_span(&b));
	assert_int_equal(unpack_all(&u), 0);
	buf_deinit(&b);
}

static void truncated_at_every_length(void **state)
{
	struct buf b = BUF_INIT(1000);

	(void)state;
	pack_all(&b);
	for (size_t n = 0; n < b.n; n++) {
		/* Of exact size, so that a sanitizer sees any step beyond. */
		char *copy = span_dup((struct span){b.p, n});
		char *exact = n > 0 ? malloc(n) : NULL;
		struct unpack u;

		assert_non_null(copy);
		if (exact)
			memcpy(exact, copy, n);
		u = unpack_of((struct span){exact, n});
		assert_int_equal(unpack_all(&u), -EBADMSG);
		free(exact);
		free(copy);
	}
	buf_deinit(&b);
}

static void left_over_is_bad(void **state)
{
	struct buf b = BUF_INIT(1000);
	struct unpack u;

	(void)state;
	pack_all(&b);
	buf_add_char(&b, '\0');
	u = unpack_of(buf_span(&b));
	assert_int_equal(unpack_all(&u), -EBADMSG);
	u = unpack_of(SPAN(""));
	assert_int_equal(unpack_end(&u), 0);
	u = unpack_of((struct span){NULL, 0});
	assert_int_equal(unpack_end(&u), 0);
	buf_deinit(&b);
}

static void bytes_are_little_endian(void **state)
{
	struct buf b = BUF_INIT(100);

	(void)state;
	pack_u16(&b, 0x1234);
	pack_u32(&b, 0x12345678);
	pack_i64(&b, -2);
	pack_f64(&b, 1);
	pack_str(&b, "ab");
	pack_str(&b, NULL);
	assert_int_equal(b.n, 2 + 4 + 8 + 8 + 6 + 4);
	assert_memory_equal(b.p,
	    "\x34\x12\x78\x56\x34\x12\xfe\xff\xff\xff\xff\xff\xff\xff"
	    "\0\0\0\0\0\0\xf0\x3f\x02\0\0\0ab\xff\xff\xff\xff",
	    b.n);
	buf_deinit(&b);
}

static void doubles_keep_their_bits(void **state)
{
	static const double values[] = {0, -0.0, 0.1, 1e308, 5e-324, INFINITY, NAN};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(values); i++) {
		struct buf b = BUF_INIT(8);
		struct unpack u;
		double v;

		pack_f64(&b, values[i]);
		u = unpack_of(buf_span(&b));
		v = unpack_f64(&u);
		assert_memory_equal(&v, &values[i], sizeof(v));
		assert_int_equal(unpack_end(&u), 0);
		buf_deinit(&b);
	}
}

static struct unpack u_of(const char *p, size_t n)
{
	return unpack_of((struct span){p, n});
}

static void impossible_values_are_bad(void **state)
{
	char addr[17] = {0};
	struct unpack u;

	(void)state;
	u = u_of("\x02", 1);
	assert_false(unpack_bool(&u));
	assert_true(u.bad);

	addr[16] = (char)129; /* bits */
	u = u_of(addr, 17);
	assert_int_equal(unpack_net(&u).bits, 0);
	assert_true(u.bad);
	addr[16] = (char)128;
	u = u_of(addr, 17);
	assert_int_equal(unpack_net(&u).bits, 128);
	assert_int_equal(unpack_end(&u), 0);
	addr[15] = 1; /* a host bit below /127 */
	addr[16] = 127;
	u = u_of(addr, 17);
	assert_int_equal(unpack_net(&u).addr[15], 0);
	assert_true(u.bad);

	/* A length beyond the end, and the one that only pack_str() knows. */
	u = u_of("\x03\0\0\0ab", 6);
	assert_int_equal(unpack_span(&u).n, 0);
	assert_true(u.bad);
	u = u_of("\xff\xff\xff\xff", 4);
	assert_int_equal(unpack_span(&u).n, 0);
	assert_true(u.bad);
	u = u_of("\x03\0\0\0ab", 6);
	assert_null(unpack_str(&u));
	assert_true(u.bad);
	/* A NUL within a string. */
	u = u_of("\x03\0\0\0a\0b", 7);
	assert_null(unpack_str(&u));
	assert_true(u.bad);
}

static void an_id_keeps_its_bits(void **state)
{
	struct buf b = BUF_INIT(64);
	struct net alice, got;
	struct unpack u;

	(void)state;
	assert_int_equal(net_parse_id(SPAN("alice"), &alice), 0);
	pack_net(&b, &alice);
	u = unpack_of(buf_span(&b));
	got = unpack_net(&u);
	assert_true(net_eq(&got, &alice));
	assert_int_equal(unpack_end(&u), 0);
	buf_deinit(&b);
}

static void counts_are_limited_by_what_is_left(void **state)
{
	struct unpack u;

	(void)state;
	u = u_of("\x02\0\0\0aabb", 8);
	assert_int_equal(unpack_count(&u, 2), 2);
	assert_false(u.bad);
	u = u_of("\x03\0\0\0aabb", 8);
	assert_int_equal(unpack_count(&u, 2), 0);
	assert_true(u.bad);
	u = u_of("\xff\xff\xff\xff", 4);
	assert_int_equal(unpack_count(&u, 1), 0);
	assert_true(u.bad);
	u = u_of("\xff\xff\xff\xff", 4);
	assert_int_equal(unpack_count(&u, SIZE_MAX), 0);
	assert_true(u.bad);
	u = u_of("\0\0\0\0", 4);
	assert_int_equal(unpack_count(&u, 2), 0);
	assert_false(u.bad);
}

static void bad_stays_bad(void **state)
{
	struct unpack u = u_of("\x02\x01\x01", 3);

	(void)state;
	assert_false(unpack_bool(&u));
	assert_int_equal(unpack_u8(&u), 0);
	assert_false(unpack_bool(&u));
	assert_int_equal(unpack_end(&u), -EBADMSG);
}

static void a_full_buffer_fails(void **state)
{
	struct buf b = BUF_INIT(5);

	(void)state;
	pack_span(&b, SPAN("ab"));
	assert_true(b.failed);
	buf_clear(&b);
	pack_span(&b, SPAN("a"));
	assert_false(b.failed);
	buf_deinit(&b);
#if SIZE_MAX > UINT32_MAX
	b = BUF_INIT(100);
	pack_span(&b, (struct span){"x", UINT32_MAX});
	assert_true(b.failed);
	assert_int_equal(b.n, 0);
	buf_deinit(&b);
#endif
}

static void lists_of_networks(void **state)
{
	struct buf b = BUF_INIT(1000);
	struct net two[2] = {{{0}, 0}, {{0}, 0}};
	struct net *got;
	uint32_t n = 9;

	(void)state;
	assert_int_equal(net_parse(SPAN("192.0.2.1"), &two[0]), 0);
	assert_int_equal(net_parse(SPAN("2001:db8::/32"), &two[1]), 0);
	pack_nets(&b, two, 2);
	pack_nets(&b, NULL, 0);
	for (size_t cut = 0; cut < 4 + 2 * sizeof(two[0]); cut++) {
		struct unpack u = unpack_of((struct span){b.p, cut});

		assert_null(unpack_nets(&u, 2, &n));
		assert_true(u.bad);
	}
	struct unpack u = unpack_of(buf_span(&b));

	got = unpack_nets(&u, 2, &n);
	assert_int_equal(n, 2);
	assert_memory_equal(got, two, sizeof(two));
	free(got);
	got = unpack_nets(&u, 2, &n);
	assert_non_null(got);
	assert_int_equal(n, 0);
	assert_int_equal(unpack_end(&u), 0);
	free(got);
	u = unpack_of(buf_span(&b));
	assert_null(unpack_nets(&u, 1, &n));
	assert_true(u.bad);
	buf_deinit(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(round_trip),
	    cmocka_unit_test(truncated_at_every_length),
	    cmocka_unit_test(left_over_is_bad),
	    cmocka_unit_test(bytes_are_little_endian),
	    cmocka_unit_test(doubles_keep_their_bits),
	    cmocka_unit_test(impossible_values_are_bad),
	    cmocka_unit_test(an_id_keeps_its_bits),
	    cmocka_unit_test(counts_are_limited_by_what_is_left),
	    cmocka_unit_test(bad_stays_bad),
	    cmocka_unit_test(a_full_buffer_fails),
	    cmocka_unit_test(lists_of_networks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
