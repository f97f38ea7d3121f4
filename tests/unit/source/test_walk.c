/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_walk - globs, links and what lies in the way
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "source/walk.h"
#include "tests/unit/source/temp.h"

struct got {
	const char *dir;
	struct buf found;   /* "path>real " each, relative to the folder */
	struct buf dirs;    /* "dir:name " each; only below the folder */
	struct buf trouble; /* "what:path " each */
	int stop_with;
};

static const char *relative(const struct got *g, const char *path)
{
	size_t n = strlen(g->dir);

	if (strncmp(path, g->dir, n))
		return path;
	return path[n] == '/' ? path + n + 1 : ".";
}

static void on_dir(void *ctx, const char *real_dir, struct span name, bool is_pattern)
{
	struct got *g = ctx;

	if (!strncmp(real_dir, g->dir, strlen(g->dir)))
		buf_printf(&g->dirs, "%s:" SPAN_FMT "%s ", relative(g, real_dir),
		    SPAN_ARG(name), is_pattern ? "?" : "");
}

static int on_found(void *ctx, const struct walk_found *f)
{
	struct got *g = ctx;

	assert_true(f->id.ino != 0);
	buf_printf(&g->found, "%s>%s ", relative(g, f->path), relative(g, f->real));
	return g->stop_with;
}

static void on_trouble(void *ctx, enum walk_trouble what, const char *path, int error)
{
	struct got *g = ctx;

	assert_true((what == WALK_NOT_REGULAR) == !error);
	buf_printf(&g->trouble, "%d:%s ", (int)what, relative(g, path));
}

static void check(struct temp *t, const char *glob, const char *found, const char *dirs,
    const char *trouble)
{
	struct got g = {t->dir, BUF_INIT(65536), BUF_INIT(65536), BUF_INIT(65536), 0};
	struct walk_fns fns = {&g, on_dir, on_found, on_trouble};
	char full[1024];

	snprintf(full, sizeof(full), "%s/%s", t->dir, glob);
	assert_int_equal(walk_glob(full, &fns), 0);
	assert_string_equal(buf_str(&g.found), found);
	if (dirs)
		assert_string_equal(buf_str(&g.dirs), dirs);
	assert_string_equal(buf_str(&g.trouble), trouble);
	buf_deinit(&g.found);
	buf_deinit(&g.dirs);
	buf_deinit(&g.trouble);
}

static void test_plain(void **state)
{
	temp_mkdir(*state, "a");
	temp_put(*state, "a/log", "");
	check(*state, "a/log", "a/log>a/log ", ".:a a:log ", "");
	check(*state, "./a/.//log", "a/log>a/log ", ".:a a:log ", "");
	check(*state, "a/../a/log", "a/../a/log>a/log ", ".:a .:a a:log ", "");
	check(*state, "a/none", "", ".:a a:none ", "");
	check(*state, "none/b/c", "", ".:none ", "");
	check(*state, "a/log/x", "", ".:a a:log ", "");
}

static void test_patterns(void **state)
{
	temp_mkdir(*state, "a1");
	temp_mkdir(*state, "a2");
	temp_mkdir(*state, ".a3");
	temp_put(*state, "a1/x.log", "");
	temp_put(*state, "a1/.x.log", "");
	temp_put(*state, "a1/x.log.1", "");
	temp_put(*state, "a1/[x]", "");
	temp_put(*state, ".a3/x.log", "");
	check(*state, "*/x.log", "a1/x.log>a1/x.log ", NULL, "");
	check(*state, "a?/*.log", "a1/x.log>a1/x.log ", NULL, "");
	check(*state, "a[12]/x.log", "a1/x.log>a1/x.log ", NULL, "");
	check(*state, "a[!1]/x.log", "", ".:a[!1]? a2:x.log ", "");
	check(*state, "a1/.x*", "a1/.x.log>a1/.x.log ", ".:a1 a1:.x*? ", "");
	check(*state, "a1/[[]x]", "a1/[x]>a1/[x] ", NULL, "");
	check(*state, "a1/\\*", "", NULL, "");
}

