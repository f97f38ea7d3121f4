/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * engine_role - the parts of the engine's process, which know each other
 *
 *   engine_role.c     plumbing: set-up, peers, timers
 *   engine_files.c    logs: what is open, what has grown, whose turn it is; with
 *                     engine_files_named.c: what the reader says of them
 *   engine_journal.c  journals: lines that the reader sends
 *   engine_ignore.c   names and files in ignoreip: what they stand for now
 *   engine_ask.c      ignorecommand: failures that wait for its answer
 *   engine_orders.c   orders on their way to enforcer and runner
 *   engine_guard.c    what the guard has refused, and what it protects from now on
 *   engine_names.c    clients that are names, until the resolver has answered
 *   engine_say.c      what is logged of decisions, in our words or fail2ban's
 *   engine_count.c    what bans have stopped, asked of the enforcer
 *   engine_sums.c     what came, got through and was stopped, for the report
 *   engine_store.c    the keeper: what it gave back, checkpoints, snapshots
 *   engine_suspects.c who has failed and is not banned, for the enforcer
 *   engine_answers.c  what clients ask; engine_answers_f2b.c: in fail2ban's protocol
 *
 * Everything lives in one loop and one thread; a block of lines is decided whole before
 * anything else happens, so a checkpoint between blocks is consistent.
 */

#include "flow/cursor.h"
#include "pipeline/pipeline.h"
#include "proc/role.h"

struct engine_files;
struct engine_journals;
struct engine_ignore;
struct engine_names;
struct engine_ask;
struct engine_count;
struct engine_sums;
struct engine_store;
struct engine_answers;
struct engine_guard;
struct engine_suspects;
struct jsonw;

struct engine_role {
	struct role *role;
	struct pipeline *pipeline;
	struct orders orders; /* decided, not yet sent */
	struct {
		bool is_on;
		int jail;
	} lifted; /* see engine_role_flush_lifted() */
	struct loop_watch *tick_timer;
	struct engine_files *files;
	struct engine_journals *journals;
	struct engine_ignore *ignore;
	struct engine_names *names;
	struct engine_ask *ask;
	struct engine_count *count;
	struct engine_sums *sums;
	struct engine_store *store;
	struct engine_answers *answers;
	struct engine_guard *guard;
	struct engine_suspects *suspects;
	uint64_t last_seq;      /* of MSG_ORDERS to the enforcer */
	uint64_t n_unescalated; /* of engine_bounds(), as far as it was told */
	uint64_t *severed;      /* by jail: connections that were ended */
	/* What the enforcer is not known to have lifted. */
	struct {
		struct buf unbans;  /* records */
		uint64_t seq;       /* its answer makes them done; 0: none is to come */
		bool must_empty;    /* more than can be kept, or all of a jail */
		uint64_t empty_seq; /* the same of that */
	} missed;
	struct {
		bool is_on;
		uint32_t at;       /* of engine_next_bans() */
		uint64_t wait_for; /* its answer asks for the next message */
		uint64_t last_seq; /* of the last message that was sent */
	} resync;                  /* with the enforcer */
	bool is_enforcing;         /* the enforcer says that the kernel has our sets */
	bool is_restored;          /* the keeper's memory is in, or given up on */
	bool is_reading; /* and what ignoreip names is known: lines are decided */
	bool is_serving; /* and the logs are open: nothing that is written is missed */
};

/* Send out what has been decided, log it, give it to the store; rearm the timer.
 * Return: seq of the enforcer's message, 0 if there is none to wait for. */
uint64_t engine_role_flush(struct engine_role *er);

/* The same when all bans of a jail (-1: of all jails) have just been lifted by a user:
 * enforcer and store are told so in one word. */
uint64_t engine_role_flush_lifted(struct engine_role *er, int jail);
/* Does the order stand for nothing more than that? */
bool engine_role_is_lifted(const struct engine_role *er, const struct order *o);

/* The keeper's memory is in: tell the enforcer all bans, and begin to read when
 * ignoreip is known. */
void engine_role_restored(struct engine_role *er);
void engine_role_ignore_known(struct engine_role *er);

/* The logs have been named and opened: from here on nothing is missed. */
void engine_role_serving(struct engine_role *er);

/* Tell all bans again to those who enforce. */
void engine_role_resync(struct engine_role *er);

/* --- orders on their way out */
/* What has been decided, to the enforcer and, for jails that need it, to the runner. */
void engine_orders_send(struct engine_role *er);
/* All bans again, to one of them. The enforcer gets them little by little: what is
 * decided meanwhile does not wait behind a million bans. */
