/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/fd.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[64];

static int make_dir(void **state)
{
	(void)state;
	(void)snprintf(dir, sizeof(dir), "/tmp/test_fd.XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int remove_one(
    const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static int remove_dir(void **state)
{
	(void)state;
	return nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* A path below the test's directory; four may be in use at once. */
static const char *in_dir(const char *name)
{
	static char paths[4][PATH_MAX];
	static unsigned int n;
	char *path = paths[n++ % 4];

	(void)snprintf(path, PATH_MAX, "%s/%s", dir, name);
	return path;
}

static int put(const char *name, struct span content, mode_t mode)
{
	return fd_replace_file(in_dir(name), content, mode, NULL);
}

static void assert_content(const char *name, const char *want)
{
	struct buf b = BUF_INIT(100);

	assert_int_equal(fd_read_file(AT_FDCWD, in_dir(name), &b), 0);
	assert_string_equal(buf_str(&b), want);
	buf_deinit(&b);
}

static mode_t mode_of(const char *name)
{
	struct stat st;

	assert_int_equal(stat(in_dir(name), &st), 0);
	return st.st_mode & 07777;
}

static int n_entries;

static int count_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)path;
	(void)st;
	(void)type;
	(void)ftw;
	n_entries++;
	return 0;
}

static int count_entries(void)
{
	n_entries = 0;
	assert_int_equal(nftw(dir, count_one, 8, FTW_PHYS), 0);
	return n_entries - 1;
}

static void flags(void **state)
{
	CLEANUP(fd_closep) int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	(void)state;
	assert_int_equal(fd_set_nonblock(fd, true), 0);
	assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
	assert_int_equal(fd_set_nonblock(fd, false), 0);
	assert_false(fcntl(fd, F_GETFL) & O_NONBLOCK);
	assert_int_equal(fd_set_cloexec(fd, false), 0);
	assert_int_equal(fcntl(fd, F_GETFD), 0);
	assert_int_equal(fd_set_cloexec(fd, true), 0);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	assert_int_equal(fd_set_nonblock(-1, true), -EBADF);
	assert_int_equal(fd_set_cloexec(-1, true), -EBADF);
}

static void closing_keeps_errno(void **state)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC), none = -1, copy = fd;

	(void)state;
	errno = ENOMSG;
	fd_closep(&none);
	fd_closep(&fd);
	assert_int_equal(errno, ENOMSG);
	assert_int_equal(fcntl(copy, F_GETFD), -1);
	fd = 5;
	assert_int_equal(TAKE_FD(fd), 5);
	assert_int_equal(fd, -1);
}

static void writes_all(void **state)
{
	CLEANUP(fd_closep) int in = -1;
	CLEANUP(fd_closep) int out = -1;
	char text[8] = "";
	int fds[2];

	(void)state;
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	in = fds[0];
	out = fds[1];
	assert_int_equal(fd_write_all(out, "abc", 3), 0);
	assert_int_equal(fd_write_all(out, NULL, 0), 0);
	assert_int_equal(read(in, text, sizeof(text)), 3);
	assert_string_equal(text, "abc");
	(void)signal(SIGPIPE, SIG_IGN);
	(void)close(TAKE_FD(in));
	assert_int_equal(fd_write_all(out, "abc", 3), -EPIPE);
	assert_int_equal(fd_write_all(-1, "abc", 3), -EBADF);
}

static void reads_up_to_the_cap(void **state)
{
	struct buf b = BUF_INIT(5);

	(void)state;
	assert_int_equal(put("five", SPAN("12345"), 0600), 0);
	assert_int_equal(put("six", SPAN("123456"), 0600), 0);
	assert_int_equal(put("none", SPAN(""), 0600), 0);
	buf_add_str(&b, "old");
	assert_int_equal(fd_read_file(AT_FDCWD, in_dir("five"), &b), 0);
	assert_string_equal(buf_str(&b), "12345");
	assert_int_equal(fd_read_file(AT_FDCWD, in_dir("six"), &b), -EFBIG);
	assert_int_equal(b.n, 0);
	assert_int_equal(fd_read_file(AT_FDCWD, in_dir("none"), &b), 0);
	assert_int_equal(b.n, 0);
	buf_deinit(&b);
}

static void reads_only_regular_files(void **state)
{
	CLEANUP(fd_closep) int at = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct buf b = BUF_INIT(100000);

	(void)state;
	assert_int_equal(fd_read_file(AT_FDCWD, in_dir("missing"), &b), -ENOENT);
	assert_int_equal(fd_read_file(AT_FDCWD, dir, &b), -EISDIR);
	assert_int_equal(mkfifo(in_dir("fifo"), 0600), 0);
	assert_int_equal(fd_read_file(AT_FDCWD, in_dir("fifo"), &b), -EINVAL);
	assert_int_equal(put("rel", SPAN("x"), 0600), 0);
	assert_int_equal(fd_read_file(at, "rel", &b), 0);
	assert_string_equal(buf_str(&b), "x");
	/* stat() tells 0 bytes here. */
	assert_int_equal(fd_read_file(AT_FDCWD, "/proc/self/status", &b), 0);
	assert_true(b.n > 100);
	buf_deinit(&b);
}

