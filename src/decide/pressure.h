/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * pressure - how broad an attack is, and what that does to a threshold
 *
 * Who attacks from hundreds of addresses lets each of them try once or twice an hour,
 * below any maxretry. So different addresses that offend within an hour of log time are
 * counted (to PRESSURE_ROOM, which is enough for what follows from it): from 10 on
 * maxretry is halved, from 20 on quartered, and it is never below one failure. It goes
 * back PRESSURE_HOLD_SEC after there were three quarters of that for the last time: who
 * is banned offends no more, and those of his addresses that are still to come would
 * find the door as it was. Addresses with credit do not add to it, nor does it act on
 * them; so it is hard on strangers only while very many of them offend, and a while
 * after.
 *
 * The engine has one for each rule of a jail, and one for the jail, which goes to one
 * half only: different things that are each done by few are no attack. For a rule the
 * addresses of a day count, too: 30 and 60, for who has them come one by one.
 *
 * The engine leaves out what is light, and rules that count distinct values: typos are
 * no attack, however many.
 *
 * 10 and 20: a small mail host sees up to 30 addresses an hour on a bad day and fewer
 * than 10 on others; and of an attack by 110 addresses within half an hour, thresholds
 * twice as high let a third more through.
 */

#include "base/clock.h"
#include "decide/crowd.h"

#define PRESSURE_ROOM 64
#define PRESSURE_SPAN_SEC 3600
#define PRESSURE_DAY_SEC 86400
#define PRESSURE_HOLD_SEC (6 * 3600)
#define PRESSURE_MAX_LEVEL 2
#define PRESSURE_MAX_OF_JAIL 1 /* what all rules of a jail together raise it to */

struct pressure {
	bool counts_days; /* of one rule: a slow attack counts, too */
	/* Until then it is at least of that level; 0: not yet. */
	int64_t until_us[PRESSURE_MAX_LEVEL + 1];
	struct crowd_one offenders[PRESSURE_ROOM];
};

/* @who (net_hash(); of IPv6 the /64, or one machine were an attack) offends at @at. */
void pressure_add(struct pressure *p, uint64_t who, wall_t at);
void pressure_clear(struct pressure *p); /* nobody has offended */

/* Different addresses in the hour before @now; PRESSURE_ROOM: so many or more. */
size_t pressure_count(const struct pressure *p, wall_t now);

/* 0, or so often the threshold is halved at @now. */
unsigned int pressure_level(const struct pressure *p, wall_t now);

/* @need under that level; not below @least (unless it was). */
int64_t pressure_need(unsigned int level, int64_t need, int64_t least);
