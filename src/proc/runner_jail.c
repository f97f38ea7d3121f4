/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is due next in a jail, in this order: actions that retire give up their bans and
 * are stopped; new ones are started; reloaded ones are told; then tickets, one after
 * the other, through all actions. One command a jail at a time, so commands of
 * different jails do not wait for each other.
 */
#include <errno.h>

#include "base/log.h"
#include "proc/runner.h"

/* --- what is due -------------------------------------------------------------------
 */

static void mark(struct run_action *a, struct ticket *t, bool is_applied)
{
	if (!!(t->applied & a->bit) == is_applied)
		return;
	t->applied ^= a->bit;
	a->n_applied += is_applied ? 1 : (size_t)-1;
}

static int find_family(const bool of[FAMILY_N])
{
	for (int f = 0; f < FAMILY_N; f++) {
		if (of[f])
			return f;
	}
	return -1;
}

static struct ticket *find_applied(struct run_jail *j, const struct run_action *a)
{
	struct ticket *t;

	RB_FOREACH (t, ticket_tree, &j->tickets) {
		if (t->applied & a->bit)
			return t;
	}
	return NULL;
}

static void unmark_all(struct run_jail *j, struct run_action *a)
{
	struct ticket *t;

	if (!a->n_applied)
		return;
	RB_FOREACH (t, ticket_tree, &j->tickets)
		mark(a, t, false);
}

static bool can_flush(const struct run_action *a)
{
	return !a->cannot_flush && run_action_has(a, "actionflush");
}

/* An action on its way out. Return: is there something to do? */
static bool retire_next(struct run_jail *j, struct run_action *a, struct run_op *op)
{
	int family = find_family(a->has_items);

	*op = (struct run_op){.action = a};
	if (a->n_applied && family >= 0 && can_flush(a)) {
		op->name = "actionflush";
		op->family = family;
		return true;
	}
	if (family < 0)
		unmark_all(j, a); /* nothing was run for them */
	if (a->n_applied) {
		op->ticket = find_applied(j, a);
		op->name = "actionunban";
		op->family = run_action_family(a, &op->ticket->net);
		return true;
	}
	family = find_family(a->is_started);
	*op = (struct run_op){
	    .name = "actionstop", .action = a, .family = family < 0 ? 0 : family};
	return family >= 0;
}

static int first_unstarted(const struct run_action *a)
{
	for (int f = a->is_conditional ? FAMILY_4 : FAMILY_ANY;
	     f <= (a->is_conditional ? FAMILY_6 : FAMILY_ANY); f++) {
		if (!a->is_started[f])
			return f;
	}
	return -1;
}

/* Return: is there something to do? */
static bool life_next(struct run_action *a, struct run_op *op)
{
	int litter = find_family(a->is_littered);

	/* Before actionstart, which may be left for the first ban; what is not there
	 * any more cannot be flushed, and that is as well. */
	if (a->life == ACTION_FRESH && litter >= 0) {
		*op = (struct run_op){
		    .name = "actionflush", .action = a, .family = litter};
		return true;
	}
	int family =
	    a->life == ACTION_FRESH ? first_unstarted(a) : find_family(a->is_started);

	*op = (struct run_op){.action = a, .family = family};
	op->name = a->life == ACTION_FRESH ? "actionstart" : "actionreload";
	if (a->life == ACTION_RUNS)
		return false;
	if ((a->life == ACTION_FRESH && a->is_on_demand) || family < 0 ||
	    !run_action_has(a, op->name)) {
		if (a->life == ACTION_FRESH && !a->is_on_demand)
			for (; family >= 0; family = first_unstarted(a))
				a->is_started[family] = true;
		a->life = ACTION_RUNS;
		return false;
	}
	return true;
}

/* All bans of the jail are lifted at once: one flush does for all. */
static bool is_flush_better(const struct run_jail *j, const struct run_action *a)
{
	return j->n_wanted == 0 && a->n_applied > 1 && can_flush(a);
}

/* Return: does this action have to do something for the ticket? */
static bool ticket_next(
    struct run_jail *j, struct run_action *a, struct ticket *t, struct run_op *op)
{
	bool has = (t->applied & a->bit) != 0;

