/* SPDX-License-Identifier: GPL-2.0-or-later */
/* db_sums: booked once, told by this and that, bounded */
#include "record/db_sums.h"

#include "tests/unit/record/record_test.h"

#define HOUR INT64_C(3600)
#define DAY (24 * HOUR)
/* The beginning of a day (UTC), so that hours and days are easily told. */
#define D0 ((T0 / US_PER_SEC / DAY) * DAY)

static wall_t at(int64_t sec)
{
	return wall_from_sec(D0 + sec);
}

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

static void sum(struct db *d, int64_t sec, const char *jail, int rule,
    const char *reason, struct db_numbers n)
{
	assert_int_equal(db_add_sum(d, at(sec), jail, rule, reason, &n), 0);
}

static void who(
    struct db *d, int64_t sec, const char *jail, const char *net, struct db_numbers n)
{
	struct net parsed = net_of(net);

	assert_int_equal(db_add_who(d, at(sec), jail, &parsed, &n), 0);
}

/* All rows as text: "KEY passed bans attempts packets bytes blocked; ". */
static int tell(void *ctx, const struct db_sums_row *r)
{
	struct buf *b = ctx;

	if (r->jail)
		buf_printf(b, "%s ", r->jail);
	if (r->reason)
		buf_printf(b, "%d '%s' ", (int)r->rule, r->reason);
	if (r->net.bits)
		buf_add_net(b, &r->net);
	else
		buf_printf(
		    b, "@%lld", (long long)((r->at.us / US_PER_SEC - D0) / HOUR));
	buf_printf(b, " %d %d %d %d %d %d; ", (int)r->n.passed, (int)r->n.bans,
	    (int)r->n.attempts, (int)r->n.packets, (int)r->n.bytes, (int)r->blocked);
	return 0;
}

static void expect(
    struct db *d, enum db_sums_by by, int64_t since, int64_t now, const char *wanted)
{
	CLEANUP(buf_deinit) struct buf b = BUF_INIT(1 << 16);

	assert_int_equal(db_each_sum(d, by, at(since), at(now), 100, tell, &b), 0);
	assert_string_equal(buf_str(&b), wanted);
}

static void sums_add_up(void **state)
{
	struct db *d = *state;

	sum(d, 10, "a", 0, "x", (struct db_numbers){3, 1, 0, 0, 0});
	sum(d, HOUR - 1, "a", 0, "x", (struct db_numbers){1, 0, 2, 8, 480});
	sum(d, HOUR, "a", 1, "y", (struct db_numbers){1, 0, 0, 0, 0});
	sum(d, HOUR + 5, "b", DB_RULE_BY_HAND, NULL,
	    (struct db_numbers){0, 1, 9, 36, 2160});
	expect(d, DB_BY_HOUR, 0, DAY, "@0 4 1 2 8 480 0; @1 1 1 9 36 2160 0; ");
	expect(d, DB_BY_HOUR, HOUR + 60, DAY, "@1 1 1 9 36 2160 0; ");
	expect(d, DB_BY_JAIL, 0, DAY, "b @1 0 1 9 36 2160 0; a @0 5 1 2 8 480 0; ");
	expect(d, DB_BY_REASON, 0, DAY,
	    "b -2 '' @1 0 1 9 36 2160 0; a 0 'x' @0 4 1 2 8 480 0; "
	    "a 1 'y' @1 1 0 0 0 0 0; ");
	expect(d, DB_BY_ALL, 0, DAY, "@0 5 2 11 44 2640 0; ");
}

