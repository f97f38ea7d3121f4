/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the policy role says: whom the mail server has refused because of us. Each
 * refusal is an attempt that was stopped.
 */
#include "engine/engine_role.h"

static void book(struct engine_role *er, uint32_t jail, const struct net *n)
{
	static const struct stopped_more one = {.attempts = 1};
	struct stopped *s = engine_find_stopped(pipeline_engine(er->pipeline), jail, n);

	if (!s) /* lifted meanwhile */
		return;
	s->refused++;
	engine_sums_stopped(er->sums, wall_now(), jail, s->rule, n, &one);
}

void engine_policy_message(struct engine_role *er, struct message *m)
{
	uint64_t generation = unpack_u64(&m->body);
	uint32_t n = unpack_count(&m->body, MESSAGE_REFUSED_BYTES);

	for (uint32_t i = 0; i < n && !m->body.bad; i++) {
		uint32_t jail = unpack_u32(&m->body);
		struct net net = unpack_net(&m->body);

		if (!m->body.bad && generation == er->role->setup->generation &&
		    jail < er->role->setup->n_jails)
			book(er, jail, &net);
	}
	if (unpack_end(&m->body) < 0)
		m->body.bad = true;
}
