/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "proc/overrides.h"

#include <errno.h>

static void item_deinit(struct conf_override *i)
{
	free((void *)(uintptr_t)i->jail);
	free((void *)(uintptr_t)i->option);
	free((void *)(uintptr_t)i->value);
}

void overrides_deinit(struct overrides *o)
{
	for (size_t i = 0; i < o->n; i++)
		item_deinit(&o->items[i]);
	free(o->items);
	*o = (struct overrides){0};
}

static size_t bytes_of(const struct conf_override *i)
{
	return strlen(i->value) + strlen(i->option) + (i->jail ? strlen(i->jail) : 0);
}

static bool same_jail(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

static size_t find(const struct overrides *o, const char *jail, const char *option)
{
	size_t i = 0;

	while (i < o->n && (!same_jail(o->items[i].jail, jail) ||
			       strcmp(o->items[i].option, option) != 0))
		i++;
	return i;
}

static void drop(struct overrides *o, size_t at)
{
	o->n_bytes -= bytes_of(&o->items[at]);
	item_deinit(&o->items[at]);
	o->n--;
	for (size_t i = at; i < o->n; i++)
		o->items[i] = o->items[i + 1];
}

/* Takes the texts of @new, also on failure. */
static int put(struct overrides *o, struct conf_override new)
{
	size_t at = find(o, new.jail, new.option);

	if (at < o->n)
		drop(o, at);
	if (o->n == OVERRIDES_MAX ||
	    bytes_of(&new) > OVERRIDES_MAX_BYTES - o->n_bytes) {
		item_deinit(&new);
		return -ENOSPC;
	}
	struct conf_override *items = realloc(o->items, (o->n + 1) * sizeof(*items));

	if (!items) {
		item_deinit(&new);
		return -ENOMEM;
	}
	o->items = items;
	items[o->n++] = new;
	o->n_bytes += bytes_of(&new);
	return 0;
}

bool overrides_hold(const struct overrides *o, const struct conf_override *item)
{
	size_t at = find(o, item->jail, item->option);

	return at < o->n && !strcmp(o->items[at].value, item->value);
}

static int read_item(struct unpack *u, struct overrides *o)
{
	struct conf_override new = {.jail = unpack_str(u)};

	new.option = unpack_str(u);
	new.value = unpack_str(u);
	if (new.option &&new.value)
		return put(o, new);
	item_deinit(&new);
	return -EBADMSG;
}

int overrides_decode(struct unpack *u, struct overrides *out)
{
	uint32_t n = unpack_count(u, 12);
	int r = 0;

	for (uint32_t i = 0; i < n && !r; i++)
		r = read_item(u, out);
	return u->bad ? -EBADMSG : r;
}

void overrides_encode(const struct overrides *o, struct buf *out)
{
	pack_u32(out, (uint32_t)o->n);
	for (size_t i = 0; i < o->n; i++) {
		pack_str(out, o->items[i].jail);
		pack_str(out, o->items[i].option);
		pack_str(out, o->items[i].value);
	}
}

int overrides_copy(const struct overrides *from, struct overrides *out)
{
	CLEANUP(buf_deinit) struct buf b = BUF_INIT(2 * OVERRIDES_MAX_BYTES);
	struct overrides copy = {0};

	overrides_encode(from, &b);
	struct unpack u = unpack_of(buf_span(&b));
	int r = b.failed ? -ENOMEM : overrides_decode(&u, &copy);

	if (r < 0)
		overrides_deinit(&copy);
	else
		*out = copy;
	return r < 0 ? -ENOMEM : 0;
}

static int unset(struct unpack *u, struct overrides *o)
{
	CLEANUP(freep) char *jail = unpack_str(u);
	CLEANUP(freep) char *option = unpack_str(u);

	if (!option)
		return -EBADMSG;
	size_t at = find(o, jail, option);

	if (at == o->n)
		return -ENOENT;
	drop(o, at);
	return 0;
}

static void clear(struct unpack *u, struct overrides *o)
{
	CLEANUP(freep) char *jail = unpack_str(u);

	for (size_t i = o->n; i-- > 0;) {
		if (!jail || same_jail(o->items[i].jail, jail))
			drop(o, i);
	}
}

int overrides_apply(struct overrides *o, struct unpack *u)
{
	int r = 0;

	switch (unpack_u8(u)) {
	case OVERRIDE_SET:
		r = overrides_decode(u, o);
		break;
	case OVERRIDE_UNSET:
		r = unset(u, o);
		break;
	case OVERRIDE_CLEAR:
		clear(u, o);
		break;
	default:
		u->bad = true;
	}
	return unpack_end(u) < 0 ? -EBADMSG : r;
}
