/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Carry out bans: many changes in few transactions, errors traced to the change.
 *
 * Consecutive changes of one kind to one set form a run: one message (on old kernels up
 * to three) with many elements. Each form below is idempotent and never fails because
 * an element is there or is not; so a transaction whose answer got lost may be sent
 * again, and the 8-16 ms that the kernel waits when it takes back a transaction are
 * rare.
 *
 *   kernel   add                    remove
 *   6.12     new (sets the time)    destroy
 *   6.3      destroy, new           destroy
 *   older    new, delete, new       new, delete
 *
 * "new" does nothing for an element that is there, before 6.12. In the older forms an
 * address may stand in a run once only: the second "new" of one transaction were lost.
 */

#include "enforce/nft_private.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#define MAX_RUNS 8192
#define RUN_MAX_ELEMS 1024 /* 52 bytes each at most: fits one attribute */
#define RUN_MAX_ELEMS_ONCE 64
#define RUN_MAX_BYTES (2 * 65536) /* with a set and a rule made on demand */
#define MAX_FRESH 16
#define MAX_FULL 64
#define MAX_REFUSALS 64
#define MAX_RACES 3

/* A timeout below one tick of the kernel's clock would be zero there: without end. */
#define TIMEOUT_MIN_MS 100
#define TIMEOUT_MAX_MS (INT64_C(100) * 365 * 24 * 3600 * 1000)

struct run {
	size_t first; /* change */
	size_t n;
	uint32_t first_seq, last_seq;
};

struct work {
	struct nft *n;
	const struct nft_change *changes;
	size_t n_changes;
	void (*failed)(void *ctx, const struct nft_change *c, int err);
	void *ctx;

	struct run *runs; /* of the transaction being written */
	size_t n_runs;
	struct nft_set fresh[MAX_FRESH]; /* sets it makes */
	size_t n_fresh;
	bool was_intact; /* before it made them */

	struct nft_set full[MAX_FULL]; /* sets that took no more */
	size_t n_full;
	unsigned int n_refusals, n_races;
};

static void work_deinit(struct work *w)
{
	free(w->runs);
}

static bool is_same_set(const struct nft_set *a, const struct nft_set *b)
{
	return a->target == b->target && a->is_v6 == b->is_v6 && a->bits == b->bits &&
	       a->is_bulk == b->is_bulk;
}

static bool is_among(const struct nft_set *s, const struct nft_set *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (is_same_set(s, &list[i]))
			return true;
	}
	return false;
}

static struct nft_set set_of_change(const struct nft_change *c)
{
	struct nft_set s = nft_set_of(c->target, &c->net);

	s.is_bulk = c->add && c->is_bulk && !nft_set_is_net(&s);
	return s;
}

/* What needs no kernel to be refused. Return: 0 or negative errno. */
static int refuse(const struct work *w, const struct nft_change *c)
{
	struct nft_set s = set_of_change(c);

	if (c->target >= w->n->n_targets || s.bits == 0 ||
	    (c->add && c->timeout_ms < 0))
		return -EINVAL;
	if (c->add && is_among(&s, w->full, w->n_full))
		return -ENFILE;
	return 0;
}

static void report(struct work *w, size_t i, int r)
{
	if (w->failed)
		w->failed(w->ctx, &w->changes[i], r);
}

/* --- writing --- */

static bool is_in_run(const struct work *w, size_t first, size_t i)
{
	for (size_t k = first; k < i; k++) {
		if (net_eq(&w->changes[k].net, &w->changes[i].net))
			return true;
	}
	return false;
}

