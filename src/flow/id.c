/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "flow/id.h"

#include <errno.h>
#include <stdlib.h>

void id_pack(struct buf *b, const char *id, const struct net *ip)
{
	pack_str(b, id);
	if (id)
		pack_net(b, ip);
}

char *id_unpack(struct unpack *u, const struct net *n, struct net *out_ip)
{
	char *id = unpack_str(u);
	struct net ip = {.bits = 0};

	if (id)
		ip = unpack_net(u);
	if (!net_is_named(n, id) || net_is_id(&ip))
		u->bad = true;
	if (u->bad) {
		free(id);
		return NULL;
	}
	*out_ip = ip;
	return id;
}

void id_add_who(struct buf *b, const struct net *n, const char *id)
{
	CLEANUP(buf_deinit) struct buf quoted = BUF_INIT(4 * NET_ID_MAX_BYTES + 3);

	if (!id) {
		buf_add_net(b, n);
		return;
	}
	buf_quote(&quoted, span_of(id), NET_ID_MAX_BYTES);
	/* What looks for " Ban <HOST>" in our log shall not find it within an id. */
	for (size_t i = 0; i < quoted.n; i++) {
		if (quoted.p[i] == ' ')
			buf_add_str(b, "\\x20");
		else
			buf_add_char(b, quoted.p[i]);
	}
}

int ids_init(struct ids *l, uint32_t max)
{
	*l = (struct ids){.max = max};
	l->nets = calloc(max + 1, sizeof(*l->nets));
	l->texts = calloc(max + 1, sizeof(*l->texts));
	if (l->nets && l->texts)
		return 0;
	ids_deinit(l);
	return -ENOMEM;
}

void ids_deinit(struct ids *l)
{
	for (uint32_t i = 0; l->has_copies && i < l->n; i++)
		free((void *)(uintptr_t)l->texts[i]);
	free(l->nets);
	free(l->texts);
	*l = (struct ids){0};
}

int ids_add(struct ids *l, const char *text, bool takes_ids)
{
	struct net n;
	bool is_id = net_parse(span_of(text), &n) < 0;

	if (is_id && (!takes_ids || net_parse_id(span_of(text), &n) < 0))
		return -EINVAL;
	if (l->n == l->max)
		return -ENOSPC;
	l->nets[l->n] = n;
	l->texts[l->n++] = is_id ? text : NULL;
	return 0;
}

void ids_pack(struct buf *b, const struct ids *l)
{
	pack_nets(b, l->nets, l->n);
	for (uint32_t i = 0; i < l->n; i++) {
		if (l->texts[i])
			pack_str(b, l->texts[i]);
	}
}

static void unpack_texts(struct unpack *u, struct ids *l, uint32_t n)
{
	for (; l->n < n && !u->bad; l->n++) {
		bool is_id = net_is_id(&l->nets[l->n]);

		l->texts[l->n] = is_id ? unpack_str(u) : NULL;
		if (!net_is_named(&l->nets[l->n], l->texts[l->n]))
			u->bad = true;
	}
}

int ids_unpack(struct unpack *u, uint32_t max, struct ids *out)
{
	struct ids l = {.has_copies = true};
	uint32_t n = 0;

	l.nets = unpack_nets(u, max, &n);
	l.texts = calloc(n + 1, sizeof(*l.texts));
	if (!l.nets || !l.texts)
		u->bad = true;
	unpack_texts(u, &l, n);
	if (u->bad) {
		ids_deinit(&l);
		return -EBADMSG;
	}
	*out = l;
	return 0;
}
