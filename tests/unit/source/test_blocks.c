/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_blocks - what is stored plain or compressed comes out the same
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <archive.h>
#include <archive_entry.h>

#include "base/buf.h"
#include "source/blocks.h"
#include "temp.h"

#define TEXT_BYTES 700000 /* several blocks of each kind but lz4 */
#define PACKED_BYTES (4 * TEXT_BYTES)

static const int filters[UNPACK_KINDS] = {
    [UNPACK_GZIP] = ARCHIVE_FILTER_GZIP,
    [UNPACK_XZ] = ARCHIVE_FILTER_XZ,
    [UNPACK_ZSTD] = ARCHIVE_FILTER_ZSTD,
    [UNPACK_BZIP2] = ARCHIVE_FILTER_BZIP2,
    [UNPACK_LZ4] = ARCHIVE_FILTER_LZ4,
    [UNPACK_COMPRESS] = ARCHIVE_FILTER_COMPRESS,
    [UNPACK_LZIP] = ARCHIVE_FILTER_LZIP,
};

/* Lines of which none is like another; what compresses hardly is longer when packed. */
static struct buf make_text(size_t n_bytes)
{
	struct buf b = BUF_INIT(n_bytes + 64);
	uint32_t x = 1;

	while (b.n < n_bytes) {
		x = x * 1664525 + 1013904223;
		buf_printf(&b, "%08x of %zu\n", x, b.n);
	}
	assert_false(b.failed);
	return b;
}

/* Append @text as one stream. */
static void pack(struct buf *out, enum unpack_kind kind, struct span text)
{
	struct archive *a = archive_write_new();
	struct archive_entry *entry = archive_entry_new();
	char *room = malloc(PACKED_BYTES);
	size_t n = 0;

	assert_int_equal(archive_write_add_filter(a, filters[kind]), ARCHIVE_OK);
	archive_write_set_format_raw(a);
	archive_write_set_bytes_per_block(a, 0);
	assert_int_equal(
	    archive_write_open_memory(a, room, PACKED_BYTES, &n), ARCHIVE_OK);
	archive_entry_set_filetype(entry, AE_IFREG);
	assert_int_equal(archive_write_header(a, entry), ARCHIVE_OK);
	if (text.n)
		assert_int_equal(archive_write_data(a, text.p, text.n), text.n);
	assert_int_equal(archive_write_close(a), ARCHIVE_OK);
	buf_add(out, room, n);
	archive_entry_free(entry);
	archive_write_free(a);
	free(room);
}

/* All of the file "log". Return: what ended it. */
static int read_all(struct temp *t, struct buf *out, struct err *e)
{
	int fd = open(temp_path(t, "log"), O_RDONLY);
	struct blocks *b = blocks_new(fd);
	struct stat st;
	struct span s;
	int r;

	assert_true(fd >= 0 && b);
	while ((r = blocks_read(b, &s, e)) == 0) {
		assert_true(s.n > 0);
		buf_add_span(out, s);
	}
	assert_int_equal(fstat(fd, &st), 0);
	if (r == BLOCKS_END)
		assert_int_equal(blocks_n_bytes(b), st.st_size);
	blocks_free(b);
	close(fd);
	assert_false(out->failed);
	return r;
}

static void put(struct temp *t, struct span stored)
{
	temp_write(t, "log", O_TRUNC, stored.p, stored.n);
}

static void expect(struct temp *t, struct span stored, struct span wanted)
{
	struct buf got = BUF_INIT(PACKED_BYTES);
	struct err e = {""};

	put(t, stored);
	assert_int_equal(read_all(t, &got, &e), BLOCKS_END);
	assert_true(span_eq(buf_span(&got), wanted));
	buf_deinit(&got);
}

/* @stored gives the first of @wanted, at least all but @n_lost, and then a failure. */
static void expect_damaged(
    struct temp *t, struct span stored, struct span wanted, size_t n_lost)
{
	struct buf got = BUF_INIT(PACKED_BYTES);
	struct err e = {""};

	put(t, stored);
	assert_int_equal(read_all(t, &got, &e), -EBADMSG);
	assert_true(*e.text);
	assert_true(span_starts(wanted, buf_span(&got)));
	assert_true(got.n + n_lost >= wanted.n);
	buf_deinit(&got);
}

static void test_plain(void **state)
{
	static const char *const texts[] = {"", "a", "a\n", "short", "BZ", "\x1f\x8b",
	    "LZI", "sixsix", "seven77", "no end\nhere"};
	struct buf text = make_text(TEXT_BYTES);

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		expect(*state, span_of(texts[i]), span_of(texts[i]));
	expect(*state, buf_span(&text), buf_span(&text));
	buf_deinit(&text);
}

static void test_each_kind(void **state)
{
	struct buf text = make_text(TEXT_BYTES);

	for (enum unpack_kind k = UNPACK_PLAIN + 1; k < UNPACK_KINDS; k++) {
		struct buf stored = BUF_INIT(PACKED_BYTES);

		pack(&stored, k, buf_span(&text));
		assert_int_equal(unpack_kind_of(buf_span(&stored)), k);
		expect(*state, buf_span(&stored), buf_span(&text));
		buf_deinit(&stored);
	}
	buf_deinit(&text);
}

