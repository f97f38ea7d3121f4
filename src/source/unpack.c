/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/unpack.h"

#include <errno.h>

#include "source/unpack_way.h"

static const struct {
	const char *name;
	struct span magic;
	const struct unpack_way *way;
} kinds[UNPACK_KINDS] = {
    [UNPACK_PLAIN] = {"plain", {"", 0}, NULL},
    [UNPACK_GZIP] = {"gzip", {"\x1f\x8b\x08", 3}, &unpack_gzip},
    [UNPACK_XZ] = {"xz", {"\xfd\x37\x7a\x58\x5a\0", 6}, &unpack_archive},
    [UNPACK_ZSTD] = {"zstd", {"\x28\xb5\x2f\xfd", 4}, &unpack_archive},
    [UNPACK_BZIP2] = {"bzip2", {"BZh", 3}, &unpack_archive},
    [UNPACK_LZ4] = {"lz4", {"\x04\x22\x4d\x18", 4}, &unpack_archive},
    [UNPACK_COMPRESS] = {"compress", {"\x1f\x9d", 2}, &unpack_archive},
    [UNPACK_LZIP] = {"lzip", {"LZIP", 4}, &unpack_archive},
};

struct unpack {
	const struct unpack_way *way;
	void *state;
};

enum unpack_kind unpack_kind_of(struct span head)
{
	for (enum unpack_kind k = UNPACK_PLAIN + 1; k < UNPACK_KINDS; k++) {
		if (span_starts(head, kinds[k].magic))
			return k;
	}
	return UNPACK_PLAIN;
}

const char *unpack_kind_name(enum unpack_kind kind)
{
	return kinds[kind].name;
}

struct unpack *unpack_new(
    enum unpack_kind kind, unpack_source_fn fn, void *ctx, struct err *e)
{
	CLEANUP(unpack_freep) struct unpack *u = calloc(1, sizeof(*u));

	if (!u) {
		err_set(e, -ENOMEM, "out of memory");
		return NULL;
	}
	u->way = kinds[kind].way;
	u->state = u->way->create(kind, fn, ctx, e);
	return u->state ? TAKE(u) : NULL;
}

struct unpack *unpack_free(struct unpack *u)
{
	if (!u)
		return NULL;
	if (u->state)
		u->way->destroy(u->state);
	free(u);
	return NULL;
}

int unpack_read(struct unpack *u, struct span *out, struct err *e)
{
	return u->way->read(u->state, out, e);
}
