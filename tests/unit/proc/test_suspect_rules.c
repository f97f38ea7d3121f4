/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "proc/suspect_rules.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/pack.h"

#define SEC US_PER_SEC
#define NOW_SEC 5000 /* by the log; the machine has run for 900 s */

static struct nft_target smtp = {.n_ports = 1, .ports = {{25, 25}}};
static struct setup_jail jails[] = {
    {.findtime_sec = 60,
	.sever = true,
	.makeroom = true,
	.n_targets = 1,
	.targets = &smtp},
    {.findtime_sec = 1e12,
	.sever = true,
	.makeroom = true,
	.n_targets = 1,
	.targets = &smtp},
    {.findtime_sec = 60, .sever = true, .n_targets = 1, .targets = &smtp},
    {.findtime_sec = 60, .makeroom = true, .n_targets = 1, .targets = &smtp},
    {.findtime_sec = 60, .sever = true, .makeroom = true},
};
static struct setup setup = {.jails = jails, .n_jails = ARRAY_LEN(jails)};
static const mono_t mono = {900 * SEC};

static bool is_one(uint32_t jail, const char *text, int64_t at_sec, struct suspect *out)
{
	struct net n;

	assert_int_equal(net_parse(span_of(text), &n), 0);
	return suspect_of(&setup, jail, &n, (wall_t){at_sec * SEC},
	    (wall_t){NOW_SEC * SEC}, mono, out);
}

static void jails_that_make_room(void **state)
{
	(void)state;
	assert_true(suspect_makes_room(&setup, 0) && suspect_makes_room(&setup, 1));
	for (uint32_t i = 2; i <= ARRAY_LEN(jails); i++)
		assert_false(suspect_makes_room(&setup, i));
	setup.dry_run = true;
	assert_false(suspect_makes_room(&setup, 0));
	setup.dry_run = false;
}

static void who_failed_is_one_as_long_as_that_counts(void **state)
{
	struct suspect w;

	(void)state;
	assert_true(is_one(0, "192.0.2.1", NOW_SEC - 59, &w));
	assert_int_equal(w.jail, 0);
	assert_int_equal(w.failed_at.us, (900 - 59) * SEC);
	assert_int_equal(w.until.us, 901 * SEC);
	assert_false(is_one(0, "192.0.2.1", NOW_SEC - 60, &w));
	/* A date in the future is now. */
	assert_true(is_one(0, "2001:db8::1", NOW_SEC + 3600, &w));
	assert_int_equal(w.until.us, 960 * SEC);
}

static void nobody_is_one_for_long(void **state)
{
	struct suspect w;

	(void)state;
	assert_true(is_one(1, "192.0.2.1", NOW_SEC, &w));
	assert_int_equal(w.until.us, mono.us + SUSPECT_KEEP_MAX_SEC * SEC);
	assert_false(is_one(1, "192.0.2.1", NOW_SEC - SUSPECT_KEEP_MAX_SEC, &w));
	assert_false(is_one(1, "192.0.2.1", INT64_MIN / SEC, &w));
}

static void networks_and_ids_are_none(void **state)
{
	struct suspect w;
	struct net id;

	(void)state;
	assert_false(is_one(0, "192.0.2.0/24", NOW_SEC, &w));
	assert_int_equal(net_parse_id(span_of("somebody"), &id), 0);
	assert_false(suspect_of(&setup, 0, &id, (wall_t){NOW_SEC * SEC},
	    (wall_t){NOW_SEC * SEC}, mono, &w));
	assert_false(is_one(2, "192.0.2.1", NOW_SEC, &w));
	assert_false(is_one(ARRAY_LEN(jails), "192.0.2.1", NOW_SEC, &w));
}

/* The enforcer's clock is the same one, a little later. */
static void records_come_back(void **state)
{
	CLEANUP(buf_deinit) struct buf b = BUF_INIT(1000);
	struct suspect in, out;

	(void)state;
	assert_true(is_one(0, "2001:db8::1", NOW_SEC - 10, &in));
	suspect_pack(&b, &in, mono);
	assert_int_equal(b.n, SUSPECT_RECORD_BYTES);
	struct unpack u = unpack_of(buf_span(&b));

	assert_true(suspect_unpack(&u, &setup, (mono_t){901 * SEC}, &out));
	assert_int_equal(unpack_end(&u), 0);
	assert_true(net_eq(&in.net, &out.net));
	assert_int_equal(out.failed_at.us, in.failed_at.us + SEC);
	/* By then it is over. */
	u = unpack_of(buf_span(&b));
	setup.jails[0].findtime_sec = 10;
	assert_false(suspect_unpack(&u, &setup, mono, &out));
	assert_false(u.bad);
	setup.jails[0].findtime_sec = 60;
}

static bool is_taken(uint32_t jail, uint32_t ago_ms, const struct net *n, bool *out_bad)
{
	CLEANUP(buf_deinit) struct buf b = BUF_INIT(1000);
	struct suspect w;

	pack_u32(&b, jail);
	pack_u32(&b, ago_ms);
	pack_net(&b, n);
	struct unpack u = unpack_of(buf_span(&b));
	bool is_one = suspect_unpack(&u, &setup, mono, &w);

	*out_bad = u.bad;
	return is_one;
}

/* Whatever the engine says. */
static void records_are_checked(void **state)
{
	struct net host = net_from_v4(1), wide = net_mask(net_from_v4(0), 8), id;
	bool bad;

	(void)state;
	assert_true(is_taken(0, 0, &host, &bad));
	assert_false(is_taken(UINT32_MAX, 0, &host, &bad) || bad);
	assert_false(is_taken(0, UINT32_MAX, &host, &bad) || bad);
	assert_false(is_taken(0, 0, &wide, &bad));
	assert_true(bad);
	assert_int_equal(net_parse_id(span_of("somebody"), &id), 0);
	assert_false(is_taken(0, 0, &id, &bad));
	assert_true(bad);
	struct unpack u = unpack_of((struct span){"\0\0\0\0", 4});
	struct suspect w;

	assert_false(suspect_unpack(&u, &setup, mono, &w));
	assert_true(u.bad);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(jails_that_make_room),
	    cmocka_unit_test(who_failed_is_one_as_long_as_that_counts),
	    cmocka_unit_test(nobody_is_one_for_long),
	    cmocka_unit_test(networks_and_ids_are_none),
	    cmocka_unit_test(records_come_back),
	    cmocka_unit_test(records_are_checked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