void engine_orders_resync(struct engine_role *er, enum role_id to);
void engine_orders_done(struct engine_role *er, uint64_t seq); /* it has answered */
/* The enforcer has done what message @seq said; before what follows from that. */
void engine_orders_answered(struct engine_role *er, uint64_t seq);
/* There is another set-up; before all bans are told again. */
void engine_orders_reload(struct engine_role *er);
/* MSG_ASK_BANS: those of these networks that hold. */
void engine_orders_again(struct engine_role *er, struct message *m);

/* --- connections that bans ended, or making room */
/* Counts for the present set-up; those of @old (NULL: none) are taken over by name.
 * Return: 0 or -ENOMEM. */
int engine_severed_setup(struct engine_role *er, const struct setup *old);
void engine_severed_message(
    struct engine_role *er, struct message *m); /* MSG_SEVERED */

/* --- whom the mail server has refused */
void engine_policy_message(struct engine_role *er, struct message *m); /* MSG_REFUSED */

/* --- who has failed and is not banned */
struct engine_suspects *engine_suspects_new(struct engine_role *er);
struct engine_suspects *engine_suspects_free(struct engine_suspects *s);
void engine_suspects_verdict(
    struct engine_suspects *s, const struct hit *h, int outcome);
void engine_suspects_resync(struct engine_suspects *s); /* tell all again */

/* --- the guard's word */
struct engine_guard *engine_guard_new(void);
struct engine_guard *engine_guard_free(struct engine_guard *g);
/* @o was refused; @reason as the enforcer sent it. Counted; told unless it just was. */
void engine_guard_refused(
    struct engine_role *er, const struct order *o, uint8_t reason);
void engine_guard_message(
    struct engine_role *er, struct message *m); /* MSG_PROTECTED */
/* As JSON: "guard", how many by reason; "refused", the last one of @net, or null. */
void engine_guard_put_counts(const struct engine_role *er, struct jsonw *j);
void engine_guard_put_last(
    const struct engine_role *er, const struct net *net, struct jsonw *j);
/* --- what bans have stopped */
struct engine_count *engine_count_new(struct engine_role *er);
struct engine_count *engine_count_free(struct engine_count *c);
/* Bans came or went, or can be asked about now: when is it time? */
void engine_count_touch(struct engine_count *c);
/* All bans were told anew: walk over them at once. */
void engine_count_all(struct engine_count *c);
/* These are about to be lifted. */
void engine_count_lifted(struct engine_count *c, const struct orders *l);
/* Ask now, as far as it takes no time. Return: the number to wait for in
 * engine_answers_sampled(), 0: there is nothing to wait for. */
uint64_t engine_count_now(struct engine_count *c);
/* MSG_COUNTED. Return: false: it was not us who asked. */
bool engine_count_message(struct engine_count *c, struct message *m);
/* No answers are to be had: the enforcer is gone, or jails have new numbers. */
void engine_count_forget(struct engine_count *c);
/* Ask for the last time, then call @on_finished, in two seconds at the latest. */
void engine_count_finish(
    struct engine_count *c, void (*on_finished)(struct engine_store *s));

/* --- for the report */
struct engine_sums *engine_sums_new(struct engine_role *er);
struct engine_sums *engine_sums_free(struct engine_sums *s);
void engine_sums_hit(struct engine_sums *s, const struct hit *h, int outcome);
void engine_sums_order(struct engine_sums *s, const struct order *o);
void engine_sums_stopped(struct engine_sums *s, wall_t now, uint32_t jail,
    uint16_t rule, const struct net *who, const struct stopped_more *more);
/* Jails are about to get other numbers than in @names. */
void engine_sums_freeze(struct engine_sums *s, const struct setup *names);
/* Into the checkpoint that is being sent; what became of it. */
void engine_sums_send(struct engine_sums *s);
void engine_sums_committed(struct engine_sums *s, bool done);

/* --- logs */
struct engine_files *engine_files_new(struct engine_role *er);
struct engine_files *engine_files_free(struct engine_files *f);
void engine_files_message(struct engine_files *f, struct message *m);
void engine_files_reader_gone(struct engine_files *f);
void engine_files_start(struct engine_files *f); /* restored: begin to read */
/* Another set-up: read nothing until the reader has named all files for it. */
void engine_files_reload(struct engine_files *f);
/* A position from the store, before engine_files_start(). */
int engine_files_restore(
    struct engine_files *f, const char *path, const struct cursor *c);
/* Positions that moved since the last call (or all). */
typedef void (*engine_cursor_fn)(void *ctx, const char *path, const struct cursor *c);
void engine_files_each_cursor(
    struct engine_files *f, bool all, engine_cursor_fn fn, void *ctx);
size_t engine_files_describe(
    const struct engine_files *f, uint32_t jail, struct buf *json);
/* Has the reader named all files for the present set-up? */
bool engine_files_are_named(const struct engine_files *f);
/* Pack the paths that are watched for a jail. Return: how many. */
uint32_t engine_files_paths(
    const struct engine_files *f, uint32_t jail, struct buf *out);

