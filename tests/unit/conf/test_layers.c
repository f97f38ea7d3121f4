/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "conf_test.h"

#include "conf/interp.h"
#include "conf/layers.h"

static struct arena *arena;
static struct diag diag;
static struct layers layers;

static int setup(void **state)
{
	arena = arena_new(64 << 20);
	return setup_dir(state);
}

static int done(void **state)
{
	arena = arena_free(arena);
	diag_deinit(&diag);
	return remove_dir(state);
}

static const struct layer_set *read_set(const char *name)
{
	const struct layer_set *set = NULL;

	layers_init(&layers, arena, &diag, test_dir);
	assert_int_equal(layers_read(&layers, name, &set), 0);
	return set;
}

static void assert_value(const struct layer_set *set, const char *section,
    const char *name, const char *value)
{
	struct interp in = {.arena = arena,
	    .d = &diag,
	    .ini = &set->all,
	    .section = ini_find_section(&set->all, span_of(section))};
	struct text t;
	int r = interp_get(&in, span_of(name), &t);

	if (r)
		fail_msg("%s/%s gives %d: %s", section, name, r, all_of(&diag));
	assert_string_equal(t.p, value);
}

static void files_count_in_order(void **state)
{
	const struct layer_set *set;

	(void)state;
	put_file("jail.conf", "[j]\na=conf\nb=conf\nc=conf\nd=conf\ne=conf\n");
	put_file("jail.d/b.conf", "[j]\nb=b.conf\nc=b.conf\nd=b.conf\ne=b.conf\n");
	put_file("jail.d/a.conf", "[j]\nb=a.conf\nz=a.conf\n");
	put_file("jail.d/.hidden.conf", "[j]\na=hidden\n");
	put_file("jail.d/c.conf~", "[j]\na=backup\n");
	put_file("jail.local", "[j]\nc=local\nd=local\n");
	put_file("jail.d/a.local", "[j]\nd=a.local\n[k]\n");
	set = read_set("jail");
	assert_true(set->is_found);
	assert_false(set->is_broken);
	assert_int_equal(set->n_files, 5);
	assert_value(set, "j", "a", "conf");
	assert_value(set, "j", "b", "b.conf");
	assert_value(set, "j", "c", "local");
	assert_value(set, "j", "d", "a.local");
	assert_value(set, "j", "e", "b.conf");
	assert_value(set, "j", "z", "a.conf");
	assert_silent(&diag);
}

static void filters_have_layers_too(void **state)
{
	(void)state;
	put_file("filter.d/x.d/more.conf", "[Definition]\na=1\n");
	assert_value(read_set("filter.d/x"), "Definition", "a", "1");
	assert_false(read_set("filter.d/y")->is_found);
	assert_silent(&diag);
}

static void includes_are_expanded(void **state)
{
	const struct layer_set *set;

	(void)state;
	put_file("filter.d/x.conf",
	    "[INCLUDES]\nbefore = b1.conf\n  sub/%(two)s.conf\n"
	    "after = a.conf\ntwo = b2\n[Definition]\nv = x\nw = x\n");
	put_file(
	    "filter.d/b1.conf", "[DEFAULT]\np=b1\nq=b1\n[Definition]\nv=b1\nu=b1\n");
	put_file("filter.d/b1.local", "[DEFAULT]\nq=b1local\n");
	put_file(
	    "filter.d/sub/b2.conf", "[INCLUDES]\nbefore=b3.conf\n[DEFAULT]\nr=b2\n");
	put_file("filter.d/sub/b3.conf", "[DEFAULT]\nr=b3\ns=b3\n");
	put_file("filter.d/a.conf", "[Definition]\nw=a\n");
	set = read_set("filter.d/x");
	assert_value(set, "Definition", "p", "b1");
	assert_value(set, "Definition", "q", "b1local");
	assert_value(set, "Definition", "r", "b2");
	assert_value(set, "Definition", "s", "b3");
	assert_value(set, "Definition", "u", "b1");
	assert_value(set, "Definition", "v", "x");
	assert_value(set, "Definition", "w", "a");
	assert_silent(&diag);
}

static void loops_end_and_missing_files_are_told(void **state)
{
	(void)state;
	put_file("jail.conf", "[INCLUDES]\nbefore = jail.conf\n a.conf\n nope.conf\n"
			      " nope.local\n[j]\nx=1\n");
	put_file("a.conf", "[INCLUDES]\nafter = jail.conf\n[j]\ny=2\n");
	assert_value(read_set("jail"), "j", "y", "2");
	assert_int_equal(diag.n, 1);
	assert_says(&diag, "jail.conf:4:2: warning: there is no file '");
}

