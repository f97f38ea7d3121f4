/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "duel_model.h"

#include <assert.h>

#define V4(...)                                                       \
	{                                                             \
		0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, __VA_ARGS__ \
	}

const struct net model_nets[MODEL_NETS] = {
    {V4(192, 0, 2, 1), 128},
    {V4(192, 0, 2, 2), 128},
    {V4(192, 0, 2, 200), 128},
    {V4(198, 51, 100, 7), 128},
    {{0x20, 0x01, 0x0d, 0xb8, [15] = 1}, 128},
    {V4(192, 0, 2, 0), 120},
    {V4(192, 0, 2, 0), 121},
    {{0x20, 0x01, 0x0d, 0xb8}, 32},
    {V4(0, 0, 0, 0), 96},
};

void model_init(struct model *m)
{
	*m = (struct model){.clock = INT64_MIN};
	for (int i = 0; i < MODEL_JAILS; i++)
		m->jails[i].index = -1;
}

void model_deinit(struct model *m)
{
	for (int i = 0; i < MODEL_JAILS; i++)
		for (int k = 0; k < MODEL_NETS; k++)
			free(m->jails[i].keys[k].hits);
	orders_deinit(&m->said);
}

static void say(struct model *m, enum order_op op, enum order_cause cause, int jail,
    int net, int64_t at, int64_t until, uint32_t failures)
{
	struct order *o = orders_append(&m->said);

	assert(o);
	*o = (struct order){.op = op,
	    .cause = cause,
	    .jail = (uint32_t)m->jails[jail].index,
	    .net = model_nets[net],
	    .at = {at},
	    .until = {until},
	    .failures = failures};
}

static int64_t newest_of(const struct model_key *k)
{
	int64_t newest = k->hits[0].at;

	for (size_t i = 1; i < k->n; i++)
		if (k->hits[i].at > newest)
			newest = k->hits[i].at;
	return newest;
}

/* By log time, or by the clock in whole seconds from there: of many seconds only the
 * first 11 bits are kept, rounded up. */
static int64_t heard_of(const struct model_key *k)
{
	int64_t newest = newest_of(k), lag = k->clock - newest, unit = US_PER_SEC;

	if (lag <= 0)
		return newest;
	while ((lag + unit - 1) / unit >= 2048)
		unit *= 2;
	return newest + (lag + unit - 1) / unit * unit;
}

static void forget_if_over(
    struct model *m, const struct model_jail *j, struct model_key *k)
{
	if (k->n && m->clock > heard_of(k) + 2 * j->findtime)
		k->n = 0;
}

void model_forget(struct model *m)
{
	for (int i = 0; i < MODEL_JAILS; i++)
		for (int k = 0; k < MODEL_NETS; k++)
			if (m->jails[i].index >= 0)
				forget_if_over(m, &m->jails[i], &m->jails[i].keys[k]);
}

static void add_hit(struct model_key *k, int64_t at, int weight)
{
	if (k->n == k->room) {
		k->room = k->room ? 2 * k->room : 8;
		k->hits = reallocarray(k->hits, k->room, sizeof(k->hits[0]));
		assert(k->hits);
	}
	k->hits[k->n++] = (struct model_hit){at, weight};
}

static int64_t sum_of(const struct model_key *k, int64_t from, int64_t to)
{
	int64_t sum = 0;

	for (size_t i = 0; i < k->n; i++)
		if (k->hits[i].at >= from && k->hits[i].at <= to)
			sum += k->hits[i].weight;
	return sum;
}

/* The latest end of a window that is full. */
static bool is_full(const struct model *m, const struct model_jail *j,
    const struct model_key *k, int64_t at, int64_t *out_at, int64_t *out_sum)
{
	bool found = false;

	for (size_t i = 0; i < k->n; i++) {
		const struct model_hit *h = &k->hits[i];
		int64_t sum = sum_of(k, h->at - j->findtime, h->at);

		if (h->weight <= 0 || sum < j->maxretry || (found && h->at <= *out_at))
			continue;
		/* What was not enough for the old options stays decided. */
		if (m->windows_change && (h->at < at || h->at - j->findtime > at))
			continue;
		found = true;
		*out_at = h->at;
		*out_sum = sum;
	}
	return found;
}

static void drop_out_of_reach(struct model_key *k, int64_t findtime)
{
	int64_t from = newest_of(k) - 2 * findtime;
	size_t n = 0;

	for (size_t i = 0; i < k->n; i++)
		if (k->hits[i].at >= from)
			k->hits[n++] = k->hits[i];
	k->n = n;
}

static int64_t end_of(int64_t at, int64_t sec)
{
	return sec < 0 ? INT64_MAX : at + sec * US_PER_SEC;
}

static bool is_around(int outer, int inner)
{
	return outer != inner && net_contains(&model_nets[outer], &model_nets[inner]);
}

static void end_ban(
    struct model *m, int jail, int net, enum order_cause cause, int64_t at)
{
	struct model_ban *b = &m->jails[jail].keys[net].ban;

	say(m, ORDER_UNBAN, cause, jail, net, at, b->until, b->failures);
	b->on = false;
}

/* The end of the latest banned network around it that lasts, or INT64_MIN. */
static int64_t end_around(
    const struct model_jail *j, int net, int64_t now, bool longest)
{
	int64_t end = INT64_MIN;
	int bits = -1;

	for (int i = 0; i < MODEL_NETS; i++) {
		const struct model_ban *b = &j->keys[i].ban;

		if (!b->on || !is_around(i, net) || b->until <= now)
			continue;
		if (longest && model_nets[i].bits < bits)
			continue;
		bits = model_nets[i].bits;
		end = b->until;
	}
	return end;
}

