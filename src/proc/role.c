/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "proc/role.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "proc/loader.h"
#include "proc/sandbox.h"
#include "proc/spawn.h"

#define REPLY_BYTES 60000 /* of an answer in one message */

static const struct buf empty_body;

void role_ready(struct role *r)
{
	(void)channel_send(r->ctl, MSG_READY, buf_span(&empty_body), -1);
}

void role_stopped(struct role *r)
{
	for (int i = 0; i < ROLE_N; i++) {
		if (r->peers[i])
			channel_drain(r->peers[i], 1000);
	}
	(void)channel_send(r->ctl, MSG_STOPPED, buf_span(&empty_body), -1);
	channel_drain(r->ctl, 1000);
	loop_stop(r->loop);
}

int role_send(struct role *r, enum role_id to, enum message_type type,
    const struct buf *body, int pass_fd)
{
	if (!r->peers[to])
		return -ENOTCONN;
	if (body && body->failed)
		return -ENOMEM;
	return channel_send(
	    r->peers[to], type, buf_span(body ? body : &empty_body), pass_fd);
}

void role_reply(struct role *r, uint64_t id, struct span json)
{
	struct buf b = BUF_INIT(MESSAGE_MAX_BYTES - 2);

	do {
		struct span part = {
		    json.p, json.n < REPLY_BYTES ? json.n : REPLY_BYTES};

		json = span_skip(json, part.n);
		buf_clear(&b);
		pack_u64(&b, id);
		pack_bool(&b, json.n == 0);
		pack_span(&b, part);
		(void)role_send(r, ROLE_FRONT, MSG_REPLY, &b, -1);
	} while (json.n);
	buf_deinit(&b);
}

static enum role_id peer_of(const struct role *r, const struct channel *c)
{
	for (int i = 0; i < ROLE_N; i++) {
		if (r->peers[i] == c)
			return (enum role_id)i;
	}
	return ROLE_N;
}

static void drop_peer(struct role *r, enum role_id who)
{
	if (who == ROLE_N || !r->peers[who])
		return;
	r->peers[who] = channel_free(r->peers[who]);
	r->fns->peer_gone(r, who);
}

static bool is_permitted(
    const struct role *r, enum role_id from, enum message_type type)
{
	for (const struct role_permit *p = r->fns->permits; p->type; p++) {
		if (p->from == from && p->type == type)
			return true;
	}
	return false;
}

static void on_peer_message(void *ctx, struct channel *c, struct message *m)
{
	struct role *r = ctx;
	enum role_id from = peer_of(r, c);

	if (from == ROLE_N)
		return;
	if (!is_permitted(r, from, m->type)) {
		log_err(role_name(from),
		    "sent a message of type %d, which it may not; "
		    "disconnected",
		    (int)m->type);
		drop_peer(r, from);
		return;
	}
	r->fns->message(r, from, m);
	if (m->body.bad) {
		log_err(role_name(from),
		    "sent a broken message of type %d; disconnected", (int)m->type);
		drop_peer(r, from);
	}
}

static void on_peer_closed(void *ctx, struct channel *c)
{
	struct role *r = ctx;

	drop_peer(r, peer_of(r, c));
}

static void take_peer(struct role *r, struct message *m)
{
	enum role_id who = unpack_u8(&m->body);
	struct channel_fns fns = {
	    .ctx = r, .message = on_peer_message, .closed = on_peer_closed};

	if (unpack_end(&m->body) < 0 || who <= ROLE_LOADER || who >= ROLE_N ||
	    m->fd < 0)
		return;
	drop_peer(r, who);
	r->peers[who] = channel_new(r->loop, TAKE_FD(m->fd), &fns);
	if (r->peers[who])
		r->fns->peer(r, who);
}

static void take_setup(struct role *r, struct message *m)
{
	CLEANUP(setup_freep) struct setup *fresh = NULL;
	struct err e = {""};
	int result = loader_read_setup(m->fd, &fresh);

	if (result < 0) {
		log_err(NULL, "cannot read the set-up: %s; keeping the old one",
		    strerror(-result));
		return;
	}
	fresh->generation = unpack_u64(&m->body);
	log_set_level(fresh->log_level);
	if (!r->setup) {
		r->setup = TAKE(fresh);
		result = r->fns->start(r, &e);
		if (result < 0) {
			log_err(NULL, "cannot work: %s", e.text);
			loop_stop(r->loop);
		}
		return;
	}
	struct setup *old = r->setup;

	r->setup = TAKE(fresh);
	r->fns->reload(r, old);
	setup_free(old);
}

static void on_control(void *ctx, UNUSED struct channel *c, struct message *m)
{
	struct role *r = ctx;

	switch (m->type) {
	case MSG_SETUP:
		take_setup(r, m);
		return;
	case MSG_PEER:
		if (r->setup)
			take_peer(r, m);
		return;
	case MSG_LOG:
		if (m->fd >= 0)
			(void)dup2(m->fd, 2);
		return;
	case MSG_STOP:
		if (!r->is_stopping) {
			r->is_stopping = true;
			r->fns->stop(r);
		}
		return;
	default:
		if (r->fns->control)
			r->fns->control(r, m);
		return;
	}
}

/* Without a supervisor there is nobody to restart or to stop us. */
static void on_control_closed(void *ctx, UNUSED struct channel *c)
{
	struct role *r = ctx;

	loop_stop(r->loop);
}

static int enter_sandbox(const struct role_args *args)
{
	struct err e = {""};
	int root_fd = args->id == ROLE_KEEPER ? SPAWN_EXTRA_FD : -1;
	struct sandbox_wish wish = {
	    .runs_commands = args->runs_commands, .uses_xdp = args->uses_xdp};
	int r = sandbox_enter(args->id, args->user, &wish, root_fd, &e);

	if (r < 0)
		log_err(NULL, "cannot give up rights: %s", e.text);
	else if (r > 0 && args->id == ROLE_ENGINE) /* one of them says it for all */
		log_warning(NULL, "%s", e.text);
	return r;
}

int role_run(const struct role_args *args, const struct role_fns *fns, void *ctx)
{
	struct role r = {.args = args, .fns = fns, .ctx = ctx};
	struct channel_fns ctl_fns = {
	    .ctx = &r, .message = on_control, .closed = on_control_closed};

	struct log_options log;

	tzset(); /* while the zone's file can still be read */
	log_init(role_name(args->id), LOG_L_INFO, false);
	if (args->log && log_options_decode(args->log, &log) == 0)
		log_configure(&log);
	signal(SIGPIPE, SIG_IGN);
	/* The terminal's Ctrl-C reaches all of us; only the supervisor acts on it. */
	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	if (enter_sandbox(args) < 0)
		return 1;
	r.loop = loop_new();
	if (!r.loop)
		return 1;
	r.ctl = channel_new(r.loop, SPAWN_CTL_FD, &ctl_fns);
	if (r.ctl)
		(void)loop_run(r.loop);
	fns->deinit(&r);
	for (int i = 0; i < ROLE_N; i++)
		channel_free(r.peers[i]);
	channel_free(r.ctl);
	loop_free(r.loop);
	setup_free(r.setup);
	return 0;
}
