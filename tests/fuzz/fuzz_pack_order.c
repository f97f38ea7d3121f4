/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz_pack_order - any bytes as orders, as an offender, and as a row of packed values
 *
 * What a decoder takes must encode to the very same bytes: there is one way to write an
 * order.
 */

#include <assert.h>

#include "flow/credit.h"
#include "flow/offender.h"
#include "flow/order.h"
#include "fuzz.h"

static void decode_orders(struct span s)
{
	struct unpack u = unpack_of(s);
	const uint8_t *from = u.p;
	struct order o = {0};

	while (u.p < u.end && order_decode(&u, &o) == 0) {
		struct buf b = BUF_INIT(s.n);

		order_encode(&b, &o);
		assert(!b.failed && b.n == (size_t)(u.p - from));
		assert(memcmp(b.p, from, b.n) == 0);
		from = u.p;
		buf_deinit(&b);
		order_deinit(&o);
	}
	assert(u.p <= u.end);
	assert(!o.why);
}

static void decode_record(struct span s)
{
	struct unpack u = unpack_of(s);
	struct buf b = BUF_INIT(ORDER_RECORD_BYTES);
	struct order o;

	if (order_decode_record(&u, &o) == 0) {
		order_encode_record(&b, &o);
		assert(b.n == ORDER_RECORD_BYTES && memcmp(b.p, s.p, b.n) == 0);
	}
	buf_deinit(&b);
}

/* As the enforcer takes them: all of the bytes are orders for the kernel, or none. */
static void decode_records(struct span s)
{
	struct unpack u = unpack_of(s);
	struct buf b = BUF_INIT(s.n);
	uint32_t n = 0;
	struct order *orders = order_decode_records(&u, &n);

	assert(!orders == u.bad);
	if (orders)
		pack_u32(&b, n);
	for (uint32_t i = 0; orders && i < n; i++) {
		assert(!net_is_id(&orders[i].net) && !orders[i].id);
		order_encode_record(&b, &orders[i]);
	}
	assert(!orders || (b.n == s.n && memcmp(b.p, s.p, s.n) == 0));
	free(orders);
	buf_deinit(&b);
}

static void decode_offender(struct span s)
{
	struct unpack u = unpack_of(s);
	struct buf b = BUF_INIT(OFFENDER_BYTES);
	struct offender o;

	if (offender_decode(&u, &o) == 0) {
		offender_encode(&b, &o);
		assert(b.n == OFFENDER_BYTES && memcmp(b.p, s.p, b.n) == 0);
	}
	buf_deinit(&b);
}

static void decode_credit(struct span s)
{
	struct unpack u = unpack_of(s);
	struct buf b = BUF_INIT(CREDIT_MAX_BYTES);
	struct credit c;

	if (credit_decode(&u, &c) == 0) {
		assert(c.n_kinds <= CREDIT_KINDS);
		credit_encode(&b, &c);
		assert(b.n <= s.n && memcmp(b.p, s.p, b.n) == 0);
	}
	buf_deinit(&b);
}

/* The first bytes say which values to read from the rest. */
static void read_values(struct span s)
{
	size_t n_ops = s.n > 32 ? 32 : s.n / 2;
	struct unpack u = unpack_of(span_skip(s, n_ops));
	struct net n;

	for (size_t i = 0; i < n_ops; i++) {
		bool was_bad = u.bad;

		switch ((unsigned char)s.p[i] % 8) {
		case 0:
			(void)unpack_bool(&u);
			break;
		case 1:
			(void)unpack_u16(&u);
			break;
		case 2:
			(void)unpack_f64(&u);
			break;
		case 3:
			n = unpack_net(&u);
			assert(n.bits <= 128 || net_is_id(&n));
			break;
		case 4:
			assert(unpack_span(&u).n <= s.n);
			break;
		case 5:
			free(unpack_str(&u));
			break;
		case 6:
			assert(unpack_count(&u, 3) <= s.n / 3);
			break;
		default:
			(void)unpack_u8(&u);
			break;
		}
		assert(u.p <= u.end && (u.bad || !was_bad));
	}
	(void)unpack_end(&u);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct span s = {(const char *)bytes, n};

	decode_orders(s);
	decode_record(s);
	decode_records(s);
	decode_offender(s);
	decode_credit(s);
	read_values(s);
	return 0;
}
