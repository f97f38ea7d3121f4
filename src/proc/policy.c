/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The policy role tells a mail server whom to refuse: those whose ban is at a step that
 * refuses (graduated answers). It knows them from the engine, answers at once, and
 * tells the engine whom it refused. Whatever goes wrong here, the answer is that
 * nothing is known against the client: mail must not be lost because of us.
 *
 * Who asks is a process of the mail server, as the socket's owner; what it asks holds
 * what strangers said. A client that is silent is kept: Postfix asks over one
 * connection for as long as its process lives.
 */
#include <bsd/sys/queue.h>
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "decide/ban_table.h"
#include "enforce/policy_wire.h"
#include "proc/role.h"

#define MAX_CLIENTS 1000        /* a process of smtpd each */
#define OUT_MAX_BYTES (1 << 20) /* to the questions of one read */
#define TELL_MS 1000

struct client {
	TAILQ_ENTRY(client) link;
	struct policy *policy;
	int fd;
	struct loop_watch *watch;
	struct buf in, out;
};

struct policy {
	struct role *role;
	int listen_fd;
	struct loop_watch *on_accept;
	TAILQ_HEAD(, client) clients;
	size_t n_clients;
	struct ban_table *bans; /* only those that refuse */
	struct buf refused;     /* since the engine was told */
	uint32_t n_refused;
	struct loop_watch *timer;
};

/* --- what the engine is told -------------------------------------------------------
 */

static void tell(void *ctx)
{
	struct policy *p = ctx;
	struct buf b = BUF_INIT(MESSAGE_MAX_BYTES - 2);

	loop_disarm(p->timer);
	if (!p->n_refused)
		return;
	pack_u64(&b, p->role->setup->generation);
	pack_u32(&b, p->n_refused);
	buf_add_span(&b, buf_span(&p->refused));
	(void)role_send(p->role, ROLE_ENGINE, MSG_REFUSED, &b, -1);
	buf_deinit(&b);
	buf_clear(&p->refused);
	p->n_refused = 0;
}

static void note(struct policy *p, const struct ban *b)
{
	if (!p->n_refused)
		loop_arm(p->timer, TELL_MS, 0);
	pack_u32(&p->refused, b->jail);
	pack_net(&p->refused, &b->net);
	p->n_refused++;
	if (p->refused.n + MESSAGE_REFUSED_BYTES > MESSAGE_MAX_BYTES - 64)
		tell(p);
}

/* --- answers -----------------------------------------------------------------------
 */

/* Who is refused in several jails hears of the longest. */
static const struct ban *find(const struct policy *p, const struct net *who, wall_t now)
{
	const struct setup *s = p->role->setup;
	const struct ban *longest = NULL;

	for (uint32_t i = 0; i < s->n_jails; i++) {
		if (!steps_any(&s->jails[i].steps, STEP_REFUSE))
			continue;
		const struct ban *b = ban_table_find(p->bans, i, who);

		if (!b || b->until.us <= now.us)
			b = ban_table_find_around(p->bans, i, who, now);
		if (b && b->until.us > now.us &&
		    (!longest || b->until.us > longest->until.us))
			longest = b;
	}
	return longest;
}

static void add_reason(const struct setup *s, const struct ban *b,
    const struct net *who, wall_t now, struct buf *out)
{
	char address[NET_TEXT_BYTES];

	net_format(who, address);
	buf_printf(out, "too many failures from %s lately", address);
	if (b->until.us != WALL_NEVER.us) {
		int64_t minutes =
		    (b->until.us - now.us + 60 * US_PER_SEC - 1) / (60 * US_PER_SEC);
		bool is_hours = minutes >= 120;
		int64_t n = is_hours ? (minutes + 59) / 60 : minutes;

		buf_printf(out, "; try again in %lld %s%s", (long long)n,
		    is_hours ? "hour" : "minute", n == 1 ? "" : "s");
	}
	buf_printf(out, " (%s)", s->jails[b->jail].name);
	if (s->refuse_text)
		buf_printf(out, "; %s", s->refuse_text);
}

