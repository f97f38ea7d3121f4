/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Patterns into regexes and names: directives, boundaries, groups, keywords.
 */

#include "match/stamp_draft.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "match/stamp_directive.h"
#include "match/stamp_form.h"

#define W "(?=^|\\b|\\W)"
#define E "(?=\\b|\\W|$)"
#define L "^(?:\\W{0,2})?"

static const struct {
	const char *pattern;
	const char *regex;
	const char *name;
	bool is_anchored, is_at_begin;
} table[] = {
    {"x%%", W "(x%)" E, "x%", false, false},
    {"%H", "(?=[0123456789])" W "((?P<H>[0-1]?[0-9]|2[0-3]))" E, "24hour", false,
	false},
    {"%p", "(?iu)(?=[APap])" W "((?P<p>am|pm))" E, "AMPM", false, false},
    {"^%p", "(?iu)^((?P<p>am|pm))" E, "^AMPM", true, true},
    {"{^LN-BEG}x", L "(x)" E, "{^LN-BEG}x", true, true},
    {"{^LN-BEG}^x", "^(x)" E, "^x", true, true},
    {"{^LN-BEG}**x", "(x)" E, "**x", false, false},
    {"{UNB}x", "(x)", "x", false, false},
    {"{UNB}^x$", "^(x)$", "^x$", true, true},
    {"**x**", "(x)", "**x**", false, false},
    {"**x", "(x)" E, "**x", false, false},
    {"x**", W "(x)", "x**", false, false},
    {"(**x**)", "(x)", "(**x**)", false, false},
    {"((**x)**)", "((x))", "((**x)**)", false, false},
    {"**", "()", "**", false, false},
    {"****", "()", "****", false, false},
    {"x\\**", W "(x\\**)" E, "x\\**", false, false},
    {"^x$", "^(x)$", "^x$", true, true},
    {"(^x)", "(^x)" E, "(^x)", true, true},
    {"(?:^x)", "((?:^x))" E, "(?:^x)", false, false},
    {"(?:^x)(y)", "(?:^x)(y)" E, "(?:^x)(y)", true, true},
    {"(?:^|x)(y)", "(?:^|x)(y)" E, "(?:^|x)(y)", false, false},
    {"((^x))", "((^x))" E, "((^x))", false, false},
    {"x$", W "(x)$", "x$", true, false},
    {"(x$)", W "(x$)", "(x$)", true, false},
    {"x\\$", W "(x\\$)" E, "x\\$", false, false},
    {"x\\b", W "(x\\b)", "x\\b", false, false},
    {"x\\s", W "(x\\s)", "x\\s", false, false},
    {"x\\\\b", W "(x\\\\b)" E, "x\\\\b", false, false},
    {"x(y)z", W "x(y)z" E, "x(y)z", false, false},
    {"x\\(z", W "(x\\(z)" E, "x\\(z", false, false},
    {"(?:x)", W "((?:x))" E, "(?:x)", false, false},
    {"x[(]", W "x[(]" E, "x[(]", false, false},
    {"(?i)x", "(?i)" W "(x)" E, "(?i)x", false, false},
    {"(?i)^x", "(?i)^(x)" E, "(?i)^x", true, true},
    {"x(?i)y", "(?i)" W "(xy)" E, "x(?i)y", false, false},
    {" x ", W "(x)" E, "x", false, false},
    {"{^LN-BEG} x", L "(x)" E, "{^LN-BEG}x", true, true},
    {"%k", "(?=[ 0123456789])(?<![0-9A-Za-z_])" W "( ?(?P<H>[0-2]?[0-9]))" E, "%k",
	false, false},
    {"iso8601x", W "(iso8601x)" E, "iso8601x", false, false},
};

/* May what is cut out be believed to stand between characters that are no words? */
static const struct {
	const char *pattern;
	bool keeps_words;
} cuts[] = {
    {"%H", true},
    {"%d/%b/%Y:%H:%M:%S %z", true},
    {"{^LN-BEG}%b %d %H:%M:%S", true},
    {"{^LN-BEG}%H(?:\\.%f)?(?: %ExY)?", true},
    {"^<%H>", true}, /* nothing is left before it */
    {"EPOCH", true},
    {"TAI64N", true},
    {"{^LN-BEG}LEPOCH", true},
    {"%H>", false},
    {"<%H", false},
    {"%H %b", false}, /* in Unicode s may fold to more than s */
    {"%H(?:x|>)?", false},
    {"%H\\d", false},
    {"%%%H", false},
    {"%H%%", false},
    {"{UNB}%H", false},
    {"%H**", false},
    {"**%H", false},
    {"^x(%H)", false}, /* what is before may be "x" */
    {"{^LN-BEG}x\\[%H\\]", false},
    {"x{EPOCH}", false},
};

