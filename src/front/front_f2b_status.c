/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a jail is about and how it does: status, stats, the logs it reads.
 */
#include "front/front_f2b_values.h"

#include "base/picklew.h"

static void put_text(struct buf *b, struct unpack *u)
{
	picklew_span(b, unpack_span(u));
}

static void put_sources(
    struct buf *b, const struct f2b_world *w, const struct f2b_jail_status *s)
{
	bool is_journal;
	const char *match = f2b_journal_match(w->setup, s->jail, &is_journal);
	struct unpack files = s->files;

	f2b_put_name(b, is_journal ? "Journal matches" : "File list");
	picklew_list(b);
	if (match)
		picklew_str(b, match);
	for (uint32_t i = 0; i < s->n_files; i++)
		put_text(b, &files);
	picklew_list_end(b);
	picklew_tuple_end(b);
}

static void put_banned(
    struct buf *b, const char *flavor, const struct f2b_jail_status *s)
{
	static const char *const cymru[] = {
	    "Banned ASN list", "Banned Country list", "Banned RIR list"};

	if (!strcmp(flavor, "short"))
		return;
	f2b_put_name(b, "Banned IP list");
	f2b_put_bans(b, s);
	picklew_tuple_end(b);
	/* Nobody is asked for these: an address is not told to third parties. */
	for (size_t i = 0; !strcmp(flavor, "cymru") && i < ARRAY_LEN(cymru); i++) {
		f2b_put_name(b, cymru[i]);
		picklew_list(b);
		picklew_list_end(b);
		picklew_tuple_end(b);
	}
}

static void put_status(struct buf *b, const struct f2b_world *w, const char *flavor,
    const struct f2b_jail_status *s)
{
	picklew_list(b);
	f2b_put_name(b, "Filter");
	picklew_list(b);
	f2b_put_count(b, "Currently failed", s->failed_now);
	f2b_put_count(b, "Total failed", s->failed_total);
	put_sources(b, w, s);
	picklew_list_end(b);
	picklew_tuple_end(b);
	f2b_put_name(b, "Actions");
	picklew_list(b);
	f2b_put_count(b, "Currently banned", s->banned_now);
	f2b_put_count(b, "Total banned", s->banned_total);
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
	f2b_put_count(b, "Number of jail", s->n_jails);
	f2b_put_name(b, "Jail list");
	picklew_span(b, buf_span(&text));
	picklew_tuple_end(b);
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
		struct f2b_jail_status s = f2b_read_status(&u);

		picklew_str(&c->reply, f2b_jail_name(w, s.jail));
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
	struct f2b_jail_status s = f2b_read_status(&u);

	f2b_reply_begin(c);
	put_status(&c->reply, w, flavor_of(c), &s);
	f2b_reply_end(c);
}

static bool with_bans(const struct f2b_command *c)
{
	return strcmp(flavor_of(c), "short") != 0;
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
		f2b_ask_status(c, UINT32_MAX, with_bans(c), all_stated);
		return;
	}
	int jail = f2b_jail(c, w, 1);

	if (jail >= 0)
		f2b_ask_status(c, (uint32_t)jail, with_bans(c), jail_stated);
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
		struct f2b_jail_status s = f2b_read_status(&u);

		picklew_str(&c->reply, f2b_jail_name(w, s.jail));
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
	f2b_ask_status(c, UINT32_MAX, false, counted);
}

/* --- the logs of a jail -------------------------------------------------------------
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
	struct f2b_jail_status s = f2b_read_status(&u);

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
	f2b_ask_status(c, (uint32_t)jail, true, logs_listed);
}
