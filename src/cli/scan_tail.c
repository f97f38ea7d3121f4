/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The shell script's work: the last lines of a log, those of this hour, those with a
 * text; counted per client address; at or over the limit it is blocked, once. Unlike
 * the script it forgets a block when its time is over, and never blocks what the guard
 * protects.
 */
#include "cli/scan_tail.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/hash.h"
#include "base/jsonw.h"
#include "cli/input.h"
#include "cli/scan_apply.h"
#include "cli/table.h"
#include "match/stamp.h"
#include "record/db.h"

#define JAIL "scan"

struct tally {
	struct net net;
	uint32_t count;
	enum { FINE, BLOCKED_NOW, BLOCKED_ALREADY, PROTECTED } state;
	enum guard_reason reason; /* PROTECTED: by what */
	wall_t until;
	UT_hash_handle hh;
};

struct last_lines {
	char **lines; /* a ring */
	size_t room, n, next;
};

struct tail_work {
	const struct scan_tail_options *o;
	wall_t now;
	struct last_lines last;
	struct stamp *stamp;
	struct guard *guard;
	bool any_protected;
	struct tally *tallies; /* in order of appearance */
	struct tally *blocked; /* remembered, all of them */
};

struct scan_tail_options scan_tail_defaults(void)
{
	return (struct scan_tail_options){
	    .last = 400,
	    .limit = 5,
	    .grep = "reject:",
	    .port = "25",
	    .interface = "",
	    .for_sec = 86400,
	};
}

static int keep_line(void *ctx, struct span text, UNUSED uint64_t number)
{
	struct last_lines *l = ctx;
	char *copy = span_dup(text);

	if (!copy)
		return -ENOMEM;
	free(l->lines[l->next]);
	l->lines[l->next] = copy;
	l->next = (l->next + 1) % l->room;
	if (l->n < l->room)
		l->n++;
	return 0;
}

static bool same_hour(wall_t a, wall_t b)
{
	struct tm x, y;
	time_t s = (time_t)(a.us / US_PER_SEC), t = (time_t)(b.us / US_PER_SEC);

	localtime_r(&s, &x);
	localtime_r(&t, &y);
	return x.tm_year == y.tm_year && x.tm_yday == y.tm_yday &&
	       x.tm_hour == y.tm_hour;
}

/*
 * Postfix names the client as "from NAME[ADDRESS]" before anything a client can write,
 * so the first one behind the text that was looked for is its.
 */
static bool find_client(struct span line, const char *grep, struct net *out)
{
	ptrdiff_t at = span_find(line, span_of(grep));
	struct span rest = span_skip(line, at < 0 ? line.n : (size_t)at);

	at = span_find(rest, SPAN(" from "));
	if (at < 0)
		return false;
	rest = span_skip(rest, (size_t)at + 6);
	ptrdiff_t open = span_index(rest, '[');
	ptrdiff_t blank = span_index(rest, ' ');

	if (open < 0 || (blank >= 0 && blank < open))
		return false;
	rest = span_skip(rest, (size_t)open + 1);
	ptrdiff_t close = span_index(rest, ']');

	return close > 0 &&
	       net_parse_addr((struct span){rest.p, (size_t)close}, out) == 0;
}

static struct tally *tally_of(struct tally **table, const struct net *n, bool add)
{
	struct tally *t;

	HASH_FIND(hh, *table, n, sizeof(*n), t);
	if (t || !add)
		return t;
	t = calloc(1, sizeof(*t));
	if (!t)
		return NULL;
	t->net = *n;
	HASH_ADD(hh, *table, net, sizeof(t->net), t);
	if (!t->hh.tbl) {
		free(t);
		return NULL;
	}
	return t;
}

static void free_tallies(struct tally **table)
{
	struct tally *t, *next;

	HASH_ITER (hh, *table, t, next) {
		HASH_DEL(*table, t);
		free(t);
	}
}

static void count_line(struct tail_work *w, const char *text)
{
	struct span line = span_of(text);
	struct stamp_result r;
	struct net n;

	if (span_find(line, span_of(w->o->grep)) < 0)
		return;
	if (w->o->this_hour) {
		if (!stamp_find(w->stamp, line, w->now, &r))
			return;
		stamp_keep(w->stamp, w->now);
		if (!same_hour(r.at, w->now))
			return;
	}
	if (!find_client(line, w->o->grep, &n))
		return;
	struct tally *t = tally_of(&w->tallies, &n, true);

	if (t)
		t->count++;
}

static int count_log(struct tail_work *w, const char *path, struct err *e)
{
	struct last_lines *l = &w->last;

	l->room = (size_t)w->o->last;
	l->lines = calloc(l->room, sizeof(*l->lines));
	if (!l->lines)
		return err_set(e, -ENOMEM, "out of memory");
	int r = input_read(path, keep_line, l, e);

	for (size_t i = 0; !r && i < l->n; i++)
		count_line(w, l->lines[(l->next + l->room - l->n + i) % l->room]);
	return r;
}

static int remember(void *ctx, const char *jail, const struct order *o)
{
	struct tail_work *w = ctx;
	struct tally *t =
	    strcmp(jail, JAIL) ? NULL : tally_of(&w->blocked, &o->net, true);

	if (t)
		t->until = o->until;
	return 0;
}

