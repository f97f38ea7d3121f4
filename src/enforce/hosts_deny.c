/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The file is read anew for each write: others may have changed it meanwhile. Our block
 * lies between its marks. Where somebody has taken one mark away, it reaches from the
 * other one as far as lines look like ours, so that nobody else's line is lost and no
 * ban of ours stays for ever.
 */
#include "enforce/hosts_deny.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "base/fd.h"
#include "base/hash.h"

#define BEGIN_MARK "# bandog: begin, do not edit between these lines"
#define END_MARK "# bandog: end"
#define FILE_MAX_BYTES (64u << 20)

struct entry {
	struct net net;
	uint32_t n_bans; /* several jails may want it */
	UT_hash_handle hh;
};

struct hosts_deny {
	char *path;
	char *daemons;
	struct entry *entries; /* in the order in which they came */
	size_t n;
	bool is_changed;
};

struct hosts_deny *hosts_deny_open(const char *path, const char *daemons)
{
	CLEANUP(hosts_deny_closep) struct hosts_deny *h = calloc(1, sizeof(*h));

	if (!h)
		return NULL;
	h->path = strdup(path);
	h->daemons = strdup(daemons);
	h->is_changed = true; /* a block of an earlier run may stand there */
	if (!h->path || !h->daemons)
		return NULL;
	return TAKE(h);
}

static void forget(struct hosts_deny *h)
{
	struct entry *e, *next;

	HASH_ITER (hh, h->entries, e, next) {
		HASH_DEL(h->entries, e);
		free(e);
	}
	h->n = 0;
}

struct hosts_deny *hosts_deny_close(struct hosts_deny *h)
{
	if (!h)
		return NULL;
	forget(h);
	free(h->path);
	free(h->daemons);
	free(h);
	return NULL;
}

int hosts_deny_add(struct hosts_deny *h, const struct net *n)
{
	struct entry *e;

	HASH_FIND(hh, h->entries, n, sizeof(*n), e);
	if (e) {
		e->n_bans++;
		return 0;
	}
	if (h->n == HOSTS_DENY_MAX)
		return HOSTS_DENY_FULL;
	e = calloc(1, sizeof(*e));
	if (!e)
		return -ENOMEM;
	e->net = *n;
	e->n_bans = 1;
	HASH_ADD(hh, h->entries, net, sizeof(e->net), e);
	if (!e->hh.tbl) {
		free(e);
		return -ENOMEM;
	}
	h->n++;
	h->is_changed = true;
	return 0;
}

void hosts_deny_remove(struct hosts_deny *h, const struct net *n)
{
	struct entry *e;

	HASH_FIND(hh, h->entries, n, sizeof(*n), e);
	if (!e || --e->n_bans)
		return;
	HASH_DEL(h->entries, e);
	free(e);
	h->n--;
	h->is_changed = true;
}

void hosts_deny_clear(struct hosts_deny *h)
{
	forget(h);
	h->is_changed = true;
}

bool hosts_deny_is_changed(const struct hosts_deny *h)
{
	return h->is_changed;
}

/* hosts_access(5): n.n.n.n/m.m.m.m for IPv4 networks, [n:n::]/m for IPv6 ones. */
static void put_pattern(struct buf *b, const struct net *n)
{
	char text[NET_TEXT_BYTES];
	unsigned int len = net_prefix_len(n);
	struct net addr = *n;

	addr.bits = 128;
	net_format(&addr, text);
	if (!net_is_v4(n)) {
		buf_printf(b, "[%s]", text);
		if (len < 128)
			buf_printf(b, "/%u", len);
		return;
	}
	buf_add_str(b, text);
	if (len < 32) {
		uint32_t mask = len ? ~UINT32_C(0) << (32 - len) : 0;

		buf_printf(b, "/%u.%u.%u.%u", mask >> 24, mask >> 16 & 255,
		    mask >> 8 & 255, mask & 255);
	}
}

