/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "enforce/hosts_deny.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"

#define BEGIN "# bandog: begin, do not edit between these lines\n"
#define END "# bandog: end\n"

static struct net net(const char *text)
{
	struct net n = {{0}, 0};

	assert_int_equal(net_parse(span_of(text), &n), 0);
	return n;
}

static void add(struct hosts_deny *h, const char *text)
{
	struct net n = net(text);

	assert_int_equal(hosts_deny_add(h, &n), 0);
}

static void take(struct hosts_deny *h, const char *text)
{
	struct net n = net(text);

	hosts_deny_remove(h, &n);
}

static void assert_render(const struct hosts_deny *h, const char *old, const char *want)
{
	struct buf b = BUF_INIT(1 << 20);

	hosts_deny_render(h, span_of(old), &b);
	assert_false(b.failed);
	assert_string_equal(buf_str(&b), want);
	buf_deinit(&b);
}

static struct hosts_deny *one_ban(void)
{
	struct hosts_deny *h = hosts_deny_open("/nonexistent", "ALL");

	assert_non_null(h);
	add(h, "192.0.2.1");
	return h;
}

#define BLOCK BEGIN "ALL: 192.0.2.1\n" END

static void notation_is_that_of_hosts_access(void **state)
{
	CLEANUP(hosts_deny_closep) struct hosts_deny *h = one_ban();

	(void)state;
	add(h, "2001:db8::1");
	add(h, "192.0.2.0/24");
	add(h, "10.0.0.0/9");
	add(h, "2001:db8::/32");
	add(h, "0.0.0.0/0");
	assert_render(h, "",
	    BEGIN "ALL: 192.0.2.1\n"
		  "ALL: [2001:db8::1]\n"
		  "ALL: 192.0.2.0/255.255.255.0\n"
		  "ALL: 10.0.0.0/255.128.0.0\n"
		  "ALL: [2001:db8::]/32\n"
		  "ALL: 0.0.0.0/0.0.0.0\n" END);
}

static void other_lines_stay(void **state)
{
	CLEANUP(hosts_deny_closep) struct hosts_deny *h = one_ban();

	(void)state;
	assert_render(h, "sshd: 192.0.2.9\n", "sshd: 192.0.2.9\n" BLOCK);
	assert_render(h, "# no newline", "# no newline\n" BLOCK);
	assert_render(h, "a: b\r\n\r\n \t c", "a: b\r\n\r\n \t c\n" BLOCK);
	assert_render(h, "\n\n\n", "\n\n\n" BLOCK);
	/* The same words outside of the block are somebody else's. */
	assert_render(h, "ALL: 192.0.2.1\n", "ALL: 192.0.2.1\n" BLOCK);
	assert_render(h, "ALL: 192.0.2.1\n" BLOCK, "ALL: 192.0.2.1\n" BLOCK);
	assert_render(h, "ALL: PARANOID\nALL: 192.0.2.5",
	    "ALL: PARANOID\nALL: 192.0.2.5\n" BLOCK);
}

static void old_block_is_replaced(void **state)
{
	CLEANUP(hosts_deny_closep) struct hosts_deny *h = one_ban();

	(void)state;
	assert_render(h, BLOCK, BLOCK);
	assert_render(
	    h, "a\n" BEGIN "ALL: 192.0.2.7\nwhatever\n" END "z\n", "a\nz\n" BLOCK);
	assert_render(h, BEGIN END "z", "z\n" BLOCK);
	assert_render(h, BEGIN "ALL: 192.0.2.7\n# bandog: end", BLOCK);
	assert_render(h,
	    "  # bandog: begin, do not edit between these lines\r\nx\n"
	    "# bandog: end \r\nz\r\n",
	    "z\r\n" BLOCK);
	assert_render(h, BLOCK "m\n" BLOCK "z\n", "m\nz\n" BLOCK);
	hosts_deny_clear(h);
	assert_render(h, "a\n" BLOCK "z", "a\nz");
	assert_render(h, BLOCK, "");
	assert_render(h, "", "");
	assert_render(h, "no newline", "no newline");
}

static void lost_end_mark(void **state)
{
	CLEANUP(hosts_deny_closep) struct hosts_deny *h = one_ban();

	(void)state;
	assert_render(h,
	    "a\n" BEGIN "ALL: 192.0.2.7\nALL: [2001:db8::]/32\n"
	    "ALL: 10.0.0.0/255.0.0.0\nsshd: 192.0.2.8\nALL: 192.0.2.9\n",
	    "a\nsshd: 192.0.2.8\nALL: 192.0.2.9\n" BLOCK);
	assert_render(h, BEGIN "ALL: 192.0.2.7", BLOCK);
	assert_render(h, BEGIN, BLOCK);
	/* Two begin marks: the first block lost its end. */
	assert_render(h, BEGIN "ALL: 192.0.2.7\nmine\n" BLOCK "z\n", "mine\nz\n" BLOCK);
	assert_render(h, BEGIN "ALL: LOCAL\n", "ALL: LOCAL\n" BLOCK);
}

