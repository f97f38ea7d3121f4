/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/bpf_place.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <pwd.h>
#include <stdbool.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/fd.h"
#include "enforce/xdp.h"

static bool is_bpf(const char *path)
{
	struct statfs f;

	return statfs(path, &f) == 0 && (unsigned long)f.f_type == BPF_FS_MAGIC;
}

/* Return: a descriptor with the lock, or negative errno; -EWOULDBLOCK: another's. */
static int open_locked(void)
{
	CLEANUP(fd_closep)
	int fd = open(BPF_PLACE_DIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0)
		return -errno;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return -errno;
	return TAKE_FD(fd);
}

static const struct passwd *account(const char *user)
{
	const struct passwd *pw = getpwnam(user);

	return pw ? pw : getpwnam("nobody");
}

/* Where anybody may make directories there, one of somebody else stands in our way. */
static bool is_ours(int fd, const char *user)
{
	const struct passwd *pw = account(user);
	struct stat st;

	return fstat(fd, &st) == 0 && (st.st_uid == 0 || st.st_uid == geteuid() ||
					  (pw && st.st_uid == pw->pw_uid));
}

static void give_to(int fd, const char *user)
{
	const struct passwd *pw = account(user);

	/* Where there is only one user this fails, and does not matter. */
	if (pw && geteuid() == 0 && fchown(fd, pw->pw_uid, pw->pw_gid) == 0)
		(void)fchmod(fd, 0700);
}

int bpf_place_open(const char *user, struct err *e)
{
	if (!is_bpf(BPF_PLACE_ROOT))
		return err_set(e, -ENODEV,
		    "XDP: no BPF file system is mounted at " BPF_PLACE_ROOT
		    " (mount -t bpf -o mode=0700 bpf " BPF_PLACE_ROOT ")");
	if (mkdir(BPF_PLACE_DIR, 0700) < 0 && errno != EEXIST)
		return err_errno(e, -errno, "XDP: " BPF_PLACE_DIR);
	int fd = open_locked();

	if (fd == -EWOULDBLOCK)
		return err_set(
		    e, fd, "XDP: another bandogd uses " BPF_PLACE_DIR " already");
	if (fd < 0)
		return err_errno(e, fd, "XDP: " BPF_PLACE_DIR);
	if (!is_ours(fd, user)) {
		close(fd);
		return err_set(e, -EPERM,
		    "XDP: " BPF_PLACE_DIR " is somebody else's; mount " BPF_PLACE_ROOT
		    " with mode=0700");
	}
	give_to(fd, user);
	return fd;
}

void bpf_place_remove(int *fd)
{
	CLEANUP(fd_closep) int held = *fd;

	*fd = -1;
	if (held < 0 && is_bpf(BPF_PLACE_ROOT))
		held = open_locked();
	if (held < 0)
		return;
	(void)xdp_remove(BPF_PLACE_DIR);
	(void)rmdir(BPF_PLACE_DIR);
}
