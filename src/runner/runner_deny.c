/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hosts.deny: bans are told anew at each start, so the block in the file always says
 * what is banned now; writes are gathered for WRITE_MS.
 */
#include <errno.h>

#include "base/hash.h"
#include "base/log.h"
#include "enforce/hosts_deny.h"
#include "runner/runner.h"

#define WRITE_MS 20
#define RETRY_MS 10000

struct deny_file {
	char *path; /* path and daemons tell files apart */
	char *daemons;
	struct hosts_deny *file;
	bool is_told; /* it cannot be written: said once */
};

/* A ban that stands in a file for a jail: it is told more than once, and ended once. */
struct held {
	struct held_key {
		uint32_t slot; /* in runner_deny.file_of */
		struct net net;
	} key;
	UT_hash_handle hh;
};

struct runner_deny {
	struct deny_file *files;
	size_t n_files;
	uint32_t *file_of; /* by jail and its hosts_deny entries, flattened */
	uint32_t *first;   /* by jail; one more at the end */
	uint32_t n_jails;
	struct held *held; /* at most HOSTS_DENY_MAX for each of file_of */
	struct loop_watch *timer;
	bool is_syncing; /* between RESYNC and RESYNCED nothing is written */
	bool is_dry;
};

static void forget_held(struct runner_deny *d)
{
	struct held *k, *next;

	HASH_ITER (hh, d->held, k, next) {
		HASH_DEL(d->held, k);
		free(k);
	}
}

static void forget_files(struct runner_deny *d)
{
	forget_held(d);
	for (size_t i = 0; i < d->n_files; i++) {
		hosts_deny_close(d->files[i].file);
		free(d->files[i].path);
		free(d->files[i].daemons);
	}
	free(d->files);
	free(d->file_of);
	free(d->first);
	d->files = NULL;
	d->file_of = d->first = NULL;
	d->n_files = 0;
	d->n_jails = 0;
}

/* Return: index or negative errno. */
static int file_index(struct runner_deny *d, const struct setup_hosts_deny *h)
{
	for (size_t i = 0; i < d->n_files; i++) {
		if (!strcmp(d->files[i].path, h->path) &&
		    !strcmp(d->files[i].daemons, h->daemons))
			return (int)i;
	}
	struct deny_file *more = realloc(d->files, (d->n_files + 1) * sizeof(*more));

	if (!more)
		return -ENOMEM;
	d->files = more;
	struct deny_file *f = &more[d->n_files];

	*f = (struct deny_file){.path = strdup(h->path), .daemons = strdup(h->daemons)};
	f->file = hosts_deny_open(h->path, h->daemons);
	d->n_files++;
	return f->path && f->daemons && f->file ? (int)d->n_files - 1 : -ENOMEM;
}

/* Return: false if some could not be written; @then: what we do about that. */
static bool write_files(struct runner_deny *d, const char *then)
{
	bool is_all = true;

	for (size_t i = 0; i < d->n_files; i++) {
		struct deny_file *f = &d->files[i];
		struct err e = {""};

		if (d->is_dry || !hosts_deny_is_changed(f->file))
			continue;
		if (hosts_deny_write(f->file, &e) == 0) {
			if (f->is_told)
				log_notice(f->path, "can be written again");
			f->is_told = false;
			continue;
		}
		if (!f->is_told)
			log_err(f->path, "%s; %s", e.text, then);
		f->is_told = true;
		is_all = false;
	}
	return is_all;
}

static void on_write(void *ctx)
{
	struct runner_deny *d = ctx;

	if (!write_files(d, "trying again"))
		loop_arm(d->timer, RETRY_MS, 0);
}

struct runner_deny *runner_deny_new(struct loop *l)
{
	struct runner_deny *d = calloc(1, sizeof(*d));

	if (!d)
		return NULL;
	d->timer = loop_add_timer(l, on_write, d);
	return d->timer ? d : runner_deny_free(d);
}

