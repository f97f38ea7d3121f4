/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "conf_test.h"

#include "conf/chars.h"
#include "conf/text.h"

static const struct conf_place here = {"here", 10, 5};
static const struct conf_place there = {"there", 20, 7};

static void assert_place(
    struct conf_place at, const char *file, unsigned int line, unsigned int col)
{
	assert_string_equal(at.file, file);
	assert_int_equal(at.line, line);
	assert_int_equal(at.col, col);
}

static void insert(struct text_out *o, const char *host, const char *value)
{
	struct text_out h = TEXT_OUT_INIT, v = TEXT_OUT_INIT;
	struct text host_text, value_text;
	size_t at = (size_t)(strchr(host, '@') - host);

	text_out_add(&h, span_of(host), here, false);
	text_out_add(&v, span_of(value), there, false);
	host_text = text_out_view(&h);
	value_text = text_out_view(&v);
	text_out_add_part(o, &host_text, 0, at);
	text_out_insert(o, &host_text, at, at + 1, &value_text);
	text_out_add_part(o, &host_text, at + 1, host_text.n);
	text_out_deinit(&h);
	text_out_deinit(&v);
}

static void whole_lines_keep_their_place(void **state)
{
	struct text_out o = TEXT_OUT_INIT;
	struct text t;

	(void)state;
	insert(&o, "@", "value");
	t = text_out_view(&o);
	assert_place(text_place(&t, 2), "there", 20, 9);
	text_out_clear(&o);
	insert(&o, "a\n@\nb", "value");
	t = text_out_view(&o);
	assert_string_equal(t.p, "a\nvalue\nb");
	assert_place(text_place(&t, 0), "here", 10, 5);
	assert_place(text_place(&t, 2), "there", 20, 7);
	assert_place(text_place(&t, 8), "here", 10, 9);
	text_out_deinit(&o);
}

static void parts_of_lines_stand_at_the_reference(void **state)
{
	struct text_out o = TEXT_OUT_INIT;
	struct text t;

	(void)state;
	insert(&o, "ab@cd", "value");
	t = text_out_view(&o);
	assert_string_equal(t.p, "abvaluecd");
	assert_place(text_place(&t, 1), "here", 10, 6);
	assert_place(text_place(&t, 4), "here", 10, 7);
	assert_place(text_place(&t, 7), "here", 10, 8);
	assert_place(text_place(&t, 8), "here", 10, 9);
	text_out_deinit(&o);
}

static void lines_of_a_list_are_split_up(void **state)
{
	struct text_out o = TEXT_OUT_INIT;
	struct conf_place at;
	struct span line;
	struct text t;
	size_t pos = 0;

	(void)state;
	insert(&o, "x @", "1\n\n  2 ");
	t = text_out_view(&o);
	assert_true(text_next_line(&t, &pos, &line, &at));
	assert_true(span_eq(line, SPAN("x 1")));
	assert_place(at, "here", 10, 5);
	assert_true(text_next_line(&t, &pos, &line, &at));
	assert_true(span_eq(line, SPAN("2")));
	assert_string_equal(at.file, "there");
	assert_false(text_next_line(&t, &pos, &line, &at));
	text_out_deinit(&o);
}

static void is_bounded(void **state)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(1 << 22);
	CLEANUP(freep) char *big = calloc(1, TEXT_MAX);
	struct text_out o = TEXT_OUT_INIT;
	struct text t;

	(void)state;
	memset(big, 'x', TEXT_MAX);
	text_out_add(&o, (struct span){big, TEXT_MAX}, here, false);
	assert_int_equal(text_out_keep(&o, a, &t), 0);
	text_out_add(&o, SPAN("y"), here, false);
	assert_int_equal(text_out_keep(&o, a, &t), -E2BIG);
	text_out_clear(&o);
	assert_int_equal(text_out_keep(&o, a, &t), 0);
	assert_int_equal(t.n, 0);
	text_out_deinit(&o);
}