static void test_links(void **state)
{
	temp_mkdir(*state, "data");
	temp_mkdir(*state, "data/b");
	temp_put(*state, "data/b/log", "");
	temp_symlink(*state, "data/b", "l");
	temp_symlink(*state, "../b/log", "data/b/current");
	temp_symlink(*state, "nowhere/x", "dangling");
	temp_symlink(*state, "loop2", "loop1");
	temp_symlink(*state, "loop1", "loop2");
	check(
	    *state, "l/log", "l/log>data/b/log ", ".:l .:data data:b data/b:log ", "");
	check(*state, "l/current", "l/current>data/b/log ", NULL, "");
	check(*state, "l/*g", "l/log>data/b/log ", NULL, "");
	check(*state, "l/c*", "l/current>data/b/log ", NULL, "");
	check(*state, "dangling", "", ".:dangling .:nowhere ", "");
	check(*state, "loop1", "", NULL, "4:loop1 ");
}

static void test_absolute_link(void **state)
{
	struct temp *t = *state;
	char target[512];

	temp_put(t, "log", "");
	snprintf(target, sizeof(target), "%s/log", t->dir);
	temp_symlink(t, target, "abs");
	check(t, "abs", "abs>log ", NULL, "");
}

/* What a link says is a name, even where it looks like a pattern. */
static void test_link_to_star(void **state)
{
	temp_put(*state, "*", "");
	temp_put(*state, "x", "");
	temp_symlink(*state, "*", "link");
	check(*state, "lin?", "link>* ", ".:lin?? .:* ", "");
}

static void test_not_regular(void **state)
{
	temp_mkdir(*state, "dir");
	temp_mkdir(*state, "dir/sub");
	assert_int_equal(mkfifo(temp_path(*state, "dir/fifo"), 0600), 0);
	temp_symlink(*state, "/dev/null", "null");
	check(*state, "dir", "", NULL, "3:dir ");
	check(*state, "dir/", "", NULL, "3:dir ");
	check(*state, "dir/*", "", NULL, "3:dir/fifo ");
	check(*state, "null", "", NULL, "3:null ");
}

static void test_too_long(void **state)
{
	char *target = malloc(4096);

	/* The link of a stranger must not keep the others from being found. */
	memset(target, 'x', 4000);
	for (int i = 200; i < 4000; i += 200)
		target[i] = '/';
	target[4000] = '\0';
	temp_symlink(*state, target, "a.log");
	for (int i = 0; i < 4000; i += 2)
		memcpy(target + i, "./", 2);
	temp_symlink(*state, target, "b.log");
	temp_put(*state, "c.log", "");
	check(*state, "*.log", "c.log>c.log ", NULL, "4:b.log ");
	free(target);
}

static void test_refused(void **state)
{
	struct temp *t = *state;
	struct got g = {t->dir, BUF_INIT(65536), BUF_INIT(65536), BUF_INIT(65536), -7};
	struct walk_fns fns = {&g, on_dir, on_found, on_trouble};

	assert_int_equal(walk_glob("relative", &fns), -EINVAL);
	assert_int_equal(walk_glob("", &fns), -EINVAL);
	assert_int_equal(walk_glob("/", &fns), 0);
	assert_string_equal(buf_str(&g.trouble), "3:/ ");
	temp_put(t, "a", "");
	temp_put(t, "b", "");
	temp_path(t, "?");
	assert_int_equal(walk_glob(t->path, &fns), -7);
	assert_int_equal(strlen(buf_str(&g.found)), 4);
	buf_deinit(&g.found);
	buf_deinit(&g.dirs);
	buf_deinit(&g.trouble);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(fn) cmocka_unit_test_setup_teardown(fn, temp_setup, temp_teardown)
	    T(test_plain),
	    T(test_patterns),
	    T(test_links),
	    T(test_absolute_link),
	    T(test_link_to_star),
	    T(test_not_regular),
	    T(test_too_long),
	    T(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
