/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "conf_test.h"

#include "conf/interp.h"

static struct arena *arena;
static struct ini ini;
static struct diag diag;

static void load(const char *text)
{
	arena = arena_new(64 << 20);
	assert_int_equal(ini_parse(arena, span_of(text), "f", &diag, &ini), 0);
	assert_silent(&diag);
}

static int done(void **state)
{
	(void)state;
	arena = arena_free(arena);
	diag_deinit(&diag);
	return 0;
}

static struct interp in_section(const char *section)
{
	return (struct interp){.arena = arena,
	    .d = &diag,
	    .ini = &ini,
	    .section = ini_find_section(&ini, span_of(section))};
}

static int get(const char *section, const char *name, struct text *out)
{
	struct interp in = in_section(section);

	return interp_get(&in, span_of(name), out);
}

static void assert_value(const char *section, const char *name, const char *value)
{
	struct text t;
	int r = get(section, name, &t);

	if (r)
		fail_msg("%s/%s gives %d: %s", section, name, r, all_of(&diag));
	assert_string_equal(t.p, value);
}

static void assert_mistake(const char *section, const char *name, const char *says)
{
	struct text t;

	assert_int_equal(get(section, name, &t), -EINVAL);
	assert_says(&diag, says);
}

static void references_are_resolved(void **state)
{
	(void)state;
	load("[DEFAULT]\na = 1\nb = %(a)s%(A)s\n[s]\na = 2\nc = <%(b)s> 100%%\n"
	     "d = %(__name__)s\n[t]\n");
	assert_value("s", "c", "<22> 100%");
	assert_value("t", "b", "11");
	assert_value("s", "d", "s");
}

static void nothing_is_an_outcome(void **state)
{
	struct text t;

	(void)state;
	load("[s]\na = 1\n");
	assert_int_equal(get("s", "b", &t), INTERP_NONE);
	assert_silent(&diag);
}

static void other_sections_are_seen(void **state)
{
	(void)state;
	load("[DEFAULT]\na = def\nx = xdef\n[s]\na = %(x)s s\nb = %(t/x)s\nc = "
	     "%(default/a)s\n"
	     "d = %(Upper/Y)s\ne = %(t/a)s\nx = xs\nf = %(t/z)s\n[t]\nx = xt\nz = "
	     "%(x)s\n"
	     "[Upper]\ny = up\n");
	assert_value("s", "a", "xs s");
	assert_value("s", "b", "xt");
	assert_value("s", "c", "def");
	assert_value("s", "d", "up");
	assert_value("s", "e", "def");
	/* the raw value of the other, resolved in the context of this one */
	assert_value("s", "f", "xs");
}

static void variables_come_first(void **state)
{
	struct text_mark mark = {.at = {"v", 1, 1}};
	struct text v = {.p = "<%(b)s>", .n = 7, .marks = &mark, .n_marks = 1};
	struct interp in;
	struct dict vars;
	struct text t;

	(void)state;
	load("[s]\na = 1\nb = 2\nc = %(a)s\n");
	vars = DICT_INIT(arena);
	assert_int_equal(dict_put(&vars, "a", &v), 0);
	in = in_section("s");
	in.vars = &vars;
	assert_int_equal(interp_get(&in, SPAN("c"), &t), 0);
	assert_string_equal(t.p, "<2>");
	assert_true(interp_has(&in, SPAN("a")));
	assert_false(interp_has(&in, SPAN("z")));
}

static int known_value(void *ctx, struct span name, struct text *out)
{
	(void)ctx;
	if (!span_eq(name, SPAN("x")))
		return INTERP_NONE;
	*out = (struct text){.p = "100% <%(y)s>", .n = 12};
	return 0;
}

static void a_filter_is_known_first(void **state)
{
	struct interp in;
	struct text t;

	(void)state;
	load("[DEFAULT]\nz = 3\n[s]\na = (%(known/x)s) %(known/z)s\n");
	in = in_section("s");
	in.known = known_value;
	assert_int_equal(interp_get(&in, SPAN("a"), &t), 0);
	assert_string_equal(t.p, "(100% <%(y)s>) 3");
}

static void mistakes_have_a_place(void **state)
{
	(void)state;
	load("[s]\na = x %(nope)s\nb = 5% of\nc = %(open\nd = %d\ne = %()s\nf = 1\n  2 "
	     "%(g)s\n"
	     "h = %(no/such)s\n");
	assert_mistake("s", "a",
	    "f:2:7: error: a: %(nope)s: there is no such option, expected "
	    "one in [s] or [DEFAULT]");
	assert_mistake("s", "b",
	    "f:3:6: error: b: '%' begins a reference %(NAME)s; a percent "
	    "sign itself is written %%");
	assert_mistake("s", "c", "f:4:5: error: c: unfinished reference");
	assert_mistake("s", "d", "f:5:5: error: d: '%' begins");
	assert_mistake("s", "e", "f:6:5: error: e: unfinished");
	assert_mistake("s", "f", "f:8:5: error: f: %(g)s");
	assert_mistake("s", "h", "f:9:5: error: h: %(no/such)s");
}

static void rings_end(void **state)
{
	(void)state;
	load("[s]\na = %(b)s\nb = %(a)s\nc = %(c)s\n");
	assert_mistake("s", "a", "a: this reference leads back to itself");
	assert_mistake("s", "c", "c: this reference leads back to itself");
}

static void is_bounded(void **state)
{
	CLEANUP(buf_deinit) struct buf b = BUF_INIT(1 << 20);

	(void)state;
	buf_add_str(&b, "[s]\ne0 =\nx0 = 0123456789\n");
	for (int i = 1; i < 30; i++)
		buf_printf(&b, "e%d = %%(e%d)s%%(e%d)s\nx%d = %%(x%d)s%%(x%d)s\n", i,
		    i - 1, i - 1, i, i - 1, i - 1);
	buf_add_str(&b, "d0 = 1\n");
	for (int i = 1; i < 50; i++)
		buf_printf(&b, "d%d = %%(d%d)s\n", i, i - 1);
	load(buf_str(&b));
	assert_mistake("s", "e29", "e29: too many references in one value");
	assert_mistake("s", "x29", "x29: ");
	assert_mistake("s", "d49", "d49: references nest too deeply");
	assert_value("s", "d20", "1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_teardown(references_are_resolved, done),
	    cmocka_unit_test_teardown(nothing_is_an_outcome, done),
	    cmocka_unit_test_teardown(other_sections_are_seen, done),
	    cmocka_unit_test_teardown(variables_come_first, done),
	    cmocka_unit_test_teardown(a_filter_is_known_first, done),
	    cmocka_unit_test_teardown(mistakes_have_a_place, done),
	    cmocka_unit_test_teardown(rings_end, done),
	    cmocka_unit_test_teardown(is_bounded, done),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
