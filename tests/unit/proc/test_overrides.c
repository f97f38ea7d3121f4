/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "proc/overrides.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "proc/changes.h"

static void put_set(
    struct buf *b, const char *jail, const char *option, const char *value)
{
	pack_u8(b, OVERRIDE_SET);
	pack_u32(b, 1);
	pack_str(b, jail);
	pack_str(b, option);
	pack_str(b, value);
}

static int apply(struct overrides *o, struct buf *b)
{
	struct unpack u = unpack_of(buf_span(b));
	int r = overrides_apply(o, &u);

	buf_deinit(b);
	return r;
}

static int set(
    struct overrides *o, const char *jail, const char *option, const char *value)
{
	struct buf b = BUF_INIT(4 * OVERRIDES_MAX_BYTES);

	put_set(&b, jail, option, value);
	return apply(o, &b);
}

static int unset(struct overrides *o, const char *jail, const char *option)
{
	struct buf b = BUF_INIT(1000);

	pack_u8(&b, OVERRIDE_UNSET);
	pack_str(&b, jail);
	pack_str(&b, option);
	return apply(o, &b);
}

static int clear(struct overrides *o, const char *jail)
{
	struct buf b = BUF_INIT(1000);

	pack_u8(&b, OVERRIDE_CLEAR);
	pack_str(&b, jail);
	return apply(o, &b);
}

static void the_last_value_holds(UNUSED void **state)
{
	struct overrides o = {0};
	const struct conf_override seven = {"a", "maxretry", "7"};
	const struct conf_override nine = {"a", "maxretry", "9"};

	assert_int_equal(set(&o, "a", "maxretry", "7"), 0);
	assert_int_equal(set(&o, "b", "maxretry", "8"), 0);
	assert_int_equal(set(&o, NULL, "maxretry", "1"), 0);
	assert_true(overrides_hold(&o, &seven));
	assert_int_equal(set(&o, "a", "maxretry", "9"), 0);
	assert_int_equal(o.n, 3);
	assert_true(overrides_hold(&o, &nine) && !overrides_hold(&o, &seven));
	overrides_deinit(&o);
}

static void what_was_set_can_be_taken_back(UNUSED void **state)
{
	struct overrides o = {0};

	assert_int_equal(unset(&o, "a", "enabled"), -ENOENT);
	assert_int_equal(set(&o, "a", "enabled", "false"), 0);
	assert_int_equal(set(&o, "a", "maxretry", "1"), 0);
	assert_int_equal(set(&o, "b", "enabled", "false"), 0);
	assert_int_equal(unset(&o, "a", "enabled"), 0);
	assert_int_equal(unset(&o, "a", "enabled"), -ENOENT);
	assert_int_equal(o.n, 2);
	assert_int_equal(clear(&o, "a"), 0);
	assert_int_equal(o.n, 1);
	assert_int_equal(clear(&o, NULL), 0);
	assert_int_equal(o.n, 0);
	assert_int_equal(o.n_bytes, 0);
	overrides_deinit(&o);
}

static void both_caps_refuse(UNUSED void **state)
{
	struct overrides o = {0};
	char option[16];
	char *big = malloc(OVERRIDES_MAX_BYTES + 1);

	for (int i = 0; i < OVERRIDES_MAX; i++) {
		snprintf(option, sizeof(option), "o%d", i);
		assert_int_equal(set(&o, "a", option, "1"), 0);
	}
	assert_int_equal(set(&o, "a", "more", "1"), -ENOSPC);
	assert_int_equal(set(&o, "a", "o0", "2"), 0); /* replaced, not added */
	assert_int_equal(clear(&o, NULL), 0);
	memset(big, 'x', OVERRIDES_MAX_BYTES);
	big[OVERRIDES_MAX_BYTES] = '\0';
	assert_int_equal(set(&o, "a", "b", big), -ENOSPC);
	big[OVERRIDES_MAX_BYTES - 2] = '\0';
	assert_int_equal(set(&o, "a", "b", big), 0);
	assert_int_equal(set(&o, "a", "c", "1"), -ENOSPC);
	free(big);
	overrides_deinit(&o);
}

