/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * runner - the parts of the runner's process, which know each other
 *
 *   runner.c         plumbing: set-up, orders
 *   runner_deny.c    hosts.deny
 *   runner_jail.c    a jail's commands: which one is due next
 *   runner_jails.c   all jails: whose turn it is, another set-up
 *   runner_ticket.c  what is wanted: bans that came and went
 *   runner_action.c  one action: its options, and what they mean
 *   runner_op.c      one operation: the command, and the mending when it fails
 *   runner_fact.c    what a command has done, whoever wanted it
 *   runner_tags.c    the values of <ip>, <F-USER> ... in a command
 *   runner_past.c    <ipmatches>: what the keeper knows of an address
 *   runner_ask.c     ignorecommand
 *   runner_mail.c    smtp.py's job
 *
 * Two things are kept apart. Wishes: which tickets are wanted, and which actions the
 * set-up has. Facts: what each action has started and which bans it has, by what its
 * commands were. Orders and set-ups change wishes only, at any time; a command changes
 * facts only, when it begins and when it ends; what is due next follows from both. So a
 * ban that is lifted before its command ran costs nothing, nothing is queued without
 * bound, and what changes while a command runs is not lost.
 *
 * A command that was begun counts as one that may have worked: what it sets up is
 * undone even when it failed or was ended.
 */

#include <bsd/sys/queue.h>
#include <bsd/sys/tree.h>

#include "enforce/shell_script.h"
#include "flow/order.h"
#include "proc/role.h"
#include "runner/command.h"

#define RUNNER_MAX_TICKETS 200000 /* of all jails */
#define RUNNER_MAX_RUNNING 8      /* commands at a time; one a jail */

/* Families of addresses, for actions that do something else for each; an id without an
 * address has none. */
enum { FAMILY_ANY, FAMILY_4, FAMILY_6, FAMILY_N };
const char *runner_family_name(int family); /* "", "inet4", "inet6" */

/* --- tickets */

/* What is known of a ban only until its commands ran. */
struct ticket_words {
	char *matches; /* lines, joined by line ends; NULL: none */
	struct order_field *fields;
	uint32_t n_fields;
	/* With what is known of older bans; NULL and 0: nothing is. */
	char *ip_matches, *jail_matches;
	uint32_t ip_failures, jail_failures;
};

struct ticket {
	RB_ENTRY(ticket) by_net;
	TAILQ_ENTRY(ticket) link; /* in the jail's list of those with work */
	struct net net;
	char *id;      /* the text of an id, or NULL */
	struct net ip; /* beside an id: flow/id.h */
	wall_t at, until;
	uint32_t failures;
	uint32_t ban_count;
	/* Bits of actions. */
	uint64_t applied; /* have it, or may have it: it was tried */
	uint64_t failed;  /* could not; tried again after a repair or RESYNC */
	uint64_t undo;    /* may have part of it: unban before another try */
	uint64_t prolong; /* to be told of the new end */
	uint64_t again;   /* had it and lost it: reban */
	bool is_wanted;
	bool is_pending;
	bool is_restored;
	bool is_seen; /* between RESYNC and RESYNCED */
	struct ticket_words *words;
};

/* Whose address <ip> is; NULL: of an id without one. */
const struct net *ticket_address(const struct ticket *t);
struct ticket_words *ticket_words_free(struct ticket_words *w);
/* u32 n, n × (name, value), from a message; what is broken marks it bad. */
void ticket_words_get_fields(struct ticket_words *w, struct unpack *u);

/* --- actions */

/* What is there of an action for one family of addresses. */
struct run_family {
	bool is_up;      /* actionstart was begun, so actionstop is owed */
	bool is_started; /* and it has worked */
	bool has_items;  /* bans were begun since it was empty for sure */
	bool is_reload_due;
	bool is_littered; /* an earlier runner did not end well: flush first */
};

