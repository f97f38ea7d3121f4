/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "enforce/shell_value.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "enforce/action_tag.h"

static void expect(
    struct span text, bool has_lines, enum shell_form form, const char *want)
{
	CLEANUP(buf_deinit) struct buf b = BUF_INIT(2 * SHELL_VALUE_MAX);
	struct shell_value v = {text, true, has_lines};

	shell_value_add(&b, &v, form, '_');
	assert_string_equal(buf_str(&b), want);
}

static void test_whole(UNUSED void **state)
{
	expect(SPAN("a\n~!sh\n.\n#b\n-c"), true, SHELL_WHOLE, "a\n ~!sh\n .\n #b\n-c");
	expect(SPAN("a\nBcc: x"), false, SHELL_WHOLE, "a?Bcc: x");
	expect(SPAN("a\x1b[2J\x7f\r\x01\tb"), true, SHELL_WHOLE, "a?[2J???\tb");
	expect(SPAN("\\012~\\"), true, SHELL_WHOLE, " ?012~?");
	expect(SPAN("\xc3\xa9\xc2\x9b\xc2\xa0\x9b\xe9"), true, SHELL_WHOLE,
	    "\xc3\xa9?\xc2\xa0?\xe9");
	expect(SPAN(""), true, SHELL_WHOLE, "");
}

static void test_first_byte(UNUSED void **state)
{
	static const char odd[] = "-+@~.=<>|%&;#!*?{}()$`'\"^,:";

	for (const char *p = odd; *p; p++) {
		char text[] = {*p, 'x', '\0'}, want[] = {' ', *p, 'x', '\0'};

		expect(span_of(text), true, SHELL_WHOLE, want);
	}
	expect(SPAN("[x"), true, SHELL_WHOLE, "[x");
	expect(SPAN("/x"), true, SHELL_WHOLE, "/x");
	expect(SPAN("_x"), true, SHELL_WHOLE, "_x");
}

static void test_word(UNUSED void **state)
{
	expect(SPAN("mallory@mx-1.example.org"), false, SHELL_WORD,
	    "mallory@mx-1.example.org");
	expect(SPAN("--x..y-"), false, SHELL_WORD, "_x_y_");
	expect(SPAN("a b\n$(c)"), false, SHELL_WORD, "a_b_c_");
	expect(SPAN("../../etc"), false, SHELL_WORD, "_etc");
	expect(SPAN(""), false, SHELL_WORD, "");
}

static void test_inert(UNUSED void **state)
{
	expect(SPAN("reboot"), false, SHELL_INERT, "_reboot");
	expect(SPAN("a.b-c@d:e f\ng"), true, SHELL_INERT, "_a_b_c_d_e_f_g");
	expect(SPAN("__END__"), false, SHELL_INERT, "_END_");
	expect(SPAN("42"), false, SHELL_INERT, "_42");
	expect(SPAN(""), false, SHELL_INERT, "_0");
	expect(SPAN("$(!)"), false, SHELL_INERT, "_0");
}

/* Cut before anything is added to it, so blanks may come on top. */
static void test_cut(UNUSED void **state)
{
	CLEANUP(freep) char *text = malloc(SHELL_VALUE_MAX + 2);
	CLEANUP(buf_deinit) struct buf b = BUF_INIT(2 * SHELL_VALUE_MAX);

	assert_non_null(text);
	memset(text, 'a', SHELL_VALUE_MAX + 2);
	struct shell_value v = {{text, SHELL_VALUE_MAX + 2}, true, true};

	for (int form = SHELL_WHOLE; form <= SHELL_INERT; form++) {
		buf_clear(&b);
		shell_value_add(&b, &v, (enum shell_form)form, '_');
		assert_int_equal(b.n, SHELL_VALUE_MAX + (form == SHELL_INERT));
	}
}

static void test_filler(UNUSED void **state)
{
	assert_int_equal(
	    shell_value_filler(SPAN("sed s/a/<F-A_B>/"), action_tag_sample, NULL), '_');
	assert_int_equal(
	    shell_value_filler(SPAN("sed s_a_<F-A>_"), action_tag_sample, NULL), 'Z');
}

static void test_tags(UNUSED void **state)
{
	static const char *const foreign[] = {
	    "F-USER", "F-a_1", "ip-host", "matches", "ipmatches", "ipjailmatches"};
	static const char *const none[] = {
	    "F-", "F-x;cat", "F-a-b", "F-a\nb", "nosuch"};

	for (size_t i = 0; i < ARRAY_LEN(foreign); i++)
		assert_true(
		    action_tag_is_foreign(action_tag_find(span_of(foreign[i]))));
	for (size_t i = 0; i < ARRAY_LEN(none); i++)
		assert_int_equal(action_tag_find(span_of(none[i])), TAG_NONE);
	assert_false(action_tag_is_foreign(action_tag_find(SPAN("ip"))));
	assert_false(action_tag_has_lines(action_tag_find(SPAN("F-USER"))));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_whole),
	    cmocka_unit_test(test_first_byte),
	    cmocka_unit_test(test_word),
	    cmocka_unit_test(test_inert),
	    cmocka_unit_test(test_cut),
	    cmocka_unit_test(test_filler),
	    cmocka_unit_test(test_tags),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
