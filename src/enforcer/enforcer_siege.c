/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "enforcer/enforcer_siege.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>

#include "base/log.h"
#include "base/loop.h"
#include "enforce/sever_link.h"
#include "enforce/siege_wire.h"
#include "enforcer/enforcer_sever.h"
#include "proc/suspect_rules.h"

#define LOOK_MS 300
#define LOOK_MAX_MS 5000
#define PACE 32       /* a look each 32nd of the time since the last failure */
#define REST_FACTOR 3 /* so many times as long as a round took comes none */

struct enforcer_siege {
	struct role *role;
	struct enforcer_guard *guard;
	struct suspects *suspects;
	struct siege siege;
	struct loop_watch *timer;
	struct sever_socket *sockets; /* SEVER_MAX_SOCKETS */
	bool is_armed, is_impossible; /* on this kernel; said once */
	mono_t looked_at, rest_until;
	mono_t now; /* of this round */
};

static void on_turn(void *ctx);

struct enforcer_siege *enforcer_siege_new(
    struct role *role, struct enforcer_guard *guard)
{
	struct enforcer_siege *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->role = role;
	s->guard = guard;
	s->suspects = suspects_new();
	s->sockets = calloc(SEVER_MAX_SOCKETS, sizeof(*s->sockets));
	s->timer = loop_add_timer(role->loop, on_turn, s);
	return s->suspects && s->sockets && s->timer ? s : enforcer_siege_free(s);
}

struct enforcer_siege *enforcer_siege_free(struct enforcer_siege *s)
{
	if (!s)
		return NULL;
	loop_watch_free(s->timer);
	free(s->sockets);
	suspects_free(s->suspects);
	free(s);
	return NULL;
}

static bool closes(const struct setup_jail *j, uint16_t port)
{
	for (uint32_t i = 0; i < j->n_targets; i++) {
		if (!j->targets[i].is_copy && sever_is_blocked(&j->targets[i], port))
			return true;
	}
	return false;
}

/* --- when to look ------------------------------------------------------------------
 */

/* How long after the last look; 0: there is nobody to look for. */
static int64_t pace_ms(const struct enforcer_siege *s, mono_t now)
{
	mono_t newest;

	if (!suspects_any(s->suspects, now, &newest))
		return 0;
	int64_t ms = (now.us - newest.us) / 1000 / PACE;

	if (ms > LOOK_MAX_MS)
		ms = LOOK_MAX_MS;
	return s->siege.n || ms < LOOK_MS ? LOOK_MS : ms;
}

/* It has room again, or nobody is left who could make some. */
static void say_over(const struct siege_port *p, bool is_full, mono_t now)
{
	if (p->n_ended)
		log_notice(NULL,
		    "port %u %s: %" PRIu64
		    " silent connections of addresses that failed were ended in "
		    "%" PRId64 " s",
		    p->port, is_full ? "is still full" : "has room again", p->n_ended,
		    (now.us - p->since.us) / US_PER_SEC);
}

static void arm(struct enforcer_siege *s, mono_t now)
{
	int64_t ms = pace_ms(s, now);

	if (!ms) {
		for (size_t i = 0; i < s->siege.n; i++)
			say_over(&s->siege.ports[i], s->siege.ports[i].n_full, now);
		s->siege.n = 0;
		loop_disarm(s->timer);
		s->is_armed = false;
		return;
	}
	ms -= (now.us - s->looked_at.us) / 1000;
	if (ms < (s->rest_until.us - now.us) / 1000)
		ms = (s->rest_until.us - now.us) / 1000;
	loop_arm(s->timer, ms > 1 ? (uint64_t)ms : 1, 0);
	s->is_armed = true;
}

/* --- a round -----------------------------------------------------------------------
 */

/* Does a jail that makes room close it? */
static bool is_wanted(void *ctx, uint16_t port)
{
	struct enforcer_siege *s = ctx;

	for (uint32_t i = 0; i < s->role->setup->n_jails; i++) {
		if (suspect_makes_room(s->role->setup, i) &&
		    closes(&s->role->setup->jails[i], port))
			return true;
	}
	return false;
}

/* The jail in which that peer is a suspect. */
static uint32_t whose(void *ctx, const struct siege_connection *c)
{
	struct enforcer_siege *s = ctx;
	const struct suspect *w = NULL;

	while ((w = suspects_of(s->suspects, &c->peer, s->now, w))) {
		if (suspect_makes_room(s->role->setup, w->jail) &&
		    closes(&s->role->setup->jails[w->jail], c->port) &&
		    enforcer_guard_check(
			s->guard, &c->peer, ENFORCER_GUARD_AGAIN, s->now) == GUARD_OK)
			return w->jail;
	}
	return SIEGE_NOBODY;
}

