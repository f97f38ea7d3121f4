/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * stopped - from what the kernel has counted to what is new of it
 *
 * The kernel counts by element of a set, and only as long as that element lives. So its
 * totals are asked for now and then, and what came since the last time is booked. A
 * total that went backward belongs to an element that was made anew: all of it is new.
 * What an element had counted before we knew it is never booked: it may have been
 * already, by the process before us.
 */

#include <stdbool.h>
#include <stdint.h>

/*
 * Who gets no answer says SYN again, after 1, 2, 4 seconds: so an attempt is some
 * packets. One for a client that gives up after 7 s has sent 4; it is between 1 (a port
 * scanner) and 7 (Linux, with the patience of two minutes).
 */
#define STOPPED_PACKETS_PER_ATTEMPT 4

struct stopped {
	uint64_t packets, bytes; /* of this element, booked so far */
	uint32_t refused;        /* times the mail server said no to it */
	uint32_t asked;          /* the last question about it; 0: none */
	uint16_t rule;           /* that made the ban, or one of the below */
	bool is_known;           /* else the first answer is where booking begins */
	bool is_final;           /* the last question before its end has been asked */
};

#define STOPPED_NO_RULE UINT16_MAX /* it is not known any more */
#define STOPPED_BY_HAND (UINT16_MAX - 1)

struct stopped_more {
	uint64_t attempts, packets, bytes;
};

/**
 * stopped_book() - take a total
 * @per_attempt: packets that make an attempt, at least 1; the first begun one counts
 *
 * Return: what is new, and now booked.
 */
struct stopped_more stopped_book(
    struct stopped *s, uint64_t packets, uint64_t bytes, uint32_t per_attempt);
