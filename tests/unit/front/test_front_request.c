/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "flow/id.h"
#include "front/front.h"

static struct front_request parse(const char *text)
{
	struct front_request q;
	struct err e = {""};

	assert_int_equal(front_request_parse(span_of(text), &q, &e), 0);
	return q;
}

static void a_ban_becomes_numbers(UNUSED void **state)
{
	struct front_request q =
	    parse("{\"do\":\"ban\",\"jail\":\"postfix\",\"seconds\":-1,"
		  "\"ip\":[\"192.0.2.1\",\"2001:db8::/32\"]}");
	struct unpack u = unpack_of(buf_span(&q.body));
	char net[NET_TEXT_BYTES];

	assert_int_equal(q.kind, FRONT_ENGINE);
	assert_int_equal(unpack_u8(&u), REQUEST_BAN);
	char *jail = unpack_str(&u);

	assert_string_equal(jail, "postfix");
	free(jail);
	assert_int_equal(unpack_i64(&u), -1);
	assert_int_equal(unpack_u32(&u), 0);
	assert_int_equal(unpack_u32(&u), 1000);
	assert_int_equal(unpack_u32(&u), 2);
	struct net one = unpack_net(&u), two = unpack_net(&u);

	net_format(&one, net);
	assert_string_equal(net, "192.0.2.1");
	net_format(&two, net);
	assert_string_equal(net, "2001:db8::/32");
	assert_int_equal(unpack_end(&u), 0);
	front_request_deinit(&q);
}

static void an_id_is_taken_for_a_jail(UNUSED void **state)
{
	static const char *const refused[] = {
	    "{\"do\":\"unban\",\"ip\":[\"alice\"]}",
	    "{\"do\":\"unban\",\"jail\":\"a\",\"ip\":[\"300.1.1.1\"]}",
	    "{\"do\":\"banned\",\"ip\":[\"alice\"]}",
	    "{\"do\":\"why\",\"ip\":[\"alice\"]}",
	};
	CLEANUP(ids_deinit) struct ids who = {0};
	struct front_request q = parse("{\"do\":\"ban\",\"jail\":\"a\","
				       "\"ip\":[\"192.0.2.1\",\"alice\"]}");
	struct unpack u = unpack_of(buf_span(&q.body));
	struct err e;

	(void)unpack_u8(&u);
	free(unpack_str(&u));
	(void)unpack_i64(&u);
	(void)unpack_u64(&u);
	assert_int_equal(ids_unpack(&u, 10, &who), 0);
	assert_int_equal(unpack_end(&u), 0);
	assert_int_equal(who.n, 2);
	assert_null(who.texts[0]);
	assert_string_equal(who.texts[1], "alice");
	front_request_deinit(&q);
	q = parse("{\"do\":\"why\",\"jail\":\"a\",\"ip\":[\"alice\"]}");
	front_request_deinit(&q);
	for (size_t i = 0; i < ARRAY_LEN(refused); i++)
		assert_int_equal(
		    front_request_parse(span_of(refused[i]), &q, &e), -EINVAL);
}

static void the_plain_verbs(UNUSED void **state)
{
	static const struct {
		const char *text;
		enum front_kind kind;
	} verbs[] = {
	    {"{\"do\":\"ping\"}", FRONT_ENGINE},
	    {"{\"do\":\"status\",\"jail\":\"a\"}", FRONT_ENGINE},
	    {"{\"do\":\"banned\",\"offset\":5,\"limit\":10000}", FRONT_ENGINE},
	    {"{\"do\":\"unban\",\"all\":true}", FRONT_ENGINE},
	    {"{\"do\":\"unban\",\"ip\":[\"192.0.2.1\"]}", FRONT_ENGINE},
	    {"{\"do\":\"why\",\"ip\":[\"192.0.2.1\"]}", FRONT_ENGINE},
	    {"{\"do\":\"reload\"}", FRONT_RELOAD},
	    {"{\"do\":\"stop\"}", FRONT_STOP},
	};

	for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
		struct front_request q = parse(verbs[i].text);

		assert_int_equal(q.kind, verbs[i].kind);
		front_request_deinit(&q);
	}
}

static void nonsense_is_answered_in_words(UNUSED void **state)
{
	static const char *const bad[] = {
	    "",
	    "not json",
	    "[]",
	    "{}",
	    "{\"do\":1}",
	    "{\"do\":\"format\"}",
	    "{\"do\":\"ban\"}",
	    "{\"do\":\"ban\",\"jail\":\"a\",\"ip\":[]}",
	    "{\"do\":\"ban\",\"jail\":\"a\",\"ip\":\"192.0.2.1\"}",
	    "{\"do\":\"ban\",\"jail\":\"a\",\"ip\":[1]}",
	    "{\"do\":\"ban\",\"jail\":\"a\",\"ip\":[\"192.0.2.300\"]}",
	    "{\"do\":\"ban\",\"jail\":1,\"ip\":[\"192.0.2.1\"]}",
	    "{\"do\":\"ban\",\"jail\":\"a\",\"ip\":[\"192.0.2.1\"],\"seconds\":1.5}",
	    "{\"do\":\"unban\"}",
	    "{\"do\":\"unban\",\"all\":true,\"ip\":[\"192.0.2.1\"]}",
	    "{\"do\":\"why\"}",
	    "{\"do\":\"banned\",\"limit\":10001}",
	    "{\"do\":\"ping\",\"do\":\"stop\"}",
	    "{\"do\":\"report\",\"since\":-1}",
	    "{\"do\":\"report\",\"since\":\"-1h\"}",
	    "{\"do\":\"report\",\"since\":999999999999}",
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct front_request q;
		struct err e = {""};

		assert_int_equal(front_request_parse(span_of(bad[i]), &q, &e), -EINVAL);
		assert_true(e.text[0] != '\0');
	}
}

static void a_report_is_asked_of_two(UNUSED void **state)
{
	struct front_request q = parse("{\"do\":\"report\",\"since\":4102444800}");
	struct buf *const bodies[] = {&q.body, &q.history};

	assert_int_equal(q.kind, FRONT_ENGINE);
	assert_int_equal(q.verb, REQUEST_REPORT);
	for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
		struct unpack u = unpack_of(buf_span(bodies[i]));

		assert_int_equal(unpack_u8(&u), REQUEST_REPORT);
		assert_null(unpack_str(&u));
		assert_int_equal(unpack_i64(&u), INT64_C(4102444800));
	}
	front_request_deinit(&q);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_ban_becomes_numbers),
	    cmocka_unit_test(an_id_is_taken_for_a_jail),
	    cmocka_unit_test(the_plain_verbs),
	    cmocka_unit_test(a_report_is_asked_of_two),
	    cmocka_unit_test(nonsense_is_answered_in_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
