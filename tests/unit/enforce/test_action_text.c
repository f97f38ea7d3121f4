/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "enforce/action_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#define OPT(n, v)                                                               \
	{                                                                       \
		.name = (char *)(uintptr_t)(n), .value = (char *)(uintptr_t)(v) \
	}

static void expect(
    const struct action_option *items, size_t n, const char *family, const char *wanted)
{
	struct action_options o = {items, n};
	struct buf b = BUF_INIT(ACTION_TEXT_MAX);

	assert_int_equal(action_text(&o, "actionban", family, &b), 0);
	assert_string_equal(buf_str(&b), wanted);
	buf_deinit(&b);
}

static void test_family(UNUSED void **state)
{
	static const struct action_option o[] = {
	    OPT("actionban", "<iptables> -s <ip> -j <blocktype>"),
	    OPT("iptables", "iptables <lockingopt>"),
	    OPT("iptables?family=inet6", "ip6tables <lockingopt>"),
	    OPT("lockingopt", "-w"),
	    OPT("blocktype", "DROP"),
	};

	expect(o, ARRAY_LEN(o), "inet4", "iptables -w -s <ip> -j DROP");
	expect(o, ARRAY_LEN(o), "inet6", "ip6tables -w -s <ip> -j DROP");
	expect(o, ARRAY_LEN(o), "", "iptables -w -s <ip> -j DROP");
	assert_true(action_is_conditional(&(struct action_options){o, ARRAY_LEN(o)}));
	assert_false(action_is_conditional(&(struct action_options){o, 1}));
}

static void test_tags(UNUSED void **state)
{
	static const struct action_option o[] = {
	    OPT("actionban", "a <b<mode>> <br>< x> <nosuch> <F-USER> <<sender>> <"),
	    OPT("mode", "1"),
	    OPT("b1", "inner"),
	    OPT("sender", "me"),
	};

	expect(o, ARRAY_LEN(o), "", "a inner \n< x> <nosuch> <F-USER> <me> <");
}

static void test_bounds(UNUSED void **state)
{
	static const struct action_option loop[] = {
	    OPT("actionban", "<a>"), OPT("a", "x <b>"), OPT("b", "y <a>")};
	static const struct action_option bomb[] = {OPT("actionban", "<a><a><a><a>"),
	    OPT("a", "<b><b><b><b>"), OPT("b", "<c><c><c><c>"), OPT("c", "<d><d><d>"),
	    OPT("d", "0123456789")};
	struct action_options o = {loop, ARRAY_LEN(loop)};
	struct buf b = BUF_INIT(1000);

	assert_int_equal(action_text(&o, "actionban", "", &b), -ELOOP);
	o = (struct action_options){bomb, ARRAY_LEN(bomb)};
	assert_int_equal(action_text(&o, "actionban", "", &b), -E2BIG);
	assert_int_equal(action_text(&o, "actionstop", "", &b), 0);
	assert_string_equal(buf_str(&b), "");
	buf_deinit(&b);
}

static void test_truth(UNUSED void **state)
{
	static const struct action_option o[] = {
	    OPT("norestored", " Yes "), OPT("other", "0")};
	struct action_options all = {o, ARRAY_LEN(o)};

	assert_true(action_option_is_true(&all, "norestored", false));
	assert_false(action_option_is_true(&all, "other", true));
	assert_true(action_option_is_true(&all, "nosuch", true));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_family),
	    cmocka_unit_test(test_tags),
	    cmocka_unit_test(test_bounds),
	    cmocka_unit_test(test_truth),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
