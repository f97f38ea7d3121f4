/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * hit - what travels from match to decide: one piece of evidence about a network
 */

#include "base/clock.h"
#include "base/net.h"

/* What a line says of a client. Only abuse bans; a promise that decide/ keeps. */
enum hit_class {
	HIT_ABUSE, /* a plain failregex */
	HIT_MISCONFIGURATION,
	HIT_LOCAL_FAULT, /* of this machine: never counts */
	HIT_NEUTRAL,
	HIT_GOOD,
};
#define HIT_N_CLASSES (HIT_GOOD + 1)

/* As filters write it: "local-fault". */
const char *hit_class_name(enum hit_class class);
/* Return: 0 or -EINVAL. */
int hit_class_parse(struct span name, enum hit_class *out);

struct hit {
	uint32_t jail; /* index in the running set-up */
	struct net net;
	uint64_t
	    hash; /* net_hash() of .net; 0: not known yet, engine_expect() fills it */
	const char *id; /* the text of an id, NULL of an address; lives as text does */
	struct net ip;  /* beside an id: flow/id.h */
	uint16_t rule;  /* index of the regex in its filter */
	int16_t weight; /* a plain failregex weighs 1; else in 1/engine_jail.unit of
			   that; negative is good evidence */
	uint8_t class;  /* enum hit_class */
	uint64_t value; /* hash of what a distinct rule counts; 0: nothing */
	uint64_t account; /* hash of the user that somebody tried to be; 0: nobody */
	wall_t at;        /* log time */
	struct span text; /* the line, for explaining; dies after engine_feed() */
};
