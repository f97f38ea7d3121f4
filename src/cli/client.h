/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* client - ask the running bandogd: one request in JSON, one answer (see
 * front/front.h).
 */

#include <jansson.h>

#include "base/net.h"
#include "cli/cli.h"

enum { CLIENT_NO_DAEMON = 1 };

/**
 * client_ask()
 * @request: an object; stolen, also on failure
 * @out:     the answer, to be given to json_decref()
 *
 * Prints what went wrong, the daemon's own words included.
 * Return: 0, CLIENT_NO_DAEMON, or negative errno.
 */
int client_ask(const struct cli_options *o, json_t *request, json_t **out);

/* Is a daemon there? Says nothing. */
bool client_is_running(const struct cli_options *o);

/* Print the answer as one line of JSON. */
void client_print(const json_t *answer);

/* Pieces of an answer; missing ones give "", 0. */
const char *client_text(const json_t *o, const char *key);
#define CLIENT_WHO_BYTES (4 * NET_ID_MAX_BYTES + 3)
/* Who is meant, @who being a text or NULL: an address as it is, an id quoted. */
const char *client_who(const json_t *who, char out[CLIENT_WHO_BYTES]);
int64_t client_number(const json_t *o, const char *key);
/* Unix seconds at @key as local time; "never" for -1, "-" for null. */
void client_time(const json_t *o, const char *key, char *out, size_t room);
