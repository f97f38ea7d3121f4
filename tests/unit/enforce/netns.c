/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "netns.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"

static int write_to(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = write(fd, text, strlen(text));
	close(fd);
	return n < 0 ? -errno : 0;
}

/* Root inside, so that programs we start keep the capabilities. */
int netns_enter(void)
{
	unsigned int uid = getuid(), gid = getgid();
	char map[64];

	if (unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0)
		return -errno;
	(void)write_to("/proc/self/setgroups", "deny"); /* as root it is not needed */
	(void)snprintf(map, sizeof(map), "0 %u 1", uid);
	if (write_to("/proc/self/uid_map", map) < 0)
		return -EPERM;
	(void)snprintf(map, sizeof(map), "0 %u 1", gid);
	if (write_to("/proc/self/gid_map", map) < 0)
		return -EPERM;
	return netns_run("ip link set lo up") == 0 ? 0 : -ENOENT;
}

__attribute__((format(printf, 1, 0))) static char *format(const char *fmt, va_list ap)
{
	char *text = NULL;

	if (vasprintf(&text, fmt, ap) < 0)
		abort();
	return text;
}

int netns_run(const char *fmt, ...)
{
	CLEANUP(freep) char *cmd = NULL;
	va_list ap;
	int status;

	va_start(ap, fmt);
	cmd = format(fmt, ap);
	va_end(ap);
	status = system(cmd); /* NOLINT: a test */
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

char *netns_read(const char *fmt, ...)
{
	CLEANUP(freep) char *cmd = NULL;
	char *text = NULL;
	size_t n = 0;
	va_list ap;
	FILE *out, *in;
	int c;

	va_start(ap, fmt);
	cmd = format(fmt, ap);
	va_end(ap);
	in = popen(cmd, "re"); /* NOLINT: a test */
	out = open_memstream(&text, &n);
	if (!in || !out)
		abort();
	while ((c = getc(in)) != EOF)
		(void)putc(c, out);
	if (pclose(in) != 0) {
		fprintf(stderr, "# failed: %s\n", cmd);
		abort();
	}
	(void)fclose(out);
	return text;
}

bool netns_has(const char *text)
{
	CLEANUP(freep) char *all = netns_read("nft list ruleset");

	if (strstr(all, text))
		return true;
	fprintf(stderr, "# no '%s' in:\n%s", text, all);
	return false;
}

bool netns_is_to_be_had(void)
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0)
		_exit(netns_enter() < 0);
	if (pid > 0 && waitpid(pid, &status, 0) == pid && status == 0)
		return true;
	puts("1..0 # SKIP no network namespace of our own is to be had here");
	return false;
}

int netns_listen(uint16_t port)
{
	struct sockaddr_in6 a = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0), off = 0, on = 1;

	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)), 0);
	assert_int_equal(
	    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)), 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(fd, 64), 0);
	return fd;
}
