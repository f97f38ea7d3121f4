/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stopped: increments from totals that come and go */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "flow/stopped.h"

static void expect(
    struct stopped_more m, uint64_t attempts, uint64_t packets, uint64_t bytes)
{
	assert_int_equal(m.attempts, attempts);
	assert_int_equal(m.packets, packets);
	assert_int_equal(m.bytes, bytes);
}

static void a_total_is_booked_once(UNUSED void **state)
{
	struct stopped s = {.is_known = true};

	expect(stopped_book(&s, 0, 0, 4), 0, 0, 0);
	expect(stopped_book(&s, 8, 480, 4), 2, 8, 480);
	expect(stopped_book(&s, 8, 480, 4), 0, 0, 0);
	expect(stopped_book(&s, 12, 720, 4), 1, 4, 240);
}

static void what_was_there_before_us_is_not(UNUSED void **state)
{
	struct stopped s = {0};

	expect(stopped_book(&s, 1000, 60000, 4), 0, 0, 0);
	assert_true(s.is_known);
	expect(stopped_book(&s, 1004, 60240, 4), 1, 4, 240);
}

static void a_counter_made_anew_begins_at_nothing(UNUSED void **state)
{
	struct stopped s = {.is_known = true};

	expect(stopped_book(&s, 100, 6000, 4), 25, 100, 6000);
	expect(stopped_book(&s, 5, 300, 4), 2, 5, 300);
	expect(stopped_book(&s, 8, 480, 4), 0, 3, 180);
	/* Gone, and there again. */
	expect(stopped_book(&s, 0, 0, 4), 0, 0, 0);
	expect(stopped_book(&s, 4, 240, 4), 1, 4, 240);
	/* As many packets, but other ones. */
	expect(stopped_book(&s, 4, 160, 4), 1, 4, 160);
}

static void no_remainder_is_lost_or_doubled(UNUSED void **state)
{
	for (uint32_t per = 1; per <= 7; per++) {
		struct stopped s = {.is_known = true};
		uint64_t n_attempts = 0, n_packets = 0;

		for (uint64_t total = 0; total <= 700; total += 1 + total % 3) {
			struct stopped_more m =
			    stopped_book(&s, total, total * 60, per);

			n_attempts += m.attempts;
			n_packets += m.packets;
			assert_int_equal(n_packets, total);
			assert_int_equal(n_attempts, (total + per - 1) / per);
		}
	}
}

static void the_largest_totals_do_no_harm(UNUSED void **state)
{
	struct stopped s = {.is_known = true};
	struct stopped_more m = stopped_book(&s, UINT64_MAX, UINT64_MAX, 4);

	expect(m, UINT64_MAX / 4 + 1, UINT64_MAX, UINT64_MAX);
	expect(stopped_book(&s, UINT64_MAX, UINT64_MAX, 4), 0, 0, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_total_is_booked_once),
	    cmocka_unit_test(what_was_there_before_us_is_not),
	    cmocka_unit_test(a_counter_made_anew_begins_at_nothing),
	    cmocka_unit_test(no_remainder_is_lost_or_doubled),
	    cmocka_unit_test(the_largest_totals_do_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
