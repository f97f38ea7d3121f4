/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sums: from the engine's counts to the keeper's tables, once */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "proc/message.h"
#include "proc/sums.h"

#define T0 INT64_C(1795651200) /* an hour begins */

static char regex[] = "reject: <HOST>", long_regex[400];
static char *regexes[] = {regex, long_regex};
static char name_a[] = "a", name_b[] = "b";
static struct setup_jail jails[] = {
    {.name = name_a, .failregex = regexes, .n_failregex = 2},
    {.name = name_b},
};
static const struct setup names = {.jails = jails, .n_jails = 2};

struct fixture {
	struct db *d;
	struct sums *s;
	struct buf bodies;
	uint64_t batch;
};

static int set_up(void **state)
{
	static struct fixture f;
	struct err e = {""};

	f = (struct fixture){
	    db_open(":memory:", &e), sums_new(), BUF_INIT(32 << 20), 0};
	*state = &f;
	return f.d && f.s ? 0 : -1;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	sums_free(f->s);
	db_close(f->d);
	buf_deinit(&f->bodies);
	return 0;
}

static struct net net_of(const char *text)
{
	struct net n;

	assert_int_equal(net_parse(span_of(text), &n), 0);
	return n;
}

static void add(struct fixture *f, int64_t sec, uint32_t jail, int rule,
    const char *net, struct db_numbers n)
{
	struct net who = net_of(net);

	sums_add(f->s, wall_from_sec(T0 + sec), jail, rule, &who, &n);
}

/* Give all bodies to the database, as one checkpoint. */
static void book(struct fixture *f)
{
	struct unpack all = unpack_of(buf_span(&f->bodies));

	assert_int_equal(db_begin(f->d), 0);
	while (all.p < all.end) {
		struct span body = unpack_span(&all);
		struct unpack u = unpack_of(body);

		assert_false(all.bad);
		assert_true(body.n <= MESSAGE_MAX_BYTES - 2);
		assert_int_equal(sums_book(&u, f->d), 0);
		assert_false(u.bad);
	}
	assert_int_equal(db_commit(f->d), 0);
}

static int tell(void *ctx, const struct db_sums_row *r)
{
	struct buf *b = ctx;

	if (r->jail)
		buf_printf(b, "%s ", r->jail);
	if (r->reason)
		buf_printf(b, "%d '%.20s' ", (int)r->rule, r->reason);
	if (r->net.bits)
		buf_add_net(b, &r->net);
	buf_printf(
	    b, " %d %d %d; ", (int)r->n.passed, (int)r->n.bans, (int)r->n.attempts);
	return 0;
}

static void expect(struct fixture *f, enum db_sums_by by, const char *wanted)
{
	struct buf b = BUF_INIT(1 << 16);
	wall_t now = wall_from_sec(T0 + 7200);

	assert_int_equal(
	    db_each_sum(f->d, by, wall_from_sec(T0), now, 100, tell, &b), 0);
	assert_string_equal(buf_str(&b), wanted);
	buf_deinit(&b);
}

static void counts_arrive_by_name(void **state)
{
	struct fixture *f = *state;

	add(f, 0, 0, 0, "192.0.2.1", (struct db_numbers){.passed = 1});
	add(f, 9, 0, 0, "192.0.2.1", (struct db_numbers){.passed = 1});
	add(f, 9, 0, 0, "192.0.2.1", (struct db_numbers){.bans = 1});
	add(f, 3600, 1, DB_RULE_BY_HAND, "192.0.2.2",
	    (struct db_numbers){.attempts = 7});
	add(f, -T0 - 5, 0, 0, "192.0.2.1", (struct db_numbers){.passed = 1});
	add(f, 0, 7, 0, "192.0.2.1",
	    (struct db_numbers){.passed = 1}); /* no such jail */
	assert_false(sums_is_empty(f->s));
	sums_take(f->s, &names, 1, &f->batch, &f->bodies);
	assert_true(sums_is_empty(f->s));
	book(f);
	expect(f, DB_BY_REASON, "b -2 ''  0 0 7; a 0 'reject: <HOST>'  2 1 0; ");
	expect(f, DB_BY_ADDRESS, "192.0.2.2 0 0 7; 192.0.2.1 2 1 0; ");
	expect(f, DB_BY_HOUR, " 2 1 0;  0 0 7; ");
}

