/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ignorecommand: the engine's questions, MAX_RUNNING at a time, in their order. Exit
 * status 0 says that the address is to be ignored; anything else that it is not.
 */
#include <errno.h>

#include "base/log.h"
#include "enforce/action_text.h"
#include "flow/id.h"
#include "runner/runner.h"

#define MAX_RUNNING 4
#define MAX_WAITING 2000 /* the engine holds back at less */
#define TIMEOUT_MS 60000

struct question {
	TAILQ_ENTRY(question) link;
	struct runner_ask *owner;
	uint64_t id;
	uint32_t jail;
	struct ticket ticket;
	struct command *command; /* NULL: waits */
};

struct runner_ask {
	struct role *role;
	TAILQ_HEAD(, question) waiting;
	TAILQ_HEAD(, question) running;
	size_t n_waiting, n_running;
};

static void question_free(struct question *q)
{
	command_kill(q->command);
	ticket_words_free(q->ticket.words);
	free(q->ticket.id);
	free(q);
}

static void answer(struct runner_ask *a, uint64_t id, bool is_ignored)
{
	struct buf b = BUF_INIT(16);

	pack_u64(&b, id);
	pack_bool(&b, is_ignored);
	(void)role_send(a->role, ROLE_ENGINE, MSG_IGNORE_ANSWER, &b, -1);
	buf_deinit(&b);
}

static void turn(struct runner_ask *a);

static void on_command(void *ctx, const struct command_result *r)
{
	struct question *q = ctx;
	struct runner_ask *a = q->owner;
	const char *jail = a->role->setup->jails[q->jail].name;

	q->command = NULL;
	if (r->is_late || r->code > 1)
		runner_say_failure(jail, "ignorecommand", r);
	answer(a, q->id, r->code == 0);
	TAILQ_REMOVE(&a->running, q, link);
	a->n_running--;
	question_free(q);
	turn(a);
}

/* Return: 0, or negative errno with @e. */
static int start(struct runner_ask *a, struct question *q, struct err *e)
{
	const struct setup_jail *j = &a->role->setup->jails[q->jail];
	CLEANUP(buf_deinit) struct buf script = BUF_INIT(ACTION_TEXT_MAX);
	CLEANUP(buf_deinit) struct buf env = BUF_INIT(SHELL_ENV_MAX);
	struct tag_source tags = {.jail = j->name,
	    .ticket = &q->ticket,
	    .scratch = BUF_INIT(SHELL_VALUE_MAX)};
	int r = shell_script(
	    span_of(j->ignorecommand), runner_tag, &tags, &script, &env, NULL);

	buf_deinit(&tags.scratch);
	if (r < 0)
		return err_set(e, r, "it is too long");
	q->command = command_start(a->role->loop, buf_str(&script), buf_span(&env),
	    TIMEOUT_MS, on_command, q, e);
	return q->command ? 0 : -EAGAIN;
}

static void turn(struct runner_ask *a)
{
	struct question *q;

	while (a->n_running < MAX_RUNNING && (q = TAILQ_FIRST(&a->waiting)) != NULL) {
		struct err e = {""};

		TAILQ_REMOVE(&a->waiting, q, link);
		a->n_waiting--;
		if (start(a, q, &e) == 0) {
			TAILQ_INSERT_TAIL(&a->running, q, link);
			a->n_running++;
			continue;
		}
		log_err(a->role->setup->jails[q->jail].name,
		    "ignorecommand cannot be run: %s", e.text);
		answer(a, q->id, false);
		question_free(q);
	}
}

void runner_ask_take(struct runner_ask *a, struct message *m)
{
	struct question *q = calloc(1, sizeof(*q));
	struct ticket_words *w = calloc(1, sizeof(*w));

	if (!q || !w) {
		free(q);
		free(w);
		return;
	}
	q->owner = a;
	q->id = unpack_u64(&m->body);
	q->jail = unpack_u32(&m->body);
	q->ticket.net = unpack_net(&m->body);
	q->ticket.id = id_unpack(&m->body, &q->ticket.net, &q->ticket.ip);
	q->ticket.at = unpack_wall(&m->body);
	q->ticket.until = WALL_NEVER;
	q->ticket.failures = q->ticket.ban_count = 1;
	q->ticket.words = w;
	w->matches = unpack_str(&m->body);
	ticket_words_get_fields(w, &m->body);
	const struct setup *s = a->role->setup;

	if (m->body.bad || a->n_waiting >= MAX_WAITING || q->jail >= s->n_jails ||
	    !s->jails[q->jail].ignorecommand) {
		answer(a, q->id, false);
		question_free(q);
		return;
	}
	TAILQ_INSERT_TAIL(&a->waiting, q, link);
	a->n_waiting++;
	turn(a);
}

void runner_ask_forget(struct runner_ask *a)
{
	struct question *q;

	while ((q = TAILQ_FIRST(&a->waiting)) != NULL) {
		TAILQ_REMOVE(&a->waiting, q, link);
		question_free(q);
	}
	while ((q = TAILQ_FIRST(&a->running)) != NULL) {
		TAILQ_REMOVE(&a->running, q, link);
		question_free(q);
	}
	a->n_waiting = a->n_running = 0;
}

struct runner_ask *runner_ask_new(struct role *r)
{
	struct runner_ask *a = calloc(1, sizeof(*a));

	if (!a)
		return NULL;
	a->role = r;
	TAILQ_INIT(&a->waiting);
	TAILQ_INIT(&a->running);
	return a;
}

struct runner_ask *runner_ask_free(struct runner_ask *a)
{
	if (!a)
		return NULL;
	runner_ask_forget(a);
	free(a);
	return NULL;
}
