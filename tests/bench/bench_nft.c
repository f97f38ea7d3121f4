/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a ban costs in the kernel, in a network namespace of its own.
 *
 *   bench_nft [elements]
 */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "enforce/nft.h"

#define N_SINGLE 5000
#define HOUR_MS INT64_C(3600000)

static const struct nft_target targets[] = {
    {.name = "bench", .protocol = IPPROTO_TCP, .n_ports = 1, .ports = {{25, 25}}},
};

static bool is_counted = true;

static void die(const char *what, const struct err *e)
{
	fprintf(stderr, "bench_nft: %s: %s\n", what, e ? e->text : "failed");
	exit(1);
}

static int64_t now_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* Scattered over the address space, each but once: the factor is odd. */
static struct net address(uint32_t i, bool is_v6)
{
	struct net n = net_from_v4((i + 1) * UINT32_C(2654435761));

	if (is_v6) {
		memset(n.addr, 0, 12);
		n.addr[0] = 0x20;
	}
	return n;
}

static void apply(struct nft *n, const struct nft_change *c, size_t n_changes)
{
	struct err e = {""};

	if (nft_apply(n, c, n_changes, NULL, NULL, &e) < 0)
		die("apply", &e);
}

static int by_value(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static void single(struct nft *n, const char *what, uint32_t from, bool add)
{
	static int64_t took_ns[N_SINGLE];

	for (uint32_t i = 0; i < N_SINGLE; i++) {
		struct nft_change c = {
		    add, 0, address(from + i, false), HOUR_MS, false};
		int64_t start = now_ns();

		apply(n, &c, 1);
		took_ns[i] = now_ns() - start;
	}
	qsort(took_ns, N_SINGLE, sizeof(took_ns[0]), by_value);
	printf("%-44s p50 %6.1f us  p99 %6.1f us\n", what,
	    (double)took_ns[N_SINGLE / 2] / 1000,
	    (double)took_ns[N_SINGLE * 99 / 100] / 1000);
}

static void bulk(
    struct nft *n, const char *what, uint32_t n_elements, bool is_v6, bool add)
{
	struct nft_change *c = calloc(n_elements, sizeof(*c));
	int64_t start;

	if (!c)
		die("memory", NULL);
	for (uint32_t i = 0; i < n_elements; i++)
		c[i] = (struct nft_change){
		    add, 0, address(i, is_v6), HOUR_MS, !is_counted};
	start = now_ns();
	apply(n, c, n_elements);
	printf("%-44s %8u in %7.1f ms: %8.0f/s\n", what, n_elements,
	    (double)(now_ns() - start) / 1e6,
	    (double)n_elements * 1e9 / (double)(now_ns() - start));
	free(c);
}

static void counters(struct nft *n, uint32_t n_elements)
{
	uint32_t n_asked = n_elements < N_SINGLE ? n_elements : N_SINGLE;
	int64_t start = now_ns();
	uint64_t packets, bytes;

	for (uint32_t i = 0; i < n_asked; i++) {
		struct net one = address(i, false);

		if (nft_counter(n, 0, &one, &packets, &bytes) < 0)
			die("counter", NULL);
	}
	printf("%-44s mean %5.1f us\n", "ask for one counter",
	    (double)(now_ns() - start) / 1000 / n_asked);
}

static void checks(struct nft *n)
{
	int64_t start = now_ns();

	for (int i = 0; i < 1000; i++) {
		if (nft_intact(n) != 1)
			die("intact", NULL);
	}
	printf("%-44s mean %5.1f us\n", "does the table stand?",
	    (double)(now_ns() - start) / 1000 / 1000);
	start = now_ns();
	for (int i = 0; i < 1000; i++)
		(void)nft_generation(n);
	printf("%-44s mean %5.1f us\n", "generation",
	    (double)(now_ns() - start) / 1000 / 1000);
}

static void setup(struct nft *n)
{
	struct err e = {""};

	if (nft_setup(n, targets, 1, &e) < 0)
		die("setup", &e);
}

int main(int argc, char **argv)
{
	uint32_t n_elements = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 100000;
	struct err e = {""};
	struct nft *n;

	if (unshare(CLONE_NEWNET) < 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0)
		die("no network namespace", NULL);
	n = nft_open(&nft_own_place, &e);
	if (!n)
		die("open", &e);
	setup(n);
	single(n, "add one, empty set", 0, true);
	single(n, "prolong one", 0, true);
	single(n, "remove one", 0, false);
	single(n, "remove an absent one", 0, false);
	bulk(n, "add in bulk, with counters", n_elements, false, true);
	bulk(n, "prolong in bulk", n_elements, false, true);
	single(n, "add one beside them", n_elements, true);
	single(n, "remove one", n_elements, false);
	counters(n, n_elements);
	checks(n);
	bulk(n, "remove in bulk", n_elements, false, false);
	bulk(n, "add in bulk, IPv6, with counters", n_elements, true, true);

	bulk(n, "remove in bulk, IPv6", n_elements, true, false);
	is_counted = false;
	bulk(n, "add in bulk, without counters", n_elements, false, true);
	bulk(n, "add in bulk, IPv6, without counters", n_elements, true, true);
	nft_close(n);
	return 0;
}
