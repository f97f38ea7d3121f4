/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/client.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "cli/local_socket.h"

#define ANSWER_MAX_BYTES (256u << 20)
#define PATIENCE_MS 120000

/* Return: descriptor or negative errno. */
static int connect_to(const struct cli_options *o)
{
	CLEANUP(buf_deinit) struct buf path = BUF_INIT(PATH_MAX);

	buf_printf(&path, "%s/bandog.sock", o->run_dir);
	return path.failed ? -ENAMETOOLONG : local_connect(buf_str(&path), PATIENCE_MS);
}

bool client_is_running(const struct cli_options *o)
{
	CLEANUP(fd_closep) int fd = connect_to(o);

	return fd >= 0;
}

static int send_request(int fd, const json_t *request)
{
	CLEANUP(freep) char *text = json_dumps(request, JSON_COMPACT);

	if (!text)
		return -ENOMEM;
	int r = local_send(fd, text, strlen(text));

	return r ? r : local_send(fd, "\n", 1);
}

static int exchange(int fd, const json_t *request, json_t **out)
{
	struct buf b = BUF_INIT(ANSWER_MAX_BYTES);
	int r = send_request(fd, request);

	if (!r)
		r = local_receive(fd, SPAN("\n"), &b);
	if (!r) {
		*out = json_loadb(b.p, b.n, 0, NULL);
		r = *out ? 0 : -EBADMSG;
	}
	buf_deinit(&b);
	return r;
}

int client_ask(const struct cli_options *o, json_t *request, json_t **out)
{
	CLEANUP(fd_closep) int fd = request ? connect_to(o) : -ENOMEM;
	json_t *answer = NULL;

	if (fd < 0) {
		if (fd == -ENOENT || fd == -ECONNREFUSED)
			fprintf(
			    stderr, "bandog: no bandogd runs with %s\n", o->run_dir);
		else
			fprintf(stderr, "bandog: %s/bandog.sock: %s\n", o->run_dir,
			    strerror(-fd));
		json_decref(request);
		return fd == -ENOENT || fd == -ECONNREFUSED ? CLIENT_NO_DAEMON : fd;
	}
	int r = exchange(fd, request, &answer);

	json_decref(request);
	if (r < 0) {
		fprintf(stderr, "bandog: no answer from bandogd: %s\n", strerror(-r));
		return r;
	}
	const char *error = json_string_value(json_object_get(answer, "error"));

	if (error) {
		fprintf(stderr, "bandog: %s\n", error);
		json_decref(answer);
		return -EREMOTEIO;
	}
	*out = answer;
	return 0;
}

void client_print(const json_t *answer)
{
	(void)json_dumpf(answer, stdout, JSON_COMPACT);
	putchar('\n');
}

const char *client_text(const json_t *o, const char *key)
{
	const char *text = json_string_value(json_object_get(o, key));

	return text ? text : "";
}

const char *client_who(const json_t *who, char out[CLIENT_WHO_BYTES])
{
	CLEANUP(buf_deinit) struct buf b = BUF_INIT(CLIENT_WHO_BYTES - 1);
	struct span text = span_of(json_string_value(who));
	struct net n;

	if (net_parse(text, &n) == 0)
		buf_add_span(&b, text);
	else if (text.n)
		buf_quote(&b, text, NET_ID_MAX_BYTES);
	return strcpy(out, buf_str(&b));
}

int64_t client_number(const json_t *o, const char *key)
{
	return json_integer_value(json_object_get(o, key));
}

void client_time(const json_t *o, const char *key, char *out, size_t room)
{
	const json_t *v = json_object_get(o, key);
	struct buf b = BUF_INIT(64);

	if (!json_is_integer(v))
		wall_format(&b, WALL_NONE);
	else if (json_integer_value(v) < 0)
		wall_format(&b, WALL_NEVER);
	else
		wall_format(&b, wall_from_sec(json_integer_value(v)));
	snprintf(out, room, "%s", buf_str(&b));
	buf_deinit(&b);
}