/* The enforcer says no to such a ban, and the engine lifts it; but it may be away. */
static bool is_never_banned(const struct setup *s, const struct net *who)
{
	for (uint32_t i = 0; i < s->n_never_ban; i++) {
		if (net_contains(&s->never_ban[i], who))
			return true;
	}
	return false;
}

static bool may_be_refused(const struct setup *s, const struct policy_question *q)
{
	return q->has_client && !q->is_logged_in && !is_never_banned(s, &q->client);
}

static void answer(struct policy *p, const struct policy_question *q, struct buf *out)
{
	wall_t now = wall_now();
	const struct setup *s = p->role->setup;
	const struct ban *b = may_be_refused(s, q) ? find(p, &q->client, now) : NULL;
	CLEANUP(buf_deinit) struct buf reason = BUF_INIT(POLICY_REASON_MAX);

	if (b)
		add_reason(s, b, &q->client, now, &reason);
	if (!b || reason.failed) {
		policy_answer_none(q, out);
		return;
	}
	note(p, b);
	policy_answer_refuse(q, s->jails[b->jail].refuse_code, buf_span(&reason), out);
}

/* --- clients -----------------------------------------------------------------------
 */

static void client_close(struct client *c)
{
	TAILQ_REMOVE(&c->policy->clients, c, link);
	c->policy->n_clients--;
	loop_watch_free(c->watch);
	fd_closep(&c->fd);
	buf_deinit(&c->in);
	buf_deinit(&c->out);
	free(c);
}

/* Return: false: it speaks another language, or does not listen. */
static bool serve(struct client *c)
{
	struct policy_question q;
	size_t n, done = 0;
	int r;

	while ((r = policy_read(span_skip(buf_span(&c->in), done), &q, &n)) == 0) {
		done += n;
		answer(c->policy, &q, &c->out);
	}
	buf_consume(&c->in, done);
	return r == POLICY_MORE && !c->out.failed;
}

static bool flush(struct client *c)
{
	if (fd_send_some(c->fd, &c->out) < 0)
		return false;
	/* Who does not listen is not asked for more. */
	loop_set_events(c->watch, c->out.n ? LOOP_WRITE : LOOP_READ);
	return true;
}

static void on_client(void *ctx, int events)
{
	struct client *c = ctx;
	char bytes[16384];

	if (events & LOOP_READ) {
		ssize_t n = recv(c->fd, bytes, sizeof(bytes), 0);

		if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
			client_close(c);
			return;
		}
		if (n > 0)
			buf_add_span(&c->in, (struct span){bytes, (size_t)n});
		if (c->in.failed || (n > 0 && !serve(c))) {
			client_close(c);
			return;
		}
	}
	if (!flush(c))
		client_close(c);
}

static void on_accept(void *ctx, UNUSED int events)
{
	struct policy *p = ctx;
	CLEANUP(fd_closep)
	int fd = accept4(p->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0)
		return;
	if (p->n_clients >= MAX_CLIENTS) /* the one that has been here longest goes */
		client_close(TAILQ_FIRST(&p->clients));
	struct client *c = calloc(1, sizeof(*c));

	if (!c)
		return;
	*c = (struct client){.policy = p,
	    .fd = -1,
	    .in = BUF_INIT(2 * POLICY_QUESTION_MAX),
	    .out = BUF_INIT(OUT_MAX_BYTES)};
	c->watch = loop_add_fd(p->role->loop, fd, LOOP_READ, on_client, c);
	if (!c->watch) {
		free(c);
		return;
	}
	c->fd = TAKE_FD(fd);
	TAILQ_INSERT_TAIL(&p->clients, c, link);
	p->n_clients++;
}

static void listen_on(struct policy *p, int fd)
{
	loop_watch_free(p->on_accept);
	p->on_accept = NULL;
	fd_closep(&p->listen_fd);
	p->listen_fd = fd;
	if (fd >= 0)
		p->on_accept = loop_add_fd(p->role->loop, fd, LOOP_READ, on_accept, p);
}

/* --- who is refused ----------------------------------------------------------------
 */

static void forget(struct policy *p, const struct order *o)
{
	struct ban *b = ban_table_find(p->bans, o->jail, &o->net);

	if (b)
		ban_table_remove(p->bans, b);
}

