/* SPDX-License-Identifier: GPL-2.0-or-later */
/* db: every function on a sound database in memory */
#include "tests/unit/record/record_test.h"

#include <errno.h>

#include "record/db_private.h"

static int open_memory(void **state)
{
	struct err e = {0};

	*state = db_open(":memory:", &e);
	return *state && !e.text[0] ? 0 : -1;
}

static int close_memory(void **state)
{
	*state = db_close(*state);
	return 0;
}

/* The last ban or row of history seen, and how many. */
struct seen {
	size_t n;
	size_t stop_at;
	char jail[32];
	struct order ban;
	struct db_history row;
	char end_cause[16];
	char why[64];
	wall_t ats[8];
};

static void note_why(struct seen *s, const struct evidence *why, size_t n_why)
{
	const char *text = n_why && why[0].text ? why[0].text : "";

	(void)snprintf(s->why, sizeof(s->why), "%s", text);
}

static int see_ban(void *ctx, const char *jail, const struct order *o)
{
	struct seen *s = ctx;

	(void)snprintf(s->jail, sizeof(s->jail), "%s", jail);
	s->ban = *o;
	note_why(s, o->why, o->n_why);
	return ++s->n == s->stop_at ? 77 : 0;
}

static int see_history(void *ctx, const struct db_history *h)
{
	struct seen *s = ctx;

	(void)snprintf(s->jail, sizeof(s->jail), "%s", h->jail);
	(void)snprintf(
	    s->end_cause, sizeof(s->end_cause), "%s", h->end_cause ? h->end_cause : "");
	s->row = *h;
	note_why(s, h->why, h->n_why);
	if (s->n < ARRAY_LEN(s->ats))
		s->ats[s->n] = h->at;
	return ++s->n == s->stop_at ? 77 : 0;
}

static struct seen bans(struct db *d, wall_t now)
{
	struct seen s = {0};

	assert_int_equal(db_each_ban(d, now, see_ban, &s), 0);
	return s;
}

static struct seen history(struct db *d, const char *net)
{
	struct seen s = {0};
	struct net n = net ? net_of(net) : (struct net){0};

	assert_int_equal(
	    db_each_history(d, net ? &n : NULL, SIZE_MAX, see_history, &s), 0);
	return s;
}

static void put(struct db *d, const char *jail, struct order o)
{
	assert_int_equal(db_put_ban(d, jail, &o), 0);
}

static void unban(
    struct db *d, const char *jail, const char *net, int64_t at, enum order_cause cause)
{
	struct order o = ban_of(net, at, at);

	o.op = ORDER_UNBAN;
	o.cause = cause;
	assert_int_equal(db_put_unban(d, jail, &o), 0);
}

static void a_ban_comes_back_whole(void **state)
{
	struct db *d = *state;
	char line[] = "reject: RCPT from x";
	struct evidence why = {{T0 - 1}, 7, 15, line};
	struct order o = ban_of("2001:db8::/64", 0, 600);
	struct seen s;

	o.n_why = 1;
	o.why = &why;
	put(d, "postfix", o);
	s = bans(d, t_plus(0));
	assert_int_equal(s.n, 1);
	assert_string_equal(s.jail, "postfix");
	assert_true(net_eq(&s.ban.net, &o.net));
	assert_int_equal(s.ban.op, ORDER_BAN);
	assert_int_equal(s.ban.cause, ORDER_BY_RULE);
	assert_int_equal(s.ban.at.us, o.at.us);
	assert_int_equal(s.ban.until.us, o.until.us);
	assert_int_equal(s.ban.failures, 5);
	assert_int_equal(s.ban.n_why, 1);
	assert_string_equal(s.why, line);

	s = history(d, "2001:db8::/64");
	assert_int_equal(s.n, 1);
	assert_string_equal(s.why, line);
	assert_int_equal(s.row.until.us, o.until.us);
	assert_int_equal(s.row.ended.us, WALL_NONE.us);
	assert_null(s.row.end_cause);
}

static int see_id(void *ctx, UNUSED const char *jail, const struct order *o)
{
	struct buf b = BUF_INIT(64);

	buf_printf(&b, "%s, ", o->id ? o->id : "(none)");
	buf_add_net(&b, &o->ip);
	(void)snprintf(ctx, 32, "%s", buf_str(&b));
	buf_deinit(&b);
	return 0;
}

