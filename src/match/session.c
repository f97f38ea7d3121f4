/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * session - a short list, oldest first
 *
 * A hundred hashes are compared faster than a table is kept, and the order of the list
 * is the order in which sessions go.
 */

#include "match/session.h"

#include <errno.h>

#include "base/hash.h"
#include "match/utf8.h"

#define SESSION_USER_MAX 256 /* bytes kept of one user name */

struct session {
	uint64_t id_hash;
	char *id;
	size_t id_bytes;
	wall_t born_at;
	char *text, *spare; /* the values; room for those of the next line */
	size_t text_room, spare_room;
	uint32_t n_lines;      /* that speak for a failure, not yet reported */
	uint32_t n_calm_lines; /* that count only if the session fails later */
	bool is_pending;       /* failed, but nobody knows the address yet */
	struct span users[SESSION_USERS_MAX]; /* each owns its bytes */
	size_t n_users;
	struct buf lines, calm_lines; /* n_lines and n_calm_lines, if they are given */
	struct session_slots *slots;  /* NULL: nobody asked */
	struct span value[]; /* of all slots, as in struct groups; into .text */
};

struct sessions {
	size_t n_slots;
	struct session *items[SESSIONS_MAX]; /* oldest first */
	size_t n;
	uint64_t n_evicted;
	struct session *loose; /* ended by the last line: no longer in the list */
	struct span lines;     /* of the next merge */
};

static struct session *session_free(struct session *s)
{
	if (!s)
		return NULL;
	for (size_t i = 0; i < s->n_users; i++) {
		char *p = (char *)(uintptr_t)s->users[i].p;

		free(p);
	}
	buf_deinit(&s->lines);
	buf_deinit(&s->calm_lines);
	free(s->slots);
	free(s->spare);
	free(s->text);
	free(s->id);
	free(s);
	return NULL;
}
DEFINE_CLEANUP(struct session *, session_free)

struct sessions *sessions_new(const struct group_names *names)
{
	struct sessions *s = calloc(1, sizeof(*s));

	if (s) {
		s->n_slots = names->n;
		s->lines = (struct span){"", 0};
	}
	return s;
}

struct sessions *sessions_free(struct sessions *s)
{
	if (!s)
		return NULL;
	for (size_t i = 0; i < s->n; i++)
		session_free(s->items[i]);
	session_free(s->loose);
	free(s);
	return NULL;
}

/* @v cut to @max bytes, never inside of a character. */
static struct span session_cut(struct span v, size_t max)
{
	if (v.n <= max)
		return v;
	while (max > 0 && ((uint8_t)v.p[max] & 0xc0) == 0x80)
		max--;
	return (struct span){v.p, max};
}

/* Make .spare the text with so much room. Return: 0 or -ENOMEM. */
static int session_swap_texts(struct session *s, size_t room)
{
	char *text = s->spare;
	size_t text_room = s->spare_room;

	if (text_room < room) {
		text = realloc(text, room);
		if (!text)
			return -ENOMEM;
		text_room = room;
	}
	s->spare = s->text;
	s->spare_room = s->text_room;
	s->text = text;
	s->text_room = text_room;
	return 0;
}

/* Own copies of all values, in one piece of memory; @g may point into the last one. */
static int session_set_groups(struct session *s, const struct groups *g, size_t n_slots)
{
	size_t n_bytes = 0;
	char *p;

	for (size_t i = 0; i < n_slots; i++) {
		s->value[i] = session_cut(g->value[i], SESSION_VALUE_MAX);
		n_bytes += s->value[i].n;
	}
	if (session_swap_texts(s, n_bytes + 1) < 0) {
		memset(s->value, 0, n_slots * sizeof(s->value[0]));
		return -ENOMEM;
	}
	p = s->text;
	for (size_t i = 0; i < n_slots; i++) {
		struct span *v = &s->value[i];

		if (!v->p)
			continue;
		memcpy(p, v->p, v->n);
		v->p = p;
		p += v->n;
	}
	return 0;
}

