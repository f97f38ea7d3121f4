/* SPDX-License-Identifier: GPL-2.0-or-later */
/* unpack, by libarchive. */
#include <archive.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/dynlib.h"
#include "source/unpack_way.h"

struct archive_lib {
	__typeof__(archive_read_new) *read_new;
	__typeof__(archive_read_free) *read_free;
	__typeof__(archive_read_support_filter_by_code) *read_support_filter_by_code;
	__typeof__(archive_read_support_format_raw) *read_support_format_raw;
	__typeof__(archive_read_support_format_empty) *read_support_format_empty;
	__typeof__(archive_read_open) *read_open;
	__typeof__(archive_read_next_header) *read_next_header;
	__typeof__(archive_read_data_block) *read_data_block;
	__typeof__(archive_error_string) *error_string;
	__typeof__(archive_filter_bytes) *filter_bytes;
	__typeof__(archive_filter_code) *filter_code;
};

static const struct dynlib_symbol symbols[] = {
#define SYMBOL(x)                                              \
	{                                                      \
		"archive_" #x, offsetof(struct archive_lib, x) \
	}
    SYMBOL(read_new),
    SYMBOL(read_free),
    SYMBOL(read_support_filter_by_code),
    SYMBOL(read_support_format_raw),
    SYMBOL(read_support_format_empty),
    SYMBOL(read_open),
    SYMBOL(read_next_header),
    SYMBOL(read_data_block),
    SYMBOL(error_string),
    SYMBOL(filter_bytes),
    SYMBOL(filter_code),
#undef SYMBOL
};

static const int filters[UNPACK_KINDS] = {
    [UNPACK_XZ] = ARCHIVE_FILTER_XZ,
    [UNPACK_ZSTD] = ARCHIVE_FILTER_ZSTD,
    [UNPACK_BZIP2] = ARCHIVE_FILTER_BZIP2,
    [UNPACK_LZ4] = ARCHIVE_FILTER_LZ4,
    [UNPACK_COMPRESS] = ARCHIVE_FILTER_COMPRESS,
    [UNPACK_LZIP] = ARCHIVE_FILTER_LZIP,
};

struct stream {
	const struct archive_lib *lib;
	struct archive *archive;
	unpack_source_fn fn;
	void *ctx;
	int filter;
	bool is_open;
	bool is_source_at_end;
	int source_error;
	int64_t n_source_bytes;
};

static const char *const names[] = {"libarchive.so.13", NULL};

static const struct archive_lib *lib_get(struct err *e)
{
	/* A library that was loaded stays loaded: the one place where this is kept. */
	static struct archive_lib lib;
	static bool is_loaded;

	if (!is_loaded && dynlib_load(names, symbols, ARRAY_LEN(symbols), &lib, e) < 0)
		return NULL;
	is_loaded = true;
	return &lib;
}

static la_ssize_t on_source(UNUSED struct archive *a, void *ctx, const void **out)
{
	struct stream *u = ctx;
	const char *p = NULL;
	ssize_t n = u->fn(u->ctx, &p);

	*out = p;
	if (n > 0)
		u->n_source_bytes += n;
	u->is_source_at_end = n == 0;
	if (n >= 0)
		return n;
	u->source_error = (int)n;
	return ARCHIVE_FATAL;
}

static void destroy(void *state)
{
	struct stream *u = state;

	(void)u->lib->read_free(u->archive); /* fails where reading did */
	free(u);
}

/* A warning says that it would start a program for this kind: not with us. */
static int prepare(struct stream *u, enum unpack_kind kind)
{
	const struct archive_lib *lib = u->lib;

	if (!u->archive)
		return -ENOMEM;
	if (lib->read_support_filter_by_code(u->archive, filters[kind]) != ARCHIVE_OK ||
	    lib->read_support_format_raw(u->archive) != ARCHIVE_OK ||
	    lib->read_support_format_empty(u->archive) != ARCHIVE_OK)
		return -ENOSYS;
	return 0;
}

static void *create(
    enum unpack_kind kind, unpack_source_fn fn, void *ctx, struct err *e)
{
	const struct archive_lib *lib = lib_get(e);
	struct stream *u = lib ? calloc(1, sizeof(*u)) : NULL;

	if (!lib) {
		err_wrap(e, -ENOSYS, "it is compressed (%s)", unpack_kind_name(kind));
		return NULL;
	}
	if (!u) {
		err_set(e, -ENOMEM, "out of memory");
		return NULL;
	}
	*u = (struct stream){.lib = lib, .fn = fn, .ctx = ctx, .filter = filters[kind]};
	u->archive = lib->read_new();
	if (prepare(u, kind) < 0) {
		err_set(e, -ENOSYS, "it is compressed (%s), which libarchive cannot do",
		    unpack_kind_name(kind));
		destroy(u);
		return NULL;
	}
	return u;
}

static int failure(const struct stream *u, struct err *e)
{
	const char *text = u->lib->error_string(u->archive);

	if (u->source_error)
		return err_errno(e, u->source_error, "cannot be read");
	return err_set(e, -EBADMSG, "%s: %s",
	    u->is_source_at_end ? "cut off" : "damaged", text ? text : "no valid data");
}

/* Is that all of what is stored? Return: UNPACK_END or negative errno. */
static int end(const struct stream *u, struct err *e)
{
	int64_t n_used = u->lib->filter_bytes(u->archive, -1);
	const char *rest = NULL;
	ssize_t n_rest = u->is_source_at_end ? 0 : u->fn(u->ctx, &rest);

	if (n_rest < 0)
		return err_errno(e, (int)n_rest, "cannot be read");
	if (n_rest == 0 && n_used == u->n_source_bytes)
		return UNPACK_END;
	return err_set(e, -EBADMSG,
	    "what stands behind byte %lld of it cannot be unpacked", (long long)n_used);
}

static int open_stream(struct stream *u, struct err *e)
{
	struct archive_entry *entry;
	int r = u->lib->read_open(u->archive, u, NULL, on_source, NULL);

	if (r == ARCHIVE_OK)
		r = u->lib->read_next_header(u->archive, &entry);
	if (r == ARCHIVE_EOF)
		return end(u, e);
	/* What it does not recognize it would hand out as it is. */
	u->is_open = r == ARCHIVE_OK && u->lib->filter_code(u->archive, 0) == u->filter;
	return u->is_open ? 0 : failure(u, e);
}

static int read_stream(void *state, struct span *out, struct err *e)
{
	struct stream *u = state;
	const void *p;
	size_t n = 0;
	la_int64_t offset;
	int r = u->is_open ? 0 : open_stream(u, e);

	if (r != 0)
		return r;
	r = u->lib->read_data_block(u->archive, &p, &n, &offset);
	if (r == ARCHIVE_EOF)
		return end(u, e);
	if (r != ARCHIVE_OK)
		return failure(u, e);
	*out = (struct span){p, n};
	return 0;
}

const struct unpack_way unpack_archive = {create, destroy, read_stream};