static int see_id_in_history(void *ctx, const struct db_history *h)
{
	(void)snprintf(ctx, 32, "%s", h->id ? h->id : "(none)");
	return 0;
}

static void an_id_comes_back_with_its_text(void **state)
{
	struct db *d = *state;
	struct order o = ban_of("192.0.2.1", 0, 600);
	char text[] = "a 'b\"", seen[32] = "";

	o.id = text;
	o.ip = o.net;
	assert_int_equal(net_parse_id(span_of(text), &o.net), 0);
	put(d, "j", o);
	o.until = t_plus(900);
	o.ip = net_of("192.0.2.2");
	put(d, "j", o);
	/* The address is that of the ban, which was told to others. */
	assert_int_equal(db_each_ban(d, t_plus(0), see_id, seen), 0);
	assert_string_equal(seen, "a 'b\", 192.0.2.1");
	/* Also where the order says no more than the hash. */
	o.op = ORDER_UNBAN;
	o.id = NULL;
	assert_int_equal(db_put_unban(d, "j", &o), 0);
	assert_int_equal(bans(d, t_plus(0)).n, 0);
	seen[0] = '\0';
	assert_int_equal(db_each_history(d, &o.net, 10, see_id_in_history, seen), 0);
	assert_string_equal(seen, text);
	/* Without its text, or with another, it is no row. */
	o = ban_of("192.0.2.1", 0, 600);
	assert_int_equal(net_parse_id(SPAN("alice"), &o.net), 0);
	put(d, "j", o);
	o.id = text;
	put(d, "k", o);
	assert_int_equal(bans(d, t_plus(0)).n, 0);
}

static void twice_is_once(void **state)
{
	struct db *d = *state;

	put(d, "j", ban_of("192.0.2.1", 0, 600));
	put(d, "j", ban_of("192.0.2.1", 0, 600));
	assert_int_equal(bans(d, t_plus(0)).n, 1);
	assert_int_equal(history(d, NULL).n, 1);
	put(d, "k", ban_of("192.0.2.1", 0, 600)); /* another jail is another ban */
	assert_int_equal(bans(d, t_plus(0)).n, 2);
	assert_int_equal(history(d, "192.0.2.1").n, 2);
}

static void over_is_left_out(void **state)
{
	struct db *d = *state;
	struct order forever = ban_of("192.0.2.2", 0, 0);

	forever.until = WALL_NEVER;
	put(d, "j", ban_of("192.0.2.1", 0, 600));
	put(d, "j", forever);
	assert_int_equal(bans(d, t_plus(599)).n, 2);
	assert_int_equal(bans(d, t_plus(600)).n, 1);
	assert_int_equal(bans(d, (wall_t){INT64_MAX - 1}).ban.until.us, WALL_NEVER.us);
}

static void prolonging_keeps_the_evidence(void **state)
{
	struct db *d = *state;
	char line[] = "why";
	struct evidence why = {{T0}, 1, 1, line};
	struct order o = ban_of("192.0.2.1", 0, 600);
	struct seen s;

	o.n_why = 1;
	o.why = &why;
	put(d, "j", o);
	o = ban_of("192.0.2.1", 0, 6000);
	o.op = ORDER_PROLONG;
	o.failures = 0;
	put(d, "j", o);
	s = bans(d, t_plus(0));
	assert_int_equal(s.n, 1);
	assert_int_equal(s.ban.until.us, t_plus(6000).us);
	assert_int_equal(s.ban.failures, 5);
	assert_string_equal(s.why, "why");
	s = history(d, NULL);
	assert_int_equal(s.n, 1);
	assert_int_equal(s.row.until.us, t_plus(6000).us);
	assert_string_equal(s.why, "why");
}

