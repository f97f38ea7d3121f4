/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fail2ban-client and fail2ban-server: which command is done here, which goes to the
 * server, and what is said when that fails. Exit: 0, or 255 whatever went wrong.
 */
#include "cli/f2b_client.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/f2b_names.h"
#include "config.h"

#define LINE_BYTES_MAX (64 * 1024)
#define PING_MS 500

static void say_unreachable(const struct f2b_client_options *o, int r, bool is_ping)
{
	if (access(o->socket, F_OK) < 0)
		f2b_client_say(o, "ERROR",
		    "Failed to access socket path: %s. Is fail2ban running?",
		    o->socket);
	else if (access(o->socket, W_OK) < 0)
		f2b_client_say(o, "ERROR",
		    "Permission denied to socket: %s, (you must be root)", o->socket);
	else if (r == -ETIMEDOUT)
		f2b_client_say(o, "ERROR",
		    is_ping ? "timed out"
			    : "[timed out] Unable to contact server. Is it running?");
	else if (is_ping)
		f2b_client_say(o, "ERROR", "[Errno %d] %s", -r, strerror(-r));
	else
		f2b_client_say(o, "ERROR",
		    "[[Errno %d] %s] Unable to contact server. Is it running?", -r,
		    strerror(-r));
}

static void print_buf(struct buf *b)
{
	buf_add_char(b, '\n');
	(void)fwrite(buf_str(b), 1, b->n, stdout);
	(void)fflush(stdout);
}

/* ('jail',): the arguments of an exception, as a tuple. */
static void add_arguments(struct buf *b, const struct pickle_value *v)
{
	struct pickle_value args = *v;

	if (v->kind == PICKLE_OBJECT)
		args.kind = PICKLE_TUPLE;
	f2b_repr_value(b, &args);
}

static int send_command(const struct f2b_client_options *o, const struct f2b_request *q)
{
	struct buf text = BUF_INIT(256u << 20);
	struct f2b_answer a;
	struct err e = {""};
	bool is_good;
	int r = f2b_client_ask(o->socket, q, &a, &e);

	if (r < 0) {
		if (r == -EBADMSG)
			f2b_client_say(o, "ERROR", "%s", e.text);
		else
			say_unreachable(o, r, !strcmp(q->words[0], "ping"));
		return F2B_BAD;
	}
	is_good = a.is_good;
	if (is_good) {
		f2b_beautify(q->words, q->n_words, a.value, &text);
	} else {
		add_arguments(&text, a.value);
		f2b_client_say(o, "ERROR", "NOK: %s", buf_str(&text));
		buf_clear(&text);
		f2b_beautify_error(a.value, &text);
	}
	print_buf(&text);
	buf_deinit(&text);
	f2b_answer_deinit(&a);
	return is_good ? F2B_GOOD : F2B_BAD;
}

/* --- waiting --- */

bool f2b_client_wait(const struct f2b_client_options *o, bool is_there)
{
	mono_t began = mono_now();
	useconds_t pause_us = 12500;

	for (;;) {
		bool is_now =
		    access(o->socket, F_OK) == 0 && f2b_client_ping(o->socket, PING_MS);

		if (is_now == is_there)
			return true;
		if (mono_now().us - began.us >= o->timeout_sec * US_PER_SEC)
			return false;
		(void)usleep(pause_us);
		if (pause_us < 200000)
			pause_us *= 2;
	}
}

/* --- reload, restart --- */

static bool is_reload_option(const char *word)
{
	return !strcmp(word, "--restart") || !strcmp(word, "--unban") ||
	       !strcmp(word, "--if-exists");
}

static void say_unexpected(
    const struct f2b_client_options *o, const char *const *words, size_t n_words)
{
	struct buf b = BUF_INIT(1 << 20);

	for (size_t i = 0; i < n_words; i++)
		buf_printf(&b, "%s'%s'", i ? ", " : "", words[i]);
	f2b_client_say(
	    o, "ERROR", "Unexpected argument(s) for reload: [%s]", buf_str(&b));
	buf_deinit(&b);
}

/* Only bandogd reads its configuration itself; fail2ban's server wants it from us. */
static bool is_bandogd(const struct f2b_client_options *o)
{
	static const char *const words[] = {"version"};
	const struct f2b_request q = {.words = words, .n_words = 1};
	struct f2b_answer a;
	struct err e;
	bool is_ours;

	if (f2b_client_ask(o->socket, &q, &a, &e) < 0)
		return false;
	is_ours = a.is_good && a.value->kind == PICKLE_STR &&
		  span_find(a.value->text, SPAN("bandog")) >= 0;
	f2b_answer_deinit(&a);
	return is_ours;
}

static int reload(
    const struct f2b_client_options *o, const char *const *words, size_t n_words)
{
	const char *sent[] = {"reload", "--all"};
	struct f2b_request q = {
	    .words = sent, .n_words = 2, .is_reload = true, .options = words + 1};

	while (1 + q.n_options < n_words && is_reload_option(words[1 + q.n_options]))
		q.n_options++;
	words += 1 + q.n_options;
	n_words -= 1 + q.n_options;
	if (n_words > 1) {
		say_unexpected(o, words, n_words);
		return F2B_BAD;
	}
	if (n_words == 1)
		sent[1] = words[0];
	if (!f2b_client_ping(o->socket, 0)) {
		f2b_client_say(o, "ERROR", "Could not find server");
		return F2B_BAD;
	}
	if (!is_bandogd(o)) {
		f2b_client_say(
		    o, "ERROR", "this is not bandogd: its own client has to reload it");
		return F2B_BAD;
	}
	return send_command(o, &q);
}

