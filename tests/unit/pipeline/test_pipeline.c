/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "config_folder.h"
#include "pipeline/pipeline.h"

#define DAY 86400
/* 2026-11-24 12:00:00 in Berlin. */
#define NOON 1795518000

struct bench {
	struct config_folder folder;
	struct setup *setup;
	struct pipeline *pipeline;
	struct orders orders;
};

static void start(struct bench *b, const char *jails)
{
	struct err e = {""};

	config_folder_make(&b->folder);
	config_folder_write(&b->folder, "filter.d/postfix.conf",
	    "[Definition]\nfailregex = reject: RCPT from \\S*\\[<HOST>\\]: 554\n");
	config_folder_write(&b->folder, "jail.conf", jails);
	b->setup = config_folder_setup(&b->folder, NULL);
	b->pipeline = pipeline_new(b->setup, &e);
	assert_non_null(b->pipeline);
	b->orders = (struct orders){0};
}

static void end(struct bench *b)
{
	pipeline_free(b->pipeline);
	setup_free(b->setup);
	orders_deinit(&b->orders);
	config_folder_remove(&b->folder);
}

static const char one_jail[] = "[postfix]\nenabled = true\nfilter = postfix\n"
			       "logpath = /var/log/a\nmaxretry = 3\nfindtime = 600\n"
			       "bantime = 3600\n";

/* A reject at @sec after NOON, told when the clock says @now_sec after NOON. */
static void feed(
    struct bench *b, const char *ip, int sec, int now_sec, bool live, wall_t now)
{
	char text[200];

	snprintf(text, sizeof(text),
	    "Nov 24 %02d:%02d:%02d mx postfix/smtpd[1]: NOQUEUE: reject: RCPT from "
	    "unknown[%s]: 554 5.7.1 no",
	    12 + sec / 3600, sec / 60 % 60, sec % 60, ip);
	struct line l = {.text = span_of(text),
	    .stamp = WALL_NONE,
	    .live = live,
	    .read_at = wall_from_sec(NOON + now_sec)};

	assert_int_equal(pipeline_feed(b->pipeline, 0, &l, now, &b->orders), 0);
}

static void three_in_the_window_ban(UNUSED void **state)
{
	struct bench b;

	start(&b, one_jail);
	for (int i = 0; i < 3; i++)
		feed(&b, "192.0.2.1", i, i, true, wall_from_sec(NOON + i));
	assert_int_equal(b.orders.n, 1);
	assert_int_equal(b.orders.items[0].op, ORDER_BAN);
	assert_int_equal(b.orders.items[0].at.us, wall_from_sec(NOON + 2).us);
	assert_int_equal(b.orders.items[0].until.us, wall_from_sec(NOON + 2 + 3600).us);
	end(&b);
}

static void a_replay_goes_by_the_log_and_lifts_what_ended(UNUSED void **state)
{
	struct bench b;

	start(&b, one_jail);
	for (int i = 0; i < 3; i++)
		feed(&b, "192.0.2.1", i, DAY, false, WALL_NONE);
	feed(&b, "192.0.2.2", 4000, DAY, false, WALL_NONE);
	assert_int_equal(b.orders.n, 2);
	assert_int_equal(b.orders.items[1].op, ORDER_UNBAN);
	assert_int_equal(b.orders.items[1].at.us, wall_from_sec(NOON + 3602).us);
	end(&b);
}

static void what_is_over_by_now_is_not_banned_live(UNUSED void **state)
{
	struct bench b;

	start(&b, one_jail);
	for (int i = 0; i < 3; i++)
		feed(&b, "192.0.2.1", i, 7200, false, wall_from_sec(NOON + 7200));
	assert_int_equal(b.orders.n, 0);
	end(&b);
}

static void a_live_line_of_a_wrong_clock_is_of_now(UNUSED void **state)
{
	struct bench b;
	struct pipeline_counts c;

	start(&b, one_jail);
	for (int i = 0; i < 3; i++)
		feed(&b, "192.0.2.1", i, 7200, true, wall_from_sec(NOON + 7200));
	assert_int_equal(b.orders.n, 1);
	assert_int_equal(b.orders.items[0].at.us, wall_from_sec(NOON + 7200).us);
	pipeline_counts(b.pipeline, 0, &c);
	assert_int_equal(c.skewed, 3);
	assert_int_equal(c.failures, 3);
	end(&b);
}