static int session_add_user(struct session *s, struct span user)
{
	char *copy;

	user = session_cut(user, SESSION_USER_MAX);
	if (!user.p || user.n == 0)
		return 0;
	for (size_t i = 0; i < s->n_users; i++) {
		if (span_eq(s->users[i], user))
			return 0;
	}
	if (s->n_users == SESSION_USERS_MAX)
		return 0;
	copy = span_dup(user);
	if (!copy)
		return -ENOMEM;
	s->users[s->n_users++] = (struct span){copy, user.n};
	return 0;
}

static struct session *session_new(
    struct span id, uint64_t id_hash, size_t n_slots, wall_t now)
{
	CLEANUP(session_freep)
	struct session *s = calloc(1, sizeof(*s) + n_slots * sizeof(s->value[0]));

	if (!s)
		return NULL;
	s->id = span_dup(id);
	if (!s->id)
		return NULL;
	s->id_bytes = id.n;
	s->id_hash = id_hash;
	s->born_at = now;
	s->lines = s->calm_lines = BUF_INIT(SESSION_LINES_BYTES_MAX);
	return TAKE(s);
}

static struct session *sessions_remove(struct sessions *s, size_t i)
{
	struct session *gone = s->items[i];

	s->n--;
	memmove(&s->items[i], &s->items[i + 1], (s->n - i) * sizeof(s->items[0]));
	return gone;
}

static bool session_is_over(const struct session *s, wall_t now)
{
	return now.us >= wall_add_sec(s->born_at, SESSIONS_LIFE_SEC).us;
}

/* Index of the session, or s->n: none. One that is over is removed. */
static size_t sessions_find(
    struct sessions *s, struct span id, uint64_t id_hash, wall_t now)
{
	for (size_t i = 0; i < s->n; i++) {
		struct session *it = s->items[i];

		if (it->id_hash != id_hash ||
		    !span_eq((struct span){it->id, it->id_bytes}, id))
			continue;
		if (!session_is_over(it, now))
			return i;
		session_free(sessions_remove(s, i));
		break;
	}
	return s->n;
}

static void sessions_insert(struct sessions *s, struct session *it, wall_t now)
{
	if (s->n == SESSIONS_MAX) {
		while (s->n > 0 && session_is_over(s->items[0], now))
			session_free(sessions_remove(s, 0));
	}
	if (s->n == SESSIONS_MAX) {
		session_free(sessions_remove(s, 0));
		s->n_evicted++;
	}
	s->items[s->n++] = it;
}

/* What a line says of the fate of its session. */
struct session_mood {
	bool is_gained; /* logged in: all is forgiven */
	bool is_calm;   /* no failure */
	bool is_end;
	bool was_calm; /* the line before was no failure */
};

static struct session_mood session_read_mood(struct groups *g)
{
	struct session_mood m = {
	    .is_gained = groups_has(g, GROUP_MLFGAINED),
	    .is_end = groups_has(g, GROUP_MLFFORGET),
	};

	if (m.is_gained && !groups_has(g, GROUP_NOFAIL))
		g->value[GROUP_NOFAIL] = g->value[GROUP_MLFGAINED];
	m.is_calm = groups_has(g, GROUP_NOFAIL);
	g->value[GROUP_MLFFORGET] = (struct span){NULL, 0};
	return m;
}

/* The state of the line before goes, the groups of this one are laid over. */
static int session_continue(
    struct session *it, const struct groups *g, size_t n_slots, struct session_mood *m)
{
	struct groups merged;

	memcpy(merged.value, it->value, n_slots * sizeof(it->value[0]));
	m->was_calm =
	    groups_has(&merged, GROUP_NOFAIL) || groups_has(&merged, GROUP_MLFGAINED);
	merged.value[GROUP_NOFAIL].p = NULL;
	merged.value[GROUP_MLFGAINED].p = NULL;
	if (m->is_gained)
		it->is_pending = false;
	if (!m->was_calm && !it->is_pending) {
		it->n_lines = 0; /* they have been reported */
		buf_clear(&it->lines);
	}
	groups_overlay(&merged, g, n_slots);
	return session_set_groups(it, &merged, n_slots);
}

