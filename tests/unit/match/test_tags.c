/* SPDX-License-Identifier: GPL-2.0-or-later */

/* tags: each expansion, what stays as it is, and the flags that become local */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <errno.h>

#include "match/regex.h"
#include "match/tags.h"

#define IP4 "(?:::f{4,6}:)?(?P<ip4>(?:\\d{1,3}\\.){3}\\d{1,3})"
#define IP6 "(?P<ip6>(?:[0-9a-fA-F]{1,4}::?|:){1,7}(?:[0-9a-fA-F]{1,4}|(?<=:):))"
#define ADDR "\\[?(?:" IP4 "|" IP6 ")\\]?"
#define DNS "(?P<dns>[\\w\\-.^_]*\\w)"

static const struct {
	const char *in, *want;
} tags_pairs[] = {
    {"a<HOST>b", "a(?:" ADDR "|" DNS ")b"},
    {"<ADDR>", ADDR},
    {"<F-ADDR/>", ADDR},
    {"<IP4>", IP4},
    {"<F-IP4/>", IP4},
    {"<IP6>", IP6},
    {"<F-IP6/>", IP6},
    {"<DNS>", DNS},
    {"<F-DNS/>", DNS},
    {"<CIDR>", "(?P<cidr>\\d+)"},
    {"<F-CIDR/>", "(?P<cidr>\\d+)"},
    {"<SUBNET>", "\\[?(?:" IP4 "|" IP6 ")(?:/(?P<cidr>\\d+))?\\]?"},
    {"<F-SUBNET/>", "\\[?(?:" IP4 "|" IP6 ")(?:/(?P<cidr>\\d+))?\\]?"},
    {"<F-ID/>", "(?P<fid>\\S+)"},
    {"<F-PORT/>", "(?P<fport>\\w+)"},
    {"<F-ID>x</F-ID>", "(?P<fid>x)"},
    {"<F-PORT>x</F-PORT>", "(?P<fport>x)"},
    {"<F-USER>\\S+</F-USER>", "(?P<user>\\S+)"},
    {"<F-ALT_USER_1>a</F-ALT_USER_1>", "(?P<alt_user_1>a)"},
    {"<F-A><F-B>x</F-A></F-B>", "(?P<a>(?P<b>x))"},
    {"x</F-USER>", "x</F-USER>"},
    {"a<SKIPLINES>b<SKIPLINES>",
	"a\\n(?P<skiplines0>(?:(?:.*\\n)*?))b\\n(?P<skiplines1>(?:(?:.*\\n)*?))"},
    /* nothing we know */
    {"<F-user><F-HOST/><FID><ip4><host></HOST><HOST/>",
	"<F-user><F-HOST/><FID><ip4><host></HOST><HOST/>"},
    {"(?P<name>x)<>< HOST><HOST", "(?P<name>x)<>< HOST><HOST"},
    {"<<F-PORT/>>", "<(?P<fport>\\w+)>"},
    {"<F->x", "<F->x"},
    /* flags */
    {"((?i)abc)", "(?i:abc)"},
    {"(?:(?is)abc)", "(?is:abc)"},
    {"\\((?i)abc", "\\((?i)abc"},
    {"(?i)abc((?m)x)", "(?i)abc(?m:x)"},
    {"((?i:x)(?P<a>b))", "((?i:x)(?P<a>b))"},
    {"((?", "((?"},
};

static void test_pairs(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(tags_pairs); i++) {
		struct buf b = BUF_INIT(4096);
		struct err e = {""};

		assert_int_equal(
		    tags_expand(span_of(tags_pairs[i].in), true, &b, &e), 0);
		assert_string_equal(buf_str(&b), tags_pairs[i].want);
		buf_deinit(&b);
	}
}

static void test_without_names(void **state)
{
	struct buf b = BUF_INIT(4096);

	(void)state;
	assert_int_equal(tags_expand(SPAN("<HOST>"), false, &b, NULL), 0);
	assert_string_equal(buf_str(&b), ADDR);
	buf_deinit(&b);
}

static void test_refused(void **state)
{
	struct buf b = BUF_INIT(16);
	struct err e = {""};

	(void)state;
	assert_int_equal(tags_expand(SPAN(" \t\n"), true, &b, &e), -EINVAL);
	assert_string_equal(e.text, "an empty regex");
	buf_clear(&b);
	assert_int_equal(tags_expand(SPAN("<HOST>"), true, &b, &e), -EINVAL);
	assert_string_equal(e.text, "longer than 16 bytes");
	buf_deinit(&b);
}

/* What the address tags take for an address; whether it is one, is asked later. */
static void test_addresses(void **state)
{
	static const struct {
		const char *text, *v4, *v6, *name;
	} hosts[] = {
	    {"192.0.2.1", "192.0.2.1", NULL, NULL},
	    {"[192.0.2.1]", "192.0.2.1", NULL, NULL},
	    {"::ffff:192.0.2.1", "192.0.2.1", NULL, NULL},
	    {"2001:db8::1", NULL, "2001:db8::1", NULL},
	    {"[2001:db8::1]", NULL, "2001:db8::1", NULL},
	    {"::1", NULL, "::1", NULL},
	    {"2001:db8::", NULL, "2001:db8::", NULL},
	    {"300.300.300.300", "300.300.300.300", NULL, NULL},
	    {"mail.example.org", NULL, NULL, "mail.example.org"},
	    {"a_b-c", NULL, NULL, "a_b-c"},
	};
	static const char *const groups[] = {"ip4", "ip6", "dns"};
	struct regex_match *m = regex_match_new();
	struct buf b = BUF_INIT(4096);

	(void)state;
	assert_int_equal(tags_expand(SPAN("^<HOST>$"), true, &b, NULL), 0);
	CLEANUP(regex_freep)
	struct regex *r = regex_new(buf_span(&b), (struct regex_options){false}, NULL);
	assert_non_null(r);
	for (size_t i = 0; i < ARRAY_LEN(hosts); i++) {
		const char *want[] = {hosts[i].v4, hosts[i].v6, hosts[i].name};

		assert_int_equal(regex_search(r, span_of(hosts[i].text), 0, m), 0);
		for (size_t k = 0; k < 3; k++) {
			size_t group = (size_t)regex_group_number(r, groups[k]);
			struct span got = {NULL, 0};

			assert_int_equal(
			    regex_match_group(m, group, &got), want[k] != NULL);
			assert_true(span_eq(got, span_of(want[k])));
		}
	}
	assert_int_equal(regex_search(r, SPAN("-"), 0, m), REGEX_MISS);
	buf_deinit(&b);
	regex_match_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_pairs),
	    cmocka_unit_test(test_without_names),
	    cmocka_unit_test(test_refused),
	    cmocka_unit_test(test_addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