static void put_block(struct buf *b, const struct hosts_deny *h)
{
	const struct entry *e;

	if (!h->n)
		return;
	if (b->n && b->p[b->n - 1] != '\n')
		buf_add_char(b, '\n');
	buf_add_str(b, BEGIN_MARK "\n");
	for (e = h->entries; e; e = e->hh.next) {
		buf_printf(b, "%s: ", h->daemons);
		put_pattern(b, &e->net);
		buf_add_char(b, '\n');
	}
	buf_add_str(b, END_MARK "\n");
}

static bool next_line(struct span *rest, struct span *line, struct span *text)
{
	if (!span_next_whole_line(rest, line))
		return false;
	*text = span_trim(*line);
	return true;
}

/* Does it look like what put_block() writes: DAEMONS: ADDRESS? */
static bool is_our_line(const struct hosts_deny *h, struct span text)
{
	struct span daemons = span_of(h->daemons);
	struct net n;

	if (!span_starts(text, daemons))
		return false;
	text = span_skip(text, daemons.n);
	if (!span_starts(text, SPAN(": ")))
		return false;
	text = span_skip(text, 2);
	ptrdiff_t mask = span_index(text, '/');

	/* "[addr]/len" is not how net_parse() wants it; the address alone will do. */
	if (mask > 0)
		text.n = (size_t)mask;
	return net_parse(text, &n) == 0;
}

static bool has_end(struct span rest)
{
	struct span line, text;

	while (next_line(&rest, &line, &text)) {
		if (span_eq(text, SPAN(END_MARK)))
			return true;
		if (span_eq(text, SPAN(BEGIN_MARK)))
			return false;
	}
	return false;
}

/* Where we are while reading the old file. */
struct reading {
	bool is_inside; /* a block has begun */
	bool has_end;   /* and it has an end mark */
	struct span
	    maybe; /* lines like ours, until the next one tells whether they are */
};

static void keep(struct buf *out, struct reading *r, struct span line)
{
	buf_add_span(out, r->maybe);
	buf_add_span(out, line);
	r->maybe.n = 0;
	r->is_inside = false;
}

/* A line like ours outside of the marks. */
static void hold_back(struct reading *r, struct span line)
{
	if (!r->maybe.n)
		r->maybe = line;
	else
		r->maybe.n += line.n; /* they lie side by side in the old file */
}

/* All that is not ours, byte for byte. */
static void put_others(struct buf *out, const struct hosts_deny *h, struct span old)
{
	struct reading r = {0};
	struct span line, text;

	while (next_line(&old, &line, &text)) {
		if (r.is_inside && r.has_end) {
			r.is_inside = !span_eq(text, SPAN(END_MARK));
		} else if (span_eq(text, SPAN(BEGIN_MARK))) {
			keep(out, &r, SPAN(""));
			r.is_inside = true;
			r.has_end = has_end(old);
		} else if (span_eq(text, SPAN(END_MARK))) {
			r.maybe.n = 0;
			r.is_inside = false;
		} else if (!is_our_line(h, text)) {
			keep(out, &r, line);
		} else if (!r.is_inside) {
			hold_back(&r, line);
		}
	}
	keep(out, &r, SPAN(""));
}

void hosts_deny_render(const struct hosts_deny *h, struct span old, struct buf *out)
{
	put_others(out, h, old);
	put_block(out, h);
}

int hosts_deny_write(struct hosts_deny *h, struct err *e)
{
	struct buf old = BUF_INIT(FILE_MAX_BYTES);
	struct buf fresh = BUF_INIT(FILE_MAX_BYTES);
	int r = fd_read_file(AT_FDCWD, h->path, &old);

	if (r == -ENOENT)
		r = 0;
	if (r < 0)
		err_errno(e, r, "%s cannot be read", h->path);
	if (!r) {
		hosts_deny_render(h, buf_span(&old), &fresh);
		if (fresh.failed)
			r = err_set(e, -EFBIG, "%s would become too large", h->path);
	}
	if (!r && !span_eq(buf_span(&old), buf_span(&fresh)))
		r = fd_replace_file(h->path, buf_span(&fresh), 0644, e);
	if (!r)
		h->is_changed = false;
	buf_deinit(&old);
	buf_deinit(&fresh);
	return r;
}
