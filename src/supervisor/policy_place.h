/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * policy_place - the socket on which the mail server asks whom to refuse
 *
 * It lies where a process of the mail server in its chroot can reach it, as
 * /var/spool/postfix/private, and belongs to the owner of that directory. He may do
 * there what he likes: so it is made with his rights, not with root's.
 */

#include <sys/types.h>

#include "base/err.h"

struct policy_place {
	int fd;     /* listening; -1: none */
	char *path; /* of it; NULL: none */
	dev_t dev;  /* which file there is ours */
	ino_t ino;
};

/**
 * policy_place_open() - have it at @path
 *
 * What was at another path goes. Where it is already, nothing is done. A socket that
 * nobody listens on is replaced; one of another program, as a service of the mail
 * server itself, stays. Return: 0, or negative errno with @e: there is none now.
 */
int policy_place_open(struct policy_place *p, const char *path, struct err *e);
/* Removes it, if what is there is still ours. */
void policy_place_close(struct policy_place *p);
