/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * talk - a connection of an SMTP client, one line at a time
 *
 * Never waits: who waits is told by epoll, with the pointer that talk_open() was given.
 * The next line is said after the reply to the one before, so nothing is ever left to
 * be sent later.
 */

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdint.h>

struct talk {
	int fd; /* -1: there is none */
	char room[512];
	uint32_t at, n;   /* what of the room has not been heard yet */
	uint32_t column;  /* of the line that is being heard */
	int code;         /* of that line */
	bool is_last;     /* it is not followed by another one of the same reply */
	bool is_answered; /* the server's program has said something */
};

enum {
	TALK_REPLY = 1, /* a whole one */
	TALK_OVER = 2,  /* refused, ended or cut */
};

/* Begin to connect from @source to @port of @server; @epoll tells @owner what comes.
 * Return: 0 or negative errno. */
int talk_open(struct talk *t, const char *source, const char *server, uint16_t port,
    int epoll, void *owner);

/* Return: 0 nothing (more) has come, TALK_REPLY or TALK_OVER. */
int talk_hear(struct talk *t);

/* Return: 0 or negative errno: it is over. */
int talk_say(struct talk *t, const char *text);

void talk_close(struct talk *t);