static void take_order(struct policy *p, const struct order *o)
{
	struct ban *b;

	if (o->op == ORDER_UNBAN ||
	    !setup_only_refuses(p->role->setup, o->jail, o->step)) {
		forget(p, o);
		return;
	}
	b = ban_table_find(p->bans, o->jail, &o->net);
	if (b)
		ban_table_set_until(p->bans, b, o->until);
	else /* out of memory or full: he is not refused */
		(void)ban_table_add(p->bans, o, &b);
}

static void take_orders(struct policy *p, struct message *m)
{
	uint64_t generation = unpack_u64(&m->body);
	uint32_t n = 0;

	(void)unpack_u64(&m->body); /* seq: nobody waits for an answer */
	CLEANUP(freep) struct order *orders = order_decode_records(&m->body, &n);

	/* Of another set-up: jail numbers mean something else, and a resync follows. */
	if (!orders || generation != p->role->setup->generation)
		return;
	for (uint32_t i = 0; i < n; i++) {
		if (orders[i].jail < p->role->setup->n_jails)
			take_order(p, &orders[i]);
	}
}

static void forget_all(struct policy *p)
{
	struct ban *b;

	while ((b = ban_table_first(p->bans)))
		ban_table_remove(p->bans, b);
}

/* --- plumbing ----------------------------------------------------------------------
 */

static int policy_start(struct role *r, struct err *e)
{
	struct policy *p = r->ctx;

	p->role = r;
	p->bans = ban_table_new(ENGINE_MAX_BANS);
	p->timer = loop_add_timer(r->loop, tell, p);
	if (!p->bans || !p->timer)
		return err_set(e, -ENOMEM, "out of memory");
	role_ready(r);
	return 0;
}

static void policy_reload(struct role *r, UNUSED const struct setup *old)
{
	struct policy *p = r->ctx;

	/* Jails have other numbers. The engine may have told all again before we had
	 * the new set-up. */
	forget_all(p);
	buf_clear(&p->refused);
	p->n_refused = 0;
	(void)role_send(r, ROLE_ENGINE, MSG_ASK_RESYNC, NULL, -1);
}

static void policy_peer(UNUSED struct role *r, UNUSED enum role_id who)
{
}

static void policy_peer_gone(UNUSED struct role *r, UNUSED enum role_id who)
{
	/* Bans go on until their end; a new engine tells them all again. */
}

static void policy_control(struct role *r, struct message *m)
{
	if (m->type == MSG_LISTEN && m->fd >= 0)
		listen_on(r->ctx, TAKE_FD(m->fd));
}

static void policy_message(struct role *r, UNUSED enum role_id from, struct message *m)
{
	struct policy *p = r->ctx;

	if (m->type == MSG_ORDERS)
		take_orders(p, m);
	else if (unpack_u64(&m->body) == r->setup->generation) /* MSG_RESYNC */
		forget_all(p);
}

static void policy_stop(struct role *r)
{
	tell(r->ctx);
	role_stopped(r);
}

static void policy_deinit(struct role *r)
{
	struct policy *p = r->ctx;

	listen_on(p, -1);
	while (!TAILQ_EMPTY(&p->clients))
		client_close(TAILQ_FIRST(&p->clients));
	loop_watch_free(p->timer);
	ban_table_free(p->bans);
	buf_deinit(&p->refused);
}

int policy_main(const struct role_args *args)
{
	static const struct role_permit permits[] = {
	    {ROLE_ENGINE, MSG_ORDERS},
	    {ROLE_ENGINE, MSG_RESYNC},
	    {0, 0},
	};
	static const struct role_fns fns = {
	    .permits = permits,
	    .start = policy_start,
	    .reload = policy_reload,
	    .peer = policy_peer,
	    .peer_gone = policy_peer_gone,
	    .message = policy_message,
	    .control = policy_control,
	    .stop = policy_stop,
	    .deinit = policy_deinit,
	};
	struct policy p = {.listen_fd = -1, .refused = BUF_INIT(MESSAGE_MAX_BYTES)};

	TAILQ_INIT(&p.clients);
	return role_run(args, &fns, &p);
}
