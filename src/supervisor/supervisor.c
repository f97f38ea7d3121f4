/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * States of a role: down (waiting for its back-off), up, stopping. A connection between
 * two roles is made whenever the second of them comes up, so a role that was restarted
 * gets new channels to all its peers, and they learn of it by a MSG_PEER.
 *
 * Stopping goes against the flow: who brings work in goes first, who keeps it last.
 */
#include "supervisor/supervisor_private.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "proc/channel.h"
#include "proc/sandbox.h"
#include "proc/spawn.h"
#include "supervisor/bpf_place.h"
#include "supervisor/policy_place.h"
#include "supervisor/sd_notify.h"

#define BACKOFF_FIRST_MS 50
#define BACKOFF_MAX_MS 30000
#define STEADY_US                                                          \
	(60 * US_PER_SEC) /* after so long a role's failures are forgotten \
			   */
/* For all roles together; units/bandog.service.in gives us more than either. */
#define STOP_PATIENCE_MS 8000
#define STOP_PATIENCE_COMMANDS_MS 70000 /* a command may take a minute by default */

/* Who talks to whom. */
static const enum role_id links[][2] = {
    {ROLE_READER, ROLE_ENGINE},
    {ROLE_ENGINE, ROLE_KEEPER},
    {ROLE_ENGINE, ROLE_ENFORCER},
    {ROLE_ENGINE, ROLE_RUNNER},
    {ROLE_RUNNER, ROLE_KEEPER},
    {ROLE_ENGINE, ROLE_RESOLVER},
    {ROLE_ENGINE, ROLE_POLICY},
    {ROLE_FRONT, ROLE_ENGINE},
    {ROLE_FRONT, ROLE_KEEPER},
};

/* Keeper and enforcer first, so that they are there when the engine asks. */
static const enum role_id start_order[] = {ROLE_KEEPER, ROLE_ENFORCER, ROLE_RUNNER,
    ROLE_RESOLVER, ROLE_POLICY, ROLE_ENGINE, ROLE_READER, ROLE_FRONT};

/* A role is told to stop when all before it are gone. */
#define STOP_TOGETHER 5
static const enum role_id stop_order[][STOP_TOGETHER] = {
    {ROLE_FRONT, ROLE_READER},
    {ROLE_ENGINE},
    {ROLE_KEEPER, ROLE_ENFORCER, ROLE_RUNNER, ROLE_RESOLVER, ROLE_POLICY},
};

static void child_start(struct child *c);
static void flush_logs(struct supervisor *s, struct message *m);
static void stop(struct supervisor *s);

static bool is_wanted(const struct supervisor *s, enum role_id role)
{
	switch (role) {
	case ROLE_RUNNER:
		return setup_uses_hosts_deny(s->setup) || setup_uses_commands(s->setup);
	case ROLE_RESOLVER:
		return setup_uses_names(s->setup);
	case ROLE_POLICY:
		return setup_uses_policy(s->setup) && !s->setup->dry_run;
	default:
		return true;
	}
}

static bool wants_xdp(const struct supervisor *s)
{
	return setup_uses_xdp(s->setup) && !s->setup->dry_run;
}

int supervisor_send(
    struct child *c, enum message_type type, const struct buf *body, int fd)
{
	struct span bytes = body ? buf_span(body) : (struct span){"", 0};

	return c->ctl ? channel_send(c->ctl, type, bytes, fd) : -ENOTCONN;
}

/* --- children ----------------------------------------------------------------------
 */

static void child_lost(struct child *c)
{
	c->ctl = channel_free(c->ctl);
	c->is_ready = false;
}

static void on_child_closed(void *ctx, UNUSED struct channel *ch)
{
	struct child *c = ctx;

	child_lost(c);
	/* It will be reaped; one that only closed its channel is of no use either. */
	if (c->pid > 0)
		(void)kill(c->pid, SIGKILL);
}

