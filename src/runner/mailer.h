/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * mailer - one letter by SMTP, with libcurl: a process that lives for it alone
 *
 * Started by the runner for jails whose action is smtp.py. Everything is in its
 * environment, where no other user sees it. It becomes the unprivileged user before it
 * speaks to anybody. libcurl is loaded here and nowhere else.
 */

#define MAILER_HOST "BANDOG_MAIL_HOST" /* host, host:port */
#define MAILER_TLS "BANDOG_MAIL_TLS"   /* yes: TLS from the first byte */
#define MAILER_USER "BANDOG_MAIL_USER" /* "": no login */
#define MAILER_PASSWORD "BANDOG_MAIL_PASSWORD"
#define MAILER_FROM "BANDOG_MAIL_FROM"
#define MAILER_FROM_NAME "BANDOG_MAIL_FROM_NAME"
#define MAILER_TO "BANDOG_MAIL_TO" /* addresses, separated by commas */
#define MAILER_SUBJECT "BANDOG_MAIL_SUBJECT"
#define MAILER_TEXT "BANDOG_MAIL_TEXT"

/* The entry point, mailer_main(), is in role.h with the others. Exit code: 0 when the
 * server took it; else it says why on stderr. */
