/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/sd_notify.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"

static void notify(const char *text)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un a = {.sun_family = AF_UNIX};

	if (!path || (path[0] != '/' && path[0] != '@') ||
	    strlen(path) >= sizeof(a.sun_path))
		return;
	size_t n = strlen(path);

	memcpy(a.sun_path, path, n);
	if (a.sun_path[0] == '@')
		a.sun_path[0] = '\0'; /* an abstract name */
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return;
	/* Nobody to tell if this fails. */
	(void)sendto(fd, text, strlen(text), MSG_NOSIGNAL, (struct sockaddr *)&a,
	    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n));
	close(fd);
}

void sd_notify_ready(void)
{
	notify("READY=1");
}

void sd_notify_reloading(void)
{
	char text[80];

	snprintf(
	    text, sizeof(text), "RELOADING=1\nMONOTONIC_USEC=%" PRId64, mono_now().us);
	notify(text);
}

void sd_notify_stopping(void)
{
	notify("STOPPING=1");
}
