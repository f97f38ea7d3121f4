/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the log tells of decisions. In fail2ban's style the words are those that its
 * filter "recidive" and the programs that read fail2ban.log look for: they are an
 * interface, and not to be improved.
 */
#include <stdio.h>
#include <time.h>

#include "base/log.h"
#include "engine/engine_role.h"
#include "flow/id.h"

#define STAMP_BYTES 32
#define WHO_BYTES 2048
#define UNBANS_SAID_MAX 1000 /* more at a time are only counted */

static void stamp(wall_t at, char out[STAMP_BYTES])
{
	time_t sec = (time_t)(at.us / US_PER_SEC);
	struct tm tm;

	if (!localtime_r(&sec, &tm) || !strftime(out, STAMP_BYTES, "%F %T", &tm))
		snprintf(out, STAMP_BYTES, "never");
}

static int64_t length_sec(const struct order *o)
{
	return o->until.us == WALL_NEVER.us ? -1
					    : (o->until.us - o->at.us) / US_PER_SEC;
}

/* Behind the ban, as fail2ban's observer tells it. */
static void say_increase(
    const struct setup_jail *j, const struct order *o, const char *net)
{
	CLEANUP(buf_deinit) struct buf length = BUF_INIT(64);
	bool has_end = o->until.us != WALL_NEVER.us;
	char end[STAMP_BYTES] = "infinite";

	if (!j->increment.is_on || o->ban_count < 2 || o->cause != ORDER_BY_RULE ||
	    length_sec(o) == j->bantime_sec)
		return;
	duration_format(&length, length_sec(o));
	if (has_end)
		stamp(o->until, end);
	log_fail2ban(LOG_L_NOTICE, "observer", "[%s] Increase Ban %s (%u # %s -> %s)",
	    j->name, net, o->ban_count, has_end ? buf_str(&length) : "permanent", end);
}

static void say_like_fail2ban(
    const struct setup_jail *j, const struct order *o, const char *net)
{
	const char *jail = j->name;

	switch (o->op) {
	case ORDER_BAN:
		/* Not a word that recidive counts: it is no ban yet. */
		log_fail2ban(LOG_L_NOTICE, "actions", "[%s] %s %s", jail,
		    steps_is_soft(&j->steps, o->step) ? "Refuse"
		    : o->cause == ORDER_RESTORED      ? "Restore Ban"
						      : "Ban",
		    net);
		say_increase(j, o, net);
		return;
	case ORDER_PROLONG:
		if (o->is_next_step)
			log_fail2ban(LOG_L_NOTICE, "actions", "[%s] Ban %s", jail, net);
		else
			log_fail2ban(LOG_L_NOTICE, "actions", "[%s] %s already banned",
			    jail, net);
		return;
	case ORDER_UNBAN:
		log_fail2ban(LOG_L_NOTICE, "actions", "[%s] Unban %s", jail, net);
		return;
	}
}

static void say_like_bandog(
    const struct setup_jail *j, const struct order *o, const char *net)
{
	const struct step *step = steps_at(&j->steps, o->step);
	struct buf b = BUF_INIT(256);

	switch (o->op) {
	case ORDER_BAN:
	case ORDER_PROLONG:
		duration_format(&b, length_sec(o));
		log_event(LOG_L_NOTICE, j->name,
		    "%s addr=%s for=%s failures=%u by=%s count=%u%s%s",
		    order_op_name(o->op), net, buf_str(&b), o->failures,
		    order_cause_name(o->cause), o->ban_count, step ? " answer=" : "",
		    step ? step_answer_name(step->answer) : "");
		break;
	case ORDER_UNBAN:
		log_event(LOG_L_NOTICE, j->name, "unban addr=%s by=%s", net,
		    order_cause_name(o->cause));
		break;
	}
	buf_deinit(&b);
}

void engine_say_order(const struct setup_jail *j, const struct order *o)
{
	CLEANUP(buf_deinit) struct buf who = BUF_INIT(WHO_BYTES);

	order_add_who(&who, o);
	if (log_is_like_fail2ban())
		say_like_fail2ban(j, o, buf_str(&who));
	else
		say_like_bandog(j, o, buf_str(&who));
}

static void say_unescalated(struct engine_role *er, const struct order *o)
{
	const struct setup_jail *j = &er->role->setup->jails[o->jail];
	struct engine *e = pipeline_engine(er->pipeline);
	struct engine_bounds bounds;

	if (!j->increment.is_on || o->op != ORDER_BAN || o->ban_count < 2)
		return;
	engine_bounds(e, &bounds);
	if (bounds.n_unescalated > er->n_unescalated && engine_unescalated(e, o->jail))
		log_warning(j->name,
		    "bantime.increment gave no length for ban %u of an address; it "
		    "lasts for bantime",
		    o->ban_count);
	er->n_unescalated = bounds.n_unescalated;
}

static size_t n_unbans(const struct orders *l)
{
	size_t n = 0;

	for (size_t i = 0; i < l->n; i++)
		n += l->items[i].op == ORDER_UNBAN;
	return n;
}

