/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "enforcer/enforcer_tables.h"

#include <errno.h>

#include "enforcer/enforcer_xdp.h"

#define XDP_TABLE UINT32_MAX /* no table: at the interfaces */

struct table {
	struct nft_place place;
	struct nft *nft;   /* NULL: not to be had (yet) */
	bool needs_repair; /* it may stand, but not as it should */
	bool is_stale;     /* what was lifted while it was not to be had may be there */
	struct nft_target *targets;
	size_t n_targets;
	uint32_t generation; /* of the kernel's rule set when we last looked */
};

/* Which target of which table a number stands for. */
struct where {
	uint32_t table, target;
};

struct enforcer_tables {
	struct table tables[NFT_MAX_TABLES];
	size_t n_tables;
	struct enforcer_xdp *xdp;
	struct where *where;
	uint32_t *first; /* by jail; one more at the end */
	uint32_t n_jails;
	bool is_dry;
	bool is_swept; /* of what an earlier process left */
};

/* What setting up needs to know of the jails. */
struct layout {
	struct table tables[NFT_MAX_TABLES];
	size_t n_tables;
	struct nft_target *xdp;
	size_t n_xdp;
	struct where *where;
	uint32_t *first;
};

struct enforcer_tables *enforcer_tables_new(const char *xdp_dir)
{
	struct enforcer_tables *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->xdp = enforcer_xdp_new(xdp_dir);
	return t->xdp ? t : enforcer_tables_free(t);
}

struct enforcer_tables *enforcer_tables_free(struct enforcer_tables *t)
{
	if (!t)
		return NULL;
	for (size_t i = 0; i < t->n_tables; i++) {
		nft_close(t->tables[i].nft);
		free(t->tables[i].targets);
	}
	enforcer_xdp_free(t->xdp);
	free(t->where);
	free(t->first);
	free(t);
	return NULL;
}

static void layout_deinit(struct layout *l)
{
	for (size_t i = 0; i < l->n_tables; i++)
		free(l->tables[i].targets);
	free(l->xdp);
	free(l->where);
	free(l->first);
}

/* Return: index, or negative errno. */
static int table_of(struct layout *l, const struct nft_place *p)
{
	for (size_t i = 0; i < l->n_tables; i++) {
		if (nft_place_eq(&l->tables[i].place, p))
			return (int)i;
		/* One table, two chains: the first one's is taken. */
		if (!strcmp(l->tables[i].place.table, p->table))
			return (int)i;
	}
	if (l->n_tables == NFT_MAX_TABLES)
		return -E2BIG;
	l->tables[l->n_tables].place = *p;
	l->tables[l->n_tables].needs_repair = true;
	return (int)l->n_tables++;
}

static int add_xdp(struct layout *l, const struct nft_target *t, struct where *out)
{
	struct nft_target *more = realloc(l->xdp, (l->n_xdp + 1) * sizeof(*more));

	if (!more)
		return -ENOMEM;
	l->xdp = more;
	more[l->n_xdp] = *t;
	*out = (struct where){XDP_TABLE, (uint32_t)l->n_xdp++};
	return 0;
}

static int add_target(struct layout *l, const struct nft_target *t, struct where *out)
{
	if (t->is_xdp)
		return add_xdp(l, t, out);
	int at = table_of(l, &t->place);

	if (at < 0)
		return at;
	struct table *table = &l->tables[at];
	struct nft_target *more =
	    realloc(table->targets, (table->n_targets + 1) * sizeof(*more));

	if (!more)
		return -ENOMEM;
	table->targets = more;
	more[table->n_targets] = *t;
	*out = (struct where){(uint32_t)at, (uint32_t)table->n_targets++};
	return 0;
}

static int lay_out(struct layout *l, const struct setup *s)
{
	uint32_t n = 0;
	int r = 0;

	for (uint32_t i = 0; i < s->n_jails; i++)
		n += s->jails[i].n_targets;
	l->where = calloc(n + 1, sizeof(*l->where));
	l->first = calloc(s->n_jails + 1, sizeof(*l->first));
	if (!l->where || !l->first)
		return -ENOMEM;
	n = 0;
	for (uint32_t i = 0; i < s->n_jails && !r; i++) {
		l->first[i] = n;
		for (uint32_t k = 0; k < s->jails[i].n_targets && !r; k++)
			r = add_target(l, &s->jails[i].targets[k], &l->where[n++]);
	}
	l->first[s->n_jails] = n;
	return r;
}