static void test_empty(void **state)
{
	struct buf stored = BUF_INIT(PACKED_BYTES);

	pack(&stored, UNPACK_GZIP, SPAN(""));
	expect(*state, buf_span(&stored), SPAN(""));
	buf_deinit(&stored);
}

static void test_streams(void **state)
{
	static const enum unpack_kind kinds[] = {
	    UNPACK_GZIP, UNPACK_XZ, UNPACK_ZSTD, UNPACK_BZIP2, UNPACK_LZ4, UNPACK_LZIP};
	struct span parts[] = {SPAN("one\ntw"), SPAN("o\n"), SPAN("three")};

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		struct buf stored = BUF_INIT(PACKED_BYTES);

		for (size_t n = 0; n < ARRAY_LEN(parts); n++)
			pack(&stored, kinds[i], parts[n]);
		expect(*state, buf_span(&stored), SPAN("one\ntwo\nthree"));
		buf_deinit(&stored);
	}
}

static void test_cut_off(void **state)
{
	static const struct {
		enum unpack_kind kind;
		size_t lost;
	} kinds[] = {{UNPACK_GZIP, 0}, {UNPACK_XZ, 65536}, {UNPACK_ZSTD, 262144},
	    {UNPACK_BZIP2, TEXT_BYTES}, {UNPACK_LZ4, TEXT_BYTES}};
	struct buf text = make_text(TEXT_BYTES);

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		struct buf stored = BUF_INIT(PACKED_BYTES);

		pack(&stored, kinds[i].kind, buf_span(&text));
		for (size_t n = UNPACK_HEAD_BYTES; n < 100; n += 7)
			expect_damaged(*state, (struct span){stored.p, n},
			    buf_span(&text), text.n);
		expect_damaged(*state, (struct span){stored.p, stored.n - 9},
		    buf_span(&text), kinds[i].lost + 1000);
		buf_deinit(&stored);
	}
	buf_deinit(&text);
}

static void test_damaged(void **state)
{
	struct buf text = make_text(TEXT_BYTES), stored = BUF_INIT(PACKED_BYTES);
	struct buf got = BUF_INIT(PACKED_BYTES);
	struct err e = {""};

	/* Found by the checksum behind it alone. */
	pack(&stored, UNPACK_GZIP, buf_span(&text));
	stored.p[stored.n - 8] ^= 1;
	expect_damaged(*state, buf_span(&stored), buf_span(&text), 0);
	memset(stored.p + stored.n / 2, 0x55, 2000);
	put(*state, buf_span(&stored));
	assert_int_equal(read_all(*state, &got, &e), -EBADMSG);
	assert_true(got.n > TEXT_BYTES / 3);
	buf_deinit(&got);
	buf_deinit(&stored);
	buf_deinit(&text);
}

static void test_zeros_behind(void **state)
{
	static const char zeros[1000];
	struct buf stored = BUF_INIT(PACKED_BYTES);

	/* As a tape leaves them; gzip takes no notice of them. */
	pack(&stored, UNPACK_GZIP, SPAN("all of it\n"));
	buf_add(&stored, zeros, sizeof(zeros));
	expect(*state, buf_span(&stored), SPAN("all of it\n"));
	buf_deinit(&stored);
}

static void test_something_behind(void **state)
{
	struct buf stored = BUF_INIT(PACKED_BYTES);

	pack(&stored, UNPACK_GZIP, SPAN("all of it\n"));
	buf_add_str(&stored, "a line that is not compressed\n");
	expect_damaged(*state, buf_span(&stored), SPAN("all of it\n"), 0);
	/* Also where the first read ends with the stream. */
	buf_clear(&stored);
	struct buf text = make_text(TEXT_BYTES);

	pack(&stored, UNPACK_GZIP, buf_span(&text));
	for (size_t i = 0; i < BLOCKS_BYTES; i++)
		buf_add_char(&stored, 'x');
	expect_damaged(*state, buf_span(&stored), buf_span(&text), 0);
	buf_deinit(&text);
	buf_deinit(&stored);
}

static void test_no_file(void **state)
{
	struct temp *t = *state;
	int fd = open(t->dir, O_RDONLY);
	struct blocks *b = blocks_new(fd);
	struct err e = {""};
	struct span s;

	assert_int_equal(blocks_read(b, &s, &e), -EISDIR);
	assert_true(*e.text);
	blocks_free(b);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_plain, temp_setup, temp_teardown),
	    cmocka_unit_test_setup_teardown(test_each_kind, temp_setup, temp_teardown),
	    cmocka_unit_test_setup_teardown(test_empty, temp_setup, temp_teardown),
	    cmocka_unit_test_setup_teardown(test_streams, temp_setup, temp_teardown),
	    cmocka_unit_test_setup_teardown(test_cut_off, temp_setup, temp_teardown),
	    cmocka_unit_test_setup_teardown(test_damaged, temp_setup, temp_teardown),
	    cmocka_unit_test_setup_teardown(
		test_zeros_behind, temp_setup, temp_teardown),
	    cmocka_unit_test_setup_teardown(
		test_something_behind, temp_setup, temp_teardown),
	    cmocka_unit_test_setup_teardown(test_no_file, temp_setup, temp_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