static void history_is_kept(void **state)
{
	const struct layer_set *set;

	(void)state;
	put_file("jail.conf", "[DEFAULT]\nd = d0\ne=%(known/e)s\n[j]\nx = 0\nz = z0\n");
	put_file("jail.d/a.conf",
	    "[DEFAULT]\nd = %(known/d)s d1\n[j]\nx = %(known/x)s 1\n"
	    "y = %(known/x)s\nz = z1\n");
	put_file("jail.local", "[j]\nx = %(known/x)s 2\nd = %(known/d)s j\n");
	set = read_set("jail");
	assert_value(set, "j", "x", "0 1 2");
	assert_value(set, "j", "y", "0 1");
	assert_value(set, "j", "d", "d0 d1 j");
	assert_value(set, "j", "z", "z1");
	assert_silent(&diag);
}

static void conditions_are_folded(void **state)
{
	const struct layer_set *set;

	(void)state;
	put_file(
	    "action.d/x.conf", "[Init]\na=4\n[Init?family=inet6]\na=6\n[a b?c]\nx=1\n");
	set = read_set("action.d/x");
	assert_value(set, "Init", "a", "4");
	assert_value(set, "Init", "a?family=inet6", "6");
	assert_value(set, "a b?c", "x", "1");
	assert_null(ini_find_section(&set->all, SPAN("Init?family=inet6")));
}

static void broken_files_are_told_once(void **state)
{
	const struct layer_set *set, *again;

	(void)state;
	put_file("filter.d/x.conf", "[Definition]\nnonsense\na=1\n");
	set = read_set("filter.d/x");
	assert_true(set->is_broken);
	assert_value(set, "Definition", "a", "1");
	assert_int_equal(layers_read(&layers, "filter.d/x", &again), 0);
	assert_ptr_equal(set, again);
	assert_int_equal(diag.n_errors, 1);
	assert_int_equal(
	    mkdir(strcat(strcpy((char[128]){0}, test_dir), "/jail.conf"), 0700), 0);
	assert_true(read_set("jail")->is_broken);
	assert_says(&diag, "jail.conf: error: cannot be read: ");
}

static void one_file_by_name(void **state)
{
	const struct layer_set *set;
	char path[128];

	(void)state;
	put_file("mine/f.conf", "[INCLUDES]\nbefore=g.conf\n[Definition]\na=1\n");
	put_file("mine/g.conf", "[Definition]\na=0\nb=2\n");
	put_file("mine/f.local", "[Definition]\nc=3\n");
	(void)snprintf(path, sizeof(path), "%s/mine/f.conf", test_dir);
	layers_init(&layers, arena, &diag, "/nowhere");
	assert_int_equal(layers_read_file(&layers, path, &set), 0);
	assert_value(set, "Definition", "a", "1");
	assert_value(set, "Definition", "b", "2");
	assert_value(set, "Definition", "c", "3");
}

static void is_bounded(void **state)
{
	char name[32], content[128];

	(void)state;
	for (int i = 0; i < 60; i++) {
		(void)snprintf(name, sizeof(name), "f%d.conf", i);
		(void)snprintf(
		    content, sizeof(content), "[INCLUDES]\nbefore=f%d.conf\n", i + 1);
		put_file(name, content);
	}
	put_file("jail.conf", "[INCLUDES]\nbefore=f0.conf\n[j]\n");
	assert_true(read_set("jail")->is_broken);
	assert_says(&diag, "error: includes nest deeper than 32 files");
	diag_deinit(&diag);
	for (int i = 0; i < 30; i++) {
		(void)snprintf(name, sizeof(name), "g%d.conf", i);
		(void)snprintf(content, sizeof(content),
		    "[INCLUDES]\nbefore=g%d.conf\n g%d.conf\n", i + 1, i + 1);
		put_file(name, content);
	}
	put_file("g30.conf", "[j]\n");
	put_file("jail.conf", "[INCLUDES]\nbefore=g0.conf\n");
	assert_int_equal(read_set("jail")->n_files, LAYERS_FILES_MAX);
	assert_says(&diag, "error: more than 1000 files with their includes");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(files_count_in_order, setup, done),
	    cmocka_unit_test_setup_teardown(filters_have_layers_too, setup, done),
	    cmocka_unit_test_setup_teardown(includes_are_expanded, setup, done),
	    cmocka_unit_test_setup_teardown(
		loops_end_and_missing_files_are_told, setup, done),
	    cmocka_unit_test_setup_teardown(history_is_kept, setup, done),
	    cmocka_unit_test_setup_teardown(conditions_are_folded, setup, done),
	    cmocka_unit_test_setup_teardown(broken_files_are_told_once, setup, done),
	    cmocka_unit_test_setup_teardown(one_file_by_name, setup, done),
	    cmocka_unit_test_setup_teardown(is_bounded, setup, done),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
