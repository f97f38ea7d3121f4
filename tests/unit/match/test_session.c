/* SPDX-License-Identifier: GPL-2.0-or-later */

/* session: who is forgiven, what waits, when it is over, and the bounds */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>

#include "match/session.h"

#define T0 1124013600

struct fixture {
	struct group_names names;
	struct sessions *s;
	struct session *last;
	struct groups g;
	wall_t now;
};

/* What one line says; NULL: nothing. */
struct said {
	const char *id, *user, *ip4, *nofail, *gained, *forget;
};

static int set_up(void **state)
{
	struct fixture *x = calloc(1, sizeof(*x));

	*state = x;
	if (group_names_init(&x->names) < 0)
		return -1;
	x->s = sessions_new(&x->names);
	x->now = wall_from_sec(T0);
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *x = *state;

	sessions_free(x->s);
	group_names_deinit(&x->names);
	free(x);
	return 0;
}

/* Return: is it a failure? */
static bool feed(struct fixture *x, struct said said)
{
	groups_clear(&x->g, x->names.n);
	x->g.value[GROUP_MLFID] = span_of(said.id);
	x->g.value[GROUP_USER] = span_of(said.user);
	x->g.value[GROUP_IP4] = span_of(said.ip4);
	x->g.value[GROUP_NOFAIL] = span_of(said.nofail);
	x->g.value[GROUP_MLFGAINED] = span_of(said.gained);
	x->g.value[GROUP_MLFFORGET] = span_of(said.forget);
	assert_int_equal(sessions_merge(x->s, &x->g, 1, x->now, &x->last), 0);
	if (!x->g.value[GROUP_IP4].p && !groups_has(&x->g, GROUP_NOFAIL))
		session_set_pending(x->last);
	return !groups_has(&x->g, GROUP_NOFAIL) && x->g.value[GROUP_IP4].p;
}

static void assert_value(const struct fixture *x, size_t slot, const char *want)
{
	assert_true(span_eq(x->g.value[slot], span_of(want)));
}

/* The address comes first, the failure later. */
static void test_address_first(void **state)
{
	struct fixture *x = *state;

	assert_false(
	    feed(x, (struct said){"1", .ip4 = "192.0.2.1", .nofail = "connect"}));
	assert_true(feed(x, (struct said){"1", .user = "root"}));
	assert_value(x, GROUP_IP4, "192.0.2.1");
	assert_value(x, GROUP_USER, "root");
	assert_int_equal(session_n_lines(x->last), 2);
	assert_int_equal(session_n_users(x->last), 1);
	/* the two have been reported: the next one counts alone */
	assert_true(feed(x, (struct said){"1", .user = "root"}));
	assert_int_equal(session_n_lines(x->last), 1);
	assert_false(feed(x, (struct said){"2", .user = "root"}));
}

/* The failure comes first, and is reported when the address is known. */
static void test_pending(void **state)
{
	struct fixture *x = *state;

	assert_false(feed(x, (struct said){"1", .user = "root"}));
	assert_false(feed(x, (struct said){"1"}));
	assert_true(feed(x, (struct said){"1", .ip4 = "192.0.2.1", .nofail = "x"}));
	assert_int_equal(session_n_lines(x->last), 3);
	assert_false(feed(x, (struct said){"1", .nofail = "x"}));
}

/* A login that succeeds takes back what was pending, and ends the session. */
static void test_gained(void **state)
{
	struct fixture *x = *state;

	assert_false(feed(x, (struct said){"1", .user = "root", .nofail = "key"}));
	assert_false(feed(
	    x, (struct said){"1", "root", "192.0.2.1", .gained = "y", .forget = "y"}));
	assert_int_equal(sessions_count(x->s), 0);

	assert_false(feed(x, (struct said){"2", .user = "root"})); /* pending */
	assert_false(feed(x, (struct said){"2", "root", "192.0.2.1", .gained = "y"}));
	assert_int_equal(sessions_count(x->s), 1);
}

/* Trying several users is not forgiven by a login of the last one. */
static void test_users(void **state)
{
	struct fixture *x = *state;
	struct buf b = BUF_INIT(100);

	assert_false(feed(x, (struct said){"1", "root", "192.0.2.1", .nofail = "key"}));
	assert_false(feed(x, (struct said){"1", "root", "192.0.2.1", .nofail = "key"}));
	assert_true(feed(x, (struct said){"1", "admin", NULL, .nofail = "key"}));
	assert_int_equal(session_n_lines(x->last), 3);
	assert_true(feed(x, (struct said){"1", "admin", NULL, .gained = "x"}));
	assert_int_equal(session_n_users(x->last), 2);
	session_add_users(x->last, &b);
	assert_string_equal(buf_str(&b), "root\nadmin");
	buf_deinit(&b);
}

static void test_forget(void **state)
{
	struct fixture *x = *state;

	assert_true(feed(x, (struct said){"1", "root", "192.0.2.1"}));
	assert_true(feed(x, (struct said){"1", .forget = "bye"}));
	assert_value(x, GROUP_IP4, "192.0.2.1");
	assert_false(feed(x, (struct said){"1", .forget = "bye"}));
	assert_int_equal(sessions_count(x->s), 0);
	assert_false(feed(x, (struct said){"1"})); /* nothing is known any more */
	assert_int_equal(sessions_count(x->s), 1);
}

static void test_life(void **state)
{
	struct fixture *x = *state;

	assert_true(feed(x, (struct said){"1", "root", "192.0.2.1"}));
	x->now = wall_from_sec(T0 + SESSIONS_LIFE_SEC - 1);
	assert_true(feed(x, (struct said){"1"}));
	x->now = wall_from_sec(T0 + SESSIONS_LIFE_SEC);
	assert_false(feed(x, (struct said){"1"}));
	assert_int_equal(sessions_count(x->s), 1);
}

static void test_cap(void **state)
{
	struct fixture *x = *state;
	char id[16];

	for (int i = 0; i <= SESSIONS_MAX; i++) {
		snprintf(id, sizeof(id), "%d", i);
		assert_true(feed(x, (struct said){id, NULL, "192.0.2.1"}));
	}
	assert_int_equal(sessions_count(x->s), SESSIONS_MAX);
	assert_int_equal(sessions_n_evicted(x->s), 1);
	assert_true(feed(x, (struct said){"1"}));
	assert_false(feed(x, (struct said){"0"})); /* was the oldest */
	/* those whose time is over make room first */
	x->now = wall_from_sec(T0 + SESSIONS_LIFE_SEC);
	assert_true(feed(x, (struct said){"new", NULL, "192.0.2.1"}));
	assert_int_equal(sessions_n_evicted(x->s), 2);
	assert_int_equal(sessions_count(x->s), 1);
}

static void test_value_caps(void **state)
{
	struct fixture *x = *state;
	char text[3 * SESSION_VALUE_MAX + 1] = "";
	char user[16];

	for (int i = 0; i < SESSION_VALUE_MAX; i++)
		memcpy(text + 3 * i, "\xe2\x82\xac", 3);
	assert_true(feed(x, (struct said){"1", text, "192.0.2.1"}));
	assert_int_equal(x->g.value[GROUP_USER].n, SESSION_VALUE_MAX - 1);
	for (int i = 0; i < 2 * SESSION_USERS_MAX; i++) {
		snprintf(user, sizeof(user), "u%d", i);
		assert_true(feed(x, (struct said){"1", user}));
	}
	assert_int_equal(session_n_users(x->last), SESSION_USERS_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_address_first, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_pending, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_gained, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_users, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_forget, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_life, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_cap, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(test_value_caps, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
