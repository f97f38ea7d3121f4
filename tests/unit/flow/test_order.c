/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "flow/order.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

static struct order example(void)
{
	struct order o = {
	    .op = ORDER_PROLONG,
	    .cause = ORDER_BY_USER,
	    .jail = 0xfffffffe,
	    .at = {-5},
	    .until = WALL_NEVER,
	    .failures = 7,
	    .ban_count = 3,
	};

	assert_int_equal(net_parse(SPAN("2001:db8::/48"), &o.net), 0);
	return o;
}

/* With three pieces of evidence: with text, empty text and none. */
static struct order full_example(void)
{
	struct order o = example();

	o.n_why = 3;
	o.why = calloc(3, sizeof(*o.why));
	assert_non_null(o.why);
	o.why[0] = (struct evidence){{1}, 65535, -32768, span_dup(SPAN("line"))};
	o.why[1] = (struct evidence){{2}, 0, 32767, span_dup(SPAN(""))};
	o.why[2] = (struct evidence){WALL_NONE, 3, -1, NULL};
	return o;
}

static void assert_same(const struct order *a, const struct order *b)
{
	assert_int_equal(a->op, b->op);
	assert_int_equal(a->cause, b->cause);
	assert_int_equal(a->jail, b->jail);
	assert_true(net_eq(&a->net, &b->net));
	assert_int_equal(a->id != NULL, b->id != NULL);
	if (a->id)
		assert_string_equal(a->id, b->id);
	assert_true(net_eq(&a->ip, &b->ip));
	assert_true(a->at.us == b->at.us);
	assert_true(a->until.us == b->until.us);
	assert_int_equal(a->failures, b->failures);
	assert_int_equal(a->ban_count, b->ban_count);
	assert_int_equal(a->n_why, b->n_why);
	for (uint32_t i = 0; i < a->n_why; i++) {
		assert_true(a->why[i].at.us == b->why[i].at.us);
		assert_int_equal(a->why[i].rule, b->why[i].rule);
		assert_int_equal(a->why[i].weight, b->why[i].weight);
		assert_int_equal(a->why[i].text != NULL, b->why[i].text != NULL);
		if (a->why[i].text)
			assert_string_equal(a->why[i].text, b->why[i].text);
	}
}

static void record_round_trip(void **state)
{
	struct order o = full_example(), plain = example(), got;
	struct buf b = BUF_INIT(1000);
	struct unpack u;

	(void)state;
	order_encode_record(&b, &o);
	assert_int_equal(b.n, ORDER_RECORD_BYTES);
	u = unpack_of(buf_span(&b));
	assert_int_equal(order_decode_record(&u, &got), 0);
	assert_int_equal(unpack_end(&u), 0);
	assert_same(&got, &plain);
	assert_null(got.why);
	order_deinit(&o);
	buf_deinit(&b);
}

static void full_round_trip(void **state)
{
	struct order o = full_example(), got;
	struct buf b = BUF_INIT(1000);
	struct unpack u;

	(void)state;
	order_encode(&b, &o);
	u = unpack_of(buf_span(&b));
	assert_int_equal(order_decode(&u, &got), 0);
	assert_int_equal(unpack_end(&u), 0);
	assert_same(&got, &o);
	order_deinit(&got);
	assert_null(got.why);
	order_deinit(&o);

	o = example();
	buf_clear(&b);
	order_encode(&b, &o);
	u = unpack_of(buf_span(&b));
	assert_int_equal(order_decode(&u, &got), 0);
	assert_same(&got, &o);
	assert_null(got.why);
	buf_deinit(&b);
}

static void an_id_has_its_own_text(void **state)
{
	static const char *const wrong[] = {NULL, "", "bob", "192.0.2.1"};
	struct order o = example(), got;
	struct buf b = BUF_INIT(1000);
	struct unpack u;

	(void)state;
	assert_int_equal(net_parse_id(SPAN("alice"), &o.net), 0);
	o.id = span_dup(SPAN("alice"));
	assert_int_equal(net_parse(SPAN("192.0.2.1"), &o.ip), 0);
	order_encode(&b, &o);
	u = unpack_of(buf_span(&b));
	assert_int_equal(order_decode(&u, &got), 0);
	assert_same(&got, &o);
	order_deinit(&got);
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		struct order bad = o;

		bad.id = (char *)(uintptr_t)wrong[i];
		buf_clear(&b);
		order_encode(&b, &bad);
		u = unpack_of(buf_span(&b));
		assert_int_equal(order_decode(&u, &got), -EBADMSG);
	}
	/* An address has none. */
	struct order address = example();

	address.id = o.id;
	buf_clear(&b);
	order_encode(&b, &address);
	u = unpack_of(buf_span(&b));
	assert_int_equal(order_decode(&u, &got), -EBADMSG);
	order_deinit(&o);
	buf_deinit(&b);
}

