/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "pipeline/ports.h"

struct want {
	const char *text;
	size_t n;
	struct nft_ports ports[4];
};

static void texts_become_ranges(UNUSED void **state)
{
	static const struct want wants[] = {
	    {"smtp,ssmtp", 2, {{25, 25}, {465, 465}}},
	    {"25", 1, {{25, 25}}},
	    {"587, 25 465", 3, {{25, 25}, {465, 465}, {587, 587}}},
	    {"1000:2000", 1, {{1000, 2000}}},
	    {"1000-2000,1500-3000", 1, {{1000, 3000}}},
	    {"25,26,27", 1, {{25, 27}}},
	    {"smtp:submission", 1, {{25, 587}}},
	    {"0:65535", 0, {{0, 0}}},
	    {"1:65535", 0, {{0, 0}}},
	    {"2:65535", 1, {{2, 65535}}},
	    {"all", 0, {{0, 0}}},
	    {"", 0, {{0, 0}}},
	};

	for (size_t i = 0; i < ARRAY_LEN(wants); i++) {
		struct nft_ports out[8];
		struct span bad;
		size_t n = 99;

		assert_int_equal(
		    ports_parse(span_of(wants[i].text), "tcp", out, 8, &n, &bad), 0);
		assert_int_equal(n, wants[i].n);
		for (size_t k = 0; k < n; k++) {
			assert_int_equal(out[k].from, wants[i].ports[k].from);
			assert_int_equal(out[k].to, wants[i].ports[k].to);
		}
	}
}

static void mistakes_name_the_word(UNUSED void **state)
{
	static const char *const bads[][2] = {
	    {"smtp,nosuchservice", "nosuchservice"},
	    {"25,65536", "65536"},
	    {"-1", "-1"},
	    {"2000:1000", "2000:1000"},
	    {"25:", "25:"},
	    {"$(reboot)", "$(reboot)"},
	};

	for (size_t i = 0; i < ARRAY_LEN(bads); i++) {
		struct nft_ports out[8];
		struct span bad = {"", 0};
		size_t n;

		assert_int_equal(
		    ports_parse(span_of(bads[i][0]), "tcp", out, 8, &n, &bad), -EINVAL);
		assert_true(span_eq(bad, span_of(bads[i][1])));
	}
}

static void room_is_bounded(UNUSED void **state)
{
	struct nft_ports out[2];
	struct span bad;
	size_t n;

	assert_int_equal(ports_parse(SPAN("1,3"), "tcp", out, 2, &n, &bad), 0);
	assert_int_equal(ports_parse(SPAN("1,3,5"), "tcp", out, 2, &n, &bad), -E2BIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(texts_become_ranges),
	    cmocka_unit_test(mistakes_name_the_word),
	    cmocka_unit_test(room_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
