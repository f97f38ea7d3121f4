/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/decode.h"

#include <errno.h>
#include <iconv.h>
#include <stdlib.h>

#define NAME_BYTES 40
#define GROWTH 4 /* bytes of UTF-8 for one byte, at most: see run() */

static const char replacement[] = "\xef\xbf\xbd"; /* U+FFFD */

struct decoder {
	iconv_t cd;
	enum decode_unit unit;
	char *room;
	size_t room_bytes;
};

/* "ISO_8859-15" to "iso885915": what is left tells all encodings apart. */
static void squeeze(const char *name, char out[NAME_BYTES])
{
	size_t n = 0;

	for (; *name && n + 1 < NAME_BYTES; name++) {
		char c = *name;

		if (c == '-' || c == '_' || c == ' ')
			continue;
		out[n++] = (char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
	}
	out[n] = '\0';
}

static bool is_one_of(const char *name, const char *const *all, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(name, all[i]))
			return true;
	return false;
}

bool decode_is_utf8(const char *encoding)
{
	static const char *const names[] = {
	    "", "auto", "utf8", "utf8sig", "u8", "ascii", "usascii", "646"};
	char name[NAME_BYTES];

	squeeze(encoding ? encoding : "", name);
	return is_one_of(name, names, ARRAY_LEN(names));
}

enum decode_unit decode_unit_of(const char *encoding)
{
	static const char *const le[] = {"utf16", "utf16le", "u16", "ucs2", "ucs2le"};
	static const char *const be[] = {"utf16be", "ucs2be"};
	char name[NAME_BYTES];

	squeeze(encoding ? encoding : "", name);
	if (is_one_of(name, le, ARRAY_LEN(le)))
		return DECODE_UTF16LE;
	return is_one_of(name, be, ARRAY_LEN(be)) ? DECODE_UTF16BE : DECODE_BYTES;
}

/* Python's names that iconv does not have. */
static const char *alias_of(const char *squeezed)
{
	static const char *const aliases[][2] = {
	    {"l1", "ISO-8859-1"},
	    {"shiftjis", "SHIFT_JIS"},
	    {"sjis", "SHIFT_JIS"},
	    {"eucjp", "EUC-JP"},
	    {"euckr", "EUC-KR"},
	    {"koi8r", "KOI8-R"},
	    {"koi8u", "KOI8-U"},
	    {"iso2022jp", "ISO-2022-JP"},
	    {"macroman", "MACINTOSH"},
	};

	for (size_t i = 0; i < ARRAY_LEN(aliases); i++)
		if (!strcmp(squeezed, aliases[i][0]))
			return aliases[i][1];
	return squeezed;
}

static iconv_t open_iconv(const char *encoding)
{
	static const char *const wide[] = {
	    [DECODE_UTF16LE] = "UTF-16LE", [DECODE_UTF16BE] = "UTF-16BE"};
	enum decode_unit unit = decode_unit_of(encoding);
	char name[NAME_BYTES];
	iconv_t cd;

	if (unit != DECODE_BYTES)
		return iconv_open("UTF-8", wide[unit]);
	cd = iconv_open("UTF-8", encoding);
	if (cd != (iconv_t)-1)
		return cd;
	squeeze(encoding, name);
	return iconv_open("UTF-8", alias_of(name));
}

struct decoder *decoder_new(const char *encoding, struct err *e)
{
	char name[NAME_BYTES];
	struct decoder *d;
	iconv_t cd;

	squeeze(encoding, name);
	/* Lines would have to be cut in units of four bytes. */
	bool is_known = strncmp(name, "utf32", 5) != 0 && strncmp(name, "ucs4", 4) != 0;

	cd = is_known && !strchr(encoding, '/') ? open_iconv(encoding) : (iconv_t)-1;
	if (cd == (iconv_t)-1) {
		err_set(e, -EINVAL, "there is no encoding '%.40s' here", encoding);
		return NULL;
	}
	d = calloc(1, sizeof(*d));
	if (!d) {
		iconv_close(cd);
		err_set(e, -ENOMEM, "out of memory");
		return NULL;
	}
	d->cd = cd;
	d->unit = decode_unit_of(encoding);
	return d;
}

struct decoder *decoder_free(struct decoder *d)
{
	if (!d)
		return NULL;
	iconv_close(d->cd);
	free(d->room);
	free(d);
	return NULL;
}

/* @room_bytes is enough for any input: each of its bytes gives GROWTH bytes at most,
 * and what is left over at the end one replacement. */
static size_t run(
    struct decoder *d, struct span in, size_t room_bytes, size_t *out_n_replaced)
{
	char *from = (char *)(uintptr_t)in.p;
	char *to = d->room;
	size_t left = in.n, room = room_bytes, n = 0;
	size_t unit = d->unit == DECODE_BYTES ? 1 : 2;

	(void)iconv(d->cd, NULL, NULL, NULL, NULL); /* begin anew */
	while (left && iconv(d->cd, &from, &left, &to, &room) == (size_t)-1) {
		size_t skip = left < unit || errno == EINVAL ? left : unit;

		if (room < sizeof(replacement) - 1 || errno == E2BIG)
			break;
		memcpy(to, replacement, sizeof(replacement) - 1);
		to += sizeof(replacement) - 1;
		room -= sizeof(replacement) - 1;
		from += skip;
		left -= skip;
		n++;
	}
	*out_n_replaced = n;
	return room_bytes - room;
}

int decoder_run(
    struct decoder *d, struct span in, struct span *out, size_t *out_n_replaced)
{
	size_t bytes = in.n * GROWTH + 16;

	if (bytes > d->room_bytes) {
		char *more = realloc(d->room, bytes);

		if (!more)
			return -ENOMEM;
		d->room = more;
		d->room_bytes = bytes;
	}
	size_t n = run(d, in, d->room_bytes, out_n_replaced);

	*out = (struct span){d->room, n};
	if (span_starts(*out, SPAN("\xef\xbb\xbf"))) /* a byte order mark */
		*out = span_skip(*out, 3);
	return 0;
}
