/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * id - what travels beside the hash of an id: its text, and the address that was with
 * it
 *
 * Whoever reads it may rely on the text being that of the hash. Of an address there is
 * neither.
 */

#include "base/net.h"
#include "base/pack.h"

/* No address: 0 bits, which no client has. */
static inline bool id_has_ip(const struct net *ip)
{
	return ip->bits != 0;
}

/* @id is NULL of an address. */
void id_pack(struct buf *b, const char *id, const struct net *ip);

/**
 * id_unpack() - @u turns bad when it is not what belongs to @n
 *
 * Return: the text, malloc'd; NULL of an address, and when @u is bad.
 */
char *id_unpack(struct unpack *u, const struct net *n, struct net *out_ip);

/* For people and logs: the address as it is, an id quoted and without blanks. */
void id_add_who(struct buf *b, const struct net *n, const char *id);

/* Addresses, networks and ids, as people name them. */
struct ids {
	struct net *nets;   /* owned, and the next */
	const char **texts; /* of ids; NULL of an address */
	uint32_t n, max;
	bool has_copies; /* the texts are owned too */
};

int ids_init(struct ids *l, uint32_t max); /* 0 or -ENOMEM */
void ids_deinit(struct ids *l);

/**
 * ids_add() - an address or network, or if @takes_ids any other text that may be an id
 *
 * The text must stay while the list does. Return: 0; -EINVAL: it is neither; -ENOSPC.
 */
int ids_add(struct ids *l, const char *text, bool takes_ids);

void ids_pack(struct buf *b, const struct ids *l);
/* At most @max, with copies of the texts. */
int ids_unpack(struct unpack *u, uint32_t max, struct ids *out); /* 0 or -EBADMSG */
