/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "front/front_f2b_values.h"

#include "base/picklew.h"

void f2b_add_who(struct buf *b, const struct f2b_banned *w)
{
	if (net_is_id(&w->net))
		buf_add_span(b, w->id);
	else
		buf_add_net(b, &w->net);
}

void f2b_put_who(struct buf *b, const struct f2b_banned *w)
{
	CLEANUP(buf_deinit) struct buf text = BUF_INIT(512);

	f2b_add_who(&text, w);
	picklew_span(b, buf_span(&text));
}

static struct f2b_banned read_who(struct unpack *u)
{
	struct f2b_banned w = {.net = unpack_net(u)};

	if (net_is_id(&w.net))
		w.id = unpack_span(u);
	return w;
}

void f2b_put_name(struct buf *b, const char *name)
{
	picklew_tuple(b);
	picklew_str(b, name);
}

void f2b_put_count(struct buf *b, const char *name, uint64_t n)
{
	f2b_put_name(b, name);
	picklew_i64(b, (int64_t)n);
	picklew_tuple_end(b);
}

struct f2b_jail_status f2b_read_status(struct unpack *u)
{
	struct f2b_jail_status s = {.jail = unpack_u32(u)};

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
		(void)read_who(u);
	return s;
}

struct f2b_ban f2b_read_ban(struct unpack *u)
{
	struct f2b_ban b = {.which = unpack_u32(u)};

	b.jail = unpack_u32(u);
	b.who = read_who(u);
	b.at = unpack_wall(u);
	b.until = unpack_wall(u);
	return b;
}

const char *f2b_jail_name(const struct f2b_world *w, uint32_t jail)
{
	return jail < w->setup->n_jails ? w->setup->jails[jail].name : "";
}

void f2b_ask_status(
    struct f2b_command *c, uint32_t jail, bool with_bans, f2b_resume_fn resume)
{
	f2b_ask(c, F2B_STATUS, jail, with_bans);
	pack_nets(&c->body, NULL, 0);
	pack_u32(&c->body, 0);
	f2b_ask_end(c, resume);
}

void f2b_put_bans(struct buf *b, const struct f2b_jail_status *s)
{
	struct unpack bans = s->bans;

	picklew_list(b);
	for (uint32_t i = 0; i < s->n_bans; i++) {
		struct f2b_banned w = read_who(&bans);

		f2b_put_who(b, &w);
	}
	picklew_list_end(b);
}
