/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * changes - the supervisor's side of changing options at run time
 *
 * One change is loaded at a time, on top of the overrides that hold; it holds from the
 * moment that the loader has accepted it. Others wait, at most CHANGES_MAX_WAITING;
 * more are refused.
 */

#include "proc/overrides.h"

#define CHANGES_MAX_WAITING 16

struct changes {
	struct overrides now;
	struct overrides next; /* what the loader was given */
	uint64_t id;           /* who asked for what is loaded; 0: a plain reload */
	struct buf waiting[CHANGES_MAX_WAITING]; /* bodies of MSG_ASK_CHANGE */
	size_t n_waiting;
};

void changes_deinit(struct changes *c);

/* A plain reload: nothing but the files will hold. */
void changes_begin_reload(struct changes *c);

/**
 * changes_begin() - prepare what one MSG_ASK_CHANGE asks for
 *
 * Return: 0: c->next and c->id are set, load it; else as overrides_apply().
 */
int changes_begin(struct changes *c, struct span body);

/* The loader is done with c->next. */
void changes_end(struct changes *c, bool is_accepted);

/* Keep it for later. Return: 0, -ENOSPC, -ENOMEM. */
int changes_wait(struct changes *c, struct span body);
/* The one that waits for longest, to be deinited; false: none. */
bool changes_next(struct changes *c, struct buf *out);
