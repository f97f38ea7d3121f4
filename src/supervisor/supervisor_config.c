/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The supervisor's side of the configuration: it starts the loader, takes its verdict
 * and passes the set-up on. It understands neither files nor option values.
 */
#include "supervisor/supervisor_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "proc/loader.h"
#include "proc/spawn.h"
#include "supervisor/sd_notify.h"

static int give_overrides(const struct supervisor *s, int fd)
{
	CLEANUP(buf_deinit) struct buf b = BUF_INIT(2 * OVERRIDES_MAX_BYTES);

	if (!s->changes.next.n)
		return 0;
	overrides_encode(&s->changes.next, &b);
	return b.failed ? -ENOMEM : fd_write_all(fd, b.p, b.n);
}

static int loader_start(struct supervisor *s, struct err *e)
{
	char config_arg[4200];
	const char *args[] = {config_arg, s->args->dry_run ? "--dry-run" : NULL, NULL};
	CLEANUP(fd_closep)
	int fd = memfd_create("bandog-setup", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0)
		return err_errno(e, -errno, "memfd_create");
	snprintf(
	    config_arg, sizeof(config_arg), "--config-dir=%s", s->places.config_dir);
	int r = give_overrides(s, fd);

	if (r < 0)
		return err_errno(e, r, "what was set at run time");
	r = spawn_role(ROLE_LOADER, args, -1, fd, &s->loader_pid, e);

	if (!r)
		s->loader_fd = TAKE_FD(fd);
	return r;
}

static void say_diagnostics(const char *text, bool usable)
{
	struct span rest = span_of(text), line;

	while (span_next_line(&rest, &line)) {
		if (line.n)
			log_event(usable ? LOG_L_WARNING : LOG_L_ERR, NULL, SPAN_FMT,
			    SPAN_ARG(line));
	}
}

/* Return: 0: s->setup is the new one; 1: refused, @text says why; negative errno. */
static int loader_take(struct supervisor *s, char **text)
{
	CLEANUP(fd_closep) int fd = TAKE_FD(s->loader_fd);
	CLEANUP(setup_freep) struct setup *fresh = NULL;
	enum loader_verdict verdict;

	s->loader_pid = 0;
	int r = loader_read_verdict(fd, &verdict, text);

	if (r < 0)
		return r;
	/* Half a reload would lift the bans of the jails that are left out. */
	if (verdict == LOADER_REFUSED ||
	    (verdict == LOADER_PARTLY && s->setup && !s->changes.id))
		return 1;
	/* From here on nobody can change it, we included. */
	(void)fcntl(
	    fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL);
	r = loader_read_setup(fd, &fresh);
	if (r < 0)
		return r;
	/* A change goes through while a jail is left out that was left out before. */
	if (verdict == LOADER_PARTLY && s->setup &&
	    fresh->n_left_out > s->setup->n_left_out)
		return 1;
	setup_free(s->setup);
	s->setup = TAKE(fresh);
	fd_closep(&s->setup_fd);
	s->setup_fd = TAKE_FD(fd);
	s->generation++;
	return 0;
}

void supervisor_reload(struct supervisor *s)
{
	struct err e = {""};

	if (s->is_stopping)
		return;
	if (s->loader_pid) {
		s->reload_again = true;
		return;
	}
	changes_begin_reload(&s->changes);
	sd_notify_reloading();
	if (loader_start(s, &e) < 0)
		log_err(
		    NULL, "cannot reload: %s; keeping the old configuration", e.text);
}

static void tell_changed(
    struct supervisor *s, uint64_t id, enum change_result result, const char *text)
{
	CLEANUP(buf_deinit) struct buf body = BUF_INIT(MESSAGE_MAX_BYTES - 64);
	struct span said = span_of(text ? text : "");

	if (said.n > 32768)
		said.n = 32768;
	pack_u64(&body, id);
	pack_u8(&body, (uint8_t)result);
	pack_span(&body, said);
	(void)supervisor_send(&s->children[ROLE_FRONT], MSG_CHANGED, &body, -1);
}

