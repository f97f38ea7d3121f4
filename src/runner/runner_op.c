/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One operation of an action: its command, before it actionstart where a family is used
 * for the first time, and where it fails the mending: actioncheck; when that fails too,
 * actionrepair, or actionstop and actionstart, then actioncheck again; then the command
 * once more.
 */
#include <errno.h>

#include "base/log.h"
#include "runner/runner.h"

#define SCRIPT_MAX (2 * ACTION_TEXT_MAX)

static void ended(struct run_jail *j, bool ok);

void runner_say_failure(
    const char *jail, const char *what, const struct command_result *r)
{
	struct buf b = BUF_INIT(1024);

	buf_quote(&b, span_trim(r->output), 300);
	log_err(jail, "%s %s %d: %s", what,
	    r->is_late      ? "took too long and was ended,"
	    : r->code > 128 ? "was ended by a signal,"
			    : "failed with code",
	    r->code, buf_str(&b));
	if (r->code == 127)
		log_warning(
		    jail, "%s: code 127 says that a program was not found", what);
	buf_deinit(&b);
}

static void say_failure(
    const struct run_jail *j, const char *operation, const struct command_result *r)
{
	CLEANUP(buf_deinit) struct buf what = BUF_INIT(1024);

	buf_printf(&what, "action %s: %s", j->op.action->name, operation);
	runner_say_failure(j->name, buf_str(&what), r);
}

static const char *operation_of(const struct run_jail *j)
{
	switch (j->stage) {
	case OP_FIRST_START:
	case OP_REPAIR_START:
		return "actionstart";
	case OP_CHECK:
	case OP_REPAIR_CHECK:
		return "actioncheck";
	case OP_REPAIR:
		return "actionrepair";
	case OP_REPAIR_STOP:
		return "actionstop";
	case OP_IDLE:
	case OP_MAIN:
		break;
	}
	return j->op.name;
}

static void on_command(void *ctx, const struct command_result *r)
{
	struct run_jail *j = ctx;

	j->command = NULL;
	j->all->n_running--;
	bool may_fail = j->stage == OP_CHECK || j->op.may_fail;

	if (r->code != 0 && !may_fail)
		say_failure(j, operation_of(j), r);
	else
		log_debug(
		    j->name, "action %s: %s done", j->op.action->name, operation_of(j));
	ended(j, r->code == 0);
	run_jails_turn(j->all);
}

/* The name is asked for where it is waited for anyway; the variable is the one that
 * shell_script() refers to. Of what the DNS says it keeps what a name may have, and no
 * first byte that could mean something. */
static int look_up_host(const struct net *n, struct buf *script)
{
	CLEANUP(buf_deinit) struct buf b = BUF_INIT(script->cap);

	buf_add_str(&b, "f2bV_ip_host=$(getent hosts ");
	buf_add_net(&b, n);
	buf_add_str(&b, " | { read -r _ h _; printf %s \"$h\"; } |"
			" LC_ALL=C tr -cd A-Za-z0-9.- | cut -c1-255)\n"
			"case $f2bV_ip_host in ''|[-.]*) f2bV_ip_host=None;; esac\n");
	buf_add_span(&b, buf_span(script));
	buf_clear(script);
	buf_add_span(script, buf_span(&b));
	return b.failed || script->failed ? -E2BIG : 0;
}

static int make_script(const struct run_jail *j, const char *operation,
    struct buf *script, struct buf *env, struct err *e)
{
	const struct run_action *a = j->op.action;
	CLEANUP(buf_deinit) struct buf text = BUF_INIT(ACTION_TEXT_MAX);
	enum shell_form form = SHELL_INERT;
	struct tag_source tags = {
	    .jail = j->name,
	    .ticket = j->stage == OP_MAIN ? j->op.ticket : NULL,
	    .family = j->op.family,
	    .n_banned = j->n_wanted,
	    .n_banned_total = j->n_total,
	    .scratch = BUF_INIT(SHELL_VALUE_MAX),
	};

	if (a->is_mail)
		return runner_mail_command(j, &j->op, operation, script, env, e);
	int r = action_text(
	    &a->options, operation, runner_family_name(j->op.family), &text);

	if (!r && span_trim(buf_span(&text)).n == 0)
		return 1;
	if (!r)
		r = shell_script(
		    buf_span(&text), runner_tag, &tags, script, env, &form);
	buf_deinit(&tags.scratch);
	if (!r && tags.asks_host && form != SHELL_INERT)
		r = look_up_host(ticket_address(j->op.ticket), script);
	if (r < 0)
		return err_set(e, r, "%s: %s", operation,
		    r == -ELOOP ? "its options contain themselves" : "is too long");
	return 0;
}

