/* SPDX-License-Identifier: GPL-2.0-or-later */

/* literals: each construct, each cut, what is chosen, and hostile patterns */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/buf.h"
#include "match/literals.h"
#include "match/literals_cost.h"

#define MANY 70000

/* Literals in order, with `|` between and `~` before one that ignores case. */
struct pair {
	const char *pattern, *want;
};

static void format(const struct literal_set *set, struct buf *out)
{
	for (size_t i = 0; i < set->n; i++) {
		const struct literal *l = &set->items[i];

		if (i > 0)
			buf_add_char(out, '|');
		if (l->is_nocase)
			buf_add_char(out, '~');
		buf_add(out, l->text, l->n);
	}
}

static void check(struct span pattern, enum literals_cut cut, const char *want)
{
	struct buf got = BUF_INIT(8192);
	struct literal_set set;

	assert_int_equal(literals_of(pattern, cut, &set), 0);
	assert_true(set.cost > 0 && set.cost <= 1);
	format(&set, &got);
	assert_string_equal(buf_str(&got), want);
	assert_true(set.n > 0 || set.cost == 1);
	literal_set_deinit(&set);
	buf_deinit(&got);
}

static void check_all(const struct pair *pairs, size_t n, enum literals_cut cut)
{
	for (size_t i = 0; i < n; i++)
		check(span_of(pairs[i].pattern), cut, pairs[i].want);
}

static void test_plain(void **state)
{
	static const struct pair pairs[] = {
	    {"", ""},
	    {"ab", ""},
	    {"abc", "abc"},
	    {"^abc$", "abc"},
	    {"\\Aab\\bcd\\B\\z", "abcd"},
	    {"abc.def", "abc"},
	    {"abc\\d+xyzzy", "xyzzy"},
	    {"\\.\\[\\]\\-\\/x", ".[]-/x"},
	    {"\\x41\\x{42}C\\o{104}\\x45\\06x", "ABCDE\006x"},
	    {"a\\tb\\ec", "a\tb\033c"},
	    {"\\Qa.b|c\\E*d+", "a.b|"},
	    {"\\Qabc\\Edef", "abcdef"},
	    {"\\Qabc", "abc"},
	    {"ab\\Ec(?#com)d\\Q\\Ee", "abcde"},
	    {"ab\\K\\Gcd", "abcd"},
	    {"a{b}c", "a{b}c"},
	    {"a}b]c", "a}b]c"},
	    {"abc\ndefg", "defg"},
	    {"abc\\r\\ndefg", "defg"},
	    {"abc\xc3\xa9"
	     "defg",
		"defg"},
	    {"abc\\x{e9}defg", "defg"},
	    {"\\w\\pL\\p{L}\\P{^Lu}\\N\\R\\X\\hxyz", "xyz"},
	    {"abc\\N{U+41}def7", "def7"},
	    {"(abc)\\1\\g1\\g{-1}\\g<1>\\k<n>\\k'n'\\k{n}de", "abc"},
	    {"abc\\100d", "abc"},
	    {"abc\\cAdef7", "def7"},
	};

	(void)state;
	check_all(pairs, ARRAY_LEN(pairs), LITERALS_CUT_NONE);
}

static void test_classes(void **state)
{
	static const struct pair pairs[] = {
	    {"ab[c]d", "abcd"},
	    {"ab[\\]]d[]]e", "ab]d]e"},
	    {"x55[04] y", "x550 y|x554 y"},
	    {"[Aa]bc", "~abc"},
	    {"ab[a-c]x", "abax|abbx|abcx"},
	    {"abc[a-z]def7", "def7"},
	    {"abc[^d]def7", "def7"},
	    {"abc[\\d]def7", "def7"},
	    {"ab[\\x43-]d", "ab-d|abCd"},
	    {"abc[\\n]def7", "def7"},
	    {"abc[\xc3\xa9]def7", "def7"},
	    {"abc[[:alpha:]]", ""},
	    {"abc[\\Qx\\E]", ""},
	    {"abc[\\101]d", "abcAd"},
	};

	(void)state;
	check_all(pairs, ARRAY_LEN(pairs), LITERALS_CUT_NONE);
}

static void test_case(void **state)
{
	static const struct pair pairs[] = {
	    {"(?i)ABC", "~abc"},
	    {"(?i)123", "123"},
	    {"(?i)abc1kdefg2", "~defg2"}, /* U+212A is a k */
	    {"(?i)abc1Sdefg2", "~defg2"}, /* U+017F is an s */
	    {"(?i)abc1[k]defg2", "~defg2"},
	    {"[Kk]ey", "~key"}, /* which of them is said */
	    {"ab(?i)C|DEF", "~abc|~def"},
	    {"(?i:ABC)DeF", "~abcdef"},
	    {"(?i)abc(?-i)DEFghi", "~abcdefghi"},
	    {"(?i)ab(?^:Key)", "~abkey"},
	    {"((?i)abc)D\\d+K", "~abcd"},
	    {"(?ms)abc", "abc"},
	};

	(void)state;
	check_all(pairs, ARRAY_LEN(pairs), LITERALS_CUT_NONE);
}