struct run_action {
	TAILQ_ENTRY(run_action) link;
	char *name;
	bool is_mail;
	struct action_option *items;
	struct action_options options;
	uint64_t bit;
	bool is_wanted; /* else its bans go, then it is stopped, then it goes */
	bool is_on_demand;
	bool is_conditional;
	bool skips_restored;
	bool repairs_on_unban;
	bool cannot_flush; /* it failed: single unbans instead */
	uint64_t timeout_ms;
	struct run_family families[FAMILY_N];
	size_t n_applied;
	struct net undone; /* on its way out: bans before this one are gone */
};

struct run_action *run_action_new(const struct setup_command *c, uint64_t bit);
struct run_action *run_action_free(struct run_action *a);
bool run_action_is_same(const struct run_action *a, const struct setup_command *c);
int run_action_family(const struct run_action *a, const struct ticket *t);
/* Is there anything to run for that option? */
bool run_action_has(const struct run_action *a, const char *name);
/* The families that one command does for, as bits 1 << family: both where both would
 * run the very same text. */
unsigned run_action_reach(const struct run_action *a, const char *name, int family);

/* --- tags */

struct tag_source {
	const char *jail;
	const struct ticket *ticket; /* NULL: start, stop, flush, check, reload */
	int family;
	size_t n_banned, n_banned_total;
	bool asks_host;     /* <ip-host> was met: the script must look it up */
	struct buf scratch; /* holds the last value made; cap set by the caller */
};
bool runner_tag(void *ctx, struct span tag, struct shell_value *out);

/* --- commands that failed */

/* @what: "ignorecommand", "action mail: actionban" */
void runner_say_failure(
    const char *jail, const char *what, const struct command_result *r);

/* --- operations */

struct run_jail;

struct run_op {
	const char *name; /* "actionban" */
	struct run_action *action;
	int family;
	struct ticket *ticket; /* or NULL */
	bool is_again;         /* of a ban that was lost */
	bool may_fail;         /* nobody minds */
};
/* Begin; the jail is woken when it is over, perhaps before this returns. */
void run_op_start(struct run_jail *j, const struct run_op *op);

/* --- facts */

/* A command of the jail's operation begins, and has ended. */
void run_fact_begins(struct run_jail *j, const char *command);
void run_fact_ends(struct run_jail *j, const char *command, bool ok);
/* The operation is given up, or done: there will be no more commands for it. */
void run_fact_is_over(struct run_jail *j, bool ok);
/* Does the action have that ban, or may it have? */
void run_fact_mark(struct run_action *a, struct ticket *t, bool is_applied);

/* --- jails */

RB_HEAD(ticket_tree, ticket);
int run_ticket_cmp(const struct ticket *a, const struct ticket *b);
/* RB_GENERATE_STATIC() of this header uses a name that glibc does not have. */
RB_PROTOTYPE_INTERNAL(ticket_tree, ticket, by_net, run_ticket_cmp, )
TAILQ_HEAD(ticket_list, ticket);
TAILQ_HEAD(action_list, run_action);

enum op_stage {
	OP_IDLE,
	OP_FIRST_START,
	OP_MAIN,
	OP_CHECK,
	OP_REPAIR,
	OP_REPAIR_STOP,
	OP_REPAIR_START,
	OP_REPAIR_CHECK,
};

struct run_jails;

struct run_jail {
	TAILQ_ENTRY(run_jail) link;  /* of all jails */
	TAILQ_ENTRY(run_jail) ready; /* waits for a turn */
	struct run_jails *all;
	char *name;
	struct action_list actions;
	uint64_t bits_in_use;
	struct ticket_tree tickets;
	struct ticket_list pending;
	size_t n_wanted, n_total;
	bool is_gone;  /* no longer in the set-up: goes when all is undone */
	bool is_ready; /* in the list */
	struct run_op op;
	enum op_stage stage;
	bool is_retry;
	struct command *command;
};

TAILQ_HEAD(jail_list, run_jail);