/* Run what the stage asks for. An empty command has worked. */
static void run_stage(struct run_jail *j, enum op_stage stage)
{
	struct buf script = BUF_INIT(SCRIPT_MAX), env = BUF_INIT(SHELL_ENV_MAX);
	struct err e = {""};

	j->stage = stage;
	run_fact_begins(j, operation_of(j));
	int r = make_script(j, operation_of(j), &script, &env, &e);

	if (r == 0 && j->all->is_dry)
		r = 1;
	if (r == 0) {
		j->command = command_start(j->all->loop, buf_str(&script),
		    buf_span(&env), j->op.action->timeout_ms, on_command, j, &e);
		r = j->command ? 0 : -EAGAIN;
	}
	buf_deinit(&script);
	buf_deinit(&env);
	if (r == 0) {
		j->all->n_running++;
		return;
	}
	if (r < 0)
		log_err(j->name, "action %s: %s", j->op.action->name, e.text);
	ended(j, r > 0);
}

/* --- what comes after it -----------------------------------------------------------
 */

static void finish(struct run_jail *j, bool ok)
{
	run_fact_is_over(j, ok);
	j->stage = OP_IDLE;
	run_jail_wake(j);
}

static bool is_unban(const struct run_jail *j)
{
	return !strcmp(j->op.name, "actionunban");
}

/* Has what this operation is for been called off while a command ran? */
static bool is_called_off(const struct run_jail *j)
{
	const struct run_action *a = j->op.action;
	const struct ticket *t = j->op.ticket;
	bool is_ban_wanted = a->is_wanted && t->is_wanted && !(t->undo & a->bit);

	return is_unban(j) == is_ban_wanted;
}

/* The command itself, for the first time or once more. */
static void run_main(struct run_jail *j)
{
	if (is_called_off(j))
		finish(j, false);
	else
		run_stage(j, OP_MAIN);
}

/* Bans that a repair puts back lead to no other one, else it might never end. */
static void main_failed(struct run_jail *j)
{
	if (j->is_retry || !j->op.ticket || j->op.is_again ||
	    !run_action_has(j->op.action, "actioncheck"))
		finish(j, false);
	else
		run_stage(j, OP_CHECK);
}

static void check_failed(struct run_jail *j)
{
	struct run_action *a = j->op.action;

	if (is_unban(j) && (!a->repairs_on_unban || !a->is_wanted)) {
		log_err(j->name,
		    "action %s: what it set up is gone, so there is "
		    "nothing to unban",
		    a->name);
		finish(j, false);
		return;
	}
	if (is_called_off(j)) {
		finish(j, false);
		return;
	}
	log_warning(j->name, "action %s: what it set up is gone; repairing", a->name);
	run_stage(j, run_action_has(a, "actionrepair") ? OP_REPAIR : OP_REPAIR_STOP);
}

/* The repair has emptied it: what was to be unbanned is gone, and a ban is to be made
 * anew even if it was to be prolonged. */
static void repaired(struct run_jail *j)
{
	log_notice(j->name, "action %s: repaired", j->op.action->name);
	if (!strcmp(j->op.name, "actionban"))
		run_main(j);
	else
		finish(j, true);
}

static void cannot_repair(struct run_jail *j)
{
	j->op.action->families[j->op.family].is_started = false;
	log_err(j->name, "action %s: cannot be repaired", j->op.action->name);
	finish(j, false);
}

/* A repair is carried on for the other bans, but not for nobody. */
static void repair_step(struct run_jail *j, bool ok, enum op_stage next)
{
	if (!j->op.action->is_wanted)
		finish(j, false);
	else if (!ok)
		cannot_repair(j);
	else
		run_stage(j, next);
}

static void next_stage(struct run_jail *j, bool ok)
{
	switch (j->stage) {
	case OP_FIRST_START:
		if (ok)
			run_main(j);
		else
			finish(j, false);
		return;
	case OP_MAIN:
		if (ok)
			finish(j, true);
		else
			main_failed(j);
		return;
	case OP_CHECK:
		j->is_retry = true;
		if (ok)
			run_main(j);
		else
			check_failed(j);
		return;
	case OP_REPAIR:
	case OP_REPAIR_START:
		repair_step(j, ok, OP_REPAIR_CHECK);
		return;
	case OP_REPAIR_STOP: /* whether or not there was something to stop */
		repair_step(j, true, OP_REPAIR_START);
		return;
	case OP_REPAIR_CHECK:
		if (ok)
			repaired(j);
		else
			cannot_repair(j);
		return;
	case OP_IDLE:
		return;
	}
}

static void ended(struct run_jail *j, bool ok)
{
	run_fact_ends(j, operation_of(j), ok);
	next_stage(j, ok);
}

void run_op_start(struct run_jail *j, const struct run_op *op)
{
	const struct run_action *a = op->action;

	j->op = *op;
	j->is_retry = false;
	if (op->ticket && a->is_on_demand && !a->families[op->family].is_started &&
	    !is_unban(j))
		run_stage(j, OP_FIRST_START);
	else
		run_stage(j, OP_MAIN);
}
