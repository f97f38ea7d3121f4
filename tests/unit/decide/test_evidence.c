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
	int n_dropped;
};

static void on_drop(void *ctx, uint32_t owner, uint32_t ref)
{
	struct owners *o = ctx;

	assert_true(owner < N_OWNERS);
	o->n_dropped++;
	if (o->text[owner] == ref)
		o->text[owner] = 0;
}

static uint32_t add(struct evidence_ring *r, struct owners *o, uint32_t owner,
    int64_t at, struct span text)
{
	uint32_t ref =
	    evidence_ring_add(r, owner, o->text[owner], (wall_t){at}, 3, -2, text);

	if (ref)
		o->text[owner] = ref;
	return ref;
}

static void test_a_chain_for_each_owner(void **state)
{
	struct owners o = {.n_dropped = 0};
	CLEANUP(evidence_ring_freep)
	struct evidence_ring *r = evidence_ring_new(4096, on_drop, &o);
	struct evidence_line line;

	(void)state;
	(void)add(r, &o, 1, 10, SPAN("one"));
	(void)add(r, &o, 2, 11, SPAN("other"));
	(void)add(r, &o, 1, 12, (struct span){NULL, 0});
	(void)add(r, &o, 1, 13, SPAN(""));
	line = evidence_ring_get(r, o.text[1]);
	assert_int_equal(line.at.us, 13);
	assert_int_equal(line.rule, 3);
	assert_int_equal(line.weight, -2);
	assert_string_equal(line.text, "");
	line = evidence_ring_get(r, line.before);
	assert_int_equal(line.at.us, 12);
	assert_null(line.text);
	line = evidence_ring_get(r, line.before);
	assert_string_equal(line.text, "one");
	assert_int_equal(line.before, 0);
	assert_int_equal(evidence_ring_get(r, o.text[2]).before, 0);
	assert_int_equal(o.n_dropped, 0);
}

static void test_cuts_and_cleans(void **state)
{
	struct owners o = {.n_dropped = 0};
	CLEANUP(evidence_ring_freep)
	struct evidence_ring *r = evidence_ring_new(4096, on_drop, &o);
	static char text[1000];
	char *kept;

	(void)state;
	memset(text, 'x', sizeof(text));
	text[3] = '\0';
	(void)add(r, &o, 1, 0, (struct span){text, EVIDENCE_LINE_BYTES});
	kept = evidence_ring_get(r, o.text[1]).text;
	assert_int_equal(strlen(kept), EVIDENCE_LINE_BYTES);
	assert_int_equal(kept[3], '?');
	(void)add(r, &o, 1, 0, (struct span){text, EVIDENCE_LINE_BYTES + 1});
	kept = evidence_ring_get(r, o.text[1]).text;
	assert_int_equal(strlen(kept), EVIDENCE_LINE_BYTES);
}

static void test_drops_the_oldest(void **state)
{
	struct owners o = {.n_dropped = 0};
	/* Room for three lines of 32 bytes. */
	CLEANUP(evidence_ring_freep)
	struct evidence_ring *r = evidence_ring_new(96, on_drop, &o);
	struct evidence_line line;

	(void)state;
	for (uint32_t i = 1; i <= 3; i++)
		assert_true(add(r, &o, i, i, SPAN("1234567")) != 0);
	assert_int_equal(o.n_dropped, 0);
	(void)add(r, &o, 3, 4, SPAN("1234567"));
	assert_int_equal(o.n_dropped, 1);
	assert_int_equal(o.text[1], 0);
	assert_true(o.text[2] != 0);
	/* 40 bytes: two must go; the chain ends where lines are gone. */
	(void)add(r, &o, 3, 5, SPAN("12345678"));
	assert_int_equal(o.text[2], 0);
	line = evidence_ring_get(r, o.text[3]);
	assert_int_equal(line.at.us, 5);
	line = evidence_ring_get(r, line.before);
	assert_int_equal(line.at.us, 4);
	assert_int_equal(line.before, 0);
}

static void test_too_small_a_ring(void **state)
{
	struct owners o = {.n_dropped = 0};
	CLEANUP(evidence_ring_freep)
	struct evidence_ring *r = evidence_ring_new(40, on_drop, &o);
	uint32_t ref;

	(void)state;
	ref = add(r, &o, 1, 0, SPAN("123456789012345"));
	assert_true(ref != 0);
	assert_int_equal(add(r, &o, 1, 0, SPAN("1234567890123456")), 0);
	assert_int_equal(o.text[1], ref);
	evidence_ring_free(r);
	r = evidence_ring_new(0, on_drop, &o);
	assert_int_equal(add(r, &o, 1, 0, (struct span){NULL, 0}), 0);
}

/* Whatever was added: each chain is the newest lines of its owner, without a gap. */
static void test_chains_are_whole(void **state)
{
	static uint8_t choices[20000];
	struct bytes in = {choices, sizeof(choices)};
	struct owners o = {.n_dropped = 0};
	CLEANUP(evidence_ring_freep)
	struct evidence_ring *r = evidence_ring_new(1000, on_drop, &o);
	int64_t n_added[N_OWNERS] = {0};
	static const char text[256] = "some line";

	(void)state;
	bytes_fill(1, choices, sizeof(choices));
	while (in.n > 0) {
		uint32_t owner = bytes_pick(&in, N_OWNERS), ref;
		int64_t at;

		(void)add(r, &o, owner, n_added[owner]++,
		    (struct span){text, bytes_next(&in)});
		for (uint32_t i = 0; i < N_OWNERS; i++) {
			ref = o.text[i];
			for (at = n_added[i] - 1; ref; at--) {
				struct evidence_line line = evidence_ring_get(r, ref);

				assert_int_equal(line.at.us, at);
				ref = line.before;
			}
		}
	}
	assert_true(o.n_dropped > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_a_chain_for_each_owner),
	    cmocka_unit_test(test_cuts_and_cleans),
	    cmocka_unit_test(test_drops_the_oldest),
	    cmocka_unit_test(test_too_small_a_ring),
	    cmocka_unit_test(test_chains_are_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
