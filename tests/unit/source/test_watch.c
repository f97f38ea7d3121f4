/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_watch - what log paths mean while files and folders come and go
 *
 * inotify events are there as soon as the call that caused them returns, so nothing has
 * to be waited for. Each check compares all that was told since the last one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <poll.h>
#include <sys/inotify.h>

#include "base/buf.h"
#include "base/fd.h"
#include "source/watch.h"
#include "tests/unit/source/temp.h"

#define MAX_SOURCES 4

struct rig {
	struct temp *t;
	struct watch *w;
	int files_fd;
	struct buf
	    told; /* "+source:path" opened, "-source:path" gone, "!source:path" note */
	struct buf notes;
	bool hold; /* keep descriptors: no inode number is used again meanwhile */
	int fds[64];
	size_t n_fds;
	int last_wd;
	size_t n_opened, n_gone;
	bool last_first_scan;
	uint64_t last_ino;
};

static const char *relative(const struct rig *r, const char *path)
{
	size_t n = strlen(r->t->dir);

	return strncmp(path, r->t->dir, n) ? path : path + n + 1;
}

static void on_opened(void *ctx, const struct watch_file *f)
{
	struct rig *r = ctx;
	struct stat st;

	assert_int_equal(fstat(f->fd, &st), 0);
	assert_true(S_ISREG(st.st_mode));
	assert_int_equal(st.st_ino, f->ino);
	assert_int_equal(st.st_dev, f->dev);
	assert_int_equal(fcntl(f->fd, F_GETFL) & O_ACCMODE, O_RDONLY);
	assert_int_equal(fcntl(f->fd, F_GETFD), FD_CLOEXEC);
	buf_printf(&r->told, "+%d:%s ", (int)f->source, relative(r, f->path));
	r->last_wd = f->wd;
	r->last_first_scan = f->first_scan;
	r->last_ino = f->ino;
	r->n_opened++;
	if (r->hold && r->n_fds < ARRAY_LEN(r->fds))
		r->fds[r->n_fds++] = f->fd;
	else
		close(f->fd);
}

static void on_gone(
    void *ctx, uint32_t source, const char *path, uint64_t dev, uint64_t ino)
{
	struct rig *r = ctx;

	assert_true(dev && ino);
	r->n_gone++;
	buf_printf(&r->told, "-%d:%s ", (int)source, relative(r, path));
}

static void on_note(void *ctx, uint32_t source, const char *path, const char *text)
{
	struct rig *r = ctx;

	buf_printf(&r->told, "!%d:%s ", (int)source, relative(r, path));
	buf_printf(&r->notes, "%s\n", text);
}

static void start(
    struct rig *r, struct temp *t, bool poll_always, const char *const *globs)
{
	struct watch_source sources[MAX_SOURCES];
	struct watch_fns fns = {r, on_opened, on_gone, on_note};
	char full[MAX_SOURCES][512];
	struct err e = {""};
	size_t n = 0;

	*r = (struct rig){.t = t, .told = BUF_INIT(65536), .notes = BUF_INIT(65536)};
	r->hold = true;
	for (; globs[n]; n++) {
		snprintf(full[n], sizeof(full[n]), "%s/%s", t->dir, globs[n]);
		sources[n].glob = full[n];
	}
	r->files_fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	r->w = watch_new(r->files_fd, poll_always, sources, n, &fns, &e);
	assert_non_null(r->w);
	watch_rescan(r->w);
}

#define START(r, t, poll, ...) \
	start(r, t, poll, (const char *const[]){__VA_ARGS__, NULL})

static void stop(struct rig *r)
{
	r->w = watch_free(r->w);
	for (size_t i = 0; i < r->n_fds; i++)
		close(r->fds[i]);
	close(r->files_fd);
	buf_deinit(&r->told);
	buf_deinit(&r->notes);
}

static void settle(struct rig *r)
{
	struct pollfd p = {.fd = watch_fd(r->w), .events = POLLIN};

	if (p.fd < 0) {
		watch_rescan(r->w);
		return;
	}
	while (poll(&p, 1, 0) == 1)
		assert_int_equal(watch_on_readable(r->w), 0);
}

