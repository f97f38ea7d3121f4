/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hint - "did you mean 'maxretry'?"
 *
 * Unknown options are legal: other values may be built from them. So only a name that
 * is nearly a known one, and that no value refers to, gets a warning.
 */

#include "conf/chars.h"
#include "conf/room.h"
#include "conf/schema.h"

/* Does @t have %(name)s or %(section/name)s? */
static bool refers_to(struct span t, struct span name)
{
	for (;;) {
		ptrdiff_t at = span_find(t, SPAN("%("));
		struct span reference;
		ptrdiff_t end;

		if (at < 0)
			return false;
		t = span_skip(t, (size_t)at + 2);
		end = span_index(t, ')');
		if (end < 0)
			return false;
		reference = (struct span){t.p, (size_t)end};
		if (reference.n > name.n &&
		    reference.p[reference.n - name.n - 1] == '/')
			reference = span_skip(reference, reference.n - name.n);
		if (span_eq_nocase(reference, name))
			return true;
	}
}

static bool section_refers_to(const struct ini_section *s, struct span name)
{
	for (const struct dict_item *i = s->options.first; i; i = i->next)
		for (const struct ini_option *o = i->value; o; o = o->prev)
			if (refers_to(text_span(&o->value), name))
				return true;
	return false;
}

static bool is_material(const struct ini *ini, struct span name)
{
	if (section_refers_to(&ini->defaults, name))
		return true;
	for (const struct dict_item *i = ini->sections.first; i; i = i->next)
		if (section_refers_to(i->value, name))
			return true;
	return false;
}

void hint_misspelt(struct load *ld, const struct ini *ini, const struct ini_section *s)
{
	const unsigned int where = SCHEMA_JAIL | SCHEMA_MATERIAL;

	for (const struct dict_item *i = s->options.first; i; i = i->next) {
		const struct ini_option *o = i->value;
		struct span name = span_of(o->name);
		const struct schema_option *near;

		if (schema_find(name, where))
			continue;
		near = schema_find_near(name, where);
		if (near && !is_material(ini, name))
			diag_add(ld->d, DIAG_WARNING, o->at,
			    "there is no option '%s'; did you mean '%s'?",
			    chars_show(name).text, near->name);
	}
}