static void the_window_option_leaves_out_the_rest(UNUSED void **state)
{
	struct bench b;

	start(&b, one_jail);
	pipeline_set_window(
	    b.pipeline, wall_from_sec(NOON + 1), wall_from_sec(NOON + 3));
	for (int i = 0; i < 3; i++)
		feed(&b, "192.0.2.1", i, DAY, false, WALL_NONE);
	assert_int_equal(b.orders.n, 0);
	feed(&b, "192.0.2.1", 3, DAY, false, WALL_NONE);
	assert_int_equal(b.orders.n, 1);
	end(&b);
}

/* Whether somebody is banned, as a replay asks before it weighs. */
static bool is_free(void *ctx, const struct hit *h)
{
	struct bench *b = ctx;
	struct engine_bounds bounds;

	engine_bounds(pipeline_engine(b->pipeline), &bounds);
	return h->class == HIT_ABUSE && !bounds.n_bans;
}

static void a_hit_that_is_not_wanted_is_not_weighed(UNUSED void **state)
{
	struct bench b;
	struct pipeline_counts c;

	start(&b, one_jail);
	pipeline_on_hit(b.pipeline, is_free, &b);
	for (int i = 0; i < 100; i++)
		feed(&b, "192.0.2.1", i, DAY, false, WALL_NONE);
	pipeline_counts(b.pipeline, 0, &c);
	assert_int_equal(c.failures, 3);
	assert_int_equal(b.orders.n, 1);
	/* The ban of before is over when it is asked again. */
	feed(&b, "192.0.2.1", 3602, DAY, false, WALL_NONE);
	pipeline_counts(b.pipeline, 0, &c);
	assert_int_equal(c.failures, 4);
	assert_int_equal(b.orders.items[1].op, ORDER_UNBAN);
	end(&b);
}

static void a_reload_keeps_bans_and_ends_those_of_lost_jails(UNUSED void **state)
{
	struct bench b;
	struct err e = {""};
	struct engine_counts c;

	start(&b, one_jail);
	for (int i = 0; i < 3; i++)
		feed(&b, "192.0.2.1", i, i, true, wall_from_sec(NOON + i));
	orders_clear(&b.orders);

	config_folder_write(&b.folder, "jail.conf",
	    "[new]\nenabled = true\nfilter = postfix\nlogpath = /var/log/b\n"
	    "[postfix]\nenabled = true\nfilter = postfix\nlogpath = /var/log/a\n");
	struct setup *second = config_folder_setup(&b.folder, NULL);

	assert_int_equal(
	    pipeline_reload(b.pipeline, second, wall_from_sec(NOON + 5), &b.orders, &e),
	    0);
	assert_int_equal(b.orders.n, 0);
	engine_counts(pipeline_engine(b.pipeline), 1, &c);
	assert_int_equal(c.banned_now, 1);
	setup_free(b.setup);
	b.setup = second;

	config_folder_write(&b.folder, "jail.conf",
	    "[new]\nenabled = true\nfilter = postfix\nlogpath = /var/log/b\n");
	struct setup *third = config_folder_setup(&b.folder, NULL);

	assert_int_equal(
	    pipeline_reload(b.pipeline, third, wall_from_sec(NOON + 6), &b.orders, &e),
	    0);
	assert_int_equal(b.orders.n, 1);
	assert_int_equal(b.orders.items[0].cause, ORDER_JAIL_GONE);
	assert_int_equal(b.orders.items[0].jail, 1);
	setup_free(b.setup);
	b.setup = third;
	end(&b);
}

/* A failure of "who", by the clock of NOON. */
static void feed_who(struct bench *b, const char *who)
{
	char text[600];

	snprintf(text, sizeof(text), "Nov 24 12:00:00 app: failure of \"%s\"", who);
	struct line l = {.text = span_of(text),
	    .stamp = WALL_NONE,
	    .live = true,
	    .read_at = wall_from_sec(NOON)};

	assert_int_equal(pipeline_feed(b->pipeline, 0, &l, l.read_at, &b->orders), 0);
}

