/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Does our table stand as we left it? Its handle, its number of chains and sets, and
 * the rules in their order tell: the kernel gives out no table handle twice, so a table
 * that was saved and loaded anew does not go unseen either. No element is read: emptied
 * sets are not noticed.
 */

#include "enforce/nft_private.h"

#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netlink.h>

#include "base/hash.h"

#define MAX_TRIES 8 /* of a listing that somebody changes under way */

static int on_table(void *ctx, const struct nlmsghdr *nlh)
{
	const struct nlattr *a[NFTA_TABLE_MAX + 1];
	struct nft_stand *s = ctx;

	if (!nft_attrs(nlh, a, NFTA_TABLE_MAX + 1))
		return -EBADMSG;
	s->is_asleep = nft_attr_be32(a[NFTA_TABLE_FLAGS], 0) & NFT_TABLE_F_DORMANT;
	s->table_handle = nft_attr_be64(a[NFTA_TABLE_HANDLE], 0);
	s->table_use = nft_attr_be32(a[NFTA_TABLE_USE], 0);
	return 0;
}

struct reading {
	struct nft *nft;
	struct nft_stand *out;
};

static int on_chain(void *ctx, const struct nlmsghdr *nlh)
{
	const struct nlattr *a[NFTA_CHAIN_MAX + 1], *hook[NFTA_HOOK_MAX + 1];
	struct reading *x = ctx;
	struct nft_stand *s = x->out;

	if (!nft_attrs(nlh, a, NFTA_CHAIN_MAX + 1))
		return -EBADMSG;
	nft_attrs_nested(a[NFTA_CHAIN_HOOK], hook, NFTA_HOOK_MAX + 1);
	s->chain_handle = nft_attr_be64(a[NFTA_CHAIN_HANDLE], 0);
	s->is_chain_ours =
	    span_eq(nft_attr_str(a[NFTA_CHAIN_TYPE]), SPAN("filter")) &&
	    nft_attr_be32(a[NFTA_CHAIN_POLICY], NF_DROP) == NF_ACCEPT &&
	    nft_attr_be32(hook[NFTA_HOOK_HOOKNUM], UINT32_MAX) == x->nft->place.hook &&
	    nft_attr_be32(hook[NFTA_HOOK_PRIORITY], 0) ==
		(uint32_t)x->nft->place.priority;
	return 0;
}

static void mix_in(uint64_t *rules, const void *p, size_t n)
{
	uint64_t mix[2] = {*rules, hash_stable(p, n)};

	*rules = hash_stable(mix, sizeof(mix));
}

/* What the rule says, but for the numbers that its counter has reached. */
static void mix_in_expressions(uint64_t *rules, const struct nlattr *exprs)
{
	const struct nlattr *expr = NULL, *a[NFTA_EXPR_MAX + 1];

	while (exprs && (expr = nft_attr_next(exprs, expr))) {
		nft_attrs_nested(expr, a, NFTA_EXPR_MAX + 1);
		if (!span_eq(nft_attr_str(a[NFTA_EXPR_NAME]), SPAN("counter")))
			mix_in(rules, expr, expr->nla_len);
	}
}

static int on_rule(void *ctx, const struct nlmsghdr *nlh)
{
	const struct nlattr *a[NFTA_RULE_MAX + 1];
	struct reading *x = ctx;
	struct nft_stand *s = x->out;
	uint64_t handle;

	if (!nft_attrs(nlh, a, NFTA_RULE_MAX + 1))
		return -EBADMSG;
	if (!span_eq(nft_attr_str(a[NFTA_RULE_CHAIN]), span_of(x->nft->place.chain)))
		return 0; /* an old kernel that lists more than it was asked for */
	handle = nft_attr_be64(a[NFTA_RULE_HANDLE], 0);
	mix_in(&s->rules, &handle, sizeof(handle));
	mix_in_expressions(&s->rules, a[NFTA_RULE_EXPRESSIONS]);
	s->n_rules++;
	return 0;
}

int nft_table_read(struct nft *n, struct nft_stand *out)
{
	nft_batch_question(&n->ask, nft_link_seq(n->link), NFT_MSG_GETTABLE, NLM_F_ACK);
	nft_batch_put_str(&n->ask, NFTA_TABLE_NAME, n->ask.table);
	return nft_link_ask(n->link, &n->ask, on_table, out);
}

int nft_chain_read(struct nft *n, struct nft_stand *out)
{
	struct reading x = {n, out};

	nft_batch_question(&n->ask, nft_link_seq(n->link), NFT_MSG_GETCHAIN, NLM_F_ACK);
	nft_batch_put_str(&n->ask, NFTA_CHAIN_TABLE, n->ask.table);
	nft_batch_put_str(&n->ask, NFTA_CHAIN_NAME, n->place.chain);
	return nft_link_ask(n->link, &n->ask, on_chain, &x);
}

static int ask_rules(struct nft *n, struct nft_stand *out)
{
	struct reading x = {n, out};
	int r = -EINTR;

	for (int i = 0; i < MAX_TRIES && r == -EINTR; i++) {
		out->rules = 0;
		out->n_rules = 0;
		nft_batch_question(
		    &n->ask, nft_link_seq(n->link), NFT_MSG_GETRULE, NLM_F_DUMP);
		nft_batch_put_str(&n->ask, NFTA_RULE_TABLE, n->ask.table);
		nft_batch_put_str(&n->ask, NFTA_RULE_CHAIN, n->place.chain);
		r = nft_link_ask(n->link, &n->ask, on_rule, &x);
	}
	return r;
}

int nft_stand_read(struct nft *n, struct nft_stand *out)
{
	struct nft_stand s = {0};
	int r;

	r = nft_table_read(n, &s);
	if (!r)
		r = nft_chain_read(n, &s);
	if (!r)
		r = ask_rules(n, &s);
	if (!r)
		*out = s;
	return r;
}

void nft_stand_remember(struct nft *n, size_t n_rules)
{
	n->stand = (struct nft_stand){0};
	if (nft_stand_read(n, &n->stand) < 0 || n->stand.n_rules != n_rules)
		n->stand.table_handle = 0;
}

int nft_intact(struct nft *n)
{
	struct nft_stand now;
	int r;

	if (!n->stand.table_handle)
		return 0; /* never set up */
	r = nft_stand_read(n, &now);
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return r;
	return !now.is_asleep && now.is_chain_ours &&
	       now.table_handle == n->stand.table_handle &&
	       now.table_use == n->stand.table_use &&
	       now.chain_handle == n->stand.chain_handle &&
	       now.n_rules == n->stand.n_rules && now.rules == n->stand.rules;
}

static int on_generation(void *ctx, const struct nlmsghdr *nlh)
{
	const struct nlattr *a[NFTA_GEN_MAX + 1];
	uint32_t *out = ctx;

	if (!nft_attrs(nlh, a, NFTA_GEN_MAX + 1))
		return -EBADMSG;
	*out = nft_attr_be32(a[NFTA_GEN_ID], 0);
	return 0;
}

int nft_generation_read(struct nft *n, uint32_t *out)
{
	nft_batch_question(&n->ask, nft_link_seq(n->link), NFT_MSG_GETGEN, NLM_F_ACK);
	return nft_link_ask(n->link, &n->ask, on_generation, out);
}

uint32_t nft_generation(struct nft *n)
{
	uint32_t generation = 0;

	return nft_generation_read(n, &generation) < 0 ? 0 : generation;
}
