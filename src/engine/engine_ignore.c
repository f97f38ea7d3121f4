/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What ignoreip names beyond addresses: names, which the resolver is asked for and
 * asked again when the answer is old, and files, which the reader hands over whenever
 * they change. Each is known once, however many jails have it.
 *
 * An exemption is not lost because somebody does not answer: the addresses that a name
 * or a file had stay until there are others.
 *
 * Lines that were written while we were down are decided at once, so reading begins
 * when all names and files are known, or after START_PATIENCE_MS.
 */
#include <errno.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "engine/engine_role.h"
#include "pipeline/ignore_list.h"

#define START_PATIENCE_MS 5000
#define ASK_AGAIN_SEC 30 /* who has not answered; no name is asked for more often */
#define MAX_ADDRESSES 64
#define MAX_ALL 1000000 /* networks of one jail */

struct entry {
	char *word;
	enum ignore_kind kind;
	struct net *nets;
	uint32_t n;
	bool is_known;
	mono_t due; /* a name: when to ask for it */
};

struct engine_ignore {
	struct engine_role *er;
	struct entry *entries;
	uint32_t n;
	uint32_t
	    round; /* grows with each set-up: answers to older questions are void */
	mono_t started;
	bool is_patient;
	struct loop_watch *timer;
};

static struct entry *find(struct entry *entries, uint32_t n, const char *word)
{
	for (uint32_t i = 0; i < n; i++)
		if (entries[i].word && !strcmp(entries[i].word, word))
			return &entries[i];
	return NULL;
}

static void entries_free(struct entry *entries, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		free(entries[i].word);
		free(entries[i].nets);
	}
	free(entries);
}

/* --- into the engine ---------------------------------------------------------------
 */

/* All that the jail's words stand for. Return: count, or -ENOMEM. */
static int64_t gather(
    const struct engine_ignore *g, const struct setup_jail *j, struct net **out)
{
	uint64_t n = 0;

	for (uint32_t pass = 0; pass < 2; pass++) {
		if (pass && !(*out = calloc(n + 1, sizeof(**out))))
			return -ENOMEM;
		n = 0;
		for (uint32_t i = 0; i < j->n_ignore_words; i++) {
			const struct entry *e =
			    find(g->entries, g->n, j->ignore_words[i]);

			if (!e || n + e->n > MAX_ALL)
				continue;
			if (pass && e->n)
				memcpy(*out + n, e->nets, e->n * sizeof(**out));
			n += e->n;
		}
	}
	return (int64_t)n;
}

static void apply(struct engine_ignore *g)
{
	const struct setup *s = g->er->role->setup;

	for (uint32_t i = 0; i < s->n_jails; i++) {
		CLEANUP(freep) struct net *nets = NULL;
		int64_t n;

		if (!s->jails[i].n_ignore_words)
			continue;
		n = gather(g, &s->jails[i], &nets);
		if (n < 0 || engine_set_ignore(pipeline_engine(g->er->pipeline), i,
				 nets, (size_t)n) < 0)
			log_err(s->jails[i].name,
			    "out of memory: ignoreip stays as it was");
	}
}

bool engine_ignore_is_known(const struct engine_ignore *g)
{
	if (!g->is_patient)
		return true;
	for (uint32_t i = 0; i < g->n; i++)
		if (!g->entries[i].is_known)
			return false;
	return true;
}

static void entry_set(
    struct engine_ignore *g, struct entry *e, struct net *nets, uint32_t n)
{
	free(e->nets);
	e->nets = nets;
	e->n = n;
	apply(g);
}

static void entry_known(struct engine_ignore *g, struct entry *e)
{
	e->is_known = true;
	if (!g->is_patient || !engine_ignore_is_known(g))
		return;
	g->is_patient = false;
	engine_role_ignore_known(g->er);
}

/* --- names -------------------------------------------------------------------------
 */

static void ask(struct engine_ignore *g, struct entry *e, mono_t now)
{
	struct buf b = BUF_INIT(512);

	e->due = (mono_t){now.us + ASK_AGAIN_SEC * US_PER_SEC};
	pack_u64(&b,
	    ENGINE_IGNORE_ID | (uint64_t)g->round << 32 | (uint64_t)(e - g->entries));
	pack_str(&b, e->word);
	(void)role_send(g->er->role, ROLE_RESOLVER, MSG_RESOLVE, &b, -1);
	buf_deinit(&b);
}

