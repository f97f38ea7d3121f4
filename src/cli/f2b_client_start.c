/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Starting bandogd, which says itself what is wrong with its configuration, and testing
 * a configuration as `bandog check` does it.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/f2b_client.h"
#include "cli/f2b_names.h"
#include "config.h"
#include "pipeline/setup.h"

#define SOCKET_NAME "fail2ban.sock"

/* What bandogd is called with. */
struct daemon {
	char path[PATH_MAX];
	char run_dir[PATH_MAX];
	char state_dir[PATH_MAX + 8];
	const char *argv[12];
};

/* Beside the tool, or in the sbin next to its bin; else the shell's way. */
static void find_daemon(char out[PATH_MAX])
{
	static const char *const places[] = {"bandogd", "../sbin/bandogd"};
	char dir[PATH_MAX / 2];
	ssize_t n = readlink("/proc/self/exe", dir, sizeof(dir) - 1);
	char *slash;

	dir[n > 0 ? n : 0] = '\0';
	slash = strrchr(dir, '/');
	if (slash)
		*slash = '\0';
	for (size_t i = 0; slash && i < ARRAY_LEN(places); i++) {
		(void)snprintf(out, PATH_MAX, "%s/%s", dir, places[i]);
		if (access(out, X_OK) == 0)
			return;
	}
	(void)snprintf(out, PATH_MAX, "bandogd");
}

/*
 * The socket stands in the run directory. One that is not the usual is somebody's
 * second daemon: that keeps its state there as well, for two cannot share one.
 */
static int prepare(const struct f2b_client_options *o, struct daemon *d)
{
	const char *name = f2b_base_name(o->socket);
	size_t n = 0;

	if (strcmp(name, SOCKET_NAME) != 0 || name == o->socket) {
		f2b_client_say(o, "ERROR",
		    "the socket of a bandogd is DIR/" SOCKET_NAME ", not %s",
		    o->socket);
		return -EINVAL;
	}
	(void)snprintf(d->run_dir, sizeof(d->run_dir), "%.*s",
	    (int)(name - 1 - o->socket), o->socket);
	find_daemon(d->path);
	d->argv[n++] = "bandogd";
	d->argv[n++] = "--config-dir";
	d->argv[n++] = o->config_dir;
	d->argv[n++] = "--run-dir";
	d->argv[n++] = d->run_dir;
	if (strcmp(d->run_dir, BANDOG_RUN_DIR) != 0) {
		(void)snprintf(
		    d->state_dir, sizeof(d->state_dir), "%s/state", d->run_dir);
		d->argv[n++] = "--state-dir";
		d->argv[n++] = d->state_dir;
	}
	if (o->foreground)
		d->argv[n++] = "--foreground";
	d->argv[n] = NULL;
	return 0;
}

static void exec_daemon(const struct f2b_client_options *o, const struct daemon *d)
{
	(void)fflush(stdout);
	execvp(d->path, (char *const *)(uintptr_t)d->argv);
	f2b_client_say(o, "ERROR", "Could not start %s: %s", d->path, strerror(errno));
}

/* In the background bandogd returns when it serves. Return: its exit code, or -1. */
static int run_daemon(const struct f2b_client_options *o, const struct daemon *d)
{
	pid_t pid;
	int status;

	(void)fflush(stdout);
	pid = fork();
	if (pid == 0) {
		exec_daemon(o, d);
		_exit(127);
	}
	if (pid < 0)
		return -1;
	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return -1;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void set_level(const struct f2b_client_options *o)
{
	const char *const words[] = {"set", "loglevel", o->loglevel};
	const struct f2b_request q = {.words = words, .n_words = 3};
	struct f2b_answer a;
	struct err e;

	if (o->loglevel && f2b_client_ask(o->socket, &q, &a, &e) == 0)
		f2b_answer_deinit(&a);
}

int f2b_client_start(const struct f2b_client_options *o)
{
	struct daemon d = {.path = ""};

	if (f2b_client_ping(o->socket, 1000)) {
		f2b_client_say(o, "ERROR", "Server already running");
		return F2B_BAD;
	}
	if (prepare(o, &d) < 0)
		return F2B_BAD;
	if (o->foreground) {
		exec_daemon(o, &d);
		return F2B_BAD;
	}
	if (run_daemon(o, &d) != 0) {
		f2b_client_say(o, "ERROR", "Could not start server");
		return F2B_BAD;
	}
	if (!f2b_client_wait(o, true)) {
		f2b_client_say(o, "ERROR", "Could not find server, waiting failed");
		return F2B_BAD;
	}
	set_level(o);
	puts("Server ready");
	return F2B_GOOD;
}

int f2b_client_test(const struct f2b_client_options *o)
{
	CLEANUP(setup_freep) struct setup *s = NULL;
	CLEANUP(conf_freep) struct conf *conf = NULL;
	struct diag d = {0};
	bool is_good;

	conf = conf_load(o->config_dir, NULL, CONF_LOOK_FOR_LOGS, &d);
	if (conf)
		(void)setup_build(conf, &d, &s);
	is_good = s && !d.n_errors;
	if (!is_good || o->verbose > 1)
		cli_print_diag(&d);
	diag_deinit(&d);
	return is_good ? F2B_GOOD : F2B_BAD;
}
