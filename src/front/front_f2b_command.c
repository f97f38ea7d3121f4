/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "front/front_f2b_command.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "proc/overrides.h"

/* --- words -------------------------------------------------------------------------
 */

const char *f2b_word(struct f2b_command *c, size_t i)
{
	if (i < c->n_words && c->words[i])
		return c->words[i];
	f2b_raise_too_short(c);
	return NULL;
}

int f2b_jail(struct f2b_command *c, const struct f2b_world *w, size_t i)
{
	const char *name = f2b_word(c, i);
	int jail = name ? setup_find_jail(w->setup, span_of(name)) : -1;

	if (name && jail < 0)
		f2b_raise_unknown_jail(c, name);
	return jail;
}

/* As Python's str() would have it. NULL with *@bad: a NUL in it, or out of memory. */
static char *word_of(const struct pickle_value *v, bool *bad)
{
	char text[64] = "";

	switch (v->kind) {
	case PICKLE_STR:
		if (memchr(v->text.p, '\0', v->text.n)) {
			*bad = true;
			return NULL;
		}
		break;
	case PICKLE_BOOL:
		(void)snprintf(text, sizeof(text), "%s", v->truth ? "True" : "False");
		break;
	case PICKLE_INT:
		(void)snprintf(text, sizeof(text), "%" PRId64, v->number);
		break;
	case PICKLE_FLOAT:
		(void)snprintf(text, sizeof(text), "%.15g", v->real);
		break;
	default:
		return NULL;
	}
	char *word = span_dup(v->kind == PICKLE_STR ? v->text : span_of(text));

	*bad |= !word;
	return word;
}

/* Return: false, and the reply is there. */
static bool read_words(struct f2b_command *c)
{
	const struct pickle_value *root = pickle_root(c->request);
	bool bad = false;

	if (!pickle_is_row(root) || !root->n) {
		f2b_raise(c, "Exception", "Invalid command");
		return false;
	}
	if (root->n > F2B_MAX_WORDS) {
		f2b_raise(c, "ValueError", "more than %d words", F2B_MAX_WORDS);
		return false;
	}
	c->words = calloc(root->n, sizeof(*c->words));
	for (size_t i = 0; c->words && i < root->n; i++) {
		c->words[i] = word_of(root->items[i], &bad);
		c->n_words = i + 1;
	}
	if (!c->words || bad)
		f2b_raise(c, "ValueError", "a word holds a zero byte");
	return c->words && !bad;
}

/* --- steps -------------------------------------------------------------------------
 */

void f2b_ask(struct f2b_command *c, enum f2b_verb verb, uint32_t jail, bool flag)
{
	c->step = F2B_STEP_ENGINE;
	buf_clear(&c->body);
	pack_u8(&c->body, (uint8_t)verb);
	pack_u32(&c->body, jail);
	pack_bool(&c->body, flag);
}

void f2b_ask_end(struct f2b_command *c, f2b_resume_fn resume)
{
	c->resume = resume;
	if (c->body.failed)
		f2b_raise(c, "ValueError", "the request is too long");
}

bool f2b_begin_who(struct f2b_command *c, struct ids *out)
{
	if (ids_init(out, F2B_MAX_NETS) == 0)
		return true;
	f2b_raise(c, "MemoryError", "out of memory");
	return false;
}

bool f2b_who(struct f2b_command *c, size_t from, bool strict, struct ids *out)
{
	for (size_t i = from; i < c->n_words; i++) {
		const char *word = f2b_word(c, i);
		int r = word ? ids_add(out, word, true) : 0;

		if (!word)
			return false;
		if (r == -ENOSPC) {
			f2b_raise(c, "ValueError", "more than %d addresses at once",
			    F2B_MAX_NETS);
			return false;
		}
		if (r < 0 && strict) {
			f2b_raise(
			    c, "ValueError", "'%.100s' is no address or network", word);
			return false;
		}
	}
	return true;
}

