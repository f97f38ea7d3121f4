/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * policy_wire - what a mail server asks about a client, and how it is answered
 *
 * Two languages of Postfix on one socket, told apart by the first byte: the policy
 * protocol (SMTPD_POLICY_README: lines "name=value", an empty one at the end) and
 * socketmap (socketmap_table(5): a netstring "map key"). What stands in a question is a
 * stranger's; all that is read of it is the client's address, and whether he has logged
 * in. Pure; bounded by POLICY_QUESTION_MAX.
 */

#include "base/net.h"
#include "base/str.h"

#define POLICY_QUESTION_MAX 65536
#define POLICY_REASON_MAX                                          \
	480 /* a reply of SMTP has 512 bytes (RFC 5321, 4.5.3.1.5) \
	     */

/* The enhanced status code of our refusals (RFC 3463; X.7.28 is "mail flood detected").
 * Postfix itself gives none like it: so they are told from its own in the log. */
#define POLICY_DSN "4.7.28"

struct policy_question {
	bool is_socketmap;
	bool has_client; /* an address stood there */
	struct net client;
	bool is_logged_in; /* a user that Postfix let in: never to be refused */
};

enum {
	POLICY_MORE = 1, /* the question is not whole yet */
};

/**
 * policy_read() - the first question in @in
 * @out_n: bytes that it takes
 *
 * Return: 0, POLICY_MORE, or -EBADMSG: this is neither language, or is too long.
 */
int policy_read(struct span in, struct policy_question *out, size_t *out_n);

/* Nothing is said against him. */
void policy_answer_none(const struct policy_question *q, struct buf *out);

/* @code: 421 or 450; @reason: one line, at most POLICY_REASON_MAX bytes. */
void policy_answer_refuse(const struct policy_question *q, unsigned int code,
    struct span reason, struct buf *out);

/**
 * policy_is_own_refusal() - does the line tell of a refusal of ours?
 * @line: of a mail log, with or without its date
 *
 * Looks only at what Postfix writes before anything that a client chose: "DATE HOST
 * PROGRAM[PID]: QUEUE-ID: reject: STAGE from NAME[ADDRESS]: CODE DSN " (smtpd_check.c,
 * log_whatsup()). Of a log that is no mail log nothing can be known by this: a client
 * may be able to write such a line there.
 */
bool policy_is_own_refusal(struct span line);
