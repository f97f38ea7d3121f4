/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "enforce/guard.h"

#include <errno.h>
#include <string.h>

#include "base/netset.h"
#include "enforce/guard_sources.h"

/* A second's worth of bans may come at once. */
#define BUCKET_SEC 1

struct guard {
	struct guard_options options; /* without the networks */
	struct netset *sets[GUARD_N_REASONS];
	struct net *own;
	size_t n_own;
	double tokens;
	mono_t filled_at;
	uint64_t n_refused[GUARD_N_REASONS];
};

/* Reasons that are a set of networks, in the order in which they are told. */
static const enum guard_reason set_reasons[] = {
    GUARD_OWN, GUARD_GATEWAY, GUARD_RESOLVER, GUARD_IGNORED};

static const char *const texts[GUARD_N_REASONS] = {
    [GUARD_OK] = "allowed",
    [GUARD_OWN] = "an address of this machine",
    [GUARD_GATEWAY] = "this machine's gateway",
    [GUARD_RESOLVER] = "this machine's resolver",
    [GUARD_SPECIAL] = "a loopback, link-local or multicast address",
    [GUARD_IGNORED] = "protected by neverban",
    [GUARD_TOO_WIDE] = "a wider network than minprefix allows",
    [GUARD_TOO_FAST] = "over the limit of bans a second",
};

const char *guard_reason_text(enum guard_reason r)
{
	return r < GUARD_N_REASONS ? texts[r] : "refused";
}

struct guard *guard_new(const struct guard_options *o)
{
	CLEANUP(guard_freep) struct guard *g = calloc(1, sizeof(*g));

	if (!g)
		return NULL;
	g->options = *o;
	g->options.ignore = NULL;
	g->options.n_ignore = 0;
	g->tokens = (double)o->max_per_sec * BUCKET_SEC;
	g->filled_at = (mono_t){INT64_MIN};
	for (size_t i = 0; i < ARRAY_LEN(set_reasons); i++) {
		g->sets[set_reasons[i]] = netset_new();
		if (!g->sets[set_reasons[i]])
			return NULL;
	}
	for (size_t i = 0; i < o->n_ignore; i++) {
		if (netset_add(g->sets[GUARD_IGNORED], &o->ignore[i]) < 0)
			return NULL;
	}
	return TAKE(g);
}

struct guard *guard_free(struct guard *g)
{
	if (!g)
		return NULL;
	for (int i = 0; i < GUARD_N_REASONS; i++)
		netset_free(g->sets[i]);
	free(g->own);
	free(g);
	return NULL;
}

static int add_own(struct guard *g, const struct net *n)
{
	struct net *more = realloc(g->own, (g->n_own + 1) * sizeof(*more));

	if (!more)
		return -ENOMEM;
	g->own = more;
	more[g->n_own++] = *n;
	return 0;
}

int guard_add(struct guard *g, enum guard_reason reason, const struct net *n)
{
	if (reason >= GUARD_N_REASONS || !g->sets[reason])
		return -EINVAL;
	int r = netset_add(g->sets[reason], n);

	return r || reason != GUARD_OWN ? r : add_own(g, n);
}

struct refill {
	struct netset *set;
	struct guard *own_of; /* when the list of own addresses is filled too */
};

static int take(void *ctx, const struct net *n)
{
	struct refill *f = ctx;
	int r = netset_add(f->set, n);

	return r || !f->own_of ? r : add_own(f->own_of, n);
}

/* Fill a fresh set; the old one stays where the source cannot be read. */
static int refill(struct guard *g, enum guard_reason reason,
    int (*source)(guard_source_fn fn, void *ctx))
{
	struct guard fresh = {0};
	CLEANUP(netset_freep) struct netset *set = netset_new();
	struct refill f = {.set = set, .own_of = reason == GUARD_OWN ? &fresh : NULL};
	int r = set ? source(take, &f) : -ENOMEM;

	if (r < 0) {
		free(fresh.own);
		return r;
	}
	netset_free(g->sets[reason]);
	g->sets[reason] = TAKE(set);
	if (reason == GUARD_OWN) {
		free(g->own);
		g->own = fresh.own;
		g->n_own = fresh.n_own;
	}
	return 0;
}

int guard_refresh(struct guard *g)
{
	int own = refill(g, GUARD_OWN, guard_read_own);
	int gateways = refill(g, GUARD_GATEWAY, guard_read_gateways);
	int resolvers = refill(g, GUARD_RESOLVER, guard_read_resolvers);

	return own ? own : gateways ? gateways : resolvers;
}

static bool is_too_wide(const struct guard *g, const struct net *n)
{
	unsigned int min =
	    net_is_v4(n) ? g->options.min_prefix_v4 : g->options.min_prefix_v6;

	return net_prefix_len(n) < min;
}

/* Also a network around the addresses that a machine talks to itself and its
 * neighbours with. */
static bool is_special(const struct net *n)
{
	static const struct span inside[] = {
	    {"127.0.0.1", 9}, {"169.254.1.1", 11}, {"::1", 3}, {"fe80::1", 7}};
	struct net one;

	for (size_t i = 0; i < ARRAY_LEN(inside); i++) {
		if (net_parse(inside[i], &one) == 0 && net_contains(n, &one))
			return true;
	}
	return net_is_special(n);
}

/* A bucket that fills with time; one token a ban. */
static bool take_token(struct guard *g, mono_t now)
{
	double cap = (double)g->options.max_per_sec * BUCKET_SEC;

	if (!g->options.max_per_sec)
		return true;
	if (g->filled_at.us != INT64_MIN && now.us > g->filled_at.us)
		g->tokens += (double)(now.us - g->filled_at.us) / (double)US_PER_SEC *
			     (double)g->options.max_per_sec;
	if (g->tokens > cap)
		g->tokens = cap;
	g->filled_at = now;
	if (g->tokens < 1)
		return false;
	g->tokens -= 1;
	return true;
}

static enum guard_reason judge(const struct guard *g, const struct net *n)
{
	for (size_t i = 0; i < ARRAY_LEN(set_reasons); i++) {
		if (netset_overlaps(g->sets[set_reasons[i]], n))
			return set_reasons[i];
	}
	if (is_special(n))
		return GUARD_SPECIAL;
	return is_too_wide(g, n) ? GUARD_TOO_WIDE : GUARD_OK;
}

enum guard_reason guard_check(struct guard *g, const struct net *n, mono_t now)
{
	enum guard_reason r = judge(g, n);

	if (r == GUARD_OK && !take_token(g, now))
		r = GUARD_TOO_FAST;
	if (r != GUARD_OK)
		g->n_refused[r]++;
	return r;
}

enum guard_reason guard_check_again(struct guard *g, const struct net *n)
{
	enum guard_reason r = judge(g, n);

	if (r != GUARD_OK)
		g->n_refused[r]++;
	return r;
}

uint64_t guard_n_refused(const struct guard *g, enum guard_reason r)
{
	return r < GUARD_N_REASONS ? g->n_refused[r] : 0;
}

size_t guard_own(const struct guard *g, const struct net **out)
{
	*out = g->own;
	return g->n_own;
}