static void a_snapshot_keeps_the_evidence(void **state)
{
	struct db *d = *state;
	char line[] = "why";
	struct evidence why = {{T0}, 1, 1, line};
	struct order o = ban_of("192.0.2.1", 0, 600);

	o.n_why = 1;
	o.why = &why;
	put(d, "j", o);
	put(d, "j", ban_of("192.0.2.2", 0, 600));
	assert_int_equal(db_clear_state(d), 0);
	assert_int_equal(bans(d, t_plus(0)).n, 0);
	assert_int_equal(history(d, NULL).n, 2);
	o.n_why = 0;
	put(d, "j", o);
	assert_int_equal(bans(d, t_plus(0)).n, 1);
	assert_string_equal(bans(d, t_plus(0)).why, "why");
}

static void unban_ends_history(void **state)
{
	struct db *d = *state;
	struct seen s;

	put(d, "j", ban_of("192.0.2.1", 0, 600));
	put(d, "k", ban_of("192.0.2.1", 0, 600));
	unban(d, "j", "192.0.2.1", 100, ORDER_BY_USER);
	assert_string_equal(bans(d, t_plus(0)).jail, "k");
	s = history(d, NULL);
	assert_int_equal(s.n, 2);
	assert_string_equal(s.jail, "j"); /* the older row, seen last */
	assert_int_equal(s.row.ended.us, t_plus(100).us);
	assert_string_equal(s.end_cause, order_cause_name(ORDER_BY_USER));
	/* again, later: the end stays what it was */
	unban(d, "j", "192.0.2.1", 200, ORDER_EXPIRED);
	assert_int_equal(history(d, NULL).row.ended.us, t_plus(100).us);
}

static void unban_of_nothing_is_fine(void **state)
{
	unban(*state, "j", "192.0.2.1", 0, ORDER_BY_USER);
	assert_int_equal(history(*state, NULL).n, 0);
}

static void a_ban_that_ran_out_unseen_ends_at_its_time(void **state)
{
	struct db *d = *state;
	struct seen s;

	put(d, "j", ban_of("192.0.2.1", 0, 600));
	put(d, "j", ban_of("192.0.2.1", 5000, 5600));
	unban(d, "j", "192.0.2.1", 5600, ORDER_EXPIRED);
	s = history(d, "192.0.2.1");
	assert_int_equal(s.n, 2);
	assert_int_equal(
	    s.row.at.us, t_plus(0).us); /* newest first, so this is the old one */
	assert_int_equal(s.row.ended.us, t_plus(600).us);
	assert_string_equal(s.end_cause, order_cause_name(ORDER_EXPIRED));
}

static void banned_again_lasts_again(void **state)
{
	struct db *d = *state;
	struct seen s;

	put(d, "j", ban_of("192.0.2.1", 0, 600));
	unban(d, "j", "192.0.2.1", 100, ORDER_BY_USER);
	put(d, "j", ban_of("192.0.2.1", 0, 600));
	s = history(d, NULL);
	assert_int_equal(s.n, 1);
	assert_int_equal(s.row.ended.us, WALL_NONE.us);
}

static void history_is_newest_first_and_bounded(void **state)
{
	struct db *d = *state;
	struct seen s = {0};
	struct net n = net_of("192.0.2.1");

	put(d, "j", ban_of("192.0.2.1", 20, 25));
	put(d, "j", ban_of("192.0.2.1", 30, 35));
	put(d, "j", ban_of("192.0.2.1", 10, 15)); /* told late */
	put(d, "j", ban_of("192.0.2.0/24", 40, 600));
	assert_int_equal(db_each_history(d, &n, 2, see_history, &s), 0);
	assert_int_equal(s.n, 2);
	assert_int_equal(s.ats[0].us, t_plus(30).us);
	assert_int_equal(s.ats[1].us, t_plus(20).us);
	assert_int_equal(history(d, "192.0.2.1").n, 3);
	assert_int_equal(history(d, NULL).n, 4);
	s = (struct seen){0};
	assert_int_equal(db_each_history(d, NULL, 0, see_history, &s), 0);
	assert_int_equal(s.n, 0);
}

static void a_ban_that_lasts_and_is_put_later_is_the_same_ban(void **state)
{
	struct db *d = *state;
	struct seen s;

	put(d, "j", ban_of("192.0.2.1", 10, 600));
	put(d, "j", ban_of("192.0.2.1", 20, 700));
	put(d, "j", ban_of("192.0.2.1", 20, 700)); /* told again */
	s = history(d, "192.0.2.1");
	assert_int_equal(s.n, 1);
	assert_int_equal(s.row.at.us, t_plus(10).us);
	assert_int_equal(s.row.until.us, t_plus(700).us);
}

