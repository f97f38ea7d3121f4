/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * front_f2b_command - one request in fail2ban's protocol, from its bytes to the reply
 *
 * Pure: the set-up is given with each call, and what others must do or say is asked for
 * by a step. A command goes from step to step until it has an answer. The bytes come
 * from strangers: everything is bounded, nothing asserts on them.
 *
 *   front_f2b_command.c  requests to words, steps, the table of commands
 *   front_f2b_server.c   the server as a whole, and jails that come and go
 *   front_f2b_status.c   what the engine is asked: status; front_f2b_bans.c: lists of
 *                        bans; front_f2b_orders.c: what it is to do
 *   front_f2b_get.c      get: from the set-up
 *   front_f2b_set.c      set: texts that become overrides; front_f2b_lists.c: lists
 *   front_f2b_actions.c  actions of a jail
 *   front_f2b_reply.c    the pickles of replies
 */

#include "base/pack.h"
#include "base/pickle.h"
#include "flow/id.h"
#include "pipeline/setup.h"
#include "proc/message.h"

#define F2B_REQUEST_MAX (8u << 20) /* a reload brings the whole configuration */
#define F2B_REPLY_MAX (128u << 20)
#define F2B_MAX_ITEMS 400000
#define F2B_MAX_WORDS 65536
#define F2B_MAX_NETS 1024
#define F2B_VERSION "1.1.0" /* of fail2ban, whose protocol this is */

enum f2b_step {
	F2B_STEP_ANSWER, /* done: reply */
	F2B_STEP_STOP,   /* done: reply, then the daemon stops */
	F2B_STEP_ENGINE, /* body: of MSG_F2B from its verb on; then _resume() */
	F2B_STEP_CHANGE, /* body: an enum override_op and its values; then _resume() */
	F2B_STEP_FLUSH,  /* logs; then _resume() */
	F2B_STEP_SLEEP,  /* sleep_ms; then _resume() */
};

/* What a command may look at. */
struct f2b_world {
	const struct setup *setup;
	const char *state_dir;
};

/* What a step gave. */
struct f2b_result {
	enum change_result change; /* F2B_STEP_CHANGE */
	bool has_log_file;         /* F2B_STEP_FLUSH */
	struct span
	    bytes; /* F2B_STEP_ENGINE: the reply; F2B_STEP_CHANGE: diagnostics */
};

struct f2b_command;
typedef void (*f2b_begin_fn)(struct f2b_command *c, const struct f2b_world *w);
typedef void (*f2b_resume_fn)(
    struct f2b_command *c, const struct f2b_world *w, const struct f2b_result *r);

struct f2b_command {
	enum f2b_step step;
	struct buf body;
	struct buf reply;
	uint32_t sleep_ms;
	/* for front_f2b_*.c only */
	struct pickle *request;
	char **words; /* NULL: not a text, number or truth value */
	size_t n_words;
	f2b_begin_fn begin;   /* makes the present step (again) */
	f2b_resume_fn resume; /* takes its result */
	bool has_flag;        /* get banip --with-time; set unbanip --report-absent */
	bool is_second_try;
};

/**
 * f2b_command_begin() - read a request, and take the first step
 * @bytes: must live until f2b_command_deinit()
 * @c:     is initialised here
 */
void f2b_command_begin(
    struct f2b_command *c, struct span bytes, const struct f2b_world *w);

/* Take the next step. F2B_OTHER of the engine makes the same step again: send anew. */
void f2b_command_resume(
    struct f2b_command *c, const struct f2b_world *w, const struct f2b_result *r);

/* Nothing came in time, or who was asked is gone: the answer is an error. */
void f2b_command_give_up(struct f2b_command *c, const char *why);
void f2b_command_deinit(struct f2b_command *c);

/* --- within front_f2b_*.c: replies */

void f2b_reply_begin(struct f2b_command *c); /* then one value, then _end() */
void f2b_reply_end(struct f2b_command *c);
void f2b_reply_none(struct f2b_command *c);
void f2b_reply_str(struct f2b_command *c, const char *v); /* NULL: None */
void f2b_reply_i64(struct f2b_command *c, int64_t v);
void f2b_reply_bool(struct f2b_command *c, bool v);
/* The plain text that stands for a request that could not be read. */
void f2b_reply_broken(struct f2b_command *c, const char *why);

/* Errors, as exceptions of Python; @class of its builtins. */
PRINTF_LIKE(3, 4)
void f2b_raise(struct f2b_command *c, const char *class, const char *fmt, ...);
void f2b_raise_too_short(struct f2b_command *c); /* a word is missing */
void f2b_raise_unknown_jail(struct f2b_command *c, const char *name);
void f2b_raise_duplicate_jail(struct f2b_command *c, const char *name);
/* The first thing the loader said against a change. */
void f2b_raise_refused(struct f2b_command *c, const struct f2b_result *r);

/* --- words and jails */

