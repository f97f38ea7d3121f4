/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Replies are (0, value) or (1, exception), as fail2ban's server sends them.
 */
#include <stdarg.h>
#include <stdio.h>

#include "base/picklew.h"
#include "front/front_f2b_command.h"

#define FAIL2BAN_EXCEPTIONS "fail2ban.exceptions"

static void begin(struct f2b_command *c, int64_t code)
{
	c->step = F2B_STEP_ANSWER;
	buf_clear(&c->reply);
	picklew_begin(&c->reply);
	picklew_tuple(&c->reply);
	picklew_i64(&c->reply, code);
}

void f2b_reply_begin(struct f2b_command *c)
{
	begin(c, 0);
}

void f2b_reply_end(struct f2b_command *c)
{
	picklew_tuple_end(&c->reply);
	picklew_end(&c->reply);
}

void f2b_reply_none(struct f2b_command *c)
{
	f2b_reply_str(c, NULL);
}

void f2b_reply_str(struct f2b_command *c, const char *v)
{
	f2b_reply_begin(c);
	picklew_str(&c->reply, v);
	f2b_reply_end(c);
}

void f2b_reply_i64(struct f2b_command *c, int64_t v)
{
	f2b_reply_begin(c);
	picklew_i64(&c->reply, v);
	f2b_reply_end(c);
}

void f2b_reply_bool(struct f2b_command *c, bool v)
{
	f2b_reply_begin(c);
	picklew_bool(&c->reply, v);
	f2b_reply_end(c);
}

void f2b_reply_broken(struct f2b_command *c, const char *why)
{
	CLEANUP(buf_deinit) struct buf text = BUF_INIT(1024);

	buf_printf(&text, "ERROR: %s", why);
	c->step = F2B_STEP_ANSWER;
	buf_clear(&c->reply);
	picklew_begin(&c->reply);
	picklew_span(&c->reply, buf_span(&text));
	picklew_end(&c->reply);
}

static void raise_text(
    struct f2b_command *c, const char *module, const char *class, const char *text)
{
	begin(c, 1);
	picklew_object(&c->reply, module, class);
	picklew_str(&c->reply, text);
	picklew_object_end(&c->reply);
	f2b_reply_end(c);
}

void f2b_raise(struct f2b_command *c, const char *class, const char *fmt, ...)
{
	char text[4096];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap); /* cut short when too long */
	va_end(ap);
	raise_text(c, "builtins", class, text);
}

void f2b_raise_too_short(struct f2b_command *c)
{
	f2b_raise(c, "IndexError", "list index out of range");
}

void f2b_raise_unknown_jail(struct f2b_command *c, const char *name)
{
	raise_text(c, FAIL2BAN_EXCEPTIONS, "UnknownJailException", name);
}

void f2b_raise_duplicate_jail(struct f2b_command *c, const char *name)
{
	raise_text(c, FAIL2BAN_EXCEPTIONS, "DuplicateJailException", name);
}

/* "place: error: what" is told as "what" when the place is no file. */
void f2b_raise_refused(struct f2b_command *c, const struct f2b_result *r)
{
	struct span rest = r->bytes, line, said = SPAN("the change was refused");
	const struct span mark = SPAN(": error: ");

	while (span_next_line(&rest, &line)) {
		ptrdiff_t at = span_find(line, mark);

		if (at < 0)
			continue;
		said = line;
		if (line.p[0] == '(')
			said = span_skip(line, (size_t)at + mark.n);
		break;
	}
	if (r->change == CHANGE_FAILED && r->bytes.n)
		said = r->bytes;
	f2b_raise(c, "ValueError", SPAN_FMT, SPAN_ARG(said));
}
