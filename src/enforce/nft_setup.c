/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Bring the kernel's table to what the targets say, in one transaction.
 *
 * All rules are made anew, sets are kept with their elements; so packets see either the
 * old rules or the new ones, and no ban is lifted in between. What was there is read
 * first; the transaction names the generation of the rule set it was planned for, and
 * is planned again when somebody else was faster.
 */

#include "enforce/nft_private.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#define MAX_TRIES 8
#define MAX_SETS 65536

#ifndef ERESTART
#define ERESTART 85
#endif

/* A set that is in the table already. */
struct found_set {
	char name[NFT_SET_NAME_ROOM];
	bool is_stray; /* no target wants it, or it is of another kind */
};

struct plan {
	const char *table;
	struct nft_own_target *targets; /* owned until the plan is carried out */
	size_t n_targets;
	struct found_set *sets;
	size_t n_sets, room;
	bool is_chain_foreign; /* one of that name that is hooked elsewhere */
	size_t n_rules;
};

static void plan_deinit(struct plan *p)
{
	free(p->targets);
	free(p->sets);
}

/* --- what is wanted --- */

static int name_cmp(const void *a, const void *b)
{
	const struct nft_own_target *const *x = a, *const *y = b;

	return strcmp((*x)->t.name, (*y)->t.name);
}

/* Return: index of a target whose name another one has too, or n. */
static size_t find_double(const struct nft_own_target *t, size_t n)
{
	CLEANUP(freep)
	const struct nft_own_target **sorted =
	    calloc(n + 1, sizeof(const struct nft_own_target *));

	if (!sorted)
		return n; /* the kernel refuses the second set */
	for (size_t i = 0; i < n; i++)
		sorted[i] = &t[i];
	qsort(sorted, n, sizeof(const struct nft_own_target *), name_cmp);
	for (size_t i = 1; i < n; i++) {
		if (strcmp(sorted[i - 1]->t.name, sorted[i]->t.name) == 0)
			return (size_t)(sorted[i] - t);
	}
	return n;
}

static int take_targets(
    struct plan *p, const struct nft_target *targets, size_t n, struct err *e)
{
	size_t twice;

	if (n > NFT_MAX_TARGETS)
		return err_set(e, -E2BIG,
		    "%zu firewall targets, at most %d are possible", n,
		    NFT_MAX_TARGETS);
	p->targets = calloc(n ? n : 1, sizeof(*p->targets));
	if (!p->targets)
		return err_set(e, -ENOMEM, "out of memory");
	p->n_targets = n;
	for (size_t i = 0; i < n; i++) {
		if (nft_own_target_init(&p->targets[i], &targets[i]) < 0)
			return err_set(e, -EINVAL,
			    "firewall target '%.*s': name, ports or interface are bad",
			    (int)sizeof(targets[i].name), targets[i].name);
	}
	twice = find_double(p->targets, n);
	if (twice < n)
		return err_set(e, -EINVAL, "firewall target '%s' is there twice",
		    p->targets[twice].t.name);
	return 0;
}

/* --- what is there --- */

static bool is_as_we_make_it(const struct nft_set *s, const struct nlattr *const *a)
{
	return nft_attr_be32(a[NFTA_SET_FLAGS], 0) == NFT_SET_TIMEOUT &&
	       nft_attr_be32(a[NFTA_SET_KEY_TYPE], 0) == nft_set_key_type(s) &&
	       nft_attr_be32(a[NFTA_SET_KEY_LEN], 0) == nft_set_key_bytes(s);
}

/* Mark it as existing for the target that wants it. */
static bool claim(struct plan *p, struct span name, const struct nlattr *const *a)
{
	struct nft_set s = {0};

	for (size_t i = 0; i < p->n_targets; i++) {
		s.target = (uint32_t)i;
		if (!nft_set_parse(&p->targets[i], name, &s))
			continue;
		if (!is_as_we_make_it(&s, a))
			return false;
		*nft_set_mark(&p->targets[i], &s) = true;
		return true;
	}
	return false;
}

static struct found_set *append_set(struct plan *p)
{
	size_t room = p->room ? p->room * 2 : 64;
	struct found_set *grown;