/* Open links go to the tables that stay; the others are taken out of the kernel. */
static void take_over(struct enforcer_tables *t, struct layout *l)
{
	struct err e = {""};

	for (size_t i = 0; i < t->n_tables; i++) {
		struct table *old = &t->tables[i];

		for (size_t k = 0; k < l->n_tables && old->nft; k++) {
			if (nft_place_eq(&old->place, &l->tables[k].place))
				l->tables[k].nft = TAKE(old->nft);
		}
		for (size_t k = 0; k < l->n_tables && old->is_stale; k++)
			l->tables[k].is_stale |=
			    nft_place_eq(&old->place, &l->tables[k].place);
		if (old->nft)
			(void)nft_remove(old->nft, &e);
		nft_close(old->nft);
		free(old->targets);
	}
	free(t->where);
	free(t->first);
	memcpy(t->tables, l->tables, sizeof(t->tables));
	t->n_tables = l->n_tables;
	t->where = TAKE(l->where);
	t->first = TAKE(l->first);
	l->n_tables = 0;
}

/* One that was killed may have left a table that nothing of this set-up uses. */
static void remove_abandoned(struct enforcer_tables *t)
{
	struct err e = {""};

	if (t->is_swept)
		return;
	t->is_swept = true;
	for (size_t i = 0; i < t->n_tables; i++) {
		if (nft_place_eq(&t->tables[i].place, &nft_own_place))
			return;
	}
	CLEANUP(nft_closep) struct nft *left = nft_open(&nft_own_place, &e);

	if (!left || nft_remove(left, &e) < 0)
		log_err(
		    NULL, "what an earlier bandogd left may still drop: %s", e.text);
}

int enforcer_tables_setup(
    struct enforcer_tables *t, const struct setup *s, bool is_dry, struct err *e)
{
	CLEANUP(layout_deinit) struct layout l = {.n_tables = 0};
	int r = lay_out(&l, s);

	if (!r)
		r = enforcer_xdp_setup(t->xdp, l.xdp, l.n_xdp);
	if (r < 0) {
		t->n_jails = 0; /* what we have is of other jails */
		return err_set(e, r,
		    r == -E2BIG ? "actions name more than 16 tables" : "out of memory");
	}
	take_over(t, &l);
	t->n_jails = s->n_jails;
	t->is_dry = is_dry;
	bool unused;

	if (!is_dry) {
		remove_abandoned(t);
		return enforcer_tables_repair(t, &unused, e);
	}
	/* By a reload: what stands there now is ours, and would go on dropping. */
	r = enforcer_tables_remove(t, e);
	for (size_t i = 0; i < t->n_tables; i++)
		t->tables[i].nft = nft_close(t->tables[i].nft);
	return r;
}

/* Return: 0, or negative errno with @e. */
static int table_repair(struct table *b, struct err *e)
{
	if (!b->nft)
		b->nft = nft_open(&b->place, e);
	if (!b->nft)
		return -EIO;
	/* All bans are asked for again behind a repair. */
	int r = b->is_stale ? nft_remove(b->nft, e) : 0;

	b->is_stale &= r < 0;
	if (!r)
		r = nft_setup(b->nft, b->targets, b->n_targets, e);
	if (r < 0)
		b->nft = nft_close(b->nft);
	b->needs_repair = r < 0;
	return r;
}

/* Our own set-up is no surprise. Bans of ours since then cost one look: noted after
 * each, they would hide what others have changed before. */
static void note_generations(struct enforcer_tables *t)
{
	for (size_t i = 0; i < t->n_tables; i++) {
		if (t->tables[i].nft)
			t->tables[i].generation = nft_generation(t->tables[i].nft);
	}
}

