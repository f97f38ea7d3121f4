/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * merge - what a later file says goes on top of what is there
 */

#include "conf/merge.h"

#include <errno.h>

static const char *append(struct arena *a, const char *name, struct span tail)
{
	size_t n = strlen(name);
	char *p = arena_alloc(a, n + tail.n + 1);

	if (p) {
		memcpy(p, name, n);
		memcpy(p + n, tail.p, tail.n);
	}
	return p;
}

static int merge_option(struct arena *a, struct ini_section *into,
    const struct ini_option *o, struct span condition)
{
	struct ini_option *copy = arena_alloc(a, sizeof(*copy));

	if (!copy)
		return -ENOMEM;
	*copy = *o;
	if (condition.n) {
		copy->name = append(a, o->name, condition);
		if (!copy->name)
			return -ENOMEM;
	}
	copy->prev = ini_find_option(into, span_of(copy->name));
	return dict_put(&into->options, copy->name, copy);
}

static int merge_options(struct arena *a, struct ini_section *into,
    const struct ini_section *from, struct span condition)
{
	into->is_broken |= from->is_broken;
	for (const struct dict_item *i = from->options.first; i; i = i->next) {
		int r = merge_option(a, into, i->value, condition);

		if (r < 0)
			return r;
	}
	return 0;
}

/* "Init?family=inet6" is "Init" with a condition on each of its options. */
static void split_condition(
    struct span whole, struct span *name, struct span *condition)
{
	ptrdiff_t n = span_index(whole, '?');
	bool is_word = n > 0 && (size_t)n + 1 < whole.n;

	for (ptrdiff_t i = 0; is_word && i < n; i++) {
		unsigned char c = (unsigned char)whole.p[i];

		is_word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			  (c >= '0' && c <= '9') || c == '_' || c >= 0x80;
	}
	*name = is_word ? (struct span){whole.p, (size_t)n} : whole;
	*condition = span_skip(whole, name->n);
}

int merge_file(struct arena *a, struct ini *into, const struct ini *from)
{
	int r = merge_options(a, &into->defaults, &from->defaults, SPAN(""));

	into->is_broken |= from->is_broken;
	for (const struct dict_item *i = from->sections.first; r == 0 && i;
	     i = i->next) {
		const struct ini_section *s = i->value;
		struct ini_section *to;
		struct span name, condition;
		char *copy;

		split_condition(span_of(s->name), &name, &condition);
		copy = arena_dup(a, name);
		to = copy ? ini_make_section(into, copy, s->at) : NULL;
		r = to ? merge_options(a, to, s, condition) : -ENOMEM;
	}
	return r;
}
