/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What only the engine knows: who is banned, what failed; and bans by hand.
 */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <time.h>

#include "base/picklew.h"
#include "proc/front_f2b_command.h"

struct jail_status {
	uint32_t jail;
	uint64_t failed_now, failed_total, banned_now, banned_total;
	struct unpack files, bans;
	uint32_t n_files, n_bans;
};

struct ban {
	uint32_t which, jail;
	struct net net;
	wall_t at, until;
};

static void put_net(struct buf *b, const struct net *n)
{
	char text[NET_TEXT_BYTES];

	net_format(n, text);
	picklew_str(b, text);
}

static void put_text(struct buf *b, struct unpack *u)
{
	picklew_span(b, unpack_span(u));
}

/* Open a pair of which the value follows; close it by picklew_tuple_end(). */
static void put_name(struct buf *b, const char *name)
{
	picklew_tuple(b);
	picklew_str(b, name);
}

static void put_count(struct buf *b, const char *name, uint64_t n)
{
	put_name(b, name);
	picklew_i64(b, (int64_t)n);
	picklew_tuple_end(b);
}

static struct jail_status read_status(struct unpack *u)
{
	struct jail_status s = {.jail = unpack_u32(u)};

	s.failed_now = unpack_u64(u);
	s.failed_total = unpack_u64(u);
	s.banned_now = unpack_u64(u);
	s.banned_total = unpack_u64(u);
	s.n_files = unpack_count(u, 4);
	s.files = *u;
	for (uint32_t i = 0; i < s.n_files; i++)
		(void)unpack_span(u);
	s.n_bans = unpack_count(u, 17);
	s.bans = *u;
	for (uint32_t i = 0; i < s.n_bans; i++)
		(void)unpack_net(u);
	return s;
}

static struct ban read_ban(struct unpack *u)
{
	struct ban b = {.which = unpack_u32(u)};

	b.jail = unpack_u32(u);
	b.net = unpack_net(u);
	b.at = unpack_wall(u);
	b.until = unpack_wall(u);
	return b;
}

/* --- status ------------------------------------------------------------------------
 */

static void put_sources(
    struct buf *b, const struct f2b_world *w, const struct jail_status *s)
{
	bool is_journal;
	const char *match = f2b_journal_match(w->setup, s->jail, &is_journal);
	struct unpack files = s->files;

	put_name(b, is_journal ? "Journal matches" : "File list");
	picklew_list(b);
	if (match)
		picklew_str(b, match);
	for (uint32_t i = 0; i < s->n_files; i++)
		put_text(b, &files);
	picklew_list_end(b);
	picklew_tuple_end(b);
}

static void put_banned(struct buf *b, const char *flavor, const struct jail_status *s)
{
	static const char *const cymru[] = {
	    "Banned ASN list", "Banned Country list", "Banned RIR list"};
	struct unpack bans = s->bans;

	if (!strcmp(flavor, "short"))
		return;
	put_name(b, "Banned IP list");
	picklew_list(b);
	for (uint32_t i = 0; i < s->n_bans; i++) {
		struct net n = unpack_net(&bans);

		put_net(b, &n);
	}
	picklew_list_end(b);
	picklew_tuple_end(b);
	/* Nobody is asked for these: an address is not told to third parties. */
	for (size_t i = 0; !strcmp(flavor, "cymru") && i < ARRAY_LEN(cymru); i++) {
		put_name(b, cymru[i]);
		picklew_list(b);
		picklew_list_end(b);
		picklew_tuple_end(b);
	}
}

static void put_status(struct buf *b, const struct f2b_world *w, const char *flavor,
    const struct jail_status *s)
{
	picklew_list(b);
	put_name(b, "Filter");
	picklew_list(b);
	put_count(b, "Currently failed", s->failed_now);
	put_count(b, "Total failed", s->failed_total);
	put_sources(b, w, s);
	picklew_list_end(b);
	picklew_tuple_end(b);
	put_name(b, "Actions");
	picklew_list(b);
	put_count(b, "Currently banned", s->banned_now);
	put_count(b, "Total banned", s->banned_total);
	put_banned(b, flavor, s);
	picklew_list_end(b);
	picklew_tuple_end(b);
	picklew_list_end(b);
}

