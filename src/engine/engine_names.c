/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Failures whose client is a name wait here until the resolver has its addresses; then
 * each address counts once, at the time of the line. At most MAX_WAITING wait; more are
 * counted as lines without an address, as they are when there is no resolver.
 */
#include <bsd/sys/queue.h>
#include <errno.h>

#include "base/log.h"
#include "engine/engine_role.h"

#define MAX_WAITING 1000
#define MAX_ADDRESSES 64

struct waiting {
	TAILQ_ENTRY(waiting) link;
	uint64_t id;
	struct pipeline_name what; /* its texts are owned: name and text */
};

struct engine_names {
	struct engine_role *er;
	TAILQ_HEAD(, waiting) waiting;
	size_t n_waiting;
	uint64_t last_id;
};

static void drop(struct engine_names *ns, struct waiting *w)
{
	TAILQ_REMOVE(&ns->waiting, w, link);
	ns->n_waiting--;
	free((void *)(uintptr_t)w->what.name.p);
	free((void *)(uintptr_t)w->what.text.p);
	free(w);
}

static struct waiting *keep(struct engine_names *ns, const struct pipeline_name *n)
{
	struct waiting *w = calloc(1, sizeof(*w));
	char *name = span_dup(n->name);
	char *text = span_dup(n->text);

	if (!w || !name || !text) {
		free(w);
		free(name);
		free(text);
		return NULL;
	}
	w->id = ++ns->last_id;
	w->what = *n;
	w->what.name.p = name;
	w->what.text.p = text;
	w->what.fields = NULL; /* they die with the line */
	w->what.n_fields = 0;
	TAILQ_INSERT_TAIL(&ns->waiting, w, link);
	ns->n_waiting++;
	return w;
}

static bool on_name(void *ctx, const struct pipeline_name *n)
{
	struct engine_names *ns = ctx;
	struct buf b = BUF_INIT(512);
	struct waiting *w =
	    ns->er->role->peers[ROLE_RESOLVER] && ns->n_waiting < MAX_WAITING
		? keep(ns, n)
		: NULL;

	if (!w)
		return false;
	pack_u64(&b, w->id);
	pack_span(&b, n->name);
	int r = role_send(ns->er->role, ROLE_RESOLVER, MSG_RESOLVE, &b, -1);

	buf_deinit(&b);
	if (r < 0)
		drop(ns, w);
	return r == 0;
}

static void say(
    const struct setup_jail *j, const struct waiting *w, const struct net *net)
{
	char text[NET_TEXT_BYTES];
	struct buf b = BUF_INIT(1024);

	if (j->usedns != FILTER_DNS_WARN)
		return;
	net_format(net, text);
	buf_quote(&b, w->what.name, 253);
	log_warning(j->name,
	    "the address %s was found by asking the DNS for %s, which its owner "
	    "can change at will",
	    text, buf_str(&b));
	buf_deinit(&b);
}

void engine_names_resolved(struct engine_names *ns, struct message *m)
{
	const struct setup *s = ns->er->role->setup;
	uint64_t id = unpack_u64(&m->body);
	(void)unpack_u32(&m->body); /* how long it holds: a line is counted once */
	uint32_t n = unpack_count(&m->body, 17);
	struct waiting *w;

	TAILQ_FOREACH (w, &ns->waiting, link) {
		if (w->id == id)
			break;
	}
	if (!w)
		return;
	for (uint32_t i = 0; i < n && i < MAX_ADDRESSES; i++) {
		struct net net = unpack_net(&m->body);

		if (m->body.bad)
			break;
		say(&s->jails[w->what.jail], w, &net);
		if (pipeline_feed_name(ns->er->pipeline, &w->what, &net, wall_now(),
			&ns->er->orders) < 0)
			log_err(NULL, "out of memory: a failure was not counted");
	}
	drop(ns, w);
	(void)engine_role_flush(ns->er);
	engine_store_touch(ns->er->store);
}

void engine_names_forget(struct engine_names *ns)
{
	while (!TAILQ_EMPTY(&ns->waiting))
		drop(ns, TAILQ_FIRST(&ns->waiting));
}

struct engine_names *engine_names_new(struct engine_role *er)
{
	struct engine_names *ns = calloc(1, sizeof(*ns));

	if (!ns)
		return NULL;
	ns->er = er;
	TAILQ_INIT(&ns->waiting);
	pipeline_on_name(er->pipeline, on_name, ns);
	return ns;
}

struct engine_names *engine_names_free(struct engine_names *ns)
{
	if (!ns)
		return NULL;
	engine_names_forget(ns);
	free(ns);
	return NULL;
}