/* --- journals */
struct engine_journals *engine_journals_new(struct engine_role *er);
struct engine_journals *engine_journals_free(struct engine_journals *js);
void engine_journals_message(struct engine_journals *js, struct message *m);
void engine_journals_start(struct engine_journals *js);
int engine_journals_restore(
    struct engine_journals *js, const char *name, const struct cursor *c);
void engine_journals_each_cursor(
    struct engine_journals *js, bool all, engine_cursor_fn fn, void *ctx);

/* --- ignoreip */
#define ENGINE_IGNORE_ID (UINT64_C(1) << 63) /* in ids of questions: asked here */

struct engine_ignore *engine_ignore_new(struct engine_role *er);
struct engine_ignore *engine_ignore_free(struct engine_ignore *g);
/* Every name and file was told of, or there is no more waiting for them. */
bool engine_ignore_is_known(const struct engine_ignore *g);
void engine_ignore_resolver(struct engine_ignore *g); /* there is a resolver */
void engine_ignore_resolved(struct engine_ignore *g, struct message *m);
void engine_ignore_list(struct engine_ignore *g, struct message *m);
void engine_ignore_reload(struct engine_ignore *g);

/* --- clients that are names */
struct engine_names *engine_names_new(struct engine_role *er);
struct engine_names *engine_names_free(struct engine_names *ns);
void engine_names_resolved(struct engine_names *ns, struct message *m);
void engine_names_forget(
    struct engine_names *ns); /* another set-up: jails have new numbers */

/* --- the log. All but the first two is told in fail2ban's style only. */
void engine_say_order(const struct setup_jail *j, const struct order *o);
/* What is about to be flushed. Bans that are lifted in bulk are told by their number,
 * but in fail2ban's style. */
void engine_say_orders(struct engine_role *er);
void engine_say_begin(struct engine_role *er); /* jails start */
void engine_say_verdict(struct engine_role *er, const struct hit *h, int outcome);
/* Rules that do not count now, or do again. Return: was there any? */
bool engine_say_events(struct engine_role *er);
void engine_say_restored(struct engine_role *er);
void engine_say_jails(struct engine_role *er, const char *what); /* "stopped" */
void engine_say_reload(struct engine_role *er, const struct setup *old);

/* --- ignorecommand */
struct engine_ask *engine_ask_new(struct engine_role *er);
struct engine_ask *engine_ask_free(struct engine_ask *a);
void engine_ask_answered(struct engine_ask *a, struct message *m);
void engine_ask_runner_gone(struct engine_ask *a);
/* The runner is there again, or has another set-up: what it was asked it may have
 * forgotten. */
void engine_ask_again(struct engine_ask *a);
/* Another set-up; what waits goes on, under its jail's new number. 0 or -ENOMEM. */
int engine_ask_setup(struct engine_ask *a, const struct setup *old);

/* --- the keeper */
struct engine_store *engine_store_new(struct engine_role *er);
struct engine_store *engine_store_free(struct engine_store *s);
void engine_store_peer(struct engine_store *s);
void engine_store_peer_gone(struct engine_store *s);
void engine_store_message(struct engine_store *s, struct message *m);
void engine_store_put(struct engine_store *s, const char *jail, const struct order *o);
/* In place of putting each unban of the jail, all of which a user lifted. */
void engine_store_lifted(struct engine_store *s, const char *jail);
void engine_store_touch(
    struct engine_store *s); /* something changed: checkpoint soon */
/* Checkpoint without delay. Return: the number to wait for in engine_answers_stored(),
 * 0: there is no store now. */
uint64_t engine_store_now(struct engine_store *s);
/* Write out what there is, then call role_stopped(). */
void engine_store_finish(struct engine_store *s);

/* --- clients */
struct engine_answers *engine_answers_new(struct engine_role *er);
struct engine_answers *engine_answers_free(struct engine_answers *a);
void engine_answers_request(struct engine_answers *a, struct message *m);
/* Send @bytes as the answer to request @id, in as many messages as it takes. */
void engine_answers_reply(
    struct engine_answers *a, uint64_t id, const struct buf *bytes);
void engine_answers_f2b(struct engine_role *er, struct message *m);    /* MSG_F2B */
void engine_answers_done(struct engine_answers *a, struct message *m); /* MSG_DONE */
void engine_answers_counted(
    struct engine_answers *a, struct message *m); /* MSG_COUNTED */
void engine_answers_stored(struct engine_answers *a, uint64_t seq);
void engine_answers_sampled(struct engine_answers *a, uint64_t seq);
void engine_answers_front_gone(struct engine_answers *a);
void engine_answers_enforcer_gone(struct engine_answers *a);