static void is_shown_quoted_if_an_id(void **state)
{
	struct order o = example();
	struct buf b = BUF_INIT(1000);

	(void)state;
	order_add_who(&b, &o);
	assert_string_equal(buf_str(&b), "2001:db8::/48");
	o.id = span_dup(SPAN("a\" Ban\n\x1b[2J"));
	buf_clear(&b);
	order_add_who(&b, &o);
	assert_string_equal(buf_str(&b), "\"a\\\"\\x20Ban\\x0a\\x1b[2J\"");
	order_deinit(&o);
	buf_deinit(&b);
}

static void several_in_a_row(void **state)
{
	struct order o = full_example(), got;
	struct buf b = BUF_INIT(1000);
	struct unpack u;

	(void)state;
	order_encode(&b, &o);
	order_encode_record(&b, &o);
	order_encode(&b, &o);
	u = unpack_of(buf_span(&b));
	assert_int_equal(order_decode(&u, &got), 0);
	order_deinit(&got);
	assert_int_equal(order_decode_record(&u, &got), 0);
	assert_int_equal(order_decode(&u, &got), 0);
	order_deinit(&got);
	assert_int_equal(unpack_end(&u), 0);
	order_deinit(&o);
	buf_deinit(&b);
}

static void truncated_at_every_length(void **state)
{
	struct order o = full_example(), got = {.jail = 77};
	struct buf b = BUF_INIT(1000);

	(void)state;
	order_encode(&b, &o);
	for (size_t n = 0; n < b.n; n++) {
		char *exact = malloc(n + 1);
		struct unpack u;

		assert_non_null(exact);
		memcpy(exact + 1, b.p, n);
		u = unpack_of((struct span){exact + 1, n});
		assert_int_equal(order_decode(&u, &got), -EBADMSG);
		assert_true(u.bad);
		u = unpack_of((struct span){exact + 1, n});
		if (n < ORDER_RECORD_BYTES)
			assert_int_equal(order_decode_record(&u, &got), -EBADMSG);
		free(exact);
	}
	assert_int_equal(got.jail, 77);
	order_deinit(&o);
	buf_deinit(&b);
}

static void unknown_words_are_refused(void **state)
{
	static const struct {
		size_t at;
		char byte;
	} cases[] = {
	    {0, 0}, {0, ORDER_PROLONG + 1}, {0, (char)0xff}, {1, 0},
	    {1, ORDER_N_CAUSES}, {1, (char)0xff}, {6 + 15, 1}, /* a host bit */
	    {6 + 16, (char)129},                               /* prefix length */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct order o = example(), got;
		struct buf b = BUF_INIT(1000);
		struct unpack u;

		order_encode(&b, &o);
		b.p[cases[i].at] = cases[i].byte;
		u = unpack_of(buf_span(&b));
		assert_int_equal(order_decode_record(&u, &got), -EBADMSG);
		u = unpack_of(buf_span(&b));
		assert_int_equal(order_decode(&u, &got), -EBADMSG);
		buf_deinit(&b);
	}
}

static void a_lying_count_is_refused(void **state)
{
	struct order o = full_example(), got;
	struct buf b = BUF_INIT(1000);
	struct unpack u;

	(void)state;
	order_encode(&b, &o);
	memset(b.p + ORDER_RECORD_BYTES + 4, 0xff, 4);
	u = unpack_of(buf_span(&b));
	assert_int_equal(order_decode(&u, &got), -EBADMSG);
	memcpy(b.p + ORDER_RECORD_BYTES + 4, "\x04\0\0", 4);
	u = unpack_of(buf_span(&b));
	assert_int_equal(order_decode(&u, &got), -EBADMSG);
	order_deinit(&o);
	buf_deinit(&b);
}

