/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * jail - one section of jail.conf into a struct conf_jail
 *
 * In two steps, as in fail2ban: first whether it is enabled and which filter it has,
 * then everything else, for which the filter's values are at hand as %(known/...)s.
 */

#include <errno.h>

#include "conf/chars.h"
#include "conf/jail.h"
#include "conf/schema.h"

void jail_set_defaults(struct conf_jail *j, const char *name, struct conf_place at)
{
	*j = (struct conf_jail){
	    .name = name,
	    .at = at,
	    .backend = CONF_AUTO,
	    .filter.maxlines = 1,
	    .maxretry = 3,
	    .findtime_sec = 600,
	    .bantime_sec = 600,
	    .maxmatches = 5,
	    .evidence.groupprefix4 = 24,
	    .evidence.groupprefix6 = 48,
	    .ignoreself = true,
	    .native = true,
	    .sever = true,
	    .makeroom = true,
	    .usedns.text = "warn",
	};
	j->backend_text.text = "auto";
}

int jail_read_option(struct jail_reader *rd, const char *name)
{
	struct text t;
	int r = interp_get(&rd->in, span_of(name), &t);

	if (r == -EINVAL)
		rd->j->is_broken = true;
	if (r)
		return r == -ENOMEM ? r : 0;
	return values_put(rd->ld, rd->values, name, &t);
}

const struct text *jail_find_value(const struct jail_reader *rd, const char *name)
{
	return dict_find(rd->values, span_of(name));
}

struct span jail_value_span(const struct jail_reader *rd, const char *name)
{
	const struct text *t = jail_find_value(rd, name);

	return t ? chars_trim(text_span(t)) : SPAN("");
}

/* The filter's value for %(known/...)s. It is made when the first is asked for. */
static int get_known(void *ctx, struct span name, struct text *out)
{
	struct jail_reader *rd = ctx;

	if (!rd->is_known_ready) {
		int r;

		rd->known = (struct definition){.arena = rd->ld->arena,
		    .d = rd->ld->d,
		    .ini = &rd->filter.set->all,
		    .kind = SCHEMA_FILTER};
		r = definition_init(&rd->known, &rd->filter.params, rd->first_values);
		if (r < 0)
			return r;
		rd->is_known_ready = true;
	}
	return definition_get_known(&rd->known, name, out);
}

static int copy_first_values(struct jail_reader *rd)
{
	rd->first_values = arena_alloc(rd->ld->arena, sizeof(*rd->first_values));
	if (!rd->first_values)
		return -ENOMEM;
	*rd->first_values = DICT_INIT(rd->ld->arena);
	for (struct dict_item *i = rd->values->first; i; i = i->next)
		if (dict_put(rd->first_values, i->key, i->value) < 0)
			return -ENOMEM;
	return 0;
}

static int open_filter(struct jail_reader *rd)
{
	const struct text *spec = jail_find_value(rd, "filter");
	int r;

	if (!spec || !chars_trim(text_span(spec)).n)
		return 0;
	r = filter_open(rd->ld, spec, false, &rd->filter);
	if (r == -ENOMEM)
		return r;
	if (r < 0) {
		rd->j->is_broken = true;
		return 0;
	}
	rd->has_filter = true;
	rd->in.known = get_known;
	rd->in.known_ctx = rd;
	return copy_first_values(rd);
}

static int read_options(struct jail_reader *rd)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < schema_n_options; i++)
		if ((schema_options[i].where & SCHEMA_JAIL) &&
		    !jail_find_value(rd, schema_options[i].name))
			r = jail_read_option(rd, schema_options[i].name);
	return r;
}

static int apply_filter(struct jail_reader *rd)
{
	int r = filter_fill(
	    rd->ld, rd->has_filter ? &rd->filter : NULL, rd->values, &rd->j->filter);

	if (r == -EINVAL)
		rd->j->is_broken = true;
	jail_apply_usedns(rd, &rd->j->filter.usedns);
	rd->j->filter.usedns = rd->j->usedns;
	if (rd->has_filter && !rd->j->filter.failregex.n && !rd->j->filter.n_rules &&
	    !rd->j->is_broken)
		diag_add(rd->ld->d, DIAG_WARNING, rd->filter.params.at,
		    "filter: '%s' has no failregex, so jail '%s' finds nothing",
		    rd->filter.params.name, rd->j->name);
	return r == -ENOMEM ? r : 0;
}

