/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "runner/mailer.h"

#include <curl/curl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/buf.h"
#include "base/dynlib.h"
#include "proc/role.h"
#include "proc/sandbox.h"

#define LETTER_MAX (128 * 1024)
#define TIMEOUT_SEC 50L /* less than an action's 60 s, so that it can say why */

struct curl_lib {
	CURL *(*init)(void);
	CURLcode (*setopt)(CURL *, CURLoption, ...);
	CURLcode (*perform)(CURL *);
	void (*cleanup)(CURL *);
	struct curl_slist *(*append)(struct curl_slist *, const char *);
	void (*free_all)(struct curl_slist *);
	const char *(*strerror)(CURLcode);
};

static const struct dynlib_symbol symbols[] = {
    {"curl_easy_init", offsetof(struct curl_lib, init)},
    {"curl_easy_setopt", offsetof(struct curl_lib, setopt)},
    {"curl_easy_perform", offsetof(struct curl_lib, perform)},
    {"curl_easy_cleanup", offsetof(struct curl_lib, cleanup)},
    {"curl_slist_append", offsetof(struct curl_lib, append)},
    {"curl_slist_free_all", offsetof(struct curl_lib, free_all)},
    {"curl_easy_strerror", offsetof(struct curl_lib, strerror)},
};

static bool load(struct curl_lib *lib)
{
	static const char *const names[] = {
	    "libcurl.so.4", "libcurl-gnutls.so.4", "libcurl-nss.so.4", NULL};

	return dynlib_load(names, symbols, ARRAY_LEN(symbols), lib, NULL) == 0;
}

static struct span setting(const char *name)
{
	const char *text = getenv(name);

	return span_trim(span_of(text ? text : ""));
}

/* A header's value: one line. */
static void add_header(struct buf *b, const char *name, struct span value)
{
	buf_printf(b, "%s: ", name);
	for (size_t i = 0; i < value.n; i++)
		buf_add_char(b, (unsigned char)value.p[i] < 0x20 ? ' ' : value.p[i]);
	buf_add_str(b, "\r\n");
}

static void add_from(struct buf *b)
{
	CLEANUP(buf_deinit) struct buf from = BUF_INIT(1024);

	buf_quote(&from, setting(MAILER_FROM_NAME), 200);
	buf_printf(&from, " <" SPAN_FMT ">", SPAN_ARG(setting(MAILER_FROM)));
	add_header(b, "From", buf_span(&from));
}

/* RFC 5322; line ends become CRLF. */
static void write_letter(struct buf *b)
{
	const char *text = getenv(MAILER_TEXT);
	time_t now = time(NULL);
	struct tm tm;
	char date[64] = "";

	if (localtime_r(&now, &tm))
		strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S %z", &tm);
	add_header(b, "Date", span_of(date));
	add_from(b);
	add_header(b, "To", setting(MAILER_TO));
	add_header(b, "Subject", setting(MAILER_SUBJECT));
	buf_add_str(b, "MIME-Version: 1.0\r\n"
		       "Content-Type: text/plain; charset=utf-8\r\n"
		       "Content-Transfer-Encoding: 8bit\r\n"
		       "Auto-Submitted: auto-generated\r\n\r\n");
	for (; text && *text; text++) {
		if (*text == '\n')
			buf_add_char(b, '\r');
		if (*text != '\r')
			buf_add_char(b, *text);
	}
}

static size_t give(char *out, size_t size, size_t n, void *ctx)
{
	struct span *rest = ctx;
	size_t part = size * n < rest->n ? size * n : rest->n;

	memcpy(out, rest->p, part);
	*rest = span_skip(*rest, part);
	return part;
}

static struct curl_slist *recipients(const struct curl_lib *lib)
{
	struct span rest = setting(MAILER_TO), word;
	struct curl_slist *list = NULL;

	while (span_next_word(&rest, ",", &word)) {
		CLEANUP(freep) char *one = span_dup(word);
		struct curl_slist *more = one ? lib->append(list, one) : NULL;

		if (more)
			list = more;
	}
	return list;
}

static CURLcode deliver(const struct curl_lib *lib, CURL *curl, struct span letter)
{
	CLEANUP(buf_deinit) struct buf url = BUF_INIT(1024), from = BUF_INIT(512);
	CLEANUP(freep) char *user = span_dup(setting(MAILER_USER));
	CLEANUP(freep) char *password = span_dup(setting(MAILER_PASSWORD));
	struct curl_slist *to = recipients(lib);
	bool is_tls = setting(MAILER_TLS).n &&
		      !span_eq_nocase(setting(MAILER_TLS), SPAN("no")) &&
		      !span_eq_nocase(setting(MAILER_TLS), SPAN("false"));

	buf_printf(&url, "%s://" SPAN_FMT, is_tls ? "smtps" : "smtp",
	    SPAN_ARG(setting(MAILER_HOST)));
	buf_add_span(&from, setting(MAILER_FROM));
	lib->setopt(curl, CURLOPT_URL, buf_str(&url));
	lib->setopt(curl, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
	lib->setopt(curl, CURLOPT_PROXY, "");
	lib->setopt(curl, CURLOPT_TIMEOUT, TIMEOUT_SEC);
	lib->setopt(curl, CURLOPT_NOSIGNAL, 1L);
	lib->setopt(curl, CURLOPT_MAIL_FROM, buf_str(&from));
	lib->setopt(curl, CURLOPT_MAIL_RCPT, to);
	lib->setopt(curl, CURLOPT_UPLOAD, 1L);
	lib->setopt(curl, CURLOPT_READFUNCTION, give);
	lib->setopt(curl, CURLOPT_READDATA, &letter);
	if (user && *user) {
		lib->setopt(curl, CURLOPT_USERNAME, user);
		lib->setopt(curl, CURLOPT_PASSWORD, password ? password : "");
		/* A password does not go out in the clear where TLS is to be had. */
		lib->setopt(curl, CURLOPT_USE_SSL, (long)CURLUSESSL_TRY);
	}
	CURLcode r = lib->perform(curl);

	lib->free_all(to);
	return r;
}

int mailer_main(const struct role_args *args)
{
	struct buf letter = BUF_INIT(LETTER_MAX);
	struct curl_lib lib;
	struct err e = {""};

	if (sandbox_enter(ROLE_MAILER, args->user, NULL, -1, &e) < 0) {
		fprintf(stderr, "mailer: %s\n", e.text);
		return 1;
	}
	if (!load(&lib)) {
		fprintf(stderr, "mailer: libcurl is not installed\n");
		return 1;
	}
	write_letter(&letter);
	CURL *curl = lib.init();
	CURLcode r = curl && !letter.failed ? deliver(&lib, curl, buf_span(&letter))
					    : CURLE_OUT_OF_MEMORY;

	if (r != CURLE_OK)
		fprintf(stderr, "mailer: " SPAN_FMT ": %s\n",
		    SPAN_ARG(setting(MAILER_HOST)), lib.strerror(r));
	if (curl)
		lib.cleanup(curl);
	buf_deinit(&letter);
	return r == CURLE_OK ? 0 : 1;
}
