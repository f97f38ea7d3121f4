/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Standing at interfaces: by BPF links (Linux 5.9), which the kernel gives to nobody
 * where another program stands, and lets nobody else replace. A link is pinned under
 * the interface's number; who finds one there puts the new program into it, and no
 * packet passes in between.
 */
#include <dirent.h>
#include <errno.h>
#include <linux/if_link.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "enforce/xdp_private.h"

#define PIN "link-"

struct pin {
	char path[256];
};

static struct pin pin_of(const struct xdp *x, unsigned int index)
{
	struct pin p;

	snprintf(p.path, sizeof(p.path), "%s/" PIN "%u", x->dir ? x->dir : "", index);
	return p;
}

static bool is_wanted(const struct xdp *x, unsigned int index)
{
	for (size_t i = 0; i < x->n_interfaces; i++) {
		if (if_nametoindex(x->interfaces[i].name) == index)
			return true;
	}
	return false;
}

static void drop_masks(struct xdp *x)
{
	uint32_t keys[XDP_MAX_INTERFACES];
	const uint32_t *last = NULL;
	size_t n = 0;

	while (n < XDP_MAX_INTERFACES &&
	       x->lib.get_next_key(x->maps[XDP_INTERFACES], last, &keys[n]) == 0)
		last = &keys[n++];
	for (size_t i = 0; i < n; i++) {
		if (!is_wanted(x, keys[i]))
			(void)x->lib.delete_elem(x->maps[XDP_INTERFACES], &keys[i]);
	}
}

void xdp_drop_links(struct xdp *x)
{
	DIR *dir = x->dir ? opendir(x->dir) : NULL;
	const struct dirent *d;
	unsigned int index;

	drop_masks(x);
	while (dir && (d = readdir(dir))) {
		if (sscanf(d->d_name, PIN "%u", &index) == 1 && !is_wanted(x, index))
			(void)unlinkat(dirfd(dir), d->d_name, 0);
	}
	if (dir)
		closedir(dir);
}

static bool is_ethernet(const char *name)
{
	CLEANUP(fd_closep) int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq q = {.ifr_flags = 0};

	snprintf(q.ifr_name, sizeof(q.ifr_name), "%s", name);
	return fd >= 0 && ioctl(fd, SIOCGIFHWADDR, &q) == 0 &&
	       q.ifr_hwaddr.sa_family == ARPHRD_ETHER;
}

/* Our link there, or -1: none, or one of an interface that is gone. */
static int find_link(struct xdp *x, unsigned int index)
{
	struct bpf_link_info info = {0};
	uint32_t n = sizeof(info);
	struct pin pin = pin_of(x, index);
	CLEANUP(fd_closep) int fd = x->dir ? x->lib.obj_get(pin.path) : -1;

	if (fd < 0)
		return -1;
	if (x->lib.obj_get_info_by_fd(fd, &info, &n) == 0 &&
	    info.type == BPF_LINK_TYPE_XDP && info.xdp.ifindex == index)
		return TAKE_FD(fd);
	(void)unlink(pin.path);
	return -1;
}

static uint32_t program_id(struct xdp *x)
{
	struct bpf_prog_info info = {0};
	uint32_t n = sizeof(info);

	return x->lib.obj_get_info_by_fd(x->program, &info, &n) == 0 ? info.id : 0;
}

/* What stands at an interface now, whosever it is. */
static struct bpf_xdp_query_opts query(struct xdp *x, unsigned int index)
{
	struct bpf_xdp_query_opts o = {.sz = sizeof(o)};

	(void)x->lib.xdp_query((int)index, 0, &o);
	return o;
}

/* Return: 0: none. In each of its modes an interface may have one. */
static uint32_t program_at(struct xdp *x, unsigned int index)
{
	struct bpf_xdp_query_opts o = query(x, index);
	uint32_t ids[] = {o.prog_id, o.drv_prog_id, o.hw_prog_id, o.skb_prog_id};

	for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
		if (ids[i])
			return ids[i];
	}
	return 0;
}

static int set_off(struct xdp_interface *i, int r, const char *why)
{
	i->mode = XDP_OFF;
	if (why)
		return err_set(&i->why, r, "%s", why);
	return err_errno(&i->why, r, "the kernel does not take our program");
}

