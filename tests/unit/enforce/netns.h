/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * netns - a test's own network: an unshared user and network namespace
 *
 * Works with and without root. Dies with the test program.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Return: 0, or negative errno where the system does not allow it: skip then. */
int netns_enter(void);

/*
 * To be asked first: where there is no such network the whole program is passed over
 * (in TAP's words; cmocka 1.1.5 would print each skipped test as failed).
 */
bool netns_is_to_be_had(void);

/* Run a shell command. Return: its exit status; its output goes to the test's. */
int netns_run(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* What a shell command prints, malloc'd; asserts that it succeeds. */
char *netns_read(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Does the output of `nft list ruleset` have this text? */
bool netns_has(const char *text);

/* A TCP socket that listens on IPv6 and, on the same one, IPv4; asserts it. */
int netns_listen(uint16_t port);
