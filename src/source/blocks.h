/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * blocks - an open file from where it stands to its end, plain or compressed
 *
 * Whether it is compressed is told by its first bytes. Nothing is read before it is
 * asked for, and never more than a block ahead.
 */

#include "source/unpack.h"

#define BLOCKS_BYTES (256 * 1024)

struct blocks;

/* @fd stays the caller's. Return: NULL: out of memory. */
struct blocks *blocks_new(int fd);
struct blocks *blocks_free(struct blocks *b);
DEFINE_CLEANUP(struct blocks *, blocks_free)

enum { BLOCKS_END = 1 };

/**
 * blocks_read()
 * @out: at least one byte of it; dies at the next call
 *
 * Return: 0, BLOCKS_END, -EINTR (a signal came first: call again, or end), or negative
 * errno with @e.
 */
int blocks_read(struct blocks *b, struct span *out, struct err *e);

/* Bytes of the file, as it is stored, that were read. */
uint64_t blocks_n_bytes(const struct blocks *b);
