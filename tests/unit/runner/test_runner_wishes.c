/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What changes while a command runs, what fails, and what is lost: each commands of an
 * action in the order in which they are to be.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <time.h>

#include <cmocka.h>

#include "runner_fake.h"

#define PLAIN                                                                        \
	"actionstart=start\nactionstop=stop\nactionban=ban <ip>\nactionunban=unban " \
	"<ip>\n"                                                                     \
	"actionreload=reload\n"
#define CHECKED PLAIN "actioncheck=check\n"
/* One chain and one set for both families. */
#define SHARED                                                             \
	"actionstart=start\nactionstop=stop\nactioncheck=check <family>\n" \
	"actionban=ban <ip> <kind>\nactionunban=unban <ip> <kind>\n"       \
	"kind=a\nkind?family=inet6=aaaa\n"
#define APART                                                    \
	"actionstart=start <family>\nactionstop=stop <family>\n" \
	"actionban=ban <ip>\nactionunban=unban <ip>\n"           \
	"kind=a\nkind?family=inet6=aaaa\n"

struct bench {
	struct run_jails jails;
	bool is_idle;
};

static void on_idle(void *ctx)
{
	((struct bench *)ctx)->is_idle = true;
}

static int set_up(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));

	/* The loop is only handed on to the fake, which has no use for it. */
	run_jails_init(&b->jails, (struct loop *)b);
	b->jails.idle = on_idle;
	b->jails.ctx = b;
	*state = b;
	return 0;
}

static int tear_down(void **state)
{
	struct bench *b = *state;

	run_jails_deinit(&b->jails);
	free(b);
	return 0;
}

/* One jail with these actions, called "a", "b" ... */
static void load(struct bench *b, const char *first, const char *second)
{
	struct fake_setup s;

	fake_setup_init(&s);
	fake_setup_jail(&s, "jail");
	if (first)
		fake_setup_action(&s, "a", first);
	if (second)
		fake_setup_action(&s, "b", second);
	assert_int_equal(run_jails_setup(&b->jails, &s.setup), 0);
	run_jails_turn(&b->jails);
	fake_setup_deinit(&s);
}

static void order(struct bench *b, enum order_op op, const char *ip, int64_t until)
{
	struct order o = fake_order(op, 0, ip, until);

	run_jails_order(&b->jails, &o, NULL);
	run_jails_turn(&b->jails);
}

static void ban(struct bench *b, const char *ip)
{
	order(b, ORDER_BAN, ip, 2000);
}

static void unban(struct bench *b, const char *ip)
{
	order(b, ORDER_UNBAN, ip, 2000);
}

static void stop(struct bench *b)
{
	b->is_idle = false;
	run_jails_stop(&b->jails);
	run_jails_turn(&b->jails);
}

/* The command that runs is @text; it ends so. */
static void ends(const char *text, enum fake_end how)
{
	assert_string_equal(fake_running(0), text);
	fake_end(0, how);
}

#define worked(text) ends(text, FAKE_OK)
#define failed(text) ends(text, FAKE_FAILS)

static void nothing_runs(void)
{
	assert_string_equal(fake_running(0), "nothing");
}

/* --- wishes that change while a command runs ---------------------------------------
 */

static void test_stop_while_reloading(void **state)
{
	struct bench *b = *state;

	load(b, PLAIN, NULL);
	worked("start");
	ban(b, "192.0.2.1");
	worked("ban 192.0.2.1");
	load(b, PLAIN, NULL);
	stop(b);
	worked("reload");
	worked("unban 192.0.2.1");
	worked("stop");
	nothing_runs();
	assert_true(b->is_idle);
}

static void test_reload_without_it_while_reloading(void **state)
{
	struct bench *b = *state;

	load(b, PLAIN, NULL);
	worked("start");
	load(b, PLAIN, NULL);
	load(b, APART, NULL);
	worked("reload");
	worked("stop");
	nothing_runs();
}

static void test_stop_while_start_fails(void **state)
{
	struct bench *b = *state;

	load(b, PLAIN, NULL);
	ban(b, "192.0.2.1");
	stop(b);
	failed("start");
	worked("stop"); /* it may have set up half of it */
	nothing_runs();
	assert_true(b->is_idle);
}

