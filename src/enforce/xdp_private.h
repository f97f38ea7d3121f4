/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * xdp_private - what xdp.c (program, maps, set-up), xdp_link.c (interfaces) and
 * xdp_ban.c (bans) share
 */

#include "enforce/xdp.h"
#include "enforce/xdp_lib.h"

enum xdp_map {
	XDP_WHO,
	XDP_BANS,
	XDP_PORTS,
	XDP_INTERFACES,
	XDP_CONFIG,
	XDP_LENGTHS,
	XDP_NAMES,
	XDP_MAPS
};

#define XDP_STEP 4096 /* bans that are looked at in one go */
#define XDP_RUN 256   /* bans that are added in one go; more gains nothing */
#define XDP_LENGTHS_ALL 129

/* A walk over all bans, step by step. */
struct xdp_walk {
	bool is_begun;
	uint32_t at; /* the kernel's word for it */
	/* Prefix lengths met, or added meanwhile: the others are no longer in use. */
	bool seen[XDP_FAMILIES][XDP_LENGTHS_ALL];
	struct xdp_key keys[XDP_STEP];
	struct xdp_ban bans[XDP_STEP];
};

/* Bans to be added together. */
struct xdp_run {
	size_t n;
	struct xdp_key keys[XDP_RUN];
	struct xdp_ban bans[XDP_RUN];
	size_t change[XDP_RUN]; /* whose error it is */
};

struct xdp {
	struct xdp_lib lib;
	char *dir; /* NULL: nothing is pinned */
	struct bpf_object *object;
	int program; /* all descriptors are of the object */
	int maps[XDP_MAPS];
	uint64_t *ports;                                          /* the map itself */
	struct xdp_length lengths[XDP_FAMILIES][XDP_MAX_LENGTHS]; /* as in the kernel */
	struct xdp_config config;                                 /* as in the kernel */
	char names[XDP_MAX_TARGETS][XDP_NAME_BYTES]; /* likewise; "": a free bit */
	uint32_t bit_of[XDP_MAX_TARGETS];            /* by target */
	size_t n_targets;
	struct xdp_interface interfaces[XDP_MAX_INTERFACES];
	size_t n_interfaces;
	struct xdp_walk walk;
	struct xdp_run run;
};

/* xdp.c */

int xdp_write_config(struct xdp *x);

/* xdp_link.c */

/* Take the pins of interfaces away that are not in the list. */
void xdp_drop_links(struct xdp *x);

/* xdp_ban.c */

/* All bans of targets that are not in @kept go. Return: 0 or negative errno. */
int xdp_retire(struct xdp *x, uint64_t kept);
