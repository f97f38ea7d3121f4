/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/places.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"

#define SOCKET_NAME "bandog.sock"
#define F2B_SOCKET_NAME "fail2ban.sock"
#define LOCK_NAME "bandogd.pid"
#define NETWORK_NAME "bandogd" /* of an abstract socket */

/* As `mkdir -p`, for the last two levels: enough for what an administrator names. */
static int make_dir(const char *path, mode_t mode)
{
	char parent[PATH_MAX];
	const char *slash = strrchr(path, '/');

	if (mkdir(path, mode) == 0 || errno == EEXIST)
		return 0;
	if (errno != ENOENT || !slash || slash == path)
		return -errno;
	snprintf(parent, sizeof(parent), "%.*s", (int)(slash - path), path);
	if (mkdir(parent, 0755) < 0 && errno != EEXIST)
		return -errno;
	return mkdir(path, mode) < 0 && errno != EEXIST ? -errno : 0;
}

static char *absolute(const char *path)
{
	char cwd[PATH_MAX];
	char *out = NULL;

	if (path[0] == '/' || !getcwd(cwd, sizeof(cwd)))
		return strdup(path);
	return asprintf(&out, "%s/%s", cwd, path) < 0 ? NULL : out;
}

static int write_pid(int fd)
{
	char text[32];
	int n = snprintf(text, sizeof(text), "%d\n", getpid());

	if (ftruncate(fd, 0) < 0)
		return -errno;
	return pwrite(fd, text, (size_t)n, 0) == n ? 0 : -EIO;
}

static int take_lock(struct places *p, struct err *e)
{
	CLEANUP(freep) char *path = NULL;

	if (asprintf(&path, "%s/" LOCK_NAME, p->run_dir) < 0)
		return err_set(e, -ENOMEM, "out of memory");
	p->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (p->lock_fd < 0)
		return err_errno(e, -errno, "%s", path);
	if (flock(p->lock_fd, LOCK_EX | LOCK_NB) < 0)
		return err_set(e, -EBUSY, "another bandogd runs with %s", p->run_dir);
	int r = write_pid(p->lock_fd);

	return r < 0 ? err_errno(e, r, "%s", path) : 0;
}

/* Who listens there? Return: 0, or negative errno: nobody, or it cannot be told. */
static int ask_holder(const struct sockaddr_un *name, socklen_t n, struct ucred *out)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	socklen_t n_out = sizeof(*out);
	int r = fd < 0 ? -errno : 0;

	if (!r && connect(fd, (const struct sockaddr *)name, n) < 0)
		r = -errno;
	if (!r && getsockopt(fd, SOL_SOCKET, SO_PEERCRED, out, &n_out) < 0)
		r = -errno;
	if (fd >= 0)
		close(fd);
	return r;
}

/*
 * One bandogd in a network namespace: two would take each other's table for a disturbed
 * one of their own. Abstract names of sockets are a namespace's own, too. Anybody may
 * take one; only root's or our own user's counts.
 */
static int take_network(struct places *p, struct err *e)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	socklen_t n = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 +
				  strlen(NETWORK_NAME));
	struct ucred holder;

	memcpy(name.sun_path + 1, NETWORK_NAME, strlen(NETWORK_NAME));
	p->network_fd =
	    socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (p->network_fd < 0)
		return err_errno(e, -errno, "socket");
	if (bind(p->network_fd, (const struct sockaddr *)&name, n) == 0)
		return listen(p->network_fd, 8) < 0 ? err_errno(e, -errno, "socket")
						    : 0;
	if (errno != EADDRINUSE || ask_holder(&name, n, &holder) < 0 ||
	    (holder.uid != 0 && holder.uid != geteuid()))
		return 0;
	return err_set(e, -EBUSY,
	    "another bandogd guards this network: two would undo each other's bans");
}

void places_answer(const struct places *p)
{
	int fd;

	while ((fd = accept4(p->network_fd, NULL, NULL, SOCK_CLOEXEC)) >= 0)
		close(fd);
}