static void it_survives_the_wire(UNUSED void **state)
{
	struct overrides o = {0}, back = {0};
	CLEANUP(buf_deinit) struct buf b = BUF_INIT(1000);

	assert_int_equal(set(&o, "a", "failregex", "^x <HOST>\n^%y"), 0);
	assert_int_equal(set(&o, NULL, "loglevel", "DEBUG"), 0);
	overrides_encode(&o, &b);
	struct unpack u = unpack_of(buf_span(&b));

	assert_int_equal(overrides_decode(&u, &back), 0);
	assert_int_equal(unpack_end(&u), 0);
	assert_int_equal(back.n, 2);
	assert_true(overrides_hold(&back, &o.items[0]));
	assert_true(overrides_hold(&back, &o.items[1]));
	for (size_t n = 0; n < b.n; n++) {
		struct overrides part = {0};

		u = unpack_of((struct span){b.p, n});
		assert_int_equal(overrides_decode(&u, &part), -EBADMSG);
		overrides_deinit(&part);
	}
	overrides_deinit(&o);
	overrides_deinit(&back);
}

static void nonsense_is_refused(UNUSED void **state)
{
	struct overrides o = {0};
	struct buf b = BUF_INIT(100);

	assert_int_equal(apply(&o, &b), -EBADMSG);
	b = BUF_INIT(100);
	pack_u8(&b, 77);
	assert_int_equal(apply(&o, &b), -EBADMSG);
	b = BUF_INIT(100);
	put_set(&b, "a", NULL, "1");
	assert_int_equal(apply(&o, &b), -EBADMSG);
	b = BUF_INIT(100);
	put_set(&b, "a", "b", "1");
	pack_u8(&b, 0);
	assert_int_equal(apply(&o, &b), -EBADMSG);
	overrides_deinit(&o);
}

/* --- changes: what holds is what was accepted --- */

static void ask(struct buf *b, uint64_t id, const char *value)
{
	*b = BUF_INIT(1000);
	pack_u64(b, id);
	put_set(b, "a", "maxretry", value);
}

static void a_refused_change_leaves_the_others(UNUSED void **state)
{
	const struct conf_override seven = {"a", "maxretry", "7"};
	const struct conf_override bad = {"a", "maxretry", "bad"};
	struct changes c = {0};
	struct buf b;

	ask(&b, 5, "7");
	assert_int_equal(changes_begin(&c, buf_span(&b)), 0);
	assert_int_equal(c.id, 5);
	assert_true(overrides_hold(&c.next, &seven) && !overrides_hold(&c.now, &seven));
	changes_end(&c, true);
	assert_true(overrides_hold(&c.now, &seven));
	assert_int_equal(c.id, 0);
	buf_deinit(&b);
	ask(&b, 6, "bad");
	assert_int_equal(changes_begin(&c, buf_span(&b)), 0);
	assert_true(overrides_hold(&c.next, &bad));
	changes_end(&c, false);
	assert_true(overrides_hold(&c.now, &seven));
	buf_deinit(&b);
	/* A reload that fails keeps them, one that does not ends them. */
	changes_begin_reload(&c);
	changes_end(&c, false);
	assert_int_equal(c.now.n, 1);
	changes_begin_reload(&c);
	changes_end(&c, true);
	assert_int_equal(c.now.n, 0);
	changes_deinit(&c);
}

static void others_wait_in_order(UNUSED void **state)
{
	struct changes c = {0};
	struct buf b;

	for (int i = 0; i <= CHANGES_MAX_WAITING; i++) {
		char value[16];

		snprintf(value, sizeof(value), "%d", i);
		ask(&b, (uint64_t)i, value);
		assert_int_equal(changes_wait(&c, buf_span(&b)),
		    i < CHANGES_MAX_WAITING ? 0 : -ENOSPC);
		buf_deinit(&b);
	}
	for (int i = 0; i < CHANGES_MAX_WAITING - 1; i++) {
		assert_true(changes_next(&c, &b));
		struct unpack u = unpack_of(buf_span(&b));

		assert_int_equal(unpack_u64(&u), i);
		buf_deinit(&b);
	}
	changes_deinit(&c); /* with one that waits */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_last_value_holds),
	    cmocka_unit_test(what_was_set_can_be_taken_back),
	    cmocka_unit_test(both_caps_refuse),
	    cmocka_unit_test(it_survives_the_wire),
	    cmocka_unit_test(nonsense_is_refused),
	    cmocka_unit_test(a_refused_change_leaves_the_others),
	    cmocka_unit_test(others_wait_in_order),
	};

	return cmocka_run_group_tests_name("overrides", tests, NULL, NULL);
}