static void expect(struct rig *r, const char *told)
{
	settle(r);
	assert_string_equal(buf_str(&r->told), told);
	buf_clear(&r->told);
}

static bool has_write_event(struct rig *r)
{
	char buf[4096] __attribute__((aligned(8)));
	bool modified = false;
	ssize_t n = read(r->files_fd, buf, sizeof(buf));

	for (char *p = buf; n > 0 && p < buf + n;) {
		const struct inotify_event *e = (const void *)p;

		modified |= !!(e->mask & IN_MODIFY);
		p += sizeof(*e) + e->len;
	}
	return modified;
}

static void test_there_from_the_start(void **state)
{
	struct rig r;

	temp_put(*state, "log", "x\n");
	START(&r, *state, false, "log");
	expect(&r, "+0:log ");
	assert_true(r.last_first_scan);
	assert_true(r.last_wd >= 0);
	assert_false(has_write_event(&r));
	temp_append(*state, "log", "y\n");
	assert_true(has_write_event(&r));
	expect(&r, "");
	watch_rescan(r.w);
	expect(&r, "");
	assert_int_equal(watch_poll_ms(r.w), WATCH_CALM_MS);
	stop(&r);
}

static void test_appears_later(void **state)
{
	struct rig r;

	START(&r, *state, false, "log");
	expect(&r, "");
	temp_put(*state, "other", "");
	expect(&r, "");
	temp_put(*state, "log", "");
	expect(&r, "+0:log ");
	assert_false(r.last_first_scan);
	stop(&r);
}

static void test_missing_parents(void **state)
{
	struct rig r;

	START(&r, *state, false, "a/b/log");
	expect(&r, "");
	temp_mkdir(*state, "a");
	expect(&r, "");
	temp_mkdir(*state, "a/b");
	temp_put(*state, "a/b/log", "");
	expect(&r, "+0:a/b/log ");
	/* All at once, by renaming the top. */
	temp_rename(*state, "a", "old");
	expect(&r, "-0:a/b/log ");
	temp_rename(*state, "old", "a");
	expect(&r, "+0:a/b/log ");
	temp_unlink(*state, "a/b/log");
	assert_int_equal(rmdir(temp_path(*state, "a/b")), 0);
	expect(&r, "-0:a/b/log ");
	temp_mkdir(*state, "a/b");
	temp_put(*state, "a/b/log", "");
	expect(&r, "+0:a/b/log ");
	stop(&r);
}

static void test_rotated(void **state)
{
	struct rig r;

	temp_put(*state, "log", "");
	START(&r, *state, false, "log");
	expect(&r, "+0:log ");
	temp_rename(*state, "log", "log.1");
	expect(&r, "-0:log ");
	temp_put(*state, "log", "");
	expect(&r, "+0:log ");
	/* Between two looks: the old one first, then the new. */
	temp_rename(*state, "log", "log.1");
	temp_put(*state, "log", "");
	expect(&r, "-0:log +0:log ");
	/* Put in place over it, as editors do. */
	temp_put(*state, "new", "");
	temp_rename(*state, "new", "log");
	expect(&r, "-0:log +0:log ");
	stop(&r);
}

static void test_rotated_within_the_glob(void **state)
{
	struct rig r;

	temp_put(*state, "log", "");
	START(&r, *state, false, "log*");
	expect(&r, "+0:log ");
	temp_rename(*state, "log", "log.1");
	temp_put(*state, "log", "");
	expect(&r, "+0:log ");
	temp_unlink(*state, "log.1");
	expect(&r, "-0:log.1 ");
	stop(&r);
}

static void test_deleted_and_made_anew(void **state)
{
	struct rig r;

	temp_put(*state, "log", "");
	START(&r, *state, false, "log");
	expect(&r, "+0:log ");
	temp_unlink(*state, "log");
	temp_put(*state, "log", "");
	expect(&r, "-0:log +0:log ");
	stop(&r);
}

