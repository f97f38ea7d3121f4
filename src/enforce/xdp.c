/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The program and its maps, and what a set-up writes into these. */
#include "enforce/xdp.h"

#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "enforce/xdp_private.h"

/* Of what bpftool has made we use the program's bytes. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wsign-conversion"
#pragma GCC diagnostic ignored "-Wcast-qual"
#include <drop.skel.h>
#pragma GCC diagnostic pop

#define PORTS_BYTES (XDP_PORT_SLOTS * sizeof(uint64_t))

static const char *const map_names[XDP_MAPS] = {
    "who", "bans", "ports", "interfaces", "config", "lengths", "names"};

bool xdp_is_built(void)
{
	return true;
}

static void close_links(struct xdp_interface *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (list[i].link > 0)
			close(list[i].link);
		list[i].link = 0;
	}
}

static void unload(struct xdp *x)
{
	close_links(x->interfaces, x->n_interfaces);
	if (x->ports)
		(void)munmap(x->ports, PORTS_BYTES);
	if (x->object)
		x->lib.object_close(x->object);
	x->ports = NULL;
	x->object = NULL;
}

/* A map that is pinned there is taken; one that does not fit is -EINVAL. */
static int name_pins(struct xdp *x)
{
	char path[256];

	for (int i = 0; i < XDP_MAPS && x->dir; i++) {
		struct bpf_map *m = x->lib.find_map_by_name(x->object, map_names[i]);
		int n = snprintf(path, sizeof(path), "%s/%s", x->dir, map_names[i]);

		if (!m || n < 0 || (size_t)n >= sizeof(path))
			return -ENAMETOOLONG;
		int r = x->lib.map_set_pin_path(m, path);

		if (r < 0)
			return r;
	}
	return 0;
}

static int find_parts(struct xdp *x)
{
	struct bpf_program *p = x->lib.find_program_by_name(x->object, "bandog_drop");

	if (!p)
		return -ENOENT;
	x->program = x->lib.program_fd(p);
	for (int i = 0; i < XDP_MAPS; i++) {
		struct bpf_map *m = x->lib.find_map_by_name(x->object, map_names[i]);

		if (!m)
			return -ENOENT;
		x->maps[i] = x->lib.map_fd(m);
	}
	void *ports = mmap(NULL, PORTS_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED,
	    x->maps[XDP_PORTS], 0);

	if (ports == MAP_FAILED)
		return -errno;
	x->ports = ports;
	return 0;
}

/* What an earlier run has left there. Return: 0, or -EINVAL: of another layout. */
static int read_state(struct xdp *x)
{
	uint32_t i = 0;
	int r = x->lib.lookup_elem(x->maps[XDP_CONFIG], &i, &x->config);

	if (r < 0)
		return r;
	if (x->config.layout && x->config.layout != XDP_LAYOUT)
		return -EINVAL;
	x->config.layout = XDP_LAYOUT;
	for (i = 0; i < XDP_LENGTH_SLOTS && !r; i++)
		r = x->lib.lookup_elem(x->maps[XDP_LENGTHS], &i,
		    &x->lengths[i / XDP_MAX_LENGTHS][i % XDP_MAX_LENGTHS]);
	for (i = 0; i < XDP_MAX_TARGETS && !r; i++) {
		r = x->lib.lookup_elem(x->maps[XDP_NAMES], &i, x->names[i]);
		x->names[i][XDP_NAME_BYTES - 1] = '\0';
	}
	return r;
}

static int load(struct xdp *x)
{
	size_t n_bytes;
	const void *elf = drop__elf_bytes(&n_bytes);

	x->object = x->lib.object_open_mem(elf, n_bytes, NULL);
	if (!x->object)
		return -errno;
	int r = name_pins(x);

	if (!r)
		r = x->lib.object_load(x->object);
	if (!r)
		r = find_parts(x);
	return r ? r : read_state(x);
}

static int load_or_begin_anew(struct xdp *x)
{
	int r = load(x);

	if (r != -EINVAL || !x->dir)
		return r;
	/* Left by a bandog whose maps were others. Who asks for all bans anew (as our
	 * caller does) loses nothing. */
	unload(x);
	r = xdp_remove(x->dir);
	return r < 0 ? r : load(x);
}

struct xdp *xdp_open(const char *dir, struct err *e)
{
	CLEANUP(xdp_closep) struct xdp *x = calloc(1, sizeof(*x));

	if (x && dir)
		x->dir = strdup(dir);
	if (!x || (dir && !x->dir)) {
		err_set(e, -ENOMEM, "out of memory");
		return NULL;
	}
	if (xdp_lib_load(&x->lib, e) < 0)
		return NULL;
	int r = load_or_begin_anew(x);

	if (r == -EPERM)
		err_set(e, r, "XDP: no right to (CAP_BPF and CAP_NET_ADMIN)");
	else if (r < 0)
		err_errno(e, r, "XDP: the kernel does not take our program");
	return r < 0 ? NULL : TAKE(x);
}

struct xdp *xdp_close(struct xdp *x)
{
	if (!x)
		return NULL;
	unload(x);
	free(x->dir);
	free(x);
	return NULL;
}

int xdp_write_config(struct xdp *x)
{
	uint32_t first = 0;

	return x->lib.update_elem(x->maps[XDP_CONFIG], &first, &x->config, BPF_ANY);
}

/* --- set-up ------------------------------------------------------------------------
 */

static int find_name(const struct xdp *x, const char *name)
{
	for (int i = 0; i < XDP_MAX_TARGETS; i++) {
		if (!strcmp(x->names[i], name))
			return i;
	}
	return -1;
}