static void test_stop_while_banning(void **state)
{
	struct bench *b = *state;

	load(b, CHECKED, NULL);
	worked("start");
	ban(b, "192.0.2.1");
	ban(b, "192.0.2.2");
	stop(b);
	failed("ban 192.0.2.1"); /* no check, no repair: nobody wants it */
	worked("check");
	worked("unban 192.0.2.1");
	worked("stop");
	nothing_runs();
}

static void test_stop_while_a_ban_hangs(void **state)
{
	struct bench *b = *state;

	load(b, PLAIN, NULL);
	worked("start");
	ban(b, "192.0.2.1");
	stop(b);
	ends("ban 192.0.2.1", FAKE_LATE);
	ends("unban 192.0.2.1", FAKE_LATE);
	ends("stop", FAKE_LATE);
	nothing_runs();
	assert_true(b->is_idle);
}

static void test_stop_while_repairing(void **state)
{
	struct bench *b = *state;

	load(b, CHECKED, NULL);
	worked("start");
	ban(b, "192.0.2.1");
	failed("ban 192.0.2.1");
	failed("check");
	stop(b);
	worked("stop"); /* the repair's; it is not started again */
	nothing_runs();
	assert_true(b->is_idle);
}

static void test_reload_while_repairing(void **state)
{
	struct bench *b = *state;

	load(b, CHECKED, NULL);
	worked("start");
	ban(b, "192.0.2.1");
	failed("ban 192.0.2.1");
	failed("check");
	load(b, CHECKED, NULL);
	worked("stop");
	worked("start");
	worked("check");
	worked("ban 192.0.2.1");
	nothing_runs();
}

static void test_reload_while_starting(void **state)
{
	struct bench *b = *state;
	static const char second[] = "actionstart=start 2\nactionstop=stop 2\n";

	load(b, PLAIN, second);
	load(b, PLAIN, second);
	worked("start");
	worked("start 2");
	nothing_runs();
}

static void test_reload_while_starting_families(void **state)
{
	struct bench *b = *state;
	static const char at_once[] = APART "actionstart_on_demand=false\n";

	load(b, at_once, NULL);
	load(b, at_once, NULL);
	worked("start inet4");
	worked("start inet6");
	nothing_runs();
}

static void test_each_family_is_reloaded(void **state)
{
	struct bench *b = *state;
	static const char text[] =
	    APART "actionstart_on_demand=false\nactionreload=reload <family>\n";

	load(b, text, NULL);
	worked("start inet4");
	worked("start inet6");
	load(b, text, NULL);
	worked("reload inet4");
	worked("reload inet6");
	nothing_runs();
}

static void test_comes_back_while_stopping(void **state)
{
	struct bench *b = *state;

	load(b, PLAIN, NULL);
	worked("start");
	load(b, NULL, NULL);
	load(b, PLAIN, NULL);
	worked("stop");
	worked("start");
	nothing_runs();
}

static void test_jail_comes_back_while_banning(void **state)
{
	struct bench *b = *state;

	load(b, PLAIN, NULL);
	worked("start");
	ban(b, "192.0.2.1");
	ban(b, "192.0.2.2");
	load(b, NULL, NULL);
	load(b, PLAIN, NULL);
	run_jails_sync_begin(&b->jails);
	ban(b, "192.0.2.2");
	run_jails_sync_end(&b->jails);
	worked("ban 192.0.2.1");
	worked("reload");
	worked("unban 192.0.2.1");
	worked("ban 192.0.2.2");
	nothing_runs();
}

static void test_jail_comes_back_without_its_bans(void **state)
{
	struct bench *b = *state;

	load(b, PLAIN, NULL);
	worked("start");
	ban(b, "192.0.2.1");
	ban(b, "192.0.2.2");
	load(b, NULL, NULL);
	load(b, PLAIN, NULL);
	worked("ban 192.0.2.1");
	worked("reload");
	worked("unban 192.0.2.1");
	nothing_runs();
}