/* With nobody holding it, the number of the old inode is free for the new one. */
static void test_inode_used_again(void **state)
{
	struct rig r;

	temp_put(*state, "log", "");
	START(&r, *state, false, "log");
	r.hold = false;
	close(r.fds[--r.n_fds]);
	expect(&r, "+0:log ");
	for (int i = 0; i < 3; i++) {
		temp_unlink(*state, "log");
		expect(&r, "-0:log ");
		temp_put(*state, "log", "");
		expect(&r, "+0:log ");
	}
	stop(&r);
}

static void test_copytruncate_is_no_event(void **state)
{
	struct rig r;

	temp_put(*state, "log", "one\n");
	START(&r, *state, false, "log*");
	expect(&r, "+0:log ");
	temp_put(*state, "log.1", "one\n");
	temp_put(*state, "log", "");
	expect(&r, "+0:log.1 ");
	assert_true(has_write_event(&r));
	stop(&r);
}

static void test_globs(void **state)
{
	struct rig r;

	temp_mkdir(*state, "a1");
	temp_put(*state, "a1/x.log", "");
	START(&r, *state, false, "a*/*.log");
	expect(&r, "+0:a1/x.log ");
	temp_put(*state, "a1/y.log", "");
	temp_put(*state, "a1/y.txt", "");
	temp_put(*state, "a1/.z.log", "");
	expect(&r, "+0:a1/y.log ");
	temp_mkdir(*state, "a2");
	temp_put(*state, "a2/b.log", "");
	temp_put(*state, "a2/a.log", "");
	expect(&r, "+0:a2/a.log +0:a2/b.log ");
	temp_mkdir(*state, "b");
	temp_put(*state, "b/x.log", "");
	expect(&r, "");
	temp_rename(*state, "b", "a3");
	expect(&r, "+0:a3/x.log ");
	temp_rename(*state, "a3", "b");
	expect(&r, "-0:a3/x.log ");
	stop(&r);
}

static void test_two_sources(void **state)
{
	struct rig r;
	int wd;

	temp_put(*state, "log", "");
	START(&r, *state, false, "log", "*", "none");
	expect(&r, "+0:log +1:log ");
	/* One watch, since there is one inode; each source has its descriptor. */
	wd = r.last_wd;
	assert_int_equal(inotify_rm_watch(r.files_fd, wd), 0);
	temp_rename(*state, "log", "log.1");
	expect(&r, "-0:log ");
	temp_put(*state, "none", "");
	expect(&r, "+1:none +2:none ");
	stop(&r);
}

static void test_same_inode_once(void **state)
{
	struct rig r;

	temp_put(*state, "log", "");
	temp_symlink(*state, "log", "log.current");
	START(&r, *state, false, "log*");
	expect(&r, "+0:log ");
	assert_int_equal(r.n_opened, 1);
	temp_unlink(*state, "log.current");
	expect(&r, "");
	/* A second name keeps it when the first one goes. */
	assert_int_equal(
	    symlinkat("kept", AT_FDCWD, temp_path(*state, "log.current")), 0);
	temp_rename(*state, "log", "kept");
	expect(&r, "");
	temp_unlink(*state, "log.current");
	expect(&r, "-0:log.current ");
	stop(&r);
}

static void test_link_swapped(void **state)
{
	struct rig r;

	temp_put(*state, "one", "");
	temp_put(*state, "two", "");
	temp_symlink(*state, "one", "log");
	START(&r, *state, false, "log");
	expect(&r, "+0:log ");
	temp_symlink(*state, "two", "log.new");
	temp_rename(*state, "log.new", "log");
	expect(&r, "-0:log +0:log ");
	/* What the link leads to is rotated, in a folder that the path does not name.
	 */
	temp_rename(*state, "two", "two.1");
	expect(&r, "-0:log ");
	temp_put(*state, "two", "");
	expect(&r, "+0:log ");
	stop(&r);
}

static void test_linked_folder_swapped(void **state)
{
	struct rig r;

	temp_mkdir(*state, "v1");
	temp_mkdir(*state, "v2");
	temp_put(*state, "v1/log", "");
	temp_put(*state, "v2/log", "");
	temp_symlink(*state, "v1", "current");
	START(&r, *state, false, "current/log");
	expect(&r, "+0:current/log ");
	temp_symlink(*state, "v2", "next");
	temp_rename(*state, "next", "current");
	expect(&r, "-0:current/log +0:current/log ");
	temp_rename(*state, "v2", "v3");
	expect(&r, "-0:current/log ");
	stop(&r);
}

