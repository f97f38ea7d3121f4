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

/* Length of the tag that @text begins with, 0: none; as commands have them. */
static size_t tag_length(struct span text)
{
	size_t n = 1;

	if (text.n < 3 || text.p[0] != '<')
		return 0;
	while (n < text.n && !strchr("<> ", text.p[n]))
		n++;
	return n > 1 && n < text.n && text.p[n] == '>' ? n + 1 : 0;
}

static bool is_known(struct span tag)
{
	static const char *const known[] = {
	    "<ip>", "<fid>", "<ip-rev>", "<ip-host>", "<family>"};

	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		if (span_eq(tag, span_of(known[i])))
			return true;
	}
	return span_starts(tag, SPAN("<F-")) && tag.n > strlen("<F->");
}

/* A key that does not differ would make all addresses one. */
static void read_key(struct jail_reader *rd, const struct text *key)
{
	struct span all = text_span(key);
	size_t n_tags = 0;

	rd->j->ignorecache.key = key->p;
	for (size_t off = 0; off < all.n; off++) {
		struct span tag = span_skip(all, off);

		tag.n = tag_length(tag);
		n_tags += tag.n > 0;
		if (tag.n && !is_known(tag))
			bad(rd, text_place(key, off),
			    "a failure has no such tag (<ip>, <family>, <F-...>)");
	}
	if (!n_tags)
		bad(rd, text_place(key, 0), "its key is the same for all failures");
}

static void read_item(struct jail_reader *rd, const struct params_item *i)
{
	struct conf_ignorecache *c = &rd->j->ignorecache;
	struct conf_place at = text_place(&i->value, 0);
	int64_t n;

	if (!strcmp(i->name, "key")) {
		read_key(rd, &i->value);
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
	CLEANUP(text_out_deinit) struct text_out o = TEXT_OUT_INIT;
	struct text whole;
	struct params p;

	text_out_add(&o, SPAN("cache["), text_place(t, 0), true);
	text_out_add_part(&o, t, 0, t->n);
	text_out_add(&o, SPAN("]"), text_place(t, t->n), true);
	if (text_out_keep(&o, rd->ld->arena, &whole) < 0)
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
