/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_scan_progress - how far, how fast, how long still
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cli/scan_progress.h"

static void expect(struct inputs_progress in, double sec, const char *wanted)
{
	struct buf b = BUF_INIT(512);

	scan_progress_format(&b, &in, sec);
	assert_string_equal(buf_str(&b), wanted);
	buf_deinit(&b);
}

#define MIB (UINT64_C(1) << 20)

static void test_format(void **state)
{
	(void)state;
	expect(
	    (struct inputs_progress){
		.n_bytes = 25 * MIB, .n_bytes_all = 100 * MIB, .n_lines = 3000},
	    30, " 25%  25.0 MiB of 100 MiB, 100 lines/s, 1:30 left");
	expect(
	    (struct inputs_progress){
		.n_bytes = 1 * MIB, .n_bytes_all = 2048 * MIB, .n_lines = 3000},
	    6, "  0%  1.0 MiB of 2.0 GiB, 500 lines/s, 3:24 h left");
	/* A pipe; a log that grew; nothing yet. */
	expect((struct inputs_progress){.n_bytes = 1000, .n_lines = 10}, 2,
	    "1000 B, 5 lines/s");
	expect((struct inputs_progress){.n_bytes = 11, .n_bytes_all = 10, .n_lines = 2},
	    1, "100%  10 B of 10 B, 2 lines/s, 0:00 left");
	expect((struct inputs_progress){.n_bytes_all = 10}, 0, "  0%  0 B of 10 B");
	expect((struct inputs_progress){.n_bytes = 1, .n_bytes_all = UINT64_MAX}, 1e6,
	    "  0%  1 B of 16777216 TiB, 0 lines/s, 100:00 h left");
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_format)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