static void a_callback_ends_the_walk(void **state)
{
	struct db *d = *state;
	struct seen s = {.stop_at = 2};

	for (int64_t i = 0; i < 4; i++)
		put(d, "j", ban_of("192.0.2.1", i, 600 + i));
	put(d, "j", ban_of("192.0.2.2", 0, 600));
	put(d, "j", ban_of("192.0.2.3", 0, 600));
	assert_int_equal(db_each_ban(d, t_plus(0), see_ban, &s), 77);
	assert_int_equal(s.n, 2);
	s.n = 0;
	assert_int_equal(db_each_history(d, NULL, 9, see_history, &s), 77);
	assert_int_equal(s.n, 2);
	assert_int_equal(bans(d, t_plus(0)).n, 3); /* and the next one begins anew */
}

static int walk_within(void *ctx, const char *jail, const struct order *o)
{
	(void)jail;
	(void)o;
	assert_int_equal(db_each_ban(ctx, t_plus(0), walk_within, ctx), -EBUSY);
	return 0;
}

static void a_walk_within_itself_is_refused(void **state)
{
	put(*state, "j", ban_of("192.0.2.1", 0, 600));
	assert_int_equal(db_each_ban(*state, t_plus(0), walk_within, *state), 0);
}

static int see_cursor(void *ctx, const char *path, const struct cursor *c)
{
	assert_string_equal(path, "/var/log/mail.log");
	*(struct cursor *)ctx = *c;
	return 5;
}

static void cursors_keep_64_bits(void **state)
{
	struct db *d = *state;
	struct cursor c = {
	    UINT64_MAX, UINT64_MAX - 1, UINT64_MAX - 2, 1, 256, 1ULL << 63};
	struct cursor back = {0};

	assert_int_equal(db_each_cursor(d, see_cursor, &back), 0);
	assert_int_equal(db_put_cursor(d, "/var/log/mail.log", &c), 0);
	c.lines = 2;
	assert_int_equal(db_put_cursor(d, "/var/log/mail.log", &c), 0);
	assert_int_equal(db_each_cursor(d, see_cursor, &back), 5);
	assert_int_equal(back.dev, c.dev);
	assert_int_equal(back.ino, c.ino);
	assert_int_equal(back.offset, c.offset);
	assert_int_equal(back.lines, 2);
	assert_int_equal(back.head_bytes, 256);
	assert_int_equal(back.head_hash, c.head_hash);
}

static int see_tally(
    void *ctx, const char *jail, const struct net *n, struct span state)
{
	struct buf *b = ctx;

	buf_printf(b, "%s ", jail);
	buf_add_net(b, n);
	buf_printf(b, " %zu;", state.n);
	return 0;
}

static void tallies_are_replaced_and_cleared(void **state)
{
	struct db *d = *state;
	struct net a = net_of("192.0.2.1"), b = net_of("192.0.2.0/24");
	CLEANUP(buf_deinit) struct buf text = BUF_INIT(1000);

	assert_int_equal(db_put_tally(d, "j", &a, SPAN("1234")), 0);
	assert_int_equal(db_put_tally(d, "j", &a, SPAN("\0\0\0")), 0);
	assert_int_equal(db_put_tally(d, "k", &b, (struct span){NULL, 0}), 0);
	assert_int_equal(db_each_tally(d, see_tally, &text), 0);
	assert_string_equal(buf_str(&text), "j 192.0.2.1 3;k 192.0.2.0/24 0;");
	assert_int_equal(db_clear_state(d), 0);
	buf_clear(&text);
	assert_int_equal(db_each_tally(d, see_tally, &text), 0);
	assert_string_equal(buf_str(&text), "");
}