	*op = (struct run_op){
	    .action = a, .ticket = t, .family = run_action_family(a, &t->net)};
	if (!t->is_wanted) {
		op->name = "actionunban";
		if (has && !a->has_items[op->family]) {
			mark(a, t, false);
			return false;
		}
		if (has && is_flush_better(j, a)) {
			op->name = "actionflush";
			op->ticket = NULL;
		}
		return has;
	}
	if (t->failed & a->bit)
		return false;
	if (!has) {
		op->name = "actionban";
		if (!t->is_restored || !a->skips_restored)
			return true;
		mark(a, t, true); /* it is to be unbanned all the same */
		return false;
	}
	if (t->again & a->bit) {
		op->name =
		    run_action_has(a, "actionreban") ? "actionreban" : "actionban";
		return true;
	}
	op->name = "actionprolong";
	if ((t->prolong & a->bit) && run_action_has(a, op->name))
		return true;
	t->prolong &= ~a->bit;
	return false;
}

/* Return: is there something to do? Tickets that are done leave the list. */
static bool tickets_next(struct run_jail *j, struct run_op *op)
{
	struct ticket *t;
	struct run_action *a;

	while ((t = TAILQ_FIRST(&j->pending)) != NULL) {
		TAILQ_FOREACH (a, &j->actions, link) {
			if (a->life == ACTION_RUNS && ticket_next(j, a, t, op))
				return true;
		}
		TAILQ_REMOVE(&j->pending, t, link);
		t->is_pending = false;
		t->words = ticket_words_free(t->words);
		if (!t->is_wanted && !t->applied)
			run_ticket_drop(j, t);
	}
	return false;
}

void run_action_drop(struct run_jail *j, struct run_action *a)
{
	TAILQ_REMOVE(&j->actions, a, link);
	j->bits_in_use &= ~a->bit;
	run_action_free(a);
}

/* Return: is there something to do? */
bool run_jail_next(struct run_jail *j, struct run_op *op)
{
	struct run_action *a, *before;
	bool is_retiring = false;

	TAILQ_FOREACH_REVERSE_SAFE (a, &j->actions, action_list, link, before) {
		if (a->life != ACTION_RETIRES)
			continue;
		if (retire_next(j, a, op))
			return true;
		run_action_drop(j, a);
		is_retiring = true;
	}
	/* Tickets that only they had. */
	if (is_retiring && j->is_gone) {
		struct ticket *t, *next;

		RB_FOREACH_SAFE (t, ticket_tree, &j->tickets, next) {
			run_ticket_drop(j, t);
		}
	}
	TAILQ_FOREACH (a, &j->actions, link) {
		if (life_next(a, op))
			return true;
	}
	return tickets_next(j, op);
}

/* --- what became of it -------------------------------------------------------------
 */

static void flushed(struct run_jail *j, struct run_action *a, int family, bool ok)
{
	bool is_shared = run_action_is_shared(a, "actionflush");
	struct ticket *t;

	if (a->is_littered[family]) {
		a->is_littered[family] = false;
		return;
	}
	a->cannot_flush = !ok;
	if (!ok)
		return;
	RB_FOREACH (t, ticket_tree, &j->tickets) {
		if (is_shared || run_action_family(a, &t->net) == family)
			mark(a, t, false);
	}
	for (int f = 0; f < FAMILY_N; f++)
		a->has_items[f] &= !is_shared && f != family;
}

static void stopped(struct run_action *a, int family)
{
	bool is_shared = run_action_is_shared(a, "actionstop");

	for (int f = 0; f < FAMILY_N; f++)
		a->is_started[f] &= !is_shared && f != family;
}

static void started(struct run_action *a, int family, bool ok)
{
	bool is_shared = run_action_is_shared(a, "actionstart");

	a->is_started[family] = ok;
	if (ok && is_shared && a->is_conditional)
		a->is_started[FAMILY_4] = a->is_started[FAMILY_6] = true;
	/* A failing one is not tried again and again: the first ban checks. */
	if (!ok)
		a->life = ACTION_RUNS;
}

void run_jail_done(struct run_jail *j, bool ok)
{
	struct run_action *a = j->op.action;
	struct ticket *t = j->op.ticket;
	const char *name = j->op.name;

	if (!strcmp(name, "actionflush")) {
		flushed(j, a, j->op.family, ok);
	} else if (!strcmp(name, "actionstop")) {
		stopped(a, j->op.family);
	} else if (!strcmp(name, "actionstart")) {
		started(a, j->op.family, ok);
	} else if (!strcmp(name, "actionreload")) {
		a->life = ACTION_RUNS;
	} else if (!strcmp(name, "actionunban")) {
		mark(a, t, false); /* also when it failed: there is no more to do */
	} else if (!strcmp(name, "actionprolong")) {
		t->prolong &= ~a->bit;
	} else {
		t->again &= ~a->bit;
		mark(a, t, ok);
		if (ok)
			a->has_items[j->op.family] = a->is_started[j->op.family] = true;
		else
			t->failed |= a->bit;
	}
	run_jail_wake(j);
}