static void makes_a_new_file(void **state)
{
	int before = count_entries();
	mode_t old = umask(077);

	(void)state;
	assert_int_equal(put("new", SPAN("a\n"), 0644), 0);
	(void)umask(old);
	assert_content("new", "a\n");
	assert_int_equal(mode_of("new"), 0644);
	assert_int_equal(count_entries(), before + 1);
}

static void replaces_and_keeps_the_mode(void **state)
{
	struct stat old, st;
	int before;

	(void)state;
	assert_int_equal(put("keep", SPAN("a"), 0600), 0);
	assert_int_equal(chmod(in_dir("keep"), 0751), 0);
	if (geteuid() == 0)
		assert_int_equal(chown(in_dir("keep"), 12, 34), 0);
	assert_int_equal(stat(in_dir("keep"), &old), 0);
	before = count_entries();
	assert_int_equal(put("keep", SPAN("bb"), 0644), 0);
	assert_content("keep", "bb");
	assert_int_equal(stat(in_dir("keep"), &st), 0);
	assert_int_equal(st.st_mode, old.st_mode);
	assert_int_equal(st.st_uid, old.st_uid);
	assert_int_equal(st.st_gid, old.st_gid);
	assert_true(st.st_ino != old.st_ino);
	assert_int_equal(count_entries(), before);
}

static void follows_links(void **state)
{
	struct stat st;

	(void)state;
	assert_int_equal(mkdir(in_dir("sub"), 0700), 0);
	assert_int_equal(put("sub/real", SPAN("a"), 0640), 0);
	assert_int_equal(symlink("sub/real", in_dir("middle")), 0);
	assert_int_equal(symlink("middle", in_dir("link")), 0);
	assert_int_equal(put("link", SPAN("b"), 0600), 0);
	assert_content("sub/real", "b");
	assert_int_equal(mode_of("sub/real"), 0640);
	assert_int_equal(lstat(in_dir("link"), &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_int_equal(lstat(in_dir("middle"), &st), 0);
	assert_true(S_ISLNK(st.st_mode));
}

static void failures_leave_nothing_behind(void **state)
{
	struct err e = {""};
	int before;

	(void)state;
	assert_int_equal(symlink("nowhere", in_dir("dangling")), 0);
	assert_int_equal(symlink("loop", in_dir("loop")), 0);
	assert_int_equal(mkdir(in_dir("folder"), 0700), 0);
	before = count_entries();
	assert_int_equal(
	    fd_replace_file(in_dir("dangling"), SPAN("x"), 0600, &e), -ENOENT);
	assert_non_null(strstr(e.text, "dangling: No such file"));
	assert_int_equal(put("loop", SPAN("x"), 0600), -ELOOP);
	assert_int_equal(put("folder", SPAN("x"), 0600), -EINVAL);
	assert_int_equal(put("missing/file", SPAN("x"), 0600), -ENOENT);
	assert_int_equal(count_entries(), before);
}

static void works_without_a_directory_part(void **state)
{
	CLEANUP(fd_closep) int here = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	(void)state;
	assert_int_equal(chdir(dir), 0);
	assert_int_equal(fd_replace_file("bare", SPAN("x"), 0600, NULL), 0);
	assert_int_equal(fd_replace_file("bare", SPAN("y"), 0600, NULL), 0);
	assert_int_equal(fchdir(here), 0);
	assert_content("bare", "y");
}

static void sends_what_goes(void **state)
{
	struct buf b = BUF_INIT(8u << 20);
	char room[65536];
	size_t total = 4u << 20, got = 0, left;
	int fds[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	for (size_t i = 0; i < total; i++)
		buf_add_char(&b, (char)i);
	assert_int_equal(fd_send_some(fds[0], &b), 0);
	left = b.n;
	assert_true(left > 0 && left < total);
	while (got < total - left)
		got += (size_t)read(fds[1], room, sizeof(room));
	assert_int_equal(got, total - left);
	assert_int_equal(fd_send_some(fds[0], &b), 0);
	assert_true(b.n < left);
	close(fds[1]);
	assert_int_equal(fd_send_some(fds[0], &b), -EPIPE); /* and no signal */
	close(fds[0]);
	buf_deinit(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(flags),
	    cmocka_unit_test(closing_keeps_errno),
	    cmocka_unit_test(writes_all),
	    cmocka_unit_test(sends_what_goes),
	    cmocka_unit_test(reads_up_to_the_cap),
	    cmocka_unit_test(reads_only_regular_files),
	    cmocka_unit_test(makes_a_new_file),
	    cmocka_unit_test(replaces_and_keeps_the_mode),
	    cmocka_unit_test(follows_links),
	    cmocka_unit_test(failures_leave_nothing_behind),
	    cmocka_unit_test(works_without_a_directory_part),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