static void lists_grow_and_empty(void **state)
{
	struct orders l = {0};

	(void)state;
	for (uint32_t i = 0; i < 100; i++) {
		struct order *o = orders_append(&l);

		assert_non_null(o);
		assert_int_equal(o->op, 0);
		assert_null(o->why);
		*o = full_example();
		o->jail = i;
	}
	assert_int_equal(l.n, 100);
	for (uint32_t i = 0; i < 100; i++)
		assert_int_equal(l.items[i].jail, i);
	orders_clear(&l);
	assert_int_equal(l.n, 0);
	assert_true(l.room >= 100);
	assert_null(orders_append(&l)->why);
	assert_int_equal(l.items[0].jail, 0);
	orders_deinit(&l);
	assert_null(l.items);
	orders_deinit(&l);
}

static void has_names(void **state)
{
	(void)state;
	assert_string_equal(order_op_name(ORDER_BAN), "ban");
	assert_string_equal(order_op_name(ORDER_UNBAN), "unban");
	assert_string_equal(order_op_name(ORDER_PROLONG), "prolong");
	assert_string_equal(order_op_name((enum order_op)0), "unknown");
	assert_string_equal(order_cause_name(ORDER_BY_RULE), "rule");
	assert_string_equal(order_cause_name(ORDER_BY_USER), "user");
	assert_string_equal(order_cause_name(ORDER_EXPIRED), "expired");
	assert_string_equal(order_cause_name(ORDER_RESTORED), "restored");
	assert_string_equal(order_cause_name(ORDER_JAIL_GONE), "jail gone");
	assert_string_equal(order_cause_name(ORDER_REFUSED), "refused");
	assert_string_equal(order_cause_name(ORDER_BY_GROUP), "group");
	assert_string_equal(order_cause_name((enum order_cause)0), "unknown");
}

/* What the enforcer takes of a message: all of it, or nothing. */
static bool records_are_taken(struct span s, uint32_t want)
{
	struct unpack u = unpack_of(s);
	uint32_t n = 12345;
	struct order *orders = order_decode_records(&u, &n);

	assert_int_equal(orders == NULL, u.bad);
	assert_int_equal(n, orders ? want : 12345);
	free(orders);
	return orders != NULL;
}

static void enforcers_message(void **state)
{
	CLEANUP(buf_deinit) struct buf b = BUF_INIT(1 << 16);
	struct order o = example();
	const uint32_t huge = UINT32_MAX;

	(void)state;
	pack_u32(&b, 0);
	assert_true(records_are_taken(buf_span(&b), 0));
	buf_clear(&b);
	pack_u32(&b, 3);
	for (int i = 0; i < 3; i++)
		order_encode_record(&b, &o);
	assert_true(records_are_taken(buf_span(&b), 3));
	/* Cut, with something behind, and with numbers that lie. */
	for (size_t n = 0; n < b.n; n++)
		assert_false(records_are_taken((struct span){b.p, n}, 0));
	buf_add_char(&b, 'x');
	assert_false(records_are_taken(buf_span(&b), 0));
	b.n--;
	for (uint32_t lie = 0; lie < 6; lie++) {
		if (lie == 3)
			continue;
		b.p[0] = (char)lie;
		assert_false(records_are_taken(buf_span(&b), 0));
	}
	memcpy(b.p, &huge, sizeof(huge));
	assert_false(records_are_taken(buf_span(&b), 0));
	/* An id among addresses. */
	buf_clear(&b);
	pack_u32(&b, 2);
	order_encode_record(&b, &o);
	assert_int_equal(net_parse_id(SPAN("alice"), &o.net), 0);
	order_encode_record(&b, &o);
	assert_false(records_are_taken(buf_span(&b), 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(record_round_trip),
	    cmocka_unit_test(enforcers_message),
	    cmocka_unit_test(full_round_trip),
	    cmocka_unit_test(an_id_has_its_own_text),
	    cmocka_unit_test(is_shown_quoted_if_an_id),
	    cmocka_unit_test(several_in_a_row),
	    cmocka_unit_test(truncated_at_every_length),
	    cmocka_unit_test(unknown_words_are_refused),
	    cmocka_unit_test(a_lying_count_is_refused),
	    cmocka_unit_test(lists_grow_and_empty),
	    cmocka_unit_test(has_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
