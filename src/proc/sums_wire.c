/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sums as bodies of MSG_PUT_SUMS: u64 run, u64 batch, u8 kind, u32 n, n items.
 */
#include <errno.h>

#include "proc/message.h"
#include "proc/sums_private.h"

#define BODY_BYTES 60000 /* one more item never makes it longer than a message */
#define ITEM_MIN_BYTES 21

/* A bit for each that is not 0, which most are, then these. */
static void pack_numbers(struct buf *b, const struct db_numbers *n)
{
	const int64_t all[] = {n->passed, n->bans, n->attempts, n->packets, n->bytes};
	uint8_t which = 0;

	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		which |= (uint8_t)((all[i] != 0) << i);
	pack_u8(b, which);
	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		if (all[i])
			pack_i64(b, all[i]);
	}
}

static wall_t time_of(uint32_t hour)
{
	return (wall_t){hour * SUMS_HOUR_US};
}

/* A [Rule] has a name. Text for people: the end of a long one is cut, not in the middle
 * of a character. */
static struct span reason_of(const struct setup_jail *j, int32_t rule)
{
	const struct setup_rule *r = rule < 0 ? NULL : setup_rule_of(j, (uint32_t)rule);
	const char *regex = rule < 0 ? NULL : setup_regex(j, (uint32_t)rule);
	struct span text = span_of(r ? r->name : regex ? regex : "");

	if (text.n <= SUMS_REASON_BYTES)
		return text;
	text.n = SUMS_REASON_BYTES;
	while (text.n && ((uint8_t)text.p[text.n] & 0xc0) == 0x80)
		text.n--;
	return text;
}

/* Bodies under way; each has items of one kind only. */
struct taking {
	struct buf items;
	uint32_t n;
	uint8_t kind;
	uint64_t run;
	uint64_t *io_batch;
	struct buf *out;
};

enum { OF_RULES, OF_WHO };

static void taking_end(struct taking *t)
{
	struct buf body = BUF_INIT(MESSAGE_MAX_BYTES - 2);

	if (t->n) {
		pack_u64(&body, t->run);
		pack_u64(&body, ++*t->io_batch);
		pack_u8(&body, t->kind);
		pack_u32(&body, t->n);
		buf_add_span(&body, buf_span(&t->items));
		pack_span(t->out, buf_span(&body));
	}
	buf_deinit(&body);
	buf_clear(&t->items);
	t->n = 0;
}

static void taken_one(struct taking *t)
{
	t->n++;
	if (t->items.n > BODY_BYTES)
		taking_end(t);
}

static void take_sums(struct sums *s, const struct setup *names, struct taking *t)
{
	struct sum *a, *next;

	t->kind = OF_RULES;
	HASH_ITER (hh, s->sums, a, next) {
		if (a->key.jail >= names->n_jails)
			continue;
		const struct setup_jail *j = &names->jails[a->key.jail];

		pack_wall(&t->items, time_of(a->key.hour));
		pack_str(&t->items, j->name);
		pack_i64(&t->items, a->key.rule);
		pack_span(&t->items, reason_of(j, a->key.rule));
		pack_numbers(&t->items, &a->n);
		taken_one(t);
	}
	taking_end(t);
}

static void take_who(struct sums *s, const struct setup *names, struct taking *t)
{
	t->kind = OF_WHO;
	for (uint32_t i = 0; i < s->n_who; i++) {
		const struct who *w = &s->who[i];

		if (w->jail >= names->n_jails)
			continue;
		pack_wall(&t->items, time_of(w->hour));
		pack_str(&t->items, names->jails[w->jail].name);
		pack_net(&t->items, &w->net);
		pack_numbers(&t->items, &w->n);
		taken_one(t);
	}
	taking_end(t);
}

void sums_take(struct sums *s, const struct setup *names, uint64_t run,
    uint64_t *io_batch, struct buf *out)
{
	struct taking t = {.items = BUF_INIT(MESSAGE_MAX_BYTES - 64),
	    .run = run,
	    .io_batch = io_batch,
	    .out = out};

	take_sums(s, names, &t);
	take_who(s, names, &t);
	buf_deinit(&t.items);
	sums_clear(s);
}

/* --- the keeper's side -------------------------------------------------------------
 */

static struct db_numbers unpack_numbers(struct unpack *u)
{
	int64_t all[5] = {0};
	uint8_t which = unpack_u8(u);

	if (which >> ARRAY_LEN(all))
		u->bad = true;
	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		if (which >> i & 1)
			all[i] = unpack_i64(u);
	}
	return (struct db_numbers){all[0], all[1], all[2], all[3], all[4]};
}

static int book_item(struct unpack *u, uint8_t kind, struct db *d)
{
	wall_t at = unpack_wall(u);
	CLEANUP(freep) char *jail = unpack_str(u);
	CLEANUP(freep) char *reason = NULL;
	struct net net = {.bits = 0};
	int64_t rule = 0;

	if (kind == OF_WHO) {
		net = unpack_net(u);
	} else {
		rule = unpack_i64(u);
		reason = span_dup(unpack_span(u));
	}
	struct db_numbers n = unpack_numbers(u);

	if (!jail || u->bad || (kind == OF_RULES && !reason)) {
		u->bad = true;
		return 0;
	}
	return kind == OF_WHO ? db_add_who(d, at, jail, &net, &n)
			      : db_add_sum(d, at, jail, (int)rule, reason, &n);
}

int sums_book(struct unpack *u, struct db *d)
{
	uint64_t run = unpack_u64(u);
	uint64_t batch = unpack_u64(u);
	uint8_t kind = unpack_u8(u);
	uint32_t n = unpack_count(u, ITEM_MIN_BYTES);
	int r = 0;

	if (u->bad || kind > OF_WHO) {
		u->bad = true;
		return 0;
	}
	r = db_sums_begin(d, run, batch);
	if (r)
		return r < 0 ? r : 0;
	for (uint32_t i = 0; !r && !u->bad && i < n; i++)
		r = book_item(u, kind, d);
	return r;
}
