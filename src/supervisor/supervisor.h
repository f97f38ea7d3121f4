/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * supervisor - root, and nothing but: starts the roles, connects them, restarts them
 *
 * Reads no log, no client, no configuration: only exit codes, the loader's verdict and
 * the few message types of proc/message.h that are addressed to it.
 */

#include <stdbool.h>

struct supervisor_args {
	const char *config_dir;
	const char *state_dir;
	const char *run_dir;
	bool foreground;
	bool dry_run;
};

/**
 * supervisor_run() - until SIGTERM, or a client asks to stop
 *
 * Return: exit code: 0 stopped as asked; 1 the configuration is wrong; 2 it cannot run
 * here (directories, another bandogd, out of resources).
 */
int supervisor_run(const struct supervisor_args *args);
