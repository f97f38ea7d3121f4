/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Reading by hand gives what the regexes give: on chosen lines, and on many thousand
 * mutations of them (always the same ones).
 */

#include "match/stamp_fast.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "match/stamp.h"
#include "match/stamp_draft.h"

#define NOW INT64_C(1795490000) /* 2026-11-24 */
#define MUTATIONS 60000

static const char *const lines[] = {
    "Nov 24 05:06:07 mail postfix/smtpd[123]: connect",
    "Nov  4 05:06:07 2012 x",
    "Nov 24 05:06:07 2012x y",
    "Nov 24 05:06:07.123 2012 y",
    "Tue Nov 24 05:06:07 2026 [pid 3] CONNECT",
    "Tue Nov 24 05:06:07.123456 2026 [pid 3]",
    "[Nov 24 05:06:07] message",
    "<Nov 24 05:06:07.1234567 message",
    "2026-11-04T05:06:07.123456+01:00 mail x",
    "2026-11-04T05:06:07+0100 mail x",
    "2026-11-04T05:06:07-01 mail x",
    "2026-11-04T05:06:07Z mail x",
    "2026-11-04T05:06:07.123Z mail x",
    "2026-11-04 05:06:07,123 - root - INFO",
    "2026-11-04 05:06:07 [12] note",
    "2026-11-04 05:06:07  UTC [12] note",
    "2026-11-04 05:06:07 GMT [12] note",
    "2026-11-04 05:06:07 Zebra GET UTCx",
    "2026-11-04 05:06:07 +01:5 x",
    "[2026-11-04 05:06:07] x",
    "2026/11/04 05:06:07 [error] 12#0: x",
    "2026.11.04 05:06:07 x",
    "2026-11-04T05:06:07.123456789Z x",
};

static struct stamp *make(bool by_hand, const char *pattern)
{
	struct stamp_options o = {.datepattern = pattern};
	struct stamp *s = stamp_new(&o, NULL);

	assert_non_null(s);
	stamp_use_hand(s, by_hand);
	return s;
}

/* xorshift64* (Vigna, 2016) */
static size_t draw(uint64_t *seed, size_t limit)
{
	*seed ^= *seed >> 12;
	*seed ^= *seed << 25;
	*seed ^= *seed >> 27;
	return (size_t)((*seed * UINT64_C(2685821657736338717)) >> 33) % limit;
}

static size_t mutate(char *line, size_t n, uint64_t *seed)
{
	static const char bytes[] =
	    " 0123456789:.,-+/TZUCGM[<aJx_\t\xc3\xa9\xc2\xa0\xff";
	size_t at = draw(seed, n), span = draw(seed, 3);
	char byte = bytes[draw(seed, sizeof(bytes) - 1)];

	switch (draw(seed, 4)) {
	case 0: /* cut a few bytes out */
		span = span < n - at ? span : n - at - 1;
		memmove(line + at, line + at + span, n - at - span);
		return n - span;
	case 1:
		memmove(line + at + 1, line + at, n - at);
		line[at] = byte;
		return n + 1;
	case 2:
		return at + 1 < n ? at + 1 : n;
	default:
		line[at] = byte;
		return n;
	}
}

static void compare(struct stamp *hand, struct stamp *regex, struct span line,
    wall_t now, size_t *n_dates)
{
	struct stamp_result a = {0}, b = {0};
	bool is_a = stamp_find(hand, line, now, &a);
	bool is_b = stamp_find(regex, line, now, &b);

	stamp_keep(hand, now);
	stamp_keep(regex, now);
	if (is_a != is_b || a.start != b.start || a.end != b.end || a.at.us != b.at.us)
		fail_msg("'%.*s': by hand %d %zu-%zu %lld, by regex %d %zu-%zu %lld",
		    SPAN_ARG(line), is_a, a.start, a.end, (long long)a.at.us, is_b,
		    b.start, b.end, (long long)b.at.us);
	*n_dates += is_a;
}