/* Those of one jail in one message. */
static void tell_jails(struct enforcer_siege *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint32_t jail = s->sockets[i].ban, n_cut = 0;

		for (size_t k = i; k < n; k++) {
			if (s->sockets[k].ban != jail || !s->sockets[k].is_cut)
				continue;
			s->sockets[k].is_cut = false;
			n_cut++;
		}
		if (n_cut)
			enforcer_sever_tell(s->role, jail, n_cut);
	}
}

/* Once a siege: when the first are ended. */
static void note_ports(struct enforcer_siege *s, size_t n)
{
	uint64_t before[SIEGE_MAX_PORTS];

	for (size_t i = 0; i < s->siege.n; i++)
		before[i] = s->siege.ports[i].n_ended;
	for (size_t i = 0; i < n; i++) {
		struct siege_port *p =
		    siege_full(&s->siege, ntohs(s->sockets[i].id.idiag_sport));

		if (p)
			p->n_ended += s->sockets[i].is_cut;
	}
	for (size_t i = 0; i < s->siege.n; i++) {
		const struct siege_port *p = &s->siege.ports[i];

		if (!before[i] && p->n_ended)
			log_warning(NULL,
			    "port %u is full: %" PRIu64
			    " silent connections of addresses that failed were ended",
			    p->port, p->n_ended);
	}
}

static int make_room(struct enforcer_siege *s)
{
	struct siege_found f = {
	    .siege = &s->siege,
	    .whose = whose,
	    .ctx = s,
	    .sockets = s->sockets,
	    .room = SEVER_MAX_SOCKETS,
	};
	int r = siege_ask_silent(&f);
	/* What was found before a failure is to be cut all the same. */
	int64_t total = f.n ? sever_cut(s->sockets, f.n) : 0;

	note_ports(s, f.n);
	tell_jails(s, f.n);
	return r < 0 || total >= 0 ? r : (int)total;
}

static int look(struct enforcer_siege *s)
{
	struct siege_waiting w = {.is_wanted = is_wanted, .ctx = s};
	uint16_t full[SIEGE_MAX_PORTS];
	struct siege_port over;
	int r = siege_ask_waiting(&w);

	if (r < 0)
		return r;
	siege_look(&s->siege, w.ports, w.n, s->now);
	while (siege_take_over(&s->siege, &over))
		say_over(&over, false, s->now);
	return siege_full_ports(&s->siege, full) ? make_room(s) : 0;
}

static void say_failed(struct enforcer_siege *s, int r)
{
	s->is_impossible = r == -EOPNOTSUPP || r == -ENOENT || r == -EPROTONOSUPPORT;
	if (!s->is_impossible) {
		log_warning(NULL, "no room can be made just now: %s; trying again",
		    strerror(-r));
		return;
	}
	log_warning(NULL, "this kernel does not end connections (%s): makeroom is off",
	    strerror(-r));
	suspects_forget_all(s->suspects);
}

static void on_turn(void *ctx)
{
	struct enforcer_siege *s = ctx;

	s->now = s->looked_at = mono_now();
	int r = look(s);
	mono_t end = mono_now();

	if (r < 0)
		say_failed(s, r);
	s->rest_until.us = end.us + REST_FACTOR * (end.us - s->now.us);
	arm(s, end);
}

/* --- who is a suspect --------------------------------------------------------------
 */

void enforcer_siege_message(struct enforcer_siege *s, struct message *m)
{
	struct unpack *u = &m->body;
	bool is_ours = unpack_u64(u) == s->role->setup->generation && !s->is_impossible;
	uint32_t n = unpack_count(u, SUSPECT_RECORD_BYTES);
	mono_t now = mono_now();
	struct suspect w;

	for (uint32_t i = 0; i < n && !u->bad; i++) {
		if (suspect_unpack(u, s->role->setup, now, &w) && is_ours)
			suspects_put(s->suspects, &w);
	}
	u->bad |= unpack_end(u) < 0;
	arm(s, now);
}

void enforcer_siege_forget(
    struct enforcer_siege *s, uint32_t jail, const struct net *net)
{
	/* Not armed: there is none. */
	if (s->is_armed)
		suspects_forget(s->suspects, jail, net);
}

void enforcer_siege_reload(struct enforcer_siege *s)
{
	suspects_forget_all(s->suspects);
	s->is_impossible = false; /* a module may have been loaded */
}
