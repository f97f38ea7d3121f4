/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * db_evidence - the lines that spoke for a ban, as bytes that stay readable on disk
 *
 * A version byte, a count, then the lines, by base/pack.h. Bounded both ways: what
 * would be longer is stored without its text, and no more than DB_EVIDENCE_MAX_LINES
 * are read.
 */

#include "flow/order.h"

#define DB_EVIDENCE_MAX_LINES 1000
#define DB_EVIDENCE_MAX_BYTES 65536

/**
 * db_evidence_encode() - add the evidence of @o to @b, nothing if it has none
 * @b: an empty buffer whose cap is DB_EVIDENCE_MAX_BYTES
 *
 * The newest DB_EVIDENCE_MAX_LINES are kept, with the newest texts that fit.
 *
 * Return: 0 or -ENOMEM.
 */
int db_evidence_encode(struct buf *b, const struct order *o);

/**
 * db_evidence_decode() - the way back
 * @bytes: from the disk, so anything
 * @out:   its evidence is set, which must have been none; order_deinit() frees it
 *
 * Return: 0, -EBADMSG (not such bytes, or longer than the caps), -ENOMEM.
 */
int db_evidence_decode(struct span bytes, struct order *out);
