/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ignorecommand: a failure of a jail that has one waits here until the runner has run
 * it, then counts or does not. An address that is waited for already is not asked about
 * again: its failures share the answer. At most MAX_WAITING failures wait; more, and
 * all while there is no runner, count as failures of an address that is not ignored.
 *
 * ignorecache: answers by a key made of the failure, each for its time; full, the
 * oldest goes.
 */
#include <bsd/sys/queue.h>
#include <errno.h>

#include "base/log.h"
#include "engine/ask_key.h"
#include "engine/engine_role.h"
#include "flow/id.h"

#define MAX_WAITING 1000
#define VALUE_MAX_BYTES 1024

struct failure {
	TAILQ_ENTRY(failure) link;
	uint64_t id; /* of the question; shared by failures of one address */
	uint64_t key;
	bool has_key; /* else the answer is not kept */
	struct net net;
	struct pipeline_name what; /* owns text and id, and its fields are these: */
	struct filter_field *fields;
};

struct answer {
	uint64_t key;
	mono_t until;
	bool is_ignored;
};

struct engine_ask {
	struct engine_role *er;
	TAILQ_HEAD(, failure) waiting;
	size_t n_waiting;
	uint64_t last_id;
	struct answer **answers; /* by jail; NULL: no cache */
	uint32_t *next;          /* by jail: the place to fill next */
	uint32_t n_jails;
};

static void drop(struct engine_ask *a, struct failure *f)
{
	TAILQ_REMOVE(&a->waiting, f, link);
	a->n_waiting--;
	for (size_t i = 0; i < f->what.n_fields; i++) {
		free((void *)(uintptr_t)f->fields[i].name);
		free((void *)(uintptr_t)f->fields[i].value.p);
	}
	free(f->fields);
	free((void *)(uintptr_t)f->what.text.p);
	free((void *)(uintptr_t)f->what.id);
	free(f);
}

/* --- the cache ---------------------------------------------------------------------
 */

static const struct answer *find_answer(
    const struct engine_ask *a, uint32_t jail, uint64_t key)
{
	const struct setup_jail *j = &a->er->role->setup->jails[jail];
	mono_t now = mono_now();

	for (uint32_t i = 0; a->answers[jail] && i < j->ignorecache_count; i++) {
		const struct answer *x = &a->answers[jail][i];

		if (x->key == key && x->until.us > now.us)
			return x;
	}
	return NULL;
}

static void keep_answer(
    struct engine_ask *a, uint32_t jail, uint64_t key, bool is_ignored)
{
	const struct setup_jail *j = &a->er->role->setup->jails[jail];

	if (!a->answers[jail])
		return;
	a->answers[jail][a->next[jail]] = (struct answer){
	    .key = key,
	    .until = {mono_now().us + (int64_t)(j->ignorecache_sec * 1e6)},
	    .is_ignored = is_ignored,
	};
	a->next[jail] = (a->next[jail] + 1) % j->ignorecache_count;
}

static void forget_answers(struct engine_ask *a)
{
	for (uint32_t i = 0; a->answers && i < a->n_jails; i++)
		free(a->answers[i]);
	free(a->answers);
	free(a->next);
	a->answers = NULL;
	a->next = NULL;
	a->n_jails = 0;
}

static int make_caches(struct engine_ask *a)
{
	const struct setup *s = a->er->role->setup;

	a->answers = calloc(s->n_jails + 1, sizeof(struct answer *));
	a->next = calloc(s->n_jails + 1, sizeof(*a->next));
	if (!a->answers || !a->next)
		return -ENOMEM;
	a->n_jails = s->n_jails;
	for (uint32_t i = 0; i < s->n_jails; i++) {
		const struct setup_jail *j = &s->jails[i];

		/* Short of memory there is one cache less. */
		if (j->ignorecommand && j->ignorecache_key)
			a->answers[i] =
			    calloc(j->ignorecache_count, sizeof(struct answer));
	}
	return 0;
}

/* --- asking ------------------------------------------------------------------------
 */

static struct failure *find_same(
    struct engine_ask *a, uint32_t jail, const struct net *net)
{
	struct failure *f;

	TAILQ_FOREACH (f, &a->waiting, link) {
		if (f->what.jail == jail && net_eq(&f->net, net))
			return f;
	}
	return NULL;
}

/* Fields point into the line; these outlive it. */
static int copy_fields(struct failure *f, const struct pipeline_name *n)
{
	f->fields = calloc(n->n_fields + 1, sizeof(*f->fields));
	f->what.fields = f->fields;
	f->what.n_fields = 0;
	if (!f->fields)
		return -ENOMEM;
	for (size_t i = 0; i < n->n_fields; i++) {
		struct filter_field *own = &f->fields[i];
		struct span value = n->fields[i].value;

		if (value.n > VALUE_MAX_BYTES)
			value.n = VALUE_MAX_BYTES;
		own->name = strdup(n->fields[i].name);
		own->value = (struct span){span_dup(value), value.n};
		f->what.n_fields = i + 1;
		if (!own->name || !own->value.p)
			return -ENOMEM;
	}
	return 0;
}

static struct failure *keep(
    struct engine_ask *a, const struct pipeline_name *n, const struct net *net)
{
	struct failure *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	TAILQ_INSERT_TAIL(&a->waiting, f, link);
	a->n_waiting++;
	f->what = *n;
	f->net = *net;
	f->what.name = (struct span){"", 0};
	f->what.text.p = span_dup(n->text);
	f->what.id = n->id ? strdup(n->id) : NULL;
	if ((f->what.id || !n->id) && copy_fields(f, n) == 0 && f->what.text.p)
		return f;
	drop(a, f);
	return NULL;
}

