/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * guard_logins - the other ends of the login sessions that are open now
 *
 * Two sources, whichever there are: the files that systemd-logind keeps of its sessions
 * (sd-login(3)), of which those of sshd count, and the records of utmp(5). Both are
 * written by root's programs once somebody has proved who he is; a connection that has
 * not done so stands in neither. A session counts as long as its process lives. What is
 * no address (a host name: UseDNS in sshd_config(5)) is passed over.
 *
 * Read when somebody asks and what is known is older than GUARD_LOGINS_AGE_SEC: who
 * bans nobody reads nothing. Bounded: GUARD_LOGINS_MAX sessions, so many files that are
 * looked at, and the size of each; what is beyond is an error that is kept for
 * guard_logins_error(), and what fits counts.
 */

#include <sys/types.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/net.h"

#define GUARD_LOGINS_AGE_SEC 1
#define GUARD_LOGINS_MAX 1024
#define GUARD_LOGINS_MAX_FILES 4096
#define GUARD_SESSION_MAX_BYTES 16384
#define GUARD_UTMP_MAX_BYTES (1 << 21)

struct guard_logins;

struct guard_login {
	struct net net;
	pid_t pid; /* > 0 */
};

/* Paths: NULL is the system's. NULL: out of memory. */
struct guard_logins *guard_logins_new(const char *utmp, const char *sessions);
struct guard_logins *guard_logins_free(struct guard_logins *l);
DEFINE_CLEANUP(struct guard_logins *, guard_logins_free)

/* Is @n, or lies inside or around @n, an address that somebody is logged in from? */
bool guard_logins_meets(struct guard_logins *l, const struct net *n, mono_t now);

/* The first thing that the last reading could not do; 0: nothing. A source that is not
 * there is no error. */
int guard_logins_error(const struct guard_logins *l);

/* --- parts, for tests: bytes in, a session out. False: it is none that counts. */
bool guard_login_of_session(struct span text, struct guard_login *out);
/* @record: sizeof(struct utmp) bytes, of any alignment */
bool guard_login_of_utmp(const void *record, struct guard_login *out);