static void test_cuts(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cuts); i++) {
		struct stamp_draft d;
		struct err e;

		assert_int_equal(stamp_draft_make(span_of(cuts[i].pattern), &d, &e), 0);
		if (d.keeps_words != cuts[i].keeps_words)
			fail_msg("'%s'", cuts[i].pattern);
		free(d.name);
		free(d.regex);
	}
	for (size_t i = 0; i < STAMP_DEFAULTS; i++) {
		struct stamp_draft d;

		assert_int_equal(
		    stamp_draft_make(span_of(stamp_defaults[i]), &d, NULL), 0);
		assert_true(d.keeps_words);
		free(d.name);
		free(d.regex);
	}
}

static void test_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct stamp_draft d;
		struct err e;

		assert_int_equal(
		    stamp_draft_make(span_of(table[i].pattern), &d, &e), 0);
		assert_string_equal(d.regex, table[i].regex);
		assert_string_equal(d.name, table[i].name);
		assert_int_equal(d.is_anchored, table[i].is_anchored);
		assert_int_equal(d.is_at_begin, table[i].is_at_begin);
		assert_int_equal(d.kind, STAMP_DATE);
		assert_int_equal(d.hand, STAMP_BY_REGEX);
		free(d.regex);
		free(d.name);
	}
}

static const struct {
	const char *pattern;
	enum stamp_kind kind;
	enum stamp_hand hand;
	const char *name;
	bool is_anchored;
} keywords[] = {
    {"EPOCH", STAMP_EPOCH, STAMP_BY_REGEX, "Epoch", false},
    {"epoch", STAMP_EPOCH, STAMP_BY_REGEX, "Epoch", false},
    {"^EPOCH", STAMP_EPOCH, STAMP_BY_REGEX, "{^LN-BEG}Epoch", true},
    {"{^LN-BEG}Epoch", STAMP_EPOCH, STAMP_BY_REGEX, "{^LN-BEG}Epoch", true},
    {"LEPOCH", STAMP_LONG_EPOCH, STAMP_BY_REGEX, "LongEpoch", false},
    {"^lepoch", STAMP_LONG_EPOCH, STAMP_BY_REGEX, "{^LN-BEG}LongEpoch", true},
    {"TAI64N", STAMP_TAI64N, STAMP_BY_REGEX, "TAI64N", false},
    {"{^LN-BEG}TAI64N", STAMP_TAI64N, STAMP_BY_REGEX, "{^LN-BEG}TAI64N", true},
    {"x{EPOCH}", STAMP_EPOCH, STAMP_BY_REGEX, "x{EPOCH}", false},
    {"^x{lepoch}%", STAMP_LONG_EPOCH, STAMP_BY_REGEX, "^x{lepoch}%", true},
    {"x{tai64n}", STAMP_TAI64N, STAMP_BY_REGEX, "x{tai64n}", false},
    {"x\\{EPOCH}", STAMP_DATE, STAMP_BY_REGEX, "x\\{EPOCH}", false},
    {"x{EPOCH", STAMP_DATE, STAMP_BY_REGEX, "x{EPOCH", false},
    {"{^LN-BEG}ISO8601", STAMP_DATE, STAMP_BY_HAND_ISO,
	"{^LN-BEG}ExYear(?P<_sep>[-/.])Month(?P=_sep)Day(?:T|  ?)24hour:Minute:Second"
	"(?:[.,]Microseconds)?(?:\\s*Zone offset)?",
	true},
    {"iso8601", STAMP_DATE, STAMP_BY_REGEX,
	"ExYear(?P<_sep>[-/.])Month(?P=_sep)Day(?:T|  ?)24hour:Minute:Second"
	"(?:[.,]Microseconds)?(?:\\s*Zone offset)?",
	false},
    {"{^LN-BEG}(?:%a )?%b %d %k:%M:%S(?:\\.%f)?(?: %ExY)?", STAMP_DATE,
	STAMP_BY_HAND_SYSLOG,
	"{^LN-BEG}(?:DAY )?MON Day %k:Minute:Second(?:\\.Microseconds)?(?: ExYear)?",
	true},
};

static void test_keywords(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(keywords); i++) {
		CLEANUP(stamp_form_freep) struct stamp_form *f = NULL;
		struct err e = {""};

		f = stamp_form_new(span_of(keywords[i].pattern), &e);
		assert_string_equal(e.text, "");
		assert_int_equal(f->draft.kind, keywords[i].kind);
		assert_int_equal(f->draft.hand, keywords[i].hand);
		assert_string_equal(f->draft.name, keywords[i].name);
		assert_int_equal(f->draft.is_anchored, keywords[i].is_anchored);
	}
}

