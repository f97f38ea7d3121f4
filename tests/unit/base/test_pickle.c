/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/pickle.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "base/picklew.h"

#define MAX_ITEMS 1000

static struct pickle *read_good(struct span s, enum pickle_mode mode)
{
	struct pickle *p = NULL;
	struct err e = {""};

	if (pickle_read(s, mode, MAX_ITEMS, &p, &e) < 0)
		fail_msg("%s", e.text);
	return p;
}

static void expect_refused(struct span s, enum pickle_mode mode, int r, const char *why)
{
	struct pickle *p = NULL;
	struct err e = {""};

	assert_int_equal(pickle_read(s, mode, MAX_ITEMS, &p, &e), r);
	assert_null(p);
	assert_string_equal(e.text, why);
}

static void expect_str(const struct pickle_value *v, const char *text)
{
	assert_int_equal(v->kind, PICKLE_STR);
	assert_true(span_eq(v->text, span_of(text)));
}

/* dumps(["set", "j", 7, -3, 1.5, None, True, {"a": ["b", "b"]}, ("x",), 2 ** 40]) */
static const struct span by_protocol[] = {
    SPAN("\200\002]q\000("
	 "X\003\000\000\000setq\001X\001\000\000\000jq\002K\007J\375\377\377\377G\077"
	 "\370\000\000\000\000\000\000N\210}q\003X\001\000\000\000aq\004]q\005("
	 "X\001\000\000\000bq\006h\006esX\001\000\000\000xq\007\205q\010\212\006\000"
	 "\000\000\000\000\001e."),
    SPAN("\200\003]q\000("
	 "X\003\000\000\000setq\001X\001\000\000\000jq\002K\007J\375\377\377\377G\077"
	 "\370\000\000\000\000\000\000N\210}q\003X\001\000\000\000aq\004]q\005("
	 "X\001\000\000\000bq\006h\006esX\001\000\000\000xq\007\205q\010\212\006\000"
	 "\000\000\000\000\001e."),
    SPAN("\200\004\225@\000\000\000\000\000\000\000]\224("
	 "\214\003set\224\214\001j\224K\007J\375\377\377\377G\077\370\000\000\000\000"
	 "\000\000N\210}\224\214\001a\224]\224("
	 "\214\001b\224h\006es\214\001x\224\205\224\212\006\000\000\000\000\000\001e."),
    SPAN("\200\005\225@\000\000\000\000\000\000\000]\224("
	 "\214\003set\224\214\001j\224K\007J\375\377\377\377G\077\370\000\000\000\000"
	 "\000\000N\210}\224\214\001a\224]\224("
	 "\214\001b\224h\006es\214\001x\224\205\224\212\006\000\000\000\000\000\001e."),
};

static void test_requests(UNUSED void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(by_protocol); i++) {
		CLEANUP(pickle_freep)
		struct pickle *p = read_good(by_protocol[i], PICKLE_DATA);
		const struct pickle_value *v = pickle_root(p);

		assert_int_equal(v->kind, PICKLE_LIST);
		assert_true(pickle_is_row(v) && v->n >= 10);
		expect_str(v->items[0], "set");
		expect_str(v->items[1], "j");
		assert_int_equal(v->items[2]->number, 7);
		assert_int_equal(v->items[3]->number, -3);
		assert_true(v->items[4]->real == 1.5);
		assert_int_equal(v->items[5]->kind, PICKLE_NONE);
		assert_true(v->items[6]->kind == PICKLE_BOOL && v->items[6]->truth);
		assert_int_equal(v->items[7]->kind, PICKLE_DICT);
		expect_str(v->items[7]->items[0], "a");
		assert_int_equal(v->items[7]->items[1]->n, 2);
		expect_str(v->items[7]->items[1]->items[1], "b");
		assert_int_equal(v->items[8]->kind, PICKLE_TUPLE);
		expect_str(v->items[8]->items[0], "x");
		assert_int_equal(v->items[9]->number, INT64_C(1) << 40);
	}
}

/* dumps((1, IndexError("no"))) by protocol 2 and 5 */
static const struct span failed2 =
    SPAN("\x80\x02K\x01"
	 "cexceptions\nIndexError\nq\x00X\x02\x00\x00\x00noq\x01\x85q\x02Rq\x03\x86q"
	 "\x04.");
