/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "proc/changes.h"

#include <errno.h>

#include "proc/message.h"

void changes_deinit(struct changes *c)
{
	overrides_deinit(&c->now);
	overrides_deinit(&c->next);
	while (c->n_waiting)
		buf_deinit(&c->waiting[--c->n_waiting]);
}

void changes_begin_reload(struct changes *c)
{
	overrides_deinit(&c->next);
	c->id = 0;
}

int changes_begin(struct changes *c, struct span body)
{
	struct unpack u = unpack_of(body);
	uint64_t id = unpack_u64(&u);
	struct overrides next = {0};
	int r = overrides_copy(&c->now, &next);

	if (!r)
		r = overrides_apply(&next, &u);
	if (r < 0) {
		overrides_deinit(&next);
		return r;
	}
	overrides_deinit(&c->next);
	c->next = next;
	c->id = id;
	return 0;
}

void changes_end(struct changes *c, bool is_accepted)
{
	struct overrides *gone = is_accepted ? &c->now : &c->next;

	overrides_deinit(gone);
	if (is_accepted)
		c->now = c->next;
	c->next = (struct overrides){0};
	c->id = 0;
}

int changes_wait(struct changes *c, struct span body)
{
	struct buf *b = &c->waiting[c->n_waiting];

	if (c->n_waiting == CHANGES_MAX_WAITING)
		return -ENOSPC;
	*b = BUF_INIT(MESSAGE_MAX_BYTES);
	buf_add_span(b, body);
	if (b->failed) {
		buf_deinit(b);
		return -ENOMEM;
	}
	c->n_waiting++;
	return 0;
}

bool changes_next(struct changes *c, struct buf *out)
{
	if (!c->n_waiting)
		return false;
	*out = c->waiting[0];
	c->n_waiting--;
	for (size_t i = 0; i < c->n_waiting; i++)
		c->waiting[i] = c->waiting[i + 1];
	return true;
}
