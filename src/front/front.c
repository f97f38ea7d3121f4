/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The front serves clients. It parses what they say into fixed messages, asks engine
 * and keeper, and passes their JSON on; it decides nothing. A client has one request
 * under way at a time. Who may connect is settled by the socket's owner and mode.
 */
#include "front/front.h"

#include <bsd/sys/queue.h>
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/jsonw.h"
#include "base/log.h"
#include "front/front_f2b.h"
#include "proc/role.h"

#define MAX_CLIENTS 64
#define OUT_MAX_BYTES (128u << 20)
#define ANSWER_PATIENCE_MS 10000
#define IDLE_MS 60000
#define KEEPER_GONE "the keeper is being restarted; try again in a moment"

/* The halves of an answer: `why` and `report` have two. */
enum { FROM_ENGINE, FROM_KEEPER, N_PARTS };

struct client {
	TAILQ_ENTRY(client) link;
	struct front *front;
	int fd;
	struct loop_watch *watch;
	struct loop_watch *timer;
	struct buf in;
	struct buf out;
	struct buf part[N_PARTS];
	bool wants[N_PARTS]; /* still to come */
	struct buf then; /* to be asked of the keeper when the engine has answered */
	bool is_report;
	bool waits_reload;
	uint64_t id; /* of the request under way; 0: none */
};

struct front {
	struct role *role;
	int listen_fd;
	struct loop_watch *on_accept;
	TAILQ_HEAD(, client) clients;
	size_t n_clients;
	uint64_t last_id;
	struct front_f2b *f2b;
};

static void client_close(struct client *c)
{
	TAILQ_REMOVE(&c->front->clients, c, link);
	c->front->n_clients--;
	loop_watch_free(c->watch);
	loop_watch_free(c->timer);
	fd_closep(&c->fd);
	buf_deinit(&c->in);
	buf_deinit(&c->out);
	buf_deinit(&c->then);
	for (int i = 0; i < N_PARTS; i++)
		buf_deinit(&c->part[i]);
	free(c);
}

/* Return: false if the client is gone. */
static bool client_flush(struct client *c)
{
	if (fd_send_some(c->fd, &c->out) < 0) {
		client_close(c);
		return false;
	}
	loop_set_events(c->watch, LOOP_READ | (c->out.n ? LOOP_WRITE : 0));
	return true;
}

static void client_next(struct client *c);

/* Sends the line and goes on with the next request. */
static void client_answer(struct client *c, struct span json)
{
	c->id = 0;
	c->waits_reload = false;
	buf_add_span(&c->out, json);
	buf_add_char(&c->out, '\n');
	if (c->out.failed) {
		client_close(c);
		return;
	}
	loop_arm(c->timer, IDLE_MS, 0);
	if (client_flush(c))
		client_next(c);
}

static void client_error(struct client *c, const char *text)
{
	struct buf b = BUF_INIT(8192);
	struct jsonw j = jsonw_of(&b);

	jsonw_object(&j);
	jsonw_key(&j, "error");
	jsonw_str(&j, text);
	jsonw_object_end(&j);
	client_answer(c, buf_span(&b));
	buf_deinit(&b);
}

/* --- asking ------------------------------------------------------------------------
 */

static int ask(struct client *c, enum role_id who, const struct buf *body)
{
	struct buf b = BUF_INIT(MESSAGE_MAX_BYTES - 2);

	pack_u64(&b, c->id);
	buf_add_span(&b, buf_span(body));
	int r = role_send(c->front->role, who, MSG_REQUEST, &b, -1);

	buf_deinit(&b);
	return r;
}

static void ask_roles(struct client *c, const struct front_request *q)
{
	c->id = ++c->front->last_id;
	for (int i = 0; i < N_PARTS; i++) {
		buf_clear(&c->part[i]);
		c->wants[i] = false;
	}
	if (ask(c, ROLE_ENGINE, &q->body) < 0) {
		client_error(c, "the engine is being restarted; try again in a moment");
		return;
	}
	c->wants[FROM_ENGINE] = true;
	buf_clear(&c->then);
	c->is_report = q->verb == REQUEST_REPORT;
	if (c->is_report)
		buf_add_span(&c->then, buf_span(&q->history));
	if (q->verb == REQUEST_WHY)
		c->wants[FROM_KEEPER] = ask(c, ROLE_KEEPER, &q->history) == 0;
	/* A month of a great attack is added up in seconds. */
	loop_arm(
	    c->timer, c->is_report ? 6 * ANSWER_PATIENCE_MS : ANSWER_PATIENCE_MS, 0);
}