static void arena_has_an_end(void **state)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(1 << 20);
	size_t n = 0;

	(void)state;
	assert_null(arena_alloc(a, (1 << 20) + 1));
	assert_null(arena_alloc_array(a, SIZE_MAX / 2, 16));
	assert_non_null(arena_alloc(a, 1 << 19));
	while (arena_alloc(a, 1000) && n < 10000)
		n++;
	assert_true(n > 100 && n < 600);
}

static void dict_finds_and_keeps_order(void **state)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(1 << 22);
	struct dict d = DICT_INIT(a);
	int n = 0;

	(void)state;
	assert_null(dict_find(&d, SPAN("x")));
	assert_null(dict_find(NULL, SPAN("x")));
	for (int i = 0; i < 1000; i++) {
		char key[16];

		(void)snprintf(key, sizeof(key), "k%d", i);
		assert_int_equal(dict_put(&d, arena_dup(a, span_of(key)), a), 0);
	}
	assert_int_equal(dict_put(&d, "k7", &d), 0);
	assert_int_equal(d.n, 1000);
	assert_ptr_equal(dict_find(&d, SPAN("k7")), &d);
	assert_ptr_equal(dict_find(&d, SPAN("k999")), a);
	assert_null(dict_find(&d, SPAN("k1000")));
	for (const struct dict_item *i = d.first; i; i = i->next)
		assert_int_equal(atoi(i->key + 1), n++);
}

static void blanks_are_unicode(void **state)
{
	(void)state;
	assert_true(
	    span_eq(chars_trim(SPAN(" \t\xc2\xa0x y\xe2\x80\x83\r ")), SPAN("x y")));
	assert_true(span_eq(chars_trim(SPAN("\xc2\xa0")), SPAN("")));
	assert_true(span_eq(chars_trim(SPAN("\xc3\xa4")), SPAN("\xc3\xa4")));
	assert_int_equal(chars_indent(SPAN("\xc2\xa0 x")), 2);
	assert_true(chars_is_blank_before(SPAN("a\xc2\xa0;"), 3));
	assert_false(chars_is_blank_before(SPAN("a;"), 1));
	assert_false(chars_is_blank_before(SPAN(";"), 0));
}

static void utf8_is_checked(void **state)
{
	(void)state;
	assert_int_equal(
	    chars_bad_at(SPAN("a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80")), -1);
	assert_int_equal(chars_bad_at(SPAN("a\xff")), 1);
	assert_int_equal(chars_bad_at(SPAN("\xc0\xaf")), 0);         /* overlong */
	assert_int_equal(chars_bad_at(SPAN("ab\xed\xa0\x80")), 2);   /* surrogate */
	assert_int_equal(chars_bad_at(SPAN("\xf4\x90\x80\x80")), 0); /* > 10ffff */
	assert_int_equal(chars_bad_at(SPAN("a\xe2\x82")), 1);
	assert_int_equal(chars_bad_at((struct span){"a\0b", 3}), 1);
}

static void long_text_is_cut(void **state)
{
	struct chars_shown s =
	    chars_show(SPAN("0123456789012345678901234567890123456789"
			    "0123456789012345678\xc3\xa4tail"));

	(void)state;
	assert_string_equal(s.text, "0123456789012345678901234567890123456789"
				    "0123456789012345678\xe2\x80\xa6");
	assert_string_equal(chars_show(SPAN("short")).text, "short");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(whole_lines_keep_their_place),
	    cmocka_unit_test(parts_of_lines_stand_at_the_reference),
	    cmocka_unit_test(lines_of_a_list_are_split_up),
	    cmocka_unit_test(is_bounded),
	    cmocka_unit_test(arena_has_an_end),
	    cmocka_unit_test(dict_finds_and_keeps_order),
	    cmocka_unit_test(blanks_are_unicode),
	    cmocka_unit_test(utf8_is_checked),
	    cmocka_unit_test(long_text_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
