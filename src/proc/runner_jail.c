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

static int cmp_net(const struct ticket *a, const struct ticket *b)
{
	return net_cmp(&a->net, &b->net);
}

/* RB_GENERATE_STATIC() of this header uses a name that glibc does not have. */
RB_GENERATE_INTERNAL(
    ticket_tree, ticket, by_net, cmp_net, __attribute__((unused)) static)

/* --- tickets -----------------------------------------------------------------------
 */

static struct ticket *find_ticket(struct run_jail *j, const struct net *n)
{
	struct ticket key = {.net = *n};

	return RB_FIND(ticket_tree, &j->tickets, &key);
}

static void set_pending(struct run_jail *j, struct ticket *t)
{
	if (!t->is_pending)
		TAILQ_INSERT_TAIL(&j->pending, t, link);
	t->is_pending = true;
}

static void drop_ticket(struct run_jail *j, struct ticket *t)
{
	if (t->is_pending)
		TAILQ_REMOVE(&j->pending, t, link);
	RB_REMOVE(ticket_tree, &j->tickets, t);
	j->all->n_tickets--;
	ticket_words_free(t->words);
	free(t);
}

static void want(struct run_jail *j, struct ticket *t, bool is_wanted)
{
	if (t->is_wanted != is_wanted)
		j->n_wanted += is_wanted ? 1 : (size_t)-1;
	t->is_wanted = is_wanted;
	set_pending(j, t);
}

static struct ticket *new_ticket(struct run_jail *j, const struct net *n)
{
	struct run_jails *x = j->all;
	struct ticket *t =
	    x->n_tickets < RUNNER_MAX_TICKETS ? calloc(1, sizeof(*t)) : NULL;

	if (!t) {
		if (x->n_left_out++ == 0)
			log_err(j->name,
			    "more than %d bans for actions that are commands: from "
			    "here on they are not told",
			    RUNNER_MAX_TICKETS);
		return NULL;
	}
	t->net = *n;
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

static void take_ban(
    struct run_jail *j, const struct order *o, struct ticket_words *words)
{
	struct ticket *t = find_ticket(j, &o->net);
	bool is_known = t && t->is_wanted;

	if (!t)
		t = new_ticket(j, &o->net);
	if (!t) {
		ticket_words_free(words);
		return;
	}
	if (is_known && o->until.us > t->until.us)
		t->prolong |= t->applied;
	t->at = o->at;
	t->until = o->until;
	t->failures = o->failures;
	t->ban_count = o->ban_count ? o->ban_count : 1;
	t->is_restored = o->cause == ORDER_RESTORED;
	t->is_seen = true;
	if (!is_known) {
		t->failed = 0;
		j->n_total++;
	}
	take_words(t, words);
	want(j, t, true);
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
	want(j, t, false);
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
			t->failed = 0;
			if (!t->is_seen && t->is_wanted)
				want(j, t, false);
			set_pending(j, t);
		}
		run_jail_wake(j);
	}
}

void run_jail_again(struct run_jail *j, struct run_action *a, int family)
{
	struct ticket *t;

	a->is_started[family] = true;
	RB_FOREACH (t, ticket_tree, &j->tickets) {
		if (t == j->op.ticket || !(t->applied & a->bit) ||
		    run_action_family(a, &t->net) != family)
			continue;
		t->again |= a->bit;
		set_pending(j, t);
	}
}

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
	while (family < 0 && (op->ticket = find_applied(j, a)) != NULL)
		mark(a, op->ticket, false); /* nothing was run for them */
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
			drop_ticket(j, t);
	}
	return false;
}

static void drop_action(struct run_jail *j, struct run_action *a)
{
	TAILQ_REMOVE(&j->actions, a, link);
	j->bits_in_use &= ~a->bit;
	run_action_free(a);
}

/* Return: is there something to do? */
static bool jail_next(struct run_jail *j, struct run_op *op)
{
	struct run_action *a, *before;
	bool is_retiring = false;

	TAILQ_FOREACH_REVERSE_SAFE (a, &j->actions, action_list, link, before) {
		if (a->life != ACTION_RETIRES)
			continue;
		if (retire_next(j, a, op))
			return true;
		drop_action(j, a);
		is_retiring = true;
	}
	/* Tickets that only they had. */
	if (is_retiring && j->is_gone) {
		struct ticket *t, *next;

		RB_FOREACH_SAFE (t, ticket_tree, &j->tickets, next) {
			drop_ticket(j, t);
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

/* --- turns -------------------------------------------------------------------------
 */

void run_jail_wake(struct run_jail *j)
{
	if (!j->is_ready)
		TAILQ_INSERT_TAIL(&j->all->ready, j, ready);
	j->is_ready = true;
}

static struct run_jail *jail_free(struct run_jail *j)
{
	struct run_jails *x = j->all;
	struct run_action *a;
	struct ticket *t, *next;

	if (j->is_ready)
		TAILQ_REMOVE(&x->ready, j, ready);
	command_kill(j->command);
	RB_FOREACH_SAFE (t, ticket_tree, &j->tickets, next) {
		drop_ticket(j, t);
	}
	while ((a = TAILQ_FIRST(&j->actions)) != NULL)
		drop_action(j, a);
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
		if (jail_next(j, &op))
			run_op_start(j, &op);
		else if (j->is_gone && TAILQ_EMPTY(&j->actions))
			jail_free(j);
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
		if (a->life == ACTION_RETIRES && run_action_is_same(a, c)) {
			a->life = ACTION_RELOADED;
			return true;
		}
	}
	return false;
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
		a->is_littered[f] = j->all->is_littered &&
				    a->is_conditional == (f != FAMILY_ANY) &&
				    run_action_has(a, "actionflush");
	j->bits_in_use |= bit;
	TAILQ_INSERT_TAIL(&j->actions, a, link);
	return 0;
}

static int jail_setup(struct run_jail *j, const struct setup_jail *s)
{
	struct ticket *t;
	int r = 0;

	j->is_gone = false;
	for (uint32_t i = 0; i < s->n_commands && !r; i++) {
		if (!keep_action(j, &s->commands[i]))
			r = add_action(j, &s->commands[i]);
	}
	/* New actions get the bans that are there. */
	RB_FOREACH (t, ticket_tree, &j->tickets)
		set_pending(j, t);
	return r;
}

int run_jails_setup(struct run_jails *x, const struct setup *s)
{
	struct run_jail **by_index = calloc(s->n_jails + 1, sizeof(struct run_jail *));
	struct run_action *a;
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
	TAILQ_FOREACH (j, &x->jails, link) {
		TAILQ_FOREACH (a, &j->actions, link)
			a->cannot_flush = false;
		run_jail_wake(j);
	}
	return r;
}

void run_jails_stop(struct run_jails *x)
{
	struct run_action *a;
	struct run_jail *j;

	x->n_index = 0;
	TAILQ_FOREACH (j, &x->jails, link) {
		j->is_gone = true;
		TAILQ_FOREACH (a, &j->actions, link)
			a->life = ACTION_RETIRES;
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
		jail_free(TAILQ_FIRST(&x->jails));
	free(x->by_index);
}
