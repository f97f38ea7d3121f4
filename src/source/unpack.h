/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * unpack - a compressed stream as its text
 *
 * gzip, which is what logs are rotated with, by zlib: all that can be had of a stream
 * that is damaged or cut off, and its checksum is looked at. The others by libarchive,
 * which is loaded when the first such log is met: whoever reads none never has it in
 * memory. Of it one decompressor is switched on, the one that the stream's first bytes
 * ask for: no format of files within files, and none that starts a program. Several
 * streams behind each other are one text.
 *
 * Memory is bounded by the libraries: 1 GiB for xz, windows of 128 MiB for zstd, less
 * for others. Where one of libarchive's is damaged or cut off, what was unpacked but
 * not handed out yet is lost with it: up to 64 KiB, of zstd 128 KiB, of bzip2 and lz4 a
 * block of theirs (up to 900 kB, 4 MiB).
 */

#include <sys/types.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/str.h"

enum unpack_kind {
	UNPACK_PLAIN, /* not compressed, or by something that is not known */
	UNPACK_GZIP,
	UNPACK_XZ,
	UNPACK_ZSTD,
	UNPACK_BZIP2,
	UNPACK_LZ4,
	UNPACK_COMPRESS,
	UNPACK_LZIP,
	UNPACK_KINDS
};

#define UNPACK_HEAD_BYTES 6 /* by which a kind is known */

/* What a file that begins with @head is; by content, whatever its name. */
enum unpack_kind unpack_kind_of(struct span head);
const char *unpack_kind_name(enum unpack_kind kind);

struct unpack;

/* The next bytes of the stream, which stay until the next call. Return: their number, 0
 * at the end, or negative errno. */
typedef ssize_t (*unpack_source_fn)(void *ctx, const char **out);

/* Return: NULL with @e. */
struct unpack *unpack_new(
    enum unpack_kind kind, unpack_source_fn fn, void *ctx, struct err *e);
struct unpack *unpack_free(struct unpack *u);
DEFINE_CLEANUP(struct unpack *, unpack_free)

enum { UNPACK_END = 1 };

/**
 * unpack_read()
 * @out: a piece of the text; dies at the next call
 *
 * Return: 0, UNPACK_END, -EBADMSG with @e (damaged, cut off, or something that is not
 * compressed stands behind it), or what the source failed with. After a failure there
 * is no more.
 */
int unpack_read(struct unpack *u, struct span *out, struct err *e);
