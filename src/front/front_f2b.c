/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Connections in fail2ban's protocol. What a command means is in front_f2b_command.c;
 * here its steps are carried out: a question to the engine, a change that the
 * supervisor has the loader check, a wait. The next request of a client is looked at
 * when the one before is answered.
 */
#include "front/front_f2b.h"

#include <bsd/sys/queue.h>
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "front/front_f2b_command.h"

#define MAX_CLIENTS 32
#define IDLE_MS 60000
#define ENGINE_PATIENCE_MS 10000
#define CHANGE_PATIENCE_MS 60000
#define ASK_AGAIN_MS 20
#define MAX_AT_ONCE 64 /* requests of one client before others have their turn */
/* Ours among the answers, which the requests of the other socket get too. */
#define ID_MARK (UINT64_C(1) << 63)

static const struct span end_mark = SPAN("<F2B_END_COMMAND>");
static const struct span close_mark = SPAN("<F2B_CLOSE_COMMAND>");

struct f2b_client {
	TAILQ_ENTRY(f2b_client) link;
	struct front_f2b *front;
	int fd;
	struct loop_watch *watch;
	struct loop_watch *timer; /* patience: with the client, or for it */
	struct loop_watch *again; /* sleep, or ask the engine anew */
	struct buf in;
	size_t n_searched;
	struct buf out;
	bool is_closing; /* when all is sent */
	bool has_ended;  /* will send no more, but may wait for answers */
	/* the request under way */
	bool is_busy;
	struct buf request;
	struct f2b_command command;
	uint64_t id; /* of what is asked; 0: nothing */
	struct buf answer;
};

struct front_f2b {
	struct role *role;
	int listen_fd;
	struct loop_watch *on_accept;
	TAILQ_HEAD(, f2b_client) clients;
	size_t n_clients;
	uint64_t last_id;
};

static void request_end(struct f2b_client *c)
{
	if (!c->is_busy)
		return;
	f2b_command_deinit(&c->command);
	buf_deinit(&c->request);
	buf_deinit(&c->answer);
	c->is_busy = false;
	c->id = 0;
}

static void client_close(struct f2b_client *c)
{
	TAILQ_REMOVE(&c->front->clients, c, link);
	c->front->n_clients--;
	request_end(c);
	loop_watch_free(c->watch);
	loop_watch_free(c->timer);
	loop_watch_free(c->again);
	fd_closep(&c->fd);
	buf_deinit(&c->in);
	buf_deinit(&c->out);
	free(c);
}

/* Return: false if the client is gone. */
static bool client_flush(struct f2b_client *c)
{
	if (fd_send_some(c->fd, &c->out) < 0) {
		client_close(c);
		return false;
	}
	if (!c->out.n && c->is_closing) {
		client_close(c);
		return false;
	}
	/* Who does not read the answers is not read from either. */
	loop_set_events(c->watch, c->out.n ? LOOP_WRITE : c->has_ended ? 0 : LOOP_READ);
	return true;
}

/* --- one request -------------------------------------------------------------------
 */

static struct f2b_world world_of(const struct f2b_client *c)
{
	return (struct f2b_world){.setup = c->front->role->setup,
	    .state_dir = c->front->role->args->state_dir};
}

/* These return false if the client is gone. */
static bool command_step(struct f2b_client *c);

static bool command_resume(struct f2b_client *c, const struct f2b_result *r)
{
	struct f2b_world w = world_of(c);

	c->id = 0;
	f2b_command_resume(&c->command, &w, r);
	return command_step(c);
}

static bool command_give_up(struct f2b_client *c, const char *why)
{
	c->id = 0;
	f2b_command_give_up(&c->command, why);
	return command_step(c);
}

static bool command_answer(struct f2b_client *c)
{
	bool is_stop = c->command.step == F2B_STEP_STOP;

	if (!c->command.reply.n)
		f2b_raise(&c->command, "MemoryError", "out of memory");
	buf_add_span(&c->out, buf_span(&c->command.reply));
	buf_add_span(&c->out, end_mark);
	if (c->out.failed || c->command.reply.failed) {
		client_close(c);
		return false;
	}
	request_end(c);
	loop_arm(c->timer, IDLE_MS, 0);
	if (is_stop)
		(void)channel_send(c->front->role->ctl, MSG_ASK_STOP, SPAN(""), -1);
	return client_flush(c);
}

static bool ask_engine(struct f2b_client *c)
{
	CLEANUP(buf_deinit) struct buf b = BUF_INIT(MESSAGE_MAX_BYTES - 2);

	c->id = ++c->front->last_id | ID_MARK;
	buf_clear(&c->answer);
	pack_u64(&b, c->id);
	pack_u64(&b, c->front->role->setup->generation);
	buf_add_span(&b, buf_span(&c->command.body));
	if (role_send(c->front->role, ROLE_ENGINE, MSG_F2B, &b, -1) == 0)
		return true;
	return command_give_up(
	    c, "the engine is being restarted; try again in a moment");
}

