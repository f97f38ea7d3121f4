/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/log_sink.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"

#define LINE_BYTES 8192
#define JOURNAL_SOCKET "/run/systemd/journal/socket"

/* A datagram socket of our own, for the journal and for another syslog; -1: none. */
static int socket_fd = -1;

static const struct {
	const char *word;
	int priority;
} levels[] = {
    [LOG_L_ERR] = {"ERROR", LOG_ERR},
    [LOG_L_WARNING] = {"WARNING", LOG_WARNING},
    [LOG_L_NOTICE] = {"NOTICE", LOG_NOTICE},
    [LOG_L_INFO] = {"INFO", LOG_INFO},
    [LOG_L_DEBUG] = {"DEBUG", LOG_DEBUG},
};

static int connect_to(const char *path)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	CLEANUP(fd_closep)
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0 || strlen(path) >= sizeof(a.sun_path))
		return -1;
	memcpy(a.sun_path, path, strlen(path) + 1);
	if (connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0)
		return -1;
	return TAKE_FD(fd);
}

void log_sink_open(const struct log_options *o)
{
	fd_closep(&socket_fd);
	socket_fd = -1;
	if (o->sink == LOG_TO_JOURNAL)
		socket_fd = connect_to(JOURNAL_SOCKET);
	else if (o->sink == LOG_TO_SYSLOG && o->socket)
		socket_fd = connect_to(o->socket);
	if (o->sink != LOG_TO_STDERR && socket_fd < 0)
		openlog("bandog", LOG_PID | LOG_NDELAY, o->facility);
}

/* --- fail2ban's style --------------------------------------------------------------
 */

static void add_time(struct buf *b, wall_t at)
{
	time_t sec = (time_t)(at.us / US_PER_SEC);
	char text[40];
	struct tm tm;

	if (localtime_r(&sec, &tm) && strftime(text, sizeof(text), "%F %T", &tm))
		buf_printf(b, "%s,%03d", text, (int)(at.us % US_PER_SEC / 1000));
}

/* The "-24" or ".7" of "%(name)-24s": @width as printf's '*' wants it. */
static void add_padded(struct buf *b, const char *text, int width)
{
	buf_printf(b, "%*s", width, text);
}

/* Put the field of @name. Return: false if there is none of that name. */
static bool add_field(
    struct buf *b, const struct log_entry *e, struct span name, int width)
{
	CLEANUP(buf_deinit) struct buf field = BUF_INIT(LINE_BYTES);

	if (span_eq(name, SPAN("asctime")))
		add_time(&field, e->at);
	else if (span_eq(name, SPAN("name")))
		buf_printf(&field, "fail2ban.%s", e->part);
	else if (span_eq(name, SPAN("process")))
		buf_printf(&field, "%d", (int)getpid());
	else if (span_eq(name, SPAN("levelname")))
		buf_add_str(&field, levels[e->level].word);
	else if (span_eq(name, SPAN("message")))
		buf_add_str(&field, e->text);
	else
		return false;
	add_padded(b, buf_str(&field), width);
	return true;
}

/* Python's "%(name)-24s"; what it does not know stays as it is. */
static void add_formatted(struct buf *b, const char *format, const struct log_entry *e)
{
	while (*format) {
		const char *end =
		    !strncmp(format, "%(", 2) ? strchr(format, ')') : NULL;
		char *rest = NULL;
		long width = end ? strtol(end + 1, &rest, 10) : 0;

		if (!end || (*rest != 's' && *rest != 'd') || width < -200 ||
		    width > 200 ||
		    !add_field(b, e,
			(struct span){format + 2, (size_t)(end - format - 2)},
			(int)width)) {
			buf_add_char(b, *format++);
			continue;
		}
		format = rest + 1;
	}
}

static void format_like_fail2ban(
    const struct log_options *o, const struct log_entry *e, struct buf *b)
{
	static const char padded[] =
	    "%(name)-24s[%(process)d]: %(levelname)-7s %(message)s";
	static const char plain[] = "%(name)s[%(process)d]: %(levelname)s %(message)s";

	if (o->format) {
		add_formatted(b, o->format, e);
		return;
	}
	if (!o->without_time)
		add_formatted(b, "%(asctime)s ", e);
	add_formatted(b, o->without_padding ? plain : padded, e);
}

