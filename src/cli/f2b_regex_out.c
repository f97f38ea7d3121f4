/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * --out: only what was found, one line each. Text of the log is put in place of tags as
 * it is, and never looked through for tags itself.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/f2b_dns.h"
#include "cli/f2b_regex.h"
#include "cli/f2b_repr.h"

#define TAG_MAX 64

static void add_users(struct buf *b, struct span names)
{
	struct span name;

	buf_add_char(b, '{');
	for (bool is_first = true; span_next_line(&names, &name); is_first = false) {
		buf_add_str(b, is_first ? "" : ", ");
		f2b_repr_str(b, name);
	}
	buf_add_char(b, '}');
}

/* As str() has it; @quoted: as repr(). */
static void add_value(struct buf *b, const struct examine_group *g, bool quoted)
{
	switch (g->kind) {
	case EXAMINE_NONE:
		buf_add_str(b, "None");
		break;
	case EXAMINE_TEXT:
		if (quoted)
			f2b_repr_str(b, g->text);
		else
			buf_add_span(b, g->text);
		break;
	case EXAMINE_TUPLE:
		buf_add_span(b, g->text);
		break;
	case EXAMINE_USERS:
		add_users(b, g->text);
		break;
	}
}

void f2b_regex_repr_groups(
    struct buf *b, const struct examine_group *groups, size_t n, bool with_none)
{
	bool is_first = true;

	for (size_t i = 0; i < n; i++) {
		if (groups[i].kind == EXAMINE_NONE && !with_none)
			continue;
		buf_add_str(b, is_first ? "" : ", ");
		f2b_repr_str(b, span_of(groups[i].name));
		buf_add_str(b, ": ");
		add_value(b, &groups[i], true);
		is_first = false;
	}
}

static const struct examine_group *find_group(
    const struct examine_hit *hit, struct span name)
{
	for (size_t i = 0; i < hit->n_groups; i++) {
		if (span_eq(span_of(hit->groups[i].name), name))
			return &hit->groups[i];
	}
	return NULL;
}

/* The address, where it is not the id. */
static bool own_ip(
    const struct examine_hit *hit, char text[NET_TEXT_BYTES], struct span *out)
{
	const struct examine_group *fid = find_group(hit, SPAN("fid"));

	if (!fid || fid->kind == EXAMINE_NONE || hit->failure.is_name ||
	    span_eq(fid->text, hit->failure.host))
		return false;
	*out = hit->failure.host;
	if (hit->failure.has_net) {
		net_format(&hit->failure.net, text);
		*out = span_of(text);
	}
	return true;
}

static void add_line(struct buf *b, const struct examine_line *l)
{
	buf_add_span(b, l->before);
	buf_add_span(b, l->date);
	buf_add_span(b, l->after);
}

/* [('', 'Dec 31 11:59:59', ' text')] */
static void add_matches(struct buf *b, const struct examine_hit *hit)
{
	buf_add_char(b, '[');
	for (size_t i = 0; i < hit->n_lines; i++) {
		buf_add_str(b, i ? ", (" : "(");
		f2b_repr_str(b, hit->lines[i].before);
		buf_add_str(b, ", ");
		f2b_repr_str(b, hit->lines[i].date);
		buf_add_str(b, ", ");
		f2b_repr_str(b, hit->lines[i].after);
		buf_add_char(b, ')');
	}
	buf_add_char(b, ']');
}

static void add_time(struct buf *b, const struct examine_hit *hit, wall_t at)
{
	if (at.us == WALL_NONE.us)
		buf_add_str(b, "None");
	else if (hit->is_at_whole)
		buf_printf(b, "%lld", (long long)(at.us / US_PER_SEC));
	else
		f2b_repr_float(b, wall_to_sec(at));
}

static void add_id(struct buf *b, const struct examine_hit *hit, struct span id)
{
	const struct examine_group *fid = find_group(hit, SPAN("fid"));

	if (fid && fid->kind == EXAMINE_TUPLE && span_eq(fid->text, id))
		buf_add_span(b, id);
	else
		f2b_repr_str(b, id);
}

static void add_row(struct buf *b, const struct examine_hit *hit, struct span id)
{
	char text[NET_TEXT_BYTES];
	struct span ip;

	buf_add_char(b, '[');
	add_id(b, hit, id);
	buf_add_str(b, ",\t");
	add_time(b, hit, hit->failure.at);
	buf_add_str(b, ",\t{");
	f2b_regex_repr_groups(b, hit->groups, hit->n_groups, true);
	if (own_ip(hit, text, &ip)) {
		buf_add_str(b, hit->n_groups ? ", 'ip': " : "'ip': ");
		f2b_repr_str(b, ip);
	}
	buf_add_str(b, "}],");
}