static void ask_reload(struct client *c)
{
	(void)channel_send(c->front->role->ctl, MSG_ASK_RELOAD, SPAN(""), -1);
	c->id = ++c->front->last_id;
	c->waits_reload = true;
	loop_arm(c->timer, 6 * ANSWER_PATIENCE_MS, 0);
}

static void client_request(struct client *c, struct span line)
{
	struct front_request q;
	struct err e = {""};

	if (front_request_parse(line, &q, &e) < 0) {
		client_error(c, e.text);
		return;
	}
	switch (q.kind) {
	case FRONT_ENGINE:
		ask_roles(c, &q);
		break;
	case FRONT_RELOAD:
		ask_reload(c);
		break;
	case FRONT_STOP:
		(void)channel_send(c->front->role->ctl, MSG_ASK_STOP, SPAN(""), -1);
		client_answer(c, SPAN("{\"stopping\":true}"));
		break;
	}
	front_request_deinit(&q);
}

/* Take one request off the input, unless one is under way. */
static void client_next(struct client *c)
{
	ptrdiff_t end = c->id ? -1 : span_index(buf_span(&c->in), '\n');

	if (end < 0) {
		if (!c->id && c->in.failed)
			client_close(c);
		return;
	}
	CLEANUP(freep) char *line = span_dup((struct span){c->in.p, (size_t)end});

	buf_consume(&c->in, (size_t)end + 1);
	if (line)
		client_request(c, (struct span){line, (size_t)end});
	else
		client_close(c);
}

static void on_client(void *ctx, int events)
{
	struct client *c = ctx;
	char room[4096];

	if ((events & LOOP_WRITE) && !client_flush(c))
		return;
	if (!(events & LOOP_READ))
		return;
	ssize_t n = recv(c->fd, room, sizeof(room), MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		client_close(c);
		return;
	}
	buf_add(&c->in, room, (size_t)n);
	if (c->in.failed) {
		client_close(c); /* longer than any request */
		return;
	}
	client_next(c);
}

static void on_client_timer(void *ctx)
{
	struct client *c = ctx;

	if (c->id)
		client_error(c, "no answer in time");
	else
		client_close(c);
}

static void on_accept(void *ctx, UNUSED int events)
{
	struct front *f = ctx;
	int fd = accept4(f->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0)
		return;
	struct client *c = f->n_clients < MAX_CLIENTS ? calloc(1, sizeof(*c)) : NULL;

	if (!c) {
		close(fd);
		return;
	}
	c->front = f;
	c->fd = fd;
	c->in = BUF_INIT(FRONT_REQUEST_MAX);
	c->out = BUF_INIT(OUT_MAX_BYTES);
	c->then = BUF_INIT(MESSAGE_MAX_BYTES);
	for (int i = 0; i < N_PARTS; i++)
		c->part[i] = BUF_INIT(OUT_MAX_BYTES);
	TAILQ_INSERT_TAIL(&f->clients, c, link);
	f->n_clients++;
	c->timer = loop_add_timer(f->role->loop, on_client_timer, c);
	c->watch = loop_add_fd(f->role->loop, fd, LOOP_READ, on_client, c);
	if (!c->timer || !c->watch)
		client_close(c);
	else
		loop_arm(c->timer, IDLE_MS, 0);
}

/* --- answers -----------------------------------------------------------------------
 */

static struct client *find_client(struct front *f, uint64_t id)
{
	struct client *c;

	TAILQ_FOREACH (c, &f->clients, link) {
		if (c->id && c->id == id)
			return c;
	}
	return NULL;
}

/* Of a report the keeper has all when the engine has answered, and not before. */
static bool ask_then(struct client *c)
{
	if (!c->then.n || c->wants[FROM_ENGINE])
		return false;
	int r = ask(c, ROLE_KEEPER, &c->then);

	buf_clear(&c->then);
	if (r < 0)
		client_error(c, KEEPER_GONE);
	else
		c->wants[FROM_KEEPER] = true;
	return true;
}

/* The keeper's history goes into the engine's object, before its closing brace; its
 * report is the answer. */
static void client_complete(struct client *c)
{
	if (ask_then(c))
		return;

	struct buf b = BUF_INIT(OUT_MAX_BYTES);
	struct span main = buf_span(&c->part[FROM_ENGINE]);
	struct span history = buf_span(&c->part[FROM_KEEPER]);

	if (c->wants[FROM_ENGINE] || c->wants[FROM_KEEPER])
		return;
	if (c->is_report && !history.n) {
		client_error(c, KEEPER_GONE);
		return;
	}
	if (c->is_report) {
		buf_add_span(&b, history);
	} else if (history.n && main.n > 2) {
		buf_add(&b, main.p, main.n - 1);
		buf_add_str(&b, ",\"history\":");
		buf_add_span(&b, history);
		buf_add_char(&b, '}');
	} else {
		buf_add_span(&b, main);
	}
	client_answer(c, buf_span(&b));
	buf_deinit(&b);
}

