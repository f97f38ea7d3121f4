/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * failid - the failure id is the address in canonical text, unless <F-ID> differs
 */

#include "match/failid.h"

/* The canonical text of @n, which was read from @text. */
static struct span failid_text(
    const struct net *n, struct span text, char room[NET_TEXT_BYTES])
{
	/* The one way to write a single IPv4 address is the canonical one. In "::ffff:"
	 * and other ways to begin an IPv6 address a ':' is among the first five. */
	if (net_is_v4(n) && net_is_host(n) && text.n >= 5 && text.p[0] != '[' &&
	    !memchr(text.p, ':', 5))
		return text;
	net_format(n, room);
	return span_of(room);
}

static struct span failid_canonical(const struct net *n, char text[NET_TEXT_BYTES])
{
	net_format(n, text);
	return span_of(text);
}

/* @text with the prefix length of <CIDR>, if there is one. */
static bool failid_parse(struct span text, struct span cidr, struct net *out)
{
	int64_t bits;
	bool is_mapped;

	if (net_parse_addr(text, out) != 0)
		return false;
	if (!cidr.p || cidr.n == 0)
		return true;
	if (span_to_i64(cidr, &bits) != 0 || bits < 0)
		return false;
	/* ::ffff:192.0.2.1/120 has become IPv4; its 120 is a 24. */
	is_mapped = net_is_v4(out) && span_index(text, ':') >= 0;
	if (is_mapped)
		bits -= 96;
	if (bits < 0)
		return false;
	*out = net_mask(*out, bits > 128 ? 128 : (unsigned int)bits);
	return true;
}

HOT static int failid_from_addr(const struct groups *g, struct span addr,
    enum filter_usedns usedns, char text[NET_TEXT_BYTES], struct filter_failure *out)
{
	struct span fid = g->value[GROUP_FID];
	struct net id_net;

	out->id = addr;
	out->host = addr;
	out->has_net = failid_parse(addr, g->value[GROUP_CIDR], &out->net);
	if (!out->has_net && fid.p && !span_eq(fid, addr)) {
		out->id = fid; /* whatever stands beside it */
		out->is_id = true;
		return FAILID_FOUND;
	}
	if (!out->has_net)
		return FAILID_REFUSED;
	if (!fid.p || span_eq(fid, addr))
		out->id = failid_text(&out->net, addr, text);
	else if (usedns != FILTER_DNS_RAW && net_parse(fid, &id_net) == 0)
		out->id = failid_canonical(&id_net, text);
	else
		out->id = fid;
	out->is_id = fid.p && !span_eq(fid, addr) && out->id.p == fid.p;
	return FAILID_FOUND;
}

static int failid_from_name(const struct groups *g, enum filter_usedns usedns,
    char text[NET_TEXT_BYTES], struct filter_failure *out)
{
	struct span name = g->value[GROUP_DNS], fid = g->value[GROUP_FID];

	out->id = out->host = name;
	out->has_net = net_parse_addr(name, &out->net) == 0;
	if (usedns == FILTER_DNS_RAW) {
		if (fid.p)
			out->id = fid;
		out->is_id = fid.p || !out->has_net;
		return FAILID_FOUND;
	}
	if (out->has_net) {
		out->id = failid_canonical(&out->net, text);
		return FAILID_FOUND;
	}
	if (usedns == FILTER_DNS_NO)
		return FAILID_REFUSED;
	out->is_name = true;
	return FAILID_FOUND;
}

HOT int failid_find(const struct groups *g, enum filter_usedns usedns,
    char text[NET_TEXT_BYTES], struct filter_failure *out)
{
	out->has_net = out->is_name = out->is_id = false;
	if (g->value[GROUP_IP4].p)
		return failid_from_addr(g, g->value[GROUP_IP4], usedns, text, out);
	if (g->value[GROUP_IP6].p)
		return failid_from_addr(g, g->value[GROUP_IP6], usedns, text, out);
	if (g->value[GROUP_DNS].p)
		return failid_from_name(g, usedns, text, out);
	if (!g->value[GROUP_FID].p)
		return FAILID_NOTHING;
	out->id = out->host = g->value[GROUP_FID];
	out->has_net = net_parse(out->id, &out->net) == 0;
	if (out->has_net && usedns != FILTER_DNS_RAW)
		out->id = failid_canonical(&out->net, text);
	out->is_id = !out->has_net;
	return FAILID_FOUND;
}
