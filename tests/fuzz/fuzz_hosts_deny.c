/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz_hosts_deny - whatever the file holds, other people's bytes stay
 *
 * The first byte counts the bans, two bytes for each follow; the rest is the old file.
 * Its middle is also taken as the place where our block stood.
 */

#include <assert.h>
#include <stdlib.h>

#include "enforce/hosts_deny.h"
#include "fuzz.h"

#define CAP (1 << 22)

static struct buf render(const struct hosts_deny *h, struct span old)
{
	struct buf b = BUF_INIT(CAP);
	/* Of exact size, so that reading beyond it is noticed. */
	char *copy = malloc(old.n + !old.n);

	assert(copy);
	memcpy(copy, old.p, old.n);
	hosts_deny_render(h, (struct span){copy, old.n}, &b);
	assert(!b.failed);
	free(copy);
	return b;
}

static struct hosts_deny *bans(struct span *in)
{
	struct hosts_deny *h = hosts_deny_open("/nonexistent", "ALL");
	size_t n = in->n ? (unsigned char)in->p[0] % 16 : 0;

	assert(h);
	*in = span_skip(*in, 1);
	for (; n > 0 && in->n >= 2; n--, *in = span_skip(*in, 2)) {
		uint8_t a = (uint8_t)in->p[0], len = (uint8_t)in->p[1];
		struct net net = {.addr = {0x20, 1, 0xd, 0xb8, a}, .bits = 128};

		if (a & 1)
			net = net_from_v4(a * UINT32_C(0x01000193));
		net = net_mask(net, len & 0x7f);
		assert(hosts_deny_add(h, &net) == 0);
		if (len & 0x80)
			hosts_deny_remove(h, &net);
	}
	return h;
}

static bool has_mark(struct span s)
{
	return span_find(s, SPAN("# bandog:")) >= 0;
}

/* @whole is @front, perhaps with the newline that it lacked, and then @rest. */
static void check_front(struct span whole, struct span front, struct span rest)
{
	assert(span_starts(whole, front));
	whole = span_skip(whole, front.n);
	if (rest.n && front.n && front.p[front.n - 1] != '\n') {
		assert(span_starts(whole, SPAN("\n")));
		whole = span_skip(whole, 1);
	}
	assert(span_eq(whole, rest));
}

/* Put our block between two parts of a file, take it out again. */
static void check_middle(const struct hosts_deny *h, const struct hosts_deny *none,
    struct span front, struct span rest)
{
	struct buf with = render(h, front);
	size_t n_front = with.n;
	struct buf out;

	buf_add_span(&with, rest);
	out = render(none, buf_span(&with));
	check_front(buf_span(&out), front, rest);
	assert(out.n <= n_front + rest.n);
	buf_deinit(&with);
	buf_deinit(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct span old = {n ? (const char *)bytes : "", n};
	struct hosts_deny *none = hosts_deny_open("/nonexistent", "ALL");
	struct hosts_deny *h = bans(&old);
	struct buf block = render(h, SPAN(""));
	struct buf out = render(h, old);
	struct buf again = render(h, buf_span(&out));
	struct buf without = render(none, buf_span(&out));
	struct buf others = render(none, old);

	assert(none);
	assert(span_ends(buf_span(&out), buf_span(&block)));
	assert(span_eq(buf_span(&again), buf_span(&out)));
	assert(out.n <= old.n + 1 + block.n);
	assert(without.n >= others.n && without.n <= others.n + 1);
	assert(span_starts(buf_span(&without), buf_span(&others)));
	if (!has_mark(old)) {
		check_front(buf_span(&out), old, buf_span(&block));
		if (block.n)
			check_middle(h, none, (struct span){old.p, old.n / 2},
			    span_skip(old, old.n / 2));
	}
	buf_deinit(&block);
	buf_deinit(&out);
	buf_deinit(&again);
	buf_deinit(&without);
	buf_deinit(&others);
	hosts_deny_close(h);
	hosts_deny_close(none);
	return 0;
}
