/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/decode.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void assert_decoded(
    const char *encoding, struct span in, const char *wanted, size_t n_wanted_replaced)
{
	struct err e = {""};
	struct decoder *d = decoder_new(encoding, &e);
	struct span out;
	size_t n = 0;

	if (!d)
		fail_msg("%s: %s", encoding, e.text);
	assert_int_equal(decoder_run(d, in, &out, &n), 0);
	assert_int_equal(out.n, strlen(wanted));
	assert_memory_equal(out.p, wanted, out.n);
	assert_int_equal(n, n_wanted_replaced);
	decoder_free(d);
}

static void to_utf8(void **state)
{
	(void)state;
	assert_decoded("latin-1", SPAN("M\xfcller"), "M\xc3\xbcller", 0);
	assert_decoded("ISO8859_15", SPAN("\xa4"), "\xe2\x82\xac", 0);
	assert_decoded("cp1252", SPAN("\x80\x81"), "\xe2\x82\xac\xef\xbf\xbd", 1);
	assert_decoded("koi8_r", SPAN("\xc1"), "\xd0\xb0", 0);
	assert_decoded("utf-16", SPAN("\xff\xfe\x61\0\x62\0"), "ab", 0);
	assert_decoded("UTF_16_BE", SPAN("\0\x61\0\x62"), "ab", 0);
	/* Half a pair of surrogates, and half a unit. */
	assert_decoded("utf-16le", SPAN("\x61\0\x00\xdc\x62\0"),
	    "a\xef\xbf\xbd"
	    "b",
	    1);
	assert_decoded("utf-16le", SPAN("\x61\0\x62"), "a\xef\xbf\xbd", 1);
	assert_decoded("utf-16le", SPAN(""), "", 0);
	/* A shift that was forgotten ends with its line. */
	assert_decoded("iso2022_jp", SPAN("\x1b$B$\""), "\xe3\x81\x82", 0);
}

static void each_line_begins_anew(void **state)
{
	struct err e;
	struct decoder *d = decoder_new("iso-2022-jp", &e);
	struct span out;
	size_t n;

	(void)state;
	assert_non_null(d);
	assert_int_equal(decoder_run(d, SPAN("\x1b$B$\""), &out, &n), 0);
	assert_int_equal(decoder_run(d, SPAN("$\""), &out, &n), 0);
	assert_true(span_eq(out, SPAN("$\"")));
	decoder_free(d);
}

static void names(void **state)
{
	static const char *const bad[] = {"klingon", "utf-32", "UCS-4",
	    "latin1//TRANSLIT", "a name that is longer than any encoding has"};
	struct err e;

	(void)state;
	assert_true(decode_is_utf8(NULL) && decode_is_utf8("auto"));
	assert_true(decode_is_utf8("UTF8") && decode_is_utf8("utf_8"));
	assert_true(decode_is_utf8("us-ascii") && !decode_is_utf8("latin1"));
	assert_int_equal(decode_unit_of("UTF-16"), DECODE_UTF16LE);
	assert_int_equal(decode_unit_of("utf_16_be"), DECODE_UTF16BE);
	assert_int_equal(decode_unit_of("latin-1"), DECODE_BYTES);
	assert_int_equal(decode_unit_of(NULL), DECODE_BYTES);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_null(decoder_new(bad[i], &e));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(to_utf8),
	    cmocka_unit_test(each_line_begins_anew),
	    cmocka_unit_test(names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