static const struct span failed5 =
    SPAN("\x80\x05\x95\x28\x00\x00\x00\x00\x00\x00\x00K\x01\x8c\x08"
	 "builtins\x94\x8c\nIndexError\x94\x93\x94\x8c\x02no\x94\x85\x94R\x94\x86"
	 "\x94.");
/* dumps((0, [IPAddr("1.2.3.4")])): an address reduces to a call of str */
static const struct span address = SPAN("\x80\x04K\x00]\x94\x8c\x08"
					"builtins\x94\x8c\x03str\x94\x93\x94\x8c\x07"
					"1.2.3.4\x94\x85\x94R\x94"
					"a\x86\x94.");

static void test_replies(UNUSED void **state)
{
	const struct span both[] = {failed2, failed5};

	for (size_t i = 0; i < ARRAY_LEN(both); i++) {
		CLEANUP(pickle_freep)
		struct pickle *p = read_good(both[i], PICKLE_OBJECTS);
		const struct pickle_value *v = pickle_root(p)->items[1];

		assert_int_equal(v->kind, PICKLE_OBJECT);
		assert_true(span_eq(v->text, SPAN("builtins.IndexError")));
		assert_int_equal(v->n, 1);
		expect_str(v->items[0], "no");
	}
	CLEANUP(pickle_freep) struct pickle *p = read_good(address, PICKLE_OBJECTS);

	expect_str(pickle_root(p)->items[1]->items[0], "1.2.3.4");
}

/* An exception with attributes: they are dropped. */
static void test_state(UNUSED void **state)
{
	const struct span s = SPAN("\x80\x04\x8c\x02re\x8c\x05"
				   "error\x93\x8c\x03"
				   "bad\x85R}\x8c\x03posK\x01sb.");
	CLEANUP(pickle_freep) struct pickle *p = read_good(s, PICKLE_OBJECTS);

	assert_true(span_eq(pickle_root(p)->text, SPAN("re.error")));
	expect_str(pickle_root(p)->items[0], "bad");
}

static void test_no_classes_for_clients(UNUSED void **state)
{
	const char *why = "classes and calls are not accepted, only data";

	expect_refused(failed2, PICKLE_DATA, -EBADMSG, why);
	expect_refused(failed5, PICKLE_DATA, -EBADMSG, why);
	expect_refused(address, PICKLE_DATA, -EBADMSG, why);
	expect_refused(SPAN("\x80\x02"
			    "cos\nsystem\n(X\x01\x00\x00\x00xtR."),
	    PICKLE_DATA, -EBADMSG, why);
	expect_refused(SPAN("\x80\x02]]\x81."), PICKLE_DATA, -EBADMSG, why);
	expect_refused(SPAN("\x80\x02]]b."), PICKLE_DATA, -EBADMSG, why);
	/* INST, OBJ, persistent identifiers, extensions, buffers */
	for (const char *op = "ioPQ\x82\x83\x84\x97\x98"; *op; op++) {
		CLEANUP(buf_deinit) struct buf b = BUF_INIT(100);
		CLEANUP(buf_deinit) struct buf text = BUF_INIT(100);

		buf_printf(&b, "\x80\x02](%c\n\n.", *op);
		buf_printf(&text, "opcode 0x%02x is not accepted, only data",
		    (unsigned int)(unsigned char)*op);
		expect_refused(buf_span(&b), PICKLE_DATA, -EBADMSG, buf_str(&text));
	}
}

static void test_every_prefix_is_refused(UNUSED void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(by_protocol); i++) {
		for (size_t n = 0; n < by_protocol[i].n; n++) {
			struct pickle *p = NULL;
			struct err e = {""};
			struct span s = {by_protocol[i].p, n};

			assert_int_equal(
			    pickle_read(s, PICKLE_DATA, MAX_ITEMS, &p, &e), -EBADMSG);
		}
	}
}