static void test_prolonged_while_banning(void **state)
{
	struct bench *b = *state;

	load(b, PLAIN "actionprolong=prolong <ip> <bantime>\n", NULL);
	worked("start");
	ban(b, "192.0.2.1");
	order(b, ORDER_PROLONG, "192.0.2.1", 3000);
	worked("ban 192.0.2.1");
	order(b, ORDER_PROLONG, "192.0.2.1", 4000);
	worked("prolong 192.0.2.1 2000");
	worked("prolong 192.0.2.1 3000");
	nothing_runs();
}

static void test_unbanned_and_banned_while_banning(void **state)
{
	struct bench *b = *state;

	load(b, PLAIN "actionprolong=prolong <ip> <bantime>\n", NULL);
	worked("start");
	ban(b, "192.0.2.1");
	unban(b, "192.0.2.1");
	order(b, ORDER_BAN, "192.0.2.1", 3000);
	worked("ban 192.0.2.1");
	worked("prolong 192.0.2.1 2000");
	ban(b, "192.0.2.2");
	worked("ban 192.0.2.2");
	nothing_runs();
}

/* --- what fails --------------------------------------------------------------------
 */

static void test_failed_ban_is_undone(void **state)
{
	struct bench *b = *state;

	load(b, PLAIN, NULL);
	worked("start");
	ban(b, "192.0.2.1");
	failed("ban 192.0.2.1");
	ban(b, "192.0.2.2");
	ends("ban 192.0.2.2", FAKE_LATE);
	nothing_runs();
	unban(b, "192.0.2.1");
	worked("unban 192.0.2.1");
	stop(b);
	worked("unban 192.0.2.2");
	worked("stop");
	nothing_runs();
}

static void test_failed_ban_is_tried_again(void **state)
{
	struct bench *b = *state;

	load(b, PLAIN, NULL);
	worked("start");
	ban(b, "192.0.2.1");
	failed("ban 192.0.2.1");
	for (int i = 0; i < 2; i++) {
		run_jails_sync_begin(&b->jails);
		ban(b, "192.0.2.1");
		run_jails_sync_end(&b->jails);
		run_jails_turn(&b->jails);
		if (i == 0) {
			worked("unban 192.0.2.1"); /* it may have worked in part */
			worked("ban 192.0.2.1");
		}
		nothing_runs();
	}
}

static void test_failing_stop_is_run_once(void **state)
{
	struct bench *b = *state;

	load(b, PLAIN, NULL);
	worked("start");
	load(b, NULL, NULL);
	failed("stop");
	nothing_runs();
	stop(b);
	nothing_runs();
	assert_true(b->is_idle);
}

static void test_failing_start_is_not_retried_by_itself(void **state)
{
	struct bench *b = *state;

	load(b, CHECKED, NULL);
	failed("start");
	nothing_runs();
	ban(b, "192.0.2.1");
	failed("ban 192.0.2.1");
	failed("check");
	failed("stop");
	worked("start");
	worked("check");
	worked("ban 192.0.2.1");
	nothing_runs();
}

static void test_repairs_come_to_an_end(void **state)
{
	struct bench *b = *state;
	char ip[32];

	load(b, CHECKED, NULL);
	worked("start");
	for (int i = 1; i < 20; i++) {
		snprintf(ip, sizeof(ip), "192.0.2.%d", i);
		ban(b, ip);
		fake_end(0, FAKE_OK);
	}
	/* A check works right after a start only, and a ban after such a check. */
	size_t begun = fake_n_begun();
	char before[32] = "";

	ban(b, "192.0.2.99");
	while (fake_n_running()) {
		char now[32];

		snprintf(now, sizeof(now), "%s", fake_running(0));
		bool ok = !strncmp(now, "st", 2) ||
			  (!strcmp(now, "check") && !strcmp(before, "start")) ||
			  (!strncmp(now, "ban", 3) && !strcmp(before, "check"));
		memcpy(before, now, sizeof(before));
		fake_end(0, ok ? FAKE_OK : FAKE_FAILS);
		assert_true(fake_n_begun() - begun < 100);
	}
}

static void test_failing_flush(void **state)
{
	struct bench *b = *state;

	load(b, PLAIN "actionflush=flush\n", NULL);
	worked("start");
	ban(b, "192.0.2.1");
	worked("ban 192.0.2.1");
	stop(b);
	failed("flush");
	worked("unban 192.0.2.1");
	worked("stop");
	nothing_runs();
}

