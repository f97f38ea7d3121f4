/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "enforce/policy_wire.h"

static const char asked[] = "request=smtpd_access_policy\n"
			    "protocol_state=RCPT\n"
			    "recipient=client_address=203.0.113.9@example.org\n"
			    "client_address=192.0.2.7\n"
			    "client_name=unknown\n"
			    "sasl_username=\n"
			    "\n";

static int read_one(const char *text, struct policy_question *q, size_t *n)
{
	return policy_read(span_of(text), q, n);
}

static void expect_client(const struct policy_question *q, const char *who)
{
	char text[NET_TEXT_BYTES];

	assert_true(q->has_client);
	net_format(&q->client, text);
	assert_string_equal(text, who);
}

static void a_question_of_the_policy_protocol(void **state)
{
	struct policy_question q;
	size_t n = 0;

	(void)state;
	assert_int_equal(read_one(asked, &q, &n), 0);
	assert_int_equal(n, sizeof(asked) - 1);
	assert_false(q.is_socketmap || q.is_logged_in);
	expect_client(&q, "192.0.2.7");
	assert_int_equal(
	    read_one("client_address=2001:db8::1\nsasl_username=a\n\nx", &q, &n), 0);
	assert_true(q.is_logged_in);
	expect_client(&q, "2001:db8::1");
	assert_int_equal(read_one("client_address=unknown\n\n", &q, &n), 0);
	assert_false(q.has_client);
}

/* Byte by byte: nothing before the end, the same at the end. */
static void it_may_come_in_pieces(void **state)
{
	struct policy_question q;
	size_t n;

	(void)state;
	for (size_t i = 0; i < sizeof(asked) - 1; i++)
		assert_int_equal(
		    policy_read((struct span){asked, i}, &q, &n), POLICY_MORE);
	static const char map[] = "13:map 192.0.2.7,";

	for (size_t i = 0; i < sizeof(map) - 1; i++)
		assert_int_equal(
		    policy_read((struct span){map, i}, &q, &n), POLICY_MORE);
	assert_int_equal(read_one(map, &q, &n), 0);
	assert_int_equal(n, sizeof(map) - 1);
	assert_true(q.is_socketmap);
	expect_client(&q, "192.0.2.7");
}

static void what_is_no_question(void **state)
{
	static const char *const bad[] = {"no equal sign\n\n",
	    "1234567890:", "5;abcde,", "5:abcdef,", "4:abcd,", "99999:x"};
	struct policy_question q;
	size_t n;
	char *endless = malloc(POLICY_QUESTION_MAX);

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(read_one(bad[i], &q, &n), -EBADMSG);
	memset(endless, 'a', POLICY_QUESTION_MAX);
	assert_int_equal(
	    policy_read((struct span){endless, POLICY_QUESTION_MAX}, &q, &n), -EBADMSG);
	free(endless);
	/* A network is no client, nor is a name. */
	assert_int_equal(read_one("14:m 192.0.2.0/24,", &q, &n), 0);
	assert_false(q.has_client);
	assert_int_equal(read_one("11:m mail.test,", &q, &n), 0);
	assert_false(q.has_client);
}

static void answers(void **state)
{
	CLEANUP(buf_deinit) struct buf b = BUF_INIT(4096);
	struct policy_question q = {.is_socketmap = false};

	(void)state;
	policy_answer_none(&q, &b);
	policy_answer_refuse(&q, 421, SPAN("why"), &b);
	assert_string_equal(buf_str(&b), "action=DUNNO\n\naction=421 4.7.28 why\n\n");
	buf_clear(&b);
	q.is_socketmap = true;
	policy_answer_none(&q, &b);
	policy_answer_refuse(&q, 450, SPAN("why"), &b);
	assert_string_equal(buf_str(&b), "9:NOTFOUND ,17:OK 450 4.7.28 why,");
}

#define HEAD "Nov 26 07:00:00 mx postfix/smtpd[12]: "
#define REJECT "NOQUEUE: reject: RCPT from "

static void our_refusals_in_the_log(void **state)
{
	static const char *const ours[] = {
	    HEAD REJECT
	    "unknown[192.0.2.7]: 421 4.7.28 <a@b>: Recipient address rejected: x",
	    HEAD REJECT "mail.example.org[2001:db8::7]:4711: 450 4.7.28 <x>: ...",
	    "2026-11-26T07:00:00.123456+00:00 mx postfix/submission/smtpd[12]: "
	    "4ABCdefg: "
	    "reject: END-OF-MESSAGE from unknown[192.0.2.7]: 421 4.7.28 x",
	    "postfix-out/smtpd[1]: " REJECT "unknown[192.0.2.7]: 450 4.7.28 ",
	    "Nov 26 07:00:00 <mail.info> mx postfix/smtpd[1]: " REJECT
	    "unknown[192.0.2.7]: 450 4.7.28 ",
	    "Nov  6 07:00:00 mx.example.org smtpd[12]: " REJECT
	    "unknown[192.0.2.7]: 450 4.7.28 ",
	};
	static const char *const not_ours[] = {
	    "",
	    HEAD REJECT
	    "unknown[192.0.2.7]: 450 4.7.1 <a@b>: Recipient address rejected: "
	    "421 4.7.28 x",
	    HEAD REJECT "unknown[192.0.2.7]: 554 5.7.1 <\"x]: 421 4.7.28 \"@b>: Relay "
			"access denied",
	    HEAD "warning: unknown[192.0.2.7]: SASL LOGIN authentication failed: "
		 "UGFzc3dvcmQ6, sasl_username=x: reject: RCPT from a[192.0.2.7]: 421 "
		 "4.7.28 ",
	    "Nov 26 07:00:00 mx dovecot: imap-login: user=<smtpd[1]: " REJECT
	    "a[192.0.2.7]: 421 4.7.28 >",
	    HEAD "1A2B3C: reject: header Subject: RCPT from a[192.0.2.7]: 421 4.7.28 ",
	    "Nov 26 07:00:00 mx postfix/cleanup[12]: " REJECT
	    "unknown[192.0.2.7]: 421 4.7.28 x",
	    HEAD REJECT "unknown[192.0.2.7]: 421 4.7.281 x",
	    /* What a client says to a web server. */
	    "192.0.2.7 - - [26/Nov/2026:08:00:00 +0000] \"GET /smtpd[1]: " REJECT
	    "a[192.0.2.7]: 450 4.7.28 HTTP/1.1\" 404 1",
	    "192.0.2.7 - - [26/Nov/2026:08:00:00 +0000] \"GET / HTTP/1.1\" 401 0 \"-\" "
	    "\"x smtpd[1]: " REJECT "a[192.0.2.7]: 450 4.7.28 \"",
	    "2026-11-26 08:00:00 login failed for user smtpd[1]: " REJECT
	    "a[192.0.2.7]: 450 4.7.28 ",
	    "Nov 26 07:00:00 mx xsmtpd[1]x]: " REJECT "a[192.0.2.7]: 450 4.7.28 ",
	    "Nov 26 07:00:00 mx smtpd[]: " REJECT "a[192.0.2.7]: 450 4.7.28 ",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(ours) / sizeof(*ours); i++)
		assert_true(policy_is_own_refusal(span_of(ours[i])));
	for (size_t i = 0; i < sizeof(not_ours) / sizeof(*not_ours); i++)
		assert_false(policy_is_own_refusal(span_of(not_ours[i])));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_question_of_the_policy_protocol),
	    cmocka_unit_test(it_may_come_in_pieces),
	    cmocka_unit_test(what_is_no_question),
	    cmocka_unit_test(answers),
	    cmocka_unit_test(our_refusals_in_the_log),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
