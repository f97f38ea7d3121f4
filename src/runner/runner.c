/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The runner does what needs root's ownership of files, hosts.deny, and what is not
 * ours: the commands of actions. It runs only when a jail asks for one of them; without
 * commands it has no capability at all.
 *
 * It has a guard of its own: while the enforcer is being restarted nobody else says no.
 */
#include "runner/runner.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/log.h"
#include "enforce/guard.h"
#include "proc/guard_watch.h"

struct runner {
	struct role *role;
	struct guard *guard;
	struct guard_watch *guard_watch;
	struct runner_deny *deny;
	struct runner_ask *ask;
	struct runner_past *past;
	struct run_jails jails;
};

/* The rate of bans is the enforcer's to bound. */
static int new_guard(struct runner *x)
{
	const struct setup *s = x->role->setup;
	struct guard_options o = {
	    .min_prefix_v4 = s->min_prefix_v4,
	    .min_prefix_v6 = s->min_prefix_v6,
	    .ignore = s->never_ban,
	    .n_ignore = s->n_never_ban,
	    .protect_logins = s->protect_logins,
	};
	struct guard *g = guard_new(&o);

	if (!g)
		return -ENOMEM;
	guard_free(x->guard);
	x->guard = g;
	/* The enforcer says what cannot be read. */
	guard_watch_heed(x->guard_watch, guard_refresh(g));
	return 0;
}

static void on_guard(void *ctx)
{
	struct runner *x = ctx;

	if (x->guard)
		guard_watch_heed(x->guard_watch, guard_refresh(x->guard));
}

static int take_setup(struct runner *x)
{
	const struct setup *s = x->role->setup;

	if (new_guard(x) < 0 || runner_deny_setup(x->deny, s) < 0 ||
	    run_jails_setup(&x->jails, s) < 0)
		return -ENOMEM;
	/* Mail is sent by programs with rights of their own: set-group-ID postdrop. */
	if (setup_uses_commands(s) && prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1)
		log_warning(NULL, "actions run commands, but the service manager keeps "
				  "them from gaining rights (NoNewPrivileges=): see "
				  "bandogd(8), \"Commands\"");
	return 0;
}

/* --- the marker --------------------------------------------------------------------
 */

/* Stands while commands may have left something behind. */
static void marker_path(const struct runner *x, char out[4096])
{
	snprintf(out, 4096, "%s/commands.running", x->role->args->state_dir);
}

static void set_marker(struct runner *x)
{
	char path[4096];

	marker_path(x, path);
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);

	x->jails.is_littered = fd < 0 && errno == EEXIST;
	if (x->jails.is_littered)
		log_notice(NULL, "commands were not stopped the last time; flushing "
				 "what they left");
	if (fd >= 0)
		close(fd);
}

static void remove_marker(struct runner *x)
{
	char path[4096];

	marker_path(x, path);
	(void)unlink(path);
}

/* --- orders ------------------------------------------------------------------------
 */

static void apply(void *ctx, const struct order *o, struct ticket_words *words)
{
	struct runner *x = ctx;

	/* Said by the enforcer, which makes the engine lift it. */
	if (o->op != ORDER_UNBAN &&
	    guard_check(x->guard, &o->net, mono_now()) != GUARD_OK) {
		ticket_words_free(words);
		return;
	}
	if (!net_is_id(&o->net))
		runner_deny_order(x->deny, o);
	run_jails_order(&x->jails, o, words);
}

static void take_orders(struct runner *x, struct message *m)
{
	(void)unpack_u64(&m->body); /* seq */
	uint32_t n = unpack_count(&m->body, ORDER_RECORD_BYTES);

	for (uint32_t i = 0; i < n; i++) {
		struct order o;

		if (order_decode_record(&m->body, &o) < 0) {
			m->body.bad = true;
			return;
		}
		if (o.op == ORDER_UNBAN)
			runner_past_unban(x->past, &o);
		apply(x, &o, NULL);
	}
}

/* The lines that spoke for the ban, one under the other. */
static char *join_lines(const struct order *o)
{
	struct buf b = BUF_INIT(MESSAGE_MAX_BYTES);

	for (uint32_t i = 0; i < o->n_why; i++) {
		if (!o->why[i].text)
			continue;
		if (b.n)
			buf_add_char(&b, '\n');
		buf_add_str(&b, o->why[i].text);
	}
	return b.n ? buf_take(&b) : NULL;
}

static void take_ticket(struct runner *x, struct message *m)
{
	struct ticket_words *w = calloc(1, sizeof(*w));
	struct order o;

	if (order_decode(&m->body, &o) < 0 || !w) {
		m->body.bad = true;
		free(w);
		return;
	}
	w->matches = join_lines(&o);
	ticket_words_get_fields(w, &m->body);
	if (!m->body.bad && o.cause != ORDER_RESTORED) {
		runner_past_take(x->past, &o, w);
	} else {
		/* An id told again: at once, or the end of the resync would lift it. */
		if (!m->body.bad)
			apply(x, &o, NULL);
		ticket_words_free(w);
	}
	order_deinit(&o);
}