static const char *flavor_of(const struct f2b_command *c)
{
	return c->n_words > 2 && c->words[2] ? c->words[2] : "basic";
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The pairs that a plain status is. */
static void put_jails(struct buf *b, const struct setup *s)
{
	CLEANUP(buf_deinit) struct buf text = BUF_INIT(F2B_REPLY_MAX);
	const char **names = calloc(s->n_jails + 1, sizeof(*names));

	for (uint32_t i = 0; names && i < s->n_jails; i++)
		names[i] = s->jails[i].name;
	if (names)
		qsort(names, s->n_jails, sizeof(*names), compare_names);
	for (uint32_t i = 0; names && i < s->n_jails; i++)
		buf_printf(&text, "%s%s", i ? ", " : "", names[i]);
	free(names);
	put_count(b, "Number of jail", s->n_jails);
	put_name(b, "Jail list");
	picklew_span(b, buf_span(&text));
	picklew_tuple_end(b);
}

static const char *name_of(const struct f2b_world *w, uint32_t jail)
{
	return jail < w->setup->n_jails ? w->setup->jails[jail].name : "";
}

static void all_stated(
    struct f2b_command *c, const struct f2b_world *w, const struct f2b_result *r)
{
	struct unpack u;

	if (!f2b_answered(c, r, &u))
		return;
	f2b_reply_begin(c);
	picklew_list(&c->reply);
	put_jails(&c->reply, w->setup);
	picklew_dict(&c->reply);
	for (uint32_t n = unpack_count(&u, 44); n; n--) {
		struct jail_status s = read_status(&u);

		picklew_str(&c->reply, name_of(w, s.jail));
		put_status(&c->reply, w, flavor_of(c), &s);
	}
	picklew_dict_end(&c->reply);
	picklew_list_end(&c->reply);
	f2b_reply_end(c);
}

static void jail_stated(
    struct f2b_command *c, const struct f2b_world *w, const struct f2b_result *r)
{
	struct unpack u;

	if (!f2b_answered(c, r, &u))
		return;
	(void)unpack_count(&u, 44);
	struct jail_status s = read_status(&u);

	f2b_reply_begin(c);
	put_status(&c->reply, w, flavor_of(c), &s);
	f2b_reply_end(c);
}

static void ask_status(struct f2b_command *c, uint32_t jail, f2b_resume_fn resume)
{
	f2b_ask(c, F2B_STATUS, jail, strcmp(flavor_of(c), "short") != 0);
	f2b_ask_nets(c, NULL, 0);
	pack_u32(&c->body, 0);
	f2b_ask_end(c, resume);
}

void f2b_do_status(struct f2b_command *c, const struct f2b_world *w)
{
	if (c->n_words > 3) {
		f2b_raise(c, "Exception", "Invalid command (no status)");
		return;
	}
	if (c->n_words == 1) {
		f2b_reply_begin(c);
		picklew_list(&c->reply);
		put_jails(&c->reply, w->setup);
		picklew_list_end(&c->reply);
		f2b_reply_end(c);
		return;
	}
	if (c->words[1] && !strcmp(c->words[1], "--all")) {
		ask_status(c, UINT32_MAX, all_stated);
		return;
	}
	int jail = f2b_jail(c, w, 1);

	if (jail >= 0)
		ask_status(c, (uint32_t)jail, jail_stated);
}

static const char *backend_of(const struct f2b_world *w, uint32_t jail)
{
	bool is_journal;

	(void)f2b_journal_match(w->setup, jail, &is_journal);
	return is_journal ? "systemd" : "inotify";
}

static void put_pair(struct buf *b, uint64_t now, uint64_t total)
{
	picklew_tuple(b);
	picklew_i64(b, (int64_t)now);
	picklew_i64(b, (int64_t)total);
	picklew_tuple_end(b);
}

static void counted(
    struct f2b_command *c, const struct f2b_world *w, const struct f2b_result *r)
{
	struct unpack u;

	if (!f2b_answered(c, r, &u))
		return;
	f2b_reply_begin(c);
	picklew_dict(&c->reply);
	for (uint32_t n = unpack_count(&u, 44); n; n--) {
		struct jail_status s = read_status(&u);

		picklew_str(&c->reply, name_of(w, s.jail));
		picklew_list(&c->reply);
		picklew_str(&c->reply, backend_of(w, s.jail));
		put_pair(&c->reply, s.failed_now, s.failed_total);
		put_pair(&c->reply, s.banned_now, s.banned_total);
		picklew_list_end(&c->reply);
	}
	picklew_dict_end(&c->reply);
	f2b_reply_end(c);
}

void f2b_do_stats(struct f2b_command *c, UNUSED const struct f2b_world *w)
{
	f2b_ask(c, F2B_STATUS, UINT32_MAX, false);
	f2b_ask_nets(c, NULL, 0);
	pack_u32(&c->body, 0);
	f2b_ask_end(c, counted);
}

/* --- the logs of a jail ------------------------------------------------------------
 */

/* The log that was just added is opened soon; the one that was taken off goes soon. */
static void logs_listed(
    struct f2b_command *c, UNUSED const struct f2b_world *w, const struct f2b_result *r)
{
	bool is_set = !strcmp(c->words[0], "set");
	const char *added = is_set && c->words[2][0] == 'a' ? c->words[3] : NULL;
	const char *gone = is_set && c->words[2][0] == 'd' ? c->words[3] : NULL;
	struct unpack u;

	if (!f2b_answered(c, r, &u))
		return;
	(void)unpack_count(&u, 44);
	struct jail_status s = read_status(&u);

	f2b_reply_begin(c);
	picklew_list(&c->reply);
	for (uint32_t i = 0; i < s.n_files; i++) {
		struct span path = unpack_span(&s.files);

		if (added && span_eq(path, span_of(added)))
			added = NULL;
		if (!gone || !span_eq(path, span_of(gone)))
			picklew_span(&c->reply, path);
	}
	if (added)
		picklew_str(&c->reply, added);
	picklew_list_end(&c->reply);
	f2b_reply_end(c);
}

void f2b_get_logpath(struct f2b_command *c, const struct f2b_world *w)
{
	int jail = f2b_jail(c, w, 1);

	c->begin = f2b_get_logpath;
	if (jail < 0)
		return;
	f2b_ask(c, F2B_STATUS, (uint32_t)jail, true);
	f2b_ask_nets(c, NULL, 0);
	pack_u32(&c->body, 0);
	f2b_ask_end(c, logs_listed);
}

/* --- lists of bans -----------------------------------------------------------------
 */

static void ask_bans(
    struct f2b_command *c, uint32_t jail, size_t from, f2b_resume_fn resume)
{
	CLEANUP(freep) struct net *nets = calloc(F2B_MAX_NETS, sizeof(*nets));
	uint32_t n = 0;

	if (!nets) {
		f2b_raise(c, "MemoryError", "out of memory");
		return;
	}
	if (!f2b_nets(c, from, false, nets, &n))
		return;
	f2b_ask(c, F2B_BANS, jail, false);
	/* Words, but no address among them: nothing can match. */
	if (!n && c->n_words > from) {
		(void)net_parse(SPAN("::"), &nets[0]);
		n = 1;
	}
	f2b_ask_nets(c, nets, n);
	pack_u32(&c->body, 0);
	f2b_ask_end(c, resume);
}

static void put_time(struct buf *b, wall_t at)
{
	char text[64];
	time_t sec = (time_t)(at.us / US_PER_SEC);
	struct tm tm;

	if (at.us == WALL_NEVER.us || !localtime_r(&sec, &tm) ||
	    !strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &tm))
		buf_add_str(b, "9999-12-31 23:59:59");
	else
		buf_add_str(b, text);
}