static void rollback_undoes_and_commit_keeps(void **state)
{
	struct db *d = *state;

	assert_int_equal(db_begin(d), 0);
	assert_int_equal(db_begin(d), -EINVAL);
	put(d, "j", ban_of("192.0.2.1", 0, 600));
	db_rollback(d);
	assert_int_equal(bans(d, t_plus(0)).n, 0);
	assert_int_equal(db_commit(d), -EINVAL);
	assert_int_equal(db_begin(d), 0);
	put(d, "j", ban_of("192.0.2.1", 0, 600));
	assert_int_equal(db_commit(d), 0);
	assert_int_equal(bans(d, t_plus(0)).n, 1);
	db_rollback(d); /* of nothing */
}

static void names_are_data(void **state)
{
	struct db *d = *state;
	const char *name = "x'); DROP TABLE bans; --\"%s";

	put(d, name, ban_of("192.0.2.1", 0, 600));
	assert_string_equal(bans(d, t_plus(0)).jail, name);
}

static void purge_keeps_both_sides_of_the_bound(void **state)
{
	struct db *d = *state;
	struct cursor c = {0};

	put(d, "ended-before", ban_of("192.0.2.1", 0, 10));
	unban(d, "ended-before", "192.0.2.1", 10, ORDER_EXPIRED);
	put(d, "ended-at", ban_of("192.0.2.2", 0, 100));
	unban(d, "ended-at", "192.0.2.2", 100, ORDER_EXPIRED);
	put(d, "lasts", ban_of("192.0.2.3", 0, 1000));
	put(d, "unseen", ban_of("192.0.2.4", 0, 99));
	put(d, "user", ban_of("192.0.2.5", 0, 1000));
	unban(d, "user", "192.0.2.5", 50, ORDER_BY_USER);
	assert_int_equal(db_put_cursor(d, "/var/log/mail.log", &c), 0);

	/* "unseen" leaves history and bans; T0 is long before the cursor's last put */
	assert_int_equal(db_purge(d, t_plus(100)), 4);
	assert_int_equal(history(d, NULL).n, 2);
	assert_int_equal(bans(d, t_plus(0)).n, 1);
	assert_int_equal(db_purge(d, t_plus(100)), 0);
	assert_int_equal(db_purge(d, WALL_NONE), 0);
	/* a cursor, both that are left in history, and the ban */
	assert_int_equal(db_purge(d, WALL_NEVER), 4);
}

static void purge_works_in_steps(void **state)
{
	struct db *d = *state;
	struct order forever = ban_of("2001:db8::1", 100, 0);

	forever.until = WALL_NEVER;
	assert_int_equal(db_begin(d), 0);
	for (int64_t i = 0; i < 2500; i++) /* more than two steps, many at one time */
		put(d, "j",
		    ban_of(i % 2 ? "192.0.2.1" : "2001:db8::/48", i / 2, i / 2 + 1));
	put(d, "j", forever);
	assert_int_equal(db_commit(d), 0);
	assert_int_equal(db_purge(d, t_plus(1200)), 2 * 1199);
	assert_int_equal(history(d, NULL).n, 2500 - 2 * 1199 + 1);
	assert_int_equal(db_purge(d, WALL_NEVER), 2 * 51 + 2);
	assert_int_equal(bans(d, t_plus(0)).n, 1);
	assert_int_equal(history(d, NULL).n, 1);
}

static int note_offender(void *ctx, const char *jail, const struct offender *o)
{
	struct offender *out = ctx;

	assert_string_equal(jail, "j");
	*out = *o;
	return 0;
}

static void offenders_keep_the_newest_ban(void **state)
{
	struct db *d = *state;
	struct offender o = {.net = net_of("192.0.2.1"),
			    .count = 3,
			    .at = t_plus(10),
			    .until = t_plus(20)},
			got = {.count = 0};

	assert_int_equal(db_put_offender(d, "j", &o), 0);
	o.count = 2;
	o.at = t_plus(9);
	assert_int_equal(db_put_offender(d, "j", &o), 0);
	assert_int_equal(db_each_offender(d, note_offender, &got), 0);
	assert_int_equal(got.count, 3);
	assert_true(got.at.us == t_plus(10).us && got.until.us == t_plus(20).us);
	o.count = 0;
	assert_int_equal(db_put_offender(d, "j", &o), 0);
	got.count = 77;
	assert_int_equal(db_each_offender(d, note_offender, &got), 0);
	assert_int_equal(got.count, 77);
	o.count = 1;
	assert_int_equal(db_put_offender(d, "j", &o), 0);
	assert_int_equal(db_clear_state(d), 0);
	assert_int_equal(db_each_offender(d, note_offender, &got), 0);
	assert_int_equal(got.count, 77);
}