int places_take(struct places *p, const struct supervisor_args *args, struct err *e)
{
	p->network_fd = p->lock_fd = p->state_fd = p->listen_fd = p->f2b_fd = -1;
	p->config_dir = absolute(args->config_dir);
	p->state_dir = absolute(args->state_dir);
	p->run_dir = absolute(args->run_dir);
	if (!p->config_dir || !p->state_dir || !p->run_dir ||
	    asprintf(&p->state_arg, "--state-dir=%s", p->state_dir) < 0)
		return err_set(e, -ENOMEM, "out of memory");
	int r = make_dir(p->run_dir, 0755);

	if (r < 0)
		return err_errno(e, r, "run directory %s", p->run_dir);
	r = take_lock(p, e);
	return r < 0 || args->dry_run ? r : take_network(p, e);
}

static int open_state(struct places *p, const char *user, struct err *e)
{
	int r = make_dir(p->state_dir, 0700);

	if (r < 0)
		return err_errno(e, r, "state directory %s", p->state_dir);
	p->state_fd = open(p->state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (p->state_fd < 0)
		return err_errno(e, -errno, "state directory %s", p->state_dir);
	if (geteuid() != 0)
		return 0;
	const struct passwd *pw = getpwnam(user);

	if (!pw)
		pw = getpwnam("nobody");
	if (!pw)
		return 0;
	/* The files too: the account may have been created after a first run. In a user
	 * namespace there is only one user, and this fails harmlessly. */
	static const char *const files[] = {
	    "bandog.db", "bandog.db-wal", "bandog.db-shm"};

	if (fchown(p->state_fd, pw->pw_uid, pw->pw_gid) == 0)
		(void)fchmod(p->state_fd, 0700);
	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		if (fchownat(p->state_fd, files[i], pw->pw_uid, pw->pw_gid,
			AT_SYMLINK_NOFOLLOW) < 0 &&
		    errno != ENOENT)
			break;
	return 0;
}

static int open_socket(
    const struct places *p, const char *name, int *out_fd, struct err *e)
{
	CLEANUP(fd_closep) int fd = -1;
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int n = snprintf(a.sun_path, sizeof(a.sun_path), "%s/%s", p->run_dir, name);

	if (n < 0 || (size_t)n >= sizeof(a.sun_path))
		return err_set(e, -ENAMETOOLONG,
		    "run directory %s: too long for a socket", p->run_dir);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return err_errno(e, -errno, "socket");
	(void)unlink(a.sun_path); /* we hold the lock: nobody else serves it */
	mode_t before = umask(0177);
	int r = bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0 ? -errno : 0;

	umask(before);
	if (r < 0 || listen(fd, 16) < 0)
		return err_errno(e, r < 0 ? r : -errno, "%s", a.sun_path);
	*out_fd = TAKE_FD(fd);
	return 0;
}

static int open_log_file(const char *path)
{
	int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0640);

	if (fd < 0)
		return -errno;
	int r = dup2(fd, 2) < 0 ? -errno : 0;

	close(fd);
	return r;
}

/* A daemon has no standard output: in the foreground it takes the place of stderr. */
static void log_in_foreground(struct places *p, const struct setup *s)
{
	bool is_stdout =
	    !strcmp(s->log_target, "STDOUT") || !strcmp(s->log_target, "SYSOUT");

	if (is_stdout)
		(void)dup2(1, 2);
	if (p->log.sink != LOG_TO_STDERR)
		p->log.without_time = p->log.without_padding = false;
	p->log.sink = LOG_TO_STDERR;
}

static int open_log(
    struct places *p, const struct setup *s, bool foreground, struct err *e)
{
	CLEANUP(buf_deinit) struct buf arg = BUF_INIT(8192);