static void test_broken(UNUSED void **state)
{
	static const struct {
		struct span s;
		const char *why;
	} broken[] = {
	    {SPAN("(lp0\n."), "no pickle of protocol 2 to 5"},
	    {SPAN("\x80\x06N."), "no pickle of protocol 2 to 5"},
	    {SPAN("\x80\x04."), "the pickle does not leave one value"},
	    {SPAN("\x80\x04NN."), "the pickle does not leave one value"},
	    {SPAN("\x80\x04(N."), "the pickle does not leave one value"},
	    {SPAN("\x80\x04N.N"), "bytes follow the end of the pickle"},
	    {SPAN("\x80\x04h\x00."), "the memo has no such entry"},
	    {SPAN("\x80\x04Nq\x01."), "the memo is not filled in order"},
	    {SPAN("\x80\x04\x94."), "nothing to remember"},
	    {SPAN("\x80\x04Na."), "items without their list"},
	    {SPAN("\x80\x04NNa."), "items for what is no list"},
	    {SPAN("\x80\x04]e."), "a list that never began"},
	    {SPAN("\x80\x04}(Nu."), "a key without a value"},
	    {SPAN("\x80\x04N\x86."), "a value is missing"},
	    {SPAN("\x80\x04N(N\x86t."), "a value is missing"},
	    {SPAN("\x80\x04\x8c\x05"
		  "ab."),
		"the pickle ends within a text"},
	    {SPAN("\x80\x04X\xff\xff\xff\xff"
		  "ab."),
		"the pickle ends within a text"},
	    {SPAN("\x80\x04\x8d\xff\xff\xff\xff\xff\xff\xff\xff"
		  "ab."),
		"the pickle ends within a text"},
	    /* a list that holds itself */
	    {SPAN("\x80\x04]\x94h\x00"
		  "a."),
		"the pickle changes a value that it shares"},
	};

	for (size_t i = 0; i < ARRAY_LEN(broken); i++)
		expect_refused(broken[i].s, PICKLE_DATA, -EBADMSG, broken[i].why);
	expect_refused(
	    SPAN("\x80\x04R."), PICKLE_OBJECTS, -EBADMSG, "a call without a class");
	expect_refused(SPAN("\x80\x04N)R."), PICKLE_OBJECTS, -EBADMSG,
	    "a call of what is no class");
}

/* Opens as many lists as @depth within each other. */
static void make_nest(struct buf *b, unsigned int depth)
{
	*b = BUF_INIT(1000);
	picklew_begin(b);
	for (unsigned int i = 0; i < depth; i++)
		picklew_list(b);
	for (unsigned int i = 0; i < depth; i++)
		picklew_list_end(b);
	picklew_end(b);
}

static void test_depth(UNUSED void **state)
{
	CLEANUP(buf_deinit) struct buf b;
	CLEANUP(buf_deinit) struct buf deeper;

	make_nest(&b, PICKLE_MAX_DEPTH + 1);
	(void)pickle_free(read_good(buf_span(&b), PICKLE_DATA));
	make_nest(&deeper, PICKLE_MAX_DEPTH + 2);
	expect_refused(
	    buf_span(&deeper), PICKLE_DATA, -E2BIG, "the pickle is too deep");
}

static void test_items(UNUSED void **state)
{
	CLEANUP(buf_deinit) struct buf b = BUF_INIT(1 << 16);
	CLEANUP(buf_deinit) struct buf more = BUF_INIT(1 << 16);

	picklew_begin(&b);
	picklew_list(&b);
	picklew_begin(&more);
	picklew_list(&more);
	for (int i = 0; i < MAX_ITEMS; i++) {
		picklew_none(&more);
		if (i > 0)
			picklew_none(&b);
	}
	picklew_list_end(&b);
	picklew_end(&b);
	picklew_list_end(&more);
	picklew_end(&more);
	CLEANUP(pickle_freep) struct pickle *p = read_good(buf_span(&b), PICKLE_DATA);

	assert_int_equal(pickle_root(p)->n, MAX_ITEMS - 1);
	expect_refused(
	    buf_span(&more), PICKLE_DATA, -E2BIG, "the pickle holds too many values");
}

/* Ten doublings of one list of two: small to write, more than MAX_ITEMS to walk. */
static void test_unfolding(UNUSED void **state)
{
	CLEANUP(buf_deinit) struct buf b = BUF_INIT(1 << 16);

	buf_add_str(&b, "\x80\x04]\x94");
	for (int i = 0; i < 10; i++)
		buf_printf(&b, "(j%c%c%c%cj%c%c%c%cl\x94", i, 0, 0, 0, i, 0, 0, 0);
	buf_add_str(&b, ".");
	expect_refused(
	    buf_span(&b), PICKLE_DATA, -E2BIG, "the pickle holds too many values");
}

