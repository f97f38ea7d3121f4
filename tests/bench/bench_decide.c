/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a hit costs, and what an address takes, with many distinct addresses.
 *
 *   bench_decide [max-addresses]
 */
#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/str.h"
#include "decide/engine.h"

#define START INT64_C(1795000000)

static size_t heap_bytes(void)
{
	struct mallinfo2 m = mallinfo2();

	return m.uordblks + m.hblkhd;
}

static struct net address(uint32_t i)
{
	/* Scattered over the address space, each but once: the factor is odd. */
	return net_from_v4((i + 1) * UINT32_C(2654435761));
}

struct run {
	const char *name;
	uint32_t n_addresses;
	unsigned int n_rounds;
	uint32_t maxretry;
	struct span text;
};

static void report(const struct run *r, int64_t us, size_t bytes, struct engine *e)
{
	double n = (double)r->n_addresses;
	struct engine_bounds b;

	engine_bounds(e, &b);
	printf("%-34s %8u addresses: %6.0f ns/hit", r->name, r->n_addresses,
	    (double)us * 1000 / (n * r->n_rounds));
	if (b.n_tracked)
		printf(", %5.1f bytes/address", (double)bytes / (double)b.n_tracked);
	if (b.n_bans)
		printf(", %5.1f bytes/ban", (double)bytes / (double)b.n_bans);
	printf("\n");
}

static void bench(const struct run *r)
{
	const struct engine_jail jail = {.name = "bench",
	    .findtime_sec = 86400,
	    .maxretry = r->maxretry,
	    .bantime_sec = -1,
	    .maxmatches = r->text.n ? 5 : 0};
	const struct engine_options o = {.jails = &jail, .n_jails = 1};
	CLEANUP(engine_freep) struct engine *e = engine_new(&o);
	CLEANUP(orders_deinit) struct orders orders = {0};
	size_t before = heap_bytes();
	mono_t start = mono_now();
	int64_t us;

	for (unsigned int round = 0; round < r->n_rounds; round++)
		for (uint32_t i = 0; i < r->n_addresses; i++) {
			struct hit h = {.net = address(i),
			    .weight = 1,
			    .at = wall_from_sec(START + round * 60 + i % 60),
			    .text = r->text};

			if (engine_feed(e, &h, h.at, &orders) < 0)
				abort();
			if (orders.n >= 512)
				orders_clear(&orders);
		}
	us = mono_now().us - start.us;
	orders_clear(&orders);
	report(r, us, heap_bytes() - before, e);
}

int main(int argc, char **argv)
{
	static char line[160];
	uint32_t max = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 1000000;

	memset(line, 'x', sizeof(line));
	for (uint32_t n = 100000; n <= max; n *= 10) {
		struct span text = {line, sizeof(line)};
		const struct run runs[] = {
		    {"one failure each", n, 1, 5, {0}},
		    {"two failures each", n, 2, 5, {0}},
		    {"four failures each", n, 4, 5, {0}},
		    {"two failures each, lines kept", n, 2, 5, text},
		    {"banned at the first failure", n, 1, 1, {0}},
		};

		for (size_t i = 0; i < ARRAY_LEN(runs); i++)
			bench(&runs[i]);
	}
	return 0;
}
