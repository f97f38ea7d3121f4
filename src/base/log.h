/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * log - one event, one line, said by the top floors only
 *
 * A line is "<time> <role>[<pid>]: <LEVEL> <subject>: <text>"; the subject (jail, file,
 * peer; may be NULL) is an argument so that no line lacks it. Foreign text goes through
 * buf_quote() first. In fail2ban's style it is "<time>,<ms> fail2ban.<part> [<pid>]:
 * <LEVEL> <text>", as recidive and outside programs read it. Each call site is limited
 * to LOG_BURST lines in LOG_WINDOW_SEC; when it speaks again it says how many lines it
 * swallowed. Bans and unbans use log_event(), which is not limited.
 */

#include <stdbool.h>

#include "base/buf.h"
#include "base/cleanup.h"

enum log_level { LOG_L_ERR, LOG_L_WARNING, LOG_L_NOTICE, LOG_L_INFO, LOG_L_DEBUG };

#define LOG_BURST 10
#define LOG_WINDOW_SEC 60

struct log_site {
	long window_start_sec;
	unsigned int n_said;
	unsigned int n_swallowed;
};

enum log_sink { LOG_TO_STDERR, LOG_TO_SYSLOG, LOG_TO_JOURNAL };
enum log_style { LOG_LIKE_BANDOG, LOG_LIKE_FAIL2BAN };

struct log_options {
	enum log_sink sink;
	enum log_style style;
	bool without_time;
	bool without_padding; /* fail2ban's: names and levels of any width */
	int facility;         /* LOG_DAEMON ... */
	const char *socket;   /* syslog's; NULL: the system's */
	/* fail2ban's, NULL: the usual one: "%(asctime)s %(name)-24s %(process)d ..." */
	const char *format;
};

/* One word for a command line and back. Return: 0, -EINVAL; strings are malloc'd and
 * never freed, as they count until the process ends. */
void log_options_encode(const struct log_options *o, struct buf *out);
int log_options_decode(const char *text, struct log_options *out);

/* How it is to be written; behind log_init(). Strings of @o must live on. */
void log_configure(const struct log_options *o);
bool log_is_like_fail2ban(void);

/**
 * log_init() - once per process
 * @role:      "engine", ... ; must live on
 * @level:     the least important level that is said
 * @to_syslog: syslog(3) instead of descriptor 2
 */
void log_init(const char *role, enum log_level level, bool to_syslog);
void log_set_level(enum log_level level);

/* "kern" ... "local7". Return: LOG_KERN ..., or -EINVAL. */
int log_facility_parse(const char *text);

/* "INFO", "heavydebug"... or 5..50 as fail2ban has it. Return: 0 or -EINVAL. */
int log_level_parse(const char *text, enum log_level *out);

void log_write(struct log_site *site, enum log_level level, const char *subject,
    const char *fmt, ...) PRINTF_LIKE(4, 5);

/* A line that only fail2ban's style has, of fail2ban.@part: "actions", "filter". */
void log_fail2ban(enum log_level level, const char *part, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

#define LOG_AT(level, subject, ...)                                 \
	do {                                                        \
		static struct log_site log_site_;                   \
		log_write(&log_site_, level, subject, __VA_ARGS__); \
	} while (0)
#define log_err(subject, ...) LOG_AT(LOG_L_ERR, subject, __VA_ARGS__)
#define log_warning(subject, ...) LOG_AT(LOG_L_WARNING, subject, __VA_ARGS__)
#define log_notice(subject, ...) LOG_AT(LOG_L_NOTICE, subject, __VA_ARGS__)
#define log_info(subject, ...) LOG_AT(LOG_L_INFO, subject, __VA_ARGS__)
#define log_debug(subject, ...) LOG_AT(LOG_L_DEBUG, subject, __VA_ARGS__)
#define log_event(level, subject, ...) log_write(NULL, level, subject, __VA_ARGS__)
