/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * definition - one reader for filter.d and action.d
 */

#include "conf/definition.h"

#include <errno.h>

#include "conf/interp.h"
#include "conf/schema.h"
#include "conf/tags.h"

static const char *const runtime_tags[] = {
    "matches", "ipmatches", "ipjailmatches", "timeout", "bantime"};

static int put(struct dict *to, const char *name, const struct text *value)
{
	struct text *copy = arena_alloc(to->arena, sizeof(*copy));

	if (!copy)
		return -ENOMEM;
	*copy = *value;
	return dict_put(to, name, copy);
}

static const struct params_item *find_param(const struct params *p, struct span name)
{
	for (size_t i = 0; i < p->n; i++)
		if (span_eq(span_of(p->items[i].name), name))
			return &p->items[i];
	return NULL;
}

static struct interp interp_in(const struct definition *def, const char *section)
{
	return (struct interp){.arena = def->arena,
	    .d = def->d,
	    .ini = def->ini,
	    .section = ini_find_section(def->ini, span_of(section))};
}

static int get_defined(const struct definition *def, struct span name, struct text *out)
{
	struct interp in = interp_in(def, "Definition");

	in.vars = &def->vars;
	return interp_get(&in, name, out);
}

/* Is @name one of the options that are read before the filter is? */
static bool is_early(const char *name)
{
	return strcmp(name, "enabled") == 0 || strcmp(name, "backend") == 0 ||
	       strcmp(name, "filter") == 0;
}

static int add_jail(struct definition *def, const struct dict *jail)
{
	int r = 0;

	for (struct dict_item *i = jail ? jail->first : NULL; r == 0 && i;
	     i = i->next) {
		r = dict_put(&def->vars, i->key, i->value);
		if (r == 0 && is_early(i->key))
			r = dict_put(&def->early_vars, i->key, i->value);
	}
	return r;
}

static int add_params(struct definition *def, const struct params *params)
{
	for (size_t i = 0; i < params->n; i++) {
		const struct params_item *p = &params->items[i];

		if (dict_put(&def->vars, p->name, &params->items[i].value) < 0 ||
		    dict_put(&def->early_vars, p->name, &params->items[i].value) < 0 ||
		    put(&def->combined, p->name, &p->value) < 0)
			return -ENOMEM;
	}
	return 0;
}

/*
 * An option of [Init]. A parameter replaces it, and its conditional variants too,
 * unless the variant was given as well.
 */
static int add_init_option(
    struct definition *def, const struct params *params, const struct ini_option *o)
{
	struct interp in = interp_in(def, "Init");
	struct span name = span_of(o->name), plain = name;
	ptrdiff_t n = span_index(name, '?');
	const struct params_item *given;
	CLEANUP(buf_deinit) struct buf known = BUF_INIT(TEXT_MAX);
	struct text value;
	char *key;
	int r = interp_get(&in, name, &value);

	if (r == -EINVAL)
		def->is_broken = true;
	if (r)
		return r == -ENOMEM ? r : 0;
	buf_printf(&known, "known/%s", o->name);
	key = arena_dup(def->arena, buf_span(&known));
	if (!key || put(&def->combined, key, &value) < 0 ||
	    (def->is_second && put(&def->vars, key, &value) < 0))
		return -ENOMEM;
	if (find_param(params, name))
		return 0;
	if (n > 0)
		plain.n = (size_t)n;
	given = n > 0 ? find_param(params, plain) : NULL;
	if (given)
		value = given->value;
	if (def->is_second && put(&def->vars, o->name, &value) < 0)
		return -ENOMEM;
	return put(&def->combined, o->name, &value);
}

static int add_init(struct definition *def, const struct params *params)
{
	const struct ini_section *init = ini_find_section(def->ini, SPAN("Init"));
	int r = 0;

	for (const struct dict_item *i = init ? init->options.first : NULL; r == 0 && i;
	     i = i->next)
		r = add_init_option(def, params, i->value);
	return r;
}

static int add_defined(struct definition *def)
{
	for (size_t i = 0; i < schema_n_options; i++) {
		const struct schema_option *o = &schema_options[i];
		struct span name = span_of(o->name);
		struct text value;
		int r;

		if (!(o->where & def->kind) || dict_find(&def->vars, name) ||
		    dict_find(&def->combined, name))
			continue;
		r = get_defined(def, name, &value);
		if (r == -EINVAL)
			def->is_broken = true;
		if (r == 0)
			r = put(&def->combined, o->name, &value);
		if (r == -ENOMEM)
			return r;
	}
	return 0;
}

static int note_kept(struct definition *def)
{
	for (const struct dict_item *i = def->combined.first; i; i = i->next) {
		struct span name = span_of(i->key);
		ptrdiff_t n = span_index(name, '?');
		char *plain;

		if (n <= 0 || span_index(name, '/') >= 0)
			continue;
		plain = arena_dup(def->arena, (struct span){name.p, (size_t)n});
		if (!plain || dict_put(&def->kept, plain, plain) < 0)
			return -ENOMEM;
	}
	return 0;
}

int definition_init(
    struct definition *def, const struct params *params, const struct dict *jail)
{
	int r;