static void send_setup(struct child *c)
{
	struct buf body = BUF_INIT(16);

	pack_u64(&body, c->owner->generation);
	(void)supervisor_send(c, MSG_SETUP, &body, c->owner->setup_fd);
	buf_deinit(&body);
}

static void connect_pair(struct child *a, struct child *b)
{
	int fds[2];

	if (!a->ctl || !b->ctl || channel_pair(fds) < 0)
		return;
	struct child *ends[2] = {a, b};

	for (int i = 0; i < 2; i++) {
		struct buf body = BUF_INIT(1);

		pack_u8(&body, (uint8_t)ends[!i]->role);
		(void)supervisor_send(ends[i], MSG_PEER, &body, fds[i]);
		buf_deinit(&body);
		close(fds[i]);
	}
}

static void connect_peers(struct child *c)
{
	struct supervisor *s = c->owner;

	for (size_t i = 0; i < ARRAY_LEN(links); i++) {
		if (links[i][0] == c->role || links[i][1] == c->role)
			connect_pair(
			    &s->children[links[i][0]], &s->children[links[i][1]]);
	}
}

static void check_all_ready(struct supervisor *s)
{
	for (size_t i = 0; i < ARRAY_LEN(start_order); i++) {
		if (is_wanted(s, start_order[i]) &&
		    !s->children[start_order[i]].is_ready)
			return;
	}
	if (s->is_told_ready)
		return;
	s->is_told_ready = true;
	for (uint32_t i = 0; i < s->setup->n_left_out; i++)
		log_event(LOG_L_ERR, s->setup->left_out[i].name,
		    "this jail is left out: %s", s->setup->left_out[i].why);
	log_notice(
	    NULL, "started: %u jails, %u logs", s->setup->n_jails, s->setup->n_sources);
	sd_notify_ready();
	if (s->ready_fd >= 0) {
		(void)fd_write_all(s->ready_fd, "1", 1);
		fd_closep(&s->ready_fd);
		s->ready_fd = -1;
	}
}

static void on_child_message(void *ctx, UNUSED struct channel *ch, struct message *m)
{
	struct child *c = ctx;

	switch (m->type) {
	case MSG_READY:
		c->is_ready = true;
		check_all_ready(c->owner);
		return;
	case MSG_ASK_RELOAD:
		if (c->role == ROLE_FRONT)
			supervisor_reload(c->owner);
		return;
	case MSG_ASK_CHANGE:
		if (c->role == ROLE_FRONT)
			supervisor_change(c->owner, span_from((const char *)m->body.p,
							(const char *)m->body.end));
		return;
	case MSG_ASK_FLUSH:
		if (c->role == ROLE_FRONT)
			flush_logs(c->owner, m);
		return;
	case MSG_ASK_STOP:
		if (c->role == ROLE_FRONT)
			stop(c->owner);
		return;
	default: /* MSG_STOPPED: its exit follows */
		return;
	}
}

static uint64_t backoff_ms(const struct child *c)
{
	uint64_t ms = BACKOFF_FIRST_MS;

	for (unsigned int i = 1; i < c->n_failures && ms < BACKOFF_MAX_MS; i++)
		ms *= 2;
	return ms < BACKOFF_MAX_MS ? ms : BACKOFF_MAX_MS;
}

static void child_retry(struct child *c)
{
	if (mono_now().us - c->started.us > STEADY_US)
		c->n_failures = 0;
	c->n_failures++;
	loop_arm(c->backoff, backoff_ms(c), 0);
}

static void on_backoff(void *ctx)
{
	struct child *c = ctx;

	if (!c->owner->is_stopping && is_wanted(c->owner, c->role))
		child_start(c);
}

/* Which the enforcer is started with: what is there without need drops without end. */
static void leave_bpf_place(struct supervisor *s)
{
	/* In a dry run only what is ours: what an earlier one left stays as it is. */
	if (s->bpf_fd >= 0 || !s->setup->dry_run)
		bpf_place_remove(&s->bpf_fd);
}