/* What the filter and the actions may use when the jail says nothing. */
static int put_initial(struct jail_reader *rd, const char *name)
{
	const char *initial = schema_find(span_of(name), SCHEMA_JAIL)->initial;
	struct text t = {.p = initial, .n = strlen(initial)};

	return jail_find_value(rd, name) ? 0 : values_put(rd->ld, rd->values, name, &t);
}

static int read_first(struct jail_reader *rd, const bool *force_enabled)
{
	const struct text *t;
	int r = jail_read_option(rd, "enabled");

	if (r == 0)
		r = jail_read_option(rd, "backend");
	if (r == 0)
		r = jail_read_option(rd, "filter");
	if (r == 0)
		r = put_initial(rd, "backend");
	if (r < 0)
		return r;
	jail_apply_bool(rd, "enabled", &rd->j->enabled);
	if (force_enabled)
		rd->j->enabled = *force_enabled;
	t = jail_find_value(rd, "backend");
	rd->j->backend_text = value_of(t);
	return 0;
}

static int read_rest(struct jail_reader *rd)
{
	const struct text *actions;
	int r = open_filter(rd);

	if (r == 0)
		r = jail_look_for_logs(rd);
	if (rd->j->is_skipped)
		return r;
	if (r == 0 && rd->has_filter)
		r = filter_set_logtype(rd->ld,
		    rd->reads_journal ? SPAN("systemd")
				      : jail_value_span(rd, "backend"),
		    &rd->filter);
	if (r == 0)
		r = read_options(rd);
	if (r == 0)
		r = put_initial(rd, "filter");
	if (r == 0)
		r = put_initial(rd, "action");
	if (r == 0)
		r = jail_apply_options(rd);
	if (r == 0)
		r = apply_filter(rd);
	actions = r == 0 ? jail_find_value(rd, "action") : NULL;
	return actions ? actions_load(rd->ld, actions, rd->values, rd->j) : r;
}

static int make_constants(struct load *ld, struct dict *out)
{
	struct text version = {.p = "1.1.0", .n = 5};
	struct text dir = {.p = ld->dir, .n = strlen(ld->dir)};
	int r;

	*out = DICT_INIT(ld->arena);
	r = values_put(ld, out, "fail2ban_version", &version);
	return r == 0 ? values_put(ld, out, "fail2ban_confpath", &dir) : r;
}

static int load_section(struct load *ld, const struct layer_set *set,
    const struct ini_section *s, const bool *force_enabled, struct conf_jail *out,
    struct dict **out_values)
{
	struct jail_reader rd = {.ld = ld, .j = out};
	struct dict vars;
	int r = make_constants(ld, &vars);

	jail_set_defaults(out, s->name, s->at);
	out->is_broken = s->is_broken;
	rd.in = (struct interp){.arena = ld->arena,
	    .d = ld->d,
	    .ini = &set->all,
	    .section = s,
	    .vars = &vars};
	rd.values = arena_alloc(ld->arena, sizeof(*rd.values));
	if (r < 0 || !rd.values)
		return -ENOMEM;
	*rd.values = DICT_INIT(ld->arena);
	r = read_first(&rd, force_enabled);
	if (r < 0 || !out->enabled)
		return r;
	*out_values = rd.values;
	hint_misspelt(ld, &set->all, s);
	return read_rest(&rd);
}

/* What its filter has in common with other jails' was reported with the first of them.
 */
static int keep_why(struct load *ld, const struct diag_item *item, struct conf_jail *j)
{
	CLEANUP(buf_deinit) struct buf text = BUF_INIT(8192);

	if (!j->is_broken && !j->is_skipped)
		return 0;
	if (j->is_skipped)
		buf_add_str(&text, "none of its logs exists (skip_if_nologs)");
	else if (item)
		diag_format(item, &text);
	else
		buf_add_str(&text, "what it uses has errors");
	j->why = arena_dup(ld->arena, buf_span(&text));
	return j->why ? 0 : -ENOMEM;
}

int jail_load(struct load *ld, const struct layer_set *set, const struct ini_section *s,
    const bool *force_enabled, struct conf_jail *out, struct dict **out_values)
{
	diag_enter(ld->d);
	int r = load_section(ld, set, s, force_enabled, out, out_values);
	int kept = keep_why(ld, diag_leave(ld->d), out);

	return r < 0 ? r : kept;
}
