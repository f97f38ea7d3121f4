/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * f2b_client - the parts of fail2ban-client and fail2ban-server
 *
 * Speaks fail2ban's protocol to the socket of bandogd (or of fail2ban's own server) and
 * prints answers in fail2ban's words. What a client does by itself, start, restart and
 * the test of a configuration, is done with bandogd. One command at a time.
 */

#include "base/buf.h"
#include "base/err.h"
#include "base/pickle.h"

#define F2B_WORDS_MAX 1000 /* of one command */

enum { F2B_GOOD = 0, F2B_BAD = 255 };

struct f2b_client_options {
	const char *name; /* argv[0] */
	const char *config_dir;
	char *socket; /* malloc'd */
	const char *loglevel, *logtarget;
	int verbose; /* 1: errors and warnings */
	int timeout_sec;
	bool is_server; /* called as fail2ban-server */
	bool foreground, interactive, dump, dump_pretty, test;
	char **words; /* the command */
	int n_words;
};

/* Return: -1, or the exit code with which to end. */
int f2b_client_parse(int argc, char **argv, struct f2b_client_options *o);
void f2b_client_help(const struct f2b_client_options *o);

/* One line on stderr as fail2ban logs it; nothing if -q was given often enough. */
void f2b_client_say(const struct f2b_client_options *o, const char *level,
    const char *fmt, ...) PRINTF_LIKE(3, 4);

/* --- one exchange --- */

struct f2b_request {
	const char *const *words;
	size_t n_words;
	/* Behind the words of "reload": a list of options, and a configuration, which
	 * is empty, for bandogd reads it itself. */
	bool is_reload;
	const char *const *options;
	size_t n_options;
	int timeout_ms; /* how long to wait for the answer; 0: for ever */
};

struct f2b_answer {
	struct buf bytes;
	struct pickle *pickle;
	bool is_good; /* else @value is the exception */
	const struct pickle_value *value;
};

/**
 * f2b_client_ask()
 * @out: to be given to f2b_answer_deinit() when 0 is returned
 *
 * Return: 0, -EBADMSG with @e, or another negative errno of the socket.
 */
int f2b_client_ask(const char *socket_path, const struct f2b_request *q,
    struct f2b_answer *out, struct err *e);
void f2b_answer_deinit(struct f2b_answer *a);

/* Does a server answer there? */
bool f2b_client_ping(const char *socket_path, int timeout_ms);

/* --- what it looks like --- */

/* As Python's repr() and str() have it. */
void f2b_repr_value(struct buf *b, const struct pickle_value *v);
void f2b_str_value(struct buf *b, const struct pickle_value *v);

/* Is it an object of class @name, in whatever module? */
bool f2b_object_is(const struct pickle_value *v, const char *name);

/* The answer to a command, or to a command that failed, for people. @out is cleared. */
void f2b_beautify(const char *const *words, size_t n_words,
    const struct pickle_value *v, struct buf *out);
void f2b_beautify_error(const struct pickle_value *v, struct buf *out);

/* --- what the client does itself --- */

/* Return: exit code. */
int f2b_client_start(const struct f2b_client_options *o);
int f2b_client_test(const struct f2b_client_options *o);
int f2b_client_dump(const struct f2b_client_options *o);

/* One command, wherever it came from. Return: exit code. */
int f2b_client_run(
    const struct f2b_client_options *o, const char *const *words, size_t n_words);
int f2b_client_interactive(const struct f2b_client_options *o);

/* Wait until a server answers, or none. Return: false: it took too long. */
bool f2b_client_wait(const struct f2b_client_options *o, bool is_there);

/* The programs; argv[0] is the name. Return: exit code. */
int f2b_client_main(int argc, char **argv);
int f2b_server_main(int argc, char **argv);