static void what_is_sent_again_is_booked_once(void **state)
{
	struct fixture *f = *state;

	add(f, 0, 0, 0, "192.0.2.1", (struct db_numbers){.passed = 1});
	sums_take(f->s, &names, 1, &f->batch, &f->bodies);
	book(f);
	/* It was not confirmed; meanwhile there is more. */
	add(f, 0, 0, 0, "192.0.2.1", (struct db_numbers){.passed = 10});
	sums_take(f->s, &names, 1, &f->batch, &f->bodies);
	book(f);
	book(f);
	expect(f, DB_BY_JAIL, "a  11 0 0; ");
	expect(f, DB_BY_ADDRESS, "192.0.2.1 11 0 0; ");
}

static void another_process_begins_anew(void **state)
{
	struct fixture *f = *state;

	add(f, 0, 0, 0, "192.0.2.1", (struct db_numbers){.passed = 1});
	sums_take(f->s, &names, 1, &f->batch, &f->bodies);
	book(f);
	buf_clear(&f->bodies);
	f->batch = 0;
	add(f, 0, 0, 0, "192.0.2.1", (struct db_numbers){.passed = 1});
	sums_take(f->s, &names, 2, &f->batch, &f->bodies);
	book(f);
	expect(f, DB_BY_JAIL, "a  2 0 0; ");
}

static void many_addresses_keep_to_their_bounds(void **state)
{
	struct fixture *f = *state;
	const struct db_numbers one = {.passed = 1};

	for (uint32_t i = 0; i < SUMS_MAX_WHO + 10; i++) {
		struct net who = net_from_v4(i * 2654435761u);

		sums_add(f->s, wall_from_sec(T0 + i % 4 * 3600), 0, 0, &who, &one);
	}
	assert_int_equal(sums_n_lost(f->s), 0);
	for (int64_t hour = 0; hour < SUMS_MAX + 10; hour++)
		add(f, -hour * 3600, 1, 0, "192.0.2.1", one);
	assert_true(sums_n_lost(f->s) > 0);
	sums_take(f->s, &names, 1, &f->batch, &f->bodies);
	assert_false(f->bodies.failed);
	book(f);
}

static void a_long_reason_is_cut_between_characters(void **state)
{
	struct fixture *f = *state;

	memset(long_regex, 'x', sizeof(long_regex) - 1);
	memcpy(long_regex + SUMS_REASON_BYTES - 1, "\xe2\x82\xac", 3);
	add(f, 0, 0, 1, "192.0.2.1", (struct db_numbers){.passed = 1});
	sums_take(f->s, &names, 1, &f->batch, &f->bodies);

	struct unpack all = unpack_of(buf_span(&f->bodies));
	struct unpack u = unpack_of(unpack_span(&all));

	(void)unpack_u64(&u);
	(void)unpack_u64(&u);
	(void)unpack_u8(&u);
	(void)unpack_u32(&u);
	(void)unpack_wall(&u);
	free(unpack_str(&u));
	(void)unpack_i64(&u);
	assert_int_equal(unpack_span(&u).n, SUMS_REASON_BYTES - 1);
}

static void broken_bodies_are_refused(void **state)
{
	struct fixture *f = *state;

	add(f, 0, 0, 0, "192.0.2.1", (struct db_numbers){.passed = 1});
	sums_take(f->s, &names, 1, &f->batch, &f->bodies);

	struct unpack all = unpack_of(buf_span(&f->bodies));
	struct span body = unpack_span(&all);

	assert_int_equal(db_begin(f->d), 0);
	for (size_t n = 0; n < body.n; n++) {
		struct unpack u = unpack_of((struct span){body.p, n});

		assert_int_equal(sums_book(&u, f->d), 0);
		assert_true(u.bad);
		db_rollback(f->d);
		assert_int_equal(db_begin(f->d), 0);
	}
	db_rollback(f->d);
	expect(f, DB_BY_JAIL, "");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	    TEST(counts_arrive_by_name),
	    TEST(what_is_sent_again_is_booked_once),
	    TEST(another_process_begins_anew),
	    TEST(many_addresses_keep_to_their_bounds),
	    TEST(a_long_reason_is_cut_between_characters),
	    TEST(broken_bodies_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
