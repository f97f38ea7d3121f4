/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "enforce/siege.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/cleanup.h"

static mono_t at(int64_t sec)
{
	return (mono_t){sec * US_PER_SEC};
}

static void look(struct siege *s, uint16_t port, int64_t sec)
{
	siege_look(s, &port, port ? 1 : 0, at(sec));
}

static void one_glimpse_is_no_siege(void **state)
{
	struct siege s = {.n = 0};
	struct siege_port over;

	(void)state;
	look(&s, 25, 1);
	assert_int_equal(s.n, 1);
	assert_null(siege_full(&s, 25));
	look(&s, 0, 2);
	assert_int_equal(s.n, 0);
	look(&s, 25, 3);
	look(&s, 465, 4); /* 25 is calm meanwhile: not in a row */
	look(&s, 25, 5);
	assert_null(siege_full(&s, 25));
	assert_null(siege_full(&s, 465));
	assert_false(siege_take_over(&s, &over));
}

static void two_in_a_row_are_one(void **state)
{
	uint16_t both[] = {25, 465}, full[SIEGE_MAX_PORTS];
	struct siege s = {.n = 0};

	(void)state;
	look(&s, 25, 1);
	siege_look(&s, both, 2, at(2));
	assert_non_null(siege_full(&s, 25));
	assert_null(siege_full(&s, 465));
	assert_int_equal(siege_full_ports(&s, full), 1);
	assert_int_equal(full[0], 25);
	assert_int_equal(siege_full(&s, 25)->since.us, at(1).us);
	siege_look(&s, both, 2, at(3));
	assert_int_equal(siege_full_ports(&s, full), 2);
}

/* Short pauses are part of it; but while nobody waits nothing is to end. */
static void it_is_over_when_nobody_waits_for_long(void **state)
{
	struct siege_port over;
	struct siege s = {.n = 0};

	(void)state;
	look(&s, 25, 1);
	look(&s, 25, 2);
	siege_full(&s, 25)->n_ended = 7;
	for (int round = 0; round < 2; round++) {
		for (int i = 1; i < SIEGE_CALM_LOOKS; i++) {
			look(&s, 0, 3);
			assert_null(siege_full(&s, 25));
			assert_false(siege_take_over(&s, &over));
		}
		if (!round)
			look(&s, 25, 4);
	}
	look(&s, 0, 5);
	assert_true(siege_take_over(&s, &over));
	assert_int_equal(over.port, 25);
	assert_int_equal(over.n_ended, 7);
	assert_int_equal(over.since.us, at(1).us);
	assert_int_equal(s.n, 0);
	assert_false(siege_take_over(&s, &over));
}

static void ports_are_bounded(void **state)
{
	uint16_t many[SIEGE_MAX_PORTS + 2], full[SIEGE_MAX_PORTS];
	struct siege s = {.n = 0};

	(void)state;
	for (uint16_t i = 0; i < ARRAY_LEN(many); i++)
		many[i] = (uint16_t)(100 + i);
	siege_look(&s, many, ARRAY_LEN(many), at(1));
	siege_look(&s, many, ARRAY_LEN(many), at(2));
	assert_int_equal(siege_full_ports(&s, full), SIEGE_MAX_PORTS);
	assert_null(siege_full(&s, many[SIEGE_MAX_PORTS]));
	/* What was calm makes place. */
	siege_look(&s, many + 2, SIEGE_MAX_PORTS, at(3));
	assert_int_equal(s.n, SIEGE_MAX_PORTS);
	siege_look(&s, many + 2, SIEGE_MAX_PORTS, at(4));
	assert_non_null(siege_full(&s, many[SIEGE_MAX_PORTS + 1]));
}

static struct siege_connection connection(uint32_t sent_ms, uint32_t received_ms)
{
	return (struct siege_connection){.is_held = true,
	    .is_known = true,
	    .sent_ms = sent_ms,
	    .received_ms = received_ms,
	    .n_sent = 1,
	    .n_received = 1};
}

static void silent_is_whose_turn_it_is(void **state)
{
	struct siege_connection c = connection(SIEGE_SILENT_MS + 1, 5000);

	(void)state;
	assert_true(siege_is_silent(&c));
	c.is_held = false; /* it waits in the queue */
	assert_false(siege_is_silent(&c));
	c = connection(SIEGE_SILENT_MS + 1, 5000);
	c.is_known = false;
	assert_false(siege_is_silent(&c));
	c = connection(SIEGE_SILENT_MS, 5000);
	assert_false(siege_is_silent(&c));
	c = connection(5000, 2000); /* the server is the one who is slow */
	assert_false(siege_is_silent(&c));
	c = connection(UINT32_MAX, UINT32_MAX);
	assert_true(siege_is_silent(&c));
	c = connection(2000, 2000); /* greeted at once, and never a word */
	c.n_received = 0;
	assert_true(siege_is_silent(&c));
}

static void where_nobody_has_spoken_it_may_be_either(void **state)
{
	struct siege_connection c = connection(SIEGE_MUTE_MS, SIEGE_MUTE_MS);

	(void)state;
	c.n_sent = c.n_received = 0;
	assert_false(siege_is_silent(&c));
	c.sent_ms = c.received_ms = SIEGE_MUTE_MS + 1;
	assert_true(siege_is_silent(&c));
	c.is_held = false;
	assert_false(siege_is_silent(&c));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(one_glimpse_is_no_siege),
	    cmocka_unit_test(two_in_a_row_are_one),
	    cmocka_unit_test(it_is_over_when_nobody_waits_for_long),
	    cmocka_unit_test(ports_are_bounded),
	    cmocka_unit_test(silent_is_whose_turn_it_is),
	    cmocka_unit_test(where_nobody_has_spoken_it_may_be_either),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
