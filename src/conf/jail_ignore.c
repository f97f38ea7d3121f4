/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * jail_ignore - ignorecommand, and how long its answers are kept
 */

#include <errno.h>

#include "base/clock.h"
#include "conf/chars.h"
#include "conf/jail.h"
#include "conf/params.h"

#define MAX_COUNT 10000
#define MAX_COUNT_DEFAULT 100
#define MAX_TIME_DEFAULT_SEC 300

static void bad(struct jail_reader *rd, struct conf_place at, const char *what)
{
	diag_add(rd->ld->d, DIAG_ERROR, at,
	    "ignorecache: %s, expected key=\"<ip>\", max-count=100, max-time=5m", what);
	rd->j->is_broken = true;
}

static void read_item(struct jail_reader *rd, const struct params_item *i)
{
	struct conf_ignorecache *c = &rd->j->ignorecache;
	struct conf_place at = text_place(&i->value, 0);
	int64_t n;

	if (!strcmp(i->name, "key")) {
		c->key = i->value.p;
	} else if (!strcmp(i->name, "max-count")) {
		if (span_to_i64(text_span(&i->value), &n) < 0 || n < 1 || n > MAX_COUNT)
			bad(rd, at, "max-count is not a number from 1 to 10000");
		else
			c->max_count = (uint32_t)n;
	} else if (!strcmp(i->name, "max-time")) {
		if (duration_parse(text_span(&i->value), &c->max_time_sec) < 0)
			bad(rd, at, "max-time is not a duration");
	} else {
		bad(rd, at, "there is no such option");
	}
}

/* What stands there is the inside of brackets. */
static int read_cache(struct jail_reader *rd, const struct text *t)
{
	CLEANUP(buf_deinit) struct buf b = BUF_INIT(TEXT_MAX);
	struct text whole = *t;
	struct params p;

	buf_printf(&b, "cache[" SPAN_FMT "]", SPAN_ARG(chars_trim(text_span(t))));
	whole.p = arena_dup(rd->ld->arena, buf_span(&b));
	whole.n = b.n;
	if (!whole.p || b.failed)
		return -ENOMEM;
	int r = params_parse(rd->ld->arena, rd->ld->d, "ignorecache", &whole, &p);

	if (r) {
		rd->j->is_broken = true;
		return r == -ENOMEM ? r : 0;
	}
	for (size_t i = 0; i < p.n; i++)
		read_item(rd, &p.items[i]);
	if (!rd->j->ignorecache.key && !rd->j->is_broken)
		bad(rd, text_place(t, 0), "it has no key");
	return 0;
}

int jail_apply_ignorecommand(struct jail_reader *rd)
{
	const struct text *cache = jail_find_value(rd, "ignorecache");

	rd->j->ignorecache = (struct conf_ignorecache){
	    .max_count = MAX_COUNT_DEFAULT, .max_time_sec = MAX_TIME_DEFAULT_SEC};
	if (!cache || !chars_trim(text_span(cache)).n)
		return 0;
	return read_cache(rd, cache);
}