static int restart(
    const struct f2b_client_options *o, const char *const *words, size_t n_words)
{
	const char *changed[F2B_WORDS_MAX + 1] = {"reload", "--restart"};
	const char *const stop = "stop";

	if (n_words > 1) {
		memcpy(&changed[2], &words[1], (n_words - 1) * sizeof(words[0]));
		return reload(o, changed, n_words + 1);
	}
	(void)send_command(o, &(struct f2b_request){.words = &stop, .n_words = 1});
	if (!f2b_client_wait(o, false)) {
		f2b_client_say(o, "ERROR", "Could not stop server");
		return F2B_BAD;
	}
	return f2b_client_start(o);
}

/* How long "ping N" waits. */
static int ping_ms(const char *text)
{
	double sec = strtod(text, NULL);

	return sec > 0.001 && sec < 1e6 ? (int)(sec * 1000) : 1;
}

int f2b_client_run(
    const struct f2b_client_options *o, const char *const *words, size_t n_words)
{
	struct f2b_request q = {.words = words, .n_words = n_words};

	if (n_words > F2B_WORDS_MAX) {
		f2b_client_say(o, "ERROR", "more than %d words", F2B_WORDS_MAX);
		return F2B_BAD;
	}
	if (n_words == 1 && !strcmp(words[0], "start"))
		return f2b_client_start(o);
	if (!strcmp(words[0], "restart"))
		return restart(o, words, n_words);
	if (!strcmp(words[0], "reload"))
		return reload(o, words, n_words);
	if (n_words > 1 && !strcmp(words[0], "ping"))
		q.timeout_ms = ping_ms(words[1]);
	return send_command(o, &q);
}

/* --- interactive --- */

/* The next word at *@at, quotes as in a shell taken off, in place. NULL: no more. */
static char *next_word(char **at)
{
	char *from = *at, *to, *word, quote = 0;

	while (*from == ' ' || (*from >= '\t' && *from <= '\r'))
		from++;
	if (!*from)
		return NULL;
	word = to = from;
	for (; *from; from++) {
		if (!quote && (*from == ' ' || (*from >= '\t' && *from <= '\r'))) {
			from++;
			break;
		}
		if (*from == quote)
			quote = 0;
		else if (!quote && (*from == '\'' || *from == '"'))
			quote = *from;
		else if (*from == '\\' && quote != '\'' && from[1])
			*to++ = *++from;
		else
			*to++ = *from;
	}
	*at = from;
	*to = '\0';
	return word;
}

static void run_line(const struct f2b_client_options *o, char *line)
{
	const char *words[F2B_WORDS_MAX];
	size_t n = 0;
	char *word;

	while (n < F2B_WORDS_MAX && (word = next_word(&line)))
		words[n++] = word;
	if (n == 0)
		return;
	if (n == 1 && !strcmp(words[0], "help"))
		f2b_client_help(o);
	else
		(void)f2b_client_run(o, words, n);
}

int f2b_client_interactive(const struct f2b_client_options *o)
{
	CLEANUP(freep) char *line = NULL;
	size_t room = 0;

	puts("Fail2Ban v" F2B_VERSION " (bandog " BANDOG_VERSION ")\n");
	for (;;) {
		ssize_t n;

		fputs("fail2ban> ", stdout);
		(void)fflush(stdout);
		n = getline(&line, &room, stdin);
		if (n < 0 || n > LINE_BYTES_MAX) {
			putchar('\n');
			f2b_client_say(o, "ERROR", "EOF when reading a line");
			return F2B_BAD;
		}
		line[strcspn(line, "\r\n")] = '\0';
		if (!strcmp(line, "exit") || !strcmp(line, "quit"))
			return F2B_GOOD;
		run_line(o, line);
	}
}

/* --- the programs --- */

/* -d and -t come before any command. Return: -1 to go on. */
static int look_at_configuration(const struct f2b_client_options *o)
{
	int code = -1;

	if (o->dump) {
		code = f2b_client_dump(o);
		if (!o->test)
			return code;
	}
	if (!o->test)
		return -1;
	code = f2b_client_test(o);
	if (code != F2B_GOOD) {
		f2b_client_say(o, "ERROR", "ERROR: test configuration failed");
		return code;
	}
	if (o->n_words > 0)
		return -1;
	puts("OK: configuration test is successful");
	return F2B_GOOD;
}

static int run(const struct f2b_client_options *o)
{
	const char *const *words = (const char *const *)o->words;
	int code = look_at_configuration(o);

	if (code >= 0)
		return code;
	if (o->is_server && !o->interactive && o->n_words == 0)
		return f2b_client_start(o);
	if (o->interactive) {
		if (o->n_words > 0)
			code = f2b_client_run(o, words, (size_t)o->n_words);
		return code > 0 ? code : f2b_client_interactive(o);
	}
	if (o->n_words == 0) {
		f2b_client_help(o);
		return F2B_BAD;
	}
	return f2b_client_run(o, words, (size_t)o->n_words);
}

int f2b_client_main(int argc, char **argv)
{
	struct f2b_client_options o;
	int code = f2b_client_parse(argc, argv, &o);

	if (code < 0)
		code = run(&o);
	free(o.socket);
	return fflush(stdout) == 0 ? code : F2B_BAD;
}

int f2b_server_main(int argc, char **argv)
{
	return f2b_client_main(argc, argv);
}
