/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * log - one write(2) per line, to descriptor 2, to syslog or to the journal
 */

#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <syslog.h>
#include <time.h>

#include "base/clock.h"
#include "base/log_sink.h"

#define LINE_BYTES 4096 /* below PIPE_BUF a write is not mixed with others' */

static struct {
	const char *role;
	enum log_level level;
	struct log_options how;
} state = {.role = "bandog", .level = LOG_L_INFO};

void log_init(const char *role, enum log_level level, bool to_syslog)
{
	state.role = role;
	state.level = level;
	tzset(); /* now, as a sandbox may shut the zone's file away later */
	log_configure(&(struct log_options){
	    .sink = to_syslog ? LOG_TO_SYSLOG : LOG_TO_STDERR, .facility = LOG_DAEMON});
}

void log_configure(const struct log_options *o)
{
	state.how = *o;
	log_sink_open(o);
}

bool log_is_like_fail2ban(void)
{
	return state.how.style == LOG_LIKE_FAIL2BAN;
}

void log_set_level(enum log_level level)
{
	state.level = level;
}

/* fail2ban says a line when its number is at least the level: INFO 20, NOTICE 25... */
static enum log_level level_of_number(int64_t n)
{
	if (n > 30)
		return LOG_L_ERR;
	if (n > 25)
		return LOG_L_WARNING;
	if (n > 20)
		return LOG_L_NOTICE;
	return n > 10 ? LOG_L_INFO : LOG_L_DEBUG;
}

int log_level_parse(const char *text, enum log_level *out)
{
	static const struct {
		const char *name;
		enum log_level level;
	} names[] = {
	    {"critical", LOG_L_ERR},
	    {"error", LOG_L_ERR},
	    {"err", LOG_L_ERR},
	    {"warning", LOG_L_WARNING},
	    {"warn", LOG_L_WARNING},
	    {"notice", LOG_L_NOTICE},
	    {"info", LOG_L_INFO},
	    {"msg", LOG_L_INFO},
	    {"debug", LOG_L_DEBUG},
	    {"tracedebug", LOG_L_DEBUG},
	    {"heavydebug", LOG_L_DEBUG},
	};
	struct span s = span_trim(span_of(text));
	int64_t n;

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (span_eq_nocase(s, span_of(names[i].name))) {
			*out = names[i].level;
			return 0;
		}
	}
	if (span_to_i64(s, &n) < 0 || n < 5 || n > 50)
		return -EINVAL;
	*out = level_of_number(n);
	return 0;
}

/* May @site speak? *@out_swallowed lines were lost since it last did. */
static bool admit(struct log_site *site, unsigned int *out_swallowed)
{
	long now_sec = (long)(mono_now().us / US_PER_SEC);

	*out_swallowed = 0;
	if (!site)
		return true;
	if (site->n_said == 0 || now_sec - site->window_start_sec >= LOG_WINDOW_SEC) {
		site->window_start_sec = now_sec;
		site->n_said = 0;
	}
	if (site->n_said >= LOG_BURST) {
		if (site->n_swallowed < UINT32_MAX)
			site->n_swallowed++;
		return false;
	}
	site->n_said++;
	*out_swallowed = site->n_swallowed;
	site->n_swallowed = 0;
	return true;
}

/* A line stays one line, and a terminal a terminal, whatever a caller forgot. */
static void mask_controls(char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)p[i] < 0x20 || p[i] == 0x7f)
			p[i] = '?';
}

/* What stands for a role in fail2ban's one process. */
static const char *part_of_role(void)
{
	static const struct {
		const char *role, *part;
	} parts[] = {
	    {"engine", "filter"},
	    {"reader", "filter"},
	    {"enforcer", "actions"},
	    {"runner", "actions"},
	    {"keeper", "database"},
	    {"front", "transmitter"},
	    {"resolver", "utils"},
	};

	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		if (!strcmp(parts[i].role, state.role))
			return parts[i].part;
	return "server";
}

static void say(enum log_level level, const char *part, char *text, size_t n)
{
	struct log_entry entry = {
	    .role = state.role, .part = part, .level = level, .text = text};

	mask_controls(text, n);
	entry.at = wall_now();
	log_sink_write(&state.how, &entry);
}

void log_fail2ban(enum log_level level, const char *part, const char *fmt, ...)
{
	char text[LINE_BYTES];
	va_list ap;

	if (level > state.level || !log_is_like_fail2ban())
		return;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	say(level, part, text, strlen(text));
}

void log_write(struct log_site *site, enum log_level level, const char *subject,
    const char *fmt, ...)
{
	char text[LINE_BYTES];
	unsigned int n_swallowed;
	int saved = errno;
	size_t n = 0;
	va_list ap;

	if (level > state.level || !admit(site, &n_swallowed))
		return;
	text[0] = '\0';
	if (subject)
		(void)snprintf(text, sizeof(text), "%s: ", subject);
	n = strlen(text);
	va_start(ap, fmt);
	(void)vsnprintf(text + n, sizeof(text) - n, fmt, ap);
	va_end(ap);
	n = strlen(text);
	if (n_swallowed > 0)
		(void)snprintf(text + n, sizeof(text) - n,
		    " (%u more like this not logged)", n_swallowed);
	say(level, part_of_role(), text, strlen(text));
	errno = saved;
}