static void test_file_becomes_folder(void **state)
{
	struct rig r;

	temp_put(*state, "log", "");
	START(&r, *state, false, "log");
	expect(&r, "+0:log ");
	temp_unlink(*state, "log");
	temp_mkdir(*state, "log");
	expect(&r, "!0:log -0:log ");
	assert_int_equal(rmdir(temp_path(*state, "log")), 0);
	temp_put(*state, "log", "");
	expect(&r, "+0:log ");
	stop(&r);
}

static void test_fifo_refused(void **state)
{
	struct rig r;

	assert_int_equal(mkfifo(temp_path(*state, "log"), 0600), 0);
	temp_symlink(*state, "/dev/zero", "zero");
	START(&r, *state, false, "log", "zero");
	expect(&r, "!0:log !1:zero ");
	assert_string_equal(buf_str(&r.notes), "is not a regular file, not read\n"
					       "is not a regular file, not read\n");
	watch_rescan(r.w);
	expect(&r, ""); /* told once */
	stop(&r);
}

static void test_not_allowed(void **state)
{
	struct rig r;

	if (!geteuid())
		return; /* root may read anything */
	temp_put(*state, "log", "");
	assert_int_equal(chmod(temp_path(*state, "log"), 0), 0);
	START(&r, *state, false, "log");
	expect(&r, "!0:log ");
	assert_int_equal(watch_poll_ms(r.w), WATCH_CALM_MS);
	assert_int_equal(chmod(temp_path(*state, "log"), 0600), 0);
	expect(&r, "+0:log ");
	stop(&r);
}

static void check_polled(struct rig *r)
{
	assert_int_equal(watch_fd(r->w), -1);
	assert_int_equal(watch_poll_ms(r->w), WATCH_POLL_MS);
	expect(r, "");
	temp_put(r->t, "log", "");
	expect(r, "+0:log ");
	assert_int_equal(r->last_wd, -1);
	temp_rename(r->t, "log", "log.1");
	expect(r, "-0:log ");
	temp_put(r->t, "log", "");
	expect(r, "+0:log ");
}

static void test_polling(void **state)
{
	struct rig r;

	START(&r, *state, true, "log");
	check_polled(&r);
	stop(&r);
}

static void test_polling_without_files_fd(void **state)
{
	struct temp *t = *state;
	struct rig r = {.t = t, .told = BUF_INIT(65536), .notes = BUF_INIT(65536)};
	struct watch_source source = {temp_path(t, "log")};
	struct watch_fns fns = {&r, on_opened, on_gone, on_note};

	r.files_fd = -1;
	r.w = watch_new(-1, false, &source, 1, &fns, NULL);
	assert_non_null(r.w);
	r.hold = true;
	check_polled(&r);
	stop(&r);
}

/* A file that cannot be watched is still read; the note says why. */
static void test_file_watch_fails(void **state)
{
	struct temp *t = *state;
	struct rig r = {.t = t, .told = BUF_INIT(65536), .notes = BUF_INIT(65536)};
	struct watch_source source = {temp_path(t, "log")};
	struct watch_fns fns = {&r, on_opened, on_gone, on_note};

	temp_put(t, "log", "");
	r.files_fd = open("/dev/null", O_RDONLY);
	r.w = watch_new(r.files_fd, false, &source, 1, &fns, NULL);
	watch_rescan(r.w);
	expect(&r, "!0:log +0:log ");
	assert_int_equal(r.last_wd, -1);
	assert_non_null(strstr(buf_str(&r.notes), "looking every second"));
	stop(&r);
}