static void runner_message(struct role *r, UNUSED enum role_id from, struct message *m)
{
	struct runner *x = r->ctx;

	if (m->type == MSG_PAST) {
		runner_past_answer(x->past, m);
		run_jails_turn(&x->jails);
		return;
	}
	bool is_ours = unpack_u64(&m->body) == r->setup->generation;

	if (!is_ours || r->is_stopping)
		return;
	switch (m->type) {
	case MSG_RESYNC:
		runner_past_release(x->past);
		runner_deny_sync_begin(x->deny);
		run_jails_sync_begin(&x->jails);
		return;
	case MSG_RESYNCED:
		runner_deny_sync_end(x->deny);
		run_jails_sync_end(&x->jails);
		break;
	case MSG_ASK_IGNORE:
		runner_ask_take(x->ask, m);
		return;
	case MSG_TICKET:
		take_ticket(x, m);
		break;
	default:
		take_orders(x, m);
	}
	run_jails_turn(&x->jails);
}

/* --- plumbing ----------------------------------------------------------------------
 */

static void on_idle(void *ctx)
{
	struct runner *x = ctx;

	if (!x->role->is_stopping)
		return;
	if (x->role->args->runs_commands)
		remove_marker(x);
	role_stopped(x->role);
}

static int runner_start(struct role *r, struct err *e)
{
	struct runner *x = r->ctx;

	x->role = r;
	x->jails.idle = on_idle;
	x->jails.ctx = x;
	x->jails.user = r->args->user;
	x->guard_watch = guard_watch_new(r->loop, on_guard, x);
	x->deny = runner_deny_new(r->loop);
	x->ask = runner_ask_new(r);
	x->past = runner_past_new(r, apply, x);
	run_jails_init(&x->jails, r->loop);
	if (r->args->runs_commands)
		set_marker(x);
	if (!x->deny || !x->ask || !x->past || !x->guard_watch || take_setup(x) < 0)
		return err_set(e, -ENOMEM, "out of memory");
	x->jails.is_littered = false; /* actions of later set-ups are ours */
	run_jails_turn(&x->jails);
	role_ready(r);
	return 0;
}

static void runner_reload(struct role *r, UNUSED const struct setup *old)
{
	struct runner *x = r->ctx;

	runner_ask_forget(x->ask);   /* the engine asks anew */
	runner_past_forget(x->past); /* jail numbers mean something else now */
	if (take_setup(x) < 0) {
		log_err(NULL, "out of memory; starting anew");
		loop_stop(r->loop);
		return;
	}
	run_jails_turn(&x->jails);
	(void)role_send(r, ROLE_ENGINE, MSG_ASK_RESYNC, NULL, -1);
}

static void runner_peer(UNUSED struct role *r, UNUSED enum role_id who)
{
	/* The engine tells all bans by itself. */
}

static void runner_peer_gone(struct role *r, enum role_id who)
{
	struct runner *x = r->ctx;

	/* Bans that were told stay; a new engine tells all again. Its questions have
	 * numbers of their own, so nobody waits for the answers to the old ones. */
	if (who == ROLE_ENGINE)
		runner_ask_forget(x->ask);
	if (who != ROLE_KEEPER)
		return;
	runner_past_release(x->past);
	run_jails_turn(&x->jails);
}

static void runner_stop(struct role *r)
{
	struct runner *x = r->ctx;

	runner_past_forget(x->past);
	runner_deny_close(x->deny);
	run_jails_stop(&x->jails);
	run_jails_turn(&x->jails); /* on_idle() follows */
}

static void runner_deinit(struct role *r)
{
	struct runner *x = r->ctx;

	guard_watch_free(x->guard_watch);
	guard_free(x->guard);
	run_jails_deinit(&x->jails);
	runner_deny_free(x->deny);
	runner_ask_free(x->ask);
	runner_past_free(x->past);
}

int runner_main(const struct role_args *args)
{
	static const struct role_permit permits[] = {
	    {ROLE_ENGINE, MSG_ORDERS},
	    {ROLE_ENGINE, MSG_TICKET},
	    {ROLE_KEEPER, MSG_PAST},
	    {ROLE_ENGINE, MSG_ASK_IGNORE},
	    {ROLE_ENGINE, MSG_RESYNC},
	    {ROLE_ENGINE, MSG_RESYNCED},
	    {0, 0},
	};
	static const struct role_fns fns = {
	    .permits = permits,
	    .start = runner_start,
	    .reload = runner_reload,
	    .peer = runner_peer,
	    .peer_gone = runner_peer_gone,
	    .message = runner_message,
	    .stop = runner_stop,
	    .deinit = runner_deinit,
	};
	struct runner x = {0};

	return role_run(args, &fns, &x);
}
