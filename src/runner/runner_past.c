/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The past of an address, for actions that tell it (<ipmatches>, <ipjailmatches>,
 * <ipfailures>, <ipjailfailures>): a ban waits here for the keeper's answer. At most
 * MAX_HELD wait; more, and all while there is no keeper, go on with what their own ban
 * says.
 */
#include <errno.h>

#include "enforce/action_text.h"
#include "runner/runner.h"

#define MAX_HELD 200
#define MAX_LINES 10 /* as fail2ban's dbmaxmatches, by default */
#define MATCHES_MAX_BYTES 32768

struct held {
	TAILQ_ENTRY(held) link;
	uint64_t id;
	struct order order; /* its own, without evidence and fields */
	struct ticket_words *words;
};

struct runner_past {
	struct role *role;
	TAILQ_HEAD(, held) held;
	size_t n_held;
	uint64_t last_id;
	runner_past_fn apply;
	void *ctx;
};

static void let_go(struct runner_past *p, struct held *h, bool is_wanted)
{
	TAILQ_REMOVE(&p->held, h, link);
	p->n_held--;
	if (is_wanted)
		p->apply(p->ctx, &h->order, h->words);
	else
		ticket_words_free(h->words);
	order_deinit(&h->order);
	free(h);
}

static bool tells_past(const struct setup_jail *j)
{
	static const char *const tags[] = {
	    "<ipmatches>", "<ipjailmatches>", "<ipfailures>", "<ipjailfailures>"};

	for (uint32_t i = 0; i < j->n_commands; i++) {
		const struct setup_command *c = &j->commands[i];

		for (uint32_t k = 0; k < c->n_options; k++) {
			for (size_t t = 0; t < ARRAY_LEN(tags); t++) {
				if (strstr(c->options[k].value, tags[t]))
					return true;
			}
		}
		if (c->is_mail)
			return true; /* smtp.py[matches=ipmatches] */
	}
	return false;
}

void runner_past_take(
    struct runner_past *p, const struct order *o, struct ticket_words *words)
{
	const struct setup *s = p->role->setup;
	bool is_wanted = o->jail < s->n_jails && tells_past(&s->jails[o->jail]) &&
			 p->role->peers[ROLE_KEEPER] && p->n_held < MAX_HELD;
	struct held *h = is_wanted ? calloc(1, sizeof(*h)) : NULL;
	struct buf b = BUF_INIT(64);

	if (!h) {
		p->apply(p->ctx, o, words);
		return;
	}
	h->id = ++p->last_id;
	h->order = *o;
	h->order.n_why = h->order.n_fields = 0;
	h->order.why = NULL;
	h->order.fields = NULL;
	h->order.id = o->id ? strdup(o->id) : NULL;
	if (o->id && !h->order.id) {
		free(h);
		p->apply(p->ctx, o, words);
		return;
	}
	h->words = words;
	TAILQ_INSERT_TAIL(&p->held, h, link);
	p->n_held++;
	pack_u64(&b, h->id);
	pack_net(&b, &o->net);
	if (role_send(p->role, ROLE_KEEPER, MSG_ASK_PAST, &b, -1) < 0)
		let_go(p, h, true);
	buf_deinit(&b);
}

void runner_past_unban(struct runner_past *p, const struct order *o)
{
	struct held *h, *next;

	TAILQ_FOREACH_SAFE (h, &p->held, link, next) {
		if (h->order.jail == o->jail && net_eq(&h->order.net, &o->net))
			let_go(p, h, false);
	}
}

/* Lines of one kind: those of the ban itself, then older ones, newest first. */
struct lines {
	struct buf b;
	size_t n;
	uint32_t failures;
};

static void add_lines(struct lines *l, struct span text)
{
	struct span line;

	while (l->n < MAX_LINES && span_next_line(&text, &line)) {
		if (l->b.n)
			buf_add_char(&l->b, '\n');
		buf_add_span(&l->b, line);
		l->n++;
	}
}

static struct lines lines_of(const struct held *h)
{
	struct lines l = {BUF_INIT(MATCHES_MAX_BYTES), 0, h->order.failures};

	if (h->words && h->words->matches)
		add_lines(&l, span_of(h->words->matches));
	return l;
}

static void read_rows(struct runner_past *p, struct held *h, struct unpack *u)
{
	const struct setup *s = p->role->setup;
	struct lines all = lines_of(h), own = lines_of(h);
	uint32_t n = unpack_count(u, 20);

	for (uint32_t i = 0; i < n && !u->bad; i++) {
		CLEANUP(freep) char *jail = unpack_str(u);
		wall_t at = unpack_wall(u);
		uint32_t failures = unpack_u32(u);
		CLEANUP(freep) char *text = unpack_str(u);
		bool is_own = jail && h->order.jail < s->n_jails &&
			      !strcmp(jail, s->jails[h->order.jail].name);

		/* The ban itself may be stored by now. */
		if (u->bad || !text || (is_own && at.us == h->order.at.us))
			continue;
		all.failures += failures;
		add_lines(&all, span_of(text));
		if (is_own) {
			own.failures += failures;
			add_lines(&own, span_of(text));
		}
	}
	h->words->ip_matches = buf_take(&all.b);
	h->words->jail_matches = buf_take(&own.b);
	h->words->ip_failures = all.failures;
	h->words->jail_failures = own.failures;
}

void runner_past_answer(struct runner_past *p, struct message *m)
{
	uint64_t id = unpack_u64(&m->body);
	struct held *h;

	TAILQ_FOREACH (h, &p->held, link) {
		if (h->id == id)
			break;
	}
	if (!h)
		return;
	if (h->words)
		read_rows(p, h, &m->body);
	let_go(p, h, true);
}

void runner_past_release(struct runner_past *p)
{
	while (!TAILQ_EMPTY(&p->held))
		let_go(p, TAILQ_FIRST(&p->held), true);
}

struct runner_past *runner_past_new(struct role *r, runner_past_fn apply, void *ctx)
{
	struct runner_past *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->role = r;
	p->apply = apply;
	p->ctx = ctx;
	TAILQ_INIT(&p->held);
	return p;
}

void runner_past_forget(struct runner_past *p)
{
	while (!TAILQ_EMPTY(&p->held))
		let_go(p, TAILQ_FIRST(&p->held), false);
}

struct runner_past *runner_past_free(struct runner_past *p)
{
	if (!p)
		return NULL;
	runner_past_forget(p);
	free(p);
	return NULL;
}