/* /proc is a file system whose changes nobody tells. */
static void test_polled_file_system(void **state)
{
	struct temp *t = *state;
	struct rig r;

	temp_symlink(t, "/proc/self/net/dev", "log");
	START(&r, t, false, "log");
	settle(&r);
	assert_int_equal(watch_poll_ms(r.w), WATCH_POLL_MS);
	assert_int_equal(r.n_opened, 1);
	assert_int_equal(r.last_wd, -1);
	assert_non_null(strstr(buf_str(&r.notes), "is on proc"));
	assert_true(watch_fd(r.w) >= 0);
	stop(&r);
}

static void make_files(struct temp *t, int from, int to)
{
	char name[32];

	for (int i = from; i < to; i++) {
		snprintf(name, sizeof(name), "f%02d", i);
		temp_put(t, name, "");
	}
}

static void test_too_many(void **state)
{
	struct temp *t = *state;
	char name[32];
	struct rig r;

	START(&r, t, false, "none", "f*");
	watch_set_max_files(r.w, 10);
	make_files(t, 0, 10);
	settle(&r);
	assert_string_equal(buf_str(&r.notes), "");
	make_files(t, 10, 30);
	settle(&r);
	assert_int_equal(r.n_opened, 10);
	assert_int_equal(r.n_gone, 0);
	assert_non_null(strstr(buf_str(&r.notes), "too many files"));
	/* Those that were left out come in when others go. */
	for (int i = 0; i < 25; i++) {
		snprintf(name, sizeof(name), "f%02d", i);
		temp_unlink(t, name);
	}
	settle(&r);
	assert_int_equal(r.n_opened, 15);
	assert_int_equal(r.n_gone, 10);
	stop(&r);
}

/* Events that were lost are made up for by looking at everything. */
static void test_overflow(void **state)
{
	struct temp *t = *state;
	FILE *f = fopen("/proc/sys/fs/inotify/max_queued_events", "r");
	int max = 0;
	struct rig r;

	assert_non_null(f);
	assert_int_equal(fscanf(f, "%d", &max), 1);
	fclose(f);
	if (max > 20000)
		return; /* cannot be shown here */
	START(&r, t, false, "log", "other");
	for (int i = 0; i < max / 2 + 10; i++) {
		temp_put(t, "x", "");
		temp_unlink(t, "x");
	}
	temp_put(t, "log", "");
	temp_put(t, "other", "");
	expect(&r, "+0:log +1:other ");
	stop(&r);
}

static void test_many_names_of_one_folder(void **state)
{
	struct temp *t = *state;
	char name[32], target[32];
	struct rig r;

	/* Each link makes the source depend on one more name of this folder. */
	for (int i = 0; i < 50; i++) {
		snprintf(name, sizeof(name), "l%02d", i);
		snprintf(target, sizeof(target), "t%02d", i);
		temp_symlink(t, target, name);
	}
	START(&r, t, false, "l*");
	expect(&r, "");
	temp_put(t, "t00", "");
	expect(&r, "+0:l00 ");
	temp_put(t, "t49", "");
	expect(&r, "+0:l49 ");
	stop(&r);
}

static void test_refused(void **state)
{
	struct watch_source source = {"relative/path"};
	struct watch_fns fns = {0};
	struct err e = {""};

	(void)state;
	assert_null(watch_new(-1, false, &source, 1, &fns, &e));
	assert_non_null(strstr(e.text, "relative/path"));
	assert_null(watch_free(NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(fn) cmocka_unit_test_setup_teardown(fn, temp_setup, temp_teardown)
	    T(test_there_from_the_start),
	    T(test_appears_later),
	    T(test_missing_parents),
	    T(test_rotated),
	    T(test_rotated_within_the_glob),
	    T(test_deleted_and_made_anew),
	    T(test_inode_used_again),
	    T(test_copytruncate_is_no_event),
	    T(test_globs),
	    T(test_two_sources),
	    T(test_same_inode_once),
	    T(test_link_swapped),
	    T(test_linked_folder_swapped),
	    T(test_file_becomes_folder),
	    T(test_fifo_refused),
	    T(test_not_allowed),
	    T(test_polling),
	    T(test_polling_without_files_fd),
	    T(test_file_watch_fails),
	    T(test_polled_file_system),
	    T(test_too_many),
	    T(test_overflow),
	    T(test_many_names_of_one_folder),
	    T(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
