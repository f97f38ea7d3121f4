/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "conf_test.h"

#include "conf/ini.h"

struct parsed {
	struct arena *arena;
	struct diag d;
	struct ini ini;
};

static struct parsed parse_span(struct span text)
{
	struct parsed p = {.arena = arena_new(64 << 20)};

	assert_int_equal(ini_parse(p.arena, text, "f", &p.d, &p.ini), 0);
	return p;
}

static struct parsed parse(const char *text)
{
	return parse_span(span_of(text));
}

static void done(struct parsed *p)
{
	diag_deinit(&p->d);
	p->arena = arena_free(p->arena);
}

static const struct ini_option *get(
    const struct parsed *p, const char *s, const char *name)
{
	const struct ini_section *section = strcmp(s, "DEFAULT") == 0
						? &p->ini.defaults
						: ini_find_section(&p->ini, span_of(s));

	assert_non_null(section);
	return ini_find_option(section, span_of(name));
}

static void assert_value(
    const struct parsed *p, const char *s, const char *name, const char *value)
{
	const struct ini_option *o = get(p, s, name);

	assert_non_null(o);
	assert_string_equal(o->value.p, value);
}

static void reads_options(void **state)
{
	struct parsed p =
	    parse("[DEFAULT]\na = 1\n[s]\nNaMe=x = y: z\nb : 2 \nc=\n[t]\n");

	(void)state;
	assert_silent(&p.d);
	assert_value(&p, "DEFAULT", "a", "1");
	assert_value(&p, "s", "name", "x = y: z");
	assert_value(&p, "s", "b", "2");
	assert_value(&p, "s", "c", "");
	assert_int_equal(p.ini.sections.n, 2);
	assert_string_equal(p.ini.sections.first->key, "s");
	done(&p);
}

static void an_indented_header_goes_on(void **state)
{
	struct parsed p =
	    parse("[j1]\n maxretry=1\n  findtime=4\n  [j2]\n bantime=5\n");

	(void)state;
	assert_silent(&p.d);
	assert_value(&p, "j1", "maxretry", "1\nfindtime=4\n[j2]");
	assert_value(&p, "j1", "bantime", "5");
	assert_int_equal(p.ini.sections.n, 1);
	done(&p);
}

static void lists_keep_blank_lines_inside(void **state)
{
	struct parsed p =
	    parse("[s]\na =\n  1\n\n# dropped\n ; too\n  2 \n\n\nb = 3\n\n");

	(void)state;
	assert_silent(&p.d);
	assert_value(&p, "s", "a", "\n1\n\n2");
	assert_value(&p, "s", "b", "3");
	done(&p);
}

static void only_a_blank_and_semicolon_comment(void **state)
{
	struct parsed p = parse("[s]\na = cmd1 ;cmd2\nb = cmd1; cmd2\nc = x # y\n"
				"d = x;y ; z ; w\n;e = 1\n #f = 1\n");

	(void)state;
	assert_silent(&p.d);
	assert_value(&p, "s", "a", "cmd1");
	assert_value(&p, "s", "b", "cmd1; cmd2");
	assert_value(&p, "s", "c", "x # y");
	assert_value(&p, "s", "d", "x;y");
	assert_null(get(&p, "s", "e"));
	done(&p);
}

static void headers_are_greedy(void **state)
{
	struct parsed p = parse("[a]b] tail\nx=1\n[Init?family=inet6]\ny=2\n[]\n");

	(void)state;
	assert_value(&p, "a]b", "x", "1");
	assert_value(&p, "Init?family=inet6", "y", "2");
	assert_says(&p.d, "f:1:6: warning: what follows the ']'");
	assert_says(&p.d, "f:5:1: error: '[]' is neither");
	done(&p);
}

static void line_ends_of_all_systems(void **state)
{
	struct parsed p = parse("[s]\r\na = 1\r\n  2\rb = 3\n");

	(void)state;
	assert_silent(&p.d);
	assert_value(&p, "s", "a", "1\n2");
	assert_value(&p, "s", "b", "3");
	done(&p);
}

static void values_know_their_places(void **state)
{
	struct parsed p = parse("[s]\n\na  =  x y\n      z\nb=\n\tw\n");
	const struct text *a = &get(&p, "s", "a")->value;
	const struct text *b = &get(&p, "s", "b")->value;

	(void)state;
	assert_int_equal(text_place(a, 0).line, 3);
	assert_int_equal(text_place(a, 0).col, 7);
	assert_int_equal(text_place(a, 2).col, 9);
	assert_int_equal(text_place(a, 4).line, 4);
	assert_int_equal(text_place(a, 4).col, 7);
	assert_int_equal(text_place(b, 1).line, 6);
	assert_int_equal(text_place(b, 1).col, 2);
	assert_int_equal(get(&p, "s", "a")->at.col, 1);
	assert_string_equal(text_place(b, 1).file, "f");
	done(&p);
}

