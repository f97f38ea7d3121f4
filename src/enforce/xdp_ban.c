/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bans, in the two maps that hold them. We alone write there, so what is read stays
 * true until we write; but for the counts, of which the packets of the microsecond in
 * which a ban is prolonged may be missing.
 *
 * A ban is in `bans` before its bit is in `who`, and as long as it is there: whenever
 * we die, nothing is left that nobody would ever put away.
 */
#include <errno.h>

#include "enforce/xdp_private.h"

static struct xdp_key key_of(const struct xdp *x, uint32_t target, const struct net *n)
{
	struct xdp_key k = {.bits = n->bits, .target = x->bit_of[target]};

	memcpy(k.addr, n->addr, sizeof(k.addr));
	return k;
}

/* Of a key that is not ours, as a pin may hold: none. */
static uint64_t bit_of_key(const struct xdp_key *k)
{
	return k->target < XDP_MAX_TARGETS ? UINT64_C(1) << k->target : 0;
}

/* Its key in the map of addresses. */
static struct xdp_key who_of(const struct xdp_key *k)
{
	struct xdp_key w = *k;

	w.target = 0;
	return w;
}

static bool is_over(const struct xdp_ban *b, int64_t now_ns)
{
	return b->until_ns && b->until_ns <= (uint64_t)now_ns;
}

/* --- prefix lengths in use ---------------------------------------------------------
 */

static int family_of(const struct xdp_key *k)
{
	struct net n = {.bits = 128};

	memcpy(n.addr, k->addr, sizeof(n.addr));
	return net_is_v4(&n) ? XDP_IPV4 : XDP_IPV6;
}

static int write_length(struct xdp *x, int family, uint32_t i, uint32_t bits)
{
	struct xdp_length *l = &x->lengths[family][i];
	uint32_t slot = (uint32_t)family * XDP_MAX_LENGTHS + i;
	uint8_t mask[16] = {0};

	if (l->bits == bits)
		return 0;
	for (uint32_t n = 0; n < bits; n++)
		mask[n / 8] |= (uint8_t)(0x80 >> n % 8);
	memcpy(l->mask, mask, sizeof(l->mask));
	l->bits = bits;
	return x->lib.update_elem(x->maps[XDP_LENGTHS], &slot, l, BPF_ANY);
}

/* Return: 0, -ENOSPC, or negative errno. */
static int want_length(struct xdp *x, const struct xdp_key *k)
{
	int f = family_of(k);

	if (k->bits >= 128)
		return 0;
	if (!k->bits) /* everybody: no list has room for that */
		return -EINVAL;
	x->walk.seen[f][k->bits] = true;
	for (uint32_t i = 0; i < XDP_MAX_LENGTHS; i++) {
		const struct xdp_length *l = &x->lengths[f][i];

		if (l->bits == k->bits)
			return 0;
		if (!l->bits)
			return write_length(x, f, i, k->bits);
	}
	return -ENOSPC;
}

/* After a whole walk: look no more for lengths that no ban has. From the front on, so
 * that none of the others is ever missing. */
static void forget_lengths(struct xdp *x)
{
	for (int f = 0; f < XDP_FAMILIES; f++) {
		uint32_t n = 0;

		for (uint32_t i = 0; i < XDP_MAX_LENGTHS; i++) {
			uint32_t bits = x->lengths[f][i].bits;

			if (bits && bits < XDP_LENGTHS_ALL && x->walk.seen[f][bits])
				(void)write_length(x, f, n++, bits);
		}
		for (; n < XDP_MAX_LENGTHS; n++)
			(void)write_length(x, f, n, 0);
	}
}

/* --- one ban -----------------------------------------------------------------------
 */

/* Return: 0, -ENOSPC, or negative errno. */
static int set_bit(struct xdp *x, const struct xdp_key *k)
{
	struct xdp_key w = who_of(k);
	uint64_t targets = 0;
	int r = x->lib.lookup_elem(x->maps[XDP_WHO], &w, &targets);

	if (r < 0 && r != -ENOENT)
		return r;
	if (targets & bit_of_key(k))
		return 0;
	targets |= bit_of_key(k);
	r = x->lib.update_elem(x->maps[XDP_WHO], &w, &targets, BPF_ANY);
	return r == -E2BIG ? -ENOSPC : r;
}

static int clear_bit(struct xdp *x, const struct xdp_key *k)
{
	struct xdp_key w = who_of(k);
	uint64_t targets = 0;
	int r = x->lib.lookup_elem(x->maps[XDP_WHO], &w, &targets);

	if (r < 0 || !(targets & bit_of_key(k)))
		return r == -ENOENT ? 0 : r;
	targets &= ~bit_of_key(k);
	if (targets)
		return x->lib.update_elem(x->maps[XDP_WHO], &w, &targets, BPF_EXIST);
	return x->lib.delete_elem(x->maps[XDP_WHO], &w);
}

/* Return: 0, also when there is none, or negative errno. */
static int remove_ban(struct xdp *x, const struct xdp_key *k)
{
	int r = clear_bit(x, k);

	if (r < 0)
		return r;
	r = x->lib.delete_elem(x->maps[XDP_BANS], k);
	return r == -ENOENT ? 0 : r;
}