static int write_name(struct xdp *x, uint32_t bit, const char *name)
{
	memset(x->names[bit], 0, sizeof(x->names[bit]));
	strcpy(x->names[bit], name);
	return x->lib.update_elem(x->maps[XDP_NAMES], &bit, x->names[bit], BPF_ANY);
}

/* Bits that nobody wants any more become free once no ban has them. */
static int retire(struct xdp *x, const struct nft_target *targets, size_t n)
{
	uint64_t kept = 0;
	uint32_t n_gone = 0;

	for (size_t i = 0; i < n; i++) {
		int bit = find_name(x, targets[i].name);

		kept |= bit >= 0 ? UINT64_C(1) << bit : 0;
	}
	for (uint32_t i = 0; i < XDP_MAX_TARGETS; i++)
		n_gone += x->names[i][0] && !(kept >> i & 1);
	if (!n_gone)
		return 0;
	x->config.everything &= kept;
	x->config.with_ports &= kept;
	int r = xdp_write_config(x);

	for (size_t i = 0; i < XDP_PORT_SLOTS; i++)
		x->ports[i] &= kept;
	if (!r)
		r = xdp_retire(x, kept);
	for (uint32_t i = 0; i < XDP_MAX_TARGETS && !r; i++) {
		if (x->names[i][0] && !(kept >> i & 1))
			r = write_name(x, i, "");
	}
	return r;
}

static int take_bits(struct xdp *x, const struct nft_target *targets, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int bit = find_name(x, targets[i].name);

		if (bit < 0) {
			bit = find_name(x, "");
			int r = bit < 0 ? -E2BIG
					: write_name(x, (uint32_t)bit, targets[i].name);

			if (r < 0)
				return r;
		}
		x->bit_of[i] = (uint32_t)bit;
	}
	x->n_targets = n;
	return 0;
}

static bool is_everything(const struct nft_target *t)
{
	return !t->n_ports && !t->protocol;
}

static void mark_ports(uint64_t *slots, const struct nft_target *t, uint64_t bit)
{
	static const struct nft_ports all = {0, UINT16_MAX};
	const struct nft_ports *ports = t->n_ports ? t->ports : &all;

	for (size_t i = 0; i < (t->n_ports ? t->n_ports : 1); i++) {
		for (uint32_t p = ports[i].from; p <= ports[i].to; p++)
			slots[p] |= bit;
	}
}

/* Written in place, slot by slot: what stays is never missing in between. */
static int write_ports(struct xdp *x, const struct nft_target *targets)
{
	CLEANUP(freep) uint64_t *want = calloc(XDP_PORT_SLOTS, sizeof(*want));

	if (!want)
		return -ENOMEM;
	x->config.everything = x->config.with_ports = 0;
	for (size_t i = 0; i < x->n_targets; i++) {
		const struct nft_target *t = &targets[i];
		uint64_t bit = UINT64_C(1) << x->bit_of[i];

		if (is_everything(t)) {
			x->config.everything |= bit;
			continue;
		}
		x->config.with_ports |= bit;
		if (t->protocol != IPPROTO_UDP)
			mark_ports(want, t, bit);
		if (t->protocol != IPPROTO_TCP)
			mark_ports(want + XDP_UDP_SLOTS, t, bit);
	}
	for (size_t i = 0; i < XDP_PORT_SLOTS; i++) {
		if (x->ports[i] != want[i])
			x->ports[i] = want[i];
	}
	return xdp_write_config(x);
}

static struct xdp_interface *find_interface(
    struct xdp_interface *list, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++) {
		if (!strcmp(list[i].name, name))
			return &list[i];
	}
	return NULL;
}

/* What is known of those that stay is kept. */
static void list_interfaces(struct xdp *x, const struct nft_target *targets)
{
	struct xdp_interface old[XDP_MAX_INTERFACES];
	size_t n_old = x->n_interfaces;

	memcpy(old, x->interfaces, sizeof(old));
	memset(x->interfaces, 0, sizeof(x->interfaces));
	x->n_interfaces = 0;
	for (size_t i = 0; i < x->n_targets; i++) {
		const char *name = targets[i].interface;
		struct xdp_interface *known = find_interface(old, n_old, name);

		if (find_interface(x->interfaces, x->n_interfaces, name))
			continue;
		struct xdp_interface *one = &x->interfaces[x->n_interfaces++];

		if (known) {
			*one = *known;
			known->link = 0;
		}
		strcpy(one->name, name);
		one->targets = 0;
	}
	close_links(old, n_old);
	for (size_t i = 0; i < x->n_targets; i++)
		find_interface(x->interfaces, x->n_interfaces, targets[i].interface)
		    ->targets |= UINT64_C(1) << x->bit_of[i];
}

int xdp_setup(
    struct xdp *x, const struct nft_target *targets, size_t n_targets, struct err *e)
{
	if (n_targets > XDP_MAX_TARGETS)
		return err_set(e, -E2BIG, "XDP: more than %d jails and interfaces",
		    XDP_MAX_TARGETS);
	int r = retire(x, targets, n_targets);

	if (!r)
		r = take_bits(x, targets, n_targets);
	if (!r)
		r = write_ports(x, targets);
	if (r < 0)
		return err_errno(e, r, "XDP: the set-up");
	list_interfaces(x, targets);
	xdp_drop_links(x);
	return 0;
}

const struct xdp_interface *xdp_interfaces(const struct xdp *x, size_t *n)
{
	*n = x->n_interfaces;
	return x->interfaces;
}

int xdp_program_fd(const struct xdp *x)
{
	return x->program;
}