	if (p->n_sets == p->room) {
		if (room > MAX_SETS)
			return NULL;
		grown = realloc(p->sets, room * sizeof(*grown));
		if (!grown)
			return NULL;
		p->sets = grown;
		p->room = room;
	}
	return &p->sets[p->n_sets++];
}

static int on_set(void *ctx, const struct nlmsghdr *nlh)
{
	const struct nlattr *a[NFTA_SET_MAX + 1];
	struct plan *p = ctx;
	struct found_set *f;
	struct span name;

	if (!nft_attrs(nlh, a, NFTA_SET_MAX + 1))
		return -EBADMSG;
	if (!span_eq(nft_attr_str(a[NFTA_SET_TABLE]), span_of(p->table)))
		return 0;
	if (nft_attr_be32(a[NFTA_SET_FLAGS], 0) & NFT_SET_ANONYMOUS)
		return 0; /* goes with its rule */
	name = nft_attr_str(a[NFTA_SET_NAME]);
	if (name.n >= sizeof(f->name))
		return -ENAMETOOLONG; /* not from us: nobody else makes sets here */
	f = append_set(p);
	if (!f)
		return -ENOMEM;
	memcpy(f->name, name.p, name.n);
	f->name[name.n] = '\0';
	f->is_stray = !claim(p, name, a);
	return 0;
}

static void forget_found(struct plan *p)
{
	p->n_sets = 0;
	p->n_rules = 0;
	for (size_t i = 0; i < p->n_targets; i++) {
		nft_set_forget_marks(&p->targets[i]);
	}
}

/* The kernel does not let us wake a table and change its chain in one go. */
static int wake(struct nft *n)
{
	int r;

	nft_batch_begin(&n->batch, nft_link_seq(n->link), 0);
	nft_put_table(&n->batch);
	r = nft_batch_end(&n->batch);
	return r ? r : nft_link_commit(n->link, &n->batch, NULL);
}

static int look_around(struct nft *n, struct plan *p)
{
	struct nft_stand s = {0};
	int r;

	forget_found(p);
	r = nft_table_read(n, &s);
	if (r == 0 && s.is_asleep) {
		r = wake(n);
		return r ? r : -ERESTART; /* it is another generation now */
	}
	r = nft_chain_read(n, &s);
	if (r < 0 && r != -ENOENT)
		return r;
	p->is_chain_foreign = r == 0 && !s.is_chain_ours;
	nft_batch_question(&n->ask, nft_link_seq(n->link), NFT_MSG_GETSET, NLM_F_DUMP);
	nft_batch_put_str(&n->ask, NFTA_SET_TABLE, n->ask.table);
	r = nft_link_ask(n->link, &n->ask, on_set, p);
	return r == -ENOENT ? 0 : r;
}

/* --- the transaction --- */

static void put_set(struct nft *n, struct plan *p, const struct nft_set *s)
{
	struct nft_own_target *t = &p->targets[s->target];
	bool *mark = nft_set_mark(t, s);

	if (!*mark && nft_set_is_on_demand(s))
		return;
	if (!*mark)
		nft_put_set(&n->batch, t, s);
	*mark = true;
	nft_put_rule(&n->batch, &n->place, t, s);
	p->n_rules++;
}

static void put_target(struct nft *n, struct plan *p, uint32_t target)
{
	for (int v6 = 0; v6 <= 1; v6++) {
		uint8_t host = v6 ? 128 : 32;
		struct nft_set s = {target, v6, host, false};
		struct nft_set bulk = {target, v6, host, true};

		/* Single addresses first: most bans are. */
		put_set(n, p, &s);
		put_set(n, p, &bulk);
		while (--s.bits > 0)
			put_set(n, p, &s);
	}
}

static int write_plan(struct nft *n, struct plan *p, uint32_t generation)
{
	struct nft_batch *b = &n->batch;

	nft_batch_begin(b, nft_link_seq(n->link), generation);
	nft_put_table(b);
	if (p->is_chain_foreign) {
		nft_put_flush_chain(b, &n->place);
		nft_put_delete_chain(b, &n->place);
	}
	nft_put_chain(b, &n->place);
	nft_put_flush_chain(b, &n->place);
	for (size_t i = 0; i < p->n_sets; i++) {
		if (p->sets[i].is_stray)
			nft_put_delete_set(b, p->sets[i].name);
	}
	for (size_t i = 0; i < p->n_targets; i++)
		put_target(n, p, (uint32_t)i);
	return nft_batch_end(b);
}