/* --- tags --- */

struct ticket {
	const struct examine_hit *hit;
	struct span id, ip;
	bool has_own_ip, has_net;
	struct net net;
	const struct examine_line *msg; /* the one line that <msg> is; NULL: all */
};

static void add_rev(struct buf *b, const struct ticket *t)
{
	const uint8_t *v4;

	if (!t->has_net)
		return;
	if (net_is_v4(&t->net)) {
		v4 = net_v4_bytes(&t->net);
		buf_printf(b, "%u.%u.%u.%u.", v4[3], v4[2], v4[1], v4[0]);
		return;
	}
	for (size_t i = 16; i-- > 0;)
		buf_printf(b, "%x.%x.", t->net.addr[i] & 15u, t->net.addr[i] >> 4);
}

static void add_host(struct buf *b, const struct ticket *t)
{
	char *name = t->has_net ? f2b_dns_name_of(&t->net) : NULL;

	buf_add_str(b, name ? name : "None");
	free(name);
}

static void add_ticket_lines(struct buf *b, const struct ticket *t)
{
	for (size_t i = 0; i < t->hit->n_lines; i++) {
		if (i)
			buf_add_char(b, '\n');
		add_line(b, &t->hit->lines[i]);
	}
}

static void add_ticket_time(struct buf *b, const struct ticket *t)
{
	wall_t at = t->hit->failure.at;

	add_time(b, t->hit, at.us == WALL_NONE.us ? wall_now() : at);
}

static void add_ticket_data(struct buf *b, const struct ticket *t)
{
	bool is_any = false;

	buf_add_str(b, "{'matches': ");
	add_matches(b, t->hit);
	buf_add_str(b, ", 'failures': 0");
	for (size_t i = 0; i < t->hit->n_groups && !is_any; i++)
		is_any = t->hit->groups[i].kind != EXAMINE_NONE;
	buf_add_str(b, is_any ? ", " : "");
	f2b_regex_repr_groups(b, t->hit->groups, t->hit->n_groups, false);
	if (t->has_own_ip) {
		buf_add_str(b, ", 'ip': ");
		f2b_repr_str(b, t->ip);
	}
	buf_add_char(b, '}');
}

static void add_raw_ticket(struct buf *b, const struct ticket *t)
{
	buf_add_str(b, "BanTicket: ip=");
	buf_add_span(b, t->id);
	buf_add_str(b, " time=");
	add_ticket_time(b, t);
	buf_add_str(b, " bantime=None bancount=0 #attempts=0 matches=");
	add_matches(b, t->hit);
}

static void add_own_name(struct buf *b, UNUSED const struct ticket *t)
{
	char name[256] = "";

	(void)gethostname(name, sizeof(name) - 1);
	buf_add_str(b, name);
}

static void add_ip(struct buf *b, const struct ticket *t)
{
	buf_add_span(b, t->ip);
}

static void add_fid(struct buf *b, const struct ticket *t)
{
	buf_add_span(b, t->id);
}

static void add_family(struct buf *b, const struct ticket *t)
{
	buf_add_str(b, !t->has_net ? "None" : net_is_v4(&t->net) ? "inet4" : "inet6");
}

static void add_zero(struct buf *b, UNUSED const struct ticket *t)
{
	buf_add_char(b, '0');
}

static void add_msg(struct buf *b, const struct ticket *t)
{
	if (t->msg)
		add_line(b, t->msg);
	else
		add_ticket_lines(b, t);
}

static void add_newline(struct buf *b, UNUSED const struct ticket *t)
{
	buf_add_char(b, '\n');
}

static void add_blank(struct buf *b, UNUSED const struct ticket *t)
{
	buf_add_char(b, ' ');
}

static const struct {
	const char *name;
	void (*add)(struct buf *b, const struct ticket *t);
} tags[] = {
    {"ip", add_ip},
    {"fid", add_fid},
    {"family", add_family},
    {"ip-rev", add_rev},
    {"ip-host", add_host},
    {"failures", add_zero},
    {"time", add_ticket_time},
    {"bancount", add_zero},
    {"restored", add_zero},
    {"matches", add_ticket_lines},
    {"msg", add_msg},
    {"F-*", add_ticket_data},
    {"raw-ticket", add_raw_ticket},
    {"br", add_newline},
    {"sp", add_blank},
    {"fq-hostname", add_own_name},
    {"sh-hostname", add_own_name},
};