static void rearm(struct engine_ignore *g, mono_t now)
{
	int64_t ms = g->is_patient ? START_PATIENCE_MS : INT64_MAX;

	for (uint32_t i = 0; i < g->n; i++) {
		int64_t wait = (g->entries[i].due.us - now.us) / 1000 + 1;

		if (g->entries[i].kind == IGNORE_NAME && wait < ms)
			ms = wait;
	}
	if (ms == INT64_MAX)
		loop_disarm(g->timer);
	else
		loop_arm(g->timer, ms < 1 ? 1 : (uint64_t)ms, 0);
}

static void on_timer(void *ctx)
{
	struct engine_ignore *g = ctx;
	mono_t now = mono_now();

	if (g->is_patient && now.us - g->started.us >= START_PATIENCE_MS * 1000) {
		if (!engine_ignore_is_known(g))
			log_warning(NULL,
			    "not all of ignoreip is known after %d s; going on without",
			    START_PATIENCE_MS / 1000);
		g->is_patient = false;
		engine_role_ignore_known(g->er);
	}
	for (uint32_t i = 0; i < g->n; i++) {
		struct entry *e = &g->entries[i];

		if (e->kind == IGNORE_NAME && e->due.us <= now.us)
			ask(g, e, now);
	}
	rearm(g, now);
}

static bool is_same(const struct entry *e, const struct net *nets, uint32_t n)
{
	return e->n == n && (!n || !memcmp(e->nets, nets, n * sizeof(*nets)));
}

static void take_answer(struct engine_ignore *g, struct entry *e, struct unpack *u)
{
	uint32_t holds_sec = unpack_u32(u);
	uint32_t n = unpack_count(u, 17);
	struct net *nets;

	if (n > MAX_ADDRESSES)
		n = MAX_ADDRESSES;
	nets = calloc(n + 1, sizeof(*nets));
	for (uint32_t i = 0; nets && i < n; i++)
		nets[i] = unpack_net(u);
	if (holds_sec < ASK_AGAIN_SEC)
		holds_sec = ASK_AGAIN_SEC;
	e->due = (mono_t){mono_now().us + holds_sec * US_PER_SEC};
	if (!nets || u->bad) {
		free(nets);
		return;
	}
	if (!n) {
		log_warning(e->word, "ignoreip: this name has no address now%s",
		    e->n ? "; those it had still count" : "");
		free(nets);
	} else if (is_same(e, nets, n)) {
		free(nets);
	} else {
		log_info(e->word, "ignoreip: %u addresses", n);
		entry_set(g, e, nets, n);
	}
	entry_known(g, e);
}

void engine_ignore_resolved(struct engine_ignore *g, struct message *m)
{
	uint64_t id = unpack_u64(&m->body) & ~ENGINE_IGNORE_ID;
	uint32_t i = (uint32_t)id;

	if (id >> 32 != g->round || i >= g->n || g->entries[i].kind != IGNORE_NAME)
		return;
	take_answer(g, &g->entries[i], &m->body);
	rearm(g, mono_now());
}

void engine_ignore_resolver(struct engine_ignore *g)
{
	for (uint32_t i = 0; i < g->n; i++)
		g->entries[i].due = (mono_t){0};
	on_timer(g);
}

/* --- files -------------------------------------------------------------------------
 */

/* Return: 0, -EFBIG, or negative errno. */
static int read_list(int fd, struct buf *out)
{
	char block[65536];
	ssize_t n;

	while ((n = read(fd, block, sizeof(block))) > 0) {
		buf_add(out, block, (size_t)n);
		if (out->failed)
			return -EFBIG;
	}
	return n < 0 ? -errno : 0;
}

