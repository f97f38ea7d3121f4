/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The runner does what needs root's ownership of files: hosts.deny. It runs only when a
 * jail asks for it, without any capability. Bans are told anew at each start, so the
 * block in the file always says what is banned now; writes are gathered for WRITE_MS.
 *
 * It has a guard of its own: while the enforcer is being restarted nobody else says no.
 */
#include <errno.h>

#include "base/log.h"
#include "enforce/guard.h"
#include "enforce/hosts_deny.h"
#include "proc/role.h"

#define WRITE_MS 20
#define RETRY_MS 10000
#define GUARD_REFRESH_MS 60000

struct deny_file {
	char *path; /* path and daemons tell files apart */
	char *daemons;
	struct hosts_deny *file;
	bool is_told; /* it cannot be written: said once */
};

struct runner {
	struct role *role;
	struct deny_file *files;
	size_t n_files;
	uint32_t *file_of; /* by jail and its hosts_deny entries, flattened */
	uint32_t *first;   /* by jail; one more at the end */
	struct guard *guard;
	struct loop_watch *write_timer;
	struct loop_watch *guard_timer;
	bool is_syncing; /* between RESYNC and RESYNCED nothing is written */
};

static void forget_files(struct runner *x)
{
	for (size_t i = 0; i < x->n_files; i++) {
		hosts_deny_close(x->files[i].file);
		free(x->files[i].path);
		free(x->files[i].daemons);
	}
	free(x->files);
	free(x->file_of);
	free(x->first);
	x->files = NULL;
	x->file_of = x->first = NULL;
	x->n_files = 0;
}

/* Return: index or negative errno. */
static int file_index(struct runner *x, const struct setup_hosts_deny *h)
{
	for (size_t i = 0; i < x->n_files; i++) {
		if (!strcmp(x->files[i].path, h->path) &&
		    !strcmp(x->files[i].daemons, h->daemons))
			return (int)i;
	}
	struct deny_file *more = realloc(x->files, (x->n_files + 1) * sizeof(*more));

	if (!more)
		return -ENOMEM;
	x->files = more;
	struct deny_file *f = &more[x->n_files];

	*f = (struct deny_file){.path = strdup(h->path), .daemons = strdup(h->daemons)};
	f->file = hosts_deny_open(h->path, h->daemons);
	x->n_files++;
	return f->path && f->daemons && f->file ? (int)x->n_files - 1 : -ENOMEM;
}

/* The rate of bans is the enforcer's to bound. */
static int new_guard(struct runner *x)
{
	const struct setup *s = x->role->setup;
	struct guard_options o = {
	    .min_prefix_v4 = s->min_prefix_v4,
	    .min_prefix_v6 = s->min_prefix_v6,
	    .ignore = s->never_ban,
	    .n_ignore = s->n_never_ban,
	};
	struct guard *g = guard_new(&o);

	if (!g)
		return -ENOMEM;
	guard_free(x->guard);
	x->guard = g;
	(void)guard_refresh(g); /* the enforcer says what cannot be read */
	return 0;
}

static void on_guard(void *ctx)
{
	struct runner *x = ctx;

	(void)guard_refresh(x->guard);
}

static int take_setup(struct runner *x)
{
	const struct setup *s = x->role->setup;
	size_t n = 0;

	forget_files(x);
	if (new_guard(x) < 0)
		return -ENOMEM;
	for (uint32_t i = 0; i < s->n_jails; i++)
		n += s->jails[i].n_hosts_deny;
	x->file_of = calloc(n + 1, sizeof(*x->file_of));
	x->first = calloc(s->n_jails + 1, sizeof(*x->first));
	if (!x->file_of || !x->first)
		return -ENOMEM;
	n = 0;
	for (uint32_t i = 0; i < s->n_jails; i++) {
		x->first[i] = (uint32_t)n;
		for (uint32_t k = 0; k < s->jails[i].n_hosts_deny; k++) {
			int f = file_index(x, &s->jails[i].hosts_deny[k]);

			if (f < 0)
				return f;
			x->file_of[n++] = (uint32_t)f;
		}
	}
	x->first[s->n_jails] = (uint32_t)n;
	return 0;
}

static void write_files(struct runner *x)
{
	bool again = false;

	for (size_t i = 0; i < x->n_files; i++) {
		struct deny_file *f = &x->files[i];
		struct err e = {""};

		if (x->role->setup->dry_run || !hosts_deny_is_changed(f->file))
			continue;
		if (hosts_deny_write(f->file, &e) == 0) {
			if (f->is_told)
				log_notice(f->path, "can be written again");
			f->is_told = false;
			continue;
		}
		if (!f->is_told)
			log_err(f->path, "%s; trying again", e.text);
		f->is_told = true;
		again = true;
	}
	if (again)
		loop_arm(x->write_timer, RETRY_MS, 0);
}