/* Who looks for why a jail behaves as no file says finds it in the log. */
static void log_changes(const struct changes *c)
{
	for (size_t i = 0; i < c->next.n; i++) {
		const struct conf_override *o = &c->next.items[i];
		CLEANUP(buf_deinit) struct buf value = BUF_INIT(1024);

		if (overrides_hold(&c->now, o))
			continue;
		buf_quote(&value, span_of(o->value), 200);
		log_event(LOG_L_NOTICE, o->jail, "set at run time: %s = %s", o->option,
		    buf_str(&value));
	}
}

void supervisor_change(struct supervisor *s, struct span body)
{
	struct unpack u = unpack_of(body);
	uint64_t id = unpack_u64(&u);
	struct err e = {""};
	int r;

	if (u.bad || s->is_stopping)
		return;
	if (s->loader_pid) {
		if (changes_wait(&s->changes, body) < 0)
			tell_changed(s, id, CHANGE_FAILED, "too much at once");
		return;
	}
	r = changes_begin(&s->changes, body);
	if (r < 0) {
		tell_changed(s, id, r == -ENOENT ? CHANGE_NOTHING : CHANGE_FAILED,
		    r == -ENOSPC ? "too many options were set at run time"
				 : strerror(-r));
		return;
	}
	if (loader_start(s, &e) < 0) {
		changes_end(&s->changes, false);
		tell_changed(s, id, CHANGE_FAILED, e.text);
	}
}

/* What was asked for while the loader was busy. */
static void change_next(struct supervisor *s)
{
	struct buf body;

	while (!s->loader_pid && changes_next(&s->changes, &body)) {
		supervisor_change(s, buf_span(&body));
		buf_deinit(&body);
	}
}

static void tell_reloaded(struct supervisor *s, bool is_done, const char *text)
{
	CLEANUP(buf_deinit) struct buf body = BUF_INIT(MESSAGE_MAX_BYTES - 64);
	struct span said = span_of(text ? text : "");

	if (said.n > 32768)
		said.n = 32768;
	pack_bool(&body, is_done);
	pack_span(&body, said);
	(void)supervisor_send(&s->children[ROLE_FRONT], MSG_RELOADED, &body, -1);
}

void supervisor_loader_reaped(struct supervisor *s, int status)
{
	CLEANUP(freep) char *text = NULL;
	int r = loader_take(s, &text);
	uint64_t id = s->changes.id;

	if (text)
		say_diagnostics(text, r == 0);
	if (r == 0)
		log_notice(NULL, "reloaded: %u jails, %u logs", s->setup->n_jails,
		    s->setup->n_sources);
	else
		log_err(NULL,
		    "the configuration was not reloaded%s; keeping the old one",
		    r > 0                 ? ""
		    : WIFSIGNALED(status) ? " (the loader died)"
					  : " (no result)");
	if (r == 0)
		supervisor_roles_take_setup(s);
	if (r == 0 && id)
		log_changes(&s->changes);
	changes_end(&s->changes, r == 0);
	if (id)
		tell_changed(s, id, r == 0 ? CHANGE_DONE : CHANGE_REFUSED, text);
	else
		tell_reloaded(s, r == 0, text);
	sd_notify_ready();
	if (s->reload_again) {
		s->reload_again = false;
		supervisor_reload(s);
	}
	change_next(s);
}

int supervisor_load_first(struct supervisor *s)
{
	CLEANUP(freep) char *text = NULL;
	struct err e = {""};
	int status;

	if (loader_start(s, &e) < 0) {
		fprintf(stderr, "bandogd: %s\n", e.text);
		return 2;
	}
	while (waitpid(s->loader_pid, &status, 0) < 0 && errno == EINTR)
		;
	int r = loader_take(s, &text);

	if (text)
		fputs(text, stderr);
	if (r < 0)
		fprintf(stderr, "bandogd: the configuration could not be read (%s)\n",
		    strerror(-r));
	else if (r > 0)
		fprintf(stderr,
		    "bandogd: the configuration in %s cannot be used; not started\n",
		    s->places.config_dir);
	return r ? 1 : 0;
}
