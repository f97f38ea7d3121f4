/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a command has done. Most is noted when it begins: its text was made from what is
 * known then, it may have worked even if it fails or is ended, and nothing is begun
 * twice for the same reason, so that no failure leads to trying for ever.
 */
#include "runner/runner.h"

static bool is(const char *command, const char *name)
{
	return !strcmp(command, name);
}

static bool is_ban(const char *command)
{
	return is(command, "actionban") || is(command, "actionreban");
}

void run_fact_mark(struct run_action *a, struct ticket *t, bool is_applied)
{
	if (!!(t->applied & a->bit) == is_applied)
		return;
	t->applied ^= a->bit;
	a->n_applied += is_applied ? 1 : (size_t)-1;
}

/* --- it begins ---------------------------------------------------------------------
 */

static void ban_begins(const struct run_op *op)
{
	struct run_action *a = op->action;

	run_fact_mark(a, op->ticket, true);
	a->families[op->family].has_items = true;
	op->ticket->again &= ~a->bit;
	op->ticket->prolong &= ~a->bit;
}

static void family_begins(struct run_family *f, const char *command)
{
	if (is(command, "actionstart"))
		f->is_up = true;
	if (is(command, "actionstop"))
		f->is_up = f->is_started = false;
	if (is(command, "actionflush"))
		f->is_littered = false;
	else
		f->is_reload_due = false;
}

void run_fact_begins(struct run_jail *j, const char *command)
{
	const struct run_op *op = &j->op;
	struct run_action *a = op->action;

	if (is_ban(command)) {
		ban_begins(op);
	} else if (is(command, "actionprolong")) {
		op->ticket->prolong &= ~a->bit;
	} else if (is(command, "actionstart") || is(command, "actionstop") ||
		   is(command, "actionflush") || is(command, "actionreload")) {
		unsigned reach = run_action_reach(a, command, op->family);

		for (int f = 0; f < FAMILY_N; f++) {
			if (reach & 1U << f)
				family_begins(&a->families[f], command);
		}
	}
}

/* --- it has ended ------------------------------------------------------------------
 */

/* These families are empty now. @is_lost: nobody wanted that, so what was there is to
 * come back, and what failed may have done so because it was broken. */
static void emptied(
    struct run_jail *j, struct run_action *a, unsigned reach, bool is_lost)
{
	struct ticket *t;

	for (int f = 0; f < FAMILY_N; f++)
		a->families[f].has_items &= !(reach & 1U << f);
	RB_FOREACH (t, ticket_tree, &j->tickets) {
		if (!(reach & 1U << run_action_family(a, t)))
			continue;
		if (is_lost) {
			t->again |= (t->applied | t->failed) & a->bit;
			t->failed &= ~a->bit;
		}
		run_fact_mark(a, t, false);
	}
}

/* These families are ready for what is wanted, be it new or lost. */
static void started(struct run_jail *j, struct run_action *a, unsigned reach)
{
	struct ticket *t;

	for (int f = 0; f < FAMILY_N; f++) {
		if (reach & 1U << f)
			a->families[f].is_up = a->families[f].is_started = true;
	}
	RB_FOREACH (t, ticket_tree, &j->tickets) {
		if (t->is_wanted && !(t->applied & a->bit))
			run_ticket_pending(j, t);
	}
}

void run_fact_ends(struct run_jail *j, const char *command, bool ok)
{
	struct run_action *a = j->op.action;

	/* Whether or not there was something to stop. */
	if (is(command, "actionstop"))
		emptied(j, a, run_action_reach(a, command, j->op.family), true);
	if (is(command, "actionflush") && !j->op.may_fail)
		a->cannot_flush = !ok;
	if (!ok)
		return;
	if (is(command, "actionflush") || is(command, "actionrepair"))
		emptied(j, a, run_action_reach(a, command, j->op.family),
		    is(command, "actionrepair"));
	if (is(command, "actionstart") || is(command, "actionrepair"))
		started(j, a, run_action_reach(a, command, j->op.family));
}

void run_fact_is_over(struct run_jail *j, bool ok)
{
	const struct run_op *op = &j->op;

	if (is_ban(op->name) && !ok)
		op->ticket->failed |= op->action->bit;
	if (is(op->name, "actionunban")) {
		/* Also when it failed: there is no more to do. */
		run_fact_mark(op->action, op->ticket, false);
		op->ticket->undo &= ~op->action->bit;
	}
}
