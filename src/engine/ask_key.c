/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "engine/ask_key.h"

#include "base/hash.h"
#include "enforce/action_text.h"
#include "flow/id.h"

/* Those that follow from the address are as good as the address itself. */
static bool is_of_address(struct span tag)
{
	return span_eq(tag, SPAN("ip")) || span_eq(tag, SPAN("fid")) ||
	       span_eq(tag, SPAN("ip-rev")) || span_eq(tag, SPAN("ip-host"));
}

static bool add_field(
    struct buf *value, const struct pipeline_name *n, struct span name)
{
	for (size_t i = 0; i < n->n_fields; i++) {
		if (span_eq_nocase(span_of(n->fields[i].name), name)) {
			buf_add_span(value, n->fields[i].value);
			return n->fields[i].value.n > 0;
		}
	}
	return false;
}

/* Return: false if it has no value. */
static bool add_tag(struct buf *value, struct span tag, const struct pipeline_name *n,
    const struct net *net)
{
	const struct net *address = !n->id ? net : id_has_ip(&n->ip) ? &n->ip : NULL;

	if (n->id && (span_eq(tag, SPAN("fid")) || (!address && is_of_address(tag))))
		buf_add_str(value, n->id);
	else if (is_of_address(tag))
		buf_add_net(value, address);
	else if (address && span_eq(tag, SPAN("family")))
		buf_add_str(value, net_is_v4(address) ? "inet4" : "inet6");
	else if (span_starts(tag, SPAN("F-")))
		return add_field(value, n, span_skip(tag, 2));
	else
		return false;
	return true;
}

int ask_key(const char *text, const struct pipeline_name *n, const struct net *net,
    uint64_t *out)
{
	CLEANUP(buf_deinit) struct buf all = BUF_INIT(ASK_KEY_MAX_BYTES);
	struct span rest = span_of(text);

	while (rest.n) {
		CLEANUP(buf_deinit) struct buf value = BUF_INIT(ASK_KEY_MAX_BYTES);
		struct span tag;
		size_t length = text_tag(rest, &tag);

		if (!length)
			buf_add_char(&value, rest.p[0]);
		else if (!add_tag(&value, tag, n, net))
			return ASK_KEY_NONE;
		if (value.failed)
			return ASK_KEY_NONE;
		buf_printf(&all, "%zu:", value.n);
		buf_add_span(&all, buf_span(&value));
		rest = span_skip(rest, length ? length : 1);
	}
	if (all.failed)
		return ASK_KEY_NONE;
	*out = hash_keyed(all.p, all.n);
	return 0;
}
