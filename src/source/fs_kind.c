/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fs_kind - can inotify serve on this file system?
 *
 * Numbers from linux/magic.h and, for those that are not in it, from the source of each
 * file system; the kernel gives them out once and for all.
 */
#include "source/fs_kind.h"

#include <stdint.h>
#include <sys/vfs.h>

#include "base/cleanup.h"

static const struct {
	uint32_t magic;
	const char *name;
} POLLED[] = {
    {0x6969, "NFS"},
    {0xff534d42, "CIFS"},
    {0xfe534d42, "SMB"},
    {0x517b, "SMB"},
    {0x65735546, "FUSE"},
    {0x01021997, "9p"},
    {0x00c36400, "Ceph"},
    {0x5346414f, "AFS"},
    {0x6b414653, "AFS"},
    {0x73757245, "Coda"},
    {0x0bd00bd0, "Lustre"},
    {0x19830326, "BeeGFS"},
    {0x01161970, "GFS2"},
    {0x7461636f, "OCFS2"},
    {0x786f4256, "vboxsf"},
    {0x9fa0, "proc"},
};

static const char *name_of(const struct statfs *st)
{
	for (size_t i = 0; i < ARRAY_LEN(POLLED); i++)
		if (POLLED[i].magic == (uint32_t)st->f_type)
			return POLLED[i].name;
	return NULL;
}

const char *fs_kind_polled(int fd)
{
	struct statfs st;

	return fstatfs(fd, &st) < 0 ? NULL : name_of(&st);
}

const char *fs_kind_polled_at(const char *path)
{
	struct statfs st;

	return statfs(path, &st) < 0 ? NULL : name_of(&st);
}