/* How many changes from @first on go into one run; 0: this one must be refused. */
static size_t run_length(const struct work *w, size_t first, size_t end)
{
	bool may_repeat = w->n->abilities & NFT_CAN_UPDATE;
	size_t max = may_repeat ? RUN_MAX_ELEMS : RUN_MAX_ELEMS_ONCE;
	const struct nft_change *c = &w->changes[first];
	struct nft_set s = set_of_change(c), other;
	size_t i;

	if (refuse(w, c))
		return 0;
	for (i = first + 1; i < end && i - first < max; i++) {
		other = set_of_change(&w->changes[i]);
		if (w->changes[i].add != c->add || !is_same_set(&s, &other) ||
		    refuse(w, &w->changes[i]))
			break;
		if (!may_repeat && is_in_run(w, first, i))
			break;
	}
	return i - first;
}

static uint64_t timeout_of(const struct nft_change *c)
{
	if (c->timeout_ms == 0 || c->timeout_ms > TIMEOUT_MAX_MS)
		return NFT_NO_TIMEOUT;
	return (
	    uint64_t)(c->timeout_ms < TIMEOUT_MIN_MS ? TIMEOUT_MIN_MS : c->timeout_ms);
}

static void put_message(
    struct work *w, const struct run *run, const char *set, unsigned int type)
{
	bool can_update = w->n->abilities & NFT_CAN_UPDATE;
	struct nft_batch *b = &w->n->batch;
	size_t list = nft_put_elems(b, type, b->table, set);
	const uint8_t *key;
	size_t n_bytes;

	for (size_t i = run->first; i < run->first + run->n; i++) {
		const struct nft_change *c = &w->changes[i];

		key = nft_set_key(&c->net, &n_bytes);
		nft_put_elem(b, key, n_bytes,
		    c->add && type == NFT_MSG_NEWSETELEM ? timeout_of(c)
							 : NFT_NO_TIMEOUT,
		    can_update);
	}
	nft_put_elems_end(b, list);
}

static void put_run_messages(struct work *w, const struct run *run, const char *set)
{
	bool is_add = w->changes[run->first].add;
	unsigned int can = w->n->abilities;

	if (can & NFT_CAN_DESTROY) {
		if (!is_add || !(can & NFT_CAN_UPDATE))
			put_message(w, run, set, NFT_MSG_DESTROYSETELEM);
	} else {
		put_message(w, run, set, NFT_MSG_NEWSETELEM);
		put_message(w, run, set, NFT_MSG_DELSETELEM);
	}
	if (is_add)
		put_message(w, run, set, NFT_MSG_NEWSETELEM);
}

/* Make the set of a prefix length that is banned for the first time, and its rule. */
static void put_fresh(struct work *w, const struct nft_set *s)
{
	const struct nft_own_target *t = &w->n->targets[s->target];

	if (w->n_fresh == 0)
		w->was_intact = nft_intact(w->n) == 1;
	w->fresh[w->n_fresh++] = *s;
	nft_put_set(&w->n->batch, t, s);
	nft_put_rule(&w->n->batch, &w->n->place, t, s);
}

/* Nobody remembers which of the two sets an address is in. */
static void put_bulk_removal(
    struct work *w, const struct run *run, const struct nft_set *of)
{
	struct nft_own_target *t = &w->n->targets[of->target];
	struct nft_set s = *of;
	char name[NFT_SET_NAME_ROOM];

	s.is_bulk = true;
	if (w->changes[run->first].add || nft_set_is_net(&s) ||
	    (!*nft_set_mark(t, &s) && !is_among(&s, w->fresh, w->n_fresh)))
		return;
	nft_set_name(t, &s, name);
	put_run_messages(w, run, name);
}

static void put_run(struct work *w, size_t first, size_t n)
{
	struct nft_set s = set_of_change(&w->changes[first]);
	struct nft_own_target *t = &w->n->targets[s.target];
	struct run *run = &w->runs[w->n_runs];
	char name[NFT_SET_NAME_ROOM];

	if (nft_set_is_on_demand(&s) && !*nft_set_mark(t, &s) &&
	    !is_among(&s, w->fresh, w->n_fresh)) {
		if (!w->changes[first].add)
			return; /* no such set, so nothing to remove */
		put_fresh(w, &s);
	}
	nft_set_name(t, &s, name);
	*run = (struct run){.first = first, .n = n};
	run->first_seq = w->n->batch.last_seq + 1;
	put_run_messages(w, run, name);
	put_bulk_removal(w, run, &s);
	run->last_seq = w->n->batch.last_seq;
	w->n_runs++;
}

