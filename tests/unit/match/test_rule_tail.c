/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "match/rule_tail.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "match/rule.h"

static const struct {
	const char *pattern;
	enum rule_tail tail;
	const char *without;
} table[] = {
    {"a.*$", RULE_TAIL_CUT, "a"},
    {"(a|b)[|].*$", RULE_TAIL_CUT, "(a|b)[|]"},
    {"a(?i:b).*$", RULE_TAIL_CUT, "a(?i:b)"},
    {"a\\|.*$", RULE_TAIL_CUT, "a\\|"},
    {"^a (?P<content>.+)$", RULE_TAIL_CONTENT, "^a (?P<content>(?=.))"},
    {"a", RULE_TAIL_KEPT, NULL},
    {"a.*", RULE_TAIL_KEPT, NULL},
    {"a\\.*$", RULE_TAIL_KEPT, NULL},
    {"a|b.*$", RULE_TAIL_KEPT, NULL},
    {"a|b(?P<content>.+)$", RULE_TAIL_KEPT, NULL},
    {"(a.*$", RULE_TAIL_KEPT, NULL},
    {"[a.*$", RULE_TAIL_KEPT, NULL},
    {"[]a.*$", RULE_TAIL_KEPT, NULL},
    {"\\(?P<content>.+)$", RULE_TAIL_KEPT, NULL},
    {"(?s)a.*$", RULE_TAIL_KEPT, NULL},
    {"(?x)a#.*$", RULE_TAIL_KEPT, NULL},
    {"(?im)a.*$", RULE_TAIL_KEPT, NULL},
    {"a(?#(.*$", RULE_TAIL_KEPT, NULL},
    {"\\Qa.*$", RULE_TAIL_KEPT, NULL},
    {"a\\Kb.*$", RULE_TAIL_KEPT, NULL},
    {"", RULE_TAIL_KEPT, NULL},
};

static void test_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct buf out = BUF_INIT(1024);

		if (rule_tail_cut(span_of(table[i].pattern), &out) != table[i].tail)
			fail_msg("'%s'", table[i].pattern);
		if (table[i].without)
			assert_string_equal(buf_str(&out), table[i].without);
		buf_deinit(&out);
	}
}

static void check(struct rule *r, const char *subject, int want, const char *content)
{
	CLEANUP(regex_match_freep) struct regex_match *m = regex_match_new();
	struct groups g;

	assert_int_equal(
	    rule_search(r, span_of(subject), rule_subject_is(span_of(subject)), m),
	    want);
	if (want)
		return;
	rule_read(r, m, &g);
	assert_true(span_eq(g.value[GROUP_CONTENT], span_of(content)));
}

/* As with its end: in one line, in several, and where nothing is left. */
static void test_content(void **state)
{
	const struct rule_options o = {.is_sieved = true};
	CLEANUP(group_names_deinit) struct group_names names = {0};
	struct err e;

	(void)state;
	assert_int_equal(group_names_init(&names), 0);
	CLEANUP(rule_freep)
	struct rule *r =
	    rule_new("^a(?: b)? <F-CONTENT>.+</F-CONTENT>$", &o, &names, &e);

	assert_non_null(r);
	check(r, "a b c d\n", 0, "c d");
	check(r, "a b \n", 0, "b ");
	check(r, "a \n", REGEX_MISS, NULL);
	check(r, "a c\nd\n", REGEX_MISS, NULL);
	check(r, "a b c\n", 0, "c");
	check(r, "\n", REGEX_MISS, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_table),
	    cmocka_unit_test(test_content),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
