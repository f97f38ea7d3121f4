/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * order - what travels from decide to enforce and record: ban, unban or prolong
 *
 * Two wire forms: a fixed record of numbers for the enforcer, which trusts no text, and
 * a full one with the evidence, and what an id is called, for the keeper.
 */

#include "base/clock.h"
#include "base/net.h"
#include "base/pack.h"
#include "flow/stopped.h"

enum order_op { ORDER_BAN = 1, ORDER_UNBAN, ORDER_PROLONG };

enum order_cause {
	ORDER_BY_RULE = 1, /* enough evidence */
	ORDER_BY_USER,     /* somebody asked for it */
	ORDER_EXPIRED,     /* its time was over */
	ORDER_RESTORED,    /* known from before a restart */
	ORDER_JAIL_GONE,   /* the configuration no longer has that jail */
	ORDER_REFUSED,     /* the guard did not let it through */
	ORDER_BY_GROUP,    /* a network of which many addresses were banned */
};
#define ORDER_N_CAUSES (ORDER_BY_GROUP + 1)

/* One line that spoke for a ban. */
struct evidence {
	wall_t at;
	uint16_t rule;
	int16_t weight;
	char *text; /* owned; NULL when the line is no longer held */
};

/* What a named group of the regex caught in the line that decided. */
struct order_field {
	char *name; /* owned, both */
	char *value;
};

struct order {
	enum order_op op;
	enum order_cause cause;
	uint32_t jail; /* index in the running set-up */
	struct net net;
	char *id;      /* the text of an id, NULL of an address; owned by the list */
	struct net ip; /* the address beside an id, or none: flow/id.h */
	wall_t at;     /* ban: time of the last failure; else when it was decided */
	wall_t until;  /* WALL_NEVER: permanent */
	uint32_t failures; /* in the window, or 0 */
	bool is_next_step; /* prolong: it begins with this order; no wire form */
	uint8_t step;      /* of the jail's graduated answers; 0: what its actions do */
	uint32_t ban_count; /* it is the so-many-th ban of its network; 0: not known */
	uint32_t n_why;
	struct evidence *why;       /* owned by the list; oldest first */
	uint32_t n_fields;          /* only for who runs commands; no wire form */
	struct order_field *fields; /* owned by the list */
	struct stopped stopped;     /* unban: what was booked of it; no wire form */
};

/* A list that grows; items in the order of their decision. */
struct orders {
	struct order *items;
	size_t n;
	size_t room;
};

void orders_deinit(struct orders *l);
void orders_clear(struct orders *l); /* frees the evidence, keeps the memory */

/* Who it is about, for people and logs: id_add_who(). */
void order_add_who(struct buf *b, const struct order *o);

/* Append a zeroed order. Return: it (valid until the next append), or NULL. */
struct order *orders_append(struct orders *l);

void order_fields_free(struct order_field *fields, uint32_t n);
int order_add_field(
    struct order *o, const char *name, struct span value); /* 0 or -ENOMEM */

#define ORDER_RECORD_BYTES 48

/* The enforcer's fixed record: op, cause, jail, net, at, until, failures,
 * ban_count. */
void order_encode_record(struct buf *b, const struct order *o);
/* Return: 0 or -EBADMSG; @out has no evidence, and of an id no text. */
int order_decode_record(struct unpack *u, struct order *out);

/**
 * order_decode_records() - a message for the enforcer: u32 n, n records, nothing behind
 * @out_n: how many; bounded by the bytes there are
 *
 * An id is refused: nothing but addresses and networks is for the kernel. Return:
 * orders to free (also for none), or NULL with @u bad: broken, or out of memory.
 */
struct order *order_decode_records(struct unpack *u, uint32_t *out_n);

/* With evidence and the text of an id, which must be its own. The decoded one owns
 * these: see order_deinit(). */
void order_encode(struct buf *b, const struct order *o);
int order_decode(struct unpack *u, struct order *out);
void order_deinit(struct order *o);

const char *order_op_name(enum order_op op); /* "ban", "unban", "prolong" */
const char *order_cause_name(
    enum order_cause cause); /* "rule", "user", "expired", ... */
