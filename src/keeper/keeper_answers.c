/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "keeper/keeper_answers.h"

#include "base/jsonw.h"
#include "record/db_sums.h"

#define HISTORY_MAX 50
#define HISTORY_MAX_BYTES (1u << 20)
#define REPORT_MAX_BYTES (8u << 20)
#define MAX_HOURS ((DB_SUMS_HOURS_DAYS + 2) * 24 + DB_SUMS_DAYS)
#define MAX_GREATEST 50 /* of jails, reasons, networks, addresses */

static void put_i64(struct jsonw *j, const char *key, int64_t v)
{
	jsonw_key(j, key);
	jsonw_i64(j, v);
}

static void put_numbers(struct jsonw *j, const struct db_numbers *n)
{
	put_i64(j, "hits", n->passed + n->attempts);
	put_i64(j, "passed", n->passed);
	put_i64(j, "stopped", n->attempts);
	put_i64(j, "bans", n->bans);
	put_i64(j, "packets", n->packets);
	put_i64(j, "bytes", n->bytes);
}

/* --- the history of an address -----------------------------------------------------
 */

static int put_history(void *ctx, const struct db_history *h)
{
	struct jsonw *j = ctx;

	jsonw_object(j);
	jsonw_key(j, "jail");
	jsonw_str(j, h->jail);
	jsonw_key(j, "ip");
	if (h->id)
		jsonw_str(j, h->id);
	else
		jsonw_net(j, &h->net);
	jsonw_key(j, "at");
	jsonw_wall(j, h->at, false);
	jsonw_key(j, "until");
	jsonw_wall(j, h->until, false);
	jsonw_key(j, "ended");
	jsonw_wall(j, h->ended, false);
	jsonw_key(j, "ended_by");
	jsonw_str(j, h->end_cause);
	put_i64(j, "failures", h->failures);
	put_i64(j, "bancount", h->ban_count);
	jsonw_object_end(j);
	return 0;
}

static void put_month(struct jsonw *j, struct db *d, const struct net *net)
{
	struct db_numbers n = {0};

	(void)db_sum_of_who(d, net, wall_now(), &n); /* then nothing is known */
	jsonw_key(j, "month");
	jsonw_object(j);
	put_numbers(j, &n);
	jsonw_object_end(j);
}

void keeper_history(struct role *role, struct db *d, uint64_t id, const struct net *net)
{
	struct buf text = BUF_INIT(HISTORY_MAX_BYTES);
	struct jsonw j = jsonw_of(&text);

	jsonw_array(&j);
	if (d)
		(void)db_each_history(d, net, HISTORY_MAX, put_history, &j);
	jsonw_array_end(&j);
	if (d)
		put_month(&j, d, net);
	role_reply(role, id, text.failed ? SPAN("[]") : buf_span(&text));
	buf_deinit(&text);
}

/* --- the report --------------------------------------------------------------------
 */

struct report {
	struct jsonw j;
	enum db_sums_by by;
};

static void put_key(struct report *p, const struct db_sums_row *r)
{
	struct jsonw *j = &p->j;

	switch (p->by) {
	case DB_BY_HOUR:
		jsonw_key(j, "at");
		jsonw_wall(j, r->at, false);
		return;
	case DB_BY_JAIL:
		jsonw_key(j, "jail");
		jsonw_str(j, r->jail);
		return;
	case DB_BY_REASON:
		jsonw_key(j, "jail");
		jsonw_str(j, r->jail);
		put_i64(j, "rule", r->rule);
		jsonw_key(j, "reason");
		jsonw_str(j, r->reason);
		return;
	case DB_BY_NETWORK:
	case DB_BY_ADDRESS:
		jsonw_key(j, p->by == DB_BY_NETWORK ? "network" : "ip");
		jsonw_net(j, &r->net);
		put_i64(j, "blocked", r->blocked);
		return;
	case DB_BY_ALL:
		return;
	}
}

static int put_row(void *ctx, const struct db_sums_row *r)
{
	struct report *p = ctx;

	jsonw_object(&p->j);
	put_key(p, r);
	put_numbers(&p->j, &r->n);
	jsonw_object_end(&p->j);
	return 0;
}

/* Into the open object. */
static int put_all(void *ctx, const struct db_sums_row *r)
{
	struct report *p = ctx;

	put_i64(&p->j, "blocked", r->blocked);
	put_numbers(&p->j, &r->n);
	return 0;
}

static int put_lists(struct report *p, struct db *d, wall_t since, wall_t now)
{
	static const struct {
		enum db_sums_by by;
		const char *name;
		size_t max;
	} lists[] = {
	    {DB_BY_HOUR, "hours", MAX_HOURS},
	    {DB_BY_JAIL, "jails", MAX_GREATEST},
	    {DB_BY_REASON, "reasons", MAX_GREATEST},
	    {DB_BY_NETWORK, "networks", MAX_GREATEST},
	    {DB_BY_ADDRESS, "addresses", MAX_GREATEST},
	};
	int r = 0;

	for (size_t i = 0; !r && i < ARRAY_LEN(lists); i++) {
		p->by = lists[i].by;
		jsonw_key(&p->j, lists[i].name);
		jsonw_array(&p->j);
		r = db_each_sum(d, p->by, since, now, lists[i].max, put_row, p);
		jsonw_array_end(&p->j);
	}
	return r;
}

static int put_report(struct buf *b, struct db *d, wall_t since, wall_t now)
{
	struct report p = {.j = jsonw_of(b)};
	int r;

	jsonw_object(&p.j);
	jsonw_key(&p.j, "since");
	jsonw_wall(&p.j, db_sums_from(DB_BY_ALL, since, now), false);
	jsonw_key(&p.j, "addresses_since");
	jsonw_wall(&p.j, db_sums_from(DB_BY_ADDRESS, since, now), false);
	r = db_each_sum(d, DB_BY_ALL, since, now, 1, put_all, &p);
	if (!r)
		r = put_lists(&p, d, since, now);
	jsonw_object_end(&p.j);
	return r;
}

void keeper_report(struct role *role, struct db *d, uint64_t id, wall_t since)
{
	struct buf b = BUF_INIT(REPORT_MAX_BYTES);
	int r = d ? put_report(&b, d, since, wall_now()) : -1;

	if (r < 0 || b.failed)
		role_reply(
		    role, id, SPAN("{\"error\":\"the store cannot be read now\"}"));
	else
		role_reply(role, id, buf_span(&b));
	buf_deinit(&b);
}
