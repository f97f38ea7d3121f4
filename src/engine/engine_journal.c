/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The engine's side of journals: lines arrive in batches with the position behind them.
 * A batch is decided whole, then acknowledged; its position goes into the next
 * checkpoint under the source's name, like that of a file.
 */
#include <errno.h>

#include "base/log.h"
#include "engine/engine_role.h"

struct position {
	char *name; /* of the source in the set-up: "journal:..." */
	struct cursor cursor;
	bool is_moved;
};

struct engine_journals {
	struct engine_role *er;
	struct position *positions;
	size_t n_positions;
	bool *is_asked; /* by source: named before we were ready */
};

static struct position *find(const struct engine_journals *js, const char *name)
{
	for (size_t i = 0; i < js->n_positions; i++) {
		if (!strcmp(js->positions[i].name, name))
			return &js->positions[i];
	}
	return NULL;
}

static struct position *find_or_add(struct engine_journals *js, const char *name)
{
	struct position *p = find(js, name);

	if (p)
		return p;
	p = realloc(js->positions, (js->n_positions + 1) * sizeof(*p));
	if (!p)
		return NULL;
	js->positions = p;
	p = &p[js->n_positions];
	*p = (struct position){.name = strdup(name)};
	if (!p->name)
		return NULL;
	js->n_positions++;
	return p;
}

int engine_journals_restore(
    struct engine_journals *js, const char *name, const struct cursor *c)
{
	struct position *p = find_or_add(js, name);

	if (!p)
		return -ENOMEM;
	p->cursor = *c;
	return 0;
}

void engine_journals_each_cursor(
    struct engine_journals *js, bool all, engine_cursor_fn fn, void *ctx)
{
	for (size_t i = 0; i < js->n_positions; i++) {
		struct position *p = &js->positions[i];

		if (!all && !p->is_moved)
			continue;
		fn(ctx, p->name, &p->cursor);
		p->is_moved = false;
	}
}

static bool jail_reads(const struct setup_jail *j, uint32_t source)
{
	for (uint32_t i = 0; i < j->n_sources; i++) {
		if (j->sources[i] == source)
			return true;
	}
	return false;
}

/* Older entries cannot lie in any window of the jails that read this journal. */
static wall_t begin_time(const struct setup *s, uint32_t source)
{
	double longest = 0;

	for (uint32_t i = 0; i < s->n_jails; i++) {
		if (jail_reads(&s->jails[i], source) &&
		    s->jails[i].findtime_sec > longest)
			longest = s->jails[i].findtime_sec;
	}
	return wall_add_sec(wall_now(), -longest);
}

static void say_where(struct engine_journals *js, uint32_t source)
{
	const struct setup *s = js->er->role->setup;
	const struct position *p = find(js, s->sources[source].glob);
	struct cursor none = {0};
	const struct cursor *c = p ? &p->cursor : &none;
	struct buf b = BUF_INIT(64);

	pack_u32(&b, source);
	pack_bool(&b, p != NULL);
	pack_u64(&b, c->offset);
	pack_u64(&b, c->lines);
	pack_u64(&b, c->head_hash);
	pack_wall(&b, begin_time(s, source));
	(void)role_send(js->er->role, ROLE_READER, MSG_JOURNAL_FROM, &b, -1);
	buf_deinit(&b);
}

void engine_journals_start(struct engine_journals *js)
{
	for (uint32_t i = 0; js->is_asked && i < js->er->role->setup->n_sources; i++) {
		if (js->is_asked[i])
			say_where(js, i);
	}
	free(js->is_asked);
	js->is_asked = NULL;
}

static void take_journal(struct engine_journals *js, struct message *m)
{
	const struct setup *s = js->er->role->setup;
	uint32_t source = unpack_u32(&m->body);

	if (unpack_end(&m->body) < 0 || source >= s->n_sources) {
		m->body.bad = true;
		return;
	}
	if (js->er->is_reading) {
		say_where(js, source);
		return;
	}
	if (!js->is_asked)
		js->is_asked = calloc(s->n_sources, sizeof(*js->is_asked));
	if (js->is_asked)
		js->is_asked[source] = true;
}

static void feed_line(struct engine_journals *js, uint32_t source, struct span text,
    wall_t at, wall_t now)
{
	const struct setup *s = js->er->role->setup;
	/* The journal's clock is this machine's: not to be doubted, hence not "live".
	 */
	struct line l = {.text = text, .stamp = at, .read_at = now};

	for (uint32_t i = 0; i < s->n_jails; i++) {
		if (jail_reads(&s->jails[i], source) &&
		    pipeline_feed(js->er->pipeline, i, &l, now, &js->er->orders) < 0)
			log_err("journal", "out of memory: a line was not counted");
	}
}

static void acknowledge(struct engine_journals *js, uint32_t source)
{
	struct buf b = BUF_INIT(8);

	pack_u32(&b, source);
	(void)role_send(js->er->role, ROLE_READER, MSG_LINES_TAKEN, &b, -1);
	buf_deinit(&b);
}

static void take_lines(struct engine_journals *js, struct message *m)
{
	const struct setup *s = js->er->role->setup;
	uint32_t source = unpack_u32(&m->body);
	struct cursor c = {.offset = unpack_u64(&m->body)};
	wall_t now = wall_now();

	c.lines = unpack_u64(&m->body);
	c.head_hash = unpack_u64(&m->body);
	uint32_t n = unpack_count(&m->body, 12);

	if (m->body.bad || source >= s->n_sources || !s->sources[source].is_journal)
		return;
	for (uint32_t i = 0; i < n && !m->body.bad; i++) {
		wall_t at = unpack_wall(&m->body);
		struct span text = unpack_span(&m->body);

		feed_line(js, source, text, at, now);
	}
	struct position *p = find_or_add(js, s->sources[source].glob);

	if (p) {
		p->cursor = c;
		p->is_moved = true;
	}
	(void)engine_role_flush(js->er);
	engine_store_touch(js->er->store);
	acknowledge(js, source);
}

void engine_journals_message(struct engine_journals *js, struct message *m)
{
	/* Of another set-up: numbers of sources mean something else. The reader begins
	 * anew when both have the same. */
	if (unpack_u64(&m->body) != js->er->role->setup->generation)
		return;
	if (m->type == MSG_JOURNAL)
		take_journal(js, m);
	else
		take_lines(js, m);
}

struct engine_journals *engine_journals_new(struct engine_role *er)
{
	struct engine_journals *js = calloc(1, sizeof(*js));

	if (js)
		js->er = er;
	return js;
}

struct engine_journals *engine_journals_free(struct engine_journals *js)
{
	if (!js)
		return NULL;
	for (size_t i = 0; i < js->n_positions; i++)
		free(js->positions[i].name);
	free(js->positions);
	free(js->is_asked);
	free(js);
	return NULL;
}