/* "192.0.2.1 \t2026-01-01 00:00:00 + 600 = 2026-01-01 00:10:00" */
static void put_timed(struct buf *out, const struct ban *ban)
{
	CLEANUP(buf_deinit) struct buf line = BUF_INIT(512);
	int64_t sec = ban->until.us == WALL_NEVER.us
			  ? -1
			  : (ban->until.us - ban->at.us) / US_PER_SEC;

	buf_add_net(&line, &ban->net);
	buf_add_str(&line, " \t");
	put_time(&line, ban->at);
	buf_printf(&line, " + %lld = ", (long long)sec);
	put_time(&line, ban->until);
	picklew_span(out, buf_span(&line));
}

static void bans_listed(
    struct f2b_command *c, UNUSED const struct f2b_world *w, const struct f2b_result *r)
{
	struct unpack u;

	if (!f2b_answered(c, r, &u))
		return;
	f2b_reply_begin(c);
	picklew_list(&c->reply);
	for (uint32_t n = unpack_count(&u, 41); n; n--) {
		struct ban b = read_ban(&u);

		if (c->is_quoted)
			put_timed(&c->reply, &b);
		else
			put_net(&c->reply, &b.net);
	}
	picklew_list_end(&c->reply);
	f2b_reply_end(c);
}