/* <F-USER> is group "user"; <F-ID> and <F-PORT> have names of their own. */
static bool add_group_tag(struct buf *b, struct span tag, const struct ticket *t)
{
	const struct examine_group *g;
	char name[TAG_MAX];

	if (!span_starts(tag, SPAN("F-")) || tag.n == 2 || tag.n >= TAG_MAX)
		return false;
	for (size_t i = 2; i < tag.n; i++) {
		char c = tag.p[i];

		if (!((c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
			c == '-'))
			return false;
		name[i - 2] = (char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
	}
	name[tag.n - 2] = '\0';
	if (!strcmp(name, "id"))
		g = find_group(t->hit, SPAN("fid"));
	else if (!strcmp(name, "port"))
		g = find_group(t->hit, SPAN("fport"));
	else
		g = find_group(t->hit, span_of(name));
	if (g && g->kind != EXAMINE_NONE)
		add_value(b, g, false);
	return true;
}

static bool add_tag(struct buf *b, struct span tag, const struct ticket *t)
{
	for (size_t i = 0; i < ARRAY_LEN(tags); i++) {
		if (span_eq(span_of(tags[i].name), tag)) {
			tags[i].add(b, t);
			return true;
		}
	}
	return add_group_tag(b, tag, t);
}

/* Bytes of the tag at the front of @s, its brackets included; 0: none. */
static size_t tag_length(struct span s)
{
	for (size_t i = 1; i < s.n; i++) {
		if (s.p[i] == '>')
			return i > 1 ? i + 1 : 0;
		if (s.p[i] == '<' || s.p[i] == ' ')
			return 0;
	}
	return 0;
}

static void add_format(struct buf *b, struct span format, const struct ticket *t)
{
	while (format.n > 0) {
		size_t n = *format.p == '<' ? tag_length(format) : 0;

		if (n == 0 || !add_tag(b, (struct span){format.p + 1, n - 2}, t)) {
			buf_add(b, format.p, n ? n : 1);
			n = n ? n : 1;
		}
		format = span_skip(format, n);
	}
}

/* --- all forms --- */

static void print_line(struct buf *b)
{
	buf_add_char(b, '\n');
	(void)fwrite(buf_str(b), 1, b->n, stdout);
	buf_clear(b);
}

static void out_format(
    struct f2b_regex *x, const struct examine_hit *hit, struct span id)
{
	struct span format = span_of(x->o->out);
	char text[NET_TEXT_BYTES];
	struct ticket t = {.hit = hit, .id = id, .ip = id};

	t.has_own_ip = own_ip(hit, text, &t.ip);
	t.has_net = net_parse(t.ip, &t.net) == 0;
	if (hit->n_lines > 1 && span_find(format, SPAN("<msg>")) >= 0) {
		for (size_t i = 0; i < hit->n_lines; i++) {
			t.msg = &hit->lines[i];
			add_format(&x->out, format, &t);
			print_line(&x->out);
		}
		return;
	}
	add_format(&x->out, format, &t);
	print_line(&x->out);
}

static void out_group(struct f2b_regex *x, const struct examine_hit *hit)
{
	const struct examine_group *g = find_group(hit, span_of(x->o->out));

	if (!strcmp(x->o->out, "matches"))
		add_matches(&x->out, hit);
	else if (g)
		add_value(&x->out, g, false);
	else
		buf_add_str(&x->out, "None");
	print_line(&x->out);
}

void f2b_regex_out(struct f2b_regex *x, const struct examine_hit *hit, struct span id)
{
	const char *form = x->o->out;
	char text[NET_TEXT_BYTES];
	struct span ip = id;

	if (!strcmp(form, "id") || !strcmp(form, "fid") || !strcmp(form, "ip")) {
		if (!strcmp(form, "ip"))
			(void)own_ip(hit, text, &ip);
		buf_add_span(&x->out, ip);
		print_line(&x->out);
	} else if (!strcmp(form, "msg")) {
		for (size_t i = 0; i < hit->n_lines; i++) {
			add_line(&x->out, &hit->lines[i]);
			print_line(&x->out);
		}
	} else if (!strcmp(form, "row")) {
		add_row(&x->out, hit, id);
		print_line(&x->out);
	} else if (strchr(form, '<')) {
		out_format(x, hit, id);
	} else {
		out_group(x, hit);
	}
}
