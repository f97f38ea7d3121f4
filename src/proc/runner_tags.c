/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The values of a command's tags. Ours, and pasted: addresses in canonical form,
 * numbers, the jail's name. All else came out of a log or the DNS.
 */
#include <unistd.h>

#include "proc/runner.h"

enum tag {
	TAG_IP,
	TAG_FAMILY,
	TAG_IP_REV,
	TAG_IP_HOST,
	TAG_FAILURES,
	TAG_IP_FAILURES,
	TAG_JAIL_FAILURES,
	TAG_TIME,
	TAG_BANTIME,
	TAG_BANCOUNT,
	TAG_MATCHES,
	TAG_IP_MATCHES,
	TAG_JAIL_MATCHES,
	TAG_RESTORED,
	TAG_JAIL_NAME,
	TAG_JAIL_BANNED,
	TAG_JAIL_BANNED_TOTAL,
	TAG_FQ_HOSTNAME,
	TAG_SH_HOSTNAME,
	TAG_RAW_TICKET,
};

/* Source: fail2ban's jail.conf(5) and action files. */
static const struct {
	const char *name;
	enum tag tag;
} tags[] = {
    {"ip", TAG_IP},
    {"fid", TAG_IP},
    {"family", TAG_FAMILY},
    {"ip-rev", TAG_IP_REV},
    {"ip-host", TAG_IP_HOST},
    {"failures", TAG_FAILURES},
    {"ipfailures", TAG_IP_FAILURES},
    {"ipjailfailures", TAG_JAIL_FAILURES},
    {"time", TAG_TIME},
    {"bantime", TAG_BANTIME},
    {"bancount", TAG_BANCOUNT},
    {"matches", TAG_MATCHES},
    {"ipmatches", TAG_IP_MATCHES},
    {"ipjailmatches", TAG_JAIL_MATCHES},
    {"restored", TAG_RESTORED},
    {"jail.name", TAG_JAIL_NAME},
    {"jail.banned", TAG_JAIL_BANNED},
    {"jail.banned_total", TAG_JAIL_BANNED_TOTAL},
    {"jail.found", TAG_FAILURES},
    {"jail.found_total", TAG_FAILURES},
    {"fq-hostname", TAG_FQ_HOSTNAME},
    {"sh-hostname", TAG_SH_HOSTNAME},
    {"raw-ticket", TAG_RAW_TICKET},
};

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

static void add_hostname(struct buf *b, bool is_short)
{
	char name[256] = "";

	if (gethostname(name, sizeof(name) - 1) < 0)
		return;
	if (is_short)
		name[strcspn(name, ".")] = '\0';
	buf_add_str(b, name);
}

/* @merged: with older bans; without, those of this ban stand for it. */
static void add_matches(struct buf *b, const struct ticket_words *w, const char *merged)
{
	if (merged)
		buf_add_str(b, merged);
	else if (w && w->matches)
		buf_add_str(b, w->matches);
}

static void add_value(struct tag_source *s, enum tag tag, struct buf *b)
{
	static const struct ticket none = {.until = {0}};
	const struct ticket *t = s->ticket ? s->ticket : &none;

	switch (tag) {
	case TAG_IP:
		if (s->ticket)
			buf_add_net(b, &t->net);
		return;
	case TAG_FAMILY:
		if (s->ticket)
			buf_add_str(b, net_is_v4(&t->net) ? "inet4" : "inet6");
		else
			buf_add_str(b, runner_family_name(s->family));
		return;
	case TAG_IP_REV:
		if (s->ticket)
			add_reversed(b, &t->net);
		return;
	case TAG_IP_HOST: /* the script fills the variable itself */
		s->asks_host = s->ticket != NULL;
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
	case TAG_RAW_TICKET:
		buf_add_str(b, "ip=");
		if (s->ticket)
			buf_add_net(b, &t->net);
		buf_printf(b, " failures=%u", t->failures);
		return;
	}
}

/* <F-USER> is the field "user"; <F-*> what the line said. */
static void find_field(
    const struct tag_source *s, struct span name, struct shell_value *out)
{
	const struct ticket_words *w = s->ticket ? s->ticket->words : NULL;

	*out = (struct shell_value){{"", 0}, true};
	for (uint32_t i = 0; w && i < w->n_fields; i++) {
		struct span field = span_of(w->fields[i].name);

		if (span_eq_nocase(field, name) ||
		    (span_eq(name, SPAN("ID")) && span_eq(field, SPAN("fid"))) ||
		    (span_eq(name, SPAN("PORT")) && span_eq(field, SPAN("fport"))))
			out->text = span_of(w->fields[i].value);
	}
}

static bool is_own(enum tag tag)
{
	switch (tag) {
	case TAG_IP_HOST:
	case TAG_MATCHES:
	case TAG_IP_MATCHES:
	case TAG_JAIL_MATCHES:
	case TAG_FQ_HOSTNAME:
	case TAG_SH_HOSTNAME:
		return false;
	default:
		return true;
	}
}

bool runner_tag(void *ctx, struct span tag, struct shell_value *out)
{
	struct tag_source *s = ctx;

	if (span_starts(tag, SPAN("F-"))) {
		find_field(s, span_skip(tag, 2), out);
		return true;
	}
	for (size_t i = 0; i < ARRAY_LEN(tags); i++) {
		if (!span_eq(tag, span_of(tags[i].name)))
			continue;
		buf_clear(&s->scratch);
		add_value(s, tags[i].tag, &s->scratch);
		*out =
		    (struct shell_value){buf_span(&s->scratch), !is_own(tags[i].tag)};
		return true;
	}
	return false;
}