void f2b_get_banip(struct f2b_command *c, const struct f2b_world *w)
{
	int jail = f2b_jail(c, w, 1);

	c->is_quoted =
	    c->n_words > 3 && c->words[3] && !strcmp(c->words[3], "--with-time");
	if (jail >= 0)
		ask_bans(c, (uint32_t)jail, c->n_words, bans_listed);
}

/* Does the answer hold a ban of the address that is the @which th in the question? */
static bool is_listed(struct unpack u, uint32_t which)
{
	for (uint32_t n = unpack_count(&u, 41); n; n--) {
		struct ban b = read_ban(&u);

		if (b.which == which)
			return true;
	}
	return false;
}

/* Walks the words again: which of them were addresses, and so in the question? */
static bool next_word_asked(
    const struct f2b_command *c, size_t i, uint32_t *n_asked, uint32_t *which)
{
	struct net n;

	if (net_parse(span_of(c->words[i]), &n) < 0)
		return false;
	*which = (*n_asked)++;
	return true;
}

static void words_checked(
    struct f2b_command *c, UNUSED const struct f2b_world *w, const struct f2b_result *r)
{
	uint32_t n_asked = 0, which = 0;
	struct unpack u;

	if (!f2b_answered(c, r, &u))
		return;
	f2b_reply_begin(c);
	if (c->n_words > 4)
		picklew_list(&c->reply);
	for (size_t i = 3; i < c->n_words; i++) {
		bool is_banned =
		    next_word_asked(c, i, &n_asked, &which) && is_listed(u, which);

		picklew_i64(&c->reply, is_banned);
	}
	if (c->n_words > 4)
		picklew_list_end(&c->reply);
	f2b_reply_end(c);
}

void f2b_get_banned(struct f2b_command *c, const struct f2b_world *w)
{
	int jail = f2b_jail(c, w, 1);

	c->is_quoted = false;
	if (jail >= 0)
		ask_bans(
		    c, (uint32_t)jail, 3, c->n_words > 3 ? words_checked : bans_listed);
}

static void all_banned(
    struct f2b_command *c, const struct f2b_world *w, const struct f2b_result *r)
{
	struct unpack u;

	if (!f2b_answered(c, r, &u))
		return;
	f2b_reply_begin(c);
	picklew_list(&c->reply);
	for (uint32_t n = unpack_count(&u, 44); n; n--) {
		struct jail_status s = read_status(&u);

		picklew_dict(&c->reply);
		picklew_str(&c->reply, name_of(w, s.jail));
		picklew_list(&c->reply);
		for (uint32_t i = 0; i < s.n_bans; i++) {
			struct net net = unpack_net(&s.bans);

			put_net(&c->reply, &net);
		}
		picklew_list_end(&c->reply);
		picklew_dict_end(&c->reply);
	}
	picklew_list_end(&c->reply);
	f2b_reply_end(c);
}

/* The bans of one word stand together in the answer, in the order of the words. */
static void put_jails_of(struct buf *out, const struct f2b_world *w, struct unpack *u,
    uint32_t *left, bool *is_in)
{
	struct unpack from = *u;
	uint32_t which = unpack_u32(&from), n = w->setup->n_jails;

	memset(is_in, 0, n * sizeof(*is_in));
	while (*left) {
		struct unpack ahead = *u;
		struct ban b = read_ban(&ahead);

		if (b.which != which)
			break;
		if (b.jail < n)
			is_in[b.jail] = true;
		*u = ahead;
		(*left)--;
	}
	for (uint32_t i = 0; i < n; i++) {
		if (is_in[i])
			picklew_str(out, name_of(w, i));
	}
}

static bool is_next(struct unpack u, uint32_t left, uint32_t which)
{
	return left && unpack_u32(&u) == which;
}