/* What came before stands before: the calm lines, then those that count already. */
static void session_add_calm_lines(struct session *it)
{
	struct buf joined = BUF_INIT(SESSION_LINES_BYTES_MAX);

	it->n_lines += it->n_calm_lines;
	it->n_calm_lines = 0;
	if (it->calm_lines.n == 0)
		return;
	buf_add_span(&joined, buf_span(&it->calm_lines));
	buf_add_span(&joined, buf_span(&it->lines));
	buf_deinit(&it->lines);
	buf_clear(&it->calm_lines);
	it->lines = joined;
}

static void session_count(
    struct session *it, uint32_t n_lines, struct span lines, struct session_mood m)
{
	/* More than one user tried, or a failure without an address: not forgiven. */
	bool is_reset = it->is_pending || it->n_users > 1;

	if (it->slots)
		it->slots->is_reset = is_reset;
	if (is_reset) {
		it->value[GROUP_NOFAIL] = (struct span){NULL, 0};
		it->value[GROUP_MLFGAINED] = (struct span){NULL, 0};
		m.is_calm = false;
	}
	it->is_pending = false;
	if (!m.is_calm) {
		session_add_calm_lines(it);
		it->n_lines += n_lines;
		buf_add_span(&it->lines, lines);
	} else if (!m.is_end) {
		it->n_calm_lines += n_lines;
		buf_add_span(&it->calm_lines, lines);
	}
}

/* A session that has not been seen; one that also ends here is not kept. */
static int sessions_begin(struct sessions *s, const struct groups *g, struct span id,
    uint64_t id_hash, wall_t now, bool is_end)
{
	CLEANUP(session_freep)
	struct session *it = session_new(id, id_hash, s->n_slots, now);

	if (!it || session_set_groups(it, g, s->n_slots) < 0)
		return -ENOMEM;
	if (is_end) {
		s->loose = TAKE(it);
		return 0;
	}
	if (session_add_user(it, g->value[GROUP_USER]) < 0)
		return -ENOMEM;
	sessions_insert(s, TAKE(it), now);
	return 0;
}

int sessions_merge(struct sessions *s, struct groups *g, uint32_t n_lines, wall_t now,
    struct session **out)
{
	struct span id = g->value[GROUP_MLFID];
	uint64_t id_hash = hash_keyed(id.p, id.n);
	struct session_mood mood = session_read_mood(g);
	struct session *it;
	size_t at;
	int r;

	s->loose = session_free(s->loose);
	at = sessions_find(s, id, id_hash, now);
	if (at < s->n) {
		it = s->items[at];
		if (session_add_user(it, g->value[GROUP_USER]) < 0)
			return -ENOMEM;
		r = session_continue(it, g, s->n_slots, &mood);
		if (r < 0)
			return r;
		if (mood.is_end)
			s->loose = sessions_remove(s, at);
	} else {
		r = sessions_begin(s, g, id, id_hash, now, mood.is_end);
		if (r < 0)
			return r;
		it = s->loose ? s->loose : s->items[s->n - 1];
	}
	session_count(it, n_lines, s->lines, mood);
	s->lines = (struct span){"", 0};
	memcpy(g->value, it->value, s->n_slots * sizeof(it->value[0]));
	*out = it;
	return 0;
}

void sessions_give_lines(struct sessions *s, struct span lines)
{
	s->lines = lines;
}

struct span session_lines(const struct session *s)
{
	return buf_span(&s->lines);
}

struct session_slots *session_slots(struct session *s)
{
	if (!s->slots)
		s->slots = calloc(1, sizeof(*s->slots));
	return s->slots;
}

void session_set_pending(struct session *s)
{
	s->is_pending = true;
}

uint32_t session_n_lines(const struct session *s)
{
	return s->n_lines;
}

size_t session_n_users(const struct session *s)
{
	return s->n_users;
}

void session_add_users(const struct session *s, struct buf *out)
{
	for (size_t i = 0; i < s->n_users; i++) {
		if (i > 0)
			buf_add_char(out, '\n');
		buf_add_span(out, s->users[i]);
	}
}

size_t sessions_count(const struct sessions *s)
{
	return s->n;
}

uint64_t sessions_n_evicted(const struct sessions *s)
{
	return s->n_evicted;
}
