/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * conf - the whole folder: global options, then jail after jail
 */

#include "conf/conf.h"

#include <errno.h>
#include <sys/stat.h>

#include "conf/chars.h"
#include "conf/override.h"
#include "conf/room.h"

#define CONF_MAX_BYTES ((size_t)512 << 20)

struct conf *conf_free(struct conf *c)
{
	/* The struct itself lives in its arena. */
	if (c)
		arena_free(((struct conf_private *)c->priv)->arena);
	return NULL;
}

static struct conf *new_conf(struct load *ld, struct arena *a, const char *dir)
{
	struct conf *c = arena_alloc(a, sizeof(*c));
	struct conf_private *priv = arena_alloc(a, sizeof(*priv));
	struct span s = span_of(dir);
	char *copy;

	while (s.n > 1 && s.p[s.n - 1] == '/')
		s.n--;
	copy = arena_dup(a, s);
	if (!c || !priv || !copy)
		return NULL;
	priv->arena = a;
	c->priv = priv;
	c->dir = copy;
	ld->arena = a;
	ld->dir = copy;
	layers_init(&ld->layers, a, ld->d, copy);
	return c;
}

static int make_jails(struct load *ld, struct conf *c, size_t n)
{
	struct conf_private *priv = c->priv;

	c->jails = arena_alloc_array(ld->arena, n, sizeof(*c->jails));
	priv->jail_values = arena_alloc_array(ld->arena, n, sizeof(struct dict *));
	return c->jails && priv->jail_values ? 0 : -ENOMEM;
}

static bool is_listed(const char *const *names, const char *name)
{
	for (; *names; names++)
		if (strcmp(*names, name) == 0)
			return true;
	return false;
}

static int load_jails(struct load *ld, const struct layer_set *set,
    const char *const *only, unsigned int how, struct conf *c)
{
	struct conf_private *priv = c->priv;
	int r = make_jails(ld, c, set->all.sections.n);

	ld->look_for_logs = how & CONF_LOOK_FOR_LOGS;

	for (const struct dict_item *i = set->all.sections.first; r == 0 && i;
	     i = i->next) {
		const struct ini_section *s = i->value;
		bool force = (how & CONF_ALL) || (only && is_listed(only, s->name));

		if (strcmp(s->name, "INCLUDES") == 0)
			continue;
		r = jail_load(ld, set, s, (how & CONF_ALL) || only ? &force : NULL,
		    &c->jails[c->n_jails], &priv->jail_values[c->n_jails]);
		c->n_jails++;
	}
	hint_misspelt(ld, &set->all, &set->all.defaults);
	return r;
}

static void check_names(struct load *ld, const char *const *only, const struct conf *c)
{
	for (; only && *only; only++) {
		bool is_found = false;

		for (size_t i = 0; i < c->n_jails && !is_found; i++)
			is_found = strcmp(c->jails[i].name, *only) == 0;
		if (!is_found)
			diag_add(ld->d, DIAG_ERROR, (struct conf_place){.file = c->dir},
			    "there is no jail '%s'", chars_show(span_of(*only)).text);
	}
}

static int load_all(
    struct load *ld, const char *const *only, unsigned int how, struct conf *c)
{
	struct conf_private *priv = c->priv;
	const struct layer_set *set = NULL;
	int r = global_load(ld, &c->global, &priv->global_values);

	if (r == 0)
		r = layers_read(&ld->layers, "jail", &set);
	if (r < 0)
		return r;
	if (!set->is_found) {
		diag_add(ld->d, DIAG_ERROR, (struct conf_place){.file = c->dir},
		    "no jails here, expected jail.conf, jail.local or jail.d/*.conf");
		return -ENOENT;
	}
	r = load_jails(ld, set, only, how, c);
	if (r == 0)
		check_names(ld, only, c);
	return r;
}

