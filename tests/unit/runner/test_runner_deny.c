/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#include "runner_fake.h"

#define OTHERS "sshd: 203.0.113.9\n"

static char path[] = "/tmp/test_runner_deny.XXXXXX";

static void write_others(void)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(OTHERS, f);
	fclose(f);
}

static void holds(const char *text, bool is_there)
{
	char all[4096] = "";
	FILE *f = fopen(path, "r");

	assert_non_null(f);
	all[fread(all, 1, sizeof(all) - 1, f)] = '\0';
	fclose(f);
	assert_non_null(strstr(all, OTHERS));
	assert_int_equal(strstr(all, text) != NULL, is_there);
}

static void ban(struct runner_deny *d, const char *ip)
{
	struct order o = fake_order(ORDER_BAN, 0, ip, 2000);

	runner_deny_order(d, &o);
}

/* The loop ends when no timer is left, so nothing is waited for in vain. */
static void test_nothing_is_written_after_the_end(UNUSED void **state)
{
	struct setup_hosts_deny entry = {.path = path, .daemons = (char[]){"ALL"}};
	struct setup_jail jail = {.hosts_deny = &entry, .n_hosts_deny = 1};
	struct setup s = {.jails = &jail, .n_jails = 1};
	struct loop *l = loop_new();
	struct runner_deny *d = runner_deny_new(l);

	write_others();
	assert_int_equal(runner_deny_setup(d, &s), 0);
	ban(d, "192.0.2.1");
	loop_run(l);
	holds("192.0.2.1", true);
	ban(d, "192.0.2.2"); /* its timer runs */
	runner_deny_close(d);
	holds("192.0.2", false);
	ban(d, "192.0.2.3");
	runner_deny_sync_begin(d);
	ban(d, "192.0.2.4");
	runner_deny_sync_end(d);
	loop_run(l);
	holds("192.0.2", false);
	runner_deny_free(d);
	loop_run(l);
	loop_free(l);
}

static void tell(struct runner_deny *d, struct loop *l, enum order_op op, uint32_t jail)
{
	struct order o = fake_order(op, jail, "192.0.2.1", 2000);

	runner_deny_order(d, &o);
	loop_run(l);
}

/* A ban is made once, or begins with its second step; then it may be prolonged. */
static void test_a_ban_ends_once_for_each_jail(UNUSED void **state)
{
	struct setup_hosts_deny entry = {.path = path, .daemons = (char[]){"ALL"}};
	struct setup_jail jails[2] = {{.hosts_deny = &entry, .n_hosts_deny = 1},
	    {.hosts_deny = &entry, .n_hosts_deny = 1}};
	struct setup s = {.jails = jails, .n_jails = 2};
	struct loop *l = loop_new();
	struct runner_deny *d = runner_deny_new(l);

	write_others();
	assert_int_equal(runner_deny_setup(d, &s), 0);
	tell(d, l, ORDER_BAN, 0);
	tell(d, l, ORDER_PROLONG, 0);
	tell(d, l, ORDER_PROLONG, 0);
	holds("192.0.2.1", true);
	tell(d, l, ORDER_UNBAN, 0);
	holds("192.0.2.1", false);
	tell(d, l, ORDER_PROLONG, 0);
	tell(d, l, ORDER_UNBAN, 1); /* there it was only refused */
	holds("192.0.2.1", true);
	tell(d, l, ORDER_BAN, 1);
	tell(d, l, ORDER_UNBAN, 0);
	holds("192.0.2.1", true);
	tell(d, l, ORDER_UNBAN, 1);
	holds("192.0.2.1", false);
	runner_deny_free(d);
	loop_run(l);
	loop_free(l);
}

static int make_file(UNUSED void **state)
{
	int fd = mkstemp(path);

	return fd < 0 ? -1 : close(fd);
}

static int remove_file(UNUSED void **state)
{
	return unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_nothing_is_written_after_the_end),
	    cmocka_unit_test(test_a_ban_ends_once_for_each_jail),
	};

	return cmocka_run_group_tests(tests, make_file, remove_file);
}