static void say_list(const char *path, uint32_t n, const struct ignore_flaws *flaws)
{
	if (flaws->n_wrong)
		log_warning(path,
		    "ignoreip: %u words are no address or network, the first in line "
		    "%u; they are left out",
		    flaws->n_wrong, flaws->first_line);
	if (flaws->n_beyond)
		log_warning(path, "ignoreip: more than %d networks; %u are left out",
		    IGNORE_LIST_MAX_NETS, flaws->n_beyond);
	log_info(path, "ignoreip: %u networks", n);
}

static void take_list(
    struct engine_ignore *g, struct entry *e, const char *path, int fd)
{
	CLEANUP(buf_deinit) struct buf text = BUF_INIT(IGNORE_LIST_MAX_BYTES);
	struct ignore_flaws flaws;
	struct net *nets = NULL;
	uint32_t n = 0;
	int r = fd < 0 ? -ENOENT : read_list(fd, &text);

	if (!r)
		r = ignore_list_parse(buf_span(&text), &nets, &n, &flaws);
	if (r < 0) {
		log_warning(path, "ignoreip: this list cannot be read: %s%s",
		    strerror(-r), e->n ? "; what it said still counts" : "");
		return;
	}
	say_list(path, n, &flaws);
	entry_set(g, e, nets, n);
}

void engine_ignore_list(struct engine_ignore *g, struct message *m)
{
	CLEANUP(freep) char *path = unpack_str(&m->body);
	CLEANUP(fd_closep) int fd = m->fd >= 0 ? TAKE_FD(m->fd) : -1;

	if (!path || unpack_end(&m->body) < 0) {
		m->body.bad = true;
		return;
	}
	for (uint32_t i = 0; i < g->n; i++) {
		struct entry *e = &g->entries[i];

		if (e->kind != IGNORE_FILE || strcmp(ignore_path_of(e->word), path))
			continue;
		take_list(g, e, path, fd);
		entry_known(g, e);
		return;
	}
}

/* --- set-ups -----------------------------------------------------------------------
 */

/* One entry a word; what is known already is taken over from @old. */
static int add_word(
    struct engine_ignore *g, const char *word, struct entry *old, uint32_t n_old)
{
	struct entry *more, *before;
	struct net unused;

	if (find(g->entries, g->n, word))
		return 0;
	more = realloc(g->entries, (g->n + 1) * sizeof(*more));
	if (!more)
		return -ENOMEM;
	g->entries = more;
	before = find(old, n_old, word);
	if (before) {
		more[g->n++] = *before;
		*before = (struct entry){0};
		return 0;
	}
	more[g->n] = (struct entry){
	    .word = strdup(word), .kind = ignore_kind_of(span_of(word), &unused)};
	if (!more[g->n].word)
		return -ENOMEM;
	g->n++;
	return 0;
}

static int take_setup(struct engine_ignore *g)
{
	const struct setup *s = g->er->role->setup;
	struct entry *old = g->entries;
	uint32_t n_old = g->n;
	int r = 0;

	g->entries = NULL;
	g->n = 0;
	g->round = (g->round + 1) & 0x3fffffff;
	for (uint32_t i = 0; !r && i < s->n_jails; i++)
		for (uint32_t k = 0; !r && k < s->jails[i].n_ignore_words; k++)
			r = add_word(g, s->jails[i].ignore_words[k], old, n_old);
	entries_free(old, n_old);
	return r;
}

void engine_ignore_reload(struct engine_ignore *g)
{
	if (take_setup(g) < 0)
		log_err(NULL, "out of memory: not all of ignoreip is known");
	apply(g);
	engine_ignore_resolver(g);
}

struct engine_ignore *engine_ignore_new(struct engine_role *er)
{
	struct engine_ignore *g = calloc(1, sizeof(*g));

	if (!g)
		return NULL;
	g->er = er;
	g->started = mono_now();
	g->timer = loop_add_timer(er->role->loop, on_timer, g);
	if (!g->timer || take_setup(g) < 0)
		return engine_ignore_free(g);
	g->is_patient = g->n > 0;
	rearm(g, g->started);
	return g;
}

struct engine_ignore *engine_ignore_free(struct engine_ignore *g)
{
	if (!g)
		return NULL;
	entries_free(g->entries, g->n);
	loop_watch_free(g->timer);
	free(g);
	return NULL;
}
