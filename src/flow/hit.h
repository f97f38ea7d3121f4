/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * hit - what travels from match to decide: one piece of evidence about a network
 */

#include "base/clock.h"
#include "base/net.h"

struct hit {
	uint32_t jail; /* index in the running set-up */
	struct net net;
	uint64_t
	    hash; /* net_hash() of .net; 0: not known yet, engine_expect() fills it */
	const char *id; /* the text of an id, NULL of an address; lives as text does */
	struct net ip;  /* beside an id: flow/id.h */
	uint16_t rule;  /* index of the failregex in its filter */
	int16_t weight; /* a plain failregex weighs 1; negative is good evidence */
	wall_t at;      /* log time */
	struct span text; /* the line, for explaining; dies after engine_feed() */
};