/* Return: 0 with @out_fd, or negative errno with the reason in @i. */
static int create_link(struct xdp *x, struct xdp_interface *i, int *out_fd)
{
	struct bpf_link_create_opts o = {.sz = sizeof(o), .flags = XDP_FLAGS_DRV_MODE};
	uint32_t foreign = program_at(x, i->index);

	if (foreign)
		return err_set(&i->why, -EBUSY,
		    "another XDP program stands there, which is left alone: id %u "
		    "(`bpftool prog show id %u` tells whose)",
		    foreign, foreign);
	int fd = x->lib.link_create(x->program, (int)i->index, BPF_XDP, &o);

	i->mode = XDP_NATIVE;
	err_set(&i->why, 0, "%s", "");
	if (fd < 0) {
		err_set(&i->why, 0, "its driver does not: %s", strerror(-fd));
		i->mode = XDP_GENERIC;
		o.flags = XDP_FLAGS_SKB_MODE;
		fd = x->lib.link_create(x->program, (int)i->index, BPF_XDP, &o);
	}
	if (fd < 0)
		return set_off(i, fd, NULL);
	*out_fd = fd;
	return 0;
}

static int create_pinned(struct xdp *x, struct xdp_interface *i)
{
	CLEANUP(fd_closep) int fd = -1;
	int r = create_link(x, i, &fd);

	if (r < 0) {
		i->mode = XDP_OFF;
		return r;
	}
	if (!x->dir) {
		if (i->link > 0)
			close(i->link);
		i->link = TAKE_FD(fd);
		return 0;
	}
	struct pin pin = pin_of(x, i->index);

	r = x->lib.obj_pin(fd, pin.path);
	return r < 0 ? set_off(i, r, NULL) : 0;
}

/* Left by an earlier run, with its program. In another network namespace the number may
 * be that of another interface: then it is of no use. */
static int take_over(struct xdp *x, struct xdp_interface *i, int *link)
{
	struct pin pin = pin_of(x, i->index);
	uint32_t own = program_id(x);
	int r = x->lib.link_update(*link, x->program, NULL);

	if (r < 0 || program_at(x, i->index) != own) {
		(void)unlink(pin.path);
		fd_closep(link); /* it would hold the interface */
		*link = -1;
		return create_pinned(x, i);
	}
	i->mode = query(x, i->index).skb_prog_id == own ? XDP_GENERIC : XDP_NATIVE;
	if (i->mode == XDP_GENERIC)
		err_set(&i->why, 0, "as before");
	return 0;
}

static bool stands(struct xdp *x, const struct xdp_interface *i, unsigned int index)
{
	if (i->mode == XDP_OFF || i->index != index)
		return false;
	if (!x->dir)
		return true;
	int fd = find_link(x, index);

	if (fd < 0)
		return false;
	close(fd);
	return true;
}

static int attach(struct xdp *x, struct xdp_interface *i)
{
	CLEANUP(fd_closep) int link = -1;

	if (!i->index)
		return set_off(i, -ENODEV, "there is no such interface");
	if (!is_ethernet(i->name))
		return set_off(i, -EOPNOTSUPP, "it is no Ethernet; use nftables there");
	int r = x->lib.update_elem(
	    x->maps[XDP_INTERFACES], &i->index, &i->targets, BPF_ANY);

	if (r < 0)
		return set_off(i, r, NULL);
	link = find_link(x, i->index);
	return link >= 0 ? take_over(x, i, &link) : create_pinned(x, i);
}

static void check(struct xdp *x, struct xdp_interface *i)
{
	struct xdp_interface before = *i;
	unsigned int index = if_nametoindex(i->name);

	i->is_news = false;
	if (stands(x, i, index)) {
		(void)x->lib.update_elem(
		    x->maps[XDP_INTERFACES], &index, &i->targets, BPF_ANY);
		return;
	}
	if (i->index != index)
		xdp_drop_links(x); /* renamed, it would go on dropping */
	i->index = index;
	(void)attach(x, i);
	i->is_news = i->mode != before.mode || i->mode != XDP_OFF ||
		     strcmp(i->why.text, before.why.text) != 0;
}

bool xdp_attach(struct xdp *x)
{
	bool is_news = false;

	for (size_t i = 0; i < x->n_interfaces; i++) {
		check(x, &x->interfaces[i]);
		is_news |= x->interfaces[i].is_news;
	}
	return is_news;
}