static void lost_begin_mark(void **state)
{
	CLEANUP(hosts_deny_closep) struct hosts_deny *h = one_ban();

	(void)state;
	assert_render(h,
	    "ALL: 192.0.2.3\nmine: 192.0.2.8\nALL: 192.0.2.7\nALL: [::2]\n" END "z\n",
	    "ALL: 192.0.2.3\nmine: 192.0.2.8\nz\n" BLOCK);
	assert_render(h, END, BLOCK);
	assert_render(h, "z\n" END END, "z\n" BLOCK);
}

static void two_jails_may_want_the_same(void **state)
{
	CLEANUP(hosts_deny_closep) struct hosts_deny *h = one_ban();

	(void)state;
	add(h, "192.0.2.1");
	take(h, "192.0.2.1");
	assert_render(h, "", BLOCK);
	take(h, "192.0.2.1");
	assert_render(h, "", "");
	take(h, "192.0.2.1"); /* not there: no matter */
	assert_render(h, "", "");
}

static void number_is_bounded(void **state)
{
	CLEANUP(hosts_deny_closep)
	struct hosts_deny *h = hosts_deny_open("/nonexistent", "ALL");
	struct net n = net("10.0.0.0");

	(void)state;
	assert_non_null(h);
	for (uint32_t i = 0; i < HOSTS_DENY_MAX; i++) {
		n.addr[13] = (uint8_t)(i >> 16);
		n.addr[14] = (uint8_t)(i >> 8);
		n.addr[15] = (uint8_t)i;
		assert_int_equal(hosts_deny_add(h, &n), 0);
	}
	assert_int_equal(hosts_deny_add(h, &n), 0); /* the last again */
	n = net("192.0.2.1");
	assert_int_equal(hosts_deny_add(h, &n), HOSTS_DENY_FULL);
	take(h, "10.0.0.1");
	assert_int_equal(hosts_deny_add(h, &n), 0);
}

/* --- files --- */

static char dir[] = "/tmp/test_hosts_deny.XXXXXX";
static char path[64];

static int make_dir(void **state)
{
	(void)state;
	if (!mkdtemp(dir))
		return -1;
	(void)snprintf(path, sizeof(path), "%s/hosts.deny", dir);
	return 0;
}

static int remove_dir(void **state)
{
	(void)state;
	(void)unlink(path);
	return rmdir(dir);
}

static void write_file(const char *text)
{
	CLEANUP(fd_closep)
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, text, strlen(text)), 0);
}

static void assert_file(const char *want)
{
	struct buf b = BUF_INIT(1 << 20);

	assert_int_equal(fd_read_file(AT_FDCWD, path, &b), 0);
	assert_string_equal(buf_str(&b), want);
	buf_deinit(&b);
}

static void file_is_made_and_kept(void **state)
{
	CLEANUP(hosts_deny_closep) struct hosts_deny *h = hosts_deny_open(path, "ALL");
	struct stat st, again;
	struct err e = {""};

	(void)state;
	assert_non_null(h);
	/* Nothing to say, no file: none is made. */
	assert_true(hosts_deny_is_changed(h));
	assert_int_equal(hosts_deny_write(h, &e), 0);
	assert_false(hosts_deny_is_changed(h));
	assert_int_equal(access(path, F_OK), -1);

	add(h, "192.0.2.1");
	assert_true(hosts_deny_is_changed(h));
	assert_int_equal(hosts_deny_write(h, &e), 0);
	assert_false(hosts_deny_is_changed(h));
	assert_file(BLOCK);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0644);

	/* Already as it should be: not written again. */
	assert_int_equal(hosts_deny_write(h, &e), 0);
	assert_int_equal(stat(path, &again), 0);
	assert_int_equal(st.st_ino, again.st_ino);

	write_file("mine: ALL\n" BLOCK);
	assert_int_equal(chmod(path, 0600), 0);
	take(h, "192.0.2.1");
	assert_int_equal(hosts_deny_write(h, &e), 0);
	assert_file("mine: ALL\n");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_string_equal(e.text, "");
}

static void block_of_a_former_run_goes(void **state)
{
	CLEANUP(hosts_deny_closep) struct hosts_deny *h = hosts_deny_open(path, "ALL");

	(void)state;
	write_file("a\n" BLOCK "z\n");
	assert_true(hosts_deny_is_changed(h));
	assert_int_equal(hosts_deny_write(h, NULL), 0);
	assert_file("a\nz\n");
}

static void unreadable_is_said(void **state)
{
	CLEANUP(hosts_deny_closep) struct hosts_deny *h = hosts_deny_open(dir, "ALL");
	struct err e = {""};

	(void)state;
	add(h, "192.0.2.1");
	assert_true(hosts_deny_write(h, &e) < 0);
	assert_non_null(strstr(e.text, dir));
	assert_true(hosts_deny_is_changed(h));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(notation_is_that_of_hosts_access),
	    cmocka_unit_test(other_lines_stay),
	    cmocka_unit_test(old_block_is_replaced),
	    cmocka_unit_test(lost_end_mark),
	    cmocka_unit_test(lost_begin_mark),
	    cmocka_unit_test(two_jails_may_want_the_same),
	    cmocka_unit_test(number_is_bounded),
	    cmocka_unit_test(file_is_made_and_kept),
	    cmocka_unit_test(block_of_a_former_run_goes),
	    cmocka_unit_test(unreadable_is_said),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
