/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The values of a command's tags.
 */
#include <unistd.h>

#include "enforce/action_tag.h"
#include "runner/runner.h"

/* "1.2.0.192." or the nibbles of an IPv6 address, for names in the DNS. */
static void add_reversed(struct buf *b, const struct net *n)
{
	if (net_is_v4(n)) {
		const uint8_t *a = net_v4_bytes(n);

		buf_printf(b, "%u.%u.%u.%u.", a[3], a[2], a[1], a[0]);
		return;
	}
	for (int i = 15; i >= 0; i--)
		buf_printf(b, "%x.%x.", n->addr[i] & 15u, n->addr[i] >> 4);
}

/* How long it lasts; of a restored one what is left, as tools that keep time want. */
static int64_t ban_seconds(const struct ticket *t)
{
	if (t->until.us == WALL_NEVER.us)
		return -1;
	int64_t us = t->until.us - (t->is_restored ? wall_now().us : t->at.us);

	return us > 0 ? (us + US_PER_SEC - 1) / US_PER_SEC : 1;
}

/* It may come out of the network (DHCP), so it is no more than a name can be. */
static void add_host(struct buf *b, struct span name)
{
	for (size_t i = 0; i < name.n; i++) {
		char c = name.p[i];
		bool is_inner = i > 0 && (c == '-' || c == '.');

		buf_add_char(b, shell_is_alnum(c) || is_inner ? c : 'x');
	}
}

static void add_hostname(struct buf *b, bool is_short)
{
	char name[256] = "";

	if (gethostname(name, sizeof(name) - 1) < 0)
		return;
	if (is_short)
		name[strcspn(name, ".")] = '\0';
	add_host(b, span_of(name));
}

/* @merged: with older bans; without, those of this ban stand for it. */
static void add_matches(struct buf *b, const struct ticket_words *w, const char *merged)
{
	if (merged)
		buf_add_str(b, merged);
	else if (w && w->matches)
		buf_add_str(b, w->matches);
}

static void add_address(struct buf *b, const struct ticket *t)
{
	const struct net *n = ticket_address(t);

	if (n)
		buf_add_net(b, n);
	else
		buf_add_str(b, t->id);
}

static void add_family(struct buf *b, const struct ticket *t)
{
	const struct net *n = ticket_address(t);

	if (n)
		buf_add_str(b, net_is_v4(n) ? "inet4" : "inet6");
}

static void add_value(struct tag_source *s, enum action_tag tag, struct buf *b)
{
	static const struct ticket none = {.until = {0}};
	const struct ticket *t = s->ticket ? s->ticket : &none;

	switch (tag) {
	case TAG_IP:
		if (s->ticket)
			add_address(b, t);
		return;
	case TAG_ID:
		if (t->id)
			buf_add_str(b, t->id);
		else if (s->ticket)
			buf_add_net(b, &t->net);
		return;
	case TAG_FAMILY:
		if (s->ticket)
			add_family(b, t);
		else
			buf_add_str(b, runner_family_name(s->family));
		return;
	case TAG_IP_REV:
		if (s->ticket && ticket_address(t))
			add_reversed(b, ticket_address(t));
		return;
	case TAG_IP_HOST: /* the script fills the variable itself */
		s->asks_host = s->ticket && ticket_address(t);
		return;
	case TAG_FAILURES:
		buf_printf(b, "%u", t->failures);
		return;
	case TAG_TIME:
		buf_printf(b, "%lld",
		    (long long)((s->ticket ? t->at.us : wall_now().us) / US_PER_SEC));
		return;
	case TAG_BANTIME:
		buf_printf(b, "%lld", s->ticket ? (long long)ban_seconds(t) : 0);
		return;
	case TAG_BANCOUNT:
		buf_printf(b, "%u", t->ban_count);
		return;
	case TAG_MATCHES:
		add_matches(b, t->words, NULL);
		return;
	case TAG_IP_MATCHES:
		add_matches(b, t->words, t->words ? t->words->ip_matches : NULL);
		return;
	case TAG_JAIL_MATCHES:
		add_matches(b, t->words, t->words ? t->words->jail_matches : NULL);
		return;
	case TAG_IP_FAILURES:
		buf_printf(b, "%u",
		    t->words && t->words->ip_failures ? t->words->ip_failures
						      : t->failures);
		return;
	case TAG_JAIL_FAILURES:
		buf_printf(b, "%u",
		    t->words && t->words->jail_failures ? t->words->jail_failures
							: t->failures);
		return;
	case TAG_RESTORED:
		buf_add_char(b, t->is_restored ? '1' : '0');
		return;
	case TAG_JAIL_NAME:
		buf_add_str(b, s->jail);
		return;
	case TAG_JAIL_BANNED:
		buf_printf(b, "%zu", s->n_banned);
		return;
	case TAG_JAIL_BANNED_TOTAL:
		buf_printf(b, "%zu", s->n_banned_total);
		return;
	case TAG_FQ_HOSTNAME:
	case TAG_SH_HOSTNAME:
		add_hostname(b, tag == TAG_SH_HOSTNAME);
		return;
	case TAG_NONE:
	case TAG_FIELD:
		return;
	case TAG_RAW_TICKET:
		buf_add_str(b, "ip=");
		if (s->ticket)
			add_address(b, t);
		buf_printf(b, " failures=%u", t->failures);
		return;
	}
}

/* <F-USER> is the field "user"; <F-*> what the line said. */
static void find_field(
    const struct tag_source *s, struct span name, struct shell_value *out)
{
	const struct ticket_words *w = s->ticket ? s->ticket->words : NULL;

	for (uint32_t i = 0; w && i < w->n_fields; i++) {
		struct span field = span_of(w->fields[i].name);

		if (span_eq_nocase(field, name) ||
		    (span_eq(name, SPAN("ID")) && span_eq(field, SPAN("fid"))) ||
		    (span_eq(name, SPAN("PORT")) && span_eq(field, SPAN("fport"))))
			out->text = span_of(w->fields[i].value);
	}
	/* A restored ban has it still. */
	if (!out->text.n && span_eq(name, SPAN("ID")) && s->ticket && s->ticket->id)
		out->text = span_of(s->ticket->id);
}

/* Also where it is another's text instead of an address. */
static bool is_foreign(const struct tag_source *s, enum action_tag tag)
{
	bool has_id = s->ticket && s->ticket->id;

	return action_tag_is_foreign(tag) || (has_id && tag == TAG_ID) ||
	       (has_id && !ticket_address(s->ticket) &&
		   (tag == TAG_IP || tag == TAG_RAW_TICKET));
}

bool runner_tag(void *ctx, struct span name, struct shell_value *out)
{
	struct tag_source *s = ctx;
	enum action_tag tag = action_tag_find(name);

	if (tag == TAG_NONE)
		return false;
	*out = (struct shell_value){
	    {"", 0}, is_foreign(s, tag), action_tag_has_lines(tag)};
	if (tag == TAG_FIELD) {
		find_field(s, span_skip(name, 2), out);
		return true;
	}
	buf_clear(&s->scratch);
	add_value(s, tag, &s->scratch);
	out->text = buf_span(&s->scratch);
	return true;
}