static void doubles_are_refused(void **state)
{
	struct parsed p =
	    parse("[j1]\na = 1\n[j2]\nb = 1\nB = 2\n  go on\nc = 3\n[j1]\nd = 4\n"
		  "[DEFAULT]\ne=1\n[DEFAULT]\nf=2\n[j3]\n");

	(void)state;
	assert_string_equal(all_of(&p.d), "f:5:1: error: b: already set in line 4 of "
					  "this section; only one can be meant\n"
					  "f:8:1: error: section [j1] stands twice in "
					  "this file, first in line 1; put its "
					  "options together\n");
	assert_true(p.ini.is_broken);
	assert_true(ini_find_section(&p.ini, SPAN("j1"))->is_broken);
	assert_true(ini_find_section(&p.ini, SPAN("j2"))->is_broken);
	assert_false(ini_find_section(&p.ini, SPAN("j3"))->is_broken);
	/* the rest was read all the same */
	assert_value(&p, "j2", "b", "1");
	assert_value(&p, "j2", "c", "3");
	assert_value(&p, "j1", "d", "4");
	assert_value(&p, "DEFAULT", "f", "2");
	done(&p);
}

static void all_mistakes_are_told(void **state)
{
	struct parsed p = parse("a = 1\nb\n[s]\nno separator\n= x\nc = 1\n");

	(void)state;
	assert_says(&p.d, "f:1:1: error: 'a = 1' stands before the first [section]");
	assert_says(
	    &p.d, "f:4:1: error: 'no separator' is neither 'option = value' nor");
	assert_says(&p.d, "f:5:1: error: '= x' is neither");
	assert_int_equal(p.d.n_errors, 3);
	assert_value(&p, "s", "c", "1");
	done(&p);
}

static void only_utf8_is_read(void **state)
{
	struct parsed p =
	    parse("[s]\na = gr\xc3\xbc\xc3\x9f\nb = gr\xfc\xdf\nc = \xc2\xa0x\n");

	(void)state;
	assert_string_equal(all_of(&p.d), "f:3:7: error: byte 0xfc is not valid UTF-8 "
					  "text; save the file as UTF-8\n");
	assert_value(&p, "s", "a", "gr\xc3\xbc\xc3\x9f");
	assert_value(&p, "s", "c", "x");
	done(&p);
	p = parse_span((struct span){"[s]\na\0b = 1\n", 11});
	assert_says(&p.d, "f:2:2: error: byte 0x00");
	done(&p);
	p = parse("\xef\xbb\xbf[s]\na = 1\n");
	assert_says(&p.d, "f:1:1: error: the file begins with a byte order mark");
	assert_value(&p, "s", "a", "1");
	done(&p);
}

static void is_bounded(void **state)
{
	CLEANUP(buf_deinit) struct buf b = BUF_INIT(8 << 20);
	struct parsed p;

	(void)state;
	for (int i = 0; i < INI_SECTIONS_MAX + 2; i++)
		buf_printf(&b, "[s%d]\n", i);
	p = parse_span(buf_span(&b));
	assert_int_equal(p.ini.sections.n, INI_SECTIONS_MAX);
	assert_says(&p.d, "more than 10000 sections");
	done(&p);

	buf_clear(&b);
	buf_add_str(&b, "[s]\na = ");
	for (size_t i = 0; i < TEXT_MAX + 1; i++)
		buf_add_char(&b, 'x');
	buf_add_str(&b, "\nb = 1\n");
	p = parse_span(buf_span(&b));
	assert_says(&p.d, "f:2:1: error: a: the value is larger than 1048576 bytes");
	assert_value(&p, "s", "a", "");
	assert_value(&p, "s", "b", "1");
	done(&p);
}

static void nothing_is_nothing(void **state)
{
	struct parsed p = parse("");

	(void)state;
	assert_silent(&p.d);
	assert_int_equal(p.ini.sections.n, 0);
	done(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(reads_options),
	    cmocka_unit_test(an_indented_header_goes_on),
	    cmocka_unit_test(lists_keep_blank_lines_inside),
	    cmocka_unit_test(only_a_blank_and_semicolon_comment),
	    cmocka_unit_test(headers_are_greedy),
	    cmocka_unit_test(line_ends_of_all_systems),
	    cmocka_unit_test(values_know_their_places),
	    cmocka_unit_test(doubles_are_refused),
	    cmocka_unit_test(all_mistakes_are_told),
	    cmocka_unit_test(only_utf8_is_read),
	    cmocka_unit_test(is_bounded),
	    cmocka_unit_test(nothing_is_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