#define APP(regex, more)                                                        \
	"[app]\nenabled = true\nfilter =\nlogpath = /var/log/a\nmaxretry = 2\n" \
	"failregex = failure of \"" regex "\"\n" more "\n"

static void start_app(struct bench *b, const char *jails)
{
	config_folder_make(&b->folder);
	config_folder_write(
	    &b->folder, "action.d/mine.conf", "[Definition]\nactionban = lock <fid>\n");
	config_folder_write(&b->folder, "jail.conf", jails);

	struct err e = {""};

	b->setup = config_folder_setup(&b->folder, NULL);
	b->pipeline = pipeline_new(b->setup, &e);
	assert_non_null(b->pipeline);
	b->orders = (struct orders){0};
}

static void note_useless(void *ctx, UNUSED uint32_t jail)
{
	++*(int *)ctx;
}

static void ids_count_and_are_banned(UNUSED void **state)
{
	struct bench b;
	struct pipeline_counts c;
	char too_long[NET_ID_MAX_BYTES + 2] = "";
	int n_told = 0;

	start_app(&b, APP("<F-ID>[^\"]+</F-ID>", "action = mine"));
	pipeline_on_useless_id(b.pipeline, note_useless, &n_told);
	feed_who(&b, "alice $(x)");
	feed_who(&b, "bob");
	assert_int_equal(b.orders.n, 0);
	feed_who(&b, "alice $(x)");
	assert_int_equal(b.orders.n, 1);
	assert_int_equal(b.orders.items[0].op, ORDER_BAN);
	assert_string_equal(b.orders.items[0].id, "alice $(x)");
	assert_int_equal(b.orders.items[0].ip.bits, 0);
	/* What only looks like an address is none, and no id; an address is one. */
	for (int i = 0; i < 2; i++) {
		feed_who(&b, "300.1.1.1");
		feed_who(&b, "192.0.2.1");
	}
	assert_int_equal(b.orders.n, 2);
	assert_null(b.orders.items[1].id);
	memset(too_long, 'x', sizeof(too_long) - 1);
	for (int i = 0; i < 2; i++)
		feed_who(&b, too_long);
	assert_int_equal(b.orders.n, 2);
	pipeline_counts(b.pipeline, 0, &c);
	assert_int_equal(c.no_address, 4);
	assert_int_equal(n_told, 0);
	end(&b);
}

static void an_id_beside_an_address_counts(UNUSED void **state)
{
	struct bench b;

	start_app(&b, APP("<F-ID>\\w+</F-ID>, <ADDR>", "action = mine"));
	feed_who(&b, "s1, 192.0.2.1");
	feed_who(&b, "s2, 192.0.2.1");
	assert_int_equal(b.orders.n, 0);
	feed_who(&b, "s1, 192.0.2.2");
	assert_int_equal(b.orders.n, 1);
	assert_string_equal(b.orders.items[0].id, "s1");
	assert_int_equal(net_v4_bytes(&b.orders.items[0].ip)[3], 2);
	end(&b);
}

static void a_firewall_has_no_use_for_ids(UNUSED void **state)
{
	struct bench b;
	int n_told = 0;

	start_app(&b, APP("<F-ID>\\w+</F-ID>(?:, <ADDR>)?", "action = nftables"));
	assert_int_equal(b.setup->jails[0].n_targets, 1);
	pipeline_on_useless_id(b.pipeline, note_useless, &n_told);
	feed_who(&b, "s1");
	feed_who(&b, "s1");
	assert_int_equal(b.orders.n, 0);
	assert_int_equal(n_told, 1);
	/* The address beside it is of use. */
	feed_who(&b, "s1, 192.0.2.1");
	feed_who(&b, "s2, 192.0.2.1");
	assert_int_equal(b.orders.n, 1);
	assert_null(b.orders.items[0].id);
	end(&b);
}

static void usedns_raw_bans_names(UNUSED void **state)
{
	struct bench b;

	start_app(&b, APP("<HOST>", "action = mine\nusedns = raw"));
	feed_who(&b, "a.example");
	feed_who(&b, "a.example");
	assert_int_equal(b.orders.n, 1);
	assert_string_equal(b.orders.items[0].id, "a.example");
	end(&b);
}

