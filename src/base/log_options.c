/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * log_options - how a log is written, on the command line of our own processes
 */

#include <errno.h>
#include <stdlib.h>
#include <syslog.h>

#include "base/log.h"
#include "base/str.h"

#define N_NUMBERS 5

int log_facility_parse(const char *text)
{
	static const struct {
		const char *name;
		int facility;
	} names[] = {
	    {"kern", LOG_KERN},
	    {"user", LOG_USER},
	    {"mail", LOG_MAIL},
	    {"daemon", LOG_DAEMON},
	    {"auth", LOG_AUTH},
	    {"syslog", LOG_SYSLOG},
	    {"lpr", LOG_LPR},
	    {"news", LOG_NEWS},
	    {"uucp", LOG_UUCP},
	    {"cron", LOG_CRON},
	    {"authpriv", LOG_AUTHPRIV},
	    {"ftp", LOG_FTP},
	    {"local0", LOG_LOCAL0},
	    {"local1", LOG_LOCAL1},
	    {"local2", LOG_LOCAL2},
	    {"local3", LOG_LOCAL3},
	    {"local4", LOG_LOCAL4},
	    {"local5", LOG_LOCAL5},
	    {"local6", LOG_LOCAL6},
	    {"local7", LOG_LOCAL7},
	};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (span_eq_nocase(span_of(text), span_of(names[i].name)))
			return names[i].facility;
	return -EINVAL;
}

/* "sink,style,without time,without padding,facility,socket,format" */
void log_options_encode(const struct log_options *o, struct buf *out)
{
	buf_printf(out, "%d,%d,%d,%d,%d,%s,%s", (int)o->sink, (int)o->style,
	    o->without_time, o->without_padding, o->facility,
	    o->socket ? o->socket : "", o->format ? o->format : "");
}

static int keep(struct span s, const char **out)
{
	*out = s.n ? span_dup(s) : NULL;
	return s.n && !*out ? -ENOMEM : 0;
}

int log_options_decode(const char *text, struct log_options *out)
{
	struct log_options o = {0};
	struct span rest = span_of(text);
	int64_t v[N_NUMBERS];
	ptrdiff_t end;

	for (size_t i = 0; i < N_NUMBERS; i++) {
		end = span_index(rest, ',');
		if (end < 0 ||
		    span_to_i64((struct span){rest.p, (size_t)end}, &v[i]) < 0)
			return -EINVAL;
		rest = span_skip(rest, (size_t)end + 1);
	}
	end = span_index(rest, ',');
	if (end < 0 || v[0] < 0 || v[0] > LOG_TO_JOURNAL || v[1] < 0 ||
	    v[1] > LOG_LIKE_FAIL2BAN || v[4] < 0 || v[4] > LOG_LOCAL7)
		return -EINVAL;
	o.sink = (enum log_sink)v[0];
	o.style = (enum log_style)v[1];
	o.without_time = v[2] != 0;
	o.without_padding = v[3] != 0;
	o.facility = (int)v[4];
	if (keep((struct span){rest.p, (size_t)end}, &o.socket) < 0 ||
	    keep(span_skip(rest, (size_t)end + 1), &o.format) < 0)
		return -ENOMEM;
	*out = o;
	return 0;
}
