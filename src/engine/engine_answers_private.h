/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * engine_answers_private - what the files behind a client's answers share
 *
 *   engine_answers.c      requests, and answers that wait for others
 *   engine_answers_now.c  answers that the engine has at hand: ping, status, banned
 *   engine_answers_weigh.c   what speaks against an address, and for it
 *   engine_answers_report.c  what a report waits for
 */

#include <bsd/sys/queue.h>

#include "base/jsonw.h"
#include "engine/engine_role.h"
#include "flow/id.h"

#define ANSWER_MAX_BYTES (64u << 20)

/* An answer under way. */
struct answer {
	TAILQ_ENTRY(answer) link;
	uint64_t id;
	enum request_verb verb;
	uint64_t first_seq,
	    last_seq;       /* of the enforcer's messages; last 0: waits for none */
	uint64_t store_seq; /* checkpoint that must be stored first; 0: none */
	mono_t asked_at;
	uint32_t jail; /* ban */
	struct net net;
	char *name;         /* of an id: its text */
	struct orders bans; /* ban: what was ordered; why: what lasts */
	uint64_t *stopped;  /* why: packets, bytes per ban; NULL until counted */
	uint32_t n_already;
	int64_t n_unbanned;
	struct buf refused; /* ban: JSON items */
};

struct engine_answers {
	struct engine_role *er;
	TAILQ_HEAD(, answer) waiting;
	size_t n_waiting;
	struct loop_watch *patience;
	mono_t started;
};

struct request {
	uint64_t id;
	enum request_verb verb;
	char *jail_name;
	int jail; /* -1: none named */
	int64_t seconds;
	uint32_t offset, limit;
	struct ids who;
};

static inline struct engine *answers_engine(const struct engine_answers *a)
{
	return pipeline_engine(a->er->pipeline);
}

static inline const struct setup *answers_setup(const struct engine_answers *a)
{
	return a->er->role->setup;
}

static inline const char *answers_jail_name(
    const struct engine_answers *a, uint32_t jail)
{
	return jail < answers_setup(a)->n_jails ? answers_setup(a)->jails[jail].name
						: "";
}

struct listing {
	struct engine_answers *a;
	struct jsonw j;
	int jail; /* -1: all */
	uint64_t n, offset, limit;
};

/* Answers that wait: NULL: out of memory. The others take @w when it is given. */
struct answer *answers_new(const struct request *q);
void answers_wait_or_give(struct engine_answers *a, struct answer *w);
/* Give it if nothing is waited for any more. */
void answers_check(struct engine_answers *a, struct answer *w);
void answers_report(struct engine_answers *a, const struct request *q);

/* Pieces of JSON. */
void answers_put_i64(struct jsonw *j, const char *key, int64_t v);
void answers_put_str(struct jsonw *j, const char *key, const char *v);
void answers_put_wall(struct jsonw *j, const char *key, wall_t v);
void answers_put_who(struct jsonw *j, const struct net *n, const char *id);
void answers_put_why(struct engine_answers *a, struct jsonw *j, uint32_t jail,
    const struct evidence *why, size_t n);
/* "suspended": rules that do not count now. */
void answers_put_suspended(struct engine_answers *a, struct jsonw *j);
/* "pressure" and "offenders" of a jail that adapts. */
void answers_put_pressure(struct engine_answers *a, struct jsonw *j, uint32_t jail);
/* "account", "credit" and "suspended": what speaks against @n, and for it. */
void answers_put_evidence(
    struct engine_answers *a, struct jsonw *j, const struct net *n);
void answers_put_ban(struct engine_answers *a, struct jsonw *j, const struct order *o,
    const uint64_t *stopped);

/* Answers at hand; each replies. */
void answers_ping(struct engine_answers *a, const struct request *q);
void answers_status(struct engine_answers *a, const struct request *q);
void answers_banned(struct engine_answers *a, const struct request *q);
void answers_reply_error(struct engine_answers *a, uint64_t id, const char *fmt, ...)
    PRINTF_LIKE(3, 4);
