/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * filter - a filter file with parameters, joined with what the jail says itself
 */

#include <errno.h>
#include <unistd.h>

#include "conf/chars.h"
#include "conf/room.h"
#include "conf/schema.h"

static int read_set(struct load *ld, const char *name, bool is_path_allowed,
    const struct layer_set **out)
{
	CLEANUP(buf_deinit) struct buf path = BUF_INIT(4096);

	if (is_path_allowed && strchr(name, '/') &&
	    (span_ends(span_of(name), SPAN(".conf")) || access(name, R_OK) == 0))
		return layers_read_file(&ld->layers, name, out);
	if (name[0] != '/')
		buf_add_str(&path, "filter.d/");
	buf_add_str(&path, name);
	return layers_read(&ld->layers, path.failed ? "" : buf_str(&path), out);
}

static bool has_param(const struct params *p, const char *name)
{
	for (size_t i = 0; i < p->n; i++)
		if (strcmp(p->items[i].name, name) == 0)
			return p->items[i].value.n > 0;
	return false;
}

int filter_set_logtype(struct load *ld, struct span backend, struct filter_file *f)
{
	const struct ini_section *s =
	    ini_find_section(&f->set->all, SPAN("Definition"));
	struct params *p = &f->params;
	struct params_item *items;

	if (has_param(p, "logtype") || ini_find_option(s, SPAN("logtype")))
		return 0;
	items = arena_alloc_array(ld->arena, p->n + 1, sizeof(*items));
	if (!items)
		return -ENOMEM;
	if (p->n)
		memcpy(items, p->items, p->n * sizeof(*items));
	p->items = items;
	items[p->n].name = "logtype";
	items[p->n].value.p =
	    span_starts(backend, SPAN("systemd")) ? "journal" : "file";
	items[p->n].value.n = strlen(items[p->n].value.p);
	p->n++;
	return 0;
}

int filter_open(struct load *ld, const struct text *spec, bool is_path_allowed,
    struct filter_file *out)
{
	const char *name;
	int r = params_parse(ld->arena, ld->d, "filter", spec, &out->params);

	if (r == PARAMS_END)
		diag_add(ld->d, DIAG_ERROR, text_place(spec, 0),
		    "filter: expected the name of a filter");
	if (r)
		return r == -ENOMEM ? r : -EINVAL;
	name = out->params.name;
	r = read_set(ld, name, is_path_allowed, &out->set);
	if (r < 0)
		return r;
	if (out->set->is_found)
		return 0;
	if (!out->set->is_broken)
		diag_add(ld->d, DIAG_ERROR, out->params.at,
		    "filter: there is no filter '%s', expected filter.d/%s.conf in %s",
		    chars_show(span_of(name)).text, chars_show(span_of(name)).text,
		    ld->dir);
	return -EINVAL;
}

/* The filter's own value (which only a parameter makes when the jail has one), or NULL.
 */
static int get_own(struct definition *def, const char *name, struct text *room,
    const struct text **out, bool *is_broken)
{
	int r = def ? definition_get(def, span_of(name), room) : 1;

	*out = r == 0 ? room : NULL;
	if (r == -EINVAL)
		*is_broken = true;
	return r == -ENOMEM ? r : 0;
}

/* Parameter and jail both count: their lines are put one behind the other. */
static int fill_lines(struct load *ld, struct definition *def,
    const struct dict *values, const char *name, struct conf_values *out,
    bool *is_broken)
{
	const struct text *own, *jail = dict_find(values, span_of(name));
	struct text room;
	int r = get_own(def, name, &room, &own, is_broken);

	if (r == 0 && own)
		r = values_add_lines(ld, own, out);
	if (r == 0 && jail)
		r = values_add_lines(ld, jail, out);
	return r;
}

static int fill_value(struct definition *def, const struct dict *values,
    const char *name, bool is_jail_first, struct text *room, const struct text **out,
    bool *is_broken)
{
	const struct text *own, *jail = dict_find(values, span_of(name));
	int r = get_own(def, name, room, &own, is_broken);

	if (is_jail_first)
		*out = jail ? jail : own;
	else
		*out = own ? own : jail;
	return r;
}

static int fill_journalmatch(struct load *ld, struct definition *def,
    const struct dict *values, struct conf_value *out, bool *is_broken)
{
	const struct text *own, *jail = dict_find(values, SPAN("journalmatch"));
	CLEANUP(text_out_deinit) struct text_out joined = TEXT_OUT_INIT;
	struct text room, both;
	int r = get_own(def, "journalmatch", &room, &own, is_broken);

	if (r < 0 || (!own && !jail))
		return r;
	if (own)
		text_out_add_part(&joined, own, 0, own->n);
	if (own && jail)
		text_out_add(&joined, SPAN("\n"), text_place(jail, 0), true);
	if (jail)
		text_out_add_part(&joined, jail, 0, jail->n);
	r = text_out_keep(&joined, ld->arena, &both);
	if (r == 0)
		*out = value_unless_empty(&both);
	return r == -ENOMEM ? r : 0;
}

static void fill_maxlines(
    struct load *ld, const struct text *t, struct conf_filter *out, bool *is_broken)
{
	int64_t v;

	if (!t)
		return;
	if (schema_read_count(
		ld->d, schema_find(SPAN("maxlines"), SCHEMA_FILTER), t, &v) < 0)
		*is_broken = true;
	else
		out->maxlines = (unsigned int)v;
	out->is_maxlines_set = true;
}

static int fill_values(struct load *ld, struct definition *def,
    const struct dict *values, struct conf_filter *out, bool *is_broken)
{
	const struct text *t;
	struct text room;
	int r;

	/* Who wins when both speak is the order in which fail2ban sends them. */
	r = fill_value(def, values, "prefregex", false, &room, &t, is_broken);
	if (r == 0 && t)
		out->prefregex = value_unless_empty(t);
	if (r == 0)
		r = fill_value(def, values, "usedns", false, &room, &t, is_broken);
	if (r == 0 && t)
		out->usedns = value_unless_empty(t);
	if (r == 0)
		r = fill_value(def, values, "maxlines", false, &room, &t, is_broken);
	if (r == 0)
		fill_maxlines(ld, t, out, is_broken);
	if (r == 0)
		r = fill_value(def, values, "datepattern", true, &room, &t, is_broken);
	if (r == 0 && t)
		out->datepattern = value_unless_empty(t);
	return r;
}

int filter_fill(struct load *ld, const struct filter_file *f, const struct dict *values,
    struct conf_filter *out)
{
	struct definition room, *def = f ? &room : NULL;
	bool is_broken = false;
	int r = 0;

	out->maxlines = 1;
	if (f) {
		out->name = f->params.name;
		is_broken = f->set->is_broken;
		*def = (struct definition){.arena = ld->arena,
		    .d = ld->d,
		    .ini = &f->set->all,
		    .kind = SCHEMA_FILTER,
		    .is_second = true};
		r = definition_init(def, &f->params, values);
		if (r == 0)
			is_broken |= def->is_broken;
	}
	if (r == 0)
		r = fill_lines(
		    ld, def, values, "failregex", &out->failregex, &is_broken);
	if (r == 0)
		r = fill_lines(
		    ld, def, values, "ignoreregex", &out->ignoreregex, &is_broken);
	if (r == 0)
		r = fill_values(ld, def, values, out, &is_broken);
	if (r == 0)
		r = fill_journalmatch(ld, def, values, &out->journalmatch, &is_broken);
	if (r == 0 && def)
		r = filter_rules_fill(ld, def, out, &is_broken);
	if (r < 0)
		return r;
	return is_broken ? -EINVAL : 0;
}
