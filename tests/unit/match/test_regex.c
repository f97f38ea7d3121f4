/* SPDX-License-Identifier: GPL-2.0-or-later */

/* regex: what is found where, bytes that are no UTF-8, errors with a place, limits */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>

#include "base/buf.h"
#include "match/regex.h"

static int set_up(void **state)
{
	*state = regex_match_new();
	return *state ? 0 : -1;
}

static int tear_down(void **state)
{
	*state = regex_match_free(*state);
	return 0;
}

static struct regex *must(const char *pattern, bool multiline)
{
	struct err e = {""};
	struct regex *r =
	    regex_new(span_of(pattern), (struct regex_options){multiline}, &e);

	if (!r)
		fail_msg("%s: %s", pattern, e.text);
	return r;
}

/* Group 0 of @pattern in @subject as text; "-" when it does not match. */
static void check(struct regex_match *m, const char *pattern, bool multiline,
    struct span subject, size_t start, const char *want)
{
	CLEANUP(regex_freep) struct regex *r = must(pattern, multiline);
	struct span got = SPAN("-");
	int n = regex_search(r, subject, start, m);

	if (n == 0)
		assert_true(regex_match_group(m, 0, &got));
	else
		assert_int_equal(n, REGEX_MISS);
	if (!span_eq(got, span_of(want)))
		fail_msg(
		    "%s: got '" SPAN_FMT "', want '%s'", pattern, SPAN_ARG(got), want);
}

static void groups_are(const char *pattern, size_t n_groups, int number_of_x)
{
	CLEANUP(regex_freep)
	struct regex *r = regex_new(
	    span_of(pattern), (struct regex_options){.named_only = true}, NULL);

	assert_non_null(r);
	assert_int_equal(regex_n_groups(r), n_groups);
	assert_int_equal(regex_group_number(r, "x"), number_of_x);
}

static void test_named_groups_only(void **state)
{
	(void)state;
	groups_are("(a)(?:b)(?P<x>c)", 1, 1);
	groups_are("(\\d)[(](?P<x>c)(?i:d)(?=e)", 1, 1);
	/* Where a number may be meant all have theirs. */
	groups_are("(a)(?P<x>c)\\1", 2, 2);
	groups_are("(a)?(?P<x>c)(?(1)d|e)", 2, 2);
	groups_are("(?P<x>c)(a)(?P=x)", 1, 1);
}

static void test_python_ways(void **state)
{
	struct regex_match *m = *state;

	check(m, "b+", false, SPAN("aabbb"), 0, "bbb");
	check(m, "^b", false, SPAN("ab"), 1, "-");
	check(m, "(?<=a)b", false, SPAN("ab"), 1, "b");
	check(m, "b$", false, SPAN("ab\n"), 0, "b");
	check(m, "b\\Z", false, SPAN("ab\n"), 0, "-");
	check(m, "a.b", false, SPAN("a\nb"), 0, "-");
	check(m, "a.b", false, SPAN("a\rb"), 0, "a\rb");
	check(m, "^b$", false, SPAN("a\nb\nc"), 0, "-");
	check(m, "^b$", true, SPAN("a\nb\nc"), 0, "b");
	check(m, "\\n^$", true, SPAN("a\n"), 0, "\n");
	check(m, "x\\d{,3}y", false, SPAN("x12y"), 0, "x12y");
	check(m, "(?iu)JAN", false, SPAN("jan"), 0, "jan");
	check(m, "\\w+", false, SPAN("\xc3\xa9t\xc3\xa9 "), 0, "\xc3\xa9t\xc3\xa9");
	check(m, "(?a)t\\w*", false, SPAN("t\xc3\xa9"), 0, "t");
	check(m, "a\\sb", false,
	    SPAN("a\xc2\xa0"
		 "b"),
	    0,
	    "a\xc2\xa0"
	    "b");
	check(m, "\\u00e9", false, SPAN("\xc3\xa9"), 0, "\xc3\xa9");
	check(m, "(?P<a>.)(?P=a)", false, SPAN("abccd"), 0, "cc");
	check(m, "(?:(a)|b)(?(1)c|d)", false, SPAN("bc bd"), 0, "bd");
	check(m, "", false, SPAN(""), 0, "");
	check(m, "x", false, (struct span){NULL, 0}, 0, "-");
	check(m, "x", false, SPAN("xx"), 3, "-");
	check(m, "$", false, SPAN("xx"), 2, "");
}