int enforcer_tables_repair(struct enforcer_tables *t, bool *out_any, struct err *e)
{
	bool any = false;
	int r = 0;

	for (size_t i = 0; i < t->n_tables; i++) {
		struct table *b = &t->tables[i];

		if (b->nft && !b->needs_repair)
			continue;
		int one = table_repair(b, e);

		any |= one == 0;
		if (one < 0)
			r = one;
	}
	enforcer_xdp_repair(t->xdp, &any);
	note_generations(t);
	*out_any = any;
	return r;
}

static size_t n_standing(const struct enforcer_tables *t)
{
	size_t n = 0;

	for (size_t i = 0; i < t->n_tables; i++)
		n += t->tables[i].nft != NULL;
	return n;
}

bool enforcer_tables_stand(const struct enforcer_tables *t)
{
	return !t->is_dry && n_standing(t) == t->n_tables &&
	       enforcer_xdp_stands(t->xdp);
}

bool enforcer_tables_any(const struct enforcer_tables *t)
{
	return n_standing(t) > 0 || enforcer_xdp_any(t->xdp);
}

bool enforcer_tables_changed(struct enforcer_tables *t)
{
	bool has_changed = false;

	enforcer_xdp_check(t->xdp);
	for (size_t i = 0; i < t->n_tables; i++) {
		struct table *b = &t->tables[i];
		uint32_t now = b->nft ? nft_generation(b->nft) : 0;

		if (!b->nft || (now && now == b->generation))
			continue;
		b->generation = now;
		if (nft_intact(b->nft) == 0)
			has_changed = b->needs_repair = true;
	}
	return has_changed;
}

size_t enforcer_tables_ports(
    const struct enforcer_tables *t, uint32_t out[NFT_MAX_TABLES])
{
	size_t n = 0;

	for (size_t i = 0; i < t->n_tables; i++) {
		if (t->tables[i].nft)
			out[n++] = nft_port(t->tables[i].nft);
	}
	return n;
}

static const struct table *find(const struct enforcer_tables *t, struct span name)
{
	for (size_t i = 0; i < t->n_tables; i++) {
		if (span_eq(name, span_of(t->tables[i].place.table)))
			return &t->tables[i];
	}
	return NULL;
}

bool enforcer_tables_has(const struct enforcer_tables *t, struct span table)
{
	return find(t, table) != NULL;
}

bool enforcer_tables_net(const struct enforcer_tables *t, struct span table,
    struct span set, struct span key, struct net *out)
{
	const struct table *b = find(t, table);

	return b && b->nft && nft_net_of_key(b->nft, set, key, out) == 0;
}

uint32_t enforcer_tables_first(const struct enforcer_tables *t, uint32_t jail)
{
	return jail < t->n_jails ? t->first[jail] : 0;
}

uint32_t enforcer_tables_n(const struct enforcer_tables *t, uint32_t jail)
{
	return jail < t->n_jails ? t->first[jail + 1] - t->first[jail] : 0;
}

/* The changes of one table, with numbers as it knows them. */
struct part {
	const struct enforcer_tables *all;
	struct nft_change *changes;
	size_t *index; /* in the whole list */
	size_t n;
	int *errors;
};

static void on_failed(void *ctx, const struct nft_change *c, int error)
{
	struct part *p = ctx;

	p->errors[p->index[c - p->changes]] = error;
}

static void pick(
    struct part *p, uint32_t table, const struct nft_change *changes, size_t n)
{
	p->n = 0;
	for (size_t i = 0; i < n; i++) {
		const struct where *w = &p->all->where[changes[i].target];

		if (w->table != table)
			continue;
		p->changes[p->n] = changes[i];
		p->changes[p->n].target = w->target;
		p->index[p->n++] = i;
	}
}

/* The kernel's refusals, change by change. */
static void apply_xdp(struct part *p, const struct nft_change *changes, size_t n)
{
	CLEANUP(freep) int *errors = NULL;

	pick(p, XDP_TABLE, changes, n);
	if (p->n)
		errors = calloc(p->n, sizeof(*errors));
	if (errors)
		enforcer_xdp_apply(p->all->xdp, p->changes, p->n, errors);
	for (size_t i = 0; i < p->n; i++)
		p->errors[p->index[i]] = errors ? errors[i] : -ENOMEM;
}