/* The word at @i, or NULL, and then the reply is there. */
const char *f2b_word(struct f2b_command *c, size_t i);
/* The jail that word @i names, or -1, and then the reply is there. */
int f2b_jail(struct f2b_command *c, const struct f2b_world *w, size_t i);

/* --- steps */

/* Ask the engine; networks and texts may be added to the body between these two. */
void f2b_ask(struct f2b_command *c, enum f2b_verb verb, uint32_t jail, bool flag);
void f2b_ask_end(struct f2b_command *c, f2b_resume_fn resume);
/* An empty list. Return: false, and the reply is there: no memory. */
bool f2b_begin_who(struct f2b_command *c, struct ids *out);
/* Words from @from on that are addresses or ids; @out, of ids_init(), keeps pointing to
 * them. Return: false, and the reply is there: one is neither (if @strict) or too many.
 */
bool f2b_who(struct f2b_command *c, size_t from, bool strict, struct ids *out);
/* Set one option of a jail (NULL: of the whole). */
void f2b_change(struct f2b_command *c, const char *jail, const char *option,
    const char *value, f2b_resume_fn resume);
/* After a change: raise what was wrong. Return: false if the reply is there. */
bool f2b_changed(struct f2b_command *c, const struct f2b_result *r);
/* After a question to the engine: the values behind its first byte. Return: as above.
 */
bool f2b_answered(
    struct f2b_command *c, const struct f2b_result *r, struct unpack *out);

/* --- the commands of each file */

void f2b_do_ping(struct f2b_command *c, const struct f2b_world *w);
void f2b_do_version(struct f2b_command *c, const struct f2b_world *w);
void f2b_do_server_status(struct f2b_command *c, const struct f2b_world *w);
void f2b_do_nothing(struct f2b_command *c, const struct f2b_world *w);
void f2b_do_echo(struct f2b_command *c, const struct f2b_world *w);
void f2b_do_sleep(struct f2b_command *c, const struct f2b_world *w);
void f2b_do_flushlogs(struct f2b_command *c, const struct f2b_world *w);
void f2b_do_reload(struct f2b_command *c, const struct f2b_world *w);
void f2b_do_server_stream(struct f2b_command *c, const struct f2b_world *w);
void f2b_do_add(struct f2b_command *c, const struct f2b_world *w);
void f2b_do_start(struct f2b_command *c, const struct f2b_world *w);
void f2b_do_stop(struct f2b_command *c, const struct f2b_world *w);
void f2b_do_get(struct f2b_command *c, const struct f2b_world *w);
void f2b_do_set(struct f2b_command *c, const struct f2b_world *w);
void f2b_do_status(struct f2b_command *c, const struct f2b_world *w);
void f2b_do_stats(struct f2b_command *c, const struct f2b_world *w);
void f2b_do_banned(struct f2b_command *c, const struct f2b_world *w);
void f2b_do_unban(struct f2b_command *c, const struct f2b_world *w);

/* get JAIL ...: @c->words[1] is a jail */
void f2b_get_banip(struct f2b_command *c, const struct f2b_world *w);
void f2b_get_banned(struct f2b_command *c, const struct f2b_world *w);
void f2b_get_logpath(struct f2b_command *c, const struct f2b_world *w);
void f2b_get_actions(struct f2b_command *c, const struct f2b_world *w);
void f2b_get_action(struct f2b_command *c, const struct f2b_world *w);
void f2b_get_actionproperties(struct f2b_command *c, const struct f2b_world *w);
void f2b_get_actionmethods(struct f2b_command *c, const struct f2b_world *w);
/* Answer with what the option in words[2] of a jail is now. */
void f2b_show_option(struct f2b_command *c, const struct f2b_world *w);

/* set JAIL ... */
void f2b_set_banip(struct f2b_command *c, const struct f2b_world *w);
void f2b_set_unbanip(struct f2b_command *c, const struct f2b_world *w);
void f2b_set_attempt(struct f2b_command *c, const struct f2b_world *w);
void f2b_set_idle(struct f2b_command *c, const struct f2b_world *w);
void f2b_set_addignoreip(struct f2b_command *c, const struct f2b_world *w);
void f2b_set_delignoreip(struct f2b_command *c, const struct f2b_world *w);
void f2b_set_addregex(struct f2b_command *c, const struct f2b_world *w);
void f2b_set_delregex(struct f2b_command *c, const struct f2b_world *w);
void f2b_set_addlogpath(struct f2b_command *c, const struct f2b_world *w);
void f2b_set_dellogpath(struct f2b_command *c, const struct f2b_world *w);
void f2b_set_journalmatch(struct f2b_command *c, const struct f2b_world *w);
void f2b_set_addaction(struct f2b_command *c, const struct f2b_world *w);
void f2b_set_delaction(struct f2b_command *c, const struct f2b_world *w);
void f2b_set_action(struct f2b_command *c, const struct f2b_world *w);

/* The journal matches of a jail: groups joined by '+'; NULL: all, or no journal. */
const char *f2b_journal_match(const struct setup *s, uint32_t jail, bool *is_journal);
