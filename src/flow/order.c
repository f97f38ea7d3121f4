/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * order - the list of orders, and both wire forms
 *
 * The decoders take bytes from other processes as they take a stranger's: everything
 * is checked, and a failure leaves nothing behind.
 */

#include "flow/order.h"

#include <errno.h>

#include "flow/id.h"

/* The least an encoded evidence takes: time, rule, weight, length of its text. */
#define EVIDENCE_MIN_BYTES (8 + 2 + 2 + 4)

static void evidence_free(struct evidence *why, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		free(why[i].text);
	free(why);
}

void order_fields_free(struct order_field *fields, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		free(fields[i].name);
		free(fields[i].value);
	}
	free(fields);
}

void order_deinit(struct order *o)
{
	evidence_free(o->why, o->n_why);
	order_fields_free(o->fields, o->n_fields);
	free(o->id);
	*o = (struct order){0};
}

int order_add_field(struct order *o, const char *name, struct span value)
{
	struct order_field *more =
	    realloc(o->fields, (o->n_fields + 1) * sizeof(*more));

	if (!more)
		return -ENOMEM;
	o->fields = more;
	struct order_field *f = &more[o->n_fields++];

	*f = (struct order_field){strdup(name), span_dup(value)};
	return f->name && f->value ? 0 : -ENOMEM;
}

void orders_clear(struct orders *l)
{
	for (size_t i = 0; i < l->n; i++)
		order_deinit(&l->items[i]);
	l->n = 0;
}

void orders_deinit(struct orders *l)
{
	orders_clear(l);
	free(l->items);
	*l = (struct orders){0};
}

struct order *orders_append(struct orders *l)
{
	if (l->n == l->room) {
		size_t room = l->room ? l->room * 2 : 16;
		struct order *items;

		items = reallocarray(l->items, room, sizeof(*items));
		if (!items)
			return NULL;
		l->items = items;
		l->room = room;
	}
	l->items[l->n] = (struct order){0};
	return &l->items[l->n++];
}

void order_encode_record(struct buf *b, const struct order *o)
{
	pack_u8(b, (uint8_t)o->op);
	pack_u8(b, (uint8_t)o->cause);
	pack_u32(b, o->jail);
	pack_net(b, &o->net);
	pack_wall(b, o->at);
	pack_wall(b, o->until);
	pack_u32(b, o->failures);
	pack_u32(b, o->ban_count);
	pack_u8(b, o->step);
}

int order_decode_record(struct unpack *u, struct order *out)
{
	uint8_t op = unpack_u8(u), cause = unpack_u8(u);
	struct order o = {.jail = unpack_u32(u)};

	o.net = unpack_net(u);
	o.at = unpack_wall(u);
	o.until = unpack_wall(u);
	o.failures = unpack_u32(u);
	o.ban_count = unpack_u32(u);
	o.step = unpack_u8(u);
	if (op < ORDER_BAN || op > ORDER_PROLONG || cause < ORDER_BY_RULE ||
	    cause >= ORDER_N_CAUSES)
		u->bad = true;
	if (u->bad)
		return -EBADMSG;
	o.op = (enum order_op)op;
	o.cause = (enum order_cause)cause;
	*out = o;
	return 0;
}

struct order *order_decode_records(struct unpack *u, uint32_t *out_n)
{
	uint32_t n = unpack_count(u, ORDER_RECORD_BYTES);
	CLEANUP(freep) struct order *orders = calloc((size_t)n + 1, sizeof(*orders));

	for (uint32_t i = 0; orders && i < n; i++) {
		if (order_decode_record(u, &orders[i]) < 0 || net_is_id(&orders[i].net))
			u->bad = true;
	}
	if (!orders || unpack_end(u) < 0) {
		u->bad = true;
		return NULL;
	}
	*out_n = n;
	return TAKE(orders);
}

void order_add_who(struct buf *b, const struct order *o)
{
	id_add_who(b, &o->net, o->id);
}

void order_encode(struct buf *b, const struct order *o)
{
	order_encode_record(b, o);
	id_pack(b, o->id, &o->ip);
	pack_u32(b, o->n_why);
	for (uint32_t i = 0; i < o->n_why; i++) {
		pack_wall(b, o->why[i].at);
		pack_u16(b, o->why[i].rule);
		pack_u16(b, (uint16_t)o->why[i].weight);
		pack_str(b, o->why[i].text);
	}
}

int order_decode(struct unpack *u, struct order *out)
{
	struct order o;
	uint32_t n;
	int r = order_decode_record(u, &o);

	if (r < 0)
		return r;
	o.id = id_unpack(u, &o.net, &o.ip);
	n = unpack_count(u, EVIDENCE_MIN_BYTES);
	if (n > 0) {
		o.why = calloc(n, sizeof(*o.why));
		if (!o.why) {
			u->bad = true;
			free(o.id);
			return -ENOMEM;
		}
	}
	for (; o.n_why < n && !u->bad; o.n_why++) {
		struct evidence *e = &o.why[o.n_why];

		e->at = unpack_wall(u);
		e->rule = unpack_u16(u);
		e->weight = (int16_t)unpack_u16(u);
		e->text = unpack_str(u);
	}
	if (u->bad) {
		order_deinit(&o);
		return -EBADMSG;
	}
	*out = o;
	return 0;
}

const char *order_op_name(enum order_op op)
{
	switch (op) {
	case ORDER_BAN:
		return "ban";
	case ORDER_UNBAN:
		return "unban";
	case ORDER_PROLONG:
		return "prolong";
	}
	return "unknown";
}

const char *order_cause_name(enum order_cause cause)
{
	switch (cause) {
	case ORDER_BY_RULE:
		return "rule";
	case ORDER_BY_USER:
		return "user";
	case ORDER_EXPIRED:
		return "expired";
	case ORDER_RESTORED:
		return "restored";
	case ORDER_JAIL_GONE:
		return "jail gone";
	case ORDER_REFUSED:
		return "refused";
	case ORDER_BY_GROUP:
		return "group";
	}
	return "unknown";
}