static void test_bad_bytes(void **state)
{
	struct regex_match *m = *state;

	check(m, "a.b", false,
	    SPAN("a\xff"
		 "b"),
	    0,
	    "a\xff"
	    "b");
	check(m, "\\S+", false, SPAN("x\xe9y z"), 0, "x\xe9y");
	check(m, "\\w+", false, SPAN("\xe9ot"), 0, "ot");
	check(m, "b", false,
	    SPAN("\x80\x80"
		 "b"),
	    1, "b");
	check(m, "b", false,
	    SPAN("a\xc3\xa9"
		 "b"),
	    2, "b"); /* inside of a character */
	check(m, "(?<=a\\x00)b", false, SPAN("a\0b"), 0, "b");
}

static void test_groups(void **state)
{
	CLEANUP(regex_freep)
	struct regex *r = must("(?P<one>a)?(b)(?P<two>c*)(?P<three>d)?", false);
	struct span s;

	assert_int_equal(regex_n_groups(r), 4);
	assert_null(regex_group_name(r, 0));
	assert_string_equal(regex_group_name(r, 1), "one");
	assert_null(regex_group_name(r, 2));
	assert_int_equal(regex_group_number(r, "three"), 4);
	assert_int_equal(regex_group_number(r, "four"), -1);

	assert_int_equal(regex_search(r, SPAN("xb"), 0, *state), 0);
	assert_false(regex_match_group(*state, 1, &s));
	assert_true(regex_match_group(*state, 2, &s));
	assert_true(span_eq(s, SPAN("b")));
	assert_true(regex_match_group(*state, 3, &s));
	assert_int_equal(s.n, 0);
	assert_false(regex_match_group(*state, 4, &s));
	assert_false(regex_match_group(*state, 50, &s));
	assert_int_equal(regex_search_valid(r, SPAN("abccd"), 0, true, *state), 0);
	assert_true(regex_match_group(*state, 4, &s));
	assert_true(span_eq(s, SPAN("d")));
	assert_int_equal(regex_search_valid(r, SPAN("x"), 2, true, *state), REGEX_MISS);
}