static bool has_room(const struct work *w)
{
	if (w->n_runs == 0)
		return true;
	return w->n_runs < MAX_RUNS && w->n_fresh < MAX_FRESH &&
	       w->n->batch.b.n + RUN_MAX_BYTES <= nft_link_send_max_bytes(w->n->link);
}

/* Write one transaction of the changes from @first on. Return: where it stopped. */
static size_t write_some(struct work *w, size_t first, size_t end)
{
	size_t n = 1;

	w->n_runs = 0;
	w->n_fresh = 0;
	nft_batch_begin(&w->n->batch, nft_link_seq(w->n->link), 0);
	while (first < end && n > 0 && has_room(w)) {
		n = run_length(w, first, end);
		if (n > 0)
			put_run(w, first, n);
		first += n;
	}
	return first;
}

static void learn_fresh(struct work *w)
{
	struct nft *n = w->n;

	for (size_t i = 0; i < w->n_fresh; i++)
		*nft_set_mark(&n->targets[w->fresh[i].target], &w->fresh[i]) = true;
	/* Had somebody meddled before, the old memory keeps saying so. */
	if (w->n_fresh > 0 && w->was_intact)
		nft_stand_remember(n, n->stand.n_rules + w->n_fresh);
}

static int commit(struct work *w, struct nft_refusal *why)
{
	int r;

	if (w->n_runs == 0)
		return 0; /* only what was absent anyway */
	r = nft_batch_end(&w->n->batch);
	if (!r)
		r = nft_link_commit(w->n->link, &w->n->batch, why);
	if (!r)
		learn_fresh(w);
	return r;
}

/* --- finding the culprit --- */

#define UNKNOWN SIZE_MAX

/* Which element of the message holds the byte at @offset? */
static size_t elem_at(const struct nlmsghdr *nlh, uint32_t offset)
{
	const struct nlattr *a[NFTA_SET_ELEM_LIST_MAX + 1], *elem = NULL;
	const char *at = (const char *)nlh + offset;
	size_t i = 0;

	if (!nft_attrs(nlh, a, NFTA_SET_ELEM_LIST_MAX + 1) ||
	    !a[NFTA_SET_ELEM_LIST_ELEMENTS])
		return UNKNOWN;
	while ((elem = nft_attr_next(a[NFTA_SET_ELEM_LIST_ELEMENTS], elem))) {
		const char *p = (const char *)elem;

		if (at >= p && at < p + elem->nla_len)
			return i;
		i++;
	}
	return UNKNOWN;
}

static const struct run *find_run(const struct work *w, uint32_t seq)
{
	for (size_t i = 0; i < w->n_runs; i++) {
		if (seq >= w->runs[i].first_seq && seq <= w->runs[i].last_seq)
			return &w->runs[i];
	}
	return NULL;
}

/* Return: index of the change that was refused, or UNKNOWN. */
static size_t find_culprit(const struct work *w, const struct nft_refusal *why)
{
	const struct buf *b = &w->n->batch.b;
	const struct nlmsghdr *nlh = (const struct nlmsghdr *)(const void *)b->p;
	const struct run *run = why->seq ? find_run(w, why->seq) : NULL;
	int left = (int)b->n;
	size_t i = UNKNOWN;

	if (!run || !why->offset_bytes)
		return UNKNOWN;
	while (mnl_nlmsg_ok(nlh, left) && nlh->nlmsg_seq != why->seq)
		nlh = mnl_nlmsg_next(nlh, &left);
	if (mnl_nlmsg_ok(nlh, left))
		i = elem_at(nlh, why->offset_bytes);
	return i < run->n ? run->first + i : UNKNOWN;
}