static const char *message_name(unsigned int type)
{
	switch (type & 0xff) {
	case NFT_MSG_NEWTABLE:
		return "the table";
	case NFT_MSG_NEWCHAIN:
		return "the chain";
	case NFT_MSG_DELRULE:
		return "removing old rules";
	case NFT_MSG_DELCHAIN:
		return "removing a foreign chain";
	case NFT_MSG_NEWSET:
		return "a set";
	case NFT_MSG_DELSET:
		return "removing a set (used by somebody's rule?)";
	case NFT_MSG_NEWSETELEM:
		return "ports";
	case NFT_MSG_NEWRULE:
		return "a rule";
	default:
		return "a message";
	}
}

static int explain(
    const struct nft_batch *b, int r, const struct nft_refusal *why, struct err *e)
{
	const struct nlmsghdr *nlh = (const struct nlmsghdr *)(const void *)b->b.p;
	int left = (int)b->b.n;

	if (r == -EPERM)
		return err_set(e, r,
		    "nftables: no right to change the firewall"
		    " (CAP_NET_ADMIN is missing)");
	while (why->seq && mnl_nlmsg_ok(nlh, left)) {
		if (nlh->nlmsg_seq == why->seq && nlh->nlmsg_type > NFNL_MSG_BATCH_END)
			return err_errno(e, r, "nftables: the kernel refuses %s",
			    message_name(nlh->nlmsg_type));
		nlh = mnl_nlmsg_next(nlh, &left);
	}
	return err_errno(e, r, "nftables: cannot set up table %s", b->table);
}

/* Return: as nft_setup(), or -ERESTART or -EINTR: somebody else was faster. */
static int try_setup(struct nft *n, struct plan *p, struct err *e)
{
	struct nft_refusal why = {0};
	uint32_t generation = 0;
	int r;

	r = nft_generation_read(n, &generation);
	if (!r)
		r = look_around(n, p);
	if (!r)
		r = write_plan(n, p, generation);
	if (!r)
		r = nft_link_commit(n->link, &n->batch, &why);
	if (r < 0 && r != -ERESTART && r != -EINTR)
		return explain(&n->batch, r, &why, e);
	return r;
}

int nft_setup(
    struct nft *n, const struct nft_target *targets, size_t n_targets, struct err *e)
{
	CLEANUP(plan_deinit) struct plan p = {.table = n->batch.table};
	int r;

	r = take_targets(&p, targets, n_targets, e);
	if (r < 0)
		return r;
	r = -ERESTART;
	for (int i = 0; i < MAX_TRIES && (r == -ERESTART || r == -EINTR); i++)
		r = try_setup(n, &p, e);
	if (r == -ERESTART || r == -EINTR)
		return err_set(
		    e, -EAGAIN, "nftables: others change the rule set without pause");
	if (r < 0)
		return r;
	free(n->targets);
	n->targets = TAKE(p.targets);
	n->n_targets = n_targets;
	nft_stand_remember(n, p.n_rules);
	return 0;
}

int nft_remove(struct nft *n, struct err *e)
{
	struct nft_refusal why = {0};
	int r;

	nft_batch_begin(&n->batch, nft_link_seq(n->link), 0);
	nft_put_table(&n->batch); /* so that there is one to delete */
	nft_batch_message(&n->batch, NFT_MSG_DELTABLE, 0);
	nft_batch_put_str(&n->batch, NFTA_TABLE_NAME, n->ask.table);
	r = nft_batch_end(&n->batch);
	if (!r)
		r = nft_link_commit(n->link, &n->batch, &why);
	if (r < 0)
		return explain(&n->batch, r, &why, e);
	n->stand = (struct nft_stand){0};
	for (size_t i = 0; i < n->n_targets; i++) {
		nft_set_forget_marks(&n->targets[i]);
	}
	return 0;
}
