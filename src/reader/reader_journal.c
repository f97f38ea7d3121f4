/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "reader/reader_journal.h"

#include <errno.h>

#include "base/log.h"
#include "source/journal.h"

#define BATCHES_UNDERWAY 4
#define BATCH_LINES 256
#define BATCH_BYTES 40000
#define POLL_MS 1000   /* a journal whose files give no notice */
#define RETRY_MS 10000 /* one that cannot be opened */

struct source {
	struct reader_journals *owner;
	uint32_t index; /* in the set-up */
	struct journal *journal;
	struct loop_watch *watch;
	struct loop_watch *timer; /* to poll, or to open again */
	struct cursor resume;
	bool has_resume;
	wall_t since;
	int n_underway;
	bool is_told; /* cannot be opened: said once */
};

struct reader_journals {
	struct role *role;
	struct source *sources;
	uint32_t n_sources;
};

struct batch {
	struct source *source;
	struct buf lines;
	uint32_t n;
};

static int on_entry(void *ctx, struct span text, wall_t at)
{
	struct batch *b = ctx;

	pack_wall(&b->lines, at);
	pack_span(&b->lines, text);
	b->n++;
	return b->lines.n > BATCH_BYTES;
}

static void send_batch(struct batch *b)
{
	struct buf body = BUF_INIT(MESSAGE_MAX_BYTES - 2);
	struct cursor c;

	journal_cursor(b->source->journal, &c);
	pack_u64(&body, b->source->owner->role->setup->generation);
	pack_u32(&body, b->source->index);
	pack_u64(&body, c.offset);
	pack_u64(&body, c.lines);
	pack_u64(&body, c.head_hash);
	pack_u32(&body, b->n);
	buf_add_span(&body, buf_span(&b->lines));
	if (role_send(b->source->owner->role, ROLE_ENGINE, MSG_LINES, &body, -1) == 0)
		b->source->n_underway++;
	buf_deinit(&body);
}

static void open_journal(struct source *s);

static void reopen_later(struct source *s)
{
	s->watch = loop_watch_free(s->watch);
	s->journal = journal_close(s->journal);
	loop_arm(s->timer, RETRY_MS, 0);
}

static void pump(struct source *s)
{
	int r = JOURNAL_MORE;

	while (r == JOURNAL_MORE && s->n_underway < BATCHES_UNDERWAY) {
		struct batch b = {.source = s, .lines = BUF_INIT(MESSAGE_MAX_BYTES)};

		r = journal_read(s->journal, BATCH_LINES, on_entry, &b);
		if (b.n) {
			journal_cursor(s->journal, &s->resume);
			s->has_resume = true;
			send_batch(&b);
		}
		buf_deinit(&b.lines);
	}
	if (r < 0) {
		log_warning(
		    "journal", "cannot be read: %s; opening it again", strerror(-r));
		reopen_later(s);
	}
}

static void on_wake(void *ctx, UNUSED int events)
{
	struct source *s = ctx;

	(void)journal_process(s->journal);
	pump(s);
}

static void on_timer(void *ctx)
{
	struct source *s = ctx;

	if (!s->journal) {
		open_journal(s);
		return;
	}
	on_wake(s, 0);
	if (s->journal && !s->watch)
		loop_arm(s->timer, POLL_MS, 0);
}

static void open_journal(struct source *s)
{
	const struct setup_source *from = &s->owner->role->setup->sources[s->index];
	struct journal_options o = {
	    .match = from->journal_match, .path = from->journal_path};
	struct err e = {""};

	s->journal = journal_open(&o, s->has_resume ? &s->resume : NULL, s->since, &e);
	if (!s->journal) {
		if (!s->is_told)
			log_warning("journal", "%s; trying again", e.text);
		s->is_told = true;
		loop_arm(s->timer, RETRY_MS, 0);
		return;
	}
	s->is_told = false;
	if (journal_fd(s->journal) >= 0)
		s->watch = loop_add_fd(s->owner->role->loop, journal_fd(s->journal),
		    LOOP_READ, on_wake, s);
	if (!s->watch) {
		log_info("journal", "gives no notice of new entries; polling it");
		loop_arm(s->timer, POLL_MS, 0);
	}
	pump(s);
}

static struct source *find(struct reader_journals *js, uint32_t index)
{
	for (uint32_t i = 0; i < js->n_sources; i++) {
		if (js->sources[i].index == index)
			return &js->sources[i];
	}
	return NULL;
}

static void take_from(struct reader_journals *js, struct message *m)
{
	struct source *s = find(js, unpack_u32(&m->body));
	bool has_resume = unpack_bool(&m->body);
	struct cursor c = {.offset = unpack_u64(&m->body)};

	c.lines = unpack_u64(&m->body);
	c.head_hash = unpack_u64(&m->body);
	wall_t since = unpack_wall(&m->body);

	if (m->body.bad || !s || s->journal)
		return;
	s->has_resume = has_resume;
	s->resume = c;
	s->since = since;
	open_journal(s);
}

static void take_taken(struct reader_journals *js, struct message *m)
{
	struct source *s = find(js, unpack_u32(&m->body));

	if (!s || !s->n_underway)
		return;
	s->n_underway--;
	if (s->journal)
		pump(s);
}

void reader_journals_message(struct reader_journals *js, struct message *m)
{
	if (m->type == MSG_JOURNAL_FROM)
		take_from(js, m);
	else
		take_taken(js, m);
}

void reader_journals_stop(struct reader_journals *js)
{
	for (uint32_t i = 0; i < js->n_sources; i++) {
		struct source *s = &js->sources[i];

		loop_watch_free(s->watch);
		loop_watch_free(s->timer);
		journal_close(s->journal);
	}
	free(js->sources);
	js->sources = NULL;
	js->n_sources = 0;
}

void reader_journals_begin(struct reader_journals *js)
{
	const struct setup *setup = js->role->setup;

	reader_journals_stop(js);
	js->sources = calloc(setup->n_sources + 1, sizeof(*js->sources));
	for (uint32_t i = 0; js->sources && i < setup->n_sources; i++) {
		struct source *s = &js->sources[js->n_sources];
		struct buf body = BUF_INIT(16);

		if (!setup->sources[i].is_journal)
			continue;
		*s = (struct source){.owner = js, .index = i};
		s->timer = loop_add_timer(js->role->loop, on_timer, s);
		if (!s->timer)
			return;
		js->n_sources++;
		pack_u64(&body, setup->generation);
		pack_u32(&body, i);
		(void)role_send(js->role, ROLE_ENGINE, MSG_JOURNAL, &body, -1);
		buf_deinit(&body);
	}
}

struct reader_journals *reader_journals_new(struct role *r)
{
	struct reader_journals *js = calloc(1, sizeof(*js));

	if (js)
		js->role = r;
	return js;
}

struct reader_journals *reader_journals_free(struct reader_journals *js)
{
	if (!js)
		return NULL;
	reader_journals_stop(js);
	free(js);
	return NULL;
}