static bool ask_supervisor(struct f2b_client *c, enum message_type type)
{
	CLEANUP(buf_deinit) struct buf b = BUF_INIT(MESSAGE_MAX_BYTES - 2);

	c->id = ++c->front->last_id | ID_MARK;
	pack_u64(&b, c->id);
	if (type == MSG_ASK_CHANGE)
		buf_add_span(&b, buf_span(&c->command.body));
	(void)channel_send(c->front->role->ctl, type, buf_span(&b), -1);
	return true;
}

static bool command_step(struct f2b_client *c)
{
	switch (c->command.step) {
	case F2B_STEP_ENGINE:
		loop_arm(c->timer, ENGINE_PATIENCE_MS, 0);
		return ask_engine(c);
	case F2B_STEP_CHANGE:
		loop_arm(c->timer, CHANGE_PATIENCE_MS, 0);
		return ask_supervisor(c, MSG_ASK_CHANGE);
	case F2B_STEP_FLUSH:
		loop_arm(c->timer, ENGINE_PATIENCE_MS, 0);
		return ask_supervisor(c, MSG_ASK_FLUSH);
	case F2B_STEP_SLEEP:
		loop_disarm(c->timer);
		loop_arm(c->again, c->command.sleep_ms, 0);
		return true;
	default:
		return command_answer(c);
	}
}

static bool request_begin(struct f2b_client *c, struct span bytes)
{
	struct f2b_world w = world_of(c);

	c->is_busy = true;
	c->request = BUF_INIT(F2B_REQUEST_MAX);
	c->answer = BUF_INIT(F2B_REPLY_MAX);
	buf_add_span(&c->request, bytes);
	f2b_command_begin(&c->command, buf_span(&c->request), &w);
	return command_step(c);
}

/* --- input -------------------------------------------------------------------------
 */

size_t front_f2b_frame(struct span bytes, size_t from, size_t *out_len)
{
	/* The mark may have begun in what was searched before. */
	size_t back = end_mark.n - 1 < from ? end_mark.n - 1 : from;
	ptrdiff_t at = span_find(span_skip(bytes, from - back), end_mark);

	if (at < 0)
		return 0;
	*out_len = from - back + (size_t)at;
	return *out_len + end_mark.n;
}

/* Take one request off the input. Return: false if the client is gone. */
static bool client_take(struct f2b_client *c, struct span bytes)
{
	if (!span_eq(bytes, close_mark))
		return request_begin(c, bytes);
	c->is_closing = true;
	return client_flush(c);
}

static bool is_idle(const struct f2b_client *c)
{
	return !c->is_busy && !c->is_closing && !c->out.n;
}

/* Take requests off the input as long as each is answered at once. */
static void client_work(struct f2b_client *c)
{
	size_t n_taken = 0, n, length = 0;
	bool is_more = true;

	for (int i = 0; is_idle(c); i++) {
		struct span rest = span_skip(buf_span(&c->in), n_taken);

		if (i == MAX_AT_ONCE) {
			loop_arm(c->again, 1, 0);
			break;
		}
		n = front_f2b_frame(rest, c->n_searched, &length);
		if (!n) {
			c->n_searched = rest.n;
			is_more = false;
			break;
		}
		n_taken += n;
		c->n_searched = 0;
		if (!client_take(c, (struct span){rest.p, length}))
			return;
	}
	buf_consume(&c->in, n_taken);
	/* Longer than any request, or nobody there any more. */
	if (is_idle(c) && !is_more && (c->in.failed || c->has_ended))
		client_close(c);
}

/* Slept enough; the engine has the new set-up by now; or it is our turn again. */
static void on_again(void *ctx)
{
	struct f2b_client *c = ctx;
	struct f2b_result r = {0};
	bool is_alive = true;

	if (c->is_busy && c->command.step == F2B_STEP_ENGINE)
		is_alive = ask_engine(c);
	else if (c->is_busy && c->command.step == F2B_STEP_SLEEP)
		is_alive = command_resume(c, &r);
	if (is_alive)
		client_work(c);
}

static void on_client(void *ctx, int events)
{
	struct f2b_client *c = ctx;
	char room[65536];

	if (events & LOOP_WRITE) {
		if (client_flush(c))
			client_work(c);
		return;
	}
	ssize_t n = recv(c->fd, room, sizeof(room), MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n < 0) {
		client_close(c);
		return;
	}
	if (!n) {
		c->has_ended = true;
		loop_set_events(c->watch, 0);
	}
	buf_add(&c->in, room, (size_t)n);
	client_work(c);
}

static void on_client_timer(void *ctx)
{
	struct f2b_client *c = ctx;

	if (!c->is_busy)
		client_close(c);
	else if (command_give_up(c, "no answer in time"))
		client_work(c);
}