static void networks_are_told_together(void **state)
{
	struct db *d = *state;

	who(d, 0, "a", "192.0.2.1", (struct db_numbers){1, 1, 0, 0, 0});
	who(d, 0, "b", "192.0.2.1", (struct db_numbers){1, 1, 0, 0, 0});
	who(d, 0, "a", "192.0.2.200", (struct db_numbers){1, 0, 4, 16, 960});
	who(d, 0, "a", "198.51.0.0/16", (struct db_numbers){0, 1, 3, 12, 720});
	who(d, 0, "a", "198.52.0.0/16", (struct db_numbers){0, 1, 2, 8, 480});
	who(d, 0, "a", "2001:db8:0:1::5", (struct db_numbers){1, 1, 0, 0, 0});
	who(d, 0, "a", "2001:db8:0:1::6", (struct db_numbers){1, 0, 0, 0, 0});
	expect(d, DB_BY_NETWORK, 0, HOUR,
	    "192.0.2.0/24 3 2 4 16 960 1; 198.51.0.0/16 0 1 3 12 720 1; "
	    "198.52.0.0/16 0 1 2 8 480 1; 2001:db8:0:1::/64 2 1 0 0 0 1; ");
	expect(d, DB_BY_ADDRESS, 0, HOUR,
	    "192.0.2.200 1 0 4 16 960 0; 198.51.0.0/16 0 1 3 12 720 1; "
	    "192.0.2.1 2 2 0 0 0 1; 198.52.0.0/16 0 1 2 8 480 1; 2001:db8:0:1::5 1 1 0 "
	    "0 0 1; "
	    "2001:db8:0:1::6 1 0 0 0 0 0; ");
	struct net one = net_of("192.0.2.1");
	struct db_numbers all;

	assert_int_equal(db_sum_of_who(d, &one, at(HOUR), &all), 0);
	assert_int_equal(all.passed, 2);
	sum(d, 0, "a", 0, "x", (struct db_numbers){1, 0, 0, 0, 0});
	expect(d, DB_BY_ALL, 0, HOUR, "@0 1 0 0 0 0 4; ");
}

static void a_batch_is_booked_once(void **state)
{
	struct db *d = *state;

	assert_int_equal(db_begin(d), 0);
	assert_int_equal(db_sums_begin(d, UINT64_MAX, 1), 0);
	assert_int_equal(db_sums_begin(d, UINT64_MAX, 1), DB_SUMS_BOOKED);
	assert_int_equal(db_sums_begin(d, UINT64_MAX, 2), 0);
	assert_int_equal(db_commit(d), 0);
	assert_int_equal(db_sums_begin(d, UINT64_MAX, 1), DB_SUMS_BOOKED);
	assert_int_equal(db_begin(d), 0);
	assert_int_equal(db_sums_begin(d, UINT64_MAX, 3), 0);
	db_rollback(d); /* it never was */
	assert_int_equal(db_sums_begin(d, UINT64_MAX, 3), 0);
	assert_int_equal(db_sums_begin(d, 7, 1), 0); /* another process */
}

static struct net numbered(uint32_t i)
{
	struct net n = net_of("2001:db8::");

	memcpy(n.addr + 8, &i, sizeof(i));
	return n;
}

static void an_hour_has_so_many_addresses(void **state)
{
	struct db *d = *state;
	const struct db_numbers one = {.passed = 1};
	struct net known = numbered(0), late = net_of("192.0.2.1");

	assert_int_equal(db_begin(d), 0);
	for (uint32_t i = 0; i < DB_WHO_MAX_HOUR + 5; i++) {
		struct net n = numbered(i);

		assert_int_equal(db_add_who(d, at(0), "a", &n, &one), 0);
	}
	assert_int_equal(db_commit(d), 0);
	assert_int_equal(db_add_who(d, at(0), "a", &late, &one), 0);
	assert_int_equal(db_add_who(d, at(0), "a", &known, &one), 0);
	assert_int_equal(db_add_who(d, at(HOUR), "a", &late, &one), 0);

	struct buf b = BUF_INIT(1 << 22);

	assert_int_equal(
	    db_each_sum(d, DB_BY_ADDRESS, at(0), at(HOUR), SIZE_MAX, tell, &b), 0);
	assert_true(span_starts(buf_span(&b), SPAN("2001:db8:: 2 0")));
	assert_int_equal(span_find(buf_span(&b), SPAN("192.0.2.1 2 ")), -1);
	assert_true(span_find(buf_span(&b), SPAN("192.0.2.1 1 ")) > 0);
	size_t n_rows = 0;

	for (size_t i = 0; i < b.n; i++)
		n_rows += b.p[i] == ';';
	assert_int_equal(n_rows, DB_WHO_MAX_HOUR + 1);
	buf_deinit(&b);
}

