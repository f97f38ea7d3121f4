/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The list of bans that are wanted. An order changes it; what is to be done about that
 * is found later, when the jail has its turn.
 */
#include <errno.h>

#include "base/log.h"
#include "runner/runner.h"

int run_ticket_cmp(const struct ticket *a, const struct ticket *b)
{
	return net_cmp(&a->net, &b->net);
}

RB_GENERATE_INTERNAL(ticket_tree, ticket, by_net, run_ticket_cmp, )

static struct ticket *find_ticket(struct run_jail *j, const struct net *n)
{
	struct ticket key = {.net = *n};

	return RB_FIND(ticket_tree, &j->tickets, &key);
}

void run_ticket_pending(struct run_jail *j, struct ticket *t)
{
	if (!t->is_pending)
		TAILQ_INSERT_TAIL(&j->pending, t, link);
	t->is_pending = true;
}

void run_ticket_drop(struct run_jail *j, struct ticket *t)
{
	if (t->is_pending)
		TAILQ_REMOVE(&j->pending, t, link);
	RB_REMOVE(ticket_tree, &j->tickets, t);
	j->all->n_tickets--;
	ticket_words_free(t->words);
	free(t->id);
	free(t);
}

void run_ticket_want(struct run_jail *j, struct ticket *t, bool is_wanted)
{
	if (t->is_wanted != is_wanted)
		j->n_wanted += is_wanted ? 1 : (size_t)-1;
	t->is_wanted = is_wanted;
	run_ticket_pending(j, t);
}

void run_ticket_retry(struct ticket *t)
{
	t->undo |= t->failed & t->applied;
	t->failed = 0;
}

void run_ticket_skip(struct run_action *a, struct ticket *t)
{
	if (!a->skips_restored || !a->is_wanted)
		return;
	run_fact_mark(a, t, true);
	t->prolong &= ~a->bit;
}

static struct ticket *new_ticket(struct run_jail *j, const struct order *o)
{
	struct run_jails *x = j->all;
	CLEANUP(freep) char *id = o->id ? strdup(o->id) : NULL;
	struct ticket *t = x->n_tickets < RUNNER_MAX_TICKETS && (id || !o->id)
			       ? calloc(1, sizeof(*t))
			       : NULL;

	if (!t) {
		if (x->n_left_out++ == 0)
			log_err(j->name,
			    "more than %d bans for actions that are commands: from "
			    "here on they are not told",
			    RUNNER_MAX_TICKETS);
		return NULL;
	}
	t->net = o->net;
	t->id = TAKE(id);
	t->ip = o->ip;
	RB_INSERT(ticket_tree, &j->tickets, t);
	x->n_tickets++;
	return t;
}

static void take_words(struct ticket *t, struct ticket_words *w)
{
	if (!w)
		return;
	ticket_words_free(t->words);
	t->words = w;
}

/* A ban that was not wanted before; one that is told again is not restored by that. */
static void begin(struct run_jail *j, struct ticket *t)
{
	struct run_action *a;

	run_ticket_retry(t);
	j->n_total++;
	if (!t->is_restored)
		return;
	TAILQ_FOREACH (a, &j->actions, link)
		run_ticket_skip(a, t);
}

static void take_ban(
    struct run_jail *j, const struct order *o, struct ticket_words *words)
{
	struct ticket *t = find_ticket(j, &o->net);
	bool is_known = t && t->is_wanted;

	if (!t)
		t = new_ticket(j, o);
	if (!t) {
		ticket_words_free(words);
		return;
	}
	/* Commands that have begun told of an earlier end. */
	if (o->until.us > t->until.us)
		t->prolong = UINT64_MAX;
	t->at = o->at;
	t->until = o->until;
	t->failures = o->failures;
	t->ban_count = o->ban_count ? o->ban_count : 1;
	t->is_restored = o->cause == ORDER_RESTORED;
	t->is_seen = true;
	if (!is_known)
		begin(j, t);
	take_words(t, words);
	run_ticket_want(j, t, true);
}

void run_jails_order(
    struct run_jails *x, const struct order *o, struct ticket_words *words)
{
	struct run_jail *j = o->jail < x->n_index ? x->by_index[o->jail] : NULL;
	struct ticket *t;

	if (!j) {
		ticket_words_free(words);
		return;
	}
	if (o->op != ORDER_UNBAN) {
		take_ban(j, o, words);
		run_jail_wake(j);
		return;
	}
	ticket_words_free(words);
	t = find_ticket(j, &o->net);
	if (!t)
		return;
	run_ticket_want(j, t, false);
	run_jail_wake(j);
}

void run_jails_sync_begin(struct run_jails *x)
{
	struct run_jail *j;
	struct ticket *t;

	TAILQ_FOREACH (j, &x->jails, link)
		RB_FOREACH (t, ticket_tree, &j->tickets)
			t->is_seen = false;
}

void run_jails_sync_end(struct run_jails *x)
{
	struct run_jail *j;
	struct ticket *t;

	TAILQ_FOREACH (j, &x->jails, link) {
		RB_FOREACH (t, ticket_tree, &j->tickets) {
			run_ticket_retry(t);
			if (!t->is_seen && t->is_wanted)
				run_ticket_want(j, t, false);
			run_ticket_pending(j, t);
		}
		run_jail_wake(j);
	}
}