static void test_numbers(UNUSED void **state)
{
	static const int64_t numbers[] = {0, 255, 256, 65535, 65536, -1, INT32_MAX,
	    INT32_MIN, INT64_C(1) + INT32_MAX, INT64_C(-1) + INT32_MIN, INT64_MAX,
	    INT64_MIN};

	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		CLEANUP(buf_deinit) struct buf b = BUF_INIT(100);

		picklew_begin(&b);
		picklew_i64(&b, numbers[i]);
		picklew_end(&b);
		CLEANUP(pickle_freep)
		struct pickle *p = read_good(buf_span(&b), PICKLE_DATA);

		assert_int_equal(pickle_root(p)->kind, PICKLE_INT);
		assert_true(pickle_root(p)->number == numbers[i]);
	}
	expect_refused(SPAN("\x80\x02\x8a\x09"
			    "123456789."),
	    PICKLE_DATA, -E2BIG, "a number is too large");
	CLEANUP(pickle_freep)
	struct pickle *zero = read_good(SPAN("\x80\x02\x8a\x00."), PICKLE_DATA);

	assert_int_equal(pickle_root(zero)->number, 0);
}

static void write_all(struct buf *b)
{
	picklew_begin(b);
	picklew_tuple(b);
	picklew_i64(b, 1);
	picklew_object(b, "builtins", "IndexError");
	picklew_str(b, "no");
	picklew_object_end(b);
	picklew_dict(b);
	picklew_str(b, "a");
	picklew_f64(b, 0.5);
	picklew_dict_end(b);
	picklew_set(b);
	picklew_bool(b, false);
	picklew_set_end(b);
	picklew_str(b, NULL);
	picklew_span(b, SPAN("a\xff\0b"));
	picklew_tuple_end(b);
	picklew_end(b);
}

/* What CPython's loads() reads as (1, IndexError('no'), {'a': 0.5}, {False}, None,
 * 'a\ufffd\0b') */
static void test_write(UNUSED void **state)
{
	CLEANUP(buf_deinit) struct buf b = BUF_INIT(1000);
	static const struct span want =
	    SPAN("\x80\x04(K\x01\x8c\x08"
		 "builtins\x8c\nIndexError\x93(\x8c\x02notR}(\x8c\x01"
		 "aG?\xe0\x00\x00\x00\x00\x00\x00u\x8f(\x89\x90N\x8c\x06"
		 "a\xef\xbf\xbd\x00"
		 "bt.");

	write_all(&b);
	assert_false(b.failed);
	assert_int_equal(b.n, want.n);
	assert_memory_equal(b.p, want.p, want.n);
	CLEANUP(pickle_freep) struct pickle *p = read_good(want, PICKLE_OBJECTS);

	assert_int_equal(pickle_root(p)->n, 6);
	assert_int_equal(pickle_root(p)->items[3]->kind, PICKLE_SET);
}

static void test_write_full(UNUSED void **state)
{
	for (size_t cap = 0; cap < 80; cap++) {
		CLEANUP(buf_deinit) struct buf b = BUF_INIT(cap);

		write_all(&b);
		assert_true(b.failed == (cap < 74) || b.n <= cap);
	}
}

static void test_long_text(UNUSED void **state)
{
	CLEANUP(buf_deinit) struct buf b = BUF_INIT(1000);
	char text[301];

	memset(text, 'x', sizeof(text) - 1);
	text[300] = '\0';
	picklew_begin(&b);
	picklew_str(&b, text);
	picklew_end(&b);
	CLEANUP(pickle_freep) struct pickle *p = read_good(buf_span(&b), PICKLE_DATA);

	expect_str(pickle_root(p), text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_requests),
	    cmocka_unit_test(test_replies),
	    cmocka_unit_test(test_state),
	    cmocka_unit_test(test_no_classes_for_clients),
	    cmocka_unit_test(test_every_prefix_is_refused),
	    cmocka_unit_test(test_broken),
	    cmocka_unit_test(test_depth),
	    cmocka_unit_test(test_items),
	    cmocka_unit_test(test_unfolding),
	    cmocka_unit_test(test_numbers),
	    cmocka_unit_test(test_write),
	    cmocka_unit_test(test_write_full),
	    cmocka_unit_test(test_long_text),
	};

	return cmocka_run_group_tests_name("pickle", tests, NULL, NULL);
}
