/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "enforce/suspects.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <stdlib.h>

#define KEEP_US 100

static const mono_t start = {1000};

static int setup(void **state)
{
	*state = suspects_new();
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	suspects_free(*state);
	return 0;
}

static struct net net(const char *text)
{
	struct net n;

	assert_int_equal(net_parse(span_of(text), &n), 0);
	return n;
}

static void put(struct suspects *s, uint32_t jail, struct net n, int64_t failed_us)
{
	struct suspect w = {.net = n,
	    .jail = jail,
	    .failed_at.us = failed_us,
	    .until.us = failed_us + KEEP_US};

	suspects_put(s, &w);
}

/* In how many jails is it one? */
static int count_of(struct suspects *s, const char *text, mono_t now)
{
	const struct suspect *w = NULL;
	struct net n = net(text);
	int found = 0;

	while ((w = suspects_of(s, &n, now, w))) {
		assert_true(net_eq(&w->net, &n));
		found++;
	}
	return found;
}

static int count_all(struct suspects *s, mono_t now)
{
	const struct suspect *w = NULL;
	int found = 0;

	while ((w = suspects_next(s, now, w)))
		found++;
	return found;
}

static void are_so_for_a_time(void **state)
{
	struct suspects *s = *state;
	mono_t newest;

	assert_false(suspects_any(s, start, &newest));
	put(s, 1, net("192.0.2.1"), 1000);
	put(s, 2, net("192.0.2.1"), 1050);
	put(s, 1, net("2001:db8::1"), 1020);
	assert_int_equal(count_of(s, "192.0.2.1", start), 2);
	assert_int_equal(count_of(s, "2001:db8::1", start), 1);
	assert_int_equal(count_of(s, "192.0.2.2", start), 0);
	assert_true(suspects_any(s, start, &newest));
	assert_int_equal(newest.us, 1050);
	assert_int_equal(count_of(s, "192.0.2.1", (mono_t){1100}), 1);
	assert_int_equal(count_all(s, (mono_t){1119}), 2);
	assert_false(suspects_any(s, (mono_t){1150}, &newest));
}

static void a_later_failure_counts(void **state)
{
	struct suspects *s = *state;

	put(s, 1, net("192.0.2.1"), 1000);
	put(s, 1, net("192.0.2.1"), 1080);
	put(s, 1, net("192.0.2.1"), 900); /* an old line, read late */
	assert_int_equal(count_of(s, "192.0.2.1", (mono_t){1179}), 1);
	assert_int_equal(count_of(s, "192.0.2.1", (mono_t){1180}), 0);
	assert_int_equal(count_all(s, start), 1);
}

static void are_forgotten(void **state)
{
	struct suspects *s = *state;
	struct net host = net("192.0.2.1"), around = net("192.0.0.0/16"),
		   all = net("2001:db8::/32");

	put(s, 1, host, 1000);
	put(s, 2, host, 1000);
	put(s, 1, net("192.0.3.1"), 1000);
	put(s, 1, net("2001:db8::1"), 1000);
	suspects_forget(s, 1, &host);
	assert_int_equal(count_of(s, "192.0.2.1", start), 1);
	assert_int_equal(count_all(s, start), 3);
	suspects_forget(s, 2, &all);
	assert_int_equal(count_all(s, start), 3);
	suspects_forget(s, 1, &around);
	assert_int_equal(count_all(s, start), 2);
	suspects_forget(s, 1, &all);
	assert_int_equal(count_all(s, start), 1);
	suspects_forget_all(s);
	assert_int_equal(count_all(s, start), 0);
}

/* However many come: no more than there is room for, and the newest stay. */
static void are_bounded(void **state)
{
	enum { N = 20 * SUSPECTS_MAX, NEWEST = SUSPECTS_MAX / 8 };
	struct suspects *s = *state;
	int kept = 0;

	for (uint32_t i = 0; i < N; i++) {
		struct suspect w = {.net = net_from_v4(htonl(i + 1)),
		    .failed_at.us = i + 1,
		    .until.us = 2 * N};

		suspects_put(s, &w);
	}
	assert_true(count_all(s, start) <= SUSPECTS_MAX);
	for (uint32_t i = N - NEWEST; i < N; i++) {
		struct net n = net_from_v4(htonl(i + 1));

		kept += suspects_of(s, &n, start, NULL) != NULL;
	}
	/* A lot of eight would have to get nine of an average of one. */
	assert_true(kept >= NEWEST - 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(are_so_for_a_time, setup, teardown),
	    cmocka_unit_test_setup_teardown(a_later_failure_counts, setup, teardown),
	    cmocka_unit_test_setup_teardown(are_forgotten, setup, teardown),
	    cmocka_unit_test_setup_teardown(are_bounded, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
