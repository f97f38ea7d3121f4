/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/backtest_reach.h"

static bool overlap(const struct nft_target *a, const struct nft_target *b)
{
	if (!a->n_ports || !b->n_ports)
		return true;
	for (size_t i = 0; i < a->n_ports; i++) {
		for (size_t k = 0; k < b->n_ports; k++) {
			if (a->ports[i].from <= b->ports[k].to &&
			    b->ports[k].from <= a->ports[i].to)
				return true;
		}
	}
	return false;
}

static bool closes(const struct nft_target *t, const struct setup_jail *through)
{
	for (uint32_t i = 0; i < through->n_targets; i++) {
		if (overlap(t, &through->targets[i]))
			return true;
	}
	return !through->n_targets;
}

bool backtest_reach(
    const struct setup *s, const struct order *o, const struct setup_jail *through)
{
	const struct setup_jail *by = &s->jails[o->jail];

	if (steps_is_soft(&by->steps, o->step))
		return false;
	for (uint32_t i = 0; i < by->n_targets; i++) {
		const struct nft_target *t = &by->targets[i];

		if (nft_target_serves(t, o->step) && closes(t, through))
			return true;
	}
	return !by->n_targets;
}