struct run_jails {
	struct loop *loop;
	struct jail_list jails;
	struct jail_list ready;
	struct run_jail **by_index; /* of the running set-up; NULL: no commands */
	uint32_t n_index;
	size_t n_running;
	size_t n_tickets;
	size_t n_left_out; /* RUNNER_MAX_TICKETS was reached */
	bool is_dry;
	bool is_littered;        /* the runner before us left its bans behind */
	const char *user;        /* whom the mailer becomes */
	void (*idle)(void *ctx); /* nothing is left to do */
	void *ctx;
};

int run_jails_init(struct run_jails *x, struct loop *l);
void run_jails_deinit(struct run_jails *x);
/* Another set-up: what stays keeps its bans, what changed is undone and done anew. */
int run_jails_setup(struct run_jails *x, const struct setup *s);
/* Bans that are not told between these two are lifted. */
void run_jails_sync_begin(struct run_jails *x);
void run_jails_sync_end(struct run_jails *x);
/* @words may be NULL; taken over. */
void run_jails_order(
    struct run_jails *x, const struct order *o, struct ticket_words *words);
/* Undo everything; idle() says when it is done. */
void run_jails_stop(struct run_jails *x);
bool run_jails_is_idle(const struct run_jails *x);
/* A slot is free, or there is work: start what can be started. */
void run_jails_turn(struct run_jails *x);
void run_jail_wake(struct run_jail *j);

/* --- hosts.deny */

struct runner_deny;
struct runner_deny *runner_deny_new(struct loop *l); /* NULL: out of memory */
struct runner_deny *runner_deny_free(struct runner_deny *d);
int runner_deny_setup(struct runner_deny *d, const struct setup *s);
void runner_deny_order(struct runner_deny *d, const struct order *o);
/* All bans are told again between these two. */
void runner_deny_sync_begin(struct runner_deny *d);
void runner_deny_sync_end(struct runner_deny *d);
/* Take our blocks out, now; nothing is written any more before the next set-up. */
void runner_deny_close(struct runner_deny *d);

/* --- the past of an address */

struct runner_past;
typedef void (*runner_past_fn)(
    void *ctx, const struct order *o, struct ticket_words *words);
struct runner_past *runner_past_new(struct role *r, runner_past_fn apply, void *ctx);
struct runner_past *runner_past_free(struct runner_past *p);
/* A ban: apply() gets it, now or when the keeper has answered. @words is taken over. */
void runner_past_take(
    struct runner_past *p, const struct order *o, struct ticket_words *words);
void runner_past_unban(struct runner_past *p, const struct order *o);
void runner_past_answer(struct runner_past *p, struct message *m);
void runner_past_release(struct runner_past *p); /* nobody will answer */
void runner_past_forget(struct runner_past *p);  /* all bans are told again */

/* --- ignorecommand */

struct runner_ask;
struct runner_ask *runner_ask_new(struct role *r); /* NULL: out of memory */
struct runner_ask *runner_ask_free(struct runner_ask *a);
void runner_ask_take(struct runner_ask *a, struct message *m);
void runner_ask_forget(struct runner_ask *a); /* nobody waits for an answer */

void run_ticket_want(struct run_jail *j, struct ticket *t, bool is_wanted);
/* It is old: an action that is not told of such has it without a command, and is told
 * of its end all the same. */
void run_ticket_skip(struct run_action *a, struct ticket *t);
/* What failed may be tried once more. */
void run_ticket_retry(struct ticket *t);
/* There is work for this ticket. */
void run_ticket_pending(struct run_jail *j, struct ticket *t);
void run_ticket_drop(struct run_jail *j, struct ticket *t);
/* What is due; false: nothing is. Tickets and actions that are done go. */
bool run_jail_next(struct run_jail *j, struct run_op *op);
struct run_jail *run_jail_free(struct run_jail *j);
void run_action_drop(struct run_jail *j, struct run_action *a);

/* --- mail (runner_mail.c) */

/* What smtp.py would send for this operation. Return: 0, 1: nothing to send, negative
 * errno with @e. */
int runner_mail_command(const struct run_jail *j, const struct run_op *op,
    const char *operation, struct buf *script, struct buf *env, struct err *e);