/* --- many bans ---------------------------------------------------------------------
 */

static int finish_ban(struct xdp *x, const struct xdp_key *k)
{
	int r = set_bit(x, k);

	if (r < 0)
		(void)x->lib.delete_elem(x->maps[XDP_BANS], k);
	return r;
}

/* Return: how many of the run's, from @from on, the kernel took; @r is its answer to
 * the next one. */
static size_t update_some(struct xdp *x, size_t from, int *r)
{
	struct xdp_run *run = &x->run;
	uint32_t count = (uint32_t)(run->n - from);

	*r = x->lib.update_batch(
	    x->maps[XDP_BANS], run->keys + from, run->bans + from, &count, NULL);
	return *r < 0 && count > run->n - from ? 0 : count;
}

static void flush_run(struct xdp *x, int *errors)
{
	struct xdp_run *run = &x->run;
	size_t done = 0;

	while (done < run->n) {
		int r;
		size_t n = update_some(x, done, &r);

		for (size_t i = done; i < done + n; i++)
			errors[run->change[i]] = finish_ban(x, &run->keys[i]);
		done += n;
		if (r < 0 && done < run->n)
			errors[run->change[done++]] = r == -E2BIG ? -ENOSPC : r;
	}
	run->n = 0;
}

static uint64_t end_of(const struct nft_change *c, int64_t now_ns)
{
	int64_t end;

	if (!c->timeout_ms || __builtin_mul_overflow(c->timeout_ms, 1000000, &end) ||
	    __builtin_add_overflow(end, now_ns, &end))
		return 0;
	return (uint64_t)end;
}

static void add_to_run(struct xdp *x, const struct xdp_key *k,
    const struct nft_change *c, size_t index, int64_t now_ns)
{
	struct xdp_run *run = &x->run;
	struct xdp_ban *b = &run->bans[run->n];

	if (x->lib.lookup_elem(x->maps[XDP_BANS], k, b) < 0 || is_over(b, now_ns))
		*b = (struct xdp_ban){0};
	b->until_ns = end_of(c, now_ns);
	run->keys[run->n] = *k;
	run->change[run->n++] = index;
}

void xdp_apply(struct xdp *x, const struct nft_change *changes, size_t n_changes,
    int64_t now_ns, int *errors)
{
	x->run.n = 0;
	for (size_t i = 0; i < n_changes; i++) {
		const struct nft_change *c = &changes[i];

		if (c->target >= x->n_targets) {
			errors[i] = -EINVAL;
			continue;
		}
		struct xdp_key k = key_of(x, c->target, &c->net);

		if (x->run.n == XDP_RUN || !c->add)
			flush_run(x, errors);
		errors[i] = c->add ? want_length(x, &k) : remove_ban(x, &k);
		if (c->add && !errors[i])
			add_to_run(x, &k, c, i, now_ns);
	}
	flush_run(x, errors);
}

int xdp_counter(struct xdp *x, uint32_t target, const struct net *net, int64_t now_ns,
    uint64_t *packets, uint64_t *bytes)
{
	struct xdp_ban b;

	if (target >= x->n_targets)
		return -EINVAL;
	struct xdp_key k = key_of(x, target, net);
	int r = x->lib.lookup_elem(x->maps[XDP_BANS], &k, &b);

	if (r < 0)
		return r;
	if (is_over(&b, now_ns))
		return -ENOENT;
	*packets = b.packets;
	*bytes = b.bytes;
	return 0;
}

/* --- walks -------------------------------------------------------------------------
 */

/* Remove those that are over or of no target in @kept. Return: 1: that was the last
 * step, 0, or negative errno. */
static int step(struct xdp *x, uint64_t kept, int64_t now_ns)
{
	struct xdp_walk *w = &x->walk;
	uint32_t n = XDP_STEP, next = 0;

	if (!w->is_begun)
		memset(w->seen, 0, sizeof(w->seen));
	int r = x->lib.lookup_batch(x->maps[XDP_BANS], w->is_begun ? &w->at : NULL,
	    &next, w->keys, w->bans, &n, NULL);
	bool is_last = r == -ENOENT;

	w->is_begun = r == 0;
	w->at = next;
	if (r < 0 && !is_last)
		return r;
	for (uint32_t i = 0; i < n && i < XDP_STEP; i++) {
		const struct xdp_key *k = &w->keys[i];

		if (is_over(&w->bans[i], now_ns) || !(kept & bit_of_key(k)))
			(void)remove_ban(x, k);
		else if (k->bits < XDP_LENGTHS_ALL)
			w->seen[family_of(k)][k->bits] = true;
	}
	return is_last;
}

void xdp_sweep(struct xdp *x, int64_t now_ns)
{
	if (step(x, UINT64_MAX, now_ns) == 1)
		forget_lengths(x);
}

int xdp_retire(struct xdp *x, uint64_t kept)
{
	int r;

	x->walk.is_begun = false;
	do {
		r = step(x, kept, 0);
	} while (r == 0);
	if (r < 0)
		return r;
	forget_lengths(x);
	return 0;
}