/* --- repairs -----------------------------------------------------------------------
 */

static void test_repair_puts_both_families_back(void **state)
{
	struct bench *b = *state;

	load(b, SHARED, NULL);
	ban(b, "192.0.2.1");
	worked("start");
	worked("ban 192.0.2.1 a");
	ban(b, "2001:db8::1");
	worked("ban 2001:db8::1 aaaa");
	ban(b, "2001:db8::2");
	failed("ban 2001:db8::2 aaaa");
	failed("check inet6");
	worked("stop");
	worked("start");
	worked("check inet6");
	worked("ban 2001:db8::2 aaaa");
	worked("ban 192.0.2.1 a");
	worked("ban 2001:db8::1 aaaa");
	nothing_runs();
}

static void test_repair_retries_what_failed_before(void **state)
{
	struct bench *b = *state;

	load(b, CHECKED, NULL);
	worked("start");
	ban(b, "192.0.2.1");
	failed("ban 192.0.2.1");
	worked("check"); /* by mistake */
	failed("ban 192.0.2.1");
	ban(b, "192.0.2.2");
	failed("ban 192.0.2.2");
	failed("check");
	worked("stop");
	worked("start");
	worked("check");
	worked("ban 192.0.2.2");
	failed("ban 192.0.2.1"); /* that is no reason for another repair */
	nothing_runs();
}

static void test_shared_stop_takes_the_other_family_down(void **state)
{
	struct bench *b = *state;

	load(b,
	    "actionstart=start <family>\nactionstop=stop\nactioncheck=check\n"
	    "actionban=ban <ip>\nactionunban=unban <ip>\nx?family=inet6=1\n",
	    NULL);
	ban(b, "192.0.2.1");
	worked("start inet4");
	worked("ban 192.0.2.1");
	ban(b, "2001:db8::1");
	worked("start inet6");
	failed("ban 2001:db8::1");
	failed("check");
	worked("stop");
	worked("start inet6");
	worked("check");
	worked("ban 2001:db8::1");
	worked("start inet4");
	worked("ban 192.0.2.1");
	nothing_runs();
	stop(b);
	worked("unban 192.0.2.1");
	worked("unban 2001:db8::1");
	worked("stop");
	nothing_runs();
}

static void test_repair_of_one_family_leaves_the_other(void **state)
{
	struct bench *b = *state;

	load(b, APART "actioncheck=check <family>\n", NULL);
	ban(b, "192.0.2.1");
	worked("start inet4");
	worked("ban 192.0.2.1");
	ban(b, "2001:db8::1");
	worked("start inet6");
	failed("ban 2001:db8::1");
	failed("check inet6");
	worked("stop inet6");
	worked("start inet6");
	worked("check inet6");
	worked("ban 2001:db8::1");
	nothing_runs();
}

static void test_lifted_while_repairing(void **state)
{
	struct bench *b = *state;

	load(b, CHECKED, NULL);
	worked("start");
	ban(b, "192.0.2.1");
	worked("ban 192.0.2.1");
	ban(b, "192.0.2.2");
	failed("ban 192.0.2.2");
	failed("check");
	unban(b, "192.0.2.2");
	worked("stop"); /* goes on for the other ban */
	worked("start");
	worked("check");
	worked("ban 192.0.2.1");
	nothing_runs();
}

static void test_repair_while_prolonging(void **state)
{
	struct bench *b = *state;

	load(b, CHECKED "actionprolong=prolong <ip>\nactionreban=reban <ip>\n", NULL);
	worked("start");
	ban(b, "192.0.2.1");
	worked("ban 192.0.2.1");
	order(b, ORDER_PROLONG, "192.0.2.1", 3000);
	failed("prolong 192.0.2.1");
	failed("check");
	worked("stop");
	worked("start");
	worked("check");
	worked("reban 192.0.2.1"); /* there is nothing to prolong any more */
	nothing_runs();
}

/* --- restored bans -----------------------------------------------------------------
 */

