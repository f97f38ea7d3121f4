/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bytes.h"
#include "decide/evidence.h"

#define N_OWNERS 8

struct owners {
	uint32_t text[N_OWNERS]; /* the newest line of each */
};

static uint32_t add(struct evidence_ring *r, struct owners *o, uint32_t owner,
    int64_t at, struct span text)
{
	uint32_t ref =
	    evidence_ring_add(r, owner, o->text[owner], (wall_t){at}, 3, -2, text);

	if (ref)
		o->text[owner] = ref;
	return ref;
}

static struct evidence_line get(
    const struct evidence_ring *r, uint32_t owner, uint32_t ref)
{
	struct evidence_line line;

	assert_true(evidence_ring_get(r, owner, ref, &line));
	return line;
}

static bool has(const struct evidence_ring *r, uint32_t owner, uint32_t ref)
{
	struct evidence_line line;

	return evidence_ring_get(r, owner, ref, &line);
}

static void test_a_chain_for_each_owner(void **state)
{
	struct owners o = {0};
	CLEANUP(evidence_ring_freep)
	struct evidence_ring *r = evidence_ring_new(4096);
	struct evidence_line line;

	(void)state;
	(void)add(r, &o, 1, 10, SPAN("one"));
	(void)add(r, &o, 2, 11, SPAN("other"));
	(void)add(r, &o, 1, 12, (struct span){NULL, 0});
	(void)add(r, &o, 1, 13, SPAN(""));
	line = get(r, 1, o.text[1]);
	assert_int_equal(line.at.us, 13);
	assert_int_equal(line.rule, 3);
	assert_int_equal(line.weight, -2);
	assert_string_equal(line.text, "");
	line = get(r, 1, line.before);
	assert_int_equal(line.at.us, 12);
	assert_null(line.text);
	line = get(r, 1, line.before);
	assert_string_equal(line.text, "one");
	assert_int_equal(line.before, 0);
	assert_int_equal(get(r, 2, o.text[2]).before, 0);
	assert_false(has(r, 2, o.text[1])); /* another's */
	assert_false(has(r, 1, 0));
}

static void test_cuts_and_cleans(void **state)
{
	struct owners o = {0};
	CLEANUP(evidence_ring_freep)
	struct evidence_ring *r = evidence_ring_new(4096);
	static char text[1000];
	char *kept;

	(void)state;
	memset(text, 'x', sizeof(text));
	text[3] = '\0';
	(void)add(r, &o, 1, 0, (struct span){text, EVIDENCE_LINE_BYTES});
	kept = get(r, 1, o.text[1]).text;
	assert_int_equal(strlen(kept), EVIDENCE_LINE_BYTES);
	assert_int_equal(kept[3], '?');
	(void)add(r, &o, 1, 0, (struct span){text, EVIDENCE_LINE_BYTES + 1});
	kept = get(r, 1, o.text[1]).text;
	assert_int_equal(strlen(kept), EVIDENCE_LINE_BYTES);
}

static void test_drops_the_oldest(void **state)
{
	struct owners o = {0};
	/* Room for three lines of 32 bytes. */
	CLEANUP(evidence_ring_freep)
	struct evidence_ring *r = evidence_ring_new(96);
	struct evidence_line line;

	(void)state;
	for (uint32_t i = 1; i <= 3; i++)
		assert_true(add(r, &o, i, i, SPAN("1234567")) != 0);
	assert_true(has(r, 1, o.text[1]));
	(void)add(r, &o, 3, 4, SPAN("1234567"));
	assert_false(has(r, 1, o.text[1]));
	assert_true(has(r, 2, o.text[2]));
	/* 40 bytes: two must go; the chain ends where lines are gone. */
	(void)add(r, &o, 3, 5, SPAN("12345678"));
	assert_false(has(r, 2, o.text[2]));
	line = get(r, 3, o.text[3]);
	assert_int_equal(line.at.us, 5);
	line = get(r, 3, line.before);
	assert_int_equal(line.at.us, 4);
	assert_int_equal(line.before, 0);
}

static void test_too_small_a_ring(void **state)
{
	struct owners o = {0};
	CLEANUP(evidence_ring_freep)
	struct evidence_ring *r = evidence_ring_new(40);
	uint32_t ref;

	(void)state;
	ref = add(r, &o, 1, 0, SPAN("123456789012345"));
	assert_true(ref != 0);
	assert_int_equal(add(r, &o, 1, 0, SPAN("1234567890123456")), 0);
	assert_int_equal(o.text[1], ref);
	evidence_ring_free(r);
	r = evidence_ring_new(0);
	assert_int_equal(add(r, &o, 1, 0, (struct span){NULL, 0}), 0);
}

/* Whatever was added: each chain is the newest lines of its owner, without a gap. */
static void test_chains_are_whole(void **state)
{
	static uint8_t choices[20000];
	struct bytes in = {choices, sizeof(choices)};
	struct owners o = {0};
	CLEANUP(evidence_ring_freep)
	struct evidence_ring *r = evidence_ring_new(1000);
	int64_t n_added[N_OWNERS] = {0};
	size_t n_all = 0;
	static const char text[256] = "some line";

	(void)state;
	bytes_fill(1, choices, sizeof(choices));
	while (in.n > 0) {
		uint32_t owner = bytes_pick(&in, N_OWNERS);
		size_t n_kept = 0;
		int64_t at;

		(void)add(r, &o, owner, n_added[owner]++,
		    (struct span){text, bytes_next(&in)});
		for (uint32_t i = 0; i < N_OWNERS; i++) {
			struct evidence_line line = {.before = o.text[i]};

			at = n_added[i] - 1;
			for (; evidence_ring_get(r, i, line.before, &line); at--)
				assert_int_equal(line.at.us, at);
			/* What ends it is that the line is gone. */
			n_kept += (size_t)(n_added[i] - 1 - at);
		}
		/* None takes more than 280 of the 1,000 bytes, with what is left free.
		 */
		n_all++;
		assert_true(n_kept >= (n_all < 2 ? n_all : 2));
	}
}

/* So old that it leads into the midst of a text, which looks like a record. */
static void test_takes_any_number(void **state)
{
	static const uint8_t fills[] = {1, 'x', 0xff};
	struct owners o = {0};
	CLEANUP(evidence_ring_freep)
	struct evidence_ring *r = evidence_ring_new(1000);
	char text[300];

	(void)state;
	for (size_t i = 0; i < 200; i++) {
		uint8_t fill = fills[i % ARRAY_LEN(fills)];
		uint32_t last;

		memset(text, fill, sizeof(text));
		last = add(r, &o, 1, 0, (struct span){text, 37 * i % sizeof(text)});
		for (uint32_t ref = last - 200; ref != last + 200; ref++) {
			struct evidence_line line;

			if (evidence_ring_get(r, fill * 0x01010101u, ref, &line) &&
			    line.text)
				assert_true(strlen(line.text) < 1000);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_a_chain_for_each_owner),
	    cmocka_unit_test(test_cuts_and_cleans),
	    cmocka_unit_test(test_drops_the_oldest),
	    cmocka_unit_test(test_too_small_a_ring),
	    cmocka_unit_test(test_chains_are_whole),
	    cmocka_unit_test(test_takes_any_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