void f2b_change(struct f2b_command *c, const char *jail, const char *option,
    const char *value, f2b_resume_fn resume)
{
	c->step = F2B_STEP_CHANGE;
	c->resume = resume;
	buf_clear(&c->body);
	pack_u8(&c->body, OVERRIDE_SET);
	pack_u32(&c->body, 1);
	pack_str(&c->body, jail);
	pack_str(&c->body, option);
	pack_str(&c->body, value);
	if (c->body.failed)
		f2b_raise(c, "ValueError", "the value is too long");
}

bool f2b_changed(struct f2b_command *c, const struct f2b_result *r)
{
	if (r->change == CHANGE_DONE)
		return true;
	f2b_raise_refused(c, r);
	return false;
}

bool f2b_answered(struct f2b_command *c, const struct f2b_result *r, struct unpack *out)
{
	*out = unpack_of(r->bytes);
	uint8_t verdict = unpack_u8(out);

	if (verdict == F2B_DONE)
		return true;
	CLEANUP(freep) char *why = verdict == F2B_FAILED ? unpack_str(out) : NULL;

	f2b_raise(c, "RuntimeError", "%s", why ? why : "no answer of the engine");
	return false;
}

/* --- the table ---------------------------------------------------------------------
 */

static const struct {
	const char *name;
	f2b_begin_fn begin;
} commands[] = {
    {"ping", f2b_do_ping},
    {"version", f2b_do_version},
    {"status", f2b_do_status},
    {"stats", f2b_do_stats},
    {"statistic", f2b_do_stats},
    {"statistics", f2b_do_stats},
    {"banned", f2b_do_banned},
    {"unban", f2b_do_unban},
    {"get", f2b_do_get},
    {"set", f2b_do_set},
    {"start", f2b_do_start},
    {"stop", f2b_do_stop},
    {"add", f2b_do_add},
    {"reload", f2b_do_reload},
    {"flushlogs", f2b_do_flushlogs},
    {"echo", f2b_do_echo},
    {"sleep", f2b_do_sleep},
    {"server-status", f2b_do_server_status},
    {"server-stream", f2b_do_server_stream},
    {"config-error", f2b_do_nothing},
};

static void find_command(struct f2b_command *c, const struct f2b_world *w)
{
	for (size_t i = 0; c->words[0] && i < ARRAY_LEN(commands); i++) {
		if (strcmp(c->words[0], commands[i].name) != 0)
			continue;
		c->begin = commands[i].begin;
		c->begin(c, w);
		return;
	}
	f2b_raise(c, "Exception", "Invalid command");
}

void f2b_command_begin(
    struct f2b_command *c, struct span bytes, const struct f2b_world *w)
{
	struct err e = {""};

	*c = (struct f2b_command){
	    .body = BUF_INIT(MESSAGE_MAX_BYTES - 64), .reply = BUF_INIT(F2B_REPLY_MAX)};
	if (pickle_read(bytes, PICKLE_DATA, F2B_MAX_ITEMS, &c->request, &e) < 0)
		f2b_reply_broken(c, e.text);
	else if (read_words(c))
		find_command(c, w);
}

void f2b_command_resume(
    struct f2b_command *c, const struct f2b_world *w, const struct f2b_result *r)
{
	if (c->step == F2B_STEP_ENGINE && r->bytes.n && r->bytes.p[0] == F2B_OTHER)
		c->begin(c, w); /* the jails may have other numbers now */
	else
		c->resume(c, w, r);
}

void f2b_command_give_up(struct f2b_command *c, const char *why)
{
	f2b_raise(c, "RuntimeError", "%s", why);
}

void f2b_command_deinit(struct f2b_command *c)
{
	for (size_t i = 0; i < c->n_words; i++)
		free(c->words[i]);
	free(c->words);
	pickle_free(c->request);
	buf_deinit(&c->body);
	buf_deinit(&c->reply);
}