static void play(const char *pattern)
{
	CLEANUP(stamp_freep) struct stamp *hand = make(true, pattern);
	CLEANUP(stamp_freep) struct stamp *regex = make(false, pattern);
	uint64_t seed = 20261124;
	size_t n_dates = 0;
	int64_t now = NOW;

	for (size_t i = 0; i < MUTATIONS; i++) {
		const char *base = lines[draw(&seed, ARRAY_LEN(lines))];
		size_t n = strlen(base);
		char line[128];
		/* From memory of that size, so that a sanitizer sees steps beyond it.
		 */
		CLEANUP(freep) char *exact = NULL;

		memcpy(line, base, n);
		for (size_t k = draw(&seed, 4); k > 0 && n > 1; k--)
			n = mutate(line, n, &seed);
		exact = span_dup((struct span){line, n});
		assert_non_null(exact);
		now += (int64_t)draw(&seed, 40);
		for (size_t again = draw(&seed, 2) + 1; again > 0; again--)
			compare(hand, regex, (struct span){exact, n},
			    wall_from_sec(now), &n_dates);
	}
	assert_in_range(n_dates, MUTATIONS / 3, 2 * MUTATIONS);
}

static void test_iso(void **state)
{
	(void)state;
	play("{^LN-BEG}ISO8601");
}

static void test_syslog(void **state)
{
	char pattern[128];

	(void)state;
	(void)snprintf(pattern, sizeof(pattern), "{^LN-BEG}%s\n{^LN-BEG}ISO8601",
	    stamp_defaults[1]);
	play(pattern);
}

static void test_defaults(void **state)
{
	(void)state;
	play(NULL);
}

/* How much is looked at is what the memory of stamp.c relies on. */
static void test_seen(void **state)
{
	static const struct {
		const char *line;
		bool is_iso;
		enum stamp_fast answer;
		size_t end, seen;
	} table[] = {
	    {"Nov 24 05:06:07 mail", false, STAMP_FAST_YES, 15, 17},
	    {"Nov 24 05:06:07: xxxx", false, STAMP_FAST_YES, 15, 16},
	    {"Nov 24 05:06:07 2026 m", false, STAMP_FAST_YES, 20, 21},
	    {"Nov 24 05:06:07 2026", false, STAMP_FAST_YES, 20, 0},
	    {"Nov 24 05:06:07", false, STAMP_FAST_UNSURE, 0, 0},
	    {"Nov 24 5:06:07 mail xx", false, STAMP_FAST_UNSURE, 0, 0},
	    {"Nov 24 05:06:07\xc3 mail", false, STAMP_FAST_UNSURE, 0, 0},
	    {"\xc3Nov 24 05:06:07 mail", false, STAMP_FAST_UNSURE, 0, 0},
	    {"24 Nov 05:06:07 mail xx", false, STAMP_FAST_NO, 0, 0},
	    {"...Nov 24 05:06:07 mail", false, STAMP_FAST_NO, 0, 0},
	    {"..", false, STAMP_FAST_NO, 0, 0},
	    {"", false, STAMP_FAST_NO, 0, 0},
	    {"2026-11-04T05:06:07Z x", true, STAMP_FAST_YES, 20, 21},
	    {"2026-11-04T05:06:07 x", true, STAMP_FAST_YES, 19, 21},
	    {"2026-11-04T05:06:07.5+01:00 x", true, STAMP_FAST_YES, 27, 28},
	    {"2026-11-04T05:06:07.5+01:00", true, STAMP_FAST_YES, 27, 0},
	    {"2026-11-04T05:06:07     ", true, STAMP_FAST_YES, 19, 0},
	    {"2026-11-04T05:06:07.1234567 x", true, STAMP_FAST_YES, 19, 27},
	    {"3026-11-04T05:06:07 x", true, STAMP_FAST_NO, 0, 0},
	    {"Nov 24 05:06:07 mail", true, STAMP_FAST_NO, 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct span line = span_of(table[i].line);
		struct stamp_fast_match m = {0};
		struct stamp_fields f;
		enum stamp_fast r = table[i].is_iso ? stamp_fast_iso(line, &m, &f)
						    : stamp_fast_syslog(line, &m, &f);

		if (r != table[i].answer || m.end != table[i].end ||
		    m.seen != table[i].seen)
			fail_msg("'%s': %d, ends at %zu, %zu seen", table[i].line,
			    (int)r, m.end, m.seen);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_iso),
	    cmocka_unit_test(test_syslog),
	    cmocka_unit_test(test_defaults),
	    cmocka_unit_test(test_seen),
	};

	tzset();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
