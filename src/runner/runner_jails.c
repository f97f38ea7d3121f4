/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * All jails: whose turn it is, and what another set-up means for them.
 */
#include <errno.h>

#include "base/log.h"
#include "runner/runner.h"

/* --- turns -------------------------------------------------------------------------
 */

void run_jail_wake(struct run_jail *j)
{
	if (!j->is_ready)
		TAILQ_INSERT_TAIL(&j->all->ready, j, ready);
	j->is_ready = true;
}

struct run_jail *run_jail_free(struct run_jail *j)
{
	struct run_jails *x = j->all;
	struct run_action *a;
	struct ticket *t, *next;

	if (j->is_ready)
		TAILQ_REMOVE(&x->ready, j, ready);
	command_kill(j->command);
	RB_FOREACH_SAFE (t, ticket_tree, &j->tickets, next) {
		run_ticket_drop(j, t);
	}
	while ((a = TAILQ_FIRST(&j->actions)) != NULL)
		run_action_drop(j, a);
	TAILQ_REMOVE(&x->jails, j, link);
	free(j->name);
	free(j);
	return NULL;
}

void run_jails_turn(struct run_jails *x)
{
	struct run_jail *j;
	struct run_op op;

	while (
	    x->n_running < RUNNER_MAX_RUNNING && (j = TAILQ_FIRST(&x->ready)) != NULL) {
		TAILQ_REMOVE(&x->ready, j, ready);
		j->is_ready = false;
		if (j->command)
			continue; /* it wakes the jail when it is done */
		if (run_jail_next(j, &op))
			run_op_start(j, &op);
		else if (j->is_gone && TAILQ_EMPTY(&j->actions))
			run_jail_free(j);
	}
	if (run_jails_is_idle(x) && x->idle)
		x->idle(x->ctx);
}

bool run_jails_is_idle(const struct run_jails *x)
{
	return x->n_running == 0 && TAILQ_EMPTY(&x->ready);
}

/* --- set-ups -----------------------------------------------------------------------
 */

static struct run_jail *find_jail(struct run_jails *x, const char *name)
{
	struct run_jail *j;

	TAILQ_FOREACH (j, &x->jails, link) {
		if (!strcmp(j->name, name))
			return j;
	}
	return NULL;
}

static struct run_jail *add_jail(struct run_jails *x, const char *name)
{
	struct run_jail *j = calloc(1, sizeof(*j));

	if (!j)
		return NULL;
	j->all = x;
	j->name = strdup(name);
	if (!j->name) {
		free(j);
		return NULL;
	}
	TAILQ_INIT(&j->actions);
	TAILQ_INIT(&j->pending);
	RB_INIT(&j->tickets);
	TAILQ_INSERT_TAIL(&x->jails, j, link);
	return j;
}

static bool keep_action(struct run_jail *j, const struct setup_command *c)
{
	struct run_action *a;

	TAILQ_FOREACH (a, &j->actions, link) {
		if (a->is_wanted || !run_action_is_same(a, c))
			continue;
		a->is_wanted = true;
		for (int f = 0; f < FAMILY_N; f++)
			a->families[f].is_reload_due = a->families[f].is_started;
		return true;
	}
	return false;
}

/* To a new action the bans that are there are as old as restored ones. */
static void meet_tickets(struct run_jail *j, struct run_action *a)
{
	struct ticket *t;

	RB_FOREACH (t, ticket_tree, &j->tickets) {
		/* An action that is gone may have had the same bit. */
		t->applied &= ~a->bit;
		t->failed &= ~a->bit;
		t->undo &= ~a->bit;
		t->again &= ~a->bit;
		if (t->is_wanted)
			run_ticket_skip(a, t);
	}
}

static int add_action(struct run_jail *j, const struct setup_command *c)
{
	uint64_t bit = ~j->bits_in_use & (j->bits_in_use + 1);
	struct run_action *a;

	if (!bit) {
		log_err(j->name, "action %s: too many actions at once", c->name);
		return 0;
	}
	a = run_action_new(c, bit);
	if (!a)
		return -ENOMEM;
	for (int f = 0; f < FAMILY_N; f++)
		a->families[f].is_littered = j->all->is_littered &&
					     a->is_conditional == (f != FAMILY_ANY) &&
					     run_action_has(a, "actionflush");
	j->bits_in_use |= bit;
	TAILQ_INSERT_TAIL(&j->actions, a, link);
	meet_tickets(j, a);
	return 0;
}

static int jail_setup(struct run_jail *j, const struct setup_jail *s)
{
	int r = 0;

	j->is_gone = false;
	for (uint32_t i = 0; i < s->n_commands && !r; i++) {
		if (!keep_action(j, &s->commands[i]))
			r = add_action(j, &s->commands[i]);
	}
	return r;
}

/* What the jail wants now; its commands find out what that means. */
static void jail_is_set_up(struct run_jail *j)
{
	struct run_action *a;
	struct ticket *t;

	TAILQ_FOREACH (a, &j->actions, link)
		a->cannot_flush = false;
	/* Should the jail come back, its bans are told again. */
	RB_FOREACH (t, ticket_tree, &j->tickets)
		run_ticket_want(j, t, t->is_wanted && !j->is_gone);
	run_jail_wake(j);
}

int run_jails_setup(struct run_jails *x, const struct setup *s)
{
	struct run_jail **by_index = calloc(s->n_jails + 1, sizeof(struct run_jail *));
	struct run_jail *j;
	int r = by_index ? 0 : -ENOMEM;

	if (r < 0)
		return r;
	x->is_dry = s->dry_run;
	run_jails_stop(x);
	for (uint32_t i = 0; i < s->n_jails && !r; i++) {
		if (!s->jails[i].n_commands)
			continue;
		by_index[i] = find_jail(x, s->jails[i].name);
		if (!by_index[i])
			by_index[i] = add_jail(x, s->jails[i].name);
		r = by_index[i] ? jail_setup(by_index[i], &s->jails[i]) : -ENOMEM;
	}
	free(x->by_index);
	x->by_index = by_index;
	x->n_index = s->n_jails;
	TAILQ_FOREACH (j, &x->jails, link)
		jail_is_set_up(j);
	return r;
}

void run_jails_stop(struct run_jails *x)
{
	struct run_action *a;
	struct run_jail *j;

	x->n_index = 0;
	TAILQ_FOREACH (j, &x->jails, link) {
		j->is_gone = true;
		TAILQ_FOREACH (a, &j->actions, link) {
			a->is_wanted = false;
			a->undone = (struct net){.bits = 0};
		}
		run_jail_wake(j);
	}
}

int run_jails_init(struct run_jails *x, struct loop *l)
{
	x->loop = l;
	TAILQ_INIT(&x->jails);
	TAILQ_INIT(&x->ready);
	return 0;
}

void run_jails_deinit(struct run_jails *x)
{
	if (!x->loop)
		return;
	while (!TAILQ_EMPTY(&x->jails))
		run_jail_free(TAILQ_FIRST(&x->jails));
	free(x->by_index);
}
