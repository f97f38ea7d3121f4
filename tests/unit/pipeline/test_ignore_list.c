/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "pipeline/ignore_list.h"

static void words(void **state)
{
	static const struct {
		const char *text;
		enum ignore_kind kind;
	} cases[] = {
	    {"192.0.2.1", IGNORE_NET},
	    {"192.0.2.0/24", IGNORE_NET},
	    {"192.0.2.0/255.255.255.0", IGNORE_NET},
	    {"2001:db8::/32", IGNORE_NET},
	    {"file:/etc/x", IGNORE_FILE},
	    {"file:x", IGNORE_WRONG},
	    {"example.org", IGNORE_NAME},
	    {"localhost", IGNORE_NAME},
	    {"a-1.b_2.example.", IGNORE_NAME},
	    {"3com.com", IGNORE_NAME},
	    {"192.0.2.300", IGNORE_WRONG},
	    {"192.0.2.0/33", IGNORE_WRONG},
	    {"example.123", IGNORE_WRONG},
	    {"-x.org", IGNORE_WRONG},
	    {"a b", IGNORE_WRONG},
	    {"", IGNORE_WRONG},
	};
	struct net net;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_int_equal(
		    ignore_kind_of(span_of(cases[i].text), &net), cases[i].kind);
	assert_string_equal(ignore_path_of("file:/etc/x"), "/etc/x");
}

static void lists(void **state)
{
	struct ignore_flaws flaws;
	struct net *nets = NULL;
	char text[NET_TEXT_BYTES];
	uint32_t n = 0;

	(void)state;
	assert_int_equal(
	    ignore_list_parse(SPAN("# all of them\n192.0.2.1,192.0.2.2\r\n\n"
				   "  2001:db8::/32 ; 192.0.2.3\nwhat example.org\n"
				   "198.51.100.7/255.255.255.0 #x"),
		&nets, &n, &flaws),
	    0);
	assert_int_equal(n, 4);
	net_format(&nets[3], text);
	assert_string_equal(text, "198.51.100.0/24");
	assert_int_equal(flaws.n_wrong, 2);
	assert_int_equal(flaws.first_line, 5);
	assert_int_equal(flaws.n_beyond, 0);
	free(nets);
}

static void bounds(void **state)
{
	struct ignore_flaws flaws;
	struct buf text = BUF_INIT(IGNORE_LIST_MAX_BYTES);
	struct net *nets = NULL;
	uint32_t n = 1;

	(void)state;
	assert_int_equal(ignore_list_parse(SPAN(""), &nets, &n, &flaws), 0);
	assert_non_null(nets);
	assert_int_equal(n, 0);
	free(nets);
	for (int i = 0; i < IGNORE_LIST_MAX_NETS + 3; i++)
		buf_add_str(&text, "192.0.2.1 ");
	assert_int_equal(ignore_list_parse(buf_span(&text), &nets, &n, &flaws), 0);
	assert_int_equal(n, IGNORE_LIST_MAX_NETS);
	assert_int_equal(flaws.n_beyond, 3);
	free(nets);
	buf_deinit(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(words),
	    cmocka_unit_test(lists),
	    cmocka_unit_test(bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