static void take_reply(struct front *f, enum role_id from, struct message *m)
{
	uint64_t id = unpack_u64(&m->body);
	bool last = unpack_bool(&m->body);
	struct span bytes = unpack_span(&m->body);
	struct client *c;
	int part = from == ROLE_ENGINE ? FROM_ENGINE : FROM_KEEPER;

	if (m->body.bad || front_f2b_reply(f->f2b, id, last, bytes))
		return;
	c = find_client(f, id);
	if (!c || !c->wants[part])
		return;
	buf_add_span(&c->part[part], bytes);
	if (!last)
		return;
	c->wants[part] = false;
	client_complete(c);
}

static void take_reloaded(struct front *f, struct message *m)
{
	bool done = unpack_bool(&m->body);
	struct span text = unpack_span(&m->body);
	struct buf b = BUF_INIT(1 << 20);
	struct jsonw j = jsonw_of(&b);
	struct client *c, *next;

	jsonw_object(&j);
	jsonw_key(&j, "reloaded");
	jsonw_bool(&j, done);
	jsonw_key(&j, "messages");
	jsonw_span(&j, text);
	jsonw_object_end(&j);
	TAILQ_FOREACH_SAFE (c, &f->clients, link, next) {
		if (c->waits_reload)
			client_answer(c, buf_span(&b));
	}
	buf_deinit(&b);
}

/* --- plumbing ----------------------------------------------------------------------
 */

static void front_control(struct role *r, struct message *m)
{
	struct front *f = r->ctx;

	switch (m->type) {
	case MSG_LISTEN:
		if (m->fd < 0)
			return;
		f->on_accept = loop_watch_free(f->on_accept);
		fd_closep(&f->listen_fd);
		f->listen_fd = TAKE_FD(m->fd);
		f->on_accept =
		    loop_add_fd(r->loop, f->listen_fd, LOOP_READ, on_accept, f);
		role_ready(r);
		return;
	case MSG_LISTEN_F2B:
	case MSG_CHANGED:
	case MSG_FLUSHED:
		front_f2b_control(f->f2b, m);
		return;
	case MSG_RELOADED:
		take_reloaded(f, m);
		return;
	default:
		return;
	}
}

static int front_start(struct role *r, struct err *e)
{
	struct front *f = r->ctx;

	f->role = r;
	f->f2b = front_f2b_new(r);
	return f->f2b ? 0 : err_set(e, -ENOMEM, "out of memory");
}

static void front_reload(UNUSED struct role *r, UNUSED const struct setup *old)
{
}

static void front_peer(UNUSED struct role *r, UNUSED enum role_id who)
{
}

static void front_peer_gone(struct role *r, enum role_id who)
{
	struct front *f = r->ctx;
	int part = who == ROLE_ENGINE ? FROM_ENGINE : FROM_KEEPER;
	struct client *c, *next;

	if (who == ROLE_ENGINE)
		front_f2b_engine_gone(f->f2b);
	TAILQ_FOREACH_SAFE (c, &f->clients, link, next) {
		if (!c->id || !c->wants[part])
			continue;
		c->wants[part] = false;
		if (part == FROM_ENGINE)
			client_error(
			    c, "the engine is being restarted; try again in a moment");
		else
			client_complete(c);
	}
}

static void front_message(struct role *r, enum role_id from, struct message *m)
{
	take_reply(r->ctx, from, m);
}

static void front_stop(struct role *r)
{
	role_stopped(r);
}

static void front_deinit(struct role *r)
{
	struct front *f = r->ctx;

	while (!TAILQ_EMPTY(&f->clients))
		client_close(TAILQ_FIRST(&f->clients));
	loop_watch_free(f->on_accept);
	fd_closep(&f->listen_fd);
	front_f2b_free(f->f2b);
}

int front_main(const struct role_args *args)
{
	static const struct role_permit permits[] = {
	    {ROLE_ENGINE, MSG_REPLY},
	    {ROLE_KEEPER, MSG_REPLY},
	    {0, 0},
	};
	static const struct role_fns fns = {
	    .permits = permits,
	    .start = front_start,
	    .reload = front_reload,
	    .peer = front_peer,
	    .peer_gone = front_peer_gone,
	    .message = front_message,
	    .control = front_control,
	    .stop = front_stop,
	    .deinit = front_deinit,
	};
	struct front f = {.listen_fd = -1};

	TAILQ_INIT(&f.clients);
	return role_run(args, &fns, &f);
}