static void on_accept(void *ctx, UNUSED int events)
{
	struct front_f2b *f = ctx;
	int fd = accept4(f->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0)
		return;
	struct f2b_client *c =
	    f->n_clients < MAX_CLIENTS ? calloc(1, sizeof(*c)) : NULL;

	if (!c) {
		close(fd);
		return;
	}
	c->front = f;
	c->fd = fd;
	c->in = BUF_INIT(F2B_REQUEST_MAX + end_mark.n);
	c->out = BUF_INIT(F2B_REPLY_MAX + end_mark.n);
	TAILQ_INSERT_TAIL(&f->clients, c, link);
	f->n_clients++;
	c->timer = loop_add_timer(f->role->loop, on_client_timer, c);
	c->again = loop_add_timer(f->role->loop, on_again, c);
	c->watch = loop_add_fd(f->role->loop, fd, LOOP_READ, on_client, c);
	if (!c->timer || !c->again || !c->watch)
		client_close(c);
	else
		loop_arm(c->timer, IDLE_MS, 0);
}

/* --- answers -----------------------------------------------------------------------
 */

static struct f2b_client *find_client(struct front_f2b *f, uint64_t id)
{
	struct f2b_client *c;

	TAILQ_FOREACH (c, &f->clients, link) {
		if (c->is_busy && c->id == id)
			return c;
	}
	return NULL;
}

/* One of us has a set-up that the other will have in a moment. */
static bool ask_later(struct f2b_client *c, const struct f2b_result *r)
{
	struct f2b_world w = world_of(c);

	c->id = 0;
	f2b_command_resume(&c->command, &w, r);
	if (c->command.step != F2B_STEP_ENGINE)
		return command_step(c);
	loop_arm(c->again, ASK_AGAIN_MS, 0);
	return true;
}

static bool take_reply(struct f2b_client *c)
{
	struct f2b_result r = {.bytes = buf_span(&c->answer)};

	if (c->answer.failed)
		return command_give_up(c, "the answer is too large");
	if (r.bytes.n && r.bytes.p[0] == F2B_OTHER)
		return ask_later(c, &r);
	return command_resume(c, &r);
}

bool front_f2b_reply(struct front_f2b *f, uint64_t id, bool last, struct span bytes)
{
	struct f2b_client *c = id & ID_MARK ? find_client(f, id) : NULL;

	if (!c || c->command.step != F2B_STEP_ENGINE)
		return id & ID_MARK;
	buf_add_span(&c->answer, bytes);
	if (last && take_reply(c))
		client_work(c);
	return true;
}

void front_f2b_engine_gone(struct front_f2b *f)
{
	struct f2b_client *c, *next;

	TAILQ_FOREACH_SAFE (c, &f->clients, link, next) {
		if (!c->is_busy || !c->id || c->command.step != F2B_STEP_ENGINE)
			continue;
		if (command_give_up(
			c, "the engine is being restarted; try again in a moment"))
			loop_arm(c->again, 1, 0);
	}
}

static void take_answer(struct front_f2b *f, struct message *m)
{
	struct f2b_client *c = find_client(f, unpack_u64(&m->body));
	struct f2b_result r = {0};

	if (!c)
		return;
	if (m->type == MSG_CHANGED && c->command.step == F2B_STEP_CHANGE) {
		r.change = unpack_u8(&m->body);
		r.bytes = unpack_span(&m->body);
	} else if (m->type == MSG_FLUSHED && c->command.step == F2B_STEP_FLUSH) {
		r.has_log_file = unpack_bool(&m->body);
	} else {
		return;
	}
	if (command_resume(c, &r))
		client_work(c);
}

/* --- plumbing ----------------------------------------------------------------------
 */

void front_f2b_control(struct front_f2b *f, struct message *m)
{
	if (m->type != MSG_LISTEN_F2B) {
		take_answer(f, m);
		return;
	}
	if (m->fd < 0)
		return;
	f->on_accept = loop_watch_free(f->on_accept);
	fd_closep(&f->listen_fd);
	f->listen_fd = TAKE_FD(m->fd);
	f->on_accept =
	    loop_add_fd(f->role->loop, f->listen_fd, LOOP_READ, on_accept, f);
	if (!f->on_accept)
		log_err(NULL, "fail2ban's protocol cannot be served: out of memory");
}

struct front_f2b *front_f2b_new(struct role *r)
{
	struct front_f2b *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	f->role = r;
	f->listen_fd = -1;
	TAILQ_INIT(&f->clients);
	return f;
}

struct front_f2b *front_f2b_free(struct front_f2b *f)
{
	if (!f)
		return NULL;
	while (!TAILQ_EMPTY(&f->clients))
		client_close(TAILQ_FIRST(&f->clients));
	loop_watch_free(f->on_accept);
	fd_closep(&f->listen_fd);
	free(f);
	return NULL;
}
