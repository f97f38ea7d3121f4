/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * guard - the last word before the kernel: what is never banned, whoever asks
 *
 * Lives in the enforcer and trusts nothing that the engine says. Refuses this machine's
 * own addresses, default gateways, resolvers, special addresses (loopback, link-local,
 * multicast), ignored networks, peers of login sessions that are open now, prefixes
 * shorter than the minimum, and more orders a second than the cap. Each refusal is
 * counted by reason.
 */

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/net.h"

struct guard;

struct guard_options {
	unsigned int min_prefix_v4; /* shortest that may be banned, e.g. 16 */
	unsigned int min_prefix_v6; /* e.g. 32 */
	unsigned int max_per_sec;   /* bans per second; 0: no cap */
	const struct net
	    *ignore; /* ignoreip that holds for all jails, and `never_ban` */
	size_t n_ignore;
	bool protect_logins; /* see guard_logins.h */
};

enum guard_reason {
	GUARD_OK = 0,
	GUARD_OWN = 1,
	GUARD_GATEWAY,
	GUARD_RESOLVER,
	GUARD_SPECIAL,
	GUARD_IGNORED,
	GUARD_TOO_WIDE,
	GUARD_LOGGED_IN,
	GUARD_TOO_FAST, /* try this one again later; the last of them */
	GUARD_N_REASONS,
};

/* What the guard knows now and did not know before. */
struct guard_news {
	enum guard_reason reason;
	struct net net;
};

struct guard *guard_new(const struct guard_options *o); /* NULL: out of memory */
struct guard *guard_free(struct guard *g);
DEFINE_CLEANUP(struct guard *, guard_free)

/**
 * guard_refresh() - read own addresses (getifaddrs), default gateways (rtnetlink) and
 *                   resolvers (/etc/resolv.conf) anew
 *
 * Return: 0, or negative errno of the first source that could not be read; what could
 * be read counts, what could not keeps its old content.
 */
int guard_refresh(struct guard *g);

/* What the last guard_refresh() has brought; at the first one that is all. */
size_t guard_news(const struct guard *g, const struct guard_news **out);

/* For tests, and for what guard_refresh() cannot know. */
int guard_add(struct guard *g, enum guard_reason reason, const struct net *n);

/* May @n be banned? A network that reaches over a protected address is refused too. */
enum guard_reason guard_check(struct guard *g, const struct net *n, mono_t now);
/* The same of one that has to wait anyway: never GUARD_OK, and it takes no place in the
 * second. */
enum guard_reason guard_check_late(struct guard *g, const struct net *n, mono_t now);
/* The same for a ban that is told again, which the cap does not count. */
enum guard_reason guard_check_again(struct guard *g, const struct net *n, mono_t now);

const char *guard_reason_text(enum guard_reason r); /* "an address of this machine" */
const char *guard_reason_name(enum guard_reason r); /* "own": a word for programs */
uint64_t guard_n_refused(const struct guard *g, enum guard_reason r);

/* Own addresses as last read, each once; for the engine's ignoreself. */
size_t guard_own(const struct guard *g, const struct net **out);
/* Has the last guard_refresh() found others than the one before? */
bool guard_own_changed(const struct guard *g);

/* How the last look at login sessions went: 0 or negative errno. */
int guard_logins_state(const struct guard *g);