static void test_many_restored_bans(void **state)
{
	struct bench *b = *state;
	clock_t begin;
	char ip[32];

	load(b, "actionban=ban <ip>\nnorestored=1\n", NULL);
	for (int i = 0; i < 40000; i++) {
		snprintf(ip, sizeof(ip), "10.0.%d.%d", i / 256, i % 256);
		struct order o = fake_order(ORDER_BAN, 0, ip, 2000);

		o.cause = ORDER_RESTORED;
		run_jails_order(&b->jails, &o, NULL);
	}
	run_jails_turn(&b->jails);
	nothing_runs();
	ban(b, "192.0.2.1");
	worked("ban 192.0.2.1");
	begin = clock();
	load(b, NULL, NULL);
	nothing_runs();
	/* With a walk for each of them it would be several. */
	assert_true(clock() - begin < CLOCKS_PER_SEC);
}

static void test_retold_ban_is_not_restored(void **state)
{
	struct bench *b = *state;
	struct order o = fake_order(ORDER_BAN, 0, "192.0.2.1", 2000);

	load(b, PLAIN "norestored=1\n", NULL);
	ban(b, "192.0.2.1"); /* waits for actionstart */
	o.cause = ORDER_RESTORED;
	run_jails_sync_begin(&b->jails);
	run_jails_order(&b->jails, &o, NULL);
	run_jails_sync_end(&b->jails);
	worked("start");
	worked("ban 192.0.2.1");
	nothing_runs();
}

static void test_new_action_is_not_told_of_old_bans(void **state)
{
	struct bench *b = *state;

	load(b, PLAIN, NULL);
	worked("start");
	ban(b, "192.0.2.1");
	worked("ban 192.0.2.1");
	load(b, PLAIN, "actionban=letter <ip>\nnorestored=1\n");
	worked("reload");
	nothing_runs();
	ban(b, "192.0.2.2");
	worked("ban 192.0.2.2");
	worked("letter 192.0.2.2");
	nothing_runs();
}

static void test_litter_is_flushed_even_if_stopped_at_once(void **state)
{
	struct bench *b = *state;
	static const char text[] = PLAIN "actionflush=flush\n";
	struct fake_setup s;

	b->jails.is_littered = true;
	fake_setup_init(&s);
	fake_setup_jail(&s, "jail");
	fake_setup_action(&s, "a", text);
	assert_int_equal(run_jails_setup(&b->jails, &s.setup), 0);
	fake_setup_deinit(&s);
	stop(b);
	failed("flush");
	nothing_runs();
	assert_true(b->is_idle);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_stop_while_reloading),
	    TEST(test_reload_without_it_while_reloading),
	    TEST(test_stop_while_start_fails),
	    TEST(test_stop_while_banning),
	    TEST(test_stop_while_a_ban_hangs),
	    TEST(test_stop_while_repairing),
	    TEST(test_reload_while_repairing),
	    TEST(test_reload_while_starting),
	    TEST(test_reload_while_starting_families),
	    TEST(test_each_family_is_reloaded),
	    TEST(test_comes_back_while_stopping),
	    TEST(test_jail_comes_back_while_banning),
	    TEST(test_jail_comes_back_without_its_bans),
	    TEST(test_prolonged_while_banning),
	    TEST(test_unbanned_and_banned_while_banning),
	    TEST(test_failed_ban_is_undone),
	    TEST(test_failed_ban_is_tried_again),
	    TEST(test_failing_stop_is_run_once),
	    TEST(test_failing_start_is_not_retried_by_itself),
	    TEST(test_repairs_come_to_an_end),
	    TEST(test_failing_flush),
	    TEST(test_repair_puts_both_families_back),
	    TEST(test_repair_retries_what_failed_before),
	    TEST(test_shared_stop_takes_the_other_family_down),
	    TEST(test_repair_of_one_family_leaves_the_other),
	    TEST(test_lifted_while_repairing),
	    TEST(test_repair_while_prolonging),
	    TEST(test_many_restored_bans),
	    TEST(test_retold_ban_is_not_restored),
	    TEST(test_new_action_is_not_told_of_old_bans),
	    TEST(test_litter_is_flushed_even_if_stopped_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