static void test_extended(void **state)
{
	static const struct pair pairs[] = {
	    {"(?x) a b c # comment\n d", "abcd"},
	    {"(?x)a b [ ] c\\ d", "ab c d"},
	    {"(?x)abcd # comment\n ?", "abc"},
	    {"(?x:a b c) d", "abc d"},
	    {"(?xx)abc", ""},
	    {"(?x)abc\xc2\x85?", ""},
	};

	(void)state;
	check_all(pairs, ARRAY_LEN(pairs), LITERALS_CUT_NONE);
}

static void test_quantifiers(void **state)
{
	static const struct pair pairs[] = {
	    {"abcx*def", "abc"},
	    {"abcx?", "abc"},
	    {"abx?,", "abx,|ab,"},
	    {"https?://x", "://x"},
	    {"abcx+def", "abcx"},
	    {"abcx+?yy", "abcx"},
	    {"abcx++yy", "abcx"},
	    {"ab{3}c", "abbbc"},
	    {"(?:abc){2}", "abcabc"},
	    {"(?:abc){2,}", "abcabc"},
	    {"(?:abc){2,3}x", "abcabcx"},
	    {"(?:abc){0,3}xyz", "xyz"},
	    {"(?:abc){0}xyz", "xyz"},
	    {"a{100}", "aaaaaaaa"},
	    {"(?:abc)?xyz", "xyz"},
	    {"(?:ab.c)*xyz", "xyz"},
	    {"(?:abc.def7)+", "def7"},
	    {"abcd{,3}efgh", "efgh"}, /* a quantifier since 10.43 */
	    {"abcd{ 2 }efgh", "efgh"},
	    {"x{2", "x{2"},
	};

	(void)state;
	check_all(pairs, ARRAY_LEN(pairs), LITERALS_CUT_NONE);
}

static void test_groups(void **state)
{
	static const struct pair pairs[] = {
	    {"(ab)(?:c)(?P<n>d)(?<m>e)(?'o'f)(?>g)(?|h)", "abcdefgh"},
	    {"abc|def", "abc|def"},
	    {"abc|de", ""},
	    {"abc|", ""},
	    {"(?:abc|x.)def7", "def7"},
	    {"a(?:bc|de)f", "abcf|adef"},
	    {"(?:abc|xabcx|abcd)", "abc"},
	    {"(?:abc.|.abcd)", "abc"},
	    {"(?=abc)\\w+", "abc"},
	    {"(?<=abc)\\d+", "abc"},
	    {"(?!abc)\\d+", ""},
	    {"(?<!abc)\\d+", ""},
	    {"(?:(?=abc)|x)y", ""},
	    {"(?=abc)?xyz", "xyz"},
	    {"ab(?=x)cd", "abcd"},
	    {"(q)?(?(1)abc|def)x", "abcx|defx"},
	    {"(q)?(?(1)abc)", ""},
	    {"(q)?(?(1)a(?:bcd|efg))", ""},
	    {"(?(?=a)abc|def)", "abc|def"},
	    {"(?(DEFINE)(?<n>abc))xyz", "xyz"},
	    {"(?(<n>)abc|def)", "abc|def"},
	    {"abc(?1)(?R)(?&n)(?P>n)(?P=n)(?-1)(?+1)def7", "def7"},
	    {"(?C1)abc", ""},
	    {"(*UTF)abc", ""},
	};

	(void)state;
	check_all(pairs, ARRAY_LEN(pairs), LITERALS_CUT_NONE);
}

static void test_length(void **state)
{
	(void)state;
	check(SPAN("0123456789abcdefghijklmnopqrstuvwxyz"), LITERALS_CUT_NONE,
	    "0123456789abcdefghijklmnopqrstuv");
	check(SPAN("the word that is needed: xylophone, and nothing beside it"),
	    LITERALS_CUT_NONE, "the word that is needed: xylopho");
}

static void test_cut_words(void **state)
{
	static const struct pair pairs[] = {
	    {"\\]: 5545 ", " 5545 "},
	    {"abc: def7 \\(", " def7 "},
	    {"x: - [y", ""},
	    {"abc: defg", " defg"},
	    {"(?:Login|Auth): failure", " failure"},
	};

	(void)state;
	check_all(pairs, ARRAY_LEN(pairs), LITERALS_CUT_WORDS);
}

