/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * ask_key - what ignorecache knows a failure by
 *
 * A text with tags becomes 64 keyed bits. Two failures have the same ones only if each
 * tag has the same value in both: values are told apart by their length, not by what
 * stands between them, since strangers choose some. A text in which a tag has no value,
 * and one longer than ASK_KEY_MAX_BYTES, is no key.
 */

#include "pipeline/pipeline.h"

#define ASK_KEY_MAX_BYTES 1024

enum { ASK_KEY_NONE = 1 };

/**
 * ask_key()
 * @text: ignorecache's key, as configured
 *
 * Return: 0 with @out, or ASK_KEY_NONE: the answer must not be kept.
 */
int ask_key(const char *text, const struct pipeline_name *n, const struct net *net,
    uint64_t *out);