static bool is_dir(const char *dir, struct diag *d)
{
	struct stat st;

	if (stat(dir, &st) == 0 && S_ISDIR(st.st_mode))
		return true;
	diag_add(d, DIAG_ERROR, (struct conf_place){.file = dir},
	    "there is no such folder to read the configuration from");
	return false;
}

static void report_memory(struct diag *d, const char *dir)
{
	diag_add(d, DIAG_ERROR, (struct conf_place){.file = dir},
	    "not enough memory, or the configuration takes more than %zu MiB",
	    CONF_MAX_BYTES >> 20);
}

static struct conf *load(const char *dir, const char *const *only, unsigned int how,
    const struct override_list *over, struct diag *d)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(CONF_MAX_BYTES);
	struct load ld = {.d = d};
	struct conf *c;
	int r;

	if (!is_dir(dir, d))
		return NULL;
	c = a ? new_conf(&ld, a, dir) : NULL;
	ld.layers.over = over;
	r = c ? load_all(&ld, only, how, c) : -ENOMEM;
	if (r == -ENOMEM)
		report_memory(d, dir);
	if (r < 0)
		return NULL;
	(void)TAKE(a); /* c owns it */
	return c;
}

struct conf *conf_load(
    const char *dir, const char *const *only, unsigned int how, struct diag *d)
{
	return load(dir, only, how, NULL, d);
}

struct conf *conf_load_over(
    const char *dir, const struct conf_override *overrides, size_t n, struct diag *d)
{
	struct override_list over = {overrides, n};

	return load(dir, NULL, CONF_LOOK_FOR_LOGS, &over, d);
}

/* "/x/filter.d/sshd.conf" is "sshd". */
static const char *name_of_filter(struct arena *a, const char *name)
{
	const char *slash = strrchr(name, '/');
	struct span s = span_of(slash ? slash + 1 : name);

	if (slash && span_ends(s, SPAN(".conf")))
		s.n -= 5;
	return arena_dup(a, s);
}

static int load_filter(struct load *ld, const char *spec, struct conf *c)
{
	char *copy = arena_dup(ld->arena, span_of(spec));
	struct text t = {.p = copy, .n = strlen(spec)};
	struct dict values = DICT_INIT(ld->arena);
	struct filter_file f = {0};
	struct conf_jail *j;
	int r = copy ? make_jails(ld, c, 1) : -ENOMEM;

	if (r == 0)
		r = filter_open(ld, &t, true, &f);
	if (r == 0)
		r = filter_set_logtype(ld, SPAN("auto"), &f);
	if (r < 0)
		return r;
	j = &c->jails[0];
	jail_set_defaults(
	    j, name_of_filter(ld->arena, f.params.name), (struct conf_place){0});
	if (!j->name)
		return -ENOMEM;
	j->enabled = true;
	c->n_jails = 1;
	r = filter_fill(ld, &f, &values, &j->filter);
	if (r == 0 && j->filter.usedns.text)
		j->usedns = j->filter.usedns;
	return r;
}

struct conf *conf_load_filter(const char *dir, const char *spec, struct diag *d)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(CONF_MAX_BYTES);
	struct load ld = {.d = d};
	struct conf *c = a ? new_conf(&ld, a, dir) : NULL;
	int r = -ENOMEM;

	if (c) {
		global_set_defaults(&c->global);
		r = load_filter(&ld, spec, c);
	}
	if (r == -ENOMEM)
		report_memory(d, dir);
	if (r < 0)
		return NULL;
	(void)TAKE(a); /* c owns it */
	return c;
}

int conf_each_option(const struct conf *c, size_t jail, conf_option_fn fn, void *ctx)
{
	const struct conf_private *priv = c->priv;
	const struct dict *values = priv->jail_values ? priv->jail_values[jail] : NULL;
	int r = 0;

	for (const struct dict_item *i = values ? values->first : NULL; i && !r;
	     i = i->next)
		r = fn(ctx, i->key, ((const struct text *)i->value)->p);
	return r;
}