static void place(struct model *m, int jail, int net, enum order_cause cause,
    int64_t at, int64_t until, uint32_t failures)
{
	struct model_ban *b = &m->jails[jail].keys[net].ban;

	say(m, b->on ? ORDER_PROLONG : ORDER_BAN, cause, jail, net, at, until,
	    failures);
	m->jails[jail].banned_total += !b->on;
	if (!b->on)
		b->failures = 0;
	*b = (struct model_ban){
	    true, at, until, failures ? failures : b->failures, cause};
}

int model_feed(struct model *m, int jail, int net, int64_t at, int weight, int64_t now)
{
	struct model_jail *j = &m->jails[jail];
	struct model_key *k = &j->keys[net];
	int64_t full_at = 0, sum = 0, until;
	bool was_banned;

	if (now > m->clock)
		m->clock = now;
	if (j->ignores_first &&
	    (net == 0 || net_contains(&model_nets[net], &model_nets[0]))) {
		j->ignored_total++;
		return ENGINE_IGNORED;
	}
	forget_if_over(m, j, k);
	if (k->n && at < newest_of(k) - j->findtime)
		return ENGINE_STALE;
	add_hit(k, at, weight);
	k->clock = m->clock;
	j->failed_total += weight > 0;
	if (m->windows_change)
		drop_out_of_reach(k, j->findtime);
	if (weight <= 0 || !is_full(m, j, k, at, &full_at, &sum))
		return ENGINE_COUNTED;

	k->n = 0;
	until = end_of(full_at, j->bantime_sec);
	if (until <= now)
		return ENGINE_OVER;
	if (k->ban.on && k->ban.until <= now)
		end_ban(m, jail, net, ORDER_EXPIRED, k->ban.until);
	was_banned = k->ban.on;
	if (was_banned ? k->ban.until >= until
		       : end_around(j, net, now, false) != INT64_MIN)
		return ENGINE_ALREADY_BANNED;
	place(m, jail, net, ORDER_BY_RULE, full_at, until, (uint32_t)sum);
	return was_banned ? ENGINE_PROLONGED : ENGINE_BANNED;
}

void model_tick(struct model *m, int64_t now)
{
	if (now > m->clock)
		m->clock = now;
	for (int i = 0; i < MODEL_JAILS; i++)
		for (int k = 0; k < MODEL_NETS; k++) {
			const struct model_ban *b = &m->jails[i].keys[k].ban;

			if (b->on && b->until <= now)
				end_ban(m, i, k, ORDER_EXPIRED, b->until);
		}
}

int model_ban(struct model *m, int jail, int net, int64_t now, int64_t sec)
{
	struct model_jail *j = &m->jails[jail];
	struct model_key *k = &j->keys[net];
	int64_t until = end_of(now, sec ? sec : j->bantime_sec);
	bool was_banned;

	if (now > m->clock)
		m->clock = now;
	if (until <= now)
		return ENGINE_OVER;
	if (k->ban.on && k->ban.until <= now)
		end_ban(m, jail, net, ORDER_EXPIRED, k->ban.until);
	was_banned = k->ban.on;
	if ((was_banned && k->ban.until >= until) ||
	    end_around(j, net, now, true) >= until)
		return ENGINE_ALREADY_BANNED;
	place(m, jail, net, ORDER_BY_USER, now, until, 0);
	for (int i = 0; i < MODEL_NETS; i++)
		if (i == net || is_around(net, i))
			j->keys[i].n = 0;
	return was_banned ? ENGINE_PROLONGED : ENGINE_BANNED;
}

int model_unban(struct model *m, int jail, int net, int64_t now)
{
	int n_lifted = 0;

	if (now > m->clock)
		m->clock = now;
	for (int i = 0; i < MODEL_JAILS; i++)
		for (int k = 0; k < MODEL_NETS; k++) {
			struct model_key *key = &m->jails[i].keys[k];

			if (m->jails[i].index < 0 || (jail >= 0 && jail != i) ||
			    (net >= 0 && net != k && !is_around(net, k)))
				continue;
			key->n = 0;
			if (!key->ban.on)
				continue;
			end_ban(m, i, k, ORDER_BY_USER, now);
			n_lifted++;
		}
	return n_lifted;
}

void model_drop_jail(struct model *m, int jail, int64_t now)
{
	struct model_jail *j = &m->jails[jail];

	for (int k = 0; k < MODEL_NETS; k++) {
		j->keys[k].n = 0;
		if (j->keys[k].ban.on)
			end_ban(m, jail, k, ORDER_JAIL_GONE, now);
	}
	j->index = -1;
	j->failed_total = j->banned_total = j->ignored_total = 0;
}

bool model_account(const struct model *m, int jail, int net, int64_t *out_sum,
    int64_t *out_first, int64_t *out_last)
{
	const struct model_jail *j = &m->jails[jail];
	const struct model_key *k = &j->keys[net];

	if (!k->n || m->clock > heard_of(k) + j->findtime)
		return false;
	*out_last = *out_first = newest_of(k);
	for (size_t i = 0; i < k->n; i++)
		if (k->hits[i].at >= *out_last - j->findtime &&
		    k->hits[i].at < *out_first)
			*out_first = k->hits[i].at;
	*out_sum = sum_of(k, *out_last - j->findtime, *out_last);
	if (*out_sum < 0)
		*out_sum = 0;
	return true;
}