static void hours_become_days_and_days_go(void **state)
{
	struct db *d = *state;
	const struct db_numbers n = {1, 0, 1, 4, 240};

	for (int64_t hour = 0; hour < 48; hour += 8) {
		sum(d, hour * HOUR, "a", 0, "x", n);
		who(d, hour * HOUR, "a", "192.0.2.1", n);
	}
	struct net one = net_of("192.0.2.1");
	struct db_numbers all;

	assert_int_equal(db_sum_of_who(d, &one, at(2 * DAY), &all), 0);
	assert_int_equal(all.packets, 24);
	assert_int_equal(db_fold_sums(d, at(3 * DAY + HOUR)), 0);
	assert_int_equal(db_sum_of_who(d, &one, at(3 * DAY + HOUR), &all), 0);
	assert_int_equal(all.packets, 24);
	assert_int_equal(db_sum_of_who(d, &one, at(32 * DAY), &all), 0);
	assert_int_equal(all.packets, 0);
	/* The first day of addresses is one row, the sums are as they were. */
	expect(d, DB_BY_HOUR, 0, 3 * DAY + HOUR,
	    "@0 1 0 1 4 240 0; @8 1 0 1 4 240 0; @16 1 0 1 4 240 0; "
	    "@24 1 0 1 4 240 0; @32 1 0 1 4 240 0; @40 1 0 1 4 240 0; ");
	expect(d, DB_BY_ADDRESS, 0, 3 * DAY + HOUR, "192.0.2.1 6 0 6 24 1440 0; ");
	/* Who asks from within a day that is one row is told the whole of it. */
	expect(
	    d, DB_BY_ADDRESS, 20 * HOUR, 3 * DAY + HOUR, "192.0.2.1 6 0 6 24 1440 0; ");
	expect(
	    d, DB_BY_ADDRESS, 30 * HOUR, 3 * DAY + HOUR, "192.0.2.1 2 0 2 8 480 0; ");

	assert_int_equal(db_fold_sums(d, at(32 * DAY)), 0);
	assert_int_equal(db_fold_sums(d, at(32 * DAY)), 0); /* once is enough */
	expect(d, DB_BY_HOUR, 0, 32 * DAY, "@0 3 0 3 12 720 0; @24 3 0 3 12 720 0; ");
	expect(d, DB_BY_ADDRESS, 0, 32 * DAY, "");
	assert_int_equal(db_fold_sums(d, at(401 * DAY)), 0);
	expect(d, DB_BY_HOUR, 0, 401 * DAY, "@24 3 0 3 12 720 0; ");
	assert_int_equal(db_fold_sums(d, at(402 * DAY)), 0);
	expect(d, DB_BY_HOUR, 0, 402 * DAY, "");
}

static void a_full_day_keeps_the_greatest(void **state)
{
	struct db *d = *state;
	struct buf b = BUF_INIT(1 << 22);
	size_t n_rows = 0;

	assert_int_equal(db_begin(d), 0);
	for (uint32_t i = 0; i < DB_WHO_MAX_DAY + 10; i++) {
		struct net n = numbered(i);
		const struct db_numbers v = {.passed = i < 10 ? 1 : 2};

		assert_int_equal(
		    db_add_who(d, at(i / 4000 * HOUR + HOUR), "a", &n, &v), 0);
	}
	assert_int_equal(db_commit(d), 0);
	assert_int_equal(db_fold_sums(d, at(4 * DAY)), 0);
	assert_int_equal(
	    db_each_sum(d, DB_BY_ADDRESS, at(0), at(4 * DAY), SIZE_MAX, tell, &b), 0);
	for (size_t i = 0; i < b.n; i++)
		n_rows += b.p[i] == ';';
	assert_int_equal(n_rows, DB_WHO_MAX_DAY);
	assert_int_equal(span_find(buf_span(&b), SPAN(" 1 0 0")), -1);
	buf_deinit(&b);
}

static void senseless_numbers_do_no_harm(void **state)
{
	struct db *d = *state;
	const struct db_numbers most = {INT64_MAX, INT64_MIN, INT64_MAX, 1, INT64_MAX};

	for (int i = 0; i < 100; i++)
		assert_int_equal(db_add_sum(d, at(0), "a", 0, "x", &most), 0);
	assert_int_equal(db_add_sum(d, (wall_t){-1}, "a", 0, "x", &most), 0);
	assert_int_equal(db_fold_sums(d, at(0)), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_memory, close_memory)
	const struct CMUnitTest tests[] = {
	    TEST(sums_add_up),
	    TEST(networks_are_told_together),
	    TEST(a_batch_is_booked_once),
	    TEST(an_hour_has_so_many_addresses),
	    TEST(hours_become_days_and_days_go),
	    TEST(a_full_day_keeps_the_greatest),
	    TEST(senseless_numbers_do_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
