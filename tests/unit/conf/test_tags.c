/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "conf_test.h"

#include "conf/tags.h"

static struct arena *arena;
static struct diag diag;
static struct dict options;

static int setup(void **state)
{
	(void)state;
	arena = arena_new(64 << 20);
	options = DICT_INIT(arena);
	return 0;
}

static int done(void **state)
{
	(void)state;
	arena = arena_free(arena);
	diag_deinit(&diag);
	return 0;
}

static void put(const char *name, const char *value)
{
	struct text *t = arena_alloc(arena, sizeof(*t));
	struct text_mark *m = arena_alloc(arena, sizeof(*m));

	*m = (struct text_mark){.at = {name, 1, 1}};
	*t = (struct text){.p = value, .n = strlen(value), .marks = m, .n_marks = 1};
	assert_int_equal(dict_put(&options, name, t), 0);
}

static int find(void *ctx, struct span tag, struct text *out)
{
	const struct text *t = dict_find(&options, tag);

	(void)ctx;
	if (!t)
		return 1;
	*out = *t;
	return 0;
}

static bool is_kept(void *ctx, struct span tag)
{
	(void)ctx;
	return span_eq(tag, SPAN("kept"));
}

static int expand(const char *name, struct text *out)
{
	struct tags t = {.arena = arena, .d = &diag, .find = find, .is_kept = is_kept};
	const struct text *in = dict_find(&options, span_of(name));

	return conf_tags_expand(&t, span_of(name), in, out);
}

static void assert_value(const char *name, const char *value)
{
	struct text t;

	assert_int_equal(expand(name, &t), 0);
	assert_string_equal(t.p, value);
}

static void tags_are_replaced(void **state)
{
	(void)state;
	put("a", "x <b>-<b> <c> <HOST>");
	put("b", "[<d>]");
	put("d", "D");
	assert_value("a", "x [D]-[D] <c> <HOST>");
	assert_value("d", "D");
}

static void inner_tags_choose_outer_ones(void **state)
{
	struct text t;

	(void)state;
	put("a", "^1\n<mdre-<mode>>\n^2");
	put("mode", "ddos");
	put("mdre-ddos", "^d1\n^d2 <mode>");
	assert_value("a", "^1\n^d1\n^d2 ddos\n^2");
	assert_int_equal(expand("a", &t), 0);
	assert_string_equal(text_place(&t, 4).file, "mdre-ddos");
	assert_int_equal(text_place(&t, 8).col, 6);
	assert_string_equal(text_place(&t, 0).file, "a");
}

static void some_stay(void **state)
{
	(void)state;
	put("a", "<kept> <a b> < x> <> <<b> a<b <F-USER>");
	put("b", "B");
	put("kept", "K");
	put("a b", "no");
	assert_value("a", "<kept> <a b> < x> <> <B a<b <F-USER>");
}

static void rings_end(void **state)
{
	struct text t;

	(void)state;
	put("a", "<b>");
	put("b", "<a>");
	put("c", "<c>");
	put("d", "<e>");
	put("e", "x<f>");
	put("f", "<e>");
	assert_int_equal(expand("a", &t), -EINVAL);
	assert_int_equal(expand("c", &t), -EINVAL);
	assert_int_equal(expand("d", &t), -EINVAL);
	assert_says(&diag, "a: <a> leads back to itself");
	assert_says(&diag, "c: <c> leads back to itself");
	assert_says(&diag, "d: <");
}

static void one_tag_may_stand_often(void **state)
{
	CLEANUP(buf_deinit) struct buf in = BUF_INIT(65536), want = BUF_INIT(65536);

	(void)state;
	for (int i = 0; i < 100; i++) {
		buf_add_str(&in, "<p>x\n");
		buf_add_str(&want, "pre x\n");
	}
	put("a", buf_str(&in));
	put("p", "pre ");
	assert_value("a", buf_str(&want));
}

static void is_bounded(void **state)
{
	CLEANUP(buf_deinit) struct buf b = BUF_INIT(1 << 20);
	char names[40][16], values[40][32];
	struct text t;

	(void)state;
	put("t0", "0123456789");
	for (int i = 1; i < 40; i++) {
		(void)snprintf(names[i], sizeof(names[i]), "t%d", i);
		(void)snprintf(
		    values[i], sizeof(values[i]), "<t%d><t%d>", i - 1, i - 1);
		put(names[i], values[i]);
	}
	assert_int_equal(expand("t39", &t), -EINVAL);
	assert_says(&diag, "makes the value too large");
	for (int i = 0; i < 600; i++) {
		char *name = arena_alloc(arena, 16);

		(void)snprintf(name, 16, "n%d", i);
		put(name, "x");
		buf_printf(&b, "<%s>", name);
	}
	put("all", buf_str(&b));
	assert_int_equal(expand("all", &t), -EINVAL);
	assert_says(&diag, "all: <n500> is one tag too many in one value");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(tags_are_replaced, setup, done),
	    cmocka_unit_test_setup_teardown(inner_tags_choose_outer_ones, setup, done),
	    cmocka_unit_test_setup_teardown(some_stay, setup, done),
	    cmocka_unit_test_setup_teardown(rings_end, setup, done),
	    cmocka_unit_test_setup_teardown(one_tag_may_stand_often, setup, done),
	    cmocka_unit_test_setup_teardown(is_bounded, setup, done),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
