/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is due next in a jail, in this order: actions that are no longer wanted give up
 * their bans and are stopped; new ones are started; those that another set-up kept are
 * told; then tickets, one after the other, through all actions. One command a jail at a
 * time, so commands of different jails do not wait for each other.
 *
 * It looks at wishes and facts and changes neither, but for what needs no command.
 */
#include <errno.h>

#include "base/log.h"
#include "runner/runner.h"

static int first_family(const struct run_action *a)
{
	return a->is_conditional ? FAMILY_4 : FAMILY_ANY;
}

static int last_family(const struct run_action *a)
{
	return a->is_conditional ? FAMILY_6 : FAMILY_ANY;
}

static bool can_flush(const struct run_action *a)
{
	return !a->cannot_flush && run_action_has(a, "actionflush");
}

/* --- actions -----------------------------------------------------------------------
 */

/* The next ban that is to be undone; those for which nothing was run go at once. */
static struct ticket *next_applied(struct run_jail *j, struct run_action *a)
{
	struct ticket key = {.net = a->undone};
	struct ticket *t = RB_NFIND(ticket_tree, &j->tickets, &key);

	for (; t && a->n_applied; t = RB_NEXT(ticket_tree, &j->tickets, t)) {
		a->undone = t->net;
		if (!(t->applied & a->bit))
			continue;
		if (a->families[run_action_family(a, t)].has_items)
			return t;
		run_fact_mark(a, t, false);
	}
	return NULL;
}

/* An action on its way out. Return: is there something to do? */
static bool undo_next(struct run_jail *j, struct run_action *a, struct run_op *op)
{
	struct ticket *t;
	int f;

	*op = (struct run_op){.action = a, .name = "actionflush"};
	for (f = first_family(a); f <= last_family(a); f++) {
		op->family = f;
		if (a->families[f].has_items && a->n_applied && can_flush(a))
			return true;
		op->may_fail = a->families[f].is_littered;
		if (op->may_fail)
			return true;
	}
	t = next_applied(j, a);
	if (t) {
		op->name = "actionunban";
		op->ticket = t;
		op->family = run_action_family(a, t);
		return true;
	}
	op->name = "actionstop";
	for (f = first_family(a); f <= last_family(a); f++) {
		op->family = f;
		if (a->families[f].is_up)
			return true;
	}
	return false;
}

/* Return: is there something to do? */
static bool life_next(struct run_action *a, struct run_op *op)
{
	for (int i = first_family(a); i <= last_family(a); i++) {
		const struct run_family *f = &a->families[i];

		*op = (struct run_op){.action = a, .family = i};
		/* Before actionstart, which may be left for the first ban; what is not
		 * there any more cannot be flushed, and that is as well. */
		if (f->is_littered) {
			op->name = "actionflush";
			op->may_fail = true;
			return true;
		}
		op->name = f->is_up ? "actionreload" : "actionstart";
		if (f->is_up ? f->is_reload_due : !a->is_on_demand)
			return true;
	}
	return false;
}

void run_action_drop(struct run_jail *j, struct run_action *a)
{
	TAILQ_REMOVE(&j->actions, a, link);
	j->bits_in_use &= ~a->bit;
	run_action_free(a);
}

/* --- tickets -----------------------------------------------------------------------
 */

/* All bans of the jail are lifted at once: one flush does for all. */
static bool is_flush_better(const struct run_jail *j, const struct run_action *a)
{
	return j->n_wanted == 0 && a->n_applied > 1 && can_flush(a);
}

/* Return: is there something to take back? */
static bool unban_next(const struct run_jail *j, struct run_op *op)
{
	struct run_action *a = op->action;
	struct ticket *t = op->ticket;

	if (!(t->applied & a->bit))
		return false;
	if (!a->families[op->family].has_items) {
		run_fact_mark(a, t, false);
		return false;
	}
	op->name = "actionunban";
	if (is_flush_better(j, a)) {
		op->name = "actionflush";
		op->ticket = NULL;
	}
	return true;
}

/* Return: is there something to do for a ban that is wanted? */
static bool ban_next(struct run_op *op)
{
	struct run_action *a = op->action;
	struct ticket *t = op->ticket;

	if (t->failed & a->bit)
		return false;
	if (t->applied & a->bit) {
		op->name = "actionprolong";
		if ((t->prolong & a->bit) && run_action_has(a, op->name))
			return true;
		t->prolong &= ~a->bit;
		return false;
	}
	op->is_again = (t->again & a->bit) != 0;
	op->name = op->is_again && run_action_has(a, "actionreban") ? "actionreban"
								    : "actionban";
	return true;
}

/* Return: does this action have to do something for the ticket? */
static bool ticket_next(
    struct run_jail *j, struct run_action *a, struct ticket *t, struct run_op *op)
{
	*op = (struct run_op){
	    .action = a, .ticket = t, .family = run_action_family(a, t)};
	if ((!t->is_wanted || (t->undo & a->bit)) && unban_next(j, op))
		return true;
	t->undo &= ~a->bit;
	return t->is_wanted && ban_next(op);
}

/* Return: is there something to do? Tickets that are done leave the list. */
static bool tickets_next(struct run_jail *j, struct run_op *op)
{
	struct ticket *t;
	struct run_action *a;

	while ((t = TAILQ_FIRST(&j->pending)) != NULL) {
		TAILQ_FOREACH (a, &j->actions, link) {
			if (ticket_next(j, a, t, op))
				return true;
		}
		TAILQ_REMOVE(&j->pending, t, link);
		t->is_pending = false;
		t->words = ticket_words_free(t->words);
		if (!t->is_wanted)
			run_ticket_drop(j, t);
	}
	return false;
}

bool run_jail_next(struct run_jail *j, struct run_op *op)
{
	struct run_action *a, *before;

	TAILQ_FOREACH_REVERSE_SAFE (a, &j->actions, action_list, link, before) {
		if (a->is_wanted)
			continue;
		if (undo_next(j, a, op))
			return true;
		run_action_drop(j, a);
	}
	TAILQ_FOREACH (a, &j->actions, link) {
		if (life_next(a, op))
			return true;
	}
	return tickets_next(j, op);
}