static void offenders_go_after_three_lengths(void **state)
{
	struct db *d = *state;
	struct offender o = {.net = net_of("192.0.2.1"),
	    .count = 3,
	    .at = t_plus(0),
	    .until = t_plus(100)};

	assert_int_equal(db_put_offender(d, "j", &o), 0);
	o.until = WALL_NEVER;
	assert_int_equal(db_put_offender(d, "for good", &o), 0);
	assert_int_equal(db_purge(d, t_plus(300)), 0);
	assert_int_equal(db_purge(d, t_plus(301)), 1);
	assert_int_equal(db_purge(d, t_plus(1000000)), 0);
}

static int note_credit(void *ctx, const struct credit *c)
{
	struct credit *out = ctx;

	*out = *c;
	return 0;
}

static void credit_stays(void **state)
{
	struct db *d = *state;
	struct credit c = {.net = net_of("192.0.2.1"),
			  .at = t_plus(100),
			  .hour = 20000,
			  .n_days = 2,
			  .n_kinds = 1,
			  .kinds = {{7, 20000, 15000, 2}}},
		      got = {.n_kinds = 0};

	assert_int_equal(db_put_credit(d, &c), 0);
	/* An older state does not take the place of a newer one. */
	c.at = t_plus(99);
	c.n_days = 1;
	assert_int_equal(db_put_credit(d, &c), 0);
	/* A snapshot knows of it no better. */
	assert_int_equal(db_clear_state(d), 0);
	assert_int_equal(db_each_credit(d, note_credit, &got), 0);
	assert_int_equal(got.n_days, 2);
	assert_int_equal(got.at.us, t_plus(100).us);
	assert_memory_equal(got.kinds, c.kinds, sizeof(c.kinds));
	assert_true(net_eq(&got.net, &c.net));

	assert_int_equal(db_purge(d, t_plus(100 + DB_CREDIT_DAYS * 86400)), 0);
	assert_int_equal(db_purge(d, t_plus(101 + DB_CREDIT_DAYS * 86400)), 1);
}

static int count_credit(void *ctx, const struct credit *c)
{
	(void)c;
	++*(int *)ctx;
	return 0;
}

/* Who has a network of IPv6 can be very many, and each once. */
static void credit_is_bounded(void **state)
{
	struct db *d = *state;
	struct credit c = {.net = net_of("2001:db8::"), .n_kinds = 1};
	int n = 0;

	assert_int_equal(db_begin(d), 0);
	for (uint32_t i = 0; i < DB_MAX_CREDIT + 2500; i++) {
		memcpy(&c.net.addr[12], &i, sizeof(i));
		c.at = t_plus(i);
		assert_int_equal(db_put_credit(d, &c), 0);
	}
	assert_int_equal(db_commit(d), 0);
	assert_int_equal(db_purge(d, t_plus(0)), 2500);
	assert_int_equal(db_each_credit(d, count_credit, &n), 0);
	assert_int_equal(n, DB_MAX_CREDIT);
	assert_int_equal(db_purge(d, t_plus(0)), 0);
}

static void the_number_of_a_ban_stays(void **state)
{
	struct db *d = *state;
	struct order o = ban_of("192.0.2.1", 0, 600);

	o.ban_count = 4;
	put(d, "j", o);
	o.ban_count = 0;
	put(d, "j", o);
	assert_int_equal(bans(d, t_plus(0)).ban.ban_count, 4);
	assert_int_equal(history(d, NULL).row.ban_count, 4);
}

