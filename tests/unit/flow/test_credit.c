/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "flow/credit.h"

static struct credit example(void)
{
	struct credit c = {.at = {12345678},
	    .hour = 20001,
	    .n_days = 3,
	    .n_kinds = 2,
	    .kinds = {{credit_kind_of("delivered"), 20001, 15000, 3},
		{credit_kind_of("login"), 20000, 70, 1}}};

	assert_int_equal(net_parse(SPAN("192.0.2.1"), &c.net), 0);
	return c;
}

static void test_there_and_back(void **state)
{
	CLEANUP(buf_deinit) struct buf b = BUF_INIT(1000);
	struct credit c = example(), got;
	struct unpack u;

	(void)state;
	credit_encode(&b, &c);
	u = unpack_of(buf_span(&b));
	assert_int_equal(credit_decode(&u, &got), 0);
	assert_int_equal(unpack_end(&u), 0);
	assert_true(net_eq(&got.net, &c.net));
	assert_int_equal(got.at.us, c.at.us);
	assert_int_equal(got.hour, c.hour);
	assert_int_equal(got.n_days, c.n_days);
	assert_int_equal(got.n_kinds, 2);
	assert_memory_equal(got.kinds, c.kinds, sizeof(c.kinds));
	for (size_t n = 0; n < b.n; n++) {
		u = unpack_of((struct span){b.p, n});
		assert_int_equal(credit_decode(&u, &got), -EBADMSG);
	}
}

static void test_more_than_there_can_be(void **state)
{
	CLEANUP(buf_deinit) struct buf b = BUF_INIT(1000);
	struct credit c = example(), got;
	struct unpack u;

	(void)state;
	c.kinds[0].points = CREDIT_MAX_POINTS + 1;
	credit_encode(&b, &c);
	u = unpack_of(buf_span(&b));
	assert_int_equal(credit_decode(&u, &got), -EBADMSG);
	buf_clear(&b);
	credit_encode(&b, &(struct credit){.net = c.net});
	b.p[17 + 8 + 4 + 2] = CREDIT_KINDS + 1;
	u = unpack_of(buf_span(&b));
	assert_int_equal(credit_decode(&u, &got), -EBADMSG);
}

/* It is on disk: the same for ever. */
static void test_kinds_do_not_change(void **state)
{
	(void)state;
	assert_int_equal(credit_kind_of("delivered"), credit_kind_of("delivered"));
	assert_int_not_equal(credit_kind_of("delivered"), credit_kind_of("login"));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_there_and_back),
	    cmocka_unit_test(test_more_than_there_can_be),
	    cmocka_unit_test(test_kinds_do_not_change),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
