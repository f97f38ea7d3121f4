/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "enforce/policy_wire.h"

#include <errno.h>

#define LENGTH_DIGITS 9  /* of a netstring: more is no length */
#define HEAD_MAX_WORDS 5 /* before the program in a line of a log */

/* --- the policy protocol -----------------------------------------------------------
 */

static void take_client(struct span text, struct policy_question *out)
{
	out->has_client =
	    net_parse(text, &out->client) == 0 && net_is_host(&out->client);
}

static void take_attribute(
    struct span name, struct span value, struct policy_question *out)
{
	if (span_eq(name, SPAN("client_address")))
		take_client(value, out);
	else if (span_eq(name, SPAN("sasl_username")))
		out->is_logged_in = value.n > 0;
}

static int read_attributes(struct span in, struct policy_question *out, size_t *out_n)
{
	struct span rest = in;

	for (;;) {
		const char *end = memchr(rest.p, '\n', rest.n);

		if (!end)
			return in.n >= POLICY_QUESTION_MAX ? -EBADMSG : POLICY_MORE;
		struct span line = {rest.p, (size_t)(end - rest.p)};

		rest = span_skip(rest, line.n + 1);
		if (!line.n)
			break;
		const char *eq = memchr(line.p, '=', line.n);

		if (!eq)
			return -EBADMSG;
		size_t n = (size_t)(eq - line.p);

		take_attribute((struct span){line.p, n}, span_skip(line, n + 1), out);
	}
	*out_n = in.n - rest.n;
	return 0;
}

/* --- socketmap ---------------------------------------------------------------------
 */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* "LENGTH:" Return: 0, POLICY_MORE, -EBADMSG. */
static int read_length(struct span in, size_t *out, size_t *out_n)
{
	size_t i = 0, length = 0;

	for (; i < in.n && is_digit(in.p[i]); i++) {
		if (i == LENGTH_DIGITS)
			return -EBADMSG;
		length = length * 10 + (size_t)(in.p[i] - '0');
	}
	if (length > POLICY_QUESTION_MAX - LENGTH_DIGITS - 2)
		return -EBADMSG;
	if (i == in.n)
		return POLICY_MORE;
	if (in.p[i] != ':')
		return -EBADMSG;
	*out = length;
	*out_n = i + 1;
	return 0;
}

static int read_netstring(struct span in, struct policy_question *out, size_t *out_n)
{
	size_t length, head;
	int r = read_length(in, &length, &head);

	if (r)
		return r;
	if (in.n < head + length + 1)
		return POLICY_MORE;
	if (in.p[head + length] != ',')
		return -EBADMSG;
	struct span text = {in.p + head, length};
	const char *blank = memchr(text.p, ' ', text.n);

	if (!blank)
		return -EBADMSG;
	/* Names and parts of addresses are asked for, too: they are nobody. */
	take_client(span_skip(text, (size_t)(blank - text.p) + 1), out);
	*out_n = head + length + 1;
	return 0;
}

int policy_read(struct span in, struct policy_question *out, size_t *out_n)
{
	*out = (struct policy_question){.is_logged_in = false};
	if (!in.n)
		return POLICY_MORE;
	out->is_socketmap = is_digit(in.p[0]);
	return out->is_socketmap ? read_netstring(in, out, out_n)
				 : read_attributes(in, out, out_n);
}

/* --- answers -----------------------------------------------------------------------
 */

static void add_netstring(struct buf *out, struct span text)
{
	buf_printf(out, "%zu:", text.n);
	buf_add_span(out, text);
	buf_add_char(out, ',');
}

void policy_answer_none(const struct policy_question *q, struct buf *out)
{
	if (q->is_socketmap)
		add_netstring(out, SPAN("NOTFOUND "));
	else
		buf_add_str(out, "action=DUNNO\n\n");
}

void policy_answer_refuse(const struct policy_question *q, unsigned int code,
    struct span reason, struct buf *out)
{
	CLEANUP(buf_deinit) struct buf text = BUF_INIT(2 * POLICY_REASON_MAX);

	buf_printf(
	    &text, "%s%u " POLICY_DSN " ", q->is_socketmap ? "OK " : "action=", code);
	buf_add_span(&text, reason);
	if (q->is_socketmap) {
		add_netstring(out, buf_span(&text));
		return;
	}
	buf_add_span(out, buf_span(&text));
	buf_add_str(out, "\n\n");
}

/* --- in the log --------------------------------------------------------------------
 */

static bool take(struct span *rest, struct span what)
{
	if (!span_starts(*rest, what))
		return false;
	*rest = span_skip(*rest, what.n);
	return true;
}

/* So many letters, digits and what else is in @more, at least one. */
static bool take_word(struct span *rest, const char *more)
{
	size_t n = 0;

	while (n < rest->n) {
		char c = rest->p[n];

		if (!is_digit(c) && !((c | 0x20) >= 'a' && (c | 0x20) <= 'z') &&
		    !(c && strchr(more, c)))
			break;
		n++;
	}
	*rest = span_skip(*rest, n);
	return n > 0;
}

/* "postfix/smtpd[123]" */
static bool is_smtpd(struct span word)
{
	struct span rest = word;

	if (!take_word(&rest, "/._-") ||
	    !span_ends((struct span){word.p, word.n - rest.n}, SPAN("smtpd")))
		return false;
	return take(&rest, SPAN("[")) && take_word(&rest, "") && rest.n == 1 &&
	       rest.p[0] == ']';
}

/* Of a date, the name of a machine, or "<mail.info>", which some syslogd write. */
static bool is_plain(struct span word)
{
	return take_word(&word, ".:+-_<>") && !word.n;
}

/*
 * "Nov 26 07:00:00 mx postfix/smtpd[123]: ": a date, a machine and the program, up to
 * the first ": " in the line, for neither of the first two has one. In a log of another
 * kind a client's words may stand there, in quotes or behind brackets.
 */
static bool take_head(struct span *rest)
{
	ptrdiff_t at = span_find(*rest, SPAN(": "));
	struct span head, word, program;

	if (at < 1)
		return false;
	head = (struct span){rest->p, (size_t)at};
	*rest = span_skip(*rest, (size_t)at + 2);
	if (!span_next_word(&head, "", &program))
		return false;
	for (int n = 0; span_next_word(&head, "", &word); n++) {
		if (n == HEAD_MAX_WORDS || !is_plain(program))
			return false;
		program = word;
	}
	return is_smtpd(program);
}

bool policy_is_own_refusal(struct span line)
{
	struct span rest = line;

	if (!take_head(&rest) || !take_word(&rest, "") ||
	    !take(&rest, SPAN(": reject: ")))
		return false;
	if (!take_word(&rest, "-") || !take(&rest, SPAN(" from ")))
		return false;
	/* A name that the DNS gave, or "unknown"; an address. */
	if (!take_word(&rest, ".-_") || !take(&rest, SPAN("[")) ||
	    !take_word(&rest, ".:%") || !take(&rest, SPAN("]")))
		return false;
	if (take(&rest, SPAN(":")) && !take(&rest, SPAN(" "))) { /* a port */
		if (!take_word(&rest, "") || !take(&rest, SPAN(": ")))
			return false;
	}
	return take(&rest, SPAN("421 " POLICY_DSN " ")) ||
	       take(&rest, SPAN("450 " POLICY_DSN " "));
}
