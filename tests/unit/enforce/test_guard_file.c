/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "enforce/guard_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct world {
	char dir[64];
	struct guard_file *f;
};

static void run(struct world *w, const char *words)
{
	char cmd[512];

	(void)snprintf(cmd, sizeof(cmd), "cd '%s' && %s", w->dir, words);
	assert_int_equal(system(cmd), 0); /* NOLINT: a test */
}

/* etc/resolv.conf is followed, of which @words make what there is at first. */
static void begin(struct world *w, const char *words)
{
	char path[128];

	run(w, "mkdir etc");
	run(w, words);
	(void)snprintf(path, sizeof(path), "%s/etc/resolv.conf", w->dir);
	w->f = guard_file_new(path);
	assert_non_null(w->f);
	assert_int_equal(guard_file_arm(w->f), 0);
	assert_int_equal(guard_file_hear(w->f), 0);
}

/* Does it change by that? What our own watching makes heard is no change. */
static bool changes(struct world *w, const char *words)
{
	run(w, words);
	int r = guard_file_hear(w->f);

	assert_true(r >= 0);
	if (r) {
		assert_int_equal(guard_file_arm(w->f), 0);
		assert_int_equal(guard_file_hear(w->f), 0);
	}
	return r;
}

static int set_up(void **state)
{
	static struct world w;

	w = (struct world){.dir = "/tmp/guard-file-XXXXXX"};
	*state = &w;
	return mkdtemp(w.dir) ? 0 : -1;
}

static int tear_down(void **state)
{
	struct world *w = *state;
	char cmd[128];

	w->f = guard_file_free(w->f);
	(void)snprintf(cmd, sizeof(cmd), "rm -rf '%s'", w->dir);
	return system(cmd); /* NOLINT: a test */
}

static void plain_file(void **state)
{
	struct world *w = *state;

	begin(w, "echo 1 > etc/resolv.conf");
	assert_false(changes(w, "echo 1 > etc/hosts; cat etc/resolv.conf > /dev/null"));
	assert_true(changes(w, "echo 2 > etc/resolv.conf"));
	assert_true(changes(w, "echo 3 > etc/new; mv etc/new etc/resolv.conf"));
	assert_true(changes(w, "rm etc/resolv.conf"));
	assert_true(changes(w, "echo 4 > etc/resolv.conf"));
	assert_true(changes(w, "ln -sf /nowhere/at/all etc/resolv.conf"));
	assert_false(changes(w, "echo 5 > etc/hosts"));
}

static void link_into_another_folder(void **state)
{
	struct world *w = *state;

	begin(w, "mkdir -p run/resolve; echo 1 > run/resolve/stub;"
		 "ln -s ../run/resolve/stub etc/resolv.conf");
	assert_false(changes(w, "echo 1 > run/resolve/other"));
	assert_true(changes(w, "echo 2 > run/resolve/stub"));
	assert_true(changes(
	    w, "echo 3 > run/resolve/new; mv run/resolve/new run/resolve/stub"));
	/* Also the one that has just been put in its place. */
	assert_true(changes(w, "echo 4 >> run/resolve/stub"));
	assert_true(changes(w, "ln -sf ../run/resolve/other etc/resolv.conf"));
	assert_true(changes(w, "echo 5 > run/resolve/other"));
	assert_false(changes(w, "echo 5 > run/resolve/stub"));
}

static void links_to_links(void **state)
{
	struct world *w = *state;

	begin(w, "mkdir a b; echo 1 > b/end; ln -s ../b/end a/mid;"
		 "ln -s \"$PWD/a/mid\" etc/resolv.conf");
	assert_true(changes(w, "echo 2 > b/new; mv b/new b/end"));
	assert_true(changes(w, "ln -s ../b/more a/new; mv a/new a/mid"));
	assert_true(changes(w, "echo 3 > b/more"));
}

static void missing_folders(void **state)
{
	struct world *w = *state;

	begin(w, "ln -s ../run/a/b/end etc/resolv.conf");
	assert_false(changes(w, "mkdir other"));
	assert_true(changes(w, "mkdir run"));
	assert_true(changes(w, "mkdir -p run/a/b"));
	assert_true(changes(w, "echo 1 > run/a/b/end"));
	assert_true(changes(w, "rm -r run"));
	assert_true(changes(w, "mkdir -p run/a/b; echo 1 > run/a/b/end"));
	assert_true(changes(w, "echo 2 > run/a/b/end"));
}

/* As a bind mount is: the same file by another name. */
static void written_by_another_name(void **state)
{
	struct world *w = *state;

	begin(w, "echo 1 > beside; ln beside etc/resolv.conf");
	assert_true(changes(w, "echo 2 > beside"));
}

static void ring_of_links(void **state)
{
	struct world *w = *state;
	char path[128];

	run(w, "mkdir etc; ln -s resolv.conf etc/resolv.conf");
	(void)snprintf(path, sizeof(path), "%s/etc/resolv.conf", w->dir);
	w->f = guard_file_new(path);
	assert_non_null(w->f);
	assert_true(guard_file_arm(w->f) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(plain_file, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		link_into_another_folder, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(links_to_links, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(missing_folders, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(written_by_another_name, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(ring_of_links, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