static int judge(struct tail_work *w, struct db *db)
{
	struct tally *t, *next;
	int r = db_begin(db);

	HASH_ITER (hh, w->tallies, t, next) {
		if (r < 0 || t->count < w->o->limit)
			continue;
		struct tally *old = tally_of(&w->blocked, &t->net, false);

		t->reason = guard_check(w->guard, &t->net, mono_now());
		if (t->reason != GUARD_OK) {
			t->state = PROTECTED;
			w->any_protected = true;
			continue;
		}
		if (old) {
			t->state = BLOCKED_ALREADY;
			t->until = old->until;
			continue;
		}
		t->state = BLOCKED_NOW;
		t->until = w->o->for_sec < 0 ? WALL_NEVER
					     : wall_add_sec(w->now, w->o->for_sec);
		struct order o = {.op = ORDER_BAN,
		    .cause = ORDER_BY_RULE,
		    .net = t->net,
		    .at = w->now,
		    .until = t->until,
		    .failures = t->count};
		struct tally *b = tally_of(&w->blocked, &t->net, true);

		r = b ? db_put_ban(db, JAIL, &o) : -ENOMEM;
		if (b)
			b->until = t->until;
	}
	return r < 0 ? r : db_commit(db);
}

/* @room: for texts that are put together. */
static const char *state_text(
    const struct tally *t, const struct scan_tail_options *o, char room[static 96])
{
	switch (t->state) {
	case FINE:
		return "fine";
	case BLOCKED_NOW:
		return o->apply ? "blocked now" : "blocked now (not applied)";
	case BLOCKED_ALREADY:
		return "blocked already";
	case PROTECTED:
		snprintf(
		    room, 96, "never blocked: it is %s", guard_reason_text(t->reason));
		return room;
	}
	return "";
}

static void print_json(const struct tail_work *w)
{
	static const char *const states[] = {"fine", "blocked", "already", "protected"};
	struct tally *t, *next;

	HASH_ITER (hh, w->tallies, t, next) {
		struct buf b = BUF_INIT(1024);
		struct jsonw j = jsonw_of(&b);

		jsonw_object(&j);
		jsonw_key(&j, "ip");
		jsonw_net(&j, &t->net);
		jsonw_key(&j, "count");
		jsonw_i64(&j, t->count);
		jsonw_key(&j, "state");
		jsonw_str(&j, states[t->state]);
		if (t->state == PROTECTED) {
			jsonw_key(&j, "reason");
			jsonw_str(&j, guard_reason_text(t->reason));
		}
		jsonw_object_end(&j);
		puts(buf_str(&b));
		buf_deinit(&b);
	}
}

static void print_table(const struct tail_work *w)
{
	struct table *table =
	    table_new((const char *[]){"ADDRESS", "COUNT", "STATE", NULL});
	struct tally *t, *next;

	HASH_ITER (hh, w->tallies, t, next) {
		char net[NET_TEXT_BYTES], count[16], state[96];

		net_format(&t->net, net);
		snprintf(count, sizeof(count), "%u", t->count);
		table_row(
		    table, (const char *[]){net, count, state_text(t, w->o, state)});
	}
	if (w->tallies)
		table_print(table);
	else
		printf("no address in the last %" PRId64 " lines\n", w->o->last);
	table_free(table);
}

static int apply_all(const struct cli_options *common, struct tail_work *w)
{
	size_t n = HASH_COUNT(w->blocked), i = 0;
	struct scan_block *blocks = calloc(n + 1, sizeof(*blocks));
	struct tally *t, *next;

	if (!blocks)
		return CLI_FAILED;
	HASH_ITER (hh, w->blocked, t, next) {
		blocks[i++] = (struct scan_block){.net = t->net, .until = t->until};
	}
	int code = scan_apply(common, w->o, blocks, n, w->now);

	free(blocks);
	return code;
}

static int work(const struct cli_options *common, struct tail_work *w, struct db *db,
    const char *path)
{
	struct err e = {""};
	int r = db_each_ban(db, w->now, remember, w);

	if (r < 0)
		err_errno(&e, r, "what was blocked before cannot be read");
	else
		r = count_log(w, path, &e);
	if (r < 0) {
		fprintf(stderr, "bandog scan: %s: %s\n", path, e.text);
		return CLI_FAILED;
	}
	r = judge(w, db);
	if (r < 0) {
		fprintf(
		    stderr, "bandog scan: cannot remember blocks: %s\n", strerror(-r));
		return CLI_FAILED;
	}
	if (common->json)
		print_json(w);
	else
		print_table(w);
	int code = w->o->apply && w->blocked ? apply_all(common, w) : CLI_OK;

	return code == CLI_OK && w->o->apply && w->any_protected ? CLI_NO : code;
}

static struct db *open_memory(const struct cli_options *common)
{
	CLEANUP(freep) char *path = NULL;
	struct err e = {""};

	(void)mkdir(common->state_dir, 0700);
	if (asprintf(&path, "%s/scan.db", common->state_dir) < 0)
		return NULL;
	struct db *db = db_open(path, &e);

	if (!db)
		fprintf(stderr,
		    "bandog scan: %s: %s (--state-dir names another place)\n", path,
		    e.text);
	return db;
}

int scan_tail(const struct cli_options *common, const struct scan_tail_options *o,
    wall_t now, const char *path)
{
	struct tail_work w = {.o = o, .now = now};
	struct stamp_options so = {0};
	struct err e = {""};
	CLEANUP(db_closep) struct db *db = open_memory(common);
	CLEANUP(stamp_freep) struct stamp *stamp = stamp_new(&so, &e);
	CLEANUP(guard_freep) struct guard *guard = scan_guard();

	if (!db || !stamp || !guard)
		return CLI_FAILED;
	w.stamp = stamp;
	w.guard = guard;
	int code = work(common, &w, db, path);

	for (size_t i = 0; w.last.lines && i < w.last.room; i++)
		free(w.last.lines[i]);
	free(w.last.lines);
	free_tallies(&w.tallies);
	free_tallies(&w.blocked);
	return code;
}
