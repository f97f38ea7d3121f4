/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * overrides - options that clients changed at run time, over what the files say
 *
 * The supervisor keeps them and hands them to the loader as one more layer, so only the
 * loader ever parses what they mean. Bounded in number and bytes: what does not fit is
 * refused. They end with a reload that a user asks for, and with the daemon.
 */

#include "base/pack.h"
#include "conf/conf.h"

#define OVERRIDES_MAX 1000
#define OVERRIDES_MAX_BYTES (1u << 20)

/* What a client asks for, as it stands in a message: u8, and what is said here. */
enum override_op {
	OVERRIDE_SET = 1, /* u32 n, n × (str jail or NULL, str option, str value) */
	OVERRIDE_UNSET,   /* str jail, str option: as the files say */
	OVERRIDE_CLEAR,   /* str jail, or NULL: all */
};

struct overrides {
	struct conf_override *items; /* texts owned */
	size_t n, n_bytes;
};

void overrides_deinit(struct overrides *o);
int overrides_copy(
    const struct overrides *from, struct overrides *out); /* or -ENOMEM */

/**
 * overrides_apply() - do what an enum override_op says
 *
 * Return: 0; -ENOENT: nothing of that kind to unset; -ENOSPC; -EBADMSG; -ENOMEM. After
 * a failure the list is whole, but part of the message may be done.
 */
int overrides_apply(struct overrides *o, struct unpack *u);

/* Is this very option set to this very value? */
bool overrides_hold(const struct overrides *o, const struct conf_override *item);

/* To the loader and back. Return of the latter: 0, -EBADMSG, -ENOMEM. */
void overrides_encode(const struct overrides *o, struct buf *out);
int overrides_decode(struct unpack *u, struct overrides *out);
