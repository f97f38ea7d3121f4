/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * smtp.py's job: what a letter says. It is sent by a process of its own (mailer.c),
 * which is started like any command, so that a slow mail server delays nothing and what
 * it answers reaches nobody with rights.
 */
#include <errno.h>
#include <unistd.h>

#include "flow/id.h"
#include "runner/mailer.h"
#include "runner/runner.h"

static void put(struct buf *env, const char *name, struct span value)
{
	buf_printf(env, "%s=", name);
	for (size_t i = 0; i < value.n; i++)
		buf_add_char(env, value.p[i] ? value.p[i] : '?');
	buf_add_char(env, '\0');
}

static struct span option(
    const struct run_action *a, const char *name, const char *fallback)
{
	const char *text = action_option(&a->options, name, "");

	return span_trim(span_of(text && *text ? text : fallback));
}

static void add_who(struct buf *b, const struct ticket *t)
{
	id_add_who(b, &t->net, t->id);
}

static void write_subject(struct buf *b, const struct run_jail *j, const char *what,
    const struct ticket *t, const char *host)
{
	buf_printf(b, "[bandog] %s: %s", j->name, what);
	if (t) {
		buf_add_char(b, ' ');
		add_who(b, t);
	}
	buf_printf(b, " %s %s", t ? "from" : "on", host);
}

/* Which lines the letter is to have; NULL: none. */
static const char *lines_for(const struct ticket_words *w, struct span kind)
{
	if (!w)
		return NULL;
	if (span_eq(kind, SPAN("ipmatches")) && w->ip_matches)
		return w->ip_matches;
	if (span_eq(kind, SPAN("ipjailmatches")) && w->jail_matches)
		return w->jail_matches;
	return span_ends(kind, SPAN("matches")) ? w->matches : NULL;
}

static void write_text(struct buf *b, const struct run_jail *j, const char *what,
    const struct ticket *t, struct span matches)
{
	if (!t) {
		buf_printf(b, "Jail %s has %s.\n", j->name, what);
		return;
	}
	add_who(b, t);
	buf_printf(
	    b, " is banned by jail %s after %u failures, ", j->name, t->failures);
	if (t->until.us == WALL_NEVER.us) {
		buf_add_str(b, "for good.\n");
	} else {
		buf_add_str(b, "for ");
		duration_format(b, (t->until.us - t->at.us) / US_PER_SEC);
		buf_add_str(b, ".\n");
	}
	const char *lines = lines_for(t->words, matches);

	if (lines)
		buf_printf(b, "\nWhat the log says:\n\n%s\n", lines);
}

static int own_path(struct buf *env)
{
	char path[4096];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path));

	if (n <= 0 || n == (ssize_t)sizeof(path))
		return -ENAMETOOLONG;
	put(env, "BANDOG_SELF", (struct span){path, (size_t)n});
	return 0;
}

int runner_mail_command(const struct run_jail *j, const struct run_op *op,
    const char *operation, struct buf *script, struct buf *env, struct err *e)
{
	const struct run_action *a = op->action;
	const char *what = !strcmp(operation, "actionstart")  ? "started"
			   : !strcmp(operation, "actionstop") ? "stopped"
			   : !strcmp(operation, "actionban")  ? "banned"
							      : NULL;
	CLEANUP(buf_deinit) struct buf subject = BUF_INIT(1024);
	CLEANUP(buf_deinit) struct buf text = BUF_INIT(SHELL_VALUE_MAX);
	char host[256] = "localhost";

	if (!what)
		return 1;
	(void)gethostname(host, sizeof(host) - 1);
	write_subject(&subject, j, what, op->ticket, host);
	write_text(&text, j, what, op->ticket, option(a, "matches", ""));
	put(env, MAILER_HOST, option(a, "host", "localhost"));
	put(env, MAILER_TLS, option(a, "ssl", ""));
	put(env, MAILER_USER, option(a, "user", ""));
	put(env, MAILER_PASSWORD, option(a, "password", ""));
	put(env, MAILER_FROM, option(a, "sender", "fail2ban"));
	put(env, MAILER_FROM_NAME, option(a, "sendername", "Fail2Ban"));
	put(env, MAILER_TO, option(a, "dest", "root"));
	put(env, MAILER_SUBJECT, buf_span(&subject));
	put(env, MAILER_TEXT, buf_span(&text));
	put(env, "BANDOG_USER", span_of(j->all->user));
	buf_add_str(
	    script, "exec \"$BANDOG_SELF\" --role=mailer --user=\"$BANDOG_USER\"");
	if (own_path(env) < 0 || env->failed || script->failed)
		return err_set(e, -E2BIG, "a letter is too long");
	return 0;
}