/* For each word, the jails that ban it. */
static void jails_found(
    struct f2b_command *c, const struct f2b_world *w, const struct f2b_result *r)
{
	CLEANUP(freep) bool *is_in = calloc(w->setup->n_jails + 1, sizeof(*is_in));
	uint32_t n_asked = 0, which = 0, left;
	struct unpack u;

	if (!is_in || !f2b_answered(c, r, &u))
		return;
	left = unpack_count(&u, 41);
	f2b_reply_begin(c);
	picklew_list(&c->reply);
	for (size_t i = 1; i < c->n_words; i++) {
		picklew_list(&c->reply);
		if (next_word_asked(c, i, &n_asked, &which) && is_next(u, left, which))
			put_jails_of(&c->reply, w, &u, &left, is_in);
		picklew_list_end(&c->reply);
	}
	picklew_list_end(&c->reply);
	f2b_reply_end(c);
}

void f2b_do_banned(struct f2b_command *c, UNUSED const struct f2b_world *w)
{
	if (c->n_words > 1) {
		ask_bans(c, UINT32_MAX, 1, jails_found);
		return;
	}
	f2b_ask(c, F2B_STATUS, UINT32_MAX, true);
	f2b_ask_nets(c, NULL, 0);
	pack_u32(&c->body, 0);
	f2b_ask_end(c, all_banned);
}

/* --- by hand -----------------------------------------------------------------------
 */

/* The number that @key has in the engine's JSON: a number, or of items of a list that
 * are new. */
static void answer_number(
    struct f2b_command *c, const struct f2b_result *r, const char *key)
{
	json_error_t e;
	json_t *o = json_loadb(r->bytes.p, r->bytes.n, 0, &e);
	const char *why = json_string_value(json_object_get(o, "error"));
	const json_t *v = json_object_get(o, key);

	if (why || !v)
		f2b_raise(c, "RuntimeError", "%s", why ? why : "no answer");
	else if (json_is_array(v))
		f2b_reply_i64(
		    c, (int64_t)json_array_size(v) -
			   json_integer_value(json_object_get(o, "prolonged")));
	else
		f2b_reply_i64(c, json_integer_value(v));
	json_decref(o);
}

static bool is_json(const struct f2b_result *r)
{
	return r->bytes.n && r->bytes.p[0] == '{';
}

static void banned(
    struct f2b_command *c, UNUSED const struct f2b_world *w, const struct f2b_result *r)
{
	struct unpack u;

	if (is_json(r))
		answer_number(c, r, "banned");
	else if (f2b_answered(c, r, &u))
		f2b_raise(c, "RuntimeError", "no answer");
}

void f2b_set_banip(struct f2b_command *c, const struct f2b_world *w)
{
	int jail = f2b_jail(c, w, 1);
	CLEANUP(freep) struct net *nets = calloc(F2B_MAX_NETS, sizeof(*nets));
	uint32_t n = 0;

	if (jail < 0 || !nets || !f2b_nets(c, 3, true, nets, &n))
		return;
	if (!n) {
		f2b_reply_i64(c, 0);
		return;
	}
	f2b_ask(c, F2B_BAN, (uint32_t)jail, false);
	f2b_ask_nets(c, nets, n);
	pack_u32(&c->body, 0);
	f2b_ask_end(c, banned);
}

/* As Python's repr() of a text has it. */
static void put_repr(struct buf *b, const char *text)
{
	char quote = strchr(text, '\'') && !strchr(text, '"') ? '"' : '\'';

	buf_add_char(b, quote);
	for (; *text; text++) {
		if (*text == quote || *text == '\\')
			buf_add_char(b, '\\');
		buf_add_char(b, *text);
	}
	buf_add_char(b, quote);
}

static bool is_absent(const char *word, struct unpack absent)
{
	struct net net, one;

	if (net_parse(span_of(word), &net) < 0)
		return true;
	for (uint32_t n = unpack_count(&absent, 17); n; n--) {
		one = unpack_net(&absent);
		if (net_eq(&one, &net))
			return true;
	}
	return false;
}

static void raise_absent(struct f2b_command *c, size_t from, struct unpack absent)
{
	CLEANUP(buf_deinit) struct buf b = BUF_INIT(3000);
	bool is_first = true;

	for (size_t i = from; i < c->n_words; i++) {
		if (!is_absent(c->words[i], absent))
			continue;
		buf_add_str(&b, is_first ? "" : ", ");
		put_repr(&b, c->words[i]);
		is_first = false;
	}
	f2b_raise(c, "ValueError", "not banned: [%s]", buf_str(&b));
}

