/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz_stamp - any lines, some zones, any datepattern
 *
 * The first byte says which templates (mostly those that are read by hand, as that is
 * where one can go wrong; or the second line is a datepattern; or the defaults), the
 * second which zone. Then lines, read at times that move on. Reading by hand and by
 * regex must agree, and what is cut out lies within the line.
 */

#include <assert.h>

#include "fuzz.h"
#include "match/stamp.h"

#define NOW INT64_C(1795490000)
#define BY_HAND "{^LN-BEG}ISO8601\n{^LN-BEG}(?:%a )?%b %d %k:%M:%S(?:\\.%f)?(?: %ExY)?"

static void play(struct stamp *hand, struct stamp *regex, struct span lines)
{
	wall_t now = wall_from_sec(NOW);
	struct span line;

	while (span_next_line(&lines, &line)) {
		struct stamp_result a = {0}, b = {0};
		bool is_a = stamp_find(hand, line, now, &a);
		bool is_b = stamp_find(regex, line, now, &b);

		stamp_keep(hand, now);
		stamp_keep(regex, now);
		assert(is_a == is_b);
		assert(a.start == b.start && a.end == b.end && a.at.us == b.at.us);
		assert(a.start <= a.end && a.end <= line.n);
		now.us += (int64_t)(line.n % 16) * 7 * US_PER_SEC;
	}
}

static struct stamp *make(const char *pattern, uint8_t zone, bool by_hand)
{
	static const char *const zones[] = {NULL, NULL, "UTC", "EST", "CET+0130"};
	struct stamp_options o = {
	    .datepattern = pattern,
	    .timezone = zones[zone % ARRAY_LEN(zones)],
	};
	struct err e;
	struct stamp *s = stamp_new(&o, &e);

	if (s)
		stamp_use_hand(s, by_hand);
	return s;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	CLEANUP(freep) char *own = NULL;
	CLEANUP(stamp_freep) struct stamp *hand = NULL, *regex = NULL;
	struct span rest = {(const char *)bytes, n}, line;
	const char *pattern = BY_HAND;

	if (n < 3)
		return 0;
	rest = span_skip(rest, 2);
	if (bytes[0] == 'p') {
		(void)span_next_line(&rest, &line);
		own = span_dup(line);
		pattern = own;
	} else if (bytes[0] == 'd') {
		pattern = NULL;
	}
	hand = make(pattern, bytes[1], true);
	regex = make(pattern, bytes[1], false);
	assert(!hand == !regex);
	if (hand && regex)
		play(hand, regex, rest);
	return 0;
}