static void take_bpf_place(struct supervisor *s)
{
	struct err e = {""};

	if (!wants_xdp(s)) {
		leave_bpf_place(s);
		return;
	}
	if (s->bpf_fd < 0)
		s->bpf_fd = bpf_place_open(s->setup->user, &e);
	if (e.text[0])
		log_err(NULL, "%s", e.text);
}

static int extra_fd(const struct child *c)
{
	if (c->role == ROLE_KEEPER)
		return c->owner->places.state_fd;
	return c->uses_xdp ? c->owner->bpf_fd : -1;
}

static int child_spawn(struct child *c, int ctl_fd, struct err *e)
{
	const struct supervisor *s = c->owner;
	char user_arg[128];
	const char *args[] = {user_arg, s->places.state_arg, s->places.log_arg,
	    c->runs_commands ? "--commands"
	    : c->uses_xdp    ? "--xdp"
			     : NULL,
	    NULL};

	snprintf(user_arg, sizeof(user_arg), "--user=%s", s->setup->user);
	return spawn_role(c->role, args, ctl_fd, extra_fd(c), &c->pid, e);
}

/* Its directory may be there by now, or another one be wanted. */
static void send_policy_socket(struct supervisor *s)
{
	struct err e = {""};

	if (policy_place_open(&s->policy, s->setup->policy_path, &e) < 0)
		log_err(NULL, "nobody is refused by the mail server: %s", e.text);
	else
		(void)supervisor_send(
		    &s->children[ROLE_POLICY], MSG_LISTEN, NULL, s->policy.fd);
}

static void child_start(struct child *c)
{
	struct supervisor *s = c->owner;
	struct channel_fns fns = {
	    .ctx = c, .message = on_child_message, .closed = on_child_closed};
	struct err e = {""};
	int fds[2];

	c->started = mono_now();
	c->is_stepping_down = false;
	c->runs_commands = c->role == ROLE_RUNNER && setup_uses_commands(s->setup);
	if (c->role == ROLE_ENFORCER)
		take_bpf_place(s);
	c->wanted_xdp = wants_xdp(s);
	c->uses_xdp = c->role == ROLE_ENFORCER && s->bpf_fd >= 0;
	int r = channel_pair(fds);

	if (r < 0)
		err_errno(&e, r, "socketpair");
	else
		r = child_spawn(c, fds[1], &e);
	if (r < 0) {
		log_err(role_name(c->role), "%s", e.text);
		child_retry(c);
		return;
	}
	close(fds[1]);
	c->ctl = channel_new(s->loop, fds[0], &fns);
	send_setup(c);
	if (c->role == ROLE_FRONT)
		(void)supervisor_send(c, MSG_LISTEN, NULL, s->places.listen_fd);
	if (c->role == ROLE_FRONT && s->places.f2b_fd >= 0)
		(void)supervisor_send(c, MSG_LISTEN_F2B, NULL, s->places.f2b_fd);
	if (c->role == ROLE_POLICY)
		send_policy_socket(s);
	connect_peers(c);
}

static void say_exit(const struct child *c, int status)
{
	if (WIFSIGNALED(status))
		log_warning(role_name(c->role), "was killed by signal %d (%s)",
		    WTERMSIG(status), strsignal(WTERMSIG(status)));
	else
		log_warning(
		    role_name(c->role), "ended with code %d", WEXITSTATUS(status));
}

/* --- stopping ----------------------------------------------------------------------
 */

static bool any_running(const struct supervisor *s, const enum role_id *roles)
{
	for (size_t i = 0; i < STOP_TOGETHER && roles[i]; i++) {
		if (s->children[roles[i]].pid > 0)
			return true;
	}
	return false;
}