static void unbanned(
    struct f2b_command *c, UNUSED const struct f2b_world *w, const struct f2b_result *r)
{
	struct unpack u;

	if (is_json(r))
		answer_number(c, r, "unbanned");
	else if (f2b_answered(c, r, &u))
		raise_absent(c, 4, u);
}

/* The addresses in the words from @from on; none at all: @all decides. */
static void ask_unban(struct f2b_command *c, uint32_t jail, size_t from, bool is_all)
{
	CLEANUP(freep) struct net *nets = calloc(F2B_MAX_NETS, sizeof(*nets));
	uint32_t n = 0;

	if (!nets || (!is_all && !f2b_nets(c, from, false, nets, &n)))
		return;
	if (!n && !is_all) {
		struct unpack none = {.bad = true};

		if (c->is_quoted && c->n_words > from)
			raise_absent(c, from, none);
		else
			f2b_reply_i64(c, 0);
		return;
	}
	f2b_ask(c, F2B_UNBAN, jail, c->is_quoted);
	f2b_ask_nets(c, nets, n);
	pack_u32(&c->body, 0);
	f2b_ask_end(c, unbanned);
}

void f2b_set_unbanip(struct f2b_command *c, const struct f2b_world *w)
{
	int jail = f2b_jail(c, w, 1);
	const char *word = jail >= 0 ? f2b_word(c, 3) : NULL;

	if (!word)
		return;
	c->is_quoted = !strcmp(word, "--report-absent");
	ask_unban(c, (uint32_t)jail, c->is_quoted ? 4 : 3, false);
}

void f2b_do_unban(struct f2b_command *c, UNUSED const struct f2b_world *w)
{
	if (c->n_words < 2) {
		f2b_raise(c, "Exception", "Invalid command");
		return;
	}
	ask_unban(c, UINT32_MAX, 1,
	    c->n_words == 2 && c->words[1] && !strcmp(c->words[1], "--all"));
}

static void attempted(
    struct f2b_command *c, UNUSED const struct f2b_world *w, const struct f2b_result *r)
{
	struct unpack u;

	if (f2b_answered(c, r, &u))
		f2b_reply_i64(c, unpack_bool(&u));
}

void f2b_set_attempt(struct f2b_command *c, const struct f2b_world *w)
{
	int jail = f2b_jail(c, w, 1);
	const char *word = jail >= 0 ? f2b_word(c, 3) : NULL;
	struct net net;
	size_t n = c->n_words > 4 ? c->n_words - 4 : 0;

	if (!word)
		return;
	if (net_parse_addr(span_of(word), &net) < 0) {
		f2b_raise(c, "ValueError", "'%.100s' is no address", word);
		return;
	}
	f2b_ask(c, F2B_ATTEMPT, (uint32_t)jail, false);
	f2b_ask_nets(c, &net, 1);
	n = n < 64 ? n : 64;
	pack_u32(&c->body, (uint32_t)n);
	for (size_t i = 0; i < n; i++)
		pack_str(&c->body, c->words[4 + i] ? c->words[4 + i] : "");
	f2b_ask_end(c, attempted);
}

static void idled(
    struct f2b_command *c, UNUSED const struct f2b_world *w, const struct f2b_result *r)
{
	struct unpack u;

	if (f2b_answered(c, r, &u))
		f2b_reply_bool(c, unpack_bool(&u));
}

void f2b_set_idle(struct f2b_command *c, const struct f2b_world *w)
{
	const char *word = f2b_word(c, 3);
	bool is_on = word && !strcmp(word, "on");

	if (!word)
		return;
	if (!is_on && strcmp(word, "off") != 0) {
		f2b_raise(c, "Exception", "Invalid idle option, must be 'on' or 'off'");
		return;
	}
	int jail = f2b_jail(c, w, 1);

	if (jail < 0)
		return;
	f2b_ask(c, F2B_IDLE, (uint32_t)jail, is_on);
	f2b_ask_nets(c, NULL, 0);
	pack_u32(&c->body, 0);
	f2b_ask_end(c, idled);
}