	if (log_options_decode(s->log_how, &p->log) < 0)
		return err_set(e, -EINVAL, "logtarget: cannot be used");
	if (foreground)
		log_in_foreground(p, s);
	else if (s->log_target[0] == '/')
		p->log_path = strdup(s->log_target);
	p->pid_path = s->pid_path ? strdup(s->pid_path) : NULL;
	buf_add_str(&arg, "--log=");
	log_options_encode(&p->log, &arg);
	p->log_arg = arg.failed ? NULL : strdup(buf_str(&arg));
	return p->log_arg ? 0 : err_set(e, -ENOMEM, "out of memory");
}

int places_open(struct places *p, const struct setup *s, bool foreground, struct err *e)
{
	int r = open_state(p, s->user, e);

	if (!r)
		r = open_socket(p, SOCKET_NAME, &p->listen_fd, e);
	if (!r)
		r = open_socket(p, F2B_SOCKET_NAME, &p->f2b_fd, e);
	if (r < 0)
		return r;
	return open_log(p, s, foreground, e);
}

int places_daemonize(struct places *p, int *out_ready_fd)
{
	int fds[2];
	char byte;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (pid > 0) {
		close(fds[1]);
		ssize_t n;

		do {
			n = read(fds[0], &byte, 1);
		} while (n < 0 && errno == EINTR);
		if (n != 1)
			fprintf(stderr, "bandogd: did not start; see its log\n");
		return n == 1 ? 1 : 3;
	}
	close(fds[0]);
	setsid();
	if (chdir("/") < 0)
		return -errno;
	int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null_fd >= 0) {
		dup2(null_fd, 0);
		dup2(null_fd, 1);
		if (p->log.sink != LOG_TO_STDERR)
			dup2(null_fd, 2);
		close(null_fd);
	}
	if (p->log_path)
		(void)open_log_file(p->log_path);
	*out_ready_fd = fds[1];
	return write_pid(p->lock_fd);
}

bool places_reopen_log(struct places *p)
{
	if (!p->log_path)
		return false;
	if (open_log_file(p->log_path) == 0)
		return true;
	log_warning(p->log_path, "cannot be reopened; still writing to the old file");
	return false;
}

static bool is_alive(const char *path)
{
	CLEANUP(buf_deinit) struct buf text = BUF_INIT(32);
	int64_t pid;

	return fd_read_file(AT_FDCWD, path, &text) == 0 &&
	       span_to_i64(span_trim(buf_span(&text)), &pid) == 0 && pid > 0 &&
	       pid != getpid() && kill((pid_t)pid, 0) == 0;
}

void places_write_pid(struct places *p)
{
	CLEANUP(fd_closep) int fd = -1;
	CLEANUP(freep) char *dir = NULL;

	if (!p->pid_path)
		return;
	const char *slash = strrchr(p->pid_path, '/');
	bool is_taken = is_alive(p->pid_path);

	dir = strndup(
	    p->pid_path, slash > p->pid_path ? (size_t)(slash - p->pid_path) : 1);
	if (dir && !is_taken)
		(void)make_dir(dir, 0755);
	if (!is_taken)
		fd = open(
		    p->pid_path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
	int r = is_taken ? -EEXIST : fd < 0 ? -errno : write_pid(fd);

	if (!r)
		return;
	log_warning(p->pid_path, "not written: %s",
	    is_taken ? "that process is running" : strerror(-r));
	free(p->pid_path);
	p->pid_path = NULL;
}

static void close_socket(const struct places *p, const char *name, int *fd)
{
	char path[PATH_MAX];

	if (*fd < 0)
		return;
	snprintf(path, sizeof(path), "%s/%s", p->run_dir, name);
	(void)unlink(path);
	fd_closep(fd);
}

void places_release(struct places *p)
{
	if (p->pid_path)
		(void)unlink(p->pid_path);
	close_socket(p, SOCKET_NAME, &p->listen_fd);
	close_socket(p, F2B_SOCKET_NAME, &p->f2b_fd);
	fd_closep(&p->state_fd);
	fd_closep(&p->lock_fd);
	fd_closep(&p->network_fd);
	free(p->config_dir);
	free(p->state_dir);
	free(p->run_dir);
	free(p->state_arg);
	free(p->log_path);
	free(p->log_arg);
	free(p->pid_path);
}