/* A block of its own memory, which is gone when its lines are. */
static void feed_block(
    struct bench *b, const char *text, const uint32_t *jails, uint32_t n_jails)
{
	CLEANUP(freep) char *lines = strdup(text);
	struct span rest = span_of(text), line;
	struct pipeline_block block = {
	    .lines = {lines, strlen(text)},
	    .jails = jails,
	    .n_jails = n_jails,
	    .read_at = wall_from_sec(NOON + DAY),
	};

	while (span_next_line(&rest, &line))
		block.n_lines++;
	assert_int_equal(
	    pipeline_feed_block(b->pipeline, &block, WALL_NONE, &b->orders), 0);
}

/* One jail reads several logs with others; what it skipped in one of them dates a line
 * of the next. */
static void a_date_serves_lines_of_later_blocks(UNUSED void **state)
{
	static const char reject[] =
	    " mx postfix/smtpd[1]: NOQUEUE: reject: RCPT from x[192.0.2.1]: 554 no\n";
	static const uint32_t groups[][3] = {{0}, {0, 1}, {0, 1, 2}, {0, 2}};
	static const uint32_t sizes[] = {1, 2, 3, 2};
	struct bench b;
	char jails[1024] = "";

	for (int i = 0; i < 3; i++)
		snprintf(jails + strlen(jails), sizeof(jails) - strlen(jails),
		    "[j%d]\nenabled = true\nfilter = postfix\nlogpath = /var/log/%d\n"
		    "maxretry = %d\nfindtime = 600\nbantime = 3600\n",
		    i, i, i ? 100 : 1);
	start(&b, jails);
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		feed_block(&b, "Nov 24 12:00:00 mx nothing\n", groups[i], sizes[i]);
		feed_block(&b, "nothing, without a date\n", groups[i], sizes[i]);
	}
	assert_int_equal(b.orders.n, 0);
	feed_block(&b, reject, groups[0], sizes[0]);
	assert_int_equal(b.orders.n, 1);
	assert_int_equal(b.orders.items[0].at.us, wall_from_sec(NOON).us);
	end(&b);
}

/* The last line of a log may have no end; that of the next log is not its tail. */
static void a_log_may_end_within_a_line(UNUSED void **state)
{
	static const uint32_t first = 0;
	struct bench b;

	start(&b, "[j]\nenabled = true\nfilter = postfix\nlogpath = /var/log/a\n"
		  "maxretry = 1\nfindtime = 600\nbantime = 3600\n");
	feed_block(&b, "Nov 24 11:30:00 mx nothing", &first, 1);
	feed_block(&b, "Nov 24 12:00:00 mx nothing\n", &first, 1);
	feed_block(&b,
	    " mx postfix/smtpd[1]: NOQUEUE: reject: RCPT from x[192.0.2.1]: 554\n",
	    &first, 1);
	assert_int_equal(b.orders.n, 1);
	assert_int_equal(b.orders.items[0].at.us, wall_from_sec(NOON).us);
	end(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(three_in_the_window_ban),
	    cmocka_unit_test(a_replay_goes_by_the_log_and_lifts_what_ended),
	    cmocka_unit_test(what_is_over_by_now_is_not_banned_live),
	    cmocka_unit_test(a_live_line_of_a_wrong_clock_is_of_now),
	    cmocka_unit_test(the_window_option_leaves_out_the_rest),
	    cmocka_unit_test(a_hit_that_is_not_wanted_is_not_weighed),
	    cmocka_unit_test(a_date_serves_lines_of_later_blocks),
	    cmocka_unit_test(a_log_may_end_within_a_line),
	    cmocka_unit_test(ids_count_and_are_banned),
	    cmocka_unit_test(an_id_beside_an_address_counts),
	    cmocka_unit_test(a_firewall_has_no_use_for_ids),
	    cmocka_unit_test(usedns_raw_bans_names),
	    cmocka_unit_test(a_reload_keeps_bans_and_ends_those_of_lost_jails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
