/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Orders to the runner, of the jails that need it only. Where commands are to be run a
 * ban goes with its lines and with what the deciding line named; all else as records.
 */
#include "proc/engine_role.h"

#define PER_MESSAGE 1000
#define ROOM_BYTES (MESSAGE_MAX_BYTES - 64)
#define FIELD_MAX_BYTES 1024

struct to_runner {
	struct engine_role *er;
	struct buf records;
	uint32_t n;
};

static void send_records(struct to_runner *t)
{
	struct buf all = BUF_INIT(MESSAGE_MAX_BYTES);

	if (!t->n)
		return;
	pack_u64(&all, t->er->role->setup->generation);
	pack_u64(&all, 0); /* nobody waits for it */
	pack_u32(&all, t->n);
	buf_add_span(&all, buf_span(&t->records));
	(void)role_send(t->er->role, ROLE_RUNNER, MSG_ORDERS, &all, -1);
	buf_deinit(&all);
	buf_clear(&t->records);
	t->n = 0;
}

static void add_record(struct to_runner *t, const struct order *o)
{
	order_encode_record(&t->records, o);
	if (++t->n == PER_MESSAGE)
		send_records(t);
}

static void pack_fields(struct buf *b, const struct order *o)
{
	pack_u32(b, o->n_fields);
	for (uint32_t i = 0; i < o->n_fields; i++) {
		struct span value = span_of(o->fields[i].value);

		if (value.n > FIELD_MAX_BYTES)
			value.n = FIELD_MAX_BYTES;
		pack_str(b, o->fields[i].name);
		pack_span(b, value);
	}
}

/* All lines, or as many of the last ones as a message holds. */
static void send_ticket(struct to_runner *t, const struct order *o)
{
	struct order cut = *o;
	struct buf b = BUF_INIT(ROOM_BYTES);

	send_records(t); /* what was decided before comes before */
	for (;; cut.n_why /= 2) {
		buf_clear(&b);
		pack_u64(&b, t->er->role->setup->generation);
		cut.why = o->why + (o->n_why - cut.n_why);
		order_encode(&b, &cut);
		pack_fields(&b, o);
		if (!b.failed || !cut.n_why)
			break;
	}
	(void)role_send(t->er->role, ROLE_RUNNER, MSG_TICKET, &b, -1);
	buf_deinit(&b);
}

void engine_runner_send(struct engine_role *er)
{
	struct to_runner t = {.er = er, .records = BUF_INIT(MESSAGE_MAX_BYTES)};
	const struct setup *s = er->role->setup;

	if (!er->role->peers[ROLE_RUNNER])
		return;
	for (size_t i = 0; i < er->orders.n; i++) {
		const struct order *o = &er->orders.items[i];

		if (o->jail >= s->n_jails)
			continue;
		if (s->jails[o->jail].n_commands && o->op != ORDER_UNBAN)
			send_ticket(&t, o);
		else if (s->jails[o->jail].n_commands || s->jails[o->jail].n_hosts_deny)
			add_record(&t, o);
	}
	send_records(&t);
	buf_deinit(&t.records);
}
