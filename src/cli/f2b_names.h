/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * f2b_names - fail2ban's programs under their own names: fail2ban-regex,
 * fail2ban-client, fail2ban-server, by argv[0] or as the first argument of bandog
 */

#include <stdbool.h>

/* The version of fail2ban that we are like, for scripts that ask. */
#define F2B_VERSION "1.1.0"

/* The name of a program without its folder. */
const char *f2b_base_name(const char *path);

/* bandog's own folder if there is one, else fail2ban's. */
const char *f2b_config_dir(void);

/* For qsort() over const char *. */
int f2b_compare_texts(const void *a, const void *b);

/**
 * f2b_names_run() - behave like the program named argv[0], if it is one of fail2ban's
 *
 * Return: false: it is none; else true, with the exit code in @out_code.
 */
bool f2b_names_run(int argc, char **argv, int *out_code);
