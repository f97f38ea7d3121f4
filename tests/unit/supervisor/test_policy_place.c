/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The socket of the policy role: made in a folder, and what of others is there stays.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "supervisor/policy_place.h"

struct fixture {
	char dir[64], path[96];
	struct policy_place place;
};

static int make(void **state)
{
	static struct fixture f;

	f = (struct fixture){.dir = "/tmp/bandog-test-XXXXXX", .place = {.fd = -1}};
	if (!mkdtemp(f.dir))
		return -1;
	snprintf(f.path, sizeof(f.path), "%s/socket", f.dir);
	*state = &f;
	return 0;
}

static int unmake(void **state)
{
	struct fixture *f = *state;

	policy_place_close(&f->place);
	(void)unlink(f->path);
	return rmdir(f->dir);
}

static mode_t mode_of(const struct fixture *f)
{
	struct stat st;

	return lstat(f->path, &st) < 0 ? 0 : st.st_mode;
}

static int socket_at(const struct fixture *f, int type)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

	memcpy(a.sun_path, f->path, strlen(f->path) + 1);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	return fd;
}

static void it_is_made_and_goes(void **state)
{
	struct fixture *f = *state;
	struct err e = {""};

	assert_int_equal(policy_place_open(&f->place, f->path, &e), 0);
	assert_int_equal(mode_of(f), S_IFSOCK | 0660);
	int fd = f->place.fd;

	assert_int_equal(policy_place_open(&f->place, f->path, &e), 0);
	assert_int_equal(f->place.fd, fd);
	policy_place_close(&f->place);
	assert_int_equal(mode_of(f), 0);
}

static void one_that_nobody_listens_on_is_replaced(void **state)
{
	struct fixture *f = *state;
	struct err e = {""};

	close(socket_at(f, SOCK_STREAM));
	assert_int_equal(policy_place_open(&f->place, f->path, &e), 0);
}

static void what_others_need_stays(void **state)
{
	static const int types[] = {SOCK_STREAM, SOCK_DGRAM};
	struct fixture *f = *state;
	struct err e = {""};

	for (int i = 0; i < 2; i++) {
		int fd = socket_at(f, types[i]);

		if (types[i] == SOCK_STREAM)
			assert_int_equal(listen(fd, 1), 0);
		assert_int_equal(
		    policy_place_open(&f->place, f->path, &e), -EADDRINUSE);
		assert_true(S_ISSOCK(mode_of(f)));
		assert_int_equal(f->place.fd, -1);
		close(fd);
		assert_int_equal(unlink(f->path), 0);
	}
	FILE *file = fopen(f->path, "w");

	assert_non_null(file);
	fclose(file);
	assert_int_equal(policy_place_open(&f->place, f->path, &e), -EADDRINUSE);
	assert_true(S_ISREG(mode_of(f)));
}

/* Somebody has put another one in its place. */
static void one_that_is_no_longer_ours(void **state)
{
	struct fixture *f = *state;
	struct err e = {""};

	assert_int_equal(policy_place_open(&f->place, f->path, &e), 0);
	assert_int_equal(unlink(f->path), 0);
	close(socket_at(f, SOCK_STREAM));
	assert_int_equal(policy_place_open(&f->place, f->path, &e), 0);
	assert_int_equal(mode_of(f), S_IFSOCK | 0660); /* made anew */
	assert_int_equal(unlink(f->path), 0);
	close(socket_at(f, SOCK_STREAM));
	policy_place_close(&f->place);
	assert_true(S_ISSOCK(mode_of(f)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(it_is_made_and_goes, make, unmake),
	    cmocka_unit_test_setup_teardown(
		one_that_nobody_listens_on_is_replaced, make, unmake),
	    cmocka_unit_test_setup_teardown(what_others_need_stays, make, unmake),
	    cmocka_unit_test_setup_teardown(one_that_is_no_longer_ours, make, unmake),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
