/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * log_target - where messages go, and in whose words
 *
 * "SYSLOG[facility=mail]", "/var/log/fail2ban.log[datetime=off]": see fail2ban-compat
 * 1.8. Times and padding are as in fail2ban: without time to SYSLOG and SYSOUT, without
 * padding to SYSLOG.
 */

#include <errno.h>
#include <syslog.h>

#include "conf/chars.h"
#include "conf/room.h"
#include "conf/schema.h"

static const struct {
	const char *word;
	enum log_sink sink;
	bool without_time;
} places[] = {
    {"SYSLOG", LOG_TO_SYSLOG, true},
    {"SYSTEMD-JOURNAL", LOG_TO_JOURNAL, true},
    {"STDERR", LOG_TO_STDERR, false},
    {"STDOUT", LOG_TO_STDERR, false},
    {"SYSOUT", LOG_TO_STDERR, true},
    {"INHERITED", LOG_TO_STDERR, false},
};

static void take_place(struct load *ld, const struct params *p, struct conf_global *out)
{
	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		if (!span_eq_nocase(span_of(p->name), span_of(places[i].word)))
			continue;
		out->log_place = places[i].word;
		out->log.sink = places[i].sink;
		out->log.without_time = places[i].without_time;
		out->log.without_padding = places[i].sink == LOG_TO_SYSLOG;
		return;
	}
	if (p->name[0] != '/') {
		diag_add(ld->d, DIAG_ERROR, p->at,
		    "logtarget: '%s' is unknown, expected SYSLOG, SYSTEMD-JOURNAL, "
		    "STDERR, STDOUT, SYSOUT or an absolute path",
		    chars_show(span_of(p->name)).text);
		return;
	}
	out->log_place = p->name;
	out->log.sink = LOG_TO_STDERR;
	out->log.without_time = out->log.without_padding = false;
}

static bool is_yes(struct load *ld, const struct params_item *i)
{
	static const struct schema_option option = {.name = "logtarget"};
	bool yes = false;

	schema_read_bool(ld->d, &option, &i->value, &yes);
	return yes;
}

static void take_param(
    struct load *ld, const struct params_item *i, struct conf_global *out)
{
	if (!strcmp(i->name, "datetime")) {
		out->log.without_time = !is_yes(ld, i);
	} else if (!strcmp(i->name, "padding")) {
		out->log.without_padding = !is_yes(ld, i);
	} else if (!strcmp(i->name, "format")) {
		out->log.format = i->value.n ? i->value.p : NULL;
	} else if (!strcmp(i->name, "facility")) {
		int facility = log_facility_parse(i->value.p);

		if (facility >= 0)
			out->log.facility = facility;
		else
			diag_add(ld->d, DIAG_WARNING, text_place(&i->value, 0),
			    "logtarget: there is no facility '%s'; it is daemon",
			    chars_show(text_span(&i->value)).text);
	} else {
		diag_add(ld->d, DIAG_WARNING, text_place(&i->value, 0),
		    "logtarget: there is no parameter '%s', expected facility, "
		    "format, datetime or padding",
		    i->name);
	}
}

static void take_style(
    struct load *ld, const struct text *t, bool is_fail2ban, struct conf_global *out)
{
	struct span s = t ? chars_trim(text_span(t)) : SPAN("auto");
	const char *slash = strrchr(out->log_place, '/');

	out->log.style = LOG_LIKE_BANDOG;
	if (span_eq_nocase(s, SPAN("auto"))) {
		if (is_fail2ban || (slash && !strcmp(slash, "/fail2ban.log")))
			out->log.style = LOG_LIKE_FAIL2BAN;
	} else if (span_eq_nocase(s, SPAN("fail2ban"))) {
		out->log.style = LOG_LIKE_FAIL2BAN;
	} else if (!span_eq_nocase(s, SPAN("bandog"))) {
		diag_add(ld->d, DIAG_ERROR, text_place(t, 0),
		    "logstyle: expected bandog, fail2ban or auto, not '%s'",
		    chars_show(s).text);
	}
}

static void take_socket(struct load *ld, const struct text *t, struct conf_global *out)
{
	struct span s = t ? chars_trim(text_span(t)) : SPAN("auto");

	if (!s.n || span_eq_nocase(s, SPAN("auto")))
		return;
	if (s.p[0] == '/' && span_index(s, ',') < 0)
		out->log.socket = arena_dup(ld->arena, s);
	else
		diag_add(ld->d, DIAG_ERROR, text_place(t, 0),
		    "syslogsocket: expected auto or an absolute path, not '%s'",
		    chars_show(s).text);
}

int log_target_read(struct load *ld, const struct text *target,
    const struct text *socket, const struct text *style, bool is_fail2ban,
    struct conf_global *out)
{
	struct params p;

	if (target && chars_trim(text_span(target)).n) {
		int r = params_parse(ld->arena, ld->d, "logtarget", target, &p);

		if (r == -ENOMEM)
			return r;
		if (r == 0)
			take_place(ld, &p, out);
		for (size_t i = 0; r == 0 && i < p.n; i++)
			take_param(ld, &p.items[i], out);
	}
	take_socket(ld, socket, out);
	take_style(ld, style, is_fail2ban, out);
	return 0;
}
