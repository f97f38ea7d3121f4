/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ignore - one netset per jail that has a list, one for our own addresses
 */
#include "decide/ignore.h"

#include <errno.h>

#include "base/netset.h"

struct ignore_jail {
	struct netset *set;  /* NULL: empty list */
	struct netset *more; /* NULL: none */
	bool ignoreself;
};

struct ignore {
	struct netset *own;
	size_t n_jails;
	struct ignore_jail jails[];
};

static int fill(struct netset **out, const struct net *nets, size_t n)
{
	CLEANUP(netset_freep) struct netset *s = netset_new();
	int r = s ? 0 : -ENOMEM;

	for (size_t i = 0; !r && i < n; i++)
		r = netset_add(s, &nets[i]);
	if (!r)
		*out = TAKE(s);
	return r;
}

struct ignore *ignore_new(const struct engine_jail *jails, size_t n_jails)
{
	CLEANUP(ignore_freep)
	struct ignore *g = calloc(1, sizeof(*g) + n_jails * sizeof(g->jails[0]));

	if (!g || fill(&g->own, NULL, 0) < 0)
		return NULL;
	g->n_jails = n_jails;
	for (size_t i = 0; i < n_jails; i++) {
		const struct engine_jail *j = &jails[i];

		g->jails[i].ignoreself = j->ignoreself;
		if (j->n_ignore && fill(&g->jails[i].set, j->ignore, j->n_ignore) < 0)
			return NULL;
	}
	return TAKE(g);
}

struct ignore *ignore_free(struct ignore *g)
{
	if (!g)
		return NULL;
	for (size_t i = 0; i < g->n_jails; i++) {
		netset_free(g->jails[i].set);
		netset_free(g->jails[i].more);
	}
	netset_free(g->own);
	free(g);
	return NULL;
}

int ignore_set_own(struct ignore *g, const struct net *own, size_t n_own)
{
	struct netset *s = NULL;
	int r = fill(&s, own, n_own);

	if (r < 0)
		return r;
	netset_free(g->own);
	g->own = s;
	return 0;
}

int ignore_set_more(struct ignore *g, uint32_t jail, const struct net *nets, size_t n)
{
	struct netset *s = NULL;
	int r = n ? fill(&s, nets, n) : 0;

	if (r < 0)
		return r;
	netset_free(g->jails[jail].more);
	g->jails[jail].more = s;
	return 0;
}

void ignore_take_own(struct ignore *g, struct ignore *from)
{
	netset_free(g->own);
	g->own = TAKE(from->own);
}

static bool find_in(const struct netset *s, const struct net *n, struct net *out_by)
{
	if (netset_find(s, n, out_by))
		return true;
	if (net_is_host(n) || !netset_overlaps(s, n))
		return false;
	if (out_by)
		*out_by = *n;
	return true;
}

HOT bool ignore_find(
    const struct ignore *g, uint32_t jail, const struct net *n, struct net *out_by)
{
	const struct ignore_jail *j = &g->jails[jail];

	if (j->set && find_in(j->set, n, out_by))
		return true;
	if (j->more && find_in(j->more, n, out_by))
		return true;
	return j->ignoreself && find_in(g->own, n, out_by);
}