/* Failures that one change causes, so that the others are worth a try; the last two
 * mean that less at once may do. */
static bool is_about_one(int r)
{
	switch (r) {
	case -ENFILE:
	case -ENOSPC:
	case -EEXIST:
	case -ENOENT:
	case -EINVAL:
	case -ERANGE:
	case -EBUSY:
	case -EOPNOTSUPP:
	case -EMSGSIZE:
	case -ENOBUFS:
		return true;
	default:
		return false;
	}
}

/* --- the work --- */

struct range {
	size_t next;    /* the first change that is not done */
	size_t end;     /* up to where to try at once */
	size_t refused; /* this one is known to fail, with this errno; or UNKNOWN */
	int error;
};

static void skip(struct work *w, struct range *g, int r)
{
	const struct nft_change *c = &w->changes[g->next];
	struct nft_set s = set_of_change(c);

	if (r == -ENFILE && !is_among(&s, w->full, w->n_full) && w->n_full < MAX_FULL)
		w->full[w->n_full++] = s;
	if (c->add || r != -ENOENT)
		report(w, g->next, r);
	g->next++;
	g->end = w->n_changes;
	g->refused = UNKNOWN;
}

/* A transaction of the changes up to @stop was refused: what next? Return: 0, or the
 * negative errno to give up with. */
static int narrow(
    struct work *w, struct range *g, size_t stop, int r, const struct nft_refusal *why)
{
	size_t culprit = find_culprit(w, why);

	if (r == -ENOENT && culprit == UNKNOWN)
		return r; /* not an element: table or set are gone */
	if (!is_about_one(r) || ++w->n_refusals > MAX_REFUSALS)
		return r;
	if (r == -ENOENT && ++w->n_races <= MAX_RACES)
		return 0; /* it ended between "new" and "delete": try again */
	if (stop - g->next == 1)
		culprit = g->next;
	if (culprit == UNKNOWN) {
		g->end = g->next + (stop - g->next) / 2;
		return 0;
	}
	g->refused = culprit;
	g->error = r;
	g->end = culprit > g->next ? culprit : g->next + 1;
	return 0;
}

static int apply_all(struct work *w)
{
	struct range g = {0, w->n_changes, UNKNOWN, 0};
	struct nft_refusal why;
	size_t stop;
	int r;

	while (g.next < w->n_changes) {
		r = g.next == g.refused ? g.error : refuse(w, &w->changes[g.next]);
		if (r < 0) {
			skip(w, &g, r);
			continue;
		}
		why = (struct nft_refusal){0};
		stop = write_some(w, g.next, g.end);
		r = commit(w, &why);
		if (r < 0)
			r = narrow(w, &g, stop, r, &why);
		else
			g.next = stop;
		if (r < 0)
			return r;
		if (g.next == g.end)
			g.end = w->n_changes;
	}
	return 0;
}

int nft_apply(struct nft *n, const struct nft_change *changes, size_t n_changes,
    void (*failed)(void *ctx, const struct nft_change *c, int err), void *ctx,
    struct err *e)
{
	CLEANUP(work_deinit)
	struct work w = {
	    .n = n,
	    .changes = changes,
	    .n_changes = n_changes,
	    .failed = failed,
	    .ctx = ctx,
	};
	int r;

	if (n_changes == 0)
		return 0;
	w.runs = calloc(n_changes < MAX_RUNS ? n_changes : MAX_RUNS, sizeof(*w.runs));
	if (!w.runs)
		return err_set(e, -ENOMEM, "out of memory");
	r = apply_all(&w);
	if (r == -ENOENT)
		return err_set(
		    e, r, "nftables: table %s or a set of it is gone", n->batch.table);
	if (r < 0)
		return err_errno(e, r, "nftables refuses changes");
	return 0;
}
