/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "enforcer/enforcer_xdp.h"

#include <errno.h>
#include <time.h>

#include "base/log.h"
#include "enforce/xdp.h"

struct enforcer_xdp {
	char *dir;
	struct xdp *xdp; /* NULL: not wanted, or not to be had (yet) */
	struct nft_target *targets;
	size_t n_targets;
	bool is_set_up; /* the kernel knows the targets */
	bool is_told;   /* that it cannot be had */
};

struct enforcer_xdp *enforcer_xdp_new(const char *dir)
{
	struct enforcer_xdp *x = calloc(1, sizeof(*x));

	if (!x)
		return NULL;
	x->dir = dir ? strdup(dir) : NULL;
	return !dir || x->dir ? x : enforcer_xdp_free(x);
}

struct enforcer_xdp *enforcer_xdp_free(struct enforcer_xdp *x)
{
	if (!x)
		return NULL;
	xdp_close(x->xdp);
	free(x->targets);
	free(x->dir);
	free(x);
	return NULL;
}

int enforcer_xdp_setup(
    struct enforcer_xdp *x, const struct nft_target *targets, size_t n)
{
	struct nft_target *copy = calloc(n + 1, sizeof(*copy));

	if (!copy)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		copy[i] = targets[i];
	free(x->targets);
	x->targets = copy;
	x->n_targets = n;
	x->is_set_up = false;
	return 0;
}

/* --- where it stands ---------------------------------------------------------------
 */

static void say_interface(const struct xdp_interface *i)
{
	switch (i->mode) {
	case XDP_NATIVE:
		log_info(NULL, "XDP: drops at %s, in its driver (native)", i->name);
		return;
	case XDP_GENERIC:
		log_warning(NULL,
		    "XDP: drops at %s behind its driver (generic), which is slower: %s",
		    i->name, i->why.text);
		return;
	case XDP_OFF:
		log_err(
		    NULL, "XDP: nothing is dropped at %s: %s", i->name, i->why.text);
	}
}

static void attach(struct enforcer_xdp *x)
{
	size_t n;

	if (!xdp_attach(x->xdp))
		return;
	const struct xdp_interface *all = xdp_interfaces(x->xdp, &n);

	for (size_t i = 0; i < n; i++) {
		if (all[i].is_news)
			say_interface(&all[i]);
	}
}

static int open_xdp(struct enforcer_xdp *x, struct err *e)
{
	if (!x->dir)
		return err_set(e, -EACCES, "XDP: no place in the BPF file system");
	x->xdp = xdp_open(x->dir, e);
	return x->xdp ? 0 : -EIO;
}

static int set_up(struct enforcer_xdp *x, struct err *e)
{
	int r = x->xdp ? 0 : open_xdp(x, e);

	if (!r)
		r = xdp_setup(x->xdp, x->targets, x->n_targets, e);
	if (r < 0)
		x->xdp = xdp_close(x->xdp);
	x->is_set_up = r == 0;
	return r;
}

void enforcer_xdp_repair(struct enforcer_xdp *x, bool *out_any)
{
	struct err e = {""};

	if (!x->n_targets && !x->xdp)
		return;
	if (!x->is_set_up) {
		int r = set_up(x, &e);

		if (r < 0 && !x->is_told)
			log_err(NULL, "nothing is dropped at interfaces: %s%s", e.text,
			    x->dir ? "; trying again" : "");
		x->is_told = r < 0;
		if (r < 0)
			return;
		*out_any = true;
	}
	attach(x);
}

static size_t n_attached(const struct enforcer_xdp *x, size_t *n)
{
	size_t n_on = 0;
	const struct xdp_interface *all = xdp_interfaces(x->xdp, n);

	for (size_t i = 0; i < *n; i++)
		n_on += all[i].mode != XDP_OFF;
	return n_on;
}

bool enforcer_xdp_stands(const struct enforcer_xdp *x)
{
	size_t n;

	if (!x->n_targets)
		return true;
	return x->is_set_up && n_attached(x, &n) == n;
}

bool enforcer_xdp_any(const struct enforcer_xdp *x)
{
	size_t n;

	return x->n_targets && x->is_set_up && n_attached(x, &n) > 0;
}

static int64_t boot_now_ns(void)
{
	struct timespec t = {0, 0};

	(void)clock_gettime(CLOCK_BOOTTIME, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

void enforcer_xdp_check(struct enforcer_xdp *x)
{
	if (!x->is_set_up || !x->n_targets)
		return;
	/* What does not stand is repaired, so that the engine learns of it. */
	if (enforcer_xdp_stands(x))
		attach(x);
	xdp_sweep(x->xdp, boot_now_ns());
}

/* --- bans --------------------------------------------------------------------------
 */

void enforcer_xdp_apply(
    struct enforcer_xdp *x, const struct nft_change *changes, size_t n, int *errors)
{
	if (x->is_set_up)
		xdp_apply(x->xdp, changes, n, boot_now_ns(), errors);
}

int enforcer_xdp_counter(struct enforcer_xdp *x, uint32_t target, const struct net *net,
    uint64_t *packets, uint64_t *bytes)
{
	if (!x->is_set_up)
		return -ENOENT;
	return xdp_counter(x->xdp, target, net, boot_now_ns(), packets, bytes);
}

int enforcer_xdp_remove(struct enforcer_xdp *x)
{
	x->is_set_up = false;
	x->xdp = xdp_close(x->xdp);
	return x->dir ? xdp_remove(x->dir) : 0;
}
