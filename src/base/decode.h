/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * decode - a line of some character encoding to UTF-8
 *
 * UTF-8 and ASCII need no decoder: whoever matches deals with bytes that are not UTF-8.
 * What cannot be decoded becomes U+FFFD, and is counted; no input is refused. glibc's
 * iconv does the work. Each line is decoded by itself, so a shift that one forgot ends
 * with it.
 */

#include "base/cleanup.h"
#include "base/err.h"
#include "base/str.h"

struct decoder;

enum decode_unit { DECODE_BYTES, DECODE_UTF16LE, DECODE_UTF16BE };

/* How lines end in it. Python's and iconv's names are known; case, '-' and '_' are
 * alike. utf-16 is little-endian, as on every machine that writes it without saying. */
enum decode_unit decode_unit_of(const char *encoding);

/* "auto", "utf-8", "ascii" (NULL and "" too): there is nothing to do. */
bool decode_is_utf8(const char *encoding);

/* @encoding: one that is not UTF-8. Return: NULL with @e: it is not known, or memory.
 */
struct decoder *decoder_new(const char *encoding, struct err *e);
struct decoder *decoder_free(struct decoder *d);
DEFINE_CLEANUP(struct decoder *, decoder_free)

/**
 * decoder_run()
 * @out:            lives until the next call
 * @out_n_replaced: how many U+FFFD stand for bytes that mean nothing
 *
 * Return: 0 or -ENOMEM.
 */
int decoder_run(
    struct decoder *d, struct span in, struct span *out, size_t *out_n_replaced);
