/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "proc/suspect_rules.h"

bool suspect_makes_room(const struct setup *s, uint32_t jail)
{
	const struct setup_jail *j = jail < s->n_jails ? &s->jails[jail] : NULL;

	return j && j->sever && j->makeroom && j->n_targets && !s->dry_run;
}

static int64_t keep_us(const struct setup_jail *j)
{
	double sec = j->findtime_sec < SUSPECT_KEEP_MAX_SEC ? j->findtime_sec
							    : SUSPECT_KEEP_MAX_SEC;

	return (int64_t)(sec * (double)US_PER_SEC);
}

/* It failed @ago_us before @now. */
static bool fill(const struct setup *s, uint32_t jail, const struct net *net,
    int64_t ago_us, mono_t now, struct suspect *out)
{
	if (!suspect_makes_room(s, jail) || ago_us >= keep_us(&s->jails[jail]))
		return false;
	*out = (struct suspect){
	    .net = *net, .jail = jail, .failed_at.us = now.us - ago_us};
	out->until.us = out->failed_at.us + keep_us(&s->jails[jail]);
	return true;
}

bool suspect_of(const struct setup *s, uint32_t jail, const struct net *net, wall_t at,
    wall_t now, mono_t mono_now, struct suspect *out)
{
	if (net_is_id(net) || !net_is_host(net) || at.us < 0)
		return false;
	return fill(s, jail, net, at.us < now.us ? now.us - at.us : 0, mono_now, out);
}

void suspect_pack(struct buf *b, const struct suspect *w, mono_t now)
{
	pack_u32(b, w->jail);
	pack_u32(b, (uint32_t)((now.us - w->failed_at.us) / 1000));
	pack_net(b, &w->net);
}

bool suspect_unpack(
    struct unpack *u, const struct setup *s, mono_t now, struct suspect *out)
{
	uint32_t jail = unpack_u32(u);
	int64_t ago_ms = unpack_u32(u);
	struct net net = unpack_net(u);

	u->bad |= net_is_id(&net) || !net_is_host(&net);
	return !u->bad && fill(s, jail, &net, ago_ms * 1000, now, out);
}