static void test_cut_any(void **state)
{
	static const struct pair pairs[] = {
	    {"abc", ""},
	    {"abcde", ""},
	    {"abcdef", "abc|def"},
	    {"invalid user", "invali|d user"},
	    {"abcde.vwxyz", "abcde|vwxyz"},
	    {"(?=abcde).vwxyz", ""},
	    {"(?:abcde|vwxyz)", ""},
	    {"abcabc", "abc"},
	};

	(void)state;
	check_all(pairs, ARRAY_LEN(pairs), LITERALS_CUT_ANY);
}

/* What stands only in failures is taken. */
static void test_choice(void **state)
{
	static const struct pair pairs[] = {
	    {"^postfix/smtpd\\[\\d+\\]: NOQUEUE: reject: RCPT from \\S+\\[",
		"]: NOQUEUE: reject: RCPT from "},
	    {"from \\S+ port \\d+ ssh2: Bad password", " ssh2: Bad password"},
	    {"(?:Invalid|Failed) (?:a|b) xylophone", " xylophone"},
	    {"client \\S+ error: \\w+ unauthorized", " unauthorized"},
	};

	(void)state;
	check_all(pairs, ARRAY_LEN(pairs), LITERALS_CUT_NONE);
}

static void test_cost(void **state)
{
	(void)state;
	assert_true(literals_cost(SPAN(" from "), false) > 0.5);
	assert_true(literals_cost(SPAN("reject: RCPT"), false) < 0.05);
	assert_true(literals_cost(SPAN("ostfi"), false) > 0.5);
	assert_true(literals_cost(SPAN(" POSTFIX "), true) > 0.5);
	assert_true(literals_cost(SPAN(" POSTFIX "), false) < 0.05);
	assert_true(literals_cost(SPAN("unauthorized"), false) <
		    literals_cost(SPAN("unauth"), false));
}

/* Too deep, too long, not closed: an answer, in no time. */
static void test_hostile(void **state)
{
	static const struct pair pairs[] = {
	    {"abc\\", ""},
	    {"(abc", ""},
	    {"abc)", ""},
	    {"[abc", ""},
	    {"[", ""},
	    {"[^", ""},
	    {"[a-", ""},
	    {"[\\", ""},
	    {"(?", ""},
	    {"(?<", ""},
	    {"(?(", ""},
	    {"(?(1", ""},
	    {"(?#abc", ""},
	    {"(?i", ""},
	    {"*abc", ""},
	    {"\\x{", ""},
	    {"\\x{ffffffffffffffffffff}abc", ""},
	    {"\\p", ""},
	    {"\\k", ""},
	    {"\\N{U+", ""},
	    {"\\C", ""},
	    {"abc{99999999999999999999}", "abcccccccc"},
	};
	struct buf b = BUF_INIT(8 * MANY);

	(void)state;
	check_all(pairs, ARRAY_LEN(pairs), LITERALS_CUT_NONE);
	for (size_t i = 0; i < MANY; i++)
		buf_add_char(&b, '(');
	check(buf_span(&b), LITERALS_CUT_NONE, "");
	buf_clear(&b);
	for (size_t i = 0; i < MANY; i++)
		buf_add_str(&b, "(a|b)");
	check(buf_span(&b), LITERALS_CUT_ANY, "");
	buf_clear(&b);
	for (size_t i = 0; i < 38; i++)
		buf_add_str(&b, "(?:");
	buf_add_str(&b, "abc");
	for (size_t i = 0; i < 38; i++)
		buf_add_str(&b, "){9}");
	check(buf_span(&b), LITERALS_CUT_NONE, "abcabcabcabcabcabcabcabc");
	check(SPAN("abc\0def7"), LITERALS_CUT_NONE, "");
	buf_deinit(&b);
}

/* One more alternative than there may be literals: none at all. */
static void test_too_many(void **state)
{
	struct buf b = BUF_INIT(8192);
	struct literal_set set;

	(void)state;
	for (int i = 0; i < LITERALS_MAX; i++)
		buf_printf(&b, "%s%dx%d.", i ? "|" : "", i % 10, i / 10);
	assert_int_equal(literals_of(buf_span(&b), LITERALS_CUT_NONE, &set), 0);
	assert_int_equal(set.n, LITERALS_MAX);
	literal_set_deinit(&set);
	buf_add_str(&b, "|onemore");
	check(buf_span(&b), LITERALS_CUT_NONE, "");
	buf_deinit(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_plain),
	    cmocka_unit_test(test_classes),
	    cmocka_unit_test(test_case),
	    cmocka_unit_test(test_extended),
	    cmocka_unit_test(test_quantifiers),
	    cmocka_unit_test(test_groups),
	    cmocka_unit_test(test_length),
	    cmocka_unit_test(test_cut_words),
	    cmocka_unit_test(test_cut_any),
	    cmocka_unit_test(test_choice),
	    cmocka_unit_test(test_cost),
	    cmocka_unit_test(test_hostile),
	    cmocka_unit_test(test_too_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
