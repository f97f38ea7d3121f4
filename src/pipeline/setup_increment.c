/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pipeline/setup_increment.h"

#include <errno.h>

#define TRIED_BANS 20 /* beyond, the usual formulas grow no more */

void setup_increment_deinit(struct setup_increment *x)
{
	free(x->factor);
	free(x->formula);
	free(x->multipliers);
	escalate_free(x->escalate);
	*x = (struct setup_increment){.is_on = false};
}

static struct escalate *compile(
    const struct setup_increment *x, struct escalate_error *e)
{
	const struct escalate_options o = {
	    .factor = x->factor,
	    .formula = x->formula,
	    .multipliers = x->multipliers,
	    .has_maxtime = x->has_maxtime,
	    .maxtime_sec = x->maxtime_sec,
	    .rndtime_sec = x->rndtime_sec,
	};

	return escalate_new(&o, e);
}

/* --- from configuration ------------------------------------------------------------
 */

static int dup_text(char **out, const struct conf_value *v)
{
	*out = v->text && *v->text ? strdup(v->text) : NULL;
	return v->text && *v->text && !*out ? -ENOMEM : 0;
}

static void say_wrong(
    const struct conf_increment *c, const struct escalate_error *e, struct diag *d)
{
	static const char *const names[] = {
	    [ESCALATE_NOMEM] = "",
	    [ESCALATE_FACTOR] = "factor",
	    [ESCALATE_FORMULA] = "formula",
	    [ESCALATE_MULTIPLIERS] = "multipliers",
	};
	const struct conf_value *v = e->in == ESCALATE_FACTOR    ? &c->factor
				     : e->in == ESCALATE_FORMULA ? &c->formula
								 : &c->multipliers;
	struct conf_place at = v->at;

	at.col += at.col ? (unsigned int)e->e.at : 0;
	diag_add(d, c->is_on ? DIAG_ERROR : DIAG_WARNING, at, "bantime.%s: %s",
	    names[e->in], e->e.text);
}

/* What fails for one of the first bans is told before it happens. */
static void try_bans(
    const struct conf_jail *c, const struct setup_increment *x, struct diag *d)
{
	const struct conf_increment *from = &c->increment;
	const struct conf_value *v = x->multipliers ? &from->multipliers
				     : x->formula   ? &from->formula
						    : &from->factor;

	for (uint32_t i = 1; c->bantime_sec > 0 && i <= TRIED_BANS; i++) {
		double sec;
		int r = escalate_sec_at_least(x->escalate, c->bantime_sec, i, &sec);

		if (!r)
			continue;
		diag_add(d, DIAG_WARNING, v->text ? v->at : c->at,
		    "bantime.increment: after %u %s %s; it will last for bantime", i,
		    i == 1 ? "ban" : "bans", escalate_complaint(r));
		return;
	}
}

int setup_take_increment(
    const struct conf_jail *c, struct diag *d, struct setup_jail *j)
{
	const struct conf_increment *from = &c->increment;
	struct setup_increment *x = &j->increment;
	struct escalate_error e;

	if (dup_text(&x->factor, &from->factor) < 0 ||
	    dup_text(&x->formula, &from->formula) < 0 ||
	    dup_text(&x->multipliers, &from->multipliers) < 0)
		return -ENOMEM;
	x->is_on = from->is_on;
	x->overalljails = from->overalljails;
	x->has_maxtime = from->has_maxtime;
	x->maxtime_sec = from->maxtime_sec;
	x->rndtime_sec = from->rndtime_sec;
	x->escalate = compile(x, &e);
	if (!x->escalate && e.in == ESCALATE_NOMEM)
		return -ENOMEM;
	if (!x->escalate)
		say_wrong(from, &e, d);
	else if (x->is_on)
		try_bans(c, x, d);
	if (!x->is_on)
		setup_increment_deinit(x);
	return x->is_on && !x->escalate;
}

/* --- as bytes ----------------------------------------------------------------------
 */

void setup_put_increment(struct buf *b, const struct setup_increment *x)
{
	pack_bool(b, x->is_on);
	if (!x->is_on)
		return;
	pack_bool(b, x->overalljails);
	pack_str(b, x->factor);
	pack_str(b, x->formula);
	pack_str(b, x->multipliers);
	pack_bool(b, x->has_maxtime);
	pack_f64(b, x->maxtime_sec);
	pack_f64(b, x->rndtime_sec);
}

void setup_get_increment(struct unpack *u, struct setup_increment *out)
{
	struct escalate_error e;

	out->is_on = unpack_bool(u);
	if (!out->is_on)
		return;
	out->overalljails = unpack_bool(u);
	out->factor = unpack_str(u);
	out->formula = unpack_str(u);
	out->multipliers = unpack_str(u);
	out->has_maxtime = unpack_bool(u);
	out->maxtime_sec = unpack_f64(u);
	out->rndtime_sec = unpack_f64(u);
	if (!u->bad)
		out->escalate = compile(out, &e);
	if (!out->escalate)
		u->bad = true;
}