/* One line for each jail and cause. */
static void say_unbans(struct engine_role *er)
{
	const struct setup *s = er->role->setup;
	size_t n_rows = (size_t)s->n_jails * ORDER_N_CAUSES;
	CLEANUP(freep) size_t *n = calloc(n_rows + 1, sizeof(*n));

	for (size_t i = 0; n && i < er->orders.n; i++) {
		const struct order *o = &er->orders.items[i];

		if (o->op == ORDER_UNBAN && o->jail < s->n_jails)
			n[o->jail * ORDER_N_CAUSES + o->cause]++;
	}
	for (size_t i = 0; n && i < n_rows; i++) {
		if (n[i])
			log_event(LOG_L_NOTICE, s->jails[i / ORDER_N_CAUSES].name,
			    "unban count=%zu by=%s", n[i],
			    order_cause_name((enum order_cause)(i % ORDER_N_CAUSES)));
	}
}

void engine_say_orders(struct engine_role *er)
{
	const struct setup *s = er->role->setup;
	bool is_bulk =
	    !log_is_like_fail2ban() && n_unbans(&er->orders) > UNBANS_SAID_MAX;

	if (is_bulk)
		say_unbans(er);
	for (size_t i = 0; i < er->orders.n; i++) {
		const struct order *o = &er->orders.items[i];

		if (o->jail >= s->n_jails || (is_bulk && o->op == ORDER_UNBAN))
			continue;
		engine_say_order(&s->jails[o->jail], o);
		say_unescalated(er, o);
	}
}

bool engine_say_events(struct engine_role *er)
{
	const struct setup *s = er->role->setup;
	struct engine_event e;
	bool any = false;

	for (; engine_next_event(pipeline_engine(er->pipeline), &e); any = true) {
		const char *jail = s->jails[e.what.jail].name;
		const char *name = e.what.name ? e.what.name : "failregex";

		if (e.is_suspended)
			log_warning(jail,
			    "rule %s (%u) does not count now: %u clients hit it within "
			    "a minute, %u with credit; the fault may be ours",
			    name, e.what.rule, e.what.n_clients, e.what.n_credited);
		else
			log_notice(
			    jail, "rule %s (%u) counts again", name, e.what.rule);
	}
	return any;
}

/* --- fail2ban's style only ---------------------------------------------------------
 */

void engine_say_verdict(struct engine_role *er, const struct hit *h, int outcome)
{
	if (!log_is_like_fail2ban())
		return;
	const char *jail = er->role->setup->jails[h->jail].name;
	CLEANUP(buf_deinit) struct buf who = BUF_INIT(WHO_BYTES);
	char at[STAMP_BYTES];

	id_add_who(&who, &h->net, h->id);
	const char *net = buf_str(&who);

	if (outcome == ENGINE_IGNORED) {
		log_fail2ban(LOG_L_INFO, "filter", "[%s] Ignore %s by ip", jail, net);
		return;
	}
	stamp(h->at, at);
	log_fail2ban(LOG_L_INFO, "filter", "[%s] Found %s - %s", jail, net, at);
	if (outcome == ENGINE_ALREADY_BANNED)
		log_fail2ban(
		    LOG_L_NOTICE, "actions", "[%s] %s already banned", jail, net);
}

void engine_say_jails(struct engine_role *er, const char *what)
{
	const struct setup *s = er->role->setup;

	for (uint32_t i = 0; i < s->n_jails; i++)
		log_fail2ban(
		    LOG_L_INFO, "jail", "Jail '%s' %s", s->jails[i].name, what);
}

static void on_useless_id(void *ctx, uint32_t jail)
{
	const struct engine_role *er = ctx;

	log_warning(er->role->setup->jails[jail].name,
	    "its filter names an id that is no address; banning such needs an action "
	    "that is a command");
}

void engine_say_begin(struct engine_role *er)
{
	pipeline_on_useless_id(er->pipeline, on_useless_id, er);
	engine_say_jails(er, "started");
}

static void say_restored(void *ctx, const struct order *o)
{
	const struct engine_role *er = ctx;
	struct order restored = *o;

	restored.cause = ORDER_RESTORED;
	engine_say_order(&er->role->setup->jails[o->jail], &restored);
}

void engine_say_restored(struct engine_role *er)
{
	if (log_is_like_fail2ban())
		engine_each_ban(pipeline_engine(er->pipeline), -1, say_restored, er);
}

void engine_say_reload(struct engine_role *er, const struct setup *old)
{
	const struct setup *s = er->role->setup;

	for (uint32_t i = 0; i < old->n_jails; i++)
		if (setup_find_jail(s, span_of(old->jails[i].name)) < 0)
			log_fail2ban(LOG_L_INFO, "jail", "Jail '%s' stopped",
			    old->jails[i].name);
	for (uint32_t i = 0; i < s->n_jails; i++)
		log_fail2ban(LOG_L_INFO, "jail", "Jail '%s' %s", s->jails[i].name,
		    setup_find_jail(old, span_of(s->jails[i].name)) < 0 ? "started"
									: "reloaded");
	log_fail2ban(LOG_L_INFO, "server", "Reload finished.");
}