void log_format(const struct log_options *o, const struct log_entry *e, struct buf *b)
{
	if (o->style == LOG_LIKE_FAIL2BAN) {
		format_like_fail2ban(o, e, b);
		return;
	}
	if (!o->without_time) {
		wall_format(b, e->at);
		buf_add_char(b, ' ');
	}
	buf_printf(
	    b, "%s[%d]: %s %s", e->role, (int)getpid(), levels[e->level].word, e->text);
}

/* --- ways out ----------------------------------------------------------------------
 */

static const char *ident_of(
    const struct log_options *o, const struct log_entry *e, char room[64])
{
	if (o->style != LOG_LIKE_FAIL2BAN)
		return "bandog";
	snprintf(room, 64, "fail2ban.%s", e->part);
	return room;
}

/* What stands behind "ident[pid]: ", which syslog puts in front. */
static void add_syslog_text(
    const struct log_options *o, const struct log_entry *e, struct buf *b)
{
	if (o->style != LOG_LIKE_FAIL2BAN)
		buf_printf(b, "%s: %s", e->role, e->text);
	else if (o->format)
		add_formatted(b, o->format, e);
	else
		buf_printf(b, "%s %s", levels[e->level].word, e->text);
}

/* The form that syslog(3) sends, RFC 3164. */
static void add_syslog_head(
    struct buf *b, int facility, const struct log_entry *e, const char *ident)
{
	time_t sec = (time_t)(e->at.us / US_PER_SEC);
	char stamp[32] = "";
	struct tm tm;

	if (localtime_r(&sec, &tm))
		(void)strftime(stamp, sizeof(stamp), "%b %e %T ", &tm);
	buf_printf(b, "<%d>%s%s[%d]: ", facility | levels[e->level].priority, stamp,
	    ident, (int)getpid());
}

static void write_syslog(const struct log_options *o, const struct log_entry *e)
{
	CLEANUP(buf_deinit) struct buf b = BUF_INIT(LINE_BYTES);
	char room[64];
	const char *ident = ident_of(o, e, room);

	if (socket_fd >= 0)
		add_syslog_head(&b, o->facility, e, ident);
	add_syslog_text(o, e, &b);
	if (socket_fd >= 0) {
		(void)send(socket_fd, b.p, b.n, MSG_NOSIGNAL);
		return;
	}
	openlog(ident, LOG_PID | LOG_NDELAY, o->facility);
	syslog(o->facility | levels[e->level].priority, "%s", buf_str(&b));
	openlog("bandog", LOG_PID | LOG_NDELAY, o->facility); /* room dies here */
}

/* systemd's native protocol: a line a field. */
static void write_journal(const struct log_options *o, const struct log_entry *e)
{
	CLEANUP(buf_deinit) struct buf b = BUF_INIT(LINE_BYTES);
	bool is_like_fail2ban = o->style == LOG_LIKE_FAIL2BAN;

	buf_printf(&b,
	    "PRIORITY=%d\nSYSLOG_IDENTIFIER=%s\nLOGGER=%s%s\nMESSAGE=%s%s%s\n",
	    levels[e->level].priority, is_like_fail2ban ? "fail2ban" : "bandog",
	    is_like_fail2ban ? "fail2ban." : "", is_like_fail2ban ? e->part : e->role,
	    is_like_fail2ban ? "" : e->role, is_like_fail2ban ? "" : ": ", e->text);
	if (!b.failed)
		(void)send(socket_fd, b.p, b.n, MSG_NOSIGNAL);
}

void log_sink_write(const struct log_options *o, const struct log_entry *e)
{
	CLEANUP(buf_deinit) struct buf line = BUF_INIT(LINE_BYTES);

	if (o->sink == LOG_TO_JOURNAL && socket_fd >= 0) {
		write_journal(o, e);
		return;
	}
	if (o->sink != LOG_TO_STDERR) {
		write_syslog(o, e);
		return;
	}
	log_format(o, e, &line);
	buf_add_char(&line, '\n');
	if (!line.failed)
		(void)fd_write_all(STDERR_FILENO, line.p, line.n);
}