static void on_write(void *ctx)
{
	write_files(ctx);
}

static void apply_order(struct runner *x, const struct order *o)
{
	if (o->jail >= x->role->setup->n_jails)
		return;
	/* Said by the enforcer, which makes the engine lift it. */
	if (o->op == ORDER_BAN &&
	    guard_check(x->guard, &o->net, mono_now()) != GUARD_OK)
		return;
	for (uint32_t i = x->first[o->jail]; i < x->first[o->jail + 1]; i++) {
		struct deny_file *f = &x->files[x->file_of[i]];

		if (o->op == ORDER_UNBAN)
			hosts_deny_remove(f->file, &o->net);
		else if (o->op == ORDER_BAN &&
			 hosts_deny_add(f->file, &o->net) == HOSTS_DENY_FULL)
			log_warning(f->path,
			    "holds %d addresses already; one is left out",
			    HOSTS_DENY_MAX);
	}
}

static void take_orders(struct runner *x, struct message *m)
{
	(void)unpack_u64(&m->body); /* seq */
	uint32_t n = unpack_count(&m->body, ORDER_RECORD_BYTES);

	for (uint32_t i = 0; i < n; i++) {
		struct order o;

		if (order_decode_record(&m->body, &o) < 0) {
			m->body.bad = true;
			return;
		}
		apply_order(x, &o);
	}
	if (!x->is_syncing)
		loop_arm(x->write_timer, WRITE_MS, 0);
}

static void runner_message(struct role *r, UNUSED enum role_id from, struct message *m)
{
	struct runner *x = r->ctx;
	bool is_ours = unpack_u64(&m->body) == r->setup->generation;

	if (!is_ours)
		return;
	switch (m->type) {
	case MSG_RESYNC:
		x->is_syncing = true;
		for (size_t i = 0; i < x->n_files; i++)
			hosts_deny_clear(x->files[i].file);
		return;
	case MSG_RESYNCED:
		x->is_syncing = false;
		loop_arm(x->write_timer, WRITE_MS, 0);
		return;
	default:
		take_orders(x, m);
	}
}

static int runner_start(struct role *r, struct err *e)
{
	struct runner *x = r->ctx;

	x->role = r;
	x->write_timer = loop_add_timer(r->loop, on_write, x);
	x->guard_timer = loop_add_timer(r->loop, on_guard, x);
	if (!x->write_timer || !x->guard_timer || take_setup(x) < 0)
		return err_set(e, -ENOMEM, "out of memory");
	loop_arm(x->guard_timer, GUARD_REFRESH_MS, GUARD_REFRESH_MS);
	role_ready(r);
	return 0;
}

static void empty_files(struct runner *x)
{
	for (size_t i = 0; i < x->n_files; i++)
		hosts_deny_clear(x->files[i].file);
	write_files(x);
}

static void runner_reload(struct role *r, UNUSED const struct setup *old)
{
	struct runner *x = r->ctx;

	/* A file that no jail names any more must not keep our block. */
	empty_files(x);
	if (take_setup(x) < 0) {
		log_err(NULL, "out of memory; starting anew");
		loop_stop(r->loop);
		return;
	}
	(void)role_send(r, ROLE_ENGINE, MSG_ASK_RESYNC, NULL, -1);
}

static void runner_peer(UNUSED struct role *r, UNUSED enum role_id who)
{
	/* The engine tells all bans by itself. */
}

static void runner_peer_gone(struct role *r, UNUSED enum role_id who)
{
	struct runner *x = r->ctx;

	x->is_syncing = false;
}

static void runner_stop(struct role *r)
{
	empty_files(r->ctx);
	role_stopped(r);
}

static void runner_deinit(struct role *r)
{
	struct runner *x = r->ctx;

	loop_watch_free(x->write_timer);
	loop_watch_free(x->guard_timer);
	guard_free(x->guard);
	forget_files(x);
}

int runner_main(const struct role_args *args)
{
	static const struct role_permit permits[] = {
	    {ROLE_ENGINE, MSG_ORDERS},
	    {ROLE_ENGINE, MSG_RESYNC},
	    {ROLE_ENGINE, MSG_RESYNCED},
	    {0, 0},
	};
	static const struct role_fns fns = {
	    .permits = permits,
	    .start = runner_start,
	    .reload = runner_reload,
	    .peer = runner_peer,
	    .peer_gone = runner_peer_gone,
	    .message = runner_message,
	    .stop = runner_stop,
	    .deinit = runner_deinit,
	};
	struct runner x = {0};

	return role_run(args, &fns, &x);
}
