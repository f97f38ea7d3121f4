/* SPDX-License-Identifier: GPL-2.0-or-later */
/* db_evidence: there and back, both caps, and bytes that are not evidence */
#include "tests/unit/record/record_test.h"

#include <errno.h>

#include "record/db_evidence.h"

static struct buf encoded(const struct order *o)
{
	struct buf b = BUF_INIT(DB_EVIDENCE_MAX_BYTES);

	assert_int_equal(db_evidence_encode(&b, o), 0);
	return b;
}

static void there_and_back(void **state)
{
	char first[] = "reject: RCPT from x[192.0.2.1]", empty[] = "",
	     odd[] = "\xff\n\t'\"%n";
	struct evidence why[] = {
	    {{T0}, 3, 15, first},
	    {{T0 + 1}, UINT16_MAX, INT16_MIN, empty},
	    {WALL_NONE, 0, -30, NULL},
	    {WALL_NEVER, 1, INT16_MAX, odd},
	};
	struct order o = {.n_why = ARRAY_LEN(why), .why = why};
	CLEANUP(order_deinit) struct order back = {0};
	CLEANUP(buf_deinit) struct buf b = encoded(&o);

	(void)state;
	assert_int_equal(db_evidence_decode(buf_span(&b), &back), 0);
	assert_int_equal(back.n_why, ARRAY_LEN(why));
	for (size_t i = 0; i < ARRAY_LEN(why); i++) {
		assert_int_equal(back.why[i].at.us, why[i].at.us);
		assert_int_equal(back.why[i].rule, why[i].rule);
		assert_int_equal(back.why[i].weight, why[i].weight);
		if (why[i].text)
			assert_string_equal(back.why[i].text, why[i].text);
		else
			assert_null(back.why[i].text);
	}
}

static void none_is_no_bytes(void **state)
{
	struct order o = {0};
	CLEANUP(buf_deinit) struct buf b = encoded(&o);

	(void)state;
	assert_int_equal(b.n, 0);
}

static void cut_or_changed_bytes_are_refused(void **state)
{
	char text[] = "line";
	struct evidence why[] = {{{T0}, 1, 1, text}, {{T0}, 2, 1, text}};
	struct order o = {.n_why = 2, .why = why}, back = {0};
	CLEANUP(buf_deinit) struct buf b = encoded(&o);

	(void)state;
	for (size_t n = 0; n < b.n; n++)
		assert_int_equal(
		    db_evidence_decode((struct span){b.p, n}, &back), -EBADMSG);
	buf_add_char(&b, 'x');
	assert_int_equal(db_evidence_decode(buf_span(&b), &back), -EBADMSG);
	b.n--;
	b.p[0]++; /* a version to come */
	assert_int_equal(db_evidence_decode(buf_span(&b), &back), -EBADMSG);
	assert_null(back.why);
	assert_int_equal(back.n_why, 0);
}

static void huge_count_is_refused(void **state)
{
	CLEANUP(buf_deinit) struct buf b = BUF_INIT(64);
	struct order back = {0};

	(void)state;
	pack_u8(&b, 1);
	pack_u32(&b, UINT32_MAX);
	assert_int_equal(db_evidence_decode(buf_span(&b), &back), -EBADMSG);
}

static void only_the_newest_lines_are_kept(void **state)
{
	static struct evidence why[DB_EVIDENCE_MAX_LINES + 1];
	struct order o = {.n_why = ARRAY_LEN(why), .why = why};
	CLEANUP(order_deinit) struct order back = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(why); i++)
		why[i].at.us = (int64_t)i;
	CLEANUP(buf_deinit) struct buf b = encoded(&o);

	assert_int_equal(db_evidence_decode(buf_span(&b), &back), 0);
	assert_int_equal(back.n_why, DB_EVIDENCE_MAX_LINES);
	assert_int_equal(back.why[0].at.us, 1);
	assert_int_equal(
	    back.why[DB_EVIDENCE_MAX_LINES - 1].at.us, DB_EVIDENCE_MAX_LINES);
}

static void the_newest_texts_that_fit_are_kept(void **state)
{
	static char long_text[DB_EVIDENCE_MAX_BYTES / 2];
	char short_text[] = "short";
	struct evidence why[] = {
	    {{T0}, 1, 1, short_text},
	    {{T0 + 1}, 2, 1, long_text},
	    {{T0 + 2}, 3, 1, long_text},
	    {{T0 + 3}, 4, 1, NULL},
	};
	struct order o = {.n_why = ARRAY_LEN(why), .why = why};
	CLEANUP(order_deinit) struct order back = {0};

	(void)state;
	memset(long_text, 'a', sizeof(long_text) - 1);
	CLEANUP(buf_deinit) struct buf b = encoded(&o);

	assert_int_equal(db_evidence_decode(buf_span(&b), &back), 0);
	assert_int_equal(back.n_why, 4);
	assert_null(back.why[0].text);
	assert_null(back.why[1].text);
	assert_int_equal(back.why[1].rule, 2);
	assert_string_equal(back.why[2].text, long_text);
}

static void many_lines_of_a_large_text_fit(void **state)
{
	static struct evidence why[DB_EVIDENCE_MAX_LINES];
	static char text[513];
	struct order o = {.n_why = ARRAY_LEN(why), .why = why};
	CLEANUP(order_deinit) struct order back = {0};

	(void)state;
	memset(text, 'a', sizeof(text) - 1);
	for (size_t i = 0; i < ARRAY_LEN(why); i++)
		why[i].text = text;
	CLEANUP(buf_deinit) struct buf b = encoded(&o);

	assert_int_equal(db_evidence_decode(buf_span(&b), &back), 0);
	assert_int_equal(back.n_why, DB_EVIDENCE_MAX_LINES);
	assert_non_null(back.why[DB_EVIDENCE_MAX_LINES - 1].text);
	assert_null(back.why[0].text);
}

static void too_long_is_refused(void **state)
{
	static char bytes[DB_EVIDENCE_MAX_BYTES + 1] = {1};
	struct order back = {0};

	(void)state;
	assert_int_equal(
	    db_evidence_decode((struct span){bytes, sizeof(bytes)}, &back), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(there_and_back),
	    cmocka_unit_test(none_is_no_bytes),
	    cmocka_unit_test(cut_or_changed_bytes_are_refused),
	    cmocka_unit_test(huge_count_is_refused),
	    cmocka_unit_test(only_the_newest_lines_are_kept),
	    cmocka_unit_test(the_newest_texts_that_fit_are_kept),
	    cmocka_unit_test(many_lines_of_a_large_text_fit),
	    cmocka_unit_test(too_long_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
