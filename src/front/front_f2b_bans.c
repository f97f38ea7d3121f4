/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who is banned: lists of bans, with times, and by address.
 */
#include "front/front_f2b_values.h"

#include <time.h>

#include "base/picklew.h"

static void ask_bans(
    struct f2b_command *c, uint32_t jail, size_t from, f2b_resume_fn resume)
{
	CLEANUP(ids_deinit) struct ids who = {0};

	if (!f2b_begin_who(c, &who) || !f2b_who(c, from, false, &who))
		return;
	f2b_ask(c, F2B_BANS, jail, false);
	/* Words, but no address or id among them: nothing can match. */
	if (!who.n && c->n_words > from)
		(void)ids_add(&who, "::", false);
	ids_pack(&c->body, &who);
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
static void put_timed(struct buf *out, const struct f2b_ban *ban)
{
	CLEANUP(buf_deinit) struct buf line = BUF_INIT(1024);
	int64_t sec = ban->until.us == WALL_NEVER.us
			  ? -1
			  : (ban->until.us - ban->at.us) / US_PER_SEC;

	f2b_add_who(&line, &ban->who);
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
		struct f2b_ban b = f2b_read_ban(&u);

		if (c->has_flag)
			put_timed(&c->reply, &b);
		else
			f2b_put_who(&c->reply, &b.who);
	}
	picklew_list_end(&c->reply);
	f2b_reply_end(c);
}

void f2b_get_banip(struct f2b_command *c, const struct f2b_world *w)
{
	int jail = f2b_jail(c, w, 1);

	c->has_flag =
	    c->n_words > 3 && c->words[3] && !strcmp(c->words[3], "--with-time");
	if (jail >= 0)
		ask_bans(c, (uint32_t)jail, c->n_words, bans_listed);
}

/* Does the answer hold a ban of the address that is the @which th in the question? */
static bool is_listed(struct unpack u, uint32_t which)
{
	for (uint32_t n = unpack_count(&u, 41); n; n--) {
		struct f2b_ban b = f2b_read_ban(&u);

		if (b.which == which)
			return true;
	}
	return false;
}

/* Walks the words again: which of them were in the question? */
static bool next_word_asked(
    const struct f2b_command *c, size_t i, uint32_t *n_asked, uint32_t *which)
{
	struct net n;

	if (net_parse(span_of(c->words[i]), &n) < 0 &&
	    net_parse_id(span_of(c->words[i]), &n) < 0)
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

	c->has_flag = false;
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
		struct f2b_jail_status s = f2b_read_status(&u);

		picklew_dict(&c->reply);
		picklew_str(&c->reply, f2b_jail_name(w, s.jail));
		f2b_put_bans(&c->reply, &s);
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
		struct f2b_ban b = f2b_read_ban(&ahead);

		if (b.which != which)
			break;
		if (b.jail < n)
			is_in[b.jail] = true;
		*u = ahead;
		(*left)--;
	}
	for (uint32_t i = 0; i < n; i++) {
		if (is_in[i])
			picklew_str(out, f2b_jail_name(w, i));
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
	f2b_ask_status(c, UINT32_MAX, true, all_banned);
}