static bool any_removed(const struct part *p)
{
	for (size_t i = 0; i < p->n; i++) {
		if (!p->changes[i].add)
			return true;
	}
	return false;
}

int enforcer_tables_apply(struct enforcer_tables *t, const struct nft_change *changes,
    size_t n, int *errors, struct err *e)
{
	CLEANUP(freep) struct nft_change *own = calloc(n + 1, sizeof(*own));
	CLEANUP(freep) size_t *index = calloc(n + 1, sizeof(*index));
	struct part p = {.all = t, .changes = own, .index = index, .errors = errors};
	int r = 0;

	if (!own || !index)
		return err_set(e, -ENOMEM, "out of memory");
	apply_xdp(&p, changes, n);
	for (uint32_t i = 0; i < t->n_tables; i++) {
		pick(&p, i, changes, n);
		if (!t->tables[i].nft) {
			t->tables[i].is_stale |= any_removed(&p);
			continue;
		}
		int one =
		    p.n ? nft_apply(t->tables[i].nft, p.changes, p.n, on_failed, &p, e)
			: 0;

		t->tables[i].needs_repair |= one == -ENOENT;
		if (one && r != -ENOENT)
			r = one;
	}
	return r;
}

int enforcer_tables_counter(struct enforcer_tables *t, uint32_t target,
    const struct net *net, uint64_t *packets, uint64_t *bytes)
{
	const struct where *w = &t->where[target];

	if (w->table == XDP_TABLE)
		return enforcer_xdp_counter(t->xdp, w->target, net, packets, bytes);
	struct nft *nft = t->tables[w->table].nft;

	return nft ? nft_counter(nft, w->target, net, packets, bytes) : -ENOENT;
}

/* The targets of one table that are not the jail's. */
static size_t pick_others(const struct enforcer_tables *t, uint32_t table,
    uint32_t jail, struct nft_target *out)
{
	uint32_t first = jail == UINT32_MAX ? 0 : enforcer_tables_first(t, jail);
	uint32_t end = jail == UINT32_MAX ? t->first[t->n_jails]
					  : first + enforcer_tables_n(t, jail);
	size_t n = 0;

	for (uint32_t i = 0; i < t->first[t->n_jails]; i++) {
		const struct where *w = &t->where[i];

		if (w->table == table && (i < first || i >= end))
			out[n++] = t->tables[table].targets[w->target];
	}
	return n;
}

static int table_empty(
    const struct enforcer_tables *t, uint32_t table, uint32_t jail, struct err *e)
{
	const struct table *b = &t->tables[table];
	CLEANUP(freep)
	struct nft_target *others = calloc(b->n_targets + 1, sizeof(*others));
	struct err unused = {""};

	if (!others)
		return err_set(e, -ENOMEM, "out of memory");
	size_t n = pick_others(t, table, jail, others);

	if (n == b->n_targets)
		return 0;
	int r = nft_setup(b->nft, others, n, e);

	if (!r)
		r = nft_setup(b->nft, b->targets, b->n_targets, e);
	/* Rather nobody's bans than those that were lifted: the repair that follows
	 * asks for the others. */
	if (r < 0)
		(void)nft_remove(b->nft, &unused);
	return r;
}

int enforcer_tables_empty(struct enforcer_tables *t, uint32_t jail, struct err *e)
{
	int r = 0;

	for (uint32_t i = 0; i < t->n_tables; i++) {
		if (!t->tables[i].nft) {
			t->tables[i].is_stale = true;
			continue;
		}
		int one = table_empty(t, i, jail, e);

		t->tables[i].needs_repair |= one < 0;
		if (one < 0)
			r = one;
	}
	note_generations(t);
	return r;
}

int enforcer_tables_remove(struct enforcer_tables *t, struct err *e)
{
	int r = enforcer_xdp_remove(t->xdp);

	if (r < 0)
		err_errno(e, r, "XDP");
	for (size_t i = 0; i < t->n_tables; i++) {
		int one = t->tables[i].nft ? nft_remove(t->tables[i].nft, e) : 0;

		if (one < 0)
			r = one;
	}
	return r;
}
