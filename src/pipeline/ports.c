/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pipeline/ports.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdlib.h>

#include "base/cleanup.h"

/* What /etc/services says on Debian 12, for the services a jail is likely to name. */
static const struct {
	const char *name;
	uint16_t port;
} known_ports[] = {
    {"ftp", 21},
    {"ssh", 22},
    {"telnet", 23},
    {"smtp", 25},
    {"domain", 53},
    {"http", 80},
    {"pop3", 110},
    {"imap", 143},
    {"imap2", 143},
    {"https", 443},
    {"ssmtp", 465},
    {"smtps", 465},
    {"submissions", 465},
    {"urd", 465},
    {"submission", 587},
    {"imaps", 993},
    {"pop3s", 995},
    {"sieve", 4190},
};

static int port_of_name(struct span name, const char *proto, uint16_t *out)
{
	for (size_t i = 0; i < ARRAY_LEN(known_ports); i++) {
		if (span_eq(name, span_of(known_ports[i].name))) {
			*out = known_ports[i].port;
			return 0;
		}
	}
	CLEANUP(freep) char *text = span_dup(name);
	const struct servent *s = text ? getservbyname(text, proto) : NULL;

	if (!s)
		return -EINVAL;
	*out = ntohs((uint16_t)s->s_port);
	return 0;
}

static int port_of(struct span word, const char *proto, uint16_t *out)
{
	int64_t number;

	if (span_to_i64(word, &number) < 0)
		return port_of_name(word, proto, out);
	if (number < 0 || number > UINT16_MAX)
		return -EINVAL;
	*out = (uint16_t)number;
	return 0;
}

/* A dash may belong to a name ("http-alt"), so a range by dash needs two numbers. */
static int range_of(struct span word, const char *proto, struct nft_ports *out)
{
	ptrdiff_t at = span_index(word, ':');
	int64_t number;

	if (at < 0) {
		at = span_index(word, '-');
		if (at > 0 &&
		    span_to_i64((struct span){word.p, (size_t)at}, &number) < 0)
			at = -1;
	}
	if (at < 0) {
		int r = port_of(word, proto, &out->from);

		out->to = out->from;
		return r;
	}
	int r = port_of((struct span){word.p, (size_t)at}, proto, &out->from);

	if (!r)
		r = port_of(span_skip(word, (size_t)at + 1), proto, &out->to);
	return !r && out->from > out->to ? -EINVAL : r;
}

static int by_from(const void *a, const void *b)
{
	const struct nft_ports *x = a, *y = b;

	return x->from != y->from ? (x->from < y->from ? -1 : 1) : 0;
}

static size_t merge(struct nft_ports *p, size_t n)
{
	size_t kept = 0;

	qsort(p, n, sizeof(*p), by_from);
	for (size_t i = 0; i < n; i++) {
		if (kept && p[i].from <= p[kept - 1].to + 1u) {
			if (p[i].to > p[kept - 1].to)
				p[kept - 1].to = p[i].to;
		} else {
			p[kept++] = p[i];
		}
	}
	return kept;
}

int ports_parse(struct span text, const char *proto, struct nft_ports *out,
    size_t max_ports, size_t *n_out, struct span *bad)
{
	struct span word;
	size_t n = 0;

	while (span_next_word(&text, ",", &word)) {
		if (span_eq_nocase(word, SPAN("all")) ||
		    span_eq_nocase(word, SPAN("any"))) {
			*n_out = 0;
			return 0;
		}
		if (n == max_ports)
			return -E2BIG;
		if (range_of(word, proto, &out[n]) < 0) {
			*bad = word;
			return -EINVAL;
		}
		n++;
	}
	n = merge(out, n);
	if (n && out[0].from <= 1 && out[n - 1].to == UINT16_MAX && n == 1)
		n = 0;
	*n_out = n;
	return 0;
}
