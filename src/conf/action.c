/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * action - a jail's list of actions, each with the options of its file
 *
 * A missing file is no mistake of the configuration: some actions need none, and only
 * the program above knows which.
 */

#include <errno.h>
#include <limits.h>
#include <unistd.h>

#include "conf/chars.h"
#include "conf/room.h"
#include "conf/schema.h"

#define ACTIONS_MAX 100 /* in one jail */

static const struct text *find_param(const struct params *p, const char *name)
{
	for (size_t i = 0; i < p->n; i++)
		if (strcmp(p->items[i].name, name) == 0)
			return &p->items[i].value;
	return NULL;
}

static void add_param(struct params *p, const char *name, const char *value)
{
	p->items[p->n].name = name;
	p->items[p->n].value = (struct text){.p = value, .n = strlen(value)};
	p->n++;
}

/* The parameters, and room for the two that every action has. */
static int copy_params(struct load *ld, const struct params *from, struct params *out)
{
	*out = *from;
	out->items = arena_alloc_array(ld->arena, from->n + 2, sizeof(*out->items));
	if (!out->items)
		return -ENOMEM;
	if (from->n)
		memcpy(out->items, from->items, from->n * sizeof(*out->items));
	return 0;
}

/* An action that was given another name than the jail's is told apart by it. */
static const char *make_actname(
    struct load *ld, const char *file, const char *name, const char *jail)
{
	CLEANUP(buf_deinit) struct buf b = BUF_INIT(TEXT_MAX);
	struct span rest = span_of(name);

	buf_add_str(&b, file);
	if (span_starts(rest, span_of(jail)))
		rest = span_skip(rest, strlen(jail));
	else
		buf_add_char(&b, '-');
	buf_add_span(&b, rest);
	return arena_dup(ld->arena, buf_span(&b));
}

static bool is_python(const char *name)
{
	return span_ends(span_of(name), SPAN(".py"));
}

static int add_names(
    struct load *ld, struct params *p, const char *jail, const char **out)
{
	const struct text *actname = find_param(p, "actname");
	const struct text *name = find_param(p, "name");
	struct span stem = span_of(p->name);

	if (is_python(p->name)) {
		stem.n -= 3;
		*out = actname ? actname->p : arena_dup(ld->arena, stem);
		return *out ? 0 : -ENOMEM;
	}
	if (!name)
		add_param(p, "name", jail);
	*out = actname ? actname->p
		       : make_actname(ld, p->name, name ? name->p : jail, jail);
	if (!*out)
		return -ENOMEM;
	if (!actname)
		add_param(p, "actname", *out);
	return 0;
}

static int keep_params(struct load *ld, const struct params *p, struct conf_action *out)
{
	out->params = arena_alloc_array(ld->arena, p->n, sizeof(*out->params));
	if (!out->params)
		return -ENOMEM;
	for (size_t i = 0; i < p->n; i++)
		out->params[out->n_params++] = (struct conf_param){
		    .name = p->items[i].name, .value = p->items[i].value.p};
	return 0;
}

static int keep_options(
    struct load *ld, struct definition *def, struct conf_action *out, bool *is_broken)
{
	out->options =
	    arena_alloc_array(ld->arena, def->combined.n, sizeof(*out->options));
	if (!out->options)
		return -ENOMEM;
	for (const struct dict_item *i = def->combined.first; i; i = i->next) {
		struct text value;
		int r;

		if (span_starts(span_of(i->key), SPAN("known/")))
			continue;
		r = definition_get(def, span_of(i->key), &value);
		if (r == -ENOMEM)
			return r;
		if (r < 0)
			*is_broken = true;
		else
			out->options[out->n_options++] =
			    (struct conf_param){.name = i->key, .value = value.p};
	}
	return 0;
}

static int read_python(struct load *ld, const char *name, struct conf_action *out)
{
	CLEANUP(buf_deinit) struct buf path = BUF_INIT(PATH_MAX);

	buf_printf(&path, "%s/action.d/%s", ld->dir, name);
	out->has_file = !path.failed && access(buf_str(&path), F_OK) == 0;
	out->options = out->params;
	out->n_options = out->n_params;
	return 0;
}

static int read_command(struct load *ld, const struct params *p,
    const struct dict *values, struct conf_action *out, bool *is_broken)
{
	CLEANUP(buf_deinit) struct buf name = BUF_INIT(PATH_MAX);
	const struct layer_set *set = NULL;
	struct definition def;
	int r;

	if (p->name[0] != '/')
		buf_add_str(&name, "action.d/");
	buf_add_str(&name, p->name);
	r = layers_read(&ld->layers, name.failed ? "" : buf_str(&name), &set);
	if (r < 0)
		return r;
	out->has_file = set->is_found;
	*is_broken |= set->is_broken;
	def = (struct definition){
	    .arena = ld->arena, .d = ld->d, .ini = &set->all, .kind = SCHEMA_ACTION};
	r = definition_init(&def, p, values);
	if (r < 0)
		return r;
	*is_broken |= def.is_broken;
	return keep_options(ld, &def, out, is_broken);
}

static int load_one(struct load *ld, const struct params *given,
    const struct dict *values, struct conf_jail *j, struct conf_action *out)
{
	struct params p;
	int r;

	out->name = given->name;
	out->at = given->at;
	r = keep_params(ld, given, out);
	if (r == 0)
		r = copy_params(ld, given, &p);
	if (r == 0)
		r = add_names(ld, &p, j->name, &out->actname);
	if (r < 0)
		return r;
	if (is_python(given->name))
		return read_python(ld, given->name, out);
	return read_command(ld, &p, values, out, &j->is_broken);
}

static void check_unique(struct load *ld, struct conf_jail *j)
{
	const struct conf_action *last = &j->actions[j->n_actions - 1];

	for (size_t i = 0; i + 1 < j->n_actions; i++) {
		if (strcmp(j->actions[i].actname, last->actname) != 0)
			continue;
		diag_add(ld->d, DIAG_ERROR, last->at,
		    "action: two actions of jail '%s' are called '%s'; give one of "
		    "them "
		    "another name: %s[actname=...]",
		    j->name, last->actname, last->name);
		j->is_broken = true;
		return;
	}
}

int actions_load(struct load *ld, const struct text *list, const struct dict *values,
    struct conf_jail *j)
{
	struct params p;
	size_t pos = 0;
	int r;

	j->actions = arena_alloc_array(ld->arena, ACTIONS_MAX, sizeof(*j->actions));
	if (!j->actions)
		return -ENOMEM;
	while ((r = params_next(ld->arena, ld->d, "action", list, &pos, &p)) !=
	       PARAMS_END) {
		if (r == 0 && j->n_actions == ACTIONS_MAX) {
			diag_add(ld->d, DIAG_ERROR, p.at,
			    "action: more than %d actions", ACTIONS_MAX);
			j->is_broken = true;
			break;
		}
		if (r == -EINVAL) {
			j->is_broken = true;
			continue;
		}
		if (r == 0)
			r = load_one(ld, &p, values, j, &j->actions[j->n_actions]);
		if (r < 0)
			return r;
		j->n_actions++;
		check_unique(ld, j);
	}
	return 0;
}
