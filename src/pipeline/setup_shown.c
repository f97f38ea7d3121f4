/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pipeline/setup_shown.h"

#include <errno.h>

static void texts_deinit(struct setup_texts *t)
{
	for (uint32_t i = 0; t->items && i < t->n; i++)
		free(t->items[i]);
	free(t->items);
}

/* Room for a power of two, so that the count tells the room. */
static int add_text(struct setup_texts *t, const char *text)
{
	if ((t->n & (t->n - 1)) == 0) {
		size_t room = t->n ? 2 * (size_t)t->n : 1;
		char **items = realloc(t->items, room * sizeof(*items));

		if (!items)
			return -ENOMEM;
		t->items = items;
	}
	t->items[t->n] = strdup(text ? text : "");
	return t->items[t->n++] ? 0 : -ENOMEM;
}

static int add_pair(void *ctx, const char *name, const char *value)
{
	return add_text(ctx, name) < 0 || add_text(ctx, value) < 0 ? -ENOMEM : 0;
}

static int take_action(const struct conf_action *a, struct setup_texts *t)
{
	int r = add_pair(t, a->actname ? a->actname : a->name, a->name);

	for (size_t i = 0; !r && i < a->n_options; i++)
		r = add_pair(t, a->options[i].name, a->options[i].value);
	return r;
}

int setup_take_shown(const struct conf *c, size_t jail, struct setup_jail *j)
{
	const struct conf_jail *from = &c->jails[jail];
	int r = conf_each_option(c, jail, add_pair, &j->options);

	j->actions = calloc(from->n_actions + 1, sizeof(*j->actions));
	if (!j->actions)
		return -ENOMEM;
	for (size_t i = 0; !r && i < from->n_actions; i++)
		r = take_action(&from->actions[i], &j->actions[j->n_actions++]);
	return r;
}

void setup_shown_deinit(struct setup_jail *j)
{
	texts_deinit(&j->options);
	for (uint32_t i = 0; j->actions && i < j->n_actions; i++)
		texts_deinit(&j->actions[i]);
	free(j->actions);
}

const char *setup_find_option(const struct setup_jail *j, const char *name)
{
	for (uint32_t i = 0; i + 1 < j->options.n; i += 2) {
		if (!strcmp(j->options.items[i], name))
			return j->options.items[i + 1];
	}
	return NULL;
}
