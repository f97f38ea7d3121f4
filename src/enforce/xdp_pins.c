/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Taking all of it away is a matter of files: also a build without XDP, and a process
 * without CAP_BPF, puts away what another left. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "enforce/xdp.h"

static int unlink_all(DIR *dir)
{
	const struct dirent *d;
	int r = 0;

	while ((d = readdir(dir))) {
		if (d->d_name[0] == '.')
			continue;
		if (unlinkat(dirfd(dir), d->d_name, 0) < 0 && errno != ENOENT)
			r = -errno;
	}
	return r;
}

int xdp_remove(const char *dir)
{
	DIR *d = opendir(dir);

	if (!d)
		return errno == ENOENT ? 0 : -errno;
	int r = unlink_all(d);

	closedir(d);
	return r;
}