static void stop_next(struct supervisor *s)
{
	for (size_t i = 0; i < ARRAY_LEN(stop_order); i++) {
		if (!any_running(s, stop_order[i]))
			continue;
		for (size_t k = 0; k < STOP_TOGETHER && stop_order[i][k]; k++)
			(void)supervisor_send(
			    &s->children[stop_order[i][k]], MSG_STOP, NULL, -1);
		return;
	}
	loop_stop(s->loop);
}

static void on_patience_over(void *ctx)
{
	struct supervisor *s = ctx;

	for (int i = 0; i < ROLE_N; i++) {
		struct child *c = &s->children[i];

		if (c->pid <= 0)
			continue;
		log_warning(role_name((enum role_id)i), "does not stop; killed%s",
		    c->runs_commands ? "; what its commands have set up stays until "
				       "the next start flushes it"
				     : "");
		(void)kill(c->pid, SIGKILL);
	}
}

static void stop(struct supervisor *s)
{
	if (s->is_stopping)
		return;
	s->is_stopping = true;
	log_notice(NULL, "stopping");
	sd_notify_stopping();
	loop_arm(s->patience,
	    setup_uses_commands(s->setup) ? STOP_PATIENCE_COMMANDS_MS
					  : STOP_PATIENCE_MS,
	    0);
	stop_next(s);
}

static void child_reaped(struct supervisor *s, struct child *c, int status)
{
	c->pid = 0;
	child_lost(c);
	if (s->is_stopping) {
		stop_next(s);
		return;
	}
	if (!is_wanted(s, c->role))
		return;
	if (c->is_stepping_down) {
		child_start(c);
		return;
	}
	say_exit(c, status);
	child_retry(c);
}

/* Rights that were given up do not come back, and those not needed are not kept. An
 * enforcer that is to run dry is told so: it takes away what it has put up. */
static bool needs_other_rights(struct child *c)
{
	c->is_stepping_down =
	    (c->role == ROLE_RUNNER &&
		c->runs_commands != setup_uses_commands(c->owner->setup)) ||
	    (c->role == ROLE_ENFORCER && !c->owner->setup->dry_run &&
		c->wanted_xdp != wants_xdp(c->owner));
	return c->is_stepping_down;
}

/* Asked to stop, an enforcer lifts all bans. Those of one that dies stay in the kernel.
 */
static void step_down(struct child *c)
{
	if (c->role == ROLE_ENFORCER && c->is_stepping_down)
		(void)kill(c->pid, SIGKILL);
	else
		(void)supervisor_send(c, MSG_STOP, NULL, -1);
}

void supervisor_roles_take_setup(struct supervisor *s)
{
	log_set_level(s->setup->log_level);
	if (!is_wanted(s, ROLE_POLICY))
		policy_place_close(&s->policy);
	for (size_t i = 0; i < ARRAY_LEN(start_order); i++) {
		struct child *c = &s->children[start_order[i]];

		if (c->ctl && is_wanted(s, c->role) && !needs_other_rights(c)) {
			send_setup(c);
			if (c->role == ROLE_POLICY)
				send_policy_socket(s);
		} else if (c->ctl)
			step_down(c);
		else if (!c->pid && is_wanted(s, c->role))
			child_start(c);
	}
}

/* --- the process -------------------------------------------------------------------
 */

static void reap(struct supervisor *s)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid == s->loader_pid) {
			supervisor_loader_reaped(s, status);
			continue;
		}
		for (int i = 0; i < ROLE_N; i++) {
			if (s->children[i].pid == pid) {
				child_reaped(s, &s->children[i], status);
				break;
			}
		}
	}
}

/* Return: false if there is no log file. */
static bool reopen_logs(struct supervisor *s)
{
	if (!places_reopen_log(&s->places))
		return false;
	for (int i = 0; i < ROLE_N; i++)
		(void)supervisor_send(&s->children[i], MSG_LOG, NULL, 2);
	return true;
}

