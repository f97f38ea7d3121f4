/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "enforce/guard.h"

#include <errno.h>
#include <string.h>

#include "base/netset.h"
#include "enforce/guard_logins.h"
#include "enforce/guard_sources.h"

/* A second's worth of bans may come at once. */
#define BUCKET_SEC 1

/* What a reading of this machine's own state gives. */
struct reading {
	struct net *own;
	size_t n_own;
	struct guard_news *news;
	size_t n_news;
};

struct guard {
	struct guard_options options; /* without the networks */
	struct netset *sets[GUARD_N_REASONS];
	struct guard_logins *logins; /* NULL: not looked at */
	struct net *own;
	size_t n_own;
	bool own_changed;
	struct guard_news *news;
	size_t n_news;
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
    [GUARD_LOGGED_IN] = "the peer of a login session that is open now",
    [GUARD_TOO_FAST] = "over the limit of bans a second",
};

const char *guard_reason_text(enum guard_reason r)
{
	return r < GUARD_N_REASONS ? texts[r] : "refused";
}

static const char *const names[GUARD_N_REASONS] = {
    [GUARD_OK] = "none",
    [GUARD_OWN] = "own",
    [GUARD_GATEWAY] = "gateway",
    [GUARD_RESOLVER] = "resolver",
    [GUARD_SPECIAL] = "special",
    [GUARD_IGNORED] = "neverban",
    [GUARD_TOO_WIDE] = "too_wide",
    [GUARD_LOGGED_IN] = "logged_in",
    [GUARD_TOO_FAST] = "too_fast",
};

const char *guard_reason_name(enum guard_reason r)
{
	return r < GUARD_N_REASONS ? names[r] : "other";
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
	if (o->protect_logins) {
		g->logins = guard_logins_new(NULL, NULL);
		if (!g->logins)
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
	guard_logins_free(g->logins);
	free(g->own);
	free(g->news);
	free(g);
	return NULL;
}

static int add_own(struct net **own, size_t *n_own, const struct net *n)
{
	struct net *more = reallocarray(*own, *n_own + 1, sizeof(*more));

	if (!more)
		return -ENOMEM;
	*own = more;
	more[(*n_own)++] = *n;
	return 0;
}

int guard_add(struct guard *g, enum guard_reason reason, const struct net *n)
{
	if (reason >= GUARD_N_REASONS || !g->sets[reason])
		return -EINVAL;
	int r = netset_add(g->sets[reason], n);

	return r || reason != GUARD_OWN ? r : add_own(&g->own, &g->n_own, n);
}

struct refill {
	struct guard *g;
	enum guard_reason reason;
	struct netset *set;
	struct reading reading;
};

static void refill_deinit(struct refill *f)
{
	netset_free(f->set);
	free(f->reading.own);
	free(f->reading.news);
}

static bool has(const struct netset *set, const struct net *n)
{
	struct net found;

	return netset_find(set, n, &found) && net_eq(&found, n);
}

static int add_news(struct reading *r, enum guard_reason reason, const struct net *n)
{
	struct guard_news *more = reallocarray(r->news, r->n_news + 1, sizeof(*more));

	if (!more)
		return -ENOMEM;
	r->news = more;
	more[r->n_news++] = (struct guard_news){reason, *n};
	return 0;
}

static int take(void *ctx, const struct net *n)
{
	struct refill *f = ctx;
	struct reading *to = &f->reading;

	if (has(f->set, n))
		return 0; /* an address may stand on two interfaces */
	int r = netset_add(f->set, n);

	if (!r && f->reason == GUARD_OWN)
		r = add_own(&to->own, &to->n_own, n);
	if (!r && !has(f->g->sets[f->reason], n))
		r = add_news(to, f->reason, n);
	return r;
}

static int keep_news(struct guard *g, const struct reading *r)
{
	if (!r->n_news)
		return 0;
	struct guard_news *more =
	    reallocarray(g->news, g->n_news + r->n_news, sizeof(*more));

	if (!more)
		return -ENOMEM;
	g->news = more;
	memcpy(more + g->n_news, r->news, r->n_news * sizeof(*more));
	g->n_news += r->n_news;
	return 0;
}

/* Fill a fresh set; the old one stays where the source cannot be read. */
static int refill(struct guard *g, enum guard_reason reason,
    int (*source)(guard_source_fn fn, void *ctx))
{
	CLEANUP(refill_deinit)
	struct refill f = {.g = g, .reason = reason, .set = netset_new()};
	int r = f.set ? source(take, &f) : -ENOMEM;

	if (!r)
		r = keep_news(g, &f.reading);
	if (r < 0)
		return r;
	netset_free(g->sets[reason]);
	g->sets[reason] = TAKE(f.set);
	if (reason == GUARD_OWN) {
		g->own_changed = f.reading.n_news || f.reading.n_own != g->n_own;
		free(g->own);
		g->own = TAKE(f.reading.own);
		g->n_own = f.reading.n_own;
	}
	return 0;
}

int guard_refresh(struct guard *g)
{
	g->n_news = 0;
	g->own_changed = false;
	int own = refill(g, GUARD_OWN, guard_read_own);
	int gateways = refill(g, GUARD_GATEWAY, guard_read_gateways);
	int resolvers = refill(g, GUARD_RESOLVER, guard_read_resolvers);

	return own ? own : gateways ? gateways : resolvers;
}

size_t guard_news(const struct guard *g, const struct guard_news **out)
{
	*out = g->news;
	return g->n_news;
}

bool guard_own_changed(const struct guard *g)
{
	return g->own_changed;
}

int guard_logins_state(const struct guard *g)
{
	return g->logins ? guard_logins_error(g->logins) : 0;
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

static enum guard_reason judge(struct guard *g, const struct net *n, mono_t now)
{
	for (size_t i = 0; i < ARRAY_LEN(set_reasons); i++) {
		if (netset_overlaps(g->sets[set_reasons[i]], n))
			return set_reasons[i];
	}
	if (is_special(n))
		return GUARD_SPECIAL;
	if (is_too_wide(g, n))
		return GUARD_TOO_WIDE;
	/* Behind the others: only a ban that would be made is worth a look. */
	if (g->logins && guard_logins_meets(g->logins, n, now))
		return GUARD_LOGGED_IN;
	return GUARD_OK;
}

enum guard_reason guard_check(struct guard *g, const struct net *n, mono_t now)
{
	enum guard_reason r = judge(g, n, now);

	if (r == GUARD_OK && !take_token(g, now))
		r = GUARD_TOO_FAST;
	if (r != GUARD_OK)
		g->n_refused[r]++;
	return r;
}

enum guard_reason guard_check_again(struct guard *g, const struct net *n, mono_t now)
{
	enum guard_reason r = judge(g, n, now);

	if (r != GUARD_OK)
		g->n_refused[r]++;
	return r;
}

enum guard_reason guard_check_late(struct guard *g, const struct net *n, mono_t now)
{
	enum guard_reason r = judge(g, n, now);

	if (r == GUARD_OK)
		r = GUARD_TOO_FAST;
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