struct runner_deny *runner_deny_free(struct runner_deny *d)
{
	if (!d)
		return NULL;
	loop_watch_free(d->timer);
	forget_files(d);
	free(d);
	return NULL;
}

void runner_deny_close(struct runner_deny *d)
{
	for (size_t i = 0; i < d->n_files; i++) {
		hosts_deny_clear(d->files[i].file);
		d->files[i].is_told = false; /* that this was in vain is news */
	}
	(void)write_files(d, "what stands there of ours stays");
	forget_files(d);
	loop_disarm(d->timer);
}

int runner_deny_setup(struct runner_deny *d, const struct setup *s)
{
	size_t n = 0;

	/* A file that no jail names any more must not keep our block. */
	runner_deny_close(d);
	d->is_dry = s->dry_run;
	for (uint32_t i = 0; i < s->n_jails; i++)
		n += s->jails[i].n_hosts_deny;
	d->file_of = calloc(n + 1, sizeof(*d->file_of));
	d->first = calloc(s->n_jails + 1, sizeof(*d->first));
	if (!d->file_of || !d->first)
		return -ENOMEM;
	n = 0;
	for (uint32_t i = 0; i < s->n_jails; i++) {
		d->first[i] = (uint32_t)n;
		for (uint32_t k = 0; k < s->jails[i].n_hosts_deny; k++) {
			int f = file_index(d, &s->jails[i].hosts_deny[k]);

			if (f < 0)
				return f;
			d->file_of[n++] = (uint32_t)f;
		}
	}
	d->first[s->n_jails] = (uint32_t)n;
	d->n_jails = s->n_jails;
	return 0;
}

static struct held_key key_of(uint32_t slot, const struct net *n)
{
	struct held_key key;

	memset(&key, 0, sizeof(key)); /* what lies between its parts is compared, too */
	key.slot = slot;
	key.net = *n;
	return key;
}

static void add(struct runner_deny *d, uint32_t slot, const struct net *n)
{
	struct deny_file *f = &d->files[d->file_of[slot]];
	struct held_key key = key_of(slot, n);
	struct held *k;

	HASH_FIND(hh, d->held, &key, sizeof(key), k);
	if (k)
		return;
	k = calloc(1, sizeof(*k));
	if (!k) /* told again with the next resync */
		return;
	k->key = key;
	HASH_ADD(hh, d->held, key, sizeof(k->key), k);
	if (!k->hh.tbl) {
		free(k);
		return;
	}
	int r = hosts_deny_add(f->file, n);

	if (!r)
		return;
	HASH_DEL(d->held, k);
	free(k);
	if (r == HOSTS_DENY_FULL)
		log_warning(f->path, "holds %d addresses already; one is left out",
		    HOSTS_DENY_MAX);
}

static void take_out(struct runner_deny *d, uint32_t slot, const struct net *n)
{
	struct held_key key = key_of(slot, n);
	struct held *k;

	HASH_FIND(hh, d->held, &key, sizeof(key), k);
	if (!k) /* it stands there for another jail */
		return;
	HASH_DEL(d->held, k);
	free(k);
	hosts_deny_remove(d->files[d->file_of[slot]].file, n);
}

void runner_deny_order(struct runner_deny *d, const struct order *o)
{
	if (o->jail >= d->n_jails)
		return;
	for (uint32_t i = d->first[o->jail]; i < d->first[o->jail + 1]; i++) {
		if (o->op == ORDER_UNBAN)
			take_out(d, i, &o->net);
		else
			add(d, i, &o->net);
	}
	if (!d->is_syncing && d->first[o->jail] < d->first[o->jail + 1])
		loop_arm(d->timer, WRITE_MS, 0);
}

void runner_deny_sync_begin(struct runner_deny *d)
{
	d->is_syncing = true;
	forget_held(d);
	for (size_t i = 0; i < d->n_files; i++)
		hosts_deny_clear(d->files[i].file);
}

void runner_deny_sync_end(struct runner_deny *d)
{
	d->is_syncing = false;
	loop_arm(d->timer, WRITE_MS, 0);
}