static void flush_logs(struct supervisor *s, struct message *m)
{
	CLEANUP(buf_deinit) struct buf body = BUF_INIT(16);

	pack_u64(&body, unpack_u64(&m->body));
	pack_bool(&body, reopen_logs(s));
	(void)supervisor_send(&s->children[ROLE_FRONT], MSG_FLUSHED, &body, -1);
}

static void on_signal(void *ctx, int signo)
{
	struct supervisor *s = ctx;

	switch (signo) {
	case SIGCHLD:
		reap(s);
		return;
	case SIGHUP:
		supervisor_reload(s);
		return;
	case SIGUSR1:
		(void)reopen_logs(s);
		return;
	default:
		stop(s);
	}
}

static void on_network(void *ctx, UNUSED int events)
{
	struct supervisor *s = ctx;

	places_answer(&s->places);
}

static int supervise(struct supervisor *s)
{
	static const int signals[] = {SIGCHLD, SIGHUP, SIGUSR1, SIGTERM, SIGINT};

	s->loop = loop_new();
	if (!s->loop)
		return 2;
	s->patience = loop_add_timer(s->loop, on_patience_over, s);
	if (s->places.network_fd >= 0)
		s->network = loop_add_fd(
		    s->loop, s->places.network_fd, LOOP_READ, on_network, s);
	for (size_t i = 0; i < ARRAY_LEN(signals); i++)
		s->signals[i] = loop_add_signal(s->loop, signals[i], on_signal, s);
	for (size_t i = 0; i < ARRAY_LEN(start_order); i++) {
		struct child *c = &s->children[start_order[i]];

		c->owner = s;
		c->role = start_order[i];
		c->backoff = loop_add_timer(s->loop, on_backoff, c);
	}
	for (size_t i = 0; i < ARRAY_LEN(start_order); i++) {
		if (is_wanted(s, start_order[i]))
			child_start(&s->children[start_order[i]]);
	}
	(void)loop_run(s->loop);
	for (int i = 0; i < ROLE_N; i++) {
		channel_free(s->children[i].ctl);
		loop_watch_free(s->children[i].backoff);
	}
	for (size_t i = 0; i < ARRAY_LEN(signals); i++)
		loop_watch_free(s->signals[i]);
	loop_watch_free(s->patience);
	loop_watch_free(s->network);
	loop_free(s->loop);
	leave_bpf_place(s);
	policy_place_close(&s->policy);
	log_notice(NULL, "stopped");
	return 0;
}

int supervisor_run(const struct supervisor_args *args)
{
	struct supervisor s = {.args = args,
	    .setup_fd = -1,
	    .loader_fd = -1,
	    .bpf_fd = -1,
	    .policy = {.fd = -1},
	    .ready_fd = -1};
	struct err e = {""};

	signal(SIGPIPE, SIG_IGN);
	log_init("supervisor", LOG_L_INFO, false);
	int code = places_take(&s.places, args, &e) < 0 ? 2 : 0;

	if (!code)
		code = supervisor_load_first(&s);
	if (!code && places_open(&s.places, s.setup, args->foreground, &e) < 0)
		code = 2;
	if (!code && !args->foreground) {
		int r = places_daemonize(&s.places, &s.ready_fd);

		if (r < 0)
			return 2;
		if (r > 0) /* all that is open here is the daemon's now */
			_exit(r - 1);
	}
	if (e.text[0])
		fprintf(stderr, "bandogd: %s\n", e.text);
	if (!code && sandbox_enter(ROLE_SUPERVISOR, "", NULL, -1, &e) < 0)
		code = 2;
	if (!code) {
		log_init("supervisor", s.setup->log_level, false);
		log_configure(&s.places.log);
		places_write_pid(&s.places);
		code = supervise(&s);
	}
	places_release(&s.places);
	fd_closep(&s.setup_fd);
	changes_deinit(&s.changes);
	setup_free(s.setup);
	return code;
}
