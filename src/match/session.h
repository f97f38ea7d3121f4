/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * session - lines that belong together by <F-MLFID>: one connection, one queue id
 *
 * The address may come in one line and the failure in another; a login that succeeds
 * takes back what was held against the session. Bounded: SESSIONS_MAX sessions of
 * SESSIONS_LIFE_SEC each, the oldest goes first; long values are cut.
 */

#include "base/clock.h"
#include "match/rule.h"

#define SESSIONS_MAX 100
#define SESSIONS_LIFE_SEC (5 * 60)
#define SESSION_VALUE_MAX 1024              /* bytes kept of one group */
#define SESSION_USERS_MAX 32                /* more than that are not told apart */
#define SESSION_LINES_BYTES_MAX (64 * 1024) /* of lines that are kept, if they are */

struct sessions;
struct session; /* valid until the next call */

/* What a session knows of the slots beyond their values. */
struct session_slots {
	uint8_t order[GROUPS_MAX]; /* as they came up */
	size_t n;
	bool is_there[GROUPS_MAX]; /* is in order; may be without a value */
	bool is_reset; /* by the last merge: nofail and gained count for nothing */
};

struct sessions *sessions_new(const struct group_names *names);
struct sessions *sessions_free(struct sessions *s);
DEFINE_CLEANUP(struct sessions *, sessions_free)

/**
 * sessions_merge() - add what a line said to its session
 * @g:       groups of the line, with GROUP_MLFID; then those of the whole session, as
 *           spans that live until the next call
 * @n_lines: lines that matched
 * @now:     settles which sessions are too old
 * @out:     the session
 *
 * When @g has GROUP_NOFAIL afterwards, there is no failure to report.
 *
 * Return: 0 or -ENOMEM.
 */
int sessions_merge(struct sessions *s, struct groups *g, uint32_t n_lines, wall_t now,
    struct session **out);

/*
 * What the next sessions_merge() counts as lines, as any bytes: kept with the session
 * for session_lines(). Only for those who want to show them; what is over the bound is
 * left out. @lines must stay until then.
 */
void sessions_give_lines(struct sessions *s, struct span lines);
struct span session_lines(const struct session *s);

/* Room beside the groups, for whoever wants to know their order; zero at first. */
struct session_slots *session_slots(struct session *s); /* NULL: no memory */

/* The failure is reported by a later line, one that brings an address. */
void session_set_pending(struct session *s);

uint32_t session_n_lines(const struct session *s); /* that speak for the failure */
size_t session_n_users(const struct session *s);
void session_add_users(const struct session *s, struct buf *out); /* one on a line */

size_t sessions_count(const struct sessions *s);
uint64_t sessions_n_evicted(const struct sessions *s); /* young, but no room */
