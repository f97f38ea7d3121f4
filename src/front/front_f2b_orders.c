/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a client has the engine do: bans and unbans by hand, attempts, idle jails.
 */
#include "front/front_f2b_values.h"

#include <jansson.h>

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
	CLEANUP(ids_deinit) struct ids who = {0};

	if (jail < 0 || !f2b_begin_who(c, &who) || !f2b_who(c, 3, true, &who))
		return;
	if (!who.n) {
		f2b_reply_i64(c, 0);
		return;
	}
	f2b_ask(c, F2B_BAN, (uint32_t)jail, false);
	ids_pack(&c->body, &who);
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

	if (net_parse(span_of(word), &net) < 0 && net_parse_id(span_of(word), &net) < 0)
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
	CLEANUP(ids_deinit) struct ids who = {0};

	if (!f2b_begin_who(c, &who) || (!is_all && !f2b_who(c, from, false, &who)))
		return;
	if (!who.n && !is_all) {
		struct unpack none = {.bad = true};

		if (c->has_flag && c->n_words > from)
			raise_absent(c, from, none);
		else
			f2b_reply_i64(c, 0);
		return;
	}
	f2b_ask(c, F2B_UNBAN, jail, c->has_flag);
	ids_pack(&c->body, &who);
	pack_u32(&c->body, 0);
	f2b_ask_end(c, unbanned);
}

void f2b_set_unbanip(struct f2b_command *c, const struct f2b_world *w)
{
	int jail = f2b_jail(c, w, 1);
	const char *word = jail >= 0 ? f2b_word(c, 3) : NULL;

	if (!word)
		return;
	c->has_flag = !strcmp(word, "--report-absent");
	ask_unban(c, (uint32_t)jail, c->has_flag ? 4 : 3, false);
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
	CLEANUP(ids_deinit) struct ids who = {0};
	size_t n = c->n_words > 4 ? c->n_words - 4 : 0;

	if (!f2b_begin_who(c, &who) || !word)
		return;
	if (ids_add(&who, word, true) < 0 || !net_is_host(&who.nets[0])) {
		f2b_raise(c, "ValueError", "'%.100s' is no address", word);
		return;
	}
	f2b_ask(c, F2B_ATTEMPT, (uint32_t)jail, false);
	ids_pack(&c->body, &who);
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
	pack_nets(&c->body, NULL, 0);
	pack_u32(&c->body, 0);
	f2b_ask_end(c, idled);
}
