/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/ask_key.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

/* A failure of @ip; @user NULL: the line named none. */
static int key(const char *text, const char *ip, const char *user, uint64_t *out)
{
	struct filter_field field = {
	    .name = "user", .value = user ? span_of(user) : (struct span){"", 0}};
	struct pipeline_name n = {.fields = &field, .n_fields = user ? 1 : 0};
	struct net net;

	assert_int_equal(net_parse(span_of(ip), &net), 0);
	return ask_key(text, &n, &net, out);
}

static bool is_same(const char *text, const char *ip1, const char *user1,
    const char *ip2, const char *user2)
{
	uint64_t one = 1, two = 2;

	assert_int_equal(key(text, ip1, user1, &one), 0);
	assert_int_equal(key(text, ip2, user2, &two), 0);
	return one == two;
}

static void test_values_tell_failures_apart(UNUSED void **state)
{
	static const char *const of_address[] = {
	    "<ip>", "<fid>", "x<ip-rev>", "<F-USER>@<ip-host>", "<family> <ip>"};

	for (size_t i = 0; i < ARRAY_LEN(of_address); i++) {
		assert_true(is_same(of_address[i], "192.0.2.1", "u", "192.0.2.1", "u"));
		assert_false(
		    is_same(of_address[i], "192.0.2.1", "u", "192.0.2.2", "u"));
	}
	assert_true(is_same("<family>", "192.0.2.1", "u", "192.0.2.2", "v"));
	assert_false(is_same("<family>", "192.0.2.1", "u", "2001:db8::1", "u"));
	assert_true(is_same("<F-USER>", "192.0.2.1", "u", "192.0.2.2", "u"));
	assert_false(is_same("<F-USER>", "192.0.2.1", "u", "192.0.2.1", "v"));
}

/* The user name is chosen so that what stands there is the same. */
static void test_values_do_not_run_together(UNUSED void **state)
{
	assert_false(is_same("<ip><F-USER>", "192.0.2.1", "23", "192.0.2.12", "3"));
	assert_false(
	    is_same("<F-USER>@<ip>", "192.0.2.1", "u", "192.0.2.2", "u@192.0.2.1"));
}

static void test_no_value_no_key(UNUSED void **state)
{
	char longest[2 * ASK_KEY_MAX_BYTES + 1];
	uint64_t unused;

	assert_int_equal(key("<nosuch>", "192.0.2.1", "u", &unused), ASK_KEY_NONE);
	assert_int_equal(key("<ip><nosuch>", "192.0.2.1", "u", &unused), ASK_KEY_NONE);
	assert_int_equal(key("<F-USER>", "192.0.2.1", NULL, &unused), ASK_KEY_NONE);
	assert_int_equal(key("<F-USER>", "192.0.2.1", "", &unused), ASK_KEY_NONE);
	assert_int_equal(key("<F-MAIL>", "192.0.2.1", "u", &unused), ASK_KEY_NONE);
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	assert_int_equal(
	    key("<F-USER><ip>", "192.0.2.1", longest, &unused), ASK_KEY_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_values_tell_failures_apart),
	    cmocka_unit_test(test_values_do_not_run_together),
	    cmocka_unit_test(test_no_value_no_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