static int send_question(struct engine_ask *a, const struct failure *f)
{
	CLEANUP(buf_deinit) struct buf b = BUF_INIT(MESSAGE_MAX_BYTES - 64);

	pack_u64(&b, a->er->role->setup->generation);
	pack_u64(&b, f->id);
	pack_u32(&b, f->what.jail);
	pack_net(&b, &f->net);
	id_pack(&b, f->what.id, &f->what.ip);
	pack_wall(&b, f->what.at);
	pack_span(&b, f->what.text);
	pack_u32(&b, (uint32_t)f->what.n_fields);
	for (size_t i = 0; i < f->what.n_fields; i++) {
		pack_str(&b, f->fields[i].name);
		pack_span(&b, f->fields[i].value);
	}
	return role_send(a->er->role, ROLE_RUNNER, MSG_ASK_IGNORE, &b, -1);
}

static void say_ignored(
    const struct engine_ask *a, const struct pipeline_name *n, const struct net *net)
{
	CLEANUP(buf_deinit) struct buf who = BUF_INIT(2048);

	id_add_who(&who, net, n->id);
	log_info(a->er->role->setup->jails[n->jail].name,
	    "%s is ignored: ignorecommand says so", buf_str(&who));
}

/* A failure of a jail with ignorecommand. Return: true if it is dealt with, or will be
 * when the answer is there; false: count it now. */
static bool on_failure(void *ctx, const struct pipeline_name *n, const struct net *net)
{
	struct engine_ask *a = ctx;
	const struct setup_jail *j = &a->er->role->setup->jails[n->jail];
	uint64_t key = 0;
	bool has_key =
	    j->ignorecache_key && ask_key(j->ignorecache_key, n, net, &key) == 0;
	const struct answer *known = has_key ? find_answer(a, n->jail, key) : NULL;

	if (known) {
		if (known->is_ignored)
			say_ignored(a, n, net);
		return known->is_ignored;
	}
	if (!a->er->role->peers[ROLE_RUNNER] || a->n_waiting >= MAX_WAITING) {
		log_warning(
		    j->name, "ignorecommand cannot be asked; counting without it");
		return false;
	}
	struct failure *same = find_same(a, n->jail, net);
	uint64_t id = same ? same->id : ++a->last_id;
	struct failure *f = keep(a, n, net);

	if (!f)
		return false;
	f->id = id;
	f->key = key;
	f->has_key = has_key;
	if (same || send_question(a, f) == 0)
		return true;
	drop(a, f);
	return false;
}

void engine_ask_answered(struct engine_ask *a, struct message *m)
{
	uint64_t id = unpack_u64(&m->body);
	bool is_ignored = unpack_bool(&m->body);
	struct failure *f, *next;
	bool is_first = true;

	TAILQ_FOREACH_SAFE (f, &a->waiting, link, next) {
		if (f->id != id)
			continue;
		if (is_first && f->has_key)
			keep_answer(a, f->what.jail, f->key, is_ignored);
		if (is_first && is_ignored)
			say_ignored(a, &f->what, &f->net);
		is_first = false;
		if (!is_ignored && pipeline_feed_asked(a->er->pipeline, &f->what,
				       &f->net, wall_now(), &a->er->orders) < 0)
			log_err(NULL, "out of memory: a failure was not counted");
		drop(a, f);
	}
	(void)engine_role_flush(a->er);
	engine_store_touch(a->er->store);
}

/* Nobody will answer: what waits counts. */
void engine_ask_runner_gone(struct engine_ask *a)
{
	struct failure *f;

	while ((f = TAILQ_FIRST(&a->waiting)) != NULL) {
		(void)pipeline_feed_asked(
		    a->er->pipeline, &f->what, &f->net, wall_now(), &a->er->orders);
		drop(a, f);
	}
	(void)engine_role_flush(a->er);
}

void engine_ask_again(struct engine_ask *a)
{
	uint64_t last = 0;
	struct failure *f;

	/* Those that share a question came later than the one that asked it. */
	TAILQ_FOREACH (f, &a->waiting, link) {
		if (f->id > last && send_question(a, f) == 0)
			last = f->id;
	}
}

int engine_ask_setup(struct engine_ask *a, const struct setup *old)
{
	const struct setup *s = a->er->role->setup;
	struct failure *f, *next;

	forget_answers(a);
	TAILQ_FOREACH_SAFE (f, &a->waiting, link, next) {
		int jail = setup_find_jail(s, span_of(old->jails[f->what.jail].name));

		if (jail < 0 || !s->jails[jail].ignorecommand)
			drop(a, f); /* the jail went, or asks no more */
		else
			f->what.jail = (uint32_t)jail;
	}
	engine_ask_again(a);
	return make_caches(a);
}

struct engine_ask *engine_ask_new(struct engine_role *er)
{
	struct engine_ask *a = calloc(1, sizeof(*a));

	if (!a)
		return NULL;
	a->er = er;
	TAILQ_INIT(&a->waiting);
	pipeline_on_ask(er->pipeline, on_failure, a);
	return make_caches(a) < 0 ? engine_ask_free(a) : a;
}

struct engine_ask *engine_ask_free(struct engine_ask *a)
{
	if (!a)
		return NULL;
	while (!TAILQ_EMPTY(&a->waiting))
		drop(a, TAILQ_FIRST(&a->waiting));
	forget_answers(a);
	free(a);
	return NULL;
}