static void test_errors(void **state)
{
	static const struct {
		const char *pattern, *want;
	} bad[] = {
	    {"abc(d", "missing closing parenthesis, at offset 5, after \"abc(d\""},
	    {"a{,2}b)", "unmatched closing parenthesis, at offset 6, after \"a{,2}b\""},
	    {"a\\C", "using \\C is disabled by the application, at offset 3, after "
		     "\"a\\\\C\""},
	    {"(*UTF)a", "(* is not supported, at offset 0"},
	    {"(?P<host>a)(?P<host>b)", "two named subpatterns have the same name "
				       "(PCRE2_DUPNAMES not set), at offset 20, after "
				       "\"(?P<host>a)(?P<host>\""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct err e = {""};

		assert_null(regex_new(
		    span_of(bad[i].pattern), (struct regex_options){false}, &e));
		assert_string_equal(e.text, bad[i].want);
	}
	assert_null(regex_new(SPAN("\xff"), (struct regex_options){false}, NULL));
}

static void test_group_cap(void **state)
{
	char pattern[4 * (REGEX_MAX_GROUPS + 1) + 1] = "";
	struct err e = {""};
	struct span s;

	for (int i = 0; i < REGEX_MAX_GROUPS; i++)
		strcat(pattern, "(a)");
	CLEANUP(regex_freep) struct regex *r = must(pattern, false);
	char subject[REGEX_MAX_GROUPS + 1];

	memset(subject, 'a', sizeof(subject));
	assert_int_equal(
	    regex_search(r, (struct span){subject, sizeof(subject)}, 0, *state), 0);
	assert_true(regex_match_group(*state, REGEX_MAX_GROUPS, &s));
	assert_ptr_equal(s.p, subject + REGEX_MAX_GROUPS - 1);
	strcat(pattern, "(a)");
	assert_null(regex_new(span_of(pattern), (struct regex_options){false}, &e));
	assert_string_equal(e.text, "65 groups, but no more than 64 are allowed");
}

/* Exponential backtracking gives up, is counted, and leaves everything usable. */
static void test_limit(void **state)
{
	CLEANUP(regex_freep) struct regex *r = must("^(?:a+)+[bc]$", false);
	CLEANUP(regex_freep) struct regex *easy = must("a", false);
	char subject[2000];

	memset(subject, 'a', sizeof(subject));
	subject[sizeof(subject) - 2] = 'b';
	assert_int_equal(
	    regex_search(r, (struct span){subject, sizeof(subject)}, 0, *state),
	    REGEX_LIMIT);
	assert_int_equal(regex_n_limits(r), 1);
	assert_int_equal(regex_search(r, SPAN("aab"), 0, *state), 0);
	assert_int_equal(regex_n_limits(r), 1);
	regex_match_set_limits(*state, 1, 1, 1);
	assert_int_equal(
	    regex_search(r, (struct span){subject, sizeof(subject)}, 0, *state),
	    REGEX_LIMIT);
	assert_int_equal(regex_n_limits(r), 2);
	assert_int_equal(regex_n_limits(easy), 0);
}

/*
 * Shapes that have hung daemons: a repeated group which can match the same text in many
 * ways, with something behind it that never comes.
 */
static void test_killers(void **state)
{
	static const struct {
		const char *pattern, *piece;
	} killers[] = {
	    {"^x(?:[^\\[]+ )*\\[?\\d+\\]? end$", "a b c d "},
	    {"^x(?:: (?:\\w+\\([^)]*\\) \\w+|[^(]+))* \\(end\\)$", ": a b"},
	    {"^x(?:\\w+\\s?)*!$", "aaaa "},
	    {"^x(.*?,)+{.*}$", "a,"},
	    {"(x+x+)+y", "x"},
	};
	struct buf b = BUF_INIT(8192);

	for (size_t i = 0; i < ARRAY_LEN(killers); i++) {
		CLEANUP(regex_freep) struct regex *r = must(killers[i].pattern, false);

		buf_clear(&b);
		buf_add_char(&b, 'x');
		for (int k = 0; k < 500; k++)
			buf_add_str(&b, killers[i].piece);
		assert_int_equal(regex_search(r, buf_span(&b), 0, *state) > 0, 1);
		assert_true(regex_n_limits(r) <= 1);
	}
	buf_deinit(&b);
}

/* Where a subject is ASCII, that finds the same. */
static void test_ascii(void **state)
{
	static const struct {
		const char *pattern, *subject;
	} cases[] = {{"\\R?\\s", "~\r"}, {"\\R*?(?:\\w+|\\s)$", "a\n"},
	    {"(?i)\\bK[`]\\s", "k`\t"}};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		CLEANUP(regex_freep) struct regex *r = must(cases[i].pattern, false);
		struct span subject = span_of(cases[i].subject);

		for (int is_ascii = 0; is_ascii < 2; is_ascii++)
			assert_int_equal(
			    regex_search_valid(r, subject, 0, is_ascii, *state), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_named_groups_only, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_python_ways, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_bad_bytes, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_groups, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_errors, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_group_cap, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_limit, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_killers, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_ascii, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
