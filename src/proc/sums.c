/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "proc/sums.h"

#include <errno.h>

#include "base/hash.h"
#include "proc/message.h"

#define HOUR_US (3600 * US_PER_SEC)
#define BODY_BYTES 60000 /* one more item never makes it longer than a message */
#define ITEM_MIN_BYTES 60

/* No padding within: hashed bytewise. */
struct sum_key {
	uint32_t hour; /* since 1970 */
	uint32_t jail;
	int32_t rule;
};

struct who_key {
	uint32_t hour;
	uint32_t jail;
	struct net net;
};
#define WHO_KEY_BYTES (8 + sizeof(struct net))

struct sum {
	struct sum_key key;
	struct db_numbers n;
	UT_hash_handle hh;
};

struct who {
	struct who_key key;
	struct db_numbers n;
	UT_hash_handle hh;
};

struct sums {
	struct sum *sums;
	struct who *who;
	struct sum *last; /* added to: the next is often the same */
	size_t n_sums, n_who;
	uint64_t n_lost;
};

struct sums *sums_new(void)
{
	return calloc(1, sizeof(struct sums));
}

static void clear(struct sums *s)
{
	struct sum *a, *next_a;
	struct who *b, *next_b;

	HASH_ITER (hh, s->sums, a, next_a) {
		HASH_DEL(s->sums, a);
		free(a);
	}
	HASH_ITER (hh, s->who, b, next_b) {
		HASH_DEL(s->who, b);
		free(b);
	}
	s->last = NULL;
	s->n_sums = s->n_who = 0;
}

struct sums *sums_free(struct sums *s)
{
	if (!s)
		return NULL;
	clear(s);
	free(s);
	return NULL;
}

bool sums_is_empty(const struct sums *s)
{
	return !s->n_sums && !s->n_who;
}

uint64_t sums_n_lost(const struct sums *s)
{
	return s->n_lost;
}

/* --- adding ------------------------------------------------------------------------
 */

static void add(struct db_numbers *to, const struct db_numbers *n)
{
	to->passed += n->passed;
	to->bans += n->bans;
	to->attempts += n->attempts;
	to->packets += n->packets;
	to->bytes += n->bytes;
}

static struct sum *find_sum(struct sums *s, const struct sum_key *key)
{
	struct sum *a = s->last;

	if (a && !memcmp(&a->key, key, sizeof(*key)))
		return a;
	HASH_FIND(hh, s->sums, key, sizeof(*key), a);
	return a;
}

static struct sum *make_sum(struct sums *s, const struct sum_key *key)
{
	struct sum *a = s->n_sums < SUMS_MAX ? calloc(1, sizeof(*a)) : NULL;

	if (!a)
		return NULL;
	a->key = *key;
	HASH_ADD(hh, s->sums, key, sizeof(*key), a);
	if (!a->hh.tbl) {
		free(a);
		return NULL;
	}
	s->n_sums++;
	return a;
}

static struct who *make_who(struct sums *s, const struct who_key *key)
{
	struct who *b = s->n_who < SUMS_MAX_WHO ? calloc(1, sizeof(*b)) : NULL;

	if (!b)
		return NULL;
	b->key = *key;
	HASH_ADD(hh, s->who, key, WHO_KEY_BYTES, b);
	if (!b->hh.tbl) {
		free(b);
		return NULL;
	}
	s->n_who++;
	return b;
}

void sums_add(struct sums *s, wall_t at, uint32_t jail, int rule, const struct net *who,
    const struct db_numbers *n)
{
	if (at.us < 0 || at.us / HOUR_US > UINT32_MAX)
		return;
	struct sum_key key = {(uint32_t)(at.us / HOUR_US), jail, rule};
	struct who_key who_key = {key.hour, jail, *who};
	struct sum *a = find_sum(s, &key);
	struct who *b;

	if (!a)
		a = make_sum(s, &key);
	if (!a) {
		s->n_lost++;
		return;
	}
	add(&a->n, n);
	s->last = a;
	HASH_FIND(hh, s->who, &who_key, WHO_KEY_BYTES, b);
	if (!b)
		b = make_who(s, &who_key);
	if (b)
		add(&b->n, n);
}

/* --- to the keeper -----------------------------------------------------------------
 */

static void pack_numbers(struct buf *b, const struct db_numbers *n)
{
	pack_i64(b, n->passed);
	pack_i64(b, n->bans);
	pack_i64(b, n->attempts);
	pack_i64(b, n->packets);
	pack_i64(b, n->bytes);
}

static wall_t time_of(uint32_t hour)
{
	return (wall_t){hour * HOUR_US};
}

/* Text for people: the end of a long one is cut, not in the middle of a character. */
static struct span reason_of(const struct setup_jail *j, int32_t rule)
{
	struct span text = span_of(
	    rule >= 0 && (uint32_t)rule < j->n_failregex ? j->failregex[rule] : "");

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
	struct who *b, *next;

	t->kind = OF_WHO;
	HASH_ITER (hh, s->who, b, next) {
		if (b->key.jail >= names->n_jails)
			continue;
		pack_wall(&t->items, time_of(b->key.hour));
		pack_str(&t->items, names->jails[b->key.jail].name);
		pack_net(&t->items, &b->key.net);
		pack_numbers(&t->items, &b->n);
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
	clear(s);
}

/* --- the keeper's side -------------------------------------------------------------
 */

static struct db_numbers unpack_numbers(struct unpack *u)
{
	struct db_numbers n;

	n.passed = unpack_i64(u);
	n.bans = unpack_i64(u);
	n.attempts = unpack_i64(u);
	n.packets = unpack_i64(u);
	n.bytes = unpack_i64(u);
	return n;
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