static void all_bans_of_a_jail_are_lifted_at_once(void **state)
{
	struct db *d = *state;

	put(d, "j", ban_of("192.0.2.1", 0, 600));
	put(d, "j", ban_of("192.0.2.2", 0, 50));
	put(d, "k", ban_of("192.0.2.3", 0, 600));
	assert_int_equal(db_put_lifted(d, "j", t_plus(100)), 0);
	assert_int_equal(bans(d, t_plus(0)).n, 1);
	assert_string_equal(bans(d, t_plus(0)).jail, "k");
	assert_int_equal(history(d, "192.0.2.1").row.ended.us, t_plus(100).us);
	assert_string_equal(history(d, "192.0.2.1").end_cause, "user");
	assert_int_equal(history(d, "192.0.2.2").row.ended.us, t_plus(50).us);
	assert_int_equal(history(d, "192.0.2.3").row.ended.us, WALL_NONE.us);
}

/* A snapshot forgets the bans first; what happened before it is told behind that. */
static void what_is_lifted_has_an_end_though_its_ban_is_gone(void **state)
{
	struct db *d = *state;

	put(d, "j", ban_of("192.0.2.1", 0, 600));
	assert_int_equal(db_clear_state(d), 0);
	assert_int_equal(db_put_lifted(d, "j", t_plus(100)), 0);
	assert_int_equal(history(d, "192.0.2.1").row.ended.us, t_plus(100).us);
}

static void the_step_of_a_ban_is_the_last_one(void **state)
{
	struct db *d = *state;
	struct order o = ban_of("192.0.2.1", 0, 600);

	o.step = 1;
	put(d, "j", o);
	assert_int_equal(bans(d, t_plus(0)).ban.step, 1);
	o.step = 2;
	put(d, "j", o);
	assert_int_equal(bans(d, t_plus(0)).ban.step, 2);
}

static void a_senseless_row_is_left_out(void **state)
{
	struct db *d = *state;

	put(d, "j", ban_of("192.0.2.1", 0, 600));
	/* A prefix of 200 bits; host bits set; evidence that is none. */
	assert_int_equal(
	    sqlite3_exec(d->sql,
		"INSERT INTO bans SELECT 'a', x'00000000000000000000ffffc0000201c8', "
		"at, until, 0, NULL, 1, 0, NULL, NULL, 0"
		" FROM bans WHERE jail = 'j';"
		"INSERT INTO bans SELECT 'b',"
		" x'20010db800000000000000000000000120', at, until, 0, NULL, 1, 0, "
		"NULL, NULL, 0"
		" FROM bans WHERE jail = 'j';"
		"UPDATE bans SET why = x'ffff' WHERE jail = 'j'",
		NULL, NULL, NULL),
	    SQLITE_OK);
	assert_int_equal(bans(d, t_plus(0)).n, 1);
	assert_string_equal(bans(d, t_plus(0)).jail, "j");
	assert_int_equal(bans(d, t_plus(0)).ban.n_why, 0);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, open_memory, close_memory)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_ban_comes_back_whole),
	    TEST(an_id_comes_back_with_its_text),
	    TEST(twice_is_once),
	    TEST(over_is_left_out),
	    TEST(prolonging_keeps_the_evidence),
	    TEST(a_snapshot_keeps_the_evidence),
	    TEST(unban_ends_history),
	    TEST(unban_of_nothing_is_fine),
	    TEST(a_ban_that_ran_out_unseen_ends_at_its_time),
	    TEST(banned_again_lasts_again),
	    TEST(history_is_newest_first_and_bounded),
	    TEST(a_ban_that_lasts_and_is_put_later_is_the_same_ban),
	    TEST(a_callback_ends_the_walk),
	    TEST(a_walk_within_itself_is_refused),
	    TEST(cursors_keep_64_bits),
	    TEST(tallies_are_replaced_and_cleared),
	    TEST(rollback_undoes_and_commit_keeps),
	    TEST(names_are_data),
	    TEST(purge_keeps_both_sides_of_the_bound),
	    TEST(purge_works_in_steps),
	    TEST(offenders_keep_the_newest_ban),
	    TEST(offenders_go_after_three_lengths),
	    TEST(credit_stays),
	    TEST(credit_is_bounded),
	    TEST(the_number_of_a_ban_stays),
	    TEST(the_step_of_a_ban_is_the_last_one),
	    TEST(all_bans_of_a_jail_are_lifted_at_once),
	    TEST(what_is_lifted_has_an_end_though_its_ban_is_gone),
	    TEST(a_senseless_row_is_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