	def->vars = DICT_INIT(def->arena);
	def->early_vars = DICT_INIT(def->arena);
	def->combined = DICT_INIT(def->arena);
	def->kept = DICT_INIT(def->arena);
	def->found = DICT_INIT(def->arena);
	def->is_broken = false;
	r = add_jail(def, jail);
	if (r == 0)
		r = add_params(def, params);
	if (r == 0)
		r = add_init(def, params);
	if (r == 0)
		r = add_defined(def);
	if (r == 0)
		r = note_kept(def);
	return r;
}

static bool is_kept(void *ctx, struct span tag)
{
	const struct definition *def = ctx;

	for (size_t i = 0; def->kind == SCHEMA_ACTION && i < ARRAY_LEN(runtime_tags);
	     i++)
		if (span_eq(tag, span_of(runtime_tags[i])))
			return true;
	return dict_find(&def->kept, tag) != NULL;
}

static bool has_history(const struct ini_section *s)
{
	for (const struct dict_item *i = s ? s->options.first : NULL; i; i = i->next)
		if (((const struct ini_option *)i->value)->prev)
			return true;
	return false;
}

/* What an earlier file said; [DEFAULT] counts as earlier once there is any history. */
static int find_earlier(const struct interp *in, struct span name, struct text *out)
{
	const struct ini_option *o = ini_find_option(in->section, name);
	int r = INTERP_NONE;

	if (o && o->prev) {
		r = interp_get_known(in, name, out);
	} else if (has_history(in->section)) {
		struct interp defaults = *in;

		defaults.section = NULL;
		r = interp_get(&defaults, name, out);
	}
	return r == INTERP_NONE ? interp_get(in, name, out) : r;
}

/* <sect/opt>: as the reader of that section would see it, without variables. */
static int find_in_section(const struct definition *def, struct span section,
    struct span name, struct text *out)
{
	struct interp in = interp_in(def, "Definition");

	if (span_eq_nocase(section, SPAN("known")))
		return find_earlier(&in, name, out);
	in.section = ini_find_section(def->ini, section);
	if (!in.section && !span_eq_nocase(section, SPAN("default")))
		return INTERP_NONE;
	return interp_get(&in, name, out);
}

/*
 * Which variables count is a matter of when fail2ban looks: the first time,
 * [Definition] is read without any; what stands only in [DEFAULT] is looked up then,
 * and kept.
 */
static int find_defined(
    const struct definition *def, struct span name, bool is_own, struct text *out)
{
	struct interp in = interp_in(def, "Definition");

	in.vars = &def->vars;
	if (def->is_second && !is_own)
		in.vars = &def->early_vars;
	else if (def->kind == SCHEMA_FILTER && !def->is_second && is_own)
		in.vars = NULL;
	return interp_get(&in, name, out);
}

static int find_elsewhere(
    const struct definition *def, struct span tag, struct text *out)
{
	const struct ini_section *defined =
	    ini_find_section(def->ini, SPAN("Definition"));
	char *lower = arena_dup_lower(def->arena, tag);
	struct span name, section, option;
	int r = INTERP_NONE;

	if (!lower)
		return -ENOMEM;
	name = (struct span){lower, tag.n};
	if (interp_split(tag, &section, &option))
		r = find_in_section(
		    def, section, span_skip(name, (size_t)(option.p - tag.p)), out);
	if (r != INTERP_NONE)
		return r;
	/* <Tag> is not the "tag" of [Definition] at first sight, only when looked up.
	 */
	return find_defined(def, name, ini_find_option(defined, tag) != NULL, out);
}

static int find_tag(void *ctx, struct span tag, struct text *out)
{
	struct definition *def = ctx;
	const struct text *t = dict_find(&def->combined, tag);
	char *key;
	int r;

	if (!t)
		t = dict_find(&def->found, tag);
	if (t) {
		*out = *t;
		return 0;
	}
	r = find_elsewhere(def, tag, out);
	if (r)
		return r;
	key = arena_dup(def->arena, tag);
	return key ? put(&def->found, key, out) : -ENOMEM;
}

static int resolve_tags(
    struct definition *def, struct span name, const struct text *in, struct text *out)
{
	struct tags tags = {.arena = def->arena,
	    .d = def->d,
	    .find = find_tag,
	    .is_kept = is_kept,
	    .ctx = def};

	return conf_tags_expand(&tags, name, in, out);
}

int definition_get(struct definition *def, struct span name, struct text *out)
{
	const struct text *t = dict_find(&def->combined, name);

	if (!t)
		return 1;
	return resolve_tags(def, name, t, out);
}

int definition_get_known(void *ctx, struct span name, struct text *out)
{
	struct definition *def = ctx;
	const struct ini_section *s = ini_find_section(def->ini, SPAN("Definition"));
	struct text raw;
	int r;

	if (dict_find(&def->combined, name))
		return definition_get(def, name, out);
	if (!ini_find_option(s, name))
		return INTERP_NONE;
	r = find_defined(def, name, true, &raw);
	return r ? r : resolve_tags(def, name, &raw, out);
}

int definition_find(struct definition *def, struct span name, struct text *out)
{
	struct text raw;
	int r = find_tag(def, name, &raw);

	return r ? r : resolve_tags(def, name, &raw, out);
}

int definition_resolve(struct definition *def, const struct ini_section *s,
    const struct ini_option *o, struct text *out)
{
	const struct interp in = {.arena = def->arena,
	    .d = def->d,
	    .ini = def->ini,
	    .section = s,
	    .vars = &def->vars};
	struct text raw;
	int r = interp_resolve(&in, o, &raw);

	return r ? r : resolve_tags(def, span_of(o->name), &raw, out);
}
