/* SPDX-License-Identifier: GPL-2.0-or-later */
/* xdp, in a build without libbpf, clang or bpftool: the set-up refuses jails that want
 * it, so nothing here is ever asked for much. */
#include <errno.h>

#include "enforce/xdp.h"

bool xdp_is_built(void)
{
	return false;
}

struct xdp *xdp_open(UNUSED const char *dir, struct err *e)
{
	err_set(e, -ENOSYS, "this bandog was built without XDP");
	return NULL;
}

struct xdp *xdp_close(UNUSED struct xdp *x)
{
	return NULL;
}

int xdp_setup(UNUSED struct xdp *x, UNUSED const struct nft_target *targets,
    UNUSED size_t n_targets, struct err *e)
{
	return err_set(e, -ENOSYS, "this bandog was built without XDP");
}

bool xdp_attach(UNUSED struct xdp *x)
{
	return false;
}

const struct xdp_interface *xdp_interfaces(UNUSED const struct xdp *x, size_t *n)
{
	*n = 0;
	return NULL;
}

void xdp_apply(UNUSED struct xdp *x, UNUSED const struct nft_change *changes,
    size_t n_changes, UNUSED int64_t now_ns, int *errors)
{
	for (size_t i = 0; i < n_changes; i++)
		errors[i] = -ENOSYS;
}

int xdp_counter(UNUSED struct xdp *x, UNUSED uint32_t target,
    UNUSED const struct net *net, UNUSED int64_t now_ns, UNUSED uint64_t *packets,
    UNUSED uint64_t *bytes)
{
	return -ENOSYS;
}

void xdp_sweep(UNUSED struct xdp *x, UNUSED int64_t now_ns)
{
}

int xdp_program_fd(UNUSED const struct xdp *x)
{
	return -ENOSYS;
}
