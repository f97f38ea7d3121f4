/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "conf_test.h"

#include "conf/params.h"

static struct arena *arena;
static struct diag diag;

static int setup(void **state)
{
	(void)state;
	arena = arena_new(64 << 20);
	return 0;
}

static int done(void **state)
{
	(void)state;
	arena = arena_free(arena);
	diag_deinit(&diag);
	return 0;
}

static struct text text_at(const char *s)
{
	static struct text_mark mark = {.at = {"f", 5, 10}};

	return (struct text){.p = s, .n = strlen(s), .marks = &mark, .n_marks = 1};
}

static int parse(const char *s, struct params *out)
{
	struct text t = text_at(s);

	return params_parse(arena, &diag, "filter", &t, out);
}

/* "name;a=1;b=2" of what @s says. */
static void assert_parsed(const char *s, const char *want)
{
	CLEANUP(buf_deinit) struct buf b = BUF_INIT(4096);
	struct params p;
	int r = parse(s, &p);

	if (r)
		fail_msg("%s gives %d: %s", s, r, all_of(&diag));
	buf_add_str(&b, p.name);
	for (size_t i = 0; i < p.n; i++)
		buf_printf(&b, ";%s=%s", p.items[i].name, p.items[i].value.p);
	assert_string_equal(buf_str(&b), want);
}

static void names_and_options(void **state)
{
	(void)state;
	assert_parsed("sshd", "sshd");
	assert_parsed(" sshd[] ", "sshd");
	assert_parsed("sshd[mode=aggressive, logtype=journal]",
	    "sshd;mode=aggressive;logtype=journal");
	assert_parsed("mail[a=',']", "mail;a=,");
	assert_parsed("mail[a=b, ]", "mail;a=b");
	assert_parsed("a[x=1][y=2] [ z= 3 ]", "a;x=1;y=2;z=3");
}

static void quotes_hold_anything(void **state)
{
	(void)state;
	assert_parsed("a[p=\"1,2]'\", q='\"[x]\"']", "a;p=1,2]';q=\"[x]\"");
	assert_parsed("a[p=\" 1\n 2 \" , q=x y=z]", "a;p=1\n 2;q=x y=z");
	assert_parsed("a[p=\"\",q=]", "a;p=;q=");
}

static void names_are_lowered_and_the_last_counts(void **state)
{
	(void)state;
	assert_parsed("Act.X-1[Port=1, port=2, a.b-c_d=3]", "Act.X-1;port=2;a.b-c_d=3");
	assert_parsed("a[p=1,p?family=inet6=2]", "a;p=1;p?family=inet6=2");
}

static void assert_mistake(const char *s, const char *says)
{
	struct params p;

	assert_int_equal(parse(s, &p), -EINVAL);
	assert_says(&diag, says);
}

static void mistakes_have_a_place(void **state)
{
	(void)state;
	assert_mistake("mail['s']",
	    "f:5:15: error: filter: 'mail': expected option=value or ']' at ''s']'");
	assert_mistake(
	    "mail[", "f:5:15: error: filter: 'mail': the closing ']' is missing");
	assert_mistake(
	    "flt[a='x,y',b=z,y]", "f:5:26: error: filter: 'flt': expected option=");
	assert_mistake(
	    "a[b=\"x]", "f:5:14: error: filter: 'a': the closing quote is missing");
	assert_mistake(
	    "a[b=\"x\"y]", "f:5:17: error: filter: 'a': expected ',' or ']'");
	assert_mistake(
	    "a[b=c]d", "f:5:16: error: filter: 'a': expected a blank behind ']'");
	assert_mistake(
	    "a[p?x=1]", "f:5:12: error: filter: 'a': expected option?condition=");
	assert_mistake(
	    "[a=b]", "f:5:10: error: filter: '': expected a name before '['");
	assert_mistake(
	    "a b", "f:5:12: error: filter: 'a': only one is expected, found 'b'");
}

static void lists_are_split_at_blanks(void **state)
{
	struct text t = text_at("a[x=\"1 2\"]\n b  c[y=\n3]\n\n d\n [z=4]");
	static const char *const names[] = {"a", "b", "c", "d"};
	struct params p;
	size_t pos = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		assert_int_equal(params_next(arena, &diag, "action", &t, &pos, &p), 0);
		assert_string_equal(p.name, names[i]);
	}
	assert_string_equal(p.items[0].value.p, "4");
	assert_int_equal(params_next(arena, &diag, "action", &t, &pos, &p), PARAMS_END);
	assert_silent(&diag);
}

static void a_mistake_costs_its_line_only(void **state)
{
	struct text t = text_at("a['x'] b\nc d[\ne");
	struct params p;
	size_t pos = 0;

	(void)state;
	assert_int_equal(params_next(arena, &diag, "action", &t, &pos, &p), -EINVAL);
	assert_int_equal(params_next(arena, &diag, "action", &t, &pos, &p), 0);
	assert_string_equal(p.name, "c");
	assert_int_equal(params_next(arena, &diag, "action", &t, &pos, &p), -EINVAL);
	assert_int_equal(diag.n_errors, 2);
}

static void is_bounded(void **state)
{
	CLEANUP(buf_deinit) struct buf b = BUF_INIT(65536);

	(void)state;
	buf_add_str(&b, "a[");
	for (int i = 0; i < PARAMS_MAX + 1; i++)
		buf_printf(&b, "p%d=1,", i);
	buf_add_str(&b, "]");
	assert_mistake(buf_str(&b), "too many options");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(names_and_options, setup, done),
	    cmocka_unit_test_setup_teardown(quotes_hold_anything, setup, done),
	    cmocka_unit_test_setup_teardown(
		names_are_lowered_and_the_last_counts, setup, done),
	    cmocka_unit_test_setup_teardown(mistakes_have_a_place, setup, done),
	    cmocka_unit_test_setup_teardown(lists_are_split_at_blanks, setup, done),
	    cmocka_unit_test_setup_teardown(a_mistake_costs_its_line_only, setup, done),
	    cmocka_unit_test_setup_teardown(is_bounded, setup, done),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
