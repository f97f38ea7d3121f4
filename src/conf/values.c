/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * values - texts to the value types that other rooms see
 */

#include <errno.h>

#include "conf/chars.h"
#include "conf/room.h"

struct conf_value value_of(const struct text *t)
{
	return (struct conf_value){.text = t->p, .at = text_place(t, 0)};
}

struct conf_value value_unless_empty(const struct text *t)
{
	return chars_trim(text_span(t)).n ? value_of(t) : (struct conf_value){0};
}

static int append(
    struct load *ld, struct conf_values *out, struct span s, struct conf_place at)
{
	char *copy = arena_dup(ld->arena, s);

	if (!copy)
		return -ENOMEM;
	/* Room for a power of two items each time, so that the count tells the room. */
	if ((out->n & (out->n - 1)) == 0) {
		size_t room = out->n ? out->n * 2 : 1;
		struct conf_value *items =
		    arena_alloc_array(ld->arena, room, sizeof(*items));

		if (!items)
			return -ENOMEM;
		if (out->n)
			memcpy(items, out->items, out->n * sizeof(*items));
		out->items = items;
	}
	out->items[out->n++] = (struct conf_value){.text = copy, .at = at};
	return 0;
}

int values_add_lines(struct load *ld, const struct text *t, struct conf_values *out)
{
	struct conf_place at;
	struct span line;
	size_t pos = 0;
	int r = 0;

	while (r == 0 && text_next_line(t, &pos, &line, &at))
		r = append(ld, out, line, at);
	return r;
}

int values_add_words(struct load *ld, const struct text *t, struct conf_values *out)
{
	struct span rest = text_span(t), word;
	int r = 0;

	while (r == 0 && span_next_word(&rest, ",", &word))
		r = append(ld, out, word, text_place(t, (size_t)(word.p - t->p)));
	return r;
}

int values_put(struct load *ld, struct dict *to, const char *name, const struct text *t)
{
	struct text *copy = arena_alloc(ld->arena, sizeof(*copy));

	if (!copy)
		return -ENOMEM;
	*copy = *t;
	return dict_put(to, name, copy);
}
