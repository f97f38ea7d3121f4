/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "conf/override.h"

#include <errno.h>

#include "conf/merge.h"

static const struct conf_place set_at_run_time = {.file = "(set at run time)"};

static int make_value(struct arena *a, const char *value, struct text *out)
{
	size_t n = 0, length = strlen(value);
	char *p = arena_alloc(a, 2 * length + 1);
	struct text_mark *mark = arena_alloc(a, sizeof(*mark));

	if (!p || !mark)
		return -ENOMEM;
	for (size_t i = 0; i < length; i++) {
		if (value[i] == '%')
			p[n++] = '%';
		p[n++] = value[i];
	}
	*mark = (struct text_mark){.is_fixed = true, .at = set_at_run_time};
	*out = (struct text){.p = p, .n = n, .marks = mark, .n_marks = 1};
	return 0;
}

static int add(struct arena *a, struct ini *ini, const struct conf_override *from)
{
	const char *name = from->jail ? from->jail : "Definition";
	char *section = arena_dup(a, span_of(name));
	struct ini_option *o = arena_alloc(a, sizeof(*o));
	struct ini_section *s;

	if (!section || !o || make_value(a, from->value, &o->value) < 0)
		return -ENOMEM;
	o->name = arena_dup_lower(a, span_of(from->option));
	o->at = set_at_run_time;
	s = o->name ? ini_make_section(ini, section, set_at_run_time) : NULL;
	return s ? dict_put(&s->options, o->name, o) : -ENOMEM;
}

int override_merge(
    struct arena *a, const struct override_list *list, bool is_global, struct ini *into)
{
	struct ini ini;
	int r = 0;

	ini_init(&ini, a);
	for (size_t i = 0; !r && i < list->n; i++) {
		if (!list->items[i].jail == is_global)
			r = add(a, &ini, &list->items[i]);
	}
	return r < 0 ? r : merge_file(a, into, &ini);
}
