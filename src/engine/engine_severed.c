/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How many connections the enforcer has ended, by jail. A jail that a new set-up still
 * has keeps its count.
 */
#include <errno.h>

#include "engine/engine_role.h"

int engine_severed_setup(struct engine_role *er, const struct setup *old)
{
	const struct setup *s = er->role->setup;
	uint64_t *n = calloc(s->n_jails + 1, sizeof(*n));

	if (!n)
		return -ENOMEM;
	for (uint32_t i = 0; old && er->severed && i < s->n_jails; i++) {
		int at = setup_find_jail(old, span_of(s->jails[i].name));

		if (at >= 0)
			n[i] = er->severed[at];
	}
	free(er->severed);
	er->severed = n;
	return 0;
}

void engine_severed_message(struct engine_role *er, struct message *m)
{
	const struct setup *s = er->role->setup;
	uint64_t generation = unpack_u64(&m->body);
	uint32_t jail = unpack_u32(&m->body);
	uint32_t n = unpack_u32(&m->body);

	if (unpack_end(&m->body) < 0) {
		m->body.bad = true;
		return;
	}
	if (generation == s->generation && jail < s->n_jails)
		er->severed[jail] += n;
}