/* Each directive compiles alone, and each default template as it stands. */
static void test_all_compile(void **state)
{
	static const char keys[] = "YymdHkIlMSfpbBaAzZjUWVwuGcxX%";
	static const char *const exact[] = {"%ExY", "%Exy", "%Exm", "%Exd", "%ExH",
	    "%Exk", "%Exl", "%ExM", "%ExS", "%ExZ", "%Exz"};

	(void)state;
	for (size_t i = 0; keys[i]; i++) {
		CLEANUP(stamp_form_freep) struct stamp_form *f = NULL;
		const char pattern[] = {'%', keys[i]};

		f = stamp_form_new((struct span){pattern, 2}, NULL);
		assert_non_null(f);
		assert_int_equal(f->n_parts > 0, !strchr("fVuG%", keys[i]));
	}
	for (size_t i = 0; i < ARRAY_LEN(exact); i++) {
		CLEANUP(stamp_form_freep) struct stamp_form *f = NULL;

		f = stamp_form_new(span_of(exact[i]), NULL);
		assert_non_null(f);
		assert_int_equal(f->n_parts, 1);
	}
	for (size_t i = 0; i < STAMP_DEFAULTS; i++) {
		CLEANUP(stamp_form_freep) struct stamp_form *f = NULL;

		f = stamp_form_new(span_of(stamp_defaults[i]), NULL);
		assert_non_null(f);
	}
}

static const struct {
	const char *pattern;
	const char *first; /* as a look-ahead; "": not known */
} firsts[] = {
    {"%Y-%m", "(?=[0123456789])"},
    {"%ExY", "(?=[2])"},
    {"%z", "(?=[+GUZ-])"},
    {"%%%Y", "(?=[%])"},
    {"(?:%z )?%w", "(?=[+0123456GUZ-])"},
    {"(?:%z )%w", "(?=[+GUZ-])"},
    {"(?:%u|%w)%Y", ""},
    {"(?:%u%w?)?%Y", "(?=[0123456789])"},
    {"(?:%u(x))?%Y", ""},
    {"(?:%u?)?%Y", ""},
    {"(?:%u )*%w", ""},
    {"(?:%u ){0,2}%w", ""},
    {"(?:%u )?(?:%z)?%w", "(?=[+01234567GUZ-])"},
    {"(?:%u )?x%w", ""},
    {"(?:x%u )?%w", ""},
    {"(%u)", ""},
    {"(?:%u", ""}, /* does not compile */
    {"%u?%w", ""},
    {"%u*%w", ""},
    {"%u{0,1}%w", ""},
    {"%u|%z", ""},
    {"%u(?:a|b)", "(?=[1234567])"},
    {"%u(?:a|b)|c", ""},
    {"%u[|]", "(?=[1234567])"},
    {"%u[]|(]", "(?=[1234567])"},
    {"%u[^]|(]|x", ""},
    {"%u[\\]|(]", "(?=[1234567])"},
    {"%u\\|x", "(?=[1234567])"},
    {"%u\\(|x", ""},
    {"%u(?P<_x>a)(?=b)", "(?=[1234567])"},
    {"%u(?i)x", ""},
    {"%u(?<=x)", ""},
    {"%u)|(?:x", ""},
    {"", ""},
    {"x", ""},
    {"%", ""},
    {"%q", ""},
};

static void test_first(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(firsts); i++) {
		struct stamp_first f =
		    stamp_first_of(span_of(firsts[i].pattern), false);
		struct buf b = BUF_INIT(256);

		stamp_first_add(&f, &b);
		if (strcmp(buf_str(&b), firsts[i].first) != 0)
			fail_msg("'%s' begins with %s", firsts[i].pattern, buf_str(&b));
		buf_deinit(&b);
	}
}

static void test_first_fits(void **state)
{
	static const char *const yes[] = {
	    "Nov", "nov", "[nov", " <Mon", "..m", "\xc5\xbf", ".\xc5\xbf", "..\xc5"};
	static const char *const no[] = {"", ".", "..", "...", "...nov", "x", "xnov",
	    ".x", "..x", "_n", "12", ".1n"};
	struct stamp_first f = stamp_first_of(SPAN("(?:%a )?%b"), true);

	(void)state;
	assert_true(f.is_known);
	for (size_t i = 0; i < ARRAY_LEN(yes); i++)
		assert_true(stamp_first_fits(&f, span_of(yes[i])));
	for (size_t i = 0; i < ARRAY_LEN(no); i++)
		assert_false(stamp_first_fits(&f, span_of(no[i])));
}

static void test_unknown_directives(void **state)
{
	static const char *const wrong[] = {
	    "%", "%q", "%E", "%Ex", "%Exb", "x%-d", "%%%"};
	struct stamp_draft d;
	struct err e;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
		assert_int_equal(stamp_draft_make(span_of(wrong[i]), &d, &e), -EINVAL);
	assert_null(stamp_directive_find(SPAN("")));
	assert_null(stamp_directive_find(SPAN("q")));
	assert_string_equal(stamp_directive_find(SPAN("ExYm"))->key, "ExY");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_table),
	    cmocka_unit_test(test_cuts),
	    cmocka_unit_test(test_keywords),
	    cmocka_unit_test(test_all_compile),
	    cmocka_unit_test(test_first),
	    cmocka_unit_test(test_first_fits),
	    cmocka_unit_test(test_unknown_directives),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
