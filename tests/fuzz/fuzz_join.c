/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz_join - any order of binding and asking, at any times
 *
 * Whatever comes: no more than the bound, and no address but the one that this very id
 * was bound to last (or by a younger line), not more than an hour away.
 */

#include <assert.h>
#include <string.h>

#include "fuzz.h"
#include "match/join.h"

#define ROOM 8
#define IDS 32 /* all in few buckets */
#define STEP_BYTES 4

/* What an id is bound to by a plain look at all that was said. */
struct last {
	bool is_set;
	uint8_t to;
	wall_t at;
};

static struct net address(uint8_t n)
{
	return net_from_v6((const uint8_t[16]){0x20, 0x01, [15] = n});
}

/* Half of the times lie close, half of them at odd places. */
static wall_t time_of(uint8_t n)
{
	static const int64_t odd[] = {INT64_MIN, INT64_MIN + 1, -1, 0, 1, INT64_MAX - 1,
	    INT64_MAX, INT64_C(1) << 60};

	if (n & 0x80)
		return (wall_t){odd[n % (sizeof(odd) / sizeof(odd[0]))]};
	return wall_from_sec(1124013600 + n * (int64_t)600);
}

static void bind_one(
    struct join *j, struct last *last, uint8_t id, uint8_t to, wall_t at)
{
	struct net n = address(to);
	int r = join_bind(j, id * UINT64_C(64), &n, at);

	assert(r == 0 || r == JOIN_YOUNGER);
	if (r == JOIN_YOUNGER)
		assert(last->is_set && last->to != to && at.us < last->at.us);
	else if (!last->is_set || at.us >= last->at.us || last->to != to)
		*last = (struct last){true, to, at};
}

static void ask(const struct join *j, const struct last *last, uint8_t id, wall_t at)
{
	struct net found, wanted = address(last->to);

	if (!join_find(j, id * UINT64_C(64), at, &found))
		return;
	assert(last->is_set && net_eq(&found, &wanted));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	CLEANUP(join_freep) struct join *j = join_new(ROOM);
	struct last last[IDS] = {0};

	assert(j);
	for (; n >= STEP_BYTES; bytes += STEP_BYTES, n -= STEP_BYTES) {
		uint8_t id = bytes[1] % IDS;

		if (bytes[0] & 1)
			bind_one(j, &last[id], id, bytes[2], time_of(bytes[3]));
		else
			ask(j, &last[id], id, time_of(bytes[3]));
		assert(join_count(j) <= ROOM);
	}
	return 0;
}
