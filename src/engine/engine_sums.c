/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who came, got through and was stopped, on its way into a checkpoint.
 *
 * A failure that is counted here belongs to lines whose position the same checkpoint
 * stores; so lines that are read again after kill -9 are counted again, and those that
 * are not are not. What was sent and not confirmed is sent again as it was, with its
 * numbers, by which the keeper knows what it has.
 */
#include <errno.h>
#include <sys/random.h>

#include "base/log.h"
#include "engine/engine_role.h"
#include "proc/sums.h"

#define FROZEN_MAX_BYTES (32u << 20)
/* One taking adds less than 12 MB. Above, what comes waits among the sums. */
#define FROZEN_ENOUGH_BYTES (16u << 20)

struct engine_sums {
	struct engine_role *er;
	struct sums *pending;
	struct buf frozen; /* bodies, as sums_take() gives them */
	size_t n_sent;     /* bytes of them in the checkpoint under way */
	uint64_t run, batch;
	uint64_t n_lost; /* as far as it was told */
};

/* What its failures tell of is no visit: it reads our own log. */
static bool is_of_bans(const struct setup_jail *j)
{
	return j->filter_name && !strcmp(j->filter_name, "recidive");
}

void engine_sums_hit(struct engine_sums *s, const struct hit *h, int outcome)
{
	if (outcome == ENGINE_IGNORED ||
	    is_of_bans(&s->er->role->setup->jails[h->jail]))
		return;
	sums_add(s->pending, h->at, h->jail, h->rule, &h->net,
	    &(struct db_numbers){.passed = 1});
}

static int rule_of(uint16_t rule)
{
	return rule == STOPPED_NO_RULE   ? DB_RULE_UNKNOWN
	       : rule == STOPPED_BY_HAND ? DB_RULE_BY_HAND
					 : rule;
}

void engine_sums_order(struct engine_sums *s, const struct order *o)
{
	if (o->op == ORDER_BAN && o->cause != ORDER_RESTORED) {
		int rule = o->cause == ORDER_BY_USER ? DB_RULE_BY_HAND
			   : o->n_why                ? o->why[o->n_why - 1].rule
						     : DB_RULE_UNKNOWN;

		sums_add(s->pending, o->at, o->jail, rule, &o->net,
		    &(struct db_numbers){.bans = 1});
	} else if (o->op == ORDER_UNBAN && o->cause == ORDER_REFUSED) {
		sums_add(s->pending, o->at, o->jail, rule_of(o->stopped.rule), &o->net,
		    &(struct db_numbers){.bans = -1});
	}
}

void engine_sums_stopped(struct engine_sums *s, wall_t now, uint32_t jail,
    uint16_t rule, const struct net *who, const struct stopped_more *more)
{
	const struct db_numbers n = {.attempts = (int64_t)more->attempts,
	    .packets = (int64_t)more->packets,
	    .bytes = (int64_t)more->bytes};

	if (more->packets || more->attempts)
		sums_add(s->pending, now, jail, rule_of(rule), who, &n);
}

void engine_sums_freeze(struct engine_sums *s, const struct setup *names)
{
	size_t before = s->frozen.n;

	if (before < FROZEN_ENOUGH_BYTES)
		sums_take(s->pending, names, s->run, &s->batch, &s->frozen);
	if (s->frozen.failed) {
		s->frozen.failed = false;
		s->frozen.n = before;
		log_warning(NULL, "out of memory; the report will lack something");
	}
	if (sums_n_lost(s->pending) == s->n_lost)
		return;
	s->n_lost = sums_n_lost(s->pending);
	log_warning(NULL, "the store is behind; the report will lack something");
}

void engine_sums_send(struct engine_sums *s)
{
	struct channel *keeper = s->er->role->peers[ROLE_KEEPER];

	engine_sums_freeze(s, s->er->role->setup);

	struct unpack u = unpack_of(buf_span(&s->frozen));

	while (keeper && u.p < u.end && !u.bad) {
		if (channel_send(keeper, MSG_PUT_SUMS, unpack_span(&u), -1) < 0)
			break;
	}
	s->n_sent = s->frozen.n;
}

void engine_sums_committed(struct engine_sums *s, bool done)
{
	if (done)
		buf_consume(&s->frozen, s->n_sent);
	s->n_sent = 0;
}

struct engine_sums *engine_sums_new(struct engine_role *er)
{
	struct engine_sums *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->er = er;
	s->frozen = BUF_INIT(FROZEN_MAX_BYTES);
	s->pending = sums_new();
	if (!s->pending || getrandom(&s->run, sizeof(s->run), 0) != sizeof(s->run))
		return engine_sums_free(s);
	return s;
}

struct engine_sums *engine_sums_free(struct engine_sums *s)
{
	if (!s)
		return NULL;
	sums_free(s->pending);
	buf_deinit(&s->frozen);
	free(s);
	return NULL;
}
